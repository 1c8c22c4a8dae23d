//! The ledger: the Durable Object that is the authority over one account.
//!
//! **Why it exists.** Workers KV has no compare-and-set, and what is written there is seen a minute later; a place that
//! runs one request at a time can refuse the second of two edits, count keys, and say what holds *now*.
//!
//! **Instances.** One per account, named by [`crate::protocol::instance::ledger`].
//!
//! **What it stores.** See [`schema`]. Invariants: `key.revision ≤ account.revision`, each revision belongs to one change;
//! for every key whose newest record KV has not acknowledged there is a duty `put_record`; audit rows are never changed.
//!
//! **How it works.** Each request is answered in one run without an await: rows are read, [`decide`] decides, and every
//! write (rows, journal, audit, duties) goes into one `apply`. So an error leaves nothing, and nobody sees a half.
//!
//! **Replies.** A ledger that was never opened answers `Gone` and writes nothing. `Refused` writes nothing either.

pub mod account;
pub mod audit;
pub mod decide;
mod idempotency;
mod key;
mod listing;
mod outbox;
pub mod schema;
pub mod sessions;
mod words;

use self::account::{Account, FRESHNESS_S, Member};
use self::audit::{Action, Author};
use self::decide::{Change, Decision, Desk, Issue, Present};
use self::key::Key;
use self::schema::MIGRATIONS;
use self::sessions::Session;
use crate::draft::Checked;
use crate::due::{Duty, Kind};
use crate::id::KeyId;
use crate::network::ClientAddress;
use crate::object::{Entropy, Object, ObjectError, Step};
use crate::protocol::{Command, Effect, LedgerReply, LedgerRequest, NewSession, Refusal, SecretVersion};
use crate::record::{Epoch, Revision};
use crate::sql::{Sql, SqlError, Statement, is_initialised, migrate};
use crate::time::UnixMs;

/// A ledger over its database.
pub struct Ledger<'a> {
    sql: &'a dyn Sql,
}

/// A reply with the writes that make it true.
struct Plan {
    writes: Vec<Statement>,
    reply: LedgerReply,
}

impl Plan {
    fn read(reply: LedgerReply) -> Self {
        Self { writes: Vec::new(), reply }
    }

    fn refuse(refusal: Refusal) -> Self {
        Self::read(LedgerReply::Refused(refusal))
    }
}

/// A command, with who gives it and when.
struct Asked<'a> {
    account: &'a Account,
    session: Session,
    address: Option<&'a str>,
    now: UnixMs,
}

impl Asked<'_> {
    fn author(&self) -> Author<'_> {
        Author { member: self.session.member_id(), address: self.address, now: self.now }
    }

    fn desk(&self) -> Desk<'_> {
        Desk { account: self.account, member: &self.session.member, now: self.now }
    }
}

impl<'a> Ledger<'a> {
    /// The ledger that this database is of.
    pub fn new(sql: &'a dyn Sql) -> Self {
        Self { sql }
    }

    /// Plans a reply. Reads only.
    fn plan(&self, account: &Account, request: LedgerRequest, now: UnixMs) -> Result<Plan, SqlError> {
        match request {
            LedgerRequest::Open { account: id, owner, session, address, .. } => {
                let refused = || Plan::refuse(Refusal::AlreadyOpen);
                // Repeated by the same member with the same password: as if once, but for the session.
                let member = Member::load(self.sql, owner.id)?
                    .filter(|member| id == account.id && member.secret_version == owner.secret_version)
                    .filter(|member| member.view.email == owner.email);
                Ok(member.map_or_else(refused, |m| sign_in(account, m, &session, address.as_deref(), now)))
            }
            LedgerRequest::SignIn { member, email, secret_version, session, address } => {
                let refused = || Plan::refuse(Refusal::SignInRefused);
                let member = Member::load(self.sql, member)?
                    .filter(|m| m.secret_version == secret_version && m.view.email == email);
                Ok(member.map_or_else(refused, |m| sign_in(account, m, &session, address.as_deref(), now)))
            }
            LedgerRequest::Console { session, address, command } => {
                let Some(session) = Session::load(self.sql, &session, now)? else {
                    return Ok(Plan::refuse(Refusal::NotSignedIn));
                };
                self.console(Asked { account, session, address: address.as_deref(), now }, command)
            }
            LedgerRequest::Record { id } => {
                let record = Key::load(self.sql, id)?.map(|key| key.record(&account.epoch));
                Ok(Plan::read(LedgerReply::Record { record }))
            }
            LedgerRequest::Holds { member, email } => {
                let member = Member::load(self.sql, member)?;
                let held = member.is_some_and(|member| member.view.email.as_str() == email);
                Ok(Plan::read(LedgerReply::Holds { held }))
            }
            LedgerRequest::Exists => Ok(Plan::read(LedgerReply::Holds { held: true })),
        }
    }

