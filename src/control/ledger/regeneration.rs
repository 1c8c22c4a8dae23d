//! Regeneration: a key's successor with a new secret, at once or with an overlap of both.
//!
//! The successor has the name, limits, ceiling, protection and viewability of the old key. Without
//! an overlap the old key is deleted. With one it gets an earlier expiry, the end of the overlap,
//! so the edge needs nothing new to end it. These rules hold for a key that was replaced:
//! - It has an expiry, which never rises ([`DecisionContext::edit`] holds this, too).
//! - It cannot be regenerated, so keys form chains and no trees.
//! - It can be restored only within its overlap. A key that ended at once, or by
//!   [`DecisionContext::end_overlap`], has an expiry in the past and never returns.
//! - It ends for good when its successor is regenerated, so a key has at most one predecessor that
//!   works or could work again.

use claviger_core::base::id::KeyId;
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::SealingGeneration;
use claviger_core::credential::limits::Limits;
use claviger_core::credential::limits::lifetime::{EXPIRY_MAX, Expiry};
use claviger_core::credential::limits::subset::narrows_limits;
use claviger_core::replication::record::Revision;

use super::audit::Action;
use super::context::ActContext;
use super::decide::{
    DecisionContext, KeyChange, KeyDecision, check_idempotency_key, sealing_after,
};
use super::key::{Key, State};
use super::policy::{HeldKeys, KeyAct};
use super::publication::Publication;
use super::{factors, idempotency, key, pair};
use crate::ledger::plan::{Plan, commit_writes};
use crate::objects::sql::{Sql, SqlError};
use crate::protocol::draft::field::FieldError;
use crate::protocol::draft::reader::FieldReader;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;
use crate::protocol::regeneration::{NotRegenerable, RegenerationForm};

/// A request to regenerate a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct RegenerateRequest<'a> {
    /// Revision of the old key that the member saw.
    pub expected: Revision,
    /// ID of the successor, drawn by the admin Worker.
    pub id: KeyId,
    /// Digest of the successor's secret.
    pub digest: Digest,
    /// The form's fields as typed.
    pub form: &'a RegenerationForm,
    /// `true` if the request carries the encrypted secret.
    pub is_sealed: bool,
    /// Idempotency key of the request, chosen by the client.
    pub idempotency_key: &'a str,
}

/// Stored facts on which a regeneration depends.
#[derive(Clone, Debug)]
pub(super) struct RegenerationFacts {
    /// The key that the same member already issued with this idempotency key.
    pub issued_before: Option<Key>,
    /// The old key.
    pub key: Option<Key>,
    /// The predecessor of the old key.
    pub predecessor: Option<Key>,
    /// `true` if a key or a tombstone already has the drawn ID.
    pub id_is_taken: bool,
    /// `true` if the member has a second factor.
    pub has_second_factor: bool,
    /// Keys of the member.
    pub held: HeldKeys,
}

/// The changes of a regeneration, in the order of their revisions.
#[derive(Clone, Debug)]
pub(super) struct Regeneration {
    /// The end of the old key's predecessor, unless that has ended for good.
    pub ended: Option<KeyChange>,
    /// The end or the overlap of the old key.
    pub replaced: KeyChange,
    /// The issue of the successor.
    pub issued: KeyChange,
}

impl Regeneration {
    /// Returns the changes in the order of their revisions.
    fn changes(&self) -> impl Iterator<Item = &KeyChange> {
        self.ended.iter().chain([&self.replaced, &self.issued])
    }
}

/// Plans the regeneration of a key.
pub(super) fn plan(
    sql: &dyn Sql,
    context: ActContext<'_>,
    old: KeyId,
    request: RegenerateRequest<'_>,
    sealed: Option<Ciphertext>,
) -> Result<Plan, SqlError> {
    let (member, now) = (context.member_id(), context.now);
    let stored = context.stored_idempotency_key(request.idempotency_key);
    let old = Key::load(sql, old)?;
    let predecessor = match old.as_ref().and_then(|key| key.replaces) {
        Some(id) => Key::load(sql, id)?,
        None => None,
    };
    let facts = RegenerationFacts {
        issued_before: idempotency::issued(sql, member, &stored, now)?,
        key: old,
        predecessor,
        id_is_taken: Publication::load(sql, request.id)?.is_some(),
        has_second_factor: factors::has_second_factor(sql, member)?,
        held: HeldKeys::load(sql, &context.account.policy, member)?,
    };
    let regeneration = match context.decision().regenerate(request, facts) {
        Ok(regeneration) => regeneration,
        Err(refusal) => return Ok(Plan::refuse(refusal)),
    };
    let mut writes = vec![key::schedule_scrub(now)];
    for change in regeneration.changes() {
        writes.extend(commit_writes(sql, context.account, context.author(), change)?);
    }
    writes.extend(idempotency::remember(member, &stored, request.id, now));
    writes.extend(pair::confirm(context, &regeneration.issued.after)?);
    let kept = sealed.filter(|_| regeneration.issued.after.viewable);
    writes.extend(kept.map(|sealed| key::keep(request.id, &sealed)));
    let records =
        regeneration.changes().map(|change| change.after.record(context.account)).collect();
    let Regeneration { replaced, issued, .. } = regeneration;
    let reply = LedgerReply::Regenerated {
        key: issued.after.view(context.account),
        replaced: replaced.after.view(context.account),
        records,
        bound: context.account.bound(now),
    };
    Ok(Plan { writes, reply })
}

