use claviger_core::credential::limits::network::ClientAddress;

use super::*;
use crate::objects::sql::sqlite::{Fault, Sqlite};
use crate::protocol::account::Email;
use crate::protocol::tries::Tries;

const START: i64 = 1_800_000_000_000;
const HOUR_MS: i64 = 3_600_000;

/// One object, and the time.
struct World {
    sql: Sqlite,
    now: i64,
}

impl World {
    fn new() -> Self {
        Self { sql: Sqlite::new(), now: START }
    }

    fn ask(&self, request: AddressRequest) -> AddressReply {
        let now = UnixMs::from_ms(self.now);
        Address::new(&self.sql).handle(request, now, &Entropy([0; 32])).unwrap()
    }

    /// Counts a try from an address. All are in one object here.
    fn count(&self, address: &str) -> AddressReply {
        self.ask(AddressRequest::Count { counters: by(address).counters })
    }

    fn succeed(&self, address: &str) {
        let counter = by(address).own().unwrap().clone();
        assert_eq!(self.ask(AddressRequest::Succeeded { counter }), AddressReply::Counted);
    }

    fn count_at(&self, name: &str, address: &str) -> AddressReply {
        self.ask(AddressRequest::Count { counters: at(name, address).counters })
    }

    fn succeed_at(&self, name: &str, address: &str) {
        let counter = at(name, address).own().unwrap().clone();
        self.ask(AddressRequest::Succeeded { counter });
    }

    /// Returns how many of `tries` tries are counted.
    fn counted(&self, tries: u32, mut count: impl FnMut(u32) -> AddressReply) -> u32 {
        let counted = (0..tries).filter(|n| count(*n) == AddressReply::Counted).count();
        u32::try_from(counted).unwrap()
    }

    fn sweep(&self) {
        let now = UnixMs::from_ms(self.now);
        assert_eq!(Address::new(&self.sql).next_effect(now), Ok(None));
    }

    fn due(&self) -> Option<i64> {
        Address::new(&self.sql).next_due().unwrap().map(UnixMs::as_ms)
    }

    fn is_spent(&self) -> bool {
        Address::new(&self.sql).is_spent().unwrap()
    }
}

fn by(address: &str) -> Tries {
    Tries::by_address(ClientAddress::parse(address))
}

fn at(name: &str, address: &str) -> Tries {
    Tries::at_name(&Email::parse(name).unwrap(), ClientAddress::parse(address))
}

const MEI: &str = "mei@example.jp";

#[test]
fn a_thousand_tries_of_a_block_at_once_are_three_hundred() {
    let mut world = World::new();
    assert_eq!(world.counted(1_000, |_| world.count("203.0.113.7")), 300);
    let until = UnixMs::from_ms(START + HOUR_MS);
    world.now += HOUR_MS - 1;
    assert_eq!(world.count("203.0.113.8"), AddressReply::TooMany { until });
    assert_eq!(world.count("203.0.114.8"), AddressReply::Counted, "the next block");
    world.now += 1;
    assert_eq!(world.count("203.0.113.8"), AddressReply::Counted);
}

#[test]
fn many_64_of_a_56_and_many_56_of_a_48_share_a_budget() {
    let world = World::new();
    let home = |n| world.count(&format!("2001:db8:1:{:x}::1", n % 256));
    assert_eq!(world.counted(2_000, home), 600, "256 blocks of one /56");
    // The rest of the /48: each /56 anew.
    let company = |n| world.count(&format!("2001:db8:1:{:x}::1", 0x100 * (1 + n % 200)));
    assert_eq!(world.counted(2_000, company), 300, "900 in all");
    assert_eq!(world.count("2001:db8:2::1"), AddressReply::Counted, "another /48");
}

#[test]
fn a_shard_has_a_sum_that_restricts_only_blocks_without_a_recent_success() {
    let mut world = World::new();
    world.count("198.51.100.7");
    world.succeed("198.51.100.7");
    let sum = SUM_TRIES.tries_max;
    let many = |n: u32| world.count(&format!("10.{}.{}.1", n / 256, n % 256));
    assert_eq!(world.counted(sum + 500, many), sum - 1, "the first one counted, too");
    let until = UnixMs::from_ms(START + HOUR_MS);
    assert_eq!(world.count("192.0.2.7"), AddressReply::TooMany { until });
    assert_eq!(world.count("198.51.100.99"), AddressReply::Counted, "somebody signed in there");
    // Rows are bounded: one for each try that counted, and the sum.
    let rows = u32::try_from(world.sql.dump("counter").lines().count()).unwrap();
    assert_eq!(rows, sum + 1);
    // What a success exempts from is the wider counters, not its block's own.
    assert_eq!(world.counted(1_000, |_| world.count("198.51.100.7")), 298);
    world.now += HOUR_MS;
    assert_eq!(world.count("192.0.2.7"), AddressReply::Counted);
}

