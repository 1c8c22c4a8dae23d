//! Compares limits, to detect a change that takes access away. The response to such a change must
//! state when it holds everywhere (P1).

use crate::credential::issuer::Ceiling;
use crate::credential::limits::Limits;
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::network::{Network, Networks};
use crate::credential::limits::permission::Permissions;

/// Returns `true` if `before` allows a request that `after` does not, at any time and from any
/// address.
pub fn narrows_limits(before: &Limits, after: &Limits) -> bool {
    ends_earlier(before.expires, after.expires)
        || after.not_before > before.not_before
        || !covers_networks(&after.networks, &before.networks)
        || before.interfaces.iter().any(|interface| !after.interfaces.contains(interface))
        || !covers_permissions(&after.permissions, &before.permissions)
}

/// Returns `true` if an issuer could issue a key, and a caller use it, under `before` but not under
/// `after`.
pub fn narrows_ceiling(before: &Ceiling, after: &Ceiling) -> bool {
    let is_shorter = match (before.longest, after.longest) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(before), Some(after)) => after < before,
    };
    is_shorter
        || !covers_networks(&after.networks, &before.networks)
        || !covers_permissions(&after.permissions, &before.permissions)
}

fn ends_earlier(before: Expiry, after: Expiry) -> bool {
    match (before, after) {
        (_, Expiry::Never) => false,
        (Expiry::Never, Expiry::At(_)) => true,
        (Expiry::At(before), Expiry::At(after)) => after < before,
    }
}

/// Returns `true` if every address in `narrow` is in `wide`, even if only several blocks of `wide`
/// together cover a block.
pub fn covers_networks(wide: &Networks, narrow: &Networks) -> bool {
    if wide.is_unrestricted() || narrow.is_unrestricted() {
        return wide.is_unrestricted();
    }
    let wide: Vec<Network> = wide.iter().collect();
    narrow.iter().all(|block| is_covered(block, &wide))
}

/// Returns `true` if every address in the block is in one of the others.
fn is_covered(block: Network, others: &[Network]) -> bool {
    if others.iter().any(|other| other.includes(block)) {
        return true;
    }
    // Only blocks inside can cover it now, and each half needs at least one. So the two calls
    // together see each other block at most once, and the depth is at most the prefix length.
    let inside = |half: Network| -> Vec<Network> {
        others.iter().copied().filter(|other| half.includes(*other)).collect()
    };
    block.halves().is_some_and(|halves| {
        let parts = halves.map(|half| (half, inside(half)));
        parts.iter().all(|(_, inside)| !inside.is_empty())
            && parts.iter().all(|(half, inside)| is_covered(*half, inside))
    })
}

