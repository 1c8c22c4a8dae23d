//! Search in names: any part of a name finds it, in whichever form of Unicode it is typed.
//!
//! The search text is split into terms at blanks and punctuation. A name matches if it contains
//! each term, anywhere. 経理 and サーバ both find 経理サーバー, because Japanese has no blanks between
//! words.
//!
//! The ledger keeps each name folded, and looks through all of them. An index of pairs of letters
//! would write ten rows and more with each name, and a row written costs as much as a thousand
//! read. SQLite's own index of trigrams does not find two letters, and most Japanese words have
//! two.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{
    BinaryProperty, DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup,
};
use icu_properties::{CodePointMapData, CodePointSetData};

use crate::objects::sql::Value;

/// Maximum number of terms that a search uses; it ignores further terms.
const TERMS_MAX: usize = 16;

/// Folds a text, so that texts which a reader takes for the same are equal. It folds case, width,
/// other forms of a character (NFKC), accents, and katakana to hiragana, and drops invisible
/// characters. A run of blanks becomes one.
pub fn fold(text: &str) -> String {
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd()
        .normalize_iter(text.chars().map(combining_mark))
        .filter(is_kept)
        // Upper case comes between, then lower case again. Either alone would keep some pairs
        // apart (ß and SS, ς and σ).
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .filter(is_kept)
        .map(hiragana);
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize_iter(decomposed);
    let mut folded = String::with_capacity(text.len());
    for character in composed {
        if !character.is_whitespace() {
            folded.push(character);
        } else if !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// A search by name.
#[derive(Debug, PartialEq, Eq)]
pub struct NameQuery {
    terms: Vec<String>,
}

impl NameQuery {
    /// Splits a search text into its terms. A part that is all punctuation is a term itself, so
    /// that an emoji can be searched.
    pub fn read(text: &str) -> Self {
        let folded = fold(text);
        let mut terms: Vec<String> = Vec::new();
        for part in folded.split(' ') {
            let words: Vec<&str> = part.split(is_separator).filter(|w| !w.is_empty()).collect();
            let whole = [part];
            let found = if words.is_empty() { whole.as_slice() } else { words.as_slice() };
            for term in found.iter().filter(|term| !term.is_empty()) {
                if terms.len() < TERMS_MAX && !terms.iter().any(|known| known == term) {
                    terms.push((*term).to_owned());
                }
            }
        }
        Self { terms }
    }

    /// Returns `true` if a name contains every term. Without terms it matches no name.
    pub fn matches(&self, name: &str) -> bool {
        let folded = fold(name);
        !self.terms.is_empty() && self.terms.iter().all(|term| folded.contains(term))
    }

    /// Returns the SQL that selects the IDs of the keys that match, with its bound values.
    pub fn keys(&self) -> (String, Vec<Value>) {
        // The index holds the folded names, so the limits and secrets of the keys are not read.
        self.select("key INDEXED BY key_by_name", "name_folded")
    }

    /// Returns the SQL that selects the IDs of the API users that match, with its bound values.
    pub fn api_users(&self) -> (String, Vec<Value>) {
        // Their names are ASCII in lower case, and so are folded.
        self.select("api_user INDEXED BY api_user_by_name", "name")
    }

    fn select(&self, table: &str, column: &str) -> (String, Vec<Value>) {
        let terms = match self.terms.len() {
            0 => "0".to_owned(),
            number => vec![format!("instr({column}, ?) > 0"); number].join(" AND "),
        };
        let text = format!("(SELECT id FROM {table} WHERE {terms})");
        (text, self.terms.iter().map(|term| term.as_str().into()).collect())
    }
}

/// Returns the combining form of the marks of voiced kana, which keyboards also send apart.
fn combining_mark(character: char) -> char {
    match character {
        '\u{309b}' => '\u{3099}',
        '\u{309c}' => '\u{309a}',
        _ => character,
    }
}

/// Returns `false` for accents of Latin, Greek and Cyrillic letters, and for invisible characters.
fn is_kept(character: &char) -> bool {
    !matches!(character, '\u{300}'..='\u{36f}') && !has::<DefaultIgnorableCodePoint>(*character)
}

/// Returns the hiragana of a katakana letter; any other character unchanged.
fn hiragana(character: char) -> char {
    match character {
        '\u{30a1}'..='\u{30f6}' | '\u{30fd}' | '\u{30fe}' => {
            char::from_u32(u32::from(character).saturating_sub(0x60)).unwrap_or(character)
        }
        _ => character,
    }
}

/// Returns `true` for characters between words: blanks, punctuation, symbols and controls.
fn is_separator(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    [
        GeneralCategoryGroup::Separator,
        GeneralCategoryGroup::Punctuation,
        GeneralCategoryGroup::Symbol,
        GeneralCategoryGroup::Other,
    ]
    .iter()
    .any(|group| group.contains(category))
}

fn has<P: BinaryProperty>(character: char) -> bool {
    CodePointSetData::new::<P>().contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_table_of_folded_texts() {
        for (text, expected) in [
            ("", ""),
            ("  Build \u{3000} Server\t", "build server"),
            ("ＡＢＣ１２！", "abc12!"),
            ("Straße STRASSE ẞ", "strasse strasse ss"),
            ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
            ("İstanbul ısı I", "istanbul isi i"),
            ("Café CAFE\u{301} cafe", "cafe cafe cafe"),
            ("Ångström \u{212b}", "angstrom a"),
            ("ﬁle ①② ㈱ ㍿", "file 12 (株) 株式会社"),
            ("サーバー さーばー ｻｰﾊﾞｰ", "さーばー さーばー さーばー"),
            ("が か\u{3099} ｶﾞ ガ か゛", "が が が が が"),
            ("パ ﾊﾟ は\u{309c}", "ぱ ぱ ぱ"),
            ("ヴ ヷ ヽ", "ゔ わ\u{3099} ゝ"),
            ("ヶ月 ヵ", "ゖ月 ゕ"),
            ("한 \u{1112}\u{1161}\u{11ab}", "한 한"),
            ("神 \u{fa19}", "神 神"),
            ("葛\u{e0100}城", "葛城"),
            ("❤\u{fe0f} 👩\u{200d}💻", "❤ 👩💻"),
            ("bu\u{ad}ild\u{200b}er\u{feff}", "builder"),
            ("می\u{200c}خواهم", "میخواهم"),
            ("क\u{93c} \u{958}", "क\u{93c} क\u{93c}"),
        ] {
            assert_eq!(fold(text), expected, "{text:?}");
        }
    }

    #[test]
    fn folding_twice_is_folding_once() {
        // Without ideographs, Hangul syllables and private use, which fold to themselves.
        let ranges = ['\0'..='\u{33ff}', '\u{a000}'..='\u{abff}', '\u{f900}'..='\u{1ffff}'];
        for character in ranges.into_iter().flatten() {
            let folded = fold(&character.to_string());
            assert_eq!(fold(&folded), folded, "{character:?}");
        }
    }

    #[test]
    fn a_table_of_terms() {
        for (text, expected) in [
            ("", ""),
            ("\u{200b}", ""),
            ("Build server", "build|server"),
            ("build_server-2 (Tokyo)", "build|server|2|tokyo"),
            ("v2 V2 v2", "v2"),
            ("経理サーバー", "経理さーばー"),
            ("日々・ＡＢＣ１２", "日々|abc12"),
            ("!!", "!!"),
            ("🔑", "🔑"),
            ("🔑 🔑key", "🔑|key"),
            ("k\u{947}\u{94d}", "k\u{947}\u{94d}"),
            ("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16"),
        ] {
            assert_eq!(NameQuery::read(text).terms.join("|"), expected, "{text:?}");
        }
    }

    #[test]
    fn a_table_of_searches() {
        for (name, q, is_found) in [
            ("東京本社ビルド", "本社", true),
            ("東京本社ビルド", "ﾋﾞﾙﾄﾞ", true),
            ("東京本社ビルド", "びる 東京", true),
            ("東京本社ビルド", "ピルド", false),
            ("東京本社ビルド", "大阪", false),
            ("Build server", "uild", true),
            ("Build server", "build-server", true),
            ("Build server", "servers", false),
            ("Café", "cafe\u{301}", true),
            ("Cafe", "É", true),
            ("🔑 key", "🔑", true),
            ("C++", "+", true),
            ("a", "", false),
        ] {
            assert_eq!(NameQuery::read(q).matches(name), is_found, "{name} {q}");
        }
    }

    /// Characters as a reader sees them, each in several forms.
    const FORMS: &[&[&str]] = &[
        &["a", "A", "ａ", "Ａ", "á", "a\u{301}", "ⓐ"],
        &["ss", "SS", "ß", "ẞ"],
        &["σ", "ς", "Σ"],
        &["7", "７", "⑦", "⁷"],
        &["-", "－"],
        &[" ", "\u{3000}", "\u{a0}", "\u{2003}"],
        &["が", "か\u{3099}", "ガ", "カ\u{3099}", "ｶﾞ", "か゛"],
        &["ぱ", "パ", "ﾊﾟ", "は\u{309a}"],
        &["さ", "サ", "ｻ"],
        &["ー", "ｰ"],
        &["東", "東\u{e0100}"],
        &["京"],
        &["神", "\u{fa19}"],
        &["한", "\u{1112}\u{1161}\u{11ab}"],
        &["❤", "❤\u{fe0f}"],
        &["क\u{93c}", "\u{958}"],
        &["и", "И", "й", "и\u{306}"],
    ];

    fn spelt(characters: &[(usize, usize)]) -> String {
        let form =
            |&(character, form): &(usize, usize)| FORMS[character][form % FORMS[character].len()];
        characters.iter().map(form).collect()
    }

    proptest! {
        #[test]
        fn every_part_of_a_name_finds_it_in_every_form(
            name in prop::collection::vec((0..FORMS.len(), 0_usize..8, 0_usize..8), 1..12),
            from in 0_usize..12,
            length in 1_usize..12,
        ) {
            let written: Vec<_> = name.iter().map(|(c, form, _)| (*c, *form)).collect();
            let typed: Vec<_> = name.iter().map(|(c, _, form)| (*c, *form)).collect();
            let from = from % name.len();
            let part = spelt(&typed[from..name.len().min(from + length)]);
            prop_assume!(!part.trim().is_empty());
            let name = spelt(&written);
            prop_assert!(NameQuery::read(&part).matches(&name), "{part:?} in {name:?}");
        }
    }
}
