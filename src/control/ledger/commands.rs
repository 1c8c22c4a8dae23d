//! Commands of members: authorisation, execution, and the reply.
//!
//! One function ([`rights::authorise`]) decides on the rights of every command, before the ledger
//! reads anything that the command names.

use claviger_core::credential::issuer::RevokedSealed;

use super::audit::Action;
use super::{
    activity, api_users, deletion, email_code, factor_commands, members, network_commands, notices,
    pair, passkey_commands, reveal, revoking, service, session_list, usage,
};
use crate::ledger::context::CommandContext;
use crate::ledger::ledger::Ledger;
use crate::ledger::password::VerifiedPassword;
use crate::ledger::plan::Plan;
use crate::ledger::sign_in::step_up;
use crate::ledger::{account_networks, operator, rights};
use crate::objects::sql::SqlError;
use crate::protocol::command::Command;
use crate::protocol::ledger::LedgerReply;

impl Ledger<'_> {
    /// Plans the reply to a command. If the member may give it, writes pending usage first, so that
    /// the console shows it.
    pub(super) fn console(
        &self,
        mut context: CommandContext<'_>,
        command: Command,
    ) -> Result<Plan, SqlError> {
        let check = account_networks::check_console(self.sql, &command, context.address)?;
        if let Err(refusal) = check {
            return Ok(Plan::refuse(refusal));
        }
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
            command @ (Command::List(_)
            | Command::Get { .. }
            | Command::CountIssued { .. }
            | Command::Check { .. }
            | Command::Issue { .. }
            | Command::Regenerate { .. }
            | Command::EndOverlap { .. }
            | Command::Edit { .. }
            | Command::SetEnabled { .. }
            | Command::DeleteKey { .. }
            | Command::RestoreKey { .. }
            | Command::Activity { exports: false, .. }) => self.act(context.act(), command),
            Command::Reveal { id } => reveal::plan(self.sql, context, id),
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
            Command::ShowPair => pair::show(self.sql, context),
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
            Command::Networks { networks } => {
                network_commands::execute(self.sql, context, networks)
            }
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
}
