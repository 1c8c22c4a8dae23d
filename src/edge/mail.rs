//! Hands messages to whoever delivers them: the platform's binding, or an HTTP e-mail API. What a message says is made in [`crate::mail`].

use worker::{EmailMessage, Env, Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

use crate::config::{Config, Mail, MailBy};
use crate::mail::{Envelope, Message, http, mime};
use crate::secret::SecretText;

/// Binding of the platform's mail.
const EMAIL: &str = "EMAIL";

/// Composes a message and hands it over; whether it was taken. What failed is logged, without what the message says.
pub async fn send(env: &Env, config: &Config, envelope: &Envelope) -> bool {
    let Some(mail) = &config.mail else {
        worker::console_error!("mail {} stays: mail is off", envelope.id);
        return false;
    };
    let Some(message) = envelope.compose(config) else {
        worker::console_error!("mail {} stays: its code cannot be read", envelope.id);
        return false;
    };
    let taken = match &mail.by {
        MailBy::Binding => by_binding(env, mail, &message).await,
        MailBy::Http { url, key } => by_http(mail, url, key, &message).await,
    };
    taken.inspect_err(|error| worker::console_error!("mail {} was not taken: {error}", message.id)).is_ok()
}

async fn by_binding(env: &Env, mail: &Mail, message: &Message) -> Result<(), worker::Error> {
    let raw = mime::write(message, &mail.from).ok_or("it could not be written")?;
    let message = EmailMessage::new(mail.from.as_str(), message.to.as_str(), &raw).map_err(thrown)?;
    env.send_email(EMAIL)?.send(&message).await.map(|_| ()).map_err(thrown)
}

async fn by_http(mail: &Mail, url: &str, key: &SecretText, message: &Message) -> Result<(), worker::Error> {
    let headers = Headers::new();
    headers.set("authorization", &["Bearer ", key.expose()].concat())?;
    headers.set("content-type", "application/json")?;
    headers.set(http::IDEMPOTENCY_KEY, &message.id)?;
    let mut init = RequestInit::new();
    // Elsewhere the token has no business.
    init.with_method(Method::Post).with_headers(headers).with_redirect(RequestRedirect::Manual);
    init.with_body(Some(http::body(message, &mail.from).into()));
    let answer = Fetch::Request(Request::new_with_init(url, &init)?).send().await?;
    match answer.status_code() {
        status if http::was_taken(status) => Ok(()),
        status => Err(format!("status {status}").into()),
    }
}

/// What the platform threw: its words, such as of a sender that is not verified.
fn thrown(error: js_sys::Error) -> worker::Error {
    String::from(error.message()).into()
}
