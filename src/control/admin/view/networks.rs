//! Response documents about the account's networks.

use claviger_core::base::time::UnixMs;
use claviger_core::replication::refresh::Caller;
use serde_json::{Map, Value, json};

use super::parts::{bound, field_errors, text};
use crate::admin::networks_problem::NetworksProblem;
use crate::admin::problem::AdminProblem;
use crate::protocol::account_networks::{
    AccountSurface, ChangedNetworkList, NetworkList, NetworkListPreview, NetworkListView,
    NetworksRefusal, RefusedCaller, RefusedCallers, RefusedMember,
};

/// Returns the documents of callers.
pub fn callers(callers: &[Caller]) -> Vec<Value> {
    let view = |caller: &Caller| json!({ "address": caller.address, "count": caller.count, "last_at": text(caller.last_at) });
    callers.iter().map(view).collect()
}

/// Returns a list with its revision, which a change of it names.
fn with_revision(view: &NetworkListView) -> Map<String, Value> {
    let NetworkListView { list, revision, changed_at, changed_by, address, refuses } = view;
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    // Without a change, an account has no list, and so no mode.
    put("mode", json!(changed_at.map(|_| list.mode)));
    put("entries", json!(list.entries));
    put("closed", json!(list.closed()));
    put("address", json!(address));
    put("includes_you", json!(list.includes(AccountSurface::Console, *address)));
    put("changed_at", json!(changed_at.map(text)));
    put("changed_by", json!(changed_by));
    put("revision", json!(revision));
    if let Some(refuses) = refuses {
        put("refuses", refused(refuses));
    }
    members
}

/// Returns the document of the account's networks.
pub fn network_list(view: &NetworkListView, now: UnixMs) -> Value {
    let mut members = with_revision(view);
    members.insert("now".to_owned(), json!(text(now)));
    Value::Object(members)
}

/// Returns the document of changed networks, with the time from which the change holds everywhere.
pub fn network_list_changed(changed: &ChangedNetworkList, now: UnixMs) -> Value {
    let mut members = with_revision(&changed.view);
    members.insert("bound".to_owned(), json!(changed.bound.map(bound)));
    members.insert("now".to_owned(), json!(text(now)));
    Value::Object(members)
}

/// Returns the document of networks that an operator has turned off.
pub fn networks_turned_off(changed: &ChangedNetworkList, now: UnixMs) -> Value {
    let NetworkList { mode, entries, .. } = &changed.view.list;
    let mode = changed.view.changed_at.map(|_| mode);
    json!({ "mode": mode, "entries": entries.len(), "revision": changed.view.revision, "now": text(now) })
}

/// Returns the document of a preview.
pub fn network_list_preview(preview: &NetworkListPreview, now: UnixMs) -> Value {
    let NetworkListPreview { list, notes, errors, address, removes, refuses, revision } = preview;
    json!({
        "mode": list.mode,
        "entries": list.entries,
        "notes": notes,
        "errors": field_errors(errors.clone()),
        "closed": list.closed(),
        "address": address,
        "includes_you": list.includes(AccountSurface::Console, *address),
        "locks_out_you": !list.permits(AccountSurface::Console, *address),
        "removes": removes,
        "needs_password": !removes.is_empty(),
        "refuses": refused(refuses),
        "revision": revision,
        "now": text(now),
    })
}

fn refused(refuses: &RefusedCallers) -> Value {
    let RefusedCallers { callers, more, is_exact, members } = refuses;
    let caller = |one: &RefusedCaller| {
        json!({
            "address": one.address, "count": one.count, "last_at": text(one.last_at),
            "surfaces": one.surfaces, "keys": one.keys, "more_keys": one.more_keys,
            "api_users": one.api_users, "more_api_users": one.more_api_users,
            "service": one.service,
        })
    };
    let member = |one: &RefusedMember| json!({ "id": one.id, "name": one.name, "address": one.address, "last_at": text(one.last_at) });
    json!({
        "callers": callers.iter().map(caller).collect::<Vec<_>>(),
        "more": more,
        "is_exact": is_exact,
        "members": members.iter().map(member).collect::<Vec<_>>(),
    })
}

/// Converts a refusal of the account's networks to a problem.
pub fn refusal(refusal: &NetworksRefusal) -> AdminProblem {
    AdminProblem::Networks(match refusal {
        NetworksRefusal::Denied => NetworksProblem::Denied,
        NetworksRefusal::ChangedMeanwhile { view } => {
            NetworksProblem::ChangedMeanwhile { list: Value::Object(with_revision(view)) }
        }
        NetworksRefusal::PasswordRequired => NetworksProblem::PasswordRequired,
        NetworksRefusal::WouldLockYouOut => NetworksProblem::WouldLockYouOut,
    })
}
