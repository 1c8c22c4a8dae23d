//! Replays the seeds of the fuzz targets, and some thousand mutations of them, without libFuzzer.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop loudly"
)]

#[path = "../fuzz/properties.rs"]
mod properties;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// Mutations of each seed.
const MUTATIONS: u32 = 300;

/// Texts that parsers treat specially.
const TOKENS: [&str; 16] = [
    "&", "=", "%", "%00", "\r\n", "--XX", "\"", "\\u0000", "{", "}", "::", "/", "*", "-", "0", "é",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// Names in a folder, without extensions.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// Returns the seed after some random changes.
fn mutated(seed: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut data = seed.to_vec();
    for _ in 0..=rng.next_u32() % 3 {
        let mut below = |max: usize| rng.next_u32() as usize % max.max(1);
        let (at, other) = (below(data.len() + 1), below(data.len() + 1));
        let (from, to) = (at.min(other), at.max(other));
        match below(6) {
            0 if at < data.len() => data[at] ^= 1 << below(8),
            1 => drop(data.drain(from..to.min(from + 8))),
            2 => data.truncate(at),
            3 => {
                let part = data[from..to.min(from + 64)].to_vec();
                data.splice(at..at, part);
            }
            4 => drop(data.splice(at..at, TOKENS[below(TOKENS.len())].bytes())),
            _ => data.insert(at, below(256) as u8),
        }
    }
    data
}

#[test]
fn seeds_and_their_mutations_keep_every_property() {
    for (name, check) in properties::TARGETS {
        let seeds = folder("seeds").join(name);
        let mut count = 0;
        let mut paths: Vec<PathBuf> =
            fs::read_dir(&seeds).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let seed = fs::read(&path).unwrap();
            // Git may end a text with a line end; the parsers take none.
            let seed = seed.strip_suffix(b"\n").unwrap_or(&seed);
            check(seed);
            let mut rng = ChaCha8Rng::seed_from_u64(count);
            for _ in 0..MUTATIONS {
                let data = mutated(seed, &mut rng);
                let is_kept = std::panic::catch_unwind(|| check(&data)).is_ok();
                assert!(is_kept, "{name}: {:?}", String::from_utf8_lossy(&data));
            }
            count += 1;
        }
        assert!(count >= 3, "{name} has {count} seeds");
    }
}

#[test]
fn every_target_has_a_binary_and_seeds() {
    let targets: BTreeSet<String> =
        properties::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder("fuzz_targets")), targets);
    assert_eq!(names(&folder("seeds")), targets);
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for name in targets {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "Cargo.toml has no {name}");
    }
}
