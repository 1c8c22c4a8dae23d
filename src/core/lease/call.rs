//! Questions of an isolate, and what comes back. They are values: whoever has the means carries
//! them out.

use std::sync::Arc;

use super::entries::Word;
use super::rules::Rules;
use crate::base::id::{AccountId, KeyId};
use crate::base::time::UnixMs;
use crate::credential::limits::network::ClientAddress;
use crate::replication::edge_call::RefreshReply;
use crate::replication::record::Revision;
use crate::replication::refresh::{AccountState, Refresh, RefreshRequest};
use crate::replication::shared::Shared;

/// What a decision lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// What KV holds of this key.
    Kv(KeyId),
    /// What the account's ledger says of its state and of this key, which is being used.
    Ledger(KeyId),
    /// What it says of its state and of this key, which has issued the one that is being used.
    Issuer(KeyId),
    /// What it says of its state.
    State(AccountId),
    /// What this shelf holds of what the account's ledger has said.
    Copy(AccountId, Shelf),
}

impl Need {
    /// Whose ledger knows it.
    pub fn account(self) -> AccountId {
        match self {
            Self::Kv(id) | Self::Ledger(id) | Self::Issuer(id) => id.account(),
            Self::State(account) | Self::Copy(account, _) => account,
        }
    }
}

/// Where copies lie of what ledgers have said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// KV, with documents that ledgers publish.
    Kv,
    /// The data centre's cache, with replies that isolates share.
    Cache,
}

/// What the knowledge of a lease rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// What the ledger answered.
    Ledger,
    /// A document in KV.
    Document,
}

/// How a reply came to a lease.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// As of when it holds; of a document, when it was read.
    pub(super) as_of: UnixMs,
    /// Replies that the lease had taken when this was asked for; `None`: others asked for it.
    pub(super) taken: Option<u64>,
    /// Who said it.
    pub(super) basis: Basis,
}

impl Heard {
    /// Returns `true` if the ledger said it to this isolate.
    pub(super) fn is_own(&self) -> bool {
        self.taken.is_some()
    }
}

/// Under what a question was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenure {
    /// This incarnation of a lease.
    Lease(u64),
    /// No lease, in this era of the clock.
    Vacant(u64),
}

/// A refresh to send to the account's ledger, at once.
#[derive(Clone, Debug)]
pub struct RefreshCall {
    pub(super) account: AccountId,
    pub(super) request: RefreshRequest,
    pub(super) tenure: Tenure,
    pub(super) sent: UnixMs,
    /// Replies that the lease had taken.
    pub(super) taken: u64,
    /// The account's state as the lease had it.
    pub(super) state: Option<Arc<AccountState>>,
}

impl RefreshCall {
    /// How its reply came, if that was answered at `answered`.
    pub(super) fn heard<R: Rules>(&self, answered: UnixMs) -> Heard {
        let as_of = R::as_of(self.sent, answered);
        Heard { as_of, taken: Some(self.taken), basis: Basis::Ledger }
    }

    /// What is to be shared of its reply at `now`; `None`: nothing, since it is no answer, or
    /// nobody may share it, or the clock was set back since.
    pub fn to_share(&self, reply: &RefreshReply, now: UnixMs) -> Option<Shared> {
        let RefreshReply::Refreshed(refresh) = reply else { return None };
        let state = self.state_after(refresh).filter(|state| state.freshness_ms > 0)?;
        let known = self.request.known_revision;
        (now >= self.sent).then(|| Shared::new(self.account, self.sent, known, refresh, &state))
    }

    /// Whose ledger.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The call, on behalf of a request from `address`.
    #[must_use]
    pub fn from(mut self, address: Option<ClientAddress>) -> Self {
        self.request.asked_from = address;
        self
    }

    /// What to ask.
    pub fn request(&self) -> &RefreshRequest {
        &self.request
    }

    /// The state that holds after `reply`: the reply's, or the one that the lease had, if it is of
    /// the same history and therefore was not sent again. `None`: the reply contradicts itself, or
    /// what was asked, and is no answer.
    pub(super) fn state_after(&self, reply: &Refresh) -> Option<Arc<AccountState>> {
        let is_same_history = self.request.epoch.as_ref() == Some(&reply.epoch);
        let is_going_back = is_same_history && reply.revision < self.request.known_revision;
        // Also of what was not asked for: issuers come with what they issued.
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

/// A read of KV to make, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvRead {
    pub(super) id: KeyId,
    pub(super) tenure: Tenure,
    /// The revision that the lease knew.
    pub(super) known: Revision,
}

impl KvRead {
    /// The key whose record to read.
    pub fn id(&self) -> KeyId {
        self.id
    }
}

/// A look at a shelf to take, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyRead {
    pub(super) account: AccountId,
    pub(super) shelf: Shelf,
    pub(super) tenure: Tenure,
    pub(super) sent: UnixMs,
    /// No request waits for it.
    pub(super) is_background: bool,
}

