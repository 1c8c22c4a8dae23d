//! Resets of a password with a mailed code.

use super::*;

const RIGHT: &str = "01234567";
const MINUTE: i64 = 60_000;

impl World {
    fn begin(&self, seed: u8, code: &str) -> NameReply {
        self.begin_in(None, seed, code)
    }

    fn begin_in(&self, browser: Option<u32>, seed: u8, code: &str) -> NameReply {
        let id = TokenId::parse(&char::from(seed).to_string().repeat(TokenId::WIDTH)).unwrap();
        let (code, browser) = (SecretText::new(code.into()), browser.map(SecretVersion));
        self.ask(NameRequest::BeginReset { id, code, browser })
    }

    fn reset(&self, code: &str, password: &str) -> NameReply {
        self.reset_in(None, code, password)
    }

    fn reset_in(&self, browser: Option<u32>, code: &str, password: &str) -> NameReply {
        self.ask(NameRequest::ConfirmReset {
            code: SecretText::new(code.into()),
            new_password: SecretText::new(password.into()),
            address: None,
            browser: browser.map(SecretVersion),
        })
    }

    fn begun(&self) -> NameReply {
        let (account, member) = mei();
        NameReply::ResetBegun { account, member, until: UnixMs::from_ms(self.now + 10 * MINUTE) }
    }
}

fn of_mei() -> World {
    let world = World::new();
    world.claim(mei(), "first password");
    world.confirm(mei(), 1);
    world
}

const DONE: NameReply =
    NameReply::PasswordChanged { secret_version: SecretVersion(2), accounts: 1 };

#[test]
fn a_right_code_sets_the_password_once_and_tells_the_ledger() {
    let world = of_mei();
    assert_eq!(world.begin(b'a', RIGHT), world.begun());
    assert_eq!(world.reset("０１２３ ４５６７", "second password"), DONE);
    assert_eq!(world.verify("second password"), matches(mei(), 2));
    assert_eq!(world.verify("first password"), NameReply::Refused);
    assert_eq!(world.reset(RIGHT, "third password"), NameReply::Refused, "it works once");
    let Some(Effect::TellPassword { news, .. }) = world.next() else { panic!("not told") };
    assert!(news.is_reset && news.mails);
}

#[test]
fn a_code_has_five_tries_and_ten_minutes() {
    for (wrong, works) in [(4, true), (5, false)] {
        let world = of_mei();
        world.begin(b'a', RIGHT);
        for _ in 0..wrong {
            assert_eq!(world.reset("76543210", "second password"), NameReply::Refused);
        }
        assert_eq!(world.reset(RIGHT, "second password") == DONE, works, "{wrong}");
    }
    for (after, works) in [(10 * MINUTE - 1, true), (10 * MINUTE, false)] {
        let mut world = of_mei();
        world.begin(b'a', RIGHT);
        world.now += after;
        assert_eq!(world.reset(RIGHT, "second password") == DONE, works, "{after}");
    }
}

/// A text that is no code counts, too: otherwise its refusal would tell that no code is open.
#[test]
fn a_wrong_try_costs_no_hash_and_one_write() {
    let world = of_mei();
    world.begin(b'a', RIGHT);
    world.hash.0.set(0);
    let applies = world.sql.applies();
    world.reset("no code", "second password");
    assert_eq!((world.hash.0.get(), world.sql.applies()), (0, applies + 1));
}

#[test]
fn another_code_ends_the_one_before_and_a_change_ends_both() {
    let world = of_mei();
    world.begin(b'a', RIGHT);
    world.begin(b'b', "11111111");
    assert_eq!(world.reset(RIGHT, "second password"), NameReply::Refused);
    assert_eq!(world.reset("11111111", "second password"), DONE);
    world.begin(b'c', RIGHT);
    let (account, member) = mei();
    world.ask(NameRequest::ChangePassword {
        account,
        member,
        password: SecretText::new("second password".into()),
        new_password: SecretText::new("third password".into()),
        address: None,
    });
    assert_eq!(world.reset(RIGHT, "fourth password"), NameReply::Refused);
}

