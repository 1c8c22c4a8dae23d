//! Tests who may issue. Each issue rests on an answer that the ledger gave after the request
//! arrived. So an issued key is valid everywhere, and no ended key comes back.

use super::following::{Change, GENERATION, Issuers, ceiling};
use super::*;
use crate::base::secret::{Digest, SecretText};
use crate::base::time::DurationMs;
use crate::config::terms::Outage;
use crate::credential::grant::{IssuerProof, Wanted, grant};
use crate::credential::issuer::{Issued, Issuing, SealingGeneration};
use crate::credential::limits::network::Networks;
use crate::gateway::issuance::{Authority, Credentials, Refused, seal};
use crate::gateway::issuing::{Authorisation, Authorised};
use crate::lease::call::CopySource;
use crate::lease::lease::REFRESH_ATTEMPTS;
use crate::replication::refresh::RefusedUses;

/// Time of an issue: the lease of [`NOW`] is usable, but the issuer has changed since.
const ASKED: i64 = NOW + 3_000;

/// A change of the issuer, its state, and the refusal.
type Row<'a> = (Change<'a>, fn(Credential) -> Standing, Refused);

/// A change of the issuer, its state, the address that it issues from, and the code of the refusal.
type Told<'a> = (Change<'a>, fn(Credential) -> Standing, &'a str, &'a str);

impl Issuers {
    fn key(&self) -> Credentials {
        Credentials::Key(SecretText::new(self.world.key.expose().to_owned()))
    }

    fn password(&self, password: &[u8]) -> Credentials {
        Credentials::Service {
            account: self.world.key.id().account(),
            digest: Digest::of(password),
        }
    }

    /// Authorises an issue at `now`. Returns the result and the number of ledger calls.
    fn authorise(
        &mut self,
        credentials: &Credentials,
        now: i64,
    ) -> (Result<Authority, Refused>, usize) {
        self.authorise_at("10.1.2.3", credentials, now)
    }

    /// Does the same for a caller at `address`.
    fn authorise_at(
        &mut self,
        address: &str,
        credentials: &Credentials,
        now: i64,
    ) -> (Result<Authority, Refused>, usize) {
        let (address, mut lookup) = (ClientAddress::parse(address), Lookup::default());
        for calls in 0..3 {
            match self.world.gateway.authorise_issue(
                credentials,
                address,
                at(now),
                at(now),
                &lookup,
            ) {
                Authorisation::Fetch(need @ (Fetch::Ledger(_) | Fetch::State(_))) => {
                    self.find_out(need, now, &mut lookup);
                }
                Authorisation::Fetch(need) => panic!("no copy spares the call: {need:?}"),
                Authorisation::Decided(decided) => return (decided.authority, calls),
                Authorisation::AskAdmin => panic!("this edge fits"),
            }
        }
        panic!("asked again and again");
    }

    fn may_issue(&mut self, password: &[u8], now: i64) -> (bool, usize) {
        let (authority, calls) = self.authorise(&self.password(password), now);
        (authority.is_ok(), calls)
    }
}

/// Returns the text of a sealed key that is issued now.
fn sealed(authority: &Authority, now: i64) -> String {
    let wanted = Wanted { expires: None, networks: Networks::anywhere() };
    let granted = grant(wanted, &authority.issuing.ceiling, authority.expires, at(now)).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    seal(&granted, authority, at(now), &config(), &mut rng).unwrap().expose().to_owned()
}

#[test]
fn a24_an_issuer_s_ceiling_and_end_come_along() {
    let end = Expiry::At(at(NOW + 60_000));
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.state(2, |_| ());
    issuers.issuer(3, Standing::Active, &|credential| credential.limits.expires = end);
    let issuing = Issuing { generation: GENERATION, ceiling: ceiling() };
    let key = &issuers.world.key;
    let proof = IssuerProof { issuer: Issuer::Key(key.id()), digest: key.digest() };
    let found = issuers.authorise(&issuers.key(), NOW).0.unwrap();
    assert_eq!((found.account, found.proof), (issuers.world.key.id().account(), proof));
    assert_eq!((&found.issuing, found.expires), (&issuing, end));
    let proof = IssuerProof { issuer: Issuer::Service, digest: Digest::of(b"password") };
    let found = issuers.authorise(&issuers.password(b"password"), NOW).0.unwrap();
    assert_eq!((found.issuing, found.expires), (issuing, Expiry::Never));
    assert_eq!(found.proof, proof);
}