#[test]
fn a_success_exempts_for_thirty_days() {
    for (later_ms, is_trusted) in [(TRUST_MS - 1, true), (TRUST_MS, false)] {
        let mut world = World::new();
        world.count("198.51.100.7");
        world.succeed("198.51.100.7");
        world.now += i64::try_from(later_ms).unwrap();
        let many = |n: u32| world.count(&format!("10.{}.{}.1", n / 256, n % 256));
        world.counted(SUM_TRIES.tries_max, many);
        assert_eq!(world.count("198.51.100.7") == AddressReply::Counted, is_trusted, "{later_ms}");
    }
}

#[test]
fn the_last_success_counts_and_lengthens_no_window() {
    let day = 24 * HOUR_MS;
    let mut world = World::new();
    assert_eq!(world.counted(300, |_| world.count("203.0.113.7")), 300);
    world.now += HOUR_MS / 2;
    world.succeed("203.0.113.7");
    world.now += HOUR_MS / 2;
    assert_eq!(world.count("203.0.113.7"), AddressReply::Counted, "the hour is over");
    world.now += 20 * day;
    world.succeed("203.0.113.7");
    world.now += 20 * day;
    let many = |n: u32| world.count(&format!("10.{}.{}.1", n / 256, n % 256));
    world.counted(SUM_TRIES.tries_max, many);
    assert_eq!(world.count("203.0.113.7"), AddressReply::Counted, "of 20 days ago");
}

#[test]
fn a_success_does_not_give_a_block_its_tries_back() {
    let world = World::new();
    assert_eq!(world.counted(299, |_| world.count("203.0.113.7")), 299);
    world.succeed("203.0.113.7");
    assert_eq!(world.counted(10, |_| world.count("203.0.113.7")), 1);
}

#[test]
fn a_block_has_ten_tries_at_a_name_in_a_quarter_of_an_hour() {
    let mut world = World::new();
    assert_eq!(world.counted(1_000, |_| world.count_at(MEI, "203.0.113.7")), 10);
    let until = UnixMs::from_ms(START + 900_000);
    assert_eq!(world.count_at(MEI, "203.0.113.8"), AddressReply::TooMany { until });
    assert_eq!(world.count_at(MEI, "198.51.100.7"), AddressReply::Counted);
    assert_eq!(world.count_at("ken@example.jp", "203.0.113.8"), AddressReply::Counted);
    world.now += 900_000;
    assert_eq!(world.count_at(MEI, "203.0.113.8"), AddressReply::Counted);
}

#[test]
fn a_right_password_starts_its_block_anew_at_that_name() {
    let world = World::new();
    for _ in 0..5 {
        assert_eq!(world.counted(9, |_| world.count_at(MEI, "203.0.113.7")), 9);
        world.succeed_at(MEI, "203.0.113.7");
    }
}

#[test]
fn many_blocks_share_a_budget_at_a_name_that_does_not_shut_the_member_out() {
    let world = World::new();
    world.count_at(MEI, "198.51.100.7");
    world.succeed_at(MEI, "198.51.100.7");
    let many = |n: u32| world.count_at(MEI, &format!("10.0.{}.1", n % 256));
    assert_eq!(world.counted(1_000, many), NAME_TRIES.tries_max - 1);
    assert!(matches!(world.count_at(MEI, "192.0.2.1"), AddressReply::TooMany { .. }));
    assert_eq!(world.count_at(MEI, "198.51.100.8"), AddressReply::Counted);
    assert_eq!(world.count_at("ken@example.jp", "192.0.2.1"), AddressReply::Counted);
}

