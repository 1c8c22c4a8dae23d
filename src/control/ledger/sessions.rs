//! Sessions of members. A session ends [`LIFE`] after it began, or [`IDLE`] after its last use,
//! whichever is earlier.

use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::{DurationMs, UnixMs};

use super::account::Account;
use super::factors;
use super::member::Member;
use super::publication;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::factors::FactorKinds;
use crate::protocol::identity::NewSession;
use crate::protocol::ledger::SessionProof;
use crate::protocol::member::Role;
use crate::protocol::proof::{DemandedProof, GivenProof, ProofMethod};
use crate::protocol::refusal::Refusal;
use crate::protocol::token::SESSION_LIFE_MS;
use crate::protocol::view::SessionView;

/// Longest lifetime. The cookie's own text ends it at the same age.
pub const LIFE: DurationMs = DurationMs::from_ms(SESSION_LIFE_MS.unsigned_abs());

/// Longest time without use: a long lunch.
pub const IDLE: DurationMs = DurationMs::from_s(2 * 60 * 60);

/// Resolution of the last use, so that not every request writes. A session may end up to this much
/// earlier than [`IDLE`] after its last use, never later.
pub const SEEN_COARSE: DurationMs = DurationMs::from_s(5 * 60);

/// Time for which a proof of identity is fresh.
pub const STEP_UP: DurationMs = DurationMs::from_s(10 * 60);

/// Most sessions of one member: more browsers than a person uses in half a day. A new session
/// beyond it ends the oldest.
pub const PER_MEMBER_MAX: u32 = 20;

const _: () = assert!(
    SEEN_COARSE.as_ms() < IDLE.as_ms() && IDLE.as_ms() < LIFE.as_ms() && PER_MEMBER_MAX > 0
);

/// A session that has not ended and whose secret was presented.
#[derive(Clone, Debug)]
pub struct Session {
    id: TokenId,
    created_at: UnixMs,
    proven_at: UnixMs,
    /// Method of the last proof of identity; `None` for one of a later release.
    proven_by: Option<ProofMethod>,
    /// Kinds of second factors that the member has.
    kinds: FactorKinds,
    seen_at: UnixMs,
    last_address: Option<String>,
    accounts: u32,
    /// Member who is signed in.
    pub member: Member,
}

