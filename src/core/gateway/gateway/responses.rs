//! Writes the gateway's own responses, and the requests that it forwards.

use super::{Decision, Gateway, client_address, done};
use crate::base::http::path;
use crate::base::http::problem::RequestProblem;
use crate::base::http::request::Request;
use crate::base::http::response::{Forward, Outcome, Response, Returned, Screening};
use crate::config::rules::{OAuthRoute, Origin, Place, Rule};
use crate::credential::limits::permission::Permission;
use crate::gateway::body::{BodyScan, Fields};
use crate::gateway::denied::Denied;
use crate::gateway::extract::Carried;
use crate::gateway::origin_headers::Onward;
use crate::gateway::problem::{GatewayProblem, challenge, challenge_of_several};
use crate::gateway::{cors, extract, key_search, oauth, origin_headers, subprotocol};
use crate::lease::rules::LeaseRules;
use crate::verify::verdict::Denial;
use crate::verify::verification::Verified;

/// Headers with a digest of the body (RFC 9530 and its predecessors). It is wrong once a part of
/// the body is cut out.
const DIGESTS: [&str; 4] = ["content-digest", "repr-digest", "digest", "content-md5"];

impl<R: LeaseRules> Gateway<R> {
    pub(super) fn refuse(&self, problem: &GatewayProblem) -> Decision {
        done(Outcome::Answer(problem.answer(&self.config.console_origin)))
    }

    /// Refuses a request without a credential. The response lists the places that count, the place
    /// of a key that does not count, and the reason why a field of the body may not have been seen.
    pub(super) fn refuse_missing(
        &self,
        request: &Request<'_>,
        rule: &Rule,
        fields: Option<&Fields>,
    ) -> Decision {
        let places = rule.places.iter().map(Place::to_string).collect();
        let elsewhere = extract::misplaced_credential(request, &self.config.prefix);
        let unscanned = match fields {
            Some(fields) => fields.unscanned(),
            None => BodyScan::obstacle(request, &rule.places),
        };
        let answer = GatewayProblem::MissingCredential { places, elsewhere, unscanned }
            .answer(&self.config.console_origin);
        let challenge = challenge(Denial::Missing, request.url.host, None).unwrap_or_default();
        done(Outcome::Answer(answer.with("www-authenticate", challenge)))
    }

    /// Refuses a request with several credentials.
    pub(in crate::gateway) fn refuse_ambiguous(&self, request: &Request<'_>) -> Decision {
        let answer = GatewayProblem::AmbiguousCredential.answer(&self.config.console_origin);
        done(Outcome::Answer(
            answer.with("www-authenticate", challenge_of_several(request.url.host)),
        ))
    }

    /// Returns an outcome as the caller gets it: pages of the sites that a rule lists can read the
    /// gateway's own responses. Every outcome passes here once.
    #[must_use]
    pub fn finish(&self, request: &Request<'_>, outcome: Outcome) -> Outcome {
        let Outcome::Answer(answer) = outcome else { return outcome };
        let is_api = request.url.host != self.config.console_host;
        let rule = self.route(request.url).ok().filter(|_| is_api);
        Outcome::Answer(match rule.as_ref().and_then(|(_, rule)| rule.sites.as_ref()) {
            Some(sites) => cors::make_readable(answer, request, sites),
            None => answer,
        })
    }

    /// Decides about a request to an OAuth endpoint. The metadata need no I/O.
    pub(super) fn decide_oauth(&self, route: OAuthRoute, request: &Request<'_>) -> Decision {
        match route {
            OAuthRoute::Metadata => done(Outcome::Answer(oauth::metadata(request, &self.config))),
            OAuthRoute::Token | OAuthRoute::Revoke => Decision::OAuth(route),
        }
    }

    pub(super) fn refuse_denied(
        &self,
        host: &str,
        denial: Denial,
        demanded: Option<&Permission>,
    ) -> Decision {
        done(Outcome::Answer(self.answer_denial(host, denial, demanded)))
    }

