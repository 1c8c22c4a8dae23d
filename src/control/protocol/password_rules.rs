//! New passwords that are refused, beside those that are too short: what everyone tries first
//! (OWASP ASVS 5.0, 6.2.4 and 6.2.11).
//!
//! - Common ones: those of [`COMMON`] that are long enough, in any case.
//! - Patterns: one short text repeated, or a run of neighbours such as `abcdefghijkl`.
//! - Names: those of the product, the account, or the member, with little besides.
//!
//! A password that was set before is accepted at signing in.

use super::account::{TextError, check_password};
use super::password_text::prepared;

/// Common passwords of at least [`super::account::PASSWORD_CHARS_MIN`] characters, one a line.
const COMMON: &str = include_str!("password_rules/common.txt");

/// Words of every deployment.
const PRODUCT: &str = "claviger password passphrase apikey administrator console";

/// Longest text whose repetition is a pattern, in characters.
const PERIOD_MAX: usize = 6;

/// Shortest word that counts as a name, in characters. Japanese names have two.
const WORD_CHARS_MIN: usize = 2;

/// Letters besides names that make a password.
const OTHER_LETTERS_MIN: usize = 4;

/// Checks a new password of a person with these names: of the member and the account, and the
/// e-mail address.
///
/// # Errors
/// As [`check_password`]; `Common` for a common password or a pattern; `OwnNames` for one that is
/// made of names.
pub fn check_new_password(text: &str, names: &[&str]) -> Result<(), TextError> {
    check_password(text)?;
    let folded = prepared(text).expose().to_lowercase();
    if is_common_or_pattern(&folded) {
        return Err(TextError::Common);
    }
    if is_made_of(&folded, names) { Err(TextError::OwnNames) } else { Ok(()) }
}

/// Returns `true` if a text in lower case is on the list of common ones, or a pattern.
pub fn is_common_or_pattern(folded: &str) -> bool {
    let signs: Vec<char> = folded.chars().collect();
    let mut common = COMMON.lines().filter(|line| !line.starts_with("# "));
    common.any(|line| line == folded) || is_repetition(&signs) || is_run(&signs)
}

fn is_repetition(signs: &[char]) -> bool {
    (1..=PERIOD_MAX).any(|period| {
        signs.iter().zip(signs.iter().skip(period)).all(|(before, after)| before == after)
    })
}

/// Returns `true` if each character is the neighbour of the one before, up or down, or equal to it.
/// After `9` comes `0`.
fn is_run(signs: &[char]) -> bool {
    let step = |before: char, after: char| match (before, after) {
        ('9', '0') => 1,
        ('0', '9') => -1,
        _ => i64::from(u32::from(after)).saturating_sub(i64::from(u32::from(before))),
    };
    let mut steps = signs.iter().zip(signs.iter().skip(1)).map(|(a, b)| step(*a, *b));
    let first = steps.next().unwrap_or_default();
    (-1..=1).contains(&first) && steps.all(|step| step == first)
}

fn is_made_of(folded: &str, names: &[&str]) -> bool {
    let squeeze = |text: &str| text.chars().filter(|sign| sign.is_alphanumeric()).collect();
    let mut words: Vec<String> = Vec::new();
    for name in names.iter().copied().chain([PRODUCT]) {
        let name = prepared(name).expose().to_lowercase();
        words.push(squeeze(&name));
        words.extend(name.split(|sign: char| !sign.is_alphanumeric()).map(str::to_owned));
    }
    words.retain(|word| word.chars().count() >= WORD_CHARS_MIN);
    // The longest first, so that no part of one is left.
    words.sort_by_key(|word| core::cmp::Reverse(word.len()));
    let whole: String = squeeze(folded);
    let rest = words.iter().fold(whole.clone(), |rest, word| rest.replace(word.as_str(), ""));
    rest.len() < whole.len()
        && rest.chars().filter(|sign| sign.is_alphabetic()).count() < OTHER_LETTERS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::account::PASSWORD_CHARS_MIN;

    const NAMES: [&str; 3] = ["Mei Tanaka", "Example KK", "mei.tanaka+keys@example.co.jp"];

    #[test]
    fn a_table_of_new_passwords() {
        for good in [
            "correct horse battery",
            "漢字漢字仮名仮名漢字かな",
            "tanaka likes green tea",
            "8391 0475 2266",
            "a password of mine",
            "abcdefghijkl-m",
            "claviger cannot fly",
        ] {
            assert_eq!(check_new_password(good, &NAMES), Ok(()), "{good}");
        }
        for common in [
            "Password1234",
            "1QAZ2wsx3edc",
            "qwertyuiop[]",
            "aaaaaaaaaaaa",
            "tanatanatana",
            "abcabcabcabcab",
            "123456789012",
            "210987654321",
            "abcdefghijkl",
            "あいうえおあいうえおあい",
        ] {
            assert_eq!(check_new_password(common, &NAMES), Err(TextError::Common), "{common}");
        }
        for names in [
            "Claviger-2026!",
            "tanaka19840512",
            "Mei.Tanaka@example.co.jp",
            "EXAMPLE KK 2026",
            "ｃlaviger 123456",
            "my password 123",
        ] {
            let expected = match names {
                // Width counts (RFC 8265): these are other letters.
                "ｃlaviger 123456" => Ok(()),
                _ => Err(TextError::OwnNames),
            };
            assert_eq!(check_new_password(names, &NAMES), expected, "{names}");
        }
        assert_eq!(check_new_password("short", &NAMES), Err(TextError::TooShort { min: 12 }));
        let blank = check_new_password("correct horse battery", &["", "@", "\u{3000}"]);
        assert_eq!(blank, Ok(()), "an empty name is in no password");
    }

    #[test]
    fn the_list_has_entries_that_are_long_enough_and_folded() {
        let entries: Vec<&str> = COMMON.lines().filter(|line| !line.starts_with("# ")).collect();
        assert!(entries.len() > 100, "{}", entries.len());
        for entry in entries {
            assert!(entry.chars().count() >= PASSWORD_CHARS_MIN, "{entry}");
            assert_eq!(entry.to_lowercase(), entry);
        }
    }
}
