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
//! | [`key_search`] | finds the key where it does not count |
//! | `presented` | authenticates the credential's text, without a lookup |
//! | [`resolve`], [`recheck`] | combine the facts about a key and its issuer, and ask again before a refusal |
//! | [`check`] | the verdict on one credential and its evidence, or the I/O that it needs first |
//! | [`copies`] | takes values from KV and copies of ledger replies, and makes those that isolates share |
//! | [`cors`] | lets pages of other sites read responses |
//! | [`japanese`] | translates the titles of problem documents |
//! | `kv_warnings` | limits how often a forged value in KV is logged |
//! | [`header_names`] | knows the headers that a client may not send to an origin |
//! | [`origin_headers`] | screens a client's headers, and writes those that name the caller |
//! | [`issuance`], [`issuing`] | read and authorise an issuance by program |
//! | [`oauth`] | reads the requests of OAuth clients, and grants tokens |
//! | [`forward_auth`] | answers proxies that ask about their clients |
//! | [`mail_auth`] | reads and answers the questions of mail servers |
//! | [`admin_api`] | knows the routes that programs may call by their key |
//! | [`batch_verify`], [`verify_body`] | answer `POST /v1/verify` |
//! | [`introspection`] | reads and answers `POST /v1/introspect` |
//! | [`denied`] | a refusal by the credential, which a caller may keep |
//! | `user_secrets` | remembers the last right secret of each API user |
//! | [`problem`] | the refusals, each with its status, code and text |
//! | `nonces` | numbers requests for their proofs |
//! | `fit` | knows whether this edge fits the admin Worker |

pub mod admin_api;
pub mod batch_verify;
pub mod body;
pub mod check;
pub mod copies;
pub mod cors;
pub mod denied;
pub mod exchange;
pub mod extract;
mod fit;
pub mod forward_auth;
pub mod gateway;
pub mod header_names;
pub mod introspection;
pub mod issuance;
pub mod issuing;
pub mod japanese;
pub mod key_search;
mod kv_warnings;
pub mod mail_auth;
mod nonces;
pub mod oauth;
pub mod origin_headers;
mod presented;
pub mod problem;
pub mod recheck;
pub mod resolve;
pub mod subprotocol;
mod user_secrets;
pub mod verify_body;
