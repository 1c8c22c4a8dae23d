//! `POST /v1/verify`: a verifier asks about other credentials.

use serde_json::{Value, json};

use super::console::{Exchange, core};
use super::{find_out, with_gateway};
use crate::answer::Answer;
use crate::console::body::{BODY_BYTES_MAX, Check, Verify};
use crate::console::view;
use crate::gateway::{self, Evidence, client_address};
use crate::lease::call::Lookup;
use crate::network::ClientAddress;
use crate::permission::Permission;
use crate::problem::{Problem, challenge};
use crate::record::Interface;
use crate::verdict::Denial;
use crate::verify::{Demand, Facts, Verified};

/// Answers a verification.
pub async fn answer(exchange: &Exchange<'_>) -> Result<Answer, Problem> {
    let verifier = match authenticate(exchange).await? {
        Ok(verifier) => verifier,
        Err(denial) => return core(|config| denied(denial, &config.console_host, &config.console_origin)),
    };
    match Verify::parse(&exchange.bytes(BODY_BYTES_MAX).await?)? {
        Verify::One(check) => Ok(Answer::json(200, &verdict_on(exchange, &check, &verifier).await?)),
        Verify::Several(checks) => {
            let mut verdicts = Vec::with_capacity(checks.len());
            for check in &checks {
                verdicts.push(verdict_on(exchange, check, &verifier).await?);
            }
            Ok(Answer::json(200, &json!({ "verdicts": verdicts })))
        }
    }
}

/// Checks the caller's own key, which is never what it asks about.
async fn authenticate(exchange: &Exchange<'_>) -> Result<Result<Verified, Denial>, Problem> {
    let Some(text) = exchange.request.headers.find("claviger-verifier") else {
        return Ok(Err(Denial::Missing));
    };
    let demanded = Permission::claviger_verify();
    let facts = Facts {
        address: client_address(exchange.request),
        interface: Interface::Http,
        demand: Demand::Permission(&demanded),
    };
    Ok(check(exchange, text, &facts).await?.0)
}

async fn verdict_on(exchange: &Exchange<'_>, asked: &Check, verifier: &Verified) -> Result<Value, Problem> {
    let text = asked.text()?;
    let malformed = |detail: &str| Problem::MalformedBody { detail: detail.into() };
    let permission = match &asked.permission {
        None => None,
        Some(text) => {
            Some(text.parse::<Permission>().map_err(|_| malformed("permission must be resource:action"))?)
        }
    };
    let address = match &asked.address {
        None => None,
        Some(text) => {
            Some(ClientAddress::parse(text).ok_or_else(|| malformed("address must be an IP address"))?)
        }
    };
    let facts = Facts {
        address,
        interface: asked.interface.unwrap_or(Interface::Http),
        demand: permission.as_ref().map_or(Demand::AnyKey, Demand::Permission),
    };
    // Looked up only after the account is known to be the verifier's own.
    let foreign = core(|config| gateway::account_of(text.expose(), config))?
        .is_some_and(|account| account != verifier.account());
    if foreign {
        return Ok(view::verdict(&Err(Denial::Unknown), None));
    }
    let (verdict, evidence) = check(exchange, text.expose(), &facts).await?;
    Ok(view::verdict(&verdict, evidence))
}

async fn check(
    exchange: &Exchange<'_>,
    text: &str,
    facts: &Facts<'_>,
) -> Result<(Result<Verified, Denial>, Option<Evidence>), Problem> {
    let mut lookup = Lookup::default();
    loop {
        let arrival = exchange.request.arrived;
        let checked = with_gateway(|gateway| gateway.check(text, facts, arrival, super::now(), &lookup));
        match checked.ok_or(Problem::Internal)? {
            gateway::Check::Verdict(checked) => {
                exchange.renew.set(checked.renew.or(exchange.renew.get()));
                return Ok((checked.verdict, checked.evidence));
            }
            gateway::Check::Need(need) => find_out(need, exchange.env, &mut lookup).await,
        }
    }
}

fn denied(denial: Denial, realm: &str, console_origin: &str) -> Answer {
    let answer = Problem::Denied(denial).answer(console_origin);
    match challenge(denial, realm, Some(&Permission::claviger_verify())) {
        Some(challenge) => answer.with("www-authenticate", challenge),
        None => answer,
    }
}