/// Returns `true` if every permission in `narrow` is in a grant of `wide`.
pub fn covers_permissions(wide: &Permissions, narrow: &Permissions) -> bool {
    narrow.iter().all(|narrow| wide.iter().any(|wide| wide.includes(narrow)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::UnixMs;
    use crate::credential::limits::Interface;

    fn limits(json: &str) -> Limits {
        let mut all = serde_json::json!({
            "not_before": null, "expires": 1_000, "networks": ["10.0.0.0/24"], "interfaces": ["http"],
            "permissions": ["a:read"],
        });
        let changed: serde_json::Map<_, _> = serde_json::from_str(json).unwrap();
        all.as_object_mut().unwrap().extend(changed);
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn a_table_of_changes() {
        for (before, after, expected) in [
            ("{}", "{}", false),
            ("{}", r#"{"expires":1001}"#, false),
            ("{}", r#"{"expires":999}"#, true),
            ("{}", r#"{"expires":null}"#, false),
            (r#"{"expires":null}"#, "{}", true),
            ("{}", r#"{"not_before":5}"#, true),
            (r#"{"not_before":5}"#, r#"{"not_before":5}"#, false),
            (r#"{"not_before":5}"#, r#"{"not_before":6}"#, true),
            (r#"{"not_before":5}"#, r#"{"not_before":4}"#, false),
            (r#"{"not_before":5}"#, "{}", false),
            ("{}", r#"{"networks":[]}"#, false),
            (r#"{"networks":[]}"#, "{}", true),
            (r#"{"networks":[]}"#, r#"{"networks":["0.0.0.0/0","::/0"]}"#, true),
            ("{}", r#"{"networks":["10.0.0.0/8"]}"#, false),
            ("{}", r#"{"networks":["10.0.0.0/25"]}"#, true),
            ("{}", r#"{"networks":["10.0.0.0/25","10.0.0.128/25"]}"#, false),
            ("{}", r#"{"networks":["10.0.0.0/24","::1"]}"#, false),
            (r#"{"networks":["10.0.0.0/24","::1"]}"#, "{}", true),
            (r#"{"networks":["10.0.0.7"]}"#, "{}", false),
            ("{}", r#"{"networks":["::/0"]}"#, true),
            ("{}", r#"{"permissions":["a:*"]}"#, false),
            ("{}", r#"{"permissions":["*:*"]}"#, false),
            ("{}", r#"{"permissions":["a:read","b:read"]}"#, false),
            ("{}", r#"{"permissions":["a:write"]}"#, true),
            ("{}", r#"{"permissions":[]}"#, true),
            (r#"{"permissions":["a:*"]}"#, "{}", true),
            (r#"{"permissions":["*:read"]}"#, r#"{"permissions":["a:read"]}"#, true),
            (r#"{"permissions":["claviger:verify"]}"#, r#"{"permissions":["*:*"]}"#, true),
            (
                r#"{"permissions":["claviger:verify"]}"#,
                r#"{"permissions":["*:*","claviger:verify"]}"#,
                false,
            ),
            ("{}", r#"{"interfaces":[]}"#, true),
            ("{}", r#"{"interfaces":["smtp","http"]}"#, false),
        ] {
            assert_eq!(
                narrows_limits(&limits(before), &limits(after)),
                expected,
                "{before} ▸ {after}"
            );
        }
    }

    #[test]
    fn a_table_of_networks_that_several_blocks_cover() {
        let list = |blocks: &str| Networks::from_stored(blocks.split_whitespace()).unwrap();
        for (wide, narrow, expected) in [
            ("10.0.0.0/25 10.0.0.128/25", "10.0.0.0/24", true),
            ("10.0.0.0/25 10.0.0.128/26 10.0.0.192/26", "10.0.0.0/24", true),
            ("10.0.0.0/25 10.0.0.128/26 10.0.0.192/27", "10.0.0.0/24", false),
            ("10.0.0.0/25 10.0.0.0/26", "10.0.0.0/24", false),
            ("10.0.0.1 10.0.0.0", "10.0.0.0/31", true),
            ("10.0.0.1", "10.0.0.0/31", false),
            ("0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0", true),
            ("0.0.0.0/1 128.0.0.0/1", "::/0", false),
            ("::/1 8000::/1", "::/0", true),
            ("::/1 8000::/1 0.0.0.0/0", "::/0 0.0.0.0/0", true),
            ("::/2 8000::/1", "::/0", false),
            ("2001:db8::/33 2001:db8:8000::/33", "2001:db8::/32 2001:db8::1", true),
            ("10.0.0.0/8", "10.0.0.0/8 10.1.2.3", true),
            ("10.1.2.3", "10.0.0.0/8", false),
        ] {
            assert_eq!(covers_networks(&list(wide), &list(narrow)), expected, "{wide} ⊇ {narrow}");
        }
    }

    /// The library's merge of neighbouring blocks is the reference.
    #[test]
    fn covering_agrees_with_merging_the_blocks() {
        use proptest::prelude::*;
        let block = (0_u8..8, 29_u8..=32).prop_map(|(host, prefix)| {
            Network::around(std::net::Ipv4Addr::new(10, 0, 0, host).into(), prefix).unwrap()
        });
        let blocks = proptest::collection::btree_set(block, 1..8);
        proptest!(|(wide in blocks.clone(), narrow in blocks)| {
            let list = |blocks: &std::collections::BTreeSet<Network>| {
                let texts: Vec<_> = blocks.iter().map(Network::to_string).collect();
                Networks::from_stored(texts.iter().map(String::as_str)).unwrap()
            };
            let net = |block: &Network| -> ipnet::Ipv4Net {
                let text = block.to_string();
                if text.contains('/') { text } else { format!("{text}/32") }.parse().unwrap()
            };
            let merged = ipnet::Ipv4Net::aggregate(&wide.iter().map(net).collect::<Vec<_>>());
            let expected =
                narrow.iter().all(|block| merged.iter().any(|wide| wide.contains(&net(block))));
            prop_assert_eq!(covers_networks(&list(&wide), &list(&narrow)), expected);
        });
    }

    #[test]
    fn a_table_of_ceilings() {
        let ceiling = |permissions: &str, networks: &str, longest: Option<u64>| Ceiling {
            permissions: Permissions::parse(permissions.split_whitespace()).unwrap(),
            networks: Networks::from_stored(networks.split_whitespace()).unwrap(),
            longest: longest.map(crate::base::time::DurationMs::from_ms),
        };
        let before = ceiling("a:read a:write", "10.0.0.0/8", Some(5));
        for (permissions, networks, longest, expected) in [
            ("a:read a:write", "10.0.0.0/8", Some(5), false),
            ("a:*", "", None, false),
            ("*:*", "10.0.0.0/7", Some(6), false),
            ("a:read", "10.0.0.0/8", Some(5), true),
            ("a:*", "10.0.0.0/9", Some(5), true),
            ("a:*", "10.0.0.0/8", Some(4), true),
        ] {
            let after = ceiling(permissions, networks, longest);
            assert_eq!(narrows_ceiling(&before, &after), expected, "{after:?}");
        }
        assert!(narrows_ceiling(&ceiling("a:*", "", None), &ceiling("a:*", "", Some(u64::MAX))));
        assert!(narrows_ceiling(&ceiling("a:*", "", None), &ceiling("a:*", "0.0.0.0/0", None)));
    }

    #[test]
    fn the_table_holds_for_the_types_too() {
        let mut before = limits("{}");
        before.interfaces.push(Interface::Smtp);
        assert!(narrows_limits(&before, &limits("{}")));
        before = limits("{}");
        before.not_before = Some(UnixMs::from_ms(0));
        assert!(!narrows_limits(&before, &limits("{}")), "the beginning was lifted");
    }
}
