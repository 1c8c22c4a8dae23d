//! The policy of the account: storing it, its effects on what is there, and who manages a key.
//!
//! A change of the policy ends no key. It applies to what is done from then on: to each issue, edit
//! and deletion, and to the removal of a member. The demand of MFA is the exception: keys of
//! members without it are refused until it ends, or until they have it ([`mfa`]). Because the
//! ledger runs one request at a time, a request is decided wholly by the policy before a change or
//! wholly by the one after it.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::Revision;

use super::account::Account;
use super::audit::{Action, Author};
use super::key::Key;
use super::member::Member;
use super::mfa;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::draft::field::FieldError;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::member::Role;
use crate::protocol::policy::{
    EFFECT_NAMES_MAX, FOLLOWING_KEYS_MAX, KeyLife, KeysPerMember, Policy, PolicyChanges,
    PolicyEffect, PolicyEffectKind, PolicyPreview, PolicyState,
};
use crate::protocol::proof::DemandedProof;
use crate::protocol::refusal::Refusal;

/// An act on a key that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAct {
    /// Takes power away: disables or deletes the key.
    Revoke,
    /// Does anything else with the key.
    Manage,
}

/// Checks that the member may act on a key by the policy. Where keys follow their members, only the
/// key's member manages it, and owners may disable and delete it. Keys that an issuer issued belong
/// to the account under every policy.
///
/// # Errors
/// [`Refusal::NotYourKey`] if the key belongs to another member.
pub fn check_act(policy: &Policy, member: &Member, key: &Key, act: KeyAct) -> Result<(), Refusal> {
    let is_own = key.created.member == member.view.id;
    if !policy.keys_follow_member || key.issued.is_some() || is_own {
        return Ok(());
    }
    match (act, member.view.role) {
        (KeyAct::Revoke, Role::Owner) => Ok(()),
        (KeyAct::Revoke | KeyAct::Manage, _) => Err(Refusal::NotYourKey),
    }
}

/// An SQL expression that is 1 if no living successor stands for the row `key`: a rotating pair is
/// one key.
pub(super) const IS_OF_NO_SUCCESSOR: &str = "(key.replaced_by IS NULL OR NOT EXISTS (
    SELECT 1 FROM key AS successor WHERE successor.id = key.replaced_by AND successor.deleted_at_ms IS NULL))";

/// The keys of a member, as far as a policy bounds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldKeys {
    /// Number of keys that the member issued, deleted ones excluded; counted only as far as the
    /// policy asks.
    pub keys: u32,
    /// `true` if the member has left the account, and keys follow their members.
    pub is_gone: bool,
}

impl HeldKeys {
    /// Loads what the policy asks about a member. Without a bound it reads nothing, so that the
    /// cost of an issue does not depend on the number of keys.
    pub fn load(sql: &dyn Sql, policy: &Policy, member: MemberId) -> Result<Self, SqlError> {
        let counted = match (policy.keys_per_member, policy.keys_follow_member) {
            (KeysPerMember::One, _) => 1,
            (KeysPerMember::Many, true) => FOLLOWING_KEYS_MAX,
            (KeysPerMember::Many, false) => return Ok(Self { keys: 0, is_gone: false }),
        };
        let text = format!(
            "SELECT count(*) FROM (SELECT 1 FROM key INDEXED BY key_of_member
            WHERE created_by = ? AND issued_by IS NULL AND deleted_at_ms IS NULL
                AND {IS_OF_NO_SUCCESSOR} LIMIT ?)"
        );
        let keys = sql.integer(&Statement::new(text).bind(member.as_str()).bind(counted))?;
        let is_gone = policy.keys_follow_member && Member::load(sql, member)?.is_none();
        Ok(Self { keys: u32::try_from(keys).unwrap_or(u32::MAX), is_gone })
    }

    /// Returns the facts for a key that is one with its successor, if that `lives`.
    pub fn beside(self, lives: bool) -> Self {
        Self { keys: self.keys.saturating_sub(lives.into()), ..self }
    }

    /// Checks that the member may hold one key more.
    ///
    /// # Errors
    /// [`Refusal::KeyPairExists`] or [`Refusal::TooManyKeys`].
    pub fn check_room(self, policy: &Policy) -> Result<(), Refusal> {
        match policy.keys_per_member {
            KeysPerMember::One if self.keys >= 1 => Err(Refusal::KeyPairExists),
            KeysPerMember::Many if policy.keys_follow_member && self.keys >= FOLLOWING_KEYS_MAX => {
                Err(Refusal::TooManyKeys { max: FOLLOWING_KEYS_MAX })
            }
            KeysPerMember::One | KeysPerMember::Many => Ok(()),
        }
    }
}

