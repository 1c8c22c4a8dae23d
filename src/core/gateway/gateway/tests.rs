mod body;
mod following;
mod freshness;
mod issuing;
mod options;
mod transport;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;

use super::*;
use crate::base::http::request::{Headers, Url};
use crate::base::http::response::Forward;
use crate::credential::issuer::{Issuer, SealingGeneration};
use crate::credential::key::NewKey;
use crate::credential::keyring::Keyring;
use crate::credential::limits::Limits;
use crate::credential::limits::lifetime::Expiry;
use crate::lease::cached_key::CachedKey;
use crate::lease::call::{Finding, Found, RefreshCall};
use crate::replication::edge_call::RefreshReply;
use crate::replication::record::{Credential, Epoch, Record, Revision, Standing, kv_key};
use crate::replication::refresh::{AccountState, Delta, Refresh, RefreshAnswer, Unsettled};
use crate::testing::{at, clv, config, edge_keys, none_superseded, signed};

const NOW: i64 = 1_800_000_000_000;

struct World {
    gateway: Gateway,
    key: NewKey,
}

/// T, in milliseconds.
const T: i64 = 10_000;

/// Returns the reply of a ledger at `revision` without changes or answers.
fn refresh(revision: u64) -> Refresh {
    Refresh {
        epoch: Epoch::new(1),
        revision: Revision(revision),
        delta: Delta::Changes(Vec::new()),
        unsettled: Unsettled::Set(Vec::new()),
        state: Some(AccountState {
            revision: Revision(1),
            freshness_ms: 10_000,
            ..AccountState::default()
        }),
        answers: Vec::new(),
        document: 0,
        superseded: none_superseded(),
    }
}

impl World {
    /// Returns a world with a lease from `NOW` on, and no key in memory.
    fn new() -> Self {
        let mut world = Self::cold();
        world.refresh(NOW, refresh(0));
        world
    }

    fn cold() -> Self {
        let config = config();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let account = AccountId::random(&mut rng);
        let key = NewKey::generate(account, &config.prefix, &config.keyring, &mut rng);
        Self { gateway: Gateway::new(config, 7), key }
    }

