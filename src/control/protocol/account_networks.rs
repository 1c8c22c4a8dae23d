//! Account-wide networks: a list of entries, each of which opens surfaces to one network.
//!
//! Without an entry, an account is not restricted. With one, every surface is open to its own
//! entries alone, so a surface without an entry is closed to everyone. In the mode *observed*, the
//! list refuses no caller, and members see whom it would refuse.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::credential::account_networks::AccountNetworks;
use claviger_core::credential::limits::network::{ClientAddress, NETWORKS_MAX, Networks};
use claviger_core::replication::record::Revision;
use serde::{Deserialize, Serialize};

use crate::protocol::draft::field::FieldError;
use crate::protocol::draft::special_purpose::SpecialPurpose;
use crate::protocol::keys::KeyName;
use crate::protocol::member::SecretVersion;

/// Most entries of a list: as many as leases carry for each interface.
pub const ENTRIES_MAX: usize = NETWORKS_MAX;

/// A surface that entries open. The names are stored and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountSurface {
    /// The console: sign-in, and every command of a session.
    Console,
    /// The API for the administration of the account.
    AdminApi,
    /// The protected API, the issuance API and the questions of verifiers: all over HTTP.
    ProtectedApi,
    /// Logins at mail servers.
    Smtp,
}

impl AccountSurface {
    /// All surfaces.
    pub const ALL: [Self; 4] = [Self::Console, Self::AdminApi, Self::ProtectedApi, Self::Smtp];

    /// Returns the stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::AdminApi => "admin_api",
            Self::ProtectedApi => "protected_api",
            Self::Smtp => "smtp",
        }
    }

    /// Parses a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|surface| surface.as_str() == text)
    }
}

/// The mode of a list. The names are stored and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListMode {
    /// Callers from outside are refused.
    Enforced,
    /// No caller is refused.
    Observed,
}

impl ListMode {
    /// Parses a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "enforced" => Some(Self::Enforced),
            "observed" => Some(Self::Observed),
            _ => None,
        }
    }
}

/// One entry of a list. It is stored as JSON, so members are only added, with a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedNetwork {
    /// Number of the entry; it stays while the list holds the network, and is never given again.
    pub id: u32,
    /// Network in stored form; each stands in a list once.
    pub network: String,
    /// Label, if a member has given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Surfaces that the entry opens, each once, in the order of [`AccountSurface::ALL`].
    pub surfaces: Vec<AccountSurface>,
}

/// A list, as the ledger stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkList {
    /// Mode of the list.
    pub mode: ListMode,
    /// Entries in the order that members gave them.
    pub entries: Vec<ListedNetwork>,
    /// Number of the next new entry.
    pub next: u32,
}

impl NetworkList {
    /// The list of an account that has none.
    pub const NONE: Self = Self { mode: ListMode::Observed, entries: Vec::new(), next: 1 };

    /// Returns `true` if a caller at this address may use the surface. This is the one question
    /// for every surface that the ledger guards; the edge asks [`Self::edge`] in the same way.
    pub fn permits(&self, surface: AccountSurface, address: Option<ClientAddress>) -> bool {
        self.mode == ListMode::Observed || self.includes(surface, address)
    }

    /// Returns `true` if a caller at this address could use the surface while the list is enforced.
    pub fn includes(&self, surface: AccountSurface, address: Option<ClientAddress>) -> bool {
        if self.entries.is_empty() {
            return true;
        }
        let opened = self.opened(surface);
        !opened.is_empty() && opened.allows(address)
    }

    /// Returns the surfaces that no entry opens; none of an empty list.
    pub fn closed(&self) -> Vec<AccountSurface> {
        let is_open = |surface: &AccountSurface| {
            self.entries.iter().any(|entry| entry.surfaces.contains(surface))
        };
        let closed = AccountSurface::ALL.into_iter().filter(|surface| !is_open(surface));
        closed.filter(|_| !self.entries.is_empty()).collect()
    }

    /// Returns what leases carry; `None` if the list refuses no caller.
    pub fn edge(&self) -> Option<AccountNetworks> {
        if self.mode == ListMode::Observed || self.entries.is_empty() {
            return None;
        }
        Some(AccountNetworks {
            protected_api: self.opened(AccountSurface::ProtectedApi),
            smtp: self.opened(AccountSurface::Smtp),
        })
    }

    /// Returns the networks that open a surface; empty for none. A stored list that cannot be read
    /// opens none.
    pub fn opened(&self, surface: AccountSurface) -> Networks {
        let entries = self.entries.iter().filter(|entry| entry.surfaces.contains(&surface));
        Networks::from_stored(entries.map(|entry| entry.network.as_str())).unwrap_or_default()
    }
}

/// A list as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedNetworkList {
    /// Mode; required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Entries; required, and empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<TypedEntry>>,
}