/// A key that could not be used cannot issue either, and the refusal names the reason.
#[test]
fn a22_a24_who_may_not_issue_is_told_why() {
    let inside = "10.1.2.3";
    let narrow = |credential: &mut Credential| {
        credential.limits.networks = serde_json::from_str(r#"["10.0.0.0/8"]"#).unwrap();
    };
    // An issued key cannot issue even with a ceiling.
    let issued = |credential: &mut Credential| {
        credential.issued = Some(Issued { by: Issuer::Service, generation: GENERATION, at: at(0) });
    };
    let rows: [Told<'_>; 12] = [
        (&narrow, Standing::Active, inside, ""),
        (&narrow, Standing::Active, "192.0.2.1", "network_denied"),
        (&narrow, Standing::Active, "nowhere", "network_denied"),
        (&|credential| credential.issuing = None, Standing::Active, inside, "not_issuable"),
        (&issued, Standing::Active, inside, "issued_key"),
        (
            &|credential| credential.limits.expires = Expiry::At(at(NOW)),
            Standing::Active,
            inside,
            "expired",
        ),
        (
            &|credential| credential.limits.not_before = Some(at(NOW + 1)),
            Standing::Active,
            inside,
            "not_yet_valid",
        ),
        (
            &|credential| credential.limits.interfaces = vec![Interface::Smtp],
            Standing::Active,
            inside,
            "interface_denied",
        ),
        (
            &|credential| credential.digest = Digest::of(b"another"),
            Standing::Active,
            inside,
            "unknown",
        ),
        (&|_| (), Standing::Disabled, inside, "disabled"),
        (&|_| (), |_| Standing::Deleted, inside, "unknown"),
        (&|_| (), Standing::Active, inside, ""),
    ];
    for (change, state, address, expected) in rows {
        let mut issuers = Issuers::new(Issuer::Key);
        issuers.state(2, |_| ());
        issuers.issuer(3, state, change);
        let found = issuers.authorise_at(address, &issuers.key(), NOW).0;
        assert_eq!(found.map_or_else(|refused| refused.code(), |_| ""), expected);
    }
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.issuer(1, Standing::Active, &|_| ());
    issuers.state(2, |state| state.suspended = true);
    for (credentials, expected) in [
        (issuers.key(), "account_suspended"),
        (issuers.password(b"password"), "account_suspended"),
        (issuers.password(b"another"), "unknown"),
    ] {
        assert_eq!(issuers.authorise(&credentials, NOW).0.unwrap_err().code(), expected);
    }
}

/// C19: issuing is a use of the protected API, also with the service password.
#[test]
fn c19_issuers_are_bound_by_the_networks_of_the_account() {
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.issuer(1, Standing::Active, &|_| ());
    let opened = r#"{"protected_api":["10.0.0.0/8"],"smtp":["192.0.2.0/24"]}"#;
    issuers.state(2, |state| state.networks = serde_json::from_str(opened).unwrap());
    let credentials = [issuers.key(), issuers.password(b"password"), issuers.password(b"another")];
    for (address, expected) in [
        ("10.1.2.3", ["", "", "unknown"]),
        ("192.0.2.1", ["network_denied", "network_denied", "unknown"]),
        ("nowhere", ["network_denied", "network_denied", "unknown"]),
    ] {
        for (credentials, expected) in credentials.iter().zip(expected) {
            let found = issuers.authorise_at(address, credentials, NOW).0;
            let code = found.map_or_else(|refused| refused.code(), |_| "");
            assert_eq!(code, expected, "{address} {credentials:?}");
        }
    }
}

#[test]
fn an_issuer_that_is_refused_is_counted_as_refused_and_why() {
    type Change = fn(&mut Credential);
    let expired: Change = |credential| credential.limits.expires = Expiry::At(at(NOW));
    let not_issuable: Change = |credential| credential.issuing = None;
    for (change, expected, reason) in [
        (expired, Refused::Issuer(Denial::Expired), "expired"),
        (not_issuable, Refused::NotIssuable, "not_issuable"),
    ] {
        let mut issuers = Issuers::new(Issuer::Key);
        issuers.issuer(1, Standing::Active, &change);
        let refused = issuers.authorise(&issuers.key(), NOW).0.unwrap_err();
        assert_eq!(refused, expected);
        let id = issuers.world.key.id();
        let call = issuers.world.gateway.leases_mut().renew(id.account(), at(NOW));
        let uses = call.request().usage.clone().unwrap().uses;
        let [used] = &uses[..] else { panic!() };
        assert_eq!((used.id, used.count, used.denials), (id, 0, 1));
        let refusal = RefusedUses { reason: reason.into(), count: 1, last_at: at(NOW) };
        assert_eq!(used.refusals, [refusal]);
    }
    // A caller without the key's secret says nothing about the key.
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.issuer(1, Standing::Active, &|credential| credential.digest = Digest::of(b"another"));
    let refused = issuers.authorise(&issuers.key(), NOW).0.unwrap_err();
    assert_eq!(refused, Refused::Issuer(Denial::Unknown));
    let account = issuers.world.key.id().account();
    let call = issuers.world.gateway.leases_mut().renew(account, at(NOW));
    assert!(call.request().usage.is_none());
}

#[test]
fn a22_a_sealed_key_issues_nothing_and_is_told_first_when_it_could_not_even_be_used() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |_| ());
    let code = |issuers: &mut Issuers| {
        let credentials = Credentials::Key(SecretText::new(issuers.sealed()));
        issuers.authorise(&credentials, NOW).0.unwrap_err().code()
    };
    assert_eq!(code(&mut issuers), "issued_key");
    issuers.claims.expires_at = at(NOW);
    assert_eq!(code(&mut issuers), "expired");
    issuers.claims.expires_at = at(NOW + 1);
    issuers.generation(SealingGeneration(2));
    assert_eq!(code(&mut issuers), "unknown");
}

