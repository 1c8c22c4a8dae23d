//! Reads a request's body, in part or whole, each within its bound and timeout.

use crate::base::http::problem::RequestProblem;
use crate::base::http::request::Request;
use crate::base::time::UnixMs;
use crate::gateway::body::{BODY_PIECES_MAX, BODY_SCAN_TIME, BodyScan, Fields};
use crate::gateway::exchange::platform::{Boxed, Got, Operation, Platform};

/// Reads the beginning of a body, until the scan needs no more bytes.
pub(super) fn scan_body(
    mut scan: BodyScan,
    platform: &Platform,
) -> Boxed<'_, Result<Fields, RequestProblem>> {
    Box::pin(async move {
        let mut pieces = Pieces::new(platform);
        while !scan.is_read() {
            match pieces.next().await? {
                Some(piece) => scan.take(&piece),
                None => scan.end(),
            }
        }
        Ok(scan.into_fields())
    })
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
        let mut pieces = Pieces::new(platform);
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next().await? {
            if bytes.len().saturating_add(piece.len()) > max {
                return Err(RequestProblem::BodyTooLarge { max });
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    })
}

/// The reason why a body could not be read, for surfaces whose answers follow another protocol.
pub(super) enum BodyFault {
    /// It has more bytes than the surface reads.
    TooLarge,
    /// It did not arrive in time.
    TooSlow,
    /// It ended early.
    CutOff,
}

impl From<RequestProblem> for BodyFault {
    fn from(problem: RequestProblem) -> Self {
        match problem {
            RequestProblem::BodyTooLarge { .. } => Self::TooLarge,
            RequestProblem::BodyTooSlow => Self::TooSlow,
            RequestProblem::MalformedBody { .. }
            | RequestProblem::NotFound
            | RequestProblem::MethodNotAllowed { .. }
            | RequestProblem::UnsupportedMediaType
            | RequestProblem::Unavailable
            | RequestProblem::Misconfigured
            | RequestProblem::Internal => Self::CutOff,
        }
    }
}

/// The pieces of a body, in the order of their arrival.
struct Pieces<'a> {
    platform: &'a Platform,
    deadline: UnixMs,
    left: u32,
}

impl<'a> Pieces<'a> {
    fn new(platform: &'a Platform) -> Self {
        let deadline = platform.now().saturating_add(BODY_SCAN_TIME);
        Self { platform, deadline, left: BODY_PIECES_MAX }
    }

    /// Returns the next piece; `None` at the end of the body.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, RequestProblem> {
        let within = self.deadline.since(self.platform.now()).ok_or(RequestProblem::BodyTooSlow)?;
        match self.platform.ask(Operation::ReadBody { within_ms: within.as_ms() }).await {
            Got::Bytes(None) => Ok(None),
            Got::Bytes(Some(piece)) => {
                self.left = self.left.checked_sub(1).ok_or(RequestProblem::BodyTooSlow)?;
                Ok(Some(piece))
            }
            Got::TooLate => Err(RequestProblem::BodyTooSlow),
            Got::Nothing | Got::Text(_) | Got::Texts(_) | Got::Fit(_) => {
                Err(RequestProblem::MalformedBody { detail: "the body ended early".into() })
            }
        }
    }
}
