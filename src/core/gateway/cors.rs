//! Lets pages of other sites read responses (CORS, Fetch §3.2), by the sites that a rule lists.
//!
//! A preflight of a listed site is answered here. It carries no credential, so it is not checked,
//! and it never reaches the origin. A request of another site is treated as if the rule listed
//! none: without these headers, its browser shows the page nothing.
//!
//! A key is no credential in the sense of CORS, because a browser never adds one by itself. So
//! `Access-Control-Allow-Credentials` is never sent.

use crate::base::http::request::Request;
use crate::base::http::response::{Response, ReturnedCors};
use crate::config::rules::{Rule, Sites};

/// Headers of the gateway's own responses that a page may read.
const EXPOSED: &str = "www-authenticate, retry-after";

/// Seconds for which a browser may keep the answer to a preflight. Browsers keep none for longer.
const MAX_AGE_S: &str = "7200";

/// Returns the response to a preflight of a site that the rule lists; `None` for any other request.
pub fn answer_preflight(request: &Request<'_>, rule: &Rule) -> Option<Response> {
    let headers = request.headers;
    let method = headers.find("access-control-request-method").filter(|_| is_options(request))?;
    let site = headers.find("origin")?;
    let allowed = rule.sites.as_ref()?.allowed(Some(site))?;
    let wanted = headers.find("access-control-request-headers").unwrap_or_default();
    // Both are repeated in the response.
    let is_list = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~, ".contains(&byte))
    };
    if !is_list(method) || !is_list(wanted) {
        return None;
    }
    let answer = Response::empty(204)
        .with("access-control-allow-origin", allowed)
        .with("access-control-allow-methods", method)
        .with("access-control-max-age", MAX_AGE_S)
        .with("vary", "origin, access-control-request-method, access-control-request-headers");
    let wanted = (!wanted.is_empty()).then(|| ("access-control-allow-headers", wanted.to_owned()));
    Some(answer.with_header(wanted))
}

/// Returns `true` if the method is that of a preflight.
pub fn is_options(request: &Request<'_>) -> bool {
    request.method == "OPTIONS"
}

/// Returns the change to an origin's response under this rule; `None` if the rule lists no sites,
/// so that the origin's own headers stay.
pub fn returned(request: &Request<'_>, rule: &Rule) -> Option<ReturnedCors> {
    let sites = rule.sites.as_ref()?;
    let allowed = sites.allowed(request.headers.find("origin"));
    Some(ReturnedCors { allowed: allowed.map(str::to_owned), exposed: EXPOSED })
}

/// Returns a response of the gateway itself, readable by pages of the rule's sites.
pub fn make_readable(answer: Response, request: &Request<'_>, sites: &Sites) -> Response {
    let is_set = |(name, _): &(&str, String)| *name == "access-control-allow-origin";
    if answer.headers.iter().any(is_set) {
        return answer;
    }
    let answer = match sites.allowed(request.headers.find("origin")) {
        Some(allowed) => answer
            .with("access-control-allow-origin", allowed)
            .with("access-control-expose-headers", EXPOSED),
        None => answer,
    };
    match sites {
        Sites::Any => answer,
        Sites::Listed(_) => answer.with("vary", "origin"),
    }
}
