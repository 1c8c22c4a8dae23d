//! Search terms of names; a search matches their beginnings.
//!
//! A term is a run of letters and digits of one script. 経理サーバー yields 経理 and サーバー, because Japanese
//! has no blanks between words. The search text is split in the same way.

/// Folds case and full-width ASCII, so that texts differing only in these are equal.
///
/// Upper case comes first, then lower. Either alone would keep some pairs apart (ß and SS, ς and
/// σ).
pub fn fold(text: &str) -> String {
    text.chars().map(half_width).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Returns the distinct folded terms of a text, in order of appearance.
pub fn words(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut script = None;
    for character in fold(text).chars().chain([' ']) {
        // A combining accent belongs to the letter before it.
        let here = if is_accent(character) { script } else { Script::of(character) };
        if here != script && !word.is_empty() {
            let whole = core::mem::take(&mut word);
            if !found.contains(&whole) {
                found.push(whole);
            }
        }
        if here.is_some() {
            word.push(character);
        }
        script = here;
    }
    found
}

/// The scripts between which a term ends without a blank.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Hiragana,
    Katakana,
    Han,
    Other,
}

impl Script {
    /// Returns the script of a letter or digit; `None` for characters between words.
    fn of(character: char) -> Option<Self> {
        match character {
            '\u{3041}'..='\u{309f}' => Some(Self::Hiragana),
            // Excludes the middle dot U+30FB; includes the long sign U+30FC and the half-width
            // forms.
            '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' => {
                Some(Self::Katakana)
            }
            '\u{3005}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}' => Some(Self::Han),
            other => other.is_alphanumeric().then_some(Self::Other),
        }
    }
}

fn is_accent(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

fn half_width(character: char) -> char {
    match character {
        '！'..='～' => {
            let offset = u32::from(character).saturating_sub(u32::from('！'));
            char::from_u32(u32::from('!').saturating_add(offset)).unwrap_or(character)
        }
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_words() {
        for (text, expected) in [
            ("", ""),
            ("  !? ", ""),
            ("Build server", "build|server"),
            ("build_server-2 (Tokyo)", "build|server|2|tokyo"),
            ("v2 V2 v2", "v2"),
            ("経理サーバー", "経理|サーバー"),
            ("夜間のジョブ用key", "夜間|の|ジョブ|用|key"),
            ("日々・ＡＢＣ１２", "日々|abc12"),
            ("Straße", "strasse"),
            ("ΟΔΟΣ οδος", "οδοσ"),
            ("Cafe\u{301} bar", "cafe\u{301}|bar"),
            ("🔑 key", "key"),
        ] {
            assert_eq!(words(text).join("|"), expected, "{text}");
        }
    }
}
