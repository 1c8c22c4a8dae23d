//! What operators do to accounts, as far as their own ledger has to do with it: it is written down,
//! and an invitation is given once for one idempotency key. Who may was decided before
//! ([`super::decide::authorise`]).

use claviger_core::base::id::AccountId;
use serde_json::json;

use super::audit::{Action, Author};
use super::decide::check_idempotency_key;
use super::idempotency::LIFE;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::operator::Operation;
use crate::protocol::refusal::Refusal;

/// Lets an operation be done: its reply, with what is written down of it.
pub fn operate(
    sql: &dyn Sql,
    author: Author<'_>,
    operation: &Operation,
) -> Result<(Vec<Statement>, LedgerReply), SqlError> {
    let about = |action, account: &AccountId| {
        vec![author.did_about(action, json!({ "account": account }).to_string())]
    };
    let writes = match operation {
        Operation::Look => Vec::new(),
        Operation::Invite { account, idempotency_key } => {
            if let Err(refusal) = check_idempotency_key(idempotency_key) {
                return Ok((Vec::new(), LedgerReply::Refused(refusal)));
            }
            if let Some(account) = invited(sql, author, idempotency_key)? {
                return Ok((Vec::new(), LedgerReply::Refused(Refusal::AlreadyInvited { account })));
            }
            let mut writes = about(Action::InviteAccount, account);
            writes.extend(remember(author, idempotency_key, *account));
            writes
        }
        Operation::SetState { account, freshness_ms, suspended } => {
            let told =
                json!({ "account": account, "freshness_ms": freshness_ms, "suspended": suspended });
            vec![author.did_about(Action::SetAccountState, told.to_string())]
        }
        Operation::Rebuild { account } => about(Action::RebuildAccount, account),
        Operation::BeginRestore { account } => about(Action::BeginRestore, account),
        Operation::FinishRestore { account } => about(Action::FinishRestore, account),
    };
    Ok((writes, LedgerReply::Done))
}

/// Whom the same member has invited under this idempotency key.
fn invited(
    sql: &dyn Sql,
    author: Author<'_>,
    idempotency_key: &str,
) -> Result<Option<AccountId>, SqlError> {
    let text =
        "SELECT account FROM invitation WHERE member = ? AND idempotency_key = ? AND at_ms > ?";
    let found = Statement::new(text)
        .bind(author.actor.as_str())
        .bind(idempotency_key)
        .bind(author.now.saturating_sub(LIFE));
    sql.first(&found)?.map(|mut row| row.parsed("an account ID", AccountId::parse)).transpose()
}

/// Remembers an invitation, and forgets those that are over: operators are few, so that this needs
/// no duty.
fn remember(author: Author<'_>, idempotency_key: &str, account: AccountId) -> [Statement; 2] {
    let insert = "INSERT OR REPLACE INTO invitation (member, idempotency_key, account, at_ms) VALUES (?, ?, ?, ?)";
    [
        Statement::new("DELETE FROM invitation WHERE at_ms <= ?")
            .bind(author.now.saturating_sub(LIFE)),
        Statement::new(insert)
            .bind(author.actor.as_str())
            .bind(idempotency_key)
            .bind(account.as_str())
            .bind(author.now),
    ]
}
