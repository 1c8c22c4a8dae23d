//! Commands of members: authorisation, execution, and the reply.
//!
//! One function ([`rights::authorise`]) decides on the rights of every command, before the ledger
//! reads anything that the command names.

use claviger_core::credential::issuer::RevokedSealed;
use claviger_core::credential::limits::network::ClientAddress;

use super::audit::Action;
use super::decide::{IssueRequest, KEYS_MAX, KeyDecision, Present};
use super::key::Key;
use super::policy::HeldKeys;
use super::publication::Publication;
use super::regeneration::RegenerateRequest;
use super::{
    activity, api_users, at_stake, deletion, email_code, factor_commands, factors, idempotency,
    key, listing, members, notices, pair, passkey_commands, regeneration, reveal, revoking,
    service, session_list, usage,
};
use crate::ledger::context::CommandContext;
use crate::ledger::ledger::Ledger;
use crate::ledger::password::VerifiedPassword;
use crate::ledger::plan::{Plan, commit_writes};
use crate::ledger::sign_in::step_up;
use crate::ledger::{operator, rights};
use crate::objects::sql::{SqlError, Statement};
use crate::protocol::command::Command;
use crate::protocol::draft::preview::DraftPreview;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

impl Ledger<'_> {
    /// Plans the reply to a command. If the member may give it, writes pending usage first, so that
    /// the console shows it.
    pub(super) fn console(
        &self,
        mut context: CommandContext<'_>,
        command: Command,
    ) -> Result<Plan, SqlError> {
        let command = rights::given_by(command, context.session.member_id());
        let (role, proof) = (context.session.member.view.role, context.session.proof(context.now));
        let policy = context.account.policy.proofs;
        let operates = context.account.operator;
        if let Err(refusal) = rights::authorise(&command, role, proof, &policy, operates) {
            return Ok(Plan::refuse(context.session.offered(refusal)));
        }
        self.write_uses(context.now)?;
        let renewal = context.session.renew(context.address, context.now);
        let act = notices::act_of(&command);
        let mut plan = self.execute(&mut context, command)?;
        if let Some(act) = act
            && !plan.writes.is_empty()
            && !matches!(plan.reply, LedgerReply::Refused(_))
        {
            plan.writes.extend(notices::of_act(&context, act));
        }
        usage::add_recent_uses(self.sql, plan.reply.keys_mut(), context.now)?;
        if !matches!(plan.reply, LedgerReply::Refused(_)) {
            // Placed before the command's own writes: signing out deletes the row that `renewal`
            // updates.
            plan.writes.splice(0..0, renewal);
        }
        Ok(plan)
    }

    fn execute(
        &self,
        context: &mut CommandContext<'_>,
        command: Command,
    ) -> Result<Plan, SqlError> {
        match command {
            Command::Show | Command::ChangeAddress => Ok(Plan::read(LedgerReply::Session(
                context.session.view(context.account, context.now),
            ))),
            Command::SignOut => {
                let writes = vec![context.session.end(), context.author().did(Action::SignOut)];
                Ok(Plan { writes, reply: LedgerReply::Done })
            }
            Command::StepUp { secret_version: version, confirmed, session } => {
                Ok(step_up(context, VerifiedPassword { version, confirmed }, session.as_ref()))
            }
            Command::MailProofCode { code } => email_code::mail(self.sql, context, code),
            Command::ProveCode { mac, session } => {
                email_code::prove(self.sql, context, mac, &session)
            }
            Command::List(listing) => {
                let page = listing::page(self.sql, context.account, &listing, context.now)?;
                let refused =
                    |error| LedgerReply::Refused(Refusal::Invalid { errors: vec![error] });
                Ok(Plan::read(page.map_or_else(refused, LedgerReply::Page)))
            }
            Command::Get { id, deleted } => {
                let key = Key::load(self.sql, id)?;
                let view = if deleted { key } else { key.and_then(Key::living) }
                    .map(|key| key.view(context.account));
                Ok(Plan::read(
                    view.map_or(LedgerReply::Refused(Refusal::NotFound), LedgerReply::Key),
                ))
            }
            Command::CountIssued { issuer } => {
                let counts = at_stake::issued(self.sql, issuer, context.now)?;
                let none = LedgerReply::Refused(Refusal::NotFound);
                Ok(Plan::read(counts.map_or(none, LedgerReply::IssuedCounted)))
            }
            Command::Check { draft } => {
                let caller = context.address.and_then(ClientAddress::parse);
                let edited = draft.key.map(|id| Key::load(self.sql, id)).transpose()?.flatten();
                let created_at = edited.map(|key| key.created.at);
                let setting = context.decision();
                let mut checked = DraftPreview::of(&draft, setting.setting(created_at), caller);
                if let (Some(key), Some(note)) = (draft.key, &checked.networks) {
                    checked.locked_out =
                        Some(usage::locked_out(self.sql, key, &note.stored, context.now)?);
                }
                Ok(Plan::read(LedgerReply::Checked(checked)))
            }
            Command::Issue { id, digest, draft, idempotency_key, sealed } => {
                // The secret is stored only if the member chose a viewable key.
                let sealed = sealed.filter(|_| draft.viewable == Some(true));
                let is_kept = sealed.is_some();
                let issue = IssueRequest {
                    id,
                    digest,
                    draft: &draft,
                    is_kept,
                    idempotency_key: &idempotency_key,
                };
                let present = self.present(context, &issue)?;
                let decision = context.decision().issue(issue, present);
                let remember = idempotency::remember(
                    context.session.member_id(),
                    &idempotency_key,
                    id,
                    context.now,
                );
                let mut more = Vec::from(remember);
                if let Ok(KeyDecision::Change(change)) = &decision {
                    more.extend(pair::confirm(context, &change.after)?);
                }
                more.extend(sealed.map(|sealed| key::keep(id, &sealed)));
                self.commit(context, decision, more)
            }
            Command::Regenerate {
                id,
                expected,
                new_id,
                new_digest,
                form,
                idempotency_key,
                sealed,
            } => {
                let request = RegenerateRequest {
                    expected,
                    id: new_id,
                    digest: new_digest,
                    form: &form,
                    is_sealed: sealed.is_some(),
                    idempotency_key: &idempotency_key,
                };
                regeneration::plan(self.sql, context, id, request, sealed)
            }
            Command::EndOverlap { id, expected } => {
                let key = Key::load(self.sql, id)?;
                let scrub = regeneration::schedule_scrub(context.now);
                self.commit(context, context.decision().end_overlap(key, expected), vec![scrub])
            }
            Command::Reveal { id } => reveal::plan(self.sql, context, id),
            Command::Edit { id, expected, changes } => {
                let key = Key::load(self.sql, id)?;
                self.commit(context, context.decision().edit(key, expected, &changes), Vec::new())
            }
            Command::SetEnabled { id, expected, enabled } => {
                let key = Key::load(self.sql, id)?;
                self.commit(
                    context,
                    context.decision().set_enabled(key, expected, enabled),
                    Vec::new(),
                )
            }
            Command::RevokeSealed { id, issuer, until } => {
                revoking::plan(self.sql, context, RevokedSealed { id, until }, issuer)
            }
            Command::BeginDeletion { id, keys, code } => {
                deletion::begin(self.sql, context, id, keys, code)
            }
            Command::ShowDeletion { id } => deletion::show(self.sql, context, id),
            Command::MailDeletionCode { id, code } => {
                deletion::mail_code(self.sql, context, id, code)
            }
            Command::ConfirmDeletion { id, mac } => deletion::confirm(self.sql, context, id, mac),
            Command::DeleteKey { id, expected } => {
                deletion::delete_one(self.sql, context, id, expected)
            }
            Command::ShowPair => pair::show(self.sql, context),
            Command::RestoreKey { id, expected } => {
                let (key, keys) = (Key::load(self.sql, id)?, key::counted(self.sql, KEYS_MAX)?);
                let member =
                    key.as_ref().map_or(context.session.member_id(), |key| key.created.member);
                let successor = key.as_ref().and_then(|key| key.replaced_by);
                let successor = successor.map(|id| Key::load(self.sql, id)).transpose()?.flatten();
                let held = HeldKeys::load(self.sql, &context.account.policy, member)?
                    .beside(successor.and_then(Key::living).is_some());
                let decision = context.decision().restore(key, expected, keys, held);
                self.commit(context, decision, Vec::new())
            }
            Command::Activity { query, exports: false } => {
                activity::read(self.sql, context, &query)
            }
            Command::Activity { query, exports: true } => {
                activity::export(self.sql, context, &query)
            }
            Command::Service { service } => {
                service::execute(self.sql, context.decision(), context.author(), service)
            }
            Command::Operate { operation } => {
                let (writes, reply) = operator::operate(self.sql, context.author(), &operation)?;
                Ok(Plan { writes, reply })
            }
            Command::ListSessions => session_list::list(self.sql, context),
            Command::EndSession { id } => session_list::end(self.sql, context, id),
            Command::EndOtherSessions => Ok(session_list::end_others(context)),
            Command::Members { members } => members::execute(self.sql, context, members),
            Command::ProveFactor { typed, session } => {
                factor_commands::prove(self.sql, context, &typed, &session)
            }
            Command::NoteAccounts { accounts } => {
                let writes = vec![context.session.note_accounts(accounts)];
                let view = context.session.view(context.account, context.now);
                Ok(Plan { writes, reply: LedgerReply::Session(view) })
            }
            Command::Factors { factors } => factor_commands::execute(self.sql, context, factors),
            Command::Passkeys { passkeys } => {
                passkey_commands::execute(self.sql, context, passkeys)
            }
            Command::ApiUsers { users } => api_users::execute(self.sql, context, users),
        }
    }

    /// Turns a decision into a reply and its writes.
    fn commit(
        &self,
        context: &CommandContext<'_>,
        decision: Result<KeyDecision, Refusal>,
        more: Vec<Statement>,
    ) -> Result<Plan, SqlError> {
        let change = match decision {
            Err(refusal) => return Ok(Plan::refuse(refusal)),
            Ok(KeyDecision::Unchanged(key)) => {
                return Ok(Plan::read(changed(context, &key, false)));
            }
            Ok(KeyDecision::Change(change)) => *change,
        };
        let mut writes = commit_writes(self.sql, context.account, context.author(), &change)?;
        writes.extend(more);
        Ok(Plan { writes, reply: changed(context, &change.after, change.narrows) })
    }

    fn present(
        &self,
        context: &CommandContext<'_>,
        issue: &IssueRequest<'_>,
    ) -> Result<Present, SqlError> {
        let member = context.session.member_id();
        Ok(Present {
            issued_before: idempotency::issued(
                self.sql,
                member,
                issue.idempotency_key,
                context.now,
            )?,
            keys: key::counted(self.sql, KEYS_MAX)?,
            // An orphan's ID counts as taken, too.
            id_is_taken: Publication::load(self.sql, issue.id)?.is_some(),
            held: HeldKeys::load(self.sql, &context.account.policy, member)?,
            has_second_factor: factors::has_second_factor(self.sql, member)?,
        })
    }
}

fn changed(context: &CommandContext<'_>, key: &Key, narrows: bool) -> LedgerReply {
    LedgerReply::Changed {
        key: Some(key.view(context.account)),
        record: key.record(context.account),
        bound: narrows.then(|| context.account.bound(context.now)),
    }
}
