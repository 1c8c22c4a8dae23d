//! Passkeys: adding and removing them, signing in by one alone and as a second factor, challenges
//! that work once, and copies.

use std::cell::Cell;

use claviger_control::protocol::command::Command;
use claviger_control::protocol::envelope::FactorChange;
use claviger_control::protocol::factors::{
    FactorsCommand, FactorsView, PasskeyCommand, TypedFactor,
};
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest, PasskeySignIn, SessionProof};
use claviger_control::protocol::members::MembersCommand;
use claviger_control::protocol::passkey::ceremony::AnsweredChallenge;
use claviger_control::protocol::passkey::{BinaryText, NewPasskey, PresentedPasskey, PublicKey};
use claviger_control::protocol::proof::ProofMethod;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};

use crate::factors::{
    STEP, answered, begin, challenge, confirm, draw, enrol, factors, has_factor, is_session,
    mailed, over, prove, recovery, sign_in_request, state, totp, tries_left,
};
use crate::world::{Browser, HOUR, MINUTE, World, step_up};

const MEI: &str = "mei@example.jp";

/// A software authenticator with one passkey.
pub struct Authenticator {
    key: SigningKey,
    credential: BinaryText,
    pub counter: Cell<u32>,
    challenges: Cell<u32>,
}

impl Authenticator {
    pub fn new(seed: u8) -> Self {
        let key = SigningKey::from_slice(&[seed; 32]).unwrap();
        let credential = BinaryText::new(vec![seed; 16]);
        Self { key, credential, counter: Cell::new(0), challenges: Cell::new(0) }
    }

    /// A challenge that no other answer has.
    fn challenge(&self, world: &World) -> AnsweredChallenge {
        self.challenges.set(self.challenges.get() + 1);
        let text = format!("{:?} {}", self.credential.to_text(), self.challenges.get());
        let until = UnixMs::from_ms(world.now().as_ms() + 5 * MINUTE);
        AnsweredChallenge { digest: Digest::of(text.as_bytes()), until }
    }

    pub fn passkey(&self, world: &World, name: &str) -> NewPasskey {
        let id = TokenId::random(&mut *world.rng.borrow_mut());
        let point = self.key.verifying_key().to_sec1_point(false);
        NewPasskey {
            id,
            name: name.into(),
            credential: self.credential.clone(),
            public_key: PublicKey::from_stored(point.as_bytes().to_vec()),
            counter: self.counter.get(),
            transports: vec!["internal".into()],
            backup_eligible: false,
            backed_up: false,
            challenge: self.challenge(world),
        }
    }

    /// Signs with the counter of now.
    pub fn present(&self, world: &World) -> PresentedPasskey {
        let challenge = self.challenge(world);
        let signed = Digest::of(challenge.digest.as_bytes());
        let signature: Signature = self.key.sign_prehash(signed.as_bytes()).unwrap();
        PresentedPasskey {
            credential: self.credential.clone(),
            signed,
            signature: BinaryText::new(signature.to_der().as_bytes().to_vec()),
            counter: self.counter.get(),
            backed_up: false,
            member: None,
            challenge,
        }
    }

    pub fn typed(&self, world: &World) -> TypedFactor {
        TypedFactor::Passkey(self.present(world))
    }
}

pub fn passkeys(passkeys: PasskeyCommand) -> Command {
    Command::Passkeys { passkeys }
}

pub fn add_command(world: &World, browser: Browser, of: &Authenticator, name: &str) -> Command {
    let (_, recovery) = draw(world, browser.member);
    passkeys(PasskeyCommand::Add { passkey: of.passkey(world, name), recovery })
}

/// Adds a passkey; returns its ID.
pub fn add(world: &World, browser: Browser, of: &Authenticator, name: &str) -> TokenId {
    match world.ask(browser, add_command(world, browser, of, name)) {
        LedgerReply::Factors(view) => view.passkeys.last().unwrap().id,
        other => panic!("not added: {other:?}"),
    }
}

