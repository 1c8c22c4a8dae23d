//! Routes under `/v1/session` and `/v1/counters`: sign-in and sessions.

use core::time::Duration;

use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::log::{AttemptRefused, LoggedAttempt};
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{body, session, view};
use claviger_control::protocol::account::{Email, TextError, check_password};
use claviger_control::protocol::account_networks::ProvenPassword;
use claviger_control::protocol::attempts::AttemptKind;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::identity::{Membership, NewChallenge, NewSession};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::member::{AddressVersion, Role, SecretVersion};
use claviger_control::protocol::objects::{NameReply, NameRequest};
use claviger_control::protocol::passkey::ceremony::Ceremony;
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::token::{MadeToken, NewToken};
use claviger_control::protocol::view::SessionView;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::AccountId;
use claviger_core::base::secret::SecretText;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::link::COUNTERS_HEADER;
use claviger_workers::rng;

use crate::attempts::{self, Counted};
use crate::clock::now;
use crate::context::RequestContext;
use crate::{access, calls, ceremonies, refusals};

/// Earliest time for the refusal of a sign-in, in milliseconds. A password hash and a new object
/// take less.
pub const REFUSAL_MS_MIN: u64 = 500;

/// Step to which the time of such an answer is rounded up, in milliseconds.
const REFUSAL_MS_STEP: u64 = 250;

/// The person whose password was verified.
struct Proof {
    email: Email,
    secret_version: SecretVersion,
    confirmed: bool,
    address_version: AddressVersion,
    /// The one used last comes first.
    memberships: Vec<Membership>,
}

impl Proof {
    fn accounts(&self) -> u32 {
        self.memberships.len().try_into().unwrap_or(u32::MAX)
    }
}

/// Signs a member in.
pub async fn sign_in(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let form: body::SignIn = context.body().await?;
    let found = match Email::parse(&form.email) {
        Ok(email) => prove(context, &email, form.password).await?,
        Err(_) => {
            // Counted like any other try, so that a client cannot tell the difference.
            attempts::count_try(context).await?;
            None
        }
    };
    let note = || {
        let wrong = AttemptRefused::Wrong;
        attempts::note_refused(context, LoggedAttempt::SignIn, wrong, (None, None));
    };
    let Some(proof) = found else {
        note();
        delay(context, REFUSAL_MS_MIN).await;
        return Err(AdminProblem::SignInRefused);
    };
    // The account used last, or the next one whose ledger answers and still has the member.
    let (mut unreached, mut denied) = (None, None);
    for Membership { account, member } in proof.memberships.iter().copied() {
        let (tokens, session) = new_sign_in(context, account, proof.accounts());
        let sign_in = LedgerRequest::SignIn {
            member,
            email: proof.email.clone(),
            secret_version: proof.secret_version,
            session,
            address: context.address(),
            confirmed: proof.confirmed,
            switches: false,
            address_version: proof.address_version,
        };
        match context.call_ledger(account, &sign_in).await {
            Ok(LedgerReply::Gone | LedgerReply::Refused(Refusal::SignInRefused)) => {}
            // Another account of the person may allow this address.
            Ok(reply @ LedgerReply::Refused(Refusal::Networks(_))) => {
                denied.get_or_insert(reply);
            }
            Ok(reply) => return signed_in_or_challenged(context, reply, &tokens),
            Err(problem) => unreached = Some(problem),
        }
    }
    if let Some(problem) = unreached {
        return Err(problem);
    }
    // The password was right, so the answer may say why there is no session.
    if let Some(reply) = denied {
        return Err(context.refusal(reply));
    }
    note();
    delay(context, REFUSAL_MS_MIN).await;
    Err(AdminProblem::SignInRefused)
}

