//! Showing a viewable key's secret again.

use super::Plan;
use super::audit::Action;
use super::commands::Asked;
use super::key::{Key, kept};
use crate::id::KeyId;
use crate::protocol::{LedgerReply, Refusal};
use crate::sql::{Sql, SqlError};

/// Hands out the encrypted secret of a key, and writes down that it was. Whoever holds it can do what it may: one with
/// Claviger's own permissions is for owners.
pub(super) fn plan(sql: &dyn Sql, asked: &Asked<'_>, id: KeyId) -> Result<Plan, SqlError> {
    let present = Key::load(sql, id)?.and_then(Key::living);
    let Some(key) = present else { return Ok(Plan::refuse(Refusal::NotFound)) };
    if let Err(refusal) = asked.desk().check_reserved(&key) {
        return Ok(Plan::refuse(refusal));
    }
    let Some(sealed) = kept(sql, id)? else { return Ok(Plan::refuse(Refusal::NotViewable)) };
    let writes = vec![asked.author().looked(Action::Reveal, &key)];
    Ok(Plan { writes, reply: LedgerReply::Revealed { sealed } })
}
