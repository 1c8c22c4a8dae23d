//! TODO.

pub mod rules;
pub mod settings;
pub mod terms;
