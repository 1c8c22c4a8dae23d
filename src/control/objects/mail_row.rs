//! Messages as rows: what the tables `mail` of a ledger and of a name object have in common.

use claviger_core::base::id::AccountId;

use crate::objects::sql::{Row, SqlError};
use crate::protocol::account::Email;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::envelope::Envelope;
use crate::protocol::member::Language;

/// The columns that [`read_envelope`] reads, in its order.
pub const ENVELOPE_COLUMNS: &str = "recipient, language, created_at_ms, letter, ifnull(sealed, '')";

/// Reads the message with this ID from the columns [`ENVELOPE_COLUMNS`], which come last.
///
/// # Errors
/// [`SqlError::Column`] if a column does not hold what it must.
pub fn read_envelope(mut row: Row, account: AccountId, id: &str) -> Result<Envelope, SqlError> {
    Ok(Envelope {
        id: id.to_owned(),
        account,
        to: row.parsed("an address", |text| Email::parse(text).ok())?,
        language: row.parsed("a language", Language::parse)?,
        written_at: row.time()?,
        letter: row.parsed("a letter", |json| serde_json::from_str(json).ok())?,
        sealed: Some(row.text()?).filter(|text| !text.is_empty()).map(Ciphertext::from_stored),
    })
}