    fn console(&self, mut asked: Asked<'_>, command: Command) -> Result<Plan, SqlError> {
        let (role, is_proven) = (asked.session.member.view.role, asked.session.is_proven(asked.now));
        if let Err(refusal) = decide::authorise(&command, role, is_proven) {
            return Ok(Plan::refuse(refusal));
        }
        let renewal = asked.session.renew(asked.now);
        let mut plan = self.obey(&mut asked, command)?;
        if !matches!(plan.reply, LedgerReply::Refused(_)) {
            // Before the rest: signing out removes the row that this would renew.
            plan.writes.splice(0..0, renewal);
        }
        Ok(plan)
    }

    fn obey(&self, asked: &mut Asked<'_>, command: Command) -> Result<Plan, SqlError> {
        match command {
            Command::Show => Ok(Plan::read(LedgerReply::Session(asked.session.view(asked.account)))),
            Command::SignOut => {
                let writes = vec![asked.session.end(), asked.author().did(Action::SignOut)];
                Ok(Plan { writes, reply: LedgerReply::Done })
            }
            Command::StepUp { secret_version } => Ok(step_up(asked, secret_version)),
            Command::List(listing) => {
                let page = listing::page(self.sql, asked.account.id, &listing)?;
                let refused = |error| LedgerReply::Refused(Refusal::Invalid { errors: vec![error] });
                Ok(Plan::read(page.map_or_else(refused, LedgerReply::Page)))
            }
            Command::Get { id } => {
                let view = Key::load(self.sql, id)?.and_then(|key| key.view());
                Ok(Plan::read(view.map_or(LedgerReply::Refused(Refusal::NotFound), LedgerReply::Key)))
            }
            Command::Check { draft } => {
                let caller = asked.address.and_then(ClientAddress::parse);
                Ok(Plan::read(LedgerReply::Checked(Checked::of(&draft, asked.desk().setting(), caller))))
            }
            Command::Issue { id, digest, draft, idempotency_key } => {
                let issue = Issue { id, digest, draft: &draft, idempotency_key: &idempotency_key };
                let present = self.present(asked, &issue)?;
                let decision = asked.desk().issue(issue, present);
                let remember =
                    idempotency::remember(asked.session.member_id(), &idempotency_key, id, asked.now);
                Ok(commit(asked, decision, remember))
            }
            Command::Edit { id, expected, changes } => {
                let key = Key::load(self.sql, id)?;
                Ok(commit(asked, asked.desk().edit(key, expected, &changes), []))
            }
            Command::SetEnabled { id, expected, enabled } => {
                let key = Key::load(self.sql, id)?;
                Ok(commit(asked, asked.desk().set_enabled(key, expected, enabled), []))
            }
            Command::Delete { id, expected } => {
                let key = Key::load(self.sql, id)?;
                Ok(commit(asked, asked.desk().delete(key, expected), []))
            }
        }
    }

    fn present(&self, asked: &Asked<'_>, issue: &Issue<'_>) -> Result<Present, SqlError> {
        let member = asked.session.member_id();
        Ok(Present {
            issued_before: idempotency::issued(self.sql, member, issue.idempotency_key, asked.now)?,
            keys: key::count(self.sql)?,
            id_is_taken: Key::load(self.sql, issue.id)?.is_some(),
        })
    }

    fn account(&self, now: UnixMs) -> Result<Option<Account>, SqlError> {
        if !is_initialised(self.sql)? {
            return Ok(None);
        }
        migrate(self.sql, MIGRATIONS, now)?;
        Account::load(self.sql)
    }
}