#[test]
fn p3_a_made_up_key_is_refused_by_its_text_before_its_body_is_read() {
    let issuers = Issuers::new(Issuer::Key);
    let text = issuers.world.key.expose();
    let foreign = Keyring::parse(&edge_keys(&[("x", "")]));
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let account = issuers.world.key.id().account();
    let foreign = NewKey::generate(account, &config().prefix, &foreign.unwrap(), &mut rng);
    for (headers, expected) in [
        (String::new(), Ok(())),
        (format!("authorization\nBearer {text}"), Ok(())),
        (format!("authorization\nBearer {text}x"), Err("malformed")),
        (format!("authorization\nBearer {}", foreign.expose()), Err("unknown")),
        (format!("authorization\nBearer {text}, {text}"), Err("ambiguous_credential")),
    ] {
        let (url, headers) = (Url::parse(API).unwrap(), Headers::new(&headers));
        let request = Request { method: "POST", url, headers, arrived: at(NOW) };
        let checked = issuers.world.gateway.check_issuer(&request);
        assert_eq!(checked.map_err(|refused| refused.code()), expected);
    }
}

/// With keys other than the admin Worker's, every credential seems made up.
#[test]
fn no_issuer_is_made_up_before_both_workers_are_known_to_fit() {
    let world = World::new();
    let foreign = Keyring::parse(&edge_keys(&[("x", "")])).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let foreign = NewKey::generate(world.key.id().account(), &clv(), &foreign, &mut rng);
    let key = Credentials::Key(SecretText::new(foreign.expose().to_owned()));
    let headers = format!("authorization\nBearer {}", foreign.expose());
    let (url, headers) = (Url::parse(API).unwrap(), Headers::new(&headers));
    let request = Request { method: "POST", url, headers, arrived: at(NOW) };
    let mut gateway = world.gateway.unlinked();
    let (now, lookup) = (at(NOW), Lookup::alone());
    assert_eq!(gateway.check_issuer(&request), Ok(()));
    let found = gateway.authorise_issue(&key, None, now, now, &lookup);
    assert!(matches!(found, Authorisation::AskAdmin), "{found:?}");
    // Another request asks.
    gateway.begin_to_ask(now);
    let authority =
        |gateway: &mut Gateway| match gateway.authorise_issue(&key, None, now, now, &lookup) {
            Authorisation::Decided(decided) => decided.authority.unwrap_err(),
            other => panic!("{other:?}"),
        };
    assert_eq!(gateway.check_issuer(&request), Ok(()));
    assert_eq!(authority(&mut gateway), Refused::Unavailable);
    gateway.take_fit(Some(true), now);
    assert_eq!(gateway.check_issuer(&request), Err(Refused::Issuer(Denial::Unknown)));
    assert_eq!(authority(&mut gateway), Refused::Issuer(Denial::Unknown));
}

