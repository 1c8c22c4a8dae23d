//! The freshness protocol, simulated: isolates, a ledger, KV, members and clocks in virtual time,
//! everything drawn from one seed.
//!
//! | module | what |
//! | --- | --- |
//! | [`world`] | isolates and what passes between them, the ledger ([`host`], [`publication`]) and [`kv`] |
//! | [`copies`] | what neighbours share in the [`cache`] of their data centre, and what is done in the background |
//! | [`issuers`], [`issued`] | issuers and what members do to them; what they issue, and what must hold for it |
//! | [`model`] | what must hold, and until when KV served which of the [`documents`] |
//! | [`adversary`] | who writes KV at will |
//! | [`storm`] | what happens by chance; [`meetings`] brings together what seldom meets; [`tally`] counts it |
//! | [`usage`] | uses on their way to the ledger |
//! | [`scenes`] | what chance seldom meets, staged |
//! | [`rotation`] | keys that are regenerated |
//! | [`restore`] | a ledger that is taken back to a bookmark |
//! | [`bugs`] | what goes wrong on purpose, and must be noticed |
//! | [`page`], [`traffic`] | the numbers of `docs/freshness.md` |
//!
//! `npm run simulate -- --seeds N --seed X` runs more of it. A failure names its seed: run that
//! alone with `--seeds 1`.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails loudly, in its helpers too"
)]

mod adversary;
mod bugs;
mod cache;
mod copies;
mod documents;
mod host;
mod issued;
mod issuers;
mod kv;
mod meetings;
mod model;
mod page;
mod publication;
mod requests;
mod restore;
mod rotation;
mod scenes;
#[allow(dead_code, reason = "not every test asks a database all there is to ask")]
mod sql;
mod storm;
mod tally;
mod traffic;
mod usage;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bugs::Sabotage;
use claviger_core::lease::rules::{LeaseRules, ProductionRules};
use tally::Tally;

/// Things that happen in a short run.
const STEPS: u32 = 60;

/// Runs seeds on all processors until one fails. What they did in all, or the first failure that
/// was found.
fn run<R: LeaseRules>(
    first: u64,
    seeds: u64,
    steps: u32,
    sabotage: Sabotage,
) -> Result<Tally, String> {
    run_until::<R>(first, seeds, steps, sabotage, |_| true)
}

