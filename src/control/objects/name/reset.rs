//! Resets of a password with a mailed code.
//!
//! Anyone can begin one for any address. So the number of codes is limited for the person
//! ([`HOUR_RESETS`], [`DAY_RESETS`]), and each code has [`TRIES_MAX`] tries. A new code invalidates
//! the one before. A try counts in the run that compares it, so that parallel tries cannot share
//! one count. A right code is used up, whatever follows.
//!
//! A stranger can use up these limits. So a browser with a mark of the present password
//! ([`crate::protocol::browser`]) has a code and limits apart ([`ResetLimits::Browser`]).

use claviger_core::base::id::{AccountId, TokenId};
use claviger_core::base::secret::{Digest, SecretText};
use claviger_core::base::time::{DurationMs, UnixMs};

use super::person::Person;
use crate::objects::rate_limit::{FixedWindow, Window};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::code::{Code, CodePurpose};
use crate::protocol::identity::Membership;
use crate::protocol::master::MasterSecrets;
use crate::protocol::member::SecretVersion;

/// Validity of a code: mail arrives within a minute or two, while the person waits on the page.
pub const CODE_LIFE: DurationMs = DurationMs::from_s(10 * 60);

/// Most tries at one code.
pub const TRIES_MAX: u32 = 5;

/// Most codes of an hour: more than a person needs, and few enough not to annoy them.
pub const HOUR_RESETS: FixedWindow =
    FixedWindow { tries_max: 3, window: DurationMs::from_s(60 * 60) };

/// Most codes of a day. With [`TRIES_MAX`] they give 50 tries at codes of eight digits: a month of
/// guessing is right with a chance of one in 65,000.
pub const DAY_RESETS: FixedWindow = FixedWindow { tries_max: 10, window: DurationMs::from_days(1) };

/// The limits under which a reset runs. Those of a browser with a mark are apart, so that a
/// stranger who begins resets for an address neither uses them up nor replaces the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetLimits {
    /// Limits that everyone shares who knows the address.
    Everyone,
    /// Limits of browsers in which the person has signed in with the present password.
    Browser,
}

impl ResetLimits {
    /// Returns the limits for a try with this version in its mark.
    pub fn of(person: &Person, browser: Option<SecretVersion>) -> Self {
        let is_present = |version| person.confirmed().is_some_and(|own| own.version == version);
        if browser.is_some_and(is_present) { Self::Browser } else { Self::Everyone }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Everyone => "reset",
            Self::Browser => "browser_reset",
        }
    }
}

/// The row of the last reset.
struct StoredReset {
    limits: ResetLimits,
    id: TokenId,
    account: AccountId,
    mac: Option<Digest>,
    expires: UnixMs,
    tries: u32,
    hour: Window,
    day: Window,
}

impl StoredReset {
    fn load(sql: &dyn Sql, limits: ResetLimits) -> Result<Option<Self>, SqlError> {
        let text = format!(
            "SELECT id, account, ifnull(mac, zeroblob(32)), mac IS NOT NULL, expires_ms, tries,
            hour_since_ms, hour_resets, day_since_ms, day_resets FROM {}",
            limits.table()
        );
        sql.first(&Statement::new(text))?.map(|row| Self::read(limits, row)).transpose()
    }

    fn is_open(&self, now: UnixMs) -> bool {
        self.mac.is_some() && now < self.expires && self.tries < TRIES_MAX
    }

    fn read(limits: ResetLimits, mut row: Row) -> Result<Self, SqlError> {
        let (id, account) = (
            row.parsed("a token ID", TokenId::parse)?,
            row.parsed("an account's ID", AccountId::parse)?,
        );
        let mac = Digest::from_bytes(row.bytes()?);
        Ok(Self {
            limits,
            id,
            account,
            mac: Some(mac).filter(|_| row.integer().is_ok_and(|has| has == 1)),
            expires: row.time()?,
            tries: row.count()?,
            hour: Window { since: row.time()?, tries: row.count()? },
            day: Window { since: row.time()?, tries: row.count()? },
        })
    }