pub fn sign_in(
    world: &World,
    member: MemberId,
    passkey: PresentedPasskey,
) -> (LedgerRequest, SessionProof) {
    let (session, proof) = world.draw_session();
    let address = Some("203.0.113.7".into());
    let request = PasskeySignIn { member, passkey, session, address };
    (LedgerRequest::SignInByPasskey(request), proof)
}

fn signed_in(world: &World, member: MemberId, passkey: PresentedPasskey) -> LedgerReply {
    world.handle(sign_in(world, member, passkey).0).unwrap()
}

fn refused() -> LedgerReply {
    LedgerReply::Refused(Refusal::SignInRefused)
}

fn factors_of(reply: LedgerReply) -> FactorsView {
    match reply {
        LedgerReply::Factors(view) => view,
        other => panic!("no factors: {other:?}"),
    }
}

fn remove(id: TokenId) -> Command {
    passkeys(PasskeyCommand::Remove { id })
}

#[test]
fn a_first_passkey_turns_mfa_on_and_the_last_one_turns_it_off() {
    let (world, owner) = World::open();
    let other = world.sign_in(owner.member);
    let phone = Authenticator::new(1);
    let begun = factors_of(world.ask(owner, passkeys(PasskeyCommand::Begin)));
    assert_eq!(begun, FactorsView::default());
    let added = factors_of(world.ask(owner, add_command(&world, owner, &phone, "Phone")));
    assert!(added.draws_codes && added.recovery_codes_left == 10);
    assert_eq!(added.passkeys, state(&world, owner).passkeys);
    assert!(has_factor(&world, owner.member));
    assert_eq!(world.refusal(other, Command::Show), Refusal::NotSignedIn);
    let LedgerReply::Session(view) = world.ask(owner, Command::Show) else { panic!() };
    assert!(view.mfa && view.factors.passkey && !view.factors.totp);
    assert_eq!(mailed(&world), [(FactorChange::TurnedOn, MEI.into(), 10, None)]);
    // A password alone opens a challenge, and names the passkey for the prompt.
    let LedgerReply::Challenged { factors, passkeys, .. } =
        world.handle(sign_in_request(&world, owner, 1, false).0).unwrap()
    else {
        panic!("not challenged")
    };
    assert_eq!(factors.methods(), [ProofMethod::RecoveryCode, ProofMethod::Passkey]);
    assert_eq!(passkeys, added.passkeys);

    let removed = factors_of(world.ask(owner, remove(added.passkeys[0].id)));
    assert_eq!(removed, FactorsView::default());
    assert!(!has_factor(&world, owner.member));
    for table in ["passkey", "recovery_code", "factor_try", "challenge"] {
        assert_eq!(world.count(table), 0, "{table}");
    }
    assert_eq!(mailed(&world), [(FactorChange::TurnedOff, MEI.into(), 0, None)]);
    assert!(is_session(&world.handle(sign_in_request(&world, owner, 1, false).0).unwrap()));
}

#[test]
fn a_passkey_signs_in_alone_with_a_fresh_proof() {
    let (world, owner) = World::open();
    let phone = Authenticator::new(1);
    add(&world, owner, &phone, "Phone");
    let (request, proof) = sign_in(&world, owner.member, phone.present(&world));
    assert!(is_session(&world.handle(request.clone()).unwrap()));
    let browser = Browser { proof, ..owner };
    let LedgerReply::Session(view) = world.ask(browser, Command::Show) else { panic!() };
    assert_eq!((view.proven_by, view.mfa), (Some(ProofMethod::Passkey), true));
    assert!(view.step_up_until > world.now());
    world.issue(browser, "{}");
    let noted = world.ask(browser, Command::NoteAccounts { accounts: 3 });
    assert!(matches!(noted, LedgerReply::Session(view) if view.accounts == 3));
    assert_eq!(state(&world, browser).passkeys[0].used_at, Some(world.now()));
    // The same answer again is none, whoever sends it.
    assert_eq!(world.handle(request).unwrap(), refused());
}