/// P2: the issuer was disabled and enabled again since the lease, or its generation rose by the cap
/// on revocations. A new key has the present generation, so an edge with the present state accepts
/// it. No key issued before comes back.
#[test]
fn an_edge_with_an_older_lease_issues_in_the_present_generation() {
    let raised = |credential: &mut Credential| {
        credential.issuing.as_mut().unwrap().generation = GENERATION.next();
    };
    let mut stale = Issuers::new(Issuer::Key);
    stale.issuer(1, Standing::Active, &|_| ());
    let before = stale.authorise(&stale.key(), NOW).0.unwrap();
    assert_eq!(before.issuing.generation, GENERATION);
    stale.issuer_is(3, Standing::Active, &raised);
    let (after, calls) = stale.authorise(&stale.key(), ASKED);
    let after = after.unwrap();
    assert_eq!((after.issuing.generation, calls), (GENERATION.next(), 1));

    let mut elsewhere = Issuers::new(Issuer::Key);
    elsewhere.issuer(3, Standing::Active, &raised);
    assert_eq!(elsewhere.code_of(&sealed(&after, ASKED), ASKED, "10.1.2.3"), (String::new(), 0));
    assert_eq!(elsewhere.code_of(&sealed(&before, NOW), ASKED, "10.1.2.3").0, "unknown");

    let mut stale = Issuers::new(|_| Issuer::Service);
    stale.state(2, |_| ());
    stale.state_is(3, |state| {
        state.service.as_mut().unwrap().issuing.generation = GENERATION.next()
    });
    let (after, calls) = stale.authorise(&stale.password(b"password"), ASKED);
    assert_eq!((after.unwrap().issuing.generation, calls), (GENERATION.next(), 1));
}

/// Whatever the lease says, a change that restricts an issuer holds for issuing as soon as the
/// change was answered.
#[test]
fn who_may_not_issue_any_more_issues_nothing_though_the_lease_knows_of_nothing() {
    let lifted = |credential: &mut Credential| credential.issuing = None;
    let rows: [Row<'_>; 3] = [
        (&|_| (), Standing::Disabled, Refused::Issuer(Denial::Disabled)),
        (&|_| (), |_| Standing::Deleted, Refused::Issuer(Denial::Unknown)),
        (&lifted, Standing::Active, Refused::NotIssuable),
    ];
    for (change, state, expected) in rows {
        let mut issuers = Issuers::new(Issuer::Key);
        issuers.issuer(1, Standing::Active, &|_| ());
        issuers.issuer_is(3, state, change);
        let (authority, calls) = issuers.authorise(&issuers.key(), ASKED);
        assert_eq!((authority.unwrap_err(), calls), (expected.clone(), 1));
        // The lease knows the change now, so the edge asks no more.
        let (authority, calls) = issuers.authorise(&issuers.key(), ASKED + 1);
        assert_eq!((authority.unwrap_err(), calls), (expected, 0));
    }
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |_| ());
    issuers.state_is(3, |state| state.suspended = true);
    let (authority, calls) = issuers.authorise(&issuers.password(b"password"), ASKED);
    assert_eq!((authority.unwrap_err(), calls), (Refused::Issuer(Denial::AccountSuspended), 1));
}

