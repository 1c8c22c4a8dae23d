//! Messages about second factors and challenges.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::deletion::NewCode;
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::factors::{
    FactorsCommand, FactorsView, KeysConcerned, TypedFactor,
};
use claviger_control::protocol::identity::{NewChallenge, NewSession};
use claviger_control::protocol::ledger::{ChallengeAnswer, LedgerReply, LedgerRequest};
use claviger_control::protocol::member::{AddressVersion, SecretVersion};
use claviger_control::protocol::proof::ProofMethod;
use claviger_control::protocol::recovery::NewRecoveryCodes;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::TokenId;
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::Revision;

use crate::{digest, email, member, written};

fn id() -> TokenId {
    TokenId::parse("0123456789").unwrap()
}

fn code() -> SecretText {
    SecretText::new("123456".into())
}

/// A session that the admin Worker has drawn.
pub fn session() -> NewSession {
    let id = TokenId::parse("0123456789").unwrap();
    NewSession {
        id,
        digest: digest(),
        agent: Some("Mozilla/5.0".into()),
        accounts: 2,
        began: None,
        challenge: None,
        proven_by: None,
    }
}

#[test]
fn commands_about_factors() {
    let recovery = || NewRecoveryCodes { generation: "b".into(), macs: vec![digest()] };
    let commands = [
        FactorsCommand::Show,
        FactorsCommand::BeginTotp { sealed: Ciphertext::from_stored("b.AAAA".into()) },
        FactorsCommand::ConfirmTotp { code: code(), recovery: recovery() },
        FactorsCommand::TurnOffTotp,
        FactorsCommand::RenewRecoveryCodes { recovery: recovery() },
        FactorsCommand::Reset { member: member() },
    ];
    let mut commands: Vec<Command> =
        commands.into_iter().map(|factors| Command::Factors { factors }).collect();
    for typed in [TypedFactor::Totp(code()), TypedFactor::RecoveryCode(code())] {
        commands.push(Command::ProveFactor { typed, session: session() });
    }
    commands.push(Command::MailProofCode {
        code: NewCode { mac: digest(), sealed: Ciphertext::from_stored("b.AAAA".into()) },
    });
    commands.push(Command::ProveCode { mac: digest(), session: session() });
    insta::assert_snapshot!("factor_commands", written(commands));
}

#[test]
fn challenges() {
    let challenge = Some(NewChallenge { id: id(), digest: digest() });
    let proven_by = Some(ProofMethod::Totp);
    let text = written(vec![
        LedgerRequest::SignIn {
            member: member(),
            email: email(),
            secret_version: SecretVersion(2),
            session: NewSession { challenge, proven_by, ..session() },
            address: None,
            confirmed: true,
            switches: false,
            address_version: AddressVersion::default(),
        },
        LedgerRequest::AnswerChallenge(ChallengeAnswer {
            challenge: id(),
            digest: digest(),
            typed: TypedFactor::Totp(code()),
            session: session(),
            address: Some("203.0.113.7".into()),
        }),
    ]);
    insta::assert_snapshot!("challenge_requests", text);
    let text = written(vec![
        LedgerReply::Challenged { until: UnixMs::from_ms(5) },
        LedgerReply::Factors(FactorsView {
            totp_since: Some(UnixMs::from_ms(1)),
            pending_until: None,
            recovery_codes_left: 9,
            keys: Some(KeysConcerned {
                revision: Revision(9),
                bound: Some(Bound { at: UnixMs::from_ms(7), within_s: 10, is_eventual: false }),
            }),
        }),
        LedgerReply::Refused(Refusal::ProofRequired { methods: vec![ProofMethod::Totp] }),
        LedgerReply::Refused(Refusal::FactorRefused { tries_left: 4 }),
        LedgerReply::Refused(Refusal::TooManyFactorTries { until: UnixMs::from_ms(5) }),
        LedgerReply::Refused(Refusal::ChallengeOver),
        LedgerReply::Refused(Refusal::FactorIsOn),
        LedgerReply::Refused(Refusal::NoFactor),
    ]);
    insta::assert_snapshot!("challenge_replies", text);
}
