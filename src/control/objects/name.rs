//! The name object: stands for the person at one e-mail address. It stores their memberships, and
//! is the authority on their password and its version.
//!
//! There is one instance per name ([`crate::protocol::ledger::instance::member_name`]). It resolves
//! concurrent claims of two accounts.
//!
//! **Claims.** The first claim *stages* its password until its ledger confirms it, which removes
//! other staged ones. From then on the person has one password. A further claim with that password
//! adds a membership, which its ledger confirms in turn. If no ledger confirms a claim within
//! [`PENDING_MS`], the object asks the ledger, and releases the claim if the ledger does not hold
//! it.
//!
//! **Changes.** A change or reset raises the version, and the object tells the ledger of every
//! confirmed membership, until it acknowledges. A ledger ends the sessions that began with a lower
//! version.
//!
//! **Addresses.** A mailbox code proves the address before anything claims it ([`mailbox`]). A
//! person moves to another address as a whole ([`moving`]).
//!
//! **Attempts.** A refused attempt at the person's password or code is counted
//! ([`crate::objects::attempts`]), and the object reports it to the ledgers.
//!
//! Invariants:
//! - At most one password is confirmed. Staged ones exist only while none is, and belong to the one
//!   membership there is.
//! - Every try was counted before it comes here, by an address object
//!   ([`crate::objects::address`]).
//! - An unclaimed name answers like a wrong password, at the same cost. Its object stores nothing,
//!   so that a try at a made-up name leaves none behind.
//! - A try costs at most two hashes for each password: one for each of the [`PasswordForms`]. Their
//!   number depends on the typed text alone, so it reveals nothing about what is stored.

mod attempts;
mod claims;
mod mail;
mod mailbox;
mod moving;
mod password;
mod person;
mod reset;
mod schema;

use claviger_core::base::id::AccountId;
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::limits::network::ClientAddress;

pub use self::password::{Argon2id, PasswordHash, StoredPassword};
use self::person::{
    PENDING_MS, Password, PasswordChange, Person, ask_task, bound, membership_of, tell_task,
};
use self::reset::{ResetLimits, Try};
pub use self::schema::MIGRATIONS;
use crate::objects::object::{DurableObject, Entropy, ObjectError, TaskStep};
use crate::objects::sql::migrate::{is_initialised, migrate};
use crate::objects::sql::{Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::account::Email;
use crate::protocol::attempts::AttemptKind;
use crate::protocol::code::Code;
use crate::protocol::effect::Effect;
use crate::protocol::identity::{Membership, PasswordNews};
use crate::protocol::master::MasterSecrets;
use crate::protocol::member::SecretVersion;
use crate::protocol::objects::{NameReply, NameRequest};
use crate::protocol::password_text::PasswordForms;

/// Most staged passwords of one claim: each costs a hash with every try.
pub const STAGED_MAX: usize = 4;

/// Most memberships of one person. Listing them calls a ledger each.
pub const MEMBERSHIPS_MAX: usize = 30;

/// A name object over its database.
pub struct Name<'a> {
    sql: &'a dyn Sql,
    master: &'a MasterSecrets,
    hash: &'a dyn PasswordHash,
}

/// The time and the random bytes of a request.
#[derive(Clone, Copy)]
struct RequestMoment<'a> {
    now: UnixMs,
    entropy: &'a Entropy,
}

impl<'a> Name<'a> {
    /// Returns the object of this database, with the master secrets whose pepper its hashes use.
    pub fn new(sql: &'a dyn Sql, master: &'a MasterSecrets, hash: &'a dyn PasswordHash) -> Self {
        Self { sql, master, hash }
    }

    /// Brings the schema of a claimed name up to date, and loads its person.
    fn person(&self, now: UnixMs) -> Result<Option<Person>, SqlError> {
        if !is_initialised(self.sql)? {
            return Ok(None);
        }
        migrate(self.sql, MIGRATIONS, now)?;
        Person::load(self.sql)
    }

