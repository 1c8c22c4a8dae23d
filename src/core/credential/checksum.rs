//! Computes the checksum that ends every credential. It finds typing errors; it proves nothing.

use crc::{CRC_32_ISO_HDLC, Crc, Table};

use crate::base::base62;

/// Number of digits of a checksum.
pub(crate) const CRC_WIDTH: usize = base62::U32_WIDTH;

/// One table of 1 KiB. Larger ones would be faster on long input, but a credential has some hundred
/// bytes, and each isolate compiles and holds the table.
const CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// Returns CRC-32/ISO-HDLC of the covered characters, in base62.
pub(crate) fn checksum(covered: &[u8]) -> [u8; CRC_WIDTH] {
    base62::encode(CRC.checksum(covered).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the CRC catalogue.
    #[test]
    fn the_algorithm_is_the_catalogue_s() {
        assert_eq!(CRC.checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(b""), *b"000000");
    }
}