    fn record(
        &self,
        revision: u64,
        change: impl FnOnce(&mut Limits),
        state: fn(Credential) -> Standing,
    ) -> Record {
        let mut limits = Limits {
            not_before: None,
            expires: Expiry::Never,
            networks: serde_json::from_str("[]").unwrap(),
            interfaces: vec![Interface::Http],
            permissions: serde_json::from_str(r#"["demo:read"]"#).unwrap(),
        };
        change(&mut limits);
        let credential = Credential {
            digest: self.key.digest(),
            limits,
            issuing: None,
            issued: None,
            sealing: SealingGeneration::default(),
            member: None,
            user: None,
        };
        Record::new(Epoch::new(1), Revision(revision), self.key.id(), state(credential))
    }

    fn refresh(&mut self, now: i64, reply: Refresh) {
        let call = self.gateway.leases_mut().renew(self.key.id().account(), at(now));
        assert!(self.gateway.leases_mut().take_refresh(
            &call,
            &RefreshReply::Refreshed(reply),
            at(now),
            None
        ));
    }

    /// Calls the ledger, which answers at once.
    fn asks(&mut self, now: i64, reply: RefreshReply, lookup: &mut Lookup) {
        let call = self.gateway.leases_mut().ask_ledger(self.key.id(), at(now));
        self.gateway.leases_mut().take_refresh(&call, &reply, at(now), Some(lookup));
    }

    /// Reads KV, which answers at once.
    fn reads(&mut self, now: i64, text: Option<&str>, lookup: &mut Lookup) {
        let read = self.gateway.leases_mut().ask_kv(self.key.id(), at(now));
        let signed = text.map(|text| signed(&kv_key(self.key.id()), text));
        self.gateway.take_kv(&read, signed.as_deref(), at(now), lookup);
    }

    fn answer(&self, revision: u64, record: Option<Record>) -> RefreshReply {
        let answers = vec![RefreshAnswer { id: self.key.id(), record }];
        RefreshReply::Refreshed(Refresh { answers, ..refresh(revision) })
    }

    fn knows(&mut self, record: Record) {
        self.gateway.leases_mut().take_change(record, at(NOW));
    }

    fn bearer(&self) -> String {
        format!("authorization\nBearer {}\ncf-connecting-ip\n10.1.2.3", self.key.expose())
    }

    fn ask(&mut self, method: &str, url: &str, headers: &str, now: i64) -> Decision {
        let request = Request {
            method,
            url: Url::parse(url).unwrap(),
            headers: Headers::new(headers),
            arrived: at(now),
        };
        self.gateway.decide(&request, at(now), &Lookup::alone())
    }

    /// Returns status and code of a response; (0, "") for a forward.
    fn outcome(&mut self, method: &str, url: &str, headers: &str) -> (u16, String) {
        match self.ask(method, url, headers, NOW) {
            Decision::Done { outcome: Outcome::Answer(answer), .. } => {
                let document: Value = serde_json::from_str(&answer.body).unwrap();
                (answer.status, document["code"].as_str().unwrap().to_owned())
            }
            Decision::Done { outcome: Outcome::Forward(_), .. } => (0, String::new()),
            other => panic!("{other:?}"),
        }
    }

    fn forward(&mut self, url: &str, headers: &str) -> Forward {
        match self.ask("GET", url, headers, NOW) {
            Decision::Done { outcome: Outcome::Forward(forward), .. } => forward,
            other => panic!("{other:?}"),
        }
    }
}

const API: &str = "http://api.localhost:8787/x";
const PUBLIC: &str = "http://api.localhost:8787/public/a";

/// Each row is one denial, in order of precedence: its record breaks this rule and every later one.
#[test]
fn refusals_come_in_order_of_precedence() {
    type Break = fn(&mut Limits);
    type State = fn(Credential) -> Standing;
    let permission: Break =
        |limits| limits.permissions = serde_json::from_str(r#"["demo:write"]"#).unwrap();
    let interface: Break = |limits| limits.interfaces = vec![Interface::Smtp];
    let network: Break =
        |limits| limits.networks = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    let expired: Break = |limits| limits.expires = Expiry::At(at(NOW));
    let early: Break = |limits| limits.not_before = Some(at(NOW + 1));
    let rows: [(&[Break], State, u16, &str); 8] = [
        (&[], Standing::Active, 0, ""),
        (&[permission], Standing::Active, 403, "permission_denied"),
        (&[permission, interface], Standing::Active, 403, "interface_denied"),
        (&[permission, interface, network], Standing::Active, 403, "network_denied"),
        (&[permission, interface, network, expired], Standing::Active, 401, "expired"),
        (&[permission, interface, network, expired, early], Standing::Active, 401, "not_yet_valid"),
        (&[permission, interface, network, expired, early], Standing::Disabled, 401, "disabled"),
        (&[permission, interface, network, expired, early], |_| Standing::Deleted, 401, "unknown"),
    ];
    for (breaks, state, status, code) in rows {
        let mut world = World::new();
        let record = world.record(1, |limits| breaks.iter().for_each(|apply| apply(limits)), state);
        world.knows(record);
        let headers = world.bearer();
        assert_eq!(world.outcome("GET", API, &headers), (status, code.to_owned()));
    }
}

#[test]
fn what_was_never_made_is_refused_without_needing_anything() {
    let mut world = World::new();
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let foreign = NewKey::generate(
        world.key.id().account(),
        &clv(),
        &Keyring::parse(&edge_keys(&[("x", "")])).unwrap(),
        &mut rng,
    );
    let typo = world.key.expose().replacen("clv_", "clv-", 1);
    for (headers, status, code) in [
        (String::new(), 401, "missing"),
        ("authorization\nBearer ".into(), 401, "missing"),
        ("authorization\nBearer\nx-api-key\n".into(), 401, "missing"),
        ("authorization\nBearer abc\nx-api-key\nabc".into(), 401, "malformed"),
        ("x-api-key\nabc, def".into(), 400, "ambiguous_credential"),
        ("authorization\nBearer abc".into(), 401, "malformed"),
        ("authorization\nDigest a=b".into(), 401, "malformed"),
        (format!("authorization\nBearer {typo}"), 401, "malformed"),
        (format!("authorization\nBearer {}é", world.key.expose()), 401, "malformed"),
        (format!("x-api-key\n{}", "A".repeat(100_000)), 401, "malformed"),
        (format!("authorization\nBearer {}", foreign.expose()), 401, "unknown"),
        (
            format!("authorization\nBearer {0}, Bearer {0}", world.key.expose()),
            400,
            "ambiguous_credential",
        ),
        (
            format!("authorization\nBearer {}\nx-api-key\nclv_abc", world.key.expose()),
            400,
            "ambiguous_credential",
        ),
    ] {
        assert_eq!(world.outcome("GET", API, &headers), (status, code.to_owned()), "{headers}");
    }
}

#[test]
fn a_wrong_secret_is_answered_as_a_key_that_never_was() {
    let mut world = World::new();
    let mut other = world.record(1, |_| (), Standing::Active);
    other.standing = Standing::Disabled(Credential {
        digest: crate::base::secret::Digest::of(b"another"),
        limits: crate::testing::limits(),
        issuing: None,
        issued: None,
        sealing: SealingGeneration::default(),
        member: None,
        user: None,
    });
    world.knows(other);
    let headers = world.bearer();
    let wrong = world.ask("GET", API, &headers, NOW);
    let mut empty = World::new();
    let none = empty.answer(0, None);
    empty.asks(NOW, none, &mut Lookup::alone());
    let never = empty.ask("GET", API, &headers, NOW);
    assert_eq!(format!("{wrong:?}"), format!("{never:?}"));
}

/// RFC 6750 §3.1: a caller that sends several credentials also gets a challenge, with the reason.
#[test]
fn several_credentials_are_answered_with_a_challenge() {
    let mut world = World::new();
    let headers = format!("{}\nx-api-key\nclv_another", world.bearer());
    let Decision::Done { outcome: Outcome::Answer(answer), .. } =
        world.ask("GET", API, &headers, NOW)
    else {
        panic!("it was not refused");
    };
    assert_eq!(answer.status, 400);
    let challenge = "Bearer realm=\"api.localhost\", error=\"invalid_request\"";
    assert!(
        answer.headers.contains(&("www-authenticate", challenge.into())),
        "{:?}",
        answer.headers
    );
}

#[test]
fn what_goes_on_to_the_origin_is_named_by_claviger_alone() {
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    let headers = format!(
        "{}\nclaviger-account\nroot\nclaviger_account\nroot\nclaviger-proof\nx\ncookie\na=b; __Host-claviger=secret\nx-real-ip\n10.0.0.1",
        world.bearer()
    );
    let forward = world.forward("http://api.localhost:8787/%7Ex{?q='1'", &headers);
    assert_eq!(forward.binding.as_deref(), Some("DEMO"));
    // The platform would escape what is left, after the proof was made.
    assert_eq!(forward.url, "http://api.localhost:8787/~x%7B?q=%271%27");
    assert_eq!(
        forward.remove,
        ["authorization", "claviger-account", "claviger_account", "claviger-proof", "x-real-ip"]
    );
    let set: std::collections::BTreeMap<_, _> = forward.set.iter().cloned().collect();
    assert_eq!(set["claviger-account"], world.key.id().account().to_string());
    assert_eq!(set["claviger-key"], world.key.id().to_string());
    assert_eq!(set["claviger-permissions"], "demo:read");
    assert_eq!(set["cookie"], "a=b");
    let statement = format!(
        "claviger/origin-proof/1\n1800000000\nGET\n/~x%7B?q=%271%27\n{}\n{}\ndemo:read\n",
        world.key.id().account(),
        world.key.id()
    );
    let key = MacKey::new(&world.gateway.config.keyring.newest().origin_key("DEMO"));
    let mac = base16ct::lower::encode_string(&key.mac(&[statement.as_bytes()]));
    assert_eq!(set["claviger-proof"], format!("t=1800000000,v1={mac}"));
}

/// An origin that refuses repeats must not refuse an honest call, even one within the same second.
#[test]
fn no_two_requests_have_the_same_proof() {
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    let headers = world.bearer();
    let mut proof = || {
        let forward = world.forward(API, &headers);
        let set: std::collections::BTreeMap<_, _> = forward.set.into_iter().collect();
        assert_eq!(set["claviger-address"], "10.1.2.3");
        assert_eq!(set["x-forwarded-for"], "10.1.2.3");
        assert_eq!(set["x-forwarded-host"], "api.localhost:8787");
        assert_eq!(set["x-forwarded-proto"], "http");
        set["claviger-proof-2"].clone()
    };
    let (first, second) = (proof(), proof());
    assert_ne!(first, second);
    assert!(first.starts_with("t=1800000000,n="), "{first}");
    // The numbers of the next isolate do not begin again.
    let proofs = |isolate| {
        let mut world = World { gateway: Gateway::new(config(), isolate), ..World::cold() };
        let mut proof = || world.forward(PUBLIC, "").set.pop();
        [proof(), proof()]
    };
    let mut all = [proofs(7), proofs(8)].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4);
}

#[test]
fn the_effect_of_a_request_picks_the_permission() {
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    let headers = world.bearer();
    for (method, status) in
        [("GET", 0), ("HEAD", 0), ("OPTIONS", 0), ("POST", 403), ("PUT", 403), ("PROPFIND", 403)]
    {
        assert_eq!(world.outcome(method, API, &headers).0, status, "{method}");
    }
}

/// Some origins take the method from a header, even for a GET: a key for reading must not write
/// that way. The proof covers the method under every rule.
#[test]
fn no_request_brings_along_another_method() {
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    let overrides =
        ["x-http-method-override", "x-http-method", "x.method.override", "x_http_method_override"];
    let named: String = overrides.iter().map(|name| format!("\n{name}\nDELETE")).collect();
    let headers = format!("{}{named}\nx-methods\nDELETE", world.bearer());
    for path in ["/x", "/any", "/public/a"] {
        let removed = world.forward(&format!("http://api.localhost:8787{path}"), &headers).remove;
        assert_eq!(removed, [&["authorization"], overrides.as_slice()].concat(), "{path}");
    }
}

#[test]
fn a_key_in_a_named_parameter_does_not_travel_on() {
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    let url = format!("http://api.localhost:8787/any?a=1&u={}&b=2", world.key.expose());
    assert_eq!(world.forward(&url, "").url, "http://api.localhost:8787/any?a=1&b=2");
    let url = format!("http://api.localhost:8787/any?u={}", world.key.expose());
    assert_eq!(world.forward(&url, "").url, "http://api.localhost:8787/any");
}

/// The key stands where it counts, and elsewhere: it is cut out of the query, and refused in a
/// path.
#[test]
fn a_key_beside_its_place_does_not_travel_on() {
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    let key = world.key.expose().to_owned();
    let escaped: String = key.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let headers = format!("{}\nreferer\nhttps://a.example/?k={escaped}", world.bearer());
    for query in [format!("k={key}&a=1"), format!("a=1&k={escaped}"), format!("{key}&a=1&{key}")] {
        let forward = world.forward(&format!("{API}?{query}"), &headers);
        assert_eq!(forward.url, format!("{API}?a=1"));
        assert_eq!(forward.remove, ["authorization", "referer"]);
    }
    for path in [format!("/x/{key}"), format!("/x/{escaped}/y"), format!("/public/{}", &key[22..])]
    {
        let url = format!("http://api.localhost:8787{path}");
        let refused = (400, "credential_in_path".to_owned());
        assert_eq!(world.outcome("GET", &url, &headers), refused, "{path}");
    }
    let id = format!("http://api.localhost:8787/keys/{}", world.key.id());
    assert_eq!(world.forward(&id, &headers).url, id, "an ID is no secret");
}

#[test]
fn a_public_rule_checks_nothing_and_still_hands_no_key_on() {
    let mut world = World::new();
    let key = world.key.expose().to_owned();
    for headers in [
        String::new(),
        "authorization\nBearer someone-else-s".into(),
        format!("authorization\nBearer {key}"),
        format!("authorization\n{key}, {key}"),
        format!("authorization\nBearer {key}\nx-api-key\n{key}x"),
        format!("authorization\nBearer {key}\nx-api-key\n{key}"),
    ] {
        let forward = world.forward(PUBLIC, &headers);
        assert_eq!(
            (forward.binding.as_deref(), &*forward.url),
            (None, "https://origin.example/public/a")
        );
        assert_eq!(
            forward.remove.contains(&"authorization".into()),
            headers.contains(&key),
            "{headers}"
        );
        let has_two = headers.contains("x-api-key");
        assert_eq!(forward.remove.contains(&"x-api-key".into()), has_two, "{headers}");
        let ours: Vec<&str> = forward.set.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            ours,
            ["x-forwarded-proto", "x-forwarded-host", "claviger-proof", "claviger-proof-2"]
        );
    }
    let forward = world.forward(PUBLIC, "cf-connecting-ip\n203.0.113.7");
    for name in ["claviger-address", "x-forwarded-for"] {
        assert!(forward.set.contains(&(name, "203.0.113.7".to_owned())), "{name}");
    }
}

