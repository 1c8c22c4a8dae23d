//! Response documents about persons: their accounts and sessions.

use claviger_core::base::id::AccountId;
use claviger_core::base::time::UnixMs;
use serde_json::{Value, json};

use super::parts::text;
use crate::protocol::identity::SessionEntry;
use crate::protocol::mailbox::MailboxCodeState;
use crate::protocol::member::Role;

/// An account of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAccount {
    /// ID of the account.
    pub id: AccountId,
    /// Name of the account and role of the person; `None` while its ledger does not answer.
    pub described: Option<(String, Role)>,
}

/// Returns the document of a person's accounts.
pub fn own_accounts(accounts: &[OwnAccount], current: AccountId, now: UnixMs) -> Value {
    let view = |account: &OwnAccount| {
        let (name, role) = account.described.clone().unzip();
        json!({ "id": account.id, "name": name, "role": role, "current": account.id == current })
    };
    json!({ "accounts": accounts.iter().map(view).collect::<Vec<_>>(), "now": text(now) })
}

/// Returns the document of a mailbox code that was mailed.
pub fn mailbox_code(code: MailboxCodeState, now: UnixMs) -> Value {
    json!({ "expires_at": text(code.until), "mail": code.mail, "now": text(now) })
}

/// Returns the document of a member's sessions.
pub fn sessions(sessions: &[SessionEntry], now: UnixMs) -> Value {
    let view = |session: &SessionEntry| {
        json!({
            "id": session.id, "current": session.current, "agent": session.agent,
            "address": session.address, "last_address": session.last_address,
            "created_at": text(session.created_at), "seen_at": text(session.seen_at),
        })
    };
    json!({ "sessions": sessions.iter().map(view).collect::<Vec<_>>(), "now": text(now) })
}
