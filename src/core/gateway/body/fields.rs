//! Collects the wanted fields of a body, and the byte ranges to cut out.

use core::ops::Range;

use crate::base::secret::SecretText;
use crate::config::rules::{API_KEY_FIELD, API_USER_FIELD};

/// The fields that a scan found.
#[derive(Debug, Default)]
pub struct Fields {
    /// Names of the fields that hold a key.
    names: Vec<String>,
    values: Vec<SecretText>,
    /// The fields of an API user; `None` if the scan does not look for them.
    user: Option<UserFields>,
    cuts: Vec<Range<usize>>,
    is_too_large: bool,
    unscanned: Option<Unscanned>,
}

/// The values of an API user's fields, in body order.
#[derive(Debug, Default)]
pub struct UserFields {
    /// Names of users.
    pub names: Vec<String>,
    /// Secrets of users.
    pub secrets: Vec<SecretText>,
}

/// The meaning of a wanted field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedField {
    /// The field holds a key, and is cut out.
    Key,
    /// The field holds the name of an API user, and stays.
    UserName,
    /// The field holds the secret of an API user, and is cut out.
    UserSecret,
}

impl WantedField {
    /// Returns `true` if the origin must not receive the field.
    pub fn is_cut(self) -> bool {
        match self {
            Self::Key | Self::UserSecret => true,
            Self::UserName => false,
        }
    }
}

/// The reason why the scan did not look at a body, or at a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unscanned {
    /// The part after the first file of a form.
    AfterFile,
    /// The part beyond the bound.
    BeyondBound,
    /// The part after syntax that the scan does not understand.
    Malformed,
    /// A body that its sender has encoded.
    ContentEncoding,
    /// A body whose type can hold no field that the rule names.
    ContentType,
}

impl Unscanned {
    /// Returns the stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::AfterFile => "after_file",
            Self::BeyondBound => "beyond_64_kib",
            Self::Malformed => "malformed",
            Self::ContentEncoding => "content_encoding",
            Self::ContentType => "content_type",
        }
    }

    /// Returns the reason as a sentence that says what to do.
    pub fn detail(self) -> &'static str {
        match self {
            Self::AfterFile => {
                "No field behind the first file is read: send the key before the file"
            }
            Self::BeyondBound => "Only the first 64 KiB of the form are read: send the key earlier",
            Self::Malformed => "The body cannot be read as its Content-Type says",
            Self::ContentEncoding => "No field of a body with a Content-Encoding is read",
            Self::ContentType => "No field of a body with this Content-Type is read",
        }
    }
}

impl Fields {
    /// Returns an empty collection that looks for the fields `names`.
    pub fn of(names: Vec<String>) -> Self {
        Self { names, ..Self::default() }
    }

    /// Looks also for name and secret of an API user.
    #[must_use]
    pub fn with_user(self) -> Self {
        Self { user: Some(UserFields::default()), ..self }
    }

    /// Records that the body exceeds the bound and is of a type that is only valid as a whole
    /// (JSON).
    pub fn note_too_large(&mut self) {
        self.is_too_large = true;
    }

    /// Returns `true` if the scan looks for no field.
    pub fn is_unwanted(&self) -> bool {
        self.names.is_empty() && self.user.is_none()
    }

    /// Returns the values of an API user's fields; `None` if the scan did not look for them.
    pub fn user(&self) -> Option<&UserFields> {
        self.user.as_ref()
    }

    /// Returns the values of all fields that hold a key, in body order.
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

    /// Records that the scan did not look at the rest of the body; the first reason stays.
    pub fn note(&mut self, unscanned: Unscanned) {
        self.unscanned.get_or_insert(unscanned);
    }

    /// Returns the reason why the scan did not look at the whole body.
    pub fn unscanned(&self) -> Option<Unscanned> {
        self.unscanned
    }

    /// Returns the meaning of a field of this name; `None` if the scan does not look for it.
    pub fn wants(&self, name: &str) -> Option<WantedField> {
        if self.names.iter().any(|wanted| wanted == name) {
            return Some(WantedField::Key);
        }
        self.user.as_ref()?;
        match name {
            API_USER_FIELD => Some(WantedField::UserName),
            API_KEY_FIELD => Some(WantedField::UserSecret),
            _ => None,
        }
    }

    /// Adds the value of a wanted field.
    pub fn add(&mut self, wanted: WantedField, value: String) {
        match (wanted, &mut self.user) {
            (WantedField::UserName, Some(user)) => user.names.push(value),
            (WantedField::UserSecret, Some(user)) => user.secrets.push(SecretText::new(value)),
            (WantedField::Key, _) | (_, None) => self.values.push(SecretText::new(value)),
        }
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
