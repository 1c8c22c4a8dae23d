//! Response documents of the console's routes, as JSON (`docs/http-api.md`).

mod api_users;
mod deletion;
mod factors;
mod identity;
mod members;
mod networks;
mod notices;
mod parts;
mod policy;

use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::config::terms::Bound;
use claviger_core::credential::admin_right::AdminRight;
use claviger_core::credential::issuer::Ceiling;
use claviger_core::credential::key::{ACCESS_SECRET_WIDTH, NewKey, access_key};
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::credential::limits::permission::Permission;
use claviger_core::replication::refresh::AccountState;
use serde_json::{Map, Value, json};

pub use self::api_users::{api_user, api_user_changed, api_user_created, api_users};
pub use self::deletion::{deleted, deletion};
pub use self::factors::{
    begun_totp, challenged, code_mailed, creation_options, factor_required, factors,
    factors_with_codes, prompt, request_options, required,
};
pub use self::identity::{OwnAccount, mailbox_code, own_accounts, sessions};
pub use self::members::{invitation, invitation_offer, member, members};
pub use self::networks::{
    network_list, network_list_changed, network_list_preview, networks_turned_off,
};
pub use self::notices::{notice_page, notices, notices_read};
pub use self::parts::field_errors;
use self::parts::text;
pub use self::policy::{member_removed, policy_preview, policy_state};
use crate::admin::config::AdminConfig;
use crate::admin::problem::{AdminProblem, NotViewable};
use crate::admin::token_problem::TokenProblem;
use crate::protocol::activity;
use crate::protocol::at_stake::{AccountCounts, IssuedCounts};
use crate::protocol::draft::preview::DraftPreview;
use crate::protocol::keys::{IssuedBy, KeyPage, KeyView, MemberWithoutMfa};
use crate::protocol::member::Role;
use crate::protocol::operator::{AccountsByStatus, DirectoryEntry, EntryCursor, EntryState};
use crate::protocol::pair::PairView;
use crate::protocol::passkey::PasskeyError;
use crate::protocol::proof::ProofMethod;
use crate::protocol::refusal::Refusal;
use crate::protocol::service_credentials::{ServiceNetwork, ServiceView};
use crate::protocol::token::{NewToken, SETUP_LIFE_MS};
use crate::protocol::view::{AccountView, Progress, SessionView};

/// Returns the document of a key.
pub fn key(key: &KeyView, config: &AdminConfig, now: UnixMs) -> Value {
    json!({
        "id": key.id,
        "access_key": access_key(&config.prefix, key.id),
        "name": key.name,
        "status": key.status(now),
        "mfa_off": key.mfa_off.as_ref().map(without_mfa),
        "enabled": key.enabled,
        "protected": key.protected,
        "expires_at": key.limits.expires.at().map(text),
        "not_before": key.limits.not_before.map(text),
        "networks": key.limits.networks,
        "networks_observed": key.observed,
        "would_refuse": key.would_refuse.as_deref().map(networks::callers),
        "permissions": key.limits.permissions,
        "created_at": text(key.created_at),
        "created_by": key.created_by,
        "issuable": key.issuable.as_ref().map(ceiling),
        "viewable": key.viewable,
        "last_used_at": key.last_used_at.map(text),
        "uses_24h": key.uses_24h,
        "last_refused_at": key.last_refused_at.map(text),
        "refused_24h": key.refused_24h,
        "issued_by": issued_by(key),
        "changed_at": text(key.changed_at),
        "changed_by": key.changed_by,
        "deleted_at": key.deleted_at.map(text),
        "restorable_until": key.restorable_until().map(text),
        "replaces": key.replaces,
        "replaced_by": key.replaced_by,
        "overlap_until": key.overlap(now).map(text),
        "revision": key.revision,
    })
}

/// Returns the document of a member's key pair.
pub fn pair(pair: &PairView, config: &AdminConfig, now: UnixMs) -> Value {
    json!({
        "key": pair.key.as_ref().map(|key| self::key(key, config, now)),
        "missing": pair.missing,
        "owners": pair.owners,
        "expires_at": pair.expires.map(text),
        "now": text(now),
    })
}

