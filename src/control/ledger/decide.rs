//! Decisions over keys: pure functions of the present state, the member and the command. Nothing
//! here reads or writes.
//!
//! Checks run in this order: role and fresh proof of identity ([`authorise`]), the key's existence,
//! its revision, its reserved permissions, and last the new values.
//!
//! [`authorise`]: super::rights::authorise

use std::collections::BTreeMap;

use claviger_core::base::id::KeyId;
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::SealingGeneration;
use claviger_core::credential::limits::subset::{narrows_ceiling, narrows_limits};
use claviger_core::replication::record::Revision;

use super::account::Account;
use super::audit::Action;
use super::key::{Key, Stamp, State};
use super::member::Member;
use super::policy::{HeldKeys, KeyAct, check_act};
use crate::protocol::draft::field::{FieldError, Setting};
use crate::protocol::draft::{Changes, Decided, Draft, decide_edit, decide_issue};
use crate::protocol::keys::{KeyName, RESTORABLE, is_idempotency_key};
use crate::protocol::member::Role;
use crate::protocol::refusal::Refusal;

/// Most keys of an account, deleted ones excluded. A key's row has at most some 16 KB (256
/// networks, twice), so 20,000 take 320 MB of an object's 10 GB. A key and its predecessor count as
/// one ([`counted`](super::key::counted)), so there may be twice as many rows.
pub const KEYS_MAX: u32 = 20_000;

/// A change that was decided and is ready to commit.
#[derive(Clone, Debug)]
pub struct KeyChange {
    /// Action under which journal and audit record it.
    pub action: Action,
    /// The key before the change; `None` for an issue.
    pub before: Option<Key>,
    /// The key after the change, with its new stamp and revision.
    pub after: Key,
    /// `true` if the change narrows a credential's rights, so that promise P1 bounds its
    /// propagation.
    pub narrows: bool,
}

/// The result of a decision that was not a refusal.
#[derive(Clone, Debug)]
pub enum KeyDecision {
    /// The key already has the wanted state; there is nothing to write.
    Unchanged(Box<Key>),
    /// The change to commit.
    Change(Box<KeyChange>),
}

/// The context of a decision: account, member and time.
#[derive(Clone, Copy, Debug)]
pub struct DecisionContext<'a> {
    /// The account that the command changes.
    pub account: &'a Account,
    /// The member who gives the command; [`authorise`](super::rights::authorise) has accepted them.
    pub member: &'a Member,
    /// The present, Unix ms.
    pub now: UnixMs,
}

/// A request to issue a key.
#[derive(Clone, Copy, Debug)]
pub struct IssueRequest<'a> {
    /// ID that the admin Worker drew.
    pub id: KeyId,
    /// Digest of the secret.
    pub digest: Digest,
    /// The form's fields as typed.
    pub draft: &'a Draft,
    /// `true` if the ledger stores the secret, encrypted, so that it can be shown again.
    pub is_kept: bool,
    /// Idempotency key of the request, chosen by the client.
    pub idempotency_key: &'a str,
}

/// Stored facts on which an issue depends.
#[derive(Clone, Debug)]
pub struct Present {
    /// The key that the same member already issued with this idempotency key.
    pub issued_before: Option<Key>,
    /// Number of keys that count against [`KEYS_MAX`].
    pub keys: u32,
    /// `true` if a key or a tombstone already has the drawn ID.
    pub id_is_taken: bool,
    /// Keys of the same member.
    pub held: HeldKeys,
    /// `true` if the member has a second factor.
    pub has_second_factor: bool,
}

