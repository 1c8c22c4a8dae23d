//! Live preview of a form while a member types.

use claviger_core::base::time::{DurationMs, UnixMs};
use claviger_core::credential::issuer::Ceiling;
use claviger_core::credential::limits::network;
use claviger_core::credential::limits::network::{ClientAddress, Networks};
use claviger_core::credential::limits::permission::Permissions;
use claviger_core::replication::refresh::Caller;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Draft;
use super::ceiling::TypedCeiling;
use super::field::{FieldError, Setting, TypedNetworks};
use super::notation::{Explanation, explain};
use super::reader::FieldReader;
use super::special_purpose::SpecialPurpose;
use crate::protocol::account::TextError;
use crate::protocol::expiry_text::{Described, ExpiryKind};
use crate::protocol::secret_shape::holds_secret;
use crate::protocol::zone::Zone;

/// Preview of a draft. A field that was not typed has no preview and no error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftPreview {
    /// Interpreted expiry, if one was typed.
    pub expires: Option<ExpiryNote>,
    /// Interpreted networks, line by line.
    pub networks: Option<NetworksNote>,
    /// Interpreted ceiling, if one was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuable: Option<CeilingNote>,
    /// `true` if the networks contain the caller's own address; `None` if either is unknown.
    pub includes_caller: Option<bool>,
    /// Recent callers of the edited key whose address is outside these networks, latest first.
    /// `None` if no key is edited or no networks were typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_out: Option<Vec<Caller>>,
    /// Interpreted networks that are tried, line by line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks_observed: Option<NetworksNote>,
    /// Recent callers of the edited key whom the networks that are tried would refuse, latest
    /// first. `None` if no key is edited or no such networks were typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_refuse: Option<Vec<Caller>>,
    /// All errors, except those of single network entries.
    pub errors: Vec<FieldError>,
}

/// Preview of a ceiling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CeilingNote {
    /// Interpreted networks, line by line.
    pub networks: Option<NetworksNote>,
    /// Longest lifetime, in milliseconds; `None` if unlimited or not typed.
    pub longest_ms: Option<DurationMs>,
}

/// Preview of an expiry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryNote {
    /// Form in which it was typed.
    pub form: ExpiryForm,
    /// End, Unix ms; `None` for never.
    pub at: Option<UnixMs>,
    /// Last valid day, if the key is valid until the end of a day.
    pub day: Option<String>,
    /// Zone in which it was interpreted.
    pub zone: Zone,
    /// Time until the end, in milliseconds; `None` for never.
    pub from_now_ms: Option<DurationMs>,
}

/// The form in which an expiry was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryForm {
    /// `never`: there is no end.
    Never,
    /// One exact time.
    Instant,
    /// A date: valid until that day ends.
    EndOfDay,
}

/// Preview of networks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworksNote {
    /// Number of distinct valid networks.
    pub count: usize,
    /// Number of invalid entries.
    pub problems: usize,
    /// Networks in their stored form.
    pub stored: Networks,
    /// The first invalid entries, the entries whose stored form differs from the typed one, and
    /// those from which no request arrives over the Internet.
    pub lines: Vec<LineNote>,
}

/// Preview of one entry: either what there is to know about a valid one, or a `code` with message
/// and parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineNote {
    /// Line of the entry, from 1.
    pub line: usize,
    /// The entry as typed.
    pub entry: String,
    /// Stored form of a valid entry, if it differs from the typed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<String>,
    /// Purpose of a valid entry from which no request arrives over the Internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<SpecialPurpose>,
    /// Stable code of an invalid entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// English message of an invalid entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Parameters of the message.
    #[serde(flatten)]
    pub params: Map<String, Value>,
}

impl DraftPreview {
    /// Returns the preview of `draft` for a caller at `caller`. Changes nothing.
    pub fn of(draft: &Draft, setting: Setting<'_>, caller: Option<ClientAddress>) -> Self {
        let mut reader = FieldReader::new(setting);
        draft.name.as_deref().map(|text| reader.name(text));
        let expires = draft.expires.as_deref().and_then(|text| reader.described(text));
        let not_before = draft.not_before.as_deref().and_then(|text| reader.not_before(text));
        if let Some(described) = &expires {
            reader.check_begin(not_before, described.expiry());
        }
        let read = draft.networks.as_ref().map(TypedNetworks::read);
        if let Some(problem) = read.as_ref().and_then(|read| read.problem.as_ref()) {
            reader.errors.push(FieldError::of("networks", problem));
        }
        let observed = draft.networks_observed.as_ref().map(TypedNetworks::read);
        if let Some(problem) = observed.as_ref().and_then(|read| read.problem.as_ref()) {
            reader.errors.push(FieldError::of("networks_observed", problem));
        }
        draft.permissions.as_deref().map(|typed| reader.permissions(typed));
        reader.protected(draft.protected, false);
        reader.check_viewable(draft.viewable);
        let networks = read.as_ref().map(|read| NetworksNote::of(read, caller));
        let issuable =
            draft.issuable.as_ref().map(|typed| CeilingNote::of(typed, &mut reader, caller));
        let includes = |note: &NetworksNote| caller.map(|caller| note.stored.contains(caller));
        Self {
            expires: expires.map(ExpiryNote::of),
            includes_caller: networks.as_ref().and_then(includes),
            networks,
            locked_out: None,
            networks_observed: observed.as_ref().map(|read| NetworksNote::of(read, caller)),
            would_refuse: None,
            issuable,
            errors: reader.errors,
        }
    }
}

