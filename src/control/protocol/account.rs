//! Names, passwords and e-mail addresses of people, validated where they enter.

use core::fmt;

use claviger_core::base::email::{self, EMAIL_BYTES_MAX};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::password_text::prepared;
use super::visible_text::holds_hidden;
use crate::protocol::secret_shape::holds_secret;

/// Longest name of a key, member or account, in characters. A table cell fits this many full-width
/// letters.
pub const NAME_CHARS_MAX: usize = 64;

/// Shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 12;

/// Longest password, in characters, which bounds the cost of hashing.
pub const PASSWORD_CHARS_MAX: usize = 256;

/// The reason for which a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The text is empty or blank.
    #[error("this is needed")]
    Required,
    /// The text exceeds its bound.
    #[error("at most {max} characters")]
    TooLong {
        /// Longest allowed text, in characters.
        max: usize,
    },
    /// The text is below its minimum.
    #[error("at least {min} characters")]
    TooShort {
        /// Shortest allowed text, in characters.
        min: usize,
    },
    /// The text contains an invisible character where it changes nothing that is seen
    /// ([`holds_hidden`]).
    #[error("line breaks and invisible characters cannot be used")]
    ControlCharacter,
    /// The text seems to hold a secret ([`holds_secret`]). The message does not repeat it.
    #[error("this looks like a key, a password or another secret, and others can read it here")]
    Secret,
    /// The text is not an e-mail address.
    #[error("an e-mail address has the form name@example.com")]
    NotAnAddress,
    /// The password is among the most common ones, or a pattern.
    #[error("this password is among the first that others try")]
    Common,
    /// The password is made of the names of the product, the account or the member.
    #[error("this password is made of names that others know")]
    OwnNames,
    /// The new password is the present one.
    #[error("this is the present password")]
    Same,
}

impl TextError {
    /// Returns the stable code for clients.
    pub fn code(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::TooLong { .. } => "too_long",
            Self::TooShort { .. } => "too_short",
            Self::ControlCharacter => "control_character",
            Self::Secret => "secret",
            Self::NotAnAddress => "not_an_address",
            Self::Common => "common",
            Self::OwnNames => "own_names",
            Self::Same => "same",
        }
    }
}

/// Checks a name: 1 to [`NAME_CHARS_MAX`] visible characters, not all of them blanks.
///
/// # Errors
/// `Required` if the name is blank; `Secret` if it seems to hold one; `TooLong`; `ControlCharacter`
/// if it contains an invisible character where it changes nothing that is seen.
pub fn check_name(text: &str) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Required);
    }
    if holds_secret(text) {
        return Err(TextError::Secret);
    }
    // Check the bytes first, so that a huge text is not counted in characters.
    if text.len() > NAME_CHARS_MAX.saturating_mul(4) || text.chars().count() > NAME_CHARS_MAX {
        return Err(TextError::TooLong { max: NAME_CHARS_MAX });
    }
    if holds_hidden(text) {
        return Err(TextError::ControlCharacter);
    }
    Ok(())
}

/// Longest typed password, in bytes. A character of the [`prepared`] form has up to four code
/// points as typed, of up to four bytes.
const PASSWORD_BYTES_MAX: usize = PASSWORD_CHARS_MAX * 16;

/// Checks the length of a new password, in the form that is hashed. Any characters are allowed.
///
/// # Errors
/// `TooShort` or `TooLong`, with the bound.
pub fn check_password(text: &str) -> Result<(), TextError> {
    let too_long = TextError::TooLong { max: PASSWORD_CHARS_MAX };
    // Check the bytes first, so that a huge text is not normalised.
    if text.len() > PASSWORD_BYTES_MAX {
        return Err(too_long);
    }
    let length = prepared(text).expose().chars().count();
    if length > PASSWORD_CHARS_MAX {
        return Err(too_long);
    }
    if length < PASSWORD_CHARS_MIN {
        return Err(TextError::TooShort { min: PASSWORD_CHARS_MIN });
    }
    Ok(())
}

