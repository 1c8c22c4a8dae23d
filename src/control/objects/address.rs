//! The address object: counts tries at secrets that people choose. Sign-in, step-up, set-up links
//! and checks of API users' secrets count as tries.
//!
//! Its instances are shards ([`crate::protocol::tries`]), some by address and some by name. An
//! instance of an earlier release counts one block, in the table `tries`.
//!
//! - A try counts in all of its counters, or in none: a refused try writes nothing.
//! - A counter with a success in the last [`TRUST_MS`] exempts its tries from the wider counters
//!   ([`TryLimit::exempts_trusted`]). So an attacker with many addresses cannot lock out people who
//!   signed in where they are.
//! - The sum bounds the rows: at most [`SUM_TRIES`] tries an hour write new ones, and a sweep
//!   removes rows that have no effect any more.
//! - A browser with a mark and a session have counters of their own, in which no other limit
//!   counts. Only who signed in before can have one, so that a stranger can use up none of them.

use claviger_core::base::time::{DurationMs, UnixMs};

use crate::objects::object::{DurableObject, Entropy, ObjectError, TaskStep};
use crate::objects::rate_limit::{FixedWindow, Window};
use crate::objects::sql::migrate::{Migration, is_initialised, migrate};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks;
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::effect::Effect;
use crate::protocol::objects::{AddressReply, AddressRequest};
use crate::protocol::tries::{TryCounter, TryLimit};

/// Rate limit of one block. Fifty people behind one address who each prove their identity six times
/// an hour (a proof is fresh for ten minutes) need 300. An attacker gets 7,200 guesses a day, over
/// all names.
pub const BLOCK_TRIES: FixedWindow = of_an_hour(300);

/// Rate limit of an IPv6 /56: of two blocks. A home that has 256 of them has few people.
pub const SITE_TRIES: FixedWindow = of_an_hour(600);

/// Rate limit of an IPv6 /48: of three blocks. A company whose people have signed in is exempt.
pub const ORGANISATION_TRIES: FixedWindow = of_an_hour(900);

/// Rate limit of a shard, for blocks without a recent success: 32,000 an hour in a deployment. That
/// many people do not sign in for the first time, or from a new place, within an hour. Seven IPv4
/// blocks, or three /48, are needed to exhaust one shard.
pub const SUM_TRIES: FixedWindow = of_an_hour(2_000);

/// Rate limit of one block at one name. Ten tries in a quarter of an hour suffice for a forgetful
/// member. A guesser gets some thousand a day, against passwords of twelve characters and more.
pub const BLOCK_AT_NAME_TRIES: FixedWindow =
    FixedWindow { tries_max: 10, window: DurationMs::from_s(15 * 60) };

/// Rate limit of all blocks together at one name. Blocks with a recent right password are exempt;
/// otherwise an attacker with many addresses could lock a member out.
pub const NAME_TRIES: FixedWindow = of_an_hour(100);

/// Time for which a success exempts from the wider counters, in milliseconds: 30 days.
pub const TRUST_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Longest window of all limits.
const WINDOW_MAX: DurationMs = DurationMs::from_s(60 * 60);

/// Shortest time between two sweeps.
const SWEEP_PAUSE: DurationMs = DurationMs::from_s(15 * 60);

/// Rate limit of a browser with a mark, at its person's name. Nothing else limits these tries, so
/// it is as strict as that of one block.
pub const BROWSER_TRIES: FixedWindow = BLOCK_AT_NAME_TRIES;

/// Rate limit of proofs of identity in one session, right ones included. A proof is fresh for ten
/// minutes, so a member needs two in this time. Nothing else limits these tries: the session itself
/// shows who the member is.
pub const SESSION_TRIES: FixedWindow = BLOCK_AT_NAME_TRIES;

/// Rate limit of mailbox codes that one set-up link or one person has mailed. A typing error or two
/// need three. A link in wrong hands reaches ten strangers an hour at most, each with three mails.
pub const MAILBOX_CODES: FixedWindow = of_an_hour(10);

