//! `/v1/deletions`: draws codes, and lets the account's ledger decide.

use super::console::{Exchange, core, rng};
use super::{now, with_gateway};
use crate::answer::Answer;
use crate::code::{Code, Purpose};
use crate::console::{body, form, view};
use crate::id::{AccountId, TokenId};
use crate::mail::code_place;
use crate::problem::Problem;
use crate::protocol::{Command, LedgerReply, NewCode};
use crate::secret::SecretText;
use crate::vault;

/// Begins a deletion.
pub async fn begin(exchange: &Exchange<'_>) -> Result<Answer, Problem> {
    let account = exchange.session()?.account();
    let typed: body::BeginDeletion = exchange.body().await?;
    let keys = form::deletion_keys(&typed.keys)?;
    let id = TokenId::random(&mut rng());
    let code = draw(account, id)?;
    answer(exchange, 201, Command::BeginDeletion { id, keys, code }).await
}

/// Shows a deletion.
pub async fn show(exchange: &Exchange<'_>, id: TokenId) -> Result<Answer, Problem> {
    answer(exchange, 200, Command::ShowDeletion { id }).await
}

/// Mails another code.
pub async fn mail_code(exchange: &Exchange<'_>, id: TokenId) -> Result<Answer, Problem> {
    let code = draw(exchange.session()?.account(), id)?;
    answer(exchange, 200, Command::MailDeletionCode { id, code }).await
}

/// Deletes the keys, if the code is right, and lets this isolate use what it now knows.
pub async fn confirm(exchange: &Exchange<'_>, id: TokenId) -> Result<Answer, Problem> {
    let account = exchange.session()?.account();
    let typed: body::ConfirmDeletion = exchange.body().await?;
    let code = form::code(&typed.code)?;
    let mac = core(|config| code.mac(Purpose::Deletion, account, id, &config.ring))?;
    match exchange.command(Command::ConfirmDeletion { id, mac }).await? {
        LedgerReply::Deleted { records, bound, restorable_until } => {
            for record in &records {
                with_gateway(|gateway| gateway.learn_from_change(record.clone(), now()));
            }
            Ok(Answer::json(200, &view::deleted(&records, bound, restorable_until, now())))
        }
        reply => Err(exchange.refusal(reply)),
    }
}

/// Draws a code: what the ledger compares, and what only the mail shows.
fn draw(account: AccountId, id: TokenId) -> Result<NewCode, Problem> {
    core(|config| {
        config.mail.as_ref().ok_or(Problem::MailOff)?;
        let code = Code::draw(&mut rng());
        let text = SecretText::new(code.expose().to_owned());
        let sealed = vault::seal(&text, code_place(account, &id), &config.ring, &mut rng());
        let mac = code.mac(Purpose::Deletion, account, id, &config.ring);
        sealed.map(|sealed| NewCode { mac, sealed }).ok_or(Problem::Internal)
    })?
}

async fn answer(exchange: &Exchange<'_>, status: u16, command: Command) -> Result<Answer, Problem> {
    match exchange.command(command).await? {
        LedgerReply::Deletion(deletion) => {
            core(|config| Answer::json(status, &view::deletion(&deletion, config, now())))
        }
        reply => Err(exchange.refusal(reply)),
    }
}