    fn verify(
        &self,
        password: &PasswordForms,
        (attempt, network): (AttemptKind, Option<&str>),
        browser: Option<SecretVersion>,
        RequestMoment { now, entropy }: RequestMoment<'_>,
    ) -> Result<NameReply, ObjectError> {
        let person = self.person(now)?;
        let present = person.as_ref().and_then(Person::confirmed).map(|present| present.version);
        if browser.is_some() && browser != present {
            return Ok(NameReply::BrowserOver);
        }
        let Some(person) = person else { return self.refuse(password) };
        let Some((right, is_prepared)) = self.matching(&person.passwords, password)? else {
            self.note_refused(&person, attempt, network, now)?;
            return Ok(NameReply::Refused);
        };
        // Hashed under an older pepper, or from the password as typed: hash it anew.
        if right.stored.generation() != self.master.newest().id() || !is_prepared {
            let stored = self.store(password.prepared(), entropy)?;
            let again = Statement::new("UPDATE password SET hash = ? WHERE version = ?");
            self.sql.apply(&[again.bind(stored.as_str()).bind(right.version.0)])?;
        }
        let memberships = person.ids();
        let Some(Membership { account, member }) = memberships.first().copied() else {
            return Ok(NameReply::Refused);
        };
        let (secret_version, confirmed) = (right.version, right.confirmed);
        let address_version = person.address_version;
        Ok(NameReply::Matches {
            account,
            member,
            secret_version,
            confirmed,
            memberships,
            address_version,
        })
    }

    fn change(
        &self,
        id: Membership,
        password: &PasswordForms,
        new_password: &SecretText,
        address: Option<String>,
        moment: RequestMoment<'_>,
    ) -> Result<NameReply, ObjectError> {
        let Some(person) = self.person(moment.now)? else { return self.refuse(password) };
        if self.matching(&person.passwords, password)?.is_none() {
            let network = network_of(address.as_deref());
            self.note_refused(&person, AttemptKind::StepUp, network.as_deref(), moment.now)?;
            return Ok(NameReply::Refused);
        }
        let (Some(_), Some(_)) = (person.confirmed(), person.find(id)) else {
            // Its ledger is about to confirm it.
            return Ok(NameReply::NotHeld);
        };
        if person.is_moving() {
            return Ok(NameReply::Moving);
        }
        let change = PasswordChange { at: moment.now, address, is_reset: false };
        let writes = Vec::from(reset::invalidate());
        self.replace(&person, Some(id), new_password, &change, writes, moment.entropy)
    }

    fn confirm_reset(
        &self,
        code: &SecretText,
        new_password: &SecretText,
        (address, browser): (Option<String>, Option<SecretVersion>),
        moment: RequestMoment<'_>,
    ) -> Result<NameReply, ObjectError> {
        let can_reset = |person: &Person| person.confirmed().is_some() && !person.is_moving();
        let Some(person) = self.person(moment.now)?.filter(can_reset) else {
            return Ok(NameReply::Refused);
        };
        let limits = ResetLimits::of(&person, browser);
        let (outcome, counted) = reset::attempt(self.sql, limits, code, self.master, moment.now)?;
        let mut writes = Vec::from_iter(counted);
        match outcome {
            Try::Right => {
                writes.extend(reset::invalidate());
                let change = PasswordChange { at: moment.now, address, is_reset: true };
                let mails = person.memberships.first().map(|first| first.id);
                self.replace(&person, mails, new_password, &change, writes, moment.entropy)
            }
            Try::Wrong => {
                let network = network_of(address.as_deref());
                let attempt = (AttemptKind::ResetCode, network.as_deref());
                writes.extend(attempts::note(self.sql, &person, attempt, moment.now)?);
                self.sql.apply(&writes)?;
                Ok(NameReply::Refused)
            }
        }
    }

    /// Replaces the confirmed password, and schedules the news to every ledger that holds the
    /// person. The ledger of `mails` mails it.
    fn replace(
        &self,
        person: &Person,
        mails: Option<Membership>,
        new_password: &SecretText,
        change: &PasswordChange,
        mut writes: Vec<Statement>,
        entropy: &Entropy,
    ) -> Result<NameReply, ObjectError> {
        let present = person.confirmed().map_or(0, |present| present.version.0);
        let secret_version = SecretVersion(present.saturating_add(1));
        let stored = self.store(PasswordForms::of(new_password.clone()).prepared(), entropy)?;
        let text =
            "INSERT INTO password (version, hash, confirmed, changed_at_ms, changed_from, is_reset)
            VALUES (?, ?, 1, ?, ?, ?)";
        writes.push(Statement::new("DELETE FROM password"));
        writes.push(
            Statement::new(text)
                .bind(secret_version.0)
                .bind(stored.as_str())
                .bind(change.at)
                .bind(change.address.as_deref())
                .bind(change.is_reset),
        );
        writes.push(Statement::new("UPDATE membership SET mails = 0 WHERE mails = 1"));
        if let Some(id) = mails {
            writes.push(bound(
                "UPDATE membership SET mails = 1 WHERE account = ? AND member = ?",
                id,
            ));
        }
        let told = person.memberships.iter().filter(|membership| membership.confirmed);
        writes.extend(told.map(|membership| tell_task(membership.id).reschedule(change.at)));
        self.sql.apply(&writes)?;
        Ok(NameReply::PasswordChanged { secret_version, accounts: person.accounts() })
    }

