//! The context of a command: its account, its session and its time.

use claviger_core::base::time::UnixMs;

use crate::ledger::account::Account;
use crate::ledger::audit::Author;
use crate::ledger::decide::Desk;
use crate::ledger::sessions::Session;
use crate::protocol::activity::Actor;

/// A command, with who gives it and when.
pub(super) struct CommandContext<'a> {
    pub account: &'a Account,
    pub session: Session,
    pub address: Option<&'a str>,
    pub now: UnixMs,
}

impl CommandContext<'_> {
    pub fn author(&self) -> Author<'_> {
        Author {
            actor: Actor::Member(self.session.member_id()),
            address: self.address,
            now: self.now,
        }
    }

    pub fn desk(&self) -> Desk<'_> {
        Desk { account: self.account, member: &self.session.member, now: self.now }
    }
}
