//! The admin Worker's settings, parsed once. If one is missing or wrong, the Worker serves no
//! request.

use claviger_core::base::http::request::Url;
use claviger_core::base::id::Prefix;
use claviger_core::base::secret::SecretText;
use claviger_core::config::rules::Rules;
use claviger_core::config::settings::{ConfigError, Deployment, Variables};
use claviger_core::config::terms::Terms;
use claviger_core::credential::keyring::Keyring;

use crate::admin::access::{AccessConfigError, AccessSettings, AccessVariables};
use crate::protocol::account::Email;
use crate::protocol::master::{MasterError, MasterSecrets};

/// The settings as the platform provides them.
#[derive(Debug, Default)]
pub struct AdminSettings {
    /// Secret `MASTER_SECRET`; required.
    pub master_secret: Option<SecretText>,
    /// Variables that the edge reads, too.
    pub variables: Variables,
    /// Variable `MAIL`; not set means `off`.
    pub mail: Option<String>,
    /// Variable `MAIL_FROM`; required unless mail is off.
    pub mail_from: Option<String>,
    /// Secret `MAIL_API_KEY`; required if mail goes out over HTTP.
    pub mail_api_key: Option<SecretText>,
    /// Variables of Cloudflare Access.
    pub access: AccessVariables,
}

/// The reason for which the admin Worker does not serve. Only the log contains it; clients get a
/// general error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminConfigError {
    /// A required setting is not set.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// A variable that both Workers read is missing or malformed.
    #[error("{0}")]
    Deployment(#[from] ConfigError),
    /// `MAIL` is none of the allowed values.
    #[error(
        "MAIL must be off (the default), binding, or the URL of an e-mail API: https://…, or http:// on this machine"
    )]
    Mail,
    /// `MAIL_FROM` is no e-mail address.
    #[error("MAIL_FROM must be an e-mail address such as keys@example.com")]
    MailFrom,
    /// `MAIL_API_KEY` cannot be sent in a header.
    #[error("MAIL_API_KEY must be 1 to {MAIL_API_KEY_BYTES_MAX} visible ASCII characters")]
    MailApiKey,
    /// `MASTER_SECRET` is missing or wrong.
    #[error("MASTER_SECRET: {0}")]
    Master(#[from] MasterError),
}

/// Longest secret of an e-mail API, in bytes: tokens that are signed documents have some 2,000.
pub const MAIL_API_KEY_BYTES_MAX: usize = 4_096;

/// The way in which mail is delivered.
#[derive(Debug)]
pub struct Mail {
    /// Sender address of all mails.
    pub from: Email,
    /// Service that accepts the mail.
    pub by: MailBy,
}

/// A service that accepts mail.
#[derive(Debug)]
pub enum MailBy {
    /// The platform's Email Service, called through the binding `EMAIL`.
    Binding,
    /// An HTTP e-mail API ([`crate::admin::mail::http`]).
    Http {
        /// URL that accepts messages.
        url: String,
        /// Bearer token, in visible ASCII.
        key: SecretText,
    },
}

impl Mail {
    /// Parses the mail settings; `None` if mail is off.
    fn parse(
        mail: Option<&str>,
        from: Option<&str>,
        key: Option<SecretText>,
    ) -> Result<Option<Self>, AdminConfigError> {
        let by = match mail {
            None | Some("off") => return Ok(None),
            Some("binding") => MailBy::Binding,
            Some(url) => {
                let url = Some(url)
                    .filter(|url| is_mail_api(url))
                    .ok_or(AdminConfigError::Mail)?
                    .to_owned();
                let key = key.ok_or(AdminConfigError::Missing("MAIL_API_KEY"))?;
                let fits = (1..=MAIL_API_KEY_BYTES_MAX).contains(&key.expose().len());
                if !fits || !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(AdminConfigError::MailApiKey);
                }
                MailBy::Http { url, key }
            }
        };
        let from = from.ok_or(AdminConfigError::Missing("MAIL_FROM"))?;
        let from = Email::parse(from).map_err(|_| AdminConfigError::MailFrom)?;
        Ok(Some(Self { from, by }))
    }
}

