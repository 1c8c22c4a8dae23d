//! Defines the I/O that an isolate requests, and the results, as values. The platform adapter
//! carries it out.

use std::sync::Arc;

use super::cached_key::CachedKey;
use super::rules::LeaseRules;
use crate::base::id::{AccountId, KeyId};
use crate::base::time::UnixMs;
use crate::replication::edge_call::RefreshReply;
use crate::replication::record::Revision;
use crate::replication::refresh::{AccountState, Refresh, RefreshRequest};
use crate::replication::secret_check::{SecretCheck, SecretCheckReply};
use crate::replication::shared::Shared;
use crate::replication::superseded::SupersededFilter;

/// The I/O that a decision needs first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetch {
    /// A read of this key's record in KV.
    Kv(KeyId),
    /// A refresh that asks about the account and this key, which the caller presented.
    Ledger(KeyId),
    /// A refresh that asks about the account and this key, which issued the key that the caller
    /// presented.
    Issuer(KeyId),
    /// A refresh that asks about the account alone.
    State(AccountId),
    /// A read of this source of copies of the account's ledger replies.
    Copy(AccountId, CopySource),
}

impl Fetch {
    /// Returns the account whose ledger is responsible.
    pub fn account(self) -> AccountId {
        match self {
            Self::Kv(id) | Self::Ledger(id) | Self::Issuer(id) => id.account(),
            Self::State(account) | Self::Copy(account, _) => account,
        }
    }
}

/// A store that holds copies of ledger replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopySource {
    /// KV, which holds the documents that ledgers publish.
    Kv,
    /// The data centre's cache, which holds the replies that isolates share.
    Cache,
}

/// The kind of source that a lease rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A ledger's reply.
    Ledger,
    /// A document in KV.
    Document,
}

/// The origin of a reply that a lease takes.
#[derive(Clone, Copy, Debug)]
pub struct Provenance {
    /// Time as of which the reply holds; for a document, the time of the read.
    pub(super) as_of: UnixMs,
    /// Number of replies that the lease had taken when this one was requested; `None` if another
    /// isolate requested it.
    pub(super) taken: Option<u64>,
    /// Kind of source.
    pub(super) basis: Basis,
}

/// The lease under which a call or read was started. A result is dropped if the account's token
/// differs by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseToken {
    /// A lease with this incarnation.
    Lease(u64),
    /// No lease, in this era of the clock.
    Vacant(u64),
}

/// A refresh to send to the account's ledger at once.
#[derive(Clone, Debug)]
pub struct RefreshCall {
    pub(super) account: AccountId,
    pub(super) request: RefreshRequest,
    pub(super) token: LeaseToken,
    pub(super) sent: UnixMs,
    /// Number of replies that the lease had taken.
    pub(super) taken: u64,
    /// Revision of the last change that had been committed through the isolate.
    pub(super) floor: Revision,
    /// The account's state in the lease.
    pub(super) state: Option<Arc<AccountState>>,
}

impl RefreshCall {
    /// Returns the provenance of the call's reply, given the time at which it arrived.
    pub(super) fn provenance<R: LeaseRules>(&self, answered: UnixMs) -> Provenance {
        let as_of = R::as_of(self.sent, answered);
        Provenance { as_of, taken: Some(self.taken), basis: Basis::Ledger }
    }

    /// Returns the part of the reply that other isolates may share at `now`. `None` if the reply is
    /// unusable, if T is 0, or if the clock stepped back since the call.
    /// `superseded` contains all superseded keys as of the reply's revision.
    pub fn to_share(
        &self,
        reply: &RefreshReply,
        superseded: Option<SupersededFilter>,
        now: UnixMs,
    ) -> Option<Shared> {
        let RefreshReply::Refreshed(refresh) = reply else { return None };
        let state = self.state_after(refresh).filter(|state| state.freshness_ms > 0)?;
        let known = self.request.known_revision;
        (now >= self.sent)
            .then(|| Shared::new(self.account, self.sent, known, refresh, &state, superseded))
    }

    /// Returns the account whose ledger to call.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Returns the request to send.
    pub fn request(&self) -> &RefreshRequest {
        &self.request
    }

    /// Returns the account's state after `reply`: from the reply, or from the lease if the epoch is
    /// the same and the state did not change. `None` if the reply contradicts itself or the
    /// request; it then counts as no answer.
    pub(super) fn state_after(&self, reply: &Refresh) -> Option<Arc<AccountState>> {
        let is_same_history = self.request.epoch.as_ref() == Some(&reply.epoch);
        let is_going_back = is_same_history && reply.revision < self.request.known_revision;
        // This covers all answers, not just the requested ones: a reply also contains the records
        // of issuers.
        let is_whole = reply.answers.iter().all(|answer| {
            answer.record.as_ref().is_none_or(|record| {
                record.id == answer.id
                    && record.epoch == reply.epoch
                    && record.revision <= reply.revision
            })
        });
        let answers = |id: &KeyId| reply.answers.iter().any(|answer| answer.id == *id);
        if is_going_back || !is_whole || !self.request.ask.iter().all(answers) {
            return None;
        }
        match &reply.state {
            Some(state) => Some(Arc::new(state.clone())),
            None => self.state.clone().filter(|_| is_same_history),
        }
    }
}

/// A read of KV to make at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvRead {
    pub(super) id: KeyId,
    pub(super) token: LeaseToken,
    /// Revision that the lease knew when the read began.
    pub(super) known: Revision,
}

impl KvRead {
    /// Returns the key whose record to read.
    pub fn id(&self) -> KeyId {
        self.id
    }
}

