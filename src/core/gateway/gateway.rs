//! Decides about one request. The decision is pure and synchronous; if it needs I/O, it returns the
//! I/O to do first.
//!
//! 1. The way in which the request came: an impossible host is 400, a request without TLS is 403.
//!    The host. Requests to the console's host go to the admin Worker, except a few surfaces.
//! 2. The normalised path, or 400.
//! 3. The rule for host and path, or 404.
//! 4. The credential; none is 401, several are 400. If the rule names a field of the body, the
//!    gateway first [scans the body](crate::gateway::body).
//! 5. The credential's form and tag. A credential that Claviger never made ends here, without any
//!    lookup (P3).
//! 6. The facts in the account's [lease](crate::lease::lease): from memory (P4), or from the ledger
//!    or KV after a [`Fetch`]; if the ledger is out of reach, 503. Before the gateway refuses a key
//!    that may be newer than the lease, it asks the ledger (P2).
//! 7. The verdict: forward with headers that identify the caller, or refuse.

mod admin_api;
mod api_user;
mod responses;
mod route;
mod transport;

use crate::base::http::problem::RequestProblem;
use crate::base::http::request::Request;
use crate::base::http::response::{AdminForward, Outcome};
use crate::base::id::{AccountId, AnyKeyId, KeyId};
use crate::base::time::{DurationMs, UnixMs};
use crate::config::rules::{Access, OAuthRoute, Origin, Place, RequestEffect, Rule};
use crate::config::settings::Config;
use crate::credential::keyring::{Generation, MacKey};
use crate::credential::limits::Interface;
use crate::credential::limits::network::ClientAddress;
use crate::gateway::admin_api::AdminProgram;
use crate::gateway::body::{BODY_SCAN_BYTES_MAX, BodyScan, Fields};
use crate::gateway::check::{Check, Checked};
use crate::gateway::denied::Denied;
use crate::gateway::fit::Fit;
use crate::gateway::kv_warnings::KvWarnings;
use crate::gateway::nonces::Nonces;
use crate::gateway::presented::Presented;
use crate::gateway::problem::GatewayProblem;
use crate::gateway::recheck::{IssueClaims, Rechecks};
use crate::gateway::resolve::{Attempt, Missing, ResolvedKey, resolve_key, resolve_sealed};
use crate::gateway::user_secrets::UserSecrets;
use crate::gateway::{
    cors, extract, forward_auth, header_names, issuance, key_search, mail_auth, oauth, presented,
};
use crate::lease::call::{Fetch, Lookup};
use crate::lease::isolate::{Counters, Leases};
use crate::lease::rules::{LeaseRules, ProductionRules};
use crate::replication::kv_mac::KvMac;
use crate::replication::link;
use crate::replication::secret_check::SecretCheck;
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts, Valid, examine, verify, verify_sealed};

/// Path of the batch verification, on the console host.
pub const VERIFY_PATH: &str = "/v1/verify";

/// Header with the key of a verifier.
pub const VERIFIER_HEADER: &str = "claviger-verifier";

/// Path of the route that shows an operator the counters of the isolate that answers.
const COUNTERS_PATH: &str = "/v1/counters";

/// The gateway of one isolate: settings, leases, and memory of rechecks. Simulations set `R` to
/// break a rule on purpose.
#[derive(Debug)]
pub struct Gateway<R = ProductionRules> {
    pub(super) config: Config,
    pub(super) leases: Leases<R>,
    pub(super) rechecks: Rechecks,
    /// Proof key of each rule's origin, by the rule's index; `None` if the rule forwards nothing.
    origin_keys: Vec<Option<MacKey>>,
    /// Value of the header that authenticates this edge to the admin Worker and to ledgers.
    link: String,
    pub(super) fit: Fit,
    nonces: Nonces,
    /// Keys of the MAC over shared replies, newest first.
    pub(super) cache_keys: Vec<MacKey>,
    pub(super) kv_mac: KvMac,
    pub(super) kv_warnings: KvWarnings,
    user_secrets: UserSecrets,
}