/// An entry as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedEntry {
    /// One address or CIDR block.
    #[serde(default)]
    pub network: String,
    /// Label; absent, null or empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Names of surfaces; at least one.
    #[serde(default)]
    pub surfaces: Vec<String>,
}

/// A sign-in password of the member that the name object has verified for this command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenPassword {
    /// Version of the password that was verified.
    pub secret_version: SecretVersion,
    /// `true` if it is the person's confirmed one.
    pub confirmed: bool,
}

/// A command for the account's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum AccountNetworksCommand {
    /// Returns the list, and whom it would refuse.
    Show,
    /// Returns what a list would do, and changes nothing.
    Preview {
        /// The list as typed.
        draft: TypedNetworkList,
    },
    /// Replaces the list.
    Set {
        /// The list as typed.
        draft: TypedNetworkList,
        /// Revision that the member saw.
        expected: Revision,
        /// Password, which a list without one of the present networks needs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<ProvenPassword>,
        /// `true` to lock oneself out of the console.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        confirm_lock_out: bool,
    },
    /// Deletes one entry.
    Delete {
        /// Number of the entry.
        id: u32,
        /// Password of the member.
        password: ProvenPassword,
        /// `true` to lock oneself out of the console.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        confirm_lock_out: bool,
    },
}

/// The list as members see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkListView {
    /// The list.
    pub list: NetworkList,
    /// Number of changes; 0 if there was none.
    pub revision: Revision,
    /// Time of the last change, Unix ms; `None` if there was none.
    pub changed_at: Option<UnixMs>,
    /// Name of the member who made it; `None` for the operator.
    pub changed_by: Option<String>,
    /// Address of the member who asks; `None` for the operator.
    pub address: Option<ClientAddress>,
    /// Recent callers that the list refuses while it is enforced. `None` in a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuses: Option<RefusedCallers>,
}

/// The callers of the last days that a list refuses while it is enforced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedCallers {
    /// Callers of keys, API users and issuers, the latest first.
    pub callers: Vec<RefusedCaller>,
    /// Number of further callers.
    pub more: u32,
    /// `true` if all reported uses were looked at.
    pub is_exact: bool,
    /// Members with a session whose last request the console would refuse.
    pub members: Vec<RefusedMember>,
}

/// An address from which the protected API is used, and which a list refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedCaller {
    /// Address of the caller.
    pub address: ClientAddress,
    /// Number of accepted requests.
    pub count: u64,
    /// Time of the last accepted request, Unix ms.
    pub last_at: UnixMs,
    /// Surfaces that are closed to the address, of those that its credentials may use.
    pub surfaces: Vec<AccountSurface>,
    /// Keys that it used, at most [`CALLER_KEYS_MAX`].
    pub keys: Vec<KeyName>,
    /// Number of further keys that it used.
    pub more_keys: u32,
    /// API users that it used, at most [`CALLER_KEYS_MAX`].
    #[serde(default)]
    pub api_users: Vec<KeyName>,
    /// Number of further API users that it used.
    #[serde(default)]
    pub more_api_users: u32,
    /// `true` if it used the service password.
    pub service: bool,
}

/// Most keys, and most API users, that are named for one caller.
pub const CALLER_KEYS_MAX: usize = 5;

/// A member with a session whose last request came from an address that a list refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedMember {
    /// ID of the member.
    pub id: MemberId,
    /// Name of the member.
    pub name: String,
    /// Address of the request; `None` if the platform reported none.
    pub address: Option<String>,
    /// Time of the request, Unix ms, in steps of five minutes.
    pub last_at: UnixMs,
}

/// The preview of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkListPreview {
    /// The list, without the entries that have errors.
    pub list: NetworkList,
    /// Entries with something to know about.
    pub notes: Vec<EntryNote>,
    /// All errors, in the order of the entries.
    pub errors: Vec<FieldError>,
    /// Address of the member who asks.
    pub address: Option<ClientAddress>,
    /// Present networks that the list no longer has: such a change needs the password.
    pub removes: Vec<ListedNetwork>,
    /// Recent callers that the list refuses while it is enforced.
    pub refuses: RefusedCallers,
    /// Revision of the present list.
    pub revision: Revision,
}

/// A remark about a valid entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryNote {
    /// Place of the entry in the typed list, from 0.
    pub index: usize,
    /// Stored form, if it differs from the typed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<String>,
    /// Purpose of a network from which no request arrives over the Internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<SpecialPurpose>,
}

/// A committed change of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedNetworkList {
    /// The list after the change.
    pub view: NetworkListView,
    /// Time from which the narrowed rights hold everywhere; `None` if the change narrows nothing
    /// at the edge. At the console it holds at once.
    pub bound: Option<Bound>,
    /// Revision of the account state; `None` if leases carry what they did before.
    pub state: Option<Revision>,
}

