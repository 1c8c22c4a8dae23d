//! The gateway: a request in, a decision out. It combines rules, credentials, leases and verdicts,
//! and performs no I/O.
//!
//! One call of [`gateway`] decides a request that memory can answer. Any other request is an
//! [`exchange`]: the gateway names what to fetch, the adapter fetches it, and the exchange decides
//! again.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`gateway`] | decides about one request |
//! | [`exchange`] | carries a request that needs I/O from its arrival to its outcome |
//! | [`extract`], [`body`], [`subprotocol`] | find the credential in headers, query and body |
//! | `presented` | authenticates the credential's text, without a lookup |
//! | [`resolve`], [`recheck`] | combine the facts about a key and its issuer, and ask again before a refusal |
//! | [`check`] | the verdict on one credential and its evidence, or the I/O that it needs first |
//! | [`copies`] | takes copies of ledger replies, and makes those that isolates share |
//! | [`cors`] | lets pages of other sites read responses |
//! | [`origin_headers`] | writes the headers by which an origin knows the caller |
//! | [`issuance`], [`issuing`] | read and authorise an issuance by program |
//! | [`batch_verify`], [`verify_body`] | answer `POST /v1/verify` |
//! | [`denied`] | a refusal by the credential, which a caller may keep |
//! | [`problem`] | the refusals, each with its status, code and text |
//! | `fit` | knows whether this edge fits the admin Worker |

pub mod batch_verify;
pub mod body;
pub mod check;
pub mod copies;
pub mod cors;
pub mod denied;
pub mod exchange;
pub mod extract;
mod fit;
pub mod gateway;
pub mod issuance;
pub mod issuing;
pub mod origin_headers;
mod presented;
pub mod problem;
pub mod recheck;
pub mod resolve;
pub mod subprotocol;
pub mod verify_body;