/// The next thing to do with a request.
#[derive(Debug)]
pub enum Decision {
    /// Serve a batch verification.
    Verify,
    /// Serve a proxy that asks about its client.
    ForwardAuth,
    /// Serve a mail server that asks about a login.
    MailAuth,
    /// Serve a token introspection.
    Introspect,
    /// Verify a program that calls the admin API.
    AdminApi(AdminProgram),
    /// Serve an issuance by a program.
    Issue,
    /// Serve an OAuth endpoint.
    OAuth(OAuthRoute),
    /// The decision is final.
    Done {
        /// Response, or request to forward.
        outcome: Outcome,
        /// Account whose lease to [renew](Leases::renew) in the background.
        renew: Option<AccountId>,
    },
    /// Fetch this, enter the result into the leases and the [`Lookup`], and decide again.
    Fetch(Fetch),
    /// Ask the admin Worker whether both Workers fit, pass its answer to [`Gateway::take_fit`], and
    /// decide again.
    AskAdmin,
    /// Ask the admin Worker this, pass its answer to [`Lookup::take_secret`], and decide again.
    CheckSecret(SecretCheck),
    /// Refuse the request because of its credential, with the response from
    /// [`Gateway::answer_denied`]. The caller may cache the response under [`Denied::key`].
    Denied {
        /// The refusal.
        denied: Denied,
        /// Account whose lease to [renew](Leases::renew) in the background.
        renew: Option<AccountId>,
    },
    /// Read all headers, and decide again.
    ReadHeaders,
    /// Scan the body, and decide again with [`Gateway::decide_with`].
    Read(BodyScan),
}

impl Gateway {
    /// Returns a gateway without leases. `isolate` is a random number: it names the isolate to
    /// ledgers and spreads its refreshes over time.
    pub fn new(config: Config, isolate: u64) -> Self {
        Self::with_rules(config, isolate)
    }
}

impl<R: LeaseRules> Gateway<R> {
    /// Returns a gateway without leases whose lease rules are those of `R`.
    pub fn with_rules(config: Config, isolate: u64) -> Self {
        let newest = config.keyring.newest();
        let key_of =
            |rule: &Rule| rule.origin.name().map(|name| MacKey::new(&newest.origin_key(name)));
        // The position in this list is the rule's index.
        let origin_keys = config.rules.iter().map(key_of).collect();
        let leases = Leases::new(isolate, config.terms);
        let cache_key = |generation: &Generation| generation.refresh_cache_key().clone();
        // Leave out compromised generations: an attacker could forge shared replies.
        let believed = config.keyring.iter().filter(|generation| !generation.is_compromised());
        let cache_keys = believed.map(cache_key).collect();
        let kv_mac = KvMac::new(&config.keyring, &config.prefix);
        let label = b"claviger/user-secrets/1\0";
        let of_isolate = newest.refresh_cache_key().mac(&[label, &isolate.to_be_bytes()]);
        let user_secrets = UserSecrets::new(MacKey::new(&of_isolate));
        let link = link::header(&config.keyring, &config.digest);
        Self {
            config,
            leases,
            rechecks: Rechecks::new(),
            origin_keys,
            link,
            fit: Fit::Fits,
            nonces: Nonces::new(isolate),
            cache_keys,
            kv_mac,
            kv_warnings: KvWarnings::default(),
            user_secrets,
        }
    }

    /// Returns the settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Decides about a request at the time `now`, given the results that its lookup has fetched so
    /// far. Only a final decision changes usage counts.
    pub fn decide(&mut self, request: &Request<'_>, now: UnixMs, lookup: &Lookup) -> Decision {
        self.decide_with(request, now, lookup, None)
    }

    /// Decides like [`decide`](Self::decide), given also the fields that the scan of the body
    /// found.
    pub fn decide_with(
        &mut self,
        request: &Request<'_>,
        now: UnixMs,
        lookup: &Lookup,
        fields: Option<&Fields>,
    ) -> Decision {
        if let Some(decision) = self.decide_by_transport(request) {
            return decision;
        }
        if self.fit.refuses(now) {
            return self.refuse(&RequestProblem::Misconfigured.into());
        }
        if self.fit.must_ask(now) {
            return Decision::AskAdmin;
        }
        let decided = if request.url.host == self.config.console_host {
            Ok(self.decide_console(request))
        } else {
            self.decide_api(request, now, lookup, fields)
        };
        decided.unwrap_or_else(|problem| self.refuse(&problem))
    }

