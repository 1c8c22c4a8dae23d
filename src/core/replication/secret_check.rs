//! Defines the question by which an edge has the secret of an API user checked.
//!
//! The edge has no slow hash and no pepper. It asks the admin Worker at [`PATH`], which counts the
//! try, and asks the name object of the user's name. Either side may be one release older: an
//! unknown reply counts as no answer.
//!
//! A client's request for [`PATH`] must not get an answer, because its body would name any address.
//! So the edge also sends [`ASK_HEADER`], which it removes from every client's request.

use serde::{Deserialize, Serialize};

use crate::base::id::{AccountId, KeyId};
use crate::base::json::{FromJson, Json};
use crate::base::secret::SecretText;
use crate::base::time::UnixMs;
use crate::credential::api_user::{ApiSecretVersion, ApiUserName};
use crate::credential::limits::network::ClientAddress;

/// Path of the admin Worker that checks secrets of API users.
pub const PATH: &str = "/.claviger/api-user";

/// Header that only a question of the edge itself carries.
pub const ASK_HEADER: &str = "claviger-ask";

/// Value of [`ASK_HEADER`] for a question at [`PATH`].
pub const ASK: &str = "api-user";

/// The question: a name and a secret that someone presents for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretCheck {
    /// Name of the API user. The name may be unclaimed.
    pub name: ApiUserName,
    /// The presented secret.
    pub secret: SecretText,
    /// Address of the client, by which tries are counted; `None` if no trustworthy source gives it.
    #[serde(default)]
    pub address: Option<ClientAddress>,
    /// Account of the mail server that asks; `None` for a client of the gateway, and for a mail
    /// server of the operator's. Users of other accounts are refused. Tries count at this account
    /// alone, because its mail server may name any address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<AccountId>,
}

/// A secret that the name object has found right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProvenSecret {
    /// ID of the API user.
    pub id: KeyId,
    /// Name of the API user.
    pub name: ApiUserName,
    /// Version of the secret. Only the user's record says which version counts.
    pub version: ApiSecretVersion,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum SecretCheckReply {
    /// The secret is one that the name object has for the name.
    Matches(ProvenSecret),
    /// The name is unclaimed, or the secret is wrong.
    Refused,
    /// The try was not checked: the rate limit refuses tries of this client, or at this name.
    TooMany {
        /// Time of the next try that is checked, Unix ms.
        until: UnixMs,
    },
}

impl FromJson for SecretCheckReply {
    fn from_json(json: Json) -> Option<Self> {
        let mut members = json.into_members()?;
        Some(match members.take("reply")?.into_text()?.as_str() {
            "matches" => Self::Matches(ProvenSecret {
                id: members.required("id")?,
                name: members.required("name")?,
                version: members.required("version")?,
            }),
            "refused" => Self::Refused,
            "too_many" => Self::TooMany { until: members.required("until")? },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, key_id};

    #[test]
    fn the_messages_are_pinned() {
        let check = SecretCheck {
            name: ApiUserName::parse("app@example.com").unwrap(),
            secret: SecretText::new("abcd1234".into()),
            address: ClientAddress::parse("203.0.113.7"),
            within: None,
        };
        let within = SecretCheck { within: Some(key_id().account()), ..check.clone() };
        assert!(serde_json::to_string(&within).unwrap().ends_with(r#","within":"a1B2c3D4"}"#));
        assert_eq!(
            serde_json::to_string(&check).unwrap(),
            r#"{"name":"app@example.com","secret":"abcd1234","address":"203.0.113.7"}"#
        );
        assert!(!format!("{check:?}").contains("abcd1234"));
        let (name, version) = (check.name, ApiSecretVersion(3));
        for (reply, json) in [
            (
                SecretCheckReply::Matches(ProvenSecret { id: key_id(), name, version }),
                r#"{"reply":"matches","id":"a1B2c3D47Hq0p2Zx9K","name":"app@example.com","version":3}"#,
            ),
            (SecretCheckReply::Refused, r#"{"reply":"refused"}"#),
            (SecretCheckReply::TooMany { until: at(5) }, r#"{"reply":"too_many","until":5}"#),
        ] {
            assert_eq!(serde_json::to_string(&reply).unwrap(), json);
            assert_eq!(SecretCheckReply::parse_json(json), Some(reply));
        }
        for bad in ["", "{}", r#"{"reply":"new"}"#, r#"{"reply":"matches","version":3}"#] {
            assert_eq!(SecretCheckReply::parse_json(bad), None, "{bad}");
        }
    }
}
