//! Defines the rights over the admin API that a program can hold, one for each class of acts.
//!
//! A key holds such a right as a reserved permission, which only an owner grants. Wildcards do not
//! cover it, and issued or sealed keys never hold it. An API user of the group *Admin* holds the
//! rights over keys by its group.

use crate::credential::api_user::{ApiUser, ApiUserGroup};
use crate::credential::limits::permission::Permission;

/// A right over the admin API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AdminRight {
    /// Reads keys.
    ReadKeys,
    /// Issues keys, and changes those that are there.
    WriteKeys,
    /// Reads the activity of the account.
    ReadActivity,
}

impl AdminRight {
    /// All rights.
    pub const ALL: [Self; 3] = [Self::ReadKeys, Self::WriteKeys, Self::ReadActivity];

    /// Returns the permission by which a key holds the right.
    pub fn permission(self) -> Permission {
        Permission::of_claviger(match self {
            Self::ReadKeys => "keys-read",
            Self::WriteKeys => "keys-write",
            Self::ReadActivity => "activity-read",
        })
    }

    /// Returns `true` if the right lets a program change something.
    pub fn is_write(self) -> bool {
        match self {
            Self::WriteKeys => true,
            Self::ReadKeys | Self::ReadActivity => false,
        }
    }

    /// Returns `true` if an API user holds the right by its group. One that sees its own data alone
    /// holds none.
    pub fn is_held_by(self, user: &ApiUser) -> bool {
        let is_of_group = match self {
            Self::ReadKeys | Self::WriteKeys => user.group == ApiUserGroup::Admin,
            Self::ReadActivity => false,
        };
        is_of_group && !user.own_data_only
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::api_user::{ApiSecretVersion, ApiUserName};
    use crate::credential::limits::permission::Permissions;

    /// Keys and rules of customers name these texts.
    #[test]
    fn permissions_are_pinned_and_reserved() {
        let all = AdminRight::ALL.map(|right| right.permission().to_string());
        assert_eq!(all, ["claviger:keys-read", "claviger:keys-write", "claviger:activity-read"]);
        for right in AdminRight::ALL {
            let permission = right.permission();
            assert!(permission.is_reserved());
            assert_eq!(permission.to_string().parse::<Permission>(), Ok(permission.clone()));
            for wide in ["*:*", "*:keys-read", "*:keys-write", "claviger:verify"] {
                assert!(!Permissions::parse([wide]).unwrap().grants(&permission), "{wide}");
            }
        }
    }

    #[test]
    fn one_right_does_not_hold_another() {
        for held in AdminRight::ALL {
            let text = held.permission().to_string();
            let permissions = Permissions::parse([text.as_str()]).unwrap();
            for right in AdminRight::ALL {
                assert_eq!(permissions.grants(&right.permission()), held == right);
            }
        }
    }

    #[test]
    fn an_api_user_holds_the_rights_over_keys_by_its_group() {
        let user = |group, own_data_only| ApiUser {
            name: ApiUserName::parse("app@example.com").unwrap(),
            secret: ApiSecretVersion(1),
            group,
            own_data_only,
            zone: "UTC".into(),
        };
        for right in AdminRight::ALL {
            let is_over_keys = right != AdminRight::ReadActivity;
            assert_eq!(right.is_held_by(&user(ApiUserGroup::Admin, false)), is_over_keys);
            assert!(!right.is_held_by(&user(ApiUserGroup::Admin, true)));
            assert!(!right.is_held_by(&user(ApiUserGroup::Normal, false)));
        }
    }
}