/// Returns the policy with its revision, for an operator.
pub(super) fn state(account: &Account) -> PolicyState {
    PolicyState { policy: account.policy, revision: account.policy_revision, keys: None }
}

/// Returns the effects of a change.
pub(super) fn preview(
    sql: &dyn Sql,
    account: &Account,
    changes: PolicyChanges,
) -> Result<LedgerReply, SqlError> {
    let (before, after) = (account.policy, changes.apply(account.policy));
    let holdings = Holdings::load(sql)?;
    if let Err(refusal) = check(&after, &holdings) {
        return Ok(LedgerReply::Refused(refusal));
    }
    let effects = effects(account, &after, &holdings);
    let revision = account.policy_revision;
    Ok(LedgerReply::PolicyPreview(PolicyPreview { before, after, revision, effects }))
}

/// Changes the policy at the operator's request. A change to the present values writes nothing.
pub(super) fn set(
    sql: &dyn Sql,
    account: &Account,
    changes: PolicyChanges,
    expected: Revision,
    now: UnixMs,
) -> Result<(Vec<Statement>, LedgerReply), SqlError> {
    let refused = |refusal| Ok((Vec::new(), LedgerReply::Refused(refusal)));
    let (before, after) = (account.policy, changes.apply(account.policy));
    // A repeated request finds its own change: it has the same effect as one.
    if after == before {
        return Ok((Vec::new(), LedgerReply::Policy(state(account))));
    }
    if expected != account.policy_revision {
        let state = Box::new(state(account));
        return refused(Refusal::PolicyChangedMeanwhile { state });
    }
    if let Err(refusal) = check(&after, &Holdings::load(sql)?) {
        return refused(refusal);
    }
    let (Ok(was), Ok(is)) = (serde_json::to_string(&before), serde_json::to_string(&after)) else {
        return Err(SqlError::Column { column: 0, expected: "a policy" });
    };
    let revision = account.policy_revision.next();
    let text = "INSERT INTO policy (one, policy, revision) VALUES (1, ?, ?)
        ON CONFLICT (one) DO UPDATE SET policy = excluded.policy, revision = excluded.revision";
    let row = Statement::new(text).bind(is.as_str()).bind(revision);
    let (author, mut writes, mut keys) = (Author::operator(now), vec![row], None);
    if after.demands_mfa != before.demands_mfa {
        let (changes, concerned) = mfa::demand(account, after.demands_mfa, Action::SetPolicy, now);
        writes.extend(changes);
        writes.push(author.set(Action::SetPolicy, concerned.revision, Some(was), is));
        keys = Some(concerned);
    } else {
        writes.push(author.changed_to(Action::SetPolicy, was, is));
    }
    Ok((writes, LedgerReply::Policy(PolicyState { policy: after, revision, keys })))
}

/// Checks a policy by itself, and against the keys that are there.
fn check(policy: &Policy, holdings: &Holdings) -> Result<(), Refusal> {
    let invalid = |error| Err(Refusal::Invalid { errors: vec![error] });
    if policy.proofs.operate == DemandedProof::None {
        let detail = "operating other accounts needs a proof";
        return invalid(FieldError::new("proofs/operate", "proof_needed", detail));
    }
    let has_default = policy.default_life != KeyLife::Never;
    if has_default && policy.default_life.is_longer_than(policy.longest_life) {
        let detail = "the default life is longer than the longest life";
        return invalid(FieldError::new("default_life", "longer_than_longest", detail));
    }
    let most = holdings.members.iter().map(|member| member.keys).max().unwrap_or_default();
    if policy.keys_follow_member && most > FOLLOWING_KEYS_MAX {
        let detail = "a member holds more keys than can end with a membership";
        let error = FieldError::new("keys_follow_member", "too_many_keys", detail);
        return invalid(error.with("max", FOLLOWING_KEYS_MAX));
    }
    Ok(())
}

/// A key that a member issued.
struct HeldKey {
    name: String,
    created_at: UnixMs,
    expires: Option<UnixMs>,
    is_viewable: bool,
    is_member_gone: bool,
    has_mfa: bool,
}

/// A member with the number of their keys.
struct Holder {
    name: String,
    is_editor: bool,
    is_gone: bool,
    has_mfa: bool,
    has_passkey: bool,
    keys: u32,
}

/// The members of the account, and the keys that they issued.
struct Holdings {
    members: Vec<Holder>,
    keys: Vec<HeldKey>,
}

