//! Refused requests: counted apart from uses, and by reason.

use claviger_core::replication::refresh::RefusedUses;

use super::*;

fn refused(id: KeyId, reasons: &[(&'static str, u64, i64)]) -> Use {
    let refusals: Vec<RefusedUses> = reasons
        .iter()
        .map(|(reason, count, ms)| RefusedUses {
            reason: (*reason).into(),
            count: *count,
            last_at: UnixMs::from_ms(*ms),
        })
        .collect();
    let denials = refusals.iter().map(|refusal| refusal.count).sum();
    let last_at = reasons.iter().map(|(.., ms)| *ms).max().unwrap();
    Use { refusals, ..once(id, 0, denials, last_at) }
}

fn reasons(view: &KeyView) -> Vec<(&str, u64)> {
    view.refused_24h.iter().map(|(reason, count)| (reason.as_str(), *count)).collect()
}

#[test]
fn refused_requests_are_no_uses_and_are_shown_by_reason() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    let at = START + SECOND;
    world.wait(2 * SECOND);
    send(&world, 1, 1, vec![refused(key.id, &[("expired", 2, at), ("network_denied", 1, START)])]);
    send(&world, 1, 2, vec![refused(key.id, &[("expired", 3, START)])]);
    let view = shown(&world, owner, &key);
    assert_eq!((view.uses_24h, view.last_used_at), (0, None));
    assert_eq!(reasons(&view), [("expired", 5), ("network_denied", 1)]);
    assert_eq!(view.last_refused_at, Some(UnixMs::from_ms(at)));
    assert_eq!(world.page(owner, Listing::default()).keys, [view]);
    assert_eq!(locked_out(&world, owner, key.id, "192.0.2.0/24"), [], "a refused caller is none");
    assert_eq!(sums(&world, &key), (0, 6));
}

/// An edge may know a reason that this release does not, and one of an earlier release gives none.
#[test]
fn refusals_without_a_known_reason_count_as_other_and_never_above_their_number() {
    let (world, owner) = quiet();
    let [new, old, wrong] = [(); 3].map(|()| world.issue(owner, "{}"));
    let exaggerated = Use { denials: 4, ..refused(wrong.id, &[("expired", u64::MAX, START)]) };
    let uses = vec![
        refused(new.id, &[("quota_exceeded", 2, START), ("not_issuable", 1, START)]),
        once(old.id, 3, 4, START),
        exaggerated,
    ];
    send(&world, 1, 1, uses);
    let shown = |key| shown(&world, owner, key);
    assert_eq!(reasons(&shown(&new)), [("not_issuable", 1), ("other", 2)]);
    assert_eq!((reasons(&shown(&old)), shown(&old).uses_24h), (vec![("other", 4)], 3));
    assert_eq!(reasons(&shown(&wrong)), [("expired", 4)]);
    assert_eq!(sums(&world, &wrong), (0, 4));
}

#[test]
fn refusals_of_the_last_day_are_shown_hour_by_hour_and_forgotten() {
    let (world, owner) = quiet();
    let key = world.issue(owner, "{}");
    for hour in 0..30 {
        let now = world.now.get();
        let uses = Use {
            refusals: refused(key.id, &[("expired", 5, now)]).refusals,
            ..once(key.id, 1, 5, now)
        };
        send(&world, 1, hour + 1, vec![uses]);
        world.wait(HOUR);
    }
    let last = UnixMs::from_ms(world.now.get() - HOUR);
    let owner = world.renewed(owner);
    assert_eq!(reasons(&shown(&world, owner, &key)), [("expired", 23 * 5)]);
    world.wait(23 * HOUR);
    let owner = world.renewed(owner);
    let view = shown(&world, owner, &key);
    assert_eq!((reasons(&view), view.last_refused_at), (vec![], Some(last)));
    world.wait(9 * DAY);
    send(&world, 1, 99, vec![from(key.id, vec![caller(1, 1, world.now.get())])]);
    world.write_uses().unwrap();
    while world.next_effect().is_some() {}
    assert_eq!(world.count("usage WHERE refusals <> '{}'"), 0);
}
