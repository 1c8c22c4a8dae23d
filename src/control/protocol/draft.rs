//! What was typed for a key, and the decision over it: a name and limits, or every reason against
//! at once.
//!
//! Absence never grants. An issue that leaves out expiry or networks is refused; `never` and the
//! empty list are choices that someone must write down. An edit that leaves something out keeps it.

mod ceiling;
pub mod preview;

use std::borrow::Cow;

use claviger_core::base::id::KeyId;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::Ceiling;
use claviger_core::credential::limits::lifetime::{Expiry, ExpiryError};
use claviger_core::credential::limits::network::{NetworkError, Networks, parse_lines};
use claviger_core::credential::limits::permission::{Grant, Permissions};
use claviger_core::credential::limits::{Interface, Limits, network};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

pub use self::ceiling::TypedCeiling;
use crate::protocol::account::{TextError, check_name};
pub use crate::protocol::draft::preview::{
    CeilingNote, Checked, ExpiryForm, ExpiryNote, LineNote, NetworksNote,
};
use crate::protocol::expiry_text::{Described, parse_not_before};
use crate::protocol::zone::Zone;

/// Most refused entries of a list that are reported one by one.
pub const PROBLEMS_MAX: usize = network::PROBLEMS_KEPT_MAX;

/// Longest piece of what was typed that an error repeats, in characters.
const ENTRY_CHARS_MAX: usize = network::ENTRY_CHARS_MAX;

/// What was typed for a new key. What is `None` was not typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The end, in a form of [`claviger_core::credential::limits::lifetime`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The beginning; absent or null: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// The networks; empty: from anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<TypedNetworks>,
    /// The permissions; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// How far it may issue keys itself; absent or null: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuable: Option<TypedCeiling>,
    /// Whether its secret may be shown again; absent or null: no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewable: Option<bool>,
    /// The key that is edited, when this is to be checked for that: no member of an issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// Whether it is protected from deletion; absent: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
}

/// What was typed to change a key. What is `None` stays as it is; a null is refused, except for
/// `not_before` and `issuable`, which it lifts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// The name.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The end.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The beginning; `Some(None)` lifts it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Option<String>>,
    /// The networks.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub networks: Option<TypedNetworks>,
    /// The permissions.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// How far it may issue keys itself; `Some(None)` ends that, and what it issued.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub issuable: Option<Option<TypedCeiling>>,
    /// Whether it is protected from deletion.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
}

/// Reads a member that is there, so that only a member that is absent becomes `None`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Networks as they were typed: one text, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TypedNetworks {
    /// Entries apart by blanks, commas or line ends. Blanks alone are no entry; commas alone are
    /// refused.
    Text(String),
    /// Such texts. Only an empty list has no entry; one of empty texts is refused.
    List(Vec<String>),
}

impl TypedNetworks {
    fn read(&self) -> network::Checked {
        let (text, is_empty) = match self {
            Self::Text(text) => (Cow::Borrowed(text.as_str()), text.trim().is_empty()),
            Self::List(entries) => (Cow::Owned(entries.join("\n")), entries.is_empty()),
        };
        let mut read = parse_lines(&text);
        // What is left of a list whose entries got lost does not stand for anywhere.
        if read.count == 0 && !is_empty {
            read.problem.get_or_insert(NetworkError::NotAnAddress);
        }
        read
    }
}

/// Why a value was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// JSON pointer of the value, such as `#/networks`.
    pub pointer: String,
    /// The stable code.
    pub code: String,
    /// The English sentence.
    pub detail: String,
    /// What the sentence names (`max`, `line`, `entry`, …), for other languages.
    #[serde(flatten)]
    pub params: Map<String, Value>,
}

impl FieldError {
    /// An error without parameters.
    pub fn new(field: &str, code: &str, detail: impl ToString) -> Self {
        let (pointer, code) = (format!("#/{field}"), code.to_owned());
        Self { pointer, code, detail: detail.to_string(), params: Map::new() }
    }

    /// The error of a name, address or password.
    pub fn text(field: &str, error: TextError) -> Self {
        let refused = Self::new(field, error.code(), error);
        match error {
            TextError::TooLong { max } => refused.with("max", max),
            TextError::TooShort { min } => refused.with("min", min),
            TextError::Required | TextError::ControlCharacter | TextError::NotAnAddress => refused,
        }
    }

    /// The error of a parser, whose JSON is its code and parameters.
    fn of(field: &str, error: &(impl Serialize + core::fmt::Display)) -> Self {
        let (code, params) = code_and_params(error);
        Self { params, ..Self::new(field, &code, error) }
    }

    /// The same with a parameter of its sentence.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }
}

