//! Routes about second factors: draws seeds and recovery codes; the account's ledger decides.

use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::factor_route::FactorRoute;
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{body, factor_form, form, session, view};
use claviger_control::protocol::code::CodePurpose;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::encryption;
use claviger_control::protocol::factors::FactorsCommand;
use claviger_control::protocol::identity::NewSession;
use claviger_control::protocol::ledger::{ChallengeAnswer, LedgerReply, LedgerRequest};
use claviger_control::protocol::passkey::ceremony::Ceremony;
use claviger_control::protocol::passkey::{AssertionForm, PasskeyError};
use claviger_control::protocol::recovery::{NewRecoveryCodes, RecoveryCode};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::token::{Kind, MadeToken};
use claviger_control::protocol::totp::{Seed, seed_associated_data};
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::secret::SecretText;
use claviger_workers::rng;

use crate::clock::now;
use crate::context::RequestContext;
use crate::sessions::{new_session, session_answer, signed_in};
use crate::{ceremonies, codes, persons, refusals, sessions};

/// Answers a request to a route about second factors.
pub async fn answer(
    context: &RequestContext<'_>,
    route: FactorRoute,
) -> Result<Response, AdminProblem> {
    match route {
        FactorRoute::Show => shown(context, FactorsCommand::Show).await,
        FactorRoute::BeginTotp => begin_totp(context).await,
        FactorRoute::ConfirmTotp => confirm_totp(context).await,
        FactorRoute::TurnOffTotp => shown(context, FactorsCommand::TurnOffTotp).await,
        FactorRoute::RenewRecoveryCodes => renew_recovery_codes(context).await,
        FactorRoute::Reset(member) => match ask(context, FactorsCommand::Reset { member }).await? {
            LedgerReply::Factors(_) => Ok(Response::empty(204)),
            reply => Err(context.refusal(reply)),
        },
        FactorRoute::AnswerChallenge => answer_challenge(context).await,
    }
}

/// Records a fresh proof of identity, by the password or by a second factor. The session gets a new
/// cookie.
pub async fn step_up(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let before = context.session()?;
    let body::StepUp { password, code, recovery_code, email_code, passkey } =
        context.body().await?;
    match (password, email_code, code, recovery_code, passkey) {
        (Some(password), None, None, None, None) => {
            sessions::step_up(context, &before, password).await
        }
        (None, Some(code), None, None, None) => {
            let code = form::code("email_code", CodePurpose::Proof, &code)?;
            let (account, id) = (before.account(), before.id());
            let mac = code.mac(CodePurpose::Proof, account, id, &context.config.master);
            prove(context, &before, |session| Command::ProveCode { mac, session }).await
        }
        (None, None, code, recovery_code, passkey) => {
            let desk = ceremonies::desk(context, Ceremony::StepUp(before.id()));
            let check = |form: &AssertionForm| desk.present_for(form, before.account());
            let typed = factor_form::typed(code, recovery_code, passkey, check)?;
            prove(context, &before, |session| Command::ProveFactor { typed, session }).await
        }
        _ => {
            let detail = "one proof is needed, not several".into();
            Err(RequestProblem::MalformedBody { detail }.into())
        }
    }
}

