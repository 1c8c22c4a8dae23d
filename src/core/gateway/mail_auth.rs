//! Defines the check of a login by a mail server, at `/v1/mail-auth`: the protocol of nginx's
//! `auth_http`, which Dovecot can speak by a script as well.
//!
//! A mail server asks with its own key in `Claviger-Verifier`, and these headers:
//!
//! | header | value |
//! | --- | --- |
//! | `Auth-Method` | `plain`: name and secret of an API user, from AUTH PLAIN or LOGIN |
//! | `Auth-User`, `Auth-Pass` | name and secret, in which `%XX` stands for a byte |
//! | `Auth-Protocol` | `smtp` |
//! | `Auth-Login-Attempt` | the number of the attempt in this connection, from 1 |
//! | `Client-IP` | address of the mail client |
//!
//! The answer has status 200 and no body; its headers are all. nginx reads 1,024 bytes of them, and
//! looks at no status. `Auth-Status` is `OK`, or the text that the mail client gets behind the code
//! in `Auth-Error-Code` (RFC 4954 §6): 535 for a refusal, 454 if no decision is possible.

use core::str::FromStr;

use crate::base::http::request::Request;
use crate::base::http::response::Response;
use crate::base::secret::SecretText;
use crate::credential::limits::network::ClientAddress;
use crate::gateway::extract::TypedUser;
use crate::verify::verdict::Denial;
use crate::verify::verification::Valid;

/// Path of the route.
pub const PATH: &str = "/v1/mail-auth";

/// Attempts of one connection after which the mail server closes it. nginx keeps some memory for
/// each attempt, so its documentation advises to stop after ten to twenty.
const ATTEMPTS_MAX: u32 = 10;

/// Pause before the next attempt of a connection, in seconds.
const WAIT_S: &str = "3";

/// The reason why a mail server's request cannot be understood: its settings are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailServerFault {
    /// A header is missing or empty.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A header has several values, or one of another form.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// The method needs the secret itself, or no secret at all.
    #[error("only AUTH PLAIN and LOGIN can be checked")]
    Method,
    /// The protocol is not SMTP.
    #[error("only SMTP logins can be checked")]
    Protocol,
}

/// The parsed request of a mail server.
#[derive(Debug, PartialEq, Eq)]
pub struct MailLogin {
    /// Name and secret that the mail client presents.
    pub user: TypedUser,
    /// Address of the mail client.
    pub address: ClientAddress,
    attempt: u32,
}

impl MailLogin {
    /// Parses the request.
    ///
    /// # Errors
    /// A [`MailServerFault`] about the first header that is wrong.
    pub fn parse(request: &Request<'_>) -> Result<Self, MailServerFault> {
        if single(request, "auth-method")? != "plain" {
            return Err(MailServerFault::Method);
        }
        if single(request, "auth-protocol")? != "smtp" {
            return Err(MailServerFault::Protocol);
        }
        let address = single(request, "client-ip")?;
        let address =
            ClientAddress::parse(address).ok_or(MailServerFault::Malformed("client-ip"))?;
        let attempt = attempt_of(request)?;
        let name = escaped(request, "auth-user")?;
        let secret = SecretText::new(escaped(request, "auth-pass")?);
        Ok(Self { user: TypedUser { name, secret }, address, attempt })
    }
}

/// Returns the number of the attempt, as far as the request names it.
fn attempt_of(request: &Request<'_>) -> Result<u32, MailServerFault> {
    const NAME: &str = "auth-login-attempt";
    u32::from_str(single(request, NAME)?).map_err(|_| MailServerFault::Malformed(NAME))
}

/// Builds the response that accepts a login.
pub fn allow(login: &MailLogin, valid: &Valid) -> Response {
    // The folded name: nginx passes it to the server behind it.
    let name = valid.user.as_ref().map_or(&*login.user.name, |user| user.name.as_str());
    Response::empty(200)
        .with("auth-status", "OK")
        .with("auth-user", name)
        .with("claviger-account", valid.key.account().to_string())
        .with("claviger-key", valid.key.to_string())
}

