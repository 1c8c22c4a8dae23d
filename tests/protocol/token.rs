//! Requests of programs that call the admin API, and their refusals.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::keys::Listing;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_core::replication::admin_caller::AdminCaller;
use claviger_core::verify::verdict::Denial;

use crate::{at, key_id, pin};

#[test]
fn a_command_of_a_program_is_pinned() {
    let request = LedgerRequest::Token {
        caller: AdminCaller::Key(key_id()),
        address: Some("203.0.113.7".into()),
        command: Command::List(Listing::default()),
    };
    let json = serde_json::to_string(&request).unwrap();
    let expected = r#"{"ask":"token","caller":"key a1B2c3D47Hq0p2Zx9K","address":"203.0.113.7","command":{"do":"list""#;
    assert!(json.starts_with(expected), "{json}");
    let read: LedgerRequest = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
}

#[test]
fn refusals_of_programs_are_pinned() {
    pin(vec![
        (
            LedgerReply::Refused(Refusal::TokenRefused { denial: Denial::NetworkDenied }),
            r#"{"reply":"refused","refusal":"token_refused","denial":"network_denied"}"#.into(),
        ),
        (
            LedgerReply::Refused(Refusal::TooManyRequests { until: at(8) }),
            r#"{"reply":"refused","refusal":"too_many_requests","until":8}"#.into(),
        ),
    ]);
}