    /// Returns the response to a request that is refused because of its credential.
    pub fn answer_denied(&self, denied: &Denied) -> Response {
        self.answer_denial(denied.rule.host(), denied.denial, denied.permission())
    }

    pub(super) fn answer_denial(
        &self,
        host: &str,
        denial: Denial,
        demanded: Option<&Permission>,
    ) -> Response {
        let answer = GatewayProblem::Denied(denial).answer(&self.config.console_origin);
        let challenge = challenge(denial, host, demanded);
        answer.with_header(challenge.map(|challenge| ("www-authenticate", challenge)))
    }

    pub(super) fn forward(
        &mut self,
        request: &Request<'_>,
        rule: &Rule,
        path: &str,
        carried: &Carried<'_>,
        verified: Option<&Verified>,
    ) -> Decision {
        let secret = carried.secret(&self.config.prefix);
        let query = carried.query.as_deref();
        let cut = query
            .or(request.url.query)
            .zip(secret)
            .and_then(|(query, secret)| key_search::cut_from(query, '&', "&", secret));
        let query = match cut.as_deref().or(query) {
            // The key was all of it, so its `?` goes too.
            Some("") => None,
            Some(rest) => Some(rest),
            None => request.url.query,
        };
        let target = path::serialise(path, query);
        let nonce = self.nonces.draw();
        let Some(Some(origin_key)) = self.origin_keys.get(rule.index) else {
            return self.refuse(&RequestProblem::Internal.into());
        };
        let public = request.url.dotless_origin();
        let (binding, base) = match &rule.origin {
            Origin::Binding(name) => (Some(name.clone()), &*public),
            Origin::Base(base) => (None, base.as_str()),
            // `decide_api` has already decided about them.
            Origin::Issuance | Origin::OAuth(_) => {
                return self.refuse(&RequestProblem::Internal.into());
            }
        };
        let mut remove: Vec<String> =
            carried.headers.iter().map(|name| (*name).to_owned()).collect();
        let onward = Onward {
            method: request.method,
            target: &target,
            public: &public,
            verified,
            address: client_address(request),
            nonce,
            now: request.arrived,
        };
        let mut set = onward.headers(origin_key);
        let offered = carried.subprotocols.as_ref();
        let unscreened = if request.headers.is_whole() {
            let screened = origin_headers::screen(request.headers, secret);
            // The headers of a credential are among them already.
            let is_taken = |name: &str| {
                carried.headers.contains(&name)
                    || (offered.is_some() && name == subprotocol::HEADER)
            };
            remove.extend(screened.remove.into_iter().filter(|name| !is_taken(name)));
            set.extend(screened.set.into_iter().filter(|(name, _)| !is_taken(name)));
            None
        } else {
            Some(Screening(secret.unwrap_or_default().to_owned()))
        };
        if let Some(offered) = offered {
            let rest = &*offered.rest;
            // Another element may hold the key in another form.
            let cut = secret.and_then(|secret| key_search::cut_from(rest, ',', ",", secret));
            match cut.as_deref().unwrap_or(rest).trim() {
                "" => remove.push(subprotocol::HEADER.to_owned()),
                rest => set.push((subprotocol::HEADER, rest.to_owned())),
            }
        }
        let returned = Returned {
            base: rule.rewrite_location.then(|| public.clone().into_owned()),
            cors: cors::returned(request, rule),
            subprotocol: offered
                .is_some_and(|offered| offered.has_ours)
                .then_some(subprotocol::CLAVIGER),
        };
        let cuts = carried.cuts.as_ref();
        if cuts.is_some_and(|cuts| !cuts.is_empty()) {
            remove.extend(DIGESTS.map(str::to_owned));
        }
        let cuts = cuts.map(|cuts| cuts.iter().map(|cut| (cut.start, cut.end)).collect());
        done(Outcome::Forward(Forward {
            binding,
            url: [base, &target].concat(),
            remove,
            set,
            unscreened,
            cuts,
            returned,
        }))
    }
}
