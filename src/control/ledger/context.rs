//! The context of a command: its account, its session and its time.

use claviger_core::base::time::UnixMs;

use crate::ledger::account::Account;
use crate::ledger::audit::Author;
use crate::ledger::decide::DecisionContext;
use crate::ledger::sessions::Session;
use crate::protocol::activity::Actor;
use crate::protocol::master::MasterSecrets;

/// The context of a command, with the session's member as its author.
pub(super) struct CommandContext<'a> {
    pub account: &'a Account,
    pub session: Session,
    pub address: Option<&'a str>,
    /// Secrets that decrypt seeds; `None` where no code can be checked, and all are refused.
    pub master: Option<&'a MasterSecrets>,
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

    pub fn decision(&self) -> DecisionContext<'_> {
        DecisionContext { account: self.account, member: &self.session.member, now: self.now }
    }
}