/// A member's e-mail address in its canonical form ([`email::fold`]).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Parses an address and folds it to lower case.
    ///
    /// # Errors
    /// `Required` if the text is empty; `TooLong`; `NotAnAddress`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.is_empty() {
            return Err(TextError::Required);
        }
        if text.len() > EMAIL_BYTES_MAX {
            return Err(TextError::TooLong { max: EMAIL_BYTES_MAX });
        }
        email::fold(text).map(Self).ok_or(TextError::NotAnAddress)
    }

    /// Returns the folded address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_their_near_misses() {
        for good in [
            "a",
            "Build server",
            "経理サーバー",
            &"漢".repeat(64),
            &"🔑".repeat(64),
            "🔑 key",
            "❤\u{fe0f}",
            "葛\u{e0100}城",
            "👩\u{1f3fd}\u{200d}💻",
            "🏳\u{fe0f}\u{200d}🌈",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
        ] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        let long = TextError::TooLong { max: 64 };
        for (bad, expected) in [
            ("", TextError::Required),
            ("   \u{3000}", TextError::Required),
            (&*"漢".repeat(65), long),
            (&*"🔑".repeat(65), long),
            (&*"a".repeat(100_000), long),
            ("a\nb", TextError::ControlCharacter),
            ("a\0", TextError::ControlCharacter),
            ("a\u{7f}", TextError::ControlCharacter),
            ("a\u{202e}b", TextError::ControlCharacter),
            ("a\u{200b}b", TextError::ControlCharacter),
            ("a\u{200d}b", TextError::ControlCharacter),
            ("\u{200d}💻", TextError::ControlCharacter),
            ("👩\u{200d}", TextError::ControlCharacter),
            ("👩\u{200d}\u{200d}💻", TextError::ControlCharacter),
            ("می\u{200c}a", TextError::ControlCharacter),
            ("а\u{200c}б", TextError::ControlCharacter),
            ("a\u{feff}", TextError::ControlCharacter),
            ("\u{3164}", TextError::ControlCharacter),
            ("\u{ffa0}a", TextError::ControlCharacter),
            ("\u{2800}", TextError::ControlCharacter),
            ("a\u{34f}", TextError::ControlCharacter),
            ("a\u{1d173}", TextError::ControlCharacter),
        ] {
            assert_eq!(check_name(bad), Err(expected), "{bad:?}");
        }
    }

    #[test]
    fn addresses_are_folded_and_near_misses_refused() {
        assert_eq!(
            Email::parse("Mei.Tanaka+x@Example.CO.jp").unwrap().as_str(),
            "mei.tanaka+x@example.co.jp"
        );
        for bad in [
            "mei",
            "mei@",
            "@example.jp",
            "mei@example",
            "mei@@example.jp",
            "a b@example.jp",
            "mei@exam ple.jp",
            ".mei@example.jp",
            "me..i@example.jp",
            "mei.@example.jp",
            "mei@-example.jp",
            "mei@example-.jp",
            "mei@example..jp",
            "mei@example.jp.",
            "mei@例え.jp",
            "ｍei@example.jp",
            "\"mei\"@example.jp",
            "mei@[10.0.0.1]",
            "mei@example.jp\n",
            "mei@example.jp\0",
            "<mei@example.jp>",
            "mei/@",
        ] {
            assert_eq!(Email::parse(bad).unwrap_err(), TextError::NotAnAddress, "{bad:?}");
        }
        let label = |length| "b".repeat(length);
        let [longest, longer] = [186, 187].map(|length| {
            let (first, last) = (label(63), label(length - 128));
            format!("{}@{first}.{first}.{last}.jp", "a".repeat(64))
        });
        assert_eq!((longest.len(), longer.len()), (254, 255));
        for (text, code) in [
            (longest, None),
            (longer, Some("too_long")),
            (format!("{}@example.jp", "a".repeat(65)), Some("not_an_address")),
            (format!("a@{}.jp", label(63)), None),
            (format!("a@{}.jp", label(64)), Some("not_an_address")),
        ] {
            assert_eq!(Email::parse(&text).err().map(TextError::code), code, "{text}");
        }
        assert_eq!(Email::parse("").unwrap_err(), TextError::Required);
        assert_eq!(
            Email::parse(&format!("a@{}.jp", "b".repeat(300))).unwrap_err().code(),
            "too_long"
        );
    }

    #[test]
    fn a_password_is_judged_by_its_length_alone() {
        assert_eq!(check_password("correct horse battery"), Ok(()));
        assert_eq!(check_password("漢字漢字漢字漢字漢字漢字"), Ok(()));
        assert_eq!(check_password("short"), Err(TextError::TooShort { min: 12 }));
        assert_eq!(check_password(&"a".repeat(11)), Err(TextError::TooShort { min: 12 }));
        let long = Err(TextError::TooLong { max: 256 });
        assert_eq!(check_password(&"a".repeat(257)), long);
        // As a person sees it, not as a keyboard sends it.
        assert_eq!(check_password(&"か\u{3099}".repeat(256)), Ok(()));
        assert_eq!(check_password(&"か\u{3099}".repeat(257)), long);
        assert_eq!(check_password(&"か\u{3099}".repeat(6)), Err(TextError::TooShort { min: 12 }));
        assert_eq!(check_password(&"a\u{323}\u{302}\u{301}".repeat(100_000)), long);
    }
}
