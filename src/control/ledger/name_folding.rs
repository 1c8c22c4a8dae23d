//! The folding of stored names anew, after a release that folds differently.
//!
//! The table `name_folding` has one row while it is in progress: the last key that is done. A
//! migration inserts the row and the task. Until the task has reached a key, search and order use
//! what the earlier release stored.

use claviger_core::base::time::UnixMs;

use super::name_order::name_order;
use crate::objects::object::TaskStep;
use crate::objects::search_terms::fold;
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};

/// Keys of one batch: some 20 ms of the ledger's time. Batches come a second apart, so the ledger
/// answers requests between them. 20,000 keys take 40 s.
const BATCH: u32 = 500;

/// Folds the next batch of names.
pub fn step(sql: &dyn Sql, now: UnixMs) -> Result<TaskStep, SqlError> {
    let cursor = sql.first(&Statement::new("SELECT cursor FROM name_folding"))?;
    let Some(mut cursor) = cursor else { return Ok(TaskStep::moot()) };
    let text = "SELECT id, name, name_folded, name_order FROM key WHERE id > ? ORDER BY id LIMIT ?";
    let batch = Statement::new(text).bind(cursor.text()?).bind(BATCH);
    let keys =
        sql.read_all(&batch, |mut row| Ok((row.text()?, row.text()?, row.text()?, row.text()?)))?;
    let Some((last, ..)) = keys.last() else {
        let writes = vec![Statement::new("DELETE FROM name_folding")];
        return Ok(TaskStep::Chore { writes, again: None });
    };
    let mut writes = vec![Statement::new("UPDATE name_folding SET cursor = ?").bind(last.as_str())];
    for (id, name, folded_before, order_before) in &keys {
        let (folded, order) = (fold(name), name_order(name));
        if (&folded, &order) != (folded_before, order_before) {
            let text = "UPDATE key SET name_folded = ?, name_order = ? WHERE id = ?";
            writes.push(Statement::new(text).bind(folded).bind(order).bind(id.as_str()));
        }
    }
    Ok(TaskStep::Chore { writes, again: Some(now) })
}