/// Builds the response that refuses a login. Only a mail client with the right secret gets another
/// text than that of a wrong one.
pub fn refuse(login: &MailLogin, denial: Denial) -> Response {
    let (code, status) = match denial {
        Denial::Missing | Denial::Malformed | Denial::Unknown => {
            ("535 5.7.8", "Authentication credentials invalid")
        }
        Denial::Disabled
        | Denial::Locked
        | Denial::AccountSuspended
        | Denial::MfaOff
        | Denial::NotYetValid
        | Denial::Expired => ("535 5.7.8", text_of(denial)),
        Denial::NetworkDenied | Denial::InterfaceDenied | Denial::PermissionDenied => {
            ("535 5.7.1", text_of(denial))
        }
        Denial::RateLimited | Denial::Unavailable => ("454 4.7.0", text_of(denial)),
    };
    let answer = refusal(code, status.to_owned());
    let may_retry = code.starts_with("535") && login.attempt < ATTEMPTS_MAX;
    answer.with_header(may_retry.then(|| ("auth-wait", WAIT_S.to_owned())))
}

/// Builds the response to a mail server whose own key or request is wrong. The mail client shall
/// try again later; the operator finds the reason in the mail server's log.
pub fn misconfigured(fault: Option<MailServerFault>) -> Response {
    let detail = fault.map_or_else(|| "its key is refused".to_owned(), |fault| fault.to_string());
    refusal("454 4.7.0", format!("The mail server cannot ask Claviger: {detail}"))
}

/// Builds the response if Claviger cannot check the mail server's own key.
pub fn unavailable() -> Response {
    refusal("454 4.7.0", Denial::Unavailable.title().to_owned())
}

fn refusal(code: &'static str, status: String) -> Response {
    Response::empty(200).with("auth-status", status).with("auth-error-code", code.to_owned())
}

/// Returns the text for a mail client that presented the right secret.
fn text_of(denial: Denial) -> &'static str {
    match denial {
        Denial::NotYetValid => "The API user is not valid yet",
        Denial::Expired => "The API user has expired",
        Denial::NetworkDenied => "The API user may not be used from this address",
        Denial::InterfaceDenied => "The API user may not use SMTP",
        Denial::PermissionDenied => "The API user lacks the permission",
        Denial::Missing
        | Denial::Malformed
        | Denial::Unknown
        | Denial::Disabled
        | Denial::Locked
        | Denial::AccountSuspended
        | Denial::MfaOff
        | Denial::RateLimited
        | Denial::Unavailable => denial.title(),
    }
}

/// Returns the value of a header that the mail server must have set once. The runtime joins
/// repeated headers by a comma and a blank, and no value of the protocol has a blank.
fn single<'a>(request: &Request<'a>, name: &'static str) -> Result<&'a str, MailServerFault> {
    match request.headers.find(name) {
        None | Some("") => Err(MailServerFault::Missing(name)),
        Some(value) if value.contains(' ') => Err(MailServerFault::Malformed(name)),
        Some(value) => Ok(value),
    }
}

/// Returns the decoded value of a header that may be empty. Bytes that are no text in UTF-8 are
/// replaced: no name and no secret has them.
fn escaped(request: &Request<'_>, name: &'static str) -> Result<String, MailServerFault> {
    let value = match single(request, name) {
        Err(MailServerFault::Missing(_)) => "",
        value => value?,
    };
    let decoded = decode(value).ok_or(MailServerFault::Malformed(name))?;
    Ok(String::from_utf8_lossy(&decoded).into_owned())
}