/// The same, until one fails in a way that is looked for. Other failures are passed over.
fn run_until<R: LeaseRules>(
    first: u64,
    seeds: u64,
    steps: u32,
    sabotage: Sabotage,
    is_wanted: impl Fn(&str) -> bool + Sync,
) -> Result<Tally, String> {
    let next = AtomicU64::new(first);
    let end = first + seeds;
    let found = Mutex::new(Ok(Tally::default()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let tally = storm::run::<R>(seed, steps, sabotage);
                    let mut all = found.lock().unwrap();
                    match (&mut *all, tally) {
                        (Ok(all), Ok(tally)) => all.add(&tally),
                        (Ok(_), Err(violation)) if is_wanted(&violation) => {
                            *all = Err(violation);
                            next.store(end, Ordering::Relaxed);
                        }
                        (_, Err(_)) | (Err(_), _) => (),
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

#[test]
fn the_promises_hold_in_many_short_runs() {
    let tally = run::<ProductionRules>(0, 1_000, STEPS, Sabotage::None)
        .unwrap_or_else(|violation| panic!("{violation}"));
    println!("{tally:#?}");
    assert!(tally.is_rich(), "too little happened: {tally:#?}");
}

/// S11: whatever happens around it, an old pair is refused within T, and by its overlap's end.
#[test]
fn s11_the_promises_hold_while_keys_are_regenerated() {
    let tally = run::<ProductionRules>(0, 200, STEPS, Sabotage::NoneInRotation)
        .unwrap_or_else(|violation| panic!("{violation}"));
    println!("{tally:#?}");
    assert!(tally.overlaps.min(tally.rotations - tally.overlaps) > 50, "{tally:#?}");
}

/// `SIMULATE_SEEDS` runs from `SIMULATE_SEED` on, each of many more steps; with `SIMULATE_STEPS=60`,
/// those of the short runs.
#[test]
#[ignore = "takes as long as it is told to"]
fn long() {
    let (first, seeds) = (number("SIMULATE_SEED", 0), number("SIMULATE_SEEDS", 1_000));
    let steps = number("SIMULATE_STEPS", u64::from(8 * STEPS)) as u32;
    let tally = run::<ProductionRules>(first, seeds, steps, Sabotage::None);
    println!("{:#?}", tally.unwrap_or_else(|violation| panic!("{violation}")));
}

/// What breaks where KV serves what is older than S, and by how much: of so many seeds, the
/// verdicts, those that came too late, and by how many milliseconds the worst did.
fn too_late(first: u64, seeds: u64, times: i64) -> (u64, usize, i64) {
    let runs = (first..first + seeds).map(|seed| storm::run_late(seed, STEPS, times));
    let (verdicts, late): (Vec<u64>, Vec<Vec<i64>>) = runs.unzip();
    let late = late.concat();
    (verdicts.iter().sum(), late.len(), late.into_iter().max().unwrap_or_default())
}

/// How late has no bound in KV's age: what was read too old stays in a lease for as long as that
/// lives.
#[test]
fn a_kv_as_old_as_s_is_no_danger_and_an_older_one_is() {
    assert_eq!(too_late(0, 20, 1).1, 0, "as old as S is no danger");
    let (verdicts, late, worst_ms) = too_late(0, 250, 3);
    println!("KV up to 3 S old: {late} of {verdicts} verdicts too late, by {worst_ms} ms at most");
    assert!(late > 0);
}

/// `SIMULATE_SEEDS` runs from `SIMULATE_SEED` on, with KV that is staler and staler.
#[test]
#[ignore = "takes as long as it is told to"]
fn stale_kv() {
    let (first, seeds) = (number("SIMULATE_SEED", 0), number("SIMULATE_SEEDS", 1_000));
    for times in [1, 2, 3, 6] {
        let (verdicts, late, worst_ms) = too_late(first, seeds, times);
        println!(
            "KV up to {times} S old: {late} of {verdicts} verdicts too late, by {} s at most",
            worst_ms / 1_000
        );
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// Whether the simulation notices a bug within so many seeds, by breaking one of these promises.
fn notices<R: LeaseRules>(sabotage: Sabotage, promises: &[&str]) {
    let is_wanted = |violation: &str| promises.iter().any(|promise| violation.contains(promise));
    let violation = run_until::<R>(0, SEEDS_PER_BUG, STEPS, sabotage, is_wanted);
    println!("{}", violation.expect_err("nobody noticed"));
}

/// So many runs at most until a bug is found.
const SEEDS_PER_BUG: u64 = 600;

/// One run of a bug, by its seed.
type OneRun = fn(u64) -> Result<Tally, String>;

macro_rules! noticed {
    ($($test:ident: $rules:ty, $sabotage:ident, $promises:expr;)*) => {
        $(#[test]
        fn $test() {
            notices::<$rules>(Sabotage::$sabotage, &$promises);
        })*

        const BUGS: &[(&str, OneRun)] = &[$(
            (stringify!($test), |seed| storm::run::<$rules>(seed, STEPS, Sabotage::$sabotage)),
        )*];
    };
}

/// Prints of how many of the first `SIMULATE_SEEDS` each bug is noticed in, and the first; with
/// `SIMULATE_BUG`, of the bugs that have that in their name.
#[test]
#[ignore = "shows numbers, and asserts nothing"]
fn seeds_that_notice() {
    let (seeds, next) = (number("SIMULATE_SEEDS", 200), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((bug, run)) = BUGS.get(next.fetch_add(1, Ordering::Relaxed) as usize)
                {
                    if std::env::var("SIMULATE_BUG").is_ok_and(|part| !bug.contains(&part)) {
                        continue;
                    }
                    let noticed: Vec<u64> = (0..seeds).filter(|seed| run(*seed).is_err()).collect();
                    println!("{bug}: {} of {seeds}, first {:?}", noticed.len(), noticed.first());
                }
            });
        }
    });
}

noticed! {
    a_reply_that_counts_from_when_it_came_is_noticed: bugs::AsOfReply, NoneInSlowness, ["P1", "P2"];
    a_reply_that_counts_from_its_answer_is_noticed: bugs::AsOfAnswer, NoneInSlowness, ["P1", "P2"];
    a_reply_that_counts_from_halfway_is_noticed: bugs::AsOfMiddle, NoneInSlowness, ["P1", "P2"];
    a_reply_to_an_earlier_call_that_counts_for_the_last_is_noticed: ProductionRules, LastCallAnswered, ["P1", "P2", "order", "own"];
    a_document_that_counts_from_its_arrival_is_noticed: bugs::AsOfReading, NoneInDocuments, ["P1", "P2"];
    a_grace_that_begins_with_each_failure_is_noticed: bugs::GraceRenewed, None, ["P1: a document serves"];
    an_own_change_that_goes_back_is_noticed: bugs::LastChangeCounts, NoneInDocuments, ["own", "order"];
    an_own_change_that_an_older_copy_undoes_is_noticed: bugs::OlderCopyTaken, None, ["own", "order"];
    a_settlement_that_counts_from_sending_is_noticed: ProductionRules, SettledFromSending, ["P1", "P2", "P5"];
    a_put_of_unknown_outcome_that_is_forgotten_is_noticed: ProductionRules, UnsureForgotten, ["P1", "P2", "P5"];
    reading_back_at_once_is_noticed: ProductionRules, ReadBackAtOnce, ["P1", "P2", "P5"];
    networks_of_an_issuer_that_are_ignored_are_noticed: ProductionRules, IssuersNetworksIgnored, ["P1: it may not be used from there"];
    an_issuer_that_begins_and_ends_unheard_is_noticed: ProductionRules, IssuersSpanIgnored, ["P1: its issuer is not valid now"];
    a_batch_that_is_dropped_is_noticed: ProductionRules, BatchesDropped, ["usage"];
    uses_that_die_with_their_lease_are_noticed: ProductionRules, UsesDieWithLeases, ["usage"];
    batches_whose_numbers_begin_again_are_noticed: ProductionRules, IsolatesAlike, ["usage"];
    a_lease_that_serves_too_long_is_noticed: bugs::LongHorizon, None, ["P1", "P2"];
    a_shared_reply_that_counts_from_when_it_is_found_is_noticed: bugs::AsOfFinding, None, ["P1", "P2"];
    changes_that_a_copy_does_not_name_are_noticed: bugs::BaseIgnored, None, ["P1", "P2"];
    a_document_that_goes_back_is_noticed: bugs::LastDocumentCounts, None, ["order"];
    documents_that_are_lost_are_noticed: ProductionRules, DocumentsLost, ["P5"];
    a_generation_that_is_hidden_is_noticed: ProductionRules, GenerationsUntold, ["P1: it has ended", "P2: it is valid"];
    an_end_by_the_cap_that_is_hidden_is_noticed: ProductionRules, CapUntold, ["P1: it has ended", "P2: it is valid"];
    an_issuer_that_was_switched_off_and_on_unheard_is_noticed: ProductionRules, SwitchingUntold, ["P1: it has ended", "P2: it is valid"];
    a_ceiling_that_is_lifted_unheard_is_noticed: ProductionRules, LiftedCeilingsUntold, ["P1: it has ended", "P1: it may not issue"];
    a_ceiling_that_is_lowered_unheard_is_noticed: ProductionRules, LowerCeilingsUntold, ["P1: it may not write"];
    an_edge_that_issues_by_its_lease_is_noticed: bugs::LeaseIssues, NoneOfIssuers, ["P1: it may not issue", "P2: it is valid", "P2: nothing was issued"];
    a_revocation_that_is_hidden_is_noticed: ProductionRules, RevocationsUntold, ["P1: it has ended"];
    histories_that_are_mixed_are_noticed: bugs::EpochIgnored, None, ["P1", "P2"];
    records_that_survive_their_lease_are_noticed: bugs::RecordsSurvive, None, ["P1", "P2"];
    negatives_that_survive_their_lease_are_noticed: bugs::NegativesSurvive, None, ["P2"];
    an_overflow_that_counts_for_nothing_is_noticed: bugs::OverflowForgotten, None, ["P1", "P2", "own"];
    an_old_record_that_stays_is_noticed: bugs::FirstWordCounts, None, ["P1", "P2", "order"];
    unsettled_keys_that_are_not_named_are_noticed: ProductionRules, SettledAtOnce, ["P1", "P2"];
    changes_that_are_not_named_are_noticed: ProductionRules, ChangesUntold, ["P1", "P2"];
    a_suspension_that_is_hidden_is_noticed: ProductionRules, StateUntold, ["P1", "P2"];
    mfa_that_is_turned_off_unheard_is_noticed: ProductionRules, MfaUntold, ["P1"];
    a_record_that_names_no_member_is_noticed: ProductionRules, MembersUntold, ["P1"];
    a_word_that_is_dropped_for_an_equal_one_is_noticed: bugs::LastWordCounts, None, ["P4", "order"];
    tags_that_are_not_checked_are_noticed: ProductionRules, TagsUnchecked, ["P3"];
    grace_that_nobody_announced_is_noticed: ProductionRules, GraceUnannounced, ["P1", "P2"];
    puts_that_land_twice_are_noticed: ProductionRules, PutsTwice, ["P1", "P2", "P5"];
    reading_back_without_reading_is_noticed: ProductionRules, BlindReadBack, ["P1", "P2", "P5"];
    a_tombstone_that_is_removed_is_noticed: ProductionRules, DeletedRemoved, ["P5"];
    a_kv_older_than_s_is_noticed: ProductionRules, KvBeyondS, ["P1", "P2", "P5"];
    values_in_kv_without_a_proof_are_noticed: ProductionRules, MacsUnchecked, ["P1", "P2", "order"];
    a_record_that_is_put_back_is_noticed: bugs::SupersededRead, Attacked, ["P1", "P2"];
    uses_that_are_counted_twice_are_noticed: ProductionRules, FreshSequences, ["usage"];
}
