//! Reads a typed list of account-wide networks, and reports all its errors at once.

use std::collections::BTreeSet;

use claviger_core::credential::limits::network::{
    ClientAddress, Network, NetworkError, NetworkOutcome, parse_lines,
};

use crate::protocol::account::{TextError, check_name};
use crate::protocol::account_networks::{
    AccountSurface, ENTRIES_MAX, EntryNote, ListMode, ListedNetwork, NetworkList, TypedEntry,
    TypedNetworkList,
};
use crate::protocol::draft::field::FieldError;
use crate::protocol::draft::notation::explain;
use crate::protocol::draft::reader::PROBLEMS_MAX;
use crate::protocol::draft::special_purpose::SpecialPurpose;
use crate::protocol::secret_shape::holds_secret;

/// A typed list after it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadNetworkList {
    /// List of the entries without errors. A network of the present list keeps its number.
    pub list: NetworkList,
    /// Entries with something to know about.
    pub notes: Vec<EntryNote>,
    /// Errors in the order of the entries, at most some more than [`PROBLEMS_MAX`].
    pub errors: Vec<FieldError>,
}

/// Reads a list that a member at `caller` typed to replace `before`.
pub fn read(
    typed: &TypedNetworkList,
    before: &NetworkList,
    caller: Option<ClientAddress>,
) -> ReadNetworkList {
    let mut errors = Vec::new();
    let mode = typed.mode.as_deref().and_then(ListMode::parse);
    match (&typed.mode, mode) {
        (None, _) => errors.push(FieldError::text("mode", TextError::Required)),
        (Some(_), None) => {
            errors.push(FieldError::new("mode", "not_one_of", "enforced or observed"));
        }
        (Some(_), Some(_)) => {}
    }
    let mut read = ReadNetworkList {
        list: NetworkList {
            mode: mode.unwrap_or(before.mode),
            entries: Vec::new(),
            next: before.next,
        },
        notes: Vec::new(),
        errors,
    };
    let Some(entries) = &typed.entries else {
        read.errors.push(FieldError::text("entries", TextError::Required));
        return read;
    };
    if entries.len() > ENTRIES_MAX {
        let error = NetworkError::TooMany { count: entries.len(), max: ENTRIES_MAX };
        read.errors.push(FieldError::of("entries", &error));
        return read;
    }
    let mut seen = BTreeSet::new();
    for (index, entry) in entries.iter().enumerate() {
        if read.errors.len() >= PROBLEMS_MAX {
            break;
        }
        match read_entry(index, entry, &mut seen) {
            Ok((network, label, surfaces)) => {
                read.notes.extend(note(index, entry, network, caller));
                let id = number_of(network, before, &mut read.list.next);
                let network = network.to_string();
                read.list.entries.push(ListedNetwork { id, network, label, surfaces });
            }
            Err(refused) => read.errors.extend(refused),
        }
    }
    read
}

/// Returns the number of a network in the present list, or the next new one.
fn number_of(network: Network, before: &NetworkList, next: &mut u32) -> u32 {
    let stored = network.to_string();
    let known = before.entries.iter().find(|entry| entry.network == stored);
    known.map(|entry| entry.id).unwrap_or_else(|| {
        let id = *next;
        *next = next.saturating_add(1);
        id
    })
}

type ReadEntry = (Network, Option<String>, Vec<AccountSurface>);

