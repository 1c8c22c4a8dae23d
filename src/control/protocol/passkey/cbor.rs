//! A strict reader of the CBOR that authenticators send (RFC 8949, in the canonical form of CTAP2).
//!
//! Lengths are definite and integers are as short as they can be, so that one value has one
//! encoding. Floats, tags and indefinite lengths are refused: no part that is read here has any.
//! A reader never copies, and a length is compared with the bytes that are left before it is used.

/// Deepest nesting that [`CborReader::skip`] accepts. Statements of known formats nest three deep.
const DEPTH_MAX: u8 = 8;

/// The major types that are read (RFC 8949 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Major {
    Unsigned,
    Negative,
    Bytes,
    Text,
    Array,
    Map,
    Simple,
}

/// A reader over the rest of a document.
#[derive(Clone, Copy, Debug)]
pub struct CborReader<'a>(&'a [u8]);

impl<'a> CborReader<'a> {
    /// Returns a reader from the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes that are left.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Reads the number of pairs of a map.
    pub fn map(&mut self) -> Option<u64> {
        self.expect(Major::Map)
    }

    /// Reads a byte string.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.expect(Major::Bytes)?;
        self.take(length)
    }

    /// Reads a text.
    pub fn text(&mut self) -> Option<&'a str> {
        let length = self.expect(Major::Text)?;
        core::str::from_utf8(self.take(length)?).ok()
    }

    /// Reads an integer of either sign.
    pub fn integer(&mut self) -> Option<i64> {
        let (major, value) = self.head()?;
        let value = i64::try_from(value).ok()?;
        match major {
            Major::Unsigned => Some(value),
            // RFC 8949 §3.1: the value is -1 - n.
            Major::Negative => (-1_i64).checked_sub(value),
            _ => None,
        }
    }

    /// Passes over one value.
    pub fn skip(&mut self) -> Option<()> {
        self.skip_within(DEPTH_MAX)
    }

    fn skip_within(&mut self, depth: u8) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let (major, value) = self.head()?;
        let items = match major {
            Major::Unsigned | Major::Negative | Major::Simple => 0,
            Major::Bytes => {
                self.take(value)?;
                0
            }
            Major::Text => {
                core::str::from_utf8(self.take(value)?).ok()?;
                0
            }
            Major::Array => value,
            Major::Map => value.checked_mul(2)?,
        };
        // Each item has a byte at least, so a number beyond the rest ends early.
        for _ in 0..items {
            self.skip_within(depth)?;
        }
        Some(())
    }

    fn expect(&mut self, wanted: Major) -> Option<u64> {
        let (major, value) = self.head()?;
        (major == wanted).then_some(value)
    }

    /// Reads an initial byte and its argument.
    fn head(&mut self) -> Option<(Major, u64)> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        let major = match first >> 5 {
            0 => Major::Unsigned,
            1 => Major::Negative,
            2 => Major::Bytes,
            3 => Major::Text,
            4 => Major::Array,
            5 => Major::Map,
            // Tags are 6. Of 7, only the simple values false, true and null are read.
            7 if matches!(first & 0x1f, 20..=22) => return Some((Major::Simple, 0)),
            _ => return None,
        };
        let (value, least) = match first & 0x1f {
            direct @ 0..=23 => return Some((major, direct.into())),
            24 => (self.number::<1>()?, 24),
            25 => (self.number::<2>()?, 1 << 8),
            26 => (self.number::<4>()?, 1 << 16),
            27 => (self.number::<8>()?, 1 << 32),
            // Indefinite lengths, and what is reserved.
            _ => return None,
        };
        (value >= least).then_some((major, value))
    }

    fn number<const BYTES: usize>(&mut self) -> Option<u64> {
        let (bytes, rest) = self.0.split_first_chunk::<BYTES>()?;
        self.0 = rest;
        Some(bytes.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte)))
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn skipped(bytes: &[u8]) -> Option<usize> {
        let mut reader = CborReader::new(bytes);
        reader.skip()?;
        bytes.len().checked_sub(reader.rest().len())
    }

    #[test]
    fn each_kind_is_read_in_its_one_encoding() {
        assert_eq!(CborReader::new(&[0xa2]).map(), Some(2));
        assert_eq!(CborReader::new(&[0x42, 1, 2, 3]).bytes(), Some([1, 2].as_slice()));
        assert_eq!(CborReader::new(&[0x63, b'f', b'm', b't']).text(), Some("fmt"));
        for (bytes, value) in [
            (vec![0x17], 23),
            (vec![0x18, 24], 24),
            (vec![0x26], -7),
            (vec![0x39, 0x01, 0x00], -257),
            (vec![0x19, 0x01, 0x00], 256),
            (vec![0x3b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], i64::MIN),
        ] {
            assert_eq!(CborReader::new(&bytes).integer(), Some(value), "{bytes:x?}");
        }
    }

    #[test]
    fn other_encodings_and_lengths_beyond_the_end_are_none() {
        for bytes in [
            vec![],
            vec![0x18, 23],
            vec![0x19, 0x00, 0xff],
            vec![0x1a, 0, 0, 0xff, 0xff],
            vec![0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
            vec![0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            vec![0x1c],
            vec![0x18],
            vec![0xc0, 0x00],
            vec![0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(CborReader::new(&bytes).integer(), None, "{bytes:x?}");
        }
        for bytes in [
            vec![0x41],
            vec![0x5f, 0x41, 1, 0xff],
            vec![0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            vec![0x61, 0xff],
        ] {
            assert_eq!(CborReader::new(&bytes).bytes(), None, "{bytes:x?}");
            assert_eq!(CborReader::new(&bytes).text(), None, "{bytes:x?}");
            assert_eq!(skipped(&bytes), None, "{bytes:x?}");
        }
    }

    #[test]
    fn a_nested_value_is_passed_over_up_to_a_depth() {
        let nested = |depth: usize| [vec![0x81; depth], vec![0xf6]].concat();
        assert_eq!(skipped(&nested(7)), Some(8));
        assert_eq!(skipped(&nested(8)), None);
        assert_eq!(skipped(&nested(100_000)), None);
        assert_eq!(skipped(&[0xa1, 0x61, b'x', 0x82, 0x01, 0x40, 0x00]), Some(6));
        // Counts that no document can hold end at the end of the bytes.
        assert_eq!(skipped(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]), None);
        assert_eq!(skipped(&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_reader_or_take_it_beyond_the_end(
            bytes in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            if let Some(length) = skipped(&bytes) {
                prop_assert!((1..=bytes.len()).contains(&length));
            }
            let _ = (CborReader::new(&bytes).integer(), CborReader::new(&bytes).text());
        }
    }
}
