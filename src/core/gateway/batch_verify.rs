//! What a verifier asks: one check or many, answered in their order with as few calls as there can
//! be.
//!
//! Each check knows by itself what it lacks; here their lacks are put together: one read of KV for
//! all that KV can tell, then one refresh for all that only the ledger can; and the same once more
//! for issuers of keys, which are known only when the keys are. A verifier sees its own account
//! alone, so that everything is asked of one ledger, and what is another's is `unknown` without any
//! question.

use crate::base::id::{AccountId, AnyKeyId, KeyId, SealedId};
use crate::base::secret::SecretText;
use crate::base::time::UnixMs;
use crate::credential::limits::Interface;
use crate::credential::limits::network::ClientAddress;
use crate::credential::limits::permission::Permission;
use crate::gateway::gateway::{Check, Checked, Gateway};
use crate::lease::call::{CopyRead, KvRead, Lookup, Need, RefreshCall, Shelf};
use crate::lease::rules::Rules;
use crate::verify::verdict::Denial;
use crate::verify::verification::{Demand, Facts, Valid};

/// What one check is about.
#[derive(Debug)]
pub enum Subject {
    /// A credential, secret and all.
    Credential(SecretText),
    /// A key, by what should be its ID. Looking at it is no use of it.
    KeyId(String),
}

/// One check.
#[derive(Debug)]
pub struct Asked {
    /// Of what.
    pub subject: Subject,
    /// From where it was used.
    pub address: Option<ClientAddress>,
    /// How it was used.
    pub interface: Interface,
    /// What it must hold; `None`: anything.
    pub permission: Option<Permission>,
}

impl Asked {
    fn facts(&self) -> Facts<'_> {
        Facts {
            address: self.address,
            interface: self.interface,
            demand: self.permission.as_ref().map_or(Demand::AnyKey, Demand::Permission),
        }
    }
}

/// What the checks lack, to be found out at once and told to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// What this shelf holds of what the account's ledger has said.
    Copy(Shelf),
    /// What KV holds of these keys.
    Kv(Vec<KeyId>),
    /// What the ledger says of the account, and of these keys.
    Ledger {
        /// All of them, each once; perhaps none.
        ids: Vec<KeyId>,
        /// Those among them that no credential was presented of.
        unused: Vec<KeyId>,
    },
}

/// Checks under way.
#[derive(Debug)]
pub struct Checks {
    account: AccountId,
    arrival: UnixMs,
    asked: Vec<Asked>,
    /// In the order of `asked`.
    verdicts: Vec<Option<Checked<Valid>>>,
    lookup: Lookup,
}

impl Checks {
    /// The checks of a verifier of `account`, whose request arrived at `arrival`.
    pub fn new(account: AccountId, arrival: UnixMs, asked: Vec<Asked>) -> Self {
        let verdicts = asked.iter().map(|_| None).collect();
        Self { account, arrival, asked, verdicts, lookup: Lookup::default() }
    }

    /// Decides what can be decided by now. `None`: all is.
    pub fn decide<R: Rules>(&mut self, gateway: &mut Gateway<R>, now: UnixMs) -> Option<Lack> {
        let (mut copy, mut kv, mut ledger, mut used) = (None, Vec::new(), Vec::new(), Vec::new());
        let mut asks_state = false;
        for (asked, verdict) in self.asked.iter().zip(&mut self.verdicts) {
            if verdict.is_some() {
                continue;
            }
            match decide_one(gateway, asked, self.account, self.arrival, now, &mut self.lookup) {
                Check::Verdict(checked) => *verdict = Some(checked),
                Check::Need(Need::Copy(_, shelf)) => copy = Some(shelf),
                Check::Need(Need::Kv(id)) => kv.push(id),
                Check::Need(Need::Ledger(id)) => {
                    ledger.push(id);
                    if matches!(asked.subject, Subject::Credential(_)) {
                        used.push(id);
                    }
                }
                Check::Need(Need::Issuer(id)) => ledger.push(id),
                // The verifier's own key has shown that both Workers fit.
                Check::AskAdmin => *verdict = Some(Checked::without_evidence(Denial::Unknown)),
                // Every refresh tells it.
                Check::Need(Need::State(_)) => asks_state = true,
            }
        }
        // Of the account, and so for all of them.
        if let Some(shelf) = copy {
            return Some(Lack::Copy(shelf));
        }
        // KV first: what it cannot tell is then asked together with what it need not be asked.
        if !kv.is_empty() {
            return Some(Lack::Kv(each_once(kv)));
        }
        let ids = each_once(ledger);
        let unused = ids.iter().filter(|id| !used.contains(id)).copied().collect();
        (asks_state || !ids.is_empty()).then_some(Lack::Ledger { ids, unused })
    }

