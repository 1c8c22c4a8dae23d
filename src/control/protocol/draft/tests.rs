use claviger_core::base::time::UnixMs;
use claviger_core::credential::limits::lifetime::Expiry;
use claviger_core::credential::limits::network::{ClientAddress, Networks};
use claviger_core::credential::limits::permission::Permissions;
use serde_json::{Map, Value, json};

use super::preview::DraftPreview;
use super::*;
use crate::protocol::policy::{KeyLife, Policy, Preset};
use crate::protocol::zone::Zone;

/// 2026-11-21T12:00:00Z, 21:00 in Tokyo.
const NOW: UnixMs = UnixMs::from_ms(1_795_262_400_000);

fn draft(json: &str) -> Draft {
    let mut all = json!({"name": "Build server", "expires": "2027-06-30", "networks": "10.0.0.0/8", "permissions": ["demo:read"]});
    let changed: Map<String, Value> = serde_json::from_str(json).unwrap();
    all.as_object_mut().unwrap().extend(changed);
    all.as_object_mut().unwrap().retain(|_, value| value != "absent");
    serde_json::from_value(all).unwrap()
}

fn changes(json: &str) -> Changes {
    serde_json::from_str(json).unwrap()
}

fn tokyo() -> Zone {
    Zone::parse("Asia/Tokyo").unwrap()
}

fn setting(zone: &Zone, owner: bool) -> Setting<'_> {
    Setting { now: NOW, zone, may_grant_reserved: owner, policy: &Policy::PORTAL, created_at: None }
}

fn issue(json: &str) -> Result<Decided, Vec<FieldError>> {
    decide_issue(&draft(json), setting(&tokyo(), false))
}