/// The reason for which a list refuses a request, or a change of it is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum NetworksRefusal {
    /// The list does not open the console to the caller's address. Only a caller who has proven
    /// their identity gets this refusal.
    Denied,
    /// The list has changed since the member saw it.
    ChangedMeanwhile {
        /// Present list.
        view: Box<NetworkListView>,
    },
    /// The change removes an entry, which needs the sign-in password.
    PasswordRequired,
    /// The change would close the console to the address that asks for it.
    WouldLockYouOut,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(json: &str) -> NetworkList {
        serde_json::from_str(json).unwrap()
    }

    const OFFICE: &str = r#"{"mode":"enforced","entries":[
        {"id":1,"network":"192.0.2.0/24","label":"Office","surfaces":["console","protected_api"]},
        {"id":2,"network":"2001:db8::/32","surfaces":["protected_api"]}],"next":3}"#;

    #[test]
    fn names_read_back_and_agree_with_their_json() {
        for surface in AccountSurface::ALL {
            assert_eq!(AccountSurface::parse(surface.as_str()), Some(surface));
            assert_eq!(serde_json::to_value(surface).unwrap(), surface.as_str());
        }
        for mode in [ListMode::Enforced, ListMode::Observed] {
            let name = serde_json::to_value(mode).unwrap();
            assert_eq!(ListMode::parse(name.as_str().unwrap()), Some(mode));
        }
    }

    #[test]
    fn a_surface_is_open_to_its_own_entries_alone() {
        let (enforced, mut observed) = (list(OFFICE), list(OFFICE));
        observed.mode = ListMode::Observed;
        for (surface, caller, is_open) in [
            (AccountSurface::Console, Some("192.0.2.7"), true),
            (AccountSurface::Console, Some("::ffff:192.0.2.7"), true),
            (AccountSurface::Console, Some("2001:db8::1"), false),
            (AccountSurface::Console, None, false),
            (AccountSurface::ProtectedApi, Some("2001:db8::1"), true),
            (AccountSurface::ProtectedApi, Some("198.51.100.7"), false),
            (AccountSurface::AdminApi, Some("192.0.2.7"), false),
            (AccountSurface::Smtp, Some("192.0.2.7"), false),
        ] {
            let address = caller.map(|text| ClientAddress::parse(text).unwrap());
            assert_eq!(enforced.permits(surface, address), is_open, "{surface:?} {caller:?}");
            assert_eq!(observed.includes(surface, address), is_open, "{surface:?} {caller:?}");
            assert!(observed.permits(surface, address), "observed: {surface:?} {caller:?}");
            let none = NetworkList { mode: ListMode::Enforced, ..NetworkList::NONE };
            assert!(none.permits(surface, address), "no entry: {surface:?} {caller:?}");
        }
        assert_eq!(enforced.closed(), [AccountSurface::AdminApi, AccountSurface::Smtp]);
        assert_eq!(NetworkList::NONE.closed(), []);
    }

    #[test]
    fn leases_carry_what_is_enforced_alone() {
        let edge = list(OFFICE).edge().unwrap();
        assert_eq!(
            serde_json::to_string(&edge).unwrap(),
            r#"{"protected_api":["192.0.2.0/24","2001:db8::/32"]}"#
        );
        assert_eq!(NetworkList { mode: ListMode::Observed, ..list(OFFICE) }.edge(), None);
        assert_eq!(NetworkList { mode: ListMode::Enforced, ..NetworkList::NONE }.edge(), None);
        let console = list(
            r#"{"mode":"enforced","entries":[{"id":1,"network":"::1","surfaces":["console"]}],"next":2}"#,
        );
        assert_eq!(console.edge(), Some(AccountNetworks::default()), "the edge is closed");
    }

    /// A ledger of an earlier release names keys alone.
    #[test]
    fn a_caller_without_api_users_is_read() {
        let json = r#"{"address":"192.0.2.7","count":1,"last_at":5,"surfaces":["smtp"],"keys":[],"more_keys":0,"service":true}"#;
        let caller: RefusedCaller = serde_json::from_str(json).unwrap();
        assert_eq!((caller.api_users, caller.more_api_users), (Vec::new(), 0));
    }

    #[test]
    fn a_list_that_cannot_be_read_opens_nothing() {
        let twice = OFFICE.replacen("2001:db8::/32", "192.0.2.0/24", 1);
        let broken = OFFICE.replacen("192.0.2.0/24", "192.0.2.1/24", 1);
        for json in [twice, broken] {
            let address = ClientAddress::parse("192.0.2.7");
            assert!(!list(&json).permits(AccountSurface::ProtectedApi, address), "{json}");
        }
    }
}
