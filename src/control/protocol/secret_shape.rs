//! Finds secrets in texts that others can read, such as the name of a key: whole keys, their secret
//! halves, short-lived keys, service passwords, session cookies and set-up links.
//!
//! All of these hold at least 43 random base62 digits in a row. So the shape decides, and neither a
//! tag nor a database is needed. People paste secrets with blanks or hyphens inside, with another
//! case, and in the middle of a sentence.
//!
//! A text holds a secret if it has one of these:
//! - [`DIGITS_MIN`] letters and digits in a row, a figure among them;
//! - as many in groups with blanks, hyphens or underscores between, if most of them stand in groups
//!   that are no words. A group is no word if it is one sign, or if a figure follows a letter, a
//!   letter a figure, or a capital a small letter. Among short groups are two figures.
//!
//! Hexadecimal digits alone are none: commits, UUIDs and checksums are good names. A secret of
//! base62 has a letter beyond F.

use claviger_core::base::base62;

/// Fewest base62 digits that count as a secret. A service password has 43; someone may lose some at
/// either end.
const DIGITS_MIN: usize = 40;

/// Longest beginning of a text that is looked at, in characters. A short-lived key may have 2,048.
const CHARS_MAX: usize = 4_096;

/// Returns `true` if a text seems to hold a secret.
pub fn holds_secret(text: &str) -> bool {
    runs(text).iter().any(|run| {
        run.iter().any(|group| is_random(&[group]))
            || (0..run.len()).any(|first| {
                let window = beginning(run.get(first..).unwrap_or_default());
                is_random(&window)
            })
    })
}

/// Returns the shortest beginning of `groups` that is long enough for a secret, or all of them.
fn beginning(groups: &[String]) -> Vec<&String> {
    let mut length = 0_usize;
    let long = groups.iter().take_while(|group| {
        let is_short = length < DIGITS_MIN;
        length = length.saturating_add(group.len());
        is_short
    });
    long.collect()
}

/// Returns `true` if these groups look drawn, not written.
fn is_random(groups: &[&String]) -> bool {
    let all = || groups.iter().flat_map(|group| group.bytes());
    let length = all().count();
    let figures = all().filter(u8::is_ascii_digit).count();
    let mixed: usize =
        groups.iter().filter(|group| is_no_word(group)).map(|group| group.len()).sum();
    // Names of products and protocols mix signs, too: `GitHub`, `IPv6`. They are short.
    let count = groups.len();
    let is_short = count < length && length < count.saturating_mul(8);
    let figures_min = if is_short { 2 } else { 1 };
    let is_mixed = count == 1 || mixed.saturating_mul(5) >= length.saturating_mul(3);
    length >= DIGITS_MIN
        && figures >= figures_min
        && is_mixed
        && !all().all(|byte| byte.is_ascii_hexdigit())
}

fn is_no_word(group: &str) -> bool {
    let changes = |(left, right): (u8, u8)| {
        left.is_ascii_digit() != right.is_ascii_digit()
            || (left.is_ascii_lowercase() && right.is_ascii_uppercase())
    };
    let is_checksum = group.len() >= 8 && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut pairs = group.bytes().zip(group.bytes().skip(1));
    group.len() == 1 || (!is_checksum && pairs.any(changes))
}

/// Splits a text into runs of groups of base62 digits. Blanks, hyphens and underscores end a group,
/// other signs end a run, and invisible characters end nothing. Full-width signs count as the ASCII
/// ones that they stand for.
fn runs(text: &str) -> Vec<Vec<String>> {
    let mut runs = vec![vec![String::new()]];
    for sign in text.chars().take(CHARS_MAX).map(narrow) {
        let Some(run) = runs.last_mut() else { break };
        match u8::try_from(sign) {
            Ok(byte) if base62::is_base62(&[byte]) => {
                if let Some(group) = run.last_mut() {
                    group.push(sign);
                }
            }
            _ if is_invisible(sign) => {}
            _ if sign.is_whitespace() || matches!(sign, '-' | '_') => {
                if run.last().is_some_and(|group| !group.is_empty()) {
                    run.push(String::new());
                }
            }
            _ => runs.push(vec![String::new()]),
        }
    }
    for run in &mut runs {
        run.retain(|group| !group.is_empty());
    }
    runs
}

/// Returns the ASCII sign of a full-width one.
fn narrow(sign: char) -> char {
    match sign {
        '\u{ff01}'..='\u{ff5e}' => {
            u32::from(sign).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(sign)
        }
        _ => sign,
    }
}

