//! Passkeys of members: their rows, and the check of a presented one.
//!
//! A challenge is used up in the run that accepts its answer. So of parallel requests with one
//! answer, one is accepted. A signature counter that does not rise shows that the passkey was
//! copied by someone who must not: the answer is refused, and its challenge is used up too, so that
//! a replay causes no second mail.

use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::base::time::UnixMs;
use serde_json::json;

use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::passkey::ceremony::AnsweredChallenge;
use crate::protocol::passkey::{BinaryText, NewPasskey, PasskeyView, PresentedPasskey, PublicKey};

const COLUMNS: &str =
    "id, name, credential, transports, backed_up, created_at_ms, used_at_ms, public_key, counter";

/// A row of the table `passkey`.
#[derive(Clone, Debug)]
pub(super) struct PasskeyRow {
    pub view: PasskeyView,
    public_key: PublicKey,
    counter: u32,
}

/// The outcome of a check.
pub(super) enum PasskeyCheck {
    /// The passkey is the member's; the writes use the challenge up.
    Right { writes: Vec<Statement> },
    /// It is not, or the challenge was used up.
    Wrong,
    /// The counter did not rise; the writes use the challenge up.
    Cloned { name: String, writes: Vec<Statement> },
}

impl PasskeyRow {
    /// Loads the passkeys of a member, in the order in which they were added.
    pub fn of_member(sql: &dyn Sql, member: MemberId) -> Result<Vec<Self>, SqlError> {
        let text =
            format!("SELECT {COLUMNS} FROM passkey WHERE member = ? ORDER BY created_at_ms, id");
        sql.read_all(&Statement::new(text).bind(member.as_str()), Self::read)
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            view: PasskeyView {
                id: row.parsed("a passkey's ID", TokenId::parse)?,
                name: row.text()?,
                credential: row.parsed("base64url", BinaryText::parse)?,
                transports: row.parsed("a list", |text| serde_json::from_str(text).ok())?,
                backed_up: row.integer()? != 0,
                created_at: row.time()?,
                used_at: row.optional_time()?,
            },
            public_key: PublicKey::from_stored(row.bytes::<65>()?.to_vec()),
            counter: row.count()?,
        })
    }
}

/// Returns the passkeys of a member, as they see them.
pub(super) fn views(sql: &dyn Sql, member: MemberId) -> Result<Vec<PasskeyView>, SqlError> {
    Ok(PasskeyRow::of_member(sql, member)?.into_iter().map(|row| row.view).collect())
}

/// Returns `true` if the account has the credential, of whichever member.
pub(super) fn is_known(sql: &dyn Sql, credential: &BinaryText) -> Result<bool, SqlError> {
    let text = "SELECT count(*) FROM passkey WHERE credential = ?";
    Ok(sql.integer(&Statement::new(text).bind(credential.to_text()))? > 0)
}

/// Returns `true` if the challenge was answered before.
pub(super) fn is_used_up(sql: &dyn Sql, challenge: &AnsweredChallenge) -> Result<bool, SqlError> {
    let text = "SELECT count(*) FROM passkey_challenge WHERE digest = ?";
    let digest = challenge.digest.as_bytes().as_slice();
    Ok(sql.integer(&Statement::new(text).bind(digest))? > 0)
}

/// Uses a challenge up, and forgets those that are too old to be answered.
pub(super) fn use_up(challenge: &AnsweredChallenge, now: UnixMs) -> [Statement; 2] {
    let digest = challenge.digest.as_bytes().as_slice();
    [
        Statement::new("DELETE FROM passkey_challenge WHERE until_ms <= ?").bind(now),
        Statement::new("INSERT INTO passkey_challenge (digest, until_ms) VALUES (?, ?)")
            .bind(digest)
            .bind(challenge.until),
    ]
}

/// Compares a presented passkey with those of the member.
pub(super) fn check(
    sql: &dyn Sql,
    member: MemberId,
    presented: &PresentedPasskey,
    now: UnixMs,
) -> Result<PasskeyCheck, SqlError> {
    let is_of_another = presented.member.is_some_and(|named| named != member);
    if is_of_another || is_used_up(sql, &presented.challenge)? {
        return Ok(PasskeyCheck::Wrong);
    }
    let row = PasskeyRow::of_member(sql, member)?
        .into_iter()
        .find(|row| row.view.credential == presented.credential)
        .filter(|row| presented.is_signed_by(&row.public_key));
    let Some(row) = row else { return Ok(PasskeyCheck::Wrong) };
    let mut writes = Vec::from(use_up(&presented.challenge, now));
    if presented.is_clone_of(row.counter) {
        return Ok(PasskeyCheck::Cloned { name: row.view.name, writes });
    }
    let text = "UPDATE passkey SET counter = ?, backed_up = ?, used_at_ms = ? WHERE id = ?";
    writes.push(
        Statement::new(text)
            .bind(presented.counter)
            .bind(presented.backed_up)
            .bind(now)
            .bind(row.view.id.as_str()),
    );
    Ok(PasskeyCheck::Right { writes })
}

/// Inserts a passkey, and uses its challenge up.
pub(super) fn insert(member: MemberId, new: &NewPasskey, now: UnixMs) -> Vec<Statement> {
    let text = "INSERT INTO passkey (id, member, credential, public_key, counter, name, transports,
            backup_eligible, backed_up, created_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let mut writes = Vec::from(use_up(&new.challenge, now));
    writes.push(
        Statement::new(text)
            .bind(new.id.as_str())
            .bind(member.as_str())
            .bind(new.credential.to_text())
            .bind(new.public_key.as_bytes())
            .bind(new.counter)
            .bind(new.name.as_str())
            .bind(json!(new.transports).to_string())
            .bind(new.backup_eligible)
            .bind(new.backed_up)
            .bind(now),
    );
    writes
}

/// Renames a passkey.
pub(super) fn rename(id: TokenId, name: &str) -> Statement {
    Statement::new("UPDATE passkey SET name = ? WHERE id = ?").bind(name).bind(id.as_str())
}

/// Removes a passkey.
pub(super) fn remove(id: TokenId) -> Statement {
    Statement::new("DELETE FROM passkey WHERE id = ?").bind(id.as_str())
}