#[test]
fn an_answer_is_accepted_once_wherever_it_is_used() {
    let (world, owner) = World::open();
    let phone = Authenticator::new(1);
    add(&world, owner, &phone, "Phone");
    let presented = phone.present(&world);
    let (reply, owner) = prove(&world, owner, TypedFactor::Passkey(presented.clone()));
    assert!(is_session(&reply));
    let open = challenge(&world, owner);
    assert_eq!(tries_left(answered(&world, open, TypedFactor::Passkey(presented.clone()))), 4);
    assert_eq!(signed_in(&world, owner.member, presented.clone()), refused());
    // Its age ends it before the ledger forgets it.
    world.wait(5 * MINUTE);
    assert!(is_session(&signed_in(&world, owner.member, phone.present(&world))));
    assert_eq!(world.count("passkey_challenge"), 1);
}

#[test]
fn a_passkey_answers_challenges_and_proves_identity() {
    let (world, owner) = World::open();
    let phone = Authenticator::new(1);
    add(&world, owner, &phone, "Phone");
    let open = challenge(&world, owner);
    assert!(is_session(&answered(&world, open, phone.typed(&world))));
    assert!(over(&answered(&world, open, phone.typed(&world))));
    world.wait(10 * MINUTE);
    let demanded = vec![ProofMethod::RecoveryCode, ProofMethod::Passkey];
    let refusal = Refusal::ProofRequired { methods: demanded };
    assert_eq!(world.refusal(owner, world.issue_command("{}")), refusal);
    assert_eq!(world.refusal(owner, step_up(1)), refusal);
    let (reply, proven) = prove(&world, owner, phone.typed(&world));
    assert!(is_session(&reply));
    world.issue(proven, "{}");
}

#[test]
fn other_keys_members_and_credentials_are_refused_and_counted() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    let [phone, stick, unknown] = [1, 2, 3].map(Authenticator::new);
    add(&world, owner, &phone, "Phone");
    add(&world, admin, &stick, "Stick");
    let by_another_key =
        || PresentedPasskey { credential: phone.credential.clone(), ..stick.present(&world) };
    let in_the_name_of_another =
        || PresentedPasskey { member: Some(admin.member), ..phone.present(&world) };
    let bad = [
        stick.present(&world),
        unknown.present(&world),
        by_another_key(),
        in_the_name_of_another(),
        PresentedPasskey { signed: Digest::of(b"other"), ..phone.present(&world) },
        PresentedPasskey { signature: BinaryText::new(vec![]), ..phone.present(&world) },
    ];
    for (place, passkey) in bad.iter().enumerate() {
        assert_eq!(signed_in(&world, owner.member, passkey.clone()), refused(), "{place}");
    }
    // A stranger uses up no tries of the member.
    assert_eq!(world.count("factor_try"), 0);
    let open = challenge(&world, owner);
    for (left, passkey) in (1..5).rev().zip(&bad) {
        let typed = TypedFactor::Passkey(passkey.clone());
        assert_eq!(tries_left(answered(&world, open, typed)), left);
    }
    assert_eq!(tries_left(prove(&world, owner, unknown.typed(&world)).0), 25);
    assert_eq!(tries_left(answered(&world, open, unknown.typed(&world))), 0);
    assert!(over(&answered(&world, open, phone.typed(&world))), "five tries of a challenge");
    for left in (0..24).rev() {
        assert_eq!(tries_left(prove(&world, owner, unknown.typed(&world)).0), left);
    }
    // A signature cannot be guessed: the right passkey works beyond the limit of refused codes.
    let refused_beyond = prove(&world, owner, unknown.typed(&world)).0;
    assert!(matches!(refused_beyond, LedgerReply::Refused(Refusal::FactorRefused { .. })));
    let (proven, owner) = prove(&world, owner, phone.typed(&world));
    assert!(is_session(&proven));
    assert!(is_session(&signed_in(&world, owner.member, phone.present(&world))));
}

