//! `application/x-www-form-urlencoded`, as the WHATWG URL standard reads it (§5.1): pairs parted by
//! `&`, in any spelling.

use super::Fields;

/// How far a body has been read.
#[derive(Debug, Default)]
pub struct Urlencoded {
    /// Where the present pair begins.
    pair: usize,
    /// No `&` before this belongs to the present pair.
    searched: usize,
}

impl Urlencoded {
    /// Looks at what has come since, of all that has come. Whether no more is of interest.
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

fn look(pair: Option<&[u8]>, fields: &mut Fields) -> bool {
    match form_urlencoded::parse(pair.unwrap_or_default()).next() {
        Some((name, value)) if fields.wants(&name) => {
            fields.add(value.into_owned());
            true
        }
        _ => false,
    }
}
