//! Request bodies of the console's routes: JSON of bounded size, without unknown members.

use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::id::{AccountId, SealedId};
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::Issuer;
use claviger_core::credential::sealed::{Claims, LIFE_MAX, SealedText};
use serde::Deserialize;

use crate::admin::config::AdminConfig;
use crate::admin::problem::AdminProblem;
use crate::protocol::account_networks::TypedEntry;
use crate::protocol::command::Command;
use crate::protocol::passkey::{AssertionForm, RegistrationForm};

/// Largest body, in bytes: a hundred credentials to verify, with addresses and permissions, need 30
/// KiB.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Largest body with the form of a key, in bytes. A long list of pasted networks must be counted
/// and reported, not refused unread. So there is room for
/// [`claviger_core::credential::limits::network::NETWORKS_TEXT_BYTES_MAX`] and the rest of the
/// form.
pub const DRAFT_BYTES_MAX: usize =
    claviger_core::credential::limits::network::NETWORKS_TEXT_BYTES_MAX + BODY_BYTES_MAX;

/// Body of `POST /v1/setup`, and of `POST /v1/setup/code`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// Set-up token from the link.
    pub token: SecretText,
    /// Name of the account.
    pub account_name: String,
    /// IANA name of the account's time zone.
    pub time_zone: String,
    /// Name of the owner.
    pub name: String,
    /// E-mail address of the owner.
    pub email: String,
    /// Password of the owner.
    pub password: SecretText,
    /// Language of the owner: `en` or `ja`.
    pub language: String,
    /// Mailed code as typed; absent where it is still to be mailed.
    #[serde(default)]
    pub code: Option<SecretText>,
}

/// Body of `POST /v1/setup/check`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckSetUp {
    /// Set-up token from the link.
    pub token: SecretText,
}

/// Body of `POST /v1/session`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// E-mail address as typed.
    pub email: String,
    /// Password as typed.
    pub password: SecretText,
}

/// Body of `POST /v1/notices/read`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeMark {
    /// Last notice that the member has seen.
    pub id: u32,
}

/// Body of `PATCH /v1/operator/accounts/{id}`. Absent members keep their values.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountChanges {
    /// `true` to suspend, `false` to resume.
    #[serde(default)]
    pub suspended: Option<bool>,
    /// T of promise P1, in seconds.
    #[serde(default)]
    pub freshness_s: Option<u32>,
}

/// Body of `PUT /v1/operator/accounts/{id}/policy`, and of its preview. A preset sets every field;
/// the others apply on top. Absent members keep their values.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyForm {
    /// Preset: `portal` or `registry`.
    #[serde(default)]
    pub preset: Option<String>,
    /// Number of keys that a member may hold: `many` or `one`.
    #[serde(default)]
    pub keys_per_member: Option<String>,
    /// Life of a key that is issued without an expiry: `never`, or as in `90d` or `1y`.
    #[serde(default)]
    pub default_life: Option<String>,
    /// Longest life of a key.
    #[serde(default)]
    pub longest_life: Option<String>,
    /// `true` if keys end with the membership.
    #[serde(default)]
    pub keys_follow_member: Option<bool>,
    /// `true` if keys may be viewable.
    #[serde(default)]
    pub viewable_allowed: Option<bool>,
    /// `true` if issuing a key needs a second factor.
    #[serde(default)]
    pub demands_mfa: Option<bool>,
    /// `true` if deleting keys needs a mailed code.
    #[serde(default)]
    pub deletion_by_code: Option<bool>,
    /// `true` if a mail confirms each issued key.
    #[serde(default)]
    pub mail_on_generation: Option<bool>,
    /// Proofs of identity by class of action.
    #[serde(default)]
    pub proofs: ProofForm,
}

