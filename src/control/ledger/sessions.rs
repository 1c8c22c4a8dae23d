//! Sessions of members. A session ends [`LIFE`] after it began, or [`IDLE`] after its last use,
//! whichever comes first.

use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::{DurationMs, UnixMs};

use super::account::{Account, Member};
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Duty, Kind};
use crate::protocol::ledger::{NewSession, Role, SessionProof};
use crate::protocol::view::SessionView;

/// Longest life: a working day with its overtime.
pub const LIFE: DurationMs = DurationMs::from_s(12 * 60 * 60);

/// Longest pause: a long lunch.
pub const IDLE: DurationMs = DurationMs::from_s(2 * 60 * 60);

/// How coarsely the last use is known, so that reading does not write each time. A session may end
/// by so much less than [`IDLE`] after its last use, never by more.
pub const SEEN_COARSE: DurationMs = DurationMs::from_s(5 * 60);

/// How long a proof of identity is fresh.
pub const STEP_UP: DurationMs = DurationMs::from_s(10 * 60);

/// Most sessions of one member: more browsers than anyone uses in half a day. The oldest gives way.
pub const PER_MEMBER_MAX: u32 = 20;

const _: () = assert!(
    SEEN_COARSE.as_ms() < IDLE.as_ms() && IDLE.as_ms() < LIFE.as_ms() && PER_MEMBER_MAX > 0
);

/// A session that is not over, and whose secret was presented.
#[derive(Clone, Debug)]
pub struct Session {
    id: TokenId,
    created_at: UnixMs,
    proven_at: UnixMs,
    seen_at: UnixMs,
    /// Whose.
    pub member: Member,
}

impl Session {
    /// The session of `proof`. There is one answer for one that never was, is over, or has another
    /// secret.
    pub fn load(
        sql: &dyn Sql,
        proof: &SessionProof,
        now: UnixMs,
    ) -> Result<Option<Self>, SqlError> {
        let text = format!(
            "SELECT session.digest, session.created_at_ms, session.proven_at_ms, session.seen_at_ms, {}
            FROM session JOIN member ON member.id = session.member WHERE session.id = ?",
            Member::COLUMNS
        );
        let Some(row) = sql.first(&Statement::new(text).bind(proof.id.as_str()))? else {
            return Ok(None);
        };
        let (digest, session) = Self::read(proof.id, row)?;
        // `Digest` compares in constant time.
        Ok(Some(session).filter(|session| digest == proof.digest && now < session.expires()))
    }

    fn read(id: TokenId, mut row: Row) -> Result<(Digest, Self), SqlError> {
        let digest = Digest::from_bytes(row.bytes()?);
        let (created_at, proven_at, seen_at) = (row.time()?, row.time()?, row.time()?);
        Ok((digest, Self { id, created_at, proven_at, seen_at, member: Member::read(&mut row)? }))
    }

    /// A session of `member` that begins now.
    pub fn begin(new: &NewSession, member: Member, now: UnixMs) -> Self {
        Self { id: new.id, created_at: now, proven_at: now, seen_at: now, member }
    }

    /// Writes a session that has begun. The member's oldest ones give way, and those that are over
    /// will be swept.
    pub fn insert(&self, digest: &Digest, address: Option<&str>) -> [Statement; 3] {
        let make_room = "DELETE FROM session WHERE id IN (
            SELECT id FROM session WHERE member = ? ORDER BY created_at_ms DESC, id LIMIT -1 OFFSET ?)";
        let insert =
            "INSERT INTO session (id, digest, member, address, created_at_ms, proven_at_ms, seen_at_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?)";
        [
            Statement::new(make_room)
                .bind(self.member.view.id.as_str())
                .bind(PER_MEMBER_MAX.saturating_sub(1)),
            Statement::new(insert)
                .bind(self.id.as_str())
                .bind(digest.as_bytes().as_slice())
                .bind(self.member.view.id.as_str())
                .bind(address)
                .bind(self.created_at)
                .bind(self.proven_at)
                .bind(self.seen_at),
            Duty::own(Kind::SweepSessions).owe(self.expires()),
        ]
    }

    /// Counts as proven now.
    pub fn prove(&mut self, now: UnixMs) -> Statement {
        self.proven_at = self.proven_at.max(now);
        let text = "UPDATE session SET proven_at_ms = ? WHERE id = ?";
        Statement::new(text).bind(self.proven_at).bind(self.id.as_str())
    }

    /// Notes its use, when the last note is old enough to be worth a write.
    pub fn renew(&mut self, now: UnixMs) -> Option<Statement> {
        if now < self.seen_at.saturating_add(SEEN_COARSE) {
            return None;
        }
        self.seen_at = now;
        Some(
            Statement::new("UPDATE session SET seen_at_ms = ? WHERE id = ?")
                .bind(now)
                .bind(self.id.as_str()),
        )
    }

    /// Ends it.
    pub fn end(&self) -> Statement {
        Statement::new("DELETE FROM session WHERE id = ?").bind(self.id.as_str())
    }

    /// Whether the last proof of identity is fresh.
    pub fn is_proven(&self, now: UnixMs) -> bool {
        now < self.proven_until()
    }

    fn proven_until(&self) -> UnixMs {
        self.proven_at.saturating_add(STEP_UP)
    }

    fn expires(&self) -> UnixMs {
        self.created_at.saturating_add(LIFE).min(self.seen_at.saturating_add(IDLE))
    }

    /// Whose it is.
    pub fn member_id(&self) -> MemberId {
        self.member.view.id
    }

    /// As the console shows it.
    pub fn view(&self, account: &Account, now: UnixMs) -> SessionView {
        SessionView {
            member: self.member.view.clone(),
            account: account.view(),
            step_up_until: self.proven_until(),
            expires: self.expires(),
            operator: account.operator && self.member.view.role == Role::Owner,
            mail_is_failing: account.mail_is_failing,
            publication_lag_s: account.alarming_lag(now).map(|lag| lag.as_ms().div_euclid(1_000)),
        }
    }
}

/// Removes the sessions that are over.
pub fn sweep(now: UnixMs) -> Statement {
    Statement::new("DELETE FROM session WHERE created_at_ms <= ? OR seen_at_ms <= ?")
        .bind(now.saturating_sub(LIFE))
        .bind(now.saturating_sub(IDLE))
}

/// When the next session that is not over at `now` will be.
pub fn next_end(sql: &dyn Sql, now: UnixMs) -> Result<Option<UnixMs>, SqlError> {
    let text = "SELECT min(created_at_ms), min(seen_at_ms) FROM session WHERE created_at_ms > ? AND seen_at_ms > ?";
    let living = Statement::new(text).bind(now.saturating_sub(LIFE)).bind(now.saturating_sub(IDLE));
    let Some(mut row) = sql.first(&living)? else { return Ok(None) };
    let (created, seen) = (row.optional_time()?, row.optional_time()?);
    let ends = [created.map(|at| at.saturating_add(LIFE)), seen.map(|at| at.saturating_add(IDLE))];
    Ok(ends.into_iter().flatten().min())
}