/// The warm path decides by a few headers, and caches the response.
#[test]
fn a_refusal_is_the_same_whether_few_headers_or_all_were_read() {
    let breaks: [fn(&mut Limits); 3] = [
        |limits| limits.permissions = serde_json::from_str(r#"["demo:write"]"#).unwrap(),
        |limits| limits.networks = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap(),
        |limits| limits.expires = Expiry::At(at(NOW)),
    ];
    for (index, limit) in breaks.into_iter().enumerate() {
        let mut world = World::new();
        world.knows(world.record(1, limit, Standing::Active));
        let headers = world.bearer();
        let request = Request {
            method: "GET",
            url: Url::parse(API).unwrap(),
            headers: Headers::named(&headers),
            arrived: at(NOW),
        };
        let decision = world.gateway.decide(&request, at(NOW), &Lookup::alone());
        let Decision::Denied { denied, .. } = decision else { panic!("{decision:?}") };
        let few = world.gateway.answer_denied(&denied);
        let decision = world.ask("GET", API, &headers, NOW);
        let Decision::Done { outcome: Outcome::Answer(all), .. } = decision else {
            panic!("{decision:?}")
        };
        assert_eq!(format!("{few:?}"), format!("{all:?}"));
        let names_it = |(name, value): &(&str, String)| {
            *name == "www-authenticate" && value.contains("scope=\"demo:read\"")
        };
        assert_eq!(all.headers.iter().any(names_it), index == 0, "the permission that it lacks");
    }
}

#[test]
fn hosts_and_paths_without_a_rule_lead_nowhere() {
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    let headers = world.bearer();
    for (url, status, code) in [
        ("https://other.example/", 404, "no_route"),
        ("https://api.localhost.example/", 404, "no_route"),
        ("http://127.0.0.1:8787/", 404, "no_route"),
        ("http://api.localhost:8787//x", 400, "ambiguous_path"),
        ("http://api.localhost:8787/a%2fb", 400, "ambiguous_path"),
        ("http://api.localhost:8787/a%5Cb", 400, "ambiguous_path"),
        ("http://api.localhost:8787/a;b", 400, "ambiguous_path"),
        ("http://api.localhost:8787/a\\b", 400, "ambiguous_path"),
    ] {
        assert_eq!(world.outcome("GET", url, &headers), (status, code.into()), "{url}");
    }
}

/// Windows drops dots and blanks at the end of a name, and NFKC reads `ａ` as `a`: such a path is
/// refused only where it leads past a rule.
#[test]
fn a_path_that_a_lenient_server_reads_under_another_rule_is_refused() {
    let mut world = World::new();
    world.knows(world.record(1, |_| (), Standing::Active));
    let headers = world.bearer();
    let refused = || (400, "ambiguous_path".to_owned());
    for (path, expected) in [
        ("/any.", refused()),
        ("/any%20", refused()),
        ("/any%E3%80%80", refused()),
        ("/%EF%BD%81ny", refused()),
        ("/public./a", refused()),
        ("/public%20/a", refused()),
        ("/public/form.", refused()),
        ("/any%3Fx.css", refused()),
        ("/any%23x", refused()),
        ("/x%3Fy", (0, String::new())),
        ("/x.", (0, String::new())),
        ("/Acme%20Inc.", (0, String::new())),
        ("/%EF%BD%81%EF%BC%8E/b%20", (0, String::new())),
        ("/public/x./a.", (0, String::new())),
    ] {
        let url = format!("http://api.localhost:8787{path}");
        assert_eq!(world.outcome("GET", &url, &headers), expected, "{path}");
    }
}

#[test]
fn on_the_console_s_host_the_edge_verifies_and_issues_and_the_admin_worker_serves_all_else() {
    let mut world = World::new();
    let console = |path: &str| format!("http://localhost:8787{path}");
    let own = "origin\nhttp://localhost:8787";
    for (method, path, headers) in [
        ("GET", "/app.js", ""),
        ("GET", "/v1/keys", ""),
        ("POST", "/v1/keys", ""),
        ("POST", "/v1/keys", "origin\nhttp://api.localhost:8787"),
        ("POST", "/v1/keys", own),
        ("POST", "/", own),
        ("POST", "/v1/verify/", ""),
        ("POST", "/v1/Verify", ""),
        ("POST", "//v1/verify", ""),
        ("POST", "/v1/introspect/", ""),
        ("POST", "/issue_service_authorization/", ""),
    ] {
        let decision = world.ask(method, &console(path), headers, NOW);
        let is_admin =
            matches!(decision, Decision::Done { outcome: Outcome::Admin(_), renew: None });
        assert!(is_admin, "{method} {path}: {decision:?}");
    }
    let verify = console(VERIFY_PATH);
    for headers in ["", own, "origin\nhttp://api.localhost:8787"] {
        assert!(matches!(world.ask("POST", &verify, headers, NOW), Decision::Verify), "{headers}");
    }
    for method in ["GET", "HEAD", "PUT", "OPTIONS", "post"] {
        assert_eq!(
            world.outcome(method, &verify, ""),
            (405, "method_not_allowed".into()),
            "{method}"
        );
    }
    for method in ["POST", "GET"] {
        let decision = world.ask(method, &console(issuance::PATH), "", NOW);
        assert!(matches!(decision, Decision::Issue), "{method}: {decision:?}");
        let decision = world.ask(method, &console(oauth::INTROSPECTION_PATH), "", NOW);
        assert!(matches!(decision, Decision::Introspect), "{method}: {decision:?}");
    }
}

/// The admin Worker trusts these headers, so a client's own must not reach it.
#[test]
fn what_goes_on_to_the_admin_worker_has_the_edge_s_own_word_alone() {
    let mut world = World::new();
    let headers = "claviger-edge\n1 00\nclaviger_edge\n1 00\nclaviger-counters\n{}\nclaviger\nx\nclavigers\nx\ncookie\n__Host-claviger=a";
    for (path, counters) in [("/v1/keys", None), ("/v1/counters", Some(world.gateway.counters()))] {
        let decision = world.ask("GET", &format!("http://localhost:8787{path}"), headers, NOW);
        let Decision::Done { outcome: Outcome::Admin(onward), .. } = decision else {
            panic!("{decision:?}")
        };
        // The session cookie is for the admin Worker, so it is forwarded.
        assert_eq!(
            onward.remove,
            ["claviger-edge", "claviger_edge", "claviger-counters", "claviger"]
        );
        let link = ("claviger-edge", world.gateway.link().to_owned());
        let counters = counters
            .map(|counters| ("claviger-counters", serde_json::to_string(&counters).unwrap()));
        assert_eq!(
            onward.set,
            [Some(link), counters].into_iter().flatten().collect::<Vec<_>>(),
            "{path}"
        );
    }
    assert_eq!(
        link::check(
            Some(world.gateway.link()),
            &world.gateway.config.keyring,
            &world.gateway.config.digest
        ),
        Ok(())
    );
}