    /// Decides about a request to the console's host. The edge serves verification, introspection,
    /// forward authentication, logins of mail clients, issuance, and the OAuth endpoints that a
    /// rule opens there. The admin Worker serves all other paths, but not to verifiers.
    fn decide_console(&self, request: &Request<'_>) -> Decision {
        let path = request.url.path;
        match path {
            VERIFY_PATH if request.method == "POST" => return Decision::Verify,
            VERIFY_PATH => {
                return self.refuse(&RequestProblem::MethodNotAllowed { allow: "POST" }.into());
            }
            oauth::INTROSPECTION_PATH => return Decision::Introspect,
            _ if path.starts_with(forward_auth::PREFIX) => return Decision::ForwardAuth,
            mail_auth::PATH => return Decision::MailAuth,
            _ => {}
        }
        if !request.headers.is_whole() {
            return Decision::ReadHeaders;
        }
        if request.headers.find(VERIFIER_HEADER).is_some() {
            return self.refuse(&GatewayProblem::NotForVerifiers);
        }
        let rule = self.config.rules.find(&self.config.console_host, path);
        match rule.map(|rule| &rule.origin) {
            Some(Origin::OAuth(route)) => self.decide_oauth(*route, request),
            _ if path == issuance::PATH => Decision::Issue,
            _ => self
                .decide_admin_api(request)
                .unwrap_or_else(|| done(Outcome::Admin(self.admin_forward(request, path)))),
        }
    }

    /// Returns the changes to a request for the admin Worker: without client headers that could
    /// pass for one of Claviger's, with those that prove the edge.
    pub(super) fn admin_forward(&self, request: &Request<'_>, path: &str) -> AdminForward {
        let ours =
            request.headers.iter().map(|(name, _)| name).filter(|name| header_names::is_ours(name));
        let remove = ours.map(str::to_owned).collect();
        let mut set = vec![(link::EDGE_HEADER, self.link.clone())];
        if path == COUNTERS_PATH {
            // This cannot fail: the counters are numbers under text keys.
            set.push((
                link::COUNTERS_HEADER,
                serde_json::to_string(&self.counters()).unwrap_or_default(),
            ));
        }
        AdminForward { remove, set }
    }