/// Rate limit of one block, over all API users. A right secret gives its try back, so that this
/// bounds wrong ones, and right ones that are under way at a time. Six hundred machines behind one
/// address may begin at once. An attacker gets 14,400 guesses a day, over all names.
pub const API_BLOCK_TRIES: FixedWindow = of_an_hour(600);

/// Rate limit of an IPv6 /56, over all API users: of two blocks.
pub const API_SITE_TRIES: FixedWindow = of_an_hour(1_200);

/// Rate limit of an IPv6 /48, over all API users: of three blocks.
pub const API_ORGANISATION_TRIES: FixedWindow = of_an_hour(1_800);

/// Rate limit of a shard, for blocks without a recent success at an API user: seven IPv4 blocks
/// exhaust one shard, as for members.
pub const API_SUM_TRIES: FixedWindow = of_an_hour(4_000);

/// Rate limit of one block at one API user. Fifty machines of one user may begin at once. A guesser
/// gets 4,800 tries a day from a block. Against 30 bits, which a careless choice of eight letters
/// and digits has, that takes 600 years.
pub const API_BLOCK_AT_NAME_TRIES: FixedWindow =
    FixedWindow { tries_max: 50, window: DurationMs::from_s(15 * 60) };

/// Rate limit of all blocks together at one API user. Blocks with a recent right secret are exempt.
/// Otherwise an attacker with many addresses, or one forgotten fleet with an old secret, could stop
/// all others.
pub const API_NAME_TRIES: FixedWindow = of_an_hour(200);

const fn of_an_hour(tries_max: u32) -> FixedWindow {
    FixedWindow { tries_max, window: WINDOW_MAX }
}

const fn limit_of(limit: TryLimit) -> FixedWindow {
    match limit {
        TryLimit::Block => BLOCK_TRIES,
        TryLimit::Site => SITE_TRIES,
        TryLimit::Organisation => ORGANISATION_TRIES,
        TryLimit::Sum => SUM_TRIES,
        TryLimit::BlockAtName => BLOCK_AT_NAME_TRIES,
        TryLimit::Name => NAME_TRIES,
        TryLimit::Browser => BROWSER_TRIES,
        TryLimit::Session => SESSION_TRIES,
        TryLimit::MailboxCodes => MAILBOX_CODES,
        TryLimit::ApiBlock => API_BLOCK_TRIES,
        TryLimit::ApiSite => API_SITE_TRIES,
        TryLimit::ApiOrganisation => API_ORGANISATION_TRIES,
        TryLimit::ApiSum => API_SUM_TRIES,
        TryLimit::ApiBlockAtName => API_BLOCK_AT_NAME_TRIES,
        TryLimit::ApiName => API_NAME_TRIES,
    }
}

/// The schema. Append only.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        statements: &[
            tasks::TABLE,
            tasks::INDEX,
            // Of releases before 0.2.0. It stays, so that such a release can be deployed again.
            "CREATE TABLE tries (
            one      INTEGER PRIMARY KEY CHECK (one = 1),  -- there is one row at most
            since_ms INTEGER NOT NULL,                     -- first try of the window, Unix milliseconds; mutable
            tries    INTEGER NOT NULL CHECK (tries > 0)    -- tries in the window; rises
        ) STRICT",
        ],
    },
    Migration {
        statements: &["CREATE TABLE counter (
            of              TEXT    PRIMARY KEY,                  -- what it counts, see `TryCounter`
            since_ms        INTEGER NOT NULL,                     -- first try of the window, Unix milliseconds; mutable
            tries           INTEGER NOT NULL CHECK (tries >= 0),  -- tries in the window; mutable
            succeeded_at_ms INTEGER                               -- last success, Unix milliseconds; mutable
        ) STRICT, WITHOUT ROWID"],
    },
];

/// An address object over its database.
pub struct Address<'a> {
    sql: &'a dyn Sql,
}

/// The row of a counter.
struct StoredCounter {
    window: Window,
    succeeded_at: Option<UnixMs>,
}

impl<'a> Address<'a> {
    /// Returns the object of this database.
    pub fn new(sql: &'a dyn Sql) -> Self {
        Self { sql }
    }

