//! The edge's decision about one request: pure, synchronous, and asking for I/O by saying what it
//! needs.
//!
//! 1. Which host: the console's requests are none of the gateway's.
//! 2. One normalised path, or 400.
//! 3. The rule for it, or 404.
//! 4. The credential, or 401; several, 400. Where the rule names a field of the body, its
//!    [opening](crate::gateway::body) must be read first.
//! 5. Its form and tag: what Claviger never made ends here, without any lookup (P3).
//! 6. What its account's [lease](crate::lease::lease) says of it: from memory (P4), else [`Fetch`]
//!    the ledger or KV, else 503. What is newer than the lease is asked about before it is refused
//!    (P2).
//! 7. The verdict: forward with identity headers, or refuse.

use crate::base::http::path;
use crate::base::http::problem::RequestProblem;
use crate::base::http::request::Request;
use crate::base::http::response::{Answer, Forward, OnlyReads, Onward, Outcome};
use crate::base::id::{AccountId, AnyKeyId, KeyId};
use crate::base::time::UnixMs;
use crate::config::rules::{Access, Effect, Origin, Place, Rule};
use crate::config::settings::Config;
use crate::credential::key::KeyText;
use crate::credential::keyring::{Generation, MacKey};
use crate::credential::limits::Interface;
use crate::credential::limits::network::ClientAddress;
use crate::credential::limits::permission::Permission;
use crate::credential::sealed::SealedText;
use crate::gateway::body::{BODY_SCAN_BYTES_MAX, BodyScan, Fields};
use crate::gateway::denied::Denied;
use crate::gateway::extract::{CREDENTIAL_BYTES_MAX, Carried};
use crate::gateway::fit::Fit;
use crate::gateway::problem::{GatewayProblem, challenge, challenge_of_several};
use crate::gateway::recheck::{Issue, Rechecks};
use crate::gateway::resolve::Presented;
use crate::gateway::{extract, issuance, origin_headers, verify_body};
use crate::lease::call::{Basis, Fetch, Lookup, Source};
use crate::lease::isolate::{Counters, Leases};
use crate::lease::rules::{ByTheBook, Rules};
use crate::replication::link;
use crate::replication::record::Revision;
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts, Valid, Verified, examine, verify, verify_sealed};

/// Headers that tell a digest of the body (RFC 9530, and those before it): of one that something
/// was cut out of, it is wrong.
const DIGESTS: [&str; 4] = ["content-digest", "repr-digest", "digest", "content-md5"];

/// Path of the route that shows an operator what the answering isolate has done.
const COUNTERS_PATH: &str = "/v1/counters";

/// One isolate's edge: its settings and what it knows. `R` is for simulations that break a rule on
/// purpose.
#[derive(Debug)]
pub struct Gateway<R = ByTheBook> {
    pub(super) config: Config,
    pub(super) leases: Leases<R>,
    pub(super) rechecks: Rechecks,
    /// Proof key of each rule's origin, by the rule's index; `None` where nothing is forwarded.
    origin_keys: Vec<Option<MacKey>>,
    /// The header with which this edge calls the admin Worker's side.
    link: String,
    pub(super) fit: Fit,
    /// What replies are shared under within a data centre, newest first.
    pub(super) cache_keys: Vec<MacKey>,
}

/// What is to be done with a request.
#[derive(Debug)]
pub enum Decision {
    /// It is a batch verification.
    Verify,
    /// It is an issue by a program.
    Issue,
    /// All is known.
    Done {
        /// The answer.
        outcome: Outcome,
        /// Whose lease to [renew](Gateway::renew) meanwhile. The request does not wait for it.
        renew: Option<AccountId>,
    },
    /// First find this out, tell it to the [`Lookup`], and decide again.
    Fetch(Fetch),
    /// First ask the admin Worker whether this edge fits it, tell [`Gateway::take_fit`], and decide
    /// again.
    AskAdmin,
    /// It is refused by its credential. [`Gateway::answer_denied`] writes the answer, which is the
    /// same for every request that is refused so: a caller may keep it.
    Denied {
        /// The refusal.
        denied: Denied,
        /// The account whose lease to [renew](Gateway::renew) meanwhile.
        renew: Option<AccountId>,
    },
    /// First read all headers, and decide again.
    ReadHeaders,
    /// First read the body's opening, and decide again with [`Gateway::decide_with`].
    Read(BodyScan),
}