/// Returns `true` if codes and the token may be sent to this URL: over TLS, or without leaving the
/// machine.
fn is_mail_api(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['#', '\\']);
    Url::parse(text)
        .is_some_and(|url| is_plain && url.has_plain_authority() && url.is_confidential())
}

/// The admin Worker's settings, all of them valid.
#[derive(Debug)]
pub struct AdminConfig {
    /// The master secret in all its generations, with the keyring derived from it.
    pub master: MasterSecrets,
    /// Prefix of credentials.
    pub prefix: Prefix,
    /// Origin of the console: `https://host[:port]`.
    pub console_origin: String,
    /// Host of the console, without port.
    pub console_host: String,
    /// Gateway rules, whose permissions the console offers.
    pub rules: Rules,
    /// Terms of leases: freshness and behaviour in an outage.
    pub terms: Terms,
    /// Digest of the variables that both Workers must have alike.
    pub digest: String,
    /// Mail delivery; `None` if mail is off. Actions that need a mailed code are then refused.
    pub mail: Option<Mail>,
    /// Cloudflare Access, which then decides who is an operator; `None` if it is not configured.
    /// With an error, the operator's routes refuse every request, and all others are served.
    pub access: Result<Option<AccessSettings>, AccessConfigError>,
}

impl AdminConfig {
    /// Parses the settings.
    ///
    /// # Errors
    /// [`AdminConfigError`] for the first setting that is missing or wrong.
    pub fn parse(settings: AdminSettings) -> Result<Self, AdminConfigError> {
        let AdminSettings { master_secret, variables, mail, mail_from, mail_api_key, access } =
            settings;
        let master_secret = master_secret.ok_or(AdminConfigError::Missing("MASTER_SECRET"))?;
        let master = MasterSecrets::parse(master_secret.expose())?;
        let Deployment { prefix, console_origin, console_host, rules, terms, digest } =
            Deployment::parse(&variables)?;
        let mail = Mail::parse(mail.as_deref(), mail_from.as_deref(), mail_api_key)?;
        let access = AccessSettings::parse(&access, &console_origin);
        Ok(Self {
            master,
            prefix,
            console_origin,
            console_host,
            rules,
            terms,
            digest,
            mail,
            access,
        })
    }