/// Returns the document of a ceiling.
pub fn ceiling(ceiling: &Ceiling) -> Value {
    json!({
        "permissions": ceiling.permissions,
        "networks": ceiling.networks,
        "longest_ms": ceiling.longest,
    })
}

fn without_mfa(member: &MemberWithoutMfa) -> Value {
    json!({ "id": member.id, "name": member.name, "removed": member.removed })
}

fn issued_by(key: &KeyView) -> Value {
    match &key.issued_by {
        None => json!({ "kind": "member", "id": key.member, "name": key.created_by }),
        Some(IssuedBy::Key { id, name }) => json!({ "kind": "key", "id": id, "name": name }),
        Some(IssuedBy::Service) => json!({ "kind": "service" }),
    }
}

/// Returns the document of a page of keys.
pub fn page(page: &KeyPage, config: &AdminConfig, now: UnixMs) -> Value {
    let keys: Vec<Value> = page.keys.iter().map(|view| key(view, config, now)).collect();
    json!({ "keys": keys, "next": page.next, "total": page.total, "total_is_exact": page.total_is_exact, "hidden": page.hidden, "hidden_is_exact": !page.hides_more, "now": text(now) })
}

/// Returns the document of a preview.
pub fn checked(checked: &DraftPreview) -> Value {
    let locked_out = checked.locked_out.as_deref().map(networks::callers);
    let expires = checked.expires.as_ref().map(|note| {
        json!({
            "form": note.form, "at": note.at.map(text), "day": note.day, "zone": note.zone,
            "from_now_ms": note.from_now_ms,
        })
    });
    json!({
        "expires": expires,
        "networks": checked.networks,
        "issuable": checked.issuable,
        "includes_caller": checked.includes_caller,
        "locked_out": locked_out,
        "networks_observed": checked.networks_observed,
        "would_refuse": checked.would_refuse.as_deref().map(networks::callers),
        "errors": field_errors(checked.errors.clone()),
    })
}

/// Returns the document of a newly issued key with its secret. No other response contains the
/// secret unless the key is viewable.
pub fn issued(view: &KeyView, new: &NewKey, config: &AdminConfig, now: UnixMs) -> Value {
    let (access_key, access_secret) = new.expose_pair();
    json!({
        "key": key(view, config, now),
        "credential": new.expose(),
        "access_key": access_key,
        "access_secret": access_secret,
        "now": text(now),
    })
}

/// Returns the document of a regenerated key: the successor with its secret, the old key, and the
/// time from which the end of the old key, or its overlap, is in force everywhere.
pub fn regenerated(
    successor: &KeyView,
    replaced: &KeyView,
    new: &NewKey,
    bound: Bound,
    config: &AdminConfig,
    now: UnixMs,
) -> Value {
    let mut members = issued(successor, new, config, now);
    if let Some(members) = members.as_object_mut() {
        members.insert("replaced".into(), key(replaced, config, now));
        members.insert("bound".into(), json!(parts::bound(bound)));
    }
    members
}

/// Returns the document of a viewable key with its secret; `None` if the text is no key.
pub fn revealed(credential: &SecretText, now: UnixMs) -> Option<Value> {
    let secret_from = credential.expose().len().checked_sub(ACCESS_SECRET_WIDTH)?;
    let (access_key, access_secret) = credential.expose().split_at_checked(secret_from)?;
    Some(json!({
        "credential": credential.expose(),
        "access_key": access_key,
        "access_secret": access_secret,
        "now": text(now),
    }))
}

/// Returns the JSON document for one page of activity.
pub fn activity(page: &activity::ActivityPage, now: UnixMs) -> Value {
    let entries: Vec<Value> = page.entries.iter().map(entry_of_activity).collect();
    json!({ "entries": entries, "next": page.next, "now": text(now) })
}

