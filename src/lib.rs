//! Claviger issues API keys from a web page and enforces them at the edge.
//!
//! # Three rings
//! Arrows point inwards only, and a test holds them to it.
//! - The **core**, all that the others do not name, takes values and returns values: no clock, no I/O, no SQL, no JavaScript. It runs
//!   natively in tests and as WebAssembly in a Worker.
//! - The **objects** ([`ledger`], [`name`], [`directory`], [`address`]) decide over a small [`sql::Sql`] trait: SQLite natively, a Durable
//!   Object's in production. What they have in common is in [`object`] and [`due`].
//! - The **edge** (`edge`, a feature) adapts the platform to both and decides nothing.
//!
//! # Where to begin
//! | to learn | read |
//! | --- | --- |
//! | what a credential is, digit by digit | [`key`], [`sealed`], [`service`], [`token`]; what makes them ours: [`ring`] |
//! | what a key may do | [`permission`], [`network`], [`expiry`]; in which order it is refused: [`verdict`] |
//! | why a key that is disabled is refused everywhere within T, and a new one works at once | [`lease`], [`refresh`], [`record`], [`ledger`] |
//! | what is said on the wire | to callers and members: [`problem`], [`console`], `docs/`; between edge and objects: [`protocol`] |
//!
//! # The life of one verification
//! 1. `edge/entry.js` hands method, URL and headers to [`gateway::Gateway::decide`], in one synchronous call.
//! 2. [`path`] makes one path of it, [`rules`] finds who is behind it and what a caller must hold.
//! 3. [`credential`] finds the key's text, or has the body's [`opening`] read for it, [`key`] or [`sealed`] its form and its tag or MAC. What
//!    Claviger never made is refused here, without any lookup.
//! 4. The account's [`lease`] has the key's [`record`] in memory, and its issuer's if it has one, or the gateway says what it needs and the
//!    edge fetches it: a refresh of the lease from the ledger, what a neighbour was told of it, or the record from KV.
//! 5. [`verify`] compares, in the order of [`verdict::Denial`], and makes the only value that [`identity`] writes headers from.
//!
//! A verifier that asks about a credential ([`checks`]) enters at step 3, for up to a hundred at once.
//!
//! # The life of one change
//! 1. The edge reads a body ([`console::body`]) and asks the account's [`ledger`], in the words of [`protocol`].
//! 2. The ledger reads, decides ([`draft`], [`power`]) and writes in one run: the key's row, a journal row, an audit row ([`activity`] shows
//!    them), a [`mail`] if somebody is to be told, and duties ([`due`]) to publish the one and send the other.
//! 3. Its alarm carries duties out, one KV put per key at a time, until KV has taken the present record. A crash anywhere loses none.
//!
//! # The life of one issue by program
//! 1. [`issuance`] reads a form; the gateway finds its [`issuer`], a key or the account's service password, as in steps 3 to 5 above.
//! 2. What lies within the issuer's ceiling is sealed at the edge and stored nowhere ([`sealed`]); what does not fit, the ledger stores.
//! 3. Either follows its issuer each time that it is verified.
//!
//! # Who knows which secret
//! Types keep them apart: [`secret::SecretText`] (what people type), [`key::NewKey`] and [`sealed::NewSealed`] (shown once),
//! [`secret::Digest`] (all that is stored of a key, unless its owner wants to see it again), [`vault::Sealed`] (what may be shown again,
//! encrypted: whoever stores it cannot read it), [`key::MadeKey`] and [`sealed::MadeSealed`] (keys that Claviger made: the only things that
//! may cause a lookup), [`ring::Ring`] (the operator's).
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test may overflow loudly"))]

pub mod account;
pub mod activity;
pub mod address;
pub mod answer;
pub mod base62;
pub mod budget;
pub mod checks;
pub mod code;
pub mod config;
pub mod console;
pub mod credential;
pub mod directory;
pub mod draft;
pub mod due;
#[cfg(feature = "edge")]
pub mod edge;
pub mod expiry;
pub mod gateway;
pub mod id;
pub mod identity;
pub mod issuance;
pub mod issuer;
pub mod key;
pub mod keys;
pub mod lease;
pub mod ledger;
pub mod mail;
pub mod name;
pub mod network;
pub mod object;
pub mod opening;
pub mod path;
pub mod permission;
pub mod power;
pub mod problem;
pub mod protocol;
pub mod record;
pub mod refresh;
pub mod request;
pub mod ring;
pub mod rules;
pub mod sealed;
pub mod secret;
pub mod service;
pub mod sql;
pub mod time;
pub mod token;
pub mod vault;
pub mod verdict;
pub mod verify;