/// Where a verdict rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Who said so.
    pub source: Source,
    /// How long ago it was known to be so, in milliseconds.
    pub age_ms: u64,
    /// Revision of the record; `None` when there is none.
    pub revision: Option<Revision>,
    /// What the knowledge of the account rests on.
    pub basis: Basis,
    /// It is older than T, and used because the ledger is out of reach.
    pub is_stale: bool,
}

/// What the check of one credential came to.
#[derive(Debug)]
pub enum Check<V = Verified> {
    /// A verdict.
    Verdict(Checked<V>),
    /// First find this out.
    Fetch(Fetch),
    /// First ask the admin Worker whether this edge fits it, and tell [`Gateway::take_fit`].
    AskAdmin,
}

/// A verdict and what it rests on.
#[derive(Debug)]
pub struct Checked<V = Verified> {
    /// The verdict.
    pub verdict: Result<V, Denial>,
    /// `None`: the string alone decided, or nobody could.
    pub evidence: Option<Evidence>,
    /// Whose lease to [renew](Gateway::renew) meanwhile.
    pub renew: Option<AccountId>,
}

impl<V> Checked<V> {
    /// What rests on nothing that was known: the string alone decided, or nobody could.
    pub(crate) fn without_evidence(denial: Denial) -> Self {
        Self { verdict: Err(denial), evidence: None, renew: None }
    }
}

impl Gateway {
    /// An edge that knows nothing yet. `isolate` is random: it names the isolate to ledgers and
    /// spreads its refreshes.
    pub fn new(config: Config, isolate: u64) -> Self {
        Self::with_rules(config, isolate)
    }
}

