//! Claviger issues API keys from a web console and enforces them at the edge.
//!
//! This crate is the map of the workspace, and owns the tests that cross crates. The code is in
//! [`claviger_core`], [`claviger_control`] and `src/workers`. `docs/architecture.md` has the
//! picture, `docs/glossary.md` the terms.
//!
//! # Three planes
//! - The **data plane** ([`claviger_core`]) verifies. It takes values and returns values: no clock,
//!   no I/O, no SQL, no JavaScript.
//! - The **control plane** ([`claviger_control`]) changes state. It decides over the small trait
//!   [`Sql`](claviger_control::objects::sql::Sql): SQLite natively, a Durable Object's storage in
//!   production.
//! - The **adapters** (`src/workers`) connect both to the platform, and decide nothing. They build
//!   two scripts: `claviger-edge` links the data plane only, `claviger` links both.
//!
//! Imports go inwards only. Cargo holds that between crates, and tests hold it between the wings of
//! a crate.
//!
//! # Where to begin
//! | to learn | read |
//! | --- | --- |
//! | what a credential is, digit by digit | [`key`], [`sealed`], [`service_id`], [`token`]; the subkeys: [`keyring`] |
//! | what a key may do | [`limits`]; in which order it is refused: [`verdict`] |
//! | why a disabled key is refused everywhere within T, and a new one works at once | [`lease`], [`refresh`], [`record`], [`ledger`], [`publication`] |
//! | what is said on the wire | to callers and members: `docs/http-api.md`, [`route`]; to the objects: [`protocol`]; between the Workers: [`link`] |
//!
//! # The life of one verification
//! 1. `workers/edge/entry.js` hands method, URL and headers to the [`gateway`], in one synchronous
//!    call.
//! 2. [`path`] makes one path of the URL, and [`rules`] finds the origin and what a caller must
//!    hold.
//! 3. [`extract`] finds the key's text, or has the [`body`] read for it. [`key`] or [`sealed`]
//!    checks its form and its tag or MAC. A string that Claviger never made is refused here,
//!    without a lookup.
//! 4. The account's [`lease`] has the key's [`record`] in memory, and its issuer's if it has one.
//!    If not, the request becomes an [`exchange`]: it names what to fetch (a refresh from the
//!    ledger, a shared reply, a record from KV), and is resumed with the result.
//! 5. [`verification`] compares, in the order of [`verdict`], and makes the only value that
//!    [`origin_headers`] writes headers from.
//!
//! A verifier that asks about credentials ([`batch_verify`]) enters at step 3, for up to a hundred
//! at once.
//!
//! # The life of one change
//! 1. The edge hands the request to the admin Worker. It finds the [`route`], reads the body
//!    ([`admin::body`](claviger_control::admin::body)), and sends a command to the account's
//!    [`ledger`], as [`protocol`] defines it.
//! 2. The ledger reads, [`decide`]s and writes in one run. It writes the key's row, a journal row,
//!    an audit row ([`activity`] shows them) and, if members must be notified, a mail. With them it
//!    writes the [`tasks`] to publish the record and to send the mail.
//! 3. Its alarm executes the tasks, one KV put per key at a time, until KV has taken the current
//!    record. A crash at any point loses none of them.
//! 4. The answer names the account and its revision to the edge ([`link`]), which ends its lease on
//!    that account.
//!
//! # The life of one issuance by program
//! 1. [`issuance`] reads a form. The gateway verifies its [`issuer`], a key or the account's
//!    service password, as in steps 3 to 5 above, and has the ledger confirm it.
//! 2. If the key fits into a [`sealed`] key, the edge seals it and nothing is stored. If not, the
//!    ledger stores it.
//! 3. Either kind follows its issuer at each verification.
//!
//! # Which type holds which secret
//! | type | holds |
//! | --- | --- |
//! | [`SecretText`](claviger_core::base::secret::SecretText) | what people type |
//! | [`NewKey`](claviger_core::credential::key::NewKey), [`NewSealed`](claviger_core::credential::sealed::NewSealed) | a key that is shown once |
//! | [`Digest`](claviger_core::base::secret::Digest) | all that is stored of a key, unless it is viewable |
//! | [`MadeKey`](claviger_core::credential::key::MadeKey), [`MadeSealed`](claviger_core::credential::sealed::MadeSealed) | a key that Claviger made: the only text that may cause a lookup |
//! | [`Keyring`](claviger_core::credential::keyring::Keyring) | the edge's subkeys |
//! | [`MasterSecrets`](claviger_control::protocol::master::MasterSecrets) | the operator's ring; [`encryption`] uses it for what may be shown again |
//!
//! [`key`]: claviger_core::credential::key
//! [`sealed`]: claviger_core::credential::sealed
//! [`service_id`]: claviger_core::credential::service_id
//! [`token`]: claviger_control::protocol::token
//! [`keyring`]: claviger_core::credential::keyring
//! [`limits`]: claviger_core::credential::limits
//! [`issuer`]: claviger_core::credential::issuer
//! [`verdict`]: claviger_core::verify::verdict
//! [`verification`]: claviger_core::verify::verification
//! [`lease`]: claviger_core::lease::lease
//! [`refresh`]: claviger_core::replication::refresh
//! [`record`]: claviger_core::replication::record
//! [`link`]: claviger_core::replication::link
//! [`path`]: claviger_core::base::http::path
//! [`rules`]: claviger_core::config::rules
//! [`gateway`]: claviger_core::gateway::gateway
//! [`exchange`]: claviger_core::gateway::exchange
//! [`extract`]: claviger_core::gateway::extract
//! [`body`]: claviger_core::gateway::body
//! [`origin_headers`]: claviger_core::gateway::origin_headers
//! [`batch_verify`]: claviger_core::gateway::batch_verify
//! [`issuance`]: claviger_core::gateway::issuance
//! [`protocol`]: claviger_control::protocol
//! [`encryption`]: claviger_control::protocol::encryption
//! [`route`]: claviger_control::admin::route
//! [`ledger`]: claviger_control::ledger::ledger
//! [`decide`]: claviger_control::ledger::decide
//! [`publication`]: claviger_control::ledger::publication
//! [`activity`]: claviger_control::ledger::activity
//! [`tasks`]: claviger_control::objects::tasks
