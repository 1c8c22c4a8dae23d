//! What members command at the console: who gives it, whether they may, and what comes of it.
//!
//! Everybody's right is decided in one place ([`decide::authorise`]), before anything of what is
//! commanded is looked at.

use claviger_core::credential::issuer::RevokedSealed;
use claviger_core::credential::limits::network::ClientAddress;

use super::audit::Action;
use super::decide::{Decision, Issue, Present};
use super::key::{Key, Tally};
use super::publication::Publication;
use super::{activity, deletion, idempotency, key, listing, reveal, revoking, service, usage};
use crate::ledger::context::CommandContext;
use crate::ledger::ledger::Ledger;
use crate::ledger::plan::{Plan, commit_writes};
use crate::ledger::sign_in::step_up;
use crate::ledger::{decide, operator};
use crate::objects::sql::{SqlError, Statement};
use crate::protocol::command::Command;
use crate::protocol::draft::Checked;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

impl Ledger<'_> {
    /// Plans the reply to a command. Whoever is at the console finds all uses written.
    pub(super) fn console(
        &self,
        mut asked: CommandContext<'_>,
        command: Command,
    ) -> Result<Plan, SqlError> {
        let (role, is_proven) =
            (asked.session.member.view.role, asked.session.is_proven(asked.now));
        if let Err(refusal) = decide::authorise(&command, role, is_proven, asked.account.operator) {
            return Ok(Plan::refuse(refusal));
        }
        self.write_uses(asked.now)?;
        let renewal = asked.session.renew(asked.now);
        let mut plan = self.execute(&mut asked, command)?;
        usage::tell(self.sql, plan.reply.keys_mut(), asked.now)?;
        if !matches!(plan.reply, LedgerReply::Refused(_)) {
            // Before the rest: signing out removes the row that this would renew.
            plan.writes.splice(0..0, renewal);
        }
        Ok(plan)
    }

    fn execute(&self, asked: &mut CommandContext<'_>, command: Command) -> Result<Plan, SqlError> {
        match command {
            Command::Show => {
                Ok(Plan::read(LedgerReply::Session(asked.session.view(asked.account, asked.now))))
            }
            Command::SignOut => {
                let writes = vec![asked.session.end(), asked.author().did(Action::SignOut)];
                Ok(Plan { writes, reply: LedgerReply::Done })
            }
            Command::StepUp { secret_version } => Ok(step_up(asked, secret_version)),
            Command::List(listing) => {
                let page = listing::page(self.sql, asked.account.id, &listing)?;
                let refused =
                    |error| LedgerReply::Refused(Refusal::Invalid { errors: vec![error] });
                Ok(Plan::read(page.map_or_else(refused, LedgerReply::Page)))
            }
            Command::Get { id, deleted } => {
                let key = Key::load(self.sql, id)?;
                let view =
                    if deleted { key } else { key.and_then(Key::living) }.map(|key| key.view());
                Ok(Plan::read(
                    view.map_or(LedgerReply::Refused(Refusal::NotFound), LedgerReply::Key),
                ))
            }
            Command::Check { draft } => {
                let caller = asked.address.and_then(ClientAddress::parse);
                let mut checked = Checked::of(&draft, asked.desk().setting(), caller);
                if let (Some(key), Some(note)) = (draft.key, &checked.networks) {
                    checked.locked_out =
                        Some(usage::locked_out(self.sql, key, &note.stored, asked.now)?);
                }
                Ok(Plan::read(LedgerReply::Checked(checked)))
            }
            Command::Issue { id, digest, draft, idempotency_key, sealed } => {
                // Only what its member chose to be shown again is kept.
                let sealed = sealed.filter(|_| draft.viewable == Some(true));
                let is_kept = sealed.is_some();
                let issue =
                    Issue { id, digest, draft: &draft, is_kept, idempotency_key: &idempotency_key };
                let present = self.present(asked, &issue)?;
                let decision = asked.desk().issue(issue, present);
                let remember = idempotency::remember(
                    asked.session.member_id(),
                    &idempotency_key,
                    id,
                    asked.now,
                );
                let mut more = Vec::from(remember);
                more.extend(sealed.map(|sealed| key::keep(id, &sealed)));
                self.commit(asked, decision, more)
            }
            Command::Reveal { id } => reveal::plan(self.sql, asked, id),
            Command::Edit { id, expected, changes } => {
                let key = Key::load(self.sql, id)?;
                self.commit(asked, asked.desk().edit(key, expected, &changes), Vec::new())
            }
            Command::SetEnabled { id, expected, enabled } => {
                let key = Key::load(self.sql, id)?;
                self.commit(asked, asked.desk().set_enabled(key, expected, enabled), Vec::new())
            }
            Command::RevokeSealed { id, issuer, until } => {
                revoking::plan(self.sql, asked, RevokedSealed { id, until }, issuer)
            }
            Command::BeginDeletion { id, keys, code } => {
                deletion::begin(self.sql, asked, id, keys, code)
            }
            Command::ShowDeletion { id } => deletion::show(self.sql, asked, id),
            Command::MailDeletionCode { id, code } => {
                deletion::mail_code(self.sql, asked, id, code)
            }
            Command::ConfirmDeletion { id, mac } => deletion::confirm(self.sql, asked, id, mac),
            Command::RestoreKey { id, expected } => {
                let (key, keys) = (Key::load(self.sql, id)?, Tally::load(self.sql)?.members);
                self.commit(asked, asked.desk().restore(key, expected, keys), Vec::new())
            }
            Command::Activity { query, exports: false } => activity::read(self.sql, asked, &query),
            Command::Activity { query, exports: true } => activity::export(self.sql, asked, &query),
            Command::Service { service } => {
                service::execute(self.sql, asked.desk(), asked.author(), service)
            }
            Command::Operate { operation } => {
                let (writes, reply) = operator::operate(self.sql, asked.author(), &operation)?;
                Ok(Plan { writes, reply })
            }
        }
    }

    /// Turns a decision into a reply and the writes that make it true.
    fn commit(
        &self,
        asked: &CommandContext<'_>,
        decision: Result<Decision, Refusal>,
        more: Vec<Statement>,
    ) -> Result<Plan, SqlError> {
        let change = match decision {
            Err(refusal) => return Ok(Plan::refuse(refusal)),
            Ok(Decision::Unchanged(key)) => return Ok(Plan::read(changed(asked, &key, false))),
            Ok(Decision::Change(change)) => *change,
        };
        let mut writes = commit_writes(self.sql, asked.account, asked.author(), &change)?;
        writes.extend(more);
        Ok(Plan { writes, reply: changed(asked, &change.after, change.takes_away) })
    }

    fn present(&self, asked: &CommandContext<'_>, issue: &Issue<'_>) -> Result<Present, SqlError> {
        let member = asked.session.member_id();
        Ok(Present {
            issued_before: idempotency::issued(self.sql, member, issue.idempotency_key, asked.now)?,
            keys: Tally::load(self.sql)?.members,
            // Also by an orphan.
            id_is_taken: Publication::load(self.sql, issue.id)?.is_some(),
        })
    }
}

fn changed(asked: &CommandContext<'_>, key: &Key, takes_away: bool) -> LedgerReply {
    LedgerReply::Changed {
        key: Some(key.view()),
        record: key.record(&asked.account.epoch),
        bound: takes_away.then(|| asked.account.bound(asked.now)),
    }
}
