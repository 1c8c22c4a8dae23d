//! Tests the verification of keys that follow an issuer: each limit that the key or the issuer has
//! applies, whatever the other has.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::base::id::SealedId;
use crate::credential::account_networks::AccountNetworks;
use crate::credential::issuer::{Issued, Issuing, RevokedSealed, ServicePassword};
use crate::credential::sealed::{Claims, NewSealed, SealedText};
use crate::replication::record::{Credential, Epoch, Revision};
use crate::testing::{account, at, clv, key_id, keyring, limits};

/// Time of issue of the issued keys.
const ISSUED: UnixMs = UnixMs::from_ms(1_000);
const GENERATION: SealingGeneration = SealingGeneration(4);

fn issuer_id() -> KeyId {
    KeyId::parse("a1B2c3D47Hq0p2Zx9L").unwrap()
}

fn networks(text: &str) -> Networks {
    serde_json::from_str(text).unwrap()
}

fn permissions(text: &str) -> Permissions {
    serde_json::from_str(text).unwrap()
}

/// Returns limits that bind nothing.
fn no_limits() -> Limits {
    Limits {
        not_before: None,
        expires: Expiry::Never,
        networks: Networks::anywhere(),
        interfaces: vec![Interface::Http, Interface::Smtp],
        permissions: permissions(r#"["*:*"]"#),
    }
}

/// A key, and the key that issued it. Both are without limits until a test sets some.
struct Pair {
    own: Limits,
    own_state: fn(Credential) -> Standing,
    issuer: Credential,
    issuer_state: fn(Credential) -> Standing,
    own_member: Option<MemberId>,
    state: AccountState,
    demand: Option<Permission>,
    address: &'static str,
    interface: Interface,
}

impl Pair {
    fn new() -> Self {
        let ceiling = Ceiling {
            permissions: no_limits().permissions,
            networks: Networks::anywhere(),
            longest: None,
        };
        let issuing = Some(Issuing { generation: GENERATION, ceiling });
        let digest = Digest::of(b"issuer");
        Self {
            own: no_limits(),
            own_state: Standing::Active,
            issuer: Credential {
                digest,
                limits: no_limits(),
                issuing,
                issued: None,
                sealing: SealingGeneration::default(),
                member: None,
                user: None,
            },
            issuer_state: Standing::Active,
            own_member: None,
            state: AccountState::default(),
            demand: None,
            address: "10.0.0.1",
            interface: Interface::Http,
        }
    }

    fn ceiling(&mut self) -> &mut Ceiling {
        &mut self.issuer.issuing.as_mut().unwrap().ceiling
    }

    fn facts(&self) -> Facts<'_> {
        let demand = self.demand.as_ref().map_or(Demand::AnyKey, Demand::Permission);
        Facts {
            address: ClientAddress::parse(self.address),
            interface: self.interface,
            demand,
            may_change: false,
        }
    }

    fn issuer_record(&self) -> Record {
        let standing = (self.issuer_state)(self.issuer.clone());
        Record::new(Epoch::new(1), Revision(7), issuer_id(), standing)
    }

    /// Returns the verdict for the stored key at `ms`.
    fn stored(&self, ms: i64) -> Result<Valid, Denial> {
        let issued = Issued { by: Issuer::Key(issuer_id()), generation: GENERATION, at: ISSUED };
        let credential = Credential {
            digest: Digest::of(b"own"),
            limits: self.own.clone(),
            issuing: None,
            issued: Some(issued),
            sealing: SealingGeneration::default(),
            member: self.own_member,
            user: None,
        };
        let own = Record::new(Epoch::new(1), Revision(9), key_id(), (self.own_state)(credential));
        let issuer = self.issuer_record();
        let known = Known { record: Some(&own), issuer: Some(&issuer), state: &self.state };
        examine(key_id(), known, &self.facts(), at(ms))
    }

    /// Returns the claims of the sealed key; `expires` of the own limits must be a date.
    fn claims(&self, issuer: Issuer) -> Claims {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let ring = keyring();
        let id = SealedId::draw(account(), issuer, GENERATION, (&clv(), &ring), &mut rng);
        Claims {
            id: id.unwrap(),
            issuer,
            issued_at: ISSUED,
            expires_at: self.own.expires.at().unwrap(),
            networks: self.own.networks.clone(),
            permissions: self.own.permissions.clone(),
            is_token: false,
        }
    }

    /// Returns the verdict for the sealed key at `ms`.
    fn sealed(&self, ms: i64) -> Result<Valid, Denial> {
        let issuer = self.issuer_record();
        let known = Known { record: None, issuer: Some(&issuer), state: &self.state };
        let made = made(&self.claims(Issuer::Key(issuer_id())));
        verify_sealed(&made, known, &self.facts(), at(ms)).map(Valid::from)
    }
}

