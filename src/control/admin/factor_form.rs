//! Checks of codes of second factors as people type them. A text that cannot be a code is refused
//! here, and uses up no try.

use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::secret::SecretText;

use crate::admin::form;
use crate::admin::problem::AdminProblem;
use crate::admin::view::field_errors;
use crate::protocol::code::CodePurpose;
use crate::protocol::draft::field::FieldError;
use crate::protocol::factors::TypedFactor;
use crate::protocol::recovery::RecoveryCode;

/// Returns the one code of a second factor among the members of a body.
///
/// # Errors
/// [`RequestProblem::MalformedBody`] if there are none or two; [`AdminProblem::Invalid`] if the text
/// is no code.
pub fn typed(
    code: Option<SecretText>,
    recovery_code: Option<SecretText>,
) -> Result<TypedFactor, AdminProblem> {
    match (code, recovery_code) {
        (Some(code), None) => totp(&code).map(TypedFactor::Totp),
        (None, Some(code)) => match RecoveryCode::parse(&code) {
            Some(code) => Ok(TypedFactor::RecoveryCode(code.text())),
            None => Err(AdminProblem::Invalid {
                errors: field_errors(vec![FieldError::new(
                    "recovery_code",
                    "not_a_recovery_code",
                    "must be 16 letters and digits",
                )]),
            }),
        },
        _ => Err(RequestProblem::MalformedBody {
            detail: "one of `code` and `recovery_code` is needed".into(),
        }
        .into()),
    }
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
        match typed(secret(code), secret(recovery_code)) {
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