fn is_invisible(sign: char) -> bool {
    matches!(
        sign,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use claviger_core::base::id::AccountId;
    use claviger_core::base::time::UnixMs;
    use claviger_core::credential::key::NewKey;
    use claviger_core::testing::clv;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::protocol::master::tests::master;
    use crate::protocol::service_credentials::NewPassword;
    use crate::protocol::token::NewToken;

    fn grouped(text: &str, size: usize, gap: &str) -> String {
        let groups: Vec<String> = text
            .as_bytes()
            .chunks(size)
            .map(|group| String::from_utf8_lossy(group).into())
            .collect();
        groups.join(gap)
    }

    fn wide(text: &str) -> String {
        let wide = |sign: char| char::from_u32(u32::from(sign) + 0xfee0).unwrap();
        text.chars().map(wide).collect()
    }

    /// Returns what must be found of each seed.
    fn secrets(seed: u64) -> Vec<String> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let account = AccountId::random(&mut rng);
        let (prefix, master) = (clv(), master());
        let key = NewKey::generate(account, &prefix, master.keyring(), &mut rng);
        let whole = key.expose().to_owned();
        let now = UnixMs::from_ms(1_800_000_000_000);
        vec![
            whole[whole.len() - 60..].to_owned(),
            whole[22..65].to_owned(),
            whole,
            NewPassword::generate(&mut rng).text().expose().to_owned(),
            NewToken::session(account, now, &prefix, &master, &mut rng).expose().to_owned(),
            NewToken::setup(now, &prefix, &master, &mut rng).expose().to_owned(),
            format!(
                "clvs_{}",
                "eyJ2IjoxLCJpZCI6ImExQjJjM0Q0N0hxMHAyWng5SzAwMDAwMTdI-x_UTJ3RTRyVDYifQ.ab"
            ),
        ]
    }

    /// Draws, so that none of them depends on a person's choice of examples. The seeds are fixed.
    #[test]
    fn a_secret_is_found_however_it_is_typed() {
        for secret in (0..100).flat_map(secrets) {
            for typed in [
                secret.clone(),
                format!("Build server {secret}"),
                format!("key={secret};"),
                format!("「{secret}」のキー"),
                format!("  {secret}\t"),
                secret.to_lowercase(),
                secret.to_uppercase(),
                wide(&secret),
                secret[..secret.len() / 2].to_owned() + " " + &secret[secret.len() / 2..],
                grouped(&secret, 10, " "),
                grouped(&secret, 8, "-"),
                grouped(&secret, 1, " "),
                grouped(&secret, 6, "\u{200b}"),
                format!("{}\u{3000}x", grouped(&secret, 21, "\u{a0}")),
            ] {
                assert!(holds_secret(&typed), "{typed}");
            }
        }
    }

    #[test]
    fn what_people_call_things_is_no_secret() {
        for name in [
            "",
            "Build server",
            "経理サーバー 東京本社ビルド用 二〇二六年",
            "API key for the new web app of our own development team",
            "Api Key For The New Web App Of Our Own Dev Team In 2026",
            "ProductionDatabaseReplicaBackupNightlyJobRunner",
            "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerk",
            "server 1 rack 2 slot 3 port 4 vlan 5 row 6 building 7 floor 8",
            "iOS CI on EKS k8s v1 with IPv6 EU1 and US2 host of the team",
            "GitHub GitLab BitBucket CircleCI ArgoCD YouTrack TeamCity JetBrains",
            "550e8400-e29b-41d4-a716-446655440000",
            "image 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f0",
            "2026-11-29 15:40 backup-eu-west-1-prod-db-replica-nightly-full",
            "backup_eu_west_1_prod_db_replica_nightly_full_2026_11_29_15_40",
            "a1B2c3D47Hq0p2Zx9K",
            "clv_a1B2c3D47Hq0p2Zx9K",
            "0123456789012345678901234567890123456789",
            "mei.tanaka+build@deployments.example.co.jp",
            "https://ci.example.com/job/build-and-deploy/lastSuccessfulBuild",
        ] {
            assert!(!holds_secret(name), "{name}");
        }
    }

    #[test]
    fn one_digit_less_than_a_secret_is_none_and_length_costs_little() {
        assert!(holds_secret(&format!("7{}", "aZ".repeat(20))));
        assert!(!holds_secret(&format!("7{}", "aZ".repeat(19))));
        let before = |length| format!("{} {}", "。".repeat(length), "7aZ".repeat(14));
        assert!(holds_secret(&before(CHARS_MAX - 41)), "40 digits are looked at");
        assert!(!holds_secret(&before(CHARS_MAX - 40)));
        assert!(!holds_secret(&"a ".repeat(1_000_000)));
        assert!(holds_secret(&"a 7 z ".repeat(1_000_000)));
    }
}
