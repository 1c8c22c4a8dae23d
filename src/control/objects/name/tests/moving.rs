//! A person moves from one address to another: two name objects, and what may break between them.

use super::*;
use crate::objects::tasks::IN_FLIGHT_MS;
use crate::protocol::envelope::Letter;
use crate::protocol::mailbox::{AddressChange, AddressNews, MoveState};
use crate::protocol::member::{AddressVersion, Language};
use crate::protocol::zone::Zone;

const OLD: &str = "first password";

/// The object of the old address, and that of the new one.
struct Two {
    old: World,
    new: World,
}

/// The fate of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is carried out, and the object learns so.
    Done,
    /// It is carried out, and the object never learns so.
    Lost,
    /// It is not carried out.
    Failed,
}

fn of((account, member): (AccountId, MemberId)) -> Membership {
    Membership { account, member }
}

fn change_to(to: &str, seed: u8) -> AddressChange {
    AddressChange {
        id: TokenId::parse(&char::from(seed).to_string().repeat(10)).unwrap(),
        to: Email::parse(to).unwrap(),
        by: of(mei()),
        language: Language::En,
        zone: Zone::parse("UTC").unwrap(),
        address: Some("203.0.113.7".into()),
        at: UnixMs::from_ms(START),
    }
}

fn change() -> AddressChange {
    change_to("mei@example.org", b'c')
}

const UNDER_WAY: NameReply = NameReply::Move(MoveState::UnderWay);

impl World {
    /// Mei and her two accounts.
    fn with_two() -> Self {
        let world = Self::new();
        world.claim(mei(), OLD);
        world.confirm(mei(), 1);
        world.claim(ken(), OLD);
        world.confirm(ken(), 1);
        world
    }

    fn show(&self) -> MoveState {
        match self.ask(NameRequest::ShowMove { by: of(mei()) }) {
            NameReply::Move(state) => state,
            other => panic!("{other:?}"),
        }
    }

    fn signs_in(&self, password: &str) -> bool {
        matches!(self.verify(password), NameReply::Matches { confirmed: true, memberships, .. }
            if memberships.len() == 2)
    }

    fn change_password(&self, old: &str, new: &str) -> NameReply {
        let (account, member) = mei();
        self.ask(NameRequest::ChangePassword {
            account,
            member,
            password: SecretText::new(old.into()),
            new_password: SecretText::new(new.into()),
            address: None,
        })
    }
}

impl Two {
    fn begun() -> Self {
        let two = Self { old: World::with_two(), new: World::new() };
        assert_eq!(two.old.ask(NameRequest::BeginMove(change())), UNDER_WAY);
        two
    }

    fn wait(&mut self, ms: i64) {
        self.old.now += ms;
        self.new.now += ms;
    }

    /// Carries out an effect of the old object at the new one.
    fn carry(&self, effect: &Effect) -> EffectOutcome {
        let reply = match effect {
            Effect::MovePerson { moved } => {
                self.new.ask(NameRequest::ReceivePerson((**moved).clone()))
            }
            Effect::SettleMove { change } => {
                self.new.ask(NameRequest::SettleMove((**change).clone()))
            }
            Effect::SendMail { .. } | Effect::TellAttempts { .. } => NameReply::Received,
            other => panic!("{other:?}"),
        };
        match reply {
            NameReply::Received => EffectOutcome::Done,
            NameReply::Taken => EffectOutcome::Answered { held: false },
            other => panic!("{other:?}"),
        }
    }

    /// Runs one effect of the old object with this fate; `false` if none is due.
    fn step(&self, fate: Fate) -> bool {
        let Some(effect) = self.old.next() else { return false };
        let outcome = match fate {
            Fate::Done | Fate::Lost => self.carry(&effect),
            Fate::Failed => EffectOutcome::Failed,
        };
        match fate {
            Fate::Done | Fate::Failed => self.old.settle(&effect, &outcome),
            // Its object crashes: the task comes due again.
            Fate::Lost => {}
        }
        true
    }

    /// Runs everything that the old object owes.
    fn finish(&mut self) {
        for _ in 0..20 {
            while self.step(Fate::Done) {}
            self.wait(i64::try_from(IN_FLIGHT_MS).unwrap());
        }
    }

    /// Takes what the new object tells the ledgers, each with this outcome.
    fn told(&self, outcome: &EffectOutcome) -> Vec<(AccountId, AddressNews)> {
        let mut told = Vec::new();
        while let Some(effect) = self.new.next() {
            let outcome = match &effect {
                Effect::TellAddress { account, news } => {
                    told.push((*account, news.clone()));
                    outcome
                }
                Effect::SendMail { .. } | Effect::TellAttempts { .. } => &EffectOutcome::Done,
                other => panic!("{other:?}"),
            };
            self.new.settle(&effect, outcome);
        }
        told
    }
}

