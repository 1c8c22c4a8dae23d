//! `POST /v1/verify`: a verifier asks about other credentials.

use serde_json::{Value, json};

use super::console::{Exchange, core};
use super::{calls, find_out, now, share_beside, with_gateway};
use crate::answer::Answer;
use crate::checks::{Asked, Checks, Lack};
use crate::console::body::{BODY_BYTES_MAX, Check, Verify};
use crate::console::view;
use crate::gateway::{self, Gateway, client_address};
use crate::lease::call::Lookup;
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
        Verify::One(check) => {
            let verdicts = verdicts(exchange, vec![check.into_asked()?], &verifier).await?;
            Ok(Answer::json(200, &verdicts.first()))
        }
        Verify::Several(checks) => {
            let asked = checks.into_iter().map(Check::into_asked).collect::<Result<_, _>>()?;
            Ok(Answer::json(200, &json!({ "verdicts": verdicts(exchange, asked, &verifier).await? })))
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
    check(exchange, text, &facts).await
}

/// Carries the checks through: whatever they lack is asked for at once, for all of them together.
async fn verdicts(
    exchange: &Exchange<'_>,
    asked: Vec<Asked>,
    verifier: &Verified,
) -> Result<Vec<Value>, Problem> {
    let mut checks = Checks::new(verifier.account(), exchange.request.arrived, asked);
    while let Some(lack) = gateway(|gateway| checks.decide(gateway, now()))? {
        match lack {
            Lack::Copy(shelf) => {
                let read = gateway(|gateway| checks.ask_copy(gateway, shelf, now()))?;
                let text = calls::read_copy(exchange.env, &read).await;
                gateway(|gateway| checks.take_copy(gateway, &read, text.as_deref(), now()))?;
            }
            Lack::Kv(ids) => {
                let reads = gateway(|gateway| checks.ask_kv(gateway, &ids, now()))?;
                let held = calls::read_kv_bulk(exchange.env, &ids).await;
                gateway(|gateway| {
                    for read in &reads {
                        checks.take_kv(gateway, read, held.get(&read.id()).map(String::as_str), now());
                    }
                })?;
            }
            Lack::Ledger { ids, unused } => {
                let call = gateway(|gateway| checks.ask_ledger(gateway, ids, unused, now()))?;
                let reply = calls::refresh(exchange.env, &call, calls::OnFailure::Log).await;
                gateway(|gateway| checks.take_refresh(gateway, &call, &reply, now()))?;
                share_beside(exchange.context, &call, &reply);
            }
        }
    }
    let checked = checks.verdicts().into_iter().map(|checked| {
        exchange.renew.set(checked.renew.or(exchange.renew.get()));
        view::verdict(&checked.verdict, checked.evidence)
    });
    Ok(checked.collect())
}

/// Works with the gateway; it is there, because the request went through it.
fn gateway<T>(work: impl FnOnce(&mut Gateway) -> T) -> Result<T, Problem> {
    with_gateway(work).ok_or(Problem::Internal)
}

/// One check of a request's own credential.
async fn check(
    exchange: &Exchange<'_>,
    text: &str,
    facts: &Facts<'_>,
) -> Result<Result<Verified, Denial>, Problem> {
    let mut lookup = Lookup::default();
    loop {
        let arrival = exchange.request.arrived;
        let checked = with_gateway(|gateway| gateway.check(text, facts, arrival, super::now(), &lookup));
        match checked.ok_or(Problem::Internal)? {
            gateway::Check::Verdict(checked) => {
                exchange.renew.set(checked.renew.or(exchange.renew.get()));
                return Ok(checked.verdict);
            }
            gateway::Check::Need(need) => {
                find_out(need, exchange.env, exchange.context, facts.address, &mut lookup).await;
            }
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
