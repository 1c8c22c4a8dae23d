//! Mailbox codes, which prove an e-mail address, and the move of a person to another address.
//!
//! A *mailbox code* is mailed to an address before anything else is. Who types it reads that
//! mailbox. The name object of the address stores the code's MAC and mails it.

use core::fmt;

use claviger_core::base::id::{AccountId, MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::account::Email;
use crate::protocol::code::CodePurpose;
use crate::protocol::deletion::MailState;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::identity::Membership;
use crate::protocol::member::{AddressVersion, Language, SecretVersion};
use crate::protocol::zone::Zone;

/// The step that needs a proven address. The names are stored and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxPurpose {
    /// Setting up an account with a set-up link.
    SetUp,
    /// Changing the address of a person who is signed in.
    Change,
}

impl MailboxPurpose {
    /// Returns the stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::Change => "change",
        }
    }

    /// Returns the purpose that the code's MAC is bound to.
    pub fn code(self) -> CodePurpose {
        match self {
            Self::SetUp => CodePurpose::SetUp,
            Self::Change => CodePurpose::NewAddress,
        }
    }
}

/// The person-to-be of a proof. Each has one code at an address, with separate tries and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxSubject {
    /// Step that needs the proof.
    pub purpose: MailboxPurpose,
    /// Account of the set-up link, or the one in which the person is signed in.
    pub account: AccountId,
    /// Owner whom the set-up link creates, or the person's ID in the account.
    pub member: MemberId,
}

/// A mailbox code that the admin Worker has just drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMailboxCode {
    /// Address to prove: the name of the object.
    pub email: Email,
    /// Person-to-be.
    pub subject: MailboxSubject,
    /// ID of the code.
    pub id: TokenId,
    /// MAC of the code, which the object stores ([`crate::protocol::code::Code::mac`]).
    pub mac: Digest,
    /// The code, encrypted, for the code that sends the mail.
    pub sealed: Ciphertext,
    /// Language of the mail.
    pub language: Language,
    /// Time zone of the times in the mail.
    pub zone: Zone,
    /// IP address of the request; `None` if the platform reported none.
    pub address: Option<String>,
}

/// The state of a mailbox code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxCodeState {
    /// Expiry of the code, Unix ms.
    pub until: UnixMs,
    /// Delivery state of its mail.
    pub mail: MailState,
}

/// A change of a person's address that its new mailbox has proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressChange {
    /// ID of the change. A repeated request with it has the same effect as one.
    pub id: TokenId,
    /// New address.
    pub to: Email,
    /// Membership in which the person is signed in.
    pub by: Membership,
    /// Language of the mails about it.
    pub language: Language,
    /// Time zone of the times in these mails.
    pub zone: Zone,
    /// IP address of the request; `None` if the platform reported none.
    pub address: Option<String>,
    /// Time of the change, Unix ms.
    pub at: UnixMs,
}

/// A person on the way from one name object to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonMove {
    /// The change, with the name of the receiving object.
    pub change: AddressChange,
    /// Version of the new address.
    pub address_version: AddressVersion,
    /// Version of the password at the new address. It is higher than the one before, so that
    /// ledgers end the sessions of before.
    pub secret_version: SecretVersion,
    /// Hash of the password.
    pub hash: MovedHash,
    /// All memberships; each is confirmed.
    pub memberships: Vec<MovedMembership>,
}

/// A membership of a person who moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedMembership {
    /// The membership.
    pub membership: Membership,
    /// Time of its last choice, Unix ms.
    pub used_at: UnixMs,
}

/// A stored password hash on its way between two name objects.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MovedHash(String);

impl MovedHash {
    /// Wraps a stored hash.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the stored form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MovedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MovedHash(…)")
    }
}

/// The state of a change of address, as one of the two name objects knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum MoveState {
    /// The object of the old address has not heard from the new one yet, or the new one waits for
    /// the old one to let go.
    UnderWay,
    /// The person has the address of this object.
    Arrived {
        /// Version of the password.
        secret_version: SecretVersion,
        /// Version of the address.
        address_version: AddressVersion,
        /// Number of memberships.
        accounts: u32,
    },
    /// No change is under way here, and the person has another address.
    Nothing,
}

/// The news that a person has another address, for the ledger of one membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressNews {
    /// ID of the member.
    pub member: MemberId,
    /// Present address of the person.
    pub email: Email,
    /// Version of the address.
    pub address_version: AddressVersion,
    /// Version of the present password.
    pub secret_version: SecretVersion,
    /// IP address of the request that changed it; `None` if the platform reported none.
    pub address: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_a_hash_on_its_way() {
        assert_eq!(format!("{:?}", MovedHash::new("$argon2id$".into())), "MovedHash(…)");
    }
}
