//! Messages about members and invitations.
//!
//! An owner invites an address. The mail carries a token ([`crate::protocol::token`]), whose digest
//! the ledger stores. The recipient chooses a password and joins; the admin Worker first claims the
//! address at its name object.

use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::account::Email;
use crate::protocol::deletion::MailState;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::member::{Language, Role};
use crate::protocol::notices::NoticeChanges;
use crate::protocol::zone::Zone;

/// A command about members, their invitations, the own profile or the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum MembersCommand {
    /// Lists the members, and for an owner the invitations.
    List,
    /// Invites an address.
    Invite {
        /// ID of the invitation, drawn by the admin Worker.
        id: TokenId,
        /// ID of the member whom it creates, drawn by the admin Worker.
        member: MemberId,
        /// Address to invite.
        email: Email,
        /// Role of the new member.
        role: Role,
        /// Language of the mail, and of the new member; `None` for the inviter's.
        language: Option<Language>,
        /// The drawn token.
        token: NewInvitation,
    },
    /// Mails an invitation again, with another token, which ends the one before.
    RepeatInvitation {
        /// ID of the invitation.
        id: TokenId,
        /// The drawn token.
        token: NewInvitation,
    },
    /// Ends an invitation.
    WithdrawInvitation {
        /// ID of the invitation.
        id: TokenId,
    },
    /// Changes the role of a member.
    ChangeRole {
        /// ID of the member.
        member: MemberId,
        /// New role.
        role: Role,
        /// Role that the owner saw.
        expected: Role,
    },
    /// Removes a member. The removal of oneself counts as `Leave`.
    Remove {
        /// ID of the member.
        member: MemberId,
    },
    /// Removes the member who gives the command.
    Leave,
    /// Ends all sessions of a member; of one's own, all but the present one.
    EndSessions {
        /// ID of the member.
        member: MemberId,
    },
    /// Changes one's own name or language. `None` keeps a value.
    EditProfile {
        /// New name, already checked.
        name: Option<String>,
        /// New language.
        language: Option<Language>,
    },
    /// Returns one's own switches of notices.
    ShowNotices,
    /// Changes one's own switches of notices.
    EditNotices {
        /// The changes.
        changes: NoticeChanges,
    },
    /// Returns a page of the own past notices.
    ListNotices {
        /// Number of the last notice of the page before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<u32>,
        /// Most notices; `PAGE_NOTICES_MAX` is the maximum and the default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
    },
    /// Marks the own notices up to a number as read.
    ReadNotices {
        /// Number of the last notice that the member has seen.
        until: u32,
    },
    /// Changes the account's name or time zone. `None` keeps a value.
    EditAccount {
        /// New name, already checked.
        name: Option<String>,
        /// New time zone.
        zone: Option<Zone>,
    },
}

/// The token of an invitation, which the admin Worker has just drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewInvitation {
    /// ID within the token.
    pub token: TokenId,
    /// Digest of the token's secret.
    pub digest: Digest,
    /// The whole token, encrypted, for the mail.
    pub sealed: Ciphertext,
}

/// A member in the list of members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberEntry {
    /// ID of the member.
    pub id: MemberId,
    /// Name of the member.
    pub name: String,
    /// Address by which the member signs in.
    pub email: Email,
    /// Role in the account.
    pub role: Role,
    /// Language of the console and mails.
    pub language: Language,
    /// Time at which the member joined, Unix ms.
    pub joined_at: UnixMs,
    /// Time of the last use of the console, to within five minutes, Unix ms; `None` if unknown.
    pub seen_at: Option<UnixMs>,
    /// Number of sessions that have not ended.
    pub sessions: u32,
    /// Number of keys that end with the membership; `None` if keys outlive it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_ending: Option<u32>,
    /// `true` for the member who asks.
    pub you: bool,
    /// `true` if the member has a second factor; `None` unless an owner or the member asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<bool>,
}

/// The members of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberList {
    /// Members in the order in which they joined.
    pub members: Vec<MemberEntry>,
    /// Invitations in the order in which they were made; empty unless an owner asks.
    pub invitations: Vec<InvitationView>,
}

/// An invitation, as owners see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationView {
    /// ID of the invitation.
    pub id: TokenId,
    /// Invited address.
    pub email: Email,
    /// Role of the new member.
    pub role: Role,
    /// Name of the owner who invited.
    pub invited_by: String,
    /// Time of the invitation, Unix ms.
    pub created_at: UnixMs,
    /// End of the present token, Unix ms; it may lie in the past.
    pub expires: UnixMs,
    /// Delivery state of the last mail; `None` once the ledger has removed it, after two days.
    pub mail: Option<MailState>,
}

/// An invitation, as the person sees it who holds its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationOffer {
    /// Name of the account.
    pub account: String,
    /// ID of the member whom the invitation creates.
    pub member: MemberId,
    /// Invited address.
    pub email: Email,
    /// Role of the new member.
    pub role: Role,
    /// Name of the owner who invited.
    pub invited_by: String,
    /// End of the invitation, Unix ms.
    pub expires: UnixMs,
}
