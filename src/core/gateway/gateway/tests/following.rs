//! Tests keys that a key or the service password issued, stored and sealed: they follow their
//! issuer.

mod rechecking;
mod tokens;

use super::*;
use crate::base::id::SealedId;
use crate::base::secret::Digest;
use crate::base::time::DurationMs;
use crate::credential::issuer::{
    Ceiling, Issued, Issuing, RevokedSealed, SealingGeneration, ServicePassword,
};
use crate::credential::sealed::{Claims, NewSealed};

pub(super) type Change<'a> = &'a dyn Fn(&mut Credential);

/// The changes of the issuer, its state, and the verdict on a key that it issued.
type Row<'a> = (&'a [Change<'a>], fn(Credential) -> Standing, &'a str);

/// A world whose key is an issuer, with one sealed and one stored key that it issued.
pub(super) struct Issuers {
    pub(super) world: World,
    stored: NewKey,
    pub(super) claims: Claims,
    /// State of the ledger.
    pub(super) ledger: Ledger,
    /// `true` if the key of a token is also an issuer.
    is_issuer: bool,
}

/// The ledger's data about the issuer, the issued keys and the account.
pub(super) struct Ledger {
    records: Vec<Record>,
    revision: u64,
    state: AccountState,
}

impl Ledger {
    fn learn(&mut self, record: &Record) {
        self.records.retain(|known| known.id != record.id);
        self.records.push(record.clone());
        self.revision = self.revision.max(record.revision.0);
    }

    fn answer(&self, call: &RefreshCall) -> RefreshReply {
        let record = |id| self.records.iter().find(|record| record.id == id).cloned();
        let answers = call
            .request()
            .ask
            .iter()
            .map(|id| RefreshAnswer { id: *id, record: record(*id) })
            .collect();
        let state = Some(self.state.clone());
        RefreshReply::Refreshed(Refresh { answers, state, ..refresh(self.revision) })
    }
}

