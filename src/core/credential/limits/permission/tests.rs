use proptest::prelude::*;

use super::*;

#[test]
fn grammar() {
    let part = |len| "a".repeat(len);
    let (longest, too_long) = (part(PART_BYTES_MAX), part(PART_BYTES_MAX + 1));
    for (text, expected) in [
        ("foo:read", Ok(())),
        ("f:r", Ok(())),
        ("0:9", Ok(())),
        ("foo.bar_baz-1:read-all", Ok(())),
        ("foo-:read.", Ok(())),
        (&*format!("{longest}:{longest}"), Ok(())),
        (&*format!("{too_long}:r"), Err("part_too_long")),
        (&*format!("r:{too_long}"), Err("part_too_long")),
        (&*format!("{longest}:{too_long}"), Err("too_long")),
        ("", Err("not_two_parts")),
        ("foo", Err("not_two_parts")),
        ("*", Err("not_two_parts")),
        ("foo:read:all", Err("not_two_parts")),
        ("foo::read", Err("not_two_parts")),
        (":", Err("empty_part")),
        ("foo:", Err("empty_part")),
        (":read", Err("empty_part")),
        ("Foo:read", Err("bad_character")),
        ("foo:Read", Err("bad_character")),
        (" foo:read", Err("bad_character")),
        ("foo:read ", Err("bad_character")),
        ("foo: read", Err("bad_character")),
        ("foo:read\n", Err("bad_character")),
        ("foo:re\0ad", Err("bad_character")),
        ("foo/bar:read", Err("bad_character")),
        ("foo:r\u{e9}ad", Err("bad_character")),
        ("foo:re\u{430}d", Err("bad_character")),
        ("foo：read", Err("not_two_parts")),
        ("foo:ｒead", Err("bad_character")),
        (".foo:read", Err("bad_start")),
        ("_foo:read", Err("bad_start")),
        ("foo:-read", Err("bad_start")),
        ("foo*:read", Err("misplaced_wildcard")),
        ("foo:*read", Err("misplaced_wildcard")),
        ("**:read", Err("misplaced_wildcard")),
    ] {
        let (grant, permission) = (text.parse::<Grant>(), text.parse::<Permission>());
        assert_eq!(
            grant.map(|g| g.to_string()).map_err(|e| e.code()),
            expected.map(|()| text.into())
        );
        assert_eq!(
            permission.map(|p| p.to_string()).map_err(|e| e.code()),
            expected.map(|()| text.into())
        );
    }
}

#[test]
fn only_grants_have_wildcards() {
    for (text, grant) in [
        ("*:read", Ok(())),
        ("foo:*", Ok(())),
        ("*:*", Ok(())),
        ("*:verify", Ok(())),
        ("claviger:*", Err(PermissionError::ReservedWildcard)),
    ] {
        assert_eq!(text.parse::<Grant>().map(drop), grant, "{text}");
        assert_eq!(text.parse::<Permission>(), Err(PermissionError::MisplacedWildcard), "{text}");
    }
}

#[test]
fn granting() {
    for (held, demanded, granted) in [
        (&[][..], "foo:read", false),
        (&["foo:read"], "foo:read", true),
        (&["foo:read"], "fooo:read", false),
        (&["fooo:read"], "foo:read", false),
        (&["foo:read"], "fo:read", false),
        (&["foo:read"], "foo:reads", false),
        (&["foo:read"], "foo:rea", false),
        (&["foo:read"], "foo:write", false),
        (&["foo:read"], "read:foo", false),
        (&["foo-bar:read"], "foo_bar:read", false),
        (&["foo_bar:read"], "foo-bar:read", false),
        (&["foo.bar:read"], "foo-bar:read", false),
        (&["foo:read"], "foo.bar:read", false),
        (&["foo:*"], "foo:read", true),
        (&["foo:*"], "fooo:read", false),
        (&["*:read"], "foo:read", true),
        (&["*:read"], "foo:write", false),
        (&["*:*"], "foo:read", true),
        (&["bar:read", "foo:write"], "foo:read", false),
        (&["bar:read", "foo:write"], "foo:write", true),
        // reserved permissions
        (&["*:*"], "claviger:verify", false),
        (&["*:verify"], "claviger:verify", false),
        (&["claviger:verify"], "claviger:verify", true),
        (&["claviger:verify"], "claviger:verif", false),
        (&["claviger:issue"], "claviger:verify", false),
        (&["claviger:verify"], "foo:verify", false),
        // Resources with a similar name are not reserved.
        (&["*:*"], "claviger2:verify", true),
        (&["*:*"], "clavige:verify", true),
        (&["*:*"], "foo:claviger", true),
    ] {
        let permissions = Permissions::parse(held.iter().copied()).unwrap();
        assert_eq!(permissions.grants(&demanded.parse().unwrap()), granted, "{held:?} {demanded}");
    }
    assert_eq!(
        Permission::claviger_verify().to_string().parse(),
        Ok(Permission::claviger_verify())
    );
}

