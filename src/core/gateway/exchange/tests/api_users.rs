//! API users, at a gateway and at a mail server.

use super::*;
use crate::base::id::KeyId;
use crate::base::secret::SecretText;
use crate::config::settings::Variables;
use crate::credential::api_user::{ApiSecretVersion, ApiUser, ApiUserGroup, ApiUserName};
use crate::replication::secret_check::{ProvenSecret, SecretCheck, SecretCheckReply};
use crate::testing::{EDGE_KEYS, variables};

const NAME: &str = "app@example.com";
const SECRET: &str = "abcd1234";
const PAIR: &str = "api_user=app%40example.com&x=1&api_key=abcd1234&y=2";

/// A deployment with rules for API users, and the record of one.
struct Users {
    world: World,
    user: ApiUser,
    record: Record,
    /// Secrets that the name object has, with their versions.
    secrets: Vec<(&'static str, u64)>,
    /// Networks that the account opens, in JSON; `null` for no restriction.
    opened: &'static str,
    /// Time of the next request.
    now: core::cell::Cell<i64>,
}

impl Users {
    fn new() -> Self {
        let rule = |path: &str, more: &str| {
            format!(r#"{{"host":"api.localhost","path":"{path}","origin":"DEMO",{more}}}"#)
        };
        let places =
            r#""credentials":["x-api-key","api-user:basic","api-user:form","api-user:json"]"#;
        let rules = [
            rule(
                "/x",
                &format!(r#""permission":{{"read":"demo:read","write":"demo:write"}},{places}"#),
            ),
            rule("/any", &format!(r#""any_key":true,"effect":"read",{places}"#)),
            rule(
                "/export",
                &format!(r#""permission":"personal-data:download","effect":"read",{places}"#),
            ),
            rule("/keys", r#""any_key":true"#),
        ];
        let rules = Some(format!("[{}]", rules.join(",")));
        let variables = Variables { rules, ..variables() };
        let keys = SecretText::new(EDGE_KEYS.to_owned());
        let config = Config::parse(Some(&keys), &variables).unwrap();
        let world = World::of(Gateway::new(config, 7));
        let user = ApiUser {
            name: ApiUserName::parse(NAME).unwrap(),
            secret: ApiSecretVersion(3),
            group: ApiUserGroup::Admin,
            own_data_only: false,
            zone: "Asia/Tokyo".into(),
        };
        let mut record = world.record(3);
        let (Standing::Active(credential) | Standing::Disabled(credential)) = &mut record.standing
        else {
            panic!()
        };
        credential.user = Some(user.clone());
        credential.limits.interfaces = vec![Interface::Http, Interface::Smtp];
        credential.limits.permissions = serde_json::from_str("[]").unwrap();
        Self { world, user, record, secrets: vec![(SECRET, 3)], opened: "null", now: NOW.into() }
    }

    fn change(&mut self, change: impl FnOnce(&mut Credential)) {
        let (Standing::Active(credential) | Standing::Disabled(credential)) =
            &mut self.record.standing
        else {
            panic!()
        };
        change(credential);
    }

    /// Answers an operation; the ledger has this object's record of the user.
    fn answer(&self, operation: &Operation) -> Got {
        if let Operation::CheckSecret { body, .. } = operation {
            let check: SecretCheck = serde_json::from_str(body.expose()).unwrap();
            let right = self.secrets.iter().find(|(secret, _)| *secret == check.secret.expose());
            let right = right.filter(|_| check.name == self.user.name);
            let reply = match right {
                Some((_, version)) => SecretCheckReply::Matches(ProvenSecret {
                    id: self.record.id,
                    name: check.name,
                    version: ApiSecretVersion(*version),
                }),
                None => SecretCheckReply::Refused,
            };
            return Got::Text(serde_json::to_string(&reply).unwrap());
        }
        self.world.usual_but(operation, &self.record, self.opened)
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Driven {
        let url = format!("http://api.localhost:8787{path}");
        let mut body = pieces(body, 1_000);
        let now = self.now.get();
        self.now.set(now + 100);
        let exchange = self.world.begin_at(now, method, &url, headers);
        drive(exchange, now, |operation| match operation {
            Operation::ReadBody { .. } => (body(), 0),
            other => (self.answer(other), 5),
        })
    }

    fn form(&self, path: &str, body: &str) -> Driven {
        self.ask("POST", path, FORM, body)
    }
}

fn basic(pair: &str) -> String {
    use base64ct::{Base64, Encoding};
    format!("authorization\nBasic {}", Base64::encode_string(pair.as_bytes()))
}

fn forwarded(driven: &Driven) -> &crate::base::http::response::Forward {
    let Outcome::Forward(forward) = &driven.outcome else { panic!("{:?}", driven.code()) };
    forward
}

fn set<'a>(driven: &'a Driven, name: &str) -> Option<&'a str> {
    let set = &forwarded(driven).set;
    set.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
}

/// C17, C09, C10.
#[test]
fn name_and_secret_come_in_a_form_json_or_basic_and_only_the_secret_is_cut_out() {
    let json = r#"{"api_user":"APP@example.com", "x":1, "api_key":"abcd1234", "y":2}"#;
    let multipart = "--XX\r\nContent-Disposition: form-data; name=\"api_user\"\r\n\r\napp@example.com\r\n\
         --XX\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\nabcd1234\r\n--XX--\r\n";
    for (headers, body, rest) in [
        (FORM.to_owned(), PAIR, Some("api_user=app%40example.com&x=1&y=2")),
        (JSON.to_owned(), json, Some(r#"{"api_user":"APP@example.com", "x":1, "y":2}"#)),
        ("content-type\nmultipart/form-data; boundary=XX".to_owned(), multipart, None),
        (basic("App@Example.com:abcd1234"), "", Some("")),
    ] {
        let users = Users::new();
        let driven = users.ask("POST", "/x", &headers, body);
        let forward = forwarded(&driven);
        let mut kept = String::new();
        let mut from = 0;
        for (start, end) in forward.cuts.iter().flatten() {
            kept.push_str(&body[from..*start]);
            from = *end;
        }
        kept.push_str(&body[from..]);
        assert!(!kept.contains(SECRET), "{kept}");
        if let Some(rest) = rest {
            assert_eq!(kept, rest);
        }
        assert_eq!(
            forward.remove.contains(&"authorization".to_owned()),
            headers.starts_with("authorization")
        );
        for (name, value) in [
            ("claviger-api-user", NAME),
            ("claviger-group", "admin"),
            ("claviger-own-data-only", "false"),
            ("claviger-time-zone", "Asia/Tokyo"),
            ("claviger-permissions", ""),
        ] {
            assert_eq!(set(&driven, name), Some(value), "{name}");
        }
    }
    let mut users = Users::new();
    users.change(|credential| credential.user.as_mut().unwrap().own_data_only = true);
    assert_eq!(set(&users.form("/x", PAIR), "claviger-own-data-only"), Some("true"));
}

#[test]
fn the_second_request_asks_nobody() {
    let users = Users::new();
    assert_eq!(users.form("/x", PAIR).names(), ["body", "body", "secret", "ledger"]);
    assert_eq!(users.form("/x", PAIR).names(), ["body", "body"]);
    let driven = users.ask("GET", "/x", &basic("app@example.com:abcd1234"), "");
    assert_eq!((driven.code(), driven.names()), ((0, String::new()), vec![]));
}

#[test]
fn a_wrong_secret_or_name_is_unknown_and_what_nobody_can_have_asks_nobody() {
    let users = Users::new();
    users.form("/x", PAIR);
    for (body, asked) in [
        ("api_user=app%40example.com&api_key=abcd1235", 1),
        ("api_user=other%40example.com&api_key=abcd1234", 1),
        ("api_user=app&api_key=abcd1234", 0),
        ("api_user=%EF%BD%81pp%40example.com&api_key=abcd1234", 0),
        ("api_user=app%40example.com%00&api_key=abcd1234", 0),
        ("api_user=app%40example.com&api_key=abcd1234%00", 0),
        ("api_user=app%40example.com&api_key=%E6%BC%A2%E5%AD%97", 0),
        ("api_user=&api_key=abcd1234", 0),
        ("api_user=app%40example.com&api_key=", 0),
        (&format!("api_user=app%40example.com&api_key={}", "a1".repeat(20_000)), 0),
    ] {
        let driven = users.form("/x", body);
        assert_eq!(driven.code(), (401, "unknown".into()), "{body:.60}");
        let count = driven.names().into_iter().filter(|name| *name == "secret").count();
        assert_eq!(count, asked, "{body:.60}");
    }
    // One half alone is no credential.
    for body in ["api_user=app%40example.com", "api_key=abcd1234", "x=1"] {
        assert_eq!(users.form("/x", body).code(), (401, "missing".into()), "{body}");
    }
}

#[test]
fn several_users_or_a_key_beside_one_are_ambiguous() {
    let users = Users::new();
    let key = format!("{FORM}\nx-api-key\n{}", users.world.keys[2].expose());
    let both = format!("{FORM}\n{}", basic("other@example.com:abcd1234"));
    for (headers, body) in [
        (FORM, "api_user=app%40example.com&api_user=b%40example.com&api_key=abcd1234"),
        (FORM, "api_user=app%40example.com&api_user=app%40example.com&api_key=abcd1234"),
        (FORM, "api_user=app%40example.com&api_key=abcd1234&api_key=abcd1235"),
        (&*key, PAIR),
        (&*both, PAIR),
        (&*both, "api_user=app%40example.com&x=1"),
    ] {
        let driven = users.ask("POST", "/x", headers, body);
        assert_eq!(driven.code(), (400, "ambiguous_credential".into()), "{body}");
    }
    // The same user in two places is one.
    let twice = format!("{FORM}\n{}", basic("app@example.com:abcd1234"));
    assert_eq!(users.ask("POST", "/x", &twice, PAIR).code().0, 0);
}

#[test]
fn a_user_counts_only_where_a_rule_says_so() {
    let users = Users::new();
    let driven = users.ask("GET", "/keys", &basic("app@example.com:abcd1234"), "");
    assert_eq!((driven.code(), driven.names()), ((401, "malformed".into()), vec![]));
    assert_eq!(users.form("/keys", PAIR).code(), (401, "missing".into()));
}

/// C13: a new secret works at once, and an old one ends with the lease at the latest.
#[test]
fn the_record_says_which_version_of_the_secret_counts() {
    let mut users = Users::new();
    users.form("/x", PAIR);
    users.secrets = vec![("efgh5678", 4)];
    users.change(|credential| credential.user.as_mut().unwrap().secret = ApiSecretVersion(4));
    users.record.revision = Revision(2);
    // The lease still has version 3, but who has version 4 makes the edge ask.
    let new = "api_user=app%40example.com&api_key=efgh5678";
    let mut fresh = Users::new();
    fresh.form("/x", PAIR);
    (fresh.secrets, fresh.record) = (users.secrets.clone(), users.record.clone());
    let driven = fresh.form("/x", new);
    assert_eq!(driven.names(), ["body", "body", "secret", "ledger"]);
    assert_eq!(driven.code().0, 0, "{:?}", driven.code());
    // Now the lease knows version 4.
    let driven = fresh.form("/x", PAIR);
    assert_eq!(
        (driven.code(), driven.names()),
        ((401, "unknown".into()), vec!["body", "body", "secret"])
    );
    assert_eq!(fresh.form("/x", new).names(), ["body", "body"]);

    // A version that the ledger has not confirmed is refused, on the ledger's word.
    let mut staged = Users::new();
    staged.secrets.push(("efgh5678", 4));
    let driven = staged.form("/x", new);
    assert_eq!(driven.code(), (401, "unknown".into()));
    assert_eq!(staged.form("/x", PAIR).code().0, 0, "the present one works meanwhile");
}

/// A number may be used again once its version was withdrawn.
#[test]
fn a_version_that_no_record_names_is_not_remembered() {
    let mut users = Users::new();
    users.secrets.push(("withdrawn1", 4));
    let withdrawn = "api_user=app%40example.com&api_key=withdrawn1";
    assert_eq!(users.form("/x", withdrawn).code(), (401, "unknown".into()));
    users.secrets = vec![("efgh5678", 4)];
    users.change(|credential| credential.user.as_mut().unwrap().secret = ApiSecretVersion(4));
    users.record.revision = Revision(2);
    assert_eq!(users.form("/x", "api_user=app%40example.com&api_key=efgh5678").code().0, 0);
    assert_eq!(users.form("/x", withdrawn).code(), (401, "unknown".into()));
    // A remembered version of a user that is gone costs nothing.
    users.record = Record { standing: Standing::Deleted, revision: Revision(3), ..users.record };
    users.world.gateway.borrow_mut().leases_mut().take_change(users.record.clone(), at(NOW + 500));
    users.now.set(NOW + 600);
    let driven = users.form("/x", "api_user=app%40example.com&api_key=efgh5678");
    assert_eq!((driven.code(), driven.names()), ((401, "unknown".into()), vec!["body", "body"]));
}

/// C06, C07, C14, C15.
#[test]
fn group_rights_interfaces_and_lock_are_in_the_record() {
    type Change = fn(&mut Credential);
    let denied = |status, code: &str| (status, code.to_owned());
    let normal: Change = |credential| {
        credential.user.as_mut().unwrap().group = ApiUserGroup::Normal;
    };
    let download: Change = |credential| {
        credential.limits.permissions =
            serde_json::from_str(r#"["personal-data:download"]"#).unwrap();
    };
    let smtp_only: Change = |credential| credential.limits.interfaces = vec![Interface::Smtp];
    let elsewhere: Change = |credential| {
        credential.limits.networks = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    };
    let ended: Change = |credential| credential.limits.expires = Expiry::At(at(NOW - 1));
    for (change, method, path, expected) in [
        (normal, "POST", "/x", denied(403, "permission_denied")),
        (normal, "POST", "/any", denied(0, "")),
        (normal, "POST", "/export", denied(403, "permission_denied")),
        (download, "POST", "/export", denied(0, "")),
        (download, "POST", "/x", denied(0, "")),
        (smtp_only, "POST", "/x", denied(403, "interface_denied")),
        (elsewhere, "POST", "/x", denied(403, "network_denied")),
        (ended, "POST", "/x", denied(401, "expired")),
    ] {
        let mut users = Users::new();
        users.change(change);
        assert_eq!(users.ask(method, path, FORM, PAIR).code(), expected, "{method} {path}");
    }
    let mut users = Users::new();
    let header = basic("app@example.com:abcd1234");
    users.change(normal);
    assert_eq!(users.ask("GET", "/x", &header, "").code().0, 0, "reading");
    assert_eq!(users.ask("DELETE", "/x", &header, "").code(), denied(403, "permission_denied"));
    let mut users = Users::new();
    let Standing::Active(credential) = users.record.standing.clone() else { panic!() };
    users.record.standing = Standing::Disabled(credential);
    assert_eq!(users.form("/x", PAIR).code(), denied(401, "locked"));
    let wrong = "api_user=app%40example.com&api_key=abcd1235";
    assert_eq!(users.form("/x", wrong).code(), denied(401, "unknown"), "only who has the secret");
    users.record.standing = Standing::Deleted;
    users.world = Users::new().world;
    assert_eq!(users.form("/x", PAIR).code(), denied(401, "unknown"));
}

#[test]
fn too_many_tries_are_429_and_no_answer_is_503() {
    let users = Users::new();
    let url = "http://api.localhost:8787/x";
    for (got, expected, after) in [
        (Got::Text(r#"{"reply":"too_many","until":5}"#.into()), (429, "rate_limited"), "60"),
        (Got::Nothing, (503, "unavailable"), "2"),
        (Got::TooLate, (503, "unavailable"), "2"),
        (Got::Text(r#"{"reply":"new"}"#.into()), (503, "unavailable"), "2"),
    ] {
        let headers = basic("app@example.com:abcd1234");
        let driven = drive(users.world.begin("GET", url, &headers), NOW, |operation| {
            assert!(matches!(operation, Operation::CheckSecret { .. }));
            (got.clone(), 0)
        });
        assert_eq!(driven.code(), (expected.0, expected.1.to_owned()), "{got:?}");
        let Outcome::Answer(answer) = &driven.outcome else { panic!() };
        assert!(answer.headers.contains(&("retry-after", after.into())), "{got:?}");
    }
}

#[test]
fn the_question_names_the_client_and_nothing_of_it_can_be_printed() {
    let users = Users::new();
    let headers = format!("{}\ncf-connecting-ip\n203.0.113.7", basic("APP@example.com:abcd1234"));
    let driven = users.ask("GET", "/x", &headers, "");
    let Some(Operation::CheckSecret { body, within_ms: 5_000 }) = driven.operations.first() else {
        panic!("{:?}", driven.names())
    };
    assert_eq!(
        body.expose(),
        r#"{"name":"app@example.com","secret":"abcd1234","address":"203.0.113.7"}"#
    );
    assert!(!format!("{:?}", driven.operations).contains(SECRET));
}

/// A record of an API user must never let a key's text through.
#[test]
fn the_text_of_a_key_does_not_stand_for_a_user_with_its_id() {
    let users = Users::new();
    let headers = format!("x-api-key\n{}", users.world.keys[3].expose());
    assert_eq!(users.ask("GET", "/x", &headers, "").code(), (401, "unknown".into()));
}

fn mail(users: &Users, headers: &str) -> Vec<(&'static str, String)> {
    let url = console("/v1/mail-auth");
    let driven = drive(users.world.begin("GET", &url, headers), NOW, |operation| {
        (users.answer(operation), 5)
    });
    let Outcome::Answer(answer) = driven.outcome else { panic!() };
    assert_eq!((answer.status, &*answer.body), (200, ""));
    assert!(answer.headers.contains(&("cache-control", "no-store".into())));
    answer.headers
}

fn asked(users: &Users, pass: &str) -> String {
    format!(
        "claviger-verifier\n{}\nauth-method\nplain\nauth-user\nAPP@example.com\nauth-pass\n{pass}\n\
         auth-protocol\nsmtp\nauth-login-attempt\n1\nclient-ip\n192.0.2.7\n\
         cf-connecting-ip\n198.51.100.4",
        users.world.keys[0].expose()
    )
}

/// C18, C14.
#[test]
fn a_mail_server_learns_if_a_login_is_right() {
    let status = |headers: &[(&'static str, String)]| {
        let find = |name: &str| {
            let found = headers.iter().find(|(found, _)| *found == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        [find("auth-status"), find("auth-error-code"), find("auth-user")].join("|")
    };
    let users = Users::new();
    assert_eq!(status(&mail(&users, &asked(&users, SECRET))), "OK||app@example.com");
    let invalid = "Authentication credentials invalid|535 5.7.8|";
    assert_eq!(status(&mail(&users, &asked(&users, "abcd1235"))), invalid);

    let mut users = Users::new();
    users.change(|credential| credential.limits.interfaces = vec![Interface::Http]);
    let headers = asked(&users, SECRET);
    assert_eq!(status(&mail(&users, &headers)), "The API user may not use SMTP|535 5.7.1|");
    // The client's address counts, and not the mail server's.
    let mut users = Users::new();
    users.change(|credential| {
        credential.limits.networks = serde_json::from_str(r#"["198.51.100.0/24"]"#).unwrap();
    });
    let headers = asked(&users, SECRET);
    let elsewhere = "The API user may not be used from this address|535 5.7.1|";
    assert_eq!(status(&mail(&users, &headers)), elsewhere);
    users.change(|credential| {
        credential.limits.networks = serde_json::from_str(r#"["192.0.2.7"]"#).unwrap();
    });
    let users = Users { world: Users::new().world, ..users };
    assert_eq!(status(&mail(&users, &headers)), "OK||app@example.com");
}

/// C19: the mail server asks over HTTP, and its client logs in over SMTP.
#[test]
fn c19_the_networks_of_the_account_bind_the_mail_server_and_its_client_each_by_its_interface() {
    for (opened, expected) in [
        (r#"{"protected_api":["198.51.100.4"],"smtp":["192.0.2.0/24"]}"#, "OK"),
        (
            r#"{"protected_api":["198.51.100.4"],"smtp":["198.51.100.4"]}"#,
            "The API user may not be used from this address",
        ),
        (
            r#"{"protected_api":["198.51.100.4","192.0.2.7"]}"#,
            "The API user may not be used from this address",
        ),
        (r#"{"smtp":["192.0.2.0/24"]}"#, "The mail server cannot ask Claviger: its key is refused"),
    ] {
        let users = Users { opened, ..Users::new() };
        let headers = mail(&users, &asked(&users, SECRET));
        assert!(headers.contains(&("auth-status", expected.into())), "{opened} {headers:?}");
    }
    // Over HTTP, the caller's own address counts.
    for (opened, expected) in [
        (r#"{"protected_api":["192.0.2.0/24"]}"#, None),
        (r#"{"smtp":["192.0.2.0/24"]}"#, Some((403, "network_denied".to_owned()))),
    ] {
        let users = Users { opened, ..Users::new() };
        let headers = format!("{FORM}\ncf-connecting-ip\n192.0.2.7");
        let driven = users.ask("POST", "/x", &headers, PAIR);
        match expected {
            None => assert!(matches!(driven.outcome, Outcome::Forward(_)), "{opened}"),
            Some(expected) => assert_eq!(driven.code(), expected, "{opened}"),
        }
    }
}

#[test]
fn a_mail_server_without_a_verifier_s_key_or_an_address_learns_nothing() {
    let users = Users::new();
    let right = asked(&users, SECRET);
    let verifier = users.world.keys[0].expose();
    let other = users.world.keys[2].expose();
    for (headers, text) in [
        (right.replacen(verifier, "", 1), "its key is refused"),
        (right.replacen(verifier, "clv_x", 1), "its key is refused"),
        (right.replacen(verifier, other, 1), "its key is refused"),
        (right.replacen("client-ip\n192.0.2.7", "x\ny", 1), "client-ip is missing"),
    ] {
        let url = console("/v1/mail-auth");
        let driven = drive(users.world.begin("GET", &url, &headers), NOW, |operation| {
            assert!(!matches!(operation, Operation::CheckSecret { .. }), "no hash for a stranger");
            (users.answer(operation), 5)
        });
        let Outcome::Answer(answer) = driven.outcome else { panic!() };
        let expected = format!("The mail server cannot ask Claviger: {text}");
        assert!(answer.headers.contains(&("auth-status", expected)), "{:?}", answer.headers);
        assert!(answer.headers.contains(&("auth-error-code", "454 4.7.0".into())));
    }
}

#[test]
fn a_mail_server_of_another_account_does_not_learn_of_a_user() {
    let mut users = Users::new();
    let other = AccountId::parse("zzzzzzzz").unwrap();
    users.record.id = KeyId::random(other, &mut ChaCha20Rng::seed_from_u64(2));
    let headers = mail(&users, &asked(&users, SECRET));
    assert!(headers.contains(&("auth-status", "Authentication credentials invalid".into())));
}
