//! Routes under `/v1/deletions`: draws codes; the account's ledger decides.

use claviger_control::admin::log::{AttemptRefused, LoggedAttempt};
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{body, form, view};
use claviger_control::protocol::code::CodePurpose;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::TokenId;
use claviger_workers::rng;

use crate::clock::now;
use crate::context::RequestContext;
use crate::{attempts, codes};

/// Begins a deletion.
pub async fn begin(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let typed: body::BeginDeletion = context.body().await?;
    let keys = form::deletion_keys(&typed.keys)?;
    let id = TokenId::random(&mut rng());
    let code = codes::draw(&context.config, CodePurpose::Deletion, account, id)?;
    answer(context, 201, Command::BeginDeletion { id, keys, code }).await
}

/// Returns a deletion.
pub async fn show(context: &RequestContext<'_>, id: TokenId) -> Result<Response, AdminProblem> {
    answer(context, 200, Command::ShowDeletion { id }).await
}

/// Mails another code.
pub async fn mail_code(
    context: &RequestContext<'_>,
    id: TokenId,
) -> Result<Response, AdminProblem> {
    let code =
        codes::draw(&context.config, CodePurpose::Deletion, context.session()?.account(), id)?;
    answer(context, 200, Command::MailDeletionCode { id, code }).await
}

/// Deletes the keys if the code is right.
pub async fn confirm(context: &RequestContext<'_>, id: TokenId) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let typed: body::ConfirmDeletion = context.body().await?;
    let code = form::code("code", CodePurpose::Deletion, &typed.code)?;
    let mac = code.mac(CodePurpose::Deletion, account, id, &context.config.master);
    match context.command(Command::ConfirmDeletion { id, mac }).await? {
        LedgerReply::Deleted { records, bound, restorable_until } => {
            Ok(Response::json(200, &view::deleted(&records, bound, restorable_until, now())))
        }
        reply => {
            if matches!(reply, LedgerReply::Refused(Refusal::CodeWrong { .. })) {
                let (wrong, owner) = (AttemptRefused::Wrong, (Some(account), None));
                attempts::note_refused(context, LoggedAttempt::DeletionCode, wrong, owner);
            }
            Err(context.refusal(reply))
        }
    }
}

async fn answer(
    context: &RequestContext<'_>,
    status: u16,
    command: Command,
) -> Result<Response, AdminProblem> {
    match context.command(command).await? {
        LedgerReply::Deletion(deletion) => {
            Ok(Response::json(status, &view::deletion(&deletion, &context.config, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}