/// Returns the document of one entry of activity.
pub fn entry_of_activity(entry: &activity::ActivityEntry) -> Value {
    let activity::ActivityEntry { id, at, action, by, address, key, changes } = entry;
    let changes: Map<String, Value> = changes
        .iter()
        .map(|(name, change)| {
            let shown = |value: &Value| match (name.as_str(), value.as_i64()) {
                ("expires_at" | "not_before", Some(ms)) => text(UnixMs::from_ms(ms)).into(),
                _ => value.clone(),
            };
            (name.clone(), json!({ "from": shown(&change.from), "to": shown(&change.to) }))
        })
        .collect();
    let changes = Some(changes).filter(|changes| !changes.is_empty());
    json!({ "id": id, "at": text(*at), "action": action, "by": by, "address": address, "key": key, "changes": changes })
}

/// Returns the document of a changed key, with the time from which the change holds everywhere.
pub fn changed(
    view: Option<&KeyView>,
    bound: Option<Bound>,
    config: &AdminConfig,
    now: UnixMs,
) -> Value {
    let bound = bound.map(parts::bound);
    match view {
        Some(view) => json!({ "key": key(view, config, now), "bound": bound, "now": text(now) }),
        None => json!({ "bound": bound, "now": text(now) }),
    }
}

/// Returns the document of the service credentials, without the password.
pub fn service(service: &ServiceView, now: UnixMs) -> Value {
    let ServiceView {
        id,
        changed_at,
        changed_by,
        ceiling: Ceiling { permissions, networks, longest },
        revision,
        usage,
    } = service;
    let network = |one: &ServiceNetwork| json!({ "network": one.network, "uses": one.uses, "last_used_at": text(one.last_at) });
    let usage = usage.as_ref().map(|usage| {
        let networks: Vec<Value> = usage.networks.iter().map(network).collect();
        let last_used_at = usage.last_used_at.map(text);
        json!({ "last_used_at": last_used_at, "uses_7d": usage.uses_7d, "networks": networks })
    });
    json!({
        "service_id": id,
        "has_password": id.is_some(),
        "changed_at": changed_at.map(text),
        "changed_by": changed_by,
        "ceiling": { "permissions": permissions, "networks": networks, "longest_ms": longest },
        "revision": revision,
        "usage": usage,
        "now": text(now),
    })
}

/// Returns the document of changed service credentials, with the time from which the change holds
/// everywhere.
pub fn service_changed(view: &ServiceView, bound: Option<Bound>, now: UnixMs) -> Value {
    let mut members = service(view, now);
    if let Some(members) = members.as_object_mut() {
        members.insert("bound".into(), json!(bound.map(parts::bound)));
    }
    members
}

/// Returns the document of the service credentials with the password. `bound` is set if the
/// password has just changed.
pub fn service_password(
    service: &ServiceView,
    password: &SecretText,
    changed: Option<Option<Bound>>,
    now: UnixMs,
) -> Value {
    let mut members = json!({ "service_id": service.id, "service_password": password.expose(), "now": text(now) });
    if let (Some(members), Some(bound)) = (members.as_object_mut(), changed) {
        members.insert("bound".into(), json!(bound.map(parts::bound)));
        members.insert("revision".into(), json!(service.revision));
    }
    members
}

/// Returns the document of an account in the directory's list.
fn entry(entry: &DirectoryEntry) -> Value {
    let link_until = (entry.state == EntryState::Pending).then(|| text(link_end(entry.entered_at)));
    json!({
        "id": entry.id, "state": entry.state, "name": entry.name, "entered_at": text(entry.entered_at),
        "link_until": link_until, "restoring": entry.restoring, "suspended": entry.suspended,
    })
}

/// Returns the time at which the set-up link of an account expires.
fn link_end(entered_at: UnixMs) -> UnixMs {
    entered_at.saturating_add(DurationMs::from_ms(SETUP_LIFE_MS.unsigned_abs()))
}

/// Returns the document of a page of accounts.
pub fn accounts(
    accounts: &[DirectoryEntry],
    next: Option<EntryCursor>,
    counts: AccountsByStatus,
    now: UnixMs,
) -> Value {
    let accounts: Vec<Value> = accounts.iter().map(entry).collect();
    let next = next.map(|cursor| cursor.to_text());
    json!({ "accounts": accounts, "next": next, "counts": counts, "now": text(now) })
}