pub(super) fn ceiling() -> Ceiling {
    Ceiling {
        permissions: serde_json::from_str(r#"["demo:*"]"#).unwrap(),
        networks: serde_json::from_str("[]").unwrap(),
        longest: None,
    }
}

pub(super) const GENERATION: SealingGeneration = SealingGeneration(3);

fn sealed_id(
    account: AccountId,
    issuer: Issuer,
    generation: SealingGeneration,
    rng: &mut ChaCha20Rng,
) -> SealedId {
    let Config { prefix, keyring, .. } = config();
    SealedId::draw(account, issuer, generation, (&prefix, &keyring), rng).unwrap()
}

impl Issuers {
    pub(super) fn new(issuer: fn(KeyId) -> Issuer) -> Self {
        let world = World::new();
        let config = config();
        let id = world.key.id();
        let mut rng = ChaCha20Rng::seed_from_u64(8);
        let stored = NewKey::generate(id.account(), &config.prefix, &config.keyring, &mut rng);
        let claims = Claims {
            id: sealed_id(id.account(), issuer(id), GENERATION, &mut rng),
            issuer: issuer(id),
            issued_at: at(NOW - 1_000),
            expires_at: at(NOW + 29_000),
            networks: serde_json::from_str("[]").unwrap(),
            permissions: serde_json::from_str(r#"["demo:read"]"#).unwrap(),
            is_token: false,
        };
        let ledger = Ledger { records: Vec::new(), revision: 0, state: refresh(0).state.unwrap() };
        Self { world, stored, claims, ledger, is_issuer: true }
    }

    /// Replaces the sealed key by one that was issued in this generation.
    pub(super) fn generation(&mut self, generation: SealingGeneration) {
        let Claims { id, issuer, .. } = self.claims;
        self.claims.id =
            sealed_id(id.account(), issuer, generation, &mut ChaCha20Rng::seed_from_u64(10));
    }

    /// Puts the issuer with these changes and this state into the ledger and the lease.
    pub(super) fn issuer(
        &mut self,
        revision: u64,
        state: fn(Credential) -> Standing,
        change: Change<'_>,
    ) {
        let record = self.issuer_is(revision, state, change);
        self.world.knows(record);
    }

    /// Puts the issuer into the ledger alone.
    pub(super) fn issuer_is(
        &mut self,
        revision: u64,
        state: fn(Credential) -> Standing,
        change: Change<'_>,
    ) -> Record {
        let mut record = self.world.record(revision, |_| (), Standing::Active);
        let Standing::Active(credential) = &mut record.standing else { panic!() };
        credential.issuing = Some(Issuing { generation: GENERATION, ceiling: ceiling() });
        change(credential);
        let credential = credential.clone();
        record.standing = state(credential);
        self.ledger.learn(&record);
        record
    }

    /// Puts the stored key into the lease.
    fn stored(&mut self, revision: u64) {
        let mut record = self.world.record(revision, |_| (), Standing::Active);
        record.id = self.stored.id();
        let Standing::Active(credential) = &mut record.standing else { panic!() };
        credential.digest = self.stored.digest();
        let Claims { id, issuer, issued_at, .. } = &self.claims;
        credential.limits.expires = Expiry::At(self.claims.expires_at);
        credential.limits.networks = self.claims.networks.clone();
        credential.limits.permissions = self.claims.permissions.clone();
        credential.issued =
            Some(Issued { by: *issuer, generation: id.generation(), at: *issued_at });
        self.ledger.learn(&record);
        self.world.knows(record);
    }

    pub(super) fn sealed(&self) -> String {
        let config = config();
        NewSealed::seal(&self.claims, &config.prefix, &config.keyring).unwrap().expose().to_owned()
    }

    /// Returns the verdicts' codes for the sealed and the stored key.
    fn codes(&mut self, address: &str) -> [String; 2] {
        self.codes_at(NOW, address).map(|(code, _)| code)
    }

    /// Returns the codes for requests at `now`, each with the number of ledger calls.
    fn codes_at(&mut self, now: i64, address: &str) -> [(String, usize); 2] {
        [self.sealed(), self.stored.expose().to_owned()].map(|key| self.code_of(&key, now, address))
    }

    pub(super) fn code_of(&mut self, key: &str, now: i64, address: &str) -> (String, usize) {
        let headers = format!("authorization\nBearer {key}\ncf-connecting-ip\n{address}");
        let request = Request {
            method: "GET",
            url: Url::parse(API).unwrap(),
            headers: Headers::new(&headers),
            arrived: at(now),
        };
        let mut lookup = Lookup::alone();
        for calls in 0..3 {
            match self.world.gateway.decide(&request, at(now), &lookup) {
                Decision::Fetch(need) => self.find_out(need, now, &mut lookup),
                Decision::Done { outcome: Outcome::Answer(answer), .. } => {
                    let document: Value = serde_json::from_str(&answer.body).unwrap();
                    return (document["code"].as_str().unwrap().to_owned(), calls);
                }
                Decision::Done { outcome: Outcome::Forward(_), .. } => {
                    return (String::new(), calls);
                }
                other => panic!("{other:?}"),
            }
        }
        panic!("asked again and again");
    }

    pub(super) fn find_out(&mut self, need: Fetch, now: i64, lookup: &mut Lookup) {
        let call = self.world.gateway.leases_mut().ask(need, at(now));
        let reply = self.ledger.answer(&call);
        self.world.gateway.leases_mut().take_refresh(&call, &reply, at(now), Some(lookup));
    }

    fn assert(&mut self, expected: &str) {
        assert_eq!(self.codes("10.1.2.3"), [expected, expected]);
    }

    pub(super) fn state(&mut self, revision: u64, change: impl FnOnce(&mut AccountState)) {
        self.state_is(revision, change);
        let reply = Refresh { state: Some(self.ledger.state.clone()), ..refresh(revision) };
        self.world.refresh(NOW, reply);
    }

    /// Changes the account's state in the ledger alone.
    pub(super) fn state_is(&mut self, revision: u64, change: impl FnOnce(&mut AccountState)) {
        self.ledger.revision = self.ledger.revision.max(revision);
        self.ledger.state = refresh(revision).state.unwrap();
        let state = &mut self.ledger.state;
        state.revision = Revision(revision);
        state.service = Some(ServicePassword {
            digest: Digest::of(b"password"),
            issuing: Issuing { generation: GENERATION, ceiling: ceiling() },
        });
        change(state);
    }
}

/// Each row is one denial, in order of precedence: its issuer breaks this rule and every later one.
#[test]
fn what_was_issued_is_refused_for_its_issuer_s_reasons_in_order() {
    let longest = |credential: &mut Credential| {
        credential.issuing.as_mut().unwrap().ceiling.longest = Some(DurationMs::from_ms(1_000));
    };
    let permission = |credential: &mut Credential| {
        credential.issuing.as_mut().unwrap().ceiling.permissions =
            serde_json::from_str(r#"["demo:write"]"#).unwrap();
    };
    let network = |credential: &mut Credential| {
        credential.issuing.as_mut().unwrap().ceiling.networks =
            serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    };
    let interface =
        |credential: &mut Credential| credential.limits.interfaces = vec![Interface::Smtp];
    let expired = |credential: &mut Credential| credential.limits.expires = Expiry::At(at(NOW));
    let early = |credential: &mut Credential| credential.limits.not_before = Some(at(NOW + 1));
    let ended = |credential: &mut Credential| {
        credential.issuing.as_mut().unwrap().generation = GENERATION.next();
    };
    let lifted = |credential: &mut Credential| credential.issuing = None;
    let rows: [Row<'_>; 12] = [
        (&[], Standing::Active, ""),
        (&[&permission], Standing::Active, "permission_denied"),
        (&[&permission, &interface], Standing::Active, "interface_denied"),
        (&[&permission, &interface, &network], Standing::Active, "network_denied"),
        (&[&permission, &interface, &network, &longest], Standing::Active, "expired"),
        (&[&permission, &interface, &network, &expired], Standing::Active, "expired"),
        (&[&permission, &interface, &network, &expired, &early], Standing::Active, "not_yet_valid"),
        (&[&expired, &early, &ended], Standing::Disabled, "disabled"),
        (&[&expired, &early], Standing::Disabled, "unknown"),
        (&[&ended], Standing::Active, "unknown"),
        (&[&lifted], Standing::Active, "unknown"),
        (&[], |_| Standing::Deleted, "unknown"),
    ];
    for (changes, state, expected) in rows {
        let mut issuers = Issuers::new(Issuer::Key);
        issuers.stored(1);
        issuers
            .issuer(2, state, &|credential| changes.iter().for_each(|change| change(credential)));
        issuers.assert(expected);
    }
}

#[test]
fn the_networks_of_the_key_that_issued_bind_who_issues_and_not_what_was_issued() {
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.stored(1);
    issuers.issuer(2, Standing::Active, &|credential| {
        credential.limits.networks = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    });
    issuers.assert("");
}

#[test]
fn what_was_issued_by_what_was_issued_is_unknown() {
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.stored(1);
    issuers.issuer(2, Standing::Active, &|credential| {
        credential.issued = Some(Issued { by: Issuer::Service, generation: GENERATION, at: at(0) });
    });
    issuers.assert("unknown");
}

#[test]
fn the_service_password_is_followed_in_the_account_s_state() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |_| ());
    issuers.stored(3);
    issuers.assert("");
    issuers.state(3, |state| state.suspended = true);
    issuers.assert("account_suspended");
    issuers.state(4, |state| {
        state.service.as_mut().unwrap().issuing.ceiling.permissions =
            serde_json::from_str("[]").unwrap();
    });
    issuers.assert("permission_denied");
    issuers
        .state(5, |state| state.service.as_mut().unwrap().issuing.generation = GENERATION.next());
    issuers.assert("unknown");
    issuers.state(6, |state| state.service = None);
    issuers.assert("unknown");
}

#[test]
fn a_sealed_key_that_was_revoked_by_itself_is_unknown_and_no_other_is() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.stored(1);
    let id = issuers.claims.id;
    issuers.state(2, |state| state.revoked_sealed = vec![RevokedSealed { id, until: at(NOW + 1) }]);
    assert_eq!(issuers.codes("10.1.2.3"), ["unknown", ""]);
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    issuers.claims.id = sealed_id(id.account(), Issuer::Service, GENERATION, &mut rng);
    issuers.assert("");
}

