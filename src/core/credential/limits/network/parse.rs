//! Parses the networks that a person typed or pasted, and reports on each entry.

use std::collections::BTreeSet;

use serde::Serialize;

use super::block::{ENTRY_CHARS_MAX, Network};
use super::client::ClientAddress;
use super::error::NetworkError;
use super::list::{NETWORKS_MAX, Networks, too_many};

/// Longest accepted text, in bytes: 10,000 of the longest blocks with their separators. So a pasted
/// list of that size still gets a count and a report.
pub const NETWORKS_TEXT_BYTES_MAX: usize = 512 * 1024;

/// Most refused entries that are reported individually; the others are only counted.
pub const PROBLEMS_KEPT_MAX: usize = 20;

/// The result of parsing a text of networks. Its size is bounded for any text: at most
/// [`NETWORKS_MAX`] accepted and [`PROBLEMS_KEPT_MAX`] refused entries, in the text's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParsedNetworks {
    /// First accepted and first refused entries, without entries that repeat a network.
    pub entries: Vec<NetworkEntry>,
    /// Number of entries in the text.
    pub count: usize,
    /// Number of entries that repeat an earlier network and are dropped.
    pub duplicates: usize,
    /// Number of refused entries, including those that `entries` omits.
    pub refused: usize,
    /// Problem of the list as a whole: [`NetworkError::TooMany`] or [`NetworkError::TextTooLong`].
    pub problem: Option<NetworkError>,
}

/// One entry of the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NetworkEntry {
    /// Line of the entry, counted from 1.
    pub line: usize,
    /// Entry as typed, cut off with `…` after [`ENTRY_CHARS_MAX`] characters.
    pub text: String,
    /// Result for this entry.
    #[serde(flatten)]
    pub outcome: NetworkOutcome,
}

/// The result for one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum NetworkOutcome {
    /// The entry is a network.
    Stored {
        /// Network; it displays in stored form.
        stored: Network,
        /// `true` if the stored form differs from the typed text.
        changed: bool,
    },
    /// The entry is refused.
    Refused {
        /// Reason of the refusal.
        problem: NetworkError,
    },
}

/// Parses entries separated by blanks, line ends, commas, 、 and their full-width forms. Full-width
/// characters inside an entry count as their ASCII counterparts.
///
/// It never fails: the result contains the errors, and [`Networks::try_from`] refuses it.
pub fn parse_lines(text: &str) -> ParsedNetworks {
    let mut checked =
        ParsedNetworks { entries: Vec::new(), count: 0, duplicates: 0, refused: 0, problem: None };
    if text.len() > NETWORKS_TEXT_BYTES_MAX {
        checked.problem = Some(NetworkError::TextTooLong { max: NETWORKS_TEXT_BYTES_MAX });
        return checked;
    }
    let mut seen = BTreeSet::new();
    for (line, text) in entries(text) {
        checked.count = checked.count.saturating_add(1);
        let outcome = match read_entry(text) {
            Ok(stored) if !seen.insert(stored) => {
                checked.duplicates = checked.duplicates.saturating_add(1);
                continue;
            }
            Ok(_) if seen.len() > NETWORKS_MAX => continue,
            Ok(stored) => NetworkOutcome::Stored { stored, changed: stored.to_string() != text },
            Err(problem) => {
                checked.refused = checked.refused.saturating_add(1);
                if checked.refused > PROBLEMS_KEPT_MAX {
                    continue;
                }
                NetworkOutcome::Refused { problem }
            }
        };
        checked.entries.push(NetworkEntry { line, text: cut(text), outcome });
    }
    // Refused entries count, because a corrected entry becomes a network.
    let different = seen.len().saturating_add(checked.refused);
    if different > NETWORKS_MAX {
        checked.problem = Some(too_many(different));
    }
    checked
}

/// Iterates over the entries with their line numbers. A line ends with LF, CR LF or CR.
fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut line = 1_usize;
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let first = rest.chars().next()?;
            if is_separator(first) {
                let after = rest.strip_prefix(first)?;
                if first == '\n' || (first == '\r' && !after.starts_with('\n')) {
                    line = line.saturating_add(1);
                }
                rest = after;
                continue;
            }
            let (entry, after) =
                rest.split_at_checked(rest.find(is_separator).unwrap_or(rest.len()))?;
            rest = after;
            return Some((line, entry));
        }
    })
}

