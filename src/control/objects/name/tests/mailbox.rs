//! Codes that prove an address, and the mail that carries them.

use claviger_core::base::secret::Digest;

use super::*;
use crate::protocol::deletion::MailState;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::envelope::{Envelope, Letter};
use crate::protocol::mailbox::{MailboxCodeState, MailboxPurpose, MailboxSubject, NewMailboxCode};
use crate::protocol::member::Language;
use crate::protocol::zone::Zone;

const MINUTE: i64 = 60_000;
const RIGHT: &str = "01234567";

fn link(seed: u8) -> MailboxSubject {
    let member = MemberId::parse(&char::from(seed).to_string().repeat(11)).unwrap();
    MailboxSubject { purpose: MailboxPurpose::SetUp, account: mei().0, member }
}

fn token(seed: u8) -> TokenId {
    TokenId::parse(&char::from(seed).to_string().repeat(10)).unwrap()
}

impl World {
    /// Has a code mailed, as the admin Worker does.
    pub(super) fn mail(&self, subject: MailboxSubject, id: u8, code: &str) -> NameReply {
        let (code, purpose) = (SecretText::new(code.into()), subject.purpose.code());
        let mac = Code::from_sealed(&code).mac(purpose, subject.account, token(id), &self.master);
        self.ask(NameRequest::MailMailboxCode(NewMailboxCode {
            email: Email::parse("mei@example.jp").unwrap(),
            subject,
            id: token(id),
            mac,
            sealed: Ciphertext::from_stored("b.AAAA".into()),
            language: Language::Ja,
            zone: Zone::parse("Asia/Tokyo").unwrap(),
            address: Some("203.0.113.7".into()),
        }))
    }

    fn mailed(&self) -> NameReply {
        let until = UnixMs::from_ms(self.now + 10 * MINUTE);
        NameReply::MailboxCode(MailboxCodeState { until, mail: MailState::Queued })
    }

    pub(super) fn prove(&self, subject: MailboxSubject, code: &str) -> NameReply {
        let code = SecretText::new(code.into());
        self.ask(NameRequest::ProveMailbox { subject, code })
    }

    fn state(&self, subject: MailboxSubject) -> Option<MailState> {
        match self.ask(NameRequest::ShowMailboxCode { subject }) {
            NameReply::MailboxCode(state) => Some(state.mail),
            NameReply::CodeOver => None,
            other => panic!("{other:?}"),
        }
    }

    /// Takes the next effect, which must be a mail.
    fn envelope(&self) -> Envelope {
        match self.next() {
            Some(Effect::SendMail { envelope }) => *envelope,
            other => panic!("{other:?}"),
        }
    }
}

const PROVEN: NameReply = NameReply::MailboxProven { claimed: false };

fn wrong(tries_left: u32) -> NameReply {
    NameReply::CodeWrong { tries_left }
}

#[test]
fn a_code_proves_for_its_subject_and_address_alone_until_it_ends() {
    let mut world = World::new();
    assert_eq!(world.prove(link(b'a'), RIGHT), NameReply::CodeOver);
    assert_eq!(world.sql.applies(), 0, "a try at an address that got no code stores nothing");
    assert_eq!(world.mail(link(b'a'), b'x', RIGHT), world.mailed());
    assert_eq!(world.prove(link(b'a'), RIGHT), PROVEN);
    assert_eq!(world.prove(link(b'a'), "0123 4567"), PROVEN, "the step after it is repeated");
    let change = MailboxSubject { purpose: MailboxPurpose::Change, ..link(b'a') };
    let elsewhere = MailboxSubject { account: ken().0, ..link(b'a') };
    for other in [link(b'b'), change, elsewhere] {
        assert_eq!(world.prove(other, RIGHT), NameReply::CodeOver, "{other:?}");
    }
    // A code of another address, or of a reset of this one.
    let other = World::new();
    other.mail(link(b'a'), b'x', "76543210");
    assert_eq!(other.prove(link(b'a'), RIGHT), wrong(4));
    assert_eq!(world.prove(link(b'a'), RIGHT), PROVEN);
    world.now += 10 * MINUTE - 1;
    assert_eq!(world.prove(link(b'a'), RIGHT), PROVEN);
    world.now += 1;
    assert_eq!(world.prove(link(b'a'), RIGHT), NameReply::CodeOver);
}

#[test]
fn a_code_is_bound_to_its_purpose() {
    let world = World::new();
    let set_up = link(b'a');
    let change = MailboxSubject { purpose: MailboxPurpose::Change, ..set_up };
    let code = SecretText::new(RIGHT.into());
    let mac = |subject: MailboxSubject| {
        let purpose = subject.purpose.code();
        Code::from_sealed(&code).mac(purpose, subject.account, token(b'x'), &world.master)
    };
    assert_ne!(mac(set_up), mac(change));
    assert_ne!(mac(set_up), Digest::of(RIGHT.as_bytes()));
}

#[test]
fn five_wrong_tries_end_a_code_and_a_new_code_replaces_it() {
    let world = World::new();
    world.mail(link(b'a'), b'x', RIGHT);
    for left in (1..5).rev() {
        assert_eq!(world.prove(link(b'a'), "00000000"), wrong(left));
        assert_eq!(world.prove(link(b'a'), RIGHT), PROVEN, "a right one counts as no try");
    }
    assert_eq!(world.prove(link(b'a'), "not a code"), wrong(0));
    assert_eq!(world.prove(link(b'a'), RIGHT), NameReply::CodeOver);
    assert_eq!(world.mail(link(b'a'), b'y', "11111111"), world.mailed());
    assert_eq!(world.prove(link(b'a'), RIGHT), wrong(4), "the code before");
    assert_eq!(world.prove(link(b'a'), "11111111"), PROVEN);
    assert_eq!(world.mail(link(b'a'), b'y', RIGHT), world.mailed(), "repeated as if once");
    assert_eq!(world.prove(link(b'a'), "11111111"), PROVEN);
}