#[test]
fn its_own_limits_bind_a_sealed_key_too() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |_| ());
    issuers.stored(3);
    issuers.claims.networks = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    assert_eq!(issuers.codes("10.1.2.3")[0], "network_denied");
    assert_eq!(issuers.codes("192.0.2.7")[0], "");
    issuers.claims.expires_at = at(NOW);
    assert_eq!(issuers.codes("192.0.2.7")[0], "expired");
}

#[test]
fn an_origin_is_told_the_sealed_key_s_own_id_and_what_it_may_do_under_the_ceiling() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.claims.permissions = serde_json::from_str(r#"["*:*"]"#).unwrap();
    issuers.state(2, |_| ());
    let headers = format!("x-api-key\n{}", issuers.sealed());
    let forward = issuers.world.forward(API, &headers);
    assert_eq!(forward.remove, ["x-api-key"]);
    let set: std::collections::BTreeMap<_, _> = forward.set.iter().cloned().collect();
    assert_eq!(set["claviger-key"], issuers.claims.id.to_string());
    assert_eq!(set["claviger-permissions"], "demo:*");
}

#[test]
fn a_made_up_sealed_key_is_refused_without_needing_anything() {
    let issuers = Issuers::new(|_| Issuer::Service);
    let mut world = World::cold();
    let sealed = issuers.sealed();
    let foreign = Keyring::parse(&edge_keys(&[("x", "")]));
    let foreign = NewSealed::seal(&issuers.claims, &config().prefix, &foreign.unwrap()).unwrap();
    for (text, code) in [
        (sealed.replacen("clvs_", "clvs-", 1), "malformed"),
        (sealed[..sealed.len() - 1].into(), "malformed"),
        (format!("clvs_{}", "A".repeat(3_000)), "malformed"),
        (foreign.expose().to_owned(), "unknown"),
    ] {
        let headers = format!("authorization\nBearer {text}");
        assert_eq!(world.outcome("GET", API, &headers), (401, code.into()), "{text}");
    }
    let counters = world.gateway.counters();
    assert_eq!((counters.kv_reads, counters.ledger_calls), (0, 0));
}