/// Returns `true` for blanks of any kind (Unicode's `White_Space` includes U+3000 and the no-break
/// space), commas, and the commas of Japanese text.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | '、' | '，' | '､')
}

fn read_entry(text: &str) -> Result<Network, NetworkError> {
    // The text is cut before the work; one character beyond the limit is enough for the error.
    let network = in_ascii(text, ENTRY_CHARS_MAX.saturating_add(1)).parse()?;
    if ClientAddress::has_no_caller(network) { Err(NetworkError::NoCaller) } else { Ok(network) }
}

/// Returns the first `count` characters of an entry, full-width ones as their ASCII counterparts.
pub fn in_ascii(text: &str, count: usize) -> String {
    text.chars().take(count).map(ascii_kin).collect()
}

/// Returns the ASCII counterpart of a full-width form (U+FF01 to U+FF5E, in ASCII's order). A dot
/// that stands for `.` in addresses of East Asian text (RFC 3490 §3.1) becomes `.`.
fn ascii_kin(c: char) -> char {
    match c {
        '。' | '｡' => '.',
        '！'..='～' => {
            let offset = u32::from(c).saturating_sub(u32::from('！'));
            char::from_u32(u32::from('!').saturating_add(offset)).unwrap_or(c)
        }
        _ => c,
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(ENTRY_CHARS_MAX).and_then(|(end, _)| text.get(..end)) {
        Some(head) => format!("{head}…"),
        None => text.to_owned(),
    }
}

/// # Errors
/// The problem of the list as a whole, else that of its first refused entry.
impl TryFrom<&ParsedNetworks> for Networks {
    type Error = NetworkError;

    fn try_from(checked: &ParsedNetworks) -> Result<Self, NetworkError> {
        if let Some(problem) = &checked.problem {
            return Err(problem.clone());
        }
        let blocks = checked.entries.iter().map(|entry| match &entry.outcome {
            NetworkOutcome::Stored { stored, .. } => Ok(*stored),
            NetworkOutcome::Refused { problem } => Err(problem.clone()),
        });
        // Parse the list like a stored one, because any code can fill the public fields of
        // `ParsedNetworks`.
        let stored =
            blocks.map(|block| block.map(|b| b.to_string())).collect::<Result<Vec<_>, _>>()?;
        Self::from_stored(stored.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes each entry as `line:text=stored` or `line:text!code`; `~` marks a changed spelling.
    fn outcomes(text: &str) -> Vec<String> {
        let outcomes = |e: NetworkEntry| match e.outcome {
            NetworkOutcome::Stored { stored, changed } => {
                format!("{}:{}={}{stored}", e.line, e.text, if changed { "~" } else { "" })
            }
            NetworkOutcome::Refused { problem } => {
                format!("{}:{}!{}", e.line, e.text, problem.code())
            }
        };
        parse_lines(text).entries.into_iter().map(outcomes).collect()
    }

    #[test]
    fn separators_and_lines() {
        for (text, expected) in [
            ("", &[][..]),
            (" \r\n,、\u{3000}\t", &[]),
            ("1.2.3.4", &["1:1.2.3.4=1.2.3.4"]),
            ("1.2.3.4 5.6.7.8", &["1:1.2.3.4=1.2.3.4", "1:5.6.7.8=5.6.7.8"]),
            ("1.2.3.4,5.6.7.8、::1", &["1:1.2.3.4=1.2.3.4", "1:5.6.7.8=5.6.7.8", "1:::1=::1"]),
            (
                "1.2.3.4\t5.6.7.8\u{3000}::1",
                &["1:1.2.3.4=1.2.3.4", "1:5.6.7.8=5.6.7.8", "1:::1=::1"],
            ),
            ("1.2.3.4\u{a0}5.6.7.8，::1", &["1:1.2.3.4=1.2.3.4", "1:5.6.7.8=5.6.7.8", "1:::1=::1"]),
            ("\n1.2.3.4\n\n5.6.7.8\n", &["2:1.2.3.4=1.2.3.4", "4:5.6.7.8=5.6.7.8"]),
            ("1.2.3.4\r\n5.6.7.8\r\r::1", &["1:1.2.3.4=1.2.3.4", "2:5.6.7.8=5.6.7.8", "4:::1=::1"]),
            // A blank inside a block splits it into two entries, and the second is refused.
            ("10.0.0.0 /8", &["1:10.0.0.0=10.0.0.0", "1:/8!not_an_address"]),
            // Other separators are not supported.
            ("1.2.3.4;5.6.7.8", &["1:1.2.3.4;5.6.7.8!not_an_address"]),
            ("1.2.3.4-1.2.3.9", &["1:1.2.3.4-1.2.3.9!not_an_address"]),
        ] {
            assert_eq!(outcomes(text), expected, "{text:?}");
        }
    }

    #[test]
    fn full_width_characters() {
        for (text, stored) in [
            ("１０．０．０．０／８", "10.0.0.0/8"),
            ("１０。０。０。０／８", "10.0.0.0/8"),
            ("２００１：ｄｂ８：：／３２", "2001:db8::/32"),
            ("２００１：ＤＢ８：：１", "2001:db8::1"),
        ] {
            assert_eq!(outcomes(text), [format!("1:{text}=~{stored}")]);
        }
        // Digits of other scripts have no ASCII counterpart here.
        assert_eq!(outcomes("١.2.3.4"), ["1:١.2.3.4!not_an_address"]);
        assert_eq!(outcomes("ｆｅ８０：：１％ｅｔｈ０"), ["1:ｆｅ８０：：１％ｅｔｈ０!zone_id"]);
    }

    #[test]
    fn the_consoles_lines() {
        let text =
            "203.0.113.7\n2001:db8::/32\n10.0.0.0/33\n1.2.3\n01.2.3.4\nfe80::1%eth0\n\n10.1.2.3/8";
        assert_eq!(
            outcomes(text),
            [
                "1:203.0.113.7=203.0.113.7",
                "2:2001:db8::/32=2001:db8::/32",
                "3:10.0.0.0/33!prefix_too_long",
                "4:1.2.3!not_four_numbers",
                "5:01.2.3.4!leading_zero",
                "6:fe80::1%eth0!zone_id",
                "8:10.1.2.3/8=~10.0.0.0/8",
            ]
        );
        let refusal = Networks::try_from(&parse_lines(text)).unwrap_err();
        assert_eq!(refusal, NetworkError::PrefixTooLong { max: 32 });
    }

    #[test]
    fn order_is_kept_and_repetitions_are_dropped() {
        let checked = parse_lines("10.9.0.0/8, 1.2.3.4/32, ::ffff:10.0.0.1/104, 1.2.3.4, ::1");
        assert_eq!((checked.count, checked.duplicates, checked.refused), (5, 2, 0));
        assert_eq!(Networks::try_from(&checked).unwrap().to_string(), "10.0.0.0/8\n1.2.3.4\n::1");
        assert!(Networks::try_from(&parse_lines(" \n ")).unwrap().is_unrestricted());
    }

    #[test]
    fn a_prefix_consists_of_digits_alone_without_leading_zeros() {
        for prefix in ["", "x", "+8", "-8", "8x", "0x8", "8/8", "8.0"] {
            let entry = format!("10.0.0.0/{prefix}");
            assert_eq!(outcomes(&entry), [format!("1:{entry}!prefix_not_a_number")]);
        }
        for prefix in ["08", "00", "032"] {
            let entry = format!("10.0.0.0/{prefix}");
            assert_eq!(outcomes(&entry), [format!("1:{entry}!leading_zero")]);
        }
        for prefix in ["33", "256", "99999999999999999999"] {
            let entry = format!("10.0.0.0/{prefix}");
            assert_eq!(outcomes(&entry), [format!("1:{entry}!prefix_too_long")]);
        }
    }

    #[test]
    fn a_list_of_separators_is_anywhere_but_a_refused_one_is_nothing() {
        let anywhere = Networks::try_from(&parse_lines(",,、")).unwrap();
        assert!(anywhere.is_unrestricted() && anywhere.is_empty());
        assert!(!Networks::try_from(&parse_lines("::/0")).unwrap().is_empty());
        assert!(Networks::try_from(&parse_lines(";;")).is_err());
    }

    #[test]
    fn many_entries_are_counted() {
        let lines =
            |n: u32| (0..n).map(|i| format!("10.0.{}.{}\n", i / 256, i % 256)).collect::<String>();
        assert_eq!(Networks::try_from(&parse_lines(&lines(256))).unwrap().len(), 256);
        let checked = parse_lines(&lines(257));
        assert_eq!(Networks::try_from(&checked), Err(too_many(257)));
        let checked = parse_lines(&lines(10_000));
        assert_eq!((checked.count, checked.entries.len()), (10_000, NETWORKS_MAX));
        assert_eq!(checked.problem, Some(too_many(10_000)));
        // Repetitions do not count, but refused entries do.
        let checked = parse_lines(&(lines(256) + &lines(256)));
        assert_eq!((checked.duplicates, checked.problem.clone()), (256, None));
        let checked = parse_lines(&(lines(257) + &lines(257)));
        assert_eq!((checked.duplicates, checked.problem.clone()), (257, Some(too_many(257))));
        assert_eq!(parse_lines(&(lines(256) + "nonsense")).problem, Some(too_many(257)));
    }

    #[test]
    fn ten_thousand_problems_are_bounded() {
        let checked = parse_lines(&"300.1.2.3\n".repeat(10_000));
        assert_eq!((checked.count, checked.refused), (10_000, 10_000));
        assert_eq!(checked.entries.len(), PROBLEMS_KEPT_MAX);
        assert_eq!(checked.problem, Some(too_many(10_000)));
    }

    #[test]
    fn an_entry_has_at_most_64_characters_of_any_width() {
        for (zone, code) in [("a", "zone_id"), ("é", "zone_id"), ("ａ", "zone_id")] {
            let entry = |length| format!("fe80::1%{}", zone.repeat(length));
            assert_eq!(outcomes(&entry(56)), [format!("1:{}!{code}", entry(56))]);
            assert_eq!(outcomes(&entry(57)), [format!("1:{}…!entry_too_long", entry(56))]);
        }
    }

    #[test]
    fn long_text_is_not_read() {
        let longest = "1".repeat(NETWORKS_TEXT_BYTES_MAX);
        let checked = parse_lines(&longest);
        assert_eq!(outcomes(&longest), [format!("1:{}…!entry_too_long", "1".repeat(64))]);
        assert_eq!(checked.problem, None);
        let checked = parse_lines(&(longest + " "));
        assert_eq!(
            checked.problem,
            Some(NetworkError::TextTooLong { max: NETWORKS_TEXT_BYTES_MAX })
        );
        assert_eq!((checked.count, checked.entries.len()), (0, 0));
    }

    #[test]
    fn json_for_the_console() {
        let json = serde_json::to_value(parse_lines("10.1.2.3/8 1.2.3.4/33")).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "entries": [
                    {"line": 1, "text": "10.1.2.3/8", "stored": "10.0.0.0/8", "changed": true},
                    {"line": 1, "text": "1.2.3.4/33", "problem": {"code": "prefix_too_long", "max": 32}},
                ],
                "count": 2, "duplicates": 0, "refused": 1, "problem": null,
            })
        );
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[0-9a-f:./%, 、\u{3000}\n\r０-９．：]{0,200}") {
            let checked = parse_lines(&text);
            if let Ok(networks) = Networks::try_from(&checked) {
                let shown = networks.to_string();
                let again = parse_lines(&shown);
                let unchanged =
                    |e: &NetworkEntry| matches!(e.outcome, NetworkOutcome::Stored { changed: false, .. });
                prop_assert!(again.entries.iter().all(unchanged));
                prop_assert_eq!(Networks::try_from(&again).unwrap(), networks);
            }
        }
    }
}
