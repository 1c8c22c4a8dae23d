//! Parses forms and query strings, and reports all their errors at once.

use claviger_core::base::id::KeyId;
use claviger_core::base::secret::SecretText;
use claviger_core::replication::refresh::FRESHNESS_MS_MAX;

use super::body;
use super::view::field_errors;
use crate::admin::problem::AdminProblem;
use crate::protocol::account::{Email, TextError, check_name};
use crate::protocol::activity;
use crate::protocol::activity::PAGE_ENTRIES_MAX;
use crate::protocol::activity::export::Format;
use crate::protocol::code::{Code, CodePurpose};
use crate::protocol::draft::field::FieldError;
use crate::protocol::key_filter::{ExpiryFilter, IssuerFilter, UseFilter, parse_statuses};
use crate::protocol::keys::{
    Deleted, Listing, PAGE_KEYS_MAX, QUERY_CHARS_MAX, Sort, check_deletion,
};
use crate::protocol::member::Language;
use crate::protocol::notice_list::PAGE_NOTICES_MAX;
use crate::protocol::objects::DirectoryRequest;
use crate::protocol::operator::{AccountStatus, EntryCursor};
use crate::protocol::password_rules::check_new_password;
use crate::protocol::password_text::prepared;
use crate::protocol::secret_shape::holds_secret;
use crate::protocol::zone::Zone;

/// The parsed parts of a set-up form.
#[derive(Debug)]
pub struct Owner {
    /// E-mail address of the owner.
    pub email: Email,
    /// Time zone of the account.
    pub zone: Zone,
    /// Language of the owner.
    pub language: Language,
    /// Error of the password as a new one. A person who has a password types the present one, to
    /// which rules of today do not apply.
    password: Option<TextError>,
}

impl Owner {
    /// Checks the whole form. A password that cannot be a new one is no error by itself
    /// ([`Self::judge_password`]).
    ///
    /// # Errors
    /// [`AdminProblem::Invalid`] with every field that is wrong.
    pub fn check(form: &body::SetUp) -> Result<Self, AdminProblem> {
        let mut errors = Vec::new();
        let mut note = |field: &str, error: TextError| errors.push(FieldError::text(field, error));
        if let Err(error) = check_name(&form.account_name) {
            note("account_name", error);
        }
        if let Err(error) = check_name(&form.name) {
            note("name", error);
        }
        let names = [form.name.as_str(), &form.account_name, &form.email];
        let password = check_new_password(form.password.expose(), &names).err();
        if let Some(error) = password {
            note("password", error);
        }
        let email = Email::parse(&form.email).map_err(|error| note("email", error)).ok();
        let zone = Zone::parse(&form.time_zone).ok();
        if zone.is_none() {
            errors.push(FieldError::new(
                "time_zone",
                "unknown_zone",
                "not an IANA time zone such as Asia/Tokyo",
            ));
        }
        let language = Language::parse(&form.language);
        if language.is_none() {
            errors.push(FieldError::new("language", "not_one_of", "en or ja"));
        }
        let is_rest_good = errors.len() == usize::from(password.is_some());
        match (email, zone, language) {
            (Some(email), Some(zone), Some(language)) if is_rest_good => {
                Ok(Self { email, zone, language, password })
            }
            _ => Err(AdminProblem::Invalid { errors: field_errors(errors) }),
        }
    }

    /// Returns `true` if the password cannot be a new one: then it must be the present one.
    pub fn needs_present_password(&self) -> bool {
        self.password.is_some()
    }

    /// Checks the password of a person who has none yet.
    ///
    /// # Errors
    /// [`AdminProblem::Invalid`] with the error of the password.
    pub fn judge_password(&self) -> Result<(), AdminProblem> {
        self.password.map_or(Ok(()), |error| {
            let errors = field_errors(vec![FieldError::text("password", error)]);
            Err(AdminProblem::Invalid { errors })
        })
    }
}

