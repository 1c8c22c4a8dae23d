//! Reads a request's body, in part or whole, each within its bound and timeout.

use crate::base::http::problem::RequestProblem;
use crate::base::http::request::Request;
use crate::base::time::UnixMs;
use crate::gateway::body::{BODY_SCAN_TIME, BodyScan, Fields};
use crate::gateway::exchange::platform::{Boxed, Got, Operation, Platform};

/// Reads the beginning of a body, until the scan needs no more bytes.
pub(super) async fn scan_body(
    mut scan: BodyScan,
    platform: &Platform,
) -> Result<Fields, RequestProblem> {
    let deadline = platform.now().saturating_add(BODY_SCAN_TIME);
    while !scan.is_read() {
        match next(deadline, platform).await? {
            Some(chunk) => scan.take(&chunk),
            None => scan.end(),
        }
    }
    Ok(scan.into_fields())
}

/// Reads a whole body of at most `max` bytes.
pub(super) fn read_all<'a>(
    request: &'a Request<'a>,
    max: usize,
    platform: &'a Platform,
) -> Boxed<'a, Result<Vec<u8>, RequestProblem>> {
    Box::pin(async move {
        let announced =
            request.headers.find("content-length").and_then(|text| text.parse::<usize>().ok());
        if announced.is_some_and(|length| length > max) {
            return Err(RequestProblem::BodyTooLarge { max });
        }
        let deadline = platform.now().saturating_add(BODY_SCAN_TIME);
        let mut bytes = Vec::new();
        while let Some(chunk) = next(deadline, platform).await? {
            if bytes.len().saturating_add(chunk.len()) > max {
                return Err(RequestProblem::BodyTooLarge { max });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    })
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
