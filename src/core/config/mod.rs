//! The deployment's settings, parsed once. A setting that is missing or wrong stops the Worker from
//! serving.
//!
//! [`settings`] holds all of them, [`rules`] the gateway's rules, and [`terms`] the freshness and
//! outage terms (`FRESHNESS`, `OUTAGE`) with the bounds that follow from them.

pub mod rules;
pub mod settings;
pub mod terms;
