//! Holds what this isolate remembers of refusals. All of it may be lost at any time: then the
//! objects are asked once more.

use std::cell::RefCell;

use claviger_control::admin::refused::{OVER_FOR, RefusalMemory};
use claviger_control::protocol::token::MadeToken;
use claviger_control::protocol::tries::Tries;
use claviger_core::base::time::UnixMs;

thread_local! {
    /// Tokens that are over, by the digests of their secrets.
    static OVER: RefCell<RefusalMemory<[u8; 32]>> = RefCell::default();
    /// Narrowest counters of tries that an address object has refused, with the object's name.
    static TOO_MANY: RefCell<RefusalMemory<(String, String)>> = RefCell::default();
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

/// Returns the time before which an address object accepts no such try, Unix ms; `None` if it must
/// be asked.
pub fn no_try_before(tries: &Tries, now: UnixMs) -> Option<UnixMs> {
    TOO_MANY.with_borrow(|too_many| too_many.until(&place(tries)?, now))
}

/// Notes that an address object accepts no such try before `until`.
pub fn note_too_many(tries: &Tries, now: UnixMs, until: UnixMs) {
    if let Some(place) = place(tries) {
        TOO_MANY.with_borrow_mut(|too_many| too_many.note(place, now, until));
    }
}

fn place(tries: &Tries) -> Option<(String, String)> {
    tries.own().map(|counter| (tries.instance.clone(), counter.of.clone()))
}