/// Returns the document of one account. Once it is open, the document includes the view of its
/// ledger.
pub fn account(
    listed: &DirectoryEntry,
    inspected: Option<(&AccountView, &Progress, Option<AccountCounts>)>,
    config: &AdminConfig,
    now: UnixMs,
) -> Value {
    let mut account = entry(listed);
    if let (Some(members), Some((view, progress, counts))) = (account.as_object_mut(), inspected) {
        members.insert("name".into(), view.name.as_str().into());
        members.insert("time_zone".into(), view.zone.name().into());
        members.insert("suspended".into(), view.suspended.into());
        members.insert("freshness_s".into(), view.freshness_s.into());
        members.insert("within_s".into(), config.terms.within_s(view.freshness_s).into());
        members.insert("publication".into(), json!(progress));
        members.insert("policy".into(), policy::policy(&view.policy));
        members.insert("members".into(), json!(counts.and_then(|counts| counts.people)));
        let counts = counts.map(|counts| {
            json!({ "by_members": counts.members, "by_issuers": counts.issuers, "used_24h": counts.used_24h })
        });
        members.insert("keys".into(), json!(counts));
    }
    json!({ "account": account, "now": text(now) })
}

/// Returns the document of a new set-up link. No other response contains the link.
pub fn invited(token: &NewToken, config: &AdminConfig, now: UnixMs) -> Value {
    json!({
        "account": {
            "id": token.made().account(), "state": EntryState::Pending, "name": null,
            "entered_at": text(now), "link_until": text(link_end(now)), "restoring": false,
            "suspended": false,
        },
        "link": format!("{}/#/setup/{}", config.console_origin, token.expose()),
        "now": text(now),
    })
}

/// Returns the document of the counts of an issuer's stored keys.
pub fn issued_counts(counts: &IssuedCounts, now: UnixMs) -> Value {
    json!({
        "stored": counts.stored, "unlimited": counts.unlimited, "used_24h": counts.used_24h,
        "is_exact": counts.is_exact, "now": text(now),
    })
}

/// Returns the document of the changed account state, with the time from which the change holds
/// everywhere.
pub fn account_state(state: AccountState, bound: Option<Bound>, now: UnixMs) -> Value {
    json!({
        "suspended": state.suspended,
        "freshness_s": state.freshness_ms.div_ceil(1_000),
        "bound": bound.map(parts::bound),
        "now": text(now),
    })
}

/// Returns the document of the progress of publication to KV.
pub fn progress(progress: &Progress, now: UnixMs) -> Value {
    json!({ "publication": progress, "now": text(now) })
}

/// Returns the document of the state of a restore.
pub fn restoring(restoring: bool, now: UnixMs) -> Value {
    json!({ "restoring": restoring, "now": text(now) })
}

/// Returns the document of a revocation.
pub fn revoked(bound: Bound, all_of_issuer: bool, now: UnixMs) -> Value {
    json!({
        "bound": parts::bound(bound),
        "all_of_issuer": all_of_issuer,
        "now": text(now),
    })
}

/// Returns the reserved permissions that an owner may grant.
fn grantable_reserved() -> Vec<Permission> {
    let rights = AdminRight::ALL.into_iter().map(AdminRight::permission);
    core::iter::once(Permission::claviger_verify()).chain(rights).collect()
}

/// Returns the document of a session.
pub fn session(
    view: &SessionView,
    config: &AdminConfig,
    address: Option<ClientAddress>,
    now: UnixMs,
) -> Value {
    let reserved: Vec<Permission> =
        if view.member.role == Role::Owner { grantable_reserved() } else { Vec::new() };
    json!({
        "member": {
            "id": view.member.id, "name": view.member.name, "email": view.member.email,
            "role": view.member.role, "language": view.member.language,
        },
        "account": {
            "id": view.account.id, "name": view.account.name, "time_zone": view.account.zone,
            "freshness_s": config.terms.within_s(view.account.freshness_s),
            "freshness": config.terms.freshness.as_str(), "suspended": view.account.suspended,
            "policy": policy::policy(&view.account.policy),
        },
        "operator": view.operator,
        "operator_by": match &config.access {
            Ok(None) => "session",
            Ok(Some(_)) | Err(_) => "access",
        },
        "accounts": view.accounts,
        "mail": match (&config.mail, view.mail_is_failing) {
            (None, _) => "off",
            (Some(_), true) => "failing",
            (Some(_), false) => "ok",
        },
        "publication_lag_s": view.publication_lag_s,
        "address": address,
        "permissions": config.rules.permissions().iter().map(Permission::to_string).collect::<Vec<_>>(),
        "grantable_reserved": reserved.iter().map(Permission::to_string).collect::<Vec<_>>(),
        "api": api(config),
        "unread_notices": view.unread_notices,
        "mfa": view.mfa,
        "mfa_methods": view.factors.methods(),
        "step_up_until": text(view.step_up_until),
        "expires_at": text(view.expires),
        "now": text(now),
    })
}

