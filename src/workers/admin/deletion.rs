//! Routes under `/v1/deletions`: draws codes; the account's ledger decides.

use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::log::{AttemptRefused, LoggedAttempt};
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{body, form, view};
use claviger_control::protocol::code::{Code, CodePurpose};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::deletion::NewCode;
use claviger_control::protocol::encryption;
use claviger_control::protocol::envelope::code_associated_data;
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::{AccountId, TokenId};
use claviger_core::base::secret::SecretText;
use claviger_workers::rng;

use crate::attempts;
use crate::clock::now;
use crate::context::RequestContext;

/// Begins a deletion.
pub async fn begin(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let typed: body::BeginDeletion = context.body().await?;
    let keys = form::deletion_keys(&typed.keys)?;
    let id = TokenId::random(&mut rng());
    let code = draw(&context.config, account, id)?;
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
    let code = draw(&context.config, context.session()?.account(), id)?;
    answer(context, 200, Command::MailDeletionCode { id, code }).await
}

/// Deletes the keys if the code is right.
pub async fn confirm(context: &RequestContext<'_>, id: TokenId) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let typed: body::ConfirmDeletion = context.body().await?;
    let code = form::code(CodePurpose::Deletion, &typed.code)?;
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

/// Draws a code: its MAC for the ledger, and its ciphertext for the mail.
fn draw(config: &AdminConfig, account: AccountId, id: TokenId) -> Result<NewCode, AdminProblem> {
    config.mail.as_ref().ok_or(AdminProblem::MailOff)?;
    let code = Code::draw(CodePurpose::Deletion, &mut rng());
    let text = SecretText::new(code.expose().to_owned());
    let sealed =
        encryption::encrypt(&text, code_associated_data(account, &id), &config.master, &mut rng());
    let mac = code.mac(CodePurpose::Deletion, account, id, &config.master);
    Ok(NewCode { mac, sealed: sealed.ok_or(RequestProblem::Internal)? })
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
