//! Writes steps and outcomes as text for the entry script, which splits them at line feeds
//! (`step.js`). This is smaller and quicker than JSON on both sides.
//!
//! The first field is the kind. No field but the last one of a kind holds a line feed: header
//! names, header values and URLs cannot.
//!
//! | kind | fields |
//! | --- | --- |
//! | `answer` | renewal, timer, status, number of headers, name and value of each, body |
//! | `forward` | renewal, timer, binding, URL, screening, names to remove, cuts, base, CORS, subprotocol, name and value of each header to set |
//! | `admin` | renewal, timer, names to remove, name and value of each header to set |
//! | `read_kv` | cache TTL in seconds or nothing, key |
//! | `read_kv_many` | each key |
//! | `call_ledger` | timeout in ms, `background` or nothing, instance, body |
//! | `read_cache` | timeout in ms, URL |
//! | `write_cache` | lifetime in seconds, URL, text |
//! | `check_secret` | timeout in ms, body |
//! | `warn` | line |
//! | `call_admin`, `read_body` | timeout in ms |
//!
//! - *renewal*: the account whose lease to refresh in the background, or nothing.
//! - *timer*: the account whose usage to send once requests have stopped, or nothing.
//! - *binding*: the service binding that leads to the origin, or nothing if the URL does.
//! - *screening*: empty if the gateway has screened the client's headers; otherwise a comma, then
//!   the secret of the request's key, if it has one.
//! - *names to remove*: with commas between them.
//! - *cuts*: empty if no body was scanned; otherwise a comma, then comma-separated `from-to` ranges
//!   of bytes to cut out.
//! - *base*: scheme, host and port that replace the origin's own in the response, or nothing.
//! - *CORS*: empty if the origin's own headers stay; otherwise the allowed origin, or `-` for none,
//!   and after a blank the headers to expose.
//! - *subprotocol*: the one to select if the origin selects none, or nothing.

use claviger_core::base::http::response::{
    AdminForward, Forward, Outcome, Response, Returned, Screening,
};
use claviger_core::base::id::AccountId;
use claviger_core::gateway::exchange::Operation;
use claviger_core::gateway::origin_headers::Screened;

/// The work that continues after a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Background {
    /// Account whose lease to refresh.
    pub renew: Option<AccountId>,
    /// Account for whose usage to start a timer.
    pub timer: Option<AccountId>,
}

/// Writes an outcome.
pub fn of_outcome(outcome: &Outcome, background: Background) -> String {
    let name = |account: Option<AccountId>| account.map(|id| id.to_string()).unwrap_or_default();
    let (renew, timer) = (name(background.renew), name(background.timer));
    let background = [renew.as_str(), timer.as_str()];
    match outcome {
        Outcome::Answer(response) => of_response(response, background),
        Outcome::Forward(forward) => of_forward(forward, background),
        Outcome::Admin(forward) => of_admin_forward(forward, background),
    }
}

fn of_response(response: &Response, [renew, timer]: [&str; 2]) -> String {
    let Response { status, headers, body, more: _ } = response;
    let (status, count) = (status.to_string(), headers.len().to_string());
    let mut fields = vec!["answer", renew, timer, &status, &count];
    push_headers(&mut fields, headers);
    fields.push(body);
    fields.join("\n")
}

fn of_forward(forward: &Forward, [renew, timer]: [&str; 2]) -> String {
    let Forward { binding, url, remove, set, unscreened, cuts, returned } = forward;
    let Returned { base, cors, subprotocol } = returned;
    let cors = cors.as_ref().map_or_else(String::new, |cors| {
        [cors.allowed.as_deref().unwrap_or("-"), cors.exposed].join(" ")
    });
    let (base, subprotocol) =
        (base.as_deref().unwrap_or_default(), subprotocol.unwrap_or_default());
    let screening = unscreened.as_ref().map(|Screening(secret)| [",", secret].concat());
    let screening = screening.unwrap_or_default();
    let (binding, remove) = (binding.as_deref().unwrap_or_default(), remove.join(","));
    let cuts = cuts.as_ref().map_or_else(String::new, |cuts| {
        cuts.iter().fold(",".to_owned(), |text, (from, to)| {
            let comma = if text.len() > 1 { "," } else { "" };
            format!("{text}{comma}{from}-{to}")
        })
    });
    let mut fields = vec!["forward", renew, timer, binding, url, &screening, &remove, &cuts];
    fields.extend([base, &cors, subprotocol]);
    push_headers(&mut fields, set);
    fields.join("\n")
}

