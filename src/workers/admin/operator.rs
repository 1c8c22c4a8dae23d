//! Routes under `/v1/operator/accounts`: operations of operators on accounts.
//!
//! Each route first recognises the operator ([`crate::access`]). It asks the ledger of the first
//! account, which authorises the operation and records its author. Only then does it call the
//! directory or the other account's ledger, which records the change. Before all that, the route
//! looks the account up in the directory. So no ledger records an operation on an unknown account,
//! or while the directory is unreachable.

use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{body, form, headers, policy_form, view};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::objects::{DirectoryReply, DirectoryRequest};
use claviger_control::protocol::operator::{DirectoryEntry, EntryState, OperatorCommand};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::token::NewToken;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::AccountId;
use claviger_workers::rng;

use crate::access::Operator;
use crate::calls;
use crate::clock::now;
use crate::context::RequestContext;

/// Leads to the console's page of accounts. Where Cloudflare Access is in front of this address, a
/// browser comes here by a link, signs in at Access, and has its cookie from then on.
///
/// # Errors
/// [`RequestProblem::NotFound`] if Access is not configured.
pub fn sign_in(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    match &context.config.access {
        Ok(Some(_)) => Ok(Response::empty(303).with("location", "/#/operator")),
        Ok(None) => Err(RequestProblem::NotFound.into()),
        Err(_) => Err(RequestProblem::Misconfigured.into()),
    }
}

