//! Programs that call the admin API by a key.

use super::*;
use crate::base::http::response::AdminForward;

/// A gateway whose third key holds these permissions.
struct Programs {
    world: World,
    record: Record,
}

impl Programs {
    fn new(permissions: &str) -> Self {
        let world = World::cold();
        let mut record = world.record(2);
        let Standing::Active(credential) = &mut record.standing else { panic!() };
        credential.limits.permissions = serde_json::from_str(permissions).unwrap();
        Self { world, record }
    }

    fn change(&mut self, change: impl FnOnce(&mut Credential)) {
        let Standing::Active(credential) = &mut self.record.standing else { panic!() };
        change(credential);
    }

    fn key(&self) -> String {
        self.world.keys[2].expose().to_owned()
    }

    fn answer(&self, operation: &Operation) -> Got {
        self.world.usual_but(operation, &self.record, "null")
    }

    fn ask(&self, method: &str, path: &str, headers: &str) -> Outcome {
        let exchange = self.world.begin_at(NOW, method, &console(path), headers);
        drive(exchange, NOW, |operation| (self.answer(operation), 5)).outcome
    }

    fn bearer(&self) -> String {
        format!("authorization\nBearer {}", self.key())
    }
}

fn caller(outcome: &Outcome) -> Option<&str> {
    let Outcome::Admin(AdminForward { set, .. }) = outcome else { return None };
    let caller = set.iter().find(|(name, _)| *name == "claviger-caller");
    caller.map(|(_, value)| value.as_str())
}

#[track_caller]
fn refused(outcome: &Outcome) -> (u16, String, Option<&str>) {
    let Outcome::Answer(answer) = outcome else { panic!("{outcome:?}") };
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let challenge = answer.headers.iter().find(|(name, _)| *name == "www-authenticate");
    let code = body["code"].as_str().unwrap().to_owned();
    (answer.status, code, challenge.map(|(_, value)| value.as_str()))
}

#[test]
fn a_verified_key_is_named_to_the_admin_worker_and_its_text_is_not() {
    let programs = Programs::new(r#"["claviger:keys-read"]"#);
    let forged = "\nclaviger-caller\nkey a1B2c3D47Hq0p2Zx9K\nclaviger_caller\nx";
    let key = programs.key();
    for headers in [
        programs.bearer() + forged,
        format!("authorization\n{key}{forged}"),
        format!("x-api-key\n{key}{forged}"),
    ] {
        let outcome = programs.ask("GET", "/v1/keys", &headers);
        assert_eq!(caller(&outcome), Some(&*format!("key {}", programs.record.id)));
        let Outcome::Admin(AdminForward { remove, set }) = &outcome else { panic!() };
        let name = headers.split('\n').next().unwrap();
        for removed in [name, "claviger-caller", "claviger_caller"] {
            assert!(remove.iter().any(|one| one == removed), "{removed}");
        }
        assert!(set.iter().all(|(_, value)| !value.contains(&key[24..])));
    }
}

#[test]
fn a_key_has_the_rights_that_it_holds_and_no_others() {
    let programs = Programs::new(r#"["*:*","claviger:keys-read"]"#);
    let bearer = programs.bearer();
    assert!(caller(&programs.ask("GET", "/v1/keys", &bearer)).is_some());
    assert!(caller(&programs.ask("HEAD", "/v1/keys", &bearer)).is_some());
    let scope = r#"Bearer realm="localhost", error="insufficient_scope", scope="#;
    for (method, path, permission) in [
        ("POST", "/v1/keys", "claviger:keys-write"),
        ("DELETE", "/v1/keys/a1B2c3D47Hq0p2Zx9K", "claviger:keys-write"),
        ("GET", "/v1/activity", "claviger:activity-read"),
    ] {
        let outcome = programs.ask(method, path, &bearer);
        let challenge = format!("{scope}\"{permission}\"");
        assert_eq!(refused(&outcome), (403, "permission_denied".into(), Some(&*challenge)));
    }
}

#[test]
fn a_key_is_refused_as_at_a_protected_api() {
    let rights = r#"["claviger:keys-read"]"#;
    let mut programs = Programs::new(rights);
    programs.change(|credential| credential.limits.expires = Expiry::At(at(NOW - 1)));
    let outcome = programs.ask("GET", "/v1/keys", &programs.bearer());
    let invalid = Some(r#"Bearer realm="localhost", error="invalid_token""#);
    assert_eq!(refused(&outcome), (401, "expired".into(), invalid));

    let mut programs = Programs::new(rights);
    programs.change(|credential| {
        credential.limits.networks = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    });
    let from = |address: &str| format!("{}\ncf-connecting-ip\n{address}", programs.bearer());
    assert!(caller(&programs.ask("GET", "/v1/keys", &from("192.0.2.7"))).is_some());
    let outcome = programs.ask("GET", "/v1/keys", &from("198.51.100.7"));
    assert_eq!(refused(&outcome).1, "network_denied");

    let mut programs = Programs::new(rights);
    programs.change(|credential| credential.limits.interfaces = vec![Interface::Smtp]);
    let outcome = programs.ask("GET", "/v1/keys", &programs.bearer());
    assert_eq!(refused(&outcome).1, "interface_denied");

    let programs = Programs::new(rights);
    let outcome = programs.ask("GET", "/v1/keys", "authorization\nBearer something");
    assert_eq!(refused(&outcome), (401, "malformed".into(), invalid));
    let mut wrong = programs.key();
    let last = if wrong.ends_with('0') { "1" } else { "0" };
    wrong.replace_range(wrong.len() - 1.., last);
    let outcome = programs.ask("GET", "/v1/keys", &format!("x-api-key\n{wrong}"));
    assert_eq!(refused(&outcome).0, 401);
}

#[test]
fn a_cookie_beside_a_key_is_ambiguous_and_other_routes_take_the_cookie_alone() {
    let programs = Programs::new(r#"["claviger:keys-read"]"#);
    let both = programs.bearer() + "\ncookie\n__Host-claviger=x";
    let challenge = Some(r#"Bearer realm="localhost", error="invalid_request""#);
    let outcome = programs.ask("GET", "/v1/keys", &both);
    assert_eq!(refused(&outcome), (400, "ambiguous_credential".into(), challenge));
    let two = format!("{}\nx-api-key\n{}", programs.bearer(), "clv_other");
    let outcome = programs.ask("GET", "/v1/keys", &two);
    assert_eq!(refused(&outcome).1, "ambiguous_credential");
    for (method, path) in [
        ("GET", "/v1/members"),
        ("POST", "/v1/keys/a1B2c3D47Hq0p2Zx9K/reveal"),
        ("GET", "/v1/session"),
        ("OPTIONS", "/v1/keys"),
        ("GET", "/"),
    ] {
        let outcome = programs.ask(method, path, &programs.bearer());
        assert!(matches!(outcome, Outcome::Admin(_)), "{method} {path}");
        assert_eq!(caller(&outcome), None, "{method} {path}");
    }
    for path in ["/v1/keys", &format!("/v1/keys?api_key={}", programs.key())] {
        assert_eq!(caller(&programs.ask("GET", path, "")), None, "{path}");
    }
}
