//! Collects the wanted fields of a body, and the byte ranges to cut out.

use core::ops::Range;

use crate::base::secret::SecretText;

/// The fields that a scan found.
#[derive(Debug, Default)]
pub struct Fields {
    /// Field names to look for.
    names: Vec<String>,
    values: Vec<SecretText>,
    cuts: Vec<Range<usize>>,
    is_too_large: bool,
}

impl Fields {
    /// Returns an empty collection that looks for the fields `names`.
    pub fn of(names: Vec<String>) -> Self {
        Self { names, ..Self::default() }
    }

    /// Records that the body exceeds the bound and is of a type that is only valid as a whole
    /// (JSON).
    pub fn note_too_large(&mut self) {
        self.is_too_large = true;
    }

    /// Returns `true` if the scan looks for no field.
    pub fn is_unwanted(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the values of all wanted fields, in body order.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(SecretText::expose)
    }

    /// Returns the byte ranges to cut out of the body, in order and without overlap.
    pub fn cuts(&self) -> &[Range<usize>] {
        &self.cuts
    }

    /// Returns `true` if the body exceeds the bound and is of a type that is only valid as a whole
    /// (JSON).
    pub fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    /// Returns `true` if the scan looks for a field of this name.
    pub fn wants(&self, name: &str) -> bool {
        self.names.iter().any(|wanted| wanted == name)
    }

    /// Adds the value of a wanted field.
    pub fn add(&mut self, value: String) {
        self.values.push(SecretText::new(value));
    }

    /// Cuts out a range that begins at or after the end of the last one.
    pub fn cut(&mut self, range: Range<usize>) {
        match self.cuts.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => self.cuts.push(range),
        }
    }

    /// Cuts out the last item of a list, together with the separator before it.
    pub fn cut_last(&mut self, range: Range<usize>) {
        let before = match self.cuts.pop() {
            Some(cut) if cut.end == range.start => cut.start,
            Some(cut) => {
                self.cuts.push(cut);
                range.start
            }
            None => range.start,
        };
        self.cut(before.saturating_sub(1)..range.end);
    }
}