    fn decide_api(
        &mut self,
        request: &Request<'_>,
        now: UnixMs,
        lookup: &Lookup,
        fields: Option<&Fields>,
    ) -> Result<Decision, GatewayProblem> {
        let (path, rule) = self.route(request.url)?;
        match rule.origin {
            Origin::Issuance => return Ok(Decision::Issue),
            Origin::OAuth(route) => return Ok(self.decide_oauth(route, request)),
            Origin::Binding(_) | Origin::Base(_) => {}
        }
        let needs_all = |place: &Place| place.is_in_body() || matches!(place, Place::Subprotocol);
        let may_be_preflight = rule.sites.is_some() && cors::is_options(request);
        if !request.headers.is_whole() && (may_be_preflight || rule.places.iter().any(needs_all)) {
            return Ok(Decision::ReadHeaders);
        }
        if may_be_preflight && let Some(answer) = cors::answer_preflight(request, &rule) {
            return Ok(done(Outcome::Answer(answer)));
        }
        let mut carried = extract::find(request, &rule.places, &self.config.prefix);
        let unread = match fields {
            Some(fields) => {
                carried.take_from_body(fields);
                None
            }
            // Where a rule names a field of the body, all headers are here.
            None => BodyScan::of(request, &rule.places),
        };
        if carried
            .secret(&self.config.prefix)
            .is_some_and(|secret| key_search::holds(&path, secret))
        {
            return Err(GatewayProblem::CredentialInPath);
        }

        let demanded = match &rule.access {
            Access::Public => {
                // The gateway checks nothing, but forwards no key.
                return Ok(match unread {
                    Some(scan) => Decision::Read(scan),
                    None => self.forward(request, &rule, &path, &carried, None),
                });
            }
            Access::AnyKey => None,
            Access::Permission { read, write } => Some(match rule.effect(request.method) {
                RequestEffect::Read => read,
                RequestEffect::Write => write,
            }),
        };
        let (Ok(text), Ok(user)) = (&carried.credential, carried.single_user()) else {
            return Ok(self.refuse_ambiguous(request));
        };
        let text = text.as_ref();
        // A text that is refused on its own need not wait for the body.
        let is_refused = |text: &extract::Text<'_>| {
            Presented::authenticate(text.expose(), &self.config, request.arrived).is_err()
        };
        if let Some(scan) = unread
            && !text.is_some_and(is_refused)
        {
            return Ok(Decision::Read(scan));
        }
        let facts = Facts {
            address: client_address(request),
            interface: Interface::Http,
            demand: demanded.map_or(Demand::AnyKey, Demand::Permission),
            may_change: rule.effect(request.method) == RequestEffect::Write,
        };
        let check = if let Some(user) = user {
            match self.check_user(user, (&facts, None), request.arrived, now, lookup) {
                Ok(check) => check,
                Err(ask) => return Ok(Decision::CheckSecret(ask)),
            }
        } else {
            let text = match (text, &carried.foreign) {
                (Some(text), _) => text,
                // Another spelling of a header may hold the key.
                (None, _) if !request.headers.is_whole() => return Ok(Decision::ReadHeaders),
                (None, _) if fields.is_some_and(Fields::is_too_large) => {
                    return Err(RequestProblem::BodyTooLarge { max: BODY_SCAN_BYTES_MAX }.into());
                }
                (None, Some(Err(_))) => return Ok(self.refuse_ambiguous(request)),
                (None, Some(Ok(foreign))) => foreign,
                (None, None) => return Ok(self.refuse_missing(request, &rule, fields)),
            };
            self.check(text.expose(), &facts, request.arrived, now, lookup)
        };
        let checked = match check {
            Check::Fetch(need) => return Ok(Decision::Fetch(need)),
            Check::AskAdmin => return Ok(Decision::AskAdmin),
            Check::Decided(checked) => checked,
        };
        let decision = match checked.verdict {
            Err(denial) if !request.headers.is_whole() => {
                let denied = Denied { effect: rule.effect(request.method), rule, denial };
                return Ok(Decision::Denied { denied, renew: checked.renew });
            }
            Err(denial) => self.refuse_denied(request.url.host, denial, demanded),
            Ok(verified) => self.forward(request, &rule, &path, &carried, Some(&verified)),
        };
        Ok(match decision {
            Decision::Done { outcome, .. } => Decision::Done { outcome, renew: checked.renew },
            other => other,
        })
    }

    /// Checks one credential of a request that arrived at `arrival`, and counts its use.
    pub fn check(
        &mut self,
        text: &str,
        facts: &Facts<'_>,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Check {
        let attempt = Attempt { arrival, now, lookup };
        match Presented::authenticate(text, &self.config, arrival) {
            Ok(Presented::Key(made)) => {
                let known = match resolve_key(&mut self.leases, made.id(), attempt) {
                    Ok(known) => known,
                    Err(missing) => return missing.into(),
                };
                let verdict = verify(&made, known.borrow(), facts, arrival);
                if let Some(missing) = self.recheck_stored(&verdict, &known, facts, attempt) {
                    return missing.into();
                }
                if !lookup.is_counted {
                    let verdict = verdict.as_ref().map_err(|denial| *denial);
                    self.count(made.id(), verdict, facts, now);
                }
                known.conclude(verdict, now)
            }
            Ok(Presented::Sealed(made)) => {
                let known = match resolve_sealed(&mut self.leases, &made, attempt) {
                    Ok(known) => known,
                    Err(missing) => return missing.into(),
                };
                let verdict = verify_sealed(&made, known.borrow(), facts, arrival);
                let issue =
                    IssueClaims::of_sealed(&made, facts, arrival).filter(|_| verdict.is_err());
                let missing = issue.and_then(|issue| {
                    self.rechecks.recheck(&issue, &known, &mut self.leases, attempt)
                });
                missing.map_or_else(|| known.conclude(verdict, now), Into::into)
            }
            // Every key of this deployment looks malformed to an edge with another prefix.
            Err(_) if self.fit.must_confirm(now) => Check::AskAdmin,
            Err(_) if self.fit.is_unsure(now) => {
                Check::Decided(Checked::without_evidence(Denial::Unavailable))
            }
            Err(denial) => Check::Decided(Checked::without_evidence(denial)),
        }
    }

    /// Checks the key `id` without its secret and without counting a use, for a verifier of the
    /// same account. An ID has no tag, so each unknown ID of the account may cause one lookup per
    /// lease.
    pub fn examine(
        &mut self,
        id: KeyId,
        facts: &Facts<'_>,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Check<Valid> {
        let attempt = Attempt { arrival, now, lookup };
        match resolve_key(&mut self.leases, id, attempt) {
            Ok(known) => {
                let verdict = examine(id, known.borrow(), facts, arrival);
                let missing = self.recheck_stored(&verdict, &known, facts, attempt);
                missing.map_or_else(|| known.conclude(verdict, now), Into::into)
            }
            Err(missing) => missing.into(),
        }
    }

    /// Returns what to fetch before the edge may refuse a stored key with this verdict; `None` if
    /// it may refuse now.
    fn recheck_stored<V>(
        &mut self,
        verdict: &Result<V, Denial>,
        known: &ResolvedKey,
        facts: &Facts<'_>,
        attempt: Attempt<'_>,
    ) -> Option<Missing> {
        let record = known.record().filter(|_| verdict.is_err())?;
        let issue = IssueClaims::of_stored(record, facts, attempt.arrival)?;
        self.rechecks.recheck(&issue, known, &mut self.leases, attempt)
    }

    /// Counts a request for a key by its verdict, if the caller presented the right secret.
    pub(super) fn count<V>(
        &mut self,
        id: KeyId,
        verdict: Result<V, Denial>,
        facts: &Facts<'_>,
        now: UnixMs,
    ) {
        let outcome = match verdict {
            Ok(_) => Ok(()),
            Err(denial) if denial.is_of_a_known_key() => Err(denial.code()),
            Err(_) => return,
        };
        self.leases.count_use(id, outcome, facts.address, now);
    }

    /// Returns the ID of the key that a text names; `None` if the text is no key. A sealed key is
    /// authenticated first; the ID of a stored key proves nothing.
    pub fn key_id(&self, text: &str, arrival: UnixMs) -> Option<AnyKeyId> {
        presented::key_id(text, &self.config, arrival)
    }

    /// Returns the gateway in the state before its first check that both Workers fit.
    #[must_use]
    pub fn unlinked(self) -> Self {
        Self { fit: Fit::Unknown, ..self }
    }

    /// Returns `true` if the edge must ask the admin Worker before it refuses a credential by its
    /// tag.
    pub fn must_confirm(&self, now: UnixMs) -> bool {
        self.fit.must_confirm(now)
    }

    /// Returns `true` if nothing may count as made up, and the admin Worker must not be asked
    /// either.
    pub fn is_unsure(&self, now: UnixMs) -> bool {
        self.fit.is_unsure(now)
    }

    /// Records that a request now asks the admin Worker, so that others do not.
    pub fn begin_to_ask(&mut self, now: UnixMs) {
        self.fit = self.fit.asking(now);
    }

    /// Takes the admin Worker's answer: `true` if both Workers fit, `None` if no answer came. `now`
    /// is the present time, and for `true` the time at which the edge asked.
    pub fn take_fit(&mut self, fits: Option<bool>, now: UnixMs) {
        self.fit = match fits {
            Some(true) => self.fit.fits(now),
            Some(false) => {
                // Facts from a deployment with other keys are not trustworthy.
                self.leases.end_all();
                Fit::misfits(now)
            }
            None => self.fit.unanswered(now),
        };
    }

    /// Returns the value of the header that authenticates this edge to the admin Worker and to
    /// ledgers.
    pub fn link(&self) -> &str {
        &self.link
    }

    /// Returns the counters since the isolate started.
    pub fn counters(&self) -> Counters {
        self.leases.counters()
    }

    /// Returns the T of an account, as its lease says; `None` without a lease.
    pub fn freshness(&self, account: AccountId, now: UnixMs) -> Option<DurationMs> {
        let lease = self.leases.lease(account, now)?;
        Some(DurationMs::from_ms(lease.state().freshness_ms))
    }

    /// Returns the leases of the isolate.
    pub fn leases(&self) -> &Leases<R> {
        &self.leases
    }

    /// Returns the leases, so that the caller can begin a read or call and enter its result.
    pub fn leases_mut(&mut self) -> &mut Leases<R> {
        &mut self.leases
    }
}

fn done(outcome: Outcome) -> Decision {
    Decision::Done { outcome, renew: None }
}

/// Returns the caller's address, from the platform's headers only.
pub fn client_address(request: &Request<'_>) -> Option<ClientAddress> {
    ClientAddress::from_platform(
        request.headers.find("cf-connecting-ip"),
        request.headers.find("cf-connecting-ipv6"),
    )
}

#[cfg(test)]
mod tests;
