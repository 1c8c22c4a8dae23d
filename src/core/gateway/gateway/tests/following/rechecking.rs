//! Tests keys that were issued a moment ago: the ledger calls before the gateway refuses them.

use super::*;

/// The issuer as the lease knows it from before.
type Before<'a> = (Change<'a>, fn(Credential) -> Standing);

/// Time at which keys are issued, and later used, that the lease of [`NOW`] does not know yet.
const ISSUED: i64 = NOW + 2_000;
const USED: i64 = NOW + 3_000;

impl Issuers {
    /// Issues its keys now, in this generation.
    fn issue(&mut self, generation: SealingGeneration) {
        self.generation(generation);
        self.claims.issued_at = at(ISSUED);
        self.claims.expires_at = at(ISSUED + 30_000);
    }

    /// Checks that each key is valid after one ledger call, and from memory after that.
    #[track_caller]
    fn assert_valid_at_once(&mut self) {
        let address = "10.1.2.3";
        let sealed = self.sealed();
        assert_eq!(self.code_of(&sealed, USED, address), (String::new(), 1));
        assert_eq!(
            self.codes_at(USED + 1, address),
            [(String::new(), 0), (String::new(), 0)],
            "P4"
        );
    }
}

/// P2, with a lease that is older than the issuer's last change.
#[test]
fn what_was_issued_a_moment_ago_is_valid_at_once_whatever_the_lease_knows_of_its_issuer() {
    let narrow = |credential: &mut Credential| {
        credential.issuing.as_mut().unwrap().ceiling.permissions =
            serde_json::from_str("[]").unwrap();
    };
    let no_issuer = |credential: &mut Credential| credential.issuing = None;
    let lower = |credential: &mut Credential| {
        credential.issuing.as_mut().unwrap().generation = SealingGeneration(2);
    };
    let ended =
        |credential: &mut Credential| credential.limits.expires = Expiry::At(at(ISSUED - 1));
    let rows: [Before<'_>; 5] = [
        (&narrow, Standing::Active),
        (&no_issuer, Standing::Active),
        (&lower, Standing::Active),
        (&ended, Standing::Active),
        // The issuer was disabled and enabled again: since then it issues in the generation that
        // disabling gave it.
        (&|_| (), Standing::Disabled),
    ];
    for (before, state) in rows {
        let mut issuers = Issuers::new(Issuer::Key);
        issuers.issuer(1, state, before);
        issuers.issue(GENERATION);
        issuers.stored(2);
        issuers.issuer_is(3, Standing::Active, &|_| ());
        issuers.assert_valid_at_once();
    }
}

#[test]
fn what_a_new_service_password_issued_a_moment_ago_is_valid_at_once() {
    for before in [
        (|state| state.service = None) as fn(&mut AccountState),
        |state| state.service.as_mut().unwrap().issuing.generation = SealingGeneration(2),
        |state| {
            state.service.as_mut().unwrap().issuing.ceiling.permissions =
                serde_json::from_str("[]").unwrap()
        },
    ] {
        let mut issuers = Issuers::new(|_| Issuer::Service);
        issuers.state(2, before);
        issuers.issue(GENERATION);
        issuers.stored(3);
        issuers.state_is(4, |_| ());
        issuers.assert_valid_at_once();
    }
}

/// The same, with the stored key used first.
#[test]
fn a_stored_key_that_was_issued_a_moment_ago_is_valid_at_once() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |state| state.service = None);
    issuers.issue(GENERATION);
    issuers.stored(3);
    issuers.state_is(4, |_| ());
    let key = issuers.stored.expose().to_owned();
    assert_eq!(issuers.code_of(&key, USED, "10.1.2.3"), (String::new(), 1));
    assert_eq!(issuers.code_of(&key, USED + 1, "10.1.2.3"), (String::new(), 0), "P4");
}

/// Whatever a request presents, it notices that the lease is due for a refresh.
#[test]
fn an_issued_key_starts_the_background_refresh_too() {
    for issuer in [Issuer::Key as fn(KeyId) -> Issuer, |_| Issuer::Service] {
        for place in 0..2 {
            let mut issuers = Issuers::new(issuer);
            issuers.state(2, |_| ());
            issuers.issuer(3, Standing::Active, &|_| ());
            issuers.stored(4);
            let keys = [issuers.sealed(), issuers.stored.expose().to_owned()];
            let facts = Facts {
                address: None,
                interface: Interface::Http,
                demand: Demand::AnyKey,
                may_change: false,
            };
            let (account, now) = (issuers.world.key.id().account(), at(NOW + T - 1));
            let gateway = &mut issuers.world.gateway;
            let check = gateway.check(&keys[place], &facts, now, now, &Lookup::alone());
            let Check::Decided(checked) = check else { panic!("{check:?}") };
            assert_eq!((checked.verdict.err(), checked.renew), (None, Some(account)), "{place}");
        }
    }
}

