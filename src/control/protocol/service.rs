//! Commands of members for the account's service credentials.

use claviger_core::replication::record::Revision;
use serde::{Deserialize, Serialize};

use crate::protocol::draft::ceiling::TypedCeiling;
use crate::protocol::service_credentials::NewService;

/// A command for the service credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum ServiceCommand {
    /// Returns them without the password.
    Show,
    /// Returns the encrypted password.
    Reveal,
    /// Replaces the password. The old one, and every key issued with it, ends.
    Change {
        /// Revision that the member saw.
        expected: Revision,
        /// Credentials that the admin Worker has drawn.
        new: NewService,
    },
    /// Changes the ceiling of keys issued with the password.
    SetCeiling {
        /// Revision that the member saw.
        expected: Revision,
        /// Fields of the ceiling as typed.
        ceiling: TypedCeiling,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::command::Command;
    use crate::protocol::encryption::Ciphertext;
    use crate::protocol::ledger::{LedgerReply, LedgerRequest, SessionProof};
    use crate::protocol::refusal::Refusal;
    use crate::protocol::service_credentials::{ServiceView, fresh_ceiling};
    use claviger_core::base::id::{ServiceId, TokenId};
    use claviger_core::base::secret::Digest;
    use claviger_core::base::time::UnixMs;
    use claviger_core::config::terms::Bound;
    use claviger_core::testing::account;

    const NEW: &str = r#"{"ids":["a1B2c3D4CV5VrGm8Coo"],"digest":"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0","sealed":"b.AAAA"}"#;
    const VIEW: &str = r#""id":"a1B2c3D4CV5VrGm8Coo","changed_at":5,"changed_by":"Mei Tanaka","ceiling":{"permissions":["*:*"],"networks":[],"longest":null},"revision":3"#;

    fn id() -> ServiceId {
        ServiceId::parse("a1B2c3D4CV5VrGm8Coo").unwrap()
    }

    #[test]
    fn the_json_of_commands_is_pinned() {
        let new = NewService {
            ids: vec![id()],
            digest: Digest::of(b"abc"),
            sealed: Ciphertext::from_stored("b.AAAA".into()),
        };
        let expected = Revision(3);
        let ceiling: TypedCeiling = serde_json::from_str(r#"{"longest":"24h"}"#).unwrap();
        for (command, json) in [
            (ServiceCommand::Show, r#"{"what":"show"}"#.to_owned()),
            (ServiceCommand::Reveal, r#"{"what":"reveal"}"#.into()),
            (
                ServiceCommand::Change { expected, new },
                format!(r#"{{"what":"change","expected":3,"new":{NEW}}}"#),
            ),
            (
                ServiceCommand::SetCeiling { expected, ceiling },
                r#"{"what":"set_ceiling","expected":3,"ceiling":{"longest":"24h"}}"#.into(),
            ),
        ] {
            let command = Command::Service { service: command };
            let json = format!(r#"{{"do":"service","service":{json}}}"#);
            assert_eq!(serde_json::to_string(&command).unwrap(), json);
            let read: Command = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), json);
        }
    }

    #[test]
    fn the_json_of_replies_is_pinned() {
        let view = || ServiceView {
            usage: None,
            id: Some(id()),
            changed_at: Some(UnixMs::from_ms(5)),
            changed_by: Some("Mei Tanaka".into()),
            ceiling: fresh_ceiling(),
            revision: Revision(3),
        };
        let bound = Some(Bound { at: UnixMs::from_ms(7), within_s: 10, is_eventual: false });
        let sealed = Ciphertext::from_stored("b.AAAA".into());
        let meanwhile = Refusal::ServiceChangedMeanwhile { service: Box::new(view()) };
        for (reply, json) in [
            (LedgerReply::Service(view()), format!(r#"{{"reply":"service",{VIEW}}}"#)),
            (
                LedgerReply::ServiceRevealed { service: view(), sealed },
                format!(r#"{{"reply":"service_revealed","service":{{{VIEW}}},"sealed":"b.AAAA"}}"#),
            ),
            (
                LedgerReply::ServiceChanged { service: view(), bound },
                format!(
                    r#"{{"reply":"service_changed","service":{{{VIEW}}},"bound":{{"at":7,"within_s":10}}}}"#
                ),
            ),
            (
                LedgerReply::Refused(meanwhile),
                format!(
                    r#"{{"reply":"refused","refusal":"service_changed_meanwhile","service":{{{VIEW}}}}}"#
                ),
            ),
        ] {
            assert_eq!(serde_json::to_string(&reply).unwrap(), json);
            assert_eq!(serde_json::from_str::<LedgerReply>(&json).unwrap(), reply);
        }
    }

    #[test]
    fn the_json_of_viewable_keys_is_pinned() {
        let sealed = || Ciphertext::from_stored("b.AAAA".into());
        let id = claviger_core::testing::key_id();
        let json = r#"{"do":"reveal","id":"a1B2c3D47Hq0p2Zx9K"}"#;
        assert_eq!(serde_json::to_string(&Command::Reveal { id }).unwrap(), json);
        assert!(serde_json::from_str::<Command>(json).is_ok());
        for (reply, json) in [
            (
                LedgerReply::Revealed { sealed: sealed() },
                r#"{"reply":"revealed","sealed":"b.AAAA"}"#,
            ),
            (
                LedgerReply::Refused(Refusal::NotViewable),
                r#"{"reply":"refused","refusal":"not_viewable"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&reply).unwrap(), json);
            assert_eq!(serde_json::from_str::<LedgerReply>(json).unwrap(), reply);
        }
        let json = r#"{"do":"issue","id":"a1B2c3D47Hq0p2Zx9K","digest":"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0","draft":{"viewable":true},"idempotency_key":"i-1","sealed":"b.AAAA"}"#;
        let read: Command = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }

    /// An admin Worker of an earlier release sends no service credentials; the account then has no
    /// service password.
    #[test]
    fn an_opening_without_service_credentials_is_read() {
        let account = account();
        let session =
            SessionProof { id: TokenId::parse("0123456789").unwrap(), digest: Digest::of(b"abc") };
        let (account, session) = (serde_json::json!(account), serde_json::json!(session));
        let open = |more: &str| {
            let json = format!(
                r#"{{"ask":"open","account":{account},"name":"x","zone":"UTC","owner":{{"id":"0123456789A","name":"x","email":"a@b.example","language":"en","secret_version":1}},"session":{session},"address":null{more}}}"#
            );
            match serde_json::from_str(&json) {
                Ok(LedgerRequest::Open(opening)) => opening.service,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(open(""), None);
        assert_eq!(open(&format!(r#","service":{NEW}"#)).unwrap().ids, [id()]);
    }
}
