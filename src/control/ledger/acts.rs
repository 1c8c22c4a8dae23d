//! Commands that a member or a program may give: execution, and the reply. The caller has
//! authorised the command, by the [rights of members](super::rights) or [those of
//! programs](super::token).

use claviger_core::credential::limits::network::ClientAddress;

use super::decide::{IssueRequest, KEYS_MAX, KeyDecision, Present};
use super::key::Key;
use super::policy::HeldKeys;
use super::publication::Publication;
use super::regeneration::RegenerateRequest;
use super::{
    activity, at_stake, deletion, factors, idempotency, key, listing, pair, regeneration, usage,
};
use crate::ledger::context::ActContext;
use crate::ledger::ledger::Ledger;
use crate::ledger::plan::{Plan, commit_writes};
use crate::objects::sql::{SqlError, Statement};
use crate::protocol::command::Command;
use crate::protocol::draft::preview::DraftPreview;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

impl Ledger<'_> {
    /// Executes a command that needs no session.
    pub(super) fn act(&self, context: ActContext<'_>, command: Command) -> Result<Plan, SqlError> {
        match command {
            Command::List(listing) => {
                let page = listing::page(self.sql, context.account, &listing, context.now)?;
                let refused =
                    |error| LedgerReply::Refused(Refusal::Invalid { errors: vec![error] });
                Ok(Plan::read(page.map_or_else(refused, LedgerReply::Page)))
            }
            Command::Get { id, deleted } => {
                let key = Key::load(self.sql, id)?;
                let mut view = if deleted { key } else { key.and_then(Key::living) }
                    .map(|key| key.view(context.account));
                if let Some(view) = view.as_mut().filter(|view| !view.observed.is_empty()) {
                    let refused = usage::locked_out(self.sql, id, &view.observed, context.now)?;
                    view.would_refuse = Some(refused);
                }
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
                if let (Some(key), Some(note)) = (draft.key, &checked.networks_observed) {
                    checked.would_refuse =
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
                    context.member_id(),
                    &context.stored_idempotency_key(&idempotency_key),
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
                let scrub = key::schedule_scrub(context.now);
                self.commit(context, context.decision().end_overlap(key, expected), vec![scrub])
            }
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
            Command::DeleteKey { id, expected } => {
                deletion::delete_one(self.sql, context, id, expected)
            }
            Command::RestoreKey { id, expected } => {
                let (key, keys) = (Key::load(self.sql, id)?, key::counted(self.sql, KEYS_MAX)?);
                let member = key.as_ref().map_or(context.member_id(), |key| key.created.member);
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
            // It needs a session, which its caller has.
            _ => Ok(Plan::refuse(Refusal::NotPermitted)),
        }
    }

    /// Turns a decision into a reply and its writes.
    fn commit(
        &self,
        context: ActContext<'_>,
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
        context: ActContext<'_>,
        issue: &IssueRequest<'_>,
    ) -> Result<Present, SqlError> {
        let member = context.member_id();
        Ok(Present {
            issued_before: idempotency::issued(
                self.sql,
                member,
                &context.stored_idempotency_key(issue.idempotency_key),
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

fn changed(context: ActContext<'_>, key: &Key, narrows: bool) -> LedgerReply {
    LedgerReply::Changed {
        key: Some(key.view(context.account)),
        record: key.record(context.account),
        bound: narrows.then(|| context.account.bound(context.now)),
    }
}