/// A read of a copy to make at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyRead {
    pub(super) account: AccountId,
    pub(super) source: CopySource,
    pub(super) token: LeaseToken,
    pub(super) sent: UnixMs,
    /// `true` if no request waits for it.
    pub(super) is_background: bool,
}

impl CopyRead {
    /// Returns the account whose copy to read.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Returns the source to read.
    pub fn source(&self) -> CopySource {
        self.source
    }
}

/// The next step of a background refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalStep {
    /// Read a copy from this source.
    Copy(CopySource),
    /// Call the ledger.
    Refresh,
}

/// The results that one request has found about keys of one account. They belong to the request, so
/// they help even if the isolate's memory keeps nothing.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    /// The ledger's last answer about each key.
    pub(super) keys: Vec<KeyAnswer>,
    /// The ledger's last answer about the account.
    pub(super) state: Option<StateAnswer>,
    pub(super) kv: Vec<(KeyId, ReadOutcome)>,
    pub(super) document: ReadOutcome,
    pub(super) shared: ReadOutcome,
    pub(super) failures: u32,
    /// `true` if the lease was renewed by this lookup.
    pub(super) is_renewed: bool,
    /// `true` if an earlier decision about the same request has counted its use.
    pub is_counted: bool,
    /// The answer about the secret of an API user; `Some(None)` if none came.
    pub secret: Option<Option<SecretCheckReply>>,
}

/// The result of one read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ReadOutcome {
    #[default]
    NotAsked,
    Taken,
    NoHelp,
}

impl Lookup {
    /// Returns the lookup of a request whose isolate has no shared replies to read.
    #[cfg(test)]
    pub(crate) fn alone() -> Self {
        Self { shared: ReadOutcome::NoHelp, ..Self::default() }
    }

    /// Returns `true` if the ledger has answered `need` for this request.
    pub fn is_answered(&self, need: Fetch) -> bool {
        match need {
            Fetch::Ledger(id) | Fetch::Issuer(id) => self.key(id).is_some(),
            Fetch::State(account) => {
                self.state.as_ref().is_some_and(|answer| answer.account == account)
            }
            Fetch::Kv(_) | Fetch::Copy(..) => false,
        }
    }

    /// Takes the admin Worker's answer about the secret of an API user; `None` if none came. An
    /// answer about another name counts as none.
    pub fn take_secret(&mut self, asked: &SecretCheck, reply: Option<SecretCheckReply>) {
        let is_about = |reply: &SecretCheckReply| match reply {
            SecretCheckReply::Matches(proven) => proven.name == asked.name,
            SecretCheckReply::Refused | SecretCheckReply::TooMany { .. } => true,
        };
        self.secret = Some(reply.filter(is_about));
    }

    /// Returns `true` if at least one call to the ledger has failed.
    pub fn has_failed(&self) -> bool {
        self.failures > 0
    }

    pub(super) fn key(&self, id: KeyId) -> Option<&KeyAnswer> {
        self.keys.iter().find(|answer| answer.id == id)
    }

    pub(super) fn note_key(&mut self, answer: KeyAnswer) {
        self.keys.retain(|earlier| earlier.id != answer.id);
        self.keys.push(answer);
    }

    pub(super) fn kv(&self, id: KeyId) -> ReadOutcome {
        self.kv.iter().find(|(key, _)| *key == id).map(|(_, outcome)| *outcome).unwrap_or_default()
    }

    /// Records the result of reading a copy, which renewed the lease if it was of use.
    pub(super) fn note_copy(&mut self, source: CopySource, is_of_use: bool) {
        let outcome = if is_of_use { ReadOutcome::Taken } else { ReadOutcome::NoHelp };
        match source {
            CopySource::Kv => self.document = outcome,
            CopySource::Cache => self.shared = outcome,
        }
        self.is_renewed |= is_of_use;
    }

    pub(super) fn note_kv(&mut self, id: KeyId, outcome: ReadOutcome) {
        self.kv.retain(|(key, _)| *key != id);
        self.kv.push((id, outcome));
    }
}

/// The ledger's answer to a request about an account.
#[derive(Clone, Debug)]
pub(super) struct StateAnswer {
    pub(super) account: AccountId,
    pub(super) state: Arc<AccountState>,
    pub(super) sent: UnixMs,
}

/// The ledger's answer to a request about a key. The request asked after its own arrival, so it may
/// rely on the answer whatever has become of the lease.
#[derive(Clone, Debug)]
pub(super) struct KeyAnswer {
    pub(super) id: KeyId,
    pub(super) cached: CachedKey,
    pub(super) state: Arc<AccountState>,
    pub(super) sent: UnixMs,
}

/// The facts that a decision rests on: about a key by default, or with `W = ()` about the account
/// alone.
#[derive(Clone, Debug)]
pub struct Finding<W = CachedKey> {
    /// The cached record or negative answer of the key.
    pub cached: W,
    /// The state of the key's account.
    pub state: Arc<AccountState>,
    /// Source of the answer.
    pub source: Source,
    /// Local time as of which the answer holds, Unix ms.
    pub as_of: UnixMs,
    /// Kind of source that `as_of` rests on.
    pub basis: Basis,
    /// `true` if the lease is older than T, and used because the ledger is out of reach.
    pub is_stale: bool,
}

/// The source of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This isolate's memory.
    Memory,
    /// Workers KV, read by this request.
    Kv,
    /// The ledger, called by this request.
    Ledger,
}

/// The result of a search for a key or an account.
#[derive(Clone, Debug)]
pub enum Found<W = CachedKey> {
    /// The facts, and an account whose lease to refresh in the background.
    Finding(Finding<W>, Option<AccountId>),
    /// The I/O that is needed first.
    Fetch(Fetch),
    /// The ledger is out of reach.
    OutOfReach,
}