/// Checks a new password of a person with these names. `present` is their present one, if they
/// typed it.
///
/// # Errors
/// [`AdminProblem::Invalid`] with the error of `field`.
pub fn new_password(
    field: &str,
    typed: &SecretText,
    present: Option<&SecretText>,
    names: &[&str],
) -> Result<(), AdminProblem> {
    let form = prepared(typed.expose());
    let is_same = present.is_some_and(|now| prepared(now.expose()).expose() == form.expose());
    let checked = match is_same {
        true => Err(TextError::Same),
        false => check_new_password(typed.expose(), names),
    };
    checked.map_err(|error| AdminProblem::Invalid {
        errors: field_errors(vec![FieldError::text(field, error)]),
    })
}

/// Parses the keys of a deletion.
///
/// # Errors
/// [`AdminProblem::Invalid`] if there are none, too many, a duplicate, or a text that is no key ID.
/// The error does not repeat the text: it may be a whole key.
pub fn deletion_keys(typed: &[String]) -> Result<Vec<KeyId>, AdminProblem> {
    let invalid = |error| AdminProblem::Invalid { errors: field_errors(vec![error]) };
    let mut keys = Vec::with_capacity(typed.len());
    for (place, text) in typed.iter().enumerate() {
        let refused = || {
            FieldError::new(&format!("keys/{place}"), "not_a_key_id", "a key ID has 18 characters")
        };
        keys.push(KeyId::parse(text).ok_or_else(|| invalid(refused()))?);
    }
    check_deletion(&keys).map_err(invalid)?;
    Ok(keys)
}

/// Parses a typed code.
///
/// # Errors
/// [`AdminProblem::Invalid`] for a text that cannot be a code. It does not count as a try.
pub fn code(field: &str, purpose: CodePurpose, typed: &SecretText) -> Result<Code, AdminProblem> {
    let digits = purpose.digits();
    let refused = || {
        let detail = format!("a code has {digits} digits");
        FieldError::new(field, "not_a_code", &detail).with("digits", digits)
    };
    Code::parse(purpose, typed)
        .ok_or_else(|| AdminProblem::Invalid { errors: field_errors(vec![refused()]) })
}

/// Parses the code of a form that may lack it.
///
/// # Errors
/// [`AdminProblem::Invalid`] if it is missing, or cannot be a code.
pub fn wanted_code(purpose: CodePurpose, typed: Option<&SecretText>) -> Result<Code, AdminProblem> {
    let missing = || AdminProblem::Invalid {
        errors: field_errors(vec![FieldError::text("code", TextError::Required)]),
    };
    code("code", purpose, typed.ok_or_else(missing)?)
}

/// Parses the next address of a person whose present one is `present`.
///
/// # Errors
/// [`AdminProblem::Invalid`] if it is no address, or the present one.
pub fn new_address(typed: &str, present: &Email) -> Result<Email, AdminProblem> {
    let invalid = |error| AdminProblem::Invalid { errors: field_errors(vec![error]) };
    let email = Email::parse(typed).map_err(|error| invalid(FieldError::text("email", error)))?;
    if email == *present {
        let error = FieldError::new("email", "present", "this is your present address");
        return Err(invalid(error));
    }
    Ok(email)
}

