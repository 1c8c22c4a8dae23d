//! TODO.

pub mod cookie;
pub mod json_body;
pub mod path;
pub mod problem;
pub mod request;
pub mod response;
