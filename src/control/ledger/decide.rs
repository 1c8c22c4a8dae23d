//! The decisions over keys: pure functions of what is, who asks, and what for. Nothing here reads
//! or writes.
//!
//! Refusals come in this order: who may at all ([`authorise`]), the fresh proof, the key's
//! existence, its revision, what the key holds that only an owner may grant, and at last the
//! values.

use std::collections::BTreeMap;

use claviger_core::base::id::KeyId;
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::SealingGeneration;
use claviger_core::credential::limits::subset::{lowers, takes_power_away};
use claviger_core::replication::record::Revision;

use super::account::{Account, Member};
use super::audit::Action;
use super::key::{Key, Stamp, State};
use crate::protocol::command::Command;
use crate::protocol::draft::{
    Changes, Decided, Draft, FieldError, Setting, decide_edit, decide_issue,
};
use crate::protocol::keys::{KeyName, RESTORABLE, is_idempotency_key};
use crate::protocol::ledger::Role;
use crate::protocol::operator::Operation;
use crate::protocol::refusal::Refusal;
use crate::protocol::service::ServiceCommand;

/// Most keys of an account, deleted ones left out. A key's row has some 16 KB at most (256
/// networks, twice), so that 20,000 are 320 MB of an object's 10 GB.
pub const KEYS_MAX: u32 = 20_000;

/// A change that was decided on: the key as it will be, but for its stamp and number.
#[derive(Clone, Debug)]
pub struct Change {
    /// What it is.
    pub action: Action,
    /// The key before; `None` when it is issued.
    pub before: Option<Key>,
    /// The key after.
    pub after: Key,
    /// Whether it takes power away.
    pub takes_away: bool,
}

/// What was decided.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It is so already.
    Unchanged(Box<Key>),
    /// This is to be committed.
    Change(Box<Change>),
}

/// What a command demands of who gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    /// A session.
    Session,
    /// A role that changes keys.
    Editor,
    /// The same, and a fresh proof of identity.
    ProvenEditor,
    /// An owner, with a fresh proof of identity.
    ProvenOwner,
    /// An operator.
    Operator,
    /// The same, and a fresh proof of identity.
    ProvenOperator,
}

fn demand(command: &Command) -> Demand {
    match command {
        Command::Show | Command::SignOut | Command::StepUp { .. } => Demand::Session,
        Command::List(_)
        | Command::Get { .. }
        | Command::Check { .. }
        | Command::Activity { .. } => Demand::Session,
        // Whoever sees a leak must be able to stop it at once.
        Command::SetEnabled { enabled: false, .. } | Command::RevokeSealed { .. } => Demand::Editor,
        // The mailed code is the fresh proof.
        Command::BeginDeletion { .. }
        | Command::ShowDeletion { .. }
        | Command::MailDeletionCode { .. }
        | Command::ConfirmDeletion { .. } => Demand::Editor,
        Command::SetEnabled { enabled: true, .. }
        | Command::Issue { .. }
        | Command::Reveal { .. }
        | Command::Edit { .. }
        | Command::RestoreKey { .. } => Demand::ProvenEditor,
        Command::Service { service: ServiceCommand::Show } => Demand::Session,
        Command::Service { service: ServiceCommand::Reveal } => Demand::ProvenEditor,
        Command::Service { .. } => Demand::ProvenOwner,
        Command::Operate { operation: Operation::Look } => Demand::Operator,
        Command::Operate { .. } => Demand::ProvenOperator,
    }
}

/// Whether someone of this role, proven freshly or not, may give the command at all, in the
/// operator's account or another.
///
/// To members of other accounts there are no operator's commands: they are told what everybody is
/// told of what is not there.
pub fn authorise(
    command: &Command,
    role: Role,
    is_proven: bool,
    in_operators_account: bool,
) -> Result<(), Refusal> {
    let edits = match role {
        Role::Owner | Role::Admin => true,
        Role::Viewer => false,
    };
    match demand(command) {
        Demand::Session => Ok(()),
        Demand::Editor | Demand::ProvenEditor if !edits => Err(Refusal::NotPermitted),
        Demand::ProvenEditor if !is_proven => Err(Refusal::StepUpRequired),
        Demand::Editor | Demand::ProvenEditor => Ok(()),
        Demand::ProvenOwner if role != Role::Owner => Err(Refusal::NotPermitted),
        Demand::ProvenOwner if !is_proven => Err(Refusal::StepUpRequired),
        Demand::ProvenOwner => Ok(()),
        Demand::Operator | Demand::ProvenOperator if !in_operators_account => {
            Err(Refusal::NotFound)
        }
        Demand::Operator | Demand::ProvenOperator if role != Role::Owner => {
            Err(Refusal::NotPermitted)
        }
        Demand::ProvenOperator if !is_proven => Err(Refusal::StepUpRequired),
        Demand::Operator | Demand::ProvenOperator => Ok(()),
    }
}

/// Who decides, about what account, and when.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The account.
    pub account: &'a Account,
    /// Who asks; [`authorise`] let them through.
    pub member: &'a Member,
    /// The present.
    pub now: UnixMs,
}

