//! Routes under `/v1/account/service`: the credentials with which a customer's own program issues
//! keys.

use claviger_control::admin::body::DRAFT_BYTES_MAX;
use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::problem::{AdminProblem, NotViewable};
use claviger_control::admin::{headers, view};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::draft::ceiling::TypedCeiling;
use claviger_control::protocol::encryption;
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::service::ServiceCommand;
use claviger_control::protocol::service_credentials::{
    NewPassword, NewService, ServiceView, associated_data,
};
use claviger_core::base::http::json_body;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::AccountId;
use claviger_core::config::terms::Bound;
use claviger_workers::rng;

use crate::clock::now;
use crate::context::RequestContext;

/// Returns the credentials without the password.
pub async fn show(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    match ask(context, ServiceCommand::Show).await? {
        LedgerReply::Service(service) => Ok(Response::json(200, &view::service(&service, now()))),
        reply => Err(context.refusal(reply)),
    }
}

/// Shows the password. The ledger permits and records this before the password is decrypted here.
pub async fn reveal(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    match ask(context, ServiceCommand::Reveal).await? {
        LedgerReply::ServiceRevealed { service, sealed } => {
            let password =
                encryption::decrypt(&sealed, associated_data(&account), &context.config.master)
                    .ok_or(AdminProblem::NotViewable(NotViewable::GenerationDropped))?;
            Ok(Response::json(200, &view::service_password(&service, &password, None, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Replaces the password by a newly drawn one.
pub async fn change_password(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let expected = headers::if_match(context.request.headers)?;
    let (password, new) = draw(&context.config, account).ok_or(RequestProblem::Unavailable)?;
    let (service, bound) = change(context, ServiceCommand::Change { expected, new }).await?;
    Ok(Response::json(200, &view::service_password(&service, password.text(), Some(bound), now())))
}

/// Changes the password's ceiling.
pub async fn set_ceiling(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    context.session()?;
    let expected = headers::if_match(context.request.headers)?;
    let ceiling: TypedCeiling = json_body::parse(&context.bytes(DRAFT_BYTES_MAX).await?)?;
    let (service, bound) =
        change(context, ServiceCommand::SetCeiling { expected, ceiling }).await?;
    Ok(Response::json(200, &view::service_changed(&service, bound, now())))
}

/// Draws a password, with the digest and ciphertext for the ledger of `account`.
pub fn draw(config: &AdminConfig, account: AccountId) -> Option<(NewPassword, NewService)> {
    let password = NewPassword::generate(&mut rng());
    let new = password.service(account, &config.prefix, &config.master, &mut rng())?;
    Some((password, new))
}

/// Sends a change to the ledger.
async fn change(
    context: &RequestContext<'_>,
    command: ServiceCommand,
) -> Result<(ServiceView, Option<Bound>), AdminProblem> {
    match ask(context, command).await? {
        LedgerReply::ServiceChanged { service, bound } => Ok((service, bound)),
        reply => Err(context.refusal(reply)),
    }
}

async fn ask(
    context: &RequestContext<'_>,
    service: ServiceCommand,
) -> Result<LedgerReply, AdminProblem> {
    context.command(Command::Service { service }).await
}
