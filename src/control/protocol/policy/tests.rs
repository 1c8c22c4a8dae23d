use super::*;

fn at(text: &str, zone: &Zone) -> UnixMs {
    let local: DateTime = text.parse().unwrap();
    zone.rules().to_timestamp(local).unwrap().into()
}

#[test]
fn s03_a_year_ends_on_the_same_local_date_and_on_28_february_after_a_leap_day() {
    for (zone, from, life, end) in [
        ("Asia/Tokyo", "2026-11-30T12:00:00.250", "1y", "2027-11-30T12:00:00.250"),
        // A year with a leap day has 366 days.
        ("Asia/Tokyo", "2027-06-30T00:00", "1y", "2028-06-30T00:00"),
        ("Asia/Tokyo", "2028-02-29T09:00", "1y", "2029-02-28T09:00"),
        ("Asia/Tokyo", "2028-02-29T09:00", "4y", "2032-02-29T09:00"),
        // By the account's zone, in which the leap day has begun, but not in UTC.
        ("Pacific/Kiritimati", "2028-02-29T03:00", "1y", "2029-02-28T03:00"),
        // Summer time begins on another day of the next year, at 02:00.
        ("Europe/Berlin", "2026-03-28T02:30", "1y", "2027-03-28T03:30"),
        ("UTC", "2026-11-30T12:00", "90d", "2027-02-28T12:00"),
    ] {
        let zone = Zone::parse(zone).unwrap();
        let life = KeyLife::parse(life).unwrap();
        assert_eq!(life.end(at(from, &zone), &zone), Some(at(end, &zone)), "{from} {life}");
    }
    assert_eq!(KeyLife::Never.end(UnixMs::from_ms(0), &Zone::utc()), None);
    let last = UnixMs::from_ms(i64::MAX);
    assert_eq!(KeyLife::Years(1).end(last, &Zone::utc()), Some(last), "never a longer life");
}

#[test]
fn lives_are_read_as_documented_and_nothing_else_is() {
    for text in ["never", "1d", "3650d", "1y", "10y"] {
        assert_eq!(KeyLife::parse(text).unwrap().to_string(), text);
    }
    for text in [
        "", "0d", "0y", "3651d", "11y", "01d", "+1d", "-1d", "1", "1w", "1.5y", "d", "y", "1dy",
        "1 y", "Never", "99999d", "１y",
    ] {
        assert_eq!(KeyLife::parse(text), None, "{text}");
    }
    let life = |text| KeyLife::parse(text).unwrap();
    for (one, other, longer) in [
        ("never", "10y", true),
        ("10y", "never", false),
        ("never", "never", false),
        ("366d", "1y", true),
        ("365d", "1y", false),
        ("1y", "364d", true),
    ] {
        assert_eq!(life(one).is_longer_than(life(other)), longer, "{one} {other}");
    }
}

#[test]
fn the_default_is_portal_and_what_cannot_be_read_is_strict() {
    assert_eq!(Policy::default(), Preset::Portal.policy());
    for preset in Preset::ALL {
        assert_eq!(Preset::parse(preset.as_str()), Some(preset));
        let json = serde_json::to_value(preset.policy()).unwrap();
        assert_eq!(Policy::read(&json), preset.policy());
        assert_eq!(serde_json::from_value::<Policy>(json).unwrap(), preset.policy());
    }
    let portal = || serde_json::to_value(Preset::Portal.policy()).unwrap();
    let strict = serde_json::to_value(Policy::STRICTEST).unwrap();
    for (name, value) in strict.as_object().unwrap() {
        for odd in [Value::Null, "x".into(), 7.into(), Value::Array(vec![])] {
            let mut json = portal();
            json[name] = odd;
            let mut expected = portal();
            expected[name] = value.clone();
            assert_eq!(serde_json::to_value(Policy::read(&json)).unwrap(), expected, "{name}");
        }
        let mut json = portal();
        json.as_object_mut().unwrap().remove(name);
        // Earlier releases had no demands of proofs.
        let absent = if name == "proofs" { &portal()[name] } else { value };
        assert_eq!(serde_json::to_value(Policy::read(&json)).unwrap()[name], *absent, "absent");
    }
    for odd in [Value::Null, "portal".into(), Value::Array(vec![])] {
        assert_eq!(Policy::read(&odd), Policy::STRICTEST);
    }
}

#[test]
fn a_preset_sets_every_field_and_the_others_apply_on_top() {
    let read = |json: &str| serde_json::from_str::<PolicyChanges>(json);
    let changes = read(r#"{"preset":"registry","demands_mfa":false}"#).unwrap();
    let expected = Policy { demands_mfa: false, ..Preset::Registry.policy() };
    assert_eq!(changes.apply(Policy::default()), expected);
    let changes = read(r#"{"default_life":"90d"}"#).unwrap();
    assert_eq!(
        changes.apply(expected),
        Policy { default_life: KeyLife::Days(90), ..expected },
        "the others stay"
    );
    for odd in [r#"{"preset":"strict"}"#, r#"{"longest_life":"0d"}"#, r#"{"keys":1}"#] {
        assert!(read(odd).is_err(), "{odd}");
    }
}

#[test]
fn the_default_end_is_never_beyond_the_longest_life() {
    let (now, zone) = (UnixMs::from_ms(1_795_262_400_000), Zone::utc());
    let policy = Policy { longest_life: KeyLife::Days(30), ..Preset::Registry.policy() };
    assert_eq!(policy.default_end(now, &zone), KeyLife::Days(30).end(now, &zone));
    assert_eq!(Policy::default().default_end(now, &zone), None);
    let policy = Policy { default_life: KeyLife::Days(7), ..Policy::default() };
    assert_eq!(policy.default_end(now, &zone), KeyLife::Days(7).end(now, &zone));
}