fn read_entry(
    index: usize,
    entry: &TypedEntry,
    seen: &mut BTreeSet<Network>,
) -> Result<ReadEntry, Vec<FieldError>> {
    let field = |name: &str| format!("entries/{index}/{name}");
    let mut errors = Vec::new();
    let network = read_network(&field("network"), &entry.network);
    let network = match network {
        Ok(network) if !seen.insert(network) => {
            let error = NetworkError::Duplicate { stored: network.to_string() };
            errors.push(FieldError::of(&field("network"), &error));
            None
        }
        Ok(network) => Some(network),
        Err(error) => {
            errors.push(error);
            None
        }
    };
    let label = entry.label.as_deref().filter(|label| !label.is_empty());
    if let Some(Err(error)) = label.map(check_name) {
        errors.push(FieldError::text(&field("label"), error));
    }
    let surfaces: BTreeSet<Option<AccountSurface>> =
        entry.surfaces.iter().map(|name| AccountSurface::parse(name)).collect();
    if surfaces.contains(&None) {
        let detail = "surfaces are console, admin_api, protected_api and smtp";
        errors.push(FieldError::new(&field("surfaces"), "not_one_of", detail));
    }
    if surfaces.is_empty() {
        errors.push(FieldError::text(&field("surfaces"), TextError::Required));
    }
    match network {
        Some(network) if errors.is_empty() => {
            Ok((network, label.map(str::to_owned), surfaces.into_iter().flatten().collect()))
        }
        _ => Err(errors),
    }
}

/// Reads exactly one network, in the notations of the networks of a key.
fn read_network(field: &str, text: &str) -> Result<Network, FieldError> {
    let read = parse_lines(text);
    if let Some(problem) = &read.problem {
        return Err(FieldError::of(field, problem));
    }
    if read.count == 0 {
        return Err(FieldError::text(field, TextError::Required));
    }
    let refused = read
        .entries
        .iter()
        .enumerate()
        .find(|(_, entry)| matches!(entry.outcome, NetworkOutcome::Refused { .. }));
    if let Some((place, entry)) = refused {
        // The answer does not repeat a pasted secret.
        if holds_secret(&entry.text) {
            return Err(FieldError::text(field, TextError::Secret));
        }
        let explained = explain(&read.entries, place);
        let error = explained.map(|why| FieldError {
            params: why.params,
            ..FieldError::new(field, &why.code, why.detail)
        });
        return Err(error.unwrap_or_else(|| FieldError::of(field, &NetworkError::NotAnAddress)));
    }
    match read.entries.as_slice() {
        [one] if read.count == 1 => match &one.outcome {
            NetworkOutcome::Stored { stored, .. } => Ok(*stored),
            NetworkOutcome::Refused { problem } => Err(FieldError::of(field, problem)),
        },
        _ => {
            let detail = "write one address or CIDR block in each entry";
            Err(FieldError::new(field, "one_network", detail))
        }
    }
}

