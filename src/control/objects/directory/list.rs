//! The list of accounts, for operators.

use claviger_core::base::id::AccountId;

use super::state::parse_state;
use crate::objects::search_terms::NameQuery;
use crate::objects::sql::migrate::is_initialised;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::objects::DirectoryReply;
use crate::protocol::operator::{
    AccountStatus, AccountsByStatus, DirectoryEntry, EntryCursor, PAGE_ENTRIES_MAX,
};

const COLUMNS: &str =
    "SELECT id, state, entered_at_ms, ifnull(name, ''), epoch IS NOT NULL, suspended FROM account";

/// Most accounts that a search reads: 20,000 take some 30 ms of the directory's time.
const ACCOUNTS_MAX: u32 = 20_000;

/// Returns a page of the list, latest first, with the numbers of all accounts.
///
/// A search reads every account of the status. The list has some thousands, and names are folded in
/// memory, so that no column has to follow the folding.
pub fn page(
    sql: &dyn Sql,
    cursor: Option<EntryCursor>,
    q: Option<&str>,
    status: Option<AccountStatus>,
) -> Result<DirectoryReply, SqlError> {
    let query = q.map(str::trim).filter(|q| !q.is_empty()).map(SearchQuery::read);
    if !is_initialised(sql)? {
        let counts = Some(AccountsByStatus::default());
        return Ok(DirectoryReply::Accounts { accounts: Vec::new(), next: None, counts });
    }
    let mut conditions = vec![status.map_or("1", condition)];
    if cursor.is_some() {
        conditions.push("(entered_at_ms, id) < (?, ?)");
    }
    let text = format!(
        "{COLUMNS} WHERE {} ORDER BY entered_at_ms DESC, id DESC LIMIT ?",
        conditions.join(" AND ")
    );
    let mut rows = Statement::new(text);
    if let Some(EntryCursor { entered_at, id }) = cursor {
        rows = rows.bind(entered_at).bind(id.as_str());
    }
    // One entry more than shown tells that there is a further page.
    let limit = if query.is_some() { ACCOUNTS_MAX } else { PAGE_ENTRIES_MAX.saturating_add(1) };
    let mut accounts = sql.read_all(&rows.bind(limit), read)?;
    if let Some(query) = query {
        accounts.retain(|entry| query.finds(entry));
    }
    let shown = usize::try_from(PAGE_ENTRIES_MAX).unwrap_or(usize::MAX);
    let has_more = accounts.len() > shown;
    accounts.truncate(shown);
    let last = accounts.last().filter(|_| has_more);
    let next = last.map(|entry| EntryCursor { entered_at: entry.entered_at, id: entry.id });
    Ok(DirectoryReply::Accounts { accounts, next, counts: Some(counts(sql)?) })
}

/// Returns the SQL condition of a status. A suspended account is open.
fn condition(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Pending => "state = 'pending'",
        AccountStatus::Open => "state = 'open' AND suspended = 0",
        AccountStatus::Suspended => "state = 'open' AND suspended = 1",
    }
}

fn counts(sql: &dyn Sql) -> Result<AccountsByStatus, SqlError> {
    let [pending, open, suspended] =
        [AccountStatus::Pending, AccountStatus::Open, AccountStatus::Suspended].map(condition);
    let text = format!(
        "SELECT ifnull(sum({pending}), 0), ifnull(sum({open}), 0), ifnull(sum({suspended}), 0) FROM account"
    );
    let row = sql.first(&Statement::new(text))?;
    let mut row = row.ok_or(SqlError::Column { column: 0, expected: "a row" })?;
    Ok(AccountsByStatus { pending: row.count()?, open: row.count()?, suspended: row.count()? })
}

/// A search for accounts.
struct SearchQuery {
    name: NameQuery,
    /// The typed text, as an ID begins.
    id: String,
}

impl SearchQuery {
    fn read(text: &str) -> Self {
        Self { name: NameQuery::read(text), id: text.to_owned() }
    }

    fn finds(&self, entry: &DirectoryEntry) -> bool {
        entry.id.as_str().starts_with(&self.id)
            || entry.name.as_deref().is_some_and(|name| self.name.matches(name))
    }
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

/// Returns the first account, which no operator invited. Its ledger has the last word: it refuses
/// the operator's commands if the deployment began with another account.
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
