//! The context of a command: its account, who gives it, and its time.

use claviger_core::base::id::{KeyId, MemberId};
use claviger_core::base::time::UnixMs;

use crate::ledger::account::Account;
use crate::ledger::audit::Author;
use crate::ledger::decide::DecisionContext;
use crate::ledger::member::Member;
use crate::ledger::sessions::Session;
use crate::protocol::activity::Actor;
use crate::protocol::master::MasterSecrets;

/// The context of a command in a session, with the session's member as its author.
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
        self.act().author()
    }

    pub fn decision(&self) -> DecisionContext<'_> {
        self.act().decision()
    }

    /// Returns the context of a command that a program could give as well.
    pub fn act(&self) -> ActContext<'_> {
        let Self { account, session, address, now, .. } = self;
        let (member, address, now) = (&session.member, *address, *now);
        ActContext { account, member, program: None, address, now }
    }
}

/// The context of a command that a member or a program gives. It has no session, so nothing that
/// needs one can be done in it.
#[derive(Clone, Copy)]
pub(super) struct ActContext<'a> {
    pub account: &'a Account,
    /// Member who gives the command, or who answers for the program.
    pub member: &'a Member,
    /// ID and name of the program; `None` for a member.
    pub program: Option<(KeyId, &'a str)>,
    pub address: Option<&'a str>,
    pub now: UnixMs,
}

impl<'a> ActContext<'a> {
    pub fn author(&self) -> Author<'a> {
        let actor = match self.program {
            Some((id, _)) => Actor::Key(id),
            None => Actor::Member(self.member.view.id),
        };
        Author { actor, address: self.address, now: self.now }
    }

    pub fn decision(&self) -> DecisionContext<'a> {
        DecisionContext { account: self.account, member: self.member, now: self.now }
    }

    pub fn member_id(&self) -> MemberId {
        self.member.view.id
    }

    /// Returns the name of the author, for people.
    pub fn name(&self) -> &'a str {
        self.program.map_or(self.member.view.name.as_str(), |(_, name)| name)
    }

    /// Returns the stored form of an idempotency key. The form of a program's key begins with the
    /// program's ID and a blank, which no key of a member contains. So two authors can use one
    /// text.
    pub fn stored_idempotency_key(&self, typed: &str) -> String {
        match self.program {
            Some((id, _)) => format!("{id} {typed}"),
            None => typed.to_owned(),
        }
    }
}
