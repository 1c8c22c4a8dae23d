//! What the edge does with a request: answer it, or forward it.

use serde::Serialize;

/// An answer of Claviger's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty for none.
    pub body: String,
    /// How the body goes on, for whoever makes it to be reminded by; `None`: it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
}

impl Answer {
    /// An answer of JSON that nobody may store.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        // Our own types serialise: their maps have text keys. An empty body would be the sign of a
        // mistake here.
        let body = serde_json::to_string(body).unwrap_or_default();
        Self {
            status,
            headers: vec![("content-type", "application/json".into()), no_store(), no_sniff()],
            body,
            more: None,
        }
    }

    /// A file that nobody may store but who asked for it.
    pub fn file(media_type: &'static str, body: String) -> Self {
        let headers = vec![("content-type", media_type.into()), no_store(), no_sniff()];
        Self { status: 200, headers, body, more: None }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: vec![no_store()], body: String::new(), more: None }
    }

    /// The same with a body that goes on, if there is more of it.
    pub fn to_be_continued(self, more: Option<String>) -> Self {
        Self { more, ..self }
    }

    /// The same with one more header, if there is one.
    #[must_use]
    pub fn with_header(mut self, header: Option<(&'static str, String)>) -> Self {
        self.headers.extend(header);
        self
    }

    /// The same with one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The header by which a browser takes an answer for what it says it is (Fetch §3.6).
pub fn no_sniff() -> (&'static str, String) {
    ("x-content-type-options", "nosniff".into())
}

/// The header that keeps an answer out of every cache (RFC 9111 §5.2.2.5).
pub fn no_store() -> (&'static str, String) {
    ("cache-control", "no-store".into())
}

/// Whether a request is let through for reading alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnlyReads(pub bool);

/// A request that goes on to an origin. The body is the client's, streamed past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Service binding that leads to the origin; `None` = by the URL.
    pub binding: Option<String>,
    /// URL of the origin's resource.
    pub url: String,
    /// Client headers to remove.
    pub remove: Vec<String>,
    /// Headers to set, after removal.
    pub set: Vec<(&'static str, String)>,
    /// The client's headers are not screened yet, in a way that depends on whether the request may
    /// only read; `None`: they are.
    pub unscreened: Option<OnlyReads>,
    /// Parts of the body to cut out, as places of their first byte and of the one after their last;
    /// `None`: its opening was not read.
    pub cuts: Option<Vec<(usize, usize)>>,
}

/// A request that goes on to the admin Worker, its body streamed past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Onward {
    /// Client headers to remove.
    pub remove: Vec<String>,
    /// Headers to set, after removal.
    pub set: Vec<(&'static str, String)>,
}

/// What the entry script carries out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answer.
    Answer(Answer),
    /// Forward.
    Forward(Forward),
    /// Hand the request to the admin Worker.
    Admin(Onward),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The admin Worker's entry script reads exactly this.
    #[test]
    fn the_json_of_an_answer_is_pinned() {
        let json = |answer: Answer| serde_json::to_string(&answer).unwrap();
        assert_eq!(
            json(Answer::empty(204).with("allow", "GET")),
            r#"{"status":204,"headers":[["cache-control","no-store"],["allow","GET"]],"body":""}"#
        );
        let begun = Answer::file("text/csv", "a".into()).to_be_continued(Some("b".into()));
        assert_eq!(
            json(begun),
            r#"{"status":200,"headers":[["content-type","text/csv"],["cache-control","no-store"],["x-content-type-options","nosniff"]],"body":"a","more":"b"}"#
        );
    }
}