fn of_admin_forward(forward: &AdminForward, [renew, timer]: [&str; 2]) -> String {
    let remove = forward.remove.join(",");
    let mut fields = vec!["admin", renew, timer, &remove];
    push_headers(&mut fields, &forward.set);
    fields.join("\n")
}

fn push_headers<'a>(fields: &mut Vec<&'a str>, headers: &'a [(&'static str, String)]) {
    for (name, value) in headers {
        fields.extend([*name, value]);
    }
}

/// Writes an operation.
pub fn of_operation(operation: &Operation) -> String {
    match operation {
        Operation::ReadKv { key, cache_ttl_s } => {
            let ttl = cache_ttl_s.map(|ttl| ttl.to_string()).unwrap_or_default();
            ["read_kv", &ttl, key].join("\n")
        }
        Operation::ReadKvMany { keys } => ["read_kv_many", &keys.join("\n")].join("\n"),
        Operation::CallLedger { instance, body, within_ms, is_background } => {
            let background = if *is_background { "background" } else { "" };
            ["call_ledger", &within_ms.to_string(), background, instance, body].join("\n")
        }
        Operation::ReadCache { url, within_ms } => {
            ["read_cache", &within_ms.to_string(), url].join("\n")
        }
        Operation::WriteCache { url, text, max_age_s } => {
            ["write_cache", &max_age_s.to_string(), url, text].join("\n")
        }
        Operation::CallAdmin { within_ms } => ["call_admin", &within_ms.to_string()].join("\n"),
        Operation::CheckSecret { body, within_ms } => {
            ["check_secret", &within_ms.to_string(), body.expose()].join("\n")
        }
        Operation::Warn { line } => ["warn", line].join("\n"),
        Operation::ReadBody { within_ms } => ["read_body", &within_ms.to_string()].join("\n"),
    }
}

/// Writes the result of a screening: the names to remove with commas between them, then name and
/// value of each header to set, between line feeds.
pub fn of_screened(screened: &Screened) -> String {
    let remove = screened.remove.join(",");
    let mut fields = vec![&*remove];
    push_headers(&mut fields, &screened.set);
    fields.join("\n")
}

#[cfg(test)]
mod tests {
    use claviger_core::base::http::response::ReturnedCors;
    use claviger_core::base::secret::SecretText;

    use super::*;

    fn forward() -> Forward {
        Forward {
            binding: None,
            url: "https://x/".into(),
            remove: vec!["authorization".into(), "x-api-key".into()],
            set: vec![("claviger-key", "k".into()), ("claviger-permissions", String::new())],
            unscreened: Some(Screening("s3cret".into())),
            cuts: None,
            returned: Returned::default(),
        }
    }

    #[test]
    fn outcomes_are_pinned() {
        let background =
            Background { renew: AccountId::parse("a1B2c3D4"), timer: AccountId::parse("e5F6g7H8") };
        let written = |outcome| of_outcome(&outcome, background);
        let answer = Response::empty(204).with("allow", "GET");
        assert_eq!(
            written(Outcome::Answer(answer)),
            "answer\na1B2c3D4\ne5F6g7H8\n204\n2\ncache-control\nno-store\nallow\nGET\n"
        );
        let body = Response { body: "a\nb".into(), headers: Vec::new(), ..Response::empty(200) };
        assert_eq!(
            of_outcome(&Outcome::Answer(body), Background::default()),
            "answer\n\n\n200\n0\na\nb"
        );
        assert_eq!(
            written(Outcome::Forward(forward())),
            "forward\na1B2c3D4\ne5F6g7H8\n\nhttps://x/\n,s3cret\nauthorization,x-api-key\n\n\n\n\nclaviger-key\nk\nclaviger-permissions\n"
        );
        let forward = AdminForward {
            remove: vec!["claviger-edge".into()],
            set: vec![("claviger-edge", "1 00".into())],
        };
        assert_eq!(
            written(Outcome::Admin(forward)),
            "admin\na1B2c3D4\ne5F6g7H8\nclaviger-edge\nclaviger-edge\n1 00"
        );
    }

