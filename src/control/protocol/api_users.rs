//! API users as members see and change them: forms, views, pages, commands and replies.
//!
//! The secret of an API user never comes here. The admin Worker brings it to the name object of the
//! user's name ([`crate::protocol::api_name`]), which numbers it; commands carry that number.

use claviger_core::base::id::KeyId;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::credential::api_user::{ApiSecretVersion, ApiUserGroup, ApiUserName};
use claviger_core::credential::limits::Limits;
use claviger_core::replication::record::{Record, Revision};
use serde::{Deserialize, Serialize};

use crate::protocol::draft::field::{FieldError, TypedNetworks, present};
use crate::protocol::keys::RESTORABLE;
use crate::protocol::member::SecretVersion;
use crate::protocol::zone::Zone;

/// Most API users of an account, deleted ones included for as long as they can be restored. A row
/// has at most some 16 KB (256 networks), so 10,000 take 160 MB of an object's 10 GB. A list counts
/// them all in one pass over the table, some milliseconds, so that its total is always exact.
pub const API_USERS_MAX: u32 = 10_000;

/// Most API users of a page, and the default.
pub const PAGE_API_USERS_MAX: u32 = 50;

/// The fields of an API user, as typed. `None` means not typed: a new user needs most of them, and
/// an edit keeps the present value. Null is refused, except for `not_before`, which it removes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiUserForm {
    /// Name of the user: an e-mail address; required for a new user.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Group: `admin` or `normal`; required for a new user.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `true` if it may view personal data; absent for a new user: `false`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub view_personal_data: Option<bool>,
    /// `true` if it may download personal data; absent for a new user: `false`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub download_personal_data: Option<bool>,
    /// Interfaces: `http`, `smtp`; an empty list grants none; required for a new user.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub interfaces: Option<Vec<String>>,
    /// `true` if it sees the data alone that it sent itself; required for a new user.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub own_data_only: Option<bool>,
    /// Time zone, an IANA name; absent for a new user: that of the account.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Expiry, as for keys; required for a new user.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Begin of validity; `Some(None)` removes it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Option<String>>,
    /// Networks, as for keys; an empty value allows every address; required for a new user.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub networks: Option<TypedNetworks>,
}

/// The state of an API user, tested in the order of the edge's verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiUserStatus {
    /// Deleted, and restorable within the restore period.
    Deleted,
    /// Locked by a member: neither HTTP nor SMTP is accepted.
    Locked,
    /// The operator has suspended the account.
    AccountSuspended,
    /// Its validity has not begun.
    NotYetValid,
    /// Its validity has ended.
    Expired,
    /// None of the above.
    Active,
}

impl ApiUserStatus {
    /// Statuses that a list can be filtered by. The account's suspension concerns all users alike.
    pub const FILTERS: [Self; 5] =
        [Self::Deleted, Self::Locked, Self::NotYetValid, Self::Expired, Self::Active];

    /// Returns the status's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Locked => "locked",
            Self::AccountSuspended => "account_suspended",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Active => "active",
        }
    }

    /// Parses statuses separated by commas; `None` if one of them is no filter.
    pub fn parse_filters(text: &str) -> Option<Vec<Self>> {
        let one = |name: &str| Self::FILTERS.into_iter().find(|status| status.as_str() == name);
        text.split(',').map(one).collect()
    }
}

/// An API user as members see it. Contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiUserView {
    /// ID of the user.
    pub id: KeyId,
    /// Name of the user.
    pub name: ApiUserName,
    /// `true` if it is locked; for a deleted user, if a restore would leave it so.
    pub locked: bool,
    /// `true` if the operator has suspended the account.
    #[serde(default)]
    pub suspended: bool,
    /// Time of its deletion, Unix ms; `None` if it is not deleted.
    #[serde(default)]
    pub deleted_at: Option<UnixMs>,
    /// Group of the user.
    pub group: ApiUserGroup,
    /// `true` if it sees the data alone that it sent itself.
    pub own_data_only: bool,
    /// Time zone of its requests and answers.
    pub zone: Zone,
    /// Limits on its use; its rights over personal data are among the permissions.
    pub limits: Limits,
    /// Version of the secret that counts.
    pub secret: ApiSecretVersion,
    /// Time of its creation, Unix ms.
    pub created_at: UnixMs,
    /// Name of the member who created it.
    pub created_by: String,
    /// Time of its last change, Unix ms.
    pub changed_at: UnixMs,
    /// Name of the member who changed it last.
    pub changed_by: String,
    /// Time of the last accepted request, Unix ms, as the edge has reported.
    #[serde(default)]
    pub last_used_at: Option<UnixMs>,
    /// Revision of its last change.
    pub revision: Revision,
}

