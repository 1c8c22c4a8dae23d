//! `/v1/activity`: what was done in the account, as pages and as a file.
//!
//! A file is made while it is sent: each page of it is asked for when the client has taken the one before, with the cookie of the same
//! request, so that a session that ends meanwhile ends the file.

use serde::{Deserialize, Serialize};

use super::console::Exchange;
use super::now;
use crate::activity::export::{Format, ROWS_MAX};
use crate::activity::{EXPORT_PAGE_ENTRIES, Page, Query};
use crate::answer::Answer;
use crate::console::{form, view};
use crate::problem::Problem;
use crate::protocol::{Command, LedgerReply};

/// How far a file is.
#[derive(Serialize, Deserialize)]
struct Progress {
    /// Where the last page ended.
    cursor: String,
    /// Entries so far.
    rows: u32,
}

/// A piece of a file, for the entry script.
#[derive(Serialize)]
struct Piece {
    body: String,
    more: Option<String>,
}

/// Shows a page.
pub async fn list(exchange: &Exchange<'_>) -> Result<Answer, Problem> {
    exchange.session()?;
    let query = form::activity(exchange.request.url.query)?;
    Ok(Answer::json(200, &view::activity(&page(exchange, query, false).await?, now())))
}

/// Begins a file.
pub async fn export(exchange: &Exchange<'_>) -> Result<Answer, Problem> {
    let account = exchange.session()?.account();
    let (query, format) = form::export(exchange.request.url.query)?;
    let Piece { body, more } = piece(exchange, query, format, None).await?;
    let name = format!("attachment; filename=\"activity-{account}.{}\"", format.extension());
    let answer = Answer::file(format.media_type(), [format.head(), body].concat())
        .with("content-disposition", name)
        .with("claviger-rows-max", ROWS_MAX.to_string());
    // Of a HEAD nobody takes the body.
    Ok(if exchange.request.method == "HEAD" { answer } else { answer.to_be_continued(more) })
}

/// Goes on with a file; the text is JSON for the entry script.
pub async fn proceed(exchange: &Exchange<'_>, more: &str) -> Result<String, Problem> {
    let progress: Progress = serde_json::from_str(more).map_err(|_| Problem::Internal)?;
    let (query, format) = form::export(exchange.request.url.query)?;
    let piece = piece(exchange, query, format, Some(progress)).await?;
    serde_json::to_string(&piece).map_err(|_| Problem::Internal)
}

async fn piece(
    exchange: &Exchange<'_>,
    query: Query,
    format: Format,
    progress: Option<Progress>,
) -> Result<Piece, Problem> {
    let (cursor, rows) = progress.map_or((None, 0), |progress| (Some(progress.cursor), progress.rows));
    // Written down once, of a file that somebody takes.
    let exports = cursor.is_none() && exchange.request.method != "HEAD";
    let asked = Query { cursor, limit: Some(EXPORT_PAGE_ENTRIES), ..query };
    let Page { entries, next } = page(exchange, asked, exports).await?;
    let mut body: String = entries.iter().map(|entry| format.line(&view::entry_of_activity(entry))).collect();
    let rows = rows.saturating_add(u32::try_from(entries.len()).unwrap_or(u32::MAX));
    let more = match next {
        Some(_) if rows >= ROWS_MAX => {
            body.push_str(&format.cut());
            None
        }
        Some(cursor) => serde_json::to_string(&Progress { cursor, rows }).ok(),
        None => None,
    };
    Ok(Piece { body, more })
}

async fn page(exchange: &Exchange<'_>, query: Query, exports: bool) -> Result<Page, Problem> {
    match exchange.command(Command::Activity { query, exports }).await? {
        LedgerReply::Activity(page) => Ok(page),
        reply => Err(exchange.refusal(reply)),
    }
}
