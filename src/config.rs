//! The deployment's settings, parsed once. Whatever is missing or wrong stops the deployment from serving at all.

use crate::account::Email;
use crate::id::Prefix;
use crate::protocol::Bound;
use crate::request::Url;
use crate::ring::{Ring, RingError};
use crate::rules::{Rules, RulesError};
use crate::secret::SecretText;
use crate::time::DurationMs;

/// The settings as the platform hands them over.
#[derive(Debug)]
pub struct Settings {
    /// Secret `MASTER_SECRET`.
    pub master_secret: Option<SecretText>,
    /// Variable `PREFIX`.
    pub prefix: Option<String>,
    /// Variable `CONSOLE_ORIGIN`.
    pub console_origin: Option<String>,
    /// Variable `RULES`, as JSON.
    pub rules: Option<String>,
    /// Variable `FRESHNESS`; not set = `bounded`.
    pub freshness: Option<String>,
    /// Variable `OUTAGE`; not set = `deny`.
    pub outage: Option<String>,
    /// Variable `MAIL`; not set = `off`.
    pub mail: Option<String>,
    /// Variable `MAIL_FROM`; wanted unless mail is off.
    pub mail_from: Option<String>,
    /// Secret `MAIL_API_KEY`; wanted when mail goes out by HTTP.
    pub mail_api_key: Option<SecretText>,
}

/// Why a deployment does not serve. It goes to the log; callers only learn that it does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A setting is not there.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// The prefix breaks its rule.
    #[error("PREFIX must be 2 to 12 of [a-z0-9], not ending in s")]
    Prefix,
    /// The console's origin is no origin.
    #[error("CONSOLE_ORIGIN must be https://host[:port], or http://localhost[:port]")]
    ConsoleOrigin,
    /// Where leases come from is none of the ways there are.
    #[error("FRESHNESS must be bounded (the default) or eventual")]
    Freshness,
    /// What to do while a ledger is out of reach.
    #[error("OUTAGE must be deny (the default), or grace:<seconds> with 1 to {GRACE_S_MAX}")]
    Outage,
    /// How mail goes out.
    #[error(
        "MAIL must be off (the default), binding, or the URL of an e-mail API: https://…, or http:// on this machine"
    )]
    Mail,
    /// Who mail comes from.
    #[error("MAIL_FROM must be an e-mail address such as keys@example.com")]
    MailFrom,
    /// The secret of the e-mail API cannot stand in a header.
    #[error("MAIL_API_KEY must be 1 to {MAIL_API_KEY_BYTES_MAX} visible ASCII characters")]
    MailApiKey,
    /// The master secret.
    #[error("MASTER_SECRET: {0}")]
    Ring(#[from] RingError),
    /// The rules.
    #[error("{0}")]
    Rules(#[from] RulesError),
}

/// Longest grace, in seconds: a day.
pub const GRACE_S_MAX: u64 = 86_400;

/// What a request gets whose lease is older than T while the ledger is out of reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outage {
    /// 503.
    #[default]
    Deny,
    /// A verdict from the lease there is, if it is at most so much older than T, and has not ended (after ten T); else from the lease
    /// document in KV, for so long after the first call that failed.
    Grace(DurationMs),
}

impl Outage {
    /// How much older than T a lease may be.
    pub fn grace(self) -> Option<DurationMs> {
        match self {
            Self::Deny => None,
            Self::Grace(more) => Some(more),
        }
    }

    /// Reads `deny` or `grace:<seconds>`, the number in digits without leading zeros.
    fn parse(text: &str) -> Option<Self> {
        if text == "deny" {
            return Some(Self::Deny);
        }
        let digits = text.strip_prefix("grace:")?;
        let seconds: u64 = digits.parse().ok()?;
        let is_canonical = seconds.to_string() == digits && (1..=GRACE_S_MAX).contains(&seconds);
        is_canonical.then(|| Self::Grace(DurationMs::from_s(seconds)))
    }
}

/// Where leases come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// From the ledger: within T.
    #[default]
    Bounded,
    /// From the documents that ledgers publish to KV: as late as KV is, and mostly without a call to a ledger.
    Eventual,
}

impl Freshness {
    /// As the setting and the session document spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounded => "bounded",
            Self::Eventual => "eventual",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Bounded, Self::Eventual].into_iter().find(|freshness| freshness.as_str() == text)
    }
}

/// On what terms a deployment holds leases. By default within T, and not at all while a ledger is out of reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Where leases come from.
    pub freshness: Freshness,
    /// What holds while a ledger is out of reach.
    pub outage: Outage,
}

