//! Live notes on a draft, while it is being typed.

use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::issuer::Ceiling;
use claviger_core::credential::limits::network;
use claviger_core::credential::limits::network::{ClientAddress, Networks};
use claviger_core::credential::limits::permission::Permissions;
use claviger_core::replication::refresh::Caller;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Desk, Draft, FieldError, Setting, TypedCeiling, code_and_params};
use crate::protocol::expiry_text::{Described, Form};
use crate::protocol::zone::Zone;

/// Notes on a draft. A field that was not typed has none, and is no error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// What the expiry comes to.
    pub expires: Option<ExpiryNote>,
    /// What the networks come to, line by line.
    pub networks: Option<NetworksNote>,
    /// What the ceiling of what it may issue comes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuable: Option<CeilingNote>,
    /// Whether the networks hold the caller's own address; `None` when either is not known.
    pub includes_caller: Option<bool>,
    /// From where the key that is edited was used lately, and could not be under these networks;
    /// the latest first. `None` when no key is edited or no networks were typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_out: Option<Vec<Caller>>,
    /// What is wrong, except with single lines of the networks.
    pub errors: Vec<FieldError>,
}

/// What a ceiling comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CeilingNote {
    /// What the networks come to, line by line.
    pub networks: Option<NetworksNote>,
    /// The longest life; `None` for no bound, and where none was typed.
    pub longest_ms: Option<DurationMs>,
}

/// What an expiry comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryNote {
    /// How it was written.
    pub form: ExpiryForm,
    /// The end; `None` for never.
    pub at: Option<UnixMs>,
    /// The last day, of a key that works until the end of one.
    pub day: Option<String>,
    /// The zone in which it was meant.
    pub zone: Zone,
    /// How long that is from now; `None` for never.
    pub from_now_ms: Option<DurationMs>,
}

/// How an expiry was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryForm {
    /// No end.
    Never,
    /// An instant.
    Instant,
    /// The end of a day.
    EndOfDay,
}

/// What typed networks come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworksNote {
    /// How many networks there are.
    pub count: usize,
    /// How many entries are none.
    pub problems: usize,
    /// The networks as they would be stored.
    pub stored: Networks,
    /// The first problems, and the entries whose stored form differs from what was typed.
    pub lines: Vec<LineNote>,
}

/// A note on one entry: it has either a `stored` form, or a `code` with its sentence and
/// parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineNote {
    /// The line, from 1.
    pub line: usize,
    /// What was typed.
    pub entry: String,
    /// The stored form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<String>,
    /// The stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The English sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What the sentence names.
    #[serde(flatten)]
    pub params: Map<String, Value>,
}

impl Checked {
    /// Notes on `draft`, for a caller at `caller`. Changes nothing.
    pub fn of(draft: &Draft, setting: Setting<'_>, caller: Option<ClientAddress>) -> Self {
        let mut desk = Desk { setting, errors: Vec::new() };
        draft.name.as_deref().map(|text| desk.name(text));
        let expires = draft.expires.as_deref().and_then(|text| desk.described(text));
        let not_before = draft.not_before.as_deref().and_then(|text| desk.not_before(text));
        if let Some(described) = &expires {
            desk.check_begin(not_before, described.expiry());
        }
        let read = draft.networks.as_ref().map(super::TypedNetworks::read);
        if let Some(problem) = read.as_ref().and_then(|read| read.problem.as_ref()) {
            desk.errors.push(FieldError::of("networks", problem));
        }
        draft.permissions.as_deref().map(|typed| desk.permissions(typed));
        desk.protected(draft.protected, false);
        let networks = read.as_ref().map(NetworksNote::of);
        let issuable = draft.issuable.as_ref().map(|typed| CeilingNote::of(typed, &mut desk));
        let includes = |note: &NetworksNote| caller.map(|caller| note.stored.contains(caller));
        Self {
            expires: expires.map(ExpiryNote::of),
            includes_caller: networks.as_ref().and_then(includes),
            networks,
            locked_out: None,
            issuable,
            errors: desk.errors,
        }
    }
}

impl CeilingNote {
    /// Single lines of the networks are noted, everything else that is wrong goes to the desk. What
    /// was not typed is no error.
    fn of(typed: &TypedCeiling, desk: &mut Desk<'_>) -> Self {
        let nothing = Ceiling {
            permissions: Permissions::none(),
            networks: Networks::anywhere(),
            longest: None,
        };
        let (setting, errors) = (desk.setting, &mut desk.errors);
        let ceiling = |typed: TypedCeiling| typed.decide(Some(&nothing), "issuable", setting);
        let read = typed.networks.as_ref().map(super::TypedNetworks::read);
        if let Err(refused) = ceiling(TypedCeiling { networks: None, ..typed.clone() }) {
            errors.extend(refused);
        }
        if let Some(problem) = read.as_ref().and_then(|read| read.problem.as_ref()) {
            errors.push(FieldError::of("issuable/networks", problem));
        }
        let longest =
            ceiling(TypedCeiling { longest: typed.longest.clone(), ..TypedCeiling::default() });
        let longest_ms = longest.ok().and_then(|ceiling| ceiling.longest);
        Self { networks: read.as_ref().map(NetworksNote::of), longest_ms }
    }
}

impl ExpiryNote {
    fn of(described: Described) -> Self {
        let form = match described.form {
            Form::Never => ExpiryForm::Never,
            Form::Instant => ExpiryForm::Instant,
            Form::EndOfDay => ExpiryForm::EndOfDay,
        };
        let Described { at_ms: at, day, zone, from_now_ms, .. } = described;
        Self { form, at, day, zone, from_now_ms }
    }
}

impl NetworksNote {
    fn of(read: &network::Checked) -> Self {
        let stored: Vec<String> = read.entries.iter().filter_map(stored).collect();
        Self {
            count: read.count.saturating_sub(read.refused).saturating_sub(read.duplicates),
            problems: read.refused,
            // Stored forms, each once, and no more of them than a list holds: they cannot be
            // refused.
            stored: Networks::from_stored(stored.iter().map(String::as_str)).unwrap_or_default(),
            lines: read.entries.iter().filter_map(LineNote::of).collect(),
        }
    }
}

fn stored(entry: &network::Entry) -> Option<String> {
    match &entry.outcome {
        network::Outcome::Stored { stored, .. } => Some(stored.to_string()),
        network::Outcome::Refused { .. } => None,
    }
}

impl LineNote {
    fn of(entry: &network::Entry) -> Option<Self> {
        let (line, text) = (entry.line, entry.text.clone());
        let bare =
            Self { line, entry: text, stored: None, code: None, detail: None, params: Map::new() };
        match &entry.outcome {
            network::Outcome::Stored { stored, changed } => {
                changed.then(|| Self { stored: Some(stored.to_string()), ..bare })
            }
            network::Outcome::Refused { problem } => {
                let (code, params) = code_and_params(problem);
                Some(Self { code: Some(code), detail: Some(problem.to_string()), params, ..bare })
            }
        }
    }
}