/// Decodes `%XX`; `None` if a percent sign stands for itself. A `+` is one.
fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
                high << 4 | low
            }
            other => other,
        });
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::http::request::{Headers, Url};
    use crate::testing::at;

    fn parse(headers: &str) -> Result<MailLogin, MailServerFault> {
        let url = Url { origin: "https://a", host: "a", path: PATH, query: None };
        let headers = Headers::new(headers);
        MailLogin::parse(&Request { method: "GET", url, headers, arrived: at(0) })
    }

    fn asked(user: &str, pass: &str) -> String {
        format!(
            "auth-method\nplain\nauth-user\n{user}\nauth-pass\n{pass}\nauth-protocol\nsmtp\n\
             auth-login-attempt\n1\nclient-ip\n192.0.2.7"
        )
    }

    #[test]
    fn names_and_secrets_are_unescaped_as_nginx_escapes_them() {
        for (escaped, plain) in [
            ("abcd1234", "abcd1234"),
            ("a%20b", "a b"),
            ("a+b", "a+b"),
            ("a%25b", "a%b"),
            ("a%2525", "a%25"),
            ("a%00b%0A", "a\0b\n"),
            ("a,b", "a,b"),
            ("%E6%BC%A2", "漢"),
            ("漢", "漢"),
            ("%FF", "\u{fffd}"),
            ("", ""),
        ] {
            let login = parse(&asked("app@example.com", escaped)).unwrap();
            assert_eq!(login.user.secret.expose(), plain, "{escaped}");
            let login = parse(&asked(escaped, "abcd1234")).unwrap();
            assert_eq!(login.user.name, plain, "{escaped}");
        }
        for bad in ["%", "%4", "%zz", "a%", "100%", "one, two"] {
            let fault = Err(MailServerFault::Malformed("auth-pass"));
            assert_eq!(parse(&asked("app@example.com", bad)), fault, "{bad}");
        }
    }

    #[test]
    fn each_header_that_is_missing_or_wrong_is_named() {
        let right = asked("app@example.com", "abcd1234");
        assert!(parse(&right).is_ok());
        for (from, to, fault) in [
            ("auth-method\nplain", "x\ny", MailServerFault::Missing("auth-method")),
            ("auth-method\nplain", "auth-method\ncram-md5", MailServerFault::Method),
            ("auth-method\nplain", "auth-method\nnone", MailServerFault::Method),
            ("auth-method\nplain", "auth-method\nexternal", MailServerFault::Method),
            ("auth-protocol\nsmtp", "auth-protocol\nimap", MailServerFault::Protocol),
            ("auth-protocol\nsmtp", "x\ny", MailServerFault::Missing("auth-protocol")),
            ("client-ip\n192.0.2.7", "x\ny", MailServerFault::Missing("client-ip")),
            ("192.0.2.7", "192.0.2.7, 10.0.0.1", MailServerFault::Malformed("client-ip")),
            ("192.0.2.7", "mail.example", MailServerFault::Malformed("client-ip")),
            ("attempt\n1", "attempt\nx", MailServerFault::Malformed("auth-login-attempt")),
            ("auth-login-attempt\n1", "x\ny", MailServerFault::Missing("auth-login-attempt")),
        ] {
            assert_eq!(parse(&right.replacen(from, to, 1)), Err(fault), "{to}");
        }
        let mapped = right.replacen("192.0.2.7", "::ffff:192.0.2.7", 1);
        assert_eq!(parse(&mapped).unwrap().address, parse(&right).unwrap().address);
    }

    #[test]
    fn a_refusal_has_a_code_and_a_text_that_reveals_nothing_to_a_guesser() {
        let header = |answer: &Response, name: &str| {
            let mut headers = answer.headers.iter();
            headers.find(|(found, _)| *found == name).map(|(_, value)| value.clone())
        };
        let login = parse(&asked("app@example.com", "abcd1234")).unwrap();
        for denial in Denial::ALL {
            let answer = refuse(&login, denial);
            let code = header(&answer, "auth-error-code").unwrap();
            let expected = match denial {
                Denial::RateLimited | Denial::Unavailable => "454 4.7.0",
                Denial::NetworkDenied | Denial::InterfaceDenied | Denial::PermissionDenied => {
                    "535 5.7.1"
                }
                _ => "535 5.7.8",
            };
            assert_eq!((answer.status, &*code), (200, expected), "{denial:?}");
            let status = header(&answer, "auth-status").unwrap();
            assert!(!status.is_empty() && status != "OK" && status.is_ascii(), "{status}");
            assert_eq!(header(&answer, "auth-wait").is_some(), code.starts_with("535"));
            let bytes: usize = answer.headers.iter().map(|(n, v)| n.len() + v.len() + 4).sum();
            assert!(bytes < 300, "nginx reads 1,024 bytes of headers: {bytes}");
        }
        let unknown = [Denial::Missing, Denial::Malformed, Denial::Unknown];
        let texts = unknown.map(|denial| refuse(&login, denial).headers);
        assert!(texts.iter().all(|text| *text == texts[0]));
        let tenth = asked("app@example.com", "x").replacen("attempt\n1", "attempt\n10", 1);
        let last = refuse(&parse(&tenth).unwrap(), Denial::Unknown);
        assert_eq!(header(&last, "auth-wait"), None);
        let fault = misconfigured(Some(MailServerFault::Missing("client-ip")));
        let status = header(&fault, "auth-status").unwrap();
        assert_eq!(status, "The mail server cannot ask Claviger: client-ip is missing");
        assert_eq!(header(&misconfigured(None), "auth-error-code").unwrap(), "454 4.7.0");
    }
}