/// Demands of proofs: `none`, `password`, `email_code`, `totp` or `passkey`. Absent members keep
/// their values.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofForm {
    /// Demand for issuing, editing, enabling and restoring keys.
    #[serde(default)]
    pub change_keys: Option<String>,
    /// Demand for showing a stored secret again.
    #[serde(default)]
    pub show_secrets: Option<String>,
    /// Demand for changing the service credentials.
    #[serde(default)]
    pub change_service: Option<String>,
    /// Demand for managing members.
    #[serde(default)]
    pub manage_members: Option<String>,
    /// Demand for changing the account.
    #[serde(default)]
    pub change_account: Option<String>,
    /// Demand for operating other accounts.
    #[serde(default)]
    pub operate: Option<String>,
}

/// Body of `POST /v1/session/passkey`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInByPasskey {
    /// Answer of the authenticator.
    pub passkey: AssertionForm,
}

/// Body of `POST /v1/member/factors/passkeys`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddPasskey {
    /// Name of the passkey.
    pub name: String,
    /// Answer of the authenticator.
    pub passkey: RegistrationForm,
}

/// Body of `PATCH /v1/member/factors/passkeys/{id}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenamePasskey {
    /// New name of the passkey.
    pub name: String,
}

/// Body of `POST /v1/session/step-up`: one of its members.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    /// Password as typed.
    #[serde(default)]
    pub password: Option<SecretText>,
    /// Code of the authenticator app as typed.
    #[serde(default)]
    pub code: Option<SecretText>,
    /// Recovery code as typed.
    #[serde(default)]
    pub recovery_code: Option<SecretText>,
    /// Mailed code as typed.
    #[serde(default)]
    pub email_code: Option<SecretText>,
    /// Answer of an authenticator.
    #[serde(default)]
    pub passkey: Option<AssertionForm>,
}

/// Body of `POST /v1/session/factor`: the challenge, and a code or a passkey.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerChallenge {
    /// Token of the challenge.
    pub challenge: SecretText,
    /// Code of the authenticator app as typed.
    #[serde(default)]
    pub code: Option<SecretText>,
    /// Recovery code as typed.
    #[serde(default)]
    pub recovery_code: Option<SecretText>,
    /// Answer of an authenticator.
    #[serde(default)]
    pub passkey: Option<AssertionForm>,
}

/// Body of `POST /v1/member/factors/totp/confirm`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmTotp {
    /// First code of the authenticator app as typed.
    pub code: SecretText,
}

/// Body of `POST /v1/session/switch`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchAccount {
    /// ID of the account to open.
    pub account: String,
}

/// Body of `POST /v1/member/password`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// Present password as typed.
    pub password: SecretText,
    /// Next password.
    pub new_password: SecretText,
}

/// Body of `POST /v1/member/address`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAddress {
    /// New e-mail address as typed.
    pub email: String,
}

/// Body of `POST /v1/member/address/confirm`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmAddress {
    /// New e-mail address as typed.
    pub email: String,
    /// Mailed code as typed.
    pub code: SecretText,
}

/// Body of `POST /v1/password/reset`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginReset {
    /// E-mail address as typed.
    pub email: String,
}

/// Body of `POST /v1/password/reset/confirm`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmReset {
    /// E-mail address as typed.
    pub email: String,
    /// Mailed code as typed.
    pub code: SecretText,
    /// Next password.
    pub password: SecretText,
}

/// Body of `POST /v1/deletions`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginDeletion {
    /// IDs of the keys to delete.
    pub keys: Vec<String>,
}

/// Body of `POST /v1/deletions/{id}/confirm`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmDeletion {
    /// Code as typed.
    pub code: SecretText,
}

/// Body of `POST /v1/sealed-keys/revoke`: the sealed key itself, or its ID and its issuer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeSealed {
    /// The whole sealed key.
    pub credential: Option<SecretText>,
    /// ID of the sealed key.
    pub id: Option<SealedId>,
    /// Issuer of the sealed key: a key's ID, or `service`.
    pub issuer: Option<String>,
}

/// Body of `POST /v1/members/invitations`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvitationForm {
    /// Address to invite, as typed.
    pub email: String,
    /// Role of the new member.
    pub role: String,
    /// Language of the mail and of the new member; absent for the inviter's.
    #[serde(default)]
    pub language: Option<String>,
}

/// Body of `PATCH /v1/members/{id}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleChange {
    /// New role.
    pub role: String,
    /// Role that the owner saw.
    pub expected_role: String,
}

