//! Routes under `/v1/setup`: from a set-up link to an account, by way of a mailbox code.

use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::log::{AttemptRefused, LoggedAttempt};
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{body, form, view};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::code::CodePurpose;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest, NewMember, Opening};
use claviger_control::protocol::mailbox::{MailboxPurpose, MailboxSubject};
use claviger_control::protocol::objects::{
    DirectoryReply, DirectoryRequest, NameReply, NameRequest,
};
use claviger_control::protocol::token::{Kind, MadeToken};
use claviger_control::protocol::tries::Tries;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::AccountId;
use claviger_core::base::secret::{Digest, SecretText};
use claviger_core::credential::limits::network::ClientAddress;
use futures_util::future::join;

use crate::clock::now;
use crate::context::RequestContext;
use crate::sessions::{has_password, new_sign_in, signed_in_or_challenged};
use crate::{attempts, calls, mailbox, refusals, service};

/// Creates an account from a set-up link, and signs its owner in.
pub async fn set_up(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let typed: body::SetUp = context.body().await?;
    let token = genuine(context, &typed.token)?;
    let wanted = form::Owner::check(&typed)?;
    // A set-up link causes mails and password hashes. So it shares the rate limit of sign-in.
    let tries = attempts::count_try(context).await?;
    ensure_open(context, &token).await?;
    // Before anything learns of the address, its mailbox is proven.
    let code = form::wanted_code(CodePurpose::SetUp, typed.code.as_ref())?;
    mailbox::prove(context, &wanted.email, subject(&token), &code).await?;
    // The password of a person who has one is only compared, whatever the rules for new ones say.
    if wanted.needs_present_password() && !has_password(context, &wanted.email).await? {
        wanted.judge_password()?;
    }

    let (account, claimant) = (token.account(), Digest::of(wanted.email.as_str().as_bytes()));
    let enter = DirectoryRequest::EnterFirst { account, claimant: Some(claimant) };
    let open = match calls::directory(context.env, &enter).await? {
        DirectoryReply::Entered => LedgerRequest::Open,
        DirectoryReply::Invited => LedgerRequest::OpenInvited,
        DirectoryReply::SetupBusy { until } => return Err(view::setup_busy(until, now())),
        DirectoryReply::SetupDone => {
            refusals::note_over(&token, now());
            return Err(AdminProblem::SetupDone);
        }
        _ => return Err(RequestProblem::Unavailable.into()),
    };
    let member = token.owner();
    let at_name = Tries::at_name(&wanted.email, context.client());
    let claim = NameRequest::Claim {
        name: wanted.email.to_string(),
        account,
        member,
        password: typed.password.clone(),
        network: context.client().map(ClientAddress::block),
    };
    let (secret_version, accounts) =
        match claim_name(context, &wanted.email, &at_name, &claim).await {
            Ok(NameReply::Claimed { secret_version, accounts }) => (secret_version, accounts),
            Ok(NameReply::Taken) => {
                let wrong = AttemptRefused::Wrong;
                attempts::note_refused(context, LoggedAttempt::SignIn, wrong, (None, None));
                leave_set_up(context, account, claimant).await;
                return Err(AdminProblem::AddressTaken);
            }
            Err(problem @ AdminProblem::TooManyAttempts { .. }) => {
                leave_set_up(context, account, claimant).await;
                return Err(problem);
            }
            Ok(_) => return Err(RequestProblem::Unavailable.into()),
            Err(problem) => return Err(problem),
        };
    let email = wanted.email.clone();
    let (tokens, session) = new_sign_in(context, account, accounts);
    let opening = Opening {
        account,
        name: typed.account_name,
        zone: wanted.zone,
        owner: NewMember {
            id: member,
            name: typed.name,
            email: wanted.email,
            language: wanted.language,
            secret_version,
        },
        session,
        address: context.address(),
        service: service::draw(&context.config, account).map(|(_, new)| new),
    };
    let reply = context.call_ledger(account, &open(opening)).await?;
    if matches!(reply, LedgerReply::Refused(_)) {
        // Another attempt has opened the account. If this call fails, the name object asks the
        // ledger later.
        let release = NameRequest::Release { account, member, secret_version };
        let _ = calls::name(context.env, &email, &release).await;
    }
    let answer = signed_in_or_challenged(context, reply, &tokens)?;
    join(attempts::succeeded_at(context, &tries), attempts::succeeded_at(context, &at_name)).await;
    Ok(answer)
}

/// Claims a name. If the address has a password, the claim tests it, so that it counts as a try.
async fn claim_name(
    context: &RequestContext<'_>,
    email: &Email,
    at_name: &Tries,
    claim: &NameRequest,
) -> Result<NameReply, AdminProblem> {
    attempts::count(context, at_name).await?;
    Ok(calls::name(context.env, email, claim).await?)
}

/// Lets the person try another address at once. If this call fails, ten minutes later.
async fn leave_set_up(context: &RequestContext<'_>, account: AccountId, claimant: Digest) {
    let leave = DirectoryRequest::LeaveSetup { account, claimant };
    let _ = calls::directory(context.env, &leave).await;
}

/// Says before the form is filled in that a set-up link is over. Only a client with the link gets
/// past the first check, and nothing is entered or claimed.
pub async fn check_set_up(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let body::CheckSetUp { token } = context.body().await?;
    let token = genuine(context, &token)?;
    attempts::count_try(context).await?;
    ensure_open(context, &token).await?;
    Ok(Response::empty(204))
}

/// Checks the form of a set-up, and mails a code to its address. Nothing is entered or claimed, and
/// the answer is the same if a person has the address.
pub async fn mail_code(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let typed: body::SetUp = context.body().await?;
    let token = genuine(context, &typed.token)?;
    // The password is judged once the address is proven: a person who has one may have an old one.
    let form::Owner { email, zone, language, .. } = form::Owner::check(&typed)?;
    attempts::count_try(context).await?;
    ensure_open(context, &token).await?;
    context.config.mail.as_ref().ok_or(AdminProblem::MailOff)?;
    attempts::count(context, &Tries::codes_of_link(token.owner())).await?;
    mailbox::mail_code(context, &email, subject(&token), (language, zone)).await
}

/// Returns the subject of the mailbox codes of a set-up link.
fn subject(token: &MadeToken) -> MailboxSubject {
    let (account, member) = (token.account(), token.owner());
    MailboxSubject { purpose: MailboxPurpose::SetUp, account, member }
}

/// Parses the token of a set-up link.
///
/// # Errors
/// [`AdminProblem::SetupRefused`] if it is forged, too old or malformed;
/// [`AdminProblem::SetupDone`] if this isolate knows that it was used.
fn genuine(context: &RequestContext<'_>, text: &SecretText) -> Result<MadeToken, AdminProblem> {
    let AdminConfig { prefix, master, .. } = &*context.config;
    let token = MadeToken::parse(text.expose(), Kind::Setup, prefix, master)
        .filter(|token| !token.is_over(context.request.arrived))
        .ok_or(AdminProblem::SetupRefused)?;
    if refusals::is_over(&token, context.request.arrived) {
        return Err(AdminProblem::SetupDone);
    }
    Ok(token)
}

/// Asks the directory if a set-up link can still be used. Nothing is entered.
async fn ensure_open(context: &RequestContext<'_>, token: &MadeToken) -> Result<(), AdminProblem> {
    let check = DirectoryRequest::CheckFirst { account: token.account() };
    match calls::directory(context.env, &check).await? {
        DirectoryReply::SetupDone => {
            refusals::note_over(token, now());
            Err(AdminProblem::SetupDone)
        }
        DirectoryReply::Entered => Ok(()),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}
