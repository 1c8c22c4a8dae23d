//! Challenges: sign-ins that wait for a second factor.
//!
//! ```text
//!   open ──right code──▶ a session
//!     │ expired, too many refused codes, another password, removal, factors turned off
//!     ▼
//!   over
//! ```
//!
//! A challenge opens after the right password. Its token has a separate kind, so that no route
//! accepts it as a session. It belongs to one member, in one account, and to the password that was
//! verified.

use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::{DurationMs, UnixMs};
use serde_json::json;

use super::account::Account;
use super::audit::{Action, Author};
use super::factors::{self, CheckedFactor, FactorDesk};
use super::member::Member;
use super::networks;
use super::sessions::Session;
use crate::ledger::plan::Plan;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::activity::Actor;
use crate::protocol::factors::FactorKinds;
use crate::protocol::identity::{NewChallenge, NewSession};
use crate::protocol::ledger::{ChallengeAnswer, LedgerReply};
use crate::protocol::master::MasterSecrets;
use crate::protocol::member::SecretVersion;
use crate::protocol::passkey::PasskeyView;
use crate::protocol::refusal::Refusal;
use crate::protocol::token::CHALLENGE_LIFE_MS;

/// Validity of a challenge. Its token's own text ends it at the same age.
pub const LIFE: DurationMs = DurationMs::from_ms(CHALLENGE_LIFE_MS.unsigned_abs());

/// Most refused codes of one challenge. A person who needs more types the password again.
pub const TRIES_MAX: u32 = 5;

/// Most open challenges of one member. A new one beyond it ends the oldest.
pub const PER_MEMBER_MAX: u32 = 5;

/// A row of the table `challenge`.
#[derive(Clone, Debug)]
struct Challenge {
    id: TokenId,
    digest: Digest,
    member: MemberId,
    secret_version: SecretVersion,
    accounts: u32,
    began: Option<UnixMs>,
    created_at: UnixMs,
    tries: u32,
}

impl Challenge {
    fn load(sql: &dyn Sql, id: TokenId) -> Result<Option<Self>, SqlError> {
        let text = "SELECT digest, member, secret_version, accounts, began_ms, created_at_ms, tries
            FROM challenge WHERE id = ?";
        let read = |mut row: Row| {
            Ok(Self {
                id,
                digest: Digest::from_bytes(row.bytes()?),
                member: row.parsed("a member ID", MemberId::parse)?,
                secret_version: SecretVersion(row.count()?),
                accounts: row.count()?,
                began: row.optional_time()?,
                created_at: row.time()?,
                tries: row.count()?,
            })
        };
        sql.first(&Statement::new(text).bind(id.as_str()))?.map(read).transpose()
    }

    fn is_over(&self, now: UnixMs) -> bool {
        self.tries >= TRIES_MAX || now >= self.created_at.saturating_add(LIFE)
    }
}

/// Opens a challenge for a member whose password was verified.
pub(super) fn open(
    member: &Member,
    new: &NewSession,
    challenge: &NewChallenge,
    (factors, passkeys): (FactorKinds, Vec<PasskeyView>),
    author: Author<'_>,
) -> Plan {
    let now = author.now;
    let forget = "DELETE FROM challenge WHERE created_at_ms <= ?";
    let make_room = "DELETE FROM challenge WHERE id IN (
        SELECT id FROM challenge WHERE member = ? ORDER BY created_at_ms DESC, id LIMIT -1 OFFSET ?)";
    let insert = "INSERT INTO challenge (id, digest, member, secret_version, accounts, began_ms,
            created_at_ms, tries)
        VALUES (?, ?, ?, ?, ?, ?, ?, 0)";
    let writes = vec![
        Statement::new(forget).bind(now.saturating_sub(LIFE)),
        Statement::new(make_room)
            .bind(member.view.id.as_str())
            .bind(PER_MEMBER_MAX.saturating_sub(1)),
        Statement::new(insert)
            .bind(challenge.id.as_str())
            .bind(challenge.digest.as_bytes().as_slice())
            .bind(member.view.id.as_str())
            .bind(member.secret_version.0)
            .bind(new.accounts.max(1))
            .bind(new.began)
            .bind(now),
        author.did(Action::DemandFactor),
    ];
    let until = now.saturating_add(LIFE);
    Plan { writes, reply: LedgerReply::Challenged { until, factors, passkeys } }
}

/// Opens the session of a challenge, if the code or passkey is right.
pub(super) fn answer(
    sql: &dyn Sql,
    account: &Account,
    master: Option<&MasterSecrets>,
    answer: &ChallengeAnswer,
    now: UnixMs,
) -> Result<Plan, SqlError> {
    let ChallengeAnswer { challenge: id, digest, typed, session: new, address } = answer;
    let over = || Ok(Plan::refuse(Refusal::ChallengeOver));
    // `Digest` compares in constant time.
    let found = Challenge::load(sql, *id)?
        .filter(|challenge| challenge.digest == *digest && !challenge.is_over(now));
    let Some(challenge) = found else { return over() };
    let member = Member::load(sql, challenge.member)?
        .filter(|member| member.secret_version == challenge.secret_version);
    let Some(member) = member else { return over() };
    let kinds = factors::kinds(sql, member.view.id)?;
    if !kinds.any() {
        return over();
    }
    let address = address.as_deref();
    let author = Author { actor: Actor::Member(member.view.id), address, now };
    let desk = FactorDesk { sql, account, master, author };
    let (method, mut writes) = match desk.check(&member, typed)? {
        CheckedFactor::Accepted { method, writes } => (method, writes),
        CheckedFactor::Refused { mut writes, tries_left } => {
            let tries = challenge.tries.saturating_add(1);
            let count = Statement::new("UPDATE challenge SET tries = ? WHERE id = ?");
            writes.push(count.bind(tries).bind(challenge.id.as_str()));
            let tries_left = tries_left.min(TRIES_MAX.saturating_sub(tries));
            let reply = LedgerReply::Refused(Refusal::FactorRefused { tries_left });
            return Ok(Plan { writes, reply });
        }
        CheckedFactor::Exhausted { until } => {
            return Ok(Plan::refuse(Refusal::TooManyFactorTries { until }));
        }
    };
    let new = NewSession { accounts: challenge.accounts, began: challenge.began, ..new.clone() };
    // Only a switch from another account passes on the beginning of a session.
    let begun = (new.id, challenge.began.is_some());
    writes.extend(networks::signed_in(sql, account, &member, begun, address, now)?);
    let session = Session::begin(&new, member, address, Some(method), kinds, now);
    writes.push(Statement::new("DELETE FROM challenge WHERE id = ?").bind(challenge.id.as_str()));
    writes.extend(session.insert(&new));
    writes.push(author.did_about(Action::SignIn, json!({ "method": method }).to_string()));
    Ok(Plan { writes, reply: LedgerReply::Session(session.view(account, now)) })
}

/// Ends all challenges of a member.
pub fn end_all(member: MemberId) -> Statement {
    Statement::new("DELETE FROM challenge WHERE member = ?").bind(member.as_str())
}