impl ApiUserView {
    /// Returns the user's state at `now`.
    pub fn status(&self, now: UnixMs) -> ApiUserStatus {
        if self.deleted_at.is_some() {
            ApiUserStatus::Deleted
        } else if self.locked {
            ApiUserStatus::Locked
        } else if self.suspended {
            ApiUserStatus::AccountSuspended
        } else if self.limits.not_before.is_some_and(|start| now < start) {
            ApiUserStatus::NotYetValid
        } else if self.limits.expires.is_past(now) {
            ApiUserStatus::Expired
        } else {
            ApiUserStatus::Active
        }
    }

    /// Returns the end of the restore period, Unix ms; `None` if the user is not deleted.
    pub fn restorable_until(&self) -> Option<UnixMs> {
        self.deleted_at.map(|at| at.saturating_add(RESTORABLE))
    }
}

/// A sort order of API users. Ties are ordered by ID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApiUserSort {
    /// By time of creation, newest first; the default.
    #[default]
    #[serde(rename = "-created")]
    CreatedDown,
    /// By time of creation, oldest first.
    #[serde(rename = "created")]
    Created,
    /// By name.
    #[serde(rename = "name")]
    Name,
    /// By name, in reverse.
    #[serde(rename = "-name")]
    NameDown,
    /// Least recently changed first.
    #[serde(rename = "changed")]
    Changed,
    /// Most recently changed first.
    #[serde(rename = "-changed")]
    ChangedDown,
    /// Users that were never used first, then the least recently used.
    #[serde(rename = "used")]
    Used,
    /// Most recently used first, users that were never used last.
    #[serde(rename = "-used")]
    UsedDown,
}

impl ApiUserSort {
    /// All orders, for parsing and tests.
    pub const ALL: [Self; 8] = [
        Self::CreatedDown,
        Self::Created,
        Self::Name,
        Self::NameDown,
        Self::Changed,
        Self::ChangedDown,
        Self::Used,
        Self::UsedDown,
    ];

    /// Returns the order's name in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreatedDown => "-created",
            Self::Created => "created",
            Self::Name => "name",
            Self::NameDown => "-name",
            Self::Changed => "changed",
            Self::ChangedDown => "-changed",
            Self::Used => "used",
            Self::UsedDown => "-used",
        }
    }

    /// Parses the order's name in URLs.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

/// A query for a page of API users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiUserListing {
    /// Parts of the name; `None` or blank matches every user.
    #[serde(default)]
    pub q: Option<String>,
    /// Order of the users.
    #[serde(default)]
    pub sort: ApiUserSort,
    /// Statuses of the users; empty: every one but deleted.
    #[serde(default)]
    pub statuses: Vec<ApiUserStatus>,
    /// Cursor of the page before ([`ApiUserPage::next`]).
    #[serde(default)]
    pub cursor: Option<String>,
    /// Most users; [`PAGE_API_USERS_MAX`] is the maximum and the default.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// A page of API users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiUserPage {
    /// Users of this page, in the requested order.
    pub users: Vec<ApiUserView>,
    /// Cursor of the next page; `None` on the last.
    pub next: Option<String>,
    /// Number of users in all pages; always exact.
    pub total: u32,
}

/// Returns the error of a name that another API user has, in this account or another.
pub fn name_taken() -> FieldError {
    let detail = "another API user has this name; a deleted one keeps it for 30 days";
    FieldError::new("name", "taken", detail)
}

