//! Defines the outcome of a request: a response of Claviger, or a request to forward. The entry
//! script gets it as JSON or text.

use serde::Serialize;

use crate::base::id::AccountId;

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

/// `true` if the rule lets a request through for reading only, so that no header may override its
/// method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnlyReads(pub bool);

/// A verified or public request to send to an origin. The platform streams the client's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    #[serde(skip)]
    pub unscreened: Option<OnlyReads>,
    /// Byte ranges of the body to cut out, each as start and end (exclusive); `None` if the body
    /// was not scanned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuts: Option<Vec<(usize, usize)>>,
}

impl Forward {
    /// Writes the forward for the entry script as lines, which is faster than JSON. The lines are:
    /// `>`; the account whose lease to renew, or nothing; the binding, or nothing; the URL; `r` if
    /// the request may only read, or nothing; the names to remove, separated by commas; then name
    /// and value of each header to set, one line each. No part contains a line feed. The text has
    /// no cuts.
    pub fn to_text(&self, renew: Option<AccountId>) -> String {
        let renew = renew.map(|account| account.to_string()).unwrap_or_default();
        let reads = if self.unscreened == Some(OnlyReads(true)) { "r" } else { "" };
        let binding = self.binding.as_deref().unwrap_or_default();
        let remove = self.remove.join(",");
        let mut parts = vec![">", &renew, binding, &self.url, reads, &remove];
        for (name, value) in &self.set {
            parts.extend([*name, value]);
        }
        parts.join("\n")
    }
}

/// A request to hand to the admin Worker. The platform streams the client's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdminForward {
    /// Client headers to remove.
    pub remove: Vec<String>,
    /// Headers to set, after removal.
    pub set: Vec<(&'static str, String)>,
}

/// The outcome of a request, which the entry script carries out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Send this response.
    Answer(Response),
    /// Send the request to an origin.
    Forward(Forward),
    /// Hand the request to the admin Worker.
    Admin(AdminForward),
}

impl Outcome {
    /// Returns the JSON for the entry script. `renew` is the account whose lease it must refresh in
    /// the background.
    pub fn to_json(&self, renew: Option<AccountId>) -> String {
        #[derive(Serialize)]
        struct WithRenewal<'a> {
            #[serde(flatten)]
            outcome: &'a Outcome,
            renew: AccountId,
        }
        match renew {
            None => serde_json::to_string(self).unwrap_or_default(),
            Some(renew) => {
                serde_json::to_string(&WithRenewal { outcome: self, renew }).unwrap_or_default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entry script reads exactly this.
    #[test]
    fn the_text_of_a_forward_is_pinned() {
        let forward = Forward {
            binding: None,
            url: "https://x/".into(),
            remove: vec!["authorization".into(), "x-api-key".into()],
            set: vec![("claviger-key", "k".into()), ("claviger-permissions", String::new())],
            unscreened: Some(OnlyReads(true)),
            cuts: None,
        };
        assert_eq!(
            forward.to_text(AccountId::parse("a1B2c3D4")),
            ">\na1B2c3D4\n\nhttps://x/\nr\nauthorization,x-api-key\nclaviger-key\nk\nclaviger-permissions\n"
        );
        let forward = Forward { binding: Some("DEMO".into()), unscreened: None, ..forward };
        assert!(forward.to_text(None).starts_with(">\n\nDEMO\nhttps://x/\n\nauthorization,"));
    }

    /// The entry script reads exactly this.
    #[test]
    fn the_json_for_the_entry_script_is_pinned() {
        let answer = Outcome::Answer(Response::empty(204).with("allow", "GET"));
        assert_eq!(
            answer.to_json(None),
            r#"{"answer":{"status":204,"headers":[["cache-control","no-store"],["allow","GET"]],"body":""}}"#
        );
        assert_eq!(
            answer.to_json(AccountId::parse("a1B2c3D4")),
            r#"{"answer":{"status":204,"headers":[["cache-control","no-store"],["allow","GET"]],"body":""},"renew":"a1B2c3D4"}"#
        );
        let begun =
            Outcome::Answer(Response::file("text/csv", "a".into()).with_more(Some("b".into())));
        assert_eq!(
            begun.to_json(None),
            r#"{"answer":{"status":200,"headers":[["content-type","text/csv"],["cache-control","no-store"],["x-content-type-options","nosniff"]],"body":"a","more":"b"}}"#
        );
        let admin_forward = AdminForward {
            remove: vec!["claviger-edge".into()],
            set: vec![("claviger-edge", "1 00".into())],
        };
        assert_eq!(
            Outcome::Admin(admin_forward).to_json(None),
            r#"{"admin":{"remove":["claviger-edge"],"set":[["claviger-edge","1 00"]]}}"#
        );
        let forward = Outcome::Forward(Forward {
            binding: Some("DEMO".into()),
            url: "https://x/".into(),
            remove: vec!["authorization".into()],
            set: vec![("claviger-key", "k".into())],
            unscreened: None,
            cuts: None,
        });
        assert_eq!(
            forward.to_json(None),
            r#"{"forward":{"binding":"DEMO","url":"https://x/","remove":["authorization"],"set":[["claviger-key","k"]]}}"#
        );
        let cut = Outcome::Forward(Forward {
            binding: None,
            url: "https://x/".into(),
            remove: vec![],
            set: vec![],
            unscreened: None,
            cuts: Some(vec![(3, 9)]),
        });
        assert_eq!(
            cut.to_json(None),
            r#"{"forward":{"binding":null,"url":"https://x/","remove":[],"set":[],"cuts":[[3,9]]}}"#
        );
    }
}
