//! Tests access tokens: sealed keys that act for the key that got them. They follow that key, and
//! its own limits bound them.

use super::*;

/// A generation of the pair, its state, its changes, and the verdict on its token.
type TokenRow<'a> = (SealingGeneration, fn(Credential) -> Standing, &'a [Change<'a>], &'a str);

/// An earlier generation of the pair, its state then, and a change.
type Earlier<'a> = (SealingGeneration, fn(Credential) -> Standing, Change<'a>);

/// Tokens of a key that issues nothing, and of one with wider issuance limits.
fn tokens() -> [Issuers; 2] {
    [false, true].map(|is_issuer| {
        let mut issuers = Issuers::new(Issuer::Key);
        issuers.claims.is_token = true;
        issuers.is_issuer = is_issuer;
        issuers
    })
}

impl Issuers {
    /// Puts the key with this generation, these changes and this state into ledger and lease.
    fn pair(
        &mut self,
        revision: u64,
        generation: SealingGeneration,
        state: fn(Credential) -> Standing,
        change: Change<'_>,
    ) {
        let record = self.pair_is(revision, generation, state, change);
        self.world.knows(record);
    }

    fn pair_is(
        &mut self,
        revision: u64,
        generation: SealingGeneration,
        state: fn(Credential) -> Standing,
        change: Change<'_>,
    ) -> Record {
        let is_issuer = self.is_issuer;
        self.issuer_is(revision, state, &|credential| {
            match &mut credential.issuing {
                Some(issuing) if is_issuer => issuing.generation = generation,
                issuing => {
                    *issuing = None;
                    credential.sealing = generation;
                }
            }
            change(credential);
        })
    }

    fn token(&mut self, address: &str) -> String {
        let token = self.sealed();
        self.code_of(&token, NOW, address).0
    }
}

/// Each row breaks one more of the pair's own limits, in order of precedence. The issuance limits
/// allow all of it, so a token that they bound would pass.
#[test]
fn s16_a_token_does_no_more_than_its_pair_and_dies_with_it() {
    let permission = |credential: &mut Credential| {
        credential.limits.permissions = serde_json::from_str(r#"["demo:write"]"#).unwrap();
    };
    let interface =
        |credential: &mut Credential| credential.limits.interfaces = vec![Interface::Smtp];
    let network = |credential: &mut Credential| {
        credential.limits.networks = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    };
    let expired = |credential: &mut Credential| credential.limits.expires = Expiry::At(at(NOW));
    let early = |credential: &mut Credential| credential.limits.not_before = Some(at(NOW + 1));
    let issued = |credential: &mut Credential| {
        credential.issued = Some(Issued { by: Issuer::Service, generation: GENERATION, at: at(0) });
    };
    let (present, next) = (GENERATION, GENERATION.next());
    let rows: [TokenRow<'_>; 13] = [
        (present, Standing::Active, &[], ""),
        (present, Standing::Active, &[&permission], "permission_denied"),
        (present, Standing::Active, &[&permission, &interface], "interface_denied"),
        (present, Standing::Active, &[&permission, &interface, &network], "network_denied"),
        (present, Standing::Active, &[&interface, &network, &expired], "expired"),
        (present, Standing::Active, &[&network, &expired, &early], "not_yet_valid"),
        (next, Standing::Disabled, &[&expired, &early], "disabled"),
        (present, Standing::Disabled, &[], "unknown"),
        (next, Standing::Active, &[], "unknown"),
        (SealingGeneration(2), Standing::Active, &[], "unknown"),
        (next.next(), Standing::Disabled, &[], "unknown"),
        (present, |_| Standing::Deleted, &[], "unknown"),
        (present, Standing::Active, &[&issued], "unknown"),
    ];
    for (generation, state, changes, expected) in rows {
        for mut issuers in tokens() {
            issuers.pair(2, generation, state, &|credential| {
                changes.iter().for_each(|change| change(credential));
            });
            assert_eq!(issuers.token("10.1.2.3"), expected, "{}", issuers.is_issuer);
        }
    }
}

/// A lift of the issuance limits raises the generation, so a token never outlives it. But a pair
/// that gets issuance limits keeps its tokens, within its own limits.
#[test]
fn s16_issuance_limits_neither_bind_a_token_nor_widen_it() {
    let mut issuers = Issuers::new(Issuer::Key);
    issuers.claims.permissions = serde_json::from_str(r#"["demo:read","demo:write"]"#).unwrap();
    issuers.claims.is_token = true;
    issuers.issuer(2, Standing::Active, &|credential| {
        credential.issuing.as_mut().unwrap().ceiling = Ceiling {
            permissions: serde_json::from_str(r#"["demo:write"]"#).unwrap(),
            networks: serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap(),
            longest: Some(DurationMs::from_ms(1)),
        };
    });
    assert_eq!(issuers.token("10.1.2.3"), "");
    issuers.claims.is_token = false;
    assert_eq!(issuers.token("10.1.2.3"), "expired");
}

#[test]
fn s16_what_is_no_token_never_follows_a_key_without_issuance_limits() {
    let [mut issuers, _] = tokens();
    issuers.claims.is_token = false;
    issuers.pair(2, GENERATION, Standing::Active, &|_| ());
    assert_eq!(issuers.token("10.1.2.3"), "unknown");
}

/// The lease is from before the pair was enabled again, and before its permissions grew.
#[test]
fn s16_a_token_that_is_newer_than_the_lease_is_asked_about_once() {
    let narrow = |credential: &mut Credential| {
        credential.limits.permissions = serde_json::from_str("[]").unwrap();
    };
    let changes: [Earlier<'_>; 3] = [
        (SealingGeneration(2), Standing::Active, &|_| ()),
        (GENERATION, Standing::Disabled, &|_| ()),
        (GENERATION, Standing::Active, &narrow),
    ];
    for (generation, state, change) in changes {
        for mut issuers in tokens() {
            issuers.claims.issued_at = at(NOW + 2_000);
            issuers.pair(2, generation, state, change);
            issuers.pair_is(3, GENERATION, Standing::Active, &|_| ());
            let token = issuers.sealed();
            assert_eq!(issuers.code_of(&token, NOW + 3_000, "10.1.2.3"), (String::new(), 1));
            assert_eq!(issuers.code_of(&token, NOW + 3_000, "10.1.2.3"), (String::new(), 0));
        }
    }
}

/// A token of an ended generation must not let a caller flood a ledger.
#[test]
fn s16_a_dead_token_costs_no_call() {
    for mut issuers in tokens() {
        issuers.pair(2, GENERATION.next(), Standing::Active, &|_| ());
        let token = issuers.sealed();
        assert_eq!(issuers.code_of(&token, NOW + 3_000, "10.1.2.3"), ("unknown".into(), 0));
    }
}
