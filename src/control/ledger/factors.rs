//! Second factors of members: their rows, and the check of a typed code.
//!
//! A member has a second factor once a code has confirmed the seed of an authenticator app, or with
//! a first passkey. Then recovery codes work in its place, each once.
//!
//! A code is checked, counted and used up in one run. So of parallel requests with one code, one is
//! accepted, and a thousand wrong ones count as a thousand. Refused codes have a rate limit per
//! member, across sessions and challenges. Only a person with the member's password or session can
//! use up that limit. What cannot be guessed is checked beyond it: so a thief of the password does
//! not lock the member out, who has recovery codes and passkeys.

use claviger_core::base::id::MemberId;
use claviger_core::base::secret::{Digest, SecretText};
use claviger_core::base::time::{DurationMs, UnixMs};
use serde_json::json;

use super::account::Account;
use super::audit::{Action, Author};
use super::member::Member;
use super::passkeys::PasskeyCheck;
use super::{mailbox, passkeys};
use crate::objects::rate_limit::{FixedWindow, Window};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::encryption::{self, Ciphertext};
use crate::protocol::envelope::{FactorChange, Letter};
use crate::protocol::factors::{FactorKinds, FactorsView, TypedFactor};
use crate::protocol::master::MasterSecrets;
use crate::protocol::passkey::PresentedPasskey;
use crate::protocol::proof::ProofMethod;
use crate::protocol::recovery::{NewRecoveryCodes, RecoveryCode};
use crate::protocol::totp::{Seed, TimeStep, seed_associated_data};

/// SQL expression that is 1 if the row `member` has an authenticator app, otherwise 0.
pub const HAS_APP: &str = "EXISTS (SELECT 1 FROM totp WHERE totp.member = member.id AND totp.confirmed_at_ms IS NOT NULL)";

/// SQL expression that is 1 if the row `member` has a passkey, otherwise 0.
pub const HAS_PASSKEY: &str = "EXISTS (SELECT 1 FROM passkey WHERE passkey.member = member.id)";

/// Time for the first code of a new app.
pub const PENDING: DurationMs = DurationMs::from_s(10 * 60);

/// Limit of refused codes of one member. A code is right by chance with three of a million: within
/// a month, with one in four hundred.
pub const REFUSED: FixedWindow = FixedWindow { tries_max: 30, window: DurationMs::from_days(1) };

/// Returns `true` if the member has a second factor.
pub fn has_second_factor(sql: &dyn Sql, member: MemberId) -> Result<bool, SqlError> {
    Ok(kinds(sql, member)?.any())
}

/// Returns the kinds of second factors that the member has.
pub(super) fn kinds(sql: &dyn Sql, member: MemberId) -> Result<FactorKinds, SqlError> {
    let text = format!("SELECT {HAS_APP}, {HAS_PASSKEY} FROM member WHERE id = ?");
    let read =
        |mut row: Row| Ok(FactorKinds { totp: row.integer()? != 0, passkey: row.integer()? != 0 });
    let found = sql.first(&Statement::new(text).bind(member.as_str()))?.map(read).transpose()?;
    Ok(found.unwrap_or_default())
}

/// Returns `true` if the policy demands a second factor, and the member has none.
pub(super) fn lacks_demanded(
    sql: &dyn Sql,
    account: &Account,
    member: MemberId,
) -> Result<bool, SqlError> {
    Ok(account.policy.demands_mfa && !has_second_factor(sql, member)?)
}

/// A row of the table `totp`.
#[derive(Clone, Debug)]
pub(super) struct TotpRow {
    sealed: Ciphertext,
    begun_at: UnixMs,
    confirmed_at: Option<UnixMs>,
    last_step: TimeStep,
}

impl TotpRow {
    /// Loads the row of a member.
    pub fn load(sql: &dyn Sql, member: MemberId) -> Result<Option<Self>, SqlError> {
        let text =
            "SELECT sealed, begun_at_ms, confirmed_at_ms, last_step FROM totp WHERE member = ?";
        let read = |mut row: Row| {
            Ok(Self {
                sealed: Ciphertext::from_stored(row.text()?),
                begun_at: row.time()?,
                confirmed_at: row.optional_time()?,
                last_step: TimeStep(row.integer()?),
            })
        };
        sql.first(&Statement::new(text).bind(member.as_str()))?.map(read).transpose()
    }