/// Asks the name object if the person with this address has a password.
pub async fn has_password(
    context: &RequestContext<'_>,
    email: &Email,
) -> Result<bool, AdminProblem> {
    match calls::name(context.env, email, &NameRequest::IsClaimed).await? {
        NameReply::IsClaimed { claimed } => Ok(claimed),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// Returns the session.
pub async fn show(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let view = context.session_of(context.command(Command::Show).await?)?;
    Ok(session_answer(context, 200, &view))
}

/// Returns, to an operator, the counters of the edge isolate that forwarded the request.
pub async fn counters(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let is_operator = match access::person(context).await? {
        Some(_) => true,
        None => context.session_of(context.command(Command::Show).await?)?.operator,
    };
    let counters = context.request.headers.find(COUNTERS_HEADER);
    let counters = counters.and_then(|json| serde_json::from_str(json).ok());
    view::counters(is_operator, counters, now()).map(|document| Response::json(200, &document))
}

/// Signs a member out.
pub async fn sign_out(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    match context.command(Command::SignOut).await {
        // A browser without a session, or with an ended one, is already signed out.
        Ok(_) | Err(AdminProblem::NotSignedIn) => {
            Ok(Response::empty(204).with("set-cookie", session::clear_cookie()))
        }
        Err(problem) => Err(problem),
    }
}

/// Records a fresh proof of a member's identity by the password. The session gets a new cookie.
pub async fn step_up(
    context: &RequestContext<'_>,
    before: &MadeToken,
    password: SecretText,
) -> Result<Response, AdminProblem> {
    let view = context.session_of(context.command(Command::Show).await?)?;
    if view.mfa {
        // No password is hashed that would prove nothing.
        return Err(view::factor_required(&view));
    }
    let ProvenPassword { secret_version, confirmed } =
        prove_own(context, before.account(), &view, password).await?;
    let (token, session) = new_session(context, before.account(), view.accounts);
    let step_up = Command::StepUp { secret_version, confirmed, session: Some(session) };
    let view = context.session_of(context.command(step_up).await?)?;
    refusals::note_over(before, now());
    let answer = session_answer(context, 200, &view);
    Ok(answer.with("set-cookie", session::set_cookie(token.expose())))
}

/// Verifies the password of a session's owner, for a command of owners that needs it beside the
/// session. A wrong one counts like a wrong one of a fresh proof of identity. Another role causes
/// no hash.
pub async fn prove_owner(
    context: &RequestContext<'_>,
    password: SecretText,
) -> Result<ProvenPassword, AdminProblem> {
    let account = context.session()?.account();
    let view = context.session_of(context.command(Command::Show).await?)?;
    if view.member.role != Role::Owner {
        return Err(AdminProblem::NotPermitted);
    }
    prove_own(context, account, &view, password).await
}

/// Verifies the password of a session's member, which a command demands besides the session.
pub async fn prove_own(
    context: &RequestContext<'_>,
    account: AccountId,
    view: &SessionView,
    password: SecretText,
) -> Result<ProvenPassword, AdminProblem> {
    let own = Membership { account, member: view.member.id };
    match prove_again(context, view, password).await? {
        Some(Proof { secret_version, confirmed, memberships, .. })
            if memberships.contains(&own) =>
        {
            Ok(ProvenPassword { secret_version, confirmed })
        }
        _ => {
            let (wrong, owner) = (AttemptRefused::Wrong, (Some(own.account), Some(own.member)));
            attempts::note_refused(context, LoggedAttempt::StepUp, wrong, owner);
            Err(AdminProblem::StepUpRefused)
        }
    }
}

/// Finds the person whose password this is. The try is counted before anything is hashed.
async fn prove(
    context: &RequestContext<'_>,
    email: &Email,
    password: SecretText,
) -> Result<Option<Proof>, AdminProblem> {
    if is_too_long(&password) {
        attempts::count_try(context).await?;
        return Ok(None);
    }
    let sign_in = AttemptKind::SignIn;
    if let Some(counted) = attempts::count_browser(context, email).await
        && let PasswordCheck::Checked(proof) =
            verify(context, email, &password, sign_in, &counted).await?
    {
        return Ok(proof);
    }
    let counted = attempts::count_stranger(context, email).await?;
    match verify(context, email, &password, sign_in, &counted).await? {
        PasswordCheck::Checked(proof) => Ok(proof),
        // The object has refused a mark that it was not sent.
        PasswordCheck::BrowserOver => Err(RequestProblem::Unavailable.into()),
    }
}

/// Finds the person of a session, whose ledger has confirmed it, by their password.
async fn prove_again(
    context: &RequestContext<'_>,
    view: &SessionView,
    password: SecretText,
) -> Result<Option<Proof>, AdminProblem> {
    let counted = attempts::count_session(context, view).await?;
    if is_too_long(&password) {
        return Ok(None);
    }
    match verify(context, &view.member.email, &password, AttemptKind::StepUp, &counted).await? {
        PasswordCheck::Checked(proof) => Ok(proof),
        PasswordCheck::BrowserOver => Err(RequestProblem::Unavailable.into()),
    }
}

/// Returns `true` for a password that no person can have, and that costs no hash.
pub fn is_too_long(password: &SecretText) -> bool {
    check_password(password.expose()).is_err_and(|error| matches!(error, TextError::TooLong { .. }))
}

/// The result of a verification.
enum PasswordCheck {
    /// The password was checked: the proof if it is right.
    Checked(Option<Proof>),
    /// The mark of the browser is of another password. Nothing was checked.
    BrowserOver,
}

/// Verifies a password whose try was counted.
async fn verify(
    context: &RequestContext<'_>,
    email: &Email,
    password: &SecretText,
    attempt: AttemptKind,
    counted: &Counted,
) -> Result<PasswordCheck, AdminProblem> {
    let block = context.client().map(ClientAddress::block);
    let (password, browser) = (password.clone(), counted.browser);
    let verify = NameRequest::Verify { password, block, counted: true, attempt, browser };
    match calls::name(context.env, email, &verify).await? {
        NameReply::Matches {
            account,
            member,
            secret_version,
            confirmed,
            memberships,
            address_version,
        } => {
            attempts::succeeded(context, counted).await;
            // An object of an earlier release names one alone.
            let first = Membership { account, member };
            let memberships = if memberships.is_empty() { vec![first] } else { memberships };
            let email = email.clone();
            Ok(PasswordCheck::Checked(Some(Proof {
                email,
                secret_version,
                confirmed,
                address_version,
                memberships,
            })))
        }
        NameReply::Refused => Ok(PasswordCheck::Checked(None)),
        NameReply::BrowserOver => Ok(PasswordCheck::BrowserOver),
        NameReply::TooMany { until } => Err(view::too_many(until, now())),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// Delays an answer so that its time reveals nothing: it comes `min_ms` after its request, or at a
/// later step. A new object takes longer to answer than one that knows the address. Waiting costs
/// no CPU.
pub async fn delay(context: &RequestContext<'_>, min_ms: u64) {
    let spent_ms =
        now().as_ms().saturating_sub(context.request.arrived.as_ms()).max(0).unsigned_abs();
    let until_ms = spent_ms.max(min_ms).next_multiple_of(REFUSAL_MS_STEP);
    worker::Delay::from(Duration::from_millis(until_ms.saturating_sub(spent_ms))).await;
}

/// Draws a session of a person with this number of memberships: its cookie, and what its ledger
/// stores.
pub fn new_session(
    context: &RequestContext<'_>,
    account: AccountId,
    accounts: u32,
) -> (NewToken, NewSession) {
    let AdminConfig { prefix, master, .. } = &*context.config;
    let token = NewToken::session(account, now(), prefix, master, &mut rng());
    let (id, digest) = (token.made().id(), *token.made().digest());
    (
        token,
        NewSession {
            id,
            digest,
            agent: context.agent(),
            accounts: accounts.max(1),
            began: None,
            challenge: None,
            proven_by: None,
        },
    )
}

/// The tokens of a sign-in: one of them becomes valid.
pub struct SignInTokens {
    session: NewToken,
    challenge: NewToken,
}

/// Draws a session, and the challenge that opens in its place if the member has a second factor.
pub fn new_sign_in(
    context: &RequestContext<'_>,
    account: AccountId,
    accounts: u32,
) -> (SignInTokens, NewSession) {
    let AdminConfig { prefix, master, .. } = &*context.config;
    let (session, new) = new_session(context, account, accounts);
    let challenge = NewToken::challenge(account, now(), prefix, master, &mut rng());
    let made = challenge.made();
    let drawn = NewChallenge { id: made.id(), digest: *made.digest() };
    (SignInTokens { session, challenge }, NewSession { challenge: Some(drawn), ..new })
}

/// Returns the answer to a switch from another account: the session with its cookie, or the
/// challenge. It marks no browser, because a switch proves no password.
pub fn switched_or_challenged(
    context: &RequestContext<'_>,
    reply: LedgerReply,
    tokens: &SignInTokens,
) -> Result<Response, AdminProblem> {
    match challenged(context, &reply, tokens) {
        Some(answer) => Ok(answer),
        None => Ok(opened(context, reply, &tokens.session)?.0),
    }
}

/// Returns the answer to a sign-in: the session with its cookie, or the challenge.
pub fn signed_in_or_challenged(
    context: &RequestContext<'_>,
    reply: LedgerReply,
    tokens: &SignInTokens,
) -> Result<Response, AdminProblem> {
    match challenged(context, &reply, tokens) {
        Some(answer) => Ok(answer),
        None => signed_in(context, reply, &tokens.session),
    }
}

/// Returns the answer with the challenge, if the ledger opened one.
fn challenged(
    context: &RequestContext<'_>,
    reply: &LedgerReply,
    tokens: &SignInTokens,
) -> Option<Response> {
    match reply {
        LedgerReply::Challenged { until, factors, passkeys } => {
            let token = &tokens.challenge;
            let ceremony = Ceremony::SecondFactor(token.made().id());
            let passkey = factors.passkey.then(|| ceremonies::options(context, ceremony, passkeys));
            let document = view::challenged(token, *factors, passkey, *until, now());
            Some(Response::json(200, &document))
        }
        _ => None,
    }
}

/// Returns the answer that opens a session, with its cookie and the mark of this browser.
pub fn signed_in(
    context: &RequestContext<'_>,
    reply: LedgerReply,
    new: &NewToken,
) -> Result<Response, AdminProblem> {
    let (answer, view) = opened(context, reply, new)?;
    Ok(attempts::with_mark(context, answer, &view))
}

/// Returns the answer that opens a session, with its cookie.
fn opened(
    context: &RequestContext<'_>,
    reply: LedgerReply,
    new: &NewToken,
) -> Result<(Response, SessionView), AdminProblem> {
    let view = context.session_of(reply)?;
    let answer = session_answer(context, 201, &view);
    Ok((answer.with("set-cookie", session::set_cookie(new.expose())), view))
}

/// Returns the session document.
pub fn session_answer(context: &RequestContext<'_>, status: u16, view: &SessionView) -> Response {
    Response::json(status, &view::session(view, &context.config, context.client(), now()))
}