/// Body of `PUT /v1/account/networks`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkListForm {
    /// Mode: `enforced` or `observed`.
    #[serde(default)]
    pub mode: Option<String>,
    /// All entries of the list.
    #[serde(default)]
    pub entries: Option<Vec<TypedEntry>>,
    /// Sign-in password, which a list without one of the present networks needs.
    #[serde(default)]
    pub password: Option<SecretText>,
    /// `true` to close the console to one's own address.
    #[serde(default)]
    pub confirm_lock_out: bool,
}

/// Body of `POST /v1/account/networks/{id}/delete`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteNetworkForm {
    /// Sign-in password.
    pub password: SecretText,
    /// `true` to close the console to one's own address.
    #[serde(default)]
    pub confirm_lock_out: bool,
}

/// Body of `POST /v1/invitations/check`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckInvitation {
    /// Token from the mailed link.
    pub token: SecretText,
}

/// Body of `POST /v1/invitations/accept`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// Token from the mailed link.
    pub token: SecretText,
    /// The person's password, or a new one.
    pub password: SecretText,
    /// Name of the new member; absent for the address's local part.
    #[serde(default)]
    pub name: Option<String>,
    /// Language of the new member; absent for the invitation's.
    #[serde(default)]
    pub language: Option<String>,
}

/// Body of `PATCH /v1/member`. Absent members keep their values.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileChanges {
    /// New name.
    #[serde(default)]
    pub name: Option<String>,
    /// New language.
    #[serde(default)]
    pub language: Option<String>,
}

/// Body of `PATCH /v1/account`. Absent members keep their values.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnAccountChanges {
    /// New name.
    #[serde(default)]
    pub name: Option<String>,
    /// New time zone, an IANA name.
    #[serde(default)]
    pub time_zone: Option<String>,
}

