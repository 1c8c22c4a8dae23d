//! Request bodies and queries of the routes about API users.

use claviger_core::base::secret::SecretText;
use claviger_core::credential::api_user::ApiUserName;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::admin::problem::AdminProblem;
use crate::admin::view::field_errors;
use crate::protocol::api_key::{ApiKeyError, check_api_key};
use crate::protocol::api_users::{
    ApiUserForm, ApiUserListing, ApiUserSort, ApiUserStatus, PAGE_API_USERS_MAX,
};
use crate::protocol::draft::field::{FieldError, TypedNetworks, present};

/// Body of `POST /v1/api-users` and of `PATCH /v1/api-users/{id}`: the fields of [`ApiUserForm`],
/// and a secret.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiUserBody {
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    api_key: Option<SecretText>,
    #[serde(default, deserialize_with = "present")]
    api_key_confirmation: Option<SecretText>,
    #[serde(default, deserialize_with = "present")]
    generate: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    group: Option<String>,
    #[serde(default, deserialize_with = "present")]
    view_personal_data: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    download_personal_data: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    interfaces: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    own_data_only: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    zone: Option<String>,
    #[serde(default, deserialize_with = "present")]
    expires: Option<String>,
    #[serde(default, deserialize_with = "present")]
    not_before: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    networks: Option<TypedNetworks>,
}

/// The secret part of a body, before the name is known for which it is checked.
#[derive(Debug)]
pub struct TypedApiKey {
    chosen: Option<SecretText>,
    confirmation: Option<SecretText>,
    generate: bool,
}

/// A wanted secret.
#[derive(Debug)]
pub enum WantedApiKey {
    /// None: an edit keeps the present one.
    Kept,
    /// This one, which a person chose.
    Chosen(SecretText),
    /// One that is drawn.
    Generated,
}

impl ApiUserBody {
    /// Splits the body into the form that the ledger gets, and the secret, which it does not get.
    pub fn split(self) -> (ApiUserForm, TypedApiKey) {
        let Self { api_key, api_key_confirmation, generate, .. } = self;
        let form = ApiUserForm {
            name: self.name,
            group: self.group,
            view_personal_data: self.view_personal_data,
            download_personal_data: self.download_personal_data,
            interfaces: self.interfaces,
            own_data_only: self.own_data_only,
            zone: self.zone,
            expires: self.expires,
            not_before: self.not_before,
            networks: self.networks,
        };
        let typed = TypedApiKey {
            chosen: api_key,
            confirmation: api_key_confirmation,
            generate: generate.unwrap_or(false),
        };
        (form, typed)
    }
}

impl TypedApiKey {
    /// Checks the secret of a new user. Errors of the form's other fields are the ledger's.
    ///
    /// # Errors
    /// [`AdminProblem::Invalid`] with the broken rule.
    pub fn of_new_user(self, form: &ApiUserForm) -> Result<WantedApiKey, AdminProblem> {
        let name = form.name.as_deref().and_then(ApiUserName::parse);
        match self.read(name.as_ref())? {
            WantedApiKey::Kept => Err(refused("api_key", ApiKeyError::Required)),
            wanted => Ok(wanted),
        }
    }

    /// Checks the secret of a user who will have this name; [`WantedApiKey::Kept`] if there is
    /// none.
    ///
    /// # Errors
    /// [`AdminProblem::Invalid`] with the broken rule.
    pub fn read(self, name: Option<&ApiUserName>) -> Result<WantedApiKey, AdminProblem> {
        let Self { chosen, confirmation, generate } = self;
        match (chosen, confirmation, generate) {
            (None, None, false) => Ok(WantedApiKey::Kept),
            (None, None, true) => Ok(WantedApiKey::Generated),
            (Some(_), _, true) | (None, Some(_), true) => {
                Err(refused("generate", ApiKeyError::ChosenAndGenerated))
            }
            (None, Some(_), false) => Err(refused("api_key", ApiKeyError::Required)),
            (Some(chosen), confirmation, false) => {
                check_api_key(chosen.expose(), name).map_err(|error| refused("api_key", error))?;
                let is_other = confirmation.is_some_and(|confirmation| {
                    let (one, other) =
                        (chosen.expose().as_bytes(), confirmation.expose().as_bytes());
                    !bool::from(one.ct_eq(other))
                });
                if is_other {
                    return Err(refused("api_key_confirmation", ApiKeyError::NotConfirmed));
                }
                Ok(WantedApiKey::Chosen(chosen))
            }
        }
    }
}

fn refused(field: &str, error: ApiKeyError) -> AdminProblem {
    invalid(FieldError::new(field, error.code(), error))
}

fn invalid(error: FieldError) -> AdminProblem {
    AdminProblem::Invalid { errors: field_errors(vec![error]) }
}

/// Body of `POST /v1/api-users/{id}/delete`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteApiUser {
    /// Password of the member as typed.
    pub password: SecretText,
}

