//! The project's chores that want Rust: what npm's scripts call, and what an operator runs by hand.

mod bindgen;
mod secrets;
mod settings;

use anyhow::{Context, Result, bail};

const USAGE: &str = "usage: cargo run -q -p xtask -- <command>

  bindgen [--release] [edge] [admin]
                        compile the Workers, or those named, to wasm and write their bindings to target/bindgen
  secrets               print a fresh ring of master secrets, for MASTER_SECRET
  edge-keys             print the edge's subkeys, for EDGE_KEYS; reads MASTER_SECRET
  setup-link <origin>   print the one-time link by which the first account is created; reads MASTER_SECRET, PREFIX
  origin-key <origin>   print the key by which an origin, named as in RULES, checks Claviger-Proof; reads MASTER_SECRET
  settings              print what is wrong with a deployment's variables; reads SETTINGS, a JSON object of them";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["bindgen", workers @ ..] if workers.first() == Some(&"--release") => {
            bindgen::run(bindgen::Profile::Release, workers.get(1..).unwrap_or_default())
        }
        ["bindgen", workers @ ..] => bindgen::run(bindgen::Profile::EdgeDev, workers),
        ["secrets"] => print(&secrets::fresh()),
        ["edge-keys"] => print(&secrets::edge_keys()?),
        ["setup-link", origin] => print(&secrets::setup_link(origin)?),
        ["settings"] => {
            print(&settings::fault(&std::env::var("SETTINGS").context("SETTINGS is not set")?)?)
        }
        ["origin-key", origin] => print(&secrets::origin_keys(origin)?),
        _ => bail!(USAGE),
    }
}

fn print(text: &str) -> Result<()> {
    println!("{text}");
    Ok(())
}