impl DecisionContext<'_> {
    /// Decides a regeneration.
    ///
    /// # Errors
    /// [`Refusal::AlreadyIssued`], [`Refusal::NotFound`], [`Refusal::ChangedMeanwhile`],
    /// [`Refusal::NotPermitted`] for reserved permissions, [`Refusal::NotYourKey`],
    /// [`Refusal::NotRegenerable`], [`Refusal::MfaRequired`], [`Refusal::KeyPairExists`],
    /// [`Refusal::TooManyKeys`], [`Refusal::Invalid`] with every error of the form, or [`Refusal::IdTaken`].
    pub(super) fn regenerate(
        &self,
        request: RegenerateRequest<'_>,
        facts: RegenerationFacts,
    ) -> Result<Regeneration, Refusal> {
        check_idempotency_key(request.idempotency_key)?;
        if let Some(key) = facts.issued_before {
            let key = key.living().map(|key| Box::new(key.view(self.account)));
            return Err(Refusal::AlreadyIssued { key });
        }
        let before = self.regenerable(facts.key, request.expected)?;
        if self.account.policy.demands_mfa && !facts.has_second_factor {
            return Err(Refusal::MfaRequired);
        }
        // The successor is the member's own.
        if before.created.member != self.member.view.id {
            facts.held.check_room(&self.account.policy)?;
        }
        let (expires, overlap) = self.ends(&before, request.form)?;
        if facts.id_is_taken || request.id.account() != self.account.id {
            return Err(Refusal::IdTaken);
        }
        let mut revision = self.account.revision;
        let ended = facts.predecessor.and_then(|key| {
            let after = self.ended(&key)?;
            revision = revision.next();
            let after = Key { revision, ..after };
            Some(KeyChange { action: Action::EndOverlap, before: Some(key), after, narrows: true })
        });
        revision = revision.next();
        let replaced = Key {
            replaced_by: Some(request.id),
            // It passes on to the successor: the old key has an end in any case.
            protected: false,
            // Its own predecessor has ended.
            overlap_until: None,
            ..before.clone()
        };
        let replaced = match overlap {
            Some(end) => Key {
                limits: Limits { expires: Expiry::At(end), ..replaced.limits.clone() },
                changed: self.stamp(),
                ..replaced
            },
            None => self.ended(&replaced).unwrap_or(replaced),
        };
        let replaced = Key { revision, ..replaced };
        let narrows = overlap.is_none() || narrows_limits(&before.limits, &replaced.limits);
        let issued = Key {
            id: request.id,
            digest: request.digest,
            limits: Limits { expires, ..before.limits.clone() },
            created: self.stamp(),
            changed: self.stamp(),
            revision: revision.next(),
            last_used_at: None,
            sealing: SealingGeneration::default(),
            viewable: before.viewable && request.is_sealed && self.account.policy.viewable_allowed,
            replaces: Some(before.id),
            overlap_until: overlap,
            // It is of the member who regenerates, and who needs MFA for it where that is demanded.
            without_mfa: None,
            ..before.clone()
        };
        Ok(Regeneration {
            ended,
            replaced: KeyChange {
                action: Action::Replace,
                before: Some(before),
                after: replaced,
                narrows,
            },
            issued: KeyChange {
                action: Action::Regenerate,
                before: None,
                after: issued,
                narrows: false,
            },
        })
    }

    /// Decides to end a replaced key now. A key that has ended for good needs no matching revision:
    /// a client that lost the answer can repeat the request without a conflict.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::NotReplaced`], [`Refusal::NotYourKey`], or
    /// [`Refusal::ChangedMeanwhile`].
    pub(super) fn end_overlap(
        &self,
        key: Option<Key>,
        expected: Revision,
    ) -> Result<KeyDecision, Refusal> {
        let before = key.ok_or(Refusal::NotFound)?;
        if before.replaced_by.is_none() {
            let is_deleted = before.state.deleted_at().is_some();
            return Err(if is_deleted { Refusal::NotFound } else { Refusal::NotReplaced });
        }
        self.check_act(&before, KeyAct::Revoke)?;
        let Some(after) = self.ended(&before) else {
            return Ok(KeyDecision::Unchanged(Box::new(before)));
        };
        if before.revision != expected {
            return Err(Refusal::ChangedMeanwhile { key: Box::new(before.view(self.account)) });
        }
        Ok(self.change(Action::EndOverlap, before, after, true))
    }

    /// Returns the key if it may be regenerated.
    fn regenerable(&self, key: Option<Key>, expected: Revision) -> Result<Key, Refusal> {
        let key = key.ok_or(Refusal::NotFound)?;
        // A deleted key that was replaced is found: of two parallel requests the second is refused
        // by the revision, with or without an overlap.
        if key.state.deleted_at().is_some() && key.replaced_by.is_none() {
            return Err(Refusal::NotFound);
        }
        if key.revision != expected {
            return Err(Refusal::ChangedMeanwhile { key: Box::new(key.view(self.account)) });
        }
        self.check_act(&key, KeyAct::Manage)?;
        self.check_reserved(&key)?;
        let reason = if key.replaced_by.is_some() {
            NotRegenerable::Replaced
        } else if key.issued.is_some() {
            NotRegenerable::Issued
        } else if key.state != State::Active {
            NotRegenerable::Disabled
        } else {
            return Ok(key);
        };
        Err(Refusal::NotRegenerable { reason })
    }

    /// Returns the expiry of the successor, and the end of the overlap if there is one.
    fn ends(
        &self,
        key: &Key,
        form: &RegenerationForm,
    ) -> Result<(Expiry, Option<UnixMs>), Refusal> {
        let mut reader = FieldReader::new(self.setting(None));
        let overlap = form.overlap.as_deref().map(|text| reader.overlap(text, &key.limits));
        let expires = match form.expires.as_deref() {
            Some(text) => reader.expires(text),
            None => {
                let same = self.same_life(key);
                same.map_err(|error| reader.errors.push(error)).ok()
            }
        };
        let begins_late = |expires: &Expiry| {
            key.limits.not_before.is_some_and(|begin| expires.check_begin(begin).is_err())
        };
        if expires.as_ref().is_some_and(begins_late) {
            let detail = "the key begins later";
            reader.errors.push(FieldError::new("expires", "before_begin", detail));
        }
        match (expires, overlap) {
            (Some(expires), None) if reader.errors.is_empty() => Ok((expires, None)),
            (Some(expires), Some(Some(end))) if reader.errors.is_empty() => {
                Ok((expires, Some(end)))
            }
            _ => Err(Refusal::Invalid { errors: reader.errors }),
        }
    }

    /// Returns an expiry that gives the successor as long a life as the key was given at its issue,
    /// at most the policy's longest.
    fn same_life(&self, key: &Key) -> Result<Expiry, FieldError> {
        let Some(end) = key.limits.expires.at() else {
            let longest = self.account.policy.longest_life.end(self.now, &self.account.zone);
            return Ok(longest.map_or(Expiry::Never, Expiry::At));
        };
        match end.since(key.created.at).filter(|life| life.as_ms() > 0) {
            Some(life) => {
                let same = self.now.saturating_add(life.min(EXPIRY_MAX));
                let longest = self.account.policy.longest_life.end(self.now, &self.account.zone);
                Ok(Expiry::At(longest.map_or(same, |longest| same.min(longest))))
            }
            // An edit moved its end to before its issue.
            None => Err(FieldError::new("expires", "required", "give the new key an expiry")),
        }
    }

    /// Returns a replaced key after its end, without a new revision; `None` if it has ended for
    /// good.
    fn ended(&self, before: &Key) -> Option<Key> {
        let at = before.state.deleted_at().unwrap_or(self.now);
        let expires = before.limits.expires.earlier(Expiry::At(at));
        let state = State::Deleted { at, enabled: before.state.is_enabled() };
        if (state, expires) == (before.state, before.limits.expires) {
            return None;
        }
        let limits = Limits { expires, ..before.limits.clone() };
        let after = Key { state, limits, changed: self.stamp(), ..before.clone() };
        let sealing = sealing_after(before, &after);
        Some(Key { sealing, ..after })
    }
}
