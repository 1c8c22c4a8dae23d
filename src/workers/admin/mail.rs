//! Delivers messages through the platform's binding or an HTTP e-mail API.
//! [`claviger_control::admin::mail`] renders them.

use claviger_control::admin::config::{AdminConfig, Mail, MailBy};
use claviger_control::admin::mail::{Message, Taking, compose, http, mime};
use claviger_control::protocol::envelope::Envelope;
use claviger_core::base::secret::SecretText;
use js_sys::Reflect;
use wasm_bindgen::JsValue;
use worker::{EmailMessage, Env, Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

/// Binding of the platform's mail.
const EMAIL: &str = "EMAIL";

/// Renders a message and delivers it. A failure is logged without the message's contents.
pub async fn send(env: &Env, config: &AdminConfig, envelope: &Envelope) -> Taking {
    let id = &envelope.id;
    let Some(mail) = &config.mail else {
        worker::console_error!("mail {id} stays: mail is off");
        return Taking::NotNow;
    };
    let Some(message) = compose(envelope, config) else {
        worker::console_error!("mail {id} is given up: its code cannot be read");
        return Taking::Never;
    };
    let answer = match &mail.by {
        MailBy::Binding => by_binding(env, mail, &message).await,
        MailBy::Http { url, key } => by_http(mail, url, key, &message).await,
    };
    let Err(RefusedDelivery { taking, why }) = answer else { return Taking::Taken };
    let so = if taking == Taking::Never { "is given up" } else { "was not taken" };
    worker::console_error!("mail {id} {so}: {why}");
    taking
}

/// The reason for which a message was not accepted.
struct RefusedDelivery {
    taking: Taking,
    why: String,
}

impl From<worker::Error> for RefusedDelivery {
    fn from(error: worker::Error) -> Self {
        Self { taking: Taking::NotNow, why: error.to_string() }
    }
}

async fn by_binding(env: &Env, mail: &Mail, message: &Message) -> Result<(), RefusedDelivery> {
    let raw =
        mime::write(message, &mail.from).ok_or(worker::Error::from("it could not be written"))?;
    let message =
        EmailMessage::new(mail.from.as_str(), message.to.as_str(), &raw).map_err(thrown)?;
    env.send_email(EMAIL)?.send(&message).await.map(|_| ()).map_err(thrown)
}

async fn by_http(
    mail: &Mail,
    url: &str,
    key: &SecretText,
    message: &Message,
) -> Result<(), RefusedDelivery> {
    let headers = Headers::new();
    headers.set("authorization", &["Bearer ", key.expose()].concat())?;
    headers.set("content-type", "application/json")?;
    headers.set(http::IDEMPOTENCY_KEY, &message.id)?;
    let mut init = RequestInit::new();
    // No redirects: the token must not go to another host.
    init.with_method(Method::Post).with_headers(headers).with_redirect(RequestRedirect::Manual);
    init.with_body(Some(http::body(message, &mail.from).into()));
    let answer = Fetch::Request(Request::new_with_init(url, &init)?).send().await?;
    let status = answer.status_code();
    match http::taking(status) {
        Taking::Taken => Ok(()),
        taking => Err(RefusedDelivery { taking, why: format!("status {status}") }),
    }
}

/// Converts an exception of the platform. The log gets its code. Its message may name the recipient
/// and is used only if there is no code.
fn thrown(error: js_sys::Error) -> RefusedDelivery {
    let code =
        Reflect::get(&error, &JsValue::from_str("code")).ok().and_then(|code| code.as_string());
    match code {
        Some(code) => RefusedDelivery { taking: mime::taking(&code), why: code },
        None => RefusedDelivery { taking: Taking::NotNow, why: error.message().into() },
    }
}
