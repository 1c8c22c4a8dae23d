//! Client data (WebAuthn Level 2 §5.8.1): what the browser has signed over for the page.

use serde::Deserialize;

use super::binary::BinaryText;
use super::error::PasskeyError;

/// The act for which a browser has asked the authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAct {
    /// Making a passkey.
    Create,
    /// Using a passkey.
    Get,
}

/// The members that are checked. Browsers add others, and will add more (§5.8.1.1).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenClientData {
    r#type: String,
    challenge: BinaryText,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

/// Reads client data, and returns the challenge in them.
///
/// # Errors
/// [`PasskeyError::ClientData`] for a text of another form; [`PasskeyError::WrongAct`] or
/// [`PasskeyError::Origin`] if it is about another act or page, or about a page within another.
pub fn read_client_data(
    json: &[u8],
    act: ClientAct,
    origin: &str,
) -> Result<Vec<u8>, PasskeyError> {
    let written: WrittenClientData =
        serde_json::from_slice(json).map_err(|_| PasskeyError::ClientData)?;
    let wanted = match act {
        ClientAct::Create => "webauthn.create",
        ClientAct::Get => "webauthn.get",
    };
    if written.r#type != wanted {
        return Err(PasskeyError::WrongAct);
    }
    if written.origin != origin || written.cross_origin {
        return Err(PasskeyError::Origin);
    }
    Ok(written.challenge.into_bytes())
}
