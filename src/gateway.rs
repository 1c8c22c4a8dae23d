//! The edge's decision about one request: pure, synchronous, and asking for I/O by saying what it needs.
//!
//! 1. Which host: the console's requests are none of the gateway's.
//! 2. One normalised path, or 400.
//! 3. The rule for it, or 404.
//! 4. The credential, or 401; several, 400.
//! 5. Its form and tag: what Claviger never made ends here, without any lookup (P3).
//! 6. Its record: from memory (P4), else [`Need`] KV, else [`Need`] the ledger, else 503.
//! 7. The verdict: forward with identity headers, or refuse.

use std::collections::HashMap;

use crate::answer::{Forward, Outcome};
use crate::config::Config;
use crate::console::{Route, session};
use crate::credential::{self, CREDENTIAL_BYTES_MAX, Carried};
use crate::id::{AccountId, KeyId};
use crate::identity;
use crate::key::{KeyText, MadeKey};
use crate::knowledge::{Fact, Knowledge, Source};
use crate::network::ClientAddress;
use crate::path;
use crate::permission::Permission;
use crate::problem::{Problem, challenge};
use crate::record::{Interface, Record, Revision};
use crate::request::Request;
use crate::ring::MacKey;
use crate::rules::{Access, Effect, Origin, Rule};
use crate::time::UnixMs;
use crate::verdict::Denial;
use crate::verify::{Demand, Facts, Verified, verify};

/// One isolate's edge: its settings and what it knows.
#[derive(Debug)]
pub struct Gateway {
    config: Config,
    knowledge: Knowledge,
    /// Proof key of each origin that the rules name, by its name.
    origin_keys: HashMap<String, MacKey>,
}

/// What is to be done with a request.
#[derive(Debug)]
pub enum Decision {
    /// It is for a route of Claviger's own, on the console's host.
    Console(Route),
    /// All is known.
    Done(Outcome),
    /// First find this out, tell it to the [`Lookup`], and decide again.
    Need(Need),
}

/// A question that only I/O can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// What KV holds of the key.
    Kv(KeyId),
    /// What the ledger knows of it.
    Ledger(KeyId),
}

/// What one request has found out so far about one key. It is the request's own, so that it helps even where memory keeps nothing.
#[derive(Debug, Default)]
pub struct Lookup {
    found: Option<Fact>,
    kv_is_no_help: bool,
    ledger_is_out_of_reach: bool,
}

/// Where a verdict rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// `None`: memory.
    pub source: Option<Source>,
    /// Age of the fact, in milliseconds.
    pub age_ms: i64,
    /// Revision of the record; `None` when there is none.
    pub revision: Option<Revision>,
}

/// What the check of one credential came to.
#[derive(Debug)]
pub enum Check {
    /// A verdict. `None` as evidence: the string alone decided.
    Verdict(Result<Verified, Denial>, Option<Evidence>),
    /// First find this out.
    Need(Need),
}

