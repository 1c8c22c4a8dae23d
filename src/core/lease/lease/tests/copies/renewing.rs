//! Tests the next step of a background refresh, after a document was read.

use super::*;

fn next(isolate: &mut Isolate, ms: i64, lookup: &Lookup) -> Option<RenewalStep> {
    isolate.0.renewal_step(account(), at(ms), lookup)
}

#[test]
fn an_older_document_lets_an_eventual_lease_go_on_and_no_other() {
    let older = || Some(document(9, 0, reply(5)));
    let mut isolate = eventual();
    isolate.look(0, 0, Some(document(10, 0, reply(7))));
    let lookup = isolate.look(1, 1, older());
    assert_eq!(next(&mut isolate, 1, &lookup), None, "one read is enough");
    let lookup = isolate.look(S, S, older());
    assert_eq!(next(&mut isolate, S, &lookup), Some(RenewalStep::Refresh), "there is no lease");
    let mut isolate = graceful(30);
    isolate.fail(0);
    isolate.look(0, 0, Some(document(10, 0, reply(7))));
    let lookup = isolate.look(1, 1, older());
    assert_eq!(next(&mut isolate, 1, &lookup), Some(RenewalStep::Refresh), "it is bounded");
}

#[test]
fn in_grace_a_lease_that_rests_on_a_document_looks_for_a_newer_one() {
    let mut isolate = graceful(30);
    isolate.fail(0);
    isolate.look(0, 0, Some(document(9, 0, reply(5))));
    let mut failed = isolate.fail(1_000);
    let look = Some(RenewalStep::Copy(CopySource::Kv));
    assert_eq!(next(&mut isolate, 1_000, &failed), look);
    let read = isolate.0.ask_copy_in_background(account(), CopySource::Kv, at(1_000));
    isolate.0.take_document(&read, None, at(1_000), Some(&mut failed));
    assert_eq!(next(&mut isolate, 1_000, &failed), None, "it has looked");
    let failed = isolate.fail(30_000);
    assert_eq!(next(&mut isolate, 30_000, &failed), look);
    assert_eq!(next(&mut isolate, 30_001, &failed), None, "the grace is over");
    // A lease that rests on a ledger's reply is better than any document.
    let mut isolate = graceful(30);
    isolate.refresh(0, reply(5));
    let failed = isolate.fail(1);
    assert_eq!(next(&mut isolate, 1, &failed), None);
}