    fn memberships(
        &self,
        id: Membership,
        version: SecretVersion,
        opens: Option<AccountId>,
        now: UnixMs,
    ) -> Result<NameReply, SqlError> {
        let Some(person) = self.person(now)?.filter(|person| person.find(id).is_some()) else {
            return Ok(NameReply::NotHeld);
        };
        // While a password is staged, its ledger goes by one of the staged versions.
        let is_present = match person.confirmed() {
            Some(present) => present.version == version,
            None => person.passwords.iter().any(|staged| staged.version == version),
        };
        if !is_present {
            return Ok(NameReply::NotHeld);
        }
        if let Some(account) = opens {
            self.sql.apply(&[person::choose(account, now)])?;
        }
        let address_version = person.address_version;
        Ok(NameReply::Memberships { memberships: person.ids(), address_version })
    }

    /// Counts a refused attempt at the person's secrets.
    fn note_refused(
        &self,
        person: &Person,
        kind: AttemptKind,
        network: Option<&str>,
        now: UnixMs,
    ) -> Result<(), SqlError> {
        let writes = attempts::note(self.sql, person, (kind, network), now)?;
        if writes.is_empty() { Ok(()) } else { self.sql.apply(&writes) }
    }

    /// Refuses a password at an unclaimed name. Hashes anyway, so that the response time does not
    /// reveal it.
    fn refuse(&self, password: &PasswordForms) -> Result<NameReply, ObjectError> {
        for form in password.all() {
            self.store(form, &Entropy([0; 32]))?;
        }
        Ok(NameReply::Refused)
    }

    /// Returns the stored password that one of the forms matches, and `true` if that is the
    /// prepared form.
    fn matching<'p>(
        &self,
        known: &'p [Password],
        password: &PasswordForms,
    ) -> Result<Option<(&'p Password, bool)>, ObjectError> {
        for (form, is_prepared) in password.all().zip([true, false]) {
            for candidate in known {
                let is_it = candidate.stored.is_of(form, self.master, self.hash);
                if is_it.ok_or(ObjectError::Hash)? {
                    return Ok(Some((candidate, is_prepared)));
                }
            }
        }
        Ok(None)
    }

    fn store(
        &self,
        password: &SecretText,
        entropy: &Entropy,
    ) -> Result<StoredPassword, ObjectError> {
        StoredPassword::of(password, &entropy.salt(), self.master.newest(), self.hash)
            .ok_or(ObjectError::Hash)
    }
}

