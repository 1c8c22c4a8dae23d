//! Parses the forms about members, and reports all their errors at once.

use claviger_core::base::secret::SecretText;

use super::view::field_errors;
use super::{body, form};
use crate::admin::problem::AdminProblem;
use crate::protocol::account::{Email, TextError, check_name, check_password};
use crate::protocol::draft::field::FieldError;
use crate::protocol::member::{Language, Role};
use crate::protocol::zone::Zone;

/// Errors of a form, collected field by field.
#[derive(Default)]
struct FormErrors(Vec<FieldError>);

impl FormErrors {
    fn note(&mut self, field: &str, error: TextError) {
        self.0.push(FieldError::text(field, error));
    }

    fn name(&mut self, name: Option<&str>) {
        if let Some(Err(error)) = name.map(check_name) {
            self.note("name", error);
        }
    }

    fn role(&mut self, field: &str, text: &str) -> Option<Role> {
        let role = Role::parse(text);
        if role.is_none() {
            self.0.push(FieldError::new(field, "not_one_of", "owner, admin or viewer"));
        }
        role
    }

    /// Parses a language; an absent one is `Some(None)`.
    fn language(&mut self, text: Option<&str>) -> Option<Option<Language>> {
        let Some(text) = text else { return Some(None) };
        let language = Language::parse(text);
        if language.is_none() {
            self.0.push(FieldError::new("language", "not_one_of", "en or ja"));
        }
        language.map(Some)
    }

    /// Demands that a change has a member.
    fn demand(&mut self, is_empty: bool, detail: &str) {
        if is_empty {
            let error = FieldError::new("", "required", detail);
            self.0.push(FieldError { pointer: "#".to_owned(), ..error });
        }
    }

    /// Returns the parsed form if there are no errors.
    fn or<T>(self, parsed: Option<T>) -> Result<T, AdminProblem> {
        let errors = self.0;
        parsed
            .filter(|_| errors.is_empty())
            .ok_or_else(|| AdminProblem::Invalid { errors: field_errors(errors) })
    }
}

/// The parsed form of an invitation.
#[derive(Debug, PartialEq, Eq)]
pub struct Invitee {
    /// Address to invite.
    pub email: Email,
    /// Role of the new member.
    pub role: Role,
    /// Language of the new member; `None` for the inviter's.
    pub language: Option<Language>,
}

impl Invitee {
    /// Checks the whole form.
    ///
    /// # Errors
    /// [`AdminProblem::Invalid`] with every field that is wrong.
    pub fn check(form: &body::InvitationForm) -> Result<Self, AdminProblem> {
        let mut errors = FormErrors::default();
        let email = Email::parse(&form.email).map_err(|error| errors.note("email", error)).ok();
        let role = errors.role("role", &form.role);
        let language = errors.language(form.language.as_deref());
        let parsed = email.zip(role).zip(language);
        errors.or(parsed.map(|((email, role), language)| Self { email, role, language }))
    }
}

/// Parses a change of role: the new role, and the one that the owner saw.
///
/// # Errors
/// [`AdminProblem::Invalid`] with every field that is wrong.
pub fn role_change(form: &body::RoleChange) -> Result<(Role, Role), AdminProblem> {
    let mut errors = FormErrors::default();
    let role = errors.role("role", &form.role);
    let expected = errors.role("expected_role", &form.expected_role);
    errors.or(role.zip(expected))
}

/// Parses name and language of a person who joins.
///
/// # Errors
/// [`AdminProblem::Invalid`] with every field that is wrong.
pub fn joiner(
    form: &body::AcceptInvitation,
) -> Result<(Option<String>, Option<Language>), AdminProblem> {
    let mut errors = FormErrors::default();
    errors.name(form.name.as_deref());
    let language = errors.language(form.language.as_deref());
    errors.or(language.map(|language| (form.name.clone(), language)))
}

/// Returns the name of a person who joins: the given one, or else the address's local part.
///
/// # Errors
/// [`AdminProblem::Invalid`] if the local part cannot be a name.
pub fn joining_name(given: Option<String>, email: &Email) -> Result<String, AdminProblem> {
    let mut errors = FormErrors::default();
    let local = email.as_str().split('@').next().unwrap_or_default();
    let name = given.unwrap_or_else(|| local.to_owned());
    errors.name(Some(&name));
    errors.or(Some(name))
}

/// Checks the password of a person who joins. One that the person already has is not judged again.
///
/// # Errors
/// [`AdminProblem::SignInRefused`] for one that cannot be theirs; [`AdminProblem::Invalid`] for an
/// unsuitable new one.
pub fn joining_password(
    password: &SecretText,
    has_password: bool,
    names: &[&str],
) -> Result<(), AdminProblem> {
    if !has_password {
        return form::new_password("password", password, None, names);
    }
    match check_password(password.expose()) {
        Err(TextError::TooLong { .. }) => Err(AdminProblem::SignInRefused),
        _ => Ok(()),
    }
}