impl Terms {
    /// Parses the variables `FRESHNESS` and `OUTAGE`.
    ///
    /// # Errors
    /// [`ConfigError::Freshness`], [`ConfigError::Outage`].
    pub fn parse(freshness: Option<&str>, outage: Option<&str>) -> Result<Self, ConfigError> {
        let freshness = freshness.map_or(Some(Freshness::Bounded), Freshness::parse);
        let outage = outage.map_or(Some(Outage::Deny), Outage::parse);
        Ok(Self {
            freshness: freshness.ok_or(ConfigError::Freshness)?,
            outage: outage.ok_or(ConfigError::Outage)?,
        })
    }

    /// What T and the grace come to, in seconds. With T = 0 every request asks, so that there is no grace.
    pub fn within_s(self, freshness_s: u32) -> u32 {
        match self.outage.grace() {
            Some(grace) if freshness_s > 0 => {
                freshness_s.saturating_add(u32::try_from(grace.as_ms().div_euclid(1_000)).unwrap_or(u32::MAX))
            }
            _ => freshness_s,
        }
    }

    /// What a bound that goes by T comes to.
    #[must_use]
    pub fn bound(self, bound: Bound) -> Bound {
        let within_s = self.within_s(bound.within_s);
        let more = DurationMs::from_s(within_s.saturating_sub(bound.within_s).into());
        let is_eventual = self.freshness == Freshness::Eventual;
        Bound { at: bound.at.saturating_add(more), within_s, is_eventual }
    }

    /// Whether isolates may need what ledgers publish to KV.
    pub fn wants_documents(self) -> bool {
        self.freshness == Freshness::Eventual || self.outage.grace().is_some()
    }
}

/// Longest secret of an e-mail API, in bytes: tokens that are signed documents have some 2,000.
pub const MAIL_API_KEY_BYTES_MAX: usize = 4_096;

/// How mail goes out.
#[derive(Debug)]
pub struct Mail {
    /// Who it comes from.
    pub from: Email,
    /// Who takes it.
    pub by: MailBy,
}

/// Who takes mail.
#[derive(Debug)]
pub enum MailBy {
    /// The platform, by its binding `EMAIL`.
    Binding,
    /// An HTTP e-mail API ([`crate::mail::http`]).
    Http {
        /// Where it takes messages.
        url: String,
        /// Its bearer token.
        key: SecretText,
    },
}

impl Mail {
    /// Reads the settings of mail; `None`: it is off.
    fn parse(
        mail: Option<&str>,
        from: Option<&str>,
        key: Option<SecretText>,
    ) -> Result<Option<Self>, ConfigError> {
        let by = match mail {
            None | Some("off") => return Ok(None),
            Some("binding") => MailBy::Binding,
            Some(url) => {
                let url = Some(url).filter(|url| is_mail_api(url)).ok_or(ConfigError::Mail)?.to_owned();
                let key = key.ok_or(ConfigError::Missing("MAIL_API_KEY"))?;
                let fits = (1..=MAIL_API_KEY_BYTES_MAX).contains(&key.expose().len());
                if !fits || !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(ConfigError::MailApiKey);
                }
                MailBy::Http { url, key }
            }
        };
        let from = from.ok_or(ConfigError::Missing("MAIL_FROM"))?;
        let from = Email::parse(from).map_err(|_| ConfigError::MailFrom)?;
        Ok(Some(Self { from, by }))
    }
}

/// Whether codes and the token may be sent there: over TLS, or without leaving the machine.
fn is_mail_api(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['#', '\\']);
    Url::parse(text).is_some_and(|url| is_plain && url.has_plain_authority() && url.is_confidential())
}

/// A deployment's settings, all of them right.
#[derive(Debug)]
pub struct Config {
    /// Master secrets.
    pub ring: Ring,
    /// Prefix of credentials.
    pub prefix: Prefix,
    /// `https://host[:port]` of the console.
    pub console_origin: String,
    /// Its host, without port.
    pub console_host: String,
    /// Gateway rules.
    pub rules: Rules,
    /// On what terms leases are held.
    pub terms: Terms,
    /// How mail goes out; `None`: it is off, and what needs a mailed code is refused.
    pub mail: Option<Mail>,
}