    /// Returns the subkeys that make and check credentials.
    pub fn keyring(&self) -> &Keyring {
        self.master.keyring()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use claviger_core::testing::variables;

    use super::*;
    use crate::protocol::master::tests::MASTER;

    fn settings() -> AdminSettings {
        let master_secret = Some(SecretText::new(MASTER.to_owned()));
        AdminSettings { master_secret, variables: variables(), ..AdminSettings::default() }
    }

    pub(crate) fn config() -> AdminConfig {
        AdminConfig::parse(settings()).unwrap()
    }

    #[test]
    fn a_master_secret_is_wanted_and_the_variables_are_checked() {
        let without = AdminSettings { master_secret: None, ..settings() };
        assert_eq!(
            AdminConfig::parse(without).unwrap_err().to_string(),
            "MASTER_SECRET is not set"
        );
        let mut wrong = settings();
        wrong.variables.prefix = None;
        assert_eq!(AdminConfig::parse(wrong).unwrap_err().to_string(), "PREFIX is not set");
        assert_eq!(
            config().keyring().fingerprint(),
            claviger_core::testing::keyring().fingerprint()
        );
    }

    #[test]
    fn ways_of_mail_with_near_misses() {
        let parsed = |mail: Option<&str>, from: Option<&str>, key: Option<&str>| {
            let settings = AdminSettings {
                mail: mail.map(str::to_owned),
                mail_from: from.map(str::to_owned),
                mail_api_key: key.map(|key| SecretText::new(key.into())),
                ..settings()
            };
            let described = |mail: &Mail| match &mail.by {
                MailBy::Binding => format!("{} binding", mail.from),
                MailBy::Http { url, key } => format!("{} {url} {}", mail.from, key.expose()),
            };
            AdminConfig::parse(settings).map(|config| config.mail.as_ref().map(described))
        };
        let from = Some("Keys@Example.com");
        for (mail, from, key, expected) in [
            (None, None, None, Ok(None)),
            (Some("off"), Some("nonsense"), None, Ok(None)),
            (Some("binding"), from, None, Ok(Some("keys@example.com binding".into()))),
            (
                Some("https://api.resend.com/emails"),
                from,
                Some("re_1"),
                Ok(Some("keys@example.com https://api.resend.com/emails re_1".into())),
            ),
            (
                Some("http://127.0.0.1:9999/emails"),
                from,
                Some("x"),
                Ok(Some("keys@example.com http://127.0.0.1:9999/emails x".into())),
            ),
            (
                Some("http://localhost/"),
                from,
                Some("x"),
                Ok(Some("keys@example.com http://localhost/ x".into())),
            ),
            (Some("binding"), None, None, Err(AdminConfigError::Missing("MAIL_FROM"))),
            (Some("binding"), Some("keys"), None, Err(AdminConfigError::MailFrom)),
            (
                Some("binding"),
                Some("Keys <keys@example.com>"),
                None,
                Err(AdminConfigError::MailFrom),
            ),
            (
                Some("https://mail.example/"),
                from,
                None,
                Err(AdminConfigError::Missing("MAIL_API_KEY")),
            ),
            (
                Some("https://mail.example/"),
                None,
                Some("x"),
                Err(AdminConfigError::Missing("MAIL_FROM")),
            ),
            (Some("https://mail.example/"), from, Some(""), Err(AdminConfigError::MailApiKey)),
            (Some("https://mail.example/"), from, Some("a b"), Err(AdminConfigError::MailApiKey)),
            (Some("https://mail.example/"), from, Some("a\nb"), Err(AdminConfigError::MailApiKey)),
            (Some("http://mail.example/"), from, Some("x"), Err(AdminConfigError::Mail)),
            (Some("http://localhost.example/"), from, Some("x"), Err(AdminConfigError::Mail)),
            (Some("http://127.0.0.1.example/"), from, Some("x"), Err(AdminConfigError::Mail)),
            (Some("http://user@127.0.0.1/"), from, Some("x"), Err(AdminConfigError::Mail)),
            (
                Some("http://127.0.0.1\\@mail.example/"),
                from,
                Some("x"),
                Err(AdminConfigError::Mail),
            ),
            (Some("https://mail.example/ x"), from, Some("x"), Err(AdminConfigError::Mail)),
            (Some("ftp://mail.example/"), from, Some("x"), Err(AdminConfigError::Mail)),
            (Some("mail.example"), from, Some("x"), Err(AdminConfigError::Mail)),
            (Some("Binding"), from, None, Err(AdminConfigError::Mail)),
            (Some("on"), from, None, Err(AdminConfigError::Mail)),
            (Some(""), from, None, Err(AdminConfigError::Mail)),
        ] {
            assert_eq!(parsed(mail, from, key), expected, "{mail:?} {from:?}");
        }
    }

    #[test]
    fn an_example_secret_is_refused_without_being_shown() {
        let mut settings = settings();
        settings.master_secret = Some(SecretText::new(
            r#"[{"id":"a","secret":"example-example-example-example-0"}]"#.into(),
        ));
        let error = AdminConfig::parse(settings).unwrap_err();
        assert_eq!(error, MasterError::Weak { index: 0 }.into());
        assert!(!error.to_string().contains("example-example"));
    }
}