    /// Returns the end of the time for the first code, if the row waits for it now.
    pub fn pending_until(&self, now: UnixMs) -> Option<UnixMs> {
        let until = self.begun_at.saturating_add(PENDING);
        Some(until).filter(|until| self.confirmed_at.is_none() && now < *until)
    }

    /// Returns the time at which the app was turned on.
    pub fn confirmed_at(&self) -> Option<UnixMs> {
        self.confirmed_at
    }

    /// Returns the step of a typed code, which is later than that of the last accepted one.
    pub fn step_of(
        &self,
        desk: &FactorDesk<'_>,
        member: MemberId,
        typed: &SecretText,
    ) -> Option<TimeStep> {
        let place = seed_associated_data(desk.account.id, &member);
        let seed = Seed::parse(&encryption::decrypt(&self.sealed, place, desk.master?)?)?;
        seed.step_of(typed, self.last_step, desk.author.now)
    }
}

impl FactorMatch {
    /// Returns the outcome of a code, which is right if it has writes.
    pub fn of(writes: Option<Vec<Statement>>) -> Self {
        writes.map_or(Self::Wrong(Vec::new()), Self::Right)
    }
}

/// The context in which a code is checked.
#[derive(Clone, Copy)]
pub(super) struct FactorDesk<'a> {
    pub sql: &'a dyn Sql,
    pub account: &'a Account,
    /// Secrets that decrypt seeds and make MACs; `None` refuses every code.
    pub master: Option<&'a MasterSecrets>,
    pub author: Author<'a>,
}

/// The outcome of comparing a factor with those of the member.
pub(super) enum FactorMatch {
    /// It is right; the writes use it up.
    Right(Vec<Statement>),
    /// It is not; the writes note more than the try.
    Wrong(Vec<Statement>),
}

/// The outcome of a check.
pub(super) enum CheckedFactor {
    /// The code is right; the writes use it up.
    Accepted { method: ProofMethod, writes: Vec<Statement> },
    /// The code is refused; the writes count the try.
    Refused { tries_left: u32, writes: Vec<Statement> },
    /// Too many codes were refused before, so none that can be guessed is checked.
    Exhausted { until: UnixMs },
}