#[test]
fn a_person_moves_with_password_and_memberships_and_the_old_address_is_free() {
    let mut two = Two::begun();
    two.finish();
    assert!(!two.old.signs_in(OLD));
    let memberships = vec![of(mei()), of(ken())];
    let (account, member) = mei();
    let matches = NameReply::Matches {
        account,
        member,
        secret_version: SecretVersion(2),
        confirmed: true,
        memberships,
        address_version: AddressVersion(1),
    };
    assert_eq!(two.new.verify(OLD), matches);
    assert!(two.new.sql.dump("claim").contains("mei@example.org"));
    let told = two.told(&EffectOutcome::Done);
    let news = |member| AddressNews {
        member,
        email: Email::parse("mei@example.org").unwrap(),
        address_version: AddressVersion(1),
        secret_version: SecretVersion(2),
        address: Some("203.0.113.7".into()),
    };
    assert_eq!(told, [(mei().0, news(mei().1)), (ken().0, news(ken().1))]);
    two.wait(3_600_000);
    assert_eq!(two.told(&EffectOutcome::Done), [], "each is told once");
    // Another person takes the old address, and none of the other's memberships.
    let stranger = (ken().0, MemberId::parse("sssssssssss").unwrap());
    assert_eq!(two.old.claim(stranger, "another password"), claimed(1));
    assert_eq!(two.old.confirm(stranger, 1), NameReply::Confirmed);
    assert_eq!(two.old.verify(OLD), NameReply::Refused);
    assert_eq!(two.old.verify("another password"), self::matches(stranger, 1));
    assert!(two.new.signs_in(OLD));
    two.wait(4 * 24 * 3_600_000);
    while two.step(Fate::Done) {}
    let (account, member) = stranger;
    two.old.ask(NameRequest::Leave { account, member });
    assert!(two.old.name().is_spent().unwrap());
}

#[test]
fn both_addresses_are_told_once() {
    let mut two = Two::begun();
    let mut mails = Vec::new();
    for _ in 0..10 {
        while let Some(effect) = two.old.next() {
            if let Effect::SendMail { envelope } = &effect {
                mails.push((envelope.to.to_string(), envelope.letter.clone()));
            }
            let outcome = two.carry(&effect);
            two.old.settle(&effect, &outcome);
        }
        while let Some(effect) = two.new.next() {
            if let Effect::SendMail { envelope } = &effect {
                mails.push((envelope.to.to_string(), envelope.letter.clone()));
            }
            two.new.settle(&effect, &EffectOutcome::Done);
        }
        two.wait(3_600_000);
    }
    let letter = |is_old| Letter::AddressChanged {
        is_old,
        address: Some("203.0.113.7".into()),
        at: UnixMs::from_ms(START),
        zone: Zone::parse("UTC").unwrap(),
    };
    mails.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("mei@example.jp".to_owned(), letter(true)),
        ("mei@example.org".to_owned(), letter(false)),
    ];
    assert_eq!(mails, expected);
}

/// Each effect meets each fate. One of the two addresses signs in after every step, none with
/// another password, and in the end it is the new one alone.
#[test]
fn a_move_survives_a_crash_at_every_step() {
    const FATES: [Fate; 3] = [Fate::Done, Fate::Lost, Fate::Failed];
    for number in 0..3_usize.pow(5) {
        let mut two = Two::begun();
        let fates: Vec<Fate> = (0..5).map(|n| FATES[number / 3_usize.pow(n) % 3]).collect();
        for fate in &fates {
            two.step(*fate);
            let (old, new) = (two.old.signs_in(OLD), two.new.signs_in(OLD));
            assert!(old || new, "{fates:?}");
            assert!(!two.old.signs_in("wrong") && !two.new.signs_in("wrong"));
            // No password changes while both have it.
            if old && new {
                for world in [&two.old, &two.new] {
                    assert_eq!(world.change_password(OLD, "next"), NameReply::Moving, "{fates:?}");
                }
            }
            two.wait(i64::try_from(IN_FLIGHT_MS).unwrap() + 300_000);
        }
        two.finish();
        assert_eq!((two.old.signs_in(OLD), two.new.signs_in(OLD)), (false, true), "{fates:?}");
        assert!(matches!(two.new.show(), MoveState::Arrived { accounts: 2, .. }));
        assert_eq!(two.old.show(), MoveState::Nothing);
        assert_eq!(two.told(&EffectOutcome::Done).len(), 2, "{fates:?}");
        let changed = two.new.change_password(OLD, "next password");
        let version = SecretVersion(3);
        let expected = NameReply::PasswordChanged { secret_version: version, accounts: 2 };
        assert_eq!(changed, expected);
    }
}

