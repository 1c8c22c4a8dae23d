//! Commands of programs: which right each command demands, and what a program may never do.
//!
//! The edge has verified the program against its lease. The ledger decides again on the present
//! state, in the run that executes the command. So a program whose key was disabled a moment ago
//! does nothing more.
//!
//! A program acts with the rights of an admin at most, for the member who answers for its key. It
//! never reveals a secret, and never changes members, networks of the account, policy, service
//! credentials, factors, sessions or notices. It cannot give rights over Claviger, nor touch a key
//! that has some, or it could make a stronger program than itself. It may disable its own key, so
//! that a program that finds its key leaked can stop it.

use claviger_core::base::id::KeyId;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::admin_right::AdminRight;
use claviger_core::credential::issuer::Issuer;
use claviger_core::credential::limits::Interface;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::admin_caller::AdminCaller;
use claviger_core::replication::refresh::AccountState;
use claviger_core::verify::verdict::Denial;
use claviger_core::verify::verification::{Demand, Facts, Known, examine};

use super::account::Account;
use super::key::Key;
use super::member::Member;
use super::usage;
use super::{account_networks, mfa};
use crate::ledger::context::ActContext;
use crate::ledger::ledger::Ledger;
use crate::ledger::plan::Plan;
use crate::objects::sql::{Sql, SqlError};
use crate::protocol::account_networks::AccountSurface;
use crate::protocol::command::Command;
use crate::protocol::member::Role;
use crate::protocol::policy::KeysPerMember;
use crate::protocol::refusal::Refusal;

/// Returns the right that a command demands of a program; `None` for a command that no program
/// gives.
fn right(command: &Command) -> Option<AdminRight> {
    match command {
        Command::List(_) | Command::Get { .. } | Command::Check { .. } => {
            Some(AdminRight::ReadKeys)
        }
        Command::CountIssued { issuer } => match issuer {
            Issuer::Key(_) => Some(AdminRight::ReadKeys),
            Issuer::Service => None,
        },
        Command::Issue { .. }
        | Command::Edit { .. }
        | Command::SetEnabled { .. }
        | Command::Regenerate { .. }
        | Command::EndOverlap { .. }
        | Command::DeleteKey { .. }
        | Command::RestoreKey { .. } => Some(AdminRight::WriteKeys),
        Command::Activity { exports: false, .. } => Some(AdminRight::ReadActivity),
        Command::Activity { exports: true, .. }
        | Command::Reveal { .. }
        | Command::RevokeSealed { .. }
        | Command::BeginDeletion { .. }
        | Command::ShowDeletion { .. }
        | Command::MailDeletionCode { .. }
        | Command::ConfirmDeletion { .. }
        | Command::Show
        | Command::ShowPair
        | Command::SignOut
        | Command::StepUp { .. }
        | Command::MailProofCode { .. }
        | Command::ProveCode { .. }
        | Command::ProveFactor { .. }
        | Command::NoteAccounts { .. }
        | Command::ChangeAddress
        | Command::ListSessions
        | Command::EndSession { .. }
        | Command::EndOtherSessions
        | Command::Service { .. }
        | Command::Operate { .. }
        | Command::Members { .. }
        | Command::Networks { .. }
        | Command::ApiUsers { .. }
        | Command::Factors { .. }
        | Command::Passkeys { .. } => None,
    }
}

/// Returns the key that a command changes.
fn changed(command: &Command) -> Option<KeyId> {
    match command {
        Command::Edit { id, .. }
        | Command::SetEnabled { id, .. }
        | Command::Regenerate { id, .. }
        | Command::EndOverlap { id, .. }
        | Command::DeleteKey { id, .. }
        | Command::RestoreKey { id, .. } => Some(*id),
        _ => None,
    }
}

/// A program that may call the admin API now.
struct Token {
    id: KeyId,
    name: String,
    /// Member who answers for it, with the rights that it has: those of an admin at most.
    member: Member,
}