/// Mails a code that proves the identity of the session's member.
pub async fn mail_proof_code(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let session = context.session()?;
    let purpose = CodePurpose::Proof;
    let code = codes::draw(&context.config, purpose, session.account(), session.id())?;
    match context.command(Command::MailProofCode { code }).await? {
        LedgerReply::CodeMailed(mailed) => {
            Ok(Response::json(201, &view::code_mailed(&mailed, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

async fn prove(
    context: &RequestContext<'_>,
    before: &MadeToken,
    by: impl FnOnce(NewSession) -> Command,
) -> Result<Response, AdminProblem> {
    // The ledger keeps the number of the accounts.
    let (token, session) = new_session(context, before.account(), 1);
    let view = context.session_of(context.command(by(session)).await?)?;
    refusals::note_over(before, now());
    let answer = session_answer(context, 200, &view);
    Ok(answer.with("set-cookie", session::set_cookie(token.expose())))
}

/// Draws a seed, has the ledger store it, and shows it this once.
async fn begin_totp(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let view = context.session_of(context.command(Command::Show).await?)?;
    let AdminConfig { master, console_host, .. } = &*context.config;
    let seed = Seed::draw(&mut rng());
    let place = seed_associated_data(account, &view.member.id);
    let sealed = encryption::encrypt(&seed.text(), place, master, &mut rng());
    let sealed = sealed.ok_or(RequestProblem::Internal)?;
    match ask(context, FactorsCommand::BeginTotp { sealed }).await? {
        LedgerReply::Factors(factors) => {
            let label = format!("{} ({})", view.member.email, view.account.name);
            let names = (console_host.as_str(), label.as_str());
            Ok(Response::json(201, &view::begun_totp(&factors, &seed, names, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Turns the app on with its first code, and shows the recovery codes this once.
async fn confirm_totp(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let (codes, recovery) = draw_codes(context).await?;
    let body::ConfirmTotp { code } = context.body().await?;
    let code = factor_form::totp(&code)?;
    match ask(context, FactorsCommand::ConfirmTotp { code, recovery }).await? {
        // A ledger of an earlier release knows no passkeys, and stores the codes.
        LedgerReply::Factors(factors) if factors.draws_codes || factors.passkeys.is_empty() => {
            Ok(Response::json(200, &view::factors_with_codes(&factors, &codes, now())))
        }
        LedgerReply::Factors(factors) => Ok(Response::json(200, &view::factors(&factors, now()))),
        reply => Err(context.refusal(reply)),
    }
}

async fn renew_recovery_codes(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let (codes, recovery) = draw_codes(context).await?;
    match ask(context, FactorsCommand::RenewRecoveryCodes { recovery }).await? {
        LedgerReply::Factors(factors) => {
            Ok(Response::json(200, &view::factors_with_codes(&factors, &codes, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Opens the session of a challenge. A token that Claviger never made, or that is over, costs no
/// call.
async fn answer_challenge(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let body::AnswerChallenge { challenge, code, recovery_code, passkey } = context.body().await?;
    let token = genuine(context, &challenge);
    let check = |form: &AssertionForm| {
        // A challenge that is over has no passkey's, either.
        let made = token.as_ref().map_err(|_| PasskeyError::Challenge)?;
        let desk = ceremonies::desk(context, Ceremony::SecondFactor(made.id()));
        desk.present_for(form, made.account())
    };
    let is_passkey = passkey.is_some();
    let typed = factor_form::typed(code, recovery_code, passkey, check);
    let (challenge, typed) = match (token, typed) {
        (Ok(token), typed) => (token, typed?),
        // The form of a code is judged first, and a passkey after its challenge.
        (Err(over), Ok(_)) => return Err(over),
        (Err(over), Err(_)) if is_passkey => return Err(over),
        (Err(_), Err(problem)) => return Err(problem),
    };
    let account = challenge.account();
    let (token, session) = new_session(context, account, 1);
    let answer = LedgerRequest::AnswerChallenge(ChallengeAnswer {
        challenge: challenge.id(),
        digest: *challenge.digest(),
        typed,
        session,
        address: context.address(),
    });
    let reply = match context.call_ledger(account, &answer).await? {
        LedgerReply::Gone => LedgerReply::Refused(Refusal::ChallengeOver),
        reply => reply,
    };
    if reply == LedgerReply::Refused(Refusal::ChallengeOver) {
        refusals::note_over(&challenge, now());
    }
    let answer = signed_in(context, reply, &token)?;
    refusals::note_over(&challenge, now());
    // The person may come from another of their accounts, whose session ends.
    if let Ok(before) = context.session()
        && let Ok(reply) = context.command(Command::Show).await
        && let Ok(view) = context.session_of(reply)
    {
        persons::leave(context, before.account(), &view, account).await;
    }
    Ok(answer)
}

/// Parses the token of a challenge.
///
/// # Errors
/// [`AdminProblem::ChallengeOver`] if it is forged, too old or malformed, or its ledger has refused
/// it to this isolate a moment ago.
fn genuine(context: &RequestContext<'_>, text: &SecretText) -> Result<MadeToken, AdminProblem> {
    let AdminConfig { prefix, master, .. } = &*context.config;
    MadeToken::parse(text.expose(), Kind::Challenge, prefix, master)
        .filter(|token| !refusals::is_over(token, context.request.arrived))
        .ok_or(AdminProblem::ChallengeOver)
}

/// Draws the recovery codes of the session's member.
pub async fn draw_codes(
    context: &RequestContext<'_>,
) -> Result<(Vec<RecoveryCode>, NewRecoveryCodes), AdminProblem> {
    let view = context.session_of(context.command(Command::Show).await?)?;
    let master = &context.config.master;
    Ok(NewRecoveryCodes::draw(view.account.id, view.member.id, master, &mut rng()))
}

async fn shown(
    context: &RequestContext<'_>,
    command: FactorsCommand,
) -> Result<Response, AdminProblem> {
    match ask(context, command).await? {
        LedgerReply::Factors(factors) => Ok(Response::json(200, &view::factors(&factors, now()))),
        reply => Err(context.refusal(reply)),
    }
}

async fn ask(
    context: &RequestContext<'_>,
    factors: FactorsCommand,
) -> Result<LedgerReply, AdminProblem> {
    context.command(Command::Factors { factors }).await
}