#[test]
fn codes_are_limited_by_hour_and_by_day() {
    let mut world = of_mei();
    let mut begun = Vec::new();
    // Every twenty minutes for a day and an hour.
    for turn in 0..75 {
        if world.begin(b'a' + turn % 26, RIGHT) == world.begun() {
            begun.push(turn);
        }
        if turn == 3 {
            assert_eq!(begun, [0, 1, 2, 3]);
            for seed in b'A'..b'F' {
                world.begin(seed, RIGHT);
            }
        }
        world.now += 20 * MINUTE;
    }
    assert_eq!(begun, [0, 1, 2, 3, 6, 7, 8, 9, 72, 73, 74]);
}

#[test]
fn a_name_without_a_confirmed_password_resets_nothing_and_stores_nothing() {
    let unclaimed = World::new();
    assert_eq!(unclaimed.begin(b'a', RIGHT), NameReply::Refused);
    assert_eq!(unclaimed.reset(RIGHT, "second password"), NameReply::Refused);
    assert_eq!(unclaimed.sql.applies(), 0);
    let claimed = World::new();
    claimed.claim(mei(), "first password");
    assert_eq!(claimed.begin(b'a', RIGHT), NameReply::Refused);
    assert_eq!(claimed.reset(RIGHT, "second password"), NameReply::Refused);
    assert_eq!(claimed.verify("first password"), staged(mei(), 1));
}

#[test]
fn no_code_is_stored() {
    let world = of_mei();
    world.begin(b'a', RIGHT);
    for table in ["claim", "membership", "password", "reset", "due"] {
        assert!(!world.sql.dump(table).contains(RIGHT), "{table}");
    }
}

#[test]
fn a_stranger_can_neither_use_up_nor_replace_the_code_of_a_known_browser() {
    let world = of_mei();
    for seed in [b'a', b'b', b'c'] {
        assert_eq!(world.begin(seed, "11111111"), world.begun());
    }
    assert_eq!(world.begin(b'd', "11111111"), NameReply::Refused, "the hour's codes are used up");
    assert_eq!(world.begin_in(Some(2), b'd', RIGHT), NameReply::Refused, "another password's mark");
    assert_eq!(world.begin_in(Some(1), b'e', RIGHT), world.begun());
    for _ in 0..9 {
        assert_eq!(world.reset(RIGHT, "second password"), NameReply::Refused, "without the mark");
    }
    assert_eq!(world.reset_in(Some(1), RIGHT, "second password"), DONE);
    assert_eq!(world.reset_in(Some(1), RIGHT, "third password"), NameReply::Refused);
}

#[test]
fn a_known_browser_has_limits_too_and_may_use_a_code_that_was_mailed_without_its_mark() {
    let world = of_mei();
    world.begin(b'a', RIGHT);
    assert_eq!(world.reset_in(Some(1), RIGHT, "second password"), DONE);
    for (seed, begins) in [(b'b', true), (b'c', true), (b'd', true), (b'e', false)] {
        let begun = world.begin_in(Some(2), seed, RIGHT) != NameReply::Refused;
        assert_eq!(begun, begins, "{seed}");
    }
    for _ in 0..5 {
        world.reset_in(Some(2), "76543210", "third password");
    }
    assert_eq!(world.reset_in(Some(2), RIGHT, "third password"), NameReply::Refused);
}

#[test]
fn a_reset_ends_the_codes_of_both_limits() {
    let world = of_mei();
    world.begin(b'a', "11111111");
    world.begin_in(Some(1), b'b', RIGHT);
    assert_eq!(world.reset("11111111", "second password"), DONE);
    assert_eq!(world.reset_in(Some(2), RIGHT, "third password"), NameReply::Refused);
}

#[test]
fn a_repeated_begin_counts_once_and_keeps_the_code() {
    let world = of_mei();
    for _ in 0..5 {
        assert_eq!(world.begin(b'a', RIGHT), world.begun());
    }
    assert_eq!(world.begin(b'b', RIGHT), world.begun());
    assert_eq!(world.begin(b'c', RIGHT), world.begun());
    assert_eq!(world.begin(b'd', RIGHT), NameReply::Refused);
    assert_eq!(world.reset(RIGHT, "second password"), DONE);
    assert_eq!(world.begin(b'c', RIGHT), NameReply::Refused, "a used one does not begin again");
}