impl CopyRead {
    /// Whose.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Which.
    pub fn shelf(&self) -> Shelf {
        self.shelf
    }
}

/// What is to be done next to renew a lease in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Look at this shelf.
    Copy(Shelf),
    /// Ask the ledger.
    Refresh,
}

/// What one request has found out about keys of one account. It is the request's own, so that it
/// helps even where memory keeps nothing.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    /// The last word of the ledger on each key.
    pub(super) told: Vec<Told>,
    /// Its last word on the account.
    pub(super) state: Option<ToldState>,
    pub(super) kv: Vec<(KeyId, Outcome)>,
    pub(super) document: Outcome,
    pub(super) shared: Outcome,
    pub(super) failures: u32,
    /// A lease was renewed in the background.
    pub(super) is_renewed: bool,
}

/// How looking something up went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    #[default]
    NotAsked,
    Taken,
    NoHelp,
}

impl Lookup {
    /// Of a request whose isolate has no neighbours.
    #[cfg(test)]
    pub(crate) fn alone() -> Self {
        Self { shared: Outcome::NoHelp, ..Self::default() }
    }

    /// The use of `id` that the ledger counted when it told, if it did, is accounted for: any
    /// further one is the isolate's to count.
    pub fn spend_use(&mut self, id: KeyId) {
        if let Some(told) = self.told.iter_mut().find(|told| told.id == id) {
            told.is_use = false;
        }
    }

    /// Whether the ledger has told what is needed.
    pub fn has_heard(&self, need: Need) -> bool {
        match need {
            Need::Ledger(id) | Need::Issuer(id) => self.told(id).is_some(),
            Need::State(account) => self.state.as_ref().is_some_and(|told| told.account == account),
            Need::Kv(_) | Need::Copy(..) => false,
        }
    }

    /// Whether the ledger was asked in vain.
    pub fn has_failed(&self) -> bool {
        self.failures > 0
    }

    pub(super) fn told(&self, id: KeyId) -> Option<&Told> {
        self.told.iter().find(|told| told.id == id)
    }

    pub(super) fn tell(&mut self, told: Told) {
        self.told.retain(|earlier| earlier.id != told.id);
        self.told.push(told);
    }

    pub(super) fn kv(&self, id: KeyId) -> Outcome {
        self.kv
            .iter()
            .find(|(asked, _)| *asked == id)
            .map(|(_, outcome)| *outcome)
            .unwrap_or_default()
    }

    pub(super) fn note_kv(&mut self, id: KeyId, outcome: Outcome) {
        self.kv.retain(|(asked, _)| *asked != id);
        self.kv.push((id, outcome));
    }
}

/// What the ledger told a request of the account.
#[derive(Clone, Debug)]
pub(super) struct ToldState {
    pub(super) account: AccountId,
    pub(super) state: Arc<AccountState>,
    pub(super) sent: UnixMs,
}

/// What the ledger told a request. It was asked after the request had arrived, so that it may be
/// relied on whatever the lease is by now.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) id: KeyId,
    pub(super) word: Word,
    pub(super) state: Arc<AccountState>,
    pub(super) sent: UnixMs,
    /// Whether the ledger has counted a use of the key if it is active.
    pub(super) is_use: bool,
}

/// What a decision rests on: by default on a key, with `W = ()` on the account alone.
#[derive(Clone, Debug)]
pub struct Finding<W = Word> {
    /// What is known of the key.
    pub word: W,
    /// What is known of its account.
    pub state: Arc<AccountState>,
    /// Where it comes from.
    pub source: Source,
    /// The local time as of which it is known.
    pub as_of: UnixMs,
    /// What that rests on.
    pub basis: Basis,
    /// It is older than T, and used because the ledger is out of reach.
    pub is_stale: bool,
    /// The ledger has counted a use, if the key is active.
    pub is_counted: bool,
}

/// Where a word comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This isolate's memory.
    Memory,
    /// Workers KV, in this request.
    Kv,
    /// The ledger, in this request.
    Ledger,
}

/// The answer to "what is known of this key?", or of this account.
#[derive(Clone, Debug)]
pub enum Found<W = Word> {
    /// This. Perhaps a lease is to be refreshed in the background.
    Finding(Finding<W>, Option<AccountId>),
    /// First find this out.
    Need(Need),
    /// The ledger is out of reach.
    OutOfReach,
}
