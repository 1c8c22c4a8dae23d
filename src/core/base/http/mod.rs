//! HTTP as plain values: a request as the edge reads it, and an answer as it writes one. No module
//! here performs I/O.
//!
//! [`request`] and [`path`] read, [`response`] and [`problem`] write. [`json_body`] reads bodies
//! that are JSON objects, [`cookie`] names the console's cookie, and [`lookalike`] knows the
//! characters that some servers read as ASCII.

pub mod cookie;
pub mod encoded_slash;
pub mod json_body;
pub mod lookalike;
pub mod path;
pub mod problem;
pub mod request;
pub mod response;
