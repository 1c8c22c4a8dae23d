//! Routes under `/v1/invitations`: a person with a mailed token joins an account.
//!
//! A token that Claviger never made, or that is over, costs no object call. A genuine one leads to
//! a password hash, so that each request counts as a try: by address, and at the invited name.

use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::log::{AttemptRefused, LoggedAttempt};
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{body, member_form, view};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::ledger::{Joining, LedgerReply, LedgerRequest};
use claviger_control::protocol::members::InvitationOffer;
use claviger_control::protocol::objects::{NameReply, NameRequest};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::token::{Kind, MadeToken};
use claviger_control::protocol::tries::Tries;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::secret::SecretText;
use claviger_core::credential::limits::network::ClientAddress;
use futures_util::future::join;

use crate::clock::now;
use crate::context::RequestContext;
use crate::sessions::{has_password, new_sign_in, signed_in_or_challenged};
use crate::{attempts, calls, refusals};

/// Returns the invitation to the holder of its token. Nothing is claimed or used up.
pub async fn check(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let body::CheckInvitation { token } = context.body().await?;
    let token = genuine(context, &token)?;
    attempts::count_try(context).await?;
    let offer = offered(context, &token).await?;
    let has_password = has_password(context, &offer.email).await?;
    Ok(Response::json(200, &view::invitation_offer(&offer, has_password, now())))
}

/// Makes the person a member, and signs them in.
pub async fn accept(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let typed: body::AcceptInvitation = context.body().await?;
    let token = genuine(context, &typed.token)?;
    let (name, language) = member_form::joiner(&typed)?;
    let by_address = attempts::count_try(context).await?;
    let InvitationOffer { account: account_name, email, member, .. } =
        offered(context, &token).await?;
    let name = member_form::joining_name(name, &email)?;
    let at_name = Tries::at_name(&email, context.client());
    attempts::count(context, &at_name).await?;
    let has_password = has_password(context, &email).await?;
    let names = [account_name.as_str(), name.as_str(), email.as_str()];
    member_form::joining_password(&typed.password, has_password, &names)?;

    let account = token.account();
    let (name_of, password) = (email.to_string(), typed.password);
    let network = context.client().map(ClientAddress::block);
    let claim = NameRequest::Claim { name: name_of, account, member, password, network };
    let (secret_version, accounts) = match calls::name(context.env, &email, &claim).await? {
        NameReply::Claimed { secret_version, accounts } => (secret_version, accounts),
        // A wrong password of a person who has one; otherwise another person is claiming the name.
        NameReply::Taken if has_password => {
            let wrong = AttemptRefused::Wrong;
            attempts::note_refused(context, LoggedAttempt::SignIn, wrong, (None, None));
            return Err(AdminProblem::SignInRefused);
        }
        NameReply::Taken => return Err(AdminProblem::AddressTaken),
        _ => return Err(RequestProblem::Unavailable.into()),
    };
    let (new, session) = new_sign_in(context, account, accounts);
    let joining = Joining {
        token: token.id(),
        digest: *token.digest(),
        member,
        email: email.clone(),
        name,
        language,
        secret_version,
        session,
        address: context.address(),
    };
    let reply = context.call_ledger(account, &LedgerRequest::Join(joining)).await?;
    if matches!(reply, LedgerReply::Refused(_)) {
        // The invitation ended meanwhile. If this call fails, the name object asks the ledger
        // later.
        let release = NameRequest::Release { account, member, secret_version };
        let _ = calls::name(context.env, &email, &release).await;
    }
    let is_challenged = matches!(reply, LedgerReply::Challenged { .. });
    let answer = signed_in_or_challenged(context, known(&token, reply), &new)?;
    // A further use is refused without a call.
    refusals::note_over(&token, now());
    // The cookie is replaced, so that a session of before would only stand in its list.
    if !is_challenged && context.session().is_ok() {
        let _ = context.command(Command::SignOut).await;
    }
    join(attempts::succeeded_at(context, &by_address), attempts::succeeded_at(context, &at_name))
        .await;
    Ok(answer)
}

/// Parses the token of a link.
///
/// # Errors
/// [`AdminProblem::InvitationRefused`] if it is forged, too old or malformed;
/// [`AdminProblem::InvitationOver`] if its ledger has refused it to this isolate a moment ago.
fn genuine(context: &RequestContext<'_>, text: &SecretText) -> Result<MadeToken, AdminProblem> {
    let AdminConfig { prefix, master, .. } = &*context.config;
    let token = MadeToken::parse(text.expose(), Kind::Invitation, prefix, master)
        .filter(|token| !token.is_over(context.request.arrived))
        .ok_or(AdminProblem::InvitationRefused)?;
    if refusals::is_over(&token, context.request.arrived) {
        return Err(AdminProblem::InvitationOver);
    }
    Ok(token)
}

/// Asks the ledger for the invitation of a token.
async fn offered(
    context: &RequestContext<'_>,
    token: &MadeToken,
) -> Result<InvitationOffer, AdminProblem> {
    let show = LedgerRequest::ShowInvitation { token: token.id(), digest: *token.digest() };
    let reply = context.call_ledger(token.account(), &show).await?;
    match known(token, reply) {
        LedgerReply::Offer(offer) => Ok(offer),
        reply => Err(context.refusal(reply)),
    }
}

/// Returns the ledger's reply, and remembers a refusal for good. An account that was never opened
/// has no invitation.
fn known(token: &MadeToken, reply: LedgerReply) -> LedgerReply {
    let reply = match reply {
        LedgerReply::Gone => LedgerReply::Refused(Refusal::InvitationOver),
        reply => reply,
    };
    if reply == LedgerReply::Refused(Refusal::InvitationOver) {
        refusals::note_over(token, now());
    }
    reply
}
