//! Defines the networks that an account opens to all its credentials, by the interface of a
//! request.
//!
//! They apply on top of the networks of each credential. An account without such a list is not
//! restricted. In a list, an interface without networks is closed to every caller: unlike the
//! networks of a credential, an empty list grants nothing.

use serde::Serialize;

use crate::base::json::from_json;
use crate::credential::limits::Interface;
use crate::credential::limits::network::{ClientAddress, Networks};
use crate::credential::limits::subset::covers_networks;

/// The networks that an account opens, as leases carry them. A missing member closes its interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountNetworks {
    /// Networks for [`Interface::Http`]; empty for none.
    #[serde(default, skip_serializing_if = "Networks::is_empty")]
    pub protected_api: Networks,
    /// Networks for [`Interface::Smtp`]; empty for none.
    #[serde(default, skip_serializing_if = "Networks::is_empty")]
    pub smtp: Networks,
}

from_json!(AccountNetworks { protected_api: or_default, smtp: or_default });

impl AccountNetworks {
    /// Returns `true` if a caller at this address may use the interface. A caller without an
    /// address may use none.
    pub fn allows(&self, interface: Interface, address: Option<ClientAddress>) -> bool {
        let opened = self.of(interface);
        !opened.is_empty() && opened.allows(address)
    }

    /// Returns `true` if this list allows every request that `narrow` allows.
    pub fn covers(&self, narrow: &Self) -> bool {
        [Interface::Http, Interface::Smtp].into_iter().all(|interface| {
            let (wide, narrow) = (self.of(interface), narrow.of(interface));
            narrow.is_empty() || (!wide.is_empty() && covers_networks(wide, narrow))
        })
    }

    fn of(&self, interface: Interface) -> &Networks {
        match interface {
            Interface::Http => &self.protected_api,
            Interface::Smtp => &self.smtp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(json: &str) -> AccountNetworks {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_interface_without_networks_is_closed_to_every_caller() {
        let lists = opened(r#"{"protected_api":["192.0.2.0/24","2001:db8::/32"]}"#);
        for (interface, caller, is_allowed) in [
            (Interface::Http, Some("192.0.2.7"), true),
            (Interface::Http, Some("::ffff:192.0.2.7"), true),
            (Interface::Http, Some("2001:db8::1"), true),
            (Interface::Http, Some("198.51.100.7"), false),
            (Interface::Http, Some("240.0.0.1"), false),
            (Interface::Http, None, false),
            (Interface::Smtp, Some("192.0.2.7"), false),
            (Interface::Smtp, None, false),
        ] {
            let address = caller.map(|text| ClientAddress::parse(text).unwrap());
            assert_eq!(lists.allows(interface, address), is_allowed, "{interface:?} {caller:?}");
        }
        let none = opened("{}");
        assert_eq!(none, AccountNetworks::default());
        assert!(!none.allows(Interface::Http, ClientAddress::parse("192.0.2.7")));
        assert!(!none.allows(Interface::Http, None) && !none.allows(Interface::Smtp, None));
    }

    #[test]
    fn a_list_covers_what_it_opens() {
        for (wide, narrow, is_covered) in [
            ("{}", "{}", true),
            (r#"{"smtp":["192.0.2.0/24"]}"#, "{}", true),
            ("{}", r#"{"smtp":["192.0.2.0/24"]}"#, false),
            (r#"{"smtp":["192.0.2.0/24"]}"#, r#"{"smtp":["192.0.2.7"]}"#, true),
            (r#"{"smtp":["192.0.2.0/24"]}"#, r#"{"protected_api":["192.0.2.7"]}"#, false),
            (r#"{"smtp":["192.0.2.7"]}"#, r#"{"smtp":["192.0.2.0/24"]}"#, false),
            (r#"{"smtp":["0.0.0.0/1","128.0.0.0/1"]}"#, r#"{"smtp":["0.0.0.0/0"]}"#, true),
        ] {
            assert_eq!(opened(wide).covers(&opened(narrow)), is_covered, "{wide} {narrow}");
        }
    }

    #[test]
    fn the_json_is_pinned() {
        for json in
            ["{}", r#"{"protected_api":["192.0.2.7"],"smtp":["::1"]}"#, r#"{"smtp":["::1"]}"#]
        {
            assert_eq!(serde_json::to_string(&opened(json)).unwrap(), json);
        }
        for bad in [r#"{"smtp":["192.0.2.1/24"]}"#, r#"{"smtp":null}"#, "[]", r#"{"smtp":"::1"}"#] {
            assert!(serde_json::from_str::<AccountNetworks>(bad).is_err(), "{bad}");
        }
    }
}
