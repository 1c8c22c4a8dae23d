//! What the edge does with a request: answer it, or forward it. Plain values, handed to the entry
//! script as JSON.

use serde::Serialize;

use crate::base::id::AccountId;

/// An answer of Claviger's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Response {
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

impl Response {
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    #[serde(skip)]
    pub unscreened: Option<OnlyReads>,
    /// Parts of the body to cut out, as places of their first byte and of the one after their last;
    /// `None`: its opening was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuts: Option<Vec<(usize, usize)>>,
}

impl Forward {
    /// Writes the forward for the entry script, without JSON: `>`, the account whose lease to renew
    /// or nothing, the binding or nothing, the URL, `r` if the request may only read else nothing,
    /// the names to remove with commas between them, and then name and value of each header to set.
    /// Line feeds separate them, and none of them holds one. Cuts of the body are not written.
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

/// A request that goes on to the admin Worker, its body streamed past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Onward {
    /// Client headers to remove.
    pub remove: Vec<String>,
    /// Headers to set, after removal.
    pub set: Vec<(&'static str, String)>,
}

/// What the entry script carries out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answer.
    Answer(Response),
    /// Forward.
    Forward(Forward),
    /// Hand the request to the admin Worker.
    Admin(Onward),
}

impl Outcome {
    /// As the entry script reads it; `renew` is the account whose lease it has renewed beside.
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
        let begun = Outcome::Answer(
            Response::file("text/csv", "a".into()).to_be_continued(Some("b".into())),
        );
        assert_eq!(
            begun.to_json(None),
            r#"{"answer":{"status":200,"headers":[["content-type","text/csv"],["cache-control","no-store"],["x-content-type-options","nosniff"]],"body":"a","more":"b"}}"#
        );
        let onward = Onward {
            remove: vec!["claviger-edge".into()],
            set: vec![("claviger-edge", "1 00".into())],
        };
        assert_eq!(
            Outcome::Admin(onward).to_json(None),
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
