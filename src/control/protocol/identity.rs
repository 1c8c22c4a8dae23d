//! A person at one e-mail address: memberships, changes of the password, and sessions.

use claviger_core::base::id::{AccountId, MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::account::Email;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::member::SecretVersion;
use crate::protocol::proof::ProofMethod;

/// Most characters of a stored `User-Agent`.
const AGENT_CHARS_MAX: usize = 256;

/// A membership of a person: one account, and their member ID in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// ID of the account.
    pub account: AccountId,
    /// ID of the person as a member of that account.
    pub member: MemberId,
}

/// The news that a person's password was changed, for the ledger of one membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordNews {
    /// ID of the member.
    pub member: MemberId,
    /// Address of the person; it must still be the member's.
    pub email: Email,
    /// Version of the present password.
    pub secret_version: SecretVersion,
    /// Time of the change, Unix ms.
    pub at: UnixMs,
    /// IP address of the request; `None` if the platform reported none.
    pub address: Option<String>,
    /// `true` if a mailed code reset the password, `false` if the person knew the one before.
    pub is_reset: bool,
    /// `true` for the one ledger that mails the person about it.
    pub mails: bool,
}

/// A mail with the code of a password reset, for the ledger of one membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetMail {
    /// ID of the member.
    pub member: MemberId,
    /// Address of the person; it must still be the member's.
    pub email: Email,
    /// ID of the reset.
    pub reset: TokenId,
    /// Expiry of the code, Unix ms.
    pub until: UnixMs,
    /// IP address of the request; `None` if the platform reported none.
    pub address: Option<String>,
    /// The code, encrypted, for the code that sends the mail.
    pub sealed: Ciphertext,
}

/// A code that was mailed as a proof of identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailedCode {
    /// Address to which it was mailed.
    pub sent_to: Email,
    /// Expiry of the code, Unix ms.
    pub expires: UnixMs,
}

/// A challenge that the admin Worker has just drawn: a sign-in that waits for a second factor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewChallenge {
    /// ID within the token.
    pub id: TokenId,
    /// Digest of the token's secret.
    pub digest: Digest,
}

/// A session that the admin Worker has just drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewSession {
    /// ID of the session.
    pub id: TokenId,
    /// Digest of the session's secret.
    pub digest: Digest,
    /// `User-Agent` of the request ([`stored_agent`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Number of the person's memberships; 1 from an admin Worker of an earlier release.
    #[serde(default = "one")]
    pub accounts: u32,
    /// Time at which the session began that this one continues in another account, Unix ms. A
    /// switch does not prolong a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<UnixMs>,
    /// Challenge that opens in place of the session if the member has a second factor. Without one,
    /// such a member is refused, as a request of an earlier release is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<NewChallenge>,
    /// Factor that the person has just proven in the session that this one continues: at a change
    /// of the password, which ends that session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_by: Option<ProofMethod>,
}

fn one() -> u32 {
    1
}

/// A session, as its member sees it in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEntry {
    /// ID of the session.
    pub id: TokenId,
    /// `true` for the session that asks.
    pub current: bool,
    /// `User-Agent` at its beginning; `None` if there was none, or it began under an earlier
    /// release.
    pub agent: Option<String>,
    /// IP address at its beginning.
    pub address: Option<String>,
    /// IP address of its last use.
    pub last_address: Option<String>,
    /// Time of its beginning, Unix ms.
    pub created_at: UnixMs,
    /// Time of its last use, to within five minutes, Unix ms.
    pub seen_at: UnixMs,
}

/// Returns the part of a `User-Agent` that a ledger stores: at most 256 visible ASCII characters
/// and blanks (RFC 9110 §10.1.5 allows no others).
pub fn stored_agent(header: Option<&str>) -> Option<String> {
    let visible = |sign: &char| matches!(sign, ' '..='~');
    let text: String = header?.chars().filter(visible).take(AGENT_CHARS_MAX).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_stored_as_sent_up_to_its_bound_and_without_invisible_characters() {
        assert_eq!(stored_agent(None), None);
        assert_eq!(stored_agent(Some(" \t ")), None);
        assert_eq!(stored_agent(Some("Mozilla/5.0 (X11)\r\n")), Some("Mozilla/5.0 (X11)".into()));
        assert_eq!(stored_agent(Some("a\u{202e}b\u{7f}é")), Some("ab".into()));
        assert_eq!(stored_agent(Some(&"a".repeat(10_000))).map(|text| text.len()), Some(256));
    }
}
