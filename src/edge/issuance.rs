//! `POST /issue_service_authorization`: a program asks for a key.

use super::console::{DRAWS_MAX, Exchange, core, rng};
use super::{calls, find_out, now, with_gateway};
use crate::answer::Answer;
use crate::gateway::{Authorisation, client_address};
use crate::issuance::{
    Authority, BODY_BYTES_MAX, Form, Granted, Refused, RetryAfter, check_head, grant, seal, text,
};
use crate::key::NewKey;
use crate::lease::call::Lookup;
use crate::problem::Problem;
use crate::protocol::{LedgerReply, LedgerRequest, Refusal};
use crate::time::UnixMs;

/// Seconds after which an issue that found nobody is worth another try.
const RETRY_AFTER: RetryAfter = RetryAfter(2);

/// Answers with the key, or with one line about why there is none.
pub async fn answer(exchange: &Exchange<'_>) -> Answer {
    let host = exchange.request.url.host;
    issue(exchange).await.unwrap_or_else(|refused| refused.answer(host, RETRY_AFTER))
}

async fn issue(exchange: &Exchange<'_>) -> Result<Answer, Refused> {
    check_head(exchange.request)?;
    with_gateway(|gateway| gateway.check_issuer(exchange.request)).ok_or(Refused::Unavailable)??;
    let body = exchange.read(BODY_BYTES_MAX).await.map_err(|problem| match problem {
        Problem::BodyTooLarge { .. } => Refused::TooLarge,
        Problem::BodyTooSlow => Refused::TooSlow,
        _ => Refused::CutOff,
    })?;
    let form = Form::parse(&body)?;
    let authority = authorise(exchange, &form).await?;
    // Of after the ledger's word: an edge that knows its account as of later knows all that this rests on.
    let at = now();
    let wanted = form.wanted(at, &authority.zone)?;
    let granted = grant(wanted, &authority.issuing.ceiling, authority.expires, at)?;
    let sealed = core(|config| seal(&granted, &authority, at, config, &mut rng()));
    let sealed = sealed.map_err(|_| Refused::Unavailable)?;
    match sealed {
        Some(sealed) => Ok(text(200, sealed.expose().to_owned())),
        None => store(exchange, &authority, &granted, at).await,
    }
}

async fn authorise(exchange: &Exchange<'_>, form: &Form) -> Result<Authority, Refused> {
    let credentials = core(|config| form.credentials(exchange.request, config));
    let credentials = credentials.map_err(|_| Refused::Unavailable)??;
    let (address, arrival) = (client_address(exchange.request), exchange.request.arrived);
    let mut lookup = Lookup::default();
    loop {
        let authorised =
            with_gateway(|gateway| gateway.authorise_issue(&credentials, address, arrival, now(), &lookup));
        match authorised.ok_or(Refused::Unavailable)? {
            Authorisation::Decided(authority, renew) => {
                exchange.renew.set(renew);
                return *authority;
            }
            Authorisation::Need(need) => {
                find_out(need, exchange.env, exchange.context, address, &mut lookup).await
            }
        }
    }
}

/// Has a key issued that does not fit into a sealed one.
async fn store(
    exchange: &Exchange<'_>,
    authority: &Authority,
    granted: &Granted,
    at: UnixMs,
) -> Result<Answer, Refused> {
    for _ in 0..DRAWS_MAX {
        let account = authority.account;
        let new = core(|config| NewKey::generate(account, &config.prefix, &config.ring, &mut rng()));
        let new = new.map_err(|_| Refused::Unavailable)?;
        let request = LedgerRequest::IssueByApi {
            id: new.id(),
            digest: new.digest(),
            proof: authority.proof,
            at,
            expires: granted.expires,
            networks: granted.networks.clone(),
            address: client_address(exchange.request).map(|address| address.ip().to_string()),
        };
        let reply = calls::ledger(exchange.env, account, &request).await.map_err(|_| Refused::Unavailable)?;
        match reply {
            LedgerReply::Changed { record, .. } => {
                with_gateway(|gateway| gateway.learn_from_change(record, now()));
                return Ok(text(200, new.expose().to_owned()));
            }
            LedgerReply::Refused(Refusal::IdTaken) => {}
            LedgerReply::Refused(Refusal::TooManyKeys { .. }) => return Err(Refused::TooMany),
            // What this isolate's lease knew is not so any more.
            LedgerReply::Refused(Refusal::IssuerRefused) => return Err(Refused::Overtaken),
            _ => return Err(Refused::Unavailable),
        }
    }
    Err(Refused::Unavailable)
}

/// `POST /v1/sealed-keys/revoke`.
pub async fn revoke(exchange: &Exchange<'_>) -> Result<Answer, Problem> {
    use crate::console::body::{BODY_BYTES_MAX, RevokeSealed};
    use crate::console::view;

    let account = exchange.session()?.account();
    let form: RevokeSealed = crate::console::body::parse(&exchange.bytes(BODY_BYTES_MAX).await?)?;
    let arrived = exchange.request.arrived;
    let command = core(|config| form.command(account, config, arrived))??;
    match exchange.command(command).await? {
        LedgerReply::Revoked { bound, all_of_issuer, record } => {
            // Where the change was made it holds at once, also what is part of the account's state.
            with_gateway(|gateway| {
                record.into_iter().for_each(|record| gateway.learn_from_change(record, now()));
                gateway.end_lease(account);
            });
            Ok(Answer::json(200, &view::revoked(bound, all_of_issuer, now())))
        }
        reply => Err(exchange.refusal(reply)),
    }
}
