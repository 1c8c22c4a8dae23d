//! The order of names in a list: as people count, without case, width or accents.
//!
//! Numbers within names compare by their value, so `key 2` comes before `key 10`. The rest compares
//! by code point of the folded text: Latin before kana before kanji. It is no dictionary's order.

use crate::objects::search_terms::fold;

/// Digits of a number whose length is one digit itself.
const SHORT_DIGITS_MAX: usize = 8;

/// Returns the text by which a name is ordered. SQLite compares it bytewise.
///
/// A number becomes its length and its digits, without leading zeros: `2` is `12`, `10` is `210`,
/// `0` is `0`. From nine digits on, the length is `9` and a character. So a longer number sorts
/// after a shorter one, and every number sorts where digits do.
pub fn name_order(name: &str) -> String {
    let folded = fold(name);
    let mut order = String::with_capacity(folded.len());
    let mut rest = folded.as_str();
    while !rest.is_empty() {
        let (text, from_number) = split_before(rest, |c| c.is_ascii_digit());
        let (number, after) = split_before(from_number, |c| !c.is_ascii_digit());
        order.push_str(text);
        if !number.is_empty() {
            push_number(&mut order, number.trim_start_matches('0'));
        }
        rest = after;
    }
    order
}

fn push_number(order: &mut String, digits: &str) {
    let length = digits.len();
    let one_digit = u32::try_from(length).ok().filter(|_| length <= SHORT_DIGITS_MAX);
    match one_digit.and_then(|length| char::from_digit(length, 10)) {
        Some(length) => order.push(length),
        None => {
            order.push('9');
            // From U+0100 on, in the order of their bytes. No name has as many digits as there are
            // characters before the surrogates.
            let length = u32::try_from(length).unwrap_or(u32::MAX).saturating_add(0x100);
            order.push(char::from_u32(length).unwrap_or(char::MAX));
        }
    }
    order.push_str(digits);
}

/// Splits a text before the first character of a kind.
fn split_before(text: &str, is_it: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_it).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use core::cmp::Ordering;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_table_of_orders() {
        for ordered in [
            &["key", "key 0", "KEY 1", "key 2", "Key 10", "key 10a", "key 10b", "key 11", "keys"][..],
            &["v1.2.9", "v1.2.10", "v1.10.1", "v2"],
            &["１号", "2号", "⑩号"],
            &[
                "!",
                "7",
                "1000000000",
                "20000000000",
                "a",
                "é",
                "f",
                "z",
                "あ",
                "カ",
                "が",
                "き",
                "ｻ",
                "東",
            ],
            &["99999999", "100000000", "999999999", "1000000000"],
        ] {
            let keys: Vec<_> = ordered.iter().map(|name| name_order(name)).collect();
            for (pair, names) in keys.windows(2).zip(ordered.windows(2)) {
                assert!(pair[0] < pair[1], "{names:?}: {pair:?}");
            }
        }
    }

    #[test]
    fn names_that_look_the_same_to_a_reader_have_one_place() {
        for (a, b) in [
            ("Key 1", "ｋｅｙ　１"),
            ("key 01", "key 1"),
            ("サーバー", "ｻｰﾊﾞｰ"),
            ("Café", "cafe\u{301}"),
            (" key", "key"),
        ] {
            assert_eq!(name_order(a), name_order(b), "{a} {b}");
        }
        assert_eq!(name_order("key 10, 0, 2, 123456789"), "key 210, 0, 12, 9\u{109}123456789");
    }

    /// Compares as a person would: piece by piece, numbers by value.
    fn natural(a: &[Result<u64, char>], b: &[Result<u64, char>]) -> Ordering {
        let place = |piece: &Result<u64, char>| match piece {
            Ok(number) => (u32::from('0'), *number),
            Err(sign) => (u32::from(*sign), 0),
        };
        a.iter().map(place).cmp(b.iter().map(place))
    }

    fn pieces() -> impl Strategy<Value = Vec<Result<u64, char>>> {
        let number = prop_oneof![0..=20_u64, 0..=u64::MAX].prop_map(Ok);
        let sign = prop::sample::select(vec!['a', 'b', '!', ':', 'あ', '東']).prop_map(Err);
        // Numbers side by side would be one number.
        prop::collection::vec((prop::option::of(number), sign), 0..4).prop_map(|pairs| {
            pairs.into_iter().flat_map(|(n, sign)| n.into_iter().chain([sign])).collect()
        })
    }

    fn written(pieces: &[Result<u64, char>]) -> String {
        let text = |piece: &Result<u64, char>| match piece {
            Ok(number) => number.to_string(),
            Err(sign) => sign.to_string(),
        };
        pieces.iter().map(text).collect()
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_a_person(a in pieces(), b in pieces()) {
            let (left, right) = (name_order(&written(&a)), name_order(&written(&b)));
            prop_assert_eq!(left.cmp(&right), natural(&a, &b), "{} {}", left, right);
        }
    }
}
