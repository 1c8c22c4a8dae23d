//! The console host's own routes, as far as they need no I/O: which there are, what may reach them, what their bodies are.

pub mod body;
pub mod form;
pub mod headers;
pub mod route;
pub mod session;
pub mod view;

pub use route::Route;
