//! The ledger: the Durable Object that is the authority over one account.
//!
//! **Why it exists.** Workers KV has no compare-and-set, and readers see a write up to a minute
//! later. The ledger runs one request at a time. It can therefore refuse the second of two
//! conflicting edits, count keys, and state what is valid *now*.
//!
//! **Instances.** One per account, named by [`crate::protocol::ledger::instance::ledger`].
//!
//! **State.** See [`schema`](super::schema). Invariants:
//! - `key.revision ≤ account.revision`; each revision belongs to one change.
//! - Every key has a row in `publication` with the same revision.
//! - Every key whose newest record KV has not acknowledged has a task `put_record`.
//! - Every key whose acknowledged record has not settled has a task `read_back`.
//! - Audit rows never change.
//!
//! **Requests.** The ledger answers each request in one run without an await. It reads rows,
//! [`decide`](super::decide) decides, and one `apply` writes everything: rows, journal, audit,
//! tasks. All writes are one transaction: a failed request changes nothing, and no request observes
//! a partial change. Only usage is collected in memory first and written separately: [`usage`].
//!
//! **Replies.** A ledger that was never opened answers `Gone` and writes nothing. `Refused` also
//! writes nothing, with four exceptions: a new history had to begin first, pending usage had to be
//! written, a code was tried, or a sign-in came from outside the account's networks. A tried code
//! counts whatever the reply.
//!
//! **Secrets.** The ledger checks codes of second factors itself, in the run that uses them up. It
//! decrypts their seeds for that, and no other ciphertext.

use std::cell::RefCell;
use std::rc::Rc;

use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::config::terms::Terms;
use claviger_core::replication::edge_call::ReadExpiry;
use claviger_core::replication::record::Epoch;

use crate::ledger::account::Account;
use crate::ledger::account_networks::SignInRequest;
use crate::ledger::audit::{Action, Author};
use crate::ledger::context::CommandContext;
use crate::ledger::member::Member;
use crate::ledger::operator::operate;
use crate::ledger::password::VerifiedPassword;
use crate::ledger::plan::Plan;
use crate::ledger::schema::MIGRATIONS;
use crate::ledger::sessions::Session;
use crate::ledger::sign_in::{open, sign_in};
use crate::ledger::token_rates::TokenRates;
use crate::ledger::usage::pending::{PendingCounts, UsageReport};
use crate::ledger::{
    account_networks, address, api_user_row, at_stake, attempts, challenge, deletion, document,
    histories, idempotency, invitations, issued, issuing, key, key_ends, mailbox, name_folding,
    network_commands, networks, notices, outbox, passkey_commands, password, policy, publication,
    rebuild, refresh, repair, revoking, sessions, state, usage,
};
use crate::objects::object::{DurableObject, Entropy, ObjectError, TaskStep};
use crate::objects::sql::migrate::{is_initialised, migrate};
use crate::objects::sql::{Sql, SqlError, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::activity::Actor;
use crate::protocol::effect::{Effect, EffectOutcome};
use crate::protocol::expiry_text::Described;
use crate::protocol::ledger::{LedgerReply, LedgerRequest, Opening};
use crate::protocol::master::MasterSecrets;
use crate::protocol::refusal::Refusal;
use crate::protocol::view::Progress;

/// A ledger over its database.
pub struct Ledger<'a> {
    pub(super) sql: &'a dyn Sql,
    terms: Terms,
    master: Option<&'a MasterSecrets>,
    pub(super) uses: Rc<RefCell<PendingCounts>>,
    pub(super) rates: Rc<RefCell<TokenRates>>,
}

impl<'a> Ledger<'a> {
    /// Returns the ledger of this database, on the default terms.
    pub fn new(sql: &'a dyn Sql) -> Self {
        Self {
            sql,
            terms: Terms::default(),
            master: None,
            uses: Rc::default(),
            rates: Rc::default(),
        }
    }

    /// Uses these pending usage counts, which outlive this value. Without this call, the ledger's
    /// own pending counts are lost when it is dropped.
    #[must_use]
    pub fn with_uses(self, uses: Rc<RefCell<PendingCounts>>) -> Self {
        Self { uses, ..self }
    }