impl RevokeSealed {
    /// Returns the command for the ledger of `account`.
    ///
    /// # Errors
    /// [`RequestProblem::MalformedBody`] if the members do not fit together.
    /// [`RequestProblem::NotFound`] if it is no sealed key of this account, or no ID that this
    /// issuer issued.
    pub fn command(
        &self,
        account: AccountId,
        config: &AdminConfig,
        now: UnixMs,
    ) -> Result<Command, AdminProblem> {
        let malformed = |detail: &str| {
            AdminProblem::Request(RequestProblem::MalformedBody { detail: detail.into() })
        };
        let (prefix, keyring) = (&config.prefix, config.keyring());
        match (&self.credential, self.id, &self.issuer) {
            (Some(credential), None, None) => {
                let made = SealedText::parse(credential.expose(), prefix)
                    .ok()
                    .and_then(|text| text.authenticate(prefix, keyring, now))
                    .filter(|made| made.account() == account)
                    .ok_or(AdminProblem::Request(RequestProblem::NotFound))?;
                let Claims { id, issuer, expires_at: until, .. } = *made.claims();
                Ok(Command::RevokeSealed { id, issuer, until })
            }
            (None, Some(id), Some(issuer)) => {
                let issuer = Issuer::parse(issuer);
                let issuer =
                    issuer.ok_or_else(|| malformed("issuer must be a key's ID, or service"))?;
                if id.account() != account || !id.is_made(issuer, prefix, keyring, now) {
                    return Err(AdminProblem::Request(RequestProblem::NotFound));
                }
                // The ID does not contain the expiry; this is its latest possible time.
                let until = now.saturating_add(LIFE_MAX);
                Ok(Command::RevokeSealed { id, issuer, until })
            }
            _ => Err(malformed("give credential, or id and issuer")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use claviger_core::base::http::json_body::parse;
    use claviger_core::credential::issuer::SealingGeneration;
    use claviger_core::credential::limits::network::Networks;
    use claviger_core::credential::limits::permission::Permissions;
    use claviger_core::credential::sealed::NewSealed;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    fn detail<T: DeserializeOwned + core::fmt::Debug>(json: &str) -> String {
        match parse::<T>(json.as_bytes()).unwrap_err() {
            RequestProblem::MalformedBody { detail } => detail,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn faults_are_told_by_place_and_never_quote_a_value() {
        assert!(
            detail::<SignIn>(r#"{"email":"a","password":"hunter2","x":1}"#)
                .starts_with("unknown field `x`")
        );
        assert!(detail::<SignIn>(r#"{"email":"a"}"#).starts_with("missing field `password`"));
        for json in [
            r#"{"email":"a","password":["hunter2"]}"#,
            r#"{"email":"a","password":12345678}"#,
            r#"{"email":"a","password":"hunter2","#,
            r#"{"email":"a","password":"hunter2"} hunter2"#,
            r#""hunter2""#,
            "hunter2",
            "",
        ] {
            let detail = detail::<SignIn>(json);
            assert!(!detail.contains("hunter2") && !detail.contains("12345678"), "{detail}");
            assert!(detail.contains("line"), "{detail}");
        }
    }

    #[test]
    fn an_array_is_no_object() {
        for json in [r#"["a","b"]"#, "[]", "null"] {
            assert!(parse::<SignIn>(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn a_repeated_member_is_refused() {
        assert!(parse::<SignIn>(br#"{"email":"a","email":"b","password":"x"}"#).is_err());
    }

    #[test]
    fn a08_a_sealed_key_is_revoked_by_itself_or_by_its_id_in_its_own_account_alone() {
        let (config, now) =
            (crate::admin::config::tests::config(), UnixMs::from_ms(1_800_000_000_000));
        let (account, other) =
            (AccountId::parse("a1B2c3D4").unwrap(), AccountId::parse("a1B2c3D5").unwrap());
        let made_by = (&config.prefix, config.keyring());
        let mut rng = ChaCha20Rng::seed_from_u64(6);
        let issuer = Issuer::Service;
        let id = SealedId::draw(account, issuer, SealingGeneration(0), made_by, &mut rng).unwrap();
        let claims = Claims {
            id,
            issuer,
            issued_at: now,
            expires_at: now.saturating_add(LIFE_MAX),
            networks: Networks::anywhere(),
            permissions: Permissions::none(),
            is_token: false,
        };
        let sealed = NewSealed::seal(&claims, &config.prefix, config.keyring()).unwrap();
        let ask = |form: Value, account: AccountId| {
            let form: RevokeSealed = parse(form.to_string().as_bytes())?;
            form.command(account, &config, now)
                .map(|command| serde_json::to_value(command).unwrap())
        };
        let until = claims.expires_at;
        let expected = serde_json::to_value(Command::RevokeSealed { id, issuer, until }).unwrap();
        let by_itself = |text: &str| json!({ "credential": text });
        let by_id = |id: &str, issuer: &str| json!({ "id": id, "issuer": issuer });
        assert_eq!(ask(by_itself(sealed.expose()), account), Ok(expected.clone()));
        assert_eq!(ask(by_id(id.as_str(), "service"), account), Ok(expected));
        let made_up = id.as_str().replacen("a1B2c3D4", "a1B2c3D5", 1);
        for (form, account) in [
            (by_itself(sealed.expose()), other),
            (by_itself(&sealed.expose().replacen("clvs_e", "clvs_f", 1)), account),
            (by_itself("clv_a"), account),
            (by_itself(""), account),
            (by_id(id.as_str(), "service"), other),
            (by_id(id.as_str(), "a1B2c3D47Hq0p2Zx9K"), account),
            (by_id(&made_up, "service"), other),
        ] {
            assert_eq!(
                ask(form.clone(), account),
                Err(AdminProblem::Request(RequestProblem::NotFound)),
                "{form}"
            );
        }
        for form in [
            json!({}),
            json!({ "id": id }),
            json!({ "issuer": "service" }),
            json!({ "credential": sealed.expose(), "id": id, "issuer": "service" }),
            by_id(id.as_str(), "someone"),
        ] {
            assert!(
                matches!(
                    ask(form.clone(), account),
                    Err(AdminProblem::Request(RequestProblem::MalformedBody { .. }))
                ),
                "{form}"
            );
        }
    }
}