/// Parses the query string of a listing.
///
/// # Errors
/// [`AdminProblem::Invalid`] for an unknown parameter or an invalid value.
pub fn listing(query: Option<&str>) -> Result<Listing, AdminProblem> {
    let mut listing = Listing { deleted: Deleted::Too, ..Listing::default() };
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let invalid = |code: &str, detail: &str| AdminProblem::Invalid {
            errors: field_errors(vec![FieldError::new(&name, code, detail)]),
        };
        match &*name {
            "q" => listing.q = Some(value.into_owned()),
            "cursor" => listing.cursor = Some(value.into_owned()),
            "sort" => {
                listing.sort = Sort::parse(&value)
                    .ok_or_else(|| invalid("not_one_of", "an order as documented"))?;
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=PAGE_KEYS_MAX).contains(limit));
                listing.limit = Some(limit.ok_or_else(|| invalid("not_one_of", "1 to 50"))?);
            }
            "deleted" => {
                listing.deleted = Deleted::parse(&value)
                    .ok_or_else(|| invalid("not_one_of", "too, only, or no"))?;
            }
            "status" => {
                listing.filter.statuses = parse_statuses(&value)
                    .ok_or_else(|| invalid("not_one_of", "statuses, separated by commas"))?;
            }
            "issuer" => {
                let issuer = IssuerFilter::parse(&value);
                listing.filter.issuer = Some(issuer.ok_or_else(|| {
                    invalid("not_one_of", "members, keys, service, or an ID of a member or key")
                })?);
            }
            "expires" => {
                let expires = ExpiryFilter::parse(&value);
                listing.filter.expires =
                    Some(expires.ok_or_else(|| invalid("not_one_of", "never, or 1d to 3650d"))?);
            }
            "used" => {
                let used = UseFilter::parse(&value);
                listing.filter.used = Some(used.ok_or_else(|| {
                    invalid("not_one_of", "never, 1d to 3650d, or not-1d to not-3650d")
                })?);
            }
            _ => {
                let detail = "the parameters are q, sort, deleted, status, issuer, expires, used, cursor, limit";
                return Err(invalid("unknown_parameter", detail));
            }
        }
    }
    Ok(listing)
}

/// Parses the query string of a page of activity. An empty value counts as absent.
///
/// # Errors
/// [`AdminProblem::Invalid`] for an unknown parameter or a limit out of range. The ledger checks
/// the other values.
pub fn activity(query: Option<&str>) -> Result<activity::Query, AdminProblem> {
    let mut read = activity::Query::default();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let place = match &*name {
            "key" => &mut read.key,
            "member" => &mut read.member,
            "action" => &mut read.action,
            "from" => &mut read.from,
            "to" => &mut read.to,
            "q" => &mut read.q,
            "cursor" => &mut read.cursor,
            "limit" => {
                let limit =
                    value.parse().ok().filter(|limit| (1..=PAGE_ENTRIES_MAX).contains(limit));
                read.limit = Some(limit.ok_or_else(|| refused(&name, "not_one_of", "1 to 50"))?);
                continue;
            }
            _ => {
                let detail = "the parameters are key, member, action, from, to, q, cursor, limit";
                return Err(refused(&name, "unknown_parameter", detail));
            }
        };
        *place = Some(value.into_owned()).filter(|value| !value.is_empty());
    }
    Ok(read)
}

/// Parses the query string of a page of notices: cursor and limit.
///
/// # Errors
/// [`AdminProblem::Invalid`] for an unknown parameter or an invalid value.
pub fn notices(query: Option<&str>) -> Result<(Option<u32>, Option<u32>), AdminProblem> {
    let (mut cursor, mut limit) = (None, None);
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let number = value.parse().ok().filter(|number| *number > 0);
        match &*name {
            "cursor" => {
                let detail = "not a cursor of this list";
                cursor = Some(number.ok_or_else(|| refused(&name, "malformed", detail))?);
            }
            "limit" => {
                let number = number.filter(|limit| *limit <= PAGE_NOTICES_MAX);
                limit = Some(number.ok_or_else(|| refused(&name, "not_one_of", "1 to 50"))?);
            }
            _ => {
                let detail = "the parameters are cursor, limit";
                return Err(refused(&name, "unknown_parameter", detail));
            }
        }
    }
    Ok((cursor, limit))
}

/// Parses the query string of an export: the filters of a page, and the format.
///
/// # Errors
/// As [`activity()`]; also for `limit` and `cursor`, which an export does not accept.
pub fn export(query: Option<&str>) -> Result<(activity::Query, Format), AdminProblem> {
    let mut filters = form_urlencoded::Serializer::new(String::new());
    let mut format = None;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "format" => format = Format::parse(&value),
            "cursor" | "limit" => {
                let detail = "the parameters are format, key, member, action, from, to, q";
                return Err(refused(&name, "unknown_parameter", detail));
            }
            _ => {
                filters.append_pair(&name, &value);
            }
        }
    }
    let format = format.ok_or_else(|| refused("format", "not_one_of", "jsonl or csv"))?;
    Ok((activity(Some(&filters.finish()))?, format))
}