/// A key to issue.
#[derive(Clone, Copy, Debug)]
pub struct Issue<'a> {
    /// Its ID.
    pub id: KeyId,
    /// Digest of its secret.
    pub digest: Digest,
    /// What was typed.
    pub draft: &'a Draft,
    /// Whether its secret is kept, encrypted.
    pub is_kept: bool,
    /// The client's name of the request.
    pub idempotency_key: &'a str,
}

/// What the ledger knows that an issue depends on.
#[derive(Clone, Debug)]
pub struct Present {
    /// What the same member has issued under this idempotency key.
    pub issued_before: Option<Key>,
    /// How many keys there are.
    pub keys: u32,
    /// Whether the drawn ID is in use, or was.
    pub id_is_taken: bool,
}

impl Desk<'_> {
    /// Decides over an issue.
    pub fn issue(&self, issue: Issue<'_>, present: Present) -> Result<Decision, Refusal> {
        check_idempotency_key(issue.idempotency_key)?;
        if let Some(key) = present.issued_before {
            return Err(Refusal::AlreadyIssued {
                key: key.living().map(|key| Box::new(key.view())),
            });
        }
        let decided = decide_issue(issue.draft, self.setting())
            .map_err(|errors| Refusal::Invalid { errors })?;
        if present.keys >= KEYS_MAX {
            return Err(Refusal::TooManyKeys { max: KEYS_MAX });
        }
        if present.id_is_taken || issue.id.account() != self.account.id {
            return Err(Refusal::IdTaken);
        }
        let after = Key {
            id: issue.id,
            digest: issue.digest,
            name: decided.name,
            state: State::Active,
            limits: decided.limits,
            created: self.stamp(),
            changed: self.stamp(),
            revision: self.account.revision.next(),
            protected: decided.protected,
            last_used_at: None,
            ceiling: decided.ceiling,
            sealing: SealingGeneration::default(),
            issued: None,
            issuer_name: None,
            ended: false,
            viewable: issue.is_kept,
        };
        Ok(Decision::Change(Box::new(Change {
            action: Action::Issue,
            before: None,
            after,
            takes_away: false,
        })))
    }

    /// Decides over an edit.
    ///
    /// What an owner granted, only an owner keeps granted: another member's edit must leave the key
    /// without reserved permissions, whatever else it does. That may be all it does.
    pub fn edit(
        &self,
        key: Option<Key>,
        expected: Revision,
        changes: &Changes,
    ) -> Result<Decision, Refusal> {
        let before = expect(key, expected)?;
        if changes.permissions.is_none() {
            self.check_reserved(&before)?;
        }
        let decided = decide_edit(changes, before.decided(), self.setting())
            .map_err(|errors| Refusal::Invalid { errors })?;
        if decided == before.decided() {
            return Ok(Decision::Unchanged(Box::new(before)));
        }
        if before.issued.is_some() {
            check_issued(&decided)?;
        }
        let takes_away = takes_power_away(&before.limits, &decided.limits)
            || match (&before.ceiling, &decided.ceiling) {
                (Some(before), Some(after)) => lowers(before, after),
                (Some(_), None) => true,
                (None, _) => false,
            };
        let Decided { name, limits, ceiling, protected } = decided;
        let after = Key { name, limits, ceiling, protected, ..before.clone() };
        Ok(self.change(Action::Edit, before, after, takes_away))
    }

    /// Decides over switching a key on or off. A key that is so already needs no matching revision:
    /// repeating the request after a lost answer is no conflict.
    pub fn set_enabled(
        &self,
        key: Option<Key>,
        expected: Revision,
        enabled: bool,
    ) -> Result<Decision, Refusal> {
        let (wanted, action) = if enabled {
            (State::Active, Action::Enable)
        } else {
            (State::Disabled, Action::Disable)
        };
        let present = key.and_then(Key::living).ok_or(Refusal::NotFound)?;
        if present.state == wanted {
            return Ok(Decision::Unchanged(Box::new(present)));
        }
        let before = expect(Some(present), expected)?;
        if enabled {
            self.check_reserved(&before)?;
        }
        let after = Key { state: wanted, ..before.clone() };
        Ok(self.change(action, before, after, !enabled))
    }

    /// Deletes keys that [`deletable`] has let through: one change each, with numbers in a row.
    pub fn delete(&self, keys: Vec<Key>) -> Vec<Change> {
        let mut revision = self.account.revision;
        let mut changes = Vec::with_capacity(keys.len());
        for before in keys {
            revision = revision.next();
            let state = State::Deleted { at: self.now, enabled: before.state.is_enabled() };
            let after = Key { state, changed: self.stamp(), revision, ..before.clone() };
            let after = Key { sealing: sealing_after(&before, &after), ..after };
            changes.push(Change {
                action: Action::Delete,
                before: Some(before),
                after,
                takes_away: true,
            });
        }
        changes
    }

    /// Decides over restoring a deleted key, of which there are `keys` that are not: it comes back
    /// as it was.
    pub fn restore(
        &self,
        key: Option<Key>,
        expected: Revision,
        keys: u32,
    ) -> Result<Decision, Refusal> {
        let before = key.ok_or(Refusal::NotFound)?;
        let deleted_at = before.state.deleted_at().ok_or(Refusal::NotDeleted)?;
        if self.now >= deleted_at.saturating_add(RESTORABLE) {
            return Err(Refusal::NotFound);
        }
        if before.revision != expected {
            return Err(Refusal::ChangedMeanwhile { key: Box::new(before.view()) });
        }
        self.check_reserved(&before)?;
        if keys >= KEYS_MAX {
            return Err(Refusal::TooManyKeys { max: KEYS_MAX });
        }
        let after = Key { state: State::of(before.state.is_enabled()), ..before.clone() };
        Ok(self.change(Action::RestoreKey, before, after, false))
    }

    /// Ends all that a key has issued, and nothing else: its sealing generation is `next` from now
    /// on.
    pub fn end_issued(&self, before: Key, next: SealingGeneration) -> Change {
        let after = Key {
            changed: self.stamp(),
            revision: self.account.revision.next(),
            sealing: next,
            ..before.clone()
        };
        Change { action: Action::EndIssued, before: Some(before), after, takes_away: true }
    }

    /// Refuses what only an owner may grant to anyone else: to give it back, to leave it granted,
    /// or to hand it out.
    pub fn check_reserved(&self, key: &Key) -> Result<(), Refusal> {
        let is_reserved = key.limits.permissions.holds_reserved();
        if is_reserved && !self.is_owner() { Err(Refusal::NotPermitted) } else { Ok(()) }
    }

    /// What a draft is decided in.
    pub fn setting(&self) -> Setting<'_> {
        Setting { now: self.now, zone: &self.account.zone, may_grant_reserved: self.is_owner() }
    }

    fn change(&self, action: Action, before: Key, after: Key, takes_away: bool) -> Decision {
        let after = Key {
            changed: self.stamp(),
            revision: self.account.revision.next(),
            sealing: sealing_after(&before, &after),
            ..after
        };
        Decision::Change(Box::new(Change { action, before: Some(before), after, takes_away }))
    }

    fn stamp(&self) -> Stamp {
        let view = &self.member.view;
        Stamp { at: self.now, member: view.id, name: view.name.clone() }
    }

    fn is_owner(&self) -> bool {
        match self.member.view.role {
            Role::Owner => true,
            Role::Admin | Role::Viewer => false,
        }
    }
}