/// Takes `{"code": …, …}` apart.
fn code_and_params(error: &impl Serialize) -> (String, Map<String, Value>) {
    let mut params = match serde_json::to_value(error) {
        Ok(Value::Object(params)) => params,
        _ => Map::new(),
    };
    let code = params.remove("code").and_then(|code| code.as_str().map(str::to_owned));
    (code.unwrap_or_else(|| "invalid".to_owned()), params)
}

/// What a decision depends on beside what was typed.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The present.
    pub now: UnixMs,
    /// The account's zone.
    pub zone: &'a Zone,
    /// Whether who typed it is an owner, who alone grants reserved permissions and protects keys.
    pub may_grant_reserved: bool,
}

/// What a key is called and may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The name.
    pub name: String,
    /// The limits.
    pub limits: Limits,
    /// How far it may issue keys itself; `None`: not at all.
    pub ceiling: Option<Ceiling>,
    /// Whether it is protected from deletion.
    pub protected: bool,
}

/// Decides over a new key.
///
/// # Errors
/// Every reason against it, in the order of the fields.
pub fn decide_issue(draft: &Draft, setting: Setting<'_>) -> Result<Decided, Vec<FieldError>> {
    let mut desk = Desk { setting, errors: Vec::new() };
    if draft.key.is_some() {
        desk.errors.push(FieldError::new(
            "key",
            "not_allowed",
            "a new key is no key that is edited",
        ));
    }
    let name = desk.required("name", draft.name.as_deref(), Desk::name);
    let expires = desk.required("expires", draft.expires.as_deref(), Desk::expires);
    let not_before = draft.not_before.as_deref().map(|text| desk.not_before(text));
    let networks = desk.required("networks", draft.networks.as_ref(), Desk::networks);
    let permissions = desk.required("permissions", draft.permissions.as_deref(), Desk::permissions);
    let ceiling = draft.issuable.as_ref().and_then(|typed| desk.ceiling(typed, None));
    let protected = desk.protected(draft.protected, false);
    let (Some(name), Some(expires), Some(networks), Some(permissions)) =
        (name, expires, networks, permissions)
    else {
        return Err(desk.errors);
    };
    let not_before = not_before.flatten();
    desk.check_begin(not_before, expires);
    let interfaces = vec![Interface::Http];
    let limits = Limits { not_before, expires, networks, interfaces, permissions };
    desk.check_issuer(&limits, ceiling.as_ref());
    desk.done(Decided { name, limits, ceiling, protected })
}

/// Decides over a changed key, which is `before` now.
///
/// # Errors
/// Every reason against it, in the order of the fields.
pub fn decide_edit(
    changes: &Changes,
    before: Decided,
    setting: Setting<'_>,
) -> Result<Decided, Vec<FieldError>> {
    let mut desk = Desk { setting, errors: Vec::new() };
    let mut after = before;
    let limits = &mut after.limits;
    if let Some(name) = changes.name.as_deref().and_then(|text| desk.name(text)) {
        after.name = name;
    }
    if let Some(expires) = changes.expires.as_deref().and_then(|text| desk.expires(text)) {
        limits.expires = expires;
    }
    if let Some(typed) = &changes.not_before {
        limits.not_before = typed.as_deref().and_then(|text| desk.not_before(text));
    }
    if let Some(networks) = changes.networks.as_ref().and_then(|typed| desk.networks(typed)) {
        limits.networks = networks;
    }
    if let Some(permissions) =
        changes.permissions.as_deref().and_then(|typed| desk.permissions(typed))
    {
        limits.permissions = permissions;
    }
    after.protected = desk.protected(changes.protected, after.protected);
    let limits = &after.limits;
    if changes.expires.is_some() || changes.not_before.is_some() {
        desk.check_begin(limits.not_before, limits.expires);
    }
    if let Some(typed) = &changes.issuable {
        after.ceiling =
            typed.as_ref().and_then(|typed| desk.ceiling(typed, after.ceiling.as_ref()));
    }
    if changes.permissions.is_some() || changes.issuable.is_some() {
        desk.check_issuer(&after.limits, after.ceiling.as_ref());
    }
    desk.done(after)
}

/// Reads fields and gathers what is wrong with them.
struct Desk<'a> {
    setting: Setting<'a>,
    errors: Vec<FieldError>,
}

