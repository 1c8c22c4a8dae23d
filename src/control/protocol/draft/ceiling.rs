//! Validates the form of a ceiling: the limits of keys that an issuer issues.

use claviger_core::base::time::DurationMs;
use claviger_core::credential::issuer::Ceiling;
use claviger_core::credential::limits::Limits;
use serde::{Deserialize, Serialize};

use super::field::{FieldError, Setting, TypedNetworks, present};
use super::reader::FieldReader;
use crate::protocol::expiry_text::parse_typed_longest;

/// The fields of a ceiling, as typed. `None` means not typed; null is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedCeiling {
    /// Permissions of issued keys.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// Networks of issued keys; an empty value allows every address.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub networks: Option<TypedNetworks>,
    /// Longest lifetime of an issued key, in a form of [`parse_typed_longest`].
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub longest: Option<String>,
}

impl TypedCeiling {
    /// Validates a ceiling. A field that was not typed keeps its value in `before`. Without
    /// `before` all fields are required, since absence never grants. `under` is the member that
    /// holds the ceiling, for error pointers; empty if the ceiling is the whole body.
    ///
    /// # Errors
    /// All errors, in the order of the fields.
    pub fn decide(
        &self,
        before: Option<&Ceiling>,
        under: &str,
        setting: Setting<'_>,
    ) -> Result<Ceiling, Vec<FieldError>> {
        // Reserved permissions get their own error below, for owners too.
        let mut reader = FieldReader::new(Setting { may_grant_reserved: true, ..setting });
        let before = before.cloned();
        let permissions = match (before.as_ref(), &self.permissions) {
            (Some(before), None) => Some(before.permissions.clone()),
            _ => reader.required(
                "permissions",
                self.permissions.as_deref(),
                FieldReader::permissions,
            ),
        };
        let networks = match (before.as_ref(), &self.networks) {
            (Some(before), None) => Some(before.networks.clone()),
            (before, typed) => reader.required("networks", typed.as_ref(), |reader, typed| {
                reader.changed_networks(typed, before.map(|before| &before.networks))
            }),
        };
        let longest = match (before.as_ref(), &self.longest) {
            (Some(before), None) => Some(before.longest),
            _ => reader.required("longest", self.longest.as_deref(), FieldReader::longest),
        };
        if permissions
            .as_ref()
            .is_some_and(claviger_core::credential::limits::permission::Permissions::holds_reserved)
        {
            reader.errors.push(FieldError::new(
                "permissions",
                "never_issued",
                "issued keys never hold Claviger's own powers",
            ));
        }
        match (permissions, networks, longest) {
            (Some(permissions), Some(networks), Some(longest)) if reader.errors.is_empty() => {
                Ok(Ceiling { permissions, networks, longest })
            }
            _ => Err(reader.errors.into_iter().map(|error| error.under(under)).collect()),
        }
    }
}

impl FieldReader<'_> {
    /// Reads a ceiling; `before` is the present one.
    pub fn ceiling(&mut self, typed: &TypedCeiling, before: Option<&Ceiling>) -> Option<Ceiling> {
        let decided = typed.decide(before, "issuable", self.setting);
        decided.map_err(|errors| self.errors.extend(errors)).ok()
    }

    /// Refuses a ceiling on a key with reserved permissions.
    pub fn check_issuer(&mut self, limits: &Limits, ceiling: Option<&Ceiling>) {
        if ceiling.is_some() && limits.permissions.holds_reserved() {
            let detail = "a key with reserved permissions cannot issue keys";
            self.errors.push(FieldError::new("issuable", "reserved", detail));
        }
    }

    fn longest(&mut self, text: &str) -> Option<Option<DurationMs>> {
        parse_typed_longest(text)
            .map_err(|error| self.errors.push(FieldError::of("longest", &error)))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::policy::Policy;
    use crate::protocol::zone::Zone;
    use claviger_core::base::time::UnixMs;
    use claviger_core::credential::limits::network::Networks;

    fn decide(json: &str, before: Option<&Ceiling>, under: &str) -> Result<Ceiling, String> {
        let zone = Zone::utc();
        let policy = &Policy::default();
        let setting = Setting {
            now: UnixMs::from_ms(0),
            zone: &zone,
            may_grant_reserved: true,
            policy,
            created_at: None,
        };
        let typed: TypedCeiling = serde_json::from_str(json).map_err(|error| error.to_string())?;
        typed.decide(before, under, setting).map_err(|errors| {
            errors
                .iter()
                .map(|error| format!("{} {}", error.pointer, error.code))
                .collect::<Vec<_>>()
                .join(", ")
        })
    }

    #[test]
    fn a_new_ceiling_is_written_down_as_a_whole() {
        let all = r#"{"permissions":["demo:read"],"networks":"10.1.2.3/8","longest":"24h"}"#;
        let ceiling = decide(all, None, "").unwrap();
        assert_eq!(
            serde_json::to_string(&ceiling).unwrap(),
            r#"{"permissions":["demo:read"],"networks":["10.0.0.0/8"],"longest":86400000}"#
        );
        for (json, errors) in [
            (
                "{}",
                "#/issuable/permissions required, #/issuable/networks required, #/issuable/longest required",
            ),
            (r#"{"permissions":[],"networks":[],"longest":"1y"}"#, "#/issuable/longest not_a_span"),
            (
                r#"{"permissions":["a"],"networks":["x"],"longest":"0"}"#,
                "#/issuable/permissions not_two_parts, #/issuable/networks word, #/issuable/longest not_a_span",
            ),
            (
                r#"{"permissions":["*:*","claviger:verify"],"networks":[],"longest":"never"}"#,
                "#/issuable/permissions never_issued",
            ),
        ] {
            assert_eq!(decide(json, None, "issuable").unwrap_err(), errors, "{json}");
        }
        assert!(decide(r#"{"longest":null}"#, None, "").is_err(), "a null is no choice");
        assert!(decide(r#"{"life":"1h"}"#, None, "").is_err());
    }

    #[test]
    fn what_was_not_typed_stays() {
        let before = crate::protocol::service_credentials::fresh_ceiling();
        assert_eq!(decide("{}", Some(&before), ""), Ok(before.clone()));
        // A list that no new ceiling may have can be repeated.
        let former = Ceiling {
            networks: Networks::from_stored(["240.0.0.0/4"]).unwrap(),
            longest: Some(DurationMs::from_s(60)),
            ..before.clone()
        };
        for json in ["{}", r#"{"networks":"240.0.0.0/4"}"#, r#"{"permissions":["*:*"]}"#] {
            assert_eq!(decide(json, Some(&former), ""), Ok(former.clone()), "{json}");
        }
        let narrower = decide(r#"{"longest":"1h"}"#, Some(&before), "").unwrap();
        assert_eq!(
            narrower,
            Ceiling { longest: Some(DurationMs::from_s(3_600)), ..before.clone() }
        );
        assert_eq!(
            decide(r#"{"permissions":["claviger:verify"]}"#, Some(&before), ""),
            Err("#/permissions never_issued".into())
        );
    }
}