fn made(claims: &Claims) -> MadeSealed {
    let sealed = NewSealed::seal(claims, &clv(), &keyring()).unwrap();
    let text = SealedText::parse(sealed.expose(), &clv()).unwrap();
    text.authenticate(&clv(), &keyring(), ISSUED).unwrap()
}

#[test]
fn the_record_of_another_key_speaks_for_none() {
    let verdict = |record: Option<&Record>, issuer: Option<&Record>| {
        let state = AccountState::default();
        let pair = Pair::new();
        let known = Known { record, issuer, state: &state };
        examine(key_id(), known, &pair.facts(), ISSUED).map(|_| ())
    };
    let record = |id: KeyId, issued: Option<Issued>| {
        let issuing = issued.is_none().then(|| Pair::new().issuer.issuing).flatten();
        let credential = Credential {
            digest: Digest::of(b"x"),
            limits: limits(),
            issuing,
            issued,
            sealing: SealingGeneration::default(),
            member: None,
            user: None,
        };
        Record::new(Epoch::new(1), Revision(1), id, Standing::Active(credential))
    };
    assert_eq!(verdict(Some(&record(key_id(), None)), None), Ok(()));
    assert_eq!(verdict(Some(&record(issuer_id(), None)), None), Err(Denial::Unknown));
    let issued = Issued { by: Issuer::Key(issuer_id()), generation: GENERATION, at: ISSUED };
    let issued = record(key_id(), Some(issued));
    let stranger = KeyId::parse("a1B2c3D47Hq0p2Zx9M").unwrap();
    assert_eq!(verdict(Some(&issued), Some(&record(issuer_id(), None))), Ok(()));
    for issuer in [None, Some(record(stranger, None))] {
        assert_eq!(verdict(Some(&issued), issuer.as_ref()), Err(Denial::Unknown));
    }
}

#[test]
fn a_key_begins_with_the_later_of_its_own_and_its_issuer_s_beginning() {
    for (own, issuer, begins) in [
        (Some(2_000), None, 2_000),
        (None, Some(2_000), 2_000),
        (Some(2_000), Some(3_000), 3_000),
        (Some(3_000), Some(2_000), 3_000),
    ] {
        let mut pair = Pair::new();
        (pair.own.not_before, pair.issuer.limits.not_before) = (own.map(at), issuer.map(at));
        let early = pair.stored(begins - 1).map(|_| ());
        assert_eq!(early, Err(Denial::NotYetValid), "{own:?} {issuer:?}");
        assert!(pair.stored(begins).is_ok(), "{own:?} {issuer:?}");
        // A sealed key has no beginning of its own.
        if let (None, Some(begins)) = (own, issuer) {
            pair.own.expires = Expiry::At(at(10_000));
            assert_eq!(pair.sealed(begins - 1).map(|_| ()), Err(Denial::NotYetValid));
            assert!(pair.sealed(begins).is_ok());
        }
    }
}

/// The three ends are the key's own, the longest life since the issue, and the issuer's.
#[test]
fn a_key_ends_with_the_earliest_of_its_ends_and_says_so() {
    let expiry = |ms: Option<i64>| ms.map_or(Expiry::Never, |ms| Expiry::At(at(ms)));
    for ends in [
        [Some(3_000), None, None],
        [None, Some(3_000), None],
        [None, None, Some(3_000)],
        [Some(3_000), Some(4_000), Some(5_000)],
        [Some(3_000), Some(5_000), Some(4_000)],
        [Some(4_000), Some(3_000), Some(5_000)],
        [Some(5_000), Some(3_000), Some(4_000)],
        [Some(4_000), Some(5_000), Some(3_000)],
        [Some(5_000), Some(4_000), Some(3_000)],
    ] {
        let [own, longest, issuer] = ends;
        let mut pair = Pair::new();
        pair.own.expires = expiry(own);
        pair.ceiling().longest = longest.map(|end| at(end).since(ISSUED).unwrap());
        pair.issuer.limits.expires = expiry(issuer);
        let end = Expiry::At(at(3_000));
        assert_eq!(pair.stored(2_999).map(|valid| valid.expires), Ok(end), "{ends:?}");
        assert_eq!(pair.stored(3_000).map(|_| ()), Err(Denial::Expired), "{ends:?}");
        if own.is_some() {
            assert_eq!(pair.sealed(2_999).map(|valid| valid.expires), Ok(end), "{ends:?}");
            assert_eq!(pair.sealed(3_000).map(|_| ()), Err(Denial::Expired), "{ends:?}");
        }
    }
    assert_eq!(Pair::new().stored(i64::MAX).map(|valid| valid.expires), Ok(Expiry::Never));
}