#[test]
fn each_issue_asks_once_also_where_nothing_is_known_yet_and_counts_one_use() {
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.issuer_is(3, Standing::Active, &|_| ());
    issuers.state_is(3, |_| ());
    issuers.world = World::cold();
    for round in 0..3 {
        let (authority, calls) = issuers.authorise(&issuers.key(), ASKED + round);
        assert!(authority.is_ok());
        assert_eq!(calls, 1);
        assert!(issuers.may_issue(b"password", ASKED + round) == (true, 1));
    }
    let counters = issuers.world.gateway.counters();
    assert_eq!((counters.ledger_calls, counters.kv_reads, counters.shared_reads), (6, 0, 0));
    // An issue counts once, although the gateway decides twice.
    assert!(issuers.authorise(&issuers.key(), ASKED + 3).0.is_ok());
    let call =
        issuers.world.gateway.leases_mut().renew(issuers.world.key.id().account(), at(ASKED + 3));
    assert_eq!(call.request().usage.as_ref().unwrap().uses[0].count, 1);
}

#[test]
fn a_service_password_counts_whether_it_is_right_or_wrong() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |_| ());
    assert_eq!(issuers.may_issue(b"password", ASKED), (true, 1));
    for _ in 0..2 {
        assert_eq!(issuers.may_issue(b"wrong", ASKED), (false, 0));
    }
    let account = issuers.world.key.id().account();
    let call = issuers.world.gateway.leases_mut().renew(account, at(ASKED));
    let service = call.request().usage.clone().unwrap().service.unwrap();
    assert_eq!((service.count, service.last_at, service.refused), (1, Some(at(ASKED)), 2));
}

/// Neither a copy nor an accepting lease replaces the ledger's answer.
#[test]
fn where_the_ledger_is_out_of_reach_nothing_is_issued_but_under_grace() {
    let grace = Outage::Grace(DurationMs::from_s(60));
    for (outage, is_issued) in [(Outage::Deny, false), (grace, true)] {
        for later in [0, T + 1] {
            let mut issuers = Issuers::new(Issuer::Key);
            let mut config = config();
            config.terms.outage = outage;
            issuers.world.gateway = Gateway::new(config, 7);
            issuers.world.refresh(NOW, refresh(0));
            issuers.issuer(1, Standing::Active, &|_| ());
            let (credentials, now) = (issuers.key(), NOW + later);
            let (mut lookup, mut failed) = (Lookup::default(), 0);
            let gateway = &mut issuers.world.gateway;
            let authority = loop {
                match gateway.authorise_issue(&credentials, None, at(now), at(now), &lookup) {
                    Authorisation::Fetch(Fetch::Copy(account, source)) => {
                        assert_eq!(source, CopySource::Cache);
                        let read = gateway.leases_mut().ask_copy(account, source, at(now));
                        gateway.take_copy(&read, None, at(now), Some(&mut lookup));
                    }
                    Authorisation::Fetch(need) => {
                        let call = gateway.leases_mut().ask(need, at(now));
                        gateway.leases_mut().take_refresh(
                            &call,
                            &RefreshReply::Failed,
                            at(now),
                            Some(&mut lookup),
                        );
                        failed += 1;
                    }
                    Authorisation::Decided(decided) => break decided.authority,
                    Authorisation::AskAdmin => panic!("this edge fits"),
                }
            };
            assert_eq!(failed, REFRESH_ATTEMPTS, "{outage:?} {later}");
            assert_eq!(authority.is_ok(), is_issued, "{outage:?} {later}: {authority:?}");
            assert!(
                authority.is_ok()
                    || authority.is_err_and(|refused| refused == Refused::Unavailable)
            );
        }
    }
}

