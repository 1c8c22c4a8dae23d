//! Routes under `/v1/member/address`: a person moves to another e-mail address.

use core::time::Duration;

use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{body, form, session};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::code::CodePurpose;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::identity::Membership;
use claviger_control::protocol::ledger::{LedgerRequest, NewSession};
use claviger_control::protocol::mailbox::{
    AddressChange, MailboxPurpose, MailboxSubject, MoveState,
};
use claviger_control::protocol::member::{AddressVersion, SecretVersion};
use claviger_control::protocol::objects::{NameReply, NameRequest};
use claviger_control::protocol::tries::Tries;
use claviger_control::protocol::view::SessionView;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::TokenId;
use claviger_workers::rng;

use crate::clock::now;
use crate::context::RequestContext;
use crate::sessions::{new_session, session_answer};
use crate::{attempts, calls, mailbox, refusals};

/// Pauses before the looks at a move, in milliseconds. It takes four calls between two objects.
const LOOKS_MS: [u64; 7] = [50, 50, 100, 200, 400, 800, 1_600];

/// A person who has arrived at the new address.
struct Arrived {
    secret_version: SecretVersion,
    address_version: AddressVersion,
    accounts: u32,
}

/// Mails a code to the new address of the member. Nothing else is mailed to it until it is proven.
pub async fn begin(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let typed: body::NewAddress = context.body().await?;
    let view = context.session_of(context.command(Command::ChangeAddress).await?)?;
    let email = form::new_address(&typed.email, &view.member.email)?;
    context.config.mail.as_ref().ok_or(AdminProblem::MailOff)?;
    attempts::count(context, &Tries::codes_of_person(&view.member.email)).await?;
    let by = Membership { account, member: view.member.id };
    let (language, zone) = (view.member.language, view.account.zone);
    mailbox::mail_code(context, &email, subject(by), (language, zone)).await
}

/// Moves the person to the new address, if the code is right. All their sessions end, and a new one
/// begins here.
pub async fn confirm(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let before = context.session()?;
    let typed: body::ConfirmAddress = context.body().await?;
    // The session comes first: a stranger learns nothing of the form.
    let view = context.session_of(context.command(Command::ChangeAddress).await?)?;
    let email = form::new_address(&typed.email, &view.member.email)?;
    let code = form::code("code", CodePurpose::NewAddress, &typed.code)?;
    let by = Membership { account: before.account(), member: view.member.id };
    let counted = attempts::count_session(context, &view).await?;
    // A repeated request may find the person there already, and the code used up.
    if show(context, &email, by).await? == MoveState::Nothing {
        let is_taken = mailbox::prove(context, &email, subject(by), &code).await?;
        attempts::succeeded(context, &counted).await;
        if is_taken {
            return Err(AdminProblem::AddressTaken);
        }
        begin_move(context, &view, &email, by).await?;
    }
    let Arrived { secret_version, address_version, accounts } =
        arrived(context, &view.member.email, &email, by).await?;
    // The ledger follows to both versions, which ends the sessions before it. If this call fails,
    // the name object tells it, and the person signs in with the new address.
    let (token, session) = new_session(context, by.account, accounts);
    let proven_by = view.proven_by.filter(|_| view.mfa);
    let session = NewSession { began: view.began, proven_by, ..session };
    let sign_in = LedgerRequest::SignIn {
        member: by.member,
        email,
        secret_version,
        session,
        address: context.address(),
        confirmed: true,
        // No password was typed here: the session begins without a fresh proof.
        switches: true,
        address_version,
    };
    let view = context.session_of(context.call_ledger(by.account, &sign_in).await?)?;
    refusals::note_over(&before, now());
    let answer = session_answer(context, 200, &view);
    Ok(answer.with("set-cookie", session::set_cookie(token.expose())))
}

async fn begin_move(
    context: &RequestContext<'_>,
    view: &SessionView,
    email: &Email,
    by: Membership,
) -> Result<(), AdminProblem> {
    let change = AddressChange {
        id: TokenId::random(&mut rng()),
        to: email.clone(),
        by,
        language: view.member.language,
        zone: view.account.zone.clone(),
        address: context.address(),
        at: now(),
    };
    match calls::name(context.env, &view.member.email, &NameRequest::BeginMove(change)).await? {
        NameReply::Move(_) => Ok(()),
        NameReply::NotHeld => Err(AdminProblem::NotSignedIn),
        // A ledger has not learned of the last change yet, or another move is under way.
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// Waits until the person has arrived at the new address. After an outage it takes longer than this
/// request: both addresses may then be used to sign in, and the request may be repeated.
async fn arrived(
    context: &RequestContext<'_>,
    old: &Email,
    new: &Email,
    by: Membership,
) -> Result<Arrived, AdminProblem> {
    for pause_ms in LOOKS_MS {
        worker::Delay::from(Duration::from_millis(pause_ms)).await;
        match show(context, new, by).await? {
            MoveState::Arrived { secret_version, address_version, accounts } => {
                return Ok(Arrived { secret_version, address_version, accounts });
            }
            MoveState::UnderWay => {}
            MoveState::Nothing => {
                let is_back = matches!(show(context, old, by).await?, MoveState::Arrived { .. });
                // Another person has claimed the new address since the code was checked.
                if is_back && show(context, new, by).await? == MoveState::Nothing {
                    return Err(AdminProblem::AddressTaken);
                }
            }
        }
    }
    Err(RequestProblem::Unavailable.into())
}

async fn show(
    context: &RequestContext<'_>,
    email: &Email,
    by: Membership,
) -> Result<MoveState, AdminProblem> {
    match calls::name(context.env, email, &NameRequest::ShowMove { by }).await? {
        NameReply::Move(state) => Ok(state),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

fn subject(Membership { account, member }: Membership) -> MailboxSubject {
    MailboxSubject { purpose: MailboxPurpose::Change, account, member }
}
