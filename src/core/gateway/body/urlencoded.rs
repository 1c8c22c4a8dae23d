//! Scans `application/x-www-form-urlencoded` as the WHATWG URL standard defines it (§5.1): pairs
//! separated by `&`, with any escaping.

use super::fields::Fields;

/// The progress of the scan.
#[derive(Debug, Default)]
pub struct Urlencoded {
    /// Offset at which the present pair begins, in bytes.
    pair: usize,
    /// Offset up to which the scan has searched the present pair for `&`, in bytes.
    searched: usize,
}

impl Urlencoded {
    /// Continues the scan; `bytes` is the whole body so far. Returns `true` if the scan needs no
    /// more bytes.
    pub fn advance(&mut self, bytes: &[u8], is_end: bool, fields: &mut Fields) -> bool {
        while let Some(found) = memchr::memchr(b'&', bytes.get(self.searched..).unwrap_or_default())
        {
            let end = self.searched.saturating_add(found);
            let next = end.saturating_add(1);
            if look(bytes.get(self.pair..end), fields) {
                fields.cut(self.pair..next);
            }
            (self.pair, self.searched) = (next, next);
        }
        self.searched = bytes.len();
        if is_end && look(bytes.get(self.pair..), fields) {
            fields.cut_last(self.pair..bytes.len());
        }
        is_end
    }
}

/// Takes a pair that the scan looks for. Returns `true` if it must be cut out.
fn look(pair: Option<&[u8]>, fields: &mut Fields) -> bool {
    match form_urlencoded::parse(pair.unwrap_or_default()).next() {
        Some((name, value)) => fields.wants(&name).is_some_and(|wanted| {
            fields.add(wanted, value.into_owned());
            wanted.is_cut()
        }),
        None => false,
    }
}