fn refused(field: &str, code: &str, detail: &str) -> AdminProblem {
    AdminProblem::Invalid { errors: field_errors(vec![FieldError::new(field, code, detail)]) }
}

/// Reads the query of the list of accounts: cursor, search and status.
///
/// # Errors
/// [`AdminProblem::Invalid`] for an unknown parameter, a cursor that no reply contained, an unknown
/// status, or a search that is too long or contains a secret.
pub fn accounts(query: Option<&str>) -> Result<DirectoryRequest, AdminProblem> {
    let (mut cursor, mut q, mut status) = (None, None, None);
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let invalid = |code: &str, detail: &str| AdminProblem::Invalid {
            errors: field_errors(vec![FieldError::new(&name, code, detail)]),
        };
        match &*name {
            "cursor" => {
                let read = EntryCursor::parse(&value);
                cursor = Some(read.ok_or_else(|| invalid("malformed", "the next of a page"))?);
            }
            "status" => {
                let read = AccountStatus::parse(&value);
                status =
                    Some(read.ok_or_else(|| invalid("not_one_of", "open, suspended or pending"))?);
            }
            "q" if value.chars().count() > QUERY_CHARS_MAX => {
                return Err(invalid("too_long", "a search has at most 128 characters"));
            }
            "q" if holds_secret(&value) => {
                return Err(invalid("whole_key", "search by a name or an ID, never by a key"));
            }
            "q" => q = Some(value.into_owned()),
            _ => {
                return Err(invalid(
                    "unknown_parameter",
                    "the parameters are q, status and cursor",
                ));
            }
        }
    }
    Ok(DirectoryRequest::List { cursor, q, status })
}

/// Checks that a change of an account changes something.
///
/// # Errors
/// [`AdminProblem::Invalid`] if both members are absent.
pub fn check_account_changes(
    freshness_ms: Option<u64>,
    suspended: Option<bool>,
) -> Result<(), AdminProblem> {
    if freshness_ms.is_some() || suspended.is_some() {
        return Ok(());
    }
    let error = FieldError::new("", "required", "give suspended, freshness_s or both");
    let errors = field_errors(vec![FieldError { pointer: "#".to_owned(), ..error }]);
    Err(AdminProblem::Invalid { errors })
}