impl Token {
    /// Loads the program, if it may do now what `right` demands.
    ///
    /// # Errors
    /// The outer error is the database's. The inner one is the refusal:
    /// [`Refusal::TokenRefused`] by the key's own state and limits; [`Refusal::NotPermitted`] if
    /// the member who answers for it is gone or may not do that themselves.
    fn load(
        sql: &dyn Sql,
        account: &Account,
        caller: AdminCaller,
        right: AdminRight,
        address: Option<&str>,
        now: UnixMs,
    ) -> Result<Result<Self, Refusal>, SqlError> {
        let refused = |denial| Ok(Err(Refusal::TokenRefused { denial }));
        let id = match caller {
            AdminCaller::Key(id) => id,
            // No API user calls the admin API yet.
            AdminCaller::User { .. } => return refused(Denial::Unknown),
        };
        let Some(key) = Key::load(sql, id)? else { return refused(Denial::Unknown) };
        let state = AccountState {
            suspended: account.suspended,
            mfa_on: mfa::members_on(sql, account)?,
            ..AccountState::default()
        };
        let record = key.record(account);
        let known = Known { record: Some(&record), issuer: None, state: &state };
        let permission = right.permission();
        let facts = Facts {
            address: address.and_then(ClientAddress::parse),
            interface: Interface::Http,
            demand: Demand::Permission(&permission),
            may_change: right.is_write(),
        };
        // An issued key holds no reserved permission, so it ends here as well.
        if let Err(denial) = examine(id, known, &facts, now) {
            return refused(denial);
        }
        // The edge has checked that the account opens the protected API to the address.
        let networks = account_networks::load(sql)?.list;
        if !networks.permits(AccountSurface::AdminApi, facts.address) {
            return refused(Denial::NetworkDenied);
        }
        let member = Member::load(sql, key.created.member)?;
        Ok(member
            .and_then(|member| capped(member, right))
            .map_or(Err(Refusal::NotPermitted), |member| Ok(Self { id, name: key.name, member })))
    }
}

/// Returns the member with the rights of a program; `None` if the program may not do what `right`
/// demands, because the member may not.
fn capped(mut member: Member, right: AdminRight) -> Option<Member> {
    match member.view.role {
        Role::Owner | Role::Admin => member.view.role = Role::Admin,
        Role::Viewer if right.is_write() => return None,
        Role::Viewer => {}
    }
    Some(member)
}

impl Ledger<'_> {
    /// Plans the reply to a command of a program.
    pub(super) fn command_of_token(
        &self,
        account: &Account,
        caller: AdminCaller,
        address: Option<&str>,
        command: Command,
        now: UnixMs,
    ) -> Result<Plan, SqlError> {
        let Some(right) = right(&command) else { return Ok(Plan::refuse(Refusal::NotPermitted)) };
        let token = match Token::load(self.sql, account, caller, right, address, now)? {
            Ok(token) => token,
            Err(refusal) => return Ok(Plan::refuse(refusal)),
        };
        // The count is the one effect of a refused request, so that refusals are no way around it.
        let counted = self.rates.borrow_mut().count(token.id, right.is_write(), now);
        if let Err(until) = counted {
            return Ok(Plan::refuse(Refusal::TooManyRequests { until }));
        }
        if let Err(refusal) = self.check_reach(account, &token, &command)? {
            return Ok(Plan::refuse(refusal));
        }
        self.write_uses(now)?;
        let Token { id, name, member } = &token;
        let program = Some((*id, name.as_str()));
        let context = ActContext { account, member, program, address, now };
        let mut plan = self.act(context, command)?;
        usage::add_recent_uses(self.sql, plan.reply.keys_mut(), now)?;
        Ok(plan)
    }

    /// Checks that a command is within the reach of every program.
    ///
    /// # Errors
    /// [`Refusal::NotPermitted`] under a policy by which keys belong to members, which programs do
    /// not speak for. The same for a key with reserved permissions, unless the program disables its
    /// own.
    fn check_reach(
        &self,
        account: &Account,
        token: &Token,
        command: &Command,
    ) -> Result<Result<(), Refusal>, SqlError> {
        let policy = &account.policy;
        if policy.keys_follow_member || policy.keys_per_member == KeysPerMember::One {
            return Ok(Err(Refusal::NotPermitted));
        }
        let Some(id) = changed(command) else { return Ok(Ok(())) };
        if id == token.id && matches!(command, Command::SetEnabled { enabled: false, .. }) {
            return Ok(Ok(()));
        }
        let Some(key) = Key::load(self.sql, id)? else { return Ok(Ok(())) };
        // A regeneration ends the predecessor.
        let predecessor = match (command, key.replaces) {
            (Command::Regenerate { .. }, Some(id)) => Key::load(self.sql, id)?,
            _ => None,
        };
        let mut touched = core::iter::once(&key).chain(&predecessor);
        let is_reserved = touched.any(|key| key.limits.permissions.holds_reserved());
        Ok(if is_reserved { Err(Refusal::NotPermitted) } else { Ok(()) })
    }
}
