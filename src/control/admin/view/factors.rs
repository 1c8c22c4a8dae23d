//! Response documents about second factors.

use claviger_core::base::secret::SecretText;
use claviger_core::base::time::{DurationMs, UnixMs};
use serde_json::{Value, json};

use super::parts::text;
use crate::admin::problem::AdminProblem;
use crate::protocol::envelope::masked;
use crate::protocol::factors::{FactorKinds, FactorsView};
use crate::protocol::identity::MailedCode;
use crate::protocol::passkey::authenticator_data::ES256;
use crate::protocol::passkey::ceremony::CEREMONY_LIFE_MS;
use crate::protocol::passkey::{BinaryText, PasskeyView};
use crate::protocol::proof::{DemandedProof, ProofMethod};
use crate::protocol::recovery::RecoveryCode;
use crate::protocol::token::NewToken;
use crate::protocol::totp::Seed;
use crate::protocol::view::SessionView;

/// Methods that answer a challenge of a ledger that names none.
const METHODS: [ProofMethod; 2] = [ProofMethod::Totp, ProofMethod::RecoveryCode];

/// Returns the document of a member's factors.
pub fn factors(view: &FactorsView, now: UnixMs) -> Value {
    json!({
        "totp": view.totp_since.map(|since| json!({ "since": text(since) })),
        "passkeys": view.passkeys.iter().map(passkey).collect::<Vec<_>>(),
        "recovery_codes_left": view.recovery_codes_left,
        "now": text(now),
    })
}

/// Returns the document of a member's factors with new recovery codes. No other response contains
/// the codes.
pub fn factors_with_codes(view: &FactorsView, codes: &[RecoveryCode], now: UnixMs) -> Value {
    let mut document = factors(view, now);
    if let Some(members) = document.as_object_mut() {
        let texts: Vec<SecretText> = codes.iter().map(RecoveryCode::text).collect();
        members.insert("recovery_codes".into(), json!(texts));
    }
    document
}

/// Returns the document of an app that waits for its first code, with its seed. No other response
/// contains the seed. `issuer` names the deployment, `label` the member in it.
pub fn begun_totp(
    view: &FactorsView,
    seed: &Seed,
    (issuer, label): (&str, &str),
    now: UnixMs,
) -> Value {
    json!({
        "secret": seed.text(),
        "uri": seed.uri(issuer, label),
        "expires_at": view.pending_until.map(text),
        "now": text(now),
    })
}

/// Returns the document of a code that was mailed as a proof of identity.
pub fn code_mailed(mailed: &MailedCode, now: UnixMs) -> Value {
    json!({
        "sent_to": masked(&mailed.sent_to),
        "expires_at": text(mailed.expires),
        "now": text(now),
    })
}

/// Returns the document of a challenge, with its token. `passkey` is the prompt for the passkeys of
/// a member who has some.
pub fn challenged(
    token: &NewToken,
    factors: FactorKinds,
    passkey: Option<Value>,
    until: UnixMs,
    now: UnixMs,
) -> Value {
    let methods = if factors.any() { factors.methods() } else { METHODS.to_vec() };
    json!({
        "challenge": token.expose(),
        "methods": methods,
        "passkey": passkey,
        "expires_at": text(until),
        "now": text(now),
    })
}

fn passkey(passkey: &PasskeyView) -> Value {
    json!({
        "id": passkey.id,
        "name": passkey.name,
        "backed_up": passkey.backed_up,
        "created_at": text(passkey.created_at),
        "last_used_at": passkey.used_at.map(text),
    })
}

fn descriptors(passkeys: &[PasskeyView]) -> Vec<Value> {
    let descriptor = |passkey: &PasskeyView| {
        json!({
            "type": "public-key", "id": passkey.credential, "transports": passkey.transports,
        })
    };
    passkeys.iter().map(descriptor).collect()
}

/// Returns the options of a prompt that uses a passkey (WebAuthn Level 3 §5.5, in its JSON form).
/// Without `passkeys`, the browser offers those that it knows for this host.
pub fn request_options(challenge: String, host: &str, passkeys: &[PasskeyView]) -> Value {
    json!({
        "challenge": BinaryText::new(challenge.into_bytes()),
        "timeout": CEREMONY_LIFE_MS,
        "rpId": host,
        "allowCredentials": descriptors(passkeys),
        "userVerification": "required",
    })
}

/// Returns the options of a prompt that makes a passkey of a member (WebAuthn Level 3 §5.4, in its
/// JSON form). `label` names the member and their account, `name` the member.
pub fn creation_options(
    challenge: String,
    host: &str,
    handle: Vec<u8>,
    (label, name): (&str, &str),
    passkeys: &[PasskeyView],
) -> Value {
    json!({
        "rp": { "id": host, "name": host },
        "user": { "id": BinaryText::new(handle), "name": label, "displayName": name },
        "challenge": BinaryText::new(challenge.into_bytes()),
        "pubKeyCredParams": [{ "type": "public-key", "alg": ES256 }],
        "timeout": CEREMONY_LIFE_MS,
        "excludeCredentials": descriptors(passkeys),
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "attestation": "none",
    })
}

/// Returns the document with the options of a prompt.
pub fn prompt(options: &Value, now: UnixMs) -> Value {
    let until = now.saturating_add(DurationMs::from_ms(CEREMONY_LIFE_MS.unsigned_abs()));
    json!({ "options": options, "expires_at": text(until), "now": text(now) })
}

/// Returns "confirm that it is you", with the factors of the member of a session.
pub fn factor_required(view: &SessionView) -> AdminProblem {
    let own = view.factors.methods();
    required(if own.is_empty() { DemandedProof::Password.methods(true) } else { &own })
}

/// Returns "confirm that it is you", with the methods that suffice.
pub fn required(methods: &[ProofMethod]) -> AdminProblem {
    let methods = methods.iter().map(|method| method.as_str().into()).collect();
    AdminProblem::StepUpRequired { methods }
}