impl CeilingNote {
    /// Adds errors to `reader`, except those of single network entries, which the preview itself
    /// contains. A field that was not typed is no error.
    fn of(
        typed: &TypedCeiling,
        reader: &mut FieldReader<'_>,
        caller: Option<ClientAddress>,
    ) -> Self {
        let nothing = Ceiling {
            permissions: Permissions::none(),
            networks: Networks::anywhere(),
            longest: None,
        };
        let (setting, errors) = (reader.setting, &mut reader.errors);
        let ceiling = |typed: TypedCeiling| typed.decide(Some(&nothing), "issuable", setting);
        let read = typed.networks.as_ref().map(TypedNetworks::read);
        if let Err(refused) = ceiling(TypedCeiling { networks: None, ..typed.clone() }) {
            errors.extend(refused);
        }
        if let Some(problem) = read.as_ref().and_then(|read| read.problem.as_ref()) {
            errors.push(FieldError::of("issuable/networks", problem));
        }
        let longest =
            ceiling(TypedCeiling { longest: typed.longest.clone(), ..TypedCeiling::default() });
        let longest_ms = longest.ok().and_then(|ceiling| ceiling.longest);
        Self { networks: read.as_ref().map(|read| NetworksNote::of(read, caller)), longest_ms }
    }
}

impl ExpiryNote {
    fn of(described: Described) -> Self {
        let form = match described.form {
            ExpiryKind::Never => ExpiryForm::Never,
            ExpiryKind::Instant => ExpiryForm::Instant,
            ExpiryKind::EndOfDay => ExpiryForm::EndOfDay,
        };
        let Described { at_ms: at, day, zone, from_now_ms, .. } = described;
        Self { form, at, day, zone, from_now_ms }
    }
}

impl NetworksNote {
    fn of(read: &network::ParsedNetworks, caller: Option<ClientAddress>) -> Self {
        let stored: Vec<String> = read.entries.iter().filter_map(stored).collect();
        Self {
            count: read.count.saturating_sub(read.refused).saturating_sub(read.duplicates),
            problems: read.refused,
            // Distinct stored forms, no more than a list may hold: parsing them cannot fail.
            stored: Networks::from_stored(stored.iter().map(String::as_str)).unwrap_or_default(),
            lines: (0..read.entries.len())
                .filter_map(|index| LineNote::of(&read.entries, index, caller))
                .collect(),
        }
    }
}

fn stored(entry: &network::NetworkEntry) -> Option<String> {
    match &entry.outcome {
        network::NetworkOutcome::Stored { stored, .. } => Some(stored.to_string()),
        network::NetworkOutcome::Refused { .. } => None,
    }
}

impl LineNote {
    fn of(
        entries: &[network::NetworkEntry],
        index: usize,
        caller: Option<ClientAddress>,
    ) -> Option<Self> {
        let entry = entries.get(index)?;
        let (line, text) = (entry.line, entry.text.clone());
        let bare = Self {
            line,
            entry: text,
            stored: None,
            unreachable: None,
            code: None,
            detail: None,
            params: Map::new(),
        };
        match &entry.outcome {
            network::NetworkOutcome::Stored { stored, changed } => {
                // A deployment for tests has its member on the same machine or network.
                let is_callers = caller.is_some_and(|caller| stored.contains(caller.ip()));
                let unreachable = SpecialPurpose::of(*stored).filter(|_| !is_callers);
                let stored = changed.then(|| stored.to_string());
                (stored.is_some() || unreachable.is_some()).then_some(Self {
                    stored,
                    unreachable,
                    ..bare
                })
            }
            // The answer does not repeat a pasted secret.
            network::NetworkOutcome::Refused { .. } if holds_secret(&entry.text) => Some(Self {
                entry: "…".to_owned(),
                code: Some(TextError::Secret.code().to_owned()),
                detail: Some(TextError::Secret.to_string()),
                ..bare
            }),
            network::NetworkOutcome::Refused { .. } => {
                let Explanation { code, params, detail } = explain(entries, index)?;
                Some(Self { code: Some(code), detail: Some(detail), params, ..bare })
            }
        }
    }
}
