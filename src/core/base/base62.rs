//! Encodes base62 in the order `0-9A-Za-z`: the alphabet of every credential.
//!
//! Text is fixed-width and ASCII; there is no padding character and no alternate spelling.

use rand_core::CryptoRng;

/// The 62 digits, in the order of their values.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Number of digits that fits any `u64`: 62^11 > 2^64.
pub const U64_WIDTH: usize = 11;

/// Number of digits that fits any `u32`: 62^6 > 2^32.
pub const U32_WIDTH: usize = 6;

/// Returns `true` if every byte of `text` is a digit. It is `true` for the empty text.
pub fn is_base62(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_alphanumeric)
}

/// Writes `value` in base 62, left-padded with `0` to `N` digits. It drops leading digits beyond
/// `N`, so `N` must be wide enough for the value's type ([`U64_WIDTH`], [`U32_WIDTH`]).
pub fn encode<const N: usize>(value: u64) -> [u8; N] {
    let mut text = [b'0'; N];
    let mut rest = value;
    for place in text.iter_mut().rev() {
        *place = digit(rest % 62);
        rest /= 62;
    }
    text
}

/// Reads digits as [`encode`] writes them. Returns `None` if the number is above `u64::MAX`, or if
/// a byte is not a digit.
pub fn decode(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |value, byte| {
        let digit = ALPHABET.iter().position(|digit| digit == byte)?;
        value.checked_mul(62)?.checked_add(u64::try_from(digit).ok()?)
    })
}

/// Draws `N` digits, each uniform over the alphabet: it redraws values of 62 and above.
pub fn random<const N: usize>(rng: &mut impl CryptoRng) -> [u8; N] {
    let mut text = [0; N];
    for place in &mut text {
        *place = loop {
            let mut byte = [0];
            rng.fill_bytes(&mut byte);
            let [byte] = byte;
            let value = byte & 0x3f;
            if value < 62 {
                break digit(u64::from(value));
            }
        };
    }
    text
}

/// Returns the digit of a value below 62. It returns `0` for any other value, which no caller
/// passes.
fn digit(value: u64) -> u8 {
    usize::try_from(value).ok().and_then(|index| ALPHABET.get(index)).copied().unwrap_or(b'0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn numbers_are_left_padded_and_reach_their_type_s_end() {
        assert_eq!(&encode::<U32_WIDTH>(0), b"000000");
        assert_eq!(&encode::<U32_WIDTH>(61), b"00000z");
        assert_eq!(&encode::<U32_WIDTH>(62), b"000010");
        assert_eq!(&encode::<U32_WIDTH>(u64::from(u32::MAX)), b"4gfFC3");
        assert_eq!(&encode::<U64_WIDTH>(u64::MAX), b"LygHa16AHYF");
    }

    #[test]
    fn a_number_reads_back_and_one_beyond_is_none() {
        for value in [0, 1, 61, 62, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(decode(&encode::<U64_WIDTH>(value)), Some(value));
        }
        for bad in ["LygHa16AHYG", "zzzzzzzzzzz", "0000-", "é"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn random_text_uses_the_whole_alphabet_and_nothing_else() {
        let text = random::<4096>(&mut ChaCha20Rng::seed_from_u64(1));
        assert!(is_base62(&text));
        for digit in ALPHABET {
            assert!(text.contains(digit), "{} never drawn", char::from(*digit));
        }
    }

    #[test]
    fn near_misses_of_the_alphabet_are_refused() {
        for byte in [b'/', b':', b'@', b'[', b'`', b'{', b'_', b'-', 0, 0x80, 0xff] {
            assert!(!is_base62(&[b'a', byte]), "{byte:#x}");
        }
    }
}