impl Holdings {
    fn load(sql: &dyn Sql) -> Result<Self, SqlError> {
        let members = "SELECT name, role <> 'viewer', removed_at_ms IS NOT NULL, mfa,
            EXISTS (SELECT 1 FROM passkey WHERE passkey.member = member.id),
            (SELECT count(*) FROM key INDEXED BY key_of_member
                WHERE created_by = member.id AND issued_by IS NULL AND deleted_at_ms IS NULL)
            FROM member ORDER BY name, id";
        let keys = "SELECT key.name, key.created_at_ms, key.expires_ms, key.sealed IS NOT NULL,
                member.removed_at_ms IS NOT NULL, member.mfa
            FROM member CROSS JOIN key INDEXED BY key_of_member ON key.created_by = member.id
            WHERE key.issued_by IS NULL AND key.deleted_at_ms IS NULL ORDER BY member.name, member.id";
        Ok(Self {
            members: sql.read_all(&Statement::new(members), read_holder)?,
            keys: sql.read_all(&Statement::new(keys), read_key)?,
        })
    }
}

fn read_holder(mut row: Row) -> Result<Holder, SqlError> {
    Ok(Holder {
        name: row.text()?,
        is_editor: row.integer()? != 0,
        is_gone: row.integer()? != 0,
        has_mfa: row.integer()? != 0,
        has_passkey: row.integer()? != 0,
        keys: row.count()?,
    })
}

fn read_key(mut row: Row) -> Result<HeldKey, SqlError> {
    Ok(HeldKey {
        name: row.text()?,
        created_at: row.time()?,
        expires: row.optional_time()?,
        is_viewable: row.integer()? != 0,
        is_member_gone: row.integer()? != 0,
        has_mfa: row.integer()? != 0,
    })
}

/// Returns what the change from the account's policy to `after` concerns.
fn effects(account: &Account, after: &Policy, holdings: &Holdings) -> Vec<PolicyEffect> {
    let before = &account.policy;
    let Holdings { members, keys } = holdings;
    let of_members = |kind, concerns: &dyn Fn(&Holder) -> bool| {
        effect(kind, members.iter().filter(|one| concerns(one)).map(|one| one.name.as_str()))
    };
    let of_keys = |kind, concerns: &dyn Fn(&HeldKey) -> bool| {
        effect(kind, keys.iter().filter(|key| concerns(key)).map(|key| key.name.as_str()))
    };
    let mut effects = Vec::new();
    if after.keys_per_member == KeysPerMember::One && before.keys_per_member != KeysPerMember::One {
        effects.push(of_members(PolicyEffectKind::MembersWithMoreKeys, &|one| {
            one.keys > 1 && !one.is_gone
        }));
    }
    if before.longest_life.is_longer_than(after.longest_life) {
        effects.push(of_keys(PolicyEffectKind::KeysThatLiveLonger, &|key| {
            let longest = after.longest_life.end(key.created_at, &account.zone);
            longest.is_some_and(|longest| key.expires.is_none_or(|end| end > longest))
        }));
    }
    if before.viewable_allowed && !after.viewable_allowed {
        effects.push(of_keys(PolicyEffectKind::KeysNoLongerShown, &|key| key.is_viewable));
    }
    match (before.keys_follow_member, after.keys_follow_member) {
        (false, true) => {
            effects.push(of_keys(PolicyEffectKind::KeysThatFollow, &|key| !key.is_member_gone));
            effects.push(of_keys(PolicyEffectKind::KeysWithoutMember, &|key| key.is_member_gone));
        }
        (true, false) => {
            effects.push(of_keys(PolicyEffectKind::KeysThatStay, &|key| !key.is_member_gone));
        }
        (false, false) | (true, true) => {}
    }
    let needs = |demand| after.proofs.demands_more(before.proofs, demand);
    let (factor, passkey) = (needs(DemandedProof::Totp), needs(DemandedProof::Passkey));
    if factor || passkey {
        effects.push(of_members(PolicyEffectKind::MembersWithoutProof, &|one| {
            !one.is_gone && ((factor && !one.has_mfa) || (passkey && !one.has_passkey))
        }));
    }
    match (before.demands_mfa, after.demands_mfa) {
        (false, true) => {
            effects.push(of_members(PolicyEffectKind::MembersWithoutFactor, &|one| {
                one.is_editor && !one.is_gone && !one.has_mfa
            }));
            effects.push(of_keys(PolicyEffectKind::KeysWithoutFactor, &|key| !key.has_mfa));
        }
        (true, false) => {
            effects.push(of_keys(PolicyEffectKind::KeysBackWithoutFactor, &|key| !key.has_mfa));
        }
        (false, false) | (true, true) => {}
    }
    effects.into_iter().filter(|effect| effect.count > 0).collect()
}

fn effect<'a>(kind: PolicyEffectKind, names: impl Iterator<Item = &'a str>) -> PolicyEffect {
    let all: Vec<&str> = names.collect();
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let names = all.into_iter().take(EFFECT_NAMES_MAX).map(str::to_owned).collect();
    PolicyEffect { kind, count, names }
}
