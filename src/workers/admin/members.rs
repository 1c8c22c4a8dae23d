//! Routes under `/v1/members`, `/v1/member` and `/v1/account`: draws invitations; the account's
//! ledger decides.

use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{body, form, member_form, view};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::encryption;
use claviger_control::protocol::envelope::invitation_associated_data;
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::members::{MembersCommand, NewInvitation};
use claviger_control::protocol::token::NewToken;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::{AccountId, MemberId, TokenId};
use claviger_core::base::secret::SecretText;
use claviger_workers::rng;

use crate::clock::now;
use crate::context::RequestContext;
use crate::sessions;

/// Returns the members and, to an owner, the invitations.
pub async fn list(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    match ask(context, MembersCommand::List).await? {
        LedgerReply::Members(list) => Ok(Response::json(200, &view::members(&list, now()))),
        reply => Err(context.refusal(reply)),
    }
}

/// Invites an address.
pub async fn invite(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let typed: body::InvitationForm = context.body().await?;
    let member_form::Invitee { email, role, language } = member_form::Invitee::check(&typed)?;
    let (id, member) = (TokenId::random(&mut rng()), MemberId::random(&mut rng()));
    let token = draw(&context.config, account)?;
    let invite = MembersCommand::Invite { id, member, email, role, language, token };
    invited(context, 201, invite).await
}

/// Mails an invitation again, with another token.
pub async fn repeat(context: &RequestContext<'_>, id: TokenId) -> Result<Response, AdminProblem> {
    let token = draw(&context.config, context.session()?.account())?;
    invited(context, 200, MembersCommand::RepeatInvitation { id, token }).await
}

/// Ends an invitation.
pub async fn withdraw(context: &RequestContext<'_>, id: TokenId) -> Result<Response, AdminProblem> {
    done(context, MembersCommand::WithdrawInvitation { id }).await
}

/// Changes the role of a member.
pub async fn change_role(
    context: &RequestContext<'_>,
    member: MemberId,
) -> Result<Response, AdminProblem> {
    context.session()?;
    let typed: body::RoleChange = context.body().await?;
    let (role, expected) = member_form::role_change(&typed)?;
    match ask(context, MembersCommand::ChangeRole { member, role, expected }).await? {
        LedgerReply::Member(member) => Ok(Response::json(200, &view::member(&member, now()))),
        reply => Err(context.refusal(reply)),
    }
}

/// Removes a member, or the member who asks. The answer names the keys that ended with them.
pub async fn remove(
    context: &RequestContext<'_>,
    member: MemberId,
) -> Result<Response, AdminProblem> {
    match ask(context, MembersCommand::Remove { member }).await? {
        LedgerReply::Done => Ok(Response::empty(204)),
        LedgerReply::MemberRemoved { keys, bound, .. } => {
            Ok(Response::json(200, &view::member_removed(keys, bound, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Ends the sessions of a member.
pub async fn end_sessions(
    context: &RequestContext<'_>,
    member: MemberId,
) -> Result<Response, AdminProblem> {
    done(context, MembersCommand::EndSessions { member }).await
}

/// Changes the own name or language.
pub async fn edit_profile(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    context.session()?;
    let (name, language) = member_form::profile(context.body().await?)?;
    session(context, MembersCommand::EditProfile { name, language }).await
}

/// Returns the own switches of notices.
pub async fn show_notices(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    notices(context, MembersCommand::ShowNotices).await
}

/// Changes the own switches of notices.
pub async fn edit_notices(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    context.session()?;
    let changes = context.body().await?;
    notices(context, MembersCommand::EditNotices { changes }).await
}

/// Returns a page of the own past notices.
pub async fn list_notices(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    context.session()?;
    let (cursor, limit) = form::notices(context.request.url.query)?;
    match ask(context, MembersCommand::ListNotices { cursor, limit }).await? {
        LedgerReply::NoticePage(page) => {
            Ok(Response::json(200, &view::notice_page(&page, &context.config.prefix, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Marks the own notices up to one as read.
pub async fn read_notices(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    context.session()?;
    let body::NoticeMark { id } = context.body().await?;
    match ask(context, MembersCommand::ReadNotices { until: id }).await? {
        LedgerReply::NoticesRead { unread } => {
            Ok(Response::json(200, &view::notices_read(unread, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

async fn notices(
    context: &RequestContext<'_>,
    command: MembersCommand,
) -> Result<Response, AdminProblem> {
    match ask(context, command).await? {
        LedgerReply::Notices { notices } => Ok(Response::json(200, &view::notices(notices, now()))),
        reply => Err(context.refusal(reply)),
    }
}

/// Changes the name or time zone of the account.
pub async fn edit_account(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    context.session()?;
    let (name, zone) = member_form::own_account(context.body().await?)?;
    session(context, MembersCommand::EditAccount { name, zone }).await
}

/// Draws the token of an invitation: its digest for the ledger, and its ciphertext for the mail.
fn draw(config: &AdminConfig, account: AccountId) -> Result<NewInvitation, AdminProblem> {
    config.mail.as_ref().ok_or(AdminProblem::MailOff)?;
    let AdminConfig { prefix, master, .. } = config;
    let drawn = NewToken::invitation(account, now(), prefix, master, &mut rng());
    let token = drawn.made().id();
    let text = SecretText::new(drawn.expose().to_owned());
    let place = invitation_associated_data(account, &token);
    let sealed = encryption::encrypt(&text, place, master, &mut rng());
    let sealed = sealed.ok_or(RequestProblem::Internal)?;
    Ok(NewInvitation { token, digest: *drawn.made().digest(), sealed })
}

async fn invited(
    context: &RequestContext<'_>,
    status: u16,
    command: MembersCommand,
) -> Result<Response, AdminProblem> {
    match ask(context, command).await? {
        LedgerReply::Invitation(invitation) => {
            Ok(Response::json(status, &view::invitation(&invitation, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

async fn done(
    context: &RequestContext<'_>,
    command: MembersCommand,
) -> Result<Response, AdminProblem> {
    match ask(context, command).await? {
        LedgerReply::Done => Ok(Response::empty(204)),
        reply => Err(context.refusal(reply)),
    }
}

async fn session(
    context: &RequestContext<'_>,
    command: MembersCommand,
) -> Result<Response, AdminProblem> {
    let view = context.session_of(ask(context, command).await?)?;
    Ok(sessions::session_answer(context, 200, &view))
}

async fn ask(
    context: &RequestContext<'_>,
    members: MembersCommand,
) -> Result<LedgerReply, AdminProblem> {
    context.command(Command::Members { members }).await
}