/// A command about API users.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum ApiUsersCommand {
    /// Returns a page of API users.
    List(ApiUserListing),
    /// Returns one API user, also a deleted one.
    Get {
        /// ID of the user.
        id: KeyId,
    },
    /// Authorises a creation and checks its form, before the name is claimed. Changes nothing.
    CheckCreation {
        /// The form's fields as typed.
        form: Box<ApiUserForm>,
        /// Idempotency key of the request.
        idempotency_key: String,
    },
    /// Creates an API user whose name the admin Worker has claimed.
    Create {
        /// ID that the admin Worker drew, and that has claimed the name.
        id: KeyId,
        /// The form's fields as typed.
        form: Box<ApiUserForm>,
        /// Version of the secret that was staged with the claim.
        secret: ApiSecretVersion,
        /// Idempotency key: the ledger creates at most one user for it per member.
        idempotency_key: String,
    },
    /// Authorises an edit and checks its form, before a secret is staged or a name claimed. Changes
    /// nothing.
    CheckEdit {
        /// ID of the user.
        id: KeyId,
        /// Revision that the member saw.
        expected: Revision,
        /// The changed fields as typed.
        form: Box<ApiUserForm>,
    },
    /// Changes an API user.
    Edit {
        /// ID of the user.
        id: KeyId,
        /// Revision that the member saw.
        expected: Revision,
        /// The changed fields as typed.
        form: Box<ApiUserForm>,
        /// Version of the secret that was staged: a new secret, or the present one at the object of
        /// a new name. A change of the name needs one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<ApiSecretVersion>,
        /// `true` if that version is another secret than before.
        #[serde(default)]
        is_new_secret: bool,
    },
    /// Locks or unlocks an API user.
    SetLocked {
        /// ID of the user.
        id: KeyId,
        /// Revision that the member saw.
        expected: Revision,
        /// `true` to lock, `false` to unlock.
        locked: bool,
    },
    /// Authorises a deletion, before the member's password is checked. Changes nothing.
    CheckDeletion {
        /// ID of the user.
        id: KeyId,
        /// Revision that the member saw.
        expected: Revision,
    },
    /// Deletes an API user. The name object has just verified the member's password.
    Delete {
        /// ID of the user.
        id: KeyId,
        /// Revision that the member saw.
        expected: Revision,
        /// Version of the password that was verified.
        secret_version: SecretVersion,
        /// `true` if the password is the person's confirmed one.
        #[serde(default)]
        confirmed: bool,
    },
    /// Restores a deleted API user.
    Restore {
        /// ID of the user.
        id: KeyId,
        /// Revision that the member saw.
        expected: Revision,
    },
}

/// The reply to a command about API users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "api_users", rename_all = "snake_case")]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one per request, written as JSON at once; how large it is depends on the target"
)]
pub enum ApiUsersReply {
    /// A page of API users.
    Page(ApiUserPage),
    /// The API user that was asked for, or that a deletion concerns.
    User(ApiUserView),
    /// The form is good.
    Checked {
        /// Name that the user will have.
        name: ApiUserName,
        /// The user before the edit; `None` for a creation.
        #[serde(default)]
        user: Option<ApiUserView>,
    },
    /// A change of an API user was committed.
    Changed {
        /// The user after the change.
        user: ApiUserView,
        /// The user's new record, for the edge's cache.
        record: Record,
        /// Time from which the narrowed rights hold everywhere; `None` if the change narrows
        /// nothing.
        bound: Option<Bound>,
    },
}

/// The reason for which a ledger refused a command about API users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "api_users", rename_all = "snake_case")]
pub enum ApiUsersRefusal {
    /// The user has changed since the member saw it.
    ChangedMeanwhile {
        /// Present state of the user.
        user: Box<ApiUserView>,
    },
    /// The idempotency key was already used for a creation.
    AlreadyCreated {
        /// User that it created; `None` if that user is gone.
        user: Option<Box<ApiUserView>>,
    },
    /// The account has reached its limit of API users.
    TooMany {
        /// Most API users of an account.
        max: u32,
    },
    /// The user is not deleted, so there is nothing to restore.
    NotDeleted,
}

#[cfg(test)]
mod tests {
    use claviger_core::testing::{key_id, limits};

    use super::*;
    use crate::protocol::command::Command;
    use crate::protocol::ledger::{LedgerReply, LedgerRequest};
    use crate::protocol::refusal::Refusal;

    fn view() -> ApiUserView {
        ApiUserView {
            id: key_id(),
            name: ApiUserName::parse("app@example.com").unwrap(),
            locked: false,
            suspended: false,
            deleted_at: None,
            group: ApiUserGroup::Normal,
            own_data_only: true,
            zone: Zone::parse("Asia/Tokyo").unwrap(),
            limits: limits(),
            secret: ApiSecretVersion(3),
            created_at: UnixMs::from_ms(5),
            created_by: "Mei Tanaka".into(),
            changed_at: UnixMs::from_ms(6),
            changed_by: "Ken Sato".into(),
            last_used_at: None,
            revision: Revision(12),
        }
    }

    #[test]
    fn status_is_the_first_reason_by_the_order_of_the_verdicts() {
        use ApiUserStatus::{AccountSuspended, Active, Deleted, Expired, Locked, NotYetValid};
        let at = UnixMs::from_ms;
        let statuses = [
            (true, true, true, 20, 5, Deleted),
            (false, true, true, 20, 5, Locked),
            (false, false, true, 20, 5, AccountSuspended),
            (false, false, false, 11, 10, NotYetValid),
            (false, false, false, 10, 10, Expired),
            (false, false, false, 10, 11, Active),
        ];
        for (deleted, locked, suspended, not_before, expires, expected) in statuses {
            let mut user = ApiUserView { locked, suspended, ..view() };
            user.deleted_at = deleted.then_some(at(1));
            user.limits.not_before = Some(at(not_before));
            user.limits.expires = serde_json::from_str(&expires.to_string()).unwrap();
            assert_eq!(user.status(at(10)), expected);
        }
    }