    fn read(&self, of: &str) -> Result<Option<StoredCounter>, SqlError> {
        if !is_initialised(self.sql)? {
            return Ok(None);
        }
        let row =
            Statement::new("SELECT since_ms, tries, succeeded_at_ms FROM counter WHERE of = ?");
        self.sql.first(&row.bind(of))?.map(StoredCounter::of).transpose()
    }

    fn count(&self, counters: &[TryCounter], now: UnixMs) -> Result<AddressReply, SqlError> {
        let mut writes = Vec::with_capacity(counters.len().saturating_add(1));
        let mut is_trusted = false;
        for counter in counters {
            // The narrowest counter comes first, and exempts from others that follow.
            if is_trusted && counter.limit.exempts_trusted() {
                continue;
            }
            let stored = self.read(&counter.of)?;
            let window = stored.as_ref().map(|stored| stored.window);
            match limit_of(counter.limit).count(window, now) {
                Ok(window) => writes.push(write(&counter.of, window)),
                Err(until) => return Ok(AddressReply::TooMany { until }),
            }
            is_trusted |= stored.is_some_and(|stored| stored.is_trusted(now));
        }
        migrate(self.sql, MIGRATIONS, now)?;
        writes.push(sweep_by(now.saturating_add(WINDOW_MAX)));
        self.sql.apply(&writes)?;
        let is_alone = is_trusted && is_given_back(counters);
        Ok(if is_alone { AddressReply::CountedAlone } else { AddressReply::Counted })
    }

    /// Gives a try back to its counters. If their windows have begun anew since, they let one more
    /// try through than they say.
    fn returned(
        &self,
        counters: &[TryCounter],
        succeeded: bool,
        now: UnixMs,
    ) -> Result<AddressReply, SqlError> {
        migrate(self.sql, MIGRATIONS, now)?;
        let back = "UPDATE counter SET tries = max(0, tries - 1) WHERE of = ?";
        let mut writes: Vec<_> =
            counters.iter().map(|counter| Statement::new(back).bind(counter.of.as_str())).collect();
        if let Some(narrowest) = counters.first().filter(|_| succeeded) {
            let text =
                "INSERT INTO counter (of, since_ms, tries, succeeded_at_ms) VALUES (?, ?, 0, ?)
                ON CONFLICT (of) DO UPDATE SET succeeded_at_ms = excluded.succeeded_at_ms";
            writes.push(Statement::new(text).bind(narrowest.of.as_str()).bind(now).bind(now));
            writes.push(sweep_by(now.saturating_add(WINDOW_MAX)));
        }
        self.sql.apply(&writes)?;
        Ok(AddressReply::Counted)
    }

    /// Records a success, which exempts from the wider counters. At a name it also begins the
    /// window anew. At a block it does not: an attacker may have a name there.
    fn succeeded(&self, counter: &TryCounter, now: UnixMs) -> Result<AddressReply, SqlError> {
        migrate(self.sql, MIGRATIONS, now)?;
        if matches!(counter.limit, TryLimit::Browser | TryLimit::Session) {
            // It exempts from nothing, so that only its window begins anew.
            let row = Statement::new("DELETE FROM counter WHERE of = ?");
            self.sql.apply(&[row.bind(counter.of.as_str())])?;
            return Ok(AddressReply::Counted);
        }
        let text = "INSERT INTO counter (of, since_ms, tries, succeeded_at_ms) VALUES (?, ?, 0, ?)
            ON CONFLICT (of) DO UPDATE SET succeeded_at_ms = excluded.succeeded_at_ms,
                tries = CASE WHEN ? THEN 0 ELSE tries END";
        let begins_anew = counter.limit == TryLimit::BlockAtName;
        self.sql.apply(&[
            Statement::new(text).bind(counter.of.as_str()).bind(now).bind(now).bind(begins_anew),
            sweep_by(now.saturating_add(WINDOW_MAX)),
        ])?;
        Ok(AddressReply::Counted)
    }

