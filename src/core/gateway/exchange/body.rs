//! Reading a request's body: its opening, or all of it, each within its bound and time.

use crate::base::http::problem::RequestProblem;
use crate::base::http::request::Request;
use crate::base::time::UnixMs;
use crate::gateway::body::{Fields, OPENING_TIME, Opening};
use crate::gateway::exchange::{Got, Operation, Platform};

/// Reads an opening.
pub(super) async fn read_opening(
    mut opening: Opening,
    platform: &Platform,
) -> Result<Fields, RequestProblem> {
    let deadline = platform.now().saturating_add(OPENING_TIME);
    while !opening.is_read() {
        match next(deadline, platform).await? {
            Some(chunk) => opening.take(&chunk),
            None => opening.end(),
        }
    }
    Ok(opening.into_fields())
}

/// Reads all of a body, no further than `max` bytes.
pub(super) async fn read_all(
    request: &Request<'_>,
    max: usize,
    platform: &Platform,
) -> Result<Vec<u8>, RequestProblem> {
    let announced =
        request.headers.find("content-length").and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > max) {
        return Err(RequestProblem::BodyTooLarge { max });
    }
    let deadline = platform.now().saturating_add(OPENING_TIME);
    let mut bytes = Vec::new();
    while let Some(chunk) = next(deadline, platform).await? {
        if bytes.len().saturating_add(chunk.len()) > max {
            return Err(RequestProblem::BodyTooLarge { max });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn next(deadline: UnixMs, platform: &Platform) -> Result<Option<Vec<u8>>, RequestProblem> {
    let within = deadline.since(platform.now()).ok_or(RequestProblem::BodyTooSlow)?;
    match platform.ask(Operation::ReadBody { within_ms: within.as_ms() }).await {
        Got::Bytes(chunk) => Ok(chunk),
        Got::TooLate => Err(RequestProblem::BodyTooSlow),
        Got::Nothing | Got::Text(_) | Got::Texts(_) | Got::Fit(_) => {
            Err(RequestProblem::MalformedBody { detail: "the body ended early".into() })
        }
    }
}