/// Each kind of issued key, from a cold isolate to an answer from memory, with the I/O that it
/// needs.
#[test]
fn a_cold_isolate_asks_for_the_issuer_or_for_the_account_and_then_knows() {
    let mut issuers = Issuers::new(Issuer::Key);
    let issuer = issuers.world.key.id();
    let (sealed, stored) = (issuers.sealed(), issuers.stored.expose().to_owned());
    issuers.stored(1);
    issuers.issuer(2, Standing::Active, &|_| ());
    let facts = Facts {
        address: None,
        interface: Interface::Http,
        demand: Demand::AnyKey,
        may_change: false,
    };
    let known = |id| match issuers.world.gateway.leases.find(id, at(NOW), at(NOW), &Lookup::alone())
    {
        Found::Finding(Finding { cached: CachedKey::Record(record), .. }, _) => (*record).clone(),
        other => panic!("{other:?}"),
    };
    let mut known = known;
    let records = [known(issuer), known(issuers.stored.id())];

    // A sealed key needs the ledger's answer about its issuer, which counts as no use of the
    // issuer.
    let mut cold = World::cold();
    let mut lookup = Lookup::alone();
    let Check::Fetch(need) = cold.gateway.check(&sealed, &facts, at(NOW), at(NOW), &lookup) else {
        panic!()
    };
    assert_eq!(need, Fetch::Issuer(issuer));
    let call = cold.gateway.leases_mut().ask(need, at(NOW));
    assert_eq!(
        (call.request().ask.clone(), call.request().unused.clone()),
        (vec![issuer], vec![issuer])
    );
    let answers = vec![RefreshAnswer { id: issuer, record: Some(records[0].clone()) }];
    let reply = RefreshReply::Refreshed(Refresh { answers, ..refresh(2) });
    assert!(cold.gateway.leases_mut().take_refresh(&call, &reply, at(NOW), Some(&mut lookup)));
    assert!(is_valid(cold.gateway.check(&sealed, &facts, at(NOW), at(NOW), &lookup)));
    assert!(
        is_valid(cold.gateway.check(&sealed, &facts, at(NOW), at(NOW + 1), &Lookup::alone())),
        "P4"
    );

    // For a stored key, the ledger sends the issuer's record too.
    let mut cold = World::cold();
    let mut lookup = Lookup::alone();
    let id = issuers.stored.id();
    let Check::Fetch(need) = cold.gateway.check(&stored, &facts, at(NOW), at(NOW), &lookup) else {
        panic!()
    };
    assert_eq!(need, Fetch::Ledger(id));
    let call = cold.gateway.leases_mut().ask(need, at(NOW));
    let answers = vec![
        RefreshAnswer { id, record: Some(records[1].clone()) },
        RefreshAnswer { id: issuer, record: Some(records[0].clone()) },
    ];
    let reply = RefreshReply::Refreshed(Refresh { answers, ..refresh(2) });
    assert!(cold.gateway.leases_mut().take_refresh(&call, &reply, at(NOW), Some(&mut lookup)));
    assert!(is_valid(cold.gateway.check(&stored, &facts, at(NOW), at(NOW), &lookup)));
    assert!(
        is_valid(cold.gateway.check(&stored, &facts, at(NOW), at(NOW + 1), &Lookup::alone())),
        "P4"
    );

    // A key of the service password needs only the account's state.
    let service = Issuers::new(|_| Issuer::Service);
    let mut cold = World::cold();
    let check = cold.gateway.check(&service.sealed(), &facts, at(NOW), at(NOW), &Lookup::alone());
    assert!(matches!(check, Check::Fetch(Fetch::State(account)) if account == issuer.account()));
}

