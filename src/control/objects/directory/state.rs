//! States of accounts, as the directory stores them.

use crate::protocol::operator::EntryState;

/// Returns the stored form of a state.
pub fn state_text(state: EntryState) -> &'static str {
    match state {
        EntryState::Pending => "pending",
        EntryState::Open => "open",
    }
}

pub fn parse_state(text: &str) -> Option<EntryState> {
    [EntryState::Pending, EntryState::Open].into_iter().find(|state| state_text(*state) == text)
}
