//! The ledger's side: the object on its database, what its alarm carries out, and what the network
//! makes of both.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use claviger_control::ledger::account::Account;
use claviger_control::ledger::audit::Action;
use claviger_control::ledger::document;
use claviger_control::ledger::ledger::Ledger;
use claviger_control::ledger::mfa;
use claviger_control::ledger::schema::MIGRATIONS;
use claviger_control::ledger::usage::pending::PendingCounts;
use claviger_control::objects::object::{DurableObject, Entropy};
use claviger_control::objects::sql::migrate::migrate;
use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::ledger::{
    LedgerReply, LedgerRequest, NewMember, NewSession, Opening, SessionProof,
};
use claviger_control::protocol::member::{AddressVersion, Language, SecretVersion};
use claviger_control::protocol::policy::PolicyChanges;
use claviger_control::protocol::zone::Zone;
use claviger_core::base::id::{AccountId, KeyId, MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Terms;
use claviger_core::credential::issuer::{Issuer, Issuing, SealingGeneration};
use claviger_core::credential::limits::permission::Permissions;
use claviger_core::replication::edge_call::RefreshReply;
use claviger_core::replication::record::{Credential, Record, Standing};
use claviger_core::replication::refresh::{Delta, Refresh, RefreshRequest, Unsettled};
use claviger_core::replication::superseded::{Superseded, SupersededFilter};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::bugs::Sabotage;
use crate::model::Gate;
use crate::sql::sqlite::Sqlite;
use crate::usage::Received;

thread_local! {
    /// One database for all runs of a thread, with the schema and nothing else: to make it, and to
    /// prepare its statements, takes longer than a run.
    static BLANK: Rc<Sqlite> = {
        let sql = Sqlite::new();
        migrate(&sql, MIGRATIONS, at(0)).unwrap();
        sql.bookmark();
        Rc::new(sql)
    };
}

pub struct Host {
    pub sql: Rc<Sqlite>,
    pub account: AccountId,
    member: MemberId,
    proof: SessionProof,
    /// Refreshes are answered as by a ledger that can name few keys.
    pub is_short: bool,
    pub sabotage: Sabotage,
    /// Whether refreshes name superseded keys; if not, they name none.
    pub names_superseded: bool,
    pub terms: Terms,
    has_bookmark: bool,
    /// What the object keeps in memory.
    pub uses: Rc<RefCell<PendingCounts>>,
    pub received: RefCell<Received>,
    /// In so many of 256 calls the object has lost that.
    pub crashes: u8,
    /// How often each issuer had something done to it that is hidden.
    hidden: HashMap<Issuer, u32>,
    /// What keys could issue that can issue no more, where that is hidden.
    lifted: HashMap<KeyId, Issuing>,
}

/// What an edge hears of a ledger's reply to its refresh, if one came; `tests/protocol` holds this
/// to the JSON.
pub fn heard(reply: Option<LedgerReply>) -> RefreshReply {
    match reply {
        Some(LedgerReply::Refreshed(refresh)) => RefreshReply::Refreshed(refresh),
        Some(LedgerReply::Gone) => RefreshReply::Gone,
        Some(_) | None => RefreshReply::Failed,
    }
}

pub fn at(ms: i64) -> UnixMs {
    UnixMs::from_ms(ms)
}

fn draw_session(rng: &mut ChaCha8Rng) -> (NewSession, SessionProof) {
    let (id, digest) = (TokenId::random(rng), Digest::of(&rng.next_u64().to_be_bytes()));
    (
        NewSession {
            id,
            digest,
            agent: None,
            accounts: 1,
            began: None,
            challenge: None,
            proven_by: None,
        },
        SessionProof { id, digest },
    )
}

fn email() -> Email {
    Email::parse("mei@example.jp").unwrap()
}

impl Host {
    pub fn open(rng: &mut ChaCha8Rng, now: i64, sabotage: Sabotage) -> Self {
        let (session, proof) = draw_session(rng);
        let member = MemberId::parse(&"o".repeat(MemberId::WIDTH)).unwrap();
        let account = AccountId::random(rng);
        let sql = BLANK.with(Rc::clone);
        sql.restore();
        sql.overhear();
        let host = Self {
            sql,
            account,
            member,
            proof,
            is_short: false,
            sabotage,
            names_superseded: false,
            terms: Terms::default(),
            has_bookmark: false,
            uses: Rc::default(),
            received: RefCell::default(),
            crashes: 8,
            hidden: HashMap::new(),
            lifted: HashMap::new(),
        };
        let request = LedgerRequest::Open(Opening {
            account,
            name: "Example KK".into(),
            zone: Zone::parse("Asia/Tokyo").unwrap(),
            owner: NewMember {
                id: member,
                name: "Mei Tanaka".into(),
                email: email(),
                language: Language::Ja,
                secret_version: SecretVersion(1),
            },
            session,
            address: None,
            service: None,
        });
        let opened = host.handle(request, rng, now);
        assert!(matches!(opened, Some(LedgerReply::Session(_))), "{opened:?}");
        host
    }

    /// Notes how the ledger stands, once.
    pub fn bookmark(&mut self) {
        assert!(!self.has_bookmark, "one is enough");
        self.sql.bookmark();
        self.has_bookmark = true;
    }

    /// Takes the ledger back to its bookmark.
    pub fn restore(&self) {
        self.uses.take();
        self.sql.restore();
    }

    /// A ledger of one call.
    pub fn ledger(&self) -> Ledger<'_> {
        Ledger::new(&*self.sql).with_uses(Rc::clone(&self.uses)).on_terms(self.terms)
    }

    /// Every call makes a ledger of its own, and some find the object made anew. `None`: an error.
    pub fn handle(
        &self,
        request: LedgerRequest,
        rng: &mut ChaCha8Rng,
        now: i64,
    ) -> Option<LedgerReply> {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        if bytes[31] < self.crashes {
            self.lose_memory();
        }
        self.ledger().handle(request, at(now), &Entropy(bytes)).ok()
    }

    pub fn command(&self, command: Command, rng: &mut ChaCha8Rng, now: i64) -> Option<LedgerReply> {
        self.handle(
            LedgerRequest::Console { session: self.proof, address: None, command },
            rng,
            now,
        )
    }

    /// Sets the policy's demand of MFA, or the member's MFA as the ledger does when a factor is turned
    /// on or off. `false`: the database failed, and nothing was written.
    pub fn set_mfa(&self, gate: Gate, rng: &mut ChaCha8Rng, now: i64) -> bool {
        let Ok(Some(account)) = Account::load(&*self.sql) else { return false };
        if gate.demands_mfa != account.policy.demands_mfa {
            let demands_mfa = Some(gate.demands_mfa);
            let changes = PolicyChanges { demands_mfa, ..PolicyChanges::default() };
            let expected = account.policy_revision;
            let request = LedgerRequest::SetPolicy { changes, expected };
            return matches!(self.handle(request, rng, now), Some(LedgerReply::Policy(_)));
        }
        let action = Action::TurnOnFactor;
        let (mut writes, _) = mfa::record(&account, self.member, gate.has_mfa, action, at(now));
        writes.push(document::schedule(self.terms.wants_documents(), at(now)));
        self.sql.apply(&writes).is_ok()
    }

    /// The demand of MFA and the member's MFA, as the ledger has them.
    pub fn gate(&self) -> Gate {
        let demands_mfa = Account::load(&*self.sql).unwrap().unwrap().policy.demands_mfa;
        let on = Statement::new("SELECT mfa FROM member");
        let has_mfa = self.sql.first(&on).unwrap().unwrap().integer().unwrap() == 1;
        Gate { suspended: false, demands_mfa, has_mfa }
    }

    pub fn sign_in(&mut self, rng: &mut ChaCha8Rng, now: i64) {
        let (session, proof) = draw_session(rng);
        let (member, secret_version) = (self.member, SecretVersion(1));
        let request = LedgerRequest::SignIn {
            member,
            email: email(),
            secret_version,
            session,
            address: None,
            confirmed: true,
            switches: false,
            address_version: AddressVersion::default(),
        };
        if self.handle(request, rng, now).is_some() {
            self.proof = proof;
        }
    }

    pub fn record(&self, id: KeyId, rng: &mut ChaCha8Rng, now: i64) -> Option<Record> {
        match self.handle(LedgerRequest::Record { id }, rng, now) {
            Some(LedgerReply::Record { record }) => record,
            other => panic!("no record: {other:?}"),
        }
    }

    /// Answers a refresh: as the ledger does, as one would that names fewer keys, or as a sabotaged
    /// one.
    pub fn refresh(
        &mut self,
        request: &RefreshRequest,
        rng: &mut ChaCha8Rng,
        now: i64,
    ) -> Option<LedgerReply> {
        let mut request = request.clone();
        match &mut request.usage {
            Some(usage) if self.sabotage == Sabotage::FreshSequences => {
                usage.sequence = now as u64;
            }
            usage if self.sabotage == Sabotage::UsesDieWithLeases && request.epoch.is_none() => {
                *usage = None;
            }
            _ => (),
        }
        let usage = request.usage.clone();
        let mut reply = self.handle(LedgerRequest::Refresh(request), rng, now)?;
        self.note_batch(usage.as_ref());
        if let LedgerReply::Refreshed(refresh) = &mut reply {
            self.distort(refresh, rng);
        }
        Some(reply)
    }

    fn distort(&self, refresh: &mut Refresh, rng: &mut ChaCha8Rng) {
        if self.is_short {
            refresh.unsettled = Unsettled::Overflow;
            if rng.next_u64().is_multiple_of(4) {
                refresh.delta = Delta::Reset;
            }
        }
        if !self.names_superseded {
            refresh.superseded = Some(Superseded::Filter(SupersededFilter::default()));
        }
        match self.sabotage {
            Sabotage::SettledAtOnce => refresh.unsettled = Unsettled::Set(Vec::new()),
            Sabotage::ChangesUntold => {
                refresh.delta = Delta::Changes(Vec::new());
                refresh.unsettled = Unsettled::Overflow;
            }
            Sabotage::StateUntold => {
                if let Some(state) = &mut refresh.state {
                    state.suspended = false;
                }
            }
            Sabotage::MfaUntold => {
                if let Some(state) = &mut refresh.state {
                    state.mfa_on = vec![self.member];
                }
            }
            Sabotage::MembersUntold => {
                for record in refresh.answers.iter_mut().filter_map(|answer| answer.record.as_mut())
                {
                    if let Standing::Active(credential) = &mut record.standing {
                        credential.member = None;
                    }
                }
            }
            Sabotage::RevocationsUntold => {
                if let Some(state) = &mut refresh.state {
                    state.revoked_sealed.clear();
                }
            }
            Sabotage::CapUntold | Sabotage::SwitchingUntold => {
                self.issuers_in(refresh, |times, issuing| {
                    issuing.generation.0 = issuing.generation.0.saturating_sub(times);
                })
            }
            Sabotage::LowerCeilingsUntold => self.issuers_in(refresh, |times, issuing| {
                if times > 0 {
                    issuing.ceiling.permissions =
                        Permissions::parse(["demo:read", "demo:write"]).unwrap();
                }
            }),
            Sabotage::GenerationsUntold => self.issuers_in(refresh, |_, issuing| {
                issuing.generation = SealingGeneration::default();
            }),
            Sabotage::LiftedCeilingsUntold => {
                for record in refresh.answers.iter_mut().filter_map(|answer| answer.record.as_mut())
                {
                    if let (Standing::Active(credential), Some(lifted)) =
                        (&mut record.standing, self.lifted.get(&record.id))
                    {
                        credential.issuing.get_or_insert_with(|| lifted.clone());
                    }
                }
            }
            _ => (),
        }
    }

    /// All issuers that a refresh tells of, and how often something was done to them that is
    /// hidden.
    fn issuers_in(&self, refresh: &mut Refresh, lie: impl Fn(u32, &mut Issuing)) {
        let hidden = |issuer| self.hidden.get(&issuer).copied().unwrap_or_default();
        if let Some(service) = refresh.state.as_mut().and_then(|state| state.service.as_mut()) {
            lie(hidden(Issuer::Service), &mut service.issuing);
        }
        for record in refresh.answers.iter_mut().filter_map(|answer| answer.record.as_mut()) {
            if let Standing::Active(Credential { issuing: Some(issuing), .. }) =
                &mut record.standing
            {
                lie(hidden(Issuer::Key(record.id)), issuing);
            }
        }
    }

    /// Something was done to an issuer that `by` hides.
    pub fn hide(&mut self, issuer: Issuer, by: Sabotage) {
        if self.sabotage == by {
            *self.hidden.entry(issuer).or_default() += 1;
        }
    }

    /// What a key could issue until now, for who hides that it can no more.
    pub fn keep_lifted(&mut self, id: KeyId, issuing: Option<Issuing>) {
        self.lifted.extend(issuing.map(|issuing| (id, issuing)));
    }

    pub fn next_due(&self) -> Option<i64> {
        self.ledger().next_due().unwrap().map(UnixMs::as_ms)
    }

    /// The one number that a statement answers.
    pub fn number(&self, text: &'static str) -> i64 {
        self.sql.integer(&Statement::new(text)).unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // What the next run goes back to is the blank database.
        if self.has_bookmark {
            self.sql.unmark();
        }
    }
}