/// P3: a caller with keys of a deleted issuer cannot cause a ledger call per request, nor per key.
#[test]
fn a_ledger_is_asked_once_about_an_issuer_that_is_gone() {
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.issuer(1, |_| Standing::Deleted, &|_| ());
    let unknown = |calls| ("unknown".to_owned(), calls);
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    for calls in [1, 0, 0] {
        let sealed = issuers.sealed();
        assert_eq!(issuers.code_of(&sealed, USED, "10.1.2.3"), unknown(calls));
        let Claims { id, issuer, .. } = issuers.claims;
        issuers.claims.id = sealed_id(id.account(), issuer, GENERATION, &mut rng);
    }
    // The ledger was restored to an earlier state: the edge asks once about each generation that it
    // does not know.
    for (generation, calls) in [(5, 1), (5, 0), (4, 0), (6, 1)] {
        issuers.generation(SealingGeneration(generation));
        let sealed = issuers.sealed();
        assert_eq!(issuers.code_of(&sealed, USED, "10.1.2.3"), unknown(calls), "{generation}");
    }
    // An expired key needs no ledger call.
    issuers.generation(SealingGeneration(9));
    let sealed = issuers.sealed();
    assert_eq!(issuers.code_of(&sealed, NOW + 29_000, "10.1.2.3").1, 1);
    issuers.generation(SealingGeneration(10));
    let sealed = issuers.sealed();
    assert_eq!(issuers.code_of(&sealed, NOW + 29_001, "10.1.2.3").1, 0);
}

/// The memory of what was asked holds the highest generation and the latest issue, of whichever
/// keys.
#[test]
fn of_two_keys_neither_makes_the_edge_ask_about_the_other_again() {
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.issuer(1, |_| Standing::Deleted, &|_| ());
    let long_ago = NOW - 200_000;
    let [higher, later, highest] = [(5, long_ago), (4, USED - 500), (6, long_ago)].map(|key| {
        issuers.generation(SealingGeneration(key.0));
        issuers.claims.issued_at = at(key.1);
        issuers.sealed()
    });
    for (index, (key, calls)) in [
        (&higher, 1),
        (&later, 1),
        (&higher, 0),
        (&highest, 1),
        (&later, 0),
        (&higher, 0),
        (&highest, 0),
    ]
    .into_iter()
    .enumerate()
    {
        let asked = issuers.code_of(key, USED, "10.1.2.3");
        assert_eq!(asked, ("unknown".to_owned(), calls), "{index}");
    }
}

/// The edge asks once per key about a denial that a newer ceiling might lift. It does not ask for a
/// key older than the lease.
#[test]
fn a_ledger_is_asked_once_about_a_key_that_its_ceiling_refuses() {
    let narrow = |credential: &mut Credential| {
        credential.issuing.as_mut().unwrap().ceiling.permissions =
            serde_json::from_str("[]").unwrap();
    };
    let denied = |calls| ("permission_denied".to_owned(), calls);
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.issuer(1, Standing::Active, &narrow);
    let sealed = issuers.sealed();
    assert_eq!(issuers.code_of(&sealed, USED, "10.1.2.3"), denied(0));
    issuers.issue(GENERATION);
    let sealed = issuers.sealed();
    assert_eq!(issuers.code_of(&sealed, ISSUED, "10.1.2.3"), denied(1));
    assert_eq!(issuers.code_of(&sealed, ISSUED, "10.1.2.3"), denied(0));
    assert_eq!(issuers.code_of(&sealed, USED, "10.1.2.3"), denied(0));
}

/// An issue time of a clock that ran ahead must not hide each later key.
#[test]
fn a_clock_that_goes_back_makes_the_edge_forget_what_it_has_asked_about() {
    let narrow = |credential: &mut Credential| {
        credential.issuing.as_mut().unwrap().ceiling.permissions =
            serde_json::from_str("[]").unwrap();
    };
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.issuer(1, Standing::Active, &narrow);
    let ahead = NOW + 3_600_000;
    for (issued, used) in [(ahead, ahead), (NOW, NOW + 10), (NOW + 20, NOW + 30)] {
        issuers.claims.issued_at = at(issued);
        issuers.claims.expires_at = at(issued + 30_000);
        let sealed = issuers.sealed();
        let asked = issuers.code_of(&sealed, used, "10.1.2.3");
        assert_eq!(asked, ("permission_denied".to_owned(), 1), "{issued}");
    }
}

