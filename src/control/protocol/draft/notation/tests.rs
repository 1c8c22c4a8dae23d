use claviger_core::credential::limits::network::{Networks, parse_lines};

use super::*;

/// Explains the last entry of a text that is refused: its code and its suggestion.
fn told(text: &str) -> String {
    let read = parse_lines(text);
    assert!(Networks::try_from(&read).is_err(), "{text} is read as something else");
    let last = (0..read.entries.len()).rev().find_map(|index| explain(&read.entries, index));
    let Explanation { code, params, .. } = last.unwrap();
    match params.get("suggestion").and_then(Value::as_str) {
        Some(suggestion) => format!("{code} {suggestion}"),
        None => code,
    }
}

#[test]
fn every_notation_is_refused_by_name() {
    let cases = [
        // Masks: blanks separate entries, so a mask must not become a network.
        ("10.0.0.0 255.255.255.0", "netmask 10.0.0.0/24"),
        ("10.1.2.3 255.0.0.0", "netmask 10.0.0.0/8"),
        ("10.0.0.0 0.0.0.255", "netmask 10.0.0.0/24"),
        ("10.0.0.0 0.15.255.255", "netmask 10.0.0.0/12"),
        ("10.0.0.0/255.255.255.0", "netmask 10.0.0.0/24"),
        ("10.0.0.0/0.0.0.255", "netmask 10.0.0.0/24"),
        ("１０．０．０．０\u{3000}２５５．２５５．２５５．０", "netmask 10.0.0.0/24"),
        ("255.255.255.0", "no_caller"),
        ("10.0.0.0\n255.255.255.0", "no_caller"),
        ("10.0.0.0 255.0.255.0", "no_caller"),
        ("10.0.0.0/255.0.255.0", "prefix_not_a_number"),
        ("10.0.0.0 netmask 255.255.255.0", "no_caller"),
        // Ranges.
        ("10.0.0.1-10.0.0.9", "range 10.0.0.1 10.0.0.2/31 10.0.0.4/30 10.0.0.8/31"),
        ("10.0.0.0-10.0.0.255", "range 10.0.0.0/24"),
        ("10.0.0.0-255", "range 10.0.0.0/24"),
        ("10.0.0.1..10.0.0.2", "range 10.0.0.1 10.0.0.2"),
        ("10.0.0.1~10.0.0.1", "range 10.0.0.1"),
        ("10.0.0.1–10.0.0.2", "range 10.0.0.1 10.0.0.2"),
        ("0.0.0.0-255.255.255.255", "range 0.0.0.0/0"),
        ("10.0.0.1 - 10.0.0.9", "open_range"),
        ("10.0.0.1 to 10.0.0.9", "open_range"),
        ("10.0.0.9-10.0.0.1", "open_range"),
        ("10.0.0.1-10.255.255.254", "open_range"),
        (
            "10.0.0.1-10.0.0.30",
            "range 10.0.0.1 10.0.0.2/31 10.0.0.4/30 10.0.0.8/29 10.0.0.16/29 10.0.0.24/30 10.0.0.28/31 10.0.0.30",
        ),
        ("10.0.0.1-10.0.0.46", "open_range"),
        ("2001:db8::1-2001:db8::9", "open_range"),
        // Wildcards.
        ("10.0.*.*", "wildcard 10.0.0.0/16"),
        ("10.0.*", "wildcard 10.0.0.0/16"),
        ("10.*", "wildcard 10.0.0.0/8"),
        ("192.168.1.x", "wildcard 192.168.1.0/24"),
        ("10.*.0.1", "not_an_address"),
        // Every address.
        ("*", "anywhere"),
        ("any", "anywhere"),
        ("ALL", "anywhere"),
        ("0/0", "anywhere"),
        ("0.0.0.0", "anywhere"),
        ("::", "anywhere"),
        ("0.0.0.0 0.0.0.0", "anywhere"),
        // Ports, URLs, labels and signs.
        ("1.2.3.4:80", "port 1.2.3.4"),
        ("[::1]:443", "port ::1"),
        ("[2001:db8::1]", "only_address 2001:db8::1"),
        ("https://1.2.3.4/x?y", "only_address 1.2.3.4"),
        ("https://[2001:db8::1]:8443/x", "only_address 2001:db8::1"),
        ("https://example.com/", "host_name"),
        ("ip:1.2.3.4", "only_address 1.2.3.4"),
        ("ip4:10.0.0.0/8", "only_address 10.0.0.0/8"),
        ("ip6:2001:db8::/32", "only_address 2001:db8::/32"),
        ("src=1.2.3.4", "only_address 1.2.3.4"),
        ("\"10.0.0.0/8\"", "only_address 10.0.0.0/8"),
        ("[\"10.0.0.0/8\"]", "only_address 10.0.0.0/8"),
        ("{\"CidrIp\":\"10.0.0.0/8\"}", "only_address 10.0.0.0/8"),
        ("1.2.3.4;", "only_address 1.2.3.4"),
        ("(1.2.3.4)", "only_address 1.2.3.4"),
        ("1.2.3.4.", "only_address 1.2.3.4"),
        // Words of other tools.
        ("host 1.2.3.4", "word"),
        ("allow 1.2.3.4", "word"),
        ("add_header 1.2.3.4", "word"),
        ("permit ip 10.0.0.0/8", "word"),
        ("localhost", "word"),
        ("本社", "word"),
        ("deny 1.2.3.4", "exception"),
        ("!10.0.0.0/8", "exception"),
        ("-10.0.0.0/8", "exception"),
        ("example.com", "host_name"),
        ("*.example.com", "host_name"),
        ("example.com/24", "host_name"),
        // Comments.
        ("1.2.3.4 # office", "word"),
        ("1.2.3.4 #", "comment"),
        ("# 10.0.0.0/8", "comment"),
        ("10.0.0.0/8#office", "comment"),
        ("// 10.0.0.0/8", "comment"),
        // Numbers left out, or one number.
        ("10/8", "short_form 10.0.0.0/8"),
        ("10.0.0/24", "short_form 10.0.0.0/24"),
        ("172.16/12", "short_form 172.16.0.0/12"),
        ("2130706433", "short_form 127.0.0.1"),
        ("16777216", "short_form 1.0.0.0"),
        ("16777215", "not_four_numbers"),
        ("0x7f000001", "short_form 127.0.0.1"),
        ("0x7f.0.0.1", "short_form 127.0.0.1"),
        ("1.2.3", "not_four_numbers"),
        ("0177.0.0.1", "leading_zero 177.0.0.1"),
        ("fe80::1%eth0", "zone_id"),
        ("10.0.0.0/", "prefix_not_a_number"),
        ("1.2.3.4/x", "prefix_not_a_number"),
        ("300.1.2.3", "octet_too_large"),
        ("1:2:3", "not_an_address"),
        (";;", "word"),
        // Networks without callers.
        ("240.0.0.1", "no_caller"),
        ("224.0.0.0/4", "no_caller"),
        ("0.0.0.0/8", "no_caller"),
        ("0.1.2.3", "no_caller"),
        ("ff02::1", "no_caller"),
        ("2a06:98c0:3600::103", "no_caller"),
        ("::ffff:240.0.0.1", "no_caller"),
    ];
    let wrong = cases.iter().filter(|(text, expected)| told(text) != *expected);
    let wrong: Vec<_> = wrong.map(|(text, expected)| (text, told(text), expected)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Neighbours that stay networks.
#[test]
fn what_some_caller_has_is_a_network() {
    for text in [
        "0.0.0.0/0",
        "::/0",
        "0.0.0.0/7",
        "223.255.255.255",
        "192.0.0.0/2",
        "::1",
        "::/127",
        "127.0.0.1",
        "10.0.0.0/8",
        "192.0.2.1",
        "2001:db8::1",
        "2a06:98c0:3601::1",
        "fe80::1",
        "::ffff:10.0.0.1",
        "10.0.0.0/24, 10.0.1.0/24",
        "10.0.0.0 10.0.0.255",
    ] {
        assert!(Networks::try_from(&parse_lines(text)).is_ok(), "{text}");
    }
}

#[test]
fn a_suggestion_is_a_list_that_is_accepted() {
    for text in ["10.0.0.1-10.0.0.9", "10.0.*.*", "1.2.3.4:80", "10/8", "ip:1.2.3.4"] {
        let read = parse_lines(text);
        let explanation = explain(&read.entries, 0).unwrap();
        let suggestion = explanation.params["suggestion"].as_str().unwrap();
        assert!(Networks::try_from(&parse_lines(suggestion)).is_ok(), "{text}");
        assert!(explanation.detail.contains(suggestion), "{}", explanation.detail);
    }
}