impl Config {
    /// Parses the settings.
    ///
    /// # Errors
    /// The first thing that is missing or wrong.
    pub fn parse(settings: Settings) -> Result<Self, ConfigError> {
        let master_secret = settings.master_secret.ok_or(ConfigError::Missing("MASTER_SECRET"))?;
        let prefix = settings.prefix.ok_or(ConfigError::Missing("PREFIX"))?;
        let console_origin = settings.console_origin.ok_or(ConfigError::Missing("CONSOLE_ORIGIN"))?;
        let rules = settings.rules.ok_or(ConfigError::Missing("RULES"))?;

        let ring = Ring::parse(master_secret.expose())?;
        let prefix = Prefix::parse(&prefix).ok_or(ConfigError::Prefix)?;
        let console_host = Url::parse(&console_origin)
            .filter(|url| url.origin == console_origin && url.has_plain_authority())
            .filter(|url| url.host == url.host.to_ascii_lowercase())
            .filter(|url| match url.origin.split_once("://") {
                Some(("https", _)) => true,
                // Elsewhere browsers keep no `Secure` cookie of it.
                Some(("http", _)) => url.host == "localhost",
                _ => false,
            })
            .map(|url| url.host.to_owned())
            .ok_or(ConfigError::ConsoleOrigin)?;
        let rules = Rules::parse(&rules, &console_host)?;
        let terms = Terms::parse(settings.freshness.as_deref(), settings.outage.as_deref())?;
        let mail =
            Mail::parse(settings.mail.as_deref(), settings.mail_from.as_deref(), settings.mail_api_key)?;
        Ok(Self { ring, prefix, console_origin, console_host, rules, terms, mail })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            master_secret: Some(SecretText::new(r#"[{"id":"b","secret":"mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE"}]"#.into())),
            prefix: Some("clv".into()),
            console_origin: Some("http://localhost:8787".into()),
            rules: Some(
                r#"[{"host":"api.localhost","path":"/*","origin":"DEMO","permission":{"read":"demo:read","write":"demo:write"}},
                    {"host":"api.localhost","path":"/any","origin":"DEMO","any_key":true,"credentials":["authorization","query:u"]},
                    {"host":"api.localhost","path":"/form","origin":"DEMO","any_key":true,"credentials":["authorization","form:u","json:u"]},
                    {"host":"api.localhost","path":"/public/form","origin":"DEMO","public":true,"credentials":["form:u"]},
                    {"host":"api.localhost","path":"/public/*","origin":"https://origin.example","public":true}]"#
                    .into(),
            ),
            freshness: None,
            outage: None,
            mail: None,
            mail_from: None,
            mail_api_key: None,
        }
    }

    pub(crate) fn config() -> Config {
        Config::parse(settings()).unwrap()
    }

