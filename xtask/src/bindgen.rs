//! From the Workers' crates to `target/bindgen/`: wasm, and the JavaScript that binds it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

/// Which of the two Cargo profiles for wasm is built; `Cargo.toml` says how they differ.
#[derive(Clone, Copy)]
pub enum Profile {
    EdgeDev,
    Release,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::EdgeDev => "edge-dev",
            Self::Release => "workers",
        }
    }
}

/// The Workers: the folder of each, whose crate is `claviger-<folder>`.
const WORKERS: [&str; 2] = ["edge", "admin"];

/// Compiles the crates of these Workers, or of all if none is named, and writes their bindings to
/// `target/bindgen/<worker>`.
pub fn run(profile: Profile, workers: &[&str]) -> Result<()> {
    if let Some(unknown) = workers.iter().find(|worker| !WORKERS.contains(worker)) {
        bail!("no Worker {unknown}: {}", WORKERS.join(", "));
    }
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let chosen = if workers.is_empty() { &WORKERS } else { workers };
    chosen.iter().try_for_each(|worker| build(worker, profile, root))
}

/// One at a time: Cargo would join the features of what is built together, and the edge must carry
/// nothing of the admin Worker's.
fn build(worker: &str, profile: Profile, root: &Path) -> Result<()> {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    let package = format!("claviger-{worker}");
    let module = format!("claviger_{worker}");

    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.env("RUSTFLAGS", flags(profile));
    let status = cargo
        .current_dir(root)
        .args(["build", "--locked", "--lib", "--package", &package])
        .args(["--target", "wasm32-unknown-unknown", "--profile", profile.name()])
        .status()
        .context("cargo does not start")?;
    ensure!(status.success(), "cargo build failed");

    let out = root.join("target/bindgen").join(worker);
    Bindgen::new()
        .input_path(
            target
                .join("wasm32-unknown-unknown")
                .join(profile.name())
                .join(&module)
                .with_extension("wasm"),
        )
        // The only target that can re-instantiate its wasm. The entry asks it to, after a trap.
        .module(true)?
        .reset_state_function(true)
        // Calls the handler that the library set, when any export traps: also those that no
        // JavaScript of ours calls, such as the continuation of an async function.
        .force_enable_abort_handler(true)
        .typescript(false)
        .generate(&out)
        .context("wasm-bindgen failed")?;

    // workerd knows no source-phase imports; a plain import of a .wasm file gives it the same
    // module.
    let glue = out.join(&module).with_extension("js");
    let text = fs::read_to_string(&glue)?;
    ensure!(
        text.contains("import source "),
        "the bindings no longer import their wasm by source phase"
    );
    fs::write(&glue, text.replace("import source ", "import "))?;
    Ok(())
}

/// Returns the compiler's flags. SHA-256 is quicker and smaller by SIMD, which the platform's V8 has.
///
/// Panics carry the paths of their sources. Those of dependencies would tell of the machine that
/// built, and make each machine's wasm another: a release leaves them out.
fn flags(profile: Profile) -> String {
    let given = env::var("RUSTFLAGS").unwrap_or_default() + " -C target-feature=+simd128";
    if let Profile::EdgeDev = profile {
        return given;
    }
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let Some(home) = home.or_else(|| env::home_dir().map(|dir| dir.join(".cargo"))) else {
        return given;
    };
    format!("{given} --remap-path-prefix={}=cargo", home.display())
}
