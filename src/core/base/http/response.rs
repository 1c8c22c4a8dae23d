//! Defines the outcome of a request: a response of Claviger, or a request to forward.

use core::fmt;

use serde::Serialize;

/// An HTTP response that Claviger writes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty for none.
    pub body: String,
    /// Cursor from which the admin Worker writes the rest of the body; `None` if `body` is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
}

impl Response {
    /// Returns a JSON response that no cache may store.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        // This cannot fail for our own types: all map keys are text.
        let body = serde_json::to_string(body).unwrap_or_default();
        Self {
            status,
            headers: vec![("content-type", "application/json".into()), no_store(), no_sniff()],
            body,
            more: None,
        }
    }

    /// Returns a file with status 200 that no cache may store.
    pub fn file(media_type: &'static str, body: String) -> Self {
        let headers = vec![("content-type", media_type.into()), no_store(), no_sniff()];
        Self { status: 200, headers, body, more: None }
    }

    /// Returns a response without a body that no cache may store.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: vec![no_store()], body: String::new(), more: None }
    }

    /// Sets the cursor from which the body continues, if it does.
    pub fn with_more(self, more: Option<String>) -> Self {
        Self { more, ..self }
    }

    /// Adds the header, if there is one.
    #[must_use]
    pub fn with_header(mut self, header: Option<(&'static str, String)>) -> Self {
        self.headers.extend(header);
        self
    }

    /// Adds a header; `name` is in lower case.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Returns the header that keeps a browser from guessing another media type (Fetch §3.6).
pub fn no_sniff() -> (&'static str, String) {
    ("x-content-type-options", "nosniff".into())
}

/// Returns the header that keeps a response out of every cache (RFC 9111 §5.2.2.5).
pub fn no_store() -> (&'static str, String) {
    ("cache-control", "no-store".into())
}

/// The order to screen a client's headers, with the secret of its key, for which to search their
/// values. The text is empty if the request has no key. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Screening(pub String);

impl fmt::Debug for Screening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screening(…)")
    }
}

/// A verified or public request to send to an origin. The platform streams the client's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Service binding that leads to the origin; `None` to use the URL.
    pub binding: Option<String>,
    /// URL of the resource at the origin.
    pub url: String,
    /// Client headers to remove.
    pub remove: Vec<String>,
    /// Headers to set, after removal.
    pub set: Vec<(&'static str, String)>,
    /// `Some` if the entry script must still screen the client's headers, because the gateway has
    /// not seen them all; `None` if they are screened.
    pub unscreened: Option<Screening>,
    /// Byte ranges of the body to cut out, each as start and end (exclusive); `None` if the body
    /// was not scanned.
    pub cuts: Option<Vec<(usize, usize)>>,
    /// Changes to the origin's response.
    pub returned: Returned,
}

/// The changes to an origin's response on its way back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    /// Scheme, host and port that replace those of the origin in `Location` and
    /// `Content-Location`; `None` to keep them.
    pub base: Option<String>,
    /// The headers of CORS; `None` to keep the origin's own.
    pub cors: Option<ReturnedCors>,
    /// Subprotocol that is selected if the origin accepts a WebSocket and selects none.
    pub subprotocol: Option<&'static str>,
}

/// The headers of CORS that replace an origin's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnedCors {
    /// Value of `Access-Control-Allow-Origin`: an origin or `*`; `None` if no page may read.
    pub allowed: Option<String>,
    /// Headers that a page may read, beside those that the origin exposes.
    pub exposed: &'static str,
}

/// A request to hand to the admin Worker. The platform streams the client's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminForward {
    /// Client headers to remove.
    pub remove: Vec<String>,
    /// Headers to set, after removal.
    pub set: Vec<(&'static str, String)>,
}

/// The outcome of a request, which the entry script carries out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Send this response.
    Answer(Response),
    /// Send the request to an origin.
    Forward(Forward),
    /// Hand the request to the admin Worker.
    Admin(AdminForward),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The admin Worker's entry script reads exactly this.
    #[test]
    fn the_json_of_a_response_is_pinned() {
        let json = |response: Response| serde_json::to_string(&response).unwrap();
        assert_eq!(
            json(Response::empty(204).with("allow", "GET")),
            r#"{"status":204,"headers":[["cache-control","no-store"],["allow","GET"]],"body":""}"#
        );
        let begun = Response::file("text/csv", "a".into()).with_more(Some("b".into()));
        assert_eq!(
            json(begun),
            r#"{"status":200,"headers":[["content-type","text/csv"],["cache-control","no-store"],["x-content-type-options","nosniff"]],"body":"a","more":"b"}"#
        );
    }
}
