//! Reads e-mail addresses in one canonical form: ASCII, lower case.
//!
//! The local part is a dot-atom (RFC 5322 §3.2.3), the domain has two or more labels (RFC 1035
//! §2.3.1). Folding case deviates from RFC 5321 §2.4 on purpose: no provider has mailboxes that
//! differ by case alone, and two such names would look alike.

/// Longest address, in bytes (RFC 5321 §4.5.3.1.3: a path has 256, with its brackets).
pub const EMAIL_BYTES_MAX: usize = 254;

/// Longest local part, in bytes (RFC 5321 §4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;

/// Returns an address in lower case; `None` if the text is not one.
pub fn fold(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@').filter(|_| text.len() <= EMAIL_BYTES_MAX)?;
    let is_address = local.len() <= LOCAL_BYTES_MAX
        && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_byte))
        && domain.contains('.')
        && domain.split('.').all(is_label);
    is_address.then(|| text.to_ascii_lowercase())
}

fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}
