//! Who may issue: the credentials of the issuance API, against what is known of them.

use super::*;
use crate::issuance::{Authority, Credentials, IssuerProof, Refused};
use crate::issuer::{Ceiling, Issued, Issuing, SealingGeneration, ServicePassword};
use crate::lease::call::RefreshReply;
use crate::sealed::{Claims, NewSealed};
use crate::secret::{Digest, SecretText};
use crate::time::Zone;

const GENERATION: SealingGeneration = SealingGeneration(3);

/// Where who issues is.
const CALLER: &str = "10.1.2.3";

fn issuing() -> Issuing {
    let permissions = serde_json::from_str(r#"["demo:read"]"#).unwrap();
    let networks = serde_json::from_str(r#"["10.0.0.0/8"]"#).unwrap();
    Issuing { generation: GENERATION, ceiling: Ceiling { permissions, networks, longest: None } }
}

/// An issuable key as it is after `change`, in this state.
fn issuer(world: &World, state: fn(Credential) -> Standing, change: impl FnOnce(&mut Credential)) -> Record {
    let mut record = world.record(3, |_| (), Standing::Active);
    let Standing::Active(credential) = &mut record.standing else { panic!() };
    credential.issuing = Some(issuing());
    change(credential);
    let credential = credential.clone();
    record.standing = state(credential);
    record
}

fn authorise(world: &mut World, credentials: &Credentials, address: &str) -> Result<Authority, Refused> {
    let address = ClientAddress::parse(address);
    let mut lookup = Lookup::alone();
    for _ in 0..3 {
        match world.gateway.authorise_issue(credentials, address, at(NOW), at(NOW), &lookup) {
            Authorisation::Decided(authority, _) => return *authority,
            // The ledger knows no more than the lease.
            Authorisation::Need(need) => {
                let call = world.gateway.ask(need, at(NOW));
                let reply = RefreshReply::Refreshed(Refresh { state: None, ..refresh(9) });
                world.gateway.take_refresh(&call, &reply, at(NOW), Some(&mut lookup));
            }
        }
    }
    panic!("asked again and again");
}

fn with_key(text: &str) -> Credentials {
    Credentials::Key(SecretText::new(text.into()))
}

/// What becomes of the world's key when it wants to issue: the code of the refusal, or nothing.
fn code_of(record: Record, suspended: bool, address: &str) -> String {
    let mut world = World::new();
    tell(&mut world, 2, suspended);
    world.knows(record);
    let credentials = with_key(world.key.expose());
    authorise(&mut world, &credentials, address)
        .map_or_else(|refused| refused.code().into(), |_| String::new())
}

/// Lets the lease know the account.
fn tell(world: &mut World, revision: u64, suspended: bool) {
    let state = AccountState {
        revision: Revision(revision),
        zone: Some(Zone::parse("Asia/Tokyo").unwrap()),
        service: Some(ServicePassword { digest: Digest::of(b"password"), issuing: issuing() }),
        suspended,
        ..refresh(revision).state.unwrap()
    };
    world.refresh(NOW, Refresh { state: Some(state), ..refresh(revision) });
}

#[test]
fn a24_a_key_issues_while_it_could_be_used_itself_and_its_ceiling_comes_along() {
    let mut world = World::new();
    let end = Expiry::At(at(NOW + 60_000));
    let record = issuer(&world, Standing::Active, |credential| {
        credential.limits.networks = serde_json::from_str(r#"["10.0.0.0/8"]"#).unwrap();
        credential.limits.expires = end;
    });
    tell(&mut world, 2, false);
    world.knows(record);
    let credentials = with_key(world.key.expose());
    let found = authorise(&mut world, &credentials, CALLER).unwrap();
    let digest = world.key.digest();
    assert_eq!(found.proof, IssuerProof { issuer: Issuer::Key(world.key.id()), digest });
    assert_eq!((found.account, found.issuing, found.expires), (world.key.id().account(), issuing(), end));
    assert_eq!(found.zone.name(), "Asia/Tokyo");
}

#[test]
fn a22_a24_who_may_not_issue_is_told_why() {
    let world = World::new();
    let key = |change: fn(&mut Credential)| issuer(&world, Standing::Active, change);
    for (record, suspended, expected) in [
        (key(|_| ()), false, ""),
        (key(|credential| credential.issuing = None), false, "not_issuable"),
        // Even one that had got a ceiling.
        (
            key(|credential| {
                credential.issued =
                    Some(Issued { by: Issuer::Service, generation: GENERATION, at: at(NOW - 60_000) });
            }),
            false,
            "issued_key",
        ),
        (key(|credential| credential.limits.expires = Expiry::At(at(NOW))), false, "expired"),
        (key(|credential| credential.limits.not_before = Some(at(NOW + 1))), false, "not_yet_valid"),
        (
            key(|credential| {
                credential.limits.networks = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
            }),
            false,
            "network_denied",
        ),
        (key(|credential| credential.limits.interfaces = vec![Interface::Smtp]), false, "interface_denied"),
        (key(|credential| credential.digest = Digest::of(b"another")), false, "unknown"),
        (key(|_| ()), true, "account_suspended"),
        (issuer(&world, Standing::Disabled, |_| ()), false, "disabled"),
        (issuer(&world, |_| Standing::Deleted, |_| ()), false, "unknown"),
    ] {
        assert_eq!(code_of(record, suspended, CALLER), expected);
    }
    let limited = key(|credential| {
        credential.limits.networks = serde_json::from_str(r#"["10.0.0.0/8"]"#).unwrap();
    });
    assert_eq!(code_of(limited, false, "no address"), "network_denied");
}

#[test]
fn a23_the_service_password_issues_unless_it_is_another_or_the_account_is_suspended() {
    let mut world = World::new();
    let account = world.key.id().account();
    let of = |password: &[u8]| Credentials::Service { account, digest: Digest::of(password) };
    tell(&mut world, 2, false);
    let found = authorise(&mut world, &of(b"password"), CALLER).unwrap();
    let proof = IssuerProof { issuer: Issuer::Service, digest: Digest::of(b"password") };
    assert_eq!((found.proof, found.issuing, found.expires), (proof, issuing(), Expiry::Never));
    assert_eq!(found.zone.name(), "Asia/Tokyo");
    let code = |world: &mut World, password| authorise(world, &of(password), CALLER).unwrap_err().code();
    assert_eq!(code(&mut world, b"another"), "unknown");
    tell(&mut world, 3, true);
    assert_eq!(code(&mut world, b"password"), "account_suspended");
    assert_eq!(code(&mut world, b"another"), "unknown", "who knows no password is told nothing");
}

#[test]
fn a22_a_sealed_key_issues_nothing_and_is_told_first_when_it_could_not_even_be_used() {
    let mut world = World::new();
    tell(&mut world, 2, false);
    let sealed = |expires_at: i64, generation| {
        let claims = Claims {
            id: KeyId::random(world.key.id().account(), &mut ChaCha20Rng::seed_from_u64(5)),
            issuer: Issuer::Service,
            generation,
            issued_at: at(NOW - 60_000),
            expires_at: at(expires_at),
            networks: serde_json::from_str("[]").unwrap(),
            permissions: serde_json::from_str(r#"["demo:read"]"#).unwrap(),
        };
        let config = config();
        with_key(NewSealed::seal(&claims, &config.prefix, &config.ring).unwrap().expose())
    };
    for (credentials, expected) in [
        (sealed(NOW + 1, GENERATION), "issued_key"),
        (sealed(NOW, GENERATION), "expired"),
        (sealed(NOW + 1, SealingGeneration(2)), "unknown"),
    ] {
        assert_eq!(authorise(&mut world, &credentials, CALLER).unwrap_err().code(), expected);
    }
}

#[test]
fn a_key_that_issues_counts_as_used_and_a_made_up_one_is_refused_by_its_text() {
    let mut world = World::new();
    let record = issuer(&world, Standing::Active, |_| ());
    world.knows(record);
    let credentials = with_key(world.key.expose());
    authorise(&mut world, &credentials, CALLER).unwrap();
    let call = world.gateway.renew(world.key.id().account(), at(NOW));
    let usage = call.request().usage.clone().unwrap();
    assert_eq!(usage.uses.iter().map(|one| (one.id, one.count)).collect::<Vec<_>>(), [(world.key.id(), 1)]);

    let check = |world: &World, headers: &str| {
        let (url, headers) = (Url::parse(API).unwrap(), Headers::new(headers));
        let request = Request { method: "POST", url, headers, arrived: at(NOW) };
        world.gateway.check_issuer(&request).map_err(|refused| refused.code())
    };
    let text = world.key.expose().to_owned();
    let made_up = format!("{}{}", &text[..text.len() - 1], if text.ends_with('0') { '1' } else { '0' });
    assert_eq!(check(&world, ""), Ok(()));
    assert_eq!(check(&world, &format!("authorization\nBearer {text}")), Ok(()));
    assert_eq!(check(&world, &format!("authorization\nBearer {made_up}")), Err("malformed"));
    assert_eq!(check(&world, &format!("authorization\nBearer {text}, {text}")), Err("ambiguous_credential"));
}