#[test]
fn a_refused_try_writes_nothing_and_what_is_over_goes() {
    let mut world = World::new();
    assert!(world.is_spent());
    world.counted(300, |_| world.count("203.0.113.7"));
    let applies = world.sql.applies();
    world.count("203.0.113.7");
    assert_eq!(world.sql.applies(), applies);
    assert_eq!(world.due(), Some(START + HOUR_MS));
    assert!(!world.is_spent());
    world.now += HOUR_MS;
    world.sweep();
    assert_eq!((world.due(), world.sql.dump("counter")), (None, String::new()));
    assert!(world.is_spent());
}

#[test]
fn the_alarm_rings_when_something_is_over_and_not_each_hour_of_a_month() {
    let mut world = World::new();
    world.count_at(MEI, "203.0.113.7");
    world.succeed_at(MEI, "203.0.113.7");
    let mut rings = 0;
    while let Some(due) = world.due() {
        world.now = due;
        rings += 1;
        world.sweep();
    }
    let month = i64::try_from(TRUST_MS).unwrap();
    assert_eq!((rings, world.now - START), (2, month), "the hour's end, and the trust's");
    assert_eq!(world.sql.dump("counter"), "");
    assert!(world.is_spent());
}

/// An object has the counters of many blocks, whose windows end at different times.
#[test]
fn two_sweeps_are_a_quarter_of_an_hour_apart() {
    let mut world = World::new();
    world.count("203.0.113.7");
    world.now += 60_000;
    world.count("198.51.100.7");
    world.now = START + HOUR_MS;
    world.sweep();
    assert_eq!(world.due(), Some(START + HOUR_MS + HOUR_MS / 4));
}

#[test]
fn a_window_that_was_renewed_before_the_sweep_is_kept() {
    let mut world = World::new();
    world.count("203.0.113.7");
    world.now += HOUR_MS;
    world.count("203.0.113.7");
    world.sweep();
    assert_eq!(world.due(), Some(START + 2 * HOUR_MS));
    assert!(!world.is_spent());
}

#[test]
fn a_try_that_cannot_be_counted_is_not_let_through() {
    for (fault, tries) in [(Fault::BeforeItLands, 1), (Fault::ReplyLost, 2)] {
        let world = World::new();
        world.count("198.51.100.7");
        world.sql.break_apply(1, fault);
        let request = AddressRequest::Count { counters: by("203.0.113.7").counters };
        let now = UnixMs::from_ms(START);
        assert!(Address::new(&world.sql).handle(request, now, &Entropy([0; 32])).is_err());
        assert_eq!(world.count("203.0.113.7"), AddressReply::Counted);
        let block = by("203.0.113.7").own().unwrap().of.clone();
        let stored = Address::new(&world.sql).read(&block).unwrap().unwrap();
        assert_eq!(stored.window.tries, tries);
    }
}

#[test]
fn an_object_of_an_earlier_release_counts_on_and_goes_when_its_window_is_over() {
    let mut world = World::new();
    migrate(&world.sql, &MIGRATIONS[..1], UnixMs::from_ms(START)).unwrap();
    let row = Statement::new("INSERT INTO tries (one, since_ms, tries) VALUES (1, ?, 300)");
    world
        .sql
        .apply(&[row.bind(UnixMs::from_ms(START)), sweep_by(UnixMs::from_ms(START + 5))])
        .unwrap();
    let count = || world.ask(AddressRequest::Count { counters: Vec::new() });
    assert_eq!(world.counted(400, |_| count()), 300, "an earlier admin Worker names no counter");
    world.now += 2 * HOUR_MS;
    world.sweep();
    assert!(world.is_spent());
    assert_eq!((world.sql.dump("tries"), world.sql.dump("counter")), Default::default());
}

#[test]
fn a_link_or_a_person_mails_ten_codes_an_hour() {
    let mut world = World::new();
    let mei = Email::parse("mei@example.jp").unwrap();
    let count = |world: &World| {
        let counters = Tries::codes_of_person(&mei).counters;
        world.ask(AddressRequest::Count { counters })
    };
    assert_eq!(world.counted(20, |_| count(&world)), 10);
    assert_eq!(count(&world), AddressReply::TooMany { until: UnixMs::from_ms(START + HOUR_MS) });
    // They are no tries at the password of this person.
    assert_eq!(world.count_at("mei@example.jp", "203.0.113.7"), AddressReply::Counted);
    world.now += HOUR_MS;
    assert_eq!(world.counted(20, |_| count(&world)), 10);
}

