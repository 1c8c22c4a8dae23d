//! Operations of operators on other accounts, as their own ledger records them. An idempotency key
//! invites at most one account. The operator's rights are already checked:
//! [`super::rights::authorise`] checks those of a member, and the admin Worker those of a person
//! whom Cloudflare Access recognised.

use claviger_core::base::id::AccountId;
use serde_json::json;

use super::audit::{Action, Author};
use super::decide::check_idempotency_key;
use super::idempotency::LIFE;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::operator::OperatorCommand;
use crate::protocol::refusal::Refusal;

/// Permits an operation: returns the reply and the audit row.
pub fn operate(
    sql: &dyn Sql,
    author: Author<'_>,
    operation: &OperatorCommand,
) -> Result<(Vec<Statement>, LedgerReply), SqlError> {
    let about = |action, account: &AccountId| {
        vec![author.did_about(action, json!({ "account": account }).to_string())]
    };
    let writes = match operation {
        OperatorCommand::Look => Vec::new(),
        OperatorCommand::Invite { account, idempotency_key } => {
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
        OperatorCommand::SetState { account, freshness_ms, suspended } => {
            let change =
                json!({ "account": account, "freshness_ms": freshness_ms, "suspended": suspended });
            vec![author.did_about(Action::SetAccountState, change.to_string())]
        }
        OperatorCommand::SetPolicy { account, changes } => {
            let change = json!({ "account": account, "policy": changes });
            vec![author.did_about(Action::SetAccountPolicy, change.to_string())]
        }
        OperatorCommand::TurnOffNetworks { account } => {
            about(Action::TurnOffAccountNetworks, account)
        }
        OperatorCommand::Rebuild { account } => about(Action::RebuildAccount, account),
        OperatorCommand::BeginRestore { account } => about(Action::BeginRestore, account),
        OperatorCommand::FinishRestore { account } => about(Action::FinishRestore, account),
        OperatorCommand::Withdraw { account } => {
            let mut writes = about(Action::WithdrawAccount, account);
            // The same idempotency key invites another account from now on: an old link of this
            // one would work again.
            let text = "DELETE FROM invitation WHERE account = ?";
            writes.push(Statement::new(text).bind(account.as_str()));
            writes
        }
    };
    Ok((writes, LedgerReply::Done))
}

/// Returns the account that the same operator has invited with this idempotency key.
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

/// Records an invitation and removes expired ones. Operators are few, so this needs no task.
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
