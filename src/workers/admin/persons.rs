//! Routes about a person: their accounts, sessions and password.

use claviger_control::admin::log::{AttemptRefused, LoggedAttempt};
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::view::OwnAccount;
use claviger_control::admin::{body, form, session, view};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::code::{Code, CodePurpose};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::encryption;
use claviger_control::protocol::envelope::code_associated_data;
use claviger_control::protocol::identity::{Membership, ResetMail};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest, NewSession};
use claviger_control::protocol::member::{AddressVersion, SecretVersion};
use claviger_control::protocol::objects::{NameReply, NameRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::view::SessionView;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::{AccountId, TokenId};
use claviger_core::base::secret::SecretText;
use claviger_workers::rng;
use futures_util::future::join_all;

use crate::clock::now;
use crate::context::RequestContext;
use crate::sessions::{
    REFUSAL_MS_MIN, delay, is_too_long, new_session, new_sign_in, session_answer,
    switched_or_challenged,
};
use crate::{attempts, calls, refusals};

/// Earliest time for the answer to the beginning of a reset, in milliseconds. It calls two objects
/// if the address has a member, and one if it has none.
const RESET_MS_MIN: u64 = 1_000;

/// Lists the accounts of the person. Each account's ledger names itself.
pub async fn list_accounts(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let current = context.session()?.account();
    let view = context.session_of(context.command(Command::Show).await?)?;
    let (memberships, version) = memberships(context, current, &view, None).await?;
    let asked =
        memberships.into_iter().map(|membership| describe(context, &view, (membership, version)));
    let accounts: Vec<OwnAccount> = join_all(asked).await.into_iter().flatten().collect();
    Ok(Response::json(200, &view::own_accounts(&accounts, current, now())))
}

/// Opens another account of the person, and ends the present session.
pub async fn switch(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let current = context.session()?.account();
    let form: body::SwitchAccount = context.body().await?;
    let not_found = || AdminProblem::from(RequestProblem::NotFound);
    let wanted = AccountId::parse(&form.account).ok_or_else(not_found)?;
    let view = context.session_of(context.command(Command::Show).await?)?;
    if wanted == current {
        return Ok(session_answer(context, 200, &view));
    }
    let (all, address_version) = memberships(context, current, &view, None).await?;
    let found = all.iter().find(|membership| membership.account == wanted);
    let Membership { account, member } = found.copied().ok_or_else(not_found)?;
    let accounts = all.len().try_into().unwrap_or(u32::MAX);
    let (tokens, session) = new_sign_in(context, account, accounts);
    let session = NewSession { began: view.began, ..session };
    let sign_in = LedgerRequest::SignIn {
        member,
        email: view.member.email.clone(),
        secret_version: view.secret_version,
        session,
        address: context.address(),
        confirmed: true,
        switches: true,
        address_version,
    };
    let reply = match context.call_ledger(account, &sign_in).await? {
        LedgerReply::Gone | LedgerReply::Refused(Refusal::SignInRefused) => {
            return Err(not_found());
        }
        reply => reply,
    };
    let is_challenged = matches!(reply, LedgerReply::Challenged { .. });
    let answer = switched_or_challenged(context, reply, &tokens)?;
    if !is_challenged {
        leave(context, current, &view, wanted).await;
    }
    Ok(answer)
}

/// Ends the session of an account that the person has left for another.
pub async fn leave(
    context: &RequestContext<'_>,
    current: AccountId,
    view: &SessionView,
    opened: AccountId,
) {
    // From now on signing in opens that account. If the call fails, it opens the one before.
    let _ = memberships(context, current, view, Some(opened)).await;
    // If this call fails, the session ends when it was idle for long enough: its cookie is gone.
    let _ = context.command(Command::SignOut).await;
}

/// Lists the sessions of the member.
pub async fn list_sessions(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    match context.command(Command::ListSessions).await? {
        LedgerReply::Sessions { sessions } => {
            Ok(Response::json(200, &view::sessions(&sessions, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Ends a session. Ending the present one signs out.
pub async fn end_session(
    context: &RequestContext<'_>,
    id: TokenId,
) -> Result<Response, AdminProblem> {
    let own = context.session()?;
    match context.command(Command::EndSession { id }).await? {
        LedgerReply::Done if id == own.id() => {
            refusals::note_over(&own, now());
            Ok(Response::empty(204).with("set-cookie", session::clear_cookie()))
        }
        LedgerReply::Done => Ok(Response::empty(204)),
        reply => Err(context.refusal(reply)),
    }
}

/// Ends the other sessions of the member.
pub async fn end_other_sessions(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    match context.command(Command::EndOtherSessions).await? {
        LedgerReply::Done => Ok(Response::empty(204)),
        reply => Err(context.refusal(reply)),
    }
}

/// Changes the password. All sessions of the member end, and a new one begins.
pub async fn change_password(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let before = context.session()?;
    let form: body::ChangePassword = context.body().await?;
    let view = context.session_of(context.command(Command::Show).await?)?;
    if view.mfa && view.step_up_until <= now() {
        return Err(view::factor_required(&view));
    }
    let names = [view.member.name.as_str(), &view.account.name, view.member.email.as_str()];
    form::new_password("new_password", &form.new_password, Some(&form.password), &names)?;
    let counted = attempts::count_session(context, &view).await?;
    let (account, member) = (before.account(), view.member.id);
    let refuse = || {
        let own = (Some(account), Some(member));
        attempts::note_refused(context, LoggedAttempt::StepUp, AttemptRefused::Wrong, own);
        Err(AdminProblem::StepUpRefused)
    };
    if is_too_long(&form.password) {
        return refuse();
    }
    let change = NameRequest::ChangePassword {
        account,
        member,
        password: form.password,
        new_password: form.new_password,
        address: context.address(),
    };
    let (secret_version, accounts) =
        match calls::name(context.env, &view.member.email, &change).await? {
            NameReply::PasswordChanged { secret_version, accounts } => (secret_version, accounts),
            NameReply::Refused => return refuse(),
            _ => return Err(RequestProblem::Unavailable.into()),
        };
    attempts::succeeded(context, &counted).await;
    // The ledger follows to the new version, which ends the sessions before it. If this call fails,
    // the name object tells it, and the member signs in with the new password.
    let (token, session) = new_session(context, account, accounts);
    let session = NewSession { proven_by: view.proven_by.filter(|_| view.mfa), ..session };
    let sign_in = LedgerRequest::SignIn {
        member,
        email: view.member.email,
        secret_version,
        session,
        address: context.address(),
        confirmed: true,
        switches: false,
        // The row has this address: the session comes from it.
        address_version: AddressVersion::default(),
    };
    let view = context.session_of(context.call_ledger(account, &sign_in).await?)?;
    refusals::note_over(&before, now());
    let answer = session_answer(context, 200, &view);
    let answer = answer.with("set-cookie", session::set_cookie(token.expose()));
    // The mark of before is of the password before.
    Ok(attempts::with_mark(context, answer, &view))
}

/// Mails the code of a password reset, if the address has a member. The answer is the same, and
/// takes the same time, if it has none, or if an object does not answer.
pub async fn begin_reset(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    context.config.mail.as_ref().ok_or(AdminProblem::MailOff)?;
    let form: body::BeginReset = context.body().await?;
    let email = Email::parse(&form.email).ok();
    let known = match &email {
        Some(email) => attempts::count_browser(context, email).await,
        None => None,
    };
    let browser = match known {
        Some(counted) => counted.browser,
        None => attempts::count_try(context).await.map(|_| None)?,
    };
    if let Some(email) = email {
        let _ = mail_reset(context, email, browser).await;
    }
    delay(context, RESET_MS_MIN).await;
    Ok(Response::empty(202))
}

/// Sets a new password by a mailed code. No one is signed in by that.
pub async fn confirm_reset(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let form: body::ConfirmReset = context.body().await?;
    let code = form::code("code", CodePurpose::Reset, &form.code)?;
    form::new_password("password", &form.password, None, &[&form.email])?;
    let email = Email::parse(&form.email).ok();
    if email.is_none() {
        attempts::count_try(context).await?;
    }
    if let Some(email) = email {
        let counted = attempts::count_person(context, &email).await?;
        let confirm = NameRequest::ConfirmReset {
            code: SecretText::new(code.expose().to_owned()),
            new_password: form.password,
            address: context.address(),
            browser: counted.browser,
        };
        match calls::name(context.env, &email, &confirm).await? {
            NameReply::PasswordChanged { .. } => {
                attempts::succeeded(context, &counted).await;
                return Ok(Response::empty(204));
            }
            NameReply::Refused => {}
            _ => return Err(RequestProblem::Unavailable.into()),
        }
    }
    let wrong = AttemptRefused::Wrong;
    attempts::note_refused(context, LoggedAttempt::ResetCode, wrong, (None, None));
    delay(context, REFUSAL_MS_MIN).await;
    Err(AdminProblem::ResetRefused)
}

/// Draws a code, has the name object store its MAC, and the ledger of a membership mail it.
async fn mail_reset(
    context: &RequestContext<'_>,
    email: Email,
    browser: Option<SecretVersion>,
) -> Result<(), AdminProblem> {
    let (id, code) = (TokenId::random(&mut rng()), Code::draw(CodePurpose::Reset, &mut rng()));
    let code = SecretText::new(code.expose().to_owned());
    let begin = NameRequest::BeginReset { id, code: code.clone(), browser };
    // No answer says that the mail was not queued, so a call without a reply is repeated. Both
    // calls have the same effect as one.
    let begun = match calls::name(context.env, &email, &begin).await {
        Err(_) => calls::name(context.env, &email, &begin).await?,
        Ok(begun) => begun,
    };
    let NameReply::ResetBegun { account, member, until } = begun else { return Ok(()) };
    let place = code_associated_data(account, &id);
    let sealed = encryption::encrypt(&code, place, &context.config.master, &mut rng())
        .ok_or(RequestProblem::Internal)?;
    let address = context.address();
    let mail = ResetMail { member, email, reset: id, until, address, sealed };
    let mail = LedgerRequest::MailReset(mail);
    if context.call_ledger(account, &mail).await.is_err() {
        context.call_ledger(account, &mail).await?;
    }
    Ok(())
}

/// Returns the person's memberships, and the version of their address. `opens` is the account that
/// they open next.
pub async fn memberships(
    context: &RequestContext<'_>,
    account: AccountId,
    view: &SessionView,
    opens: Option<AccountId>,
) -> Result<(Vec<Membership>, AddressVersion), AdminProblem> {
    let (member, secret_version) = (view.member.id, view.secret_version);
    let list = NameRequest::Memberships { account, member, secret_version, opens };
    match calls::name(context.env, &view.member.email, &list).await? {
        NameReply::Memberships { memberships, address_version } => {
            Ok((memberships, address_version))
        }
        // The password was changed elsewhere, and this session is about to end.
        NameReply::NotHeld => Err(AdminProblem::NotSignedIn),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// Asks the ledger of a membership for its name; `None` if it does not hold the person.
async fn describe(
    context: &RequestContext<'_>,
    view: &SessionView,
    (Membership { account, member }, address_version): (Membership, AddressVersion),
) -> Option<OwnAccount> {
    let email = view.member.email.clone();
    let ask = LedgerRequest::Membership { member, email, address_version };
    match calls::ledger(context.env, account, &ask).await {
        Ok(LedgerReply::Membership { name, role }) => {
            Some(OwnAccount { id: account, described: Some((name, role)) })
        }
        Ok(LedgerReply::Gone | LedgerReply::Refused(Refusal::NotFound)) => None,
        _ => Some(OwnAccount { id: account, described: None }),
    }
}