    /// Uses these rate limits of programs, which outlive this value. Without this call, the
    /// ledger's own are lost when it is dropped.
    #[must_use]
    pub fn with_rates(self, rates: Rc<RefCell<TokenRates>>) -> Self {
        Self { rates, ..self }
    }

    /// Uses these secrets to check codes of second factors. Without this call, the ledger refuses
    /// every code.
    #[must_use]
    pub fn with_master(self, master: &'a MasterSecrets) -> Self {
        Self { master: Some(master), ..self }
    }

    /// Applies other terms. They decide if lease documents go to KV, and which revocation bound a
    /// reply states.
    #[must_use]
    pub fn on_terms(self, terms: Terms) -> Self {
        Self { terms, ..self }
    }

    /// Writes the pending counts, if there are any. They leave memory first: a write that fails may
    /// still have landed, and losing counts is better than counting twice.
    ///
    /// # Errors
    /// [`SqlError`] if the database fails; the counts are lost then.
    pub fn write_uses(&self, now: UnixMs) -> Result<(), SqlError> {
        let waiting = self.uses.take();
        if waiting.due().is_none() {
            return Ok(());
        }
        let writes = usage::write(self.sql, waiting, now)?;
        if writes.is_empty() { Ok(()) } else { self.sql.apply(&writes) }
    }

    /// Adds to `writes` a task for the lease document, unless `writes` is empty.
    fn with_document(&self, mut writes: Vec<Statement>, now: UnixMs) -> Vec<Statement> {
        if !writes.is_empty() {
            writes.push(document::schedule(self.terms.wants_documents(), now));
        }
        writes
    }

