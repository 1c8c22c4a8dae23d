//! Response documents about second factors.

use claviger_core::base::secret::SecretText;
use claviger_core::base::time::UnixMs;
use serde_json::{Value, json};

use super::parts::text;
use crate::admin::problem::AdminProblem;
use crate::protocol::envelope::masked;
use crate::protocol::factors::FactorsView;
use crate::protocol::identity::MailedCode;
use crate::protocol::proof::ProofMethod;
use crate::protocol::recovery::RecoveryCode;
use crate::protocol::token::NewToken;
use crate::protocol::totp::Seed;

/// Methods that answer a challenge.
const METHODS: [ProofMethod; 2] = [ProofMethod::Totp, ProofMethod::RecoveryCode];

/// Returns the document of a member's factors.
pub fn factors(view: &FactorsView, now: UnixMs) -> Value {
    json!({
        "totp": view.totp_since.map(|since| json!({ "since": text(since) })),
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

/// Returns the document of a challenge, with its token.
pub fn challenged(token: &NewToken, until: UnixMs, now: UnixMs) -> Value {
    json!({
        "challenge": token.expose(),
        "methods": METHODS,
        "expires_at": text(until),
        "now": text(now),
    })
}

/// Returns "confirm that it is you", with the methods that suffice and that this release offers.
pub fn required(methods: &[ProofMethod]) -> AdminProblem {
    let offered = methods.iter().filter(|method| match method {
        ProofMethod::Password
        | ProofMethod::EmailCode
        | ProofMethod::Totp
        | ProofMethod::RecoveryCode => true,
        ProofMethod::Passkey => false,
    });
    AdminProblem::StepUpRequired { methods: offered.map(|method| method.as_str().into()).collect() }
}