    /// Removes rows that have no effect any more, and returns the time of the next sweep. It comes
    /// when the next row expires, not hourly. Members who signed in this month would otherwise cost
    /// hundreds of useless alarms each.
    fn sweep(&self, now: UnixMs) -> Result<TaskStep, SqlError> {
        const OVER_AT: &str = "max(since_ms + ?, ifnull(succeeded_at_ms + ?, 0))";
        migrate(self.sql, MIGRATIONS, now)?;
        let trust = i64::try_from(TRUST_MS).unwrap_or(i64::MAX);
        let window = i64::try_from(WINDOW_MAX.as_ms()).unwrap_or(i64::MAX);
        let bound = |text: String| Statement::new(text).bind(window).bind(trust);
        let next = bound(format!(
            "SELECT min(over_at) FROM (SELECT {OVER_AT} AS over_at FROM counter) WHERE over_at > ?"
        ));
        let again =
            self.sql.first(&next.bind(now))?.map_or(Ok(None), |mut row| row.optional_time())?;
        let writes = vec![
            bound(format!("DELETE FROM counter WHERE {OVER_AT} <= ?")).bind(now),
            // Of an earlier release: its windows end within an hour.
            Statement::new("DELETE FROM tries"),
        ];
        // An object has thousands of counters. One sweep in this time removes many of them.
        let again = again.map(|next| next.max(now.saturating_add(SWEEP_PAUSE)));
        Ok(TaskStep::Chore { writes, again })
    }
}

impl DurableObject for Address<'_> {
    type Request = AddressRequest;
    type Reply = AddressReply;

    const NOT_UNDERSTOOD: AddressReply = AddressReply::NotUnderstood;

    fn sql(&self) -> &dyn Sql {
        self.sql
    }

    fn handle(
        &self,
        request: AddressRequest,
        now: UnixMs,
        _: &Entropy,
    ) -> Result<AddressReply, ObjectError> {
        if is_initialised(self.sql)? {
            migrate(self.sql, MIGRATIONS, now)?;
        }
        match request {
            // An admin Worker of an earlier release names no counters, and calls the object of its
            // caller's block.
            AddressRequest::Count { counters } if counters.is_empty() => {
                let block = TryCounter { limit: TryLimit::Block, of: String::new() };
                Ok(self.count(&[block], now)?)
            }
            AddressRequest::Count { counters } => Ok(self.count(&counters, now)?),
            AddressRequest::Succeeded { counter } => Ok(self.succeeded(&counter, now)?),
            AddressRequest::Returned { counters, succeeded } => {
                Ok(self.returned(&counters, succeeded, now)?)
            }
        }
    }

    fn step(&self, _: &Task, now: UnixMs) -> Result<TaskStep, ObjectError> {
        // The only kind of task here.
        Ok(self.sweep(now)?)
    }

    fn settled(
        &self,
        effect: &Effect,
        _: Option<bool>,
        _: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError> {
        Ok(vec![Task::of(effect).done()])
    }

    fn is_spent(&self) -> Result<bool, ObjectError> {
        // While there is a row, there is a sweep.
        Ok(self.next_due()?.is_none())
    }
}

impl StoredCounter {
    fn of(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            window: Window { since: row.time()?, tries: row.count()? },
            succeeded_at: row.optional_time()?,
        })
    }

    fn is_trusted(&self, now: UnixMs) -> bool {
        self.succeeded_at
            .and_then(|at| now.since(at))
            .is_some_and(|age| age < DurationMs::from_ms(TRUST_MS))
    }
}

/// Returns `true` if the caller may give the try back, and so must learn which counters counted it.
/// The sum of a mail server stands alone, and counts every try.
fn is_given_back(counters: &[TryCounter]) -> bool {
    let narrowest = counters.first().map(|counter| counter.limit);
    matches!(narrowest, Some(TryLimit::ApiBlock | TryLimit::ApiBlockAtName))
}

fn write(of: &str, window: Window) -> Statement {
    let text = "INSERT INTO counter (of, since_ms, tries) VALUES (?, ?, ?)
        ON CONFLICT (of) DO UPDATE SET since_ms = excluded.since_ms, tries = excluded.tries";
    Statement::new(text).bind(of).bind(window.since).bind(window.tries)
}

fn sweep_by(at: UnixMs) -> Statement {
    Task::own(TaskKind::SweepTries).schedule_by(at)
}

#[cfg(test)]
mod tests;
