//! Routes under `/v1/keys` and `/v1/sealed-keys`: reads bodies and draws keys; the account's ledger
//! decides.

use claviger_control::admin::body::DRAFT_BYTES_MAX;
use claviger_control::admin::problem::{AdminProblem, NotViewable};
use claviger_control::admin::{body, form, headers, view};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::draft::{Changes, Draft};
use claviger_control::protocol::encryption;
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::regeneration::RegenerationForm;
use claviger_core::base::http::json_body;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::KeyId;
use claviger_core::credential::issuer::Issuer;
use claviger_core::credential::key::NewKey;
use claviger_core::replication::record::Revision;
use claviger_workers::rng;

use crate::clock::now;
use crate::context::RequestContext;

/// Most draws of a key whose ID already exists; even one collision is extremely unlikely.
const DRAWS_MAX: u32 = 3;

/// Returns a page of keys.
pub async fn list(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    context.account()?;
    let listing = form::listing(context.request.url.query)?;
    match context.command(Command::List(listing)).await? {
        LedgerReply::Page(page) => {
            Ok(Response::json(200, &view::page(&page, &context.config, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Returns a key.
pub async fn show(context: &RequestContext<'_>, id: KeyId) -> Result<Response, AdminProblem> {
    match context.command(Command::Get { id, deleted: true }).await? {
        LedgerReply::Key(key) => Ok(Response::json(200, &view::key(&key, &context.config, now()))),
        reply => Err(context.refusal(reply)),
    }
}

/// Returns the counts of the stored keys that an issuer has issued.
pub async fn count_issued(
    context: &RequestContext<'_>,
    issuer: Issuer,
) -> Result<Response, AdminProblem> {
    match context.command(Command::CountIssued { issuer }).await? {
        LedgerReply::IssuedCounted(counts) => {
            Ok(Response::json(200, &view::issued_counts(&counts, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Returns the preview of a key's form.
pub async fn check(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    context.account()?;
    let draft: Draft = json_body::parse(&context.bytes(DRAFT_BYTES_MAX).await?)?;
    match context.command(Command::Check { draft }).await? {
        LedgerReply::Checked(checked) => Ok(Response::json(200, &view::checked(&checked))),
        reply => Err(context.refusal(reply)),
    }
}

/// Issues a key.
pub async fn issue(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let account = context.account()?;
    let idempotency_key = headers::idempotency_key(context.request.headers)?;
    let draft: Draft = json_body::parse(&context.bytes(DRAFT_BYTES_MAX).await?)?;
    let config = &context.config;
    for _ in 0..DRAWS_MAX {
        let new = NewKey::generate(account, &config.prefix, config.keyring(), &mut rng());
        let sealed = match draft.viewable {
            Some(true) => {
                let sealed = encryption::encrypt_key(&new, &config.master, &mut rng());
                Some(sealed.ok_or(RequestProblem::Unavailable)?)
            }
            Some(false) | None => None,
        };
        let issue = Command::Issue {
            id: new.id(),
            digest: new.digest(),
            draft: draft.clone(),
            idempotency_key: idempotency_key.clone(),
            sealed,
        };
        match context.command(issue).await? {
            LedgerReply::Changed { key: Some(key), .. } => {
                return Ok(Response::json(201, &view::issued(&key, &new, config, now())));
            }
            LedgerReply::Refused(Refusal::IdTaken) => {}
            reply => return Err(context.refusal(reply)),
        }
    }
    Err(RequestProblem::Unavailable.into())
}

/// Regenerates a key.
pub async fn regenerate(context: &RequestContext<'_>, id: KeyId) -> Result<Response, AdminProblem> {
    let account = context.account()?;
    let expected = headers::if_match(context.request.headers)?;
    let idempotency_key = headers::idempotency_key(context.request.headers)?;
    let form: RegenerationForm = context.body().await?;
    let config = &context.config;
    for _ in 0..DRAWS_MAX {
        let new = NewKey::generate(account, &config.prefix, config.keyring(), &mut rng());
        // Only the ledger knows if the old key is viewable. If not, it drops the ciphertext.
        let sealed = encryption::encrypt_key(&new, &config.master, &mut rng());
        let regenerate = Command::Regenerate {
            id,
            expected,
            new_id: new.id(),
            new_digest: new.digest(),
            form: form.clone(),
            idempotency_key: idempotency_key.clone(),
            sealed: Some(sealed.ok_or(RequestProblem::Unavailable)?),
        };
        match context.command(regenerate).await? {
            LedgerReply::Regenerated { key, replaced, bound, .. } => {
                let document = view::regenerated(&key, &replaced, &new, bound, config, now());
                return Ok(Response::json(201, &document));
            }
            LedgerReply::Refused(Refusal::IdTaken) => {}
            reply => return Err(context.refusal(reply)),
        }
    }
    Err(RequestProblem::Unavailable.into())
}

/// Shows a key's secret again. The ledger permits and records this before the secret is decrypted
/// here.
pub async fn reveal(context: &RequestContext<'_>, id: KeyId) -> Result<Response, AdminProblem> {
    match context.command(Command::Reveal { id }).await? {
        LedgerReply::Revealed { sealed } => {
            let key = encryption::decrypt(
                &sealed,
                encryption::key_associated_data(&id),
                &context.config.master,
            )
            .ok_or(AdminProblem::NotViewable(NotViewable::GenerationDropped))?;
            let revealed = view::revealed(&key, now()).ok_or(RequestProblem::Internal)?;
            Ok(Response::json(200, &revealed))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Deletes a key, where the account's policy demands no mailed code.
pub async fn delete(context: &RequestContext<'_>, id: KeyId) -> Result<Response, AdminProblem> {
    context.account()?;
    let expected = headers::if_match(context.request.headers)?;
    match context.command(Command::DeleteKey { id, expected }).await? {
        LedgerReply::Deleted { records, bound, restorable_until } => {
            Ok(Response::json(200, &view::deleted(&records, bound, restorable_until, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Returns the key pair of the member, or what is missing for one.
pub async fn show_pair(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    match context.command(Command::ShowPair).await? {
        LedgerReply::Pair(pair) => {
            Ok(Response::json(200, &view::pair(&pair, &context.config, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Changes a key by a form.
pub async fn edit(context: &RequestContext<'_>, id: KeyId) -> Result<Response, AdminProblem> {
    context.account()?;
    let expected = headers::if_match(context.request.headers)?;
    let changes: Changes = json_body::parse(&context.bytes(DRAFT_BYTES_MAX).await?)?;
    commit(context, Command::Edit { id, expected, changes }).await
}

/// Changes a key by a command that needs only the revision that the member saw.
pub async fn change(
    context: &RequestContext<'_>,
    command: impl FnOnce(Revision) -> Command,
) -> Result<Response, AdminProblem> {
    context.account()?;
    commit(context, command(headers::if_match(context.request.headers)?)).await
}

async fn commit(context: &RequestContext<'_>, command: Command) -> Result<Response, AdminProblem> {
    match context.command(command).await? {
        LedgerReply::Changed { key, bound, .. } => {
            Ok(Response::json(200, &view::changed(key.as_ref(), bound, &context.config, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}

/// Revokes one sealed key.
pub async fn revoke_sealed(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    let account = context.session()?.account();
    let form: body::RevokeSealed = context.body().await?;
    let command = form.command(account, &context.config, context.request.arrived)?;
    match context.command(command).await? {
        LedgerReply::Revoked { bound, all_of_issuer, .. } => {
            Ok(Response::json(200, &view::revoked(bound, all_of_issuer, now())))
        }
        reply => Err(context.refusal(reply)),
    }
}