fn codes(errors: &[FieldError]) -> String {
    errors.iter().map(|e| format!("{} {}", e.pointer, e.code)).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_date_is_meant_in_the_account_s_zone() {
    let decided = issue("{}").unwrap();
    assert_eq!(decided.name, "Build server");
    let limits = serde_json::to_value(decided.limits).unwrap();
    let expected = json!({"not_before": null, "expires": 1_814_367_600_000_i64, "networks": ["10.0.0.0/8"],
        "interfaces": ["http"], "permissions": ["demo:read"]});
    assert_eq!(limits, expected);
}

#[test]
fn a_table_of_issues() {
    for (json, expected) in [
        (r#"{"expires":"never","networks":"","permissions":[]}"#, ""),
        (r#"{"networks":["10.0.0.0/8","::1"]}"#, ""),
        (r#"{"not_before":null}"#, ""),
        (r#"{"not_before":"2027-01-01"}"#, ""),
        (r#"{"name":"absent"}"#, "#/name required"),
        (r#"{"expires":"absent"}"#, "#/expires required"),
        (r#"{"networks":"absent"}"#, "#/networks required"),
        (r#"{"permissions":"absent"}"#, "#/permissions required"),
        (
            r#"{"name":null,"expires":null,"networks":null}"#,
            "#/name required, #/expires required, #/networks required",
        ),
        (r#"{"name":" "}"#, "#/name required"),
        (r#"{"name":"a\u0000"}"#, "#/name control_character"),
        (r#"{"expires":""}"#, "#/expires empty"),
        (r#"{"expires":"soon"}"#, "#/expires not_a_time"),
        (r#"{"expires":"2026-11-20"}"#, "#/expires in_the_past"),
        (r#"{"expires":"0"}"#, "#/expires zero_duration"),
        (r#"{"expires":"1798761600"}"#, "#/expires looks_like_unix_time"),
        (r#"{"expires":"20270630"}"#, "#/expires looks_like_date"),
        (r#"{"not_before":"1798761600000"}"#, "#/not_before looks_like_unix_time"),
        (r#"{"expires":"9000w"}"#, "#/expires too_far"),
        (r#"{"not_before":"2027-07-01"}"#, "#/not_before begins_after_end"),
        (r#"{"not_before":"never"}"#, "#/not_before not_a_time"),
        (r#"{"networks":"\n"}"#, ""),
        (r#"{"networks":[]}"#, ""),
        (r#"{"networks":", ,"}"#, "#/networks not_an_address"),
        (r#"{"networks":[""]}"#, "#/networks not_an_address"),
        (
            r#"{"networks":["10.0.0.0/33\n1.2.3"]}"#,
            "#/networks prefix_too_long, #/networks not_four_numbers",
        ),
        (
            r#"{"networks":"10.0.0.0/33\n1.2.3"}"#,
            "#/networks prefix_too_long, #/networks not_four_numbers",
        ),
        (
            r#"{"permissions":["demo","Demo:read"]}"#,
            "#/permissions not_two_parts, #/permissions bad_character",
        ),
        (r#"{"permissions":["claviger:verify"]}"#, "#/permissions owner_only"),
        (r#"{"permissions":["claviger:*"]}"#, "#/permissions reserved_wildcard"),
    ] {
        assert_eq!(
            issue(json).err().map_or(String::new(), |errors| codes(&errors)),
            expected,
            "{json}"
        );
    }
    let reserved = draft(r#"{"permissions":["claviger:verify"]}"#);
    assert!(decide_issue(&reserved, setting(&tokyo(), true)).is_ok(), "an owner may");
}

#[test]
fn errors_carry_what_other_languages_need() {
    let errors = issue(
        r#"{"name":"x\n","expires":"2026-11-20","networks":"\n10.0.0.0/33","permissions":["A:b"]}"#,
    );
    let json = serde_json::to_value(errors.unwrap_err()).unwrap();
    let expected = json!([
        {"pointer": "#/name", "code": "control_character", "detail": "line breaks and invisible characters cannot be used"},
        {"pointer": "#/expires", "code": "in_the_past", "detail": "this is in the past", "at": "2026-11-20T15:00:00.000Z"},
        {"pointer": "#/networks", "code": "prefix_too_long", "detail": "an IPv4 prefix ends at /32", "max": 32,
         "line": 2, "entry": "10.0.0.0/33"},
        {"pointer": "#/permissions", "code": "bad_character", "found": "A", "entry": "A:b",
         "detail": "'A' is not among the characters a-z, 0-9, '.', '_' and '-'"},
    ]);
    assert_eq!(json, expected);
    let read: Vec<FieldError> = serde_json::from_value(expected.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), expected);
}

/// A client that reads a key and sends all of its fields back changes nothing by that.
#[test]
fn an_edit_may_repeat_what_nobody_could_write_now() {
    let name = format!("{}\u{7}", "x".repeat(100));
    let mut before = issue("{}").unwrap();
    before.name.clone_from(&name);
    before.limits.expires = Expiry::At(UnixMs::parse_rfc3339("2026-11-20T01:02:03.456Z").unwrap());
    before.limits.networks = Networks::from_stored(["240.0.0.0/4", "0.0.0.0"]).unwrap();
    before.limits.permissions = Permissions::parse(["claviger:verify"]).unwrap();
    let edit = |json: &str| decide_edit(&changes(json), before.clone(), setting(&tokyo(), false));
    let all = json!({
        "name": name, "expires": "2026-11-20T01:02:03.456Z", "networks": ["240.0.0.0/4", "0.0.0.0"],
        "permissions": ["claviger:verify"],
    });
    assert_eq!(edit(&all.to_string()).unwrap(), before);
    assert_eq!(edit(r#"{"networks":"240.0.0.0/4\n0.0.0.0\n"}"#).unwrap(), before);
    let named = edit(r#"{"name":"Cron","expires":"2026-11-20T10:02:03.456+09:00"}"#).unwrap();
    assert_eq!(named, Decided { name: "Cron".into(), ..before.clone() });
    for (json, expected) in [
        (r#"{"expires":"2026-11-20T01:02:03.457Z"}"#, "#/expires in_the_past"),
        (r#"{"permissions":["claviger:verify","demo:read"]}"#, "#/permissions owner_only"),
        (r#"{"name":"\u0007"}"#, "#/name control_character"),
    ] {
        assert_eq!(codes(&edit(json).unwrap_err()), expected, "{json}");
    }
}

/// `never` is no beginning, so the sentence does not offer it.
#[test]
fn a_refused_beginning_is_not_answered_with_never() {
    let detail = |json: &str| issue(json).unwrap_err().remove(0).detail;
    assert!(detail(r#"{"expires":"unlimited"}"#).ends_with("or never"));
    assert!(!detail(r#"{"not_before":"never"}"#).contains("never"));
    let error = issue(r#"{"expires":"1798761600000"}"#).unwrap_err().remove(0);
    assert_eq!(error.params["at"], "2027-01-01T00:00:00.000Z");
}

#[test]
fn an_edit_keeps_what_it_does_not_name() {
    let before = issue(r#"{"not_before":"2027-01-01"}"#).unwrap();
    let edit = |json: &str| decide_edit(&changes(json), before.clone(), setting(&tokyo(), false));
    assert_eq!(edit("{}").unwrap(), before);
    assert_eq!(
        edit(r#"{"name":"Cron"}"#).unwrap(),
        Decided { name: "Cron".into(), ..before.clone() }
    );
    assert_eq!(edit(r#"{"not_before":null}"#).unwrap().limits.not_before, None);
    assert_eq!(edit(r#"{"expires":"never"}"#).unwrap().limits.expires, Expiry::Never);
    assert!(edit(r#"{"networks":""}"#).unwrap().limits.networks.is_unrestricted());
    for (json, expected) in [
        (r#"{"expires":"2026-12-31"}"#, "#/not_before begins_after_end"),
        (r#"{"not_before":"2028-01-01"}"#, "#/not_before begins_after_end"),
        (
            r#"{"name":"","networks":"x","permissions":["claviger:verify"]}"#,
            "#/name required, #/networks word, #/permissions owner_only",
        ),
    ] {
        assert_eq!(codes(&edit(json).unwrap_err()), expected, "{json}");
    }
}

#[test]
fn an_ended_key_can_be_renamed() {
    let mut before = issue("{}").unwrap();
    before.limits.expires = Expiry::At(UnixMs::from_ms(1));
    before.limits.not_before = Some(UnixMs::from_ms(5));
    let renamed = decide_edit(&changes(r#"{"name":"Old"}"#), before, setting(&tokyo(), false));
    assert_eq!(renamed.unwrap().name, "Old");
}

#[test]
fn a_name_of_an_earlier_release_stays_as_it_was() {
    let mut before = issue("{}").unwrap();
    before.name = "a\u{fe0f}".into();
    let edit = |json| decide_edit(&changes(json), before.clone(), setting(&tokyo(), false));
    let edited = edit(r#"{"name":"a\ufe0f","expires":"never"}"#).unwrap();
    assert_eq!((edited.name, edited.limits.expires), (before.name.clone(), Expiry::Never));
    let refused = edit(r#"{"name":"b\ufe0f"}"#).unwrap_err();
    assert_eq!(codes(&refused), "#/name control_character");
}

#[test]
fn null_is_not_absence_and_unknown_members_are_refused() {
    assert_eq!(changes("{}").not_before, None);
    assert_eq!(changes(r#"{"not_before":null}"#).not_before, Some(None));
    for bad in [
        r#"{"name":null}"#,
        r#"{"expires":null}"#,
        r#"{"networks":null}"#,
        r#"{"id":"x"}"#,
        r#"{"name":7}"#,
    ] {
        assert!(serde_json::from_str::<Changes>(bad).is_err(), "{bad}");
    }
    for json in ["{}", r#"{"not_before":null}"#, r#"{"name":"a","networks":["::1"]}"#] {
        assert_eq!(serde_json::to_string(&changes(json)).unwrap(), json);
    }
    assert!(serde_json::from_str::<Draft>(r#"{"nam":"x"}"#).is_err());
}

#[test]
fn notes_on_what_is_typed() {
    let zone = tokyo();
    let typed: Draft = serde_json::from_str(
        r#"{"expires":"2027-06-30","networks":"10.1.2.3/8\n\n10.0.0.0/33\n::1\n::1"}"#,
    )
    .unwrap();
    let note = DraftPreview::of(&typed, setting(&zone, false), ClientAddress::parse("11.9.9.9"));
    let expected = json!({
        "expires": {"form": "end_of_day", "at": 1_814_367_600_000_i64, "day": "2027-06-30", "zone": "Asia/Tokyo",
                    "from_now_ms": 19_105_200_000_u64},
        "networks": {"count": 2, "problems": 1, "stored": ["10.0.0.0/8", "::1"], "lines": [
            {"line": 1, "entry": "10.1.2.3/8", "stored": "10.0.0.0/8", "unreachable": "private"},
            {"line": 3, "entry": "10.0.0.0/33", "code": "prefix_too_long", "detail": "an IPv4 prefix ends at /32", "max": 32},
            {"line": 4, "entry": "::1", "unreachable": "loopback"},
        ]},
        "includes_caller": false,
        "errors": [],
    });
    assert_eq!(serde_json::to_value(&note).unwrap(), expected);
    assert_eq!(serde_json::from_value::<DraftPreview>(expected).unwrap(), note);
    // What a member calls from, on the same network as a deployment for tests, is reachable.
    let from =
        |caller| DraftPreview::of(&typed, setting(&zone, false), ClientAddress::parse(caller));
    let lines = |caller| from(caller).networks.unwrap().lines;
    assert_eq!((lines("10.9.9.9")[0].unreachable, lines("10.9.9.9").len()), (None, 3));
    assert_eq!(lines("::1").len(), 2);
}

#[test]
fn nothing_typed_is_no_error() {
    let zone = tokyo();
    assert_eq!(
        DraftPreview::of(&Draft::default(), setting(&zone, false), None),
        DraftPreview::default()
    );
    let typed = draft(r#"{"name":"","expires":"x","permissions":["y"]}"#);
    let note = DraftPreview::of(&typed, setting(&zone, false), None);
    assert_eq!(
        codes(&note.errors),
        "#/name required, #/expires not_a_time, #/permissions not_two_parts"
    );
    assert_eq!(note.includes_caller, None, "no address, no answer");
}

const CEILING: &str =
    r#""issuable":{"permissions":["demo:read"],"networks":"10.0.0.0/8","longest":"24h"}"#;

#[test]
fn a_table_of_issuers() {
    for (json, expected) in [
        (format!("{{{CEILING}}}"), ""),
        (r#"{"issuable":null}"#.into(), ""),
        (
            r#"{"issuable":{}}"#.into(),
            "#/issuable/permissions required, #/issuable/networks required, #/issuable/longest required",
        ),
        (format!(r#"{{"permissions":["claviger:verify"],{CEILING}}}"#), "#/issuable reserved"),
        (
            CEILING.replacen("demo:read", "claviger:verify", 1).replacen('"', "{\"", 1) + "}",
            "#/issuable/permissions never_issued",
        ),
    ] {
        let decided = decide_issue(&draft(&json), setting(&tokyo(), true));
        assert_eq!(
            decided.as_ref().map_or_else(|errors| codes(errors), |_| String::new()),
            expected,
            "{json}"
        );
        let is_issuer = decided.is_ok_and(|decided| decided.ceiling.is_some());
        assert_eq!(is_issuer, expected.is_empty() && !json.contains("null"), "{json}");
    }
}

#[test]
fn an_edit_keeps_lifts_or_changes_a_ceiling() {
    let before = issue(&format!("{{{CEILING}}}")).unwrap();
    let edit = |json: &str| decide_edit(&changes(json), before.clone(), setting(&tokyo(), true));
    assert_eq!(edit(r#"{"name":"Cron"}"#).unwrap().ceiling, before.ceiling);
    assert_eq!(edit(r#"{"issuable":null}"#).unwrap().ceiling, None);
    let longer = edit(r#"{"issuable":{"longest":"never"}}"#).unwrap().ceiling.unwrap();
    assert_eq!((longer.longest, longer.networks), (None, before.ceiling.clone().unwrap().networks));
    let errors = edit(r#"{"permissions":["claviger:verify"]}"#).unwrap_err();
    assert_eq!(codes(&errors), "#/issuable reserved");
    assert!(edit(r#"{"permissions":["claviger:verify"],"issuable":null}"#).is_ok());
}

#[test]
fn notes_tell_what_a_ceiling_comes_to() {
    let zone = tokyo();
    let note = |json: &str| {
        let draft: Draft = serde_json::from_str(json).unwrap();
        DraftPreview::of(&draft, setting(&zone, true), None)
    };
    let checked = note(
        r#"{"issuable":{"permissions":["a","claviger:verify"],"networks":"10.1.2.3/8 10.0.0.0/33","longest":"24h"}}"#,
    );
    let ceiling = checked.issuable.unwrap();
    assert_eq!(
        ceiling.longest_ms.map(claviger_core::base::time::DurationMs::as_ms),
        Some(86_400_000)
    );
    assert_eq!(ceiling.networks.unwrap().problems, 1);
    assert_eq!(codes(&checked.errors), "#/issuable/permissions not_two_parts");
    let checked = note(r#"{"issuable":{"longest":"x"}}"#);
    assert_eq!(
        codes(&checked.errors),
        "#/issuable/longest not_a_span",
        "what was not typed is no error"
    );
    assert!(checked.networks.is_none() && checked.issuable.unwrap().networks.is_none());
}

/// Only an owner may change the protection, in either direction.
#[test]
fn protection_is_given_and_taken_by_an_owner() {
    let zone = tokyo();
    let unprotected = issue("{}").unwrap();
    for (was, wanted, owner, expected) in [
        (false, Some(true), false, Err("#/protected owner_only")),
        (true, Some(false), false, Err("#/protected owner_only")),
        (false, Some(true), true, Ok(true)),
        (true, Some(false), true, Ok(false)),
        (true, Some(true), false, Ok(true)),
        (false, Some(false), false, Ok(false)),
        (true, None, false, Ok(true)),
    ] {
        let before = Decided { protected: was, ..unprotected.clone() };
        let edited = Changes { protected: wanted, ..Changes::default() };
        let decided = decide_edit(&edited, before, setting(&zone, owner));
        let decided = decided.map(|decided| decided.protected).map_err(|errors| codes(&errors));
        assert_eq!(decided, expected.map_err(str::to_owned), "{was} {wanted:?} {owner}");
    }
    let protecting = draft(r#"{"protected":true}"#);
    let refused = decide_issue(&protecting, setting(&zone, false)).unwrap_err();
    assert_eq!(codes(&refused), "#/protected owner_only");
    let note = DraftPreview::of(&protecting, setting(&zone, false), None);
    assert_eq!(codes(&note.errors), "#/protected owner_only");
}

/// Either of two fields of an edit, and both in a preview, are compared with the other.
#[test]
fn two_fields_that_do_not_fit_are_refused_whichever_is_typed() {
    let zone = tokyo();
    let mut reserved = issue("{}").unwrap();
    reserved.limits.permissions = Permissions::parse(["claviger:verify"]).unwrap();
    let edited = changes(&format!("{{{CEILING}}}"));
    let refused = decide_edit(&edited, reserved, setting(&zone, true)).unwrap_err();
    assert_eq!(codes(&refused), "#/issuable reserved");
    for (not_before, expected) in
        [("2027-06-30T23:59:59.999", ""), ("2027-07-01T00:00:00", "#/not_before begins_after_end")]
    {
        let typed = Draft { not_before: Some(not_before.into()), ..draft("{}") };
        let note = DraftPreview::of(&typed, setting(&zone, false), None);
        assert_eq!(codes(&note.errors), expected, "{not_before}");
        let decided = decide_issue(&typed, setting(&zone, false));
        assert_eq!(codes(&decided.err().unwrap_or_default()), expected, "{not_before}");
    }
}

#[test]
fn the_first_20_refused_entries_are_named_with_64_characters_and_all_are_counted() {
    let zone = tokyo();
    let entries: Vec<String> = (0..21).map(|n| format!("x{n}")).collect();
    let permissions = json!({"permissions": entries, "networks": []});
    let refused = issue(&permissions.to_string()).unwrap_err();
    assert_eq!(refused.len(), 20);
    assert_eq!(refused.last().unwrap().params["entry"], "x19");
    let networks = json!({"networks": entries});
    let refused = issue(&networks.to_string()).unwrap_err();
    let lines: Vec<_> = refused.iter().map(|error| error.params["line"].clone()).collect();
    assert_eq!(lines, (1..=20).map(Value::from).collect::<Vec<_>>(), "one entry a line");
    let note = DraftPreview::of(&draft(&networks.to_string()), setting(&zone, false), None);
    let note = note.networks.unwrap();
    assert_eq!((note.count, note.problems, note.lines.len()), (0, 21, 20));
    for (length, shown) in [(64, 64), (65, 64)] {
        let permissions = json!({"permissions": ["é".repeat(length)]});
        let refused = issue(&permissions.to_string()).unwrap_err().remove(0);
        assert_eq!(refused.params["entry"].as_str().unwrap().chars().count(), shown);
    }
}

/// People paste the wrong clipboard. A response, and a log of it, must not repeat it.
#[test]
fn no_answer_repeats_a_secret() {
    let secret = "7aZ".repeat(14);
    let zone = tokyo();
    let typed = json!({"name": secret, "networks": [secret], "permissions": [secret]});
    let errors = issue(&typed.to_string()).unwrap_err();
    assert_eq!(codes(&errors), "#/name secret, #/networks secret, #/permissions secret");
    let note = DraftPreview::of(&draft(&typed.to_string()), setting(&zone, false), None);
    assert_eq!(note.networks.as_ref().unwrap().lines[0].code.as_deref(), Some("secret"));
    for answer in [json!(errors), json!(note)] {
        assert!(!answer.to_string().contains(&secret), "{answer}");
    }
}

/// Rows S03 and S14: the life of a key under a policy, counted from its creation.
#[test]
fn s03_an_absent_expiry_is_the_default_life_and_a_longer_one_is_refused() {
    let (zone, registry) = (tokyo(), Preset::Registry.policy());
    let setting = Setting { policy: &registry, ..setting(&zone, false) };
    let end = KeyLife::Years(1).end(NOW, &zone).unwrap();
    let absent = decide_issue(&draft(r#"{"expires":"absent"}"#), setting).unwrap();
    assert_eq!(absent.limits.expires, Expiry::At(end), "2027-11-21, 21:00 in Tokyo");
    for (json, expected) in [
        (r#"{"expires":"2027-11-21T21:00:00+09:00"}"#, ""),
        (r#"{"expires":"2027-11-20"}"#, ""),
        (r#"{"expires":"2027-11-21T21:00:01+09:00"}"#, "#/expires too_long_for_policy"),
        (r#"{"expires":"2027-11-21"}"#, "#/expires too_long_for_policy"),
        (r#"{"expires":"366d"}"#, "#/expires too_long_for_policy"),
        (r#"{"expires":"never"}"#, "#/expires too_long_for_policy"),
        (r#"{"viewable":true}"#, "#/viewable not_allowed"),
        (r#"{"viewable":false}"#, ""),
    ] {
        let errors = decide_issue(&draft(json), setting).err().unwrap_or_default();
        assert_eq!(codes(&errors), expected, "{json}");
        let previewed = DraftPreview::of(&draft(json), setting, None).errors;
        assert_eq!(codes(&previewed), expected, "the preview says the same: {json}");
    }

    // An edit counts from the creation, and may repeat an end that is older than the policy.
    let created_at = Some(UnixMs::from_ms(NOW.as_ms() - 86_400_000));
    let setting = Setting { created_at, ..setting };
    let before = issue(r#"{"expires":"never"}"#).unwrap();
    for (json, expected) in [
        (r#"{"expires":"2027-11-20T21:00:00+09:00"}"#, ""),
        (r#"{"expires":"2027-11-20T21:00:01+09:00"}"#, "#/expires too_long_for_policy"),
        (r#"{"expires":"never"}"#, ""),
        (r#"{"name":"Cron"}"#, ""),
    ] {
        let errors = decide_edit(&changes(json), before.clone(), setting).err();
        assert_eq!(codes(&errors.unwrap_or_default()), expected, "{json}");
    }
}