impl Gateway {
    /// An edge that knows nothing yet.
    pub fn new(config: Config) -> Self {
        let newest = config.ring.newest();
        let origin_keys = config
            .rules
            .iter()
            .map(|rule| rule.origin.name())
            .map(|name| (name.to_owned(), MacKey::new(&newest.origin_key(name))))
            .collect();
        Self { config, knowledge: Knowledge::default(), origin_keys }
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Decides about a request, given what its lookup has brought so far.
    pub fn decide(&mut self, request: &Request<'_>, lookup: &Lookup) -> Decision {
        let decided = if request.url.host == self.config.console_host {
            self.decide_console(request)
        } else {
            self.decide_api(request, lookup)
        };
        decided.unwrap_or_else(|problem| self.refuse(&problem))
    }

    fn decide_console(&self, request: &Request<'_>) -> Result<Decision, Problem> {
        let route = Route::find(request.method, request.url.path)?;
        if route == Route::Asset {
            return Ok(Decision::Done(Outcome::Asset));
        }
        if route.wants_own_page() && !session::is_own_page(request.headers, &self.config.console_origin) {
            return Err(Problem::CrossSite);
        }
        Ok(Decision::Console(route))
    }

    fn decide_api(&mut self, request: &Request<'_>, lookup: &Lookup) -> Result<Decision, Problem> {
        let path = path::normalise(request.url.path).map_err(Problem::AmbiguousPath)?;
        let rule = self.config.rules.find(request.url.host, &path).ok_or(Problem::NoRoute)?.clone();
        let carried = credential::find(request, &rule.places, &self.config.prefix);

        let demanded = match &rule.access {
            Access::Public => {
                // Nothing is checked, but no key is handed on.
                return Ok(self.forward(request, &rule, &path, &carried, None));
            }
            Access::AnyKey => None,
            Access::Permission { read, write } => Some(match rule.effect(request.method) {
                Effect::Read => read,
                Effect::Write => write,
            }),
        };
        let Some(text) = carried.credential.as_ref().map_err(|_| Problem::AmbiguousCredential)? else {
            return Ok(self.deny(request, Denial::Missing, demanded));
        };
        let facts = Facts {
            address: client_address(request),
            interface: Interface::Http,
            demand: demanded.map_or(Demand::AnyKey, Demand::Permission),
        };
        match self.check(text.expose(), &facts, request.arrived, lookup) {
            Check::Need(need) => Ok(Decision::Need(need)),
            Check::Verdict(Err(denial), _) => Ok(self.deny(request, denial, demanded)),
            Check::Verdict(Ok(verified), _) => {
                Ok(self.forward(request, &rule, &path, &carried, Some(&verified)))
            }
        }
    }

    /// Checks one credential.
    pub fn check(&mut self, text: &str, facts: &Facts<'_>, now: UnixMs, lookup: &Lookup) -> Check {
        let made = match self.made(text) {
            Ok(made) => made,
            Err(denial) => return Check::Verdict(Err(denial), None),
        };
        let (fact, source) = match (&lookup.found, self.knowledge.find(made.id(), now)) {
            (Some(fact), _) if fact.is_about(made.id()) => (fact, Some(fact.source)),
            (_, Some(fact)) => (fact, None),
            _ if !lookup.kv_is_no_help => return Check::Need(Need::Kv(made.id())),
            _ if !lookup.ledger_is_out_of_reach => return Check::Need(Need::Ledger(made.id())),
            _ => return Check::Verdict(Err(Denial::Unavailable), None),
        };
        let evidence = Evidence {
            source,
            age_ms: now.as_ms().saturating_sub(fact.as_of.as_ms()).max(0),
            revision: fact.record.as_ref().map(|record| record.revision),
        };
        Check::Verdict(verify(&made, fact.record.as_ref(), facts, now), Some(evidence))
    }

    /// What the string alone says.
    fn made(&self, text: &str) -> Result<MadeKey, Denial> {
        if text.len() > CREDENTIAL_BYTES_MAX {
            return Err(Denial::Malformed);
        }
        let parsed = KeyText::parse(text, &self.config.prefix).map_err(|_| Denial::Malformed)?;
        parsed.authenticate(&self.config.prefix, &self.config.ring).ok_or(Denial::Unknown)
    }

    /// Takes KV's answer to a question that was sent at `as_of`; `None`: nothing there, or KV failed.
    pub fn learn_from_kv(&mut self, id: KeyId, text: Option<&str>, as_of: UnixMs, lookup: &mut Lookup) {
        match text.and_then(|text| Record::from_kv(text, id)) {
            Some(record) => self.learn(record, Source::Kv, as_of, lookup),
            None => lookup.kv_is_no_help = true,
        }
    }

    /// Takes the ledger's answer to a question that was sent at `as_of`.
    pub fn learn_from_ledger(
        &mut self,
        id: KeyId,
        record: Option<Record>,
        as_of: UnixMs,
        lookup: &mut Lookup,
    ) {
        match record {
            Some(record) if record.id != id => lookup.ledger_is_out_of_reach = true,
            Some(record) => self.learn(record, Source::Ledger, as_of, lookup),
            None => {
                let fact = Fact { id, record: None, source: Source::Ledger, as_of };
                self.knowledge.learn(fact.clone());
                lookup.found = Some(fact);
            }
        }
    }

    /// Notes that the ledger did not answer.
    pub fn ledger_failed(&mut self, lookup: &mut Lookup) {
        lookup.ledger_is_out_of_reach = true;
    }

    /// Takes the record of a change that this isolate has just had committed.
    pub fn learn_from_change(&mut self, record: Record, as_of: UnixMs) {
        self.knowledge.learn(Fact { id: record.id, record: Some(record), source: Source::Ledger, as_of });
    }

    fn learn(&mut self, record: Record, source: Source, as_of: UnixMs, lookup: &mut Lookup) {
        let id = record.id;
        // What memory holds then is at least as new as what came: a late answer of KV teaches nothing.
        lookup.found = Some(self.knowledge.learn(Fact { id, record: Some(record), source, as_of }));
    }

    fn refuse(&self, problem: &Problem) -> Decision {
        Decision::Done(Outcome::Answer(problem.answer(&self.config.console_origin)))
    }

    fn deny(&self, request: &Request<'_>, denial: Denial, demanded: Option<&Permission>) -> Decision {
        let mut answer = Problem::Denied(denial).answer(&self.config.console_origin);
        if let Some(challenge) = challenge(denial, request.url.host, demanded) {
            answer = answer.with("www-authenticate", challenge);
        }
        Decision::Done(Outcome::Answer(answer))
    }

    fn forward(
        &self,
        request: &Request<'_>,
        rule: &Rule,
        path: &str,
        carried: &Carried<'_>,
        verified: Option<&Verified>,
    ) -> Decision {
        let query = carried.query.as_deref().or(request.url.query).filter(|query| !query.is_empty());
        let target = match query {
            Some(query) => [path, "?", query].concat(),
            None => path.to_owned(),
        };
        let Some(origin_key) = self.origin_keys.get(rule.origin.name()) else {
            return self.refuse(&Problem::Internal);
        };
        let (binding, base) = match &rule.origin {
            Origin::Binding(name) => (Some(name.clone()), request.url.origin),
            Origin::Base(base) => (None, base.as_str()),
        };
        let mut remove: Vec<String> = carried.headers.iter().map(|name| (*name).to_owned()).collect();
        let mut set = identity::headers(verified, request.method, &target, origin_key, request.arrived);
        for (name, value) in request.headers.iter() {
            if identity::is_ours(name) {
                remove.push(name.to_owned());
            } else if name == "cookie"
                && let Some(rest) = identity::without_our_cookie(value)
            {
                if rest.is_empty() { remove.push(name.to_owned()) } else { set.push(("cookie", rest)) }
            }
        }
        Decision::Done(Outcome::Forward(Forward { binding, url: [base, &target].concat(), remove, set }))
    }
}

/// The account that a key's text names, whether or not Claviger made it; `None` for what is no key.
pub fn account_of(text: &str, config: &Config) -> Option<AccountId> {
    KeyText::parse(text, &config.prefix).ok().map(|parsed| parsed.id().account())
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
