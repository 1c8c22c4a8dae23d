//! The contents of a mail, before it is rendered.
//!
//! The ledger stores an envelope in the same transaction as the change that causes it. It contains
//! every fact that the message names.

use claviger_core::base::id::{AccountId, TokenId};
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::account::Email;
use crate::protocol::encryption::{AssociatedData, Ciphertext, SecretKind};
use crate::protocol::keys::KeyName;
use crate::protocol::mailbox::MailboxPurpose;
use crate::protocol::member::{Language, Role};
use crate::protocol::notices::NoticeList;
use crate::protocol::zone::Zone;

/// The contents of a message. It is stored as JSON, so members are only added, with a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub enum Letter {
    /// Carries the code that confirms a deletion.
    DeletionCode {
        /// ID of the deletion.
        deletion: TokenId,
        /// Name of the account.
        account: String,
        /// Keys to delete.
        keys: Vec<KeyName>,
        /// Expiry of the code, Unix ms.
        until: UnixMs,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Reports that keys were deleted.
    DeletionNotice {
        /// Name of the account.
        account: String,
        /// Keys that were deleted.
        keys: Vec<KeyName>,
        /// Name of the member who deleted them.
        by: String,
        /// IP address of the request; `None` if the platform reported none.
        address: Option<String>,
        /// Time of the deletion, Unix ms.
        at: UnixMs,
        /// Time from which every edge refuses them by T alone, Unix ms. Rendering adds the delays
        /// of `FRESHNESS` and `OUTAGE`.
        bound: UnixMs,
        /// End of the restore period, Unix ms.
        restorable_until: UnixMs,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Carries the code that proves the recipient's identity.
    ProofCode {
        /// ID of the session that the code is for.
        session: TokenId,
        /// Name of the account.
        account: String,
        /// Expiry of the code, Unix ms.
        until: UnixMs,
        /// IP address of the request; `None` if the platform reported none.
        address: Option<String>,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Carries the code that resets a password.
    ResetCode {
        /// ID of the reset.
        reset: TokenId,
        /// Expiry of the code, Unix ms.
        until: UnixMs,
        /// IP address of the request; `None` if the platform reported none.
        address: Option<String>,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Reports that the recipient's password was changed.
    PasswordChanged {
        /// `true` if a mailed code reset it.
        is_reset: bool,
        /// IP address of the request; `None` if the platform reported none.
        address: Option<String>,
        /// Time of the change, Unix ms.
        at: UnixMs,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Carries the code that proves the recipient's address.
    MailboxCode {
        /// ID of the code.
        code: TokenId,
        /// Step that needs the proof.
        purpose: MailboxPurpose,
        /// Expiry of the code, Unix ms.
        until: UnixMs,
        /// IP address of the request; `None` if the platform reported none.
        address: Option<String>,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Reports a change of a person's address.
    AddressChanged {
        /// `true` if the recipient is the old address, which no longer signs the person in.
        is_old: bool,
        /// IP address of the request; `None` if the platform reported none.
        address: Option<String>,
        /// Time of the change, Unix ms.
        at: UnixMs,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Carries the link by which the recipient joins the account.
    Invitation {
        /// ID within the token of the link.
        token: TokenId,
        /// Name of the account.
        account: String,
        /// Name of the owner who invited.
        by: String,
        /// Role of the new member.
        role: Role,
        /// Expiry of the link, Unix ms.
        until: UnixMs,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Reports to an owner that a member joined.
    MemberJoined {
        /// Name of the account.
        account: String,
        /// Name of the new member.
        name: String,
        /// Address of the new member.
        email: Email,
        /// Role of the new member.
        role: Role,
        /// Time of the joining, Unix ms.
        at: UnixMs,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Reports to a member that their role was changed.
    RoleChanged {
        /// Name of the account.
        account: String,
        /// Name of the owner who changed it.
        by: String,
        /// Role before.
        from: Role,
        /// Role after.
        to: Role,
        /// Time of the change, Unix ms.
        at: UnixMs,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Reports a change of the recipient's second factors.
    FactorsChanged {
        /// The change.
        change: FactorChange,
        /// Name of the passkey that it is about; `None` for another factor.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passkey: Option<String>,
        /// Name of the account.
        account: String,
        /// Name of the owner who made it; `None` for the recipient.
        by: Option<String>,
        /// Number of recovery codes that still work.
        left: u32,
        /// IP address of the request; `None` if the platform reported none.
        address: Option<String>,
        /// Time of the change, Unix ms.
        at: UnixMs,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Reports to a member that they were signed in from a new network.
    NewNetwork {
        /// Name of the account.
        account: String,
        /// IP address of the request; `None` if the platform reported none.
        address: Option<String>,
        /// Time of the sign-in, Unix ms.
        at: UnixMs,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Lists events of an account since the last such letter.
    Notices {
        /// Name of the account.
        account: String,
        /// Unusual acts of members.
        #[serde(default)]
        acts: NoticeList,
        /// Keys that members issued.
        #[serde(default)]
        issued: NoticeList,
        /// Keys that were used from new networks.
        #[serde(default)]
        networks: NoticeList,
        /// Keys that end soon.
        #[serde(default)]
        ends: NoticeList,
        /// Time zone of the times in the text.
        zone: Zone,
    },
    /// Reports to a former member that an owner removed them.
    MemberRemoved {
        /// Name of the account.
        account: String,
        /// Name of the owner who removed them.
        by: String,
        /// Time of the removal, Unix ms.
        at: UnixMs,
        /// Time zone of the times in the text.
        zone: Zone,
        /// `true` if the member's keys ended with the membership.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        keys_end: bool,
    },
    /// Confirms to a member that they generated a key.
    KeyGenerated {
        /// Name of the account.
        account: String,
        /// The key.
        key: KeyName,
        /// Expiry of the key, Unix ms; `None` if it has none.
        expires: Option<UnixMs>,
        /// IP address of the request; `None` if the platform reported none.
        address: Option<String>,
        /// Time of the generation, Unix ms.
        at: UnixMs,
        /// Time zone of the times in the text.
        zone: Zone,
    },
}

/// A change of a member's second factors. The names are stored and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorChange {
    /// The first factor was turned on.
    TurnedOn,
    /// The member turned the last one off.
    TurnedOff,
    /// An owner turned off all factors of the member.
    Reset,
    /// The recovery codes were replaced.
    CodesRenewed,
    /// A recovery code was used.
    CodeUsed,
    /// An authenticator app was added to passkeys.
    AppAdded,
    /// The authenticator app was removed, and passkeys stay.
    AppRemoved,
    /// A passkey was added to other factors.
    PasskeyAdded,
    /// A passkey was removed, and other factors stay.
    PasskeyRemoved,
    /// A passkey was refused because someone may have copied it.
    PasskeyCloned,
}

/// A letter to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// ID of the message, unique in the deployment: the idempotency key for mail services. ASCII
    /// without blanks.
    pub id: String,
    /// Account that the letter is about.
    pub account: AccountId,
    /// Address of the recipient.
    pub to: Email,
    /// Language of the text.
    pub language: Language,
    /// Time of the change that caused it, Unix ms.
    pub written_at: UnixMs,
    /// Contents of the message.
    pub letter: Letter,
    /// The encrypted code or token, if the letter carries one.
    pub sealed: Option<Ciphertext>,
}

/// Returns the associated data of a code in a mail. `subject` is the ID of the deletion, reset or
/// session that the code confirms, or of the mailbox code.
pub fn code_associated_data(account: AccountId, subject: &TokenId) -> AssociatedData<'_> {
    AssociatedData { purpose: SecretKind::MailCode, account, subject: subject.as_str() }
}

/// Returns the associated data of an invitation's token, by the ID within it.
pub fn invitation_associated_data(account: AccountId, token: &TokenId) -> AssociatedData<'_> {
    AssociatedData { purpose: SecretKind::Invitation, account, subject: token.as_str() }
}

/// Masks an address for a reader who knows it: `m…@example.jp`.
pub fn masked(email: &Email) -> String {
    let (local, domain) = email.as_str().split_once('@').unwrap_or_default();
    let first: String = local.chars().take(1).collect();
    format!("{first}…@{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_by_its_first_letter() {
        assert_eq!(masked(&Email::parse("mei@example.jp").unwrap()), "m…@example.jp");
    }
}