    fn store(&self) -> Statement {
        let text = format!(
            "INSERT OR REPLACE INTO {} (one, id, account, mac, expires_ms, tries,
                hour_since_ms, hour_resets, day_since_ms, day_resets)
            VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self.limits.table()
        );
        Statement::new(text)
            .bind(self.id.as_str())
            .bind(self.account.as_str())
            .bind(self.mac.as_ref().map(|mac| mac.as_bytes().as_slice()))
            .bind(self.expires)
            .bind(self.tries)
            .bind(self.hour.since)
            .bind(self.hour.tries)
            .bind(self.day.since)
            .bind(self.day.tries)
    }
}

/// The outcome of a try at a code.
pub enum Try {
    /// The code is right. The reset is used up.
    Right,
    /// The code is wrong, or there is none to try.
    Wrong,
}

/// Begins a reset. Returns its writes, the membership whose ledger mails the code, and the end of
/// the code; `None` beyond a limit, or while no ledger holds the person.
pub fn begin(
    sql: &dyn Sql,
    person: &Person,
    limits: ResetLimits,
    (id, code): (TokenId, &Code),
    master: &MasterSecrets,
    now: UnixMs,
) -> Result<Option<(Statement, Membership, UnixMs)>, SqlError> {
    let mailing = person.memberships.iter().find(|membership| membership.confirmed);
    let Some(Membership { account, member }) = mailing.map(|mailing| mailing.id) else {
        return Ok(None);
    };
    let before = StoredReset::load(sql, limits)?;
    // A repeated request has the same effect as one.
    if let Some(same) = before.as_ref().filter(|reset| reset.id == id && reset.is_open(now)) {
        let own = person.memberships.iter().find(|own| own.id.account == same.account);
        return Ok(own.map(|own| (same.store(), own.id, same.expires)));
    }
    let hour = HOUR_RESETS.count(before.as_ref().map(|before| before.hour), now);
    let day = DAY_RESETS.count(before.as_ref().map(|before| before.day), now);
    let (Ok(hour), Ok(day)) = (hour, day) else { return Ok(None) };
    let expires = now.saturating_add(CODE_LIFE);
    let mac = Some(code.mac(CodePurpose::Reset, account, id, master));
    let reset = StoredReset { limits, id, account, mac, expires, tries: 0, hour, day };
    Ok(Some((reset.store(), Membership { account, member }, expires)))
}

/// Tries a code. The returned write counts the try and must be applied whatever the outcome. A
/// browser with a mark may also try a code that was mailed without one.
pub fn attempt(
    sql: &dyn Sql,
    limits: ResetLimits,
    code: &SecretText,
    master: &MasterSecrets,
    now: UnixMs,
) -> Result<(Try, Option<Statement>), SqlError> {
    let open = |limits| Ok(StoredReset::load(sql, limits)?.filter(|reset| reset.is_open(now)));
    let before = match (open(limits)?, limits) {
        (None, ResetLimits::Browser) => open(ResetLimits::Everyone)?,
        (own, _) => own,
    };
    let Some(before) = before else { return Ok((Try::Wrong, None)) };
    let mac = before.mac;
    let tried = StoredReset { tries: before.tries.saturating_add(1), ..before };
    let typed = Code::parse(CodePurpose::Reset, code)
        .map(|code| code.mac(CodePurpose::Reset, tried.account, tried.id, master));
    // `Digest` compares in constant time.
    Ok(match typed.is_some() && typed == mac {
        true => (Try::Right, Some(StoredReset { mac: None, ..tried }.store())),
        false => (Try::Wrong, Some(tried.store())),
    })
}

/// Returns the writes that invalidate the present codes.
pub fn invalidate() -> [Statement; 2] {
    ["UPDATE reset SET mac = NULL", "UPDATE browser_reset SET mac = NULL"].map(Statement::new)
}
