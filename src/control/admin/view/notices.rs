//! Response documents of notices: the switches, and the list of past ones.

use claviger_core::base::id::Prefix;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::key::access_key;
use serde_json::{Value, json};

use super::parts::text;
use crate::protocol::envelope::Letter;
use crate::protocol::keys::KeyName;
use crate::protocol::notice_list::{ListedNotice, NoticePage};
use crate::protocol::notices::{NoticeItem, NoticeList, NoticeSettings};

/// Returns the document of a member's switches of notices.
pub fn notices(settings: NoticeSettings, now: UnixMs) -> Value {
    json!({ "notices": settings, "now": text(now) })
}

/// Returns the document of a page of past notices.
pub fn notice_page(page: &NoticePage, prefix: &Prefix, now: UnixMs) -> Value {
    let notices: Vec<Value> =
        page.notices.iter().filter_map(|listed| notice(listed, prefix)).collect();
    json!({ "notices": notices, "next": page.next, "unread": page.unread, "now": text(now) })
}

/// Returns the document after notices were marked as read.
pub fn notices_read(unread: u32, now: UnixMs) -> Value {
    json!({ "unread": unread, "now": text(now) })
}

/// The members of a notice that depend on its kind.
#[derive(Default)]
struct NoticeParts<'a> {
    kind: &'static str,
    by: Option<&'a str>,
    address: Option<&'a str>,
    items: Vec<Value>,
    more: u32,
    details: Option<Value>,
}

/// Returns the document of a notice; `None` for a letter that is no notice.
fn notice(listed: &ListedNotice, prefix: &Prefix) -> Option<Value> {
    let NoticeParts { kind, by, address, items, more, details } = parts(&listed.letter, prefix)?;
    Some(json!({
        "id": listed.number, "at": text(listed.at), "unread": listed.unread,
        "kind": kind, "by": by, "address": address, "items": items, "more": more, "details": details,
    }))
}

fn parts<'a>(letter: &'a Letter, prefix: &Prefix) -> Option<NoticeParts<'a>> {
    let none = NoticeParts::default();
    Some(match letter {
        Letter::DeletionNotice { keys, by, address, restorable_until, .. } => NoticeParts {
            kind: "keys_deleted",
            by: Some(by),
            address: address.as_deref(),
            items: keys.iter().map(|key| json!({ "key": key_name(key, prefix) })).collect(),
            details: Some(json!({ "restorable_until": text(*restorable_until) })),
            ..none
        },
        Letter::PasswordChanged { is_reset, address, .. } => NoticeParts {
            kind: "password_changed",
            address: address.as_deref(),
            details: Some(json!({ "reset": is_reset })),
            ..none
        },
        Letter::AddressChanged { address, .. } => {
            NoticeParts { kind: "address_changed", address: address.as_deref(), ..none }
        }
        Letter::MemberJoined { name, email, role, .. } => NoticeParts {
            kind: "member_joined",
            details: Some(json!({ "name": name, "email": email, "role": role })),
            ..none
        },
        Letter::RoleChanged { by, from, to, .. } => NoticeParts {
            kind: "role_changed",
            by: Some(by),
            details: Some(json!({ "from": from, "to": to })),
            ..none
        },
        Letter::FactorsChanged { change, passkey, by, left, address, .. } => NoticeParts {
            kind: "factors_changed",
            by: by.as_deref(),
            address: address.as_deref(),
            details: Some(
                json!({ "change": change, "passkey": passkey, "recovery_codes_left": left }),
            ),
            ..none
        },
        Letter::NewNetwork { address, .. } => {
            NoticeParts { kind: "new_network", address: address.as_deref(), ..none }
        }
        Letter::KeyGenerated { key, expires, address, .. } => NoticeParts {
            kind: "key_generated",
            address: address.as_deref(),
            items: vec![json!({ "key": key_name(key, prefix) })],
            details: Some(json!({ "expires_at": expires.map(text) })),
            ..none
        },
        Letter::Notices { acts, issued, networks, ends, .. } => {
            let lists = [
                ("act", acts),
                ("key_issued", issued),
                ("key_network", networks),
                ("key_end", ends),
            ];
            let (kind, list) = lists.into_iter().find(|(_, list)| !list.items.is_empty())?;
            let NoticeList { items, more } = list;
            let items = items.iter().map(|item| item_of(kind, item, prefix)).collect();
            NoticeParts { kind, items, more: *more, ..none }
        }
        Letter::DeletionCode { .. }
        | Letter::ProofCode { .. }
        | Letter::ResetCode { .. }
        | Letter::MailboxCode { .. }
        | Letter::Invitation { .. }
        | Letter::MemberRemoved { .. } => return None,
    })
}

fn item_of(kind: &str, item: &NoticeItem, prefix: &Prefix) -> Value {
    let NoticeItem { key, act, by, network, at } = item;
    let key = key.as_ref().map(|key| key_name(key, prefix));
    match kind {
        "key_end" => json!({ "key": key, "ends_at": text(*at) }),
        "key_network" => json!({ "key": key, "network": network, "at": text(*at) }),
        "key_issued" => json!({ "key": key, "by": by, "address": network, "at": text(*at) }),
        _ => json!({ "act": act, "by": by, "address": network, "at": text(*at) }),
    }
}

fn key_name(key: &KeyName, prefix: &Prefix) -> Value {
    json!({ "id": key.id, "access_key": access_key(prefix, key.id), "name": key.name })
}
