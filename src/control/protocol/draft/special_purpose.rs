//! Names the networks from which no request arrives over the Internet.
//!
//! A list may hold them: a verifier knows its callers by such addresses, too. But the gateway sees
//! the address with which a caller leaves its network, so a key for `10.0.0.0/8` alone is refused
//! there. [The networks that no caller has at all](NetworkError::NoCaller) are errors.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use claviger_core::credential::limits::network::Network;
#[cfg(doc)]
use claviger_core::credential::limits::network::NetworkError;
use serde::{Deserialize, Serialize};

/// The purpose of addresses that are not reachable over the Internet (RFC 6890 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecialPurpose {
    /// Private networks (RFC 1918, RFC 4193), and the former site-local addresses (RFC 3879).
    Private,
    /// The machine itself (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
    Loopback,
    /// One link (RFC 3927, RFC 4291 §2.5.6).
    LinkLocal,
    /// The way between a provider's NAT and its customers (RFC 6598).
    CarrierNat,
    /// Examples in documents (RFC 5737, RFC 3849, RFC 9637).
    Documentation,
    /// Tests of network devices (RFC 2544, RFC 5180).
    Benchmarking,
    /// Protocols of the IETF (RFC 6890 §2.2.2, RFC 6666, RFC 9602).
    Protocol,
}

/// The blocks of each purpose, with their prefix lengths.
const BLOCKS: [(SpecialPurpose, IpAddr, u8); 20] = [
    (SpecialPurpose::Private, v4(10, 0, 0), 8),
    (SpecialPurpose::Private, v4(172, 16, 0), 12),
    (SpecialPurpose::Private, v4(192, 168, 0), 16),
    (SpecialPurpose::Private, v6(0xfc00, 0, 0), 7),
    (SpecialPurpose::Private, v6(0xfec0, 0, 0), 10),
    (SpecialPurpose::Loopback, v4(127, 0, 0), 8),
    (SpecialPurpose::Loopback, IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
    (SpecialPurpose::LinkLocal, v4(169, 254, 0), 16),
    (SpecialPurpose::LinkLocal, v6(0xfe80, 0, 0), 10),
    (SpecialPurpose::CarrierNat, v4(100, 64, 0), 10),
    (SpecialPurpose::Documentation, v4(192, 0, 2), 24),
    (SpecialPurpose::Documentation, v4(198, 51, 100), 24),
    (SpecialPurpose::Documentation, v4(203, 0, 113), 24),
    (SpecialPurpose::Documentation, v6(0x2001, 0xdb8, 0), 32),
    (SpecialPurpose::Documentation, v6(0x3fff, 0, 0), 20),
    (SpecialPurpose::Benchmarking, v4(198, 18, 0), 15),
    (SpecialPurpose::Benchmarking, v6(0x2001, 2, 0), 48),
    (SpecialPurpose::Protocol, v4(192, 0, 0), 24),
    (SpecialPurpose::Protocol, v6(0x100, 0, 0), 64),
    (SpecialPurpose::Protocol, v6(0x5f00, 0, 0), 16),
];

const fn v4(a: u8, b: u8, c: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
}

const fn v6(a: u16, b: u16, c: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
}

impl SpecialPurpose {
    /// Returns the purpose of a network; `None` if a request may arrive from some address of it.
    pub fn of(network: Network) -> Option<Self> {
        let is_around = |(_, address, prefix): &&(Self, IpAddr, u8)| {
            Network::around(*address, *prefix).is_some_and(|block| block.includes(network))
        };
        BLOCKS.iter().find(is_around).map(|(purpose, ..)| *purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose(text: &str) -> Option<SpecialPurpose> {
        SpecialPurpose::of(text.parse().unwrap())
    }

    /// Each block with its first and last address, and the addresses just outside.
    #[test]
    fn each_purpose_reaches_to_the_ends_of_its_blocks() {
        use SpecialPurpose::{
            Benchmarking, CarrierNat, Documentation, LinkLocal, Loopback, Private, Protocol,
        };
        for (kind, block, before, first, last, after) in [
            (Private, "10.0.0.0/8", "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
            (
                Private,
                "172.16.0.0/12",
                "172.15.255.255",
                "172.16.0.0",
                "172.31.255.255",
                "172.32.0.0",
            ),
            (
                Private,
                "192.168.0.0/16",
                "192.167.255.255",
                "192.168.0.0",
                "192.168.255.255",
                "192.169.0.0",
            ),
            (Private, "fc00::/7", "fbff:ffff::", "fc00::", "fdff:ffff::", "fe00::"),
            (Private, "fec0::/10", "fe7f:ffff::", "fec0::", "feff:ffff::", "ff00::"),
            (
                Loopback,
                "127.0.0.0/8",
                "126.255.255.255",
                "127.0.0.0",
                "127.255.255.255",
                "128.0.0.0",
            ),
            (Loopback, "::1", "::/127", "::1", "::1", "::2"),
            (
                LinkLocal,
                "169.254.0.0/16",
                "169.253.255.255",
                "169.254.0.0",
                "169.254.255.255",
                "169.255.0.0",
            ),
            (LinkLocal, "fe80::/10", "fe7f:ffff::", "fe80::", "febf:ffff::", "fe80::/9"),
            (
                CarrierNat,
                "100.64.0.0/10",
                "100.63.255.255",
                "100.64.0.0",
                "100.127.255.255",
                "100.128.0.0",
            ),
            (Documentation, "192.0.2.0/24", "192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
            (
                Documentation,
                "198.51.100.0/24",
                "198.51.99.255",
                "198.51.100.0",
                "198.51.100.255",
                "198.51.101.0",
            ),
            (
                Documentation,
                "203.0.113.0/24",
                "203.0.112.255",
                "203.0.113.0",
                "203.0.113.255",
                "203.0.114.0",
            ),
            (
                Documentation,
                "2001:db8::/32",
                "2001:db7:ffff::",
                "2001:db8::",
                "2001:db8:ffff::",
                "2001:db9::",
            ),
            (Documentation, "3fff::/20", "3ffe:ffff::", "3fff::", "3fff:fff:ffff::", "3fff:1000::"),
            (
                Benchmarking,
                "198.18.0.0/15",
                "198.17.255.255",
                "198.18.0.0",
                "198.19.255.255",
                "198.20.0.0",
            ),
            (
                Benchmarking,
                "2001:2::/48",
                "2001:1:ffff::",
                "2001:2::",
                "2001:2:0:ffff::",
                "2001:2:1::",
            ),
            (Protocol, "192.0.0.0/24", "191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
            (Protocol, "100::/64", "ff:ffff::", "100::", "100::ffff:ffff:ffff:ffff", "100:0:0:1::"),
            (Protocol, "5f00::/16", "5eff:ffff::", "5f00::", "5f00:ffff::", "5f01::"),
        ] {
            for inside in [block, first, last] {
                assert_eq!(purpose(inside), Some(kind), "{inside}");
            }
            for outside in [before, after] {
                assert_eq!(purpose(outside), None, "{outside}");
            }
            let block: Network = block.parse().unwrap();
            let wider = block.and_around().nth(1).unwrap();
            assert_eq!(SpecialPurpose::of(wider), None, "{wider}");
        }
    }

    #[test]
    fn a_network_with_other_addresses_in_it_has_no_purpose() {
        for text in ["0.0.0.0/0", "::/0", "8.8.8.8", "2606:4700::/32", "192.0.0.0/2", "::/127"] {
            assert_eq!(purpose(text), None, "{text}");
        }
        assert_eq!(purpose("::ffff:10.0.0.0/104"), Some(SpecialPurpose::Private));
    }
}
