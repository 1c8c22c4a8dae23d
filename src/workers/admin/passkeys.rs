//! Routes about passkeys: draws challenges, and checks the answers of authenticators as far as that
//! needs no stored key; the account's ledger decides.

use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::log::{AttemptRefused, LoggedAttempt};
use claviger_control::admin::passkey_route::PasskeyRoute;
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{body, factor_form, view};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::factors::{FactorsCommand, FactorsView, PasskeyCommand};
use claviger_control::protocol::identity::Membership;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest, PasskeySignIn, SessionProof};
use claviger_control::protocol::passkey::ceremony::Ceremony;
use claviger_control::protocol::passkey::handle::draw_handle;
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::token::NewToken;
use claviger_control::protocol::view::SessionView;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::TokenId;
use claviger_workers::rng;
use serde_json::Value;

use crate::ceremonies::{desk, draw, options};
use crate::clock::now;
use crate::context::RequestContext;
use crate::sessions::{REFUSAL_MS_MIN, delay, new_session, signed_in};
use crate::{attempts, factors, persons};

/// Answers a request to a route about passkeys.
pub async fn answer(
    context: &RequestContext<'_>,
    route: PasskeyRoute,
) -> Result<Response, AdminProblem> {
    match route {
        PasskeyRoute::SignInOptions => Ok(prompt(&options(context, Ceremony::SignIn, &[]))),
        PasskeyRoute::SignIn => sign_in(context).await,
        PasskeyRoute::StepUpOptions => step_up_options(context).await,
        PasskeyRoute::Begin => begin(context).await,
        PasskeyRoute::Add => add(context).await,
        PasskeyRoute::Rename(id) => rename(context, id).await,
        PasskeyRoute::Remove(id) => {
            let factors = ask(context, PasskeyCommand::Remove { id }).await?;
            Ok(Response::json(200, &view::factors(&factors, now())))
        }
    }
}

fn prompt(options: &Value) -> Response {
    Response::json(200, &view::prompt(options, now()))
}

/// Signs in by a passkey alone. Every cause of a refusal has one answer, at the same time as that
/// of a wrong password. A user handle that Claviger never made, and an answer that breaks a rule,
/// cost no call of a ledger.
async fn sign_in(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let body::SignInByPasskey { passkey } = context.body().await?;
    let tries = attempts::count_try(context).await?;
    let presented = desk(context, Ceremony::SignIn).present_alone(&passkey);
    let mut refused = (AttemptRefused::Wrong, (None, None));
    if let Ok((passkey, Membership { account, member })) = presented {
        let (token, session) = new_session(context, account, 1);
        let address = context.address();
        let request = PasskeySignIn { member, passkey, session, address };
        match context.call_ledger(account, &LedgerRequest::SignInByPasskey(request)).await? {
            LedgerReply::Gone | LedgerReply::Refused(Refusal::SignInRefused) => {}
            // The signature has shown whose passkey it is.
            LedgerReply::Refused(Refusal::PasskeyCloned) => {
                refused = (AttemptRefused::Copied, (Some(account), Some(member)));
            }
            reply => {
                let view = context.session_of(reply)?;
                attempts::succeeded_at(context, &tries).await;
                let view = with_accounts(context, &token, view).await;
                return signed_in(context, LedgerReply::Session(view), &token);
            }
        }
    }
    let (reason, owner) = refused;
    attempts::note_refused(context, LoggedAttempt::Passkey, reason, owner);
    delay(context, REFUSAL_MS_MIN).await;
    Err(AdminProblem::SignInRefused)
}

/// Returns the session with the number of the person's memberships, which only the name object
/// knows, and from now on opens this account first. If a call fails, the session counts one.
async fn with_accounts(
    context: &RequestContext<'_>,
    token: &NewToken,
    view: SessionView,
) -> SessionView {
    let account = token.made().account();
    let all = persons::memberships(context, account, &view, Some(account)).await;
    let accounts = all.map_or(view.accounts, |(all, _)| all.len().try_into().unwrap_or(u32::MAX));
    if accounts == view.accounts {
        return view;
    }
    let note = LedgerRequest::Console {
        session: SessionProof { id: token.made().id(), digest: *token.made().digest() },
        address: context.address(),
        command: Command::NoteAccounts { accounts },
    };
    match context.call_ledger(account, &note).await {
        Ok(LedgerReply::Session(view)) => view,
        _ => view,
    }
}

/// Draws the challenge of a fresh proof of identity by a passkey of the member.
async fn step_up_options(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let session = context.session()?;
    let show = Command::Factors { factors: FactorsCommand::Show };
    let factors = factors_of(context, context.command(show).await?)?;
    if factors.passkeys.is_empty() {
        return Err(AdminProblem::NoFactor);
    }
    Ok(prompt(&options(context, Ceremony::StepUp(session.id()), &factors.passkeys)))
}

/// Draws the challenge of a new passkey.
async fn begin(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let session = context.session()?;
    let factors = ask(context, PasskeyCommand::Begin).await?;
    let view = context.session_of(context.command(Command::Show).await?)?;
    let AdminConfig { prefix, master, console_host, .. } = &*context.config;
    let own = Membership { account: session.account(), member: view.member.id };
    let label = format!("{} ({})", view.member.email, view.account.name);
    let options = view::creation_options(
        draw(context, Ceremony::Register(session.id())),
        console_host,
        draw_handle(own, prefix, master),
        (&label, &view.member.name),
        &factors.passkeys,
    );
    Ok(prompt(&options))
}

/// Adds a passkey. With the first factor, shows the recovery codes this once.
async fn add(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    // The session comes first: a stranger learns nothing of the form.
    let (codes, recovery) = factors::draw_codes(context).await?;
    let session = context.session()?;
    let body::AddPasskey { name, passkey } = context.body().await?;
    factor_form::passkey_name(&name)?;
    let desk = desk(context, Ceremony::Register(session.id()));
    let passkey = desk
        .register(&passkey, TokenId::random(&mut rng()), name)
        .map_err(AdminProblem::PasskeyRefused)?;
    let factors = ask(context, PasskeyCommand::Add { passkey, recovery }).await?;
    let document = match factors.draws_codes {
        true => view::factors_with_codes(&factors, &codes, now()),
        false => view::factors(&factors, now()),
    };
    Ok(Response::json(201, &document))
}

async fn rename(context: &RequestContext<'_>, id: TokenId) -> Result<Response, AdminProblem> {
    context.session()?;
    let body::RenamePasskey { name } = context.body().await?;
    factor_form::passkey_name(&name)?;
    let factors = ask(context, PasskeyCommand::Rename { id, name }).await?;
    Ok(Response::json(200, &view::factors(&factors, now())))
}

async fn ask(
    context: &RequestContext<'_>,
    passkeys: PasskeyCommand,
) -> Result<FactorsView, AdminProblem> {
    factors_of(context, context.command(Command::Passkeys { passkeys }).await?)
}

fn factors_of(
    context: &RequestContext<'_>,
    reply: LedgerReply,
) -> Result<FactorsView, AdminProblem> {
    match reply {
        LedgerReply::Factors(factors) => Ok(factors),
        reply => Err(context.refusal(reply)),
    }
}
