//! Rules for the secrets of API users: those that a person chooses, and those that are drawn.

use claviger_core::base::base62;
use claviger_core::base::secret::SecretText;
use claviger_core::credential::api_user::ApiUserName;
use claviger_core::credential::key::SECRET_WIDTH;
use rand_core::CryptoRng;

use crate::protocol::password_rules::is_common_or_pattern;

/// Shortest chosen secret, in characters.
pub const API_KEY_CHARS_MIN: usize = 8;

/// Longest chosen secret, in characters, which bounds the cost of hashing.
pub const API_KEY_CHARS_MAX: usize = 128;

/// The reason for which a chosen secret was refused. No message repeats the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// It is missing.
    #[error("choose an API key, or let one be generated")]
    Required,
    /// It is below its minimum.
    #[error("at least {API_KEY_CHARS_MIN} characters")]
    TooShort,
    /// It exceeds its bound.
    #[error("at most {API_KEY_CHARS_MAX} characters")]
    TooLong,
    /// It has a character that not every client of HTTP and SMTP sends alike.
    #[error("letters, digits and punctuation of ASCII alone, without blanks")]
    NotAscii,
    /// It lacks a letter or a digit.
    #[error("at least one letter and one digit")]
    NotMixed,
    /// It is the user's name, or made of it.
    #[error("this API key is made of the user's name")]
    OwnName,
    /// It is among the most common ones, or a pattern.
    #[error("this API key is among the first that others try")]
    Common,
    /// The confirmation differs.
    #[error("the confirmation is another text")]
    NotConfirmed,
    /// A secret was chosen although one is to be generated.
    #[error("an API key is either chosen or generated")]
    ChosenAndGenerated,
}

impl ApiKeyError {
    /// Returns the stable code for clients.
    pub fn code(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::NotAscii => "not_ascii",
            Self::NotMixed => "not_mixed",
            Self::OwnName => "own_names",
            Self::Common => "common",
            Self::NotConfirmed => "not_confirmed",
            Self::ChosenAndGenerated => "not_allowed",
        }
    }
}

/// Returns `true` for a text that no API user can have as secret. It depends on the text alone, so
/// that it reveals nothing, and it saves a hash.
pub fn is_impossible(text: &str) -> bool {
    !(API_KEY_CHARS_MIN..=API_KEY_CHARS_MAX).contains(&text.len()) || !is_visible_ascii(text)
}