/// No newer state of the issuer can make a key valid that its own claims refuse.
#[test]
fn a_ledger_is_not_asked_about_a_key_that_its_own_claims_refuse() {
    for (networks, permissions, expected) in [
        (r#"["192.0.2.0/24"]"#, r#"["demo:read"]"#, "network_denied"),
        ("[]", r#"["demo:write"]"#, "permission_denied"),
    ] {
        let mut issuers = Issuers::new(Issuer::Key);
        issuers.issuer(1, Standing::Active, &|_| ());
        issuers.issue(GENERATION);
        issuers.claims.networks = serde_json::from_str(networks).unwrap();
        issuers.claims.permissions = serde_json::from_str(permissions).unwrap();
        issuers.stored(2);
        let refused = (expected.to_owned(), 0);
        assert_eq!(issuers.codes_at(USED, "10.1.2.3"), [refused.clone(), refused]);
    }
}

/// Another reply began a new lease while the recheck was under way, with an earlier state.
#[test]
fn what_a_recheck_finds_out_counts_for_its_request_whatever_became_of_the_lease() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |state| state.service = None);
    let earlier = issuers.ledger.state.clone();
    issuers.issue(GENERATION);
    issuers.stored(3);
    issuers.state_is(4, |_| ());
    let (key, mut lookup) = (issuers.stored.expose().to_owned(), Lookup::alone());
    let facts = Facts {
        address: None,
        interface: Interface::Http,
        demand: Demand::AnyKey,
        may_change: false,
    };
    let check = issuers.world.gateway.check(&key, &facts, at(USED), at(USED), &lookup);
    let Check::Fetch(need @ Fetch::State(_)) = check else { panic!("{check:?}") };
    let call = issuers.world.gateway.leases_mut().ask(need, at(USED));
    let reset = Refresh { delta: Delta::Reset, state: Some(earlier), ..refresh(3) };
    issuers.world.refresh(USED, reset);
    let record = issuers.ledger.records[0].clone();
    issuers.world.gateway.leases_mut().take_change(record, at(USED));
    let reply = issuers.ledger.answer(&call);
    issuers.world.gateway.leases_mut().take_refresh(&call, &reply, at(USED), Some(&mut lookup));
    let check = issuers.world.gateway.check(&key, &facts, at(USED), at(USED), &lookup);
    assert!(matches!(check, Check::Decided(Checked { verdict: Ok(_), .. })), "{check:?}");
}

/// Usage of an account without requests goes with the next request that has nothing else to send.
#[test]
fn a_key_that_the_service_password_issued_keeps_no_other_account_s_usage_back() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |_| ());
    issuers.stored(3);
    let idle = KeyId::parse("ZZZZZZZZ0000000000").unwrap();
    issuers.world.gateway.leases_mut().count_use(idle, Ok(()), None, at(NOW - 60_000));
    let key = issuers.stored.expose().to_owned();
    let facts = Facts {
        address: None,
        interface: Interface::Http,
        demand: Demand::AnyKey,
        may_change: false,
    };
    let now = at(NOW + T - 1);
    for account in [issuers.world.key.id().account(), idle.account()] {
        let check = issuers.world.gateway.check(&key, &facts, now, now, &Lookup::alone());
        let Check::Decided(checked) = check else { panic!("{check:?}") };
        assert_eq!((checked.verdict.err(), checked.renew), (None, Some(account)));
    }
}

/// `unknown` needs the ledger's evidence; without it, no answer is possible.
#[test]
fn a_key_that_the_lease_knows_no_issuer_of_is_not_unknown_while_the_ledger_is_away() {
    let mut issuers = Issuers::new(|_| Issuer::Service);
    issuers.state(2, |state| state.service = None);
    let facts = Facts {
        address: None,
        interface: Interface::Http,
        demand: Demand::AnyKey,
        may_change: false,
    };
    let (sealed, mut lookup) = (issuers.sealed(), Lookup::alone());
    let gateway = &mut issuers.world.gateway;
    for _ in 0..2 {
        let check = gateway.check(&sealed, &facts, at(USED), at(USED), &lookup);
        let Check::Fetch(need) = check else { panic!("{check:?}") };
        let call = gateway.leases_mut().ask(need, at(USED));
        gateway.leases_mut().take_refresh(
            &call,
            &RefreshReply::Failed,
            at(USED),
            Some(&mut lookup),
        );
    }
    let check = gateway.check(&sealed, &facts, at(USED), at(USED), &lookup);
    assert!(
        matches!(check, Check::Decided(Checked { verdict: Err(Denial::Unavailable), .. })),
        "{check:?}"
    );
}
