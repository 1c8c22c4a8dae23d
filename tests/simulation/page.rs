//! The numbers of `docs/freshness.md`: the leases of the edge under requests that come by chance (a
//! Poisson process), with a ledger that always answers after the same time, KV that holds every key
//! and the lease document, and caches of data centres. Everything is drawn from one seed, so that
//! the page can be compared with what this says; `npm run simulate -- --page` writes it anew.

use std::fmt::Write;
use std::fs;

use claviger_core::base::id::KeyId;
use claviger_core::lease::rules::ProductionRules;
use claviger_core::replication::refresh::{RefreshRequest, UsageBatch, Use};

use crate::host::at;
use crate::traffic::{Count, Mode, Traffic};
use crate::world::World;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/freshness.md");

/// What a ledger's object is said to take, in calls a second: the platform's soft limit.
const CALLS_PER_S_MAX: f64 = 1_000.0;

/// Dollars per million.
const KV_READS: f64 = 0.50;
const CALLS: f64 = 0.15;
const ROWS: f64 = 1.00;
const GB_S: f64 = 12.50;

/// An object's memory as it is billed, and how long it runs for a call: locally a call takes less
/// than half a millisecond in all.
const OBJECT_GB: f64 = 0.128;
const CALL_S: f64 = 0.010;

/// Of requests that come at `rate` a second, those that find a lease older than `t` seconds.
fn waiting(rate: f64, t: f64) -> f64 {
    let a = rate * t;
    4.0 * ((-a / 4.0).exp() - (-a / 2.0).exp()) / a / (1.0 + 5.0 * a / 8.0)
}

/// Refreshes a second of one isolate.
fn refreshing(rate: f64, t: f64) -> f64 {
    rate / (1.0 + 5.0 * rate * t / 8.0)
}

/// One isolate that serves one key.
fn alone(rate: f64, t: f64) -> Count {
    let requests = (rate * t * 25.0).clamp(8_000.0, 100_000.0) as usize;
    Traffic { rate, t, before: requests / 10, requests, ..Traffic::one() }.run()
}

fn percent(share: f64) -> String {
    match 100.0 * share {
        percent if percent >= 9.95 => format!("{percent:.0} %"),
        percent if percent >= 0.05 => format!("{percent:.1} %"),
        percent if percent > 0.0 => "< 0.1 %".to_owned(),
        _ => "0 %".to_owned(),
    }
}