impl DurableObject for Name<'_> {
    type Request = NameRequest;
    type Reply = NameReply;

    const NOT_UNDERSTOOD: NameReply = NameReply::NotUnderstood;

    fn sql(&self) -> &dyn Sql {
        self.sql
    }

    fn handle(
        &self,
        request: NameRequest,
        now: UnixMs,
        entropy: &Entropy,
    ) -> Result<NameReply, ObjectError> {
        let moment = RequestMoment { now, entropy };
        match request {
            NameRequest::Claim { name, account, member, password, network } => {
                let password = (&PasswordForms::of(password), network.as_deref());
                self.claim(&name, Membership { account, member }, password, moment)
            }
            NameRequest::Confirm { account, member, secret_version } => {
                Ok(self.confirm(Membership { account, member }, secret_version, now)?)
            }
            NameRequest::Release { account, member, secret_version } => {
                Ok(self.release(Membership { account, member }, secret_version, now)?)
            }
            NameRequest::Verify { password, counted: true, block, attempt, browser } => {
                let attempt = (attempt, block.as_deref());
                self.verify(&PasswordForms::of(password), attempt, browser, moment)
            }
            NameRequest::Verify { counted: false, .. } => Ok(NameReply::NotUnderstood),
            NameRequest::ChangePassword { account, member, password, new_password, address } => {
                let (id, password) = (Membership { account, member }, PasswordForms::of(password));
                self.change(id, &password, &new_password, address, moment)
            }
            NameRequest::Memberships { account, member, secret_version, opens } => {
                Ok(self.memberships(Membership { account, member }, secret_version, opens, now)?)
            }
            NameRequest::Leave { account, member } => {
                Ok(self.leave(Membership { account, member }, now)?)
            }
            NameRequest::BeginReset { id, code, browser } => {
                let person = self.person(now)?.filter(|person| !person.is_moving());
                let Some(person) = person else { return Ok(NameReply::Refused) };
                let (drawn, limits) = (Code::from_sealed(&code), ResetLimits::of(&person, browser));
                let begun =
                    reset::begin(self.sql, &person, limits, (id, &drawn), self.master, now)?;
                let Some((row, Membership { account, member }, until)) = begun else {
                    return Ok(NameReply::Refused);
                };
                self.sql.apply(&[row])?;
                Ok(NameReply::ResetBegun { account, member, until })
            }
            NameRequest::ConfirmReset { code, new_password, address, browser } => {
                self.confirm_reset(&code, &new_password, (address, browser), moment)
            }
            NameRequest::MailMailboxCode(new) => Ok(mailbox::answer_mail(self.sql, new, now)?),
            NameRequest::ShowMailboxCode { subject } => {
                Ok(mailbox::answer_show(self.sql, subject, now)?)
            }
            NameRequest::ProveMailbox { subject, code } => {
                Ok(mailbox::answer_try(self.sql, subject, &code, self.master, now)?)
            }
            NameRequest::BeginMove(change) => {
                Ok(moving::begin(self.sql, self.person(now)?, &change, now)?)
            }
            NameRequest::ReceivePerson(moved) => {
                Ok(moving::receive(self.sql, self.person(now)?.as_ref(), &moved, now)?)
            }
            NameRequest::SettleMove(change) => {
                let person = self.person(now)?;
                match mailbox::has_tables(self.sql, now)? {
                    true => Ok(moving::settled(self.sql, person.as_ref(), &change, now)?),
                    false => Ok(NameReply::Received),
                }
            }
            NameRequest::ShowMove { by } => {
                Ok(NameReply::Move(moving::show(self.person(now)?.as_ref(), by)))
            }
            NameRequest::IsClaimed => {
                let claimed = self.person(now)?.is_some_and(|person| person.confirmed().is_some());
                Ok(NameReply::IsClaimed { claimed })
            }
        }
    }

    fn step(&self, task: &Task, now: UnixMs) -> Result<TaskStep, ObjectError> {
        if task.kind == TaskKind::SweepTries {
            // Releases before 0.2.0 counted here.
            let writes = vec![Statement::new("DELETE FROM tries")];
            return Ok(TaskStep::Chore { writes, again: None });
        }
        // After `person`, which may give the task of an earlier release its subject.
        let (person, id) = (self.person(now)?, membership_of(task));
        match task.kind {
            TaskKind::SendMail => return Ok(mail::step(self.sql, &task.subject, now)?),
            TaskKind::SweepMailbox => return Ok(mailbox::sweep(self.sql, now)?),
            TaskKind::MovePerson => return Ok(moving::send(self.sql, person)?),
            TaskKind::SettleMove => return Ok(moving::settle(self.sql, task)?),
            _ => {}
        }
        let (Some(person), Some(id)) = (person, id) else { return Ok(TaskStep::moot()) };
        let Some(own) = person.find(id) else { return Ok(TaskStep::moot()) };
        if task.kind == TaskKind::TellAttempts {
            return Ok(attempts::step(self.sql, &person, own, now)?);
        }
        if task.kind == TaskKind::TellAddress {
            return Ok(moving::tell(self.sql, &person, own)?);
        }
        let (Membership { account, member }, present) = (id, person.confirmed());
        Ok(match (task.kind, present) {
            // Its ledger knows the member by another address. The news of it schedules this again.
            (TaskKind::TellPassword, _) if own.address_told < person.address_version => {
                TaskStep::moot()
            }
            (TaskKind::AskHolds, _) if !own.confirmed => {
                TaskStep::Effect(Effect::AskHolds { account, member, email: person.name })
            }
            (TaskKind::TellPassword, Some(Password { version, change, .. }))
                if own.confirmed && own.told < *version =>
            {
                let Ok(email) = Email::parse(&person.name) else { return Ok(TaskStep::moot()) };
                let news = PasswordNews {
                    member,
                    email,
                    secret_version: *version,
                    at: change.as_ref().map_or(now, |change| change.at),
                    address: change.as_ref().and_then(|change| change.address.clone()),
                    is_reset: change.as_ref().is_some_and(|change| change.is_reset),
                    mails: own.mails,
                };
                TaskStep::Effect(Effect::TellPassword { account, news })
            }
            _ => TaskStep::moot(),
        })
    }

    fn settled(
        &self,
        effect: &Effect,
        held: Option<bool>,
        now: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError> {
        let task = Task::of(effect);
        let person = self.person(now)?;
        match effect {
            Effect::SendMail { envelope } => return Ok(mail::sent(&envelope.id)),
            Effect::MovePerson { moved } => {
                let is_taken = held == Some(false);
                return moving::sent(self.sql, person, &moved.change, is_taken, now);
            }
            Effect::SettleMove { change } => return Ok(moving::has_settled(change.id)),
            _ => {}
        }
        let (Some(person), Some(id)) = (person, membership_of(&task)) else {
            return Ok(vec![task.done()]);
        };
        let Some(own) = person.find(id) else { return Ok(vec![task.done()]) };
        if let Effect::TellAttempts { last, .. } = effect {
            return Ok(attempts::told(self.sql, id, *last, now)?);
        }
        if let Effect::TellAddress { news, .. } = effect {
            return Ok(moving::told(&person, own, news, held != Some(false), now));
        }
        if let Effect::TellPassword { news, .. } = effect {
            let text = "UPDATE membership SET told = max(told, ?) WHERE account = ? AND member = ?";
            let row = Statement::new(text).bind(news.secret_version.0);
            let row = row.bind(id.account.as_str()).bind(id.member.as_str());
            let is_behind =
                person.confirmed().is_some_and(|present| news.secret_version < present.version);
            // Changed once more since: that is news, too.
            let next = if is_behind { task.reschedule(now) } else { task.done() };
            return Ok(vec![row, next]);
        }
        if own.confirmed {
            return Ok(vec![task.done()]);
        }
        Ok(match (held, person.confirmed(), person.passwords.as_slice()) {
            (Some(true), Some(_), _) => person.confirm(id, own.version, now),
            (Some(true), None, [only]) => person.confirm(id, only.version, now),
            // The ledger's own confirmation names the valid password.
            (Some(true), None, _) => vec![ask_later(id, now)],
            (Some(false), ..) => person.without(id, now),
            (None, ..) => vec![task.failed(self.sql, now)?],
        })
    }

    fn failed(&self, effect: &Effect, now: UnixMs) -> Result<Vec<Statement>, ObjectError> {
        match effect {
            Effect::SendMail { envelope } => Ok(mail::failed(self.sql, &envelope.id, now)?),
            _ => Ok(vec![Task::of(effect).failed(self.sql, now)?]),
        }
    }

    fn refused(&self, effect: &Effect, now: UnixMs) -> Result<Vec<Statement>, ObjectError> {
        match effect {
            Effect::SendMail { envelope } => Ok(mail::refused(&envelope.id)),
            _ => self.failed(effect, now),
        }
    }

    fn is_spent(&self) -> Result<bool, ObjectError> {
        if !is_initialised(self.sql)? {
            return Ok(true);
        }
        let claims = self.sql.integer(&Statement::new("SELECT count(*) FROM claim"))?;
        Ok(claims == 0 && self.next_due()?.is_none())
    }
}

/// Returns the network of an address, by which attempts are counted.
fn network_of(address: Option<&str>) -> Option<String> {
    address.and_then(ClientAddress::parse).map(ClientAddress::block)
}

/// Returns the task that asks the ledger, after its full time.
fn ask_later(id: Membership, now: UnixMs) -> Statement {
    ask_task(id).postpone(now.saturating_add(DurationMs::from_ms(PENDING_MS)))
}

#[cfg(test)]
mod tests;
