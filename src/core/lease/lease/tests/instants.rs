//! Tests by which moment a fact is dated, where time passes between a question and its answer, and
//! which facts a later but weaker one must not undo.

use super::copies::{document, eventual};
use super::*;
use crate::lease::call::CopySource;

impl Isolate {
    /// Reads a document, from the start of the read to its end.
    fn read_document(&mut self, from: i64, to: i64, number: u64, reply: Refresh) {
        let read = self.0.ask_copy(account(), CopySource::Kv, at(from));
        self.0.take_document(&read, Some(document(number, 0, reply)), at(to), None);
    }
}

// -------------------------------------------------------------------------------------------------
// copies

/// The reply to a call that was sent before the change is not behind; it is early.
#[test]
fn a_reply_that_was_asked_for_before_an_own_change_does_not_make_room_for_older_copies() {
    let gone = 10 * T + 10;
    for (sent, is_forgotten) in [(0, false), (1, false), (2, true)] {
        let mut isolate = eventual();
        isolate.refresh(0, Refresh { document: 9, ..reply(5) });
        let early = isolate.renew(0);
        isolate.0.take_change(active(key('a'), 6), at(1));
        let call = if sent == 0 { early } else { isolate.renew(sent) };
        assert!(isolate.take(&call, 3, Refresh { document: 9, ..reply(5) }));
        assert_eq!(isolate.known(gone), None);
        isolate.read_document(gone, gone, 9, reply(5));
        assert_eq!(isolate.known(gone), is_forgotten.then_some(5), "{sent}");
    }
    // The ledger's own reply at the revision of the change keeps the bound.
    let mut isolate = eventual();
    isolate.0.take_change(active(key('a'), 6), at(1));
    isolate.refresh(2, Refresh { document: 9, ..reply(6) });
    isolate.read_document(gone, gone, 9, reply(5));
    assert_eq!(isolate.known(gone), None);
}

// -------------------------------------------------------------------------------------------------
// T = 0

/// With T = 0 no lease remains, so nothing but its time shows that an answer is earlier.
#[test]
fn what_was_asked_before_t_was_0_begins_no_lease_after_it() {
    let strict = || {
        let state = AccountState { revision: Revision(6), ..state(0) };
        Refresh { state: Some(state), ..reply(6) }
    };
    let mut isolate = eventual();
    let early = isolate.0.ask_ledger(key('a'), at(0));
    let read = isolate.0.ask_copy(account(), CopySource::Kv, at(0));
    isolate.refresh(1, strict());
    assert!(isolate.take(&early, 2, with_record(reply(5), active(key('a'), 5))));
    isolate.0.take_document(&read, Some(document(9, 0, reply(5))), at(3), None);
    assert_eq!(isolate.known(3), None);
    assert_eq!(isolate.need(key('a'), 3), Some(Fetch::Ledger(key('a'))), "and no copy");
    // T rises again: an answer that was asked for at the same time may be from before.
    let raised = || {
        let state = AccountState { revision: Revision(7), ..state(T) };
        Refresh { state: Some(state), ..reply(7) }
    };
    for (sent, known) in [(1, None), (2, Some(7))] {
        let mut isolate = Isolate::new();
        let (first, call) = (isolate.renew(1), isolate.renew(sent));
        assert!(isolate.take(&first, 3, strict()));
        assert!(isolate.take(&call, 4, raised()));
        assert_eq!(isolate.known(4), known, "{sent}");
    }
}

/// The time of the last reply with T = 0 lies in the future after the step.
#[test]
fn after_a_clock_step_the_next_reply_says_what_t_is() {
    let mut isolate = Isolate::new();
    isolate.refresh(100_000, Refresh { state: Some(state(0)), ..reply(5) });
    assert_eq!(isolate.need(key('a'), 0), Some(Fetch::Ledger(key('a'))));
    let lookup = Lookup::default();
    let found = isolate.0.find(key('a'), at(0), at(0), &lookup);
    assert_eq!(need(&found), Some(Fetch::Ledger(key('a'))), "T is still 0");
    isolate.refresh(1, reply(6));
    assert_eq!(isolate.known(1), Some(6));
}
