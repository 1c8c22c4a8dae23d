//! Reads the deployment's variables and secrets.

use claviger_control::admin::config::AdminSettings;
use claviger_core::base::secret::SecretText;
use claviger_core::config::settings::Variables;
use claviger_core::config::terms::{Terms, TermsError};
use js_sys::{JSON, Reflect};
use wasm_bindgen::JsValue;
use worker::Env;

/// Reads all settings.
pub fn read(env: &Env) -> AdminSettings {
    AdminSettings {
        master_secret: text(env, "MASTER_SECRET").map(SecretText::new),
        variables: Variables {
            prefix: text(env, "PREFIX"),
            console_origin: text(env, "CONSOLE_ORIGIN"),
            rules: text(env, "RULES"),
            freshness: text(env, "FRESHNESS"),
            outage: text(env, "OUTAGE"),
        },
        mail: text(env, "MAIL"),
        mail_from: text(env, "MAIL_FROM"),
        mail_api_key: text(env, "MAIL_API_KEY").map(SecretText::new),
    }
}

/// Reads the terms alone, for objects, which need little else.
///
/// # Errors
/// [`TermsError`] of the two variables.
pub fn terms(env: &Env) -> Result<Terms, TermsError> {
    Terms::parse(text(env, "FRESHNESS").as_deref(), text(env, "OUTAGE").as_deref())
}

/// Reads a variable as text: tables and arrays of the configuration file arrive as objects and
/// become JSON.
fn text(env: &Env, name: &str) -> Option<String> {
    let value =
        Reflect::get(env, &JsValue::from_str(name)).ok().filter(|value| !value.is_undefined())?;
    value.as_string().or_else(|| JSON::stringify(&value).ok()?.as_string())
}