    #[test]
    fn the_json_of_commands_is_pinned() {
        let (id, expected) = (key_id(), Revision(12));
        let form = || {
            let json = r#"{"name":"app@example.com","interfaces":["http"],"not_before":null}"#;
            serde_json::from_str::<Box<ApiUserForm>>(json).unwrap()
        };
        let (secret, idempotency_key) = (ApiSecretVersion(3), "i-1".to_owned());
        let (secret_version, confirmed) = (SecretVersion(2), true);
        let id_text = r#""id":"a1B2c3D47Hq0p2Zx9K""#;
        let fields = r#""form":{"name":"app@example.com","interfaces":["http"],"not_before":null}"#;
        for (users, json) in [
            (
                ApiUsersCommand::Create {
                    id,
                    form: form(),
                    secret,
                    idempotency_key: idempotency_key.clone(),
                },
                format!(r#""do":"create",{id_text},{fields},"secret":3,"idempotency_key":"i-1""#),
            ),
            (
                ApiUsersCommand::CheckCreation { form: form(), idempotency_key },
                format!(r#""do":"check_creation",{fields},"idempotency_key":"i-1""#),
            ),
            (
                ApiUsersCommand::Edit {
                    id,
                    expected,
                    form: form(),
                    secret: Some(secret),
                    is_new_secret: true,
                },
                format!(
                    r#""do":"edit",{id_text},"expected":12,{fields},"secret":3,"is_new_secret":true"#
                ),
            ),
            (
                ApiUsersCommand::SetLocked { id, expected, locked: true },
                format!(r#""do":"set_locked",{id_text},"expected":12,"locked":true"#),
            ),
            (
                ApiUsersCommand::Delete { id, expected, secret_version, confirmed },
                format!(
                    r#""do":"delete",{id_text},"expected":12,"secret_version":2,"confirmed":true"#
                ),
            ),
            (
                ApiUsersCommand::List(ApiUserListing::default()),
                r#""do":"list","q":null,"sort":"-created","statuses":[],"cursor":null,"limit":null"#
                    .to_owned(),
            ),
        ] {
            let text = serde_json::to_string(&Command::ApiUsers { users }).unwrap();
            assert_eq!(text, format!(r#"{{"do":"api_users","users":{{{json}}}}}"#));
            let read: Command = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
        let name = ApiUserName::parse("app@example.com").unwrap();
        let holds = serde_json::to_string(&LedgerRequest::HoldsApiName { name }).unwrap();
        assert_eq!(holds, r#"{"ask":"holds_api_name","name":"app@example.com"}"#);
    }

    /// A reply that cannot be read back would be no answer.
    #[test]
    fn every_reply_and_refusal_reads_back() {
        let page = ApiUserPage { users: vec![view()], next: None, total: 1 };
        let name = view().name;
        let user = || Box::new(view());
        let held = Some(crate::protocol::api_name::HeldApiName {
            id: key_id(),
            version: ApiSecretVersion(3),
        });
        let refused = |refusal| LedgerReply::Refused(Refusal::ApiUsers(refusal));
        for (reply, begins) in [
            (
                LedgerReply::ApiUsers(ApiUsersReply::Page(page)),
                r#"{"reply":"api_users","api_users":"page","users":["#,
            ),
            (
                LedgerReply::ApiUsers(ApiUsersReply::User(view())),
                r#"{"reply":"api_users","api_users":"user","id":"#,
            ),
            (
                LedgerReply::ApiUsers(ApiUsersReply::Checked { name, user: Some(view()) }),
                r#"{"reply":"api_users","api_users":"checked","name":"app@example.com","user":{"#,
            ),
            (LedgerReply::ApiNameHeld { held }, r#"{"reply":"api_name_held","held":{"id":"#),
            (
                refused(ApiUsersRefusal::ChangedMeanwhile { user: user() }),
                r#"{"reply":"refused","refusal":"api_users","api_users":"changed_meanwhile","user":{"#,
            ),
            (
                refused(ApiUsersRefusal::AlreadyCreated { user: Some(user()) }),
                r#"{"reply":"refused","refusal":"api_users","#,
            ),
            (
                refused(ApiUsersRefusal::TooMany { max: 7 }),
                r#"{"reply":"refused","refusal":"api_users","#,
            ),
            (refused(ApiUsersRefusal::NotDeleted), r#"{"reply":"refused","refusal":"api_users","#),
        ] {
            let text = serde_json::to_string(&reply).unwrap();
            assert!(text.starts_with(begins), "{text}");
            assert_eq!(serde_json::from_str::<LedgerReply>(&text).unwrap(), reply);
        }
    }
}