impl Session {
    /// Loads the session of `proof`. The result is `None` if it never existed, has ended, or has
    /// another secret.
    pub fn load(
        sql: &dyn Sql,
        proof: &SessionProof,
        now: UnixMs,
    ) -> Result<Option<Self>, SqlError> {
        let text = format!(
            "SELECT session.digest, session.created_at_ms, session.proven_at_ms, session.seen_at_ms,
                ifnull(session.last_address, session.address), session.accounts, session.proven_by, {}, {}, {}
            FROM session JOIN member ON member.id = session.member
            WHERE session.id = ? AND member.removed_at_ms IS NULL",
            factors::HAS_APP,
            factors::HAS_PASSKEY,
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
        let (last_address, accounts) = (row.optional_text()?, row.count()?);
        let proven_by = ProofMethod::parse(&row.text()?);
        let kinds = FactorKinds { totp: row.integer()? != 0, passkey: row.integer()? != 0 };
        let member = Member::read(&mut row)?;
        let session = Self {
            id,
            created_at,
            proven_at,
            proven_by,
            kinds,
            seen_at,
            last_address,
            accounts,
            member,
        };
        Ok((digest, session))
    }

    /// Returns a session of `member` that begins now. `proof` is the method of a fresh proof of
    /// identity, if the member has given one.
    pub fn begin(
        new: &NewSession,
        member: Member,
        address: Option<&str>,
        proof: Option<ProofMethod>,
        kinds: FactorKinds,
        now: UnixMs,
    ) -> Self {
        Self {
            id: new.id,
            created_at: new.began.map_or(now, |began| began.min(now)),
            proven_at: if proof.is_some() { now } else { now.saturating_sub(STEP_UP) },
            proven_by: proof.or(Some(ProofMethod::Password)),
            kinds,
            seen_at: now,
            last_address: address.map(str::to_owned),
            accounts: new.accounts.max(1),
            member,
        }
    }

    /// Inserts a new session, ends the member's oldest ones beyond [`PER_MEMBER_MAX`], and
    /// schedules the sweep.
    pub fn insert(&self, new: &NewSession) -> [Statement; 3] {
        let make_room = "DELETE FROM session WHERE id IN (
            SELECT id FROM session WHERE member = ? ORDER BY created_at_ms DESC, id LIMIT -1 OFFSET ?)";
        let insert =
            "INSERT INTO session (id, digest, member, address, last_address, created_at_ms, proven_at_ms,
                seen_at_ms, agent, accounts, proven_by)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        [
            Statement::new(make_room)
                .bind(self.member.view.id.as_str())
                .bind(PER_MEMBER_MAX.saturating_sub(1)),
            Statement::new(insert)
                .bind(self.id.as_str())
                .bind(new.digest.as_bytes().as_slice())
                .bind(self.member.view.id.as_str())
                .bind(self.last_address.as_deref())
                .bind(self.last_address.as_deref())
                .bind(self.created_at)
                .bind(self.proven_at)
                .bind(self.seen_at)
                .bind(new.agent.as_deref())
                .bind(self.accounts)
                .bind(self.stored_method()),
            Task::own(TaskKind::SweepSessions).schedule(self.expires()),
        ]
    }

    /// Records a fresh proof of identity.
    pub fn prove(&mut self, method: ProofMethod, now: UnixMs) -> Statement {
        self.proven_at = self.proven_at.max(now);
        self.proven_by = Some(method);
        let text = "UPDATE session SET proven_at_ms = ?, proven_by = ? WHERE id = ?";
        Statement::new(text).bind(self.proven_at).bind(self.stored_method()).bind(self.id.as_str())
    }

    /// Returns the stored name of the method. One of a later release, which is not written back,
    /// becomes a password.
    fn stored_method(&self) -> &'static str {
        self.proven_by.unwrap_or(ProofMethod::Password).as_str()
    }

    /// Gives the session the ID and secret of `new`, so that a copy of its cookie ends here. It
    /// keeps its beginning, and with it its end.
    pub fn replace(&mut self, new: &NewSession) -> [Statement; 2] {
        let text = "INSERT INTO session (id, digest, member, address, last_address, created_at_ms,
                proven_at_ms, seen_at_ms, agent, accounts, proven_by)
            SELECT ?, ?, member, address, last_address, created_at_ms, proven_at_ms, seen_at_ms, agent,
                accounts, proven_by FROM session WHERE id = ?";
        let copy = Statement::new(text)
            .bind(new.id.as_str())
            .bind(new.digest.as_bytes().as_slice())
            .bind(self.id.as_str());
        let before = end(self.id);
        self.id = new.id;
        [copy, before]
    }

    /// Records the use, if the last record is at least [`SEEN_COARSE`] old, or names another
    /// address.
    pub fn renew(&mut self, address: Option<&str>, now: UnixMs) -> Option<Statement> {
        let last = address.or(self.last_address.as_deref()).map(str::to_owned);
        if now < self.seen_at.saturating_add(SEEN_COARSE) && last == self.last_address {
            return None;
        }
        (self.seen_at, self.last_address) = (self.seen_at.max(now), last);
        Some(
            Statement::new("UPDATE session SET seen_at_ms = ?, last_address = ? WHERE id = ?")
                .bind(self.seen_at)
                .bind(self.last_address.as_deref())
                .bind(self.id.as_str()),
        )
    }

    /// Ends the session.
    pub fn end(&self) -> Statement {
        end(self.id)
    }

    /// Returns the ID of the session.
    pub fn id(&self) -> TokenId {
        self.id
    }

    /// Returns the last proof of identity as it stands now.
    pub fn proof(&self, now: UnixMs) -> GivenProof {
        GivenProof {
            method: self.proven_by,
            is_fresh: now < self.proven_at.saturating_add(STEP_UP),
            with_factor: self.with_factor(),
        }
    }

    /// Returns `true` if the member has a second factor.
    pub fn with_factor(&self) -> bool {
        self.kinds.any()
    }

    /// Returns the kinds of second factors that the member has.
    pub fn factor_kinds(&self) -> FactorKinds {
        self.kinds
    }

    /// Returns the refusal with those factors alone that the member has. If none of them suffices,
    /// returns it unchanged.
    pub fn offered(&self, refusal: Refusal) -> Refusal {
        let Refusal::ProofRequired { methods } = &refusal else { return refusal };
        let own = self.kinds.methods();
        let is_offered = |method: &&ProofMethod| !method.is_factor() || own.contains(method);
        let offered: Vec<ProofMethod> = methods.iter().filter(is_offered).copied().collect();
        if offered.is_empty() { refusal } else { Refusal::ProofRequired { methods: offered } }
    }

    /// Stores the number of the person's memberships.
    pub fn note_accounts(&mut self, accounts: u32) -> Statement {
        self.accounts = accounts.max(1);
        let text = "UPDATE session SET accounts = ? WHERE id = ?";
        Statement::new(text).bind(self.accounts).bind(self.id.as_str())
    }

    /// Returns the end of the proof, for the demand of most actions: of a proof that does not
    /// suffice, its beginning.
    fn proven_until(&self) -> UnixMs {
        let suffices =
            GivenProof { method: self.proven_by, is_fresh: true, with_factor: self.with_factor() }
                .satisfies(DemandedProof::Password);
        let life = if suffices { STEP_UP } else { DurationMs::from_ms(0) };
        self.proven_at.saturating_add(life)
    }

    fn expires(&self) -> UnixMs {
        self.created_at.saturating_add(LIFE).min(self.seen_at.saturating_add(IDLE))
    }

    /// Returns the ID of the signed-in member.
    pub fn member_id(&self) -> MemberId {
        self.member.view.id
    }

    /// Returns the session as the console shows it.
    pub fn view(&self, account: &Account, now: UnixMs) -> SessionView {
        SessionView {
            member: self.member.view.clone(),
            account: account.view(),
            step_up_until: self.proven_until(),
            expires: self.expires(),
            began: Some(self.created_at),
            operator: account.operator && self.member.view.role == Role::Owner,
            mail_is_failing: account.mail_is_failing,
            publication_lag_s: publication::alarming_lag(account, now)
                .map(|lag| lag.as_ms().div_euclid(1_000)),
            accounts: self.accounts,
            mfa: self.with_factor(),
            factors: self.kinds,
            proven_by: self.proven_by,
            secret_version: self.member.secret_version,
            unread_notices: self.member.unread,
        }
    }
}