#[test]
fn a_new_service_password_issues_at_once_and_a_wrong_one_asks_the_ledger_once_a_second() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |_| ());
    assert_eq!(issuers.may_issue(b"password", ASKED), (true, 1));
    issuers.state_is(3, |state| state.service.as_mut().unwrap().digest = Digest::of(b"another"));
    assert_eq!(issuers.may_issue(b"another", ASKED + 1), (true, 1));
    assert_eq!(issuers.may_issue(b"password", ASKED + 500), (false, 0));
    for (later, calls) in [(1_001, 1), (1_002, 0), (2_000, 0)] {
        assert_eq!(issuers.may_issue(b"wrong", ASKED + later), (false, calls), "{later}");
    }
    // Guesses differ: one call a second for all of them.
    for (later, calls) in [(2_001, 1), (2_002, 0), (3_000, 0), (3_001, 1)] {
        let guess = format!("guess {later}");
        assert_eq!(issuers.may_issue(guess.as_bytes(), ASKED + later), (false, calls), "{later}");
    }
    assert_eq!(issuers.may_issue(b"guess 3001", ASKED + 4_500), (false, 0), "refused last");
    assert_eq!(issuers.may_issue(b"another", ASKED + 4_500), (true, 1));
}

/// P3: made once, over since. A program that goes on with a former password costs no call a second.
#[test]
fn a_former_service_password_asks_the_ledger_once() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |_| ());
    assert_eq!(issuers.may_issue(b"wrong", NOW), (false, 0), "the lease is as new as the request");
    issuers.state_is(3, |state| state.service.as_mut().unwrap().digest = Digest::of(b"another"));
    assert_eq!(issuers.may_issue(b"another", ASKED), (true, 1));
    let calls: usize =
        (1..=9).map(|s| issuers.may_issue(b"password", ASKED + 1_000 * s)).map(|got| got.1).sum();
    assert_eq!(calls, 1, "nine seconds, within one lease");
    // A password that the ledger has not refused yet is asked about.
    issuers.state_is(4, |state| state.service.as_mut().unwrap().digest = Digest::of(b"third"));
    assert_eq!(issuers.may_issue(b"third", ASKED + 9_500), (true, 1));
}

/// A call that failed has refused nothing.
#[test]
fn a_password_is_not_remembered_as_refused_before_the_ledger_has_answered() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |_| ());
    assert_eq!(issuers.may_issue(b"password", ASKED), (true, 1));
    let (account, lookup) = (issuers.world.key.id().account(), Lookup::default());
    let credentials = issuers.password(b"new");
    let asks = |issuers: &mut Issuers, now| {
        let gateway = &mut issuers.world.gateway;
        let found = gateway.authorise_issue(&credentials, None, at(now), at(now), &lookup);
        matches!(found, Authorisation::Fetch(Fetch::State(asked)) if asked == account)
    };
    assert!(asks(&mut issuers, ASKED + 1_001), "nothing comes of this one");
    assert!(asks(&mut issuers, ASKED + 2_001), "and the next asks again");
    // Nor does it make the edge forget what an earlier answer has refused.
    assert_eq!(issuers.may_issue(b"wrong", ASKED + 3_001), (false, 1));
    assert!(asks(&mut issuers, ASKED + 4_001));
    assert_eq!(issuers.may_issue(b"wrong", ASKED + 5_001), (false, 0));
}

/// The request's own pause must not make it fall back to the lease.
#[test]
fn a_password_that_seems_wrong_is_not_refused_while_the_ledger_is_away() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |_| ());
    let (credentials, mut lookup) = (issuers.password(b"new"), Lookup::alone());
    let now = at(ASKED);
    for _ in 0..2 {
        let gateway = &mut issuers.world.gateway;
        let found = gateway.authorise_issue(&credentials, None, now, now, &lookup);
        let Authorisation::Fetch(need) = found else { panic!("{found:?}") };
        let call = gateway.leases_mut().ask(need, now);
        let failed = RefreshReply::Failed;
        gateway.leases_mut().take_refresh(&call, &failed, now, Some(&mut lookup));
    }
    let found = issuers.world.gateway.authorise_issue(&credentials, None, now, now, &lookup);
    let Authorisation::Decided(Authorised { authority, .. }) = found else { panic!("{found:?}") };
    assert_eq!(authority.err(), Some(Refused::Unavailable));
}