#[test]
fn the_networks_of_the_key_and_of_the_ceiling_both_bind_it() {
    let lists = [("[]", true), (r#"["10.0.0.0/8"]"#, true), (r#"["192.0.2.0/24"]"#, false)];
    for (own, own_allows) in lists {
        for (ceiling, ceiling_allows) in lists {
            let mut pair = Pair::new();
            pair.own.networks = networks(own);
            pair.own.expires = Expiry::At(at(10_000));
            pair.ceiling().networks = networks(ceiling);
            // The issuing key's networks say where keys may be issued, not where they may be used.
            pair.issuer.limits.networks = networks(r#"["203.0.113.0/24"]"#);
            let expected =
                if own_allows && ceiling_allows { Ok(()) } else { Err(Denial::NetworkDenied) };
            assert_eq!(pair.stored(2_000).map(|_| ()), expected, "{own} {ceiling}");
            assert_eq!(pair.sealed(2_000).map(|_| ()), expected, "{own} {ceiling}");
        }
    }
}

#[test]
fn the_interfaces_of_the_key_and_of_its_issuer_both_bind_it() {
    let lists = [vec![Interface::Http], vec![Interface::Smtp], vec![], no_limits().interfaces];
    for interface in [Interface::Http, Interface::Smtp] {
        for (own, issuer) in
            lists.iter().flat_map(|own| lists.iter().map(move |issuer| (own, issuer)))
        {
            let mut pair = Pair::new();
            pair.interface = interface;
            (pair.own.interfaces, pair.issuer.limits.interfaces) = (own.clone(), issuer.clone());
            pair.own.expires = Expiry::At(at(10_000));
            let verdict = |is_for: bool| if is_for { Ok(()) } else { Err(Denial::InterfaceDenied) };
            let both = own.contains(&interface) && issuer.contains(&interface);
            assert_eq!(pair.stored(2_000).map(|_| ()), verdict(both), "{own:?} {issuer:?}");
            // A sealed key names no interfaces.
            let sealed = pair.sealed(2_000).map(|_| ());
            assert_eq!(sealed, verdict(issuer.contains(&interface)), "{issuer:?}");
        }
    }
}

#[test]
fn the_permissions_of_the_key_and_of_the_ceiling_both_bind_it() {
    let (read, all, other) = (r#"["demo:read"]"#, r#"["demo:*"]"#, r#"["demo:write"]"#);
    for (own, ceiling, both) in [
        (read, all, read),
        (all, read, read),
        (all, all, all),
        (read, other, "[]"),
        (other, read, "[]"),
        ("[]", all, "[]"),
        (all, "[]", "[]"),
    ] {
        let mut pair = Pair::new();
        pair.own.permissions = permissions(own);
        pair.own.expires = Expiry::At(at(10_000));
        pair.ceiling().permissions = permissions(ceiling);
        // The issuing key's own permissions say what itself may do, not what it may issue.
        pair.issuer.limits.permissions = permissions("[]");
        for verdict in [pair.stored(2_000), pair.sealed(2_000)] {
            let granted = verdict.map(|valid| valid.permissions);
            assert_eq!(granted, Ok(permissions(both)), "{own} {ceiling}");
        }
        pair.demand = Some(serde_json::from_str(r#""demo:read""#).unwrap());
        let expected = if both == "[]" { Err(Denial::PermissionDenied) } else { Ok(()) };
        assert_eq!(pair.stored(2_000).map(|_| ()), expected, "{own} {ceiling}");
        assert_eq!(pair.sealed(2_000).map(|_| ()), expected, "{own} {ceiling}");
    }
}

/// Disabling raises the issuer's generation, and enabling it again does not lower it.
#[test]
fn a_key_is_disabled_with_its_issuer_and_unknown_under_any_other_generation() {
    let states: [fn(Credential) -> Standing; 2] = [Standing::Active, Standing::Disabled];
    for (own, issuer, generation, expected) in [
        (0, 0, 4, Ok(())),
        (1, 0, 4, Err(Denial::Disabled)),
        (0, 1, 5, Err(Denial::Disabled)),
        (1, 1, 5, Err(Denial::Disabled)),
        (0, 0, 3, Err(Denial::Unknown)),
        (0, 0, 5, Err(Denial::Unknown)),
        (0, 1, 3, Err(Denial::Unknown)),
        (0, 1, 4, Err(Denial::Unknown)),
        (0, 1, 6, Err(Denial::Unknown)),
    ] {
        let mut pair = Pair::new();
        pair.own.expires = Expiry::At(at(10_000));
        (pair.own_state, pair.issuer_state) = (states[own], states[issuer]);
        pair.issuer.issuing.as_mut().unwrap().generation = SealingGeneration(generation);
        let case = (own, issuer, generation);
        assert_eq!(pair.stored(2_000).map(|_| ()), expected, "{case:?}");
        if own == 0 {
            assert_eq!(pair.sealed(2_000).map(|_| ()), expected, "{case:?}");
        }
    }
}

fn member(last: char) -> MemberId {
    MemberId::parse(&format!("Member0000{last}")).unwrap()
}

/// The members are the issuer's, and the key's own where its record names one.
#[test]
fn a_key_is_refused_while_the_account_does_not_list_a_member_who_answers_for_it() {
    let (mei, ken, ann) = (member('M'), member('K'), member('A'));
    for (own, issuer, on, is_valid) in [
        (None, None, vec![], true),
        (None, Some(mei), vec![], false),
        (None, Some(mei), vec![mei], true),
        (None, Some(mei), vec![ken], false),
        (None, Some(mei), vec![ann, ken, mei], true),
        (None, Some(ken), vec![ann, ken, mei], true),
        (None, Some(ann), vec![ann, ken, mei], true),
        (Some(ken), Some(mei), vec![ken, mei], true),
        (Some(ken), Some(mei), vec![mei], false),
        (Some(ken), Some(mei), vec![ken], false),
        // Only the ledger's order counts: another one cannot grant what a search misses.
        (None, Some(ann), vec![mei, ken, ann], false),
    ] {
        let mut pair = Pair::new();
        pair.own.expires = Expiry::At(at(10_000));
        (pair.own_member, pair.issuer.member) = (own, issuer);
        pair.state.mfa_on = on.clone();
        let expected = if is_valid { Ok(()) } else { Err(Denial::MfaOff) };
        assert_eq!(pair.stored(2_000).map(|_| ()), expected, "{own:?} {issuer:?} {on:?}");
        if own.is_none() {
            assert_eq!(pair.sealed(2_000).map(|_| ()), expected, "{issuer:?} {on:?}");
        }
    }
}

/// A key that no key issued, in each state that comes before or after.
#[test]
fn the_lack_of_mfa_comes_after_the_suspension_and_before_the_beginning() {
    let verdict = |state: fn(Credential) -> Standing, suspended: bool, is_on: bool| {
        let mut credential = Pair::new().issuer;
        credential.limits.not_before = Some(at(3_000));
        credential.member = Some(member('M'));
        let record = Record::new(Epoch::new(1), Revision(7), issuer_id(), state(credential));
        let mfa_on = if is_on { vec![member('M')] } else { Vec::new() };
        let state = AccountState { suspended, mfa_on, ..AccountState::default() };
        let known = Known { record: Some(&record), issuer: None, state: &state };
        examine(issuer_id(), known, &Pair::new().facts(), at(2_000)).map(|_| ())
    };
    assert_eq!(verdict(Standing::Disabled, true, false), Err(Denial::Disabled));
    assert_eq!(verdict(Standing::Active, true, false), Err(Denial::AccountSuspended));
    assert_eq!(verdict(Standing::Active, false, false), Err(Denial::MfaOff));
    assert_eq!(verdict(Standing::Active, false, true), Err(Denial::NotYetValid));
}

#[test]
fn a_verdict_names_the_key() {
    let mut pair = Pair::new();
    pair.own.expires = Expiry::At(at(10_000));
    let stored = pair.stored(2_000).unwrap();
    assert_eq!(stored.key, AnyKeyId::Key(key_id()));
    let sealed = pair.sealed(2_000).unwrap();
    let id = pair.claims(Issuer::Key(issuer_id())).id;
    assert_eq!(sealed.key, AnyKeyId::Sealed(id));
}

#[test]
fn a_key_of_the_service_password_follows_the_account_s_state() {
    let mut pair = Pair::new();
    pair.own.expires = Expiry::At(at(10_000));
    let claims = pair.claims(Issuer::Service);
    let issuing = Issuing { generation: GENERATION, ceiling: pair.ceiling().clone() };
    let service = ServicePassword { digest: Digest::of(b"password"), issuing };
    let state =
        AccountState { revision: Revision(5), service: Some(service), ..AccountState::default() };
    let verdict = |change: fn(&mut AccountState, SealedId), interface| {
        let mut state = state.clone();
        change(&mut state, claims.id);
        let known = Known { record: None, issuer: None, state: &state };
        let facts = Facts { interface, ..pair.facts() };
        let verified = verify_sealed(&made(&claims), known, &facts, at(2_000));
        verified.map(|_| ())
    };
    assert_eq!(verdict(|_, _| (), Interface::Http), Ok(()));
    assert_eq!(verdict(|_, _| (), Interface::Smtp), Err(Denial::InterfaceDenied));
    for generation in [3, 5] {
        let other: fn(&mut AccountState, SealedId) = match generation {
            3 => |state, _| state.service.as_mut().unwrap().issuing.generation.0 = 3,
            _ => |state, _| state.service.as_mut().unwrap().issuing.generation.0 = 5,
        };
        assert_eq!(verdict(other, Interface::Http), Err(Denial::Unknown), "{generation}");
    }
    let revoked = |state: &mut AccountState, id| {
        state.revoked_sealed.push(RevokedSealed { id, until: at(10_000) });
    };
    assert_eq!(verdict(revoked, Interface::Http), Err(Denial::Unknown));
    assert_eq!(
        verdict(|state, _| state.suspended = true, Interface::Http),
        Err(Denial::AccountSuspended)
    );
}

#[test]
fn a_request_is_within_limits_only_if_networks_and_permissions_both_allow_it() {
    for (list, held, is_within) in [
        ("[]", r#"["demo:read"]"#, true),
        (r#"["192.0.2.0/24"]"#, r#"["demo:read"]"#, false),
        ("[]", r#"["demo:write"]"#, false),
    ] {
        let mut pair = Pair::new();
        pair.demand = Some(serde_json::from_str(r#""demo:read""#).unwrap());
        let found = pair.facts().are_within(&networks(list), &permissions(held));
        assert_eq!(found, is_within, "{list} {held}");
    }
}

/// C19: the account's list applies on top of the limits of a key and its issuer.
#[test]
fn c19_the_networks_of_the_account_bind_every_key_by_its_interface() {
    let lists = |json: &str| Some(serde_json::from_str::<AccountNetworks>(json).unwrap());
    let office = r#"{"protected_api":["10.0.0.0/8","2001:db8::/32"]}"#;
    let denied = Err(Denial::NetworkDenied);
    for (opened, address, interface, expected) in [
        (None, "10.0.0.1", Interface::Http, Ok(())),
        (None, "", Interface::Smtp, Ok(())),
        (lists(office), "10.0.0.1", Interface::Http, Ok(())),
        (lists(office), "::ffff:10.0.0.1", Interface::Http, Ok(())),
        (lists(office), "2001:db8::7", Interface::Http, Ok(())),
        (lists(office), "11.0.0.1", Interface::Http, denied),
        (lists(office), "", Interface::Http, denied),
        (lists(office), "10.0.0.1", Interface::Smtp, denied),
        (lists(r#"{"smtp":["10.0.0.1"]}"#), "10.0.0.1", Interface::Smtp, Ok(())),
        (lists(r#"{"smtp":["10.0.0.1"]}"#), "10.0.0.1", Interface::Http, denied),
        (lists("{}"), "10.0.0.1", Interface::Http, denied),
    ] {
        let mut pair = Pair::new();
        pair.own.expires = Expiry::At(at(10_000));
        (pair.state.networks, pair.address, pair.interface) = (opened.clone(), address, interface);
        assert_eq!(pair.stored(2_000).map(|_| ()), expected, "{opened:?} {address}");
        assert_eq!(pair.sealed(2_000).map(|_| ()), expected, "{opened:?} {address}");
        // The key's own limits still bind it.
        pair.own.networks = networks(r#"["192.0.2.0/24"]"#);
        assert_eq!(pair.stored(2_000).map(|_| ()), denied, "{opened:?} {address}");
    }
    // The refusal has the place of any other about networks.
    let mut pair = Pair::new();
    (pair.state.networks, pair.own.interfaces) = (lists("{}"), Vec::new());
    assert_eq!(pair.stored(2_000).map(|_| ()), denied);
    pair.own.expires = Expiry::At(at(2_000));
    assert_eq!(pair.stored(2_000).map(|_| ()), Err(Denial::Expired));
}
