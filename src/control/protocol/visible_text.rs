//! The rule for invisible characters in names.
//!
//! An invisible character can make one name look like another, or like nothing. So a name has none,
//! except where the character changes what is seen:
//!
//! ```text
//! VS16, VS15           after an emoji; after a digit, # or *, VS16 alone, before U+20E3 (keycaps)
//! VS1 to VS3, VS17 ff. after a Han character: another form of it (Unicode Technical Standard 37)
//! FVS1 to FVS4, MVS    after a Mongolian letter; MVS between two
//! ZWJ                  between two emoji (UTS 51 §2.3); beside a virama (RFC 5892 A.2)
//! ZWNJ                 after a virama; between letters that would join (RFC 5892 A.1)
//! tags                 in the flag of a subdivision: black flag, 3 to 6 tags, end (UTS 51 §C.1)
//! ```
//!
//! Two of these are wider than RFC 5892. Bengali and its relatives write ZWJ before the virama too
//! (Unicode Standard §12.2). Persian writes ZWNJ also after letters that join on one side alone.

use icu_properties::props::{
    BinaryProperty, CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji,
    ExtendedPictographic, JoiningType, UnifiedIdeograph,
};
use icu_properties::{CodePointMapData, CodePointSetData};

const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';
const VS15: char = '\u{fe0e}';
const VS16: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';
const MVS: char = '\u{180e}';
const BLACK_FLAG: char = '\u{1f3f4}';
const END_OF_TAGS: char = '\u{e007f}';

/// Returns `true` if a text contains an invisible character where it changes nothing that is seen.
pub fn holds_hidden(text: &str) -> bool {
    let signs: Vec<char> = text.chars().collect();
    signs.iter().enumerate().any(|(place, sign)| {
        let (before, rest) = signs.split_at(place);
        is_hidden(*sign) && !is_seen(*sign, before, rest.get(1..).unwrap_or_default())
    })
}

/// Returns `true` for characters that show nothing: C0, C1, DEL, line and paragraph separators,
/// controls of direction (Unicode Technical Report 36 §2.5), Unicode's
/// `Default_Ignorable_Code_Point`, interlinear annotations, and the blank Braille pattern.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{2800}' | '\u{fff9}'..='\u{fffb}')
        || has::<DefaultIgnorableCodePoint>(character)
}

/// Returns `true` if an invisible character changes what is seen of its neighbours.
fn is_seen(sign: char, before: &[char], after: &[char]) -> bool {
    let last = before.last().copied();
    let next = after.first().copied();
    let follows = |is: fn(char) -> bool| last.is_some_and(is);
    let precedes = |is: fn(char) -> bool| next.is_some_and(is);
    match sign {
        VS16 => follows(has::<Emoji>) && (follows(|c| !c.is_ascii()) || precedes(|c| c == KEYCAP)),
        VS15 => follows(|c| has::<Emoji>(c) && !c.is_ascii()),
        '\u{fe00}'..='\u{fe02}' | '\u{e0100}'..='\u{e01ef}' => follows(has::<UnifiedIdeograph>),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => follows(is_mongolian),
        MVS => follows(is_mongolian) && precedes(is_mongolian),
        ZWJ => {
            follows(is_virama)
                || (follows(|c| matches!(c, '\u{900}'..='\u{dff}')) && precedes(is_virama))
                || (follows(ends_emoji) && precedes(has::<ExtendedPictographic>))
        }
        ZWNJ => follows(is_virama) || would_join(before, after),
        _ => is_tag(sign) && is_in_flag(sign, before, after),
    }
}

/// Returns `true` for a character that may stand before the ZWJ of joined emoji: an emoji, a colour
/// of skin, or a variation selector.
fn ends_emoji(character: char) -> bool {
    has::<ExtendedPictographic>(character)
        || character == VS16
        || matches!(character, '\u{1f3fb}'..='\u{1f3ff}')
}

fn is_virama(character: char) -> bool {
    CodePointMapData::<CanonicalCombiningClass>::new().get(character)
        == CanonicalCombiningClass::Virama
}

fn is_mongolian(character: char) -> bool {
    matches!(character, '\u{1820}'..='\u{1878}' | '\u{1880}'..='\u{18aa}')
}

/// Returns `true` if the letters around a non-joiner would have joined, marks between them aside.
fn would_join(before: &[char], after: &[char]) -> bool {
    let joining = CodePointMapData::<JoiningType>::new();
    let first = |joining: Option<JoiningType>| joining.unwrap_or(JoiningType::NonJoining);
    let is_letter = |joining: &JoiningType| *joining != JoiningType::Transparent;
    let left = first(before.iter().rev().map(|c| joining.get(*c)).find(is_letter));
    let right = first(after.iter().map(|c| joining.get(*c)).find(is_letter));
    let (dual, only_left, only_right) =
        (JoiningType::DualJoining, JoiningType::LeftJoining, JoiningType::RightJoining);
    [dual, only_left, only_right].contains(&left) && [dual, only_right].contains(&right)
}

fn is_tag(character: char) -> bool {
    matches!(character, '\u{e0020}'..=END_OF_TAGS)
}

