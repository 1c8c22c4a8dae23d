//! Fields of a form as typed, and their errors.

use std::borrow::Cow;

use claviger_core::base::time::UnixMs;
use claviger_core::credential::limits::network::{self, NetworkError, Networks, parse_lines};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::protocol::account::TextError;
use crate::protocol::policy::Policy;
use crate::protocol::zone::Zone;

/// Deserializes a present field as `Some`, so that only an absent field becomes `None`.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Networks as typed: one text, or a list of texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TypedNetworks {
    /// Entries separated by blanks, commas or line ends. Blanks alone mean no entries; commas alone
    /// are refused.
    Text(String),
    /// A list of such texts. Only the empty list means no entries; a list of empty texts is
    /// refused.
    List(Vec<String>),
}

impl TypedNetworks {
    /// Returns `true` if the entries are exactly these networks in stored form.
    pub fn repeats(&self, networks: &Networks) -> bool {
        let stored = networks.iter().map(|network| network.to_string());
        match self {
            Self::Text(text) => stored.eq(text.split_whitespace().map(str::to_owned)),
            Self::List(entries) => stored.eq(entries.iter().cloned()),
        }
    }

    /// Reads the entries, and refuses a non-empty value that contains none.
    pub fn read(&self) -> network::ParsedNetworks {
        let (text, is_empty) = match self {
            Self::Text(text) => (Cow::Borrowed(text.as_str()), text.trim().is_empty()),
            Self::List(entries) => (Cow::Owned(entries.join("\n")), entries.is_empty()),
        };
        let mut read = parse_lines(&text);
        // A non-empty value that yields no entry must not count as "every address".
        if read.count == 0 && !is_empty {
            read.problem.get_or_insert(NetworkError::NotAnAddress);
        }
        read
    }
}

/// An error in one field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// JSON pointer of the value, such as `#/networks`.
    pub pointer: String,
    /// Stable code for clients.
    pub code: String,
    /// English error message.
    pub detail: String,
    /// Parameters of the message (`max`, `line`, `entry`, …), for translations.
    #[serde(flatten)]
    pub params: Map<String, Value>,
}

impl FieldError {
    /// Returns an error without parameters.
    pub fn new(field: &str, code: &str, detail: impl ToString) -> Self {
        let (pointer, code) = (format!("#/{field}"), code.to_owned());
        Self { pointer, code, detail: detail.to_string(), params: Map::new() }
    }

    /// Returns the error of a name, address or password.
    pub fn text(field: &str, error: TextError) -> Self {
        let refused = Self::new(field, error.code(), error);
        match error {
            TextError::TooLong { max } => refused.with("max", max),
            TextError::TooShort { min } => refused.with("min", min),
            TextError::Required
            | TextError::ControlCharacter
            | TextError::Secret
            | TextError::NotAnAddress
            | TextError::Common
            | TextError::OwnNames
            | TextError::Same => refused,
        }
    }

    /// Returns the error of a parser whose JSON form holds code and parameters.
    pub fn of(field: &str, error: &(impl Serialize + core::fmt::Display)) -> Self {
        let (code, params) = code_and_params(error);
        Self { params, ..Self::new(field, &code, error) }
    }

    /// Adds a parameter of the message.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// Moves the error's pointer into the member `name`.
    #[must_use]
    pub fn under(mut self, name: &str) -> Self {
        if !name.is_empty() {
            self.pointer = self.pointer.replacen('/', &format!("/{name}/"), 1);
        }
        self
    }
}

/// Splits `{"code": …, …}` into the code and the other members.
pub fn code_and_params(error: &impl Serialize) -> (String, Map<String, Value>) {
    let mut params = match serde_json::to_value(error) {
        Ok(Value::Object(params)) => params,
        _ => Map::new(),
    };
    let code = params.remove("code").and_then(|code| code.as_str().map(str::to_owned));
    (code.unwrap_or_else(|| "invalid".to_owned()), params)
}

/// The context in which a form is validated.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The present, Unix ms.
    pub now: UnixMs,
    /// Time zone of the account.
    pub zone: &'a Zone,
    /// `true` if the member is an owner. Only owners may grant reserved permissions and protect
    /// keys.
    pub may_grant_reserved: bool,
    /// Policy of the account.
    pub policy: &'a Policy,
    /// Creation of the key that is edited, Unix ms; `None` for a new key.
    pub created_at: Option<UnixMs>,
}
