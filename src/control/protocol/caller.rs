//! Authenticates the caller of a Durable Object.
//!
//! Any Worker in the same Cloudflare account can bind the object classes and send them any request.
//! So an object answers a call only if it carries one of two headers:
//!
//! - [`PROOF_HEADER`] proves that the admin Worker or another object calls. It holds a MAC under
//!   the object-call subkey, which is not among the edge's keys. The MAC covers the object's ID,
//!   which names class and instance, and the body. So it is of use for this one request only.
//! - [`EDGE_HEADER`](link::EDGE_HEADER) proves that an edge calls. A ledger then reads the text as
//!   an [`EdgeRequest`](claviger_core::replication::edge_call::EdgeRequest) and nothing else; other
//!   classes refuse it.
//!
//! The MAC covers no time. Only the two ends of a call see it, and both have the subkey. A request
//! that must not count twice has an idempotency key or its own session.

use claviger_core::replication::link::{self, Misfit};
use subtle::ConstantTimeEq;

use crate::protocol::master::{MasterGeneration, MasterSecrets};

/// Header that proves a call of the admin Worker or of another object.
pub const PROOF_HEADER: &str = "claviger-proof-of-call";

const LABEL: &[u8] = b"claviger/object-call/1\0";

/// A caller that an object answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectCaller {
    /// The admin Worker or another object.
    Own,
    /// An edge. It may send an
    /// [`EdgeRequest`](claviger_core::replication::edge_call::EdgeRequest) to a ledger.
    Edge,
}

/// The reason for which an object refuses a caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallerRefused {
    /// The call carries an edge's header that does not fit.
    #[error("{0}")]
    Misfit(#[from] Misfit),
    /// The call carries neither header, or a wrong proof.
    #[error("it comes neither from claviger nor from claviger-edge")]
    Unproven,
    /// The call carries an edge's header that fits, but no edge calls this class.
    #[error("no edge makes such a call: somebody may have the keys of claviger-edge")]
    NotForEdges,
}

/// Returns the value of [`PROOF_HEADER`] for a call to the object with this ID.
pub fn proof(master: &MasterSecrets, object_id: &str, body: &str) -> String {
    mac(master.newest(), object_id, body)
}

/// Authenticates the caller from the two headers. `variables` is the digest of this Worker's
/// variables.
///
/// # Errors
/// [`CallerRefused::Misfit`] if there is an edge's header that does not fit;
/// [`CallerRefused::Unproven`] if there is none, and the proof is absent or wrong.
pub fn authenticate(
    edge: Option<&str>,
    proof: Option<&str>,
    (master, variables): (&MasterSecrets, &str),
    object_id: &str,
    body: &str,
) -> Result<ObjectCaller, CallerRefused> {
    if edge.is_some() {
        link::check(edge, master.keyring(), variables)?;
        return Ok(ObjectCaller::Edge);
    }
    let proof = proof.ok_or(CallerRefused::Unproven)?.as_bytes();
    // While a rotation spreads, the caller may still have the generation before.
    master
        .iter()
        .filter(|generation| !generation.is_compromised())
        .any(|generation| mac(generation, object_id, body).as_bytes().ct_eq(proof).into())
        .then_some(ObjectCaller::Own)
        .ok_or(CallerRefused::Unproven)
}

fn mac(generation: &MasterGeneration, object_id: &str, body: &str) -> String {
    // Object IDs are hex digits, so the first zero byte after the label ends the ID.
    let parts = [LABEL, object_id.as_bytes(), b"\0", body.as_bytes()];
    base16ct::lower::encode_string(&generation.object_call_key().mac(&parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::master::tests::{MASTER, master};

    const BODY: &str = r#"{"ask":"exists"}"#;

    fn ask(edge: Option<&str>, proof: Option<&str>) -> Result<ObjectCaller, CallerRefused> {
        authenticate(edge, proof, (&master(), "0a"), "0a1b", BODY)
    }

    #[test]
    fn a_proof_counts_for_one_object_and_one_body() {
        assert_eq!(ask(None, Some(&proof(&master(), "0a1b", BODY))), Ok(ObjectCaller::Own));
        for wrong in [
            proof(&master(), "0a1c", BODY),
            proof(&master(), "0a1b", r#"{"ask":"inspect"}"#),
            proof(&master(), "0a1b", BODY).to_uppercase(),
            proof(&master(), "0a1b", BODY)[1..].to_owned(),
            String::new(),
        ] {
            assert_eq!(ask(None, Some(&wrong)), Err(CallerRefused::Unproven), "{wrong}");
        }
    }

    #[test]
    fn without_a_header_nothing_is_granted() {
        assert_eq!(ask(None, None), Err(CallerRefused::Unproven));
    }

    #[test]
    fn an_edge_s_header_makes_an_edge_and_a_proof_beside_it_changes_nothing() {
        let (edge, own) = (link::header(master().keyring(), "0a"), proof(&master(), "0a1b", BODY));
        assert_eq!(ask(Some(&edge), None), Ok(ObjectCaller::Edge));
        assert_eq!(ask(Some(&edge), Some(&own)), Ok(ObjectCaller::Edge));
        assert_eq!(ask(Some(""), Some(&own)), Err(CallerRefused::Misfit(Misfit::Absent)));
    }

    #[test]
    fn an_older_generation_counts_until_it_is_compromised() {
        let (newer, older) = MASTER.split_once(",\n").unwrap();
        let alone = older.trim_start().replace(r#","retired_at":"2026-01-01T00:00:00Z""#, "");
        let older_master = MasterSecrets::parse(&format!("[{alone}")).unwrap();
        let made = proof(&older_master, "0a1b", BODY);
        assert_eq!(ask(None, Some(&made)), Ok(ObjectCaller::Own));
        let marked = alone.replace("}]", r#","compromised":true}]"#);
        let master = MasterSecrets::parse(&format!("{newer},{marked}")).unwrap();
        assert_eq!(
            authenticate(None, Some(&made), (&master, "0a"), "0a1b", BODY),
            Err(CallerRefused::Unproven)
        );
    }
}
