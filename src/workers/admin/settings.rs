//! Reads the deployment's variables and secrets.

use core::cell::RefCell;
use std::rc::Rc;

use claviger_control::admin::access::AccessVariables;
use claviger_control::admin::config::{AdminConfig, AdminSettings};
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::secret::SecretText;
use claviger_core::config::settings::Variables;
use claviger_core::config::terms::{Terms, TermsError};
use js_sys::{JSON, Reflect};
use wasm_bindgen::JsValue;
use worker::Env;

thread_local! {
    /// This isolate's settings; `None` until its first request.
    static CONFIG: RefCell<Option<Rc<AdminConfig>>> = const { RefCell::new(None) };
}

/// Returns this isolate's settings, read on its first request. If they are wrong, the log says so
/// with every request, and none is served.
pub fn config(env: &Env) -> Result<Rc<AdminConfig>, RequestProblem> {
    if let Some(config) = CONFIG.with_borrow(Clone::clone) {
        return Ok(config);
    }
    match AdminConfig::parse(read(env)) {
        Ok(config) => {
            let config = Rc::new(config);
            CONFIG.with_borrow_mut(|cell| *cell = Some(Rc::clone(&config)));
            Ok(config)
        }
        Err(error) => {
            worker::console_error!("this deployment does not serve: {error}");
            Err(RequestProblem::Misconfigured)
        }
    }
}

/// Reads all settings.
fn read(env: &Env) -> AdminSettings {
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
        access: AccessVariables {
            team: text(env, "ACCESS_TEAM"),
            audience: text(env, "ACCESS_AUD"),
            operators: text(env, "ACCESS_OPERATORS"),
        },
    }
}

/// Reads the lease terms alone, for objects, which need few other settings.
///
/// # Errors
/// [`TermsError`] if one of the two variables is wrong.
pub fn terms(env: &Env) -> Result<Terms, TermsError> {
    Terms::parse(text(env, "FRESHNESS").as_deref(), text(env, "OUTAGE").as_deref())
}

/// Reads a variable as text. Tables and arrays of the configuration file arrive as objects and
/// become JSON.
fn text(env: &Env, name: &str) -> Option<String> {
    let value =
        Reflect::get(env, &JsValue::from_str(name)).ok().filter(|value| !value.is_undefined())?;
    value.as_string().or_else(|| JSON::stringify(&value).ok()?.as_string())
}
