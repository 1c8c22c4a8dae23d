//! The policy of an account, and key pairs.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::envelope::Letter;
use claviger_control::protocol::factors::KeysConcerned;
use claviger_control::protocol::keys::KeyName;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::operator::OperatorCommand;
use claviger_control::protocol::pair::{PairRequirement, PairView};
use claviger_control::protocol::policy::{
    Policy, PolicyChanges, PolicyEffect, PolicyEffectKind, PolicyPreview, PolicyState, Preset,
};
use claviger_control::protocol::proof::{DemandedProof, ProofChanges};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::view::AccountView;
use claviger_control::protocol::zone::Zone;
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::Revision;
use claviger_core::testing::{account, at, key_id};

use crate::{view, written};

#[test]
fn policies_and_pairs() {
    let changes = PolicyChanges { preset: Some(Preset::Registry), ..PolicyChanges::default() };
    let text = written(vec![
        LedgerRequest::ShowPolicy,
        LedgerRequest::PreviewPolicy { changes },
        LedgerRequest::SetPolicy { changes, expected: Revision(3) },
    ]);
    insta::assert_snapshot!("policy_requests", text);
    let proofs =
        ProofChanges { show_secrets: Some(DemandedProof::EmailCode), ..Default::default() };
    let changes = PolicyChanges { demands_mfa: Some(true), proofs, ..PolicyChanges::default() };
    let operation = OperatorCommand::SetPolicy { account: account(), changes };
    let text = written(vec![
        Command::ShowPair,
        Command::DeleteKey { id: key_id(), expected: Revision(3) },
        Command::Operate { operation },
    ]);
    insta::assert_snapshot!("pair_commands", text);
    let text = written(vec![
        LedgerReply::Policy(PolicyState {
            policy: Policy::REGISTRY,
            revision: Revision(3),
            keys: Some(KeysConcerned { revision: Revision(9), bound: None }),
        }),
        LedgerReply::PolicyPreview(PolicyPreview {
            before: Policy::PORTAL,
            after: Policy::REGISTRY,
            revision: Revision(3),
            effects: vec![PolicyEffect {
                kind: PolicyEffectKind::KeysThatLiveLonger,
                count: 2,
                names: vec!["Build server".into(), "Cron".into()],
            }],
        }),
        LedgerReply::Pair(PairView {
            key: Some(view()),
            missing: Some(PairRequirement::SecondFactor),
            owners: vec!["Mei Tanaka".into()],
            expires: Some(at(9)),
        }),
        LedgerReply::MemberRemoved {
            keys: 1,
            revision: Revision(12),
            bound: Bound { at: at(8), within_s: 10, is_eventual: false },
        },
    ]);
    insta::assert_snapshot!("policy_replies", text);
    let state = Box::new(PolicyState { policy: Policy::PORTAL, revision: Revision(3), keys: None });
    let text = written(vec![
        Refusal::KeyPairExists,
        Refusal::MfaRequired,
        Refusal::CodeRequired,
        Refusal::NotYourKey,
        Refusal::KeyMemberGone,
        Refusal::ViewingNotAllowed,
        Refusal::PolicyChangedMeanwhile { state },
    ]);
    insta::assert_snapshot!("policy_refusals", text);
    let text = written(vec![Letter::KeyGenerated {
        account: "Example KK".into(),
        key: KeyName { id: key_id(), name: "Build server".into() },
        expires: Some(at(9)),
        address: Some("203.0.113.7".into()),
        at: at(1),
        zone: Zone::parse("Asia/Tokyo").unwrap(),
    }]);
    insta::assert_snapshot!("key_generated", text);
}

/// A ledger of an earlier release sends no policy: its accounts have the default.
#[test]
fn an_account_without_a_policy_reads_as_portal() {
    let json = format!(r#"{{"id":"{}","name":"A","zone":"UTC","freshness_s":10}}"#, account());
    let view: AccountView = serde_json::from_str(&json).unwrap();
    assert_eq!(view.policy, Policy::PORTAL);
}
