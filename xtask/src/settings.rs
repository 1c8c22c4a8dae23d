//! Whether a deployment would serve with the settings in its configuration.

use anyhow::{Context, Result};
use claviger_control::admin::access::AccessVariables;
use claviger_control::admin::config::{AdminConfig, AdminSettings};
use claviger_core::base::secret::SecretText;
use claviger_core::config::settings::Variables;
use serde_json::{Map, Value};

/// What is wrong with the variables, which are a JSON object; empty when nothing is. Secrets are
/// not among them: they count as given.
pub fn fault(variables: &str) -> Result<String> {
    let variables: Map<String, Value> = serde_json::from_str(variables).context("SETTINGS")?;
    // As the platform hands them over: text as it is, the rest as JSON.
    let text = |name: &str| {
        variables
            .get(name)
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let shared = Variables {
        prefix: text("PREFIX"),
        console_origin: text("CONSOLE_ORIGIN"),
        rules: text("RULES"),
        freshness: text("FRESHNESS"),
        outage: text("OUTAGE"),
    };
    let settings = AdminSettings {
        master_secret: Some(SecretText::new(crate::secrets::fresh())),
        variables: shared,
        mail: text("MAIL"),
        mail_from: text("MAIL_FROM"),
        mail_api_key: Some(SecretText::new("given".to_owned())),
        access: AccessVariables {
            team: text("ACCESS_TEAM"),
            audience: text("ACCESS_AUD"),
            operators: text("ACCESS_OPERATORS"),
        },
    };
    // The edge reads a part of these variables, by the same code.
    Ok(match AdminConfig::parse(settings) {
        Ok(config) => config.access.err().map(|error| error.to_string()).unwrap_or_default(),
        Err(error) => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_worker_refuses_is_told_and_its_secrets_count_as_given() {
        let right = r#"{"PREFIX":"clv","CONSOLE_ORIGIN":"https://keys.example.com","MAIL":"https://mail.example/emails",
            "MAIL_FROM":"keys@example.com","RULES":[{"host":"api.example.com","path":"/*","origin":"https://origin.example.com","any_key":true}]}"#;
        assert_eq!(fault(right).unwrap(), "");
        for (from, to, expected) in [
            ("\"clv\"", "\"keys\"", "PREFIX must be 2 to 12 of [a-z0-9], not ending in s"),
            (
                "keys@example.com",
                "keys",
                "MAIL_FROM must be an e-mail address such as keys@example.com",
            ),
            (
                "\"PREFIX\"",
                "\"FRESHNESS\":\"soon\",\"PREFIX\"",
                "FRESHNESS must be bounded (the default) or eventual",
            ),
        ] {
            assert_eq!(fault(&right.replacen(from, to, 1)).unwrap(), expected);
        }
        let half = right.replacen("\"PREFIX\"", "\"ACCESS_TEAM\":\"example\",\"PREFIX\"", 1);
        assert_eq!(
            fault(&half).unwrap(),
            "ACCESS_TEAM, ACCESS_AUD and ACCESS_OPERATORS belong together: ACCESS_AUD is not set"
        );
        assert_ne!(fault(&right.replacen("any_key", "any_keys", 1)).unwrap(), "");
        assert!(fault("[]").is_err());
    }
}