/// The sealing generation after a change. It rises where an issuer is switched off, goes, or loses
/// its ceiling: what it had issued then stays ended, whatever happens to it later.
fn sealing_after(before: &Key, after: &Key) -> SealingGeneration {
    let is_switched_off = before.state == State::Active && after.state != State::Active;
    let is_issuer_no_more = after.ceiling.is_none();
    if before.ceiling.is_some() && (is_switched_off || is_issuer_no_more) {
        before.sealing.next()
    } else {
        after.sealing
    }
}

/// What was issued never issues, and never holds Claviger's own permissions, whoever edits it.
fn check_issued(decided: &Decided) -> Result<(), Refusal> {
    let refused = |field: &str, detail: &str| Refusal::Invalid {
        errors: vec![FieldError::new(field, "issued", detail)],
    };
    if decided.ceiling.is_some() {
        return Err(refused("issuable", "an issued key cannot issue"));
    }
    if decided.limits.permissions.holds_reserved() {
        return Err(refused("permissions", "an issued key never holds Claviger's own permissions"));
    }
    Ok(())
}

/// The key, if it is there and as the member saw it.
fn expect(key: Option<Key>, expected: Revision) -> Result<Key, Refusal> {
    let key = key.and_then(Key::living).ok_or(Refusal::NotFound)?;
    if key.revision == expected {
        Ok(key)
    } else {
        Err(Refusal::ChangedMeanwhile { key: Box::new(key.view()) })
    }
}

/// The keys of `wanted`, in its order, if all of them may be deleted.
pub fn deletable(wanted: &[KeyId], found: Vec<Key>) -> Result<Vec<Key>, Refusal> {
    let mut living: BTreeMap<KeyId, Key> =
        found.into_iter().filter_map(Key::living).map(|key| (key.id, key)).collect();
    let missing: Vec<KeyId> =
        wanted.iter().filter(|id| !living.contains_key(id)).copied().collect();
    if !missing.is_empty() {
        return Err(Refusal::KeysNotFound { keys: missing });
    }
    let keys: Vec<Key> = wanted.iter().filter_map(|id| living.remove(id)).collect();
    let protected: Vec<KeyName> = keys
        .iter()
        .filter(|key| key.protected)
        .map(|key| KeyName { id: key.id, name: key.name.clone() })
        .collect();
    if protected.is_empty() { Ok(keys) } else { Err(Refusal::Protected { keys: protected }) }
}

/// Whether a text can name one attempt, as a refusal.
pub fn check_idempotency_key(text: &str) -> Result<(), Refusal> {
    if is_idempotency_key(text) {
        return Ok(());
    }
    let detail = "1 to 64 visible ASCII characters are wanted";
    Err(Refusal::Invalid { errors: vec![FieldError::new("idempotency_key", "malformed", detail)] })
}