/// Ends a session.
pub fn end(id: TokenId) -> Statement {
    Statement::new("DELETE FROM session WHERE id = ?").bind(id.as_str())
}

/// Ends all sessions of a member but `kept`.
pub fn end_all(member: MemberId, kept: Option<TokenId>) -> Statement {
    Statement::new("DELETE FROM session WHERE member = ? AND id <> ?")
        .bind(member.as_str())
        .bind(kept.as_ref().map_or("", TokenId::as_str))
}

/// Removes the sessions that have ended.
pub fn sweep(now: UnixMs) -> Statement {
    Statement::new("DELETE FROM session WHERE created_at_ms <= ? OR seen_at_ms <= ?")
        .bind(now.saturating_sub(LIFE))
        .bind(now.saturating_sub(IDLE))
}

/// Returns the earliest end after `now`, Unix ms.
pub fn next_end(sql: &dyn Sql, now: UnixMs) -> Result<Option<UnixMs>, SqlError> {
    let text = "SELECT min(created_at_ms), min(seen_at_ms) FROM session WHERE created_at_ms > ? AND seen_at_ms > ?";
    let living = Statement::new(text).bind(now.saturating_sub(LIFE)).bind(now.saturating_sub(IDLE));
    let Some(mut row) = sql.first(&living)? else { return Ok(None) };
    let (created, seen) = (row.optional_time()?, row.optional_time()?);
    let ends = [created.map(|at| at.saturating_add(LIFE)), seen.map(|at| at.saturating_add(IDLE))];
    Ok(ends.into_iter().flatten().min())
}
