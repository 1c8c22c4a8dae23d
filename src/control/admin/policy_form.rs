//! Parses the form of a policy, and reports all its errors at once.

use super::body;
use super::view::field_errors;
use crate::admin::problem::AdminProblem;
use crate::protocol::draft::field::FieldError;
use crate::protocol::policy::{
    KeyLife, KeysPerMember, LIFE_DAYS_MAX, LIFE_YEARS_MAX, PolicyChanges, Preset,
};
use crate::protocol::proof::{DemandedProof, ProofChanges};

/// Parses a change of a policy.
///
/// # Errors
/// [`AdminProblem::Invalid`] with every field that is wrong, or if the change has no field.
pub fn changes(form: &body::PolicyForm) -> Result<PolicyChanges, AdminProblem> {
    let mut errors = Vec::new();
    let read = PolicyChanges {
        preset: choice(&mut errors, "preset", form.preset.as_deref(), Preset::parse),
        keys_per_member: choice(
            &mut errors,
            "keys_per_member",
            form.keys_per_member.as_deref(),
            KeysPerMember::parse,
        ),
        default_life: life(&mut errors, "default_life", form.default_life.as_deref()),
        longest_life: life(&mut errors, "longest_life", form.longest_life.as_deref()),
        keys_follow_member: form.keys_follow_member,
        viewable_allowed: form.viewable_allowed,
        demands_mfa: form.demands_mfa,
        deletion_by_code: form.deletion_by_code,
        mail_on_generation: form.mail_on_generation,
        proofs: proofs(&mut errors, &form.proofs),
    };
    if errors.is_empty() && read == PolicyChanges::default() {
        let error = FieldError::new("", "required", "name a preset or a field");
        errors.push(FieldError { pointer: "#".to_owned(), ..error });
    }
    match errors.is_empty() {
        true => Ok(read),
        false => Err(AdminProblem::Invalid { errors: field_errors(errors) }),
    }
}

fn choice<T>(
    errors: &mut Vec<FieldError>,
    field: &str,
    typed: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let parsed = typed.and_then(parse);
    if typed.is_some() && parsed.is_none() {
        errors.push(FieldError::new(field, "not_one_of", "not a value of this field"));
    }
    parsed
}

fn proofs(errors: &mut Vec<FieldError>, form: &body::ProofForm) -> ProofChanges {
    let mut demand = |class: &str, typed: &Option<String>| {
        let field = format!("proofs/{class}");
        choice(errors, &field, typed.as_deref(), DemandedProof::parse)
    };
    ProofChanges {
        change_keys: demand("change_keys", &form.change_keys),
        show_secrets: demand("show_secrets", &form.show_secrets),
        change_service: demand("change_service", &form.change_service),
        manage_members: demand("manage_members", &form.manage_members),
        change_account: demand("change_account", &form.change_account),
        operate: demand("operate", &form.operate),
    }
}

fn life(errors: &mut Vec<FieldError>, field: &str, typed: Option<&str>) -> Option<KeyLife> {
    let parsed = typed.and_then(KeyLife::parse);
    if typed.is_some() && parsed.is_none() {
        let detail = "write never, 1 to 3650 days as in 90d, or 1 to 10 years as in 1y";
        let error = FieldError::new(field, "not_a_life", detail);
        errors.push(error.with("days", LIFE_DAYS_MAX).with("years", LIFE_YEARS_MAX));
    }
    parsed
}

#[cfg(test)]
mod tests {
    use claviger_core::base::http::json_body;
    use serde_json::{Value, json};

    use super::*;
    use crate::admin::form::tests::codes;

    fn read(form: Value) -> Result<PolicyChanges, Vec<String>> {
        let form = json_body::parse(form.to_string().as_bytes()).unwrap();
        changes(&form).map_err(codes)
    }

    #[test]
    fn a_policy_is_read_and_every_odd_value_is_named() {
        let changes =
            read(json!({ "preset": "registry", "longest_life": "2y", "demands_mfa": false,
                "proofs": { "show_secrets": "email_code" } }));
        let expected = PolicyChanges {
            preset: Some(Preset::Registry),
            longest_life: Some(KeyLife::Years(2)),
            demands_mfa: Some(false),
            proofs: ProofChanges {
                show_secrets: Some(DemandedProof::EmailCode),
                ..ProofChanges::default()
            },
            ..PolicyChanges::default()
        };
        assert_eq!(changes, Ok(expected));
        for (form, expected) in [
            (json!({}), vec!["# required"]),
            (json!({ "preset": "Portal" }), vec!["#/preset not_one_of"]),
            (
                json!({ "keys_per_member": "1", "default_life": "0d", "longest_life": "11y" }),
                vec![
                    "#/keys_per_member not_one_of",
                    "#/default_life not_a_life",
                    "#/longest_life not_a_life",
                ],
            ),
            (json!({ "longest_life": "" }), vec!["#/longest_life not_a_life"]),
            (json!({ "proofs": {} }), vec!["# required"]),
            (
                json!({ "proofs": { "change_keys": "sms", "operate": "TOTP" } }),
                vec!["#/proofs/change_keys not_one_of", "#/proofs/operate not_one_of"],
            ),
        ] {
            assert_eq!(read(form.clone()).unwrap_err(), expected, "{form}");
        }
        for odd in [
            json!({ "keys": "one" }),
            json!({ "demands_mfa": 1 }),
            json!({ "default_life": 365 }),
            json!({ "longest_life": null, "preset": ["portal"] }),
            json!({ "proofs": { "change_factors": "none" } }),
            json!({ "proofs": "totp" }),
        ] {
            let form = json_body::parse::<body::PolicyForm>(odd.to_string().as_bytes());
            assert!(form.is_err(), "{odd}");
        }
    }
}