/// One try at an API user: the counters of one kind, and how the try ends.
impl World {
    fn api(&self, tries: &Tries, ends: Option<bool>) -> AddressReply {
        let counters = tries.counters.clone();
        let reply = self.ask(AddressRequest::Count { counters: counters.clone() });
        let counted = match reply {
            AddressReply::Counted => counters,
            AddressReply::CountedAlone => {
                counters.into_iter().filter(|one| !one.limit.exempts_trusted()).collect()
            }
            other => return other,
        };
        if let Some(succeeded) = ends {
            self.ask(AddressRequest::Returned { counters: counted, succeeded });
        }
        reply
    }
}

fn api_at(address: &str) -> Tries {
    let name = claviger_core::credential::api_user::ApiUserName::parse("app@example.com").unwrap();
    Tries::api_at_name(&name, ClientAddress::parse(address))
}

/// Machines sign in by the thousand, and none of them uses up what stops a guesser.
#[test]
fn right_secrets_of_api_users_consume_nothing_and_wrong_ones_are_bounded() {
    let world = World::new();
    let office = api_at("203.0.113.7");
    assert_eq!(world.api(&office, Some(true)), AddressReply::Counted);
    for _ in 0..5_000 {
        assert_eq!(world.api(&office, Some(true)), AddressReply::CountedAlone);
    }
    // Right ones in between give nobody a wrong one more.
    let mut wrong = 0;
    while !matches!(world.api(&office, None), AddressReply::TooMany { .. }) {
        wrong += 1;
        if wrong < 50 {
            assert_eq!(world.api(&office, Some(true)), AddressReply::CountedAlone);
        }
    }
    assert_eq!(wrong, 50);
    let by_address = Tries::api_by_address(ClientAddress::parse("203.0.113.7"));
    let wrong = (0..10_000).take_while(|_| world.api(&by_address, None) == AddressReply::Counted);
    assert_eq!(wrong.count(), 600);
}

/// Many addresses guess, and a block with a right secret stays.
#[test]
fn a_block_with_a_right_secret_is_exempt_from_the_limit_of_the_name() {
    let world = World::new();
    assert_eq!(world.api(&api_at("203.0.113.7"), Some(true)), AddressReply::Counted);
    let wrong = (0..=255)
        .filter(|n| world.api(&api_at(&format!("198.51.{n}.1")), None) == AddressReply::Counted);
    assert_eq!(wrong.count(), 200);
    assert!(matches!(world.api(&api_at("192.0.2.1"), None), AddressReply::TooMany { .. }));
    assert_eq!(world.api(&api_at("203.0.113.99"), Some(true)), AddressReply::CountedAlone);
}

/// A try that another counter refuses afterwards was no try.
#[test]
fn a_try_that_was_not_checked_is_given_back_and_exempts_nobody() {
    let world = World::new();
    for _ in 0..2_000 {
        let reply = world.api(&api_at("203.0.113.7"), Some(false));
        assert_eq!(reply, AddressReply::Counted);
    }
}

/// The caller derives from the reply which counters counted a try. If it named another one, that
/// one would let a wrong secret more through.
#[test]
fn a_try_of_a_trusted_block_is_given_back_to_the_counters_that_counted_it() {
    let client = ClientAddress::parse("2001:db8:1:2345:6::7");
    let name = claviger_core::credential::api_user::ApiUserName::parse("app@example.com").unwrap();
    let account = claviger_core::testing::account();
    let [sum, at_name] = Tries::api_of_mail_server(account, &name, client);
    for (tries, trusted) in [
        (Tries::api_by_address(client), AddressReply::CountedAlone),
        (Tries::api_at_name(&name, client), AddressReply::CountedAlone),
        (at_name, AddressReply::CountedAlone),
        (sum, AddressReply::Counted),
    ] {
        let world = World::new();
        // Wrong ones first, so that every counter has something to lose.
        assert_eq!(world.api(&tries, None), AddressReply::Counted);
        assert_eq!(world.api(&tries, Some(true)), AddressReply::Counted);
        let before = world.sql.dump("counter");
        for succeeded in [true, false] {
            assert_eq!(world.api(&tries, Some(succeeded)), trusted);
            assert_eq!(world.sql.dump("counter"), before, "{tries:?}");
        }
        assert_eq!(world.api(&tries, None), trusted);
        assert_ne!(world.sql.dump("counter"), before);
    }
}