fn is_visible_ascii(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Checks a chosen secret of a user with this name; `None` for a name that is refused itself.
///
/// # Errors
/// [`ApiKeyError`] with the first broken rule.
pub fn check_api_key(text: &str, name: Option<&ApiUserName>) -> Result<(), ApiKeyError> {
    if text.is_empty() {
        return Err(ApiKeyError::Required);
    }
    // The length in bytes first, so that nothing else looks at a huge text.
    if text.len() > API_KEY_CHARS_MAX {
        return Err(ApiKeyError::TooLong);
    }
    if !is_visible_ascii(text) {
        return Err(ApiKeyError::NotAscii);
    }
    if text.len() < API_KEY_CHARS_MIN {
        return Err(ApiKeyError::TooShort);
    }
    let has = |wanted: fn(&u8) -> bool| text.as_bytes().iter().any(wanted);
    if !has(u8::is_ascii_alphabetic) || !has(u8::is_ascii_digit) {
        return Err(ApiKeyError::NotMixed);
    }
    let folded = text.to_ascii_lowercase();
    if name.is_some_and(|name| is_made_of(&folded, name.as_str())) {
        return Err(ApiKeyError::OwnName);
    }
    if is_common_or_pattern(&folded) || COMMON.contains(&folded.as_str()) || is_word(&folded) {
        return Err(ApiKeyError::Common);
    }
    Ok(())
}

/// Secrets of 8 to 11 characters with letters and digits that are tried first. Longer ones are on
/// the list for passwords.
const COMMON: [&str; 18] = [
    "1q2w3e4r",
    "1qaz2wsx",
    "q1w2e3r4",
    "1q2w3e4r5t",
    "1qazxsw2",
    "zaq12wsx",
    "qwer1234",
    "1234qwer",
    "asdf1234",
    "a1b2c3d4",
    "abc12345",
    "abcd1234",
    "pass1234",
    "p4ssw0rd",
    "p@ssw0rd",
    "passw0rd",
    "trustno1",
    "123qweasd",
];

/// Words that with digits around them are tried first.
const WORDS: [&str; 9] =
    ["password", "passwd", "apikey", "secret", "admin", "welcome", "qwerty", "claviger", "letmein"];

/// Returns `true` for one of [`WORDS`] with nothing but digits and punctuation around it.
fn is_word(folded: &str) -> bool {
    let bare = folded.trim_matches(|sign: char| !sign.is_ascii_alphabetic());
    WORDS.contains(&bare)
}

/// Returns `true` if the text is the name, or one of its parts with at most three other characters.
fn is_made_of(folded: &str, name: &str) -> bool {
    let (local, domain) = name.rsplit_once('@').unwrap_or((name, ""));
    [name, local, domain].into_iter().any(|part| {
        part.len() > 3 && folded.contains(part) && folded.len() <= part.len().saturating_add(3)
    })
}

/// Draws a secret of 256 random bits: 43 base62 digits with a letter and a figure among them, so
/// that it keeps the rule for chosen ones. Fewer than one in a thousand draws has no figure.
pub fn draw_api_key(rng: &mut impl CryptoRng) -> SecretText {
    loop {
        let digits: [u8; SECRET_WIDTH] = base62::random(rng);
        let has = |wanted: fn(&u8) -> bool| digits.iter().any(wanted);
        if has(u8::is_ascii_alphabetic) && has(u8::is_ascii_digit) {
            return SecretText::new(digits.iter().copied().map(char::from).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    /// C03: 8 or more characters, letters and digits together.
    #[test]
    fn a_chosen_secret_has_letters_and_digits_and_is_no_first_guess() {
        let name = ApiUserName::parse("mailer7@example.com").unwrap();
        let check = |text: &str| check_api_key(text, Some(&name));
        for good in ["Tr4ffic!", "aaaaaaa1", "x9-Lk_3.q", &"Zk3-wQ9_mT".repeat(12)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, error) in [
            ("", ApiKeyError::Required),
            ("abcde12", ApiKeyError::TooShort),
            (&*"a1".repeat(65), ApiKeyError::TooLong),
            (&*"a1".repeat(500_000), ApiKeyError::TooLong),
            ("abcdefgh", ApiKeyError::NotMixed),
            ("12345678", ApiKeyError::NotMixed),
            ("!!!!!!!!", ApiKeyError::NotMixed),
            ("abcd 1234", ApiKeyError::NotAscii),
            ("abcd123\0", ApiKeyError::NotAscii),
            ("abcd1234\n", ApiKeyError::NotAscii),
            ("\u{ff41}bcd1234", ApiKeyError::NotAscii),
            ("pässword1", ApiKeyError::NotAscii),
            ("mailer7@example.com", ApiKeyError::OwnName),
            ("MAILER7!", ApiKeyError::OwnName),
            ("abcd1234", ApiKeyError::Common),
            ("Password1", ApiKeyError::Common),
            ("a1a1a1a1", ApiKeyError::Common),
            ("Password1234", ApiKeyError::Common),
        ] {
            assert_eq!(check(bad), Err(error), "{}", bad.chars().take(20).collect::<String>());
        }
    }

    #[test]
    fn a_drawn_secret_keeps_the_rule_and_is_possible() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        for _ in 0..500 {
            let drawn = draw_api_key(&mut rng);
            assert_eq!(drawn.expose().len(), 43);
            assert_eq!(check_api_key(drawn.expose(), None), Ok(()));
            assert!(!is_impossible(drawn.expose()));
        }
        for text in ["", "abc1234", "abcd1234\n", "abcd123é", &"a1".repeat(65)] {
            assert!(is_impossible(text), "{text}");
        }
    }
}
