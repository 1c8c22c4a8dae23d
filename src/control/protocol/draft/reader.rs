//! Reads the fields of a form and collects their errors.

use claviger_core::base::time::UnixMs;
use claviger_core::credential::limits::Limits;
use claviger_core::credential::limits::lifetime::{Expiry, ExpiryError};
use claviger_core::credential::limits::network::{self, Networks};
use claviger_core::credential::limits::permission::{Grant, Permissions};
use serde_json::{Value, json};

use super::field::{FieldError, Setting, TypedNetworks};
use super::notation::{Explanation, explain};
use crate::protocol::account::{TextError, check_name};
use crate::protocol::expiry_text::{Described, parse_not_before};
use crate::protocol::secret_shape::holds_secret;

/// Most refused entries of a list that are reported individually.
pub const PROBLEMS_MAX: usize = network::PROBLEMS_KEPT_MAX;

/// Longest excerpt of typed text in an error, in characters.
const ENTRY_CHARS_MAX: usize = network::ENTRY_CHARS_MAX;

/// The sentence of a text that is no beginning.
const NOT_A_BEGIN: &str = "write a date as in 2027-06-30, a time as in 2027-06-30T14:05:00Z, or a duration as in 90s, 5m, 2h, 100d, 2w";

/// Reads the fields of a form and collects their errors.
pub struct FieldReader<'a> {
    /// The context of validation.
    pub setting: Setting<'a>,
    /// Errors so far, in the order of the fields.
    pub errors: Vec<FieldError>,
}

impl<'a> FieldReader<'a> {
    /// Returns a reader without errors.
    pub fn new(setting: Setting<'a>) -> Self {
        Self { setting, errors: Vec::new() }
    }

