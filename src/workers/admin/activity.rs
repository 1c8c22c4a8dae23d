//! Routes under `/v1/activity`: pages of activity, and the export.
//!
//! An export is produced while it is sent. The entry script requests the next page once the client
//! has read the one before, with the session cookie of the same request. So the end of the session
//! also ends the export.

use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{form, view};
use claviger_control::protocol::activity::export::{Format, ROWS_MAX};
use claviger_control::protocol::activity::{ActivityPage, EXPORT_PAGE_ENTRIES, Query};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::ledger::LedgerReply;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use serde::{Deserialize, Serialize};

use crate::clock::now;
use crate::context::RequestContext;

/// The position of an export.
#[derive(Serialize, Deserialize)]
struct ExportProgress {
    /// Cursor after the last page.
    cursor: String,
    /// Number of entries so far.
    rows: u32,
}

/// A piece of an export, for the entry script.
#[derive(Serialize)]
struct Piece {
    body: String,
    more: Option<String>,
}

/// Returns a page of activity.
pub async fn list(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    context.account()?;
    let query = form::activity(context.request.url.query)?;
    Ok(Response::json(200, &view::activity(&page(context, query, false).await?, now())))
}

/// Begins an export.
pub async fn export(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let (query, format) = form::export(context.request.url.query)?;
    let Piece { body, more } = piece(context, query, format, None).await?;
    let name = format!("attachment; filename=\"activity-{account}.{}\"", format.extension());
    let answer = Response::file(format.media_type(), [format.head(), body].concat())
        .with("content-disposition", name)
        .with("claviger-rows-max", ROWS_MAX.to_string());
    Ok(answer.with_more(more))
}

/// Continues an export; returns JSON for the entry script.
pub async fn proceed(context: &RequestContext<'_>, more: &str) -> Result<String, AdminProblem> {
    let progress: ExportProgress =
        serde_json::from_str(more).map_err(|_| AdminProblem::Request(RequestProblem::Internal))?;
    let (query, format) = form::export(context.request.url.query)?;
    let piece = piece(context, query, format, Some(progress)).await?;
    serde_json::to_string(&piece).map_err(|_| AdminProblem::Request(RequestProblem::Internal))
}

async fn piece(
    context: &RequestContext<'_>,
    query: Query,
    format: Format,
    progress: Option<ExportProgress>,
) -> Result<Piece, AdminProblem> {
    let (cursor, rows) =
        progress.map_or((None, 0), |progress| (Some(progress.cursor), progress.rows));
    // Recorded once per export.
    let exports = cursor.is_none();
    let query = Query { cursor, limit: Some(EXPORT_PAGE_ENTRIES), ..query };
    let ActivityPage { entries, next } = page(context, query, exports).await?;
    let mut body: String =
        entries.iter().map(|entry| format.line(&view::entry_of_activity(entry))).collect();
    let rows = rows.saturating_add(u32::try_from(entries.len()).unwrap_or(u32::MAX));
    let more = match next {
        Some(_) if rows >= ROWS_MAX => {
            body.push_str(&format.cut());
            None
        }
        Some(cursor) => serde_json::to_string(&ExportProgress { cursor, rows }).ok(),
        None => None,
    };
    Ok(Piece { body, more })
}

async fn page(
    context: &RequestContext<'_>,
    query: Query,
    exports: bool,
) -> Result<ActivityPage, AdminProblem> {
    match context.command(Command::Activity { query, exports }).await? {
        LedgerReply::Activity(page) => Ok(page),
        reply => Err(context.refusal(reply)),
    }
}