impl<R: Rules> Gateway<R> {
    /// An edge that knows nothing yet, and decides by other rules than the right ones.
    pub fn with_rules(config: Config, isolate: u64) -> Self {
        let newest = config.keyring.newest();
        let key_of =
            |rule: &Rule| rule.origin.name().map(|name| MacKey::new(&newest.origin_key(name)));
        // In the order of their indices.
        let origin_keys = config.rules.iter().map(key_of).collect();
        let leases = Leases::new(isolate, config.terms);
        let cache_key = |generation: &Generation| generation.refresh_cache_key().clone();
        // Who knows a compromised secret could tell an isolate of the data centre whatever they
        // like.
        let believed = config.keyring.iter().filter(|generation| !generation.is_compromised());
        let cache_keys = believed.map(cache_key).collect();
        let link = link::header(&config.keyring, &config.digest);
        Self {
            config,
            leases,
            rechecks: Rechecks::new(),
            origin_keys,
            link,
            fit: Fit::Fits,
            cache_keys,
        }
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Decides about a request at the time `now`, given what its lookup has brought so far. Nothing
    /// is noted unless it is done.
    pub fn decide(&mut self, request: &Request<'_>, now: UnixMs, lookup: &Lookup) -> Decision {
        self.decide_with(request, now, lookup, None)
    }

    /// The same, given what the opening of its body held, once that was asked for.
    pub fn decide_with(
        &mut self,
        request: &Request<'_>,
        now: UnixMs,
        lookup: &Lookup,
        fields: Option<&Fields>,
    ) -> Decision {
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

    /// On the console's host the edge serves two surfaces; all else is the admin Worker's.
    fn decide_console(&self, request: &Request<'_>) -> Decision {
        match request.url.path {
            verify_body::PATH if request.method == "POST" => Decision::Verify,
            verify_body::PATH => {
                self.refuse(&RequestProblem::MethodNotAllowed { allow: "POST" }.into())
            }
            issuance::PATH => Decision::Issue,
            _ if !request.headers.is_whole() => Decision::ReadHeaders,
            path => done(Outcome::Admin(self.onward(request, path))),
        }
    }

    /// What the admin Worker gets of a request: no header of a client's that could pass for one of
    /// Claviger's own.
    fn onward(&self, request: &Request<'_>, path: &str) -> Onward {
        let ours = request
            .headers
            .iter()
            .map(|(name, _)| name)
            .filter(|name| origin_headers::is_ours(name));
        let remove = ours.map(str::to_owned).collect();
        let mut set = vec![(link::EDGE_HEADER, self.link.clone())];
        if path == COUNTERS_PATH {
            // Numbers under text keys: they serialise.
            set.push((
                link::COUNTERS_HEADER,
                serde_json::to_string(&self.counters()).unwrap_or_default(),
            ));
        }
        Onward { remove, set }
    }

    fn decide_api(
        &mut self,
        request: &Request<'_>,
        now: UnixMs,
        lookup: &Lookup,
        fields: Option<&Fields>,
    ) -> Result<Decision, GatewayProblem> {
        let path = path::normalise(request.url.path).map_err(GatewayProblem::AmbiguousPath)?;
        let rule =
            self.config.rules.find(request.url.host, &path).ok_or(GatewayProblem::NoRoute)?.clone();
        if rule.origin == Origin::Issuance {
            return Ok(Decision::Issue);
        }
        let reads_body = |place: &Place| matches!(place, Place::Form(_) | Place::Json(_));
        if !request.headers.is_whole() && rule.places.iter().any(reads_body) {
            return Ok(Decision::ReadHeaders);
        }
        let mut carried = extract::find(request, &rule.places, &self.config.prefix);
        let unread = match fields {
            Some(fields) => {
                carried.take_from_body(fields);
                None
            }
            None if request.headers.is_whole() => BodyScan::of(request, &rule.places),
            None => None,
        };

        let demanded = match &rule.access {
            Access::Public => {
                // Nothing is checked, but no key is handed on.
                return Ok(match unread {
                    Some(scan) => Decision::Read(scan),
                    None => self.forward(request, &rule, &path, &carried, None),
                });
            }
            Access::AnyKey => None,
            Access::Permission { read, write } => Some(match rule.effect(request.method) {
                Effect::Read => read,
                Effect::Write => write,
            }),
        };
        let Ok(text) = &carried.credential else { return Ok(self.several(request)) };
        let text = text.as_ref();
        // What a header's text alone refuses need not wait for the body.
        let is_refused =
            |text: &extract::Text<'_>| self.made(text.expose(), request.arrived).is_err();
        if let Some(scan) = unread
            && !text.is_some_and(is_refused)
        {
            return Ok(Decision::Read(scan));
        }
        let Some(text) = text else {
            return if fields.is_some_and(Fields::is_too_large) {
                Err(RequestProblem::BodyTooLarge { max: BODY_SCAN_BYTES_MAX }.into())
            } else if request.headers.is_whole() {
                Ok(self.miss(request, &rule))
            } else {
                Ok(Decision::ReadHeaders)
            };
        };
        let facts = Facts {
            address: client_address(request),
            interface: Interface::Http,
            demand: demanded.map_or(Demand::AnyKey, Demand::Permission),
        };
        let checked = match self.check(text.expose(), &facts, request.arrived, now, lookup) {
            Check::Fetch(need) => return Ok(Decision::Fetch(need)),
            Check::AskAdmin => return Ok(Decision::AskAdmin),
            Check::Verdict(checked) => checked,
        };
        let decision = match checked.verdict {
            Err(denial) if !request.headers.is_whole() => {
                let denied = Denied { effect: rule.effect(request.method), rule, denial };
                return Ok(Decision::Denied { denied, renew: checked.renew });
            }
            Err(denial) => self.deny(request.url.host, denial, demanded),
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
        match self.made(text, arrival) {
            Ok(Presented::Key(made)) => {
                let known = match self.known_of(made.id(), arrival, now, lookup) {
                    Ok(known) => known,
                    Err(missing) => return missing.into(),
                };
                let verdict = verify(&made, known.borrow(), facts, arrival);
                if let Some(missing) =
                    self.recheck_stored(&verdict, &known, (facts, arrival), now, lookup)
                {
                    return missing.into();
                }
                self.count(made.id(), &verdict, known.is_counted, facts, now);
                known.conclude(verdict, now)
            }
            Ok(Presented::Sealed(made)) => {
                let known = match self.known_of_sealed(&made, arrival, now, lookup) {
                    Ok(known) => known,
                    Err(missing) => return missing.into(),
                };
                let verdict = verify_sealed(&made, known.borrow(), facts, arrival);
                let issue = Issue::of_sealed(&made, facts, arrival).filter(|_| verdict.is_err());
                let missing =
                    issue.and_then(|issue| self.recheck(&issue, &known, arrival, now, lookup));
                missing.map_or_else(|| known.conclude(verdict, now), Into::into)
            }
            Err(Denial::Unknown) if self.fit.wants_word(now) => Check::AskAdmin,
            Err(Denial::Unknown) if self.fit.is_unsure(now) => {
                Check::Verdict(Checked::without_evidence(Denial::Unavailable))
            }
            Err(denial) => Check::Verdict(Checked::without_evidence(denial)),
        }
    }

    /// Says what a check of the key `id` would come to, without its secret and without counting a
    /// use. For verifiers of its account: any ID there may cause one lookup per lease, since IDs
    /// carry no tag.
    pub fn examine(
        &mut self,
        id: KeyId,
        facts: &Facts<'_>,
        arrival: UnixMs,
        now: UnixMs,
        lookup: &Lookup,
    ) -> Check<Valid> {
        match self.known_of(id, arrival, now, lookup) {
            Ok(known) => {
                let verdict = examine(id, known.borrow(), facts, arrival);
                let missing = self.recheck_stored(&verdict, &known, (facts, arrival), now, lookup);
                missing.map_or_else(|| known.conclude(verdict, now), Into::into)
            }
            Err(missing) => missing.into(),
        }
    }

    /// Counts a use of a key by somebody with the right secret.
    pub(super) fn count(
        &mut self,
        id: KeyId,
        verdict: &Result<Verified, Denial>,
        is_counted: bool,
        facts: &Facts<'_>,
        now: UnixMs,
    ) {
        let is_let_through = verdict.is_ok();
        // What the ledger was asked about and found active it has counted itself.
        let is_counted_there = is_let_through && is_counted;
        let is_use = verdict.as_ref().map_or_else(|denial| denial.is_of_a_known_key(), |_| true);
        if is_use && !is_counted_there {
            self.leases.count_use(id, is_let_through, facts.address, now);
        }
    }

    /// What the string alone says.
    pub(super) fn made(&self, text: &str, arrival: UnixMs) -> Result<Presented, Denial> {
        let Config { prefix, keyring, .. } = &self.config;
        if text.len() > CREDENTIAL_BYTES_MAX {
            return Err(Denial::Malformed);
        }
        if SealedText::is_meant(text, prefix) {
            let parsed = SealedText::parse(text, prefix).map_err(|_| Denial::Malformed)?;
            return parsed
                .authenticate(prefix, keyring, arrival)
                .map(Presented::Sealed)
                .ok_or(Denial::Unknown);
        }
        let parsed = KeyText::parse(text, prefix).map_err(|_| Denial::Malformed)?;
        parsed.authenticate(prefix, keyring).map(Presented::Key).ok_or(Denial::Unknown)
    }

    /// The key that a text names. Whether Claviger made it is only known of a sealed one; `None`
    /// for what is no key.
    pub fn key_of(&self, text: &str, arrival: UnixMs) -> Option<AnyKeyId> {
        let Config { prefix, keyring, .. } = &self.config;
        if SealedText::is_meant(text, prefix) {
            let made =
                SealedText::parse(text, prefix).ok()?.authenticate(prefix, keyring, arrival)?;
            return Some(AnyKeyId::Sealed(made.claims().id));
        }
        KeyText::parse(text, prefix).ok().map(|parsed| AnyKeyId::Key(parsed.id()))
    }

    /// The same edge, which does not know yet whether it fits the admin Worker.
    #[must_use]
    pub fn unlinked(self) -> Self {
        Self { fit: Fit::Unknown, ..self }
    }

    /// Returns `true` if the admin Worker must be asked before something is called made up.
    pub fn wants_word(&self, now: UnixMs) -> bool {
        self.fit.wants_word(now)
    }

    /// Returns `true` if nothing may be called made up, and the admin Worker must not be asked
    /// either.
    pub fn is_unsure(&self, now: UnixMs) -> bool {
        self.fit.is_unsure(now)
    }

    /// Records that a request now asks the admin Worker, so that others do not.
    pub fn begin_to_ask(&mut self, now: UnixMs) {
        self.fit = self.fit.asking(now);
    }

    /// Takes the admin Worker's word on whether this edge fits it; `None`: it did not answer.
    pub fn take_fit(&mut self, fits: Option<bool>, now: UnixMs) {
        self.fit = match fits {
            Some(true) => Fit::fits(),
            Some(false) => {
                // Whatever was learnt from the other side is in doubt.
                self.leases.end_all();
                Fit::misfits(now)
            }
            None => self.fit.unanswered(now),
        };
    }

    /// The header with which this edge calls the admin Worker's side.
    pub fn link(&self) -> &str {
        &self.link
    }

    /// What the isolate has done so far.
    pub fn counters(&self) -> Counters {
        self.leases.counters()
    }

    /// What the isolate knows.
    pub fn leases(&self) -> &Leases<R> {
        &self.leases
    }

    pub(super) fn refuse(&self, problem: &GatewayProblem) -> Decision {
        done(Outcome::Answer(problem.answer(&self.config.console_origin)))
    }

    /// Says where a credential is wanted, and where one stands that does not count.
    fn miss(&self, request: &Request<'_>, rule: &Rule) -> Decision {
        let places = rule.places.iter().map(Place::to_string).collect();
        let elsewhere = extract::elsewhere(request, &self.config.prefix);
        let answer = GatewayProblem::MissingCredential { places, elsewhere }
            .answer(&self.config.console_origin);
        let challenge = challenge(Denial::Missing, request.url.host, None).unwrap_or_default();
        done(Outcome::Answer(answer.with("www-authenticate", challenge)))
    }

    /// Says that several credentials are one too many.
    fn several(&self, request: &Request<'_>) -> Decision {
        let answer = GatewayProblem::AmbiguousCredential.answer(&self.config.console_origin);
        done(Outcome::Answer(
            answer.with("www-authenticate", challenge_of_several(request.url.host)),
        ))
    }

    fn deny(&self, host: &str, denial: Denial, demanded: Option<&Permission>) -> Decision {
        done(Outcome::Answer(self.answer_denial(host, denial, demanded)))
    }

    /// Writes the answer to a request that is refused by its credential.
    pub fn answer_denied(&self, denied: &Denied) -> Answer {
        self.answer_denial(denied.rule.host(), denied.denial, denied.permission())
    }

    fn answer_denial(&self, host: &str, denial: Denial, demanded: Option<&Permission>) -> Answer {
        let answer = GatewayProblem::Denied(denial).answer(&self.config.console_origin);
        let challenge = challenge(denial, host, demanded);
        answer.with_header(challenge.map(|challenge| ("www-authenticate", challenge)))
    }

    fn forward(
        &self,
        request: &Request<'_>,
        rule: &Rule,
        path: &str,
        carried: &Carried<'_>,
        verified: Option<&Verified>,
    ) -> Decision {
        let query =
            carried.query.as_deref().or(request.url.query).filter(|query| !query.is_empty());
        let target = path::serialise(path, query);
        let Some(Some(origin_key)) = self.origin_keys.get(rule.index) else {
            return self.refuse(&RequestProblem::Internal.into());
        };
        let (binding, base) = match &rule.origin {
            Origin::Binding(name) => (Some(name.clone()), request.url.origin),
            Origin::Base(base) => (None, base.as_str()),
            // Answered before.
            Origin::Issuance => return self.refuse(&RequestProblem::Internal.into()),
        };
        let mut remove: Vec<String> =
            carried.headers.iter().map(|name| (*name).to_owned()).collect();
        let mut set =
            origin_headers::headers(verified, request.method, &target, origin_key, request.arrived);
        let only_reads = OnlyReads(rule.only_reads(request.method));
        let unscreened = if request.headers.is_whole() {
            let screened = origin_headers::screen(request.headers, only_reads);
            remove.extend(screened.remove);
            set.extend(screened.cookie.map(|cookie| ("cookie", cookie)));
            None
        } else {
            Some(only_reads)
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
        }))
    }
}

fn done(outcome: Outcome) -> Decision {
    Decision::Done { outcome, renew: None }
}

/// The caller's address, from the platform's headers alone.
pub fn client_address(request: &Request<'_>) -> Option<ClientAddress> {
    ClientAddress::from_platform(
        request.headers.find("cf-connecting-ip"),
        request.headers.find("cf-connecting-ipv6"),
    )
}

#[cfg(test)]
mod tests;
