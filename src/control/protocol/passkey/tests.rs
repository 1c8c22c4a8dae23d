use base64ct::{Base64UrlUnpadded, Encoding};
use claviger_core::base::id::{AccountId, MemberId};
use claviger_core::testing::clv;
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::json;

use super::*;
use crate::protocol::master::tests::master;

const NOW: UnixMs = UnixMs::from_ms(1_800_000_000_000);
const ORIGIN: &str = "https://keys.example.com";
const HOST: &str = "keys.example.com";
const CREDENTIAL: [u8; 16] = [7; 16];

/// Flags of a person who was verified, without and with a new credential.
const UV: u8 = 0b0000_0101;
const UV_AT: u8 = 0b0100_0101;

fn session() -> TokenId {
    TokenId::parse("0123456789").unwrap()
}

fn mei() -> Membership {
    Membership {
        account: AccountId::parse("a1B2c3D4").unwrap(),
        member: MemberId::parse("0123456789A").unwrap(),
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn at(ceremony: Ceremony, now: UnixMs, master: &MasterSecrets) -> CeremonyDesk<'_> {
    static PREFIX: std::sync::OnceLock<Prefix> = std::sync::OnceLock::new();
    let prefix = PREFIX.get_or_init(clv);
    CeremonyDesk { ceremony, origin: ORIGIN, relying_party: HOST, prefix, master, now }
}

fn challenge(ceremony: Ceremony) -> Vec<u8> {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    ceremony.draw(NOW, &clv(), &master(), &mut rng).into_bytes()
}

fn client_data(act: &str, challenge: &[u8], origin: &str) -> Vec<u8> {
    let challenge = Base64UrlUnpadded::encode_string(challenge);
    json!({ "type": act, "challenge": challenge, "origin": origin, "crossOrigin": false })
        .to_string()
        .into_bytes()
}

fn authenticator_data(host: &str, flags: u8, counter: u32, rest: &[u8]) -> Vec<u8> {
    let hash = Sha256::digest(host.as_bytes());
    [hash.as_slice(), &[flags], &counter.to_be_bytes(), rest].concat()
}

/// A COSE key with these members, each of them encoded.
fn cose(members: &[&[u8]]) -> Vec<u8> {
    let count = 0xa0 | u8::try_from(members.len()).unwrap();
    [[count].as_slice(), &members.concat()].concat()
}

fn point(key: &SigningKey) -> (Vec<u8>, Vec<u8>) {
    let point = key.verifying_key().to_sec1_point(false);
    let bytes = point.as_bytes();
    (bytes[1..33].to_vec(), bytes[33..].to_vec())
}

fn cose_key(key: &SigningKey) -> Vec<u8> {
    let (x, y) = point(key);
    let (x, y) =
        ([&[0x21, 0x58, 32], x.as_slice()].concat(), [&[0x22, 0x58, 32], y.as_slice()].concat());
    cose(&[&[0x01, 0x02], &[0x03, 0x26], &[0x20, 0x01], &x, &y])
}

fn attested(id: &[u8], cose_key: &[u8]) -> Vec<u8> {
    let length = u16::try_from(id.len()).unwrap().to_be_bytes();
    [[0; 16].as_slice(), &length, id, cose_key].concat()
}

fn cbor_bytes(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let head = match bytes.len() {
        0..=23 => vec![0x40 | u8::try_from(length).unwrap()],
        24..=255 => vec![0x58, u8::try_from(length).unwrap()],
        _ => [[0x59].as_slice(), &length.to_be_bytes()].concat(),
    };
    [head, bytes.to_vec()].concat()
}

fn attestation(data: &[u8]) -> Vec<u8> {
    let parts: [&[u8]; 5] =
        [b"\xa3\x63fmt\x64none", b"\x67attStmt\xa0", b"\x68authData", &cbor_bytes(data), b""];
    parts.concat()
}

fn registration(data: &[u8]) -> RegistrationForm {
    let challenge = challenge(Ceremony::Register(session()));
    RegistrationForm {
        client_data: BinaryText::new(client_data("webauthn.create", &challenge, ORIGIN)),
        attestation_object: BinaryText::new(attestation(data)),
        transports: vec!["internal".into(), "telepathy".into(), "hybrid".into()],
    }
}

fn good_data() -> Vec<u8> {
    authenticator_data(HOST, UV_AT, 3, &attested(&CREDENTIAL, &cose_key(&key(1))))
}

fn register(form: &RegistrationForm) -> Result<NewPasskey, PasskeyError> {
    let (master, id) = (master(), TokenId::parse("9876543210").unwrap());
    at(Ceremony::Register(session()), NOW, &master).register(form, id, "Phone".into())
}

fn assertion(key: &SigningKey, data: &[u8], client_data: Vec<u8>) -> AssertionForm {
    let signed = [data, Sha256::digest(&client_data).as_slice()].concat();
    let signature: Signature = key.sign_prehash(&Sha256::digest(signed)).unwrap();
    AssertionForm {
        credential_id: BinaryText::new(CREDENTIAL.to_vec()),
        client_data: BinaryText::new(client_data),
        authenticator_data: BinaryText::new(data.to_vec()),
        signature: BinaryText::new(signature.to_der().as_bytes().to_vec()),
        user_handle: Some(BinaryText::new(handle::draw_handle(mei(), &clv(), &master()))),
    }
}

fn sign_in(counter: u32) -> AssertionForm {
    let client_data = client_data("webauthn.get", &challenge(Ceremony::SignIn), ORIGIN);
    assertion(&key(1), &authenticator_data(HOST, UV, counter, &[]), client_data)
}

fn present(form: &AssertionForm) -> Result<PresentedPasskey, PasskeyError> {
    let master = master();
    let (presented, member) = at(Ceremony::SignIn, NOW, &master).present_alone(form)?;
    assert_eq!(member, mei());
    Ok(presented)
}

#[test]
fn a_registration_is_read_whole() {
    let made = register(&registration(&good_data())).unwrap();
    assert_eq!(made.credential.as_bytes(), CREDENTIAL);
    let (x, y) = point(&key(1));
    assert_eq!(made.public_key.as_bytes(), [vec![4], x, y].concat());
    assert_eq!((made.counter, made.backup_eligible, made.backed_up), (3, false, false));
    assert_eq!(made.transports, ["hybrid", "internal"]);
    assert_eq!(made.challenge.until.as_ms(), NOW.as_ms() + 420_000);
    // A synced passkey, with an extension.
    let rest = [attested(&[1; 1_023], &cose_key(&key(2))), b"\xa1\x63abc\xf5".into()].concat();
    let synced = authenticator_data(HOST, 0b1101_1101, 0, &rest);
    let made = register(&registration(&synced)).unwrap();
    assert_eq!((made.counter, made.backup_eligible, made.backed_up), (0, true, true));
}

#[test]
fn a_statement_is_passed_over_and_the_order_of_members_is_free() {
    let data = cbor_bytes(&good_data());
    let parts: [&[u8]; 3] = [
        b"\xa3\x68authData",
        &data,
        b"\x67attStmt\xa2\x63alg\x26\x63sig\x42\x01\x02\x63fmt\x66packed",
    ];
    let form = RegistrationForm {
        attestation_object: BinaryText::new(parts.concat()),
        ..registration(&good_data())
    };
    assert!(register(&form).is_ok());
}

#[test]
fn each_broken_registration_is_refused_by_name() {
    let good = || attested(&CREDENTIAL, &cose_key(&key(1)));
    let with_key =
        |cose_key: &[u8]| authenticator_data(HOST, UV_AT, 0, &attested(&CREDENTIAL, cose_key));
    let (x, y) = point(&key(1));
    let x_label = [&[0x21, 0x58, 32], x.as_slice()].concat();
    let y_label = [&[0x22, 0x58, 32], y.as_slice()].concat();
    let with = |head: &[&[u8]]| with_key(&cose(&[head, &[&x_label, &y_label]].concat()));
    let (kind, es256, p256): (&[u8], &[u8], &[u8]) = (&[1, 2], &[3, 0x26], &[0x20, 1]);
    let off_curve = [&[0x22, 0x58, 32], [9; 32].as_slice()].concat();
    let cases: Vec<(&str, Vec<u8>, PasskeyError)> = vec![
        ("empty", vec![], PasskeyError::AuthenticatorData),
        (
            "another host",
            authenticator_data("evil.example", UV_AT, 0, &good()),
            PasskeyError::RelyingParty,
        ),
        (
            "a part of the host",
            authenticator_data("example.com", UV_AT, 0, &good()),
            PasskeyError::RelyingParty,
        ),
        (
            "not verified",
            authenticator_data(HOST, 0b0100_0001, 0, &good()),
            PasskeyError::NotVerified,
        ),
        (
            "not present",
            authenticator_data(HOST, 0b0100_0100, 0, &good()),
            PasskeyError::NotVerified,
        ),
        (
            "copied, but not to be",
            authenticator_data(HOST, 0b0101_0101, 0, &good()),
            PasskeyError::AuthenticatorData,
        ),
        ("no credential", authenticator_data(HOST, UV, 0, &[]), PasskeyError::AuthenticatorData),
        (
            "credential without its flag",
            authenticator_data(HOST, UV, 0, &good()),
            PasskeyError::AuthenticatorData,
        ),
        ("trailing byte", [good_data(), vec![0]].concat(), PasskeyError::AuthenticatorData),
        (
            "extensions that are none",
            authenticator_data(HOST, UV_AT | 0x80, 0, &[good(), vec![0x01]].concat()),
            PasskeyError::AuthenticatorData,
        ),
        (
            "no extensions",
            authenticator_data(HOST, UV_AT | 0x80, 0, &good()),
            PasskeyError::AuthenticatorData,
        ),
        (
            "bytes after extensions",
            authenticator_data(HOST, UV_AT | 0x80, 0, &[good(), vec![0xa0, 0]].concat()),
            PasskeyError::AuthenticatorData,
        ),
        (
            "no ID",
            authenticator_data(HOST, UV_AT, 0, &attested(&[], &cose_key(&key(1)))),
            PasskeyError::AuthenticatorData,
        ),
        (
            "a giant ID",
            authenticator_data(HOST, UV_AT, 0, &attested(&[1; 1_024], &cose_key(&key(1)))),
            PasskeyError::AuthenticatorData,
        ),
        (
            "RS256",
            with_key(&cose(&[&[1, 3], &[3, 0x39, 1, 0], &[0x20, 0x41, 1], &[0x21, 0x43, 1, 0, 1]])),
            PasskeyError::Algorithm,
        ),
        (
            "EdDSA",
            with_key(&cose(&[&[1, 1], &[3, 0x27], &[0x20, 6], &x_label])),
            PasskeyError::Algorithm,
        ),
        ("ES384", with(&[kind, &[3, 0x38, 0x22], &[0x20, 2]]), PasskeyError::Algorithm),
        ("unknown algorithm", with(&[kind, &[3, 0x38, 0xff], p256]), PasskeyError::Algorithm),
        ("another curve", with(&[kind, es256, &[0x20, 2]]), PasskeyError::Algorithm),
        ("another kind", with(&[&[1, 1], es256, p256]), PasskeyError::Algorithm),
        ("no algorithm", with(&[kind, p256]), PasskeyError::Algorithm),
        ("no curve", with(&[kind, es256]), PasskeyError::Algorithm),
        (
            "a private key",
            with(&[kind, es256, p256, &[0x23, 0x41, 1]]),
            PasskeyError::AuthenticatorData,
        ),
        ("a repeated member", with(&[kind, kind, es256, p256]), PasskeyError::AuthenticatorData),
        (
            "a point off the curve",
            with_key(&cose(&[kind, es256, p256, &x_label, &off_curve])),
            PasskeyError::AuthenticatorData,
        ),
        ("no y", with_key(&cose(&[kind, es256, p256, &x_label])), PasskeyError::AuthenticatorData),
        (
            "y by its sign",
            with_key(&cose(&[kind, es256, p256, &x_label, &[0x22, 0xf5]])),
            PasskeyError::AuthenticatorData,
        ),
        (
            "a short x",
            with_key(&cose(&[kind, es256, p256, &[0x21, 0x41, 1], &y_label])),
            PasskeyError::AuthenticatorData,
        ),
    ];
    for (name, data, expected) in cases {
        assert_eq!(register(&registration(&data)), Err(expected), "{name}");
    }
    for end in 0..good_data().len() {
        assert!(register(&registration(&good_data()[..end])).is_err(), "{end}");
    }
}

#[test]
fn a_broken_attestation_object_is_none() {
    let whole = attestation(&good_data());
    let read = |bytes: Vec<u8>| {
        let attestation_object = BinaryText::new(bytes);
        register(&RegistrationForm { attestation_object, ..registration(&good_data()) })
    };
    assert!(read(whole.clone()).is_ok());
    for end in 0..whole.len() {
        assert_eq!(read(whole[..end].to_vec()), Err(PasskeyError::Attestation), "{end}");
    }
    let data = cbor_bytes(&good_data());
    let of = |parts: &[&[u8]]| parts.concat();
    for bad in [
        [whole.as_slice(), &[0]].concat(),
        of(&[b"\xa4\x63fmt\x64none\x67attStmt\xa0\x68authData", &data, b"\x61x\x01"]),
        of(&[b"\xa4\x63fmt\x64none\x63fmt\x64none\x67attStmt\xa0\x68authData", &data]),
        of(&[b"\xa2\x67attStmt\xa0\x68authData", &data]),
        of(&[b"\xa3\x63fmt\x64none\x67attStmt\x01\x68authData", &data]),
        of(&[b"\xbf\x63fmt\x64none\x67attStmt\xa0\x68authData", &data, b"\xff"]),
        of(&[b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x63fmt\x64none", &data]),
        vec![0x81; 30_000],
        [whole.as_slice(), &vec![0; 40_000]].concat(),
    ] {
        assert_eq!(read(bad.clone()), Err(PasskeyError::Attestation), "{bad:x?}");
    }
}

#[test]
fn client_data_of_another_act_page_or_challenge_are_refused() {
    let right = challenge(Ceremony::SignIn);
    let other = challenge(Ceremony::StepUp(session()));
    let json = |act: &str, challenge: &[u8], origin: &str| client_data(act, challenge, origin);
    let framed = String::from_utf8(json("webauthn.get", &right, ORIGIN)).unwrap();
    let framed = framed.replace("\"crossOrigin\":false", "\"crossOrigin\":true").into_bytes();
    for (name, client_data, expected) in [
        ("a registration", json("webauthn.create", &right, ORIGIN), PasskeyError::WrongAct),
        ("another act", json("payment.get", &right, ORIGIN), PasskeyError::WrongAct),
        (
            "another site",
            json("webauthn.get", &right, "https://evil.example"),
            PasskeyError::Origin,
        ),
        (
            "without TLS",
            json("webauthn.get", &right, "http://keys.example.com"),
            PasskeyError::Origin,
        ),
        (
            "another port",
            json("webauthn.get", &right, "https://keys.example.com:444"),
            PasskeyError::Origin,
        ),
        (
            "a suffix",
            json("webauthn.get", &right, "https://keys.example.com.evil.example"),
            PasskeyError::Origin,
        ),
        ("a frame", framed, PasskeyError::Origin),
        ("another purpose", json("webauthn.get", &other, ORIGIN), PasskeyError::Challenge),
        ("no challenge", json("webauthn.get", b"", ORIGIN), PasskeyError::Challenge),
        ("a made-up challenge", json("webauthn.get", &[b'7'; 54], ORIGIN), PasskeyError::Challenge),
        ("no JSON", b"webauthn.get".to_vec(), PasskeyError::ClientData),
        ("no members", b"{}".to_vec(), PasskeyError::ClientData),
        ("nothing", vec![], PasskeyError::ClientData),
        ("no text", vec![0xff; 9], PasskeyError::ClientData),
        ("giant", vec![b' '; 5_000], PasskeyError::ClientData),
    ] {
        let form = assertion(&key(1), &authenticator_data(HOST, UV, 1, &[]), client_data);
        assert_eq!(present(&form).map(|_| ()), Err(expected), "{name}");
    }
    let master = master();
    let late = at(Ceremony::SignIn, UnixMs::from_ms(NOW.as_ms() + 300_000), &master);
    assert_eq!(late.present_alone(&sign_in(1)).map(|_| ()), Err(PasskeyError::Challenge));
}

#[test]
fn an_answer_is_signed_by_its_key_alone() {
    let own = register(&registration(&good_data())).unwrap().public_key;
    let presented = present(&sign_in(4)).unwrap();
    assert!(presented.is_signed_by(&own));
    let other = [vec![4], point(&key(2)).0, point(&key(2)).1].concat();
    assert!(!presented.is_signed_by(&PublicKey::from_stored(other)));
    assert!(!presented.is_signed_by(&PublicKey::from_stored(vec![4; 65])));
    assert!(!presented.is_signed_by(&PublicKey::from_stored(vec![])));
    // A changed counter, client data or signature.
    let mut risen = sign_in(4);
    risen.authenticator_data = BinaryText::new(authenticator_data(HOST, UV, 5, &[]));
    assert!(!present(&risen).unwrap().is_signed_by(&own));
    let mut spaced = sign_in(4);
    spaced.client_data = BinaryText::new([spaced.client_data.as_bytes(), b" "].concat());
    assert!(!present(&spaced).unwrap().is_signed_by(&own));
    for place in 0..sign_in(4).signature.as_bytes().len() {
        let mut form = sign_in(4);
        let mut bytes = form.signature.into_bytes();
        bytes[place] ^= 1;
        form.signature = BinaryText::new(bytes.clone());
        assert!(!present(&form).unwrap().is_signed_by(&own), "{place}");
        form.signature = BinaryText::new(bytes[..place].to_vec());
        assert!(!present(&form).unwrap().is_signed_by(&own), "{place}");
    }
    let mut giant = sign_in(4);
    giant.signature = BinaryText::new(vec![0x30; 81]);
    assert_eq!(present(&giant), Err(PasskeyError::Signature));
}

#[test]
fn broken_authenticator_data_are_refused_by_name() {
    let json = || client_data("webauthn.get", &challenge(Ceremony::SignIn), ORIGIN);
    let attested = attested(&CREDENTIAL, &cose_key(&key(1)));
    for (data, expected) in [
        (authenticator_data("evil.example", UV, 1, &[]), PasskeyError::RelyingParty),
        (authenticator_data(HOST, 0b0000_0001, 1, &[]), PasskeyError::NotVerified),
        (authenticator_data(HOST, 0b0000_0100, 1, &[]), PasskeyError::NotVerified),
        (authenticator_data(HOST, UV, 1, &[0]), PasskeyError::AuthenticatorData),
        (authenticator_data(HOST, UV_AT, 1, &attested), PasskeyError::AuthenticatorData),
        (authenticator_data(HOST, UV, 1, &[])[..36].to_vec(), PasskeyError::AuthenticatorData),
        (vec![0; 5_000], PasskeyError::AuthenticatorData),
    ] {
        assert_eq!(present(&assertion(&key(1), &data, json())), Err(expected));
    }
    for length in [0, 1_024] {
        let mut form = sign_in(1);
        form.credential_id = BinaryText::new(vec![1; length]);
        assert_eq!(present(&form), Err(PasskeyError::CredentialId), "{length}");
    }
}

#[test]
fn a_handle_must_be_genuine_or_name_the_member_who_is_known() {
    let master = master();
    let desk = at(Ceremony::SignIn, NOW, &master);
    let form = |handle: Option<Vec<u8>>| AssertionForm {
        user_handle: handle.map(BinaryText::new),
        ..sign_in(1)
    };
    let alone = |handle| desk.present_alone(&form(handle)).map(|(_, named)| named);
    let own = handle::draw_handle(mei(), &clv(), &master);
    let forged = [own[..19].to_vec(), vec![b'0'; 22]].concat();
    assert_eq!(alone(Some(own.clone())), Ok(mei()));
    for bad in [None, Some(vec![]), Some(forged.clone()), Some(vec![0xff; 64])] {
        assert_eq!(alone(bad), Err(PasskeyError::UserHandle));
    }
    let known = |handle, account| {
        desk.present_for(&form(handle), account).map(|presented| presented.member)
    };
    let elsewhere = AccountId::parse("a1B2c3D5").unwrap();
    assert_eq!(known(None, mei().account), Ok(None));
    for handle in [own.clone(), forged] {
        assert_eq!(
            known(Some(handle), mei().account),
            Ok(Some(mei().member)),
            "the ledger decides"
        );
    }
    for (handle, account) in [(own, elsewhere), (vec![0xff; 64], mei().account)] {
        assert_eq!(known(Some(handle), account), Err(PasskeyError::UserHandle));
    }
}

#[test]
fn a_counter_that_does_not_rise_is_a_clone_unless_neither_side_counts() {
    for (presented, stored, is_clone) in [
        (0, 0, false),
        (1, 0, false),
        (5, 4, false),
        (4, 4, true),
        (3, 4, true),
        (0, 4, true),
        (u32::MAX, u32::MAX, true),
    ] {
        assert_eq!(
            present(&sign_in(presented)).unwrap().is_clone_of(stored),
            is_clone,
            "{presented} {stored}"
        );
    }
}

#[test]
fn binary_text_has_one_form() {
    let read = |text: &str| serde_json::from_str::<BinaryText>(&format!("\"{text}\"")).ok();
    assert_eq!(read("AQI"), Some(BinaryText::new(vec![1, 2])));
    for bad in ["AQI=", "AQJ", "A", "AQ I", "AQ+/", "\\u0000"] {
        assert_eq!(read(bad), None, "{bad}");
    }
    assert_eq!(serde_json::to_string(&BinaryText::new(vec![0xfb, 0xff])).unwrap(), "\"-_8\"");
    assert_eq!(format!("{:?}", BinaryText::new(vec![1])), "BinaryText(1 bytes)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_stop_a_check(
        a in proptest::collection::vec(any::<u8>(), 0..200),
        b in proptest::collection::vec(any::<u8>(), 0..200),
        flags in any::<u8>(),
    ) {
        let _ = AuthenticatorData::read(&a, HOST);
        let _ = AuthenticatorData::read(&authenticator_data(HOST, flags | UV, 1, &a), HOST);
        let _ = read_attestation(&a);
        let _ = register(&registration(&a));
        let mut form = sign_in(1);
        form.signature = BinaryText::new(a.clone());
        form.user_handle = Some(BinaryText::new(b.clone()));
        let _ = present(&form);
        let own = register(&registration(&good_data())).unwrap().public_key;
        let mut form = sign_in(1);
        form.signature = BinaryText::new(b.into_iter().take(80).collect());
        prop_assert!(!present(&form).unwrap().is_signed_by(&own));
    }

    /// A changed byte of what was signed leaves no answer that its key has signed.
    #[test]
    fn no_changed_answer_is_accepted(place in 0_usize..37, flip in 1_u8..) {
        let own = register(&registration(&good_data())).unwrap().public_key;
        let mut form = sign_in(1);
        let mut bytes = form.authenticator_data.into_bytes();
        bytes[place] ^= flip;
        form.authenticator_data = BinaryText::new(bytes);
        let accepted = present(&form).is_ok_and(|presented| presented.is_signed_by(&own));
        prop_assert!(!accepted);
    }
}
