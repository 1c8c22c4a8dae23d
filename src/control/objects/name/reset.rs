//! Resets of a password with a mailed code.
//!
//! Anyone can begin one for any address. So the number of codes is limited for the person
//! ([`HOUR_RESETS`], [`DAY_RESETS`]), and each code has [`TRIES_MAX`] tries. A new code invalidates
//! the one before. A try counts in the run that compares it, so that parallel tries cannot share
//! one count. A right code is used up, whatever follows.

use claviger_core::base::id::{AccountId, TokenId};
use claviger_core::base::secret::{Digest, SecretText};
use claviger_core::base::time::{DurationMs, UnixMs};

use super::person::Person;
use crate::objects::rate_limit::{FixedWindow, Window};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::code::{Code, CodePurpose};
use crate::protocol::identity::Membership;
use crate::protocol::master::MasterSecrets;

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

/// The row of the last reset.
struct StoredReset {
    id: TokenId,
    account: AccountId,
    mac: Option<Digest>,
    expires: UnixMs,
    tries: u32,
    hour: Window,
    day: Window,
}

impl StoredReset {
    fn load(sql: &dyn Sql) -> Result<Option<Self>, SqlError> {
        let text =
            "SELECT id, account, ifnull(mac, zeroblob(32)), mac IS NOT NULL, expires_ms, tries,
            hour_since_ms, hour_resets, day_since_ms, day_resets FROM reset";
        sql.first(&Statement::new(text))?.map(Self::read).transpose()
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        let (id, account) = (
            row.parsed("a token ID", TokenId::parse)?,
            row.parsed("an account's ID", AccountId::parse)?,
        );
        let mac = Digest::from_bytes(row.bytes()?);
        Ok(Self {
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
        let text = "INSERT OR REPLACE INTO reset (one, id, account, mac, expires_ms, tries,
                hour_since_ms, hour_resets, day_since_ms, day_resets)
            VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
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
    id: TokenId,
    code: &Code,
    master: &MasterSecrets,
    now: UnixMs,
) -> Result<Option<(Statement, Membership, UnixMs)>, SqlError> {
    let mailing = person.memberships.iter().find(|membership| membership.confirmed);
    let Some(Membership { account, member }) = mailing.map(|mailing| mailing.id) else {
        return Ok(None);
    };
    let before = StoredReset::load(sql)?;
    let hour = HOUR_RESETS.count(before.as_ref().map(|before| before.hour), now);
    let day = DAY_RESETS.count(before.as_ref().map(|before| before.day), now);
    let (Ok(hour), Ok(day)) = (hour, day) else { return Ok(None) };
    let expires = now.saturating_add(CODE_LIFE);
    let mac = Some(code.mac(CodePurpose::Reset, account, id, master));
    let reset = StoredReset { id, account, mac, expires, tries: 0, hour, day };
    Ok(Some((reset.store(), Membership { account, member }, expires)))
}

/// Tries a code. The returned write counts the try and must be applied whatever the outcome.
pub fn attempt(
    sql: &dyn Sql,
    code: &SecretText,
    master: &MasterSecrets,
    now: UnixMs,
) -> Result<(Try, Option<Statement>), SqlError> {
    let Some(before) = StoredReset::load(sql)? else { return Ok((Try::Wrong, None)) };
    let is_open = now < before.expires && before.tries < TRIES_MAX;
    let (Some(mac), true) = (before.mac, is_open) else { return Ok((Try::Wrong, None)) };
    let tried = StoredReset { tries: before.tries.saturating_add(1), ..before };
    let typed = Code::parse(CodePurpose::Reset, code)
        .map(|code| code.mac(CodePurpose::Reset, tried.account, tried.id, master));
    // `Digest` compares in constant time.
    Ok(match typed == Some(mac) {
        true => (Try::Right, Some(StoredReset { mac: None, ..tried }.store())),
        false => (Try::Wrong, Some(tried.store())),
    })
}

/// Returns the write that invalidates the present code.
pub fn invalidate() -> Statement {
    Statement::new("UPDATE reset SET mac = NULL")
}