/// Returns a page of accounts.
pub async fn list(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let operator = Operator::recognise(context).await?;
    let list = form::accounts(context.request.url.query)?;
    operator.authorise(OperatorCommand::Look).await?;
    match calls::directory(context.env, &list).await? {
        // A directory of an earlier release sends no counts, and would ignore the filters.
        DirectoryReply::Accounts { accounts, next, counts: Some(counts) } => {
            Ok(Response::json(200, &view::accounts(&accounts, next, counts, now())))
        }
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// Creates a set-up link for a new account. The directory lists the account as pending until the
/// link is used or expires.
///
/// A repeated request with the same idempotency key creates another link for the same account,
/// unless the account is open. The first response may have been lost, or the directory may never
/// have received the first invitation.
pub async fn invite(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let operator = Operator::recognise(context).await?;
    let idempotency_key = headers::idempotency_key(context.request.headers)?;
    let AdminConfig { prefix, master, .. } = &*context.config;
    let token = NewToken::setup(now(), prefix, master, &mut rng());
    let drawn = token.made().account();
    let operation = OperatorCommand::Invite { account: drawn, idempotency_key };
    let (account, token) = match operator.command(operation).await? {
        LedgerReply::Done => (drawn, token),
        LedgerReply::Refused(Refusal::AlreadyInvited { account }) => {
            (account, NewToken::setup_of(account, now(), prefix, master, &mut rng()))
        }
        reply => return Err(context.refusal(reply)),
    };
    let again = account != drawn;
    match calls::directory(context.env, &DirectoryRequest::Invite { account, again }).await? {
        DirectoryReply::Entered => {
            Ok(Response::json(201, &view::invited(&token, &context.config, now())))
        }
        DirectoryReply::SetupDone if again => {
            Err(AdminProblem::AlreadyInvited { account: account.to_string() })
        }
        // Also if the drawn ID belongs to another account, which is extremely unlikely.
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// Returns an account.
pub async fn show(
    context: &RequestContext<'_>,
    account: AccountId,
) -> Result<Response, AdminProblem> {
    let operator = Operator::recognise(context).await?;
    let entry = find(context, &operator, account).await?;
    if entry.state == EntryState::Pending {
        return Ok(Response::json(200, &view::account(&entry, None, &context.config, now())));
    }
    match ask(context, account, &LedgerRequest::Inspect).await? {
        LedgerReply::Inspected { account: found, progress, counts } => {
            if found.suspended != entry.suspended {
                note_suspended(context, account, found.suspended).await;
            }
            let inspected = Some((&found, &progress, counts));
            Ok(Response::json(200, &view::account(&entry, inspected, &context.config, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Suspends or resumes an account, or changes its T.
pub async fn edit(
    context: &RequestContext<'_>,
    account: AccountId,
) -> Result<Response, AdminProblem> {
    let operator = Operator::recognise(context).await?;
    let body::AccountChanges { suspended, freshness_s } = context.body().await?;
    let freshness_ms = freshness_s.map(form::freshness_ms).transpose()?;
    form::check_account_changes(freshness_ms, suspended)?;
    find_open(context, &operator, account).await?;
    operator.authorise(OperatorCommand::SetState { account, freshness_ms, suspended }).await?;
    match ask(context, account, &LedgerRequest::SetState { freshness_ms, suspended }).await? {
        LedgerReply::State { state, bound } => {
            note_suspended(context, account, state.suspended).await;
            Ok(Response::json(200, &view::account_state(state, bound, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Returns an account's policy.
pub async fn show_policy(
    context: &RequestContext<'_>,
    account: AccountId,
) -> Result<Response, AdminProblem> {
    let operator = Operator::recognise(context).await?;
    find_open(context, &operator, account).await?;
    policy_state(context, account, &LedgerRequest::ShowPolicy).await
}

/// Returns the effects of a change of an account's policy.
pub async fn preview_policy(
    context: &RequestContext<'_>,
    account: AccountId,
) -> Result<Response, AdminProblem> {
    let operator = Operator::recognise(context).await?;
    let changes = policy_form::changes(&context.body().await?)?;
    find_open(context, &operator, account).await?;
    match ask(context, account, &LedgerRequest::PreviewPolicy { changes }).await? {
        LedgerReply::PolicyPreview(preview) => {
            Ok(Response::json(200, &view::policy_preview(&preview, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Changes an account's policy, if it is the one that the operator previewed.
pub async fn set_policy(
    context: &RequestContext<'_>,
    account: AccountId,
) -> Result<Response, AdminProblem> {
    let operator = Operator::recognise(context).await?;
    let expected = headers::if_match(context.request.headers)?;
    let changes = policy_form::changes(&context.body().await?)?;
    find_open(context, &operator, account).await?;
    operator.authorise(OperatorCommand::SetPolicy { account, changes }).await?;
    policy_state(context, account, &LedgerRequest::SetPolicy { changes, expected }).await
}

async fn policy_state(
    context: &RequestContext<'_>,
    account: AccountId,
    request: &LedgerRequest,
) -> Result<Response, AdminProblem> {
    match ask(context, account, request).await? {
        LedgerReply::Policy(state) => Ok(Response::json(200, &view::policy_state(&state, now()))),
        reply => Err(context.refusal(reply)),
    }
}

/// Withdraws the invitation of an account, whose set-up link is refused from then on.
pub async fn withdraw(
    context: &RequestContext<'_>,
    account: AccountId,
) -> Result<Response, AdminProblem> {
    let operator = Operator::recognise(context).await?;
    if find(context, &operator, account).await?.state == EntryState::Open {
        return Err(AdminProblem::SetupDone);
    }
    // A ledger that has just been opened may not have reached the directory yet.
    match context.call_ledger(account, &LedgerRequest::Exists).await? {
        LedgerReply::Gone => {}
        LedgerReply::Holds { .. } => return Err(AdminProblem::SetupDone),
        _ => return Err(RequestProblem::Unavailable.into()),
    }
    operator.authorise(OperatorCommand::Withdraw { account }).await?;
    match calls::directory(context.env, &DirectoryRequest::Withdraw { account }).await? {
        DirectoryReply::Noted => Ok(Response::empty(204)),
        DirectoryReply::SetupDone => Err(AdminProblem::SetupDone),
        DirectoryReply::SetupBusy { until } => Err(view::setup_busy(until, now())),
        DirectoryReply::Unknown => Err(AdminProblem::Request(RequestProblem::NotFound)),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// Makes the directory list the account with its present state. A failure changes nothing but that
/// list, which the account's ledger corrects soon after, and the next visit of the account's page.
async fn note_suspended(context: &RequestContext<'_>, account: AccountId, suspended: bool) {
    let note = DirectoryRequest::NoteSuspended { account, suspended };
    calls::directory(context.env, &note).await.ok();
}

/// Makes the networks of an account refuse no caller. Its own owners may be locked out of the
/// console.
pub async fn turn_off_networks(
    context: &RequestContext<'_>,
    account: AccountId,
) -> Result<Response, AdminProblem> {
    let operator = Operator::recognise(context).await?;
    find_open(context, &operator, account).await?;
    operator.authorise(OperatorCommand::TurnOffNetworks { account }).await?;
    match ask(context, account, &LedgerRequest::TurnOffNetworks).await? {
        LedgerReply::NetworksChanged(changed) => {
            Ok(Response::json(200, &view::networks_turned_off(&changed, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Starts a rebuild of an account's records in KV.
pub async fn rebuild(
    context: &RequestContext<'_>,
    account: AccountId,
) -> Result<Response, AdminProblem> {
    let operator = Operator::recognise(context).await?;
    find_open(context, &operator, account).await?;
    operator.authorise(OperatorCommand::Rebuild { account }).await?;
    match ask(context, account, &LedgerRequest::Rebuild).await? {
        LedgerReply::Progress(progress) => {
            Ok(Response::json(200, &view::progress(&progress, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Notes a new epoch before an account's ledger is restored from a bookmark.
pub async fn begin_restore(
    context: &RequestContext<'_>,
    account: AccountId,
) -> Result<Response, AdminProblem> {
    let operator = Operator::recognise(context).await?;
    find_open(context, &operator, account).await?;
    operator.authorise(OperatorCommand::BeginRestore { account }).await?;
    match calls::directory(context.env, &DirectoryRequest::NoteEpoch { account }).await? {
        DirectoryReply::Epoch { .. } => Ok(Response::json(200, &view::restoring(true, now()))),
        DirectoryReply::Unknown => Err(AdminProblem::Request(RequestProblem::NotFound)),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// Makes the directory send that epoch to the restored ledger.
pub async fn finish_restore(
    context: &RequestContext<'_>,
    account: AccountId,
) -> Result<Response, AdminProblem> {
    let operator = Operator::recognise(context).await?;
    if !find_open(context, &operator, account).await?.restoring {
        return Err(AdminProblem::RestoreNotBegun);
    }
    operator.authorise(OperatorCommand::FinishRestore { account }).await?;
    match calls::directory(context.env, &DirectoryRequest::Restored { account }).await? {
        DirectoryReply::Noted => Ok(Response::json(200, &view::restoring(false, now()))),
        DirectoryReply::Unknown => Err(AdminProblem::RestoreNotBegun),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// Returns the account's entry in the directory, for an operator.
async fn find(
    context: &RequestContext<'_>,
    operator: &Operator<'_>,
    account: AccountId,
) -> Result<DirectoryEntry, AdminProblem> {
    operator.authorise(OperatorCommand::Look).await?;
    match calls::directory(context.env, &DirectoryRequest::Find { account }).await? {
        DirectoryReply::Account(entry) => Ok(entry),
        DirectoryReply::Unknown => Err(AdminProblem::Request(RequestProblem::NotFound)),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// Returns the same entry if the account was opened.
async fn find_open(
    context: &RequestContext<'_>,
    operator: &Operator<'_>,
    account: AccountId,
) -> Result<DirectoryEntry, AdminProblem> {
    let entry = find(context, operator, account).await?;
    if entry.state == EntryState::Open {
        Ok(entry)
    } else {
        Err(AdminProblem::Request(RequestProblem::NotFound))
    }
}

/// Calls an account's ledger. A ledger that was never opened counts as not found.
async fn ask(
    context: &RequestContext<'_>,
    account: AccountId,
    request: &LedgerRequest,
) -> Result<LedgerReply, AdminProblem> {
    match context.call_ledger(account, request).await? {
        LedgerReply::Gone => Err(AdminProblem::Request(RequestProblem::NotFound)),
        reply => Ok(reply),
    }
}