fn number(value: f64) -> String {
    match value {
        _ if value >= 99.5 => format!("{value:.0}"),
        _ if value >= 9.95 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn row(text: &mut String, cells: &[String]) {
    writeln!(text, "| {} |", cells.join(" | ")).unwrap();
}

fn head(cells: &[&str]) -> String {
    format!("| {} |\n|{}\n", cells.join(" | "), " --- |".repeat(cells.len()))
}

/// How many requests wait, by rate and T.
fn waits() -> String {
    let mut text = head(&["requests a second", "T = 1 s", "T = 10 s", "T = 60 s"]);
    for rate in [0.01, 0.1, 0.3, 1.0, 3.0] {
        let mut cells = vec![format!("{rate}")];
        for t in [1.0, 10.0, 60.0] {
            let (measured, derived) = (alone(rate, t).waiting(), waiting(rate, t));
            let error = (derived * (1.0 - derived) / 8_000.0).sqrt();
            assert!((measured - derived).abs() < 5.0 * error + 0.02 * derived + 1e-4, "{rate} {t}");
            cells.push(format!("{} ({})", percent(measured), percent(derived)));
        }
        row(&mut text, &cells);
    }
    text
}

/// Calls and waits of an account whose requests are spread over isolates, at the usual T.
fn spread() -> String {
    let mut text =
        head(&["requests a second", "1 isolate", "10 isolates", "100 isolates", "1,000 isolates"]);
    for rate in [1.0, 10.0, 100.0, 1_000.0] {
        let mut cells = vec![grouped(rate as u64)];
        for isolates in [1.0, 10.0, 100.0, 1_000.0] {
            let each = alone(rate / isolates, 10.0);
            let (calls, derived) = (each.per_s(each.calls), refreshing(rate / isolates, 10.0));
            assert!(
                (calls - derived).abs() < 0.05 * derived,
                "{rate} {isolates}: {calls} {derived}"
            );
            cells.push(format!("{}/s, {} wait", number(calls * isolates), percent(each.waiting())));
        }
        row(&mut text, &cells);
    }
    text
}

/// What one ledger can carry.
fn saturation() -> String {
    let mut text = head(&["T", "busy isolates at which one ledger is at its limit"]);
    for t in [1.0, 5.0, 10.0, 60.0] {
        row(&mut text, &[format!("{t} s"), grouped((CALLS_PER_S_MAX * 5.0 * t / 8.0) as u64)]);
    }
    text
}

/// Data centres with isolates that serve 20 keys.
const WORLDWIDE: Traffic = Traffic {
    rate: 1.0,
    data_centres: 20,
    isolates: 10,
    is_cold: false,
    keys: 20,
    t: 10.0,
    mode: Mode::Bounded,
    is_flushing: true,
    before: 2_000,
    requests: 20_000,
};

/// So many requests that each isolate has seen each key before they are counted. They are counted
/// for a minute: in that each isolate has told of uses.
const BUSY: Traffic = Traffic { rate: 1_000.0, before: 30_000, requests: 60_000, ..WORLDWIDE };

/// What it saves that the isolates of a data centre share a refresh.
fn sharing() -> String {
    let mut text = head(&[
        "requests a second",
        "each isolate for itself",
        "shared in the data centre",
        "of these, to report usage",
        "one isolate a data centre, by formula",
    ]);
    let data_centres = WORLDWIDE.data_centres as f64;
    for traffic in
        [1.0, 10.0, 100.0].map(|rate| Traffic { rate, ..WORLDWIDE }).into_iter().chain([BUSY])
    {
        let [alone, shared] =
            [Mode::Bounded, Mode::Shared].map(|mode| Traffic { mode, ..traffic }.run());
        let cell = |calls, waits| format!("{}/s, {} wait", number(calls), percent(waits));
        let rate = traffic.rate / data_centres;
        row(
            &mut text,
            &[
                grouped(traffic.rate as u64),
                cell(alone.per_s(alone.calls), alone.waiting()),
                cell(shared.per_s(shared.calls), shared.waiting()),
                format!("{}/s", number(shared.per_s(shared.reports))),
                cell(data_centres * refreshing(rate, 10.0), waiting(rate, 10.0)),
            ],
        );
    }
    text
}

/// What a million verifications cost: operations, and dollars.
fn money() -> String {
    let mut text = head(&[
        "a million verifications",
        "KV reads",
        "ledger calls",
        "rows written",
        "to decide",
        "to count uses",
    ]);
    let modes = [
        ("`bounded`", Mode::Bounded),
        ("`bounded`, shared", Mode::Shared),
        ("`eventual`", Mode::Eventual),
    ];
    let kv = Count { requests: 1, kv_reads: 1, ..Count::default() };
    price(&mut text, "KV on every request", &kv);
    let cold =
        Traffic { data_centres: 1, is_cold: true, before: 200, requests: 2_000, ..WORLDWIDE };
    for (kind, traffic) in [("cold", cold), ("thin", WORLDWIDE), ("busy", BUSY)] {
        for (name, mode) in modes {
            price(&mut text, &format!("{kind}, {name}"), &Traffic { mode, ..traffic }.run());
        }
    }
    text
}

fn price(text: &mut String, name: &str, count: &Count) {
    let [kv_reads, calls, reports, rings, rows] =
        [count.kv_reads, count.calls, count.reports, count.rings, count.rows]
            .map(|of| count.per_request(of));
    let call = CALLS + GB_S * OBJECT_GB * CALL_S;
    let (decide, tell) =
        (kv_reads * KV_READS + (calls - reports) * call, (reports + rings) * call + rows * ROWS);
    let of_a_million = |share: f64| grouped((1e6 * share).round() as u64);
    let counts = [kv_reads, calls, rows].map(of_a_million);
    row(text, &[&[name.to_owned()], &counts[..], &[dollars(decide), dollars(tell)]].concat());
}

/// A whole number, with commas.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

fn dollars(value: f64) -> String {
    if value > 0.0 && value < 0.0995 { format!("${value:.3}") } else { format!("${value:.2}") }
}

/// What prints a table.
type Table = fn() -> String;

/// The page with its tables made anew.
fn renewed(page: &str) -> String {
    let tables: [(&str, Table); 5] = [
        ("waits", waits),
        ("spread", spread),
        ("saturation", saturation),
        ("sharing", sharing),
        ("money", money),
    ];
    let mut page = page.to_owned();
    for (name, table) in tables {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let from = page.find(&begin).unwrap_or_else(|| panic!("no table {name}")) + begin.len();
        let to =
            from + page[from..].find(&end).unwrap_or_else(|| panic!("table {name} does not end"));
        page.replace_range(from..to, &table());
    }
    page
}

#[test]
fn the_page_says_what_is_measured() {
    let page = fs::read_to_string(PAGE).unwrap();
    let renewed = renewed(&page);
    let differs = page.lines().zip(renewed.lines()).find(|(is, ought)| is != ought);
    assert_eq!(differs, None, "write it anew: npm run simulate -- --page");
    assert_eq!(page.lines().count(), renewed.lines().count());
}

/// Refreshes write nothing; what they told is written with a row for each isolate that told of
/// uses, and one for each key that was used.
#[test]
fn uses_are_written_in_as_many_rows_as_is_said() {
    let mut world = World::<ProductionRules>::stage();
    world.host.crashes = 0;
    let mut new_key = || {
        let key = world.new_key().unwrap();
        world.model.keys[key].text.id()
    };
    let keys = [new_key(), new_key(), new_key()];
    let of = |id: KeyId| Use {
        id,
        count: 1,
        denials: 0,
        last_at: at(world.now),
        addresses: Vec::new(),
        callers: Vec::new(),
        refusals: Vec::new(),
    };
    let uses = vec![of(keys[0]), of(keys[1])];
    let mut written = |reports: &[(u64, &[KeyId])]| {
        let before = world.host.sql.written();
        for (sequence, ask) in reports {
            let sequence = *sequence;
            let batch = || UsageBatch {
                isolate: sequence % 2,
                sequence,
                uses: uses.clone(),
                service: None,
            };
            let usage = (sequence > 0).then(batch);
            let request = RefreshRequest { ask: ask.to_vec(), usage, ..RefreshRequest::default() };
            world.host.refresh(&request, &mut world.rng, world.now).unwrap();
        }
        assert_eq!(world.host.sql.written(), before);
        world.host.ledger().write_uses(at(world.now)).unwrap();
        world.host.sql.written() - before
    };
    assert_eq!(
        written(&[(1, &keys), (3, &keys), (5, &[])]),
        1 + 3 + 3 + 1,
        "the first of all also owes a sweep, and each key's own row has its first use"
    );
    assert_eq!(written(&[(6, &keys[2..]), (7, &[]), (8, &[])]), 2 + 3);
    assert_eq!(written(&[(9, &keys[..1])]), 1 + 2);
    assert_eq!(written(&[(0, &keys[..1]), (0, &keys[..1])]), 1);
    assert_eq!(written(&[(0, &[])]), 0);
}

#[test]
#[ignore = "writes the page"]
fn write_page() {
    let page = renewed(&fs::read_to_string(PAGE).unwrap());
    fs::write(PAGE, &page).unwrap();
    println!("{page}");
}