#[test]
fn an_address_of_another_person_takes_nobody_and_the_person_stays() {
    let two = Two::begun();
    let stranger = (ken().0, MemberId::parse("sssssssssss").unwrap());
    two.new.claim(stranger, "another password");
    assert!(two.step(Fate::Done));
    assert_eq!(two.old.next(), None);
    assert!(two.old.signs_in(OLD) && matches!(two.old.show(), MoveState::Arrived { .. }));
    assert_eq!(two.new.show(), MoveState::Nothing);
    assert!(matches!(two.old.change_password(OLD, "next"), NameReply::PasswordChanged { .. }));
    assert_eq!(two.new.verify(OLD), NameReply::Refused);
}

#[test]
fn one_change_at_a_time_and_none_while_a_ledger_has_something_to_learn() {
    let two = Two::begun();
    assert_eq!(two.old.ask(NameRequest::BeginMove(change())), UNDER_WAY, "repeated as if once");
    let other = change_to("mei@example.net", b'd');
    assert_eq!(two.old.ask(NameRequest::BeginMove(other.clone())), NameReply::Moving);
    // A join that waits for its ledger, a password that a ledger does not know, and a first claim.
    let joining = World::with_two();
    let third = (AccountId::parse("cccccccc").unwrap(), mei().1);
    joining.claim(third, OLD);
    assert_eq!(joining.ask(NameRequest::BeginMove(change())), NameReply::Moving);
    joining.confirm(third, 1);
    assert_eq!(joining.ask(NameRequest::BeginMove(change())), UNDER_WAY);
    let changed = World::with_two();
    changed.change_password(OLD, "next password");
    assert_eq!(changed.ask(NameRequest::BeginMove(change())), NameReply::Moving);
    while let Some(effect) = changed.next() {
        changed.settle(&effect, &EffectOutcome::Done);
    }
    assert_eq!(changed.ask(NameRequest::BeginMove(change())), UNDER_WAY);
    let staged = World::new();
    staged.claim(mei(), OLD);
    assert_eq!(staged.ask(NameRequest::BeginMove(change())), NameReply::Moving);
    // A stranger's membership, and a name that nobody has.
    let foreign = AddressChange { by: of((mei().0, ken().1)), ..other };
    assert_eq!(two.new.ask(NameRequest::BeginMove(change())), NameReply::NotHeld);
    assert_eq!(World::with_two().ask(NameRequest::BeginMove(foreign)), NameReply::NotHeld);
}

#[test]
fn a_person_on_the_way_joins_nothing_resets_nothing_and_changes_no_password() {
    let two = Two::begun();
    let third = (AccountId::parse("cccccccc").unwrap(), mei().1);
    assert_eq!(two.old.claim(third, OLD), NameReply::Moving);
    assert_eq!(two.old.change_password(OLD, "next"), NameReply::Moving);
    assert_eq!(two.old.change_password("wrong", "next"), NameReply::Refused);
    let (id, code) = (TokenId::parse("0123456789").unwrap(), SecretText::new("01234567".into()));
    let begin = NameRequest::BeginReset { id, code: code.clone(), browser: None };
    assert_eq!(two.old.ask(begin), NameReply::Refused);
    let new_password = SecretText::new("next password".into());
    let confirm = NameRequest::ConfirmReset { code, new_password, address: None, browser: None };
    assert_eq!(two.old.ask(confirm), NameReply::Refused);
}

#[test]
fn a_reset_s_code_of_the_old_address_ends_with_the_move() {
    let mut two = Two { old: World::with_two(), new: World::new() };
    let (id, code) = (TokenId::parse("0123456789").unwrap(), SecretText::new("01234567".into()));
    let begun = two.old.ask(NameRequest::BeginReset { id, code: code.clone(), browser: None });
    assert!(matches!(begun, NameReply::ResetBegun { .. }));
    two.old.ask(NameRequest::BeginMove(change()));
    two.finish();
    for world in [&two.old, &two.new] {
        let (new_password, code) = (SecretText::new("next password".into()), code.clone());
        let confirm =
            NameRequest::ConfirmReset { code, new_password, address: None, browser: None };
        assert_eq!(world.ask(confirm), NameReply::Refused);
    }
    // The mark of a browser is of the version before.
    assert_eq!(two.new.verify_from("203.0.113.0/24", OLD, Some(1)), NameReply::BrowserOver);
}

