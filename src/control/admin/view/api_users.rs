//! Documents of API users.

use claviger_core::base::secret::SecretText;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::credential::api_user::PersonalData;
use serde_json::{Value, json};

use super::parts::{self, text};
use crate::admin::api_user_problem::ApiUserProblem;
use crate::protocol::api_users::{ApiUserPage, ApiUserView, ApiUsersRefusal};

/// Returns the document of an API user. It has nothing of the secret but the version.
pub fn api_user(user: &ApiUserView, now: UnixMs) -> Value {
    let may = |right: PersonalData| right.is_granted_by(&user.limits.permissions);
    json!({
        "id": user.id,
        "name": user.name,
        "status": user.status(now),
        "locked": user.locked,
        "group": user.group,
        "view_personal_data": may(PersonalData::View),
        "download_personal_data": may(PersonalData::Download),
        "interfaces": user.limits.interfaces,
        "own_data_only": user.own_data_only,
        "zone": user.zone,
        "expires_at": user.limits.expires.at().map(text),
        "not_before": user.limits.not_before.map(text),
        "networks": user.limits.networks,
        "api_key_version": user.secret,
        "created_at": text(user.created_at),
        "created_by": user.created_by,
        "changed_at": text(user.changed_at),
        "changed_by": user.changed_by,
        "last_used_at": user.last_used_at.map(text),
        "deleted_at": user.deleted_at.map(text),
        "restorable_until": user.restorable_until().map(text),
        "revision": user.revision,
    })
}

/// Returns the document of a page of API users.
pub fn api_users(page: &ApiUserPage, now: UnixMs) -> Value {
    let users: Vec<Value> = page.users.iter().map(|user| api_user(user, now)).collect();
    json!({ "users": users, "next": page.next, "total": page.total, "now": text(now) })
}

/// Returns the document of a new API user. `drawn` is the secret, if it was generated: no later
/// answer contains it.
pub fn api_user_created(user: &ApiUserView, drawn: Option<&SecretText>, now: UnixMs) -> Value {
    let drawn = drawn.map(SecretText::expose);
    json!({ "user": api_user(user, now), "api_key": drawn, "now": text(now) })
}

/// Returns the document of a changed API user, with the time from which the change holds
/// everywhere. `drawn` is the new secret, if it was generated.
pub fn api_user_changed(
    user: &ApiUserView,
    drawn: Option<&SecretText>,
    bound: Option<Bound>,
    now: UnixMs,
) -> Value {
    let mut document = api_user_created(user, drawn, now);
    if let Some(members) = document.as_object_mut() {
        members.insert("bound".into(), json!(bound.map(parts::bound)));
    }
    document
}

/// Converts a ledger's refusal to a problem.
pub(super) fn problem(refusal: ApiUsersRefusal, now: UnixMs) -> ApiUserProblem {
    match refusal {
        ApiUsersRefusal::ChangedMeanwhile { user } => ApiUserProblem::ChangedMeanwhile {
            user: api_user(&user, now),
            by: user.changed_by,
            at: text(user.changed_at),
        },
        ApiUsersRefusal::AlreadyCreated { user } => ApiUserProblem::AlreadyCreated {
            user: user.map_or(Value::Null, |user| api_user(&user, now)),
        },
        ApiUsersRefusal::TooMany { max } => ApiUserProblem::TooMany { max },
        ApiUsersRefusal::NotDeleted => ApiUserProblem::NotDeleted,
    }
}