#[test]
fn reserved_grants_are_told() {
    for (held, reserved) in [
        (&[][..], false),
        (&["*:*"], false),
        (&["*:verify"], false),
        (&["claviger2:verify"], false),
        (&["claviger:verify"], true),
        (&["*:*", "foo:read", "claviger:other"], true),
    ] {
        assert_eq!(
            Permissions::parse(held.iter().copied()).unwrap().holds_reserved(),
            reserved,
            "{held:?}"
        );
    }
}

#[test]
fn json() {
    for (json, refusal) in [
        (r#"[]"#, None),
        (r#"["*:read","bar:*","foo:read"]"#, None),
        (r#"["foo:read","foo:write"]"#, None),
        (r#"["foo:write","foo:read"]"#, Some(PermissionError::NotAsStored)),
        (r#"["foo:read","foo:read"]"#, Some(PermissionError::NotAsStored)),
        (r#"["claviger:*"]"#, Some(PermissionError::ReservedWildcard)),
        (r#"["foo"]"#, Some(PermissionError::NotTwoParts)),
    ] {
        let grants: Vec<String> = serde_json::from_str(json).unwrap();
        match (Permissions::from_stored(grants.iter().map(String::as_str)), refusal) {
            (Ok(permissions), None) => {
                assert_eq!(serde_json::to_string(&permissions).unwrap(), json)
            }
            (Err(error), Some(refusal)) => assert_eq!(error, refusal),
            (outcome, _) => panic!("{json}: {outcome:?}"),
        }
        let read = serde_json::from_str::<Permissions>(json);
        assert_eq!(read.is_err(), refusal.is_some(), "{json}");
    }
    for refused in ["null", r#""foo:read""#, r#"{}"#, "[1]"] {
        assert!(serde_json::from_str::<Permissions>(refused).is_err(), "{refused}");
    }
}

#[test]
fn two_lists_meet_in_what_both_cover_and_never_in_a_reserved_permission() {
    for (one, other, both) in [
        ("demo:read", "demo:read", "demo:read"),
        ("demo:read", "demo:write", ""),
        ("demo:read", "*:*", "demo:read"),
        ("demo:*", "*:read", "demo:read"),
        ("demo:*", "*:*", "demo:*"),
        ("demo:* x:y", "*:read demo:list y:x", "demo:list demo:read"),
        ("claviger:verify", "claviger:verify", ""),
        ("claviger:verify", "*:verify", ""),
        ("claviger:verify", "*:*", ""),
        ("*:*", "*:verify", "*:verify"),
        ("", "*:*", ""),
    ] {
        let list = |texts: &str| Permissions::parse(texts.split_whitespace()).unwrap();
        assert_eq!(list(one).within(&list(other)), list(both), "{one} and {other}");
        assert_eq!(list(other).within(&list(one)), list(both), "{other} and {one}");
    }
}

#[test]
fn lists_are_bounded() {
    let texts: Vec<String> = (0..=PERMISSIONS_MAX).map(|n| format!("r{n:03}:read")).collect();
    let refusal = PermissionError::TooMany { count: PERMISSIONS_MAX + 1, max: PERMISSIONS_MAX };
    let texts = || texts.iter().map(String::as_str);
    let (full, twice) = (|| texts().take(PERMISSIONS_MAX), texts().chain(texts()));
    assert_eq!(Permissions::parse(full().rev()).unwrap().len(), PERMISSIONS_MAX);
    assert_eq!(Permissions::from_stored(full()), Permissions::parse(full().chain(full())));
    assert_eq!(Permissions::parse(twice), Err(refusal));
    assert_eq!(Permissions::from_stored(texts()), Err(refusal));
    let full = Permissions::parse(full()).unwrap();
    assert!(!full.is_empty() && Permissions::parse([]).unwrap().is_empty());
    assert_eq!(full.within(&Permissions::parse(["*:read"]).unwrap()), full);
}

#[test]
fn codes() {
    for error in [
        PermissionError::TooLong { max: 65 },
        PermissionError::NotTwoParts,
        PermissionError::EmptyPart,
        PermissionError::PartTooLong { max: 32 },
        PermissionError::BadCharacter { found: 'A' },
        PermissionError::BadStart { found: '-' },
        PermissionError::MisplacedWildcard,
        PermissionError::ReservedWildcard,
        PermissionError::TooMany { count: 65, max: 64 },
        PermissionError::NotAsStored,
    ] {
        assert_eq!(serde_json::to_value(error).unwrap()["code"], error.code());
    }
}

proptest! {
    #[test]
    fn stored_lists_read_back(texts in proptest::collection::vec("[a-c*]{1,2}:[a-c*]{1,2}", 0..20)) {
        if let Ok(permissions) = Permissions::parse(texts.iter().map(String::as_str)) {
            let json = serde_json::to_string(&permissions).unwrap();
            prop_assert_eq!(serde_json::from_str::<Permissions>(&json).unwrap(), permissions);
        }
    }

    #[test]
    fn only_its_own_grant_covers_a_reserved_permission(grant in "([a-z]{1,3}|claviger|\\*):([a-z]{1,3}|verify|\\*)") {
        if let Ok(grant) = grant.parse::<Grant>() {
            let is_it = grant.to_string() == "claviger:verify";
            prop_assert_eq!(grant.covers(&Permission::claviger_verify()), is_it);
        }
    }
}
