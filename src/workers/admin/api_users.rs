//! Routes under `/v1/api-users`: brings secrets to the name objects and draws IDs; the account's
//! ledger decides.
//!
//! A change with a secret or a new name takes three steps. The ledger authorises it and checks its
//! form. The name object then stages the secret, and last the ledger commits its version. After a
//! crash between them, the name object asks the ledger and removes what it does not hold.

use claviger_control::admin::api_user_form::{ApiUserBody, DeleteApiUser, WantedApiKey, listing};
use claviger_control::admin::api_user_route::ApiUserRoute;
use claviger_control::admin::body::DRAFT_BYTES_MAX;
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{headers, view};
use claviger_control::protocol::account_networks::ProvenPassword;
use claviger_control::protocol::api_key::draw_api_key;
use claviger_control::protocol::api_name::{ApiNameReply, ApiNameRequest, NewApiSecret};
use claviger_control::protocol::api_users::{
    ApiUserView, ApiUsersCommand, ApiUsersReply, name_taken,
};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_core::base::http::json_body;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::{AccountId, KeyId};
use claviger_core::base::secret::SecretText;
use claviger_core::config::terms::Bound;
use claviger_core::credential::api_user::{ApiSecretVersion, ApiUserName};
use claviger_core::replication::record::Revision;
use claviger_workers::rng;

use crate::clock::now;
use crate::context::RequestContext;
use crate::{calls, sessions};

/// Answers a route about API users.
pub async fn answer(
    context: &RequestContext<'_>,
    route: ApiUserRoute,
) -> Result<Response, AdminProblem> {
    match route {
        ApiUserRoute::List => list(context).await,
        ApiUserRoute::Create => create(context).await,
        ApiUserRoute::Show(id) => show(context, id).await,
        ApiUserRoute::Edit(id) => edit(context, id).await,
        ApiUserRoute::Lock(id) => {
            change(context, |expected| ApiUsersCommand::SetLocked { id, expected, locked: true })
                .await
        }
        ApiUserRoute::Unlock(id) => {
            change(context, |expected| ApiUsersCommand::SetLocked { id, expected, locked: false })
                .await
        }
        ApiUserRoute::Delete(id) => delete(context, id).await,
        ApiUserRoute::Restore(id) => {
            change(context, |expected| ApiUsersCommand::Restore { id, expected }).await
        }
    }
}

