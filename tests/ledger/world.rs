//! An account with an owner, an admin and a viewer, and a clock that moves when it is told to.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use claviger_control::ledger::ledger::Ledger;
use claviger_control::ledger::token_rates::TokenRates;
use claviger_control::ledger::usage::pending::PendingCounts;
use claviger_control::objects::object::{DurableObject, Entropy, ObjectError};
use claviger_control::objects::sql::{Sql, SqlError, SqlExt, Statement};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::deletion::NewCode;
use claviger_control::protocol::draft::Draft;
use claviger_control::protocol::effect::{Effect, EffectOutcome};
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::keys::{KeyPage, KeyView, Listing};
use claviger_control::protocol::ledger::{
    LedgerReply, LedgerRequest, NewMember, NewSession, Opening, SessionProof,
};
use claviger_control::protocol::master::MasterSecrets;
use claviger_control::protocol::member::{AddressVersion, Language, SecretVersion};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::view::Progress;
use claviger_control::protocol::zone::Zone;
use claviger_core::base::id::{AccountId, KeyId, MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::{Bound, Terms};
use claviger_core::replication::record::{Record, Revision};
use claviger_core::replication::refresh::{Refresh, RefreshRequest};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::plans;
use crate::sql::sqlite::Sqlite;
use crate::trail::Trail;

/// 2026-11-21T12:00:00Z.
pub const START: i64 = 1_795_262_400_000;
/// The same as a time.
pub const START_TIME: UnixMs = UnixMs::from_ms(START);
pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;

pub struct World {
    pub sql: Sqlite,
    pub now: Cell<i64>,
    pub rng: RefCell<ChaCha20Rng>,
    pub account: AccountId,
    /// The deployment's.
    pub terms: Cell<Terms>,
    pub master: MasterSecrets,
    /// What the object keeps in memory.
    uses: Rc<RefCell<PendingCounts>>,
    rates: Rc<RefCell<TokenRates>>,
}

/// Someone at the console.
#[derive(Clone, Copy)]
pub struct Browser {
    pub member: MemberId,
    pub proof: SessionProof,
}

/// Returns master secrets of one generation.
pub fn master() -> MasterSecrets {
    MasterSecrets::parse(r#"[{"id":"b","secret":"mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE"}]"#)
        .unwrap()
}

pub fn member_id(seed: u8) -> MemberId {
    MemberId::parse(&char::from(seed).to_string().repeat(MemberId::WIDTH)).unwrap()
}

pub fn draft(json: &str) -> Draft {
    let mut all = serde_json::json!({
        "name": "Build server", "expires": "90d", "networks": "", "permissions": ["demo:read"],
    });
    let changed: serde_json::Map<_, _> = serde_json::from_str(json).unwrap();
    all.as_object_mut().unwrap().extend(changed);
    serde_json::from_value(all).unwrap()
}

impl World {
    /// A ledger that was never opened.
    pub fn empty() -> Self {
        Self {
            sql: Sqlite::new(),
            now: Cell::new(START),
            rng: RefCell::new(ChaCha20Rng::seed_from_u64(1)),
            account: AccountId::parse("a1B2c3D4").unwrap(),
            terms: Cell::new(Terms::default()),
            master: master(),
            uses: Rc::default(),
            rates: Rc::default(),
        }
    }

    /// An account with its owner, signed in.
    pub fn open() -> (Self, Browser) {
        let world = Self::empty();
        let (request, browser) = world.open_request(b'o', 1);
        assert!(matches!(world.handle(request), Ok(LedgerReply::Session(_))));
        (world, browser)
    }

    pub fn open_request(&self, owner: u8, version: u32) -> (LedgerRequest, Browser) {
        let (session, proof) = self.draw_session();
        let request = LedgerRequest::Open(Opening {
            account: self.account,
            name: "Example KK".into(),
            zone: Zone::parse("Asia/Tokyo").unwrap(),
            owner: NewMember {
                id: member_id(owner),
                name: "Mei Tanaka".into(),
                email: Email::parse("mei@example.jp").unwrap(),
                language: Language::Ja,
                secret_version: SecretVersion(version),
            },
            session,
            address: Some("203.0.113.7".into()),
            service: None,
        });
        (request, Browser { member: member_id(owner), proof })
    }

    /// Another member, signed in. The row is written by hand: it needs no invitation and no mail.
    pub fn join(&self, role: &str, seed: u8) -> Browser {
        let text =
            "INSERT INTO member (id, name, email, role, language, secret_version, created_at_ms)
            VALUES (?, ?, ?, ?, 'en', 1, 0)";
        let insert = Statement::new(text)
            .bind(member_id(seed).as_str())
            .bind(format!("Member {}", char::from(seed)))
            .bind(format!("{}@example.jp", char::from(seed)))
            .bind(role);
        self.sql.apply(&[insert]).unwrap();
        self.sign_in(member_id(seed))
    }

    fn email_of(&self, member: MemberId) -> Email {
        let row = Statement::new("SELECT email FROM member WHERE id = ?").bind(member.as_str());
        Email::parse(&self.sql.first(&row).unwrap().unwrap().text().unwrap()).unwrap()
    }

    pub fn sign_in(&self, member: MemberId) -> Browser {
        let (session, proof) = self.draw_session();
        let address = Some("203.0.113.7".into());
        let email = self.email_of(member);
        let request = LedgerRequest::SignIn {
            member,
            email,
            secret_version: SecretVersion(1),
            session,
            address,
            confirmed: true,
            switches: false,
            address_version: AddressVersion::default(),
        };
        assert!(matches!(self.handle(request), Ok(LedgerReply::Session(_))));
        Browser { member, proof }
    }

    pub fn draw_session(&self) -> (NewSession, SessionProof) {
        let rng = &mut *self.rng.borrow_mut();
        let (id, digest) = (TokenId::random(rng), Digest::of(&rng.next_u64().to_be_bytes()));
        let agent = Some("Mozilla/5.0".to_owned());
        (
            NewSession {
                id,
                digest,
                agent,
                accounts: 1,
                began: None,
                challenge: None,
                proven_by: None,
            },
            SessionProof { id, digest },
        )
    }

    pub fn draw_key(&self) -> (KeyId, Digest) {
        let rng = &mut *self.rng.borrow_mut();
        (KeyId::random(self.account, rng), Digest::of(&rng.next_u64().to_be_bytes()))
    }

    pub fn random(&self, below: u64) -> u64 {
        self.rng.borrow_mut().next_u64() % below
    }

    pub fn now(&self) -> UnixMs {
        UnixMs::from_ms(self.now.get())
    }

    pub fn wait(&self, ms: i64) {
        self.now.set(self.now.get() + ms);
    }

    fn ledger(&self) -> Ledger<'_> {
        Ledger::new(&self.sql)
            .with_uses(Rc::clone(&self.uses))
            .with_rates(Rc::clone(&self.rates))
            .on_terms(self.terms.get())
            .with_master(&self.master)
    }

    /// The object is gone, and what it had in memory; the next call makes it anew.
    pub fn crash(&self) {
        self.uses.take();
        self.rates.take();
    }

    /// Does something with the ledger, which must not scan what grows, and leaves exactly the rows
    /// of what it committed.
    fn judged<T>(&self, work: impl FnOnce(&Ledger<'_>) -> T) -> T {
        let before = Trail::of(&self.sql);
        let done = self.sql.judged(plans::judge, || work(&self.ledger()));
        before.inspect(|before| before.check_since(&self.sql));
        done
    }

    /// Writes the uses that wait.
    pub fn write_uses(&self) -> Result<(), SqlError> {
        self.judged(|ledger| ledger.write_uses(self.now()))
    }

    /// Every call makes a ledger of its own, as the adapter does: nothing but the database and the
    /// uses that wait may matter.
    pub fn handle(&self, request: LedgerRequest) -> Result<LedgerReply, ObjectError> {
        let mut bytes = [0; 32];
        self.rng.borrow_mut().fill_bytes(&mut bytes);
        self.judged(|ledger| ledger.handle(request, self.now(), &Entropy(bytes)))
    }

    pub fn try_ask(&self, browser: Browser, command: Command) -> Result<LedgerReply, ObjectError> {
        let address = Some("203.0.113.7".into());
        self.handle(LedgerRequest::Console { session: browser.proof, address, command })
    }

    pub fn ask(&self, browser: Browser, command: Command) -> LedgerReply {
        self.try_ask(browser, command).unwrap()
    }

    pub fn refusal(&self, browser: Browser, command: Command) -> Refusal {
        match self.ask(browser, command) {
            LedgerReply::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub fn issue(&self, browser: Browser, json: &str) -> KeyView {
        let command = self.issue_command(json);
        self.changed(browser, command).0.unwrap()
    }

    /// An issue of a fresh key under a fresh idempotency key.
    pub fn issue_command(&self, json: &str) -> Command {
        let (id, digest) = self.draw_key();
        Command::Issue {
            id,
            digest,
            draft: draft(json),
            idempotency_key: format!("i-{id}"),
            sealed: None,
        }
    }

    pub fn changed(
        &self,
        browser: Browser,
        command: Command,
    ) -> (Option<KeyView>, Record, Option<Bound>) {
        match self.ask(browser, command) {
            LedgerReply::Changed { key, record, bound } => (key, record, bound),
            other => panic!("not changed: {other:?}"),
        }
    }

    /// Asks for a deletion of keys. The ledger knows MACs of codes alone: any will do.
    pub fn begin_deletion(&self, keys: &[KeyId]) -> (TokenId, Command) {
        let id = TokenId::random(&mut *self.rng.borrow_mut());
        (id, Command::BeginDeletion { id, keys: keys.to_vec(), code: new_code("right") })
    }

    /// Deletes a key, as its member does who has had the code.
    pub fn delete(&self, browser: Browser, key: &KeyView) -> (Record, Bound) {
        let (id, begin) = self.begin_deletion(&[key.id]);
        let begun = self.ask(browser, begin);
        assert!(matches!(begun, LedgerReply::Deletion(_)), "{begun:?}");
        match self.ask(browser, confirm(id, "right")) {
            LedgerReply::Deleted { mut records, bound, .. } => (records.pop().unwrap(), bound),
            other => panic!("not deleted: {other:?}"),
        }
    }

    pub fn page(&self, browser: Browser, listing: Listing) -> KeyPage {
        match self.ask(browser, Command::List(listing)) {
            LedgerReply::Page(page) => page,
            other => panic!("no page: {other:?}"),
        }
    }

    pub fn record(&self, id: KeyId) -> Option<Record> {
        match self.handle(LedgerRequest::Record { id }) {
            Ok(LedgerReply::Record { record }) => record,
            other => panic!("no record: {other:?}"),
        }
    }

    /// Forgets the notices that wait, for a test of other mail.
    pub fn drop_notices(&self) {
        let texts = ["DELETE FROM notice", "DELETE FROM due WHERE kind = 'send_notices'"];
        self.sql.apply(&texts.map(Statement::new)).unwrap();
    }

    /// How many rows a table has; a condition may follow its name.
    pub fn count(&self, table: &str) -> i64 {
        self.sql.integer(&Statement::new(format!("SELECT count(*) FROM {table}"))).unwrap()
    }

    pub fn next_due(&self) -> Option<i64> {
        self.judged(|ledger| ledger.next_due()).unwrap().map(UnixMs::as_ms)
    }

    pub fn next_effect(&self) -> Option<Effect> {
        self.try_next_effect().unwrap()
    }

    pub fn try_next_effect(&self) -> Result<Option<Effect>, ObjectError> {
        self.judged(|ledger| ledger.next_effect(self.now()))
    }

    /// The next put; whatever else is due meanwhile is taken, and never reported on.
    pub fn next_put(&self) -> Option<Effect> {
        std::iter::from_fn(|| self.next_effect())
            .find(|effect| matches!(effect, Effect::PutRecord { .. }))
    }

    /// A lease's refresh.
    pub fn refresh(&self, request: RefreshRequest) -> Refresh {
        match self.handle(LedgerRequest::Refresh(request)) {
            Ok(LedgerReply::Refreshed(refresh)) => refresh,
            other => panic!("no refresh: {other:?}"),
        }
    }

    /// What a lease that knows nothing is told.
    pub fn cold(&self) -> Refresh {
        self.refresh(RefreshRequest::default())
    }

    pub fn progress(&self) -> Progress {
        match self.handle(LedgerRequest::Progress) {
            Ok(LedgerReply::Progress(progress)) => progress,
            other => panic!("no progress: {other:?}"),
        }
    }

    /// The one number that a statement answers.
    pub fn sql_time(&self, text: &'static str) -> i64 {
        self.sql.integer(&Statement::new(text)).unwrap()
    }

    /// A number in the row of a key.
    pub fn sql_number(&self, column: &str, id: KeyId) -> i64 {
        let text = format!("SELECT {column} FROM key WHERE id = ?");
        self.sql.integer(&Statement::new(text).bind(id.as_str())).unwrap()
    }

    /// The same browser with a session that has just begun.
    pub fn renewed(&self, browser: Browser) -> Browser {
        let (session, proof) = self.draw_session();
        let request = LedgerRequest::SignIn {
            member: browser.member,
            email: self.email_of(browser.member),
            secret_version: SecretVersion(1),
            session,
            address: None,
            confirmed: true,
            switches: false,
            address_version: AddressVersion::default(),
        };
        let _ = self.handle(request);
        Browser { proof, ..browser }
    }

    pub fn settle(&self, effect: &Effect, outcome: EffectOutcome) {
        self.judged(|ledger| ledger.settle(effect, &outcome, self.now())).unwrap();
    }
}

pub fn edit(key: &KeyView, json: &str) -> Command {
    Command::Edit {
        id: key.id,
        expected: key.revision,
        changes: serde_json::from_str(json).unwrap(),
    }
}

pub fn set_enabled(key: &KeyView, enabled: bool) -> Command {
    Command::SetEnabled { id: key.id, expected: key.revision, enabled }
}

pub fn mac(code: &str) -> Digest {
    Digest::of(code.as_bytes())
}

pub fn new_code(code: &str) -> NewCode {
    NewCode { mac: mac(code), sealed: Ciphertext::from_stored(format!("sealed {code}")) }
}

pub fn confirm(id: TokenId, code: &str) -> Command {
    Command::ConfirmDeletion { id, mac: mac(code) }
}

/// A step-up that keeps its session, with a password that its ledger may not follow.
pub fn step_up(version: u32) -> Command {
    Command::StepUp { secret_version: SecretVersion(version), confirmed: false, session: None }
}

pub fn restore(key: &KeyView) -> Command {
    Command::RestoreKey { id: key.id, expected: key.revision }
}

/// A regeneration of a key: a fresh successor under a fresh idempotency key.
pub fn regenerate(world: &World, key: &KeyView, json: &str) -> Command {
    let (new_id, new_digest) = world.draw_key();
    Command::Regenerate {
        id: key.id,
        expected: key.revision,
        new_id,
        new_digest,
        form: serde_json::from_str(json).unwrap(),
        idempotency_key: format!("r-{new_id}"),
        sealed: None,
    }
}

pub fn stale(command: Command) -> Command {
    let old = Revision(0);
    match command {
        Command::Edit { id, changes, .. } => Command::Edit { id, expected: old, changes },
        Command::SetEnabled { id, enabled, .. } => {
            Command::SetEnabled { id, expected: old, enabled }
        }
        Command::RestoreKey { id, .. } => Command::RestoreKey { id, expected: old },
        other => other,
    }
}
