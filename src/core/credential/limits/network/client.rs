//! Parses the address that a request comes from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::block::Network;

/// First octet of 240.0.0.0/4, the reserved class E (RFC 1112 §4). The platform takes its stand-ins
/// for IPv6 callers from there.
const STAND_IN_OCTET_MIN: u8 = 240;

/// First 48 bits of the platform's own Worker range, 2a06:98c0:3600::/48. Every customer's Workers
/// call from there, so such an address says nothing about the caller.
const WORKER_SEGMENTS: [u16; 3] = [0x2a06, 0x98c0, 0x3600];

/// Prefix length of an IPv4 block whose sign-in attempts are counted together, in bits.
const TRIES_PREFIX_V4: u8 = 24;

/// Prefix length of an IPv6 block whose sign-in attempts are counted together, in bits: the
/// smallest block that one subscriber gets (RFC 4291 §2.5.4).
const TRIES_PREFIX_V6: u8 = 64;

/// Prefix lengths of the wider IPv6 blocks, in bits: what providers give to homes and to companies
/// (RFC 6177 §2).
const TRIES_PREFIXES_V6_WIDER: [u8; 2] = [56, 48];

/// The address of a caller, vouched for by the platform or by an authenticated verifier. An
/// IPv4-mapped address becomes the IPv4 address. Its JSON form is the address in its only canonical
/// spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// Returns the caller's address from the platform's header values `CF-Connecting-IP` and
    /// `CF-Connecting-IPv6`.
    ///
    /// The second header counts only if the first is a stand-in of 240.0.0.0/4, and only if it is
    /// an IPv6 address. Otherwise the stand-in stays, which matches no network. Returns `None` if
    /// the first is absent or not exactly one address: a limited credential is then denied.
    pub fn from_platform(
        connecting_ip: Option<&str>,
        connecting_ipv6: Option<&str>,
    ) -> Option<Self> {
        let first = Self::parse(connecting_ip?)?;
        if !first.is_stand_in() {
            return Some(first);
        }
        let second = connecting_ipv6.and_then(|text| text.parse::<Ipv6Addr>().ok());
        Some(second.map_or(first, |v6| Self::from(IpAddr::V6(v6))))
    }

    /// Parses exactly one address in any spelling of RFC 4291 §2.2: no list, blank, port, bracket,
    /// zone or prefix. Returns `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<IpAddr>().ok().map(Self::from)
    }

    /// Returns the address itself, for records and display.
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// Returns the text of the block whose attempts are counted together: its /24, or its /64 for
    /// IPv6. The text names a counter, so the spelling must not change.
    pub fn block(self) -> String {
        self.around(match self.0 {
            IpAddr::V4(_) => TRIES_PREFIX_V4,
            IpAddr::V6(_) => TRIES_PREFIX_V6,
        })
    }

    /// Returns that block and, for IPv6, the wider ones whose attempts are counted as well: the /56
    /// and the /48.
    pub fn blocks(self) -> Vec<String> {
        let wider: &[u8] = match self.0 {
            IpAddr::V4(_) => &[],
            IpAddr::V6(_) => &TRIES_PREFIXES_V6_WIDER,
        };
        let wider = wider.iter().map(|prefix| self.around(*prefix));
        core::iter::once(self.block()).chain(wider).collect()
    }

    fn around(self, prefix: u8) -> String {
        // The prefixes are always in range; the address alone is the narrowest correct fallback.
        Network::around(self.0, prefix)
            .map_or_else(|| self.0.to_string(), |block| block.to_string())
    }

    /// Returns `true` if no caller can have an address of this block: a list that names it was
    /// meant in another way, such as a netmask after a blank. Addresses of private networks, of
    /// loopback and of documentation are not among them, because a verifier may name them.
    pub(super) fn has_no_caller(network: Network) -> bool {
        /// "This network", multicast and class E (RFC 6890 §2.2.2, RFC 5771 §3), multicast of IPv6
        /// (RFC 4291 §2.7), and the platform's Worker range.
        const NO_CALLER: [(IpAddr, u8); 5] = [
            (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8),
            (IpAddr::V4(Ipv4Addr::new(224, 0, 0, 0)), 3),
            (IpAddr::V6(Ipv6Addr::UNSPECIFIED), 128),
            (IpAddr::V6(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0)), 8),
            (IpAddr::V6(Ipv6Addr::new(0x2a06, 0x98c0, 0x3600, 0, 0, 0, 0, 0)), 48),
        ];
        NO_CALLER.iter().any(|(address, prefix)| {
            Network::around(*address, *prefix).is_some_and(|nobody| nobody.includes(network))
        })
    }

    /// Returns the address, unless its range is one that no network may match.
    pub(super) fn matchable(self) -> Option<IpAddr> {
        (!self.is_stand_in() && !self.is_worker()).then_some(self.0)
    }

    fn is_stand_in(self) -> bool {
        matches!(self.0, IpAddr::V4(v4) if v4 >= Ipv4Addr::new(STAND_IN_OCTET_MIN, 0, 0, 0))
    }

    fn is_worker(self) -> bool {
        matches!(self.0, IpAddr::V6(v6) if v6.segments().starts_with(&WORKER_SEGMENTS))
    }
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The error for a text that is not one address in its canonical spelling (RFC 5952).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address in canonical spelling")]
pub struct NotCanonical;

