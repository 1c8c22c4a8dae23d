use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::base::id::KeyId;
use crate::credential::issuer::SealingGeneration;
use crate::testing::{at, clv, edge_keys, key_id, keyring, newest_generation};

const ISSUED: i64 = 1_795_311_060_000;

/// Returns a keyring that has the sealing generation of these tests with additional `members`,
/// behind a newer one.
fn later(members: &str) -> Keyring {
    let newer = edge_keys(&[("c", "")]);
    let json = format!("{},{}]", newer.trim_end_matches(']'), newest_generation(members));
    Keyring::parse(&json).unwrap()
}

pub(crate) fn claims() -> Claims {
    Claims {
        id: SealedId::parse("a1B2c3D4Qx0mT7rWz5000003CRiZjE0t8ez").unwrap(),
        issuer: Issuer::Key(key_id()),
        issued_at: at(ISSUED),
        expires_at: at(ISSUED + 30_000),
        networks: serde_json::from_str(r#"["203.0.113.7"]"#).unwrap(),
        permissions: serde_json::from_str(r#"["demo:read"]"#).unwrap(),
        is_token: false,
    }
}

fn sealed(claims: &Claims) -> String {
    NewSealed::seal(claims, &clv(), &keyring()).unwrap().expose().to_owned()
}

fn made(text: &str) -> Option<MadeSealed> {
    SealedText::parse(text, &clv()).ok()?.authenticate(&clv(), &keyring(), at(ISSUED))
}

/// Makes a payload of any JSON text, with a matching MAC and checksum.
fn forged(json: &str) -> String {
    let payload = Base64UrlUnpadded::encode_string(json.as_bytes());
    let mac =
        Base64UrlUnpadded::encode_string(&mac(keyring().newest().sealing_key(), &clv(), &payload));
    mended(&format!("clvs_{payload}.{mac}000000"))
}

/// Replaces the checksum of a text by the right one.
fn mended(text: &str) -> String {
    let covered = &text[5..text.len() - CRC_WIDTH];
    let crc = checksum(covered.as_bytes());
    format!("clvs_{covered}{}", core::str::from_utf8(&crc).unwrap())
}

fn json(claims: &Claims) -> String {
    serde_json::to_string(&Payload { v: VERSION, claims }).unwrap()
}

#[test]
fn the_worked_example_holds() {
    let id = claims().id.to_string();
    let [account, number, generation, tag] = [&id[..8], &id[8..18], &id[18..24], &id[24..]];
    let id = format!("id      {account} {number} {generation} {tag}");
    let shown = format!("{id}\npayload {}\nsealed  {}\n", json(&claims()), sealed(&claims()));
    assert_eq!(shown, include_str!("../../../../tests/vectors/sealed-example.txt"));
    let service = Claims { issuer: Issuer::Service, ..claims() };
    assert!(json(&service).contains(r#""by":"service""#));
}

#[test]
fn what_was_sealed_reads_back() {
    for claims in
        [claims(), Claims { issuer: Issuer::Service, networks: Networks::anywhere(), ..claims() }]
    {
        let text = sealed(&claims);
        assert_eq!(made(&text).unwrap().claims(), &claims);
        assert_eq!(made(&text).unwrap().account(), claims.id.account());
    }
}

#[test]
fn one_bit_changed_anywhere_is_never_a_sealed_key() {
    let text = sealed(&claims());
    for place in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(SealedText::parse(&changed, &clv()).is_err(), "{place} {bit}: {changed}");
        }
    }
}

#[test]
fn with_the_checksum_mended_the_mac_still_refuses() {
    let text = sealed(&claims());
    for place in 5..text.len() - CRC_WIDTH {
        for other in ["A", "z", "_"] {
            let mut changed = text.clone();
            changed.replace_range(place..=place, other);
            if changed != text {
                assert!(made(&mended(&changed)).is_none(), "{place}: {changed}");
            }
        }
    }
}

#[test]
fn spare_bits_of_the_mac_must_be_zero() {
    let text = sealed(&claims());
    let last = text.len() - CRC_WIDTH - 1;
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = alphabet.find(&text[last..=last]).unwrap();
    for spare in 1..4 {
        let mut changed = text.clone();
        changed.replace_range(last..=last, &alphabet[digit + spare..=digit + spare]);
        assert_eq!(
            SealedText::parse(&mended(&changed), &clv()).unwrap_err(),
            MalformedSealedKey::Form
        );
    }
}

#[test]
fn every_form_of_malformed_is_told_by_name() {
    let text = sealed(&claims());
    for (bad, expected) in [
        (String::new(), MalformedSealedKey::Prefix),
        ("clvs".into(), MalformedSealedKey::Prefix),
        (text.replacen("clvs_", "clv_", 1), MalformedSealedKey::Prefix),
        (text.replacen("clvs_", "abcs_", 1), MalformedSealedKey::Prefix),
        (format!(" {text}"), MalformedSealedKey::Prefix),
        (format!("clvs_{}", "A".repeat(SEALED_BYTES_MAX)), MalformedSealedKey::TooLong),
        ("clvs_".into(), MalformedSealedKey::Form),
        (format!("clvs_.{}", "A".repeat(49)), MalformedSealedKey::Form),
        (text.replacen('.', "", 1), MalformedSealedKey::Form),
        (text.replacen('.', "..", 1), MalformedSealedKey::Form),
        (text.replacen('.', "=.", 1), MalformedSealedKey::Form),
        (text[..text.len() - 1].into(), MalformedSealedKey::Form),
        (format!("{text}\n"), MalformedSealedKey::Form),
        (format!("clvs_é.{}", "A".repeat(49)), MalformedSealedKey::Form),
        (format!("clvs_AAAA.{}000000", "A".repeat(43)), MalformedSealedKey::Checksum),
    ] {
        assert_eq!(SealedText::parse(&bad, &clv()).unwrap_err(), expected, "{bad}");
    }
}

#[test]
fn a_sealed_key_cut_anywhere_is_none() {
    let text = sealed(&claims());
    for end in 0..text.len() {
        assert!(SealedText::parse(&text[..end], &clv()).is_err(), "{end}");
    }
}

#[test]
fn a_sealed_key_of_another_prefix_is_none_of_ours_even_with_a_new_front() {
    let foreign = NewSealed::seal(&claims(), &Prefix::parse("abc").unwrap(), &keyring()).unwrap();
    assert_eq!(
        SealedText::parse(foreign.expose(), &clv()).unwrap_err(),
        MalformedSealedKey::Prefix
    );
    assert!(made(&foreign.expose().replacen("abc", "clv", 1)).is_none());
}

#[test]
fn a_retired_generation_is_believed_for_a_day_and_a_compromised_one_not_at_all() {
    let text = sealed(&claims());
    let day = 24 * 60 * 60 * 1_000;
    let retired = &format!(r#","retired_at_ms":{ISSUED}"#);
    for (members, now, expected) in [
        ("", ISSUED + 9 * day, true),
        (retired, ISSUED, true),
        (retired, ISSUED + day - 1, true),
        (retired, ISSUED + day, false),
        (r#","compromised":true"#, ISSUED, false),
    ] {
        let text = SealedText::parse(&text, &clv()).unwrap();
        let found = text.authenticate(&clv(), &later(members), at(now)).is_some();
        assert_eq!(found, expected, "{members} {now}");
    }
}

#[test]
fn claims_that_do_not_fit_are_not_sealed() {
    let networks = |count: usize| {
        let list: Vec<_> =
            (0..count).map(|n| format!("2001:db8:1111:2222:3333:4444:5555:{n:x}")).collect();
        serde_json::from_value(list.into()).unwrap()
    };
    let permissions = |count: usize| {
        let list: Vec<_> = (0..count).map(|n| format!("{}:{}", "r".repeat(30), 100 + n)).collect();
        serde_json::from_value(list.into()).unwrap()
    };
    let seals = |change: &dyn Fn(&mut Claims)| {
        let mut claims = claims();
        change(&mut claims);
        NewSealed::seal(&claims, &clv(), &keyring()).map(|new| new.expose().len())
    };
    let day = 24 * 60 * 60 * 1_000;
    assert!(seals(&|claims| claims.networks = networks(16)).is_some_and(|length| length < 1_200));
    assert!(seals(&|claims| claims.networks = networks(17)).is_none());
    assert!(seals(&|claims| claims.permissions = permissions(20)).is_some());
    assert!(seals(&|claims| claims.permissions = permissions(64)).is_none(), "more than 2 KB");
    assert!(seals(&|claims| claims.expires_at = at(ISSUED + day)).is_some());
    assert!(seals(&|claims| claims.expires_at = at(ISSUED + day + 1)).is_none());
    assert!(seals(&|claims| claims.expires_at = at(ISSUED)).is_none());
    assert!(
        seals(&|claims| {
            claims.permissions = serde_json::from_str(r#"["claviger:verify"]"#).unwrap();
        })
        .is_none()
    );
    assert!(
        seals(&|claims| claims.issuer = Issuer::Key(KeyId::parse("zzzzzzzz7Hq0p2Zx9K").unwrap()))
            .is_none()
    );
}

/// With this prefix, a payload of 1,494 bytes makes a key of exactly 2,048.
#[test]
fn a_sealed_key_has_at_most_2048_bytes() {
    let prefix = Prefix::parse("clav").unwrap();
    for (width, expected) in [(1, Some(2_046)), (3, Some(2_048)), (4, None)] {
        let wide = (100..136).map(|n| format!("{}:{n}", "r".repeat(30)));
        let grants: Vec<_> = wide.chain([format!("{}:x", "s".repeat(width))]).collect();
        let permissions = Permissions::parse(grants.iter().map(String::as_str)).unwrap();
        let claims = Claims { permissions, ..claims() };
        assert_eq!(json(&claims).len(), 1_491 + width);
        let new = NewSealed::seal(&claims, &prefix, &keyring());
        assert_eq!(new.as_ref().map(|new| new.expose().len()), expected);
        if let Some(new) = new {
            let text = SealedText::parse(new.expose(), &prefix).unwrap();
            assert!(text.authenticate(&prefix, &keyring(), at(ISSUED)).is_some());
        }
    }
}

/// Even with a right MAC, which only Claviger can make, a payload must re-serialise to the same
/// bytes.
#[test]
fn a_payload_in_any_other_bytes_is_refused() {
    let right = json(&claims());
    assert!(made(&forged(&right)).is_some());
    for bad in [
        String::new(),
        "null".into(),
        format!(" {right}"),
        right.replacen("\"v\":1", "\"v\":2", 1),
        right.replacen("{\"v\":1,", "{", 1),
        right.replacen("\"iat\":", "\"iat\": ", 1),
        right.replacen("1795311060000", "1795311060000.0", 1),
        right.replacen("1795311060000", "1795311060000,\"x\":1", 1),
        right.replacen("a1B2c3D4Qx0mT7rWz5000003CRiZjE0t8ez", "a1B2c3D4Qx0mT7rWz5", 1),
        right.replacen("203.0.113.7", "203.0.113.7/32", 1),
        right.replacen("demo:read", "claviger:verify", 1),
        right.replacen("\"by\":{\"key\":\"a1B2c3D4", "\"by\":{\"key\":\"zzzzzzzz", 1),
        right.replacen("1795311090000", "1795397460001", 1),
    ] {
        assert_ne!(bad, right);
        assert!(made(&forged(&bad)).is_none(), "{bad}");
    }
}

#[test]
fn neither_text_nor_new_shows_itself() {
    let new = NewSealed::seal(&claims(), &clv(), &keyring()).unwrap();
    assert_eq!(format!("{new:?}"), "NewSealed(a1B2c3D4Qx0mT7rWz5000003CRiZjE0t8ez…)");
    assert_eq!(format!("{:?}", SealedText::parse(new.expose(), &clv()).unwrap()), "SealedText(…)");
}

/// Returns the IDs of the worked example and of the service password's key with the same number.
/// Both were computed without this code.
fn ids() -> [(&'static str, Issuer); 2] {
    [
        ("a1B2c3D4Qx0mT7rWz5000003CRiZjE0t8ez", claims().issuer),
        ("a1B2c3D4Qx0mT7rWz50000037UmICSnbFbL", Issuer::Service),
    ]
}

fn is_made(id: &str, issuer: Issuer) -> bool {
    SealedId::parse(id).is_some_and(|id| id.is_made(issuer, &clv(), &keyring(), at(ISSUED)))
}

#[test]
fn an_id_is_made_by_its_issuer_and_by_no_other() {
    let [(of_key, key), (of_service, service)] = ids();
    for (id, issuer, expected) in [
        (of_key, key, true),
        (of_service, service, true),
        (of_key, service, false),
        (of_service, key, false),
        (of_key, Issuer::Key(KeyId::parse("a1B2c3D47Hq0p2Zx9L").unwrap()), false),
    ] {
        assert_eq!(is_made(id, issuer), expected, "{id} {issuer:?}");
    }
    let id = SealedId::parse(of_key).unwrap();
    assert_eq!(
        (id.account().to_string().as_str(), id.generation()),
        ("a1B2c3D4", SealingGeneration(3))
    );
    assert!(!id.is_made(key, &Prefix::parse("abc").unwrap(), &keyring(), at(ISSUED)));
}

#[test]
fn an_id_with_any_digit_changed_is_not_made() {
    for (id, issuer) in ids() {
        for place in 0..id.len() {
            for other in ["0", "9", "A", "z"] {
                let mut changed = id.to_owned();
                changed.replace_range(place..=place, other);
                assert!(changed == id || !is_made(&changed, issuer), "{changed}");
            }
        }
    }
    for bad in [
        "",
        "a1B2c3D4Qx0mT7rWz5",
        "a1B2c3D4Qx0mT7rWz5000003CRiZjE0t8e",
        "a1B2c3D4Qx0mT7rWz5000003CRiZjE0t8e_",
    ] {
        assert!(SealedId::parse(bad).is_none(), "{bad}");
    }
}

/// An ID counts only as long as its key may live. Beyond that, it would only take up room.
#[test]
fn an_id_s_tag_is_believed_as_its_key_s_mac_is() {
    let day = 24 * 60 * 60 * 1_000;
    let retired = &format!(r#","retired_at_ms":{ISSUED}"#);
    for (members, now, expected) in [
        ("", ISSUED + 9 * day, true),
        (retired, ISSUED + day - 1, true),
        (retired, ISSUED + day, false),
        (r#","compromised":true"#, ISSUED, false),
    ] {
        for (id, issuer) in ids() {
            let id = SealedId::parse(id).unwrap();
            assert_eq!(
                id.is_made(issuer, &clv(), &later(members), at(now)),
                expected,
                "{members} {now}"
            );
        }
    }
}

#[test]
fn what_is_drawn_is_made_and_tells_its_generation() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let account = claims().id.account();
    for generation in [0, 1, 61, 62, u32::MAX].map(SealingGeneration) {
        for (_, issuer) in ids() {
            let draw = |rng: &mut _| {
                SealedId::draw(account, issuer, generation, (&clv(), &keyring()), rng).unwrap()
            };
            let id = draw(&mut rng);
            assert!(is_made(id.as_str(), issuer));
            assert_eq!((id.account(), id.generation()), (account, generation));
            assert_ne!(id, draw(&mut rng));
        }
    }
    // Claviger never made this ID.
    let beyond = SealedId::parse("a1B2c3D4Qx0mT7rWz5zzzzzzCRiZjE0t8ez").unwrap();
    assert_eq!(beyond.generation(), SealingGeneration(u32::MAX));
}

fn any_claims() -> impl Strategy<Value = Claims> {
    let issuer = prop_oneof![Just(Issuer::Service), Just(claims().issuer)];
    let networks = proptest::collection::btree_set(any::<std::net::Ipv4Addr>(), 0..=16);
    let permissions = proptest::collection::btree_set("[a-z]{1,9}:[a-z]{1,9}", 0..=9);
    (issuer, 0..=i64::MAX / 2, 1..=86_400_000_i64, networks, permissions).prop_filter_map(
        "reserved",
        |(issuer, issued, life, networks, permissions)| {
            let networks: Vec<_> = networks.iter().map(ToString::to_string).collect();
            let permissions = Permissions::parse(permissions.iter().map(String::as_str)).ok()?;
            Some(Claims {
                issuer,
                issued_at: at(issued),
                expires_at: at(issued + life),
                networks: Networks::from_stored(networks.iter().map(String::as_str)).ok()?,
                permissions,
                ..claims()
            })
        },
    )
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens_to_the_same(claims in any_claims()) {
        let text = sealed(&claims);
        let made = made(&text).unwrap();
        prop_assert_eq!(made.claims(), &claims);
        prop_assert_eq!(sealed(made.claims()), text);
    }

    #[test]
    fn whatever_parses_reads_back_the_same(text in "clvs_[0-9A-Za-z_.-]{50,120}|\\PC{0,100}") {
        if let Ok(parsed) = SealedText::parse(&text, &clv()) {
            let mac = Base64UrlUnpadded::encode_string(&parsed.mac);
            prop_assert_eq!(mended(&format!("clvs_{}.{mac}000000", parsed.payload)), text);
        }
    }
}