fn note(
    index: usize,
    entry: &TypedEntry,
    network: Network,
    caller: Option<ClientAddress>,
) -> Option<EntryNote> {
    // A deployment for tests has its member on the same machine or network.
    let is_callers = caller.is_some_and(|caller| network.contains(caller.ip()));
    let unreachable = SpecialPurpose::of(network).filter(|_| !is_callers);
    let stored = Some(network.to_string()).filter(|stored| *stored != entry.network);
    (stored.is_some() || unreachable.is_some()).then_some(EntryNote { index, stored, unreachable })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read_json(typed: Value, before: &NetworkList) -> ReadNetworkList {
        read(&serde_json::from_value(typed).unwrap(), before, ClientAddress::parse("10.0.0.7"))
    }

    fn codes(typed: Value) -> Vec<String> {
        let read = read_json(typed, &NetworkList::NONE);
        read.errors.iter().map(|error| format!("{} {}", error.pointer, error.code)).collect()
    }

    fn entry(network: &str) -> Value {
        json!({ "network": network, "surfaces": ["smtp", "console", "smtp"] })
    }

    #[test]
    fn entries_are_read_in_the_notations_of_keys() {
        let typed = json!({ "mode": "enforced", "entries": [
            { "network": " ２０３.0.113.7/24 ", "label": "Office", "surfaces": ["console"] },
            entry("::ffff:192.0.2.7"), entry("10.0.0.0/8"), entry("172.16.0.0/12"),
            { "network": "2001:DB8::/32", "label": "", "surfaces": ["admin_api"] },
        ]});
        let read = read_json(typed, &NetworkList::NONE);
        assert_eq!(read.errors, []);
        let written: Vec<Value> =
            read.list.entries.iter().map(|one| serde_json::to_value(one).unwrap()).collect();
        let both = json!(["console", "smtp"]);
        assert_eq!(
            written,
            [
                json!({"id": 1, "network": "203.0.113.0/24", "label": "Office", "surfaces": ["console"]}),
                json!({"id": 2, "network": "192.0.2.7", "surfaces": both}),
                json!({"id": 3, "network": "10.0.0.0/8", "surfaces": both}),
                json!({"id": 4, "network": "172.16.0.0/12", "surfaces": both}),
                json!({"id": 5, "network": "2001:db8::/32", "surfaces": ["admin_api"]}),
            ]
        );
        assert_eq!(read.list.next, 6);
        let notes: Vec<Value> =
            read.notes.iter().map(|one| serde_json::to_value(one).unwrap()).collect();
        assert_eq!(
            notes,
            [
                json!({"index": 0, "stored": "203.0.113.0/24", "unreachable": "documentation"}),
                json!({"index": 1, "stored": "192.0.2.7", "unreachable": "documentation"}),
                json!({"index": 3, "unreachable": "private"}),
                json!({"index": 4, "stored": "2001:db8::/32", "unreachable": "documentation"}),
            ]
        );
    }

    #[test]
    fn a_network_keeps_its_number_and_no_number_is_given_again() {
        let typed =
            |networks: [&str; 2]| json!({ "mode": "observed", "entries": networks.map(entry) });
        let numbers = |list: &NetworkList| -> Vec<u32> {
            list.entries.iter().map(|entry| entry.id).collect()
        };
        let first = read_json(typed(["192.0.2.1", "192.0.2.2"]), &NetworkList::NONE).list;
        assert_eq!(numbers(&first), [1, 2]);
        let second = read_json(typed(["192.0.2.3", "192.0.2.1"]), &first).list;
        assert_eq!((numbers(&second), second.next), (vec![3, 1], 4));
        let third = read_json(typed(["192.0.2.2", "192.0.2.3"]), &second).list;
        assert_eq!(numbers(&third), [4, 3]);
    }

    #[test]
    fn every_error_is_named_by_its_place() {
        for (typed, expected) in [
            (json!({}), vec!["#/mode required", "#/entries required"]),
            (json!({ "mode": "off", "entries": [] }), vec!["#/mode not_one_of"]),
            (json!({ "mode": "observed", "entries": [] }), vec![]),
            (
                json!({ "mode": "enforced", "entries": [
                    entry("10.0.0.0/33"), entry(""), entry("192.0.2.1 192.0.2.2"),
                    entry("192.0.2.9"), entry("192.0.2.9/32"), entry("10.0.*.*"), entry("office"),
                    { "network": "192.0.2.5", "label": "a\nb", "surfaces": [] },
                    { "network": "192.0.2.6", "surfaces": ["imap", "smtp"] },
                    { "network": "clv_0123456789", "surfaces": ["smtp"] },
                ]}),
                vec![
                    "#/entries/0/network prefix_too_long",
                    "#/entries/1/network required",
                    "#/entries/2/network one_network",
                    "#/entries/4/network duplicate",
                    "#/entries/5/network wildcard",
                    "#/entries/6/network word",
                    "#/entries/7/label control_character",
                    "#/entries/7/surfaces required",
                    "#/entries/8/surfaces not_one_of",
                    "#/entries/9/network not_an_address",
                ],
            ),
        ] {
            assert_eq!(codes(typed.clone()), expected, "{typed}");
        }
    }

    #[test]
    fn a_list_has_at_most_256_entries_and_reports_a_bounded_number_of_errors() {
        let many = |count: usize| -> Vec<Value> {
            (0..count).map(|n| entry(&format!("10.{}.{}.1", n / 256, n % 256))).collect()
        };
        let list = |entries: Vec<Value>| json!({ "mode": "enforced", "entries": entries });
        assert_eq!(codes(list(many(ENTRIES_MAX))), Vec::<String>::new());
        assert_eq!(codes(list(many(ENTRIES_MAX + 1))), ["#/entries too_many"]);
        assert_eq!(codes(list(vec![entry("x.y"); ENTRIES_MAX])).len(), PROBLEMS_MAX);
    }
}
