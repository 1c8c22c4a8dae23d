//! Authenticates the text of a credential: form, and tag or MAC. No lookup is needed.

use crate::base::id::AnyKeyId;
use crate::base::time::UnixMs;
use crate::config::settings::Config;
use crate::credential::key::{KeyText, MadeKey};
use crate::credential::sealed::{MadeSealed, SealedText};
use crate::verify::verdict::Denial;

/// A credential that Claviger made, as its tag or MAC proves.
pub(super) enum Presented {
    Key(MadeKey),
    Sealed(MadeSealed),
}

impl Presented {
    /// Authenticates the text of a credential that arrived at `arrival`.
    ///
    /// # Errors
    /// [`Denial::Malformed`] if the text does not have the form of a credential,
    /// [`Denial::Unknown`] if Claviger did not make it.
    pub(super) fn authenticate(
        text: &str,
        config: &Config,
        arrival: UnixMs,
    ) -> Result<Self, Denial> {
        let Config { prefix, keyring, .. } = config;
        if SealedText::is_meant(text, prefix) {
            let parsed = SealedText::parse(text, prefix).map_err(|_| Denial::Malformed)?;
            return parsed
                .authenticate(prefix, keyring, arrival)
                .map(Self::Sealed)
                .ok_or(Denial::Unknown);
        }
        let parsed = KeyText::parse(text, prefix).map_err(|_| Denial::Malformed)?;
        parsed.authenticate(prefix, keyring).map(Self::Key).ok_or(Denial::Unknown)
    }
}

/// Returns the ID of the key that a text names; `None` if the text is no key. A sealed key is
/// authenticated first; the ID of a stored key proves nothing.
pub(super) fn key_id(text: &str, config: &Config, arrival: UnixMs) -> Option<AnyKeyId> {
    let Config { prefix, keyring, .. } = config;
    if SealedText::is_meant(text, prefix) {
        let made = SealedText::parse(text, prefix).ok()?.authenticate(prefix, keyring, arrival)?;
        return Some(AnyKeyId::Sealed(made.claims().id));
    }
    KeyText::parse(text, prefix).ok().map(|parsed| AnyKeyId::Key(parsed.id()))
}
