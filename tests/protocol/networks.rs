//! Account-wide networks, and networks that are tried on a key.

use claviger_control::protocol::account_networks::{
    AccountNetworksCommand, AccountSurface, ChangedNetworkList, EntryNote, ListMode, ListedNetwork,
    NetworkList, NetworkListPreview, NetworkListView, NetworksRefusal, ProvenPassword,
    RefusedCaller, RefusedCallers, RefusedMember, TypedEntry, TypedNetworkList,
};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::keys::{KeyName, KeyView};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::member::SecretVersion;
use claviger_control::protocol::operator::OperatorCommand;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::config::terms::Bound;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::record::Revision;
use claviger_core::replication::refresh::Caller;
use claviger_core::testing::{account, at, key_id};

use crate::{member, view, written};

fn list() -> NetworkList {
    NetworkList {
        mode: ListMode::Enforced,
        entries: vec![ListedNetwork {
            id: 7,
            network: "203.0.113.0/24".into(),
            label: Some("Office".into()),
            surfaces: vec![AccountSurface::Console, AccountSurface::ProtectedApi],
        }],
        next: 8,
    }
}

fn address() -> ClientAddress {
    ClientAddress::parse("198.51.100.4").unwrap()
}

fn refuses() -> RefusedCallers {
    RefusedCallers {
        callers: vec![RefusedCaller {
            address: address(),
            count: 2,
            last_at: at(5),
            surfaces: vec![AccountSurface::ProtectedApi],
            keys: vec![KeyName { id: key_id(), name: "Build server".into() }],
            more_keys: 1,
            api_users: vec![KeyName { id: key_id(), name: "app@example.com".into() }],
            more_api_users: 2,
            service: true,
        }],
        more: 3,
        is_exact: true,
        members: vec![RefusedMember {
            id: member(),
            name: "Mei Tanaka".into(),
            address: None,
            last_at: at(5),
        }],
    }
}

fn seen(refuses: Option<RefusedCallers>) -> NetworkListView {
    NetworkListView {
        list: list(),
        revision: Revision(3),
        changed_at: Some(at(5)),
        changed_by: Some("Mei Tanaka".into()),
        address: Some(address()),
        refuses,
    }
}

#[test]
fn networks_of_an_account() {
    let draft = TypedNetworkList {
        mode: Some("enforced".into()),
        entries: Some(vec![TypedEntry {
            network: "203.0.113.0/24".into(),
            label: Some("Office".into()),
            surfaces: vec!["console".into()],
        }]),
    };
    let password = ProvenPassword { secret_version: SecretVersion(2), confirmed: true };
    let commands = [
        AccountNetworksCommand::Show,
        AccountNetworksCommand::Preview { draft: draft.clone() },
        AccountNetworksCommand::Set {
            draft: draft.clone(),
            expected: Revision(3),
            password: None,
            confirm_lock_out: false,
        },
        AccountNetworksCommand::Set {
            draft,
            expected: Revision(3),
            password: Some(password),
            confirm_lock_out: true,
        },
        AccountNetworksCommand::Delete { id: 7, password, confirm_lock_out: false },
    ];
    let operation = OperatorCommand::TurnOffNetworks { account: account() };
    let mut commands = commands.map(|networks| Command::Networks { networks }).to_vec();
    commands.push(Command::Operate { operation });
    insta::assert_snapshot!("networks_commands", written(commands));
    insta::assert_snapshot!("networks_requests", written(vec![LedgerRequest::TurnOffNetworks]));
    let bound = Some(Bound { at: at(10_005), within_s: 10, is_eventual: false });
    let text = written(vec![
        LedgerReply::Networks(seen(Some(refuses()))),
        LedgerReply::NetworksChecked(NetworkListPreview {
            list: list(),
            notes: vec![EntryNote { index: 0, stored: None, unreachable: None }],
            errors: Vec::new(),
            address: None,
            removes: list().entries,
            refuses: RefusedCallers::default(),
            revision: Revision(3),
        }),
        LedgerReply::NetworksChanged(ChangedNetworkList {
            view: seen(None),
            bound,
            state: Some(Revision(9)),
        }),
        LedgerReply::Refused(Refusal::Networks(NetworksRefusal::Denied)),
        LedgerReply::Refused(Refusal::Networks(NetworksRefusal::ChangedMeanwhile {
            view: Box::new(seen(None)),
        })),
        LedgerReply::Refused(Refusal::Networks(NetworksRefusal::PasswordRequired)),
        LedgerReply::Refused(Refusal::Networks(NetworksRefusal::WouldLockYouOut)),
    ]);
    insta::assert_snapshot!("networks_replies", text);
}

#[test]
fn networks_on_trial_for_a_key() {
    let caller = Caller { address: address(), count: 2, last_at: at(5) };
    let tried = KeyView {
        observed: serde_json::from_str(r#"["203.0.113.0/24"]"#).unwrap(),
        would_refuse: Some(vec![caller]),
        ..view()
    };
    insta::assert_snapshot!("key_on_trial", written(vec![LedgerReply::Key(tried)]));
}
