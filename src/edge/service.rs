//! `/v1/account/service`: the credentials with which a customer's own program asks for keys.

use super::console::{Exchange, core, rng, unavailable};
use super::{now, with_gateway};
use crate::answer::Answer;
use crate::console::body::DRAFT_BYTES_MAX;
use crate::console::{body, headers, view};
use crate::draft::TypedCeiling;
use crate::id::AccountId;
use crate::problem::{NotViewable, Problem};
use crate::protocol::{Bound, Command, LedgerReply, ServiceCommand};
use crate::service::{NewPassword, NewService, ServiceView, place};
use crate::vault;

/// Shows them without the password.
pub async fn show(exchange: &Exchange<'_>) -> Result<Answer, Problem> {
    match ask(exchange, ServiceCommand::Show).await? {
        LedgerReply::Service(service) => Ok(Answer::json(200, &view::service(&service, now()))),
        reply => Err(exchange.refusal(reply)),
    }
}

/// Shows the password. The ledger has let it be shown and written that down before it is decrypted here.
pub async fn reveal(exchange: &Exchange<'_>) -> Result<Answer, Problem> {
    let account = exchange.session()?.account();
    match ask(exchange, ServiceCommand::Reveal).await? {
        LedgerReply::ServiceRevealed { service, sealed } => {
            let password = core(|config| vault::open(&sealed, place(&account), &config.ring))?
                .ok_or(Problem::NotViewable(NotViewable::GenerationDropped))?;
            Ok(Answer::json(200, &view::service_password(&service, &password, None, now())))
        }
        reply => Err(exchange.refusal(reply)),
    }
}

/// Draws a new password.
pub async fn change_password(exchange: &Exchange<'_>) -> Result<Answer, Problem> {
    let account = exchange.session()?.account();
    let expected = headers::if_match(exchange.request.headers)?;
    let (password, new) = draw(account)?.ok_or_else(unavailable)?;
    let (service, bound) = change(exchange, account, ServiceCommand::Change { expected, new }).await?;
    Ok(Answer::json(200, &view::service_password(&service, password.text(), Some(bound), now())))
}

/// Changes how far the password may go.
pub async fn set_ceiling(exchange: &Exchange<'_>) -> Result<Answer, Problem> {
    let account = exchange.session()?.account();
    let expected = headers::if_match(exchange.request.headers)?;
    let ceiling: TypedCeiling = body::parse(&exchange.bytes(DRAFT_BYTES_MAX).await?)?;
    let (service, bound) =
        change(exchange, account, ServiceCommand::SetCeiling { expected, ceiling }).await?;
    Ok(Answer::json(200, &view::service_changed(&service, bound, now())))
}

/// A fresh password, and what the ledger of `account` is to keep of it.
pub fn draw(account: AccountId) -> Result<Option<(NewPassword, NewService)>, Problem> {
    core(|config| {
        let password = NewPassword::generate(&mut rng());
        let new = password.service(account, &config.prefix, &config.ring, &mut rng())?;
        Some((password, new))
    })
}

/// Has a change committed, and lets this isolate learn of it: where the change was made it holds at once.
async fn change(
    exchange: &Exchange<'_>,
    account: AccountId,
    command: ServiceCommand,
) -> Result<(ServiceView, Option<Bound>), Problem> {
    match ask(exchange, command).await? {
        LedgerReply::ServiceChanged { service, bound } => {
            with_gateway(|gateway| gateway.end_lease(account));
            Ok((service, bound))
        }
        reply => Err(exchange.refusal(reply)),
    }
}

async fn ask(exchange: &Exchange<'_>, service: ServiceCommand) -> Result<LedgerReply, Problem> {
    exchange.command(Command::Service { service }).await
}