fn is_valid(check: Check) -> bool {
    matches!(check, Check::Decided(Checked { verdict: Ok(_), .. }))
}

/// With T = 0, requests share nothing, and the ledger's answer to this request is enough.
#[test]
fn an_account_that_asks_each_time_is_asked_once_a_request() {
    let service = Issuers::new(|_| Issuer::Service);
    let mut cold = World::cold();
    let facts = Facts {
        address: None,
        interface: Interface::Http,
        demand: Demand::AnyKey,
        may_change: false,
    };
    for _ in 0..2 {
        let mut lookup = Lookup::alone();
        let sealed = service.sealed();
        let Check::Fetch(need) = cold.gateway.check(&sealed, &facts, at(NOW), at(NOW), &lookup)
        else {
            panic!()
        };
        let call = cold.gateway.leases_mut().ask(need, at(NOW));
        let mut reply = refresh(1);
        let state = reply.state.as_mut().unwrap();
        state.freshness_ms = 0;
        state.service = Some(ServicePassword {
            digest: Digest::of(b"password"),
            issuing: Issuing { generation: GENERATION, ceiling: ceiling() },
        });
        cold.gateway.leases_mut().take_refresh(
            &call,
            &RefreshReply::Refreshed(reply),
            at(NOW),
            Some(&mut lookup),
        );
        assert!(is_valid(cold.gateway.check(&sealed, &facts, at(NOW), at(NOW), &lookup)));
    }
    assert_eq!(cold.gateway.counters().ledger_calls, 2);
}

/// Time passes between a request's arrival and its decision, for which it may ask a ledger.
#[test]
fn a_key_is_judged_as_of_the_arrival_of_its_request() {
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.claims.expires_at = at(NOW + 5_000);
    issuers.issuer(1, Standing::Active, &|_| ());
    issuers.stored(2);
    let facts = Facts {
        address: None,
        interface: Interface::Http,
        demand: Demand::AnyKey,
        may_change: false,
    };
    let (now, lookup, id) = (at(NOW + 6_000), Lookup::alone(), issuers.stored.id());
    let keys = [issuers.sealed(), issuers.stored.expose().to_owned()];
    let gateway = &mut issuers.world.gateway;
    for (arrival, expected) in [(NOW + 4_999, None), (NOW + 5_000, Some(Denial::Expired))] {
        for key in &keys {
            let Check::Decided(checked) = gateway.check(key, &facts, at(arrival), now, &lookup)
            else {
                panic!("it asks")
            };
            assert_eq!(checked.evidence.unwrap().age_ms, 6_000, "of the facts, now");
            assert_eq!(checked.verdict.err(), expected, "{arrival}");
        }
        let Check::Decided(checked) = gateway.examine(id, &facts, at(arrival), now, &lookup) else {
            panic!("it asks")
        };
        assert_eq!(checked.verdict.err(), expected, "{arrival}");
    }
    // A key that was alive on arrival is worth a question about its issuer.
    issuers.generation(GENERATION.next());
    let key = issuers.sealed();
    for (arrival, asks) in [(NOW + 4_999, true), (NOW + 5_000, false)] {
        let check = issuers.world.gateway.check(&key, &facts, at(arrival), now, &lookup);
        assert_eq!(matches!(check, Check::Fetch(_)), asks, "{arrival} {check:?}");
    }
}