    #[test]
    fn a_forward_says_how_to_screen_and_what_to_cut() {
        let written = |forward| of_outcome(&Outcome::Forward(forward), Background::default());
        let begin = "forward\n\n\nDEMO\nhttps://x/\n";
        let set = "\n\n\nclaviger-key\nk\nclaviger-permissions\n";
        for (unscreened, cuts, expected) in [
            (Some(Screening(String::new())), None, ",\nauthorization,x-api-key\n\n"),
            (None, Some(vec![]), "\nauthorization,x-api-key\n,\n"),
            (None, Some(vec![(3, 9)]), "\nauthorization,x-api-key\n,3-9\n"),
            (None, Some(vec![(3, 9), (12, 20)]), "\nauthorization,x-api-key\n,3-9,12-20\n"),
        ] {
            let forward = Forward { binding: Some("DEMO".into()), unscreened, cuts, ..forward() };
            assert_eq!(written(forward), [begin, expected, set].concat());
        }
    }

    #[test]
    fn a_forward_says_what_to_change_on_the_way_back() {
        let exposed = "retry-after";
        let cors =
            |allowed: Option<&str>| ReturnedCors { allowed: allowed.map(str::to_owned), exposed };
        for (returned, expected) in [
            (Returned { base: Some("https://a".into()), ..Returned::default() }, "https://a\n\n\n"),
            (Returned { cors: Some(cors(None)), ..Returned::default() }, "\n- retry-after\n\n"),
            (
                Returned { cors: Some(cors(Some("*"))), ..Returned::default() },
                "\n* retry-after\n\n",
            ),
            (Returned { subprotocol: Some("claviger"), ..Returned::default() }, "\n\nclaviger\n"),
        ] {
            let forward = Forward { returned, set: Vec::new(), remove: Vec::new(), ..forward() };
            let written = of_outcome(&Outcome::Forward(forward), Background::default());
            let begin = "forward\n\n\n\nhttps://x/\n,s3cret\n\n\n";
            assert_eq!(format!("{written}\n"), [begin, expected].concat());
        }
    }

    #[test]
    fn operations_are_pinned() {
        let key = || "key/a".to_owned();
        for (operation, expected) in [
            (Operation::ReadKv { key: key(), cache_ttl_s: None }, "read_kv\n\nkey/a"),
            (Operation::ReadKv { key: key(), cache_ttl_s: Some(30) }, "read_kv\n30\nkey/a"),
            (
                Operation::ReadKvMany { keys: vec![key(), "key/b".into()] },
                "read_kv_many\nkey/a\nkey/b",
            ),
            (
                Operation::CallLedger {
                    instance: "ledger/a".into(),
                    body: "{}".into(),
                    within_ms: 2_000,
                    is_background: true,
                },
                "call_ledger\n2000\nbackground\nledger/a\n{}",
            ),
            (
                Operation::ReadCache { url: "https://a/".into(), within_ms: 200 },
                "read_cache\n200\nhttps://a/",
            ),
            (
                Operation::WriteCache {
                    url: "https://a/".into(),
                    text: "b\nc".into(),
                    max_age_s: 10,
                },
                "write_cache\n10\nhttps://a/\nb\nc",
            ),
            (Operation::CallAdmin { within_ms: 2_000 }, "call_admin\n2000"),
            (
                Operation::CheckSecret { body: SecretText::new("{}".into()), within_ms: 5_000 },
                "check_secret\n5000\n{}",
            ),
            (Operation::ReadBody { within_ms: 10_000 }, "read_body\n10000"),
        ] {
            assert_eq!(of_operation(&operation), expected);
        }
    }

    #[test]
    fn a_screening_names_what_to_remove_and_what_is_left_of_others() {
        let screened = |set: &[(&'static str, &str)]| Screened {
            remove: vec!["claviger-key".into(), "x-http-method".into()],
            set: set.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        };
        assert_eq!(of_screened(&screened(&[])), "claviger-key,x-http-method");
        assert_eq!(
            of_screened(&screened(&[("cookie", "a=b"), ("sec-websocket-protocol", "chat")])),
            "claviger-key,x-http-method\ncookie\na=b\nsec-websocket-protocol\nchat"
        );
    }
}
