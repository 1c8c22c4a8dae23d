//! What is made from, or for, the master secrets.

use anyhow::{Context, Result, ensure};
use claviger_control::protocol::master::MasterSecrets;
use claviger_control::protocol::token::NewToken;
use claviger_core::base::base62;
use claviger_core::base::id::Prefix;
use claviger_core::base::time::UnixMs;
use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::json;

/// A fresh value of `MASTER_SECRET`: one generation, 43 digits of base62 (256 bits).
pub fn fresh() -> String {
    let mut rng = UnwrapErr(SysRng);
    let id = base62::random::<8>(&mut rng);
    let secret = base62::random::<43>(&mut rng);
    json!([{ "id": String::from_utf8_lossy(&id), "secret": String::from_utf8_lossy(&secret) }])
        .to_string()
}

/// The one-time link to create a deployment's first account on the console at `origin`.
pub fn setup_link(origin: &str) -> Result<String> {
    let now = UnixMs::from_ms(std::time::UNIX_EPOCH.elapsed()?.as_millis().try_into()?);
    let token = NewToken::setup(now, &prefix()?, &master()?, &mut UnwrapErr(SysRng));
    // In the fragment, which browsers do not send.
    Ok(format!("{origin}/#/setup/{}", token.expose()))
}

/// The key by which `origin`, as the rules name it, checks `Claviger-Proof`: one line a generation,
/// newest first. An origin must not accept the key of a compromised generation.
pub fn origin_keys(origin: &str) -> Result<String> {
    let master = master()?;
    let lines = master
        .keyring()
        .iter()
        .map(|generation| {
            let key = base16ct::lower::encode_string(&*generation.origin_key(origin));
            let mark =
                if generation.is_compromised() { "  compromised: remove this key" } else { "" };
            format!("{key}  {}{mark}", generation.id())
        })
        .collect::<Vec<_>>();
    Ok(lines.join("\n"))
}

/// `EDGE_KEYS`, the edge's secret: the subkeys that are derived from `MASTER_SECRET`.
pub fn edge_keys() -> Result<String> {
    Ok(master()?.edge_keys().expose().to_owned())
}

fn master() -> Result<MasterSecrets> {
    let json = std::env::var("MASTER_SECRET").context("MASTER_SECRET is not set")?;
    MasterSecrets::parse(&json).context("MASTER_SECRET")
}

/// `PREFIX`, or the default, which most deployments keep.
fn prefix() -> Result<Prefix> {
    let text = std::env::var("PREFIX").unwrap_or_else(|_| "clv".to_owned());
    let prefix = Prefix::parse(&text);
    ensure!(prefix.is_some(), "PREFIX must be 2 to 12 of [a-z0-9], not ending in s");
    prefix.context("PREFIX")
}