/// Parses a change of one's own profile.
///
/// # Errors
/// [`AdminProblem::Invalid`] with every field that is wrong, or if there is none.
pub fn profile(
    form: body::ProfileChanges,
) -> Result<(Option<String>, Option<Language>), AdminProblem> {
    let mut errors = FormErrors::default();
    errors.demand(form.name.is_none() && form.language.is_none(), "give name, language or both");
    errors.name(form.name.as_deref());
    let language = errors.language(form.language.as_deref());
    errors.or(language.map(|language| (form.name, language)))
}

/// Parses a change of the account.
///
/// # Errors
/// [`AdminProblem::Invalid`] with every field that is wrong, or if there is none.
pub fn own_account(
    form: body::OwnAccountChanges,
) -> Result<(Option<String>, Option<Zone>), AdminProblem> {
    let mut errors = FormErrors::default();
    errors.demand(form.name.is_none() && form.time_zone.is_none(), "give name, time_zone or both");
    errors.name(form.name.as_deref());
    let zone = form.time_zone.map(|text| Zone::parse(&text)).transpose().ok();
    if zone.is_none() {
        let detail = "not an IANA time zone such as Asia/Tokyo";
        errors.0.push(FieldError::new("time_zone", "unknown_zone", detail));
    }
    errors.or(zone.map(|zone| (form.name, zone)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::form::tests::codes;
    use claviger_core::base::http::json_body::parse;
    use serde_json::{Value, json};

    fn read<T: serde::de::DeserializeOwned>(form: Value) -> T {
        parse(form.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn an_invitation_names_all_its_errors_at_once() {
        let form = read(json!({ "email": "Ken@Example.jp", "role": "admin", "language": "ja" }));
        let (email, language) = (Email::parse("ken@example.jp").unwrap(), Some(Language::Ja));
        assert_eq!(Invitee::check(&form), Ok(Invitee { email, role: Role::Admin, language }));
        let wrong = read(json!({ "email": "ken", "role": "root", "language": "fr" }));
        assert_eq!(
            codes(Invitee::check(&wrong).unwrap_err()),
            ["#/email not_an_address", "#/role not_one_of", "#/language not_one_of"]
        );
        let wrong = read(json!({ "role": "Owner", "expected_role": "" }));
        assert_eq!(
            codes(role_change(&wrong).unwrap_err()),
            ["#/role not_one_of", "#/expected_role not_one_of"]
        );
    }

    #[test]
    fn a_person_who_gives_no_name_gets_the_local_part_of_the_address() {
        let email = Email::parse("ken.sato@example.jp").unwrap();
        let form = |more: Value| {
            let mut form = json!({ "token": "t", "password": "p" });
            form.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            read(form)
        };
        assert_eq!(joiner(&form(json!({}))), Ok((None, None)));
        assert_eq!(joining_name(None, &email), Ok("ken.sato".into()));
        assert_eq!(
            joiner(&form(json!({ "name": "Ken", "language": "ja" }))),
            Ok((Some("Ken".into()), Some(Language::Ja)))
        );
        assert_eq!(joining_name(Some("Ken".into()), &email), Ok("Ken".into()));
        let wrong = form(json!({ "name": " ", "language": "fr" }));
        assert_eq!(
            codes(joiner(&wrong).unwrap_err()),
            ["#/name required", "#/language not_one_of"]
        );
        let secret =
            Email::parse("a1B2c3D47Hq0p2Zx9Ka1B2c3D47Hq0p2Zx9Ka1B2c3D4@example.jp").unwrap();
        assert_eq!(codes(joining_name(None, &secret).unwrap_err()), ["#/name secret"]);
    }

    /// A person whose password an earlier release accepted must still be able to join.
    #[test]
    fn only_a_new_password_is_judged() {
        let of = |text: &str| SecretText::new(text.into());
        assert_eq!(joining_password(&of("short"), true, &[]), Ok(()));
        assert_eq!(
            codes(joining_password(&of("short"), false, &[]).unwrap_err()),
            ["#/password too_short"]
        );
        let long = of(&"a".repeat(300));
        assert_eq!(joining_password(&long, true, &[]), Err(AdminProblem::SignInRefused));
        assert_eq!(
            codes(joining_password(&long, false, &[]).unwrap_err()),
            ["#/password too_long"]
        );
        let own = of("exampleKK-ken-2026");
        let names = ["Example KK", "Ken Sato", "ken@example.jp"];
        assert_eq!(
            codes(joining_password(&own, false, &names).unwrap_err()),
            ["#/password own_names"]
        );
        assert_eq!(joining_password(&own, true, &names), Ok(()));
    }

    #[test]
    fn a_change_of_profile_or_account_changes_something() {
        assert_eq!(codes(profile(read(json!({}))).unwrap_err()), ["# required"]);
        assert_eq!(codes(own_account(read(json!({}))).unwrap_err()), ["# required"]);
        let form = read(json!({ "name": "Example GK", "time_zone": "Asia/Tokyo" }));
        let zone = Zone::parse("Asia/Tokyo").ok();
        assert_eq!(own_account(form), Ok((Some("Example GK".into()), zone)));
        let wrong = read(json!({ "name": "", "time_zone": "Tokyo" }));
        assert_eq!(
            codes(own_account(wrong).unwrap_err()),
            ["#/name required", "#/time_zone unknown_zone"]
        );
        assert_eq!(profile(read(json!({ "language": "ja" }))), Ok((None, Some(Language::Ja))));
    }
}
