//! Parses the edge's settings, once. If one is missing or wrong, the edge does not serve at all.

use sha2::{Digest as _, Sha256};

use crate::base::http::request::Url;
use crate::base::id::Prefix;
use crate::base::secret::SecretText;
use crate::base::time::DurationMs;
use crate::config::rules::{Rules, RulesError};
use crate::config::terms::{Terms, TermsError};
use crate::credential::keyring::{Keyring, KeyringError};

/// The variables that both Workers read, as the platform provides them.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// Text of the variable `PREFIX`.
    pub prefix: Option<String>,
    /// Text of the variable `CONSOLE_ORIGIN`.
    pub console_origin: Option<String>,
    /// Text of the variable `RULES`, JSON.
    pub rules: Option<String>,
    /// Text of the variable `FRESHNESS`; if absent, `bounded`.
    pub freshness: Option<String>,
    /// Text of the variable `OUTAGE`; if absent, `deny`.
    pub outage: Option<String>,
}

/// The reason why a deployment does not serve. It goes to the log; a caller only learns that the
/// deployment does not serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A setting is absent.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// The prefix breaks its rule.
    #[error("PREFIX must be 2 to 12 of [a-z0-9], not ending in s")]
    Prefix,
    /// The console's origin is malformed.
    #[error("CONSOLE_ORIGIN must be https://host[:port], or http://localhost[:port]")]
    ConsoleOrigin,
    /// The freshness or outage terms are malformed.
    #[error("{0}")]
    Terms(#[from] TermsError),
    /// The edge's keys are malformed.
    #[error("EDGE_KEYS: {0}")]
    Keyring(#[from] KeyringError),
    /// The gateway rules are malformed.
    #[error("{0}")]
    Rules(#[from] RulesError),
}

/// The parsed variables.
#[derive(Debug)]
pub struct Deployment {
    /// Prefix of credentials.
    pub prefix: Prefix,
    /// Origin of the console, `https://host[:port]`.
    pub console_origin: String,
    /// Host of the console, without port.
    pub console_host: String,
    /// Gateway rules, in the order in which they decide.
    pub rules: Rules,
    /// Freshness and outage terms of leases.
    pub terms: Terms,
    /// Digest of the variables that both Workers must have alike, 32 hex digits.
    pub digest: String,
}

impl Deployment {
    /// Parses the variables.
    ///
    /// # Errors
    /// A [`ConfigError`] for the first required variable that is missing; if none is, for the first
    /// variable that is wrong. It is never [`ConfigError::Keyring`].
    pub fn parse(variables: &Variables) -> Result<Self, ConfigError> {
        let Variables { prefix, console_origin, rules, freshness, outage } = variables;
        let prefix = prefix.as_deref().ok_or(ConfigError::Missing("PREFIX"))?;
        let console_origin =
            console_origin.as_deref().ok_or(ConfigError::Missing("CONSOLE_ORIGIN"))?;
        let rules = rules.as_deref().ok_or(ConfigError::Missing("RULES"))?;

        let prefix = Prefix::parse(prefix).ok_or(ConfigError::Prefix)?;
        let console_host = Url::parse(console_origin)
            .filter(|url| url.origin == console_origin && url.has_plain_authority())
            .filter(|url| url.host == url.host.to_ascii_lowercase())
            .filter(|url| match url.origin.split(':').next() {
                Some("https") => true,
                // On other `http` hosts, browsers do not store the console's `Secure` cookie.
                Some("http") => url.host == "localhost",
                _ => false,
            })
            .map(|url| url.host.to_owned())
            .ok_or(ConfigError::ConsoleOrigin)?;
        let rules = Rules::parse(rules, &console_host)?;
        let terms = Terms::parse(freshness.as_deref(), outage.as_deref())?;
        let digest = digest(&prefix, console_origin, terms);
        let console_origin = console_origin.to_owned();
        Ok(Self { prefix, console_origin, console_host, rules, terms, digest })
    }
}

/// Returns the digest of the variables that both Workers must have alike. The digest covers parsed
/// values, so an absent variable equals its default written out. `RULES` may differ: the admin
/// Worker only suggests their permissions on the console.
fn digest(prefix: &Prefix, console_origin: &str, terms: Terms) -> String {
    let grace = terms.outage.grace().unwrap_or(DurationMs::from_s(0)).as_ms().to_string();
    let mut hash = Sha256::new();
    hash.update(b"claviger/variables/1");
    for text in [prefix.as_str(), console_origin, terms.freshness.as_str(), &grace] {
        // None of the texts can contain a zero byte.
        hash.update([0]);
        hash.update(text);
    }
    let mut text = base16ct::lower::encode_string(&hash.finalize());
    text.truncate(32);
    text
}

/// The parsed settings of the edge.
#[derive(Debug)]
pub struct Config {
    /// Subkeys that make and check credentials.
    pub keyring: Keyring,
    /// Prefix of credentials.
    pub prefix: Prefix,
    /// Origin of the console, `https://host[:port]`.
    pub console_origin: String,
    /// Host of the console, without port.
    pub console_host: String,
    /// Gateway rules, in the order in which they decide.
    pub rules: Rules,
    /// Freshness and outage terms of leases.
    pub terms: Terms,
    /// Digest of the variables that both Workers must have alike, 32 hex digits.
    pub digest: String,
}

impl Config {
    /// Parses the secret `EDGE_KEYS` and the variables.
    ///
    /// # Errors
    /// A [`ConfigError`] for the first setting that is missing or wrong.
    pub fn parse(
        edge_keys: Option<&SecretText>,
        variables: &Variables,
    ) -> Result<Self, ConfigError> {
        let edge_keys = edge_keys.ok_or(ConfigError::Missing("EDGE_KEYS"))?;
        let keyring = Keyring::parse(edge_keys.expose())?;
        let Deployment { prefix, console_origin, console_host, rules, terms, digest } =
            Deployment::parse(variables)?;
        Ok(Self { keyring, prefix, console_origin, console_host, rules, terms, digest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn whatever_is_missing_is_named() {
        type Cut = fn(&mut Variables);
        let keys = SecretText::new(testing::EDGE_KEYS.to_owned());
        let cuts: [(Cut, &str); 3] = [
            (|variables| variables.prefix = None, "PREFIX is not set"),
            (|variables| variables.console_origin = None, "CONSOLE_ORIGIN is not set"),
            (|variables| variables.rules = None, "RULES is not set"),
        ];
        for (cut, expected) in cuts {
            let mut variables = testing::variables();
            cut(&mut variables);
            assert_eq!(Config::parse(Some(&keys), &variables).unwrap_err().to_string(), expected);
        }
        let variables = testing::variables();
        assert_eq!(
            Config::parse(None, &variables).unwrap_err().to_string(),
            "EDGE_KEYS is not set"
        );
        let wrong = SecretText::new(
            r#"[{"id":"a","secret":"mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE"}]"#.into(),
        );
        let error = Config::parse(Some(&wrong), &variables).unwrap_err();
        assert_eq!(error, ConfigError::Keyring(KeyringError::Syntax));
        assert!(!error.to_string().contains("mKq4"));
    }

    #[test]
    fn the_digest_covers_what_both_workers_must_have_alike() {
        type Change = fn(&mut Variables);
        let digest_of = |change: Change| {
            let mut variables = testing::variables();
            change(&mut variables);
            Deployment::parse(&variables).unwrap().digest
        };
        let usual = digest_of(|_| {});
        let alike: [Change; 3] = [
            |variables| variables.freshness = Some("bounded".into()),
            |variables| variables.outage = Some("deny".into()),
            |variables| variables.rules = Some("[]".into()),
        ];
        assert!(alike.into_iter().all(|change| digest_of(change) == usual));
        let different: [Change; 5] = [
            |variables| variables.prefix = Some("abc".into()),
            |variables| variables.console_origin = Some("http://localhost:8788".into()),
            |variables| variables.freshness = Some("eventual".into()),
            |variables| variables.outage = Some("grace:1".into()),
            |variables| variables.outage = Some("grace:2".into()),
        ];
        let mut digests: Vec<_> = different.into_iter().map(digest_of).collect();
        digests.push(usual);
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 6);
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
            ("https://console.example.", None),
            ("https://console.example*", None),
            ("https://Console.example", None),
            ("https://console.example:port", None),
            ("https://例え.example", None),
            ("console.example", None),
            ("", None),
        ] {
            let variables =
                Variables { console_origin: Some(origin.into()), ..testing::variables() };
            assert_eq!(
                Deployment::parse(&variables).ok().map(|config| config.console_host).as_deref(),
                host,
                "{origin}"
            );
        }
    }
}
