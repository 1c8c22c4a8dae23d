//! `/v1/operator/accounts`: what operators do to accounts.
//!
//! Each route asks the operator's own ledger first. It lets the operation be done and writes down who did it; only then is the
//! directory or the other account's ledger called, which writes down what was done to it. So that nothing is written down of an account
//! that there is not, or while the directory is out of reach, the directory is asked for the account before.

use super::console::{Exchange, core, rng, unavailable};
use super::{calls, now};
use crate::answer::Answer;
use crate::config::Config;
use crate::console::{body, form, headers, view};
use crate::id::AccountId;
use crate::problem::Problem;
use crate::protocol::{
    Command, DirectoryReply, DirectoryRequest, Entry, EntryState, LedgerReply, LedgerRequest, Operation,
    Refusal,
};
use crate::token::NewToken;

/// Lists accounts.
pub async fn list(exchange: &Exchange<'_>) -> Result<Answer, Problem> {
    exchange.session()?;
    let cursor = form::account_cursor(exchange.request.url.query)?;
    may(exchange, Operation::Look).await?;
    match calls::directory(exchange.env, &DirectoryRequest::List { cursor }).await? {
        DirectoryReply::Accounts { accounts, next } => {
            Ok(Answer::json(200, &view::accounts(&accounts, next, now())))
        }
        _ => Err(unavailable()),
    }
}

/// Makes a set-up link for an account that is listed as pending until the link is used or over.
///
/// A repeated invitation makes another link for the same account while it is not open: the answer to the first may be lost, and
/// the directory may never have heard of it.
pub async fn invite(exchange: &Exchange<'_>) -> Result<Answer, Problem> {
    exchange.session()?;
    let idempotency_key = headers::idempotency_key(exchange.request.headers)?;
    let token = core(|config| NewToken::setup(now(), &config.prefix, &config.ring, &mut rng()))?;
    let drawn = token.made().account();
    let operation = Operation::Invite { account: drawn, idempotency_key };
    let (account, token) = match exchange.command(Command::Operate { operation }).await? {
        LedgerReply::Done => (drawn, token),
        LedgerReply::Refused(Refusal::AlreadyInvited { account }) => {
            let another = |config: &Config| {
                NewToken::setup_of(account, now(), &config.prefix, &config.ring, &mut rng())
            };
            (account, core(another)?)
        }
        reply => return Err(exchange.refusal(reply)),
    };
    let again = account != drawn;
    match calls::directory(exchange.env, &DirectoryRequest::Invite { account, again }).await? {
        DirectoryReply::Entered => core(|config| Answer::json(201, &view::invited(&token, config, now()))),
        DirectoryReply::SetupDone if again => Err(Problem::AlreadyInvited { account: account.to_string() }),
        // Also when the drawn ID is another account's, which is unheard of.
        _ => Err(unavailable()),
    }
}

/// Shows an account.
pub async fn show(exchange: &Exchange<'_>, account: AccountId) -> Result<Answer, Problem> {
    let entry = find(exchange, account).await?;
    if entry.state == EntryState::Pending {
        return core(|config| Answer::json(200, &view::account(&entry, None, config, now())));
    }
    match ask(exchange, account, &LedgerRequest::Inspect).await? {
        LedgerReply::Inspected { account, progress } => {
            let inspected = Some((&account, &progress));
            core(|config| Answer::json(200, &view::account(&entry, inspected, config, now())))
        }
        reply => Err(exchange.refusal(reply)),
    }
}

/// Suspends or resumes an account, or changes its T.
pub async fn edit(exchange: &Exchange<'_>, account: AccountId) -> Result<Answer, Problem> {
    exchange.session()?;
    let body::AccountChanges { suspended, freshness_s } = exchange.body().await?;
    let freshness_ms = freshness_s.map(form::freshness_ms).transpose()?;
    form::check_account_changes(freshness_ms, suspended)?;
    find_open(exchange, account).await?;
    may(exchange, Operation::SetState { account, freshness_ms, suspended }).await?;
    match ask(exchange, account, &LedgerRequest::SetState { freshness_ms, suspended }).await? {
        LedgerReply::State { state, bound } => {
            Ok(Answer::json(200, &view::account_state(state, bound, now())))
        }
        reply => Err(exchange.refusal(reply)),
    }
}

/// Has every record of an account put into KV again.
pub async fn rebuild(exchange: &Exchange<'_>, account: AccountId) -> Result<Answer, Problem> {
    find_open(exchange, account).await?;
    may(exchange, Operation::Rebuild { account }).await?;
    match ask(exchange, account, &LedgerRequest::Rebuild).await? {
        LedgerReply::Progress(progress) => Ok(Answer::json(200, &view::progress(&progress, now()))),
        reply => Err(exchange.refusal(reply)),
    }
}

/// Notes a fresh history, before an account's ledger is restored from a bookmark.
pub async fn begin_restore(exchange: &Exchange<'_>, account: AccountId) -> Result<Answer, Problem> {
    find_open(exchange, account).await?;
    may(exchange, Operation::BeginRestore { account }).await?;
    match calls::directory(exchange.env, &DirectoryRequest::NoteEpoch { account }).await? {
        DirectoryReply::Epoch { .. } => Ok(Answer::json(200, &view::restoring(true, now()))),
        DirectoryReply::Unknown => Err(Problem::NotFound),
        _ => Err(unavailable()),
    }
}

/// Has the restored ledger told that history.
pub async fn finish_restore(exchange: &Exchange<'_>, account: AccountId) -> Result<Answer, Problem> {
    if !find_open(exchange, account).await?.restoring {
        return Err(Problem::RestoreNotBegun);
    }
    may(exchange, Operation::FinishRestore { account }).await?;
    match calls::directory(exchange.env, &DirectoryRequest::Restored { account }).await? {
        DirectoryReply::Noted => Ok(Answer::json(200, &view::restoring(false, now()))),
        DirectoryReply::Unknown => Err(Problem::RestoreNotBegun),
        _ => Err(unavailable()),
    }
}

/// The account, as the directory lists it, for an operator.
async fn find(exchange: &Exchange<'_>, account: AccountId) -> Result<Entry, Problem> {
    may(exchange, Operation::Look).await?;
    match calls::directory(exchange.env, &DirectoryRequest::Find { account }).await? {
        DirectoryReply::Account(entry) => Ok(entry),
        DirectoryReply::Unknown => Err(Problem::NotFound),
        _ => Err(unavailable()),
    }
}

/// The same, if it was opened.
async fn find_open(exchange: &Exchange<'_>, account: AccountId) -> Result<Entry, Problem> {
    let entry = find(exchange, account).await?;
    if entry.state == EntryState::Open { Ok(entry) } else { Err(Problem::NotFound) }
}

/// Goes on if the operator's own ledger lets the operation be done.
async fn may(exchange: &Exchange<'_>, operation: Operation) -> Result<(), Problem> {
    match exchange.command(Command::Operate { operation }).await? {
        LedgerReply::Done => Ok(()),
        reply => Err(exchange.refusal(reply)),
    }
}

/// Asks an account's ledger. One that was never opened is none.
async fn ask(
    exchange: &Exchange<'_>,
    account: AccountId,
    request: &LedgerRequest,
) -> Result<LedgerReply, Problem> {
    match calls::ledger(exchange.env, account, request).await? {
        LedgerReply::Gone => Err(Problem::NotFound),
        reply => Ok(reply),
    }
}