#[test]
fn a_counter_that_goes_back_is_a_copy_which_is_refused_and_mailed_once() {
    let (world, owner) = World::open();
    let stick = Authenticator::new(1);
    add(&world, owner, &stick, "Stick");
    stick.counter.set(7);
    assert!(is_session(&signed_in(&world, owner.member, stick.present(&world))));
    mailed(&world);
    for (before, counter) in (0..).zip([7, 6, 0]) {
        stick.counter.set(counter);
        let copy = stick.present(&world);
        let cloned = LedgerReply::Refused(Refusal::PasskeyCloned);
        assert_eq!(signed_in(&world, owner.member, copy.clone()), cloned, "{counter}");
        let cloned = (FactorChange::PasskeyCloned, MEI.to_owned(), 0, None);
        assert_eq!(mailed(&world), [cloned]);
        let rows = "audit WHERE action = 'refuse_clone' AND after LIKE '%Stick%'";
        assert_eq!(world.count(rows), before + 1);
        // A replay is refused, and says nothing new.
        assert_eq!(signed_in(&world, owner.member, copy), refused());
        assert_eq!(mailed(&world), []);
    }
    let open = challenge(&world, owner);
    assert_eq!(tries_left(answered(&world, open, stick.typed(&world))), 4);
    assert_eq!(mailed(&world).len(), 1);
    stick.counter.set(8);
    assert!(is_session(&answered(&world, open, stick.typed(&world))));
}

#[test]
fn an_app_and_passkeys_stand_beside_each_other() {
    let (world, owner) = World::open();
    let codes = enrol(&world, owner);
    let phone = Authenticator::new(1);
    mailed(&world);
    let first = factors_of(world.ask(owner, add_command(&world, owner, &phone, "Phone")));
    assert!(!first.draws_codes, "the codes stay those of before");
    assert_eq!(mailed(&world), [(FactorChange::PasskeyAdded, MEI.into(), 10, None)]);
    let off = || factors(FactorsCommand::TurnOffTotp);
    let view = factors_of(world.ask(owner, off()));
    assert_eq!((view.totp_since, view.passkeys.len(), view.recovery_codes_left), (None, 1, 10));
    assert!(has_factor(&world, owner.member));
    assert_eq!(mailed(&world), [(FactorChange::AppRemoved, MEI.into(), 10, None)]);
    assert_eq!(world.refusal(owner, off()), Refusal::NoFactor, "passkeys stay");
    world.ask(owner, begin(&world, owner.member));
    let confirmed = factors_of(world.ask(owner, confirm(&world, owner.member).1));
    assert!(!confirmed.draws_codes && confirmed.totp_since.is_some());
    assert_eq!(mailed(&world), [(FactorChange::AppAdded, MEI.into(), 10, None)]);
    let open = challenge(&world, owner);
    assert!(is_session(&answered(&world, open, recovery(&codes[0]))));
    assert_eq!(mailed(&world), [(FactorChange::CodeUsed, MEI.into(), 9, None)]);
    factors_of(world.ask(owner, remove(confirmed.passkeys[0].id)));
    assert_eq!(mailed(&world), [(FactorChange::PasskeyRemoved, MEI.into(), 9, None)]);
    assert!(has_factor(&world, owner.member), "the app stays");
    world.wait(STEP);
    assert!(is_session(&prove(&world, owner, totp(&world)).0));
}

