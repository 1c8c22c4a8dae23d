//! The list of accounts, for operators.

use claviger_core::base::id::AccountId;

use super::state::parse_state;
use crate::objects::sql::migrate::is_initialised;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::objects::DirectoryReply;
use crate::protocol::operator::{DirectoryEntry, EntryCursor, PAGE_ENTRIES_MAX};

const COLUMNS: &str =
    "SELECT id, state, entered_at_ms, ifnull(name, ''), epoch IS NOT NULL, suspended FROM account";

/// Returns a page of the list, latest first.
pub fn page(sql: &dyn Sql, cursor: Option<EntryCursor>) -> Result<DirectoryReply, SqlError> {
    if !is_initialised(sql)? {
        return Ok(DirectoryReply::Accounts { accounts: Vec::new(), next: None });
    }
    let older = if cursor.is_some() { "WHERE (entered_at_ms, id) < (?, ?)" } else { "" };
    let text = format!("{COLUMNS} {older} ORDER BY entered_at_ms DESC, id DESC LIMIT ?");
    let mut rows = Statement::new(text);
    if let Some(EntryCursor { entered_at, id }) = cursor {
        rows = rows.bind(entered_at).bind(id.as_str());
    }
    // Reads one entry more than shown, to detect a further page.
    let mut accounts = sql.read_all(&rows.bind(PAGE_ENTRIES_MAX.saturating_add(1)), read)?;
    let shown = usize::try_from(PAGE_ENTRIES_MAX).unwrap_or(usize::MAX);
    let has_more = accounts.len() > shown;
    accounts.truncate(shown);
    let last = accounts.last().filter(|_| has_more);
    let next = last.map(|entry| EntryCursor { entered_at: entry.entered_at, id: entry.id });
    Ok(DirectoryReply::Accounts { accounts, next })
}

/// Returns one account.
pub fn find(sql: &dyn Sql, account: AccountId) -> Result<DirectoryReply, SqlError> {
    if !is_initialised(sql)? {
        return Ok(DirectoryReply::Unknown);
    }
    let row = Statement::new(format!("{COLUMNS} WHERE id = ?")).bind(account.as_str());
    let entry = sql.first(&row)?.map(read).transpose()?;
    Ok(entry.map_or(DirectoryReply::Unknown, DirectoryReply::Account))
}

/// Returns the first account, which no operator invited. Its ledger has the last word: it refuses the
/// operator's commands if the deployment began with another account.
pub fn find_first(sql: &dyn Sql) -> Result<DirectoryReply, SqlError> {
    if !is_initialised(sql)? {
        return Ok(DirectoryReply::Unknown);
    }
    let text = format!(
        "{COLUMNS} WHERE state = 'open' AND invited = 0 ORDER BY entered_at_ms, id LIMIT 1"
    );
    let entry = sql.first(&Statement::new(text))?.map(read).transpose()?;
    Ok(entry.map_or(DirectoryReply::Unknown, DirectoryReply::Account))
}

fn read(mut row: Row) -> Result<DirectoryEntry, SqlError> {
    Ok(DirectoryEntry {
        id: row.parsed("an account ID", AccountId::parse)?,
        state: row.parsed("a state", parse_state)?,
        entered_at: row.time()?,
        name: Some(row.text()?).filter(|name| !name.is_empty()),
        restoring: row.integer()? != 0,
        suspended: row.integer()? != 0,
    })
}