impl FactorDesk<'_> {
    /// Checks a second factor that the member has.
    pub fn check(&self, member: &Member, typed: &TypedFactor) -> Result<CheckedFactor, SqlError> {
        let method = match typed {
            TypedFactor::Totp(_) => ProofMethod::Totp,
            TypedFactor::RecoveryCode(_) => ProofMethod::RecoveryCode,
            TypedFactor::Passkey(_) => ProofMethod::Passkey,
        };
        self.counted(member.view.id, method, || match typed {
            TypedFactor::Totp(code) => self.use_totp(member.view.id, code).map(FactorMatch::of),
            TypedFactor::RecoveryCode(code) => {
                self.use_recovery_code(member, code).map(FactorMatch::of)
            }
            TypedFactor::Passkey(presented) => self.use_passkey(member, presented),
        })
    }

    /// Counts a try, and runs a check, unless the tries of the day are used up and the method can
    /// be guessed.
    pub fn counted(
        &self,
        member: MemberId,
        method: ProofMethod,
        check: impl FnOnce() -> Result<FactorMatch, SqlError>,
    ) -> Result<CheckedFactor, SqlError> {
        let counted = REFUSED.count(window(self.sql, member)?, self.author.now);
        if let (Err(until), true) = (counted, method.is_guessable()) {
            return Ok(CheckedFactor::Exhausted { until });
        }
        let mut writes = match check()? {
            FactorMatch::Right(writes) => return Ok(CheckedFactor::Accepted { method, writes }),
            FactorMatch::Wrong(writes) => writes,
        };
        // The activity has the refusals of the day already. A row for each further one would let
        // the caller fill it.
        let Ok(window) = counted else {
            return Ok(CheckedFactor::Refused { tries_left: REFUSED.tries_max, writes });
        };
        let details = json!({ "method": method }).to_string();
        writes.push(store_window(member, window));
        writes.push(self.author.did_about(Action::RefuseFactor, details));
        let tries_left = REFUSED.tries_max.saturating_sub(window.tries);
        Ok(CheckedFactor::Refused { tries_left, writes })
    }

    fn use_passkey(
        &self,
        member: &Member,
        presented: &PresentedPasskey,
    ) -> Result<FactorMatch, SqlError> {
        Ok(match passkeys::check(self.sql, member.view.id, presented, self.author.now)? {
            PasskeyCheck::Right { writes } => FactorMatch::Right(writes),
            PasskeyCheck::Wrong => FactorMatch::Wrong(Vec::new()),
            PasskeyCheck::Cloned { name, mut writes } => {
                writes.extend(self.note_clone(member, &name)?);
                FactorMatch::Wrong(writes)
            }
        })
    }

    /// Records that a passkey was refused as a copy, and mails its member.
    pub fn note_clone(&self, member: &Member, name: &str) -> Result<Vec<Statement>, SqlError> {
        let details = json!({ "passkey": name }).to_string();
        let mut writes = vec![self.author.did_about(Action::RefuseClone, details)];
        writes.extend(self.news(member, FactorChange::PasskeyCloned, Some(name), None, 0)?);
        Ok(writes)
    }

    fn use_totp(
        &self,
        member: MemberId,
        typed: &SecretText,
    ) -> Result<Option<Vec<Statement>>, SqlError> {
        let row = TotpRow::load(self.sql, member)?.filter(|row| row.confirmed_at.is_some());
        let step = row.and_then(|row| row.step_of(self, member, typed));
        Ok(step.map(|step| {
            let text = "UPDATE totp SET last_step = ? WHERE member = ?";
            vec![Statement::new(text).bind(step.0).bind(member.as_str())]
        }))
    }

    fn use_recovery_code(
        &self,
        member: &Member,
        typed: &SecretText,
    ) -> Result<Option<Vec<Statement>>, SqlError> {
        let id = member.view.id;
        let (Some(code), Some(master)) = (RecoveryCode::parse(typed), self.master) else {
            return Ok(None);
        };
        let text = "SELECT mac, generation FROM recovery_code WHERE member = ?";
        let stored = sql_rows(self.sql, &Statement::new(text).bind(id.as_str()))?;
        let mut found = None;
        // All are compared, whatever matches. `Digest` compares in constant time.
        for (mac, generation) in &stored {
            let typed = master.find(generation).map(|under| code.mac(self.account.id, id, under));
            if typed.is_some_and(|typed| typed == *mac) {
                found = Some(mac);
            }
        }
        let Some(mac) = found else { return Ok(None) };
        let left = u32::try_from(stored.len()).unwrap_or(u32::MAX).saturating_sub(1);
        let end = Statement::new("DELETE FROM recovery_code WHERE member = ? AND mac = ?")
            .bind(id.as_str())
            .bind(mac.as_bytes().as_slice());
        let details = json!({ "left": left }).to_string();
        let mut writes = vec![end, self.author.did_about(Action::UseRecoveryCode, details)];
        writes.extend(self.news(member, FactorChange::CodeUsed, None, None, left)?);
        Ok(Some(writes))
    }

    /// Queues the mail to a member about a change of their factors, and names the passkey that it
    /// is about. `by` is the owner who made it, if it was not the member.
    pub fn news(
        &self,
        member: &Member,
        change: FactorChange,
        passkey: Option<&str>,
        by: Option<&Member>,
        left: u32,
    ) -> Result<Vec<Statement>, SqlError> {
        let now = self.author.now;
        let letter = Letter::FactorsChanged {
            change,
            passkey: passkey.map(str::to_owned),
            account: self.account.name.clone(),
            by: by.map(|by| by.view.name.clone()),
            left,
            address: self.author.address.map(str::to_owned),
            at: now,
            zone: self.account.zone.clone(),
        };
        let id = mailbox::notice_id(self.sql, self.account, "factors", member.view.id, now)?;
        mailbox::notice(self.account, &member.view, id, letter, now)
    }
}

