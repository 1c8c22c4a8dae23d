//! Defines the networks from which a credential may be used, and the address of the caller.
//!
//! A list holds IPv4 and IPv6 blocks in *stored form*. Host bits are masked (RFC 4632 §3.1), and
//! IPv6 is spelt as in RFC 5952. An IPv4-mapped block (RFC 4291 §2.5.5.2) becomes the IPv4 block.
//! The prefix length is left out if it covers the whole address. Each block has exactly one stored
//! form, so stored text re-serialises to the same text.
//!
//! [`parse_lines`] reads lists that people type, and reports on each entry. serde reads stored
//! lists, in records and over RPC, and refuses any other spelling.

mod block;
mod client;
mod error;
mod list;
mod parse;

pub use self::block::{ENTRY_CHARS_MAX, Network};
pub use self::client::{ClientAddress, NotCanonical};
pub use self::error::NetworkError;
pub use self::list::{NETWORKS_MAX, Networks};
pub use self::parse::{
    NETWORKS_TEXT_BYTES_MAX, NetworkEntry, NetworkOutcome, PROBLEMS_KEPT_MAX, ParsedNetworks,
    in_ascii, parse_lines,
};

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::list::too_many;
    use super::*;

    fn list(entries: &[&str]) -> Networks {
        Networks::from_stored(entries.iter().copied()).unwrap()
    }

    fn address(text: &str) -> ClientAddress {
        ClientAddress::parse(text).unwrap()
    }

    #[test]
    fn sentences_are_the_consoles() {
        for (entry, sentence) in [
            ("10.0.0.0/33", "an IPv4 prefix ends at /32"),
            ("2001:db8::/129", "an IPv6 prefix ends at /128"),
            ("1.2.3", "an IPv4 address has four numbers"),
            ("01.2.3.4", "write 1.2.3.4, without the leading zero"),
            ("fe80::1%eth0", "leave out %eth0"),
            ("::ffff:10.0.0.1/64", "an IPv4-mapped prefix begins at /96"),
        ] {
            assert_eq!(entry.parse::<Network>().unwrap_err().to_string(), sentence, "{entry}");
        }
    }

    #[test]
    fn json_code_is_the_code() {
        let stored: Network = "10.0.0.0/8".parse().unwrap();
        for error in [
            NetworkError::PrefixTooLong { max: 32 },
            NetworkError::PrefixNotANumber,
            NetworkError::MappedPrefixTooShort { min: 96 },
            NetworkError::NotFourNumbers,
            NetworkError::OctetTooLarge { max: 255 },
            NetworkError::LeadingZero { suggestion: "1.2.3.4".into() },
            NetworkError::ZoneId { zone: "%eth0".into() },
            NetworkError::NoCaller,
            NetworkError::NotAnAddress,
            NetworkError::EntryTooLong { max: 64 },
            NetworkError::TooMany { count: 257, max: 256 },
            NetworkError::TextTooLong { max: 1 },
            NetworkError::NotAsStored { stored: stored.to_string() },
            NetworkError::Duplicate { stored: stored.to_string() },
        ] {
            assert_eq!(serde_json::to_value(&error).unwrap()["code"], error.code());
        }
        let json = serde_json::to_string(&NetworkError::PrefixTooLong { max: 32 }).unwrap();
        assert_eq!(json, r#"{"code":"prefix_too_long","max":32}"#);
    }

    #[test]
    fn containment() {
        for (block, caller, inside) in [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("203.0.113.7", "::ffff:203.0.113.7", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "8.8.8.8", false),
            ("::/0", "::ffff:8.8.8.8", false),
            ("0.0.0.0/0", "240.0.0.1", false),
            ("0.0.0.0/0", "239.255.255.255", true),
            ("240.0.0.0/4", "255.255.255.255", false),
            ("::/0", "2a06:98c0:3600::103", false),
            ("::/0", "2a06:98c0:3601::103", true),
            ("2a06:98c0:3600::103", "2a06:98c0:3600::103", false),
        ] {
            assert_eq!(list(&[block]).contains(address(caller)), inside, "{caller} in {block}");
            assert!(Networks::anywhere().contains(address(caller)));
        }
        assert!(Networks::anywhere().allows(None));
        assert!(!list(&["0.0.0.0/0", "::/0"]).allows(None));
    }

    #[test]
    fn stored_lists_are_read_strictly() {
        for (json, refusal) in [
            (r#"["10.0.0.0/8","2001:db8::1"]"#, None),
            (r#"[]"#, None),
            (r#"["10.0.0.1/8"]"#, Some("the stored form is 10.0.0.0/8")),
            (r#"["10.0.0.1/32"]"#, Some("the stored form is 10.0.0.1")),
            (r#"["2001:DB8::1"]"#, Some("the stored form is 2001:db8::1")),
            (r#"["1.2.3.4","1.2.3.4"]"#, Some("1.2.3.4 stands in the list twice")),
            (
                r#"[" 1.2.3.4"]"#,
                Some(
                    "this is neither an IP address nor a CIDR block, as 203.0.113.7 or 203.0.113.0/24",
                ),
            ),
        ] {
            let entries: Vec<String> = serde_json::from_str(json).unwrap();
            let read = Networks::from_stored(entries.iter().map(String::as_str));
            match (read, refusal) {
                (Ok(networks), None) => assert_eq!(serde_json::to_string(&networks).unwrap(), json),
                (Err(error), Some(refusal)) => assert_eq!(error.to_string(), refusal),
                (outcome, _) => panic!("{json}: {outcome:?}"),
            }
            let read = serde_json::from_str::<Networks>(json);
            assert_eq!(read.is_err(), refusal.is_some(), "{json}");
        }
        let full: Vec<String> =
            (0..=NETWORKS_MAX).map(|n| Ipv4Addr::from_bits(n as u32).to_string()).collect();
        let read = |n| Networks::from_stored(full.iter().take(n).map(String::as_str));
        assert_eq!(read(NETWORKS_MAX).unwrap().len(), NETWORKS_MAX);
        assert_eq!(read(NETWORKS_MAX + 1), Err(too_many(NETWORKS_MAX + 1)));
    }

    proptest! {
        #[test]
        fn what_is_stored_reads_back_to_itself(bits: u128, shift in 0u8..=128, prefix in 0u8..=128, v4: bool) {
            // Shifting makes short, mapped and all-zero addresses likely.
            let bits = bits.checked_shr(shift.into()).unwrap_or(0);
            let text = if v4 {
                format!("{}/{}", Ipv4Addr::from_bits(bits as u32), prefix.min(32))
            } else {
                format!("{}/{prefix}", Ipv6Addr::from_bits(bits))
            };
            if let Ok(network) = text.parse::<Network>() {
                let stored = network.to_string();
                prop_assert_eq!(stored.parse::<Network>().unwrap(), network);
                prop_assert_eq!(list(&[&stored]).to_string(), stored);
            }
        }

        #[test]
        fn mapped_text_is_the_ipv4_block(bits: u32, prefix in 0u8..=32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let mapped = format!("{}/{}", v4.to_ipv6_mapped(), prefix + 96);
            prop_assert_eq!(mapped.parse::<Network>(), format!("{v4}/{prefix}").parse::<Network>());
        }

        #[test]
        fn any_text_is_answered(text in "[0-9a-fx:./%+ -]{0,70}") {
            if let Ok(network) = text.parse::<Network>() {
                let stored = network.to_string();
                prop_assert_eq!(stored.parse::<Network>().unwrap().to_string(), stored);
            }
        }
    }
}