impl Desk<'_> {
    fn required<T: ?Sized, U>(
        &mut self,
        field: &str,
        typed: Option<&T>,
        read: impl FnOnce(&mut Self, &T) -> Option<U>,
    ) -> Option<U> {
        if typed.is_none() {
            self.errors.push(FieldError::new(
                field,
                TextError::Required.code(),
                TextError::Required,
            ));
        }
        read(self, typed?)
    }

    fn name(&mut self, text: &str) -> Option<String> {
        check_name(text).map_err(|error| self.errors.push(FieldError::text("name", error))).ok()?;
        Some(text.to_owned())
    }

    fn expires(&mut self, text: &str) -> Option<Expiry> {
        self.described(text).map(|described| described.expiry())
    }

    fn described(&mut self, text: &str) -> Option<Described> {
        match Described::parse(text, self.setting.now, self.setting.zone) {
            Ok(described) => Some(described),
            Err(error) => self.refuse_time("expires", error),
        }
    }

    fn not_before(&mut self, text: &str) -> Option<UnixMs> {
        match parse_not_before(text, self.setting.now, self.setting.zone) {
            Ok(at) => Some(at),
            Err(error) => self.refuse_time("not_before", error),
        }
    }

    fn check_begin(&mut self, not_before: Option<UnixMs>, expires: Expiry) {
        if let Some(Err(error)) = not_before.map(|at| expires.check_begin(at)) {
            self.refuse_time::<()>("not_before", error);
        }
    }

    fn networks(&mut self, typed: &TypedNetworks) -> Option<Networks> {
        let checked = typed.read();
        for entry in &checked.entries {
            if let network::Outcome::Refused { problem } = &entry.outcome {
                let error = FieldError::of("networks", problem);
                self.errors.push(error.with("line", entry.line).with("entry", entry.text.as_str()));
            }
        }
        if let Some(problem) = &checked.problem {
            self.errors.push(FieldError::of("networks", problem));
        }
        Networks::try_from(&checked).ok()
    }

    fn permissions(&mut self, typed: &[String]) -> Option<Permissions> {
        let refused: Vec<_> =
            typed.iter().filter_map(|text| self.refuse_grant(text)).take(PROBLEMS_MAX).collect();
        if !refused.is_empty() {
            self.errors.extend(refused);
            return None;
        }
        let read = Permissions::parse(typed.iter().map(String::as_str));
        // Every grant of it has been read, so only the length of the list is left to refuse.
        read.map_err(|error| self.errors.push(FieldError::of("permissions", &error))).ok()
    }

    fn ceiling(&mut self, typed: &TypedCeiling, before: Option<&Ceiling>) -> Option<Ceiling> {
        let decided = typed.decide(before, "issuable", self.setting);
        decided.map_err(|errors| self.errors.extend(errors)).ok()
    }

    /// Whether a key of these limits may have this ceiling.
    fn check_issuer(&mut self, limits: &Limits, ceiling: Option<&Ceiling>) {
        if ceiling.is_some() && limits.permissions.holds_reserved() {
            let detail = "a key that holds Claviger's own powers cannot issue";
            self.errors.push(FieldError::new("issuable", "reserved", detail));
        }
    }

    /// Whether the key is protected; it `was` so before.
    fn protected(&mut self, typed: Option<bool>, was: bool) -> bool {
        let wanted = typed.unwrap_or(was);
        if wanted != was && !self.setting.may_grant_reserved {
            let detail = "only an owner protects a key, or lifts its protection";
            self.errors.push(FieldError::new("protected", "owner_only", detail));
        }
        wanted
    }

    fn refuse_grant(&self, text: &str) -> Option<FieldError> {
        let error = match text.parse::<Grant>() {
            Ok(grant) if grant.is_reserved() && !self.setting.may_grant_reserved => {
                FieldError::new("permissions", "owner_only", "only an owner grants this permission")
            }
            Ok(_) => return None,
            Err(error) => FieldError::of("permissions", &error),
        };
        Some(error.with("entry", text.chars().take(ENTRY_CHARS_MAX).collect::<String>()))
    }

    /// Refuses a time. Instants are told as everywhere in the interface: RFC 3339 in UTC.
    fn refuse_time<T>(&mut self, field: &str, error: ExpiryError) -> Option<T> {
        let refused = FieldError::of(field, &error);
        let told = |at: UnixMs| at.to_rfc3339().map_or(Value::Null, |text| json!(text));
        self.errors.push(match error {
            ExpiryError::InThePast { at } | ExpiryError::BeginsAfterEnd { at } => {
                refused.with("at", told(at))
            }
            ExpiryError::TooFar { max } => refused.with("max", told(max)),
            ExpiryError::Empty
            | ExpiryError::TooLong { .. }
            | ExpiryError::NotATime
            | ExpiryError::NoSuchDay
            | ExpiryError::NoSuchTime => refused,
        });
        None
    }

    fn done(self, decided: Decided) -> Result<Decided, Vec<FieldError>> {
        if self.errors.is_empty() { Ok(decided) } else { Err(self.errors) }
    }
}

#[cfg(test)]
mod tests;