impl DecisionContext<'_> {
    /// Decides an issue.
    ///
    /// # Errors
    /// [`Refusal::AlreadyIssued`], [`Refusal::MfaRequired`], [`Refusal::KeyPairExists`],
    /// [`Refusal::TooManyKeys`], [`Refusal::IdTaken`], or [`Refusal::Invalid`] with every error of
    /// the draft.
    pub fn issue(&self, issue: IssueRequest<'_>, present: Present) -> Result<KeyDecision, Refusal> {
        check_idempotency_key(issue.idempotency_key)?;
        if let Some(key) = present.issued_before {
            return Err(Refusal::AlreadyIssued {
                key: key.living().map(|key| Box::new(key.view(self.account))),
            });
        }
        let policy = &self.account.policy;
        if policy.demands_mfa && !present.has_second_factor {
            return Err(Refusal::MfaRequired);
        }
        present.held.check_room(policy)?;
        let decided = decide_issue(issue.draft, self.setting(None))
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
            observed: decided.observed,
            last_used_at: None,
            ceiling: decided.ceiling,
            sealing: SealingGeneration::default(),
            issued: None,
            issuer_name: None,
            ended: false,
            viewable: issue.is_kept,
            replaces: None,
            replaced_by: None,
            overlap_until: None,
            without_mfa: None,
        };
        Ok(KeyDecision::Change(Box::new(KeyChange {
            action: Action::Issue,
            before: None,
            after,
            narrows: false,
        })))
    }

    /// Decides an edit.
    ///
    /// Only an owner may leave reserved permissions on a key. An edit by another member must
    /// therefore remove them, and may do nothing else.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::ChangedMeanwhile`], [`Refusal::NotYourKey`],
    /// [`Refusal::NotPermitted`] for reserved permissions, or [`Refusal::Invalid`].
    pub fn edit(
        &self,
        key: Option<Key>,
        expected: Revision,
        changes: &Changes,
    ) -> Result<KeyDecision, Refusal> {
        let before = expect(self.account, key, expected)?;
        self.check_act(&before, KeyAct::Manage)?;
        if changes.permissions.is_none() {
            self.check_reserved(&before)?;
        }
        let decided = decide_edit(changes, before.decided(), self.setting(Some(before.created.at)))
            .map_err(|errors| Refusal::Invalid { errors })?;
        if decided == before.decided() {
            return Ok(KeyDecision::Unchanged(Box::new(before)));
        }
        if before.issued.is_some() {
            check_issued(&decided)?;
        }
        check_replaced(&before, &decided)?;
        let narrows = narrows_limits(&before.limits, &decided.limits)
            || match (&before.ceiling, &decided.ceiling) {
                (Some(before), Some(after)) => narrows_ceiling(before, after),
                (Some(_), None) => true,
                (None, _) => false,
            };
        let Decided { name, limits, ceiling, protected, observed } = decided;
        let after = Key { name, limits, ceiling, protected, observed, ..before.clone() };
        Ok(self.change(Action::Edit, before, after, narrows))
    }

    /// Decides to enable or disable a key. A key already in that state needs no matching revision:
    /// a client that lost the answer can repeat the request without a conflict.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::NotYourKey`], [`Refusal::ChangedMeanwhile`], or
    /// [`Refusal::NotPermitted`] for reserved permissions.
    pub fn set_enabled(
        &self,
        key: Option<Key>,
        expected: Revision,
        enabled: bool,
    ) -> Result<KeyDecision, Refusal> {
        let (wanted, action) = if enabled {
            (State::Active, Action::Enable)
        } else {
            (State::Disabled, Action::Disable)
        };
        let present = key.and_then(Key::living).ok_or(Refusal::NotFound)?;
        self.check_act(&present, if enabled { KeyAct::Manage } else { KeyAct::Revoke })?;
        if present.state == wanted {
            return Ok(KeyDecision::Unchanged(Box::new(present)));
        }
        let before = expect(self.account, Some(present), expected)?;
        if enabled {
            self.check_reserved(&before)?;
        }
        let after = Key { state: wanted, ..before.clone() };
        Ok(self.change(action, before, after, !enabled))
    }

    /// Deletes keys that [`deletable`] has accepted: one change per key, with consecutive
    /// revisions.
    pub fn delete(&self, keys: Vec<Key>) -> Vec<KeyChange> {
        let mut revision = self.account.revision;
        let mut changes = Vec::with_capacity(keys.len());
        for before in keys {
            revision = revision.next();
            let state = State::Deleted { at: self.now, enabled: before.state.is_enabled() };
            let after = Key { state, changed: self.stamp(), revision, ..before.clone() };
            let after = Key { sealing: sealing_after(&before, &after), ..after };
            changes.push(KeyChange {
                action: Action::Delete,
                before: Some(before),
                after,
                narrows: true,
            });
        }
        changes
    }

    /// Decides to restore a deleted key to the state that it had before. `keys` is the number of
    /// keys that count against [`KEYS_MAX`], and `held` are those of the key's member. A key that
    /// was replaced returns only within its overlap.
    ///
    /// # Errors
    /// [`Refusal::NotDeleted`], [`Refusal::NotFound`] after the restore period,
    /// [`Refusal::Replaced`] after the overlap, [`Refusal::ChangedMeanwhile`],
    /// [`Refusal::KeyMemberGone`], [`Refusal::NotYourKey`], [`Refusal::NotPermitted`] for reserved
    /// permissions, [`Refusal::KeyPairExists`], or
    /// [`Refusal::TooManyKeys`].
    pub fn restore(
        &self,
        key: Option<Key>,
        expected: Revision,
        keys: u32,
        held: HeldKeys,
    ) -> Result<KeyDecision, Refusal> {
        let before = key.ok_or(Refusal::NotFound)?;
        let deleted_at = before.state.deleted_at().ok_or(Refusal::NotDeleted)?;
        if self.now >= deleted_at.saturating_add(RESTORABLE) {
            return Err(Refusal::NotFound);
        }
        if let Some(by) = before.replaced_by.filter(|_| before.limits.expires.is_past(self.now)) {
            return Err(Refusal::Replaced { by });
        }
        if before.revision != expected {
            return Err(Refusal::ChangedMeanwhile { key: Box::new(before.view(self.account)) });
        }
        if before.issued.is_none() {
            if self.account.policy.keys_follow_member && held.is_gone {
                return Err(Refusal::KeyMemberGone);
            }
            self.check_act(&before, KeyAct::Manage)?;
            held.check_room(&self.account.policy)?;
        }
        self.check_reserved(&before)?;
        if keys >= KEYS_MAX {
            return Err(Refusal::TooManyKeys { max: KEYS_MAX });
        }
        let after = Key { state: State::of(before.state.is_enabled()), ..before.clone() };
        Ok(self.change(Action::RestoreKey, before, after, false))
    }

    /// Ends every key that this key issued, and changes nothing else, by raising its sealing
    /// generation to `next`.
    pub fn end_issued(&self, before: Key, next: SealingGeneration) -> KeyChange {
        let after = Key {
            changed: self.stamp(),
            revision: self.account.revision.next(),
            sealing: next,
            ..before.clone()
        };
        KeyChange { action: Action::EndIssued, before: Some(before), after, narrows: true }
    }

    /// Refuses a member who is not an owner if the key holds reserved permissions. Such a key must
    /// not be re-enabled, kept, or revealed by others.
    ///
    /// # Errors
    /// [`Refusal::NotPermitted`] for such a member and key.
    pub fn check_reserved(&self, key: &Key) -> Result<(), Refusal> {
        let is_reserved = key.limits.permissions.holds_reserved();
        if is_reserved && !self.is_owner() { Err(Refusal::NotPermitted) } else { Ok(()) }
    }

    /// Checks that the member may act on a key by the policy.
    ///
    /// # Errors
    /// [`Refusal::NotYourKey`] if the key belongs to another member.
    pub fn check_act(&self, key: &Key, act: KeyAct) -> Result<(), Refusal> {
        check_act(&self.account.policy, self.member, key, act)
    }

    /// Returns the context in which a draft is decided. `created_at` is that of an edited key.
    pub fn setting(&self, created_at: Option<UnixMs>) -> Setting<'_> {
        Setting {
            now: self.now,
            zone: &self.account.zone,
            may_grant_reserved: self.is_owner(),
            policy: &self.account.policy,
            created_at,
        }
    }

    /// Returns the change from `before` to `after`, with stamp, revision and sealing generation.
    pub(super) fn change(
        &self,
        action: Action,
        before: Key,
        after: Key,
        narrows: bool,
    ) -> KeyDecision {
        let after = Key {
            changed: self.stamp(),
            revision: self.account.revision.next(),
            sealing: sealing_after(&before, &after),
            ..after
        };
        KeyDecision::Change(Box::new(KeyChange { action, before: Some(before), after, narrows }))
    }

    /// Returns the member and the time of the decision.
    pub(super) fn stamp(&self) -> Stamp {
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

/// Returns the sealing generation after a change. It rises when a key is disabled or deleted, or
/// loses its ceiling. The keys that it had issued, and its tokens, then stay ended, whatever later
/// happens to the key. An issued key issues nothing and gets no token, so its generation never
/// rises.
pub(super) fn sealing_after(before: &Key, after: &Key) -> SealingGeneration {
    let is_switched_off = before.state == State::Active && after.state != State::Active;
    let is_issuer_no_more = before.ceiling.is_some() && after.ceiling.is_none();
    if before.issued.is_none() && (is_switched_off || is_issuer_no_more) {
        before.sealing.next()
    } else {
        after.sealing
    }
}

/// Refuses an issued key that would itself issue or hold reserved permissions, regardless of which
/// member edits it.
fn check_issued(decided: &Decided) -> Result<(), Refusal> {
    let refused = |field: &str, detail: &str| Refusal::Invalid {
        errors: vec![FieldError::new(field, "issued", detail)],
    };
    if decided.ceiling.is_some() {
        return Err(refused("issuable", "an issued key cannot issue keys"));
    }
    if decided.limits.permissions.holds_reserved() {
        return Err(refused("permissions", "an issued key cannot have reserved permissions"));
    }
    Ok(())
}

/// Refuses to prolong a key that was replaced, regardless of which member edits it: its successor
/// counts for both, and it must end.
fn check_replaced(before: &Key, decided: &Decided) -> Result<(), Refusal> {
    let (end, wanted) = (before.limits.expires, decided.limits.expires);
    if before.replaced_by.is_none() || wanted.earlier(end) == wanted {
        return Ok(());
    }
    let detail = "the key was replaced: it can only end earlier";
    Err(Refusal::Invalid { errors: vec![FieldError::new("expires", "replaced", detail)] })
}

/// Returns the key if it exists and has the revision that the member saw.
fn expect(account: &Account, key: Option<Key>, expected: Revision) -> Result<Key, Refusal> {
    let key = key.and_then(Key::living).ok_or(Refusal::NotFound)?;
    if key.revision == expected {
        Ok(key)
    } else {
        Err(Refusal::ChangedMeanwhile { key: Box::new(key.view(account)) })
    }
}

/// Returns the keys of `wanted`, in its order, if all of them may be deleted.
///
/// # Errors
/// [`Refusal::KeysNotFound`] if keys are missing or deleted, otherwise [`Refusal::Protected`] if
/// keys are protected; each names all keys concerned.
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

/// Checks the form of an idempotency key.
///
/// # Errors
/// [`Refusal::Invalid`] if the text is no idempotency key.
pub fn check_idempotency_key(text: &str) -> Result<(), Refusal> {
    if is_idempotency_key(text) {
        return Ok(());
    }
    let detail = "must be 1 to 64 visible ASCII characters";
    Err(Refusal::Invalid { errors: vec![FieldError::new("idempotency_key", "malformed", detail)] })
}