/// Returns `true` if a tag belongs to the flag of a subdivision, such as Scotland's: its tags spell
/// a region and a part of it, `gbsct`.
fn is_in_flag(tag: char, before: &[char], after: &[char]) -> bool {
    let is_tag_at = |c: &&char| is_tag(**c);
    let earlier = before.iter().rev().take_while(is_tag_at).count();
    let base = before.iter().rev().nth(earlier);
    let begin = before.len().saturating_sub(earlier);
    let mut tags: Vec<char> = before.get(begin..).unwrap_or_default().to_vec();
    tags.push(tag);
    tags.extend(after.iter().take_while(is_tag_at));
    let end = tags.pop();
    let is_code = |c: &char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    base == Some(&BLACK_FLAG)
        && end == Some(END_OF_TAGS)
        && (3..=6).contains(&tags.len())
        && tags.iter().all(is_code)
}

fn has<P: BinaryProperty>(character: char) -> bool {
    CodePointSetData::new::<P>().contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_stand_where_they_are_seen() {
        for good in [
            // Emoji: variation, keycaps, colours of skin, joined ones, flags.
            "❤\u{fe0f}",
            "❤\u{fe0e} text",
            "©\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "#\u{fe0f}\u{20e3} *\u{fe0f}\u{20e3}",
            "👍\u{1f3fd}",
            "👩\u{1f3fd}\u{200d}💻",
            "👩\u{200d}👩\u{200d}👧\u{200d}👦",
            "🏳\u{fe0f}\u{200d}🌈",
            "👁\u{fe0f}\u{200d}🗨\u{fe0f}",
            "❤\u{fe0f}\u{200d}🔥",
            "🤦🏽\u{200d}♂\u{fe0f}",
            "🧑\u{200d}⚖\u{fe0f}",
            "🐻\u{200d}❄\u{fe0f}",
            "🇯🇵 🇬🇧",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "🏴\u{200d}☠\u{fe0f}",
            // Forms of Han characters.
            "葛\u{e0100}城",
            "辻\u{e0101}",
            "芦\u{fe00}屋",
            // Joiners of scripts.
            "می\u{200c}خواهم",
            "کار\u{200c}ها",
            "بِ\u{200c}ها",
            "क्\u{200d}ष",
            "क्\u{200c}ष",
            "ශ්\u{200d}රී",
            "র\u{200d}\u{9cd}যা",
            "ന്\u{200d}",
            // Mongolian.
            "ᠠ\u{180b}",
            "ᠠᠨ\u{180e}ᠠ",
        ] {
            assert!(!holds_hidden(good), "{good:?}");
        }
        for bad in [
            // Variation selectors that select nothing.
            "a\u{fe0f}b",
            "\u{fe0f}",
            "\u{fe0f}❤",
            "❤\u{fe0f}\u{fe0f}",
            "1\u{fe0f}",
            "1\u{fe0e}\u{20e3}",
            "key\u{fe0e}",
            "a\u{fe00}",
            "か\u{e0100}",
            "葛\u{e0100}\u{e0100}",
            "漢\u{fe0f}",
            "漢\u{fe05}",
            "a\u{180b}",
            "\u{180e}ᠠ",
            // Joiners that join nothing, and non-joiners that part nothing.
            "a\u{200d}b",
            "a\u{200c}b",
            "1\u{200d}2",
            "a\u{200d}\u{94d}",
            "漢\u{200d}字",
            "\u{200d}💻",
            "👩\u{200d}",
            "👩\u{200d}\u{200d}💻",
            "👩\u{200d}a",
            "a\u{200d}💻",
            "1\u{200d}💻",
            "می\u{200c}a",
            "می\u{200c}",
            "می\u{200c}\u{200c}خواهم",
            "ب\u{200d}ب",
            "а\u{200c}б",
            // Tags without a flag, without an end, too long, or twice.
            "a\u{e0061}",
            "🏴\u{e0067}\u{e0062}\u{e0073}",
            "🏴\u{e0067}\u{e0062}\u{e007f}",
            "🏴\u{e007f}",
            "👍\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e0074}\u{e0074}\u{e007f}",
            "🏴\u{e0067}\u{e0062}\u{e0020}\u{e007f}",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e007f}\u{e007f}",
            "\u{e0001}a",
            // What changes direction or shows nothing anywhere.
            "a\u{200e}",
            "א\u{200f}",
            "a\u{61c}",
            "a\u{202e}b",
            "a\u{2066}b\u{2069}",
            "a\u{200b}b",
            "a\u{2060}b",
            "a\u{ad}b",
            "a\u{34f}b",
            "a\u{feff}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{115f}",
            "\u{2800}",
            "a\u{2028}b",
            "a\u{fff9}b",
            "a\u{1d173}",
            "a\u{85}",
            "a\u{7f}",
            "a\0",
        ] {
            assert!(holds_hidden(bad), "{bad:?}");
        }
    }

    /// Whatever shows nothing by Unicode's account, or by ours before the tables came from Unicode.
    #[test]
    fn no_invisible_character_stands_between_latin_letters_or_alone() {
        let hidden: Vec<char> = (char::MIN..=char::MAX).filter(|c| is_hidden(*c)).collect();
        assert!(hidden.len() > 4_000, "{}", hidden.len());
        for character in hidden {
            for text in [format!("a{character}b"), character.to_string(), format!("a{character}")] {
                assert!(holds_hidden(&text), "{text:?}");
            }
        }
    }
}