impl TryFrom<String> for ClientAddress {
    type Error = NotCanonical;

    fn try_from(text: String) -> Result<Self, NotCanonical> {
        Self::parse(&text).filter(|address| address.to_string() == text).ok_or(NotCanonical)
    }
}

impl From<ClientAddress> for String {
    fn from(address: ClientAddress) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platform_headers() {
        for (ip, ipv6, expected) in [
            (Some("203.0.113.7"), None, Some("203.0.113.7")),
            (Some("203.0.113.7"), Some("2001:db8::1"), Some("203.0.113.7")),
            (Some("2001:DB8::1"), Some("2001:db8::2"), Some("2001:db8::1")),
            (Some("::ffff:203.0.113.7"), None, Some("203.0.113.7")),
            (Some("::ffff:cb00:7107"), None, Some("203.0.113.7")),
            (Some("240.0.0.1"), Some("2001:db8::1"), Some("2001:db8::1")),
            (Some("255.255.255.255"), Some("2001:db8::1"), Some("2001:db8::1")),
            (Some("::ffff:240.0.0.1"), Some("2001:db8::1"), Some("2001:db8::1")),
            (Some("239.255.255.255"), Some("2001:db8::1"), Some("239.255.255.255")),
            (Some("240.0.0.1"), None, Some("240.0.0.1")),
            (Some("240.0.0.1"), Some("203.0.113.7"), Some("240.0.0.1")),
            (Some("240.0.0.1"), Some("2001:db8::1, 2001:db8::2"), Some("240.0.0.1")),
            (None, Some("2001:db8::1"), None),
            (None, None, None),
            (Some(""), None, None),
            (Some(" 203.0.113.7"), None, None),
            (Some("203.0.113.7 "), None, None),
            (Some("203.0.113.7, 198.51.100.4"), None, None),
            (Some("203.0.113.7,203.0.113.7"), None, None),
            (Some("203.0.113.7:443"), None, None),
            (Some("[2001:db8::1]"), None, None),
            (Some("[2001:db8::1]:443"), None, None),
            (Some("fe80::1%eth0"), None, None),
            (Some("203.0.113.0/24"), None, None),
            (Some("203.0.113.07"), None, None),
            (Some("0xcb.0.113.7"), None, None),
            (Some("203.0.28935"), None, None),
            (Some("3405803783"), None, None),
            (Some("２03.0.113.7"), None, None),
            (Some("unknown"), None, None),
        ] {
            let found = ClientAddress::from_platform(ip, ipv6).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{ip:?} {ipv6:?}");
        }
    }

    #[test]
    fn ranges_that_match_nothing() {
        for (text, matchable) in [
            ("239.255.255.255", true),
            ("240.0.0.0", false),
            ("255.255.255.255", false),
            ("2a06:98c0:35ff:ffff:ffff:ffff:ffff:ffff", true),
            ("2a06:98c0:3600::", false),
            ("2a06:98c0:3600:ffff:ffff:ffff:ffff:ffff", false),
            ("2a06:98c0:3601::", true),
        ] {
            assert_eq!(
                ClientAddress::parse(text).unwrap().matchable().is_some(),
                matchable,
                "{text}"
            );
        }
    }

    #[test]
    fn blocks_for_counting() {
        for (text, block) in [
            ("203.0.113.7", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("::1", "::/64"),
            ("240.1.2.3", "240.1.2.0/24"),
        ] {
            let address = ClientAddress::parse(text).unwrap();
            assert_eq!(address.block(), block);
            assert_eq!(address.blocks()[0], block);
        }
        let blocks = |text| ClientAddress::parse(text).unwrap().blocks();
        assert_eq!(blocks("203.0.113.7").len(), 1);
        let wider = ["2001:db8:1:2345::/64", "2001:db8:1:2300::/56", "2001:db8:1::/48"];
        assert_eq!(blocks("2001:db8:1:2345::6"), wider);
    }

    #[test]
    fn json_is_canonical() {
        let address = ClientAddress::parse("2001:DB8::1").unwrap();
        assert_eq!(serde_json::to_string(&address).unwrap(), r#""2001:db8::1""#);
        assert_eq!(serde_json::from_str::<ClientAddress>(r#""2001:db8::1""#).unwrap(), address);
        for refused in [r#""2001:DB8::1""#, r#""::ffff:1.2.3.4""#, r#""1.2.3""#, "1"] {
            assert!(serde_json::from_str::<ClientAddress>(refused).is_err(), "{refused}");
        }
    }
}