async fn list(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    context.session()?;
    let listing = listing(context.request.url.query)?;
    match ask(context, ApiUsersCommand::List(listing)).await? {
        ApiUsersReply::Page(page) => Ok(Response::json(200, &view::api_users(&page, now()))),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

async fn show(context: &RequestContext<'_>, id: KeyId) -> Result<Response, AdminProblem> {
    match ask(context, ApiUsersCommand::Get { id }).await? {
        ApiUsersReply::User(user) => Ok(Response::json(200, &view::api_user(&user, now()))),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

async fn create(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let idempotency_key = headers::idempotency_key(context.request.headers)?;
    let body: ApiUserBody = json_body::parse(&context.bytes(DRAFT_BYTES_MAX).await?)?;
    let (form, typed) = body.split();
    let form = Box::new(form);
    let check = ApiUsersCommand::CheckCreation {
        form: form.clone(),
        idempotency_key: idempotency_key.clone(),
    };
    let ApiUsersReply::Checked { name, .. } = ask(context, check).await? else {
        return Err(RequestProblem::Unavailable.into());
    };
    // After the rights: what a viewer types is not judged.
    let (secret, drawn) = secret_of(typed.of_new_user(&form)?);
    let secret = secret.ok_or(RequestProblem::Internal)?;
    let id = KeyId::random(account, &mut rng());
    let claim = NameToClaim { name: &name, account, id };
    let version = claim.stage(context, ApiSecretVersion(0), secret).await?;
    let create = ApiUsersCommand::Create { id, form, secret: version, idempotency_key };
    let (user, _) = claim.commit(context, version, create).await?;
    let document = view::api_user_created(&user, drawn.as_ref(), now());
    Ok(Response::json(201, &document))
}

async fn edit(context: &RequestContext<'_>, id: KeyId) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let expected = headers::if_match(context.request.headers)?;
    let body: ApiUserBody = json_body::parse(&context.bytes(DRAFT_BYTES_MAX).await?)?;
    let (form, typed) = body.split();
    let form = Box::new(form);
    let check = ApiUsersCommand::CheckEdit { id, expected, form: form.clone() };
    let ApiUsersReply::Checked { name, user: Some(before) } = ask(context, check).await? else {
        return Err(RequestProblem::Unavailable.into());
    };
    let (secret, drawn) = secret_of(typed.read(Some(&name))?);
    let is_new_secret = secret.is_some();
    let secret = match secret {
        None if name != before.name => Some(moved(context, account, &before).await?),
        secret => secret,
    };
    let claim = NameToClaim { name: &name, account, id };
    let (user, bound) = match secret {
        Some(secret) => {
            let version = claim.stage(context, before.secret, secret).await?;
            let secret = Some(version);
            let edit = ApiUsersCommand::Edit { id, expected, form, secret, is_new_secret };
            claim.commit(context, version, edit).await?
        }
        None => {
            let secret = None;
            let edit = ApiUsersCommand::Edit { id, expected, form, secret, is_new_secret };
            changed(ask(context, edit).await?)?
        }
    };
    let document = view::api_user_changed(&user, drawn.as_ref(), bound, now());
    Ok(Response::json(200, &document))
}

/// Deletes an API user after the member has typed the password, which counts as a proof of identity
/// does.
async fn delete(context: &RequestContext<'_>, id: KeyId) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let expected = headers::if_match(context.request.headers)?;
    let form: DeleteApiUser = context.body().await?;
    ask(context, ApiUsersCommand::CheckDeletion { id, expected }).await?;
    let view = context.session_of(context.command(Command::Show).await?)?;
    let ProvenPassword { secret_version, confirmed } =
        sessions::prove_own(context, account, &view, form.password).await?;
    let delete = ApiUsersCommand::Delete { id, expected, secret_version, confirmed };
    let (user, bound) = changed(ask(context, delete).await?)?;
    Ok(Response::json(200, &view::api_user_changed(&user, None, bound, now())))
}

/// Changes a user by a command that needs only the revision that the member saw.
async fn change(
    context: &RequestContext<'_>,
    command: impl FnOnce(Revision) -> ApiUsersCommand,
) -> Result<Response, AdminProblem> {
    context.session()?;
    let expected = headers::if_match(context.request.headers)?;
    let (user, bound) = changed(ask(context, command(expected)).await?)?;
    Ok(Response::json(200, &view::api_user_changed(&user, None, bound, now())))
}

type Changed = (ApiUserView, Option<Bound>);

fn changed(reply: ApiUsersReply) -> Result<Changed, AdminProblem> {
    match reply {
        ApiUsersReply::Changed { user, bound, .. } => Ok((user, bound)),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

async fn ask(
    context: &RequestContext<'_>,
    users: ApiUsersCommand,
) -> Result<ApiUsersReply, AdminProblem> {
    match context.command(Command::ApiUsers { users }).await? {
        LedgerReply::ApiUsers(reply) => Ok(reply),
        reply => Err(context.refusal(reply)),
    }
}

/// Returns the secret to stage, and the drawn one that the answer shows.
fn secret_of(wanted: WantedApiKey) -> (Option<NewApiSecret>, Option<SecretText>) {
    match wanted {
        WantedApiKey::Kept => (None, None),
        WantedApiKey::Chosen(text) => (Some(NewApiSecret::Chosen { text }), None),
        WantedApiKey::Generated => {
            let text = draw_api_key(&mut rng());
            (Some(NewApiSecret::Generated { text: text.clone() }), Some(text))
        }
    }
}

/// Returns the present secret of a user in its stored form, for the object of the next name.
async fn moved(
    context: &RequestContext<'_>,
    account: AccountId,
    user: &ApiUserView,
) -> Result<NewApiSecret, AdminProblem> {
    let export = ApiNameRequest::Export { account, id: user.id, version: user.secret };
    match calls::api_name(context.env, &user.name, &export).await? {
        ApiNameReply::Exported { stored } => Ok(NewApiSecret::Moved { stored }),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// A name that a user has, or is to have.
struct NameToClaim<'a> {
    name: &'a ApiUserName,
    account: AccountId,
    id: KeyId,
}

impl NameToClaim<'_> {
    /// Stages a secret under the next version. If the ledger of the name's holder no longer has the
    /// user, that claim ends first.
    async fn stage(
        &self,
        context: &RequestContext<'_>,
        above: ApiSecretVersion,
        secret: NewApiSecret,
    ) -> Result<ApiSecretVersion, AdminProblem> {
        let Self { name, account, id } = *self;
        let claim = ApiNameRequest::Claim { name: name.clone(), account, id, above, secret };
        let mut reply = calls::api_name(context.env, name, &claim).await?;
        if let ApiNameReply::Taken { holder: Some(holder) } = reply {
            let asked = LedgerRequest::HoldsApiName { name: name.clone() };
            let held = calls::ledger(context.env, holder.account, &asked).await?;
            let is_gone =
                matches!(held, LedgerReply::ApiNameHeld { held: None } | LedgerReply::Gone);
            if is_gone {
                let (account, id, through) = (holder.account, holder.id, holder.version);
                let leave = ApiNameRequest::Leave { account, id, through };
                calls::api_name(context.env, name, &leave).await?;
                reply = calls::api_name(context.env, name, &claim).await?;
            }
        }
        match reply {
            ApiNameReply::Claimed { version } => Ok(version),
            ApiNameReply::Taken { .. } => {
                let errors = view::field_errors(vec![name_taken()]);
                Err(AdminProblem::Invalid { errors })
            }
            _ => Err(RequestProblem::Unavailable.into()),
        }
    }

    /// Commits a staged version. If the ledger refuses it, the object removes it at once. After an
    /// unknown outcome the object asks the ledger.
    async fn commit(
        &self,
        context: &RequestContext<'_>,
        version: ApiSecretVersion,
        users: ApiUsersCommand,
    ) -> Result<Changed, AdminProblem> {
        let Self { name, account, id } = *self;
        match context.command(Command::ApiUsers { users }).await? {
            LedgerReply::ApiUsers(reply) => changed(reply),
            LedgerReply::Refused(refusal) => {
                let withdraw = ApiNameRequest::Withdraw { account, id, version };
                // The object asks the ledger later, if it does not answer now.
                let _ = calls::api_name(context.env, name, &withdraw).await;
                Err(context.refusal(LedgerReply::Refused(refusal)))
            }
            _ => Err(RequestProblem::Unavailable.into()),
        }
    }
}