#[test]
fn a_person_moves_back_with_higher_versions_still() {
    let mut two = Two::begun();
    two.finish();
    assert_eq!(
        two.new.ask(NameRequest::BeginMove(change_to("mei@example.jp", b'd'))),
        NameReply::Moving,
        "the ledgers are not told yet"
    );
    two.told(&EffectOutcome::Done);
    let back = change_to("mei@example.jp", b'd');
    assert_eq!(two.new.ask(NameRequest::BeginMove(back)), UNDER_WAY);
    let mut two = Two { old: two.new, new: two.old };
    two.finish();
    let NameReply::Matches { secret_version, address_version, .. } = two.new.verify(OLD) else {
        panic!()
    };
    assert_eq!((secret_version, address_version), (SecretVersion(3), AddressVersion(2)));
    assert_eq!(two.old.verify(OLD), NameReply::Refused);
}

/// An owner removes the member from one account during the move: that ledger holds them no more.
#[test]
fn a_membership_that_ends_on_the_way_ends_at_the_new_address_too() {
    for steps in 0..3 {
        let mut two = Two::begun();
        for _ in 0..steps {
            two.step(Fate::Done);
        }
        let (account, member) = ken();
        assert_eq!(two.old.ask(NameRequest::Leave { account, member }), NameReply::NotHeld);
        two.finish();
        while let Some(effect) = two.new.next() {
            let held =
                !matches!(&effect, Effect::TellAddress { account, .. } if *account == ken().0);
            let outcome = if held { EffectOutcome::Done } else { EffectOutcome::Answered { held } };
            two.new.settle(&effect, &outcome);
        }
        let matches = two.new.verify(OLD);
        let NameReply::Matches { memberships, .. } = matches else { panic!("{matches:?}") };
        assert_eq!(memberships, [of(mei())], "{steps}");
    }
}

/// The last membership ends while the message to the new address is on its way. It may arrive
/// before or after the report that the person has left.
#[test]
fn a_person_whose_last_membership_ends_on_the_way_is_gone_at_both_addresses() {
    for arrives_late in [false, true] {
        let mut two = Two::begun();
        let effect = two.old.next().unwrap();
        if !arrives_late {
            two.carry(&effect);
        }
        for (account, member) in [mei(), ken()] {
            two.old.ask(NameRequest::Leave { account, member });
        }
        // Another person claims the old address meanwhile, and stays there.
        let stranger = (ken().0, MemberId::parse("sssssssssss").unwrap());
        two.old.claim(stranger, "another password");
        two.old.confirm(stranger, 1);
        two.finish();
        if arrives_late {
            two.carry(&effect);
        }
        two.wait(PENDING_MS as i64);
        two.told(&EffectOutcome::Answered { held: false });
        assert_eq!(two.new.verify(OLD), NameReply::Refused, "{arrives_late}");
        assert_eq!(two.new.sql.dump("claim"), "");
        assert_eq!(two.old.verify("another password"), self::matches(stranger, 1));
        let third = (AccountId::parse("cccccccc").unwrap(), mei().1);
        assert_eq!(two.new.claim(third, "third password"), claimed(1), "the address is free");
        assert_eq!(two.new.confirm(third, 1), NameReply::Confirmed);
    }
}

/// The news of a password follows the news of the address, by which its ledger knows the member.
#[test]
fn a_password_changed_before_a_ledger_knows_the_address_is_told_after_it() {
    let mut two = Two::begun();
    two.finish();
    let changed = two.new.change_password(OLD, "next password");
    assert!(matches!(changed, NameReply::PasswordChanged { .. }));
    let mut order = Vec::new();
    for _ in 0..4 {
        while let Some(effect) = two.new.next() {
            match &effect {
                Effect::TellAddress { account, news } => {
                    order.push((*account, "address", news.secret_version.0));
                }
                Effect::TellPassword { account, news } => {
                    order.push((*account, "password", news.secret_version.0));
                }
                _ => {}
            }
            two.new.settle(&effect, &EffectOutcome::Done);
        }
        two.wait(3_600_000);
    }
    for account in [mei().0, ken().0] {
        let own: Vec<_> = order.iter().filter(|one| one.0 == account).collect();
        assert_eq!(own, [&(account, "address", 3), &(account, "password", 3)], "{order:?}");
    }
}
