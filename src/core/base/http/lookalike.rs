//! Reads text as lenient servers do: they fold characters beyond ASCII into ASCII.
//!
//! Two mappings do that. Unicode's compatibility normalisation (NFKC, UAX #15) turns `．` into `.`.
//! Windows' best-fit mapping into a code page turns `∕` into `/`, on a Japanese system `¥` into
//! `\`. Some file systems also ignore characters without width.

use std::borrow::Cow;

/// Distance between a full-width character (U+FF01 to U+FF5E) and its ASCII form.
const FULL_WIDTH_OFFSET: u32 = 0xfee0;

/// Returns `true` for a character beyond ASCII that some server reads as a slash, a backslash or a
/// semicolon.
pub fn is_separator(letter: char) -> bool {
    matches!(
        letter,
        // As `/`: the fraction, division and big slash, the full-width one, and ℀, ℁, ℅, ℆, which
        // are letters around a slash.
        '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{ff0f}'
        | '\u{2100}' | '\u{2101}' | '\u{2105}' | '\u{2106}'
        // As `\`: yen and won by code pages 932 and 949, set minus, operators, small, full width.
        | '\u{a5}' | '\u{20a9}' | '\u{2216}' | '\u{29f5}' | '\u{29f9}' | '\u{fe68}' | '\u{ff3c}'
        // As `;`: the Greek question mark, the vertical, small and full-width semicolon.
        | '\u{37e}' | '\u{fe14}' | '\u{fe54}' | '\u{ff1b}'
    )
}

/// Folds dots, blanks, other signs, raised and lowered digits and full-width characters into
/// ASCII, and drops characters without width. Letters with accents and the characters of
/// [`is_separator`] stay.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            _ if is_separator(letter) => folded.push(letter),
            '\u{2024}' | '\u{fe52}' => folded.push('.'),
            '\u{2025}' | '\u{fe30}' => folded.push_str(".."),
            '\u{2026}' | '\u{fe19}' => folded.push_str("..."),
            '\u{66a}' | '\u{fe6a}' => folded.push('%'),
            '\u{fe13}' | '\u{fe55}' => folded.push(':'),
            '\u{fe16}' | '\u{fe56}' => folded.push('?'),
            '\u{fe5f}' => folded.push('#'),
            '\u{fe69}' => folded.push('$'),
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
                folded.push(' ');
            }
            '\u{ad}'
            | '\u{34f}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{e0100}'..='\u{e01ef}' => {}
            '\u{b2}' => folded.push('2'),
            '\u{b3}' => folded.push('3'),
            '\u{b9}' => folded.push('1'),
            '\u{2070}' | '\u{2074}'..='\u{2079}' => folded.push(digit_of(letter, 0x2070)),
            '\u{2080}'..='\u{2089}' => folded.push(digit_of(letter, 0x2080)),
            '\u{ff01}'..='\u{ff5e}' => {
                let ascii = u32::from(letter).checked_sub(FULL_WIDTH_OFFSET);
                folded.push(ascii.and_then(char::from_u32).unwrap_or(letter));
            }
            _ => folded.push(letter),
        }
    }
    Cow::Owned(folded)
}

/// Returns the ASCII digit of a superscript or subscript one, given the code point of its zero.
fn digit_of(letter: char, zero: u32) -> char {
    let digit = u32::from(letter).checked_sub(zero);
    digit.and_then(|digit| char::from_digit(digit, 10)).unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lenient_servers_read_as_ascii_is_folded() {
        for (text, folded) in [
            ("plain", "plain"),
            ("ａｄｍｉｎ！～", "admin!~"),
            ("．․﹒", "..."),
            ("‥︰", "...."),
            ("…︙", "......"),
            ("％2e٪﹪", "%2e%%"),
            ("a\u{a0}\u{2003}\u{3000}", "a   "),
            ("a\u{200d}\u{feff}\u{ad}\u{2060}b", "ab"),
            ("a\u{202a}b\u{206a}c\u{fe0f}d\u{e0100}\u{34f}\u{180b}", "abcd"),
            ("﹕﹕﹩DATA﹖﹟", "::$DATA?#"),
            ("％²e⁰⁴⁹₀₉¹³", "%2e0490913"),
            ("東京。・é", "東京。・é"),
            ("a／b＼；", "a／b＼；"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn separators_are_those_that_some_server_reads_as_one() {
        for letter in "⁄∕⧸／℀℁℅℆¥₩∖⧵⧹﹨＼\u{37e}︔﹔；".chars() {
            assert!(is_separator(letter), "{letter}");
        }
        for letter in "/\\;.。・：￥ー〜東é½".chars() {
            assert!(!is_separator(letter), "{letter}");
        }
    }
}