    /// Plans a reply. Reads only, except that a console request first writes all pending usage.
    fn plan(
        &self,
        account: &Account,
        request: LedgerRequest,
        now: UnixMs,
        report: &mut UsageReport,
    ) -> Result<Plan, SqlError> {
        match request {
            LedgerRequest::Open(opening) | LedgerRequest::OpenInvited(opening) => {
                let Opening { account: id, owner, session, address, .. } = opening;
                let refused = || Plan::refuse(Refusal::AlreadyOpen);
                // A repeated request of the same member with the same password has the same effect
                // as one, except that it opens another session.
                let member = Member::load(self.sql, owner.id)?
                    .filter(|member| {
                        id == account.id && member.secret_version == owner.secret_version
                    })
                    .filter(|member| member.view.email == owner.email);
                match member {
                    Some(m) => {
                        sign_in(self.sql, account, m, &session, address.as_deref(), true, now)
                    }
                    None => Ok(refused()),
                }
            }
            LedgerRequest::SignIn {
                member,
                email,
                secret_version: version,
                session,
                address,
                confirmed,
                switches,
                address_version,
            } => {
                let address = address.as_deref();
                let author = Author { actor: Actor::Member(member), address, now };
                let password = VerifiedPassword { version, confirmed };
                let named = (&email, address_version);
                let accepted = match Member::load(self.sql, member)? {
                    Some(member) => {
                        address::sign_in(self.sql, account, member, (named, password), author)?
                    }
                    None => None,
                };
                let Some((member, mut writes)) = accepted else {
                    return Ok(Plan::refuse(Refusal::SignInRefused));
                };
                let new = (session.id, switches);
                let seen = networks::signed_in(self.sql, account, &member, new, address, now)?;
                let plan = sign_in(self.sql, account, member, &session, address, !switches, now)?;
                if matches!(plan.reply, LedgerReply::Refused(_)) {
                    return Ok(plan);
                }
                // A challenge is half a sign-in: its answer records the network.
                if matches!(plan.reply, LedgerReply::Session(_)) {
                    writes.extend(seen);
                }
                writes.extend(plan.writes);
                Ok(Plan { writes, reply: plan.reply })
            }
            LedgerRequest::Console { session, address, command } => {
                let Some(session) = Session::load(self.sql, &session, now)? else {
                    return Ok(Plan::refuse(Refusal::NotSignedIn));
                };
                let (address, master) = (address.as_deref(), self.master);
                self.console(CommandContext { account, session, address, master, now }, command)
            }
            LedgerRequest::Token { caller, address, command } => {
                self.command_of_token(account, caller, address.as_deref(), command, now)
            }
            LedgerRequest::IssueByApi(request) => issuing::plan(self.sql, account, &request, now),
            LedgerRequest::ReadExpiry(ReadExpiry { text, at }) => {
                let read = Described::parse(&text, at, &account.zone);
                Ok(Plan::read(match read {
                    Ok(read) => LedgerReply::Expiry { expires: read.expiry() },
                    Err(error) => LedgerReply::ExpiryRefused { error },
                }))
            }
            LedgerRequest::Record { id } => {
                let record = publication::record(self.sql, account, id)?;
                Ok(Plan::read(LedgerReply::Record { record }))
            }
            LedgerRequest::Refresh(request) => {
                let (used, reply) =
                    refresh::refresh(self.sql, &self.uses.borrow(), account, &request, now)?;
                *report = used;
                Ok(Plan::read(LedgerReply::Refreshed(reply)))
            }
            LedgerRequest::SetState { freshness_ms, suspended } => {
                let (writes, reply) = state::set(self.sql, account, freshness_ms, suspended, now)?;
                Ok(Plan { writes, reply })
            }
            LedgerRequest::ShowPolicy => {
                Ok(Plan::read(LedgerReply::Policy(policy::state(account))))
            }
            LedgerRequest::PreviewPolicy { changes } => {
                Ok(Plan::read(policy::preview(self.sql, account, changes)?))
            }
            LedgerRequest::SetPolicy { changes, expected } => {
                let (writes, reply) = policy::set(self.sql, account, changes, expected, now)?;
                Ok(Plan { writes, reply })
            }
            LedgerRequest::TurnOffNetworks => network_commands::turn_off(self.sql, account, now),
            LedgerRequest::Rebuild => {
                let progress = rebuild::progress(self.sql, account, now)?;
                let progress = Progress { rebuilding: true, done: 0, ..progress };
                let mut writes = rebuild::begin(now);
                writes.push(Author::operator(now).did(Action::Rebuild));
                Ok(Plan { writes, reply: LedgerReply::Progress(progress) })
            }
            LedgerRequest::Progress => {
                Ok(Plan::read(LedgerReply::Progress(rebuild::progress(self.sql, account, now)?)))
            }
            LedgerRequest::Inspect => {
                // The counts are about uses up to now.
                self.write_uses(now)?;
                let progress = rebuild::progress(self.sql, account, now)?;
                let counts = Some(at_stake::of_account(self.sql, now)?);
                Ok(Plan::read(LedgerReply::Inspected { account: account.view(), progress, counts }))
            }
            // `renew` has already switched to the new history.
            LedgerRequest::Restored { .. } => Ok(Plan::read(LedgerReply::Done)),
            LedgerRequest::Holds { member, email } => {
                let member = Member::load(self.sql, member)?;
                let held = member.is_some_and(|member| member.view.email.as_str() == email);
                Ok(Plan::read(LedgerReply::Holds { held }))
            }
            LedgerRequest::HoldsApiName { name } => {
                let held = api_user_row::holder(self.sql, &name)?;
                Ok(Plan::read(LedgerReply::ApiNameHeld { held }))
            }
            LedgerRequest::RevokeByClient(request) => {
                revoking::plan_by_client(self.sql, account, &request, now)
            }
            LedgerRequest::Exists => Ok(Plan::read(LedgerReply::Holds { held: true })),
            LedgerRequest::Membership { member, email, address_version } => {
                let named = (&email, address_version);
                let reply = match Member::load(self.sql, member)? {
                    Some(member) if address::is_of(self.sql, &member, named)? => {
                        let (name, role) = (account.name.clone(), member.view.role);
                        LedgerReply::Membership { name, role }
                    }
                    _ => LedgerReply::Refused(Refusal::NotFound),
                };
                Ok(Plan::read(reply))
            }
            LedgerRequest::PasswordChanged(news) => password::changed(self.sql, account, news, now),
            LedgerRequest::AddressChanged(news) => address::changed(self.sql, account, &news, now),
            LedgerRequest::AttemptsRefused(news) => attempts::reported(self.sql, news, now),
            LedgerRequest::MailReset(mail) => password::mail_reset(self.sql, account, mail, now),
            LedgerRequest::ShowInvitation { token, digest } => {
                invitations::show(self.sql, account, token, digest, now)
            }
            LedgerRequest::OperateByAccess { operator, address, operation } => {
                // Customers' accounts have no operators.
                if !account.operator {
                    return Ok(Plan::refuse(Refusal::NotFound));
                }
                let actor = Actor::AccessOperator(operator.as_str());
                let author = Author { actor, address: address.as_deref(), now };
                let (writes, reply) = operate(self.sql, author, &operation)?;
                Ok(Plan { writes, reply })
            }
            LedgerRequest::Join(joining) => invitations::join(self.sql, account, joining, now),
            LedgerRequest::AnswerChallenge(answer) => {
                challenge::answer(self.sql, account, self.master, &answer, now)
            }
            LedgerRequest::SignInByPasskey(request) => {
                passkey_commands::sign_in(self.sql, account, self.master, request, now)
            }
        }
    }

