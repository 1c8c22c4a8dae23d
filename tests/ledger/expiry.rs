//! Expiries that the ledger reads in its account's zone.

use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_core::base::time::UnixMs;
use claviger_core::replication::edge_call::ReadExpiry;
use claviger_core::replication::record::Revision;

use crate::world::World;

/// The rows of `a16_to_a19_every_form_of_epi` in the core that need a calendar: the edge hands them
/// on as they are.
#[test]
fn a16_to_a19_the_ledger_reads_dates_in_its_account_s_zone() {
    let (world, _) = World::open();
    // 14:05 in Tokyo.
    let at = UnixMs::parse_rfc3339("2026-11-22T05:05:00Z").unwrap();
    world.now.set(at.as_ms());
    let applies = world.sql.applies();
    let read = |text: &str| match world
        .handle(LedgerRequest::ReadExpiry(ReadExpiry { text: text.into(), at }))
        .unwrap()
    {
        LedgerReply::Expiry { expires } => {
            expires.at().map_or("never".into(), |at| at.to_rfc3339().unwrap())
        }
        LedgerReply::ExpiryRefused { error } => error.code().to_owned(),
        other => panic!("{text}: {other:?}"),
    };
    for (text, expected) in [
        ("2027/06/30", "2027-06-30T15:00:00.000Z"),
        ("2027-06-30", "2027-06-30T15:00:00.000Z"),
        ("2027/07/00", "2027-06-30T15:00:00.000Z"),
        ("2027/06/30 12:00:00", "2027-06-30T03:00:00.000Z"),
        ("2027-06-30T12:00:00.250", "2027-06-30T03:00:00.250Z"),
        ("2027/06/30 12:00:00Z", "2027-06-30T12:00:00.000Z"),
        ("2027/06/30 12:00:00 Z", "2027-06-30T12:00:00.000Z"),
        ("2027/06/30 12:00:00+0900", "2027-06-30T03:00:00.000Z"),
        ("2027/06/30 12:00:00 +09:00", "2027-06-30T03:00:00.000Z"),
        ("2027/06/30T12:00:00-09", "2027-06-30T21:00:00.000Z"),
        ("2021/06/30", "in_the_past"),
        ("2026-11-22T05:05:00Z", "in_the_past"),
        ("2027/02/30", "no_such_day"),
        ("2027/13/01", "no_such_day"),
        ("2027/06/30 24:00:00", "no_such_time"),
        // What an edge reads by itself means the same here.
        ("5m", "2026-11-22T05:10:00.000Z"),
        ("never", "never"),
        ("soon", "not_a_time"),
        ("", "empty"),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
    assert_eq!(world.sql.applies(), applies, "reading writes nothing");
    let zone = "UPDATE account SET zone = 'America/New_York'";
    world.sql.apply(&[Statement::new(zone)]).unwrap();
    assert_eq!(read("2027-06-30"), "2027-07-01T04:00:00.000Z");
    let never_opened = World::empty();
    let request = LedgerRequest::ReadExpiry(ReadExpiry { text: "2027-06-30".into(), at });
    assert_eq!(never_opened.handle(request), Ok(LedgerReply::Gone));
}

/// The edge works with instants: what it reads of the account's zone its ledger reads for it.
#[test]
fn leases_are_told_no_zone() {
    let (world, _) = World::open();
    assert!(!serde_json::to_string(&world.cold()).unwrap().contains("zone"));
    assert_eq!(world.cold().revision, Revision(0));
}
