//! Response documents of members and invitations.

use claviger_core::base::time::UnixMs;
use serde_json::{Value, json};

use super::parts::text;
use crate::protocol::members::{InvitationOffer, InvitationView, MemberEntry, MemberList};

/// Returns the document of all members and, for an owner, invitations.
pub fn members(list: &MemberList, now: UnixMs) -> Value {
    let members: Vec<Value> = list.members.iter().map(entry).collect();
    let invitations: Vec<Value> = list.invitations.iter().map(invited).collect();
    json!({ "members": members, "invitations": invitations, "now": text(now) })
}

/// Returns the document of a changed member.
pub fn member(member: &MemberEntry, now: UnixMs) -> Value {
    json!({ "member": entry(member), "now": text(now) })
}

/// Returns the document of an invitation that was mailed.
pub fn invitation(view: &InvitationView, now: UnixMs) -> Value {
    json!({ "invitation": invited(view), "now": text(now) })
}

/// Returns the document of an invitation for the person who holds its token. `has_password` is
/// `true` if they enter the password that they have, not a new one.
pub fn invitation_offer(offer: &InvitationOffer, has_password: bool, now: UnixMs) -> Value {
    json!({
        "account": { "name": offer.account },
        "role": offer.role,
        "email": offer.email,
        "invited_by": offer.invited_by,
        "expires_at": text(offer.expires),
        "has_password": has_password,
        "now": text(now),
    })
}

/// Returns a member as the list shows it.
pub fn entry(member: &MemberEntry) -> Value {
    json!({
        "id": member.id,
        "name": member.name,
        "email": member.email,
        "role": member.role,
        "language": member.language,
        "joined_at": text(member.joined_at),
        "seen_at": member.seen_at.map(text),
        "sessions": member.sessions,
        "keys_ending": member.keys_ending,
        "you": member.you,
        "mfa": member.mfa,
    })
}

fn invited(view: &InvitationView) -> Value {
    json!({
        "id": view.id,
        "email": view.email,
        "role": view.role,
        "invited_by": view.invited_by,
        "created_at": text(view.created_at),
        "expires_at": text(view.expires),
        "mail": view.mail,
    })
}