#[test]
fn codes_are_limited_for_each_subject_and_for_the_address() {
    let mut world = World::new();
    for id in [b'x', b'y', b'z'] {
        assert_eq!(world.mail(link(b'a'), id, RIGHT), world.mailed());
    }
    let until = UnixMs::from_ms(START + 60 * MINUTE);
    assert_eq!(world.mail(link(b'a'), b'w', RIGHT), NameReply::TooManyCodes { until });
    // One link blocks no other.
    for subject in [b'b', b'c', b'd'] {
        for id in [b'x', b'y', b'z'] {
            assert_eq!(world.mail(link(subject), id, RIGHT), world.mailed());
        }
    }
    assert_eq!(world.mail(link(b'e'), b'x', RIGHT), NameReply::TooManyCodes { until });
    world.now += 60 * MINUTE;
    assert_eq!(world.mail(link(b'e'), b'x', RIGHT), world.mailed());
    let mut mailed = 0;
    for n in 0_u8..200 {
        world.now += 30 * MINUTE;
        let id = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"[usize::from(n % 40)];
        mailed += u32::from(world.mail(link(b'a'), id, RIGHT) == world.mailed());
    }
    assert!((38..=50).contains(&mailed), "ten a day: {mailed}");
}

#[test]
fn a_code_claims_nothing_and_its_traces_go() {
    let mut world = World::new();
    world.mail(link(b'a'), b'x', RIGHT);
    assert_eq!(world.ask(NameRequest::IsClaimed), NameReply::IsClaimed { claimed: false });
    world.hash.0.set(0);
    assert_eq!(world.verify("password"), NameReply::Refused);
    assert_eq!(world.hash.0.get(), 1, "as much as at a name that nobody has");
    assert_eq!(world.claim(ken(), "first password"), claimed(1), "another person takes it");
    let (account, member) = ken();
    world.ask(NameRequest::Leave { account, member });
    world.settle(&Effect::SendMail { envelope: Box::new(world.envelope()) }, &EffectOutcome::Done);
    assert!(!world.name().is_spent().unwrap(), "the limits are known");
    world.now += 3 * 24 * 60 * MINUTE;
    assert_eq!(world.next(), None);
    assert!(world.name().is_spent().unwrap());
    for table in ["mailbox_code", "mailbox_codes", "mail", "claim", "due"] {
        assert_eq!(world.sql.dump(table), "", "{table}");
    }
}

#[test]
fn the_object_mails_the_code_until_it_is_taken_refused_or_useless() {
    let mut world = World::new();
    world.mail(link(b'a'), b'x', RIGHT);
    assert_eq!(world.state(link(b'a')), Some(MailState::Queued));
    let first = world.envelope();
    assert_eq!((first.to.as_str(), first.account), ("mei@example.jp", mei().0));
    let Letter::MailboxCode { purpose, address, .. } = &first.letter else { panic!() };
    assert_eq!((*purpose, address.as_deref()), (MailboxPurpose::SetUp, Some("203.0.113.7")));
    assert!(first.sealed.is_some());
    let effect = Effect::SendMail { envelope: Box::new(first) };
    world.settle(&effect, &EffectOutcome::Failed);
    assert_eq!(world.state(link(b'a')), Some(MailState::Failing));
    world.now += MINUTE;
    assert_eq!(world.next().as_ref(), Some(&effect), "the same message");
    world.settle(&effect, &EffectOutcome::Done);
    assert_eq!(world.state(link(b'a')), Some(MailState::Sent));
    assert!(!world.sql.dump("mail").contains("b.AAAA"), "its code is of no use any more");
    // A newer code stops the mail before.
    world.mail(link(b'a'), b'y', RIGHT);
    world.mail(link(b'a'), b'z', RIGHT);
    let last = world.envelope();
    assert!(last.id.contains("zzzzzzzzzz"));
    assert_eq!(world.next(), None);
    world.settle(&Effect::SendMail { envelope: Box::new(last) }, &EffectOutcome::Refused);
    assert_eq!(world.state(link(b'a')), Some(MailState::Refused));
    // A code that is over is mailed no more.
    world.mail(link(b'b'), b'v', RIGHT);
    world.now += 10 * MINUTE;
    assert_eq!(world.next(), None);
    assert_eq!(world.state(link(b'b')), None);
}

#[test]
fn a_claimed_address_answers_the_same_until_the_code_is_right() {
    let (unclaimed, of_mei) = (World::new(), World::new());
    of_mei.claim(mei(), "first password");
    of_mei.confirm(mei(), 1);
    for world in [&unclaimed, &of_mei] {
        assert_eq!(world.prove(link(b'a'), RIGHT), NameReply::CodeOver);
        assert_eq!(world.mail(link(b'a'), b'x', RIGHT), world.mailed());
        assert_eq!(world.prove(link(b'a'), "00000000"), wrong(4));
    }
    assert_eq!(unclaimed.prove(link(b'a'), RIGHT), PROVEN);
    assert_eq!(of_mei.prove(link(b'a'), RIGHT), NameReply::MailboxProven { claimed: true });
    assert_eq!(of_mei.verify("first password"), matches(mei(), 1));
}

#[test]
fn no_mailbox_code_is_stored() {
    let world = World::new();
    world.mail(link(b'a'), b'x', RIGHT);
    for table in ["mailbox_code", "mailbox_codes", "mail", "due"] {
        assert!(!world.sql.dump(table).contains(RIGHT), "{table}");
    }
}