    /// Reads a field that must have been typed.
    pub fn required<T: ?Sized, U>(
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

    /// Reads a name.
    pub fn name(&mut self, text: &str) -> Option<String> {
        check_name(text).map_err(|error| self.errors.push(FieldError::text("name", error))).ok()?;
        Some(text.to_owned())
    }

    /// Reads an expiry.
    pub fn expires(&mut self, text: &str) -> Option<Expiry> {
        self.described(text).map(|described| described.expiry())
    }

    /// Reads an expiry and how it was typed.
    pub fn described(&mut self, text: &str) -> Option<Described> {
        match Described::parse(text, self.setting.now, self.setting.zone) {
            Ok(described) => self.is_within_policy(described.expiry()).then_some(described),
            Err(error) => self.refuse_time("expires", error),
        }
    }

    /// Returns `true` if the account's policy allows this expiry, otherwise adds an error.
    fn is_within_policy(&mut self, expires: Expiry) -> bool {
        let Setting { now, zone, policy, created_at, .. } = self.setting;
        let Some(longest) = policy.longest_life.end(created_at.unwrap_or(now), zone) else {
            return true;
        };
        if expires.at().is_some_and(|at| at <= longest) {
            return true;
        }
        let detail = "the account's policy does not let a key live so long";
        let max = longest.to_rfc3339().map_or(Value::Null, |text| json!(text));
        self.errors
            .push(FieldError::new("expires", "too_long_for_policy", detail).with("max", max));
        false
    }

    /// Refuses a viewable key if the account's policy allows none.
    pub fn check_viewable(&mut self, typed: Option<bool>) {
        if typed == Some(true) && !self.setting.policy.viewable_allowed {
            let detail = "the account's policy does not let a key be shown again";
            self.errors.push(FieldError::new("viewable", "not_allowed", detail));
        }
    }

    /// Reads the expiry of an edited key. The present one, `before`, may be repeated although it
    /// has passed.
    pub fn changed_expires(&mut self, text: &str, before: Expiry) -> Option<Expiry> {
        match Described::parse(text, self.setting.now, self.setting.zone) {
            Ok(described) if described.expiry() == before => Some(before),
            Ok(described) => {
                let expires = described.expiry();
                self.is_within_policy(expires).then_some(expires)
            }
            Err(ExpiryError::InThePast { at }) if Expiry::At(at) == before => Some(before),
            Err(error) => self.refuse_time("expires", error),
        }
    }

    /// Reads the end of an overlap for a key with these limits. It is cut to the key's own expiry:
    /// an overlap prolongs nothing.
    pub fn overlap(&mut self, text: &str, limits: &Limits) -> Option<UnixMs> {
        let (now, field) = (self.setting.now, "overlap");
        let refused = |code: &str, detail: &str| FieldError::new(field, code, detail);
        if limits.expires.is_past(now) {
            self.errors.push(refused("expired", "the key has expired, so nothing overlaps"));
            return None;
        }
        let end = match Described::parse(text, now, self.setting.zone) {
            Ok(described) => described.expiry(),
            Err(error) => return self.refuse_time(field, error),
        };
        let Some(end) = end.at() else {
            self.errors.push(refused("endless", "an overlap needs an end"));
            return None;
        };
        let end = limits.expires.at().map_or(end, |own| own.min(end));
        if limits.not_before.is_some_and(|begin| begin >= end) {
            self.errors.push(refused("before_begin", "the key begins later"));
            return None;
        }
        Some(end)
    }

    /// Reads the begin of validity.
    pub fn not_before(&mut self, text: &str) -> Option<UnixMs> {
        match parse_not_before(text, self.setting.now, self.setting.zone) {
            Ok(at) => Some(at),
            Err(error) => self.refuse_time("not_before", error),
        }
    }

    /// Refuses a begin of validity after the expiry.
    pub fn check_begin(&mut self, not_before: Option<UnixMs>, expires: Expiry) {
        if let Some(Err(error)) = not_before.map(|at| expires.check_begin(at)) {
            self.refuse_time::<()>("not_before", error);
        }
    }

    /// Reads networks, and adds their first errors.
    pub fn networks(&mut self, typed: &TypedNetworks) -> Option<Networks> {
        let checked = typed.read();
        for (index, entry) in checked.entries.iter().enumerate() {
            if let Some(Explanation { code, params, detail }) = explain(&checked.entries, index) {
                let error = if holds_secret(&entry.text) {
                    FieldError::text("networks", TextError::Secret)
                } else {
                    FieldError { params, ..FieldError::new("networks", &code, detail) }
                        .with("entry", entry.text.as_str())
                };
                self.errors.push(error.with("line", entry.line));
            }
        }
        if let Some(problem) = &checked.problem {
            self.errors.push(FieldError::of("networks", problem));
        }
        Networks::try_from(&checked).ok()
    }

    /// Reads the networks of an edit. The present ones, `before`, may be repeated although no new
    /// list may hold them.
    pub fn changed_networks(
        &mut self,
        typed: &TypedNetworks,
        before: Option<&Networks>,
    ) -> Option<Networks> {
        match before.filter(|before| typed.repeats(before)) {
            Some(before) => Some(before.clone()),
            None => self.networks(typed),
        }
    }

    /// Reads networks that are tried on a key, whose present ones are `before`.
    pub fn observed(&mut self, typed: &TypedNetworks, before: &Networks) -> Option<Networks> {
        let known = self.errors.len();
        let read = self.changed_networks(typed, Some(before));
        for error in self.errors.iter_mut().skip(known) {
            error.pointer = error.pointer.replacen("#/networks", "#/networks_observed", 1);
        }
        read
    }

    /// Reads the permissions of an edit. The present ones, `before`, may be repeated although the
    /// member could not grant them.
    pub fn changed_permissions(
        &mut self,
        typed: &[String],
        before: &Permissions,
    ) -> Option<Permissions> {
        match Permissions::parse(typed.iter().map(String::as_str)) {
            Ok(permissions) if permissions == *before => Some(permissions),
            _ => self.permissions(typed),
        }
    }

    /// Reads permissions, and adds an error for each that is refused.
    pub fn permissions(&mut self, typed: &[String]) -> Option<Permissions> {
        let refused: Vec<_> =
            typed.iter().filter_map(|text| self.refuse_grant(text)).take(PROBLEMS_MAX).collect();
        if !refused.is_empty() {
            self.errors.extend(refused);
            return None;
        }
        let read = Permissions::parse(typed.iter().map(String::as_str));
        // Each permission was checked above, so this can only fail for the length of the list.
        read.map_err(|error| self.errors.push(FieldError::of("permissions", &error))).ok()
    }

    /// Returns the new protection; `was` is the present one. Only an owner may change it.
    pub fn protected(&mut self, typed: Option<bool>, was: bool) -> bool {
        let wanted = typed.unwrap_or(was);
        if wanted != was && !self.setting.may_grant_reserved {
            let detail = "only an owner may change the protection of a key";
            self.errors.push(FieldError::new("protected", "owner_only", detail));
        }
        wanted
    }

    fn refuse_grant(&self, text: &str) -> Option<FieldError> {
        if holds_secret(text) {
            return Some(FieldError::text("permissions", TextError::Secret));
        }
        let error = match text.parse::<Grant>() {
            Ok(grant) if grant.is_reserved() && !self.setting.may_grant_reserved => {
                FieldError::new(
                    "permissions",
                    "owner_only",
                    "only an owner may grant this permission",
                )
            }
            Ok(_) => return None,
            Err(error) => FieldError::of("permissions", &error),
        };
        Some(error.with("entry", text.chars().take(ENTRY_CHARS_MAX).collect::<String>()))
    }

    /// Adds an error about a time. Instants have the form of the whole API: RFC 3339 in UTC.
    fn refuse_time<T>(&mut self, field: &str, error: ExpiryError) -> Option<T> {
        let mut refused = FieldError::of(field, &error);
        if field == "not_before" && error == ExpiryError::NotATime {
            // There is no beginning that never comes.
            refused.detail = NOT_A_BEGIN.to_owned();
        }
        let instant = |at: UnixMs| at.to_rfc3339().map_or(Value::Null, |text| json!(text));
        self.errors.push(match error {
            ExpiryError::InThePast { at }
            | ExpiryError::BeginsAfterEnd { at }
            | ExpiryError::LooksLikeUnixTime { at } => refused.with("at", instant(at)),
            ExpiryError::TooFar { max } => refused.with("max", instant(max)),
            ExpiryError::Empty
            | ExpiryError::TooLong { .. }
            | ExpiryError::NotATime
            | ExpiryError::LooksLikeDate
            | ExpiryError::BlankForPlus
            | ExpiryError::NoSuchDay
            | ExpiryError::NoSuchTime
            | ExpiryError::NoSuchOffset
            | ExpiryError::ZeroDuration => refused,
        });
        None
    }
}