    /// Begins the look at a shelf, to be taken at once.
    pub fn ask_copy<R: Rules>(
        &self,
        gateway: &mut Gateway<R>,
        shelf: Shelf,
        now: UnixMs,
    ) -> CopyRead {
        gateway.ask_copy(self.account, shelf, now)
    }

    /// What the checks have found out so far, for who fetches a copy or a refresh for them.
    pub fn lookup(&mut self) -> &mut Lookup {
        &mut self.lookup
    }

    /// Begins the reads of KV, to be made at once.
    pub fn ask_kv<R: Rules>(
        &self,
        gateway: &mut Gateway<R>,
        ids: &[KeyId],
        now: UnixMs,
    ) -> Vec<KvRead> {
        ids.iter().map(|id| gateway.ask_kv(*id, now)).collect()
    }

    /// Takes what KV held; `None`: nothing there, or KV failed.
    pub fn take_kv<R: Rules>(
        &mut self,
        gateway: &mut Gateway<R>,
        read: &KvRead,
        text: Option<&str>,
        now: UnixMs,
    ) {
        gateway.take_kv(read, text, now, &mut self.lookup);
    }

    /// Begins the refresh, to be sent at once.
    pub fn ask_ledger<R: Rules>(
        &self,
        gateway: &mut Gateway<R>,
        ids: Vec<KeyId>,
        unused: Vec<KeyId>,
        now: UnixMs,
    ) -> RefreshCall {
        gateway.ask_ledger_for(self.account, ids, unused, now)
    }

    /// The verdicts, in the order of the checks. One that was not reached is `unavailable`.
    pub fn verdicts(self) -> Vec<Checked<Valid>> {
        let unreached = || Checked::without_evidence(Denial::Unavailable);
        self.verdicts.into_iter().map(|verdict| verdict.unwrap_or_else(unreached)).collect()
    }
}

fn decide_one<R: Rules>(
    gateway: &mut Gateway<R>,
    asked: &Asked,
    own: AccountId,
    arrival: UnixMs,
    now: UnixMs,
    lookup: &mut Lookup,
) -> Check<Valid> {
    let decided = |denial| Check::Verdict(Checked::without_evidence(denial));
    match &asked.subject {
        Subject::Credential(text) => {
            let id = gateway.key_of(text.expose(), arrival);
            // Looked up only after the account is known to be the verifier's own.
            if id.is_some_and(|id| id.account() != own) {
                return decided(Denial::Unknown);
            }
            match gateway.check(text.expose(), &asked.facts(), arrival, now, lookup) {
                Check::Need(need) => Check::Need(need),
                Check::AskAdmin => Check::AskAdmin,
                Check::Verdict(Checked { verdict, evidence, renew }) => {
                    if let Some(AnyKeyId::Key(id)) = id {
                        lookup.spend_use(id);
                    }
                    Check::Verdict(Checked { verdict: verdict.map(Valid::from), evidence, renew })
                }
            }
        }
        Subject::KeyId(text) => match KeyId::parse(text) {
            // It is stored nowhere.
            None if SealedId::parse(text).is_some() => decided(Denial::Unknown),
            None => decided(Denial::Malformed),
            Some(id) if id.account() != own => decided(Denial::Unknown),
            Some(id) => gateway.examine(id, &asked.facts(), arrival, now, lookup),
        },
    }
}

fn each_once(mut ids: Vec<KeyId>) -> Vec<KeyId> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests;
