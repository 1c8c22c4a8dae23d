//! Claviger issues API keys from a web page and enforces them at the edge.
//!
//! One crate in three rings. The **core** takes values and returns values: no clock, no I/O, no SQL, no JavaScript; it runs
//! natively in tests and as WebAssembly in a Worker. The **objects** ([`ledger`], [`name`], [`directory`], [`address`]) decide over a
//! small [`sql::Sql`] trait: SQLite natively, a Durable Object's in production. The **edge** (`edge`, a feature) adapts the platform
//! to both and decides nothing. Arrows point inwards only.
//!
//! # The life of one verification
//! 1. `edge/entry.js` hands method, URL and headers to [`gateway::Gateway::decide`], in one synchronous call.
//! 2. [`path`] makes one path of it, [`rules`] finds who is behind it and what a caller must hold.
//! 3. [`credential`] finds the key's text, or has the body's [`opening`] read for it, [`key`] or [`sealed`] its form and its tag or MAC. What Claviger never made is refused here, without any lookup.
//! 4. The account's [`lease`] has the key's [`record`] in memory, or the gateway says what it needs and the edge fetches it: a refresh of
//!    the lease from the ledger, or the record from KV.
//! 5. [`verify`] compares, in the order of [`verdict::Denial`], and makes the only value that [`identity`] writes headers from.
//!
//! # The life of one change
//! 1. The edge reads a body ([`console::body`]) and asks the account's [`ledger`], in the words of [`protocol`].
//! 2. The ledger reads, decides ([`draft`], [`power`]) and writes in one run: the key's row, a journal row, an audit row, and a duty ([`due`]) to
//!    publish.
//! 3. Its alarm carries duties out, one KV put per key at a time, until KV has taken the present record. A crash anywhere loses none.
//!
//! # Who knows which secret
//! Types keep them apart: [`secret::SecretText`] (what people type), [`key::NewKey`] (shown once), [`secret::Digest`] (all that is stored of
//! a key), [`key::MadeKey`] and [`sealed::MadeSealed`] (keys that Claviger made: the only things that may cause a lookup), [`ring::Ring`] (the
//! operator's).
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
