//! The form of a password that is hashed: that of RFC 8265 §4.2 (*OpaqueString*).
//!
//! Keyboards and systems write one visible text in several ways: é as one character or as two, a
//! blank as U+0020 or U+3000. So other blanks become U+0020, and the text takes its normal form C.
//! Case and width stay. Unlike the profile this refuses no character, because a person may keep a
//! password that any earlier release accepted.

use claviger_core::base::secret::SecretText;
use icu_normalizer::ComposingNormalizerBorrowed;

/// Blanks of Unicode's category Zs, apart from U+0020.
fn is_other_blank(character: char) -> bool {
    matches!(
        character,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Returns the form that is hashed.
pub fn prepared(typed: &str) -> SecretText {
    // Room for the longest normal form (UAX 15 §9), so that no shorter copy stays in freed memory.
    let mut spaced = String::with_capacity(typed.len());
    spaced.extend(typed.chars().map(|c| if is_other_blank(c) { ' ' } else { c }));
    let spaced = SecretText::new(spaced);
    let mut normal = String::with_capacity(spaced.expose().len().saturating_mul(3));
    // Writing to a `String` cannot fail.
    let _ = ComposingNormalizerBorrowed::new_nfc().normalize_to(spaced.expose(), &mut normal);
    SecretText::new(normal)
}

/// The forms in which a typed password may have been hashed.
pub struct PasswordForms {
    prepared: SecretText,
    /// The password as typed, if that differs: releases before 0.2.0 hashed it.
    typed: Option<SecretText>,
}

impl PasswordForms {
    /// Returns the forms of a typed password.
    pub fn of(typed: SecretText) -> Self {
        let prepared = prepared(typed.expose());
        let differs = prepared.expose() != typed.expose();
        Self { prepared, typed: differs.then_some(typed) }
    }

    /// Returns the form that is hashed from this release on.
    pub fn prepared(&self) -> &SecretText {
        &self.prepared
    }

    /// Returns all forms, the present one first. Their number depends on what was typed alone.
    pub fn all(&self) -> impl Iterator<Item = &SecretText> {
        core::iter::once(&self.prepared).chain(&self.typed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_prepared_passwords() {
        for (typed, expected) in [
            ("", ""),
            ("correct horse", "correct horse"),
            // RFC 8265 §4.3: case, width and inner blanks stay.
            ("Correct  Horse ", "Correct  Horse "),
            ("ＡＢＣ ｶﾞ", "ＡＢＣ ｶﾞ"),
            ("πß好", "πß好"),
            ("foo\u{1680}bar\u{3000}baz\u{a0}", "foo bar baz "),
            ("Jack of \u{2666}s", "Jack of \u{2666}s"),
            ("cafe\u{301}", "café"),
            ("か\u{3099}", "が"),
            ("\u{212b}", "\u{c5}"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
            ("a\u{323}\u{307}", "\u{1ea1}\u{307}"),
            ("tab\t", "tab\t"),
        ] {
            assert_eq!(prepared(typed).expose(), expected, "{typed:?}");
            let forms = PasswordForms::of(SecretText::new(typed.into()));
            let all: Vec<_> = forms.all().map(SecretText::expose).collect();
            let both = [expected, typed];
            assert_eq!(all, both[..if typed == expected { 1 } else { 2 }], "{typed:?}");
            assert_eq!(prepared(expected).expose(), expected, "it is its own form");
        }
    }
}
