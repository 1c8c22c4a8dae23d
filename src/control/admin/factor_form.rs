//! Checks of second factors as a page sends them. A text that cannot be a code is refused
//! here, and uses up no try.

use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::secret::SecretText;

use crate::admin::form;
use crate::admin::problem::AdminProblem;
use crate::admin::view::field_errors;
use crate::protocol::account::check_name;
use crate::protocol::code::CodePurpose;
use crate::protocol::draft::field::FieldError;
use crate::protocol::factors::TypedFactor;
use crate::protocol::passkey::{AssertionForm, PasskeyError, PresentedPasskey};
use crate::protocol::recovery::RecoveryCode;

/// Returns the one second factor among the members of a body. `check` checks a passkey.
///
/// # Errors
/// [`RequestProblem::MalformedBody`] if there are none or two; [`AdminProblem::Invalid`] if the text
/// is no code; [`AdminProblem::PasskeyRefused`] if the check refuses the passkey.
pub fn typed(
    code: Option<SecretText>,
    recovery_code: Option<SecretText>,
    passkey: Option<AssertionForm>,
    check: impl FnOnce(&AssertionForm) -> Result<PresentedPasskey, PasskeyError>,
) -> Result<TypedFactor, AdminProblem> {
    match (code, recovery_code, passkey) {
        (Some(code), None, None) => totp(&code).map(TypedFactor::Totp),
        (None, Some(code), None) => match RecoveryCode::parse(&code) {
            Some(code) => Ok(TypedFactor::RecoveryCode(code.text())),
            None => Err(AdminProblem::Invalid {
                errors: field_errors(vec![FieldError::new(
                    "recovery_code",
                    "not_a_recovery_code",
                    "must be 16 letters and digits",
                )]),
            }),
        },
        (None, None, Some(passkey)) => {
            check(&passkey).map(TypedFactor::Passkey).map_err(AdminProblem::PasskeyRefused)
        }
        _ => Err(RequestProblem::MalformedBody {
            detail: "one of `code`, `recovery_code` and `passkey` is needed".into(),
        }
        .into()),
    }
}

/// Checks the name of a passkey.
///
/// # Errors
/// [`AdminProblem::Invalid`] as for names of members.
pub fn passkey_name(name: &str) -> Result<(), AdminProblem> {
    check_name(name).map(|_| ()).map_err(|error| AdminProblem::Invalid {
        errors: field_errors(vec![FieldError::text("name", error)]),
    })
}

/// Returns the digits of a code of an authenticator app.
///
/// # Errors
/// [`AdminProblem::Invalid`] if the text is no such code.
pub fn totp(code: &SecretText) -> Result<SecretText, AdminProblem> {
    let code = form::code("code", CodePurpose::Totp, code)?;
    Ok(SecretText::new(code.expose().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(code: Option<&str>, recovery_code: Option<&str>) -> Result<(bool, String), String> {
        let secret = |text: Option<&str>| text.map(|text| SecretText::new(text.into()));
        let never = |_: &AssertionForm| Err(PasskeyError::Signature);
        match typed(secret(code), secret(recovery_code), None, never) {
            Ok(TypedFactor::Passkey(_)) => Err("a passkey".into()),
            Ok(TypedFactor::Totp(code)) => Ok((true, code.expose().into())),
            Ok(TypedFactor::RecoveryCode(code)) => Ok((false, code.expose().into())),
            Err(problem) => Err(problem.code().into()),
        }
    }

    #[test]
    fn one_code_is_read_and_its_form_is_checked() {
        assert_eq!(read(Some("１２３ 456"), None), Ok((true, "123456".into())));
        let recovery = (false, "abcd-efgh-2345-67mn".to_owned());
        assert_eq!(read(None, Some("ABCDEFGH234567MN")), Ok(recovery));
        for (code, recovery) in [(Some("12345"), None), (None, Some("123456")), (Some(""), None)] {
            assert_eq!(read(code, recovery), Err("invalid".into()));
        }
        for (code, recovery) in [(None, None), (Some("123456"), Some("ABCDEFGH234567MN"))] {
            assert_eq!(read(code, recovery), Err("malformed_body".into()));
        }
    }
}