    fn account(&self, now: UnixMs) -> Result<Option<Account>, SqlError> {
        if !is_initialised(self.sql)? {
            return Ok(None);
        }
        migrate(self.sql, MIGRATIONS, now)?;
        Account::load(self.sql)
    }
}

impl DurableObject for Ledger<'_> {
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
        let mut report = UsageReport::default();
        let plan = match (self.account(now)?, request) {
            (Some(mut account), request) => {
                if self.uses.borrow().is_full() {
                    self.write_uses(now)?;
                }
                let mut writes = histories::renew(&mut account, &request, now, entropy);
                let signs_in = SignInRequest::of(&request);
                let plan = self.plan(&account, request, now, &mut report)?;
                let Plan { writes: more, reply } =
                    account_networks::guard_sign_in(self.sql, signs_in, plan, now)?;
                writes.extend(more);
                // In this transaction: no record may name its member, or no longer name it, under
                // an epoch in which KV has the same revision otherwise.
                if matches!(&reply, LedgerReply::Policy(state) if state.keys.is_some()) {
                    let epoch = Epoch::new(entropy.number());
                    writes.extend(rebuild::begin_epoch(&mut account, epoch, false, now));
                }
                Plan { writes, reply }
            }
            (None, LedgerRequest::Open(opening)) => {
                migrate(self.sql, MIGRATIONS, now)?;
                open(opening, true, now, entropy)
            }
            (None, LedgerRequest::OpenInvited(opening)) => {
                migrate(self.sql, MIGRATIONS, now)?;
                open(opening, false, now, entropy)
            }
            (None, _) => Plan::read(LedgerReply::Gone),
        };
        let is_behind = self.terms.wants_documents()
            && !matches!(plan.reply, LedgerReply::Gone)
            && plan.writes.is_empty()
            && document::is_forgotten(self.sql)?;
        let writes = match is_behind {
            true => vec![document::schedule(true, now)],
            false => self.with_document(plan.writes, now),
        };
        // There is no await between the reads above and this transaction. So no other request can
        // have changed the rows that the plan uses.
        if !writes.is_empty() {
            self.sql.apply(&writes)?;
        }
        // Only after `apply`: an isolate whose refresh failed reports the same usage again.
        self.uses.borrow_mut().add(report, now);
        let mut reply = plan.reply;
        if let Some(bound) = reply.bound_mut() {
            *bound = self.terms.bound(*bound);
        }
        Ok(reply)
    }

    fn memory_due(&self) -> Option<UnixMs> {
        self.uses.borrow().due()
    }

    fn write_memory(&self, now: UnixMs) -> Result<(), ObjectError> {
        Ok(self.write_uses(now)?)
    }

    fn step(&self, task: &Task, now: UnixMs) -> Result<TaskStep, ObjectError> {
        let Some(account) = self.account(now)? else { return Ok(TaskStep::moot()) };
        Ok(match task.kind {
            TaskKind::PutRecord => outbox::put(self.sql, &account, &task.subject, now)?,
            TaskKind::ReadBack => outbox::read_back(self.sql, &account, &task.subject, now)?,
            TaskKind::PutLease => document::put(self.sql, &account, now)?,
            TaskKind::ReadLease => document::look(self.sql, account.id, now)?,
            TaskKind::Repair => repair::step(self.sql, &account, now)?,
            TaskKind::Rebuild => rebuild::step(self.sql, &account, now)?,
            TaskKind::SweepUsage => usage::sweep(self.sql, now)?,
            TaskKind::ConfirmName => outbox::confirm_name(self.sql, &account, &task.subject)?,
            TaskKind::ConfirmAccount => TaskStep::Effect(Effect::ConfirmAccount {
                account: account.id,
                name: account.name,
                suspended: account.suspended,
            }),
            TaskKind::SweepSessions => {
                let again = sessions::next_end(self.sql, now)?;
                TaskStep::Chore { writes: vec![sessions::sweep(now)], again }
            }
            TaskKind::SweepIssued => issued::sweep(self.sql, &account, now)?,
            TaskKind::SweepRevoked => revoking::sweep(self.sql, now)?,
            TaskKind::SweepIdempotency => {
                let again = idempotency::next_end(self.sql, now)?;
                TaskStep::Chore { writes: vec![idempotency::sweep(now)], again }
            }
            TaskKind::SendMail => mailbox::step(self.sql, &account, &task.subject, now)?,
            TaskKind::SweepMail => mailbox::sweep(self.sql, now)?,
            TaskKind::SweepDeletions => deletion::sweep(self.sql, now)?,
            TaskKind::ScrubKeys => key::scrub(self.sql, api_user_row::scrub(self.sql, now)?, now)?,
            TaskKind::FoldNames => name_folding::step(self.sql, now)?,
            TaskKind::LeaveName => outbox::leave_name(self.sql, &account, &task.subject)?,
            TaskKind::ConfirmApiName => {
                outbox::confirm_api_name(self.sql, &account, &task.subject)?
            }
            TaskKind::LeaveApiName => outbox::leave_api_name(&account, task),
            TaskKind::SweepInvitations => invitations::sweep(self.sql, now)?,
            TaskKind::SendNotices => notices::send(self.sql, &account, now)?,
            TaskKind::NoticeKeyEnds => key_ends::step(self.sql, now)?,
            // Tasks of other objects.
            TaskKind::AskHolds
            | TaskKind::AskExists
            | TaskKind::TellEpoch
            | TaskKind::TellPassword
            | TaskKind::TellAttempts
            | TaskKind::TellAddress
            | TaskKind::MovePerson
            | TaskKind::SettleMove
            | TaskKind::SweepMailbox
            | TaskKind::AskApiName
            | TaskKind::SweepTries => TaskStep::moot(),
        })
    }

    fn settled(
        &self,
        effect: &Effect,
        _: Option<bool>,
        now: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError> {
        let Some(account) = self.account(now)? else { return Ok(Vec::new()) };
        let writes = match effect {
            Effect::PutRecord { id, revision, sent_at, .. } => {
                outbox::acknowledged(self.sql, &account, *id, (*revision, *sent_at), now)?
            }
            Effect::PutLease { number, version, .. } => {
                document::acknowledged(self.sql, *number, *version, now)?
            }
            Effect::SendMail { envelope } => mailbox::sent(&envelope.id),
            // These read something, so their success arrives as another outcome.
            Effect::ReadBack { .. }
            | Effect::ReadLease { .. }
            | Effect::ReadMany { .. }
            | Effect::ListKv { .. } => self.failed(effect, now)?,
            // The account changed meanwhile: the directory learns the present name and state.
            Effect::ConfirmAccount { name, suspended, .. }
                if *name != account.name || *suspended != account.suspended =>
            {
                vec![Task::of(effect).postpone(now)]
            }
            Effect::LeaveName { member, .. } => outbox::left_name(*member),
            Effect::ConfirmApiName(confirmed) => {
                vec![outbox::confirmed_api_name(self.sql, &account, confirmed, now)?]
            }
            Effect::ConfirmName { .. }
            | Effect::LeaveApiName { .. }
            | Effect::AskApiName { .. }
            | Effect::ConfirmAccount { .. }
            | Effect::AskHolds { .. }
            | Effect::AskExists { .. }
            | Effect::TellEpoch { .. }
            | Effect::TellPassword { .. }
            | Effect::TellAttempts { .. }
            | Effect::MovePerson { .. }
            | Effect::SettleMove { .. }
            | Effect::TellAddress { .. } => vec![Task::of(effect).done()],
        };
        Ok(self.with_document(writes, now))
    }

    fn failed(&self, effect: &Effect, now: UnixMs) -> Result<Vec<Statement>, ObjectError> {
        Ok(match effect {
            Effect::PutRecord { id, sent_at, .. } => outbox::failed(self.sql, *id, *sent_at, now)?,
            Effect::PutLease { number, .. } => document::failed(self.sql, *number, now)?,
            Effect::SendMail { envelope } => mailbox::failed(self.sql, &envelope.id, now)?,
            Effect::ListKv { .. } | Effect::ReadMany { .. } => {
                repair::failed(self.sql, effect, now)?
            }
            Effect::ReadBack { .. }
            | Effect::ReadLease { .. }
            | Effect::ConfirmApiName(_)
            | Effect::LeaveApiName { .. }
            | Effect::AskApiName { .. }
            | Effect::ConfirmName { .. }
            | Effect::ConfirmAccount { .. }
            | Effect::AskHolds { .. }
            | Effect::AskExists { .. }
            | Effect::TellEpoch { .. }
            | Effect::TellPassword { .. }
            | Effect::TellAttempts { .. }
            | Effect::MovePerson { .. }
            | Effect::SettleMove { .. }
            | Effect::TellAddress { .. }
            | Effect::LeaveName { .. } => vec![Task::of(effect).failed(self.sql, now)?],
        })
    }

    fn refused(&self, effect: &Effect, now: UnixMs) -> Result<Vec<Statement>, ObjectError> {
        match effect {
            Effect::SendMail { envelope } => Ok(mailbox::refused(&envelope.id)),
            _ => self.failed(effect, now),
        }
    }

    fn learned(
        &self,
        effect: &Effect,
        outcome: &EffectOutcome,
        now: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError> {
        let Some(account) = self.account(now)? else { return Ok(Vec::new()) };
        let writes = match (effect, outcome) {
            (
                Effect::ReadBack { id, revision, acknowledged_at, .. },
                EffectOutcome::Read { value },
            ) => {
                let put = (*revision, *acknowledged_at);
                outbox::was_read_back(self.sql, &account, *id, put, value.as_deref(), now)?
            }
            (Effect::ReadLease { number, .. }, EffectOutcome::Read { value }) => {
                document::looked(self.sql, &account, *number, value.as_deref(), now)?
            }
            (Effect::ReadMany { .. }, EffectOutcome::ReadMany { values }) => {
                repair::compared(self.sql, &account, values, now)?
            }
            (Effect::ListKv { cursor, .. }, EffectOutcome::Listed { names, cursor: next }) => {
                let page = (names.as_slice(), next.as_deref());
                repair::listed(self.sql, &account, cursor.as_deref(), page, now)?
            }
            _ => self.failed(effect, now)?,
        };
        Ok(self.with_document(writes, now))
    }

    fn alert(&self, now: UnixMs) -> Result<Option<String>, ObjectError> {
        let Some(account) = self.account(now)? else { return Ok(None) };
        let line = |lag: DurationMs| {
            format!(
                "account {}: KV lacks a change for {} s",
                account.id,
                lag.as_ms().div_euclid(1_000)
            )
        };
        Ok(publication::alarming_lag(&account, now).map(line))
    }
}