    #[test]
    fn whatever_is_missing_is_named() {
        type Cut = fn(&mut Settings);
        let cuts: [(Cut, &str); 4] = [
            (|settings| settings.master_secret = None, "MASTER_SECRET is not set"),
            (|settings| settings.prefix = None, "PREFIX is not set"),
            (|settings| settings.console_origin = None, "CONSOLE_ORIGIN is not set"),
            (|settings| settings.rules = None, "RULES is not set"),
        ];
        for (cut, expected) in cuts {
            let mut settings = settings();
            cut(&mut settings);
            assert_eq!(Config::parse(settings).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn freshness_and_outage_with_near_misses() {
        let grace = |s| Ok(Outage::Grace(DurationMs::from_s(s)));
        for (text, expected) in [
            ("deny", Ok(Outage::Deny)),
            ("grace:1", grace(1)),
            ("grace:86400", grace(86_400)),
            ("grace:86401", Err(ConfigError::Outage)),
            ("grace:0", Err(ConfigError::Outage)),
            ("grace:060", Err(ConfigError::Outage)),
            ("grace:+60", Err(ConfigError::Outage)),
            ("grace:60s", Err(ConfigError::Outage)),
            ("grace:", Err(ConfigError::Outage)),
            ("grace", Err(ConfigError::Outage)),
            ("Deny", Err(ConfigError::Outage)),
            ("", Err(ConfigError::Outage)),
        ] {
            let settings = Settings { outage: Some(text.into()), ..settings() };
            assert_eq!(Config::parse(settings).map(|config| config.terms.outage), expected, "{text}");
        }
        for (text, expected) in [
            ("bounded", Ok(Freshness::Bounded)),
            ("eventual", Ok(Freshness::Eventual)),
            ("Eventual", Err(ConfigError::Freshness)),
            ("Bounded", Err(ConfigError::Freshness)),
            ("", Err(ConfigError::Freshness)),
        ] {
            let settings = Settings { freshness: Some(text.into()), ..settings() };
            assert_eq!(Config::parse(settings).map(|config| config.terms.freshness), expected, "{text}");
        }
        assert_eq!(config().terms, Terms { freshness: Freshness::Bounded, outage: Outage::Deny });
        let at = crate::time::UnixMs::from_ms;
        let bound = |ms, within_s, is_eventual| Bound { at: at(ms), within_s, is_eventual };
        for (freshness, outage, within_s, expected) in [
            ("bounded", "deny", 10, bound(10_000, 10, false)),
            ("bounded", "grace:60", 10, bound(70_000, 70, false)),
            ("bounded", "grace:60", 0, bound(10_000, 0, false)),
            ("eventual", "deny", 10, bound(10_000, 10, true)),
        ] {
            let terms = Terms::parse(Some(freshness), Some(outage)).unwrap();
            assert_eq!(terms.bound(bound(10_000, within_s, false)), expected, "{freshness}, {outage}");
        }
        for (freshness, outage, wants) in [
            (None, None, false),
            (Some("eventual"), None, true),
            (Some("bounded"), Some("deny"), false),
            (Some("bounded"), Some("grace:1"), true),
        ] {
            assert_eq!(Terms::parse(freshness, outage).unwrap().wants_documents(), wants);
        }
    }

    #[test]
    fn ways_of_mail_with_near_misses() {
        let told = |mail: Option<&str>, from: Option<&str>, key: Option<&str>| {
            let settings = Settings {
                mail: mail.map(str::to_owned),
                mail_from: from.map(str::to_owned),
                mail_api_key: key.map(|key| SecretText::new(key.into())),
                ..settings()
            };
            let told = |mail: &Mail| match &mail.by {
                MailBy::Binding => format!("{} binding", mail.from),
                MailBy::Http { url, key } => format!("{} {url} {}", mail.from, key.expose()),
            };
            Config::parse(settings).map(|config| config.mail.as_ref().map(told))
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
            (Some("binding"), None, None, Err(ConfigError::Missing("MAIL_FROM"))),
            (Some("binding"), Some("keys"), None, Err(ConfigError::MailFrom)),
            (Some("binding"), Some("Keys <keys@example.com>"), None, Err(ConfigError::MailFrom)),
            (Some("https://mail.example/"), from, None, Err(ConfigError::Missing("MAIL_API_KEY"))),
            (Some("https://mail.example/"), None, Some("x"), Err(ConfigError::Missing("MAIL_FROM"))),
            (Some("https://mail.example/"), from, Some(""), Err(ConfigError::MailApiKey)),
            (Some("https://mail.example/"), from, Some("a b"), Err(ConfigError::MailApiKey)),
            (Some("https://mail.example/"), from, Some("a\nb"), Err(ConfigError::MailApiKey)),
            (Some("http://mail.example/"), from, Some("x"), Err(ConfigError::Mail)),
            (Some("http://localhost.example/"), from, Some("x"), Err(ConfigError::Mail)),
            (Some("http://127.0.0.1.example/"), from, Some("x"), Err(ConfigError::Mail)),
            (Some("http://user@127.0.0.1/"), from, Some("x"), Err(ConfigError::Mail)),
            (Some("http://127.0.0.1\\@mail.example/"), from, Some("x"), Err(ConfigError::Mail)),
            (Some("https://mail.example/ x"), from, Some("x"), Err(ConfigError::Mail)),
            (Some("ftp://mail.example/"), from, Some("x"), Err(ConfigError::Mail)),
            (Some("mail.example"), from, Some("x"), Err(ConfigError::Mail)),
            (Some("Binding"), from, None, Err(ConfigError::Mail)),
            (Some("on"), from, None, Err(ConfigError::Mail)),
            (Some(""), from, None, Err(ConfigError::Mail)),
        ] {
            assert_eq!(told(mail, from, key), expected, "{mail:?} {from:?}");
        }
    }

    #[test]
    fn origins_of_the_console_with_near_misses() {
        for (origin, host) in [
            ("http://localhost:8787", Some("localhost")),
            ("http://localhost", Some("localhost")),
            ("https://console.example", Some("console.example")),
            ("https://console.example:8443", Some("console.example")),
            ("http://console.example", None),
            ("http://localhost.example", None),
            ("https://console.example/", None),
            ("https://Console.example", None),
            ("https://console.example:port", None),
            ("https://例え.example", None),
            ("console.example", None),
            ("", None),
        ] {
            let mut settings = settings();
            settings.console_origin = Some(origin.into());
            assert_eq!(
                Config::parse(settings).ok().map(|config| config.console_host).as_deref(),
                host,
                "{origin}"
            );
        }
    }

    #[test]
    fn an_example_secret_is_refused_without_being_shown() {
        let mut settings = settings();
        settings.master_secret =
            Some(SecretText::new(r#"[{"id":"a","secret":"example-example-example-example-0"}]"#.into()));
        let error = Config::parse(settings).unwrap_err();
        assert_eq!(error, ConfigError::Ring(RingError::Weak { index: 0 }));
        assert!(!error.to_string().contains("example-example"));
    }
}
