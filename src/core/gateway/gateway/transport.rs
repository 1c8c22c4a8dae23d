//! Refuses requests by the way in which they came, before any rule: an impossible host, the
//! asterisk form, and a request without TLS.
//!
//! A key that travels without TLS is readable on the way. So nothing is verified then, and nothing
//! is looked up. Only a page that needs no key, and is fetched without any, is sent on to `https`.

use super::{Decision, Gateway, done};
use crate::base::http::path::PathError;
use crate::base::http::request::Request;
use crate::base::http::response::{Outcome, Response};
use crate::config::rules::Access;
use crate::gateway::header_names::fold;
use crate::gateway::problem::GatewayProblem;
use crate::gateway::{extract, issuance};
use crate::lease::rules::LeaseRules;

/// Headers that may hold a secret of any kind, [folded](fold).
const SECRETS: [&str; 5] =
    ["authorization", "proxy-authorization", "x-api-key", "cookie", "claviger-verifier"];

impl<R: LeaseRules> Gateway<R> {
    /// Decides about a request that no rule may see; `None` for every other request.
    pub(super) fn decide_by_transport(&mut self, request: &Request<'_>) -> Option<Decision> {
        let url = request.url;
        if !url.has_possible_authority() {
            return Some(self.refuse(&GatewayProblem::MalformedHost));
        }
        if !url.is_confidential() {
            return Some(self.decide_unencrypted(request));
        }
        if url.path != "*" {
            return None;
        }
        // A question about the server as a whole (RFC 9110 §9.3.7). It has no answer for a gateway,
        // except that it is there.
        Some(if request.method == "OPTIONS" {
            done(Outcome::Answer(Response::empty(204)))
        } else {
            self.refuse(&GatewayProblem::AmbiguousPath(PathError::NotAbsolute))
        })
    }

    fn decide_unencrypted(&mut self, request: &Request<'_>) -> Decision {
        if !request.headers.is_whole() {
            return Decision::ReadHeaders;
        }
        if !self.is_harmless(request) {
            self.leases.count_unencrypted();
            return self.refuse(&GatewayProblem::HttpsRequired);
        }
        let url = request.url;
        let query = url.query.map_or_else(String::new, |query| ["?", query].concat());
        let location = ["https://", url.host, url.path, &query].concat();
        done(Outcome::Answer(Response::empty(308).with("location", location)))
    }

    /// Returns `true` for the fetch of a page that everyone may have, without a secret in it.
    fn is_harmless(&self, request: &Request<'_>) -> bool {
        let (url, headers) = (request.url, request.headers);
        let is_fetch =
            matches!(request.method, "GET" | "HEAD") && headers.find("upgrade").is_none();
        let prefix = &self.config.prefix;
        let has_secret = headers.iter().any(|(name, _)| SECRETS.contains(&&*fold(name)))
            || url.path.split('/').any(|segment| extract::begins_ours(segment, prefix))
            || extract::misplaced_credential(request, prefix).is_some();
        let is_public = || {
            if url.host == self.config.console_host {
                return url.path.starts_with('/')
                    && !url.path.starts_with("/v1/")
                    && url.path != issuance::PATH;
            }
            self.route(url).is_ok_and(|(_, rule)| {
                rule.access == Access::Public && rule.origin.name().is_some()
            })
        };
        is_fetch && !has_secret && is_public()
    }
}