impl Object for Ledger<'_> {
    type Request = LedgerRequest;
    type Reply = LedgerReply;

    const NOT_UNDERSTOOD: LedgerReply = LedgerReply::Refused(Refusal::NotUnderstood);

    fn sql(&self) -> &dyn Sql {
        self.sql
    }

    fn handle(
        &self,
        request: LedgerRequest,
        now: UnixMs,
        entropy: &Entropy,
    ) -> Result<LedgerReply, ObjectError> {
        let plan = match (self.account(now)?, request) {
            (Some(account), request) => self.plan(&account, request, now)?,
            (None, request @ LedgerRequest::Open { .. }) => {
                migrate(self.sql, MIGRATIONS, now)?;
                open(request, now, entropy)
            }
            (None, _) => Plan::read(LedgerReply::Gone),
        };
        if !plan.writes.is_empty() {
            self.sql.apply(&plan.writes)?;
        }
        Ok(plan.reply)
    }

    fn step(&self, duty: &Duty, now: UnixMs) -> Result<Step, ObjectError> {
        let Some(account) = self.account(now)? else { return Ok(Step::moot()) };
        Ok(match duty.kind {
            Kind::PutRecord => outbox::put(self.sql, &account, &duty.subject)?,
            Kind::ConfirmName => outbox::confirm_name(self.sql, &account, &duty.subject)?,
            Kind::ConfirmAccount => Step::Effect(Effect::ConfirmAccount { account: account.id }),
            Kind::SweepSessions => {
                let again = sessions::next_end(self.sql, now)?;
                Step::Chore { writes: vec![sessions::sweep(now)], again }
            }
            Kind::SweepIdempotency => {
                let again = idempotency::next_end(self.sql, now)?;
                Step::Chore { writes: vec![idempotency::sweep(now)], again }
            }
            // Duties of other objects.
            Kind::AskHolds | Kind::AskExists | Kind::SweepTries => Step::moot(),
        })
    }

    fn settled(&self, effect: &Effect, _: Option<bool>, now: UnixMs) -> Result<Vec<Statement>, ObjectError> {
        Ok(vec![match effect {
            Effect::PutRecord { id, revision, .. } => outbox::acknowledged(self.sql, *id, *revision, now)?,
            Effect::ConfirmName { .. }
            | Effect::ConfirmAccount { .. }
            | Effect::AskHolds { .. }
            | Effect::AskExists { .. } => Duty::of(effect).done(),
        }])
    }
}

/// Opens the account, signs its owner in, and owes the confirmations to the name and the directory.
fn open(request: LedgerRequest, now: UnixMs, entropy: &Entropy) -> Plan {
    let LedgerRequest::Open { account: id, name, zone, owner, session, address } = request else {
        return Plan::read(LedgerReply::Gone);
    };
    let epoch = Epoch::new(entropy.number());
    let account = Account { id, name, zone, freshness_s: FRESHNESS_S, epoch, revision: Revision::default() };
    let owner = Member::owner(owner);
    let author = Author { member: owner.view.id, address: address.as_deref(), now };
    let mut writes = vec![
        account.insert(now),
        owner.insert(now),
        author.did(Action::Open),
        Duty::new(Kind::ConfirmName, owner.view.id).owe(now),
        Duty::own(Kind::ConfirmAccount).owe(now),
    ];
    let Plan { writes: signed_in, reply } = sign_in(&account, owner, &session, address.as_deref(), now);
    writes.extend(signed_in);
    Plan { writes, reply }
}

/// Opens a session for a member whose password was right.
fn sign_in(account: &Account, member: Member, new: &NewSession, address: Option<&str>, now: UnixMs) -> Plan {
    let author = Author { member: member.view.id, address, now };
    let session = Session::begin(new, member, now);
    let mut writes = Vec::from(session.insert(&new.digest, address));
    writes.push(author.did(Action::SignIn));
    Plan { writes, reply: LedgerReply::Session(session.view(account)) }
}

/// Takes a right password for a fresh proof, if it is the member's present one.
fn step_up(asked: &mut Asked<'_>, secret_version: SecretVersion) -> Plan {
    if asked.session.member.secret_version != secret_version {
        return Plan::refuse(Refusal::SignInRefused);
    }
    let writes = vec![asked.session.prove(asked.now), asked.author().did(Action::StepUp)];
    Plan { writes, reply: LedgerReply::Session(asked.session.view(asked.account)) }
}

/// Turns a decision into a reply and the writes that make it true.
fn commit<const N: usize>(
    asked: &Asked<'_>,
    decision: Result<Decision, Refusal>,
    more: [Statement; N],
) -> Plan {
    let change = match decision {
        Err(refusal) => return Plan::refuse(refusal),
        Ok(Decision::Unchanged(key)) => return Plan::read(changed(asked, &key, false)),
        Ok(Decision::Change(change)) => *change,
    };
    let Change { action, before, after, takes_away } = change;
    let author = asked.author();
    let mut writes = after.store();
    writes.push(Account::advance(after.revision));
    writes.extend(author.journal(action, &after));
    writes.push(author.changed(action, before.as_ref(), &after));
    writes.push(outbox::owe(after.id, asked.now));
    writes.extend(more);
    Plan { writes, reply: changed(asked, &after, takes_away) }
}

fn changed(asked: &Asked<'_>, key: &Key, takes_away: bool) -> LedgerReply {
    LedgerReply::Changed {
        key: key.view(),
        record: key.record(&asked.account.epoch),
        bound: takes_away.then(|| asked.account.bound(asked.now)),
    }
}

/// The key that a duty is about.
fn key_of(subject: &str) -> Option<KeyId> {
    KeyId::parse(subject)
}