fn sql_rows(sql: &dyn Sql, statement: &Statement) -> Result<Vec<(Digest, String)>, SqlError> {
    sql.read_all(statement, |mut row| Ok((Digest::from_bytes(row.bytes()?), row.text()?)))
}

fn window(sql: &dyn Sql, member: MemberId) -> Result<Option<Window>, SqlError> {
    let text = "SELECT since_ms, tries FROM factor_try WHERE member = ?";
    let read = |mut row: Row| Ok(Window { since: row.time()?, tries: row.count()? });
    sql.first(&Statement::new(text).bind(member.as_str()))?.map(read).transpose()
}

/// Returns the time from which codes of the member are checked again, if too many were refused.
pub(super) fn refused_until(
    sql: &dyn Sql,
    member: MemberId,
    now: UnixMs,
) -> Result<Option<UnixMs>, SqlError> {
    Ok(REFUSED.count(window(sql, member)?, now).err())
}

fn store_window(member: MemberId, window: Window) -> Statement {
    let text = "INSERT INTO factor_try (member, since_ms, tries) VALUES (?, ?, ?)
        ON CONFLICT (member) DO UPDATE SET since_ms = excluded.since_ms, tries = excluded.tries";
    Statement::new(text).bind(member.as_str()).bind(window.since).bind(window.tries)
}

/// Returns the state of a member's factors.
pub(super) fn view(sql: &dyn Sql, member: MemberId, now: UnixMs) -> Result<FactorsView, SqlError> {
    let row = TotpRow::load(sql, member)?;
    let count = Statement::new("SELECT count(*) FROM recovery_code WHERE member = ?");
    let left = sql.integer(&count.bind(member.as_str()))?;
    Ok(FactorsView {
        totp_since: row.as_ref().and_then(TotpRow::confirmed_at),
        pending_until: row.as_ref().and_then(|row| row.pending_until(now)),
        recovery_codes_left: u32::try_from(left).unwrap_or(u32::MAX),
        passkeys: passkeys::views(sql, member)?,
        draws_codes: false,
        keys: None,
    })
}

/// Stores the seed of an app that waits for its first code, in place of one that waited.
pub(super) fn begin(member: MemberId, sealed: &Ciphertext, now: UnixMs) -> Statement {
    let text = "INSERT INTO totp (member, sealed, begun_at_ms, last_step) VALUES (?, ?, ?, 0)
        ON CONFLICT (member) DO UPDATE SET sealed = excluded.sealed, begun_at_ms = excluded.begun_at_ms
            WHERE confirmed_at_ms IS NULL";
    Statement::new(text).bind(member.as_str()).bind(sealed.as_str()).bind(now)
}

/// Turns an app on, with the step of its first code.
pub(super) fn confirm(member: MemberId, step: TimeStep, now: UnixMs) -> Statement {
    let text = "UPDATE totp SET confirmed_at_ms = ?, last_step = ? WHERE member = ?";
    Statement::new(text).bind(now).bind(step.0).bind(member.as_str())
}

/// Replaces the recovery codes of a member.
pub(super) fn store_codes(member: MemberId, codes: &NewRecoveryCodes) -> Vec<Statement> {
    let mut writes =
        vec![Statement::new("DELETE FROM recovery_code WHERE member = ?").bind(member.as_str())];
    writes.extend(codes.macs.iter().map(|mac| {
        let text = "INSERT INTO recovery_code (member, mac, generation) VALUES (?, ?, ?)";
        Statement::new(text)
            .bind(member.as_str())
            .bind(mac.as_bytes().as_slice())
            .bind(codes.generation.as_str())
    }));
    writes
}

/// Removes the app of a member.
pub(super) fn forget_app(member: MemberId) -> Statement {
    Statement::new("DELETE FROM totp WHERE member = ?").bind(member.as_str())
}

/// Removes all factors of a member, with the count of refused codes.
pub(super) fn forget(member: MemberId) -> [Statement; 4] {
    ["totp", "passkey", "recovery_code", "factor_try"].map(|table| {
        Statement::new(format!("DELETE FROM {table} WHERE member = ?")).bind(member.as_str())
    })
}