#[test]
fn a_further_factor_needs_a_fresh_proof_by_one_and_has_a_bound() {
    let (world, owner) = World::open();
    let phone = Authenticator::new(1);
    world.wait(10 * MINUTE);
    let begin_passkey = || passkeys(PasskeyCommand::Begin);
    assert_eq!(world.refusal(owner, begin_passkey()), Refusal::StepUpRequired);
    assert_eq!(
        world.refusal(owner, add_command(&world, owner, &phone, "Phone")),
        Refusal::StepUpRequired
    );
    world.ask(owner, step_up(1));
    let id = add(&world, owner, &phone, "Phone");
    world.wait(10 * MINUTE);
    for command in [
        begin_passkey(),
        add_command(&world, owner, &Authenticator::new(2), "Stick"),
        begin(&world, owner.member),
        remove(id),
    ] {
        let refusal = world.refusal(owner, command);
        assert!(matches!(refusal, Refusal::ProofRequired { .. }), "{refusal:?}");
    }
    // A name changes without one.
    let rename = |id, name: &str| passkeys(PasskeyCommand::Rename { id, name: name.into() });
    let renamed = factors_of(world.ask(owner, rename(id, "Work phone")));
    assert_eq!(renamed.passkeys, state(&world, owner).passkeys);
    assert_eq!(renamed.passkeys[0].name, "Work phone");

    let (reply, owner) = prove(&world, owner, phone.typed(&world));
    assert!(is_session(&reply));
    let known = world.refusal(owner, add_command(&world, owner, &phone, "Again"));
    assert_eq!(known, Refusal::PasskeyIsKnown);
    let admin = world.join("admin", b'a');
    let known = world.refusal(admin, add_command(&world, admin, &phone, "Mine"));
    assert_eq!(known, Refusal::PasskeyIsKnown, "nor does another member have it");
    let other = add(&world, admin, &Authenticator::new(99), "Stick");
    for command in [remove(other), rename(other, "Mine")] {
        assert_eq!(world.refusal(owner, command), Refusal::NotFound);
    }
    for seed in 2..=10 {
        add(&world, owner, &Authenticator::new(seed), "Stick");
    }
    let full = Refusal::TooManyPasskeys { max: 10 };
    assert_eq!(world.refusal(owner, begin_passkey()), full);
    let eleventh = add_command(&world, owner, &Authenticator::new(11), "Stick");
    assert_eq!(world.refusal(owner, eleventh), full);
}

#[test]
fn a_registration_is_accepted_once() {
    let (world, owner) = World::open();
    let phone = Authenticator::new(1);
    let (_, recovery) = draw(&world, owner.member);
    let passkey = phone.passkey(&world, "Phone");
    let add =
        || passkeys(PasskeyCommand::Add { passkey: passkey.clone(), recovery: recovery.clone() });
    let id = factors_of(world.ask(owner, add())).passkeys[0].id;
    assert_eq!(world.refusal(owner, add()), Refusal::PasskeyIsKnown);
    world.ask(owner, remove(id));
    assert_eq!(world.refusal(owner, add()), Refusal::PasskeyChallengeOver);
}

#[test]
fn a_removed_or_reset_member_leaves_no_passkey_behind() {
    let (world, owner) = World::open();
    for (seed, command) in [
        (b'a', MembersCommand::Leave),
        (b'b', MembersCommand::Remove { member: crate::world::member_id(b'b') }),
    ] {
        let member = world.join("admin", seed);
        let phone = Authenticator::new(seed);
        add(&world, member, &phone, "Phone");
        let by = if matches!(command, MembersCommand::Leave) { member } else { owner };
        assert_eq!(world.ask(by, Command::Members { members: command }), LedgerReply::Done);
        assert_eq!(world.count("passkey"), 0);
        assert_eq!(signed_in(&world, member.member, phone.present(&world)), refused());
    }
    let viewer = world.join("viewer", b'v');
    let phone = Authenticator::new(1);
    add(&world, viewer, &phone, "Phone");
    mailed(&world);
    let reset = factors(FactorsCommand::Reset { member: viewer.member });
    factors_of(world.ask(owner, reset));
    assert_eq!(signed_in(&world, viewer.member, phone.present(&world)), refused());
    assert!(matches!(mailed(&world).as_slice(), [(FactorChange::Reset, ..)]));
    // Nor is there a member of that ID.
    let nobody = crate::world::member_id(b'z');
    assert_eq!(signed_in(&world, nobody, phone.present(&world)), refused());
}

#[test]
fn a_passkey_survives_a_change_of_the_password_and_hours() {
    let (world, owner) = World::open();
    let phone = Authenticator::new(1);
    add(&world, owner, &phone, "Phone");
    assert!(matches!(
        world.handle(sign_in_request(&world, owner, 2, false).0).unwrap(),
        LedgerReply::Challenged { .. }
    ));
    world.wait(30 * HOUR);
    assert!(is_session(&signed_in(&world, owner.member, phone.present(&world))));
}