/// Converts T from seconds to milliseconds.
///
/// # Errors
/// [`AdminProblem::Invalid`] if T exceeds the maximum.
pub fn freshness_ms(freshness_s: u32) -> Result<u64, AdminProblem> {
    let max_s = FRESHNESS_MS_MAX.div_euclid(1_000);
    if freshness_s > max_s {
        let error =
            FieldError::new("freshness_s", "too_long", "at most an hour").with("max", max_s);
        return Err(AdminProblem::Invalid { errors: field_errors(vec![error]) });
    }
    Ok(u64::from(freshness_s).saturating_mul(1_000))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use claviger_core::base::http::json_body;
    use serde_json::{Value, json};

    /// Returns the errors of a form, each as its pointer and code.
    pub(crate) fn codes(problem: AdminProblem) -> Vec<String> {
        let AdminProblem::Invalid { errors: Value::Array(errors) } = problem else {
            panic!("{problem:?}")
        };
        errors
            .iter()
            .map(|error| format!("{} {}", error["pointer"], error["code"]).replace('"', ""))
            .collect()
    }

    fn form(changes: Value) -> body::SetUp {
        let mut form = json!({
            "token": "t", "account_name": "Example KK", "time_zone": "Asia/Tokyo", "name": "Mei Tanaka",
            "email": "Mei@Example.jp", "password": "correct horse battery", "language": "ja",
        });
        for (name, value) in changes.as_object().unwrap() {
            form[name] = value.clone();
        }
        json_body::parse(form.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_good_form_comes_to_its_parts() {
        let owner = Owner::check(&form(json!({}))).unwrap();
        assert_eq!(
            (owner.email.as_str(), owner.zone.name(), owner.language),
            ("mei@example.jp", "Asia/Tokyo", Language::Ja)
        );
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let wrong = form(json!({
            "account_name": "", "name": "a\n", "password": "short", "email": "mei", "time_zone": "Tokyo", "language": "fr",
        }));
        assert_eq!(
            codes(Owner::check(&wrong).unwrap_err()),
            [
                "#/account_name required",
                "#/name control_character",
                "#/password too_short",
                "#/email not_an_address",
                "#/time_zone unknown_zone",
                "#/language not_one_of",
            ]
        );
    }

    /// The person may have the address, and that password, from another account.
    #[test]
    fn a_password_that_cannot_be_a_new_one_is_no_error_of_the_form_by_itself() {
        let good = Owner::check(&form(json!({}))).unwrap();
        assert_eq!((good.needs_present_password(), good.judge_password()), (false, Ok(())));
        let weak = Owner::check(&form(json!({ "password": "aaaaaaaaaaaa" }))).unwrap();
        assert!(weak.needs_present_password());
        assert_eq!(codes(weak.judge_password().unwrap_err()), ["#/password common"]);
    }

    #[test]
    fn a_new_password_is_another_one_and_not_made_of_names() {
        let secret = |text: &str| SecretText::new(text.into());
        let check = |new: &str| {
            let (new, present) = (secret(new), secret("caf\u{e9} au lait bitte"));
            new_password("new_password", &new, Some(&present), &["Mei Tanaka"]).map_err(codes)
        };
        assert_eq!(check("correct horse battery"), Ok(()));
        for (new, code) in [
            ("cafe\u{301}\u{3000}au lait bitte", "same"),
            ("Tanaka-20261121", "own_names"),
            ("password1234", "common"),
            ("short", "too_short"),
        ] {
            assert_eq!(check(new), Err(vec![format!("#/new_password {code}")]), "{new}");
        }
    }

    #[test]
    fn activity_takes_what_is_documented_and_nothing_else() {
        let read = activity(Some("q=a+b&key=k&member=&limit=50&from=2026-11-22")).unwrap();
        assert_eq!(
            (read.q.as_deref(), read.key.as_deref(), read.member),
            (Some("a b"), Some("k"), None)
        );
        let (read, format) = export(Some("format=csv&q=%3D1%26x&to=2026-11-22")).unwrap();
        assert_eq!(
            (read.q.as_deref(), read.to.as_deref(), format),
            (Some("=1&x"), Some("2026-11-22"), Format::Csv)
        );
        for (query, code) in
            [("limit=51", "#/limit not_one_of"), ("format=csv", "#/format unknown_parameter")]
        {
            assert_eq!(codes(activity(Some(query)).unwrap_err()), [code], "{query}");
        }
        for (query, code) in [
            ("", "#/format not_one_of"),
            ("format=xls", "#/format not_one_of"),
            ("format=csv&cursor=x", "#/cursor unknown_parameter"),
            ("format=csv&limit=5", "#/limit unknown_parameter"),
            ("format=csv&x=5", "#/x unknown_parameter"),
        ] {
            assert_eq!(codes(export(Some(query)).unwrap_err()), [code], "{query}");
        }
    }

    #[test]
    fn a_listing_takes_what_is_documented_and_nothing_else() {
        let read = listing(Some("q=a+b%20c&sort=-name&limit=50&cursor=x")).unwrap();
        assert_eq!(
            (read.q.as_deref(), read.sort, read.limit),
            (Some("a b c"), Sort::NameDown, Some(50))
        );
        assert_eq!(listing(None), Ok(Listing { deleted: Deleted::Too, ..Listing::default() }));
        assert_eq!(listing(Some("deleted=no")), Ok(Listing::default()));
        for (query, code) in [
            ("sort=size", "#/sort not_one_of"),
            ("limit=0", "#/limit not_one_of"),
            ("limit=51", "#/limit not_one_of"),
            ("limit=", "#/limit not_one_of"),
            ("page=2", "#/page unknown_parameter"),
        ] {
            assert_eq!(codes(listing(Some(query)).unwrap_err()), [code], "{query}");
        }
    }
}
