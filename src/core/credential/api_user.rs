//! Defines the API user: a credential with a name in e-mail form and a secret that a person chose.
//!
//! A secret that people choose can be guessed. So no copy outside the name object holds anything
//! from which a guess could be checked: the record has the secret's version, and the name object
//! says which version a secret has. An API user has the ID of a key, and shares with keys the
//! lease, the record's way to the edge, limits, usage and activity.

use core::fmt;

use serde::Serialize;

use crate::base::email;
use crate::base::json::{FromJson, Json, from_json};
use crate::credential::limits::permission::Permissions;

/// Name of an API user: an e-mail address in lower case. It is unique in the deployment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ApiUserName(String);

impl ApiUserName {
    /// Parses a name, and folds it to lower case. Returns `None` if the text is no e-mail address
    /// of ASCII characters, so that no other spelling in Unicode names the same user.
    pub fn parse(text: &str) -> Option<Self> {
        email::fold(text).map(Self)
    }

    /// Returns the folded name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApiUserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromJson for ApiUserName {
    fn from_json(json: Json) -> Option<Self> {
        Self::parse(&json.into_text()?)
    }
}

from_json!(ApiUserName);

/// The group of an API user, which decides what its requests may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiUserGroup {
    /// May read and change.
    Admin,
    /// May read.
    Normal,
}

impl ApiUserGroup {
    /// Parses the name of a group; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "admin" => Some(Self::Admin),
            "normal" => Some(Self::Normal),
            _ => None,
        }
    }

    /// Returns the name of the group.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Normal => "normal",
        }
    }
}

impl FromJson for ApiUserGroup {
    fn from_json(json: Json) -> Option<Self> {
        Self::parse(&json.into_text()?)
    }
}

from_json!(ApiUserGroup);

/// Resource of the permissions `personal-data:view` and `personal-data:download`. An API user holds
/// them only if they are granted by name; the group decides about all others.
pub const PERSONAL_DATA: &str = "personal-data";

/// A right over personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonalData {
    /// May view personal data.
    View,
    /// May download personal data.
    Download,
}

impl PersonalData {
    /// All rights.
    pub const ALL: [Self; 2] = [Self::View, Self::Download];

    /// Returns the permission by which a user holds the right.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "personal-data:view",
            Self::Download => "personal-data:download",
        }
    }

    /// Returns `true` if these permissions grant the right.
    pub fn is_granted_by(self, held: &Permissions) -> bool {
        // A test holds that the text is a permission. Another text would be granted by nothing.
        self.as_str().parse().is_ok_and(|permission| held.grants(&permission))
    }
}

/// Version of an API user's secret. It rises with each new secret; 0 is no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ApiSecretVersion(pub u64);

from_json!(ApiSecretVersion(_));

/// The settings of an API user, as its record carries them. Its networks, interfaces and end are in
/// the record's limits, and so are its rights over [`PERSONAL_DATA`] as permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiUser {
    /// Name of the user.
    pub name: ApiUserName,
    /// Version of the secret that counts.
    pub secret: ApiSecretVersion,
    /// Group of the user.
    pub group: ApiUserGroup,
    /// `true` if it sees the data alone that it sent itself.
    pub own_data_only: bool,
    /// Time zone of its requests and answers, an IANA name.
    pub zone: String,
}

from_json!(ApiUser {
    name: required,
    secret: required,
    group: required,
    own_data_only: required,
    zone: required,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::limits::permission::Permission;

    #[test]
    fn a_name_is_an_address_in_lower_case() {
        let parsed = |text: &str| ApiUserName::parse(text).map(|name| name.0);
        for text in ["app@example.com", "APP@Example.COM", "App@example.com"] {
            assert_eq!(parsed(text).as_deref(), Some("app@example.com"));
        }
        for bad in [
            "",
            "app",
            "@example.com",
            "app@example",
            "app@@example.com",
            " app@example.com",
            "app@example.com\n",
            "app@example.com\0",
            "a\u{ff50}p@example.com",
            "app\u{ff20}example.com",
            "\u{212a}ey@example.com",
            "a\u{308}@example.com",
        ] {
            assert_eq!(parsed(bad), None, "{bad:?}");
        }
        let long = |local: usize| format!("{}@example.com", "a".repeat(local));
        assert!(parsed(&long(64)).is_some());
        assert_eq!(parsed(&long(65)), None);
        assert_eq!(parsed(&long(100_000)), None);
    }

    /// Records and rules of customers name these texts.
    #[test]
    fn a_right_over_personal_data_is_held_by_its_own_permission() {
        for (right, text) in [
            (PersonalData::View, "personal-data:view"),
            (PersonalData::Download, "personal-data:download"),
        ] {
            assert_eq!(right.as_str(), text);
            assert_eq!(text.parse::<Permission>().unwrap().resource(), PERSONAL_DATA);
            let held = Permissions::parse([text]).unwrap();
            assert!(right.is_granted_by(&held) && !right.is_granted_by(&Permissions::none()));
            let others = PersonalData::ALL.into_iter().filter(|other| *other != right);
            assert!(others.into_iter().all(|other| !other.is_granted_by(&held)), "{text}");
        }
    }

    #[test]
    fn the_json_is_pinned_and_a_missing_setting_is_an_error() {
        let json = r#"{"name":"app@example.com","secret":3,"group":"normal","own_data_only":true,"zone":"Asia/Tokyo"}"#;
        let read = ApiUser::parse_json(json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        for member in ["name", "secret", "group", "own_data_only", "zone"] {
            let without = json.replacen(&format!("\"{member}\""), "\"other\"", 1);
            assert_eq!(ApiUser::parse_json(&without), None, "{member}");
        }
        for group in [ApiUserGroup::Admin, ApiUserGroup::Normal] {
            assert_eq!(ApiUserGroup::parse(group.as_str()), Some(group));
        }
        assert_eq!(ApiUserGroup::parse("owner"), None);
    }
}