/// Parses the query string of a listing.
///
/// # Errors
/// [`AdminProblem::Invalid`] for an unknown parameter or an invalid value.
pub fn listing(query: Option<&str>) -> Result<ApiUserListing, AdminProblem> {
    let mut listing = ApiUserListing::default();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let invalid = |code: &str, detail: &str| invalid(FieldError::new(&name, code, detail));
        match &*name {
            "q" => listing.q = Some(value.into_owned()),
            "cursor" => listing.cursor = Some(value.into_owned()),
            "sort" => {
                listing.sort = ApiUserSort::parse(&value)
                    .ok_or_else(|| invalid("not_one_of", "an order as documented"))?;
            }
            "limit" => {
                let limit = value.parse().ok();
                let limit = limit.filter(|limit| (1..=PAGE_API_USERS_MAX).contains(limit));
                listing.limit = Some(limit.ok_or_else(|| invalid("not_one_of", "1 to 50"))?);
            }
            "status" => {
                listing.statuses = ApiUserStatus::parse_filters(&value)
                    .ok_or_else(|| invalid("not_one_of", "statuses, separated by commas"))?;
            }
            _ => {
                let detail = "the parameters are q, sort, status, cursor, limit";
                return Err(invalid("unknown_parameter", detail));
            }
        }
    }
    Ok(listing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(json: &str) -> Result<WantedApiKey, AdminProblem> {
        let body: ApiUserBody = serde_json::from_str(json).unwrap();
        let (form, typed) = body.split();
        typed.of_new_user(&form)
    }

    fn error(json: &str) -> (String, String) {
        let Err(AdminProblem::Invalid { errors }) = secret(json) else { panic!("{json}") };
        let text = |name: &str| errors[0][name].as_str().unwrap().to_owned();
        (text("pointer"), text("code"))
    }

    /// C03, C04: a key of its form, entered the same way twice.
    #[test]
    fn a_key_is_chosen_and_confirmed_or_generated() {
        for good in [
            r#"{"api_key":"Tr4ffic!"}"#,
            r#"{"api_key":"Tr4ffic!","api_key_confirmation":"Tr4ffic!","generate":false}"#,
        ] {
            assert!(matches!(secret(good), Ok(WantedApiKey::Chosen(_))), "{good}");
        }
        assert!(matches!(secret(r#"{"generate":true}"#), Ok(WantedApiKey::Generated)));
        for (bad, pointer, code) in [
            ("{}", "#/api_key", "required"),
            (r#"{"generate":false}"#, "#/api_key", "required"),
            (r#"{"api_key":""}"#, "#/api_key", "required"),
            (r#"{"api_key":"short1"}"#, "#/api_key", "too_short"),
            (r#"{"api_key":"abcdefghi"}"#, "#/api_key", "not_mixed"),
            (r#"{"api_key":"Tr4ffic!\u0000"}"#, "#/api_key", "not_ascii"),
            (r#"{"api_key_confirmation":"Tr4ffic!"}"#, "#/api_key", "required"),
            (
                r#"{"name":"App7@example.com","api_key":"app7@example.com"}"#,
                "#/api_key",
                "own_names",
            ),
            (
                r#"{"api_key":"Tr4ffic!","api_key_confirmation":"tr4ffic!"}"#,
                "#/api_key_confirmation",
                "not_confirmed",
            ),
            (r#"{"api_key":"Tr4ffic!","generate":true}"#, "#/generate", "not_allowed"),
            (r#"{"api_key_confirmation":"Tr4ffic!","generate":true}"#, "#/generate", "not_allowed"),
        ] {
            assert_eq!(error(bad), (pointer.to_owned(), code.to_owned()), "{bad}");
        }
        for bad in [r#"{"api_key":null}"#, r#"{"password":"x"}"#, r#"{"name":null}"#] {
            assert!(serde_json::from_str::<ApiUserBody>(bad).is_err(), "{bad}");
        }
        let body: ApiUserBody = serde_json::from_str(r#"{"api_key":"Tr4ffic!"}"#).unwrap();
        assert!(!format!("{body:?}").contains("Tr4ffic!"));
    }

    #[test]
    fn a_listing_has_known_parameters_with_good_values() {
        let read =
            listing(Some("q=app&sort=-used&status=locked,expired&limit=7&cursor=x")).unwrap();
        assert_eq!((read.sort, read.limit), (ApiUserSort::UsedDown, Some(7)));
        assert_eq!(read.statuses, [ApiUserStatus::Locked, ApiUserStatus::Expired]);
        assert_eq!(listing(None).unwrap(), ApiUserListing::default());
        for bad in ["sort=age", "limit=0", "limit=51", "status=", "status=account_suspended", "x=1"]
        {
            assert!(listing(Some(bad)).is_err(), "{bad}");
        }
    }
}
