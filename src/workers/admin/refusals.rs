//! Holds what this isolate remembers of refusals. All of it may be lost at any time: then the
//! objects are asked once more.

use std::cell::RefCell;

use claviger_control::admin::refused::{OVER_FOR, RefusalMemory};
use claviger_control::protocol::token::MadeToken;
use claviger_core::base::time::UnixMs;

thread_local! {
    /// Tokens that are over, by the digests of their secrets.
    static OVER: RefCell<RefusalMemory<[u8; 32]>> = RefCell::default();
}

/// Returns `true` if the token is too old, or an object has refused it for good a moment ago.
pub fn is_over(token: &MadeToken, now: UnixMs) -> bool {
    token.is_over(now)
        || OVER.with_borrow(|over| over.until(token.digest().as_bytes(), now).is_some())
}

/// Notes that an object has refused the token for good.
pub fn note_over(token: &MadeToken, now: UnixMs) {
    OVER.with_borrow_mut(|over| {
        over.note(*token.digest().as_bytes(), now, now.saturating_add(OVER_FOR));
    });
}