/// Returns the address of the protected API, which has the console's scheme and port.
fn api(config: &AdminConfig) -> Value {
    let Some(call) = config.rules.example() else { return Value::Null };
    let base_url = config.console_origin.replacen(&config.console_host, call.host, 1);
    let permission = call.permission.map(Permission::to_string);
    json!({ "base_url": base_url, "example_path": call.path, "example_permission": permission })
}

/// Returns the document of the edge isolate's counters. They cover all accounts, so only an
/// operator may see them.
///
/// # Errors
/// [`RequestProblem::NotFound`] for every other member, as on the operator's routes.
pub fn counters(
    is_operator: bool,
    counters: Option<Value>,
    now: UnixMs,
) -> Result<Value, AdminProblem> {
    if is_operator {
        Ok(json!({ "isolate": counters, "now": text(now) }))
    } else {
        Err(AdminProblem::Request(RequestProblem::NotFound))
    }
}

/// Converts a ledger's refusal to a problem.
pub fn refusal(refusal: Refusal, config: &AdminConfig, now: UnixMs) -> AdminProblem {
    match refusal {
        Refusal::NotSignedIn => AdminProblem::NotSignedIn,
        Refusal::SignInRefused | Refusal::PasskeyCloned => AdminProblem::SignInRefused,
        Refusal::NotPermitted => AdminProblem::NotPermitted,
        Refusal::TokenRefused { denial } => AdminProblem::Token(TokenProblem::Refused(denial)),
        Refusal::TooManyRequests { until } => AdminProblem::Token(TokenProblem::TooMany {
            retry_after_s: wait_s(until, now),
            until: text(until),
        }),
        Refusal::StepUpRequired => factors::required(&[ProofMethod::Password]),
        Refusal::ProofRequired { methods } => factors::required(&methods),
        Refusal::FactorRefused { tries_left } => AdminProblem::FactorRefused { tries_left },
        Refusal::TooManyFactorTries { until } => AdminProblem::TooManyFactorTries {
            retry_after_s: wait_s(until, now),
            until: text(until),
        },
        Refusal::ChallengeOver => AdminProblem::ChallengeOver,
        Refusal::FactorIsOn => AdminProblem::FactorIsOn,
        Refusal::NoFactor => AdminProblem::NoFactor,
        Refusal::TooManyPasskeys { max } => AdminProblem::TooManyPasskeys { max },
        Refusal::PasskeyIsKnown => AdminProblem::PasskeyIsKnown,
        Refusal::PasskeyChallengeOver => AdminProblem::PasskeyRefused(PasskeyError::Challenge),
        Refusal::NotFound => AdminProblem::Request(RequestProblem::NotFound),
        Refusal::ChangedMeanwhile { key: view } => AdminProblem::ChangedMeanwhile {
            key: key(&view, config, now),
            by: view.changed_by,
            at: text(view.changed_at),
        },
        Refusal::NotViewable => AdminProblem::NotViewable(NotViewable::NotStored),
        Refusal::ServiceChangedMeanwhile { service: view } => {
            AdminProblem::ServiceChangedMeanwhile { service: service(&view, now) }
        }
        Refusal::AlreadyIssued { key: view } => AdminProblem::AlreadyIssued {
            key: view.map_or(Value::Null, |view| key(&view, config, now)),
        },
        Refusal::AlreadyInvited { account } => {
            AdminProblem::AlreadyInvited { account: account.to_string() }
        }
        Refusal::TooManyKeys { max } => AdminProblem::TooManyKeys { max },
        Refusal::Invalid { errors } => AdminProblem::Invalid { errors: field_errors(errors) },
        Refusal::KeysNotFound { keys } => AdminProblem::KeysNotFound { keys: json!(keys) },
        Refusal::Protected { keys } => AdminProblem::Protected { keys: json!(keys) },
        Refusal::NotDeleted => AdminProblem::NotDeleted,
        Refusal::NotRegenerable { reason } => AdminProblem::NotRegenerable(reason),
        Refusal::Replaced { by } => AdminProblem::Replaced { by: by.to_string() },
        Refusal::NotReplaced => AdminProblem::NotReplaced,
        Refusal::TooManyCodes { until } => {
            AdminProblem::TooManyCodes { retry_after_s: wait_s(until, now), until: text(until) }
        }
        Refusal::TooManyExports { until } => {
            AdminProblem::TooManyExports { retry_after_s: wait_s(until, now), until: text(until) }
        }
        Refusal::CodeWrong { tries_left } => AdminProblem::CodeWrong { tries_left },
        Refusal::CodeOver => AdminProblem::CodeOver,
        Refusal::AlreadyOpen => AdminProblem::SetupDone,
        Refusal::LastOwner => AdminProblem::LastOwner,
        Refusal::KeyPairExists => AdminProblem::KeyPairExists,
        Refusal::MfaRequired => AdminProblem::MfaRequired,
        Refusal::CodeRequired => AdminProblem::CodeRequired,
        Refusal::NotYourKey => AdminProblem::NotYourKey,
        Refusal::KeyMemberGone => AdminProblem::KeyMemberGone,
        Refusal::ViewingNotAllowed => AdminProblem::NotViewable(NotViewable::Policy),
        Refusal::PolicyChangedMeanwhile { state } => {
            AdminProblem::PolicyChangedMeanwhile { state: policy::with_revision(&state) }
        }
        Refusal::MemberChangedMeanwhile { member: entry } => {
            AdminProblem::MemberChangedMeanwhile { member: members::entry(&entry) }
        }
        Refusal::Networks(refusal) => networks::refusal(&refusal),
        Refusal::InvitationOver => AdminProblem::InvitationOver,
        Refusal::TooManyInvitations { max } => AdminProblem::TooManyInvitations { max },
        Refusal::TooManyMembers { max } => AdminProblem::TooManyMembers { max },
        Refusal::TooManyInvitationMails { until } => AdminProblem::TooManyInvitationMails {
            retry_after_s: wait_s(until, now),
            until: text(until),
        },
        Refusal::ApiUsers(refusal) => AdminProblem::ApiUsers(api_users::problem(refusal, now)),
        // Only an edge receives these refusals, and it has its own texts for them.
        Refusal::IssuerRefused | Refusal::TooManyRevocations => {
            AdminProblem::Request(RequestProblem::NotFound)
        }
        // Drawn IDs collide once in 62^10, and the client can retry. An object of an earlier
        // release is replaced during the deployment.
        Refusal::IdTaken | Refusal::NotUnderstood => {
            AdminProblem::Request(RequestProblem::Unavailable)
        }
    }
}

/// Returns "too many tries", with the next accepted time as an instant and in seconds.
pub fn too_many(until: UnixMs, now: UnixMs) -> AdminProblem {
    AdminProblem::TooManyAttempts { retry_after_s: wait_s(until, now), until: text(until) }
}

/// Returns "another attempt uses the link", with its latest end as an instant and in seconds.
pub fn setup_busy(until: UnixMs, now: UnixMs) -> AdminProblem {
    AdminProblem::SetupBusy { retry_after_s: wait_s(until, now), until: text(until) }
}

/// Returns the time that a client should wait, in seconds: at least one.
fn wait_s(until: UnixMs, now: UnixMs) -> u64 {
    let wait_ms = until.as_ms().saturating_sub(now.as_ms()).max(0).unsigned_abs();
    wait_ms.div_ceil(1000).max(1)
}
