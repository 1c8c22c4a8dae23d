//! Second factors: enrolment, codes that work once, recovery codes, and what ends them.

use claviger_control::ledger::factors::has_second_factor;
use claviger_control::ledger::ledger::Ledger;
use claviger_control::objects::object::{DurableObject, Entropy};
use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::command::Command;
use claviger_control::protocol::effect::Effect;
use claviger_control::protocol::encryption;
use claviger_control::protocol::envelope::{FactorChange, Letter};
use claviger_control::protocol::factors::{FactorsCommand, FactorsView, TypedFactor};
use claviger_control::protocol::identity::{NewChallenge, NewSession};
use claviger_control::protocol::ledger::{
    ChallengeAnswer, LedgerReply, LedgerRequest, SessionProof,
};
use claviger_control::protocol::member::{AddressVersion, SecretVersion};
use claviger_control::protocol::members::MembersCommand;
use claviger_control::protocol::proof::ProofMethod;
use claviger_control::protocol::recovery::{NewRecoveryCodes, RecoveryCode};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::totp::{Seed, TimeStep, seed_associated_data};
use claviger_core::base::id::MemberId;
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::UnixMs;

use crate::world::{Browser, HOUR, MINUTE, SECOND, START, World, member_id, step_up};

const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
pub const STEP: i64 = 30 * SECOND;

pub fn seed() -> Seed {
    Seed::parse(&SecretText::new(SEED.into())).unwrap()
}

/// The code of the app at this moment, or `drift` steps from it.
pub fn code_at(world: &World, drift: i64) -> SecretText {
    let step = TimeStep(TimeStep::at(world.now()).0 + drift);
    SecretText::new(seed().code(step).to_string())
}

pub fn totp(world: &World) -> TypedFactor {
    TypedFactor::Totp(code_at(world, 0))
}

pub fn wrong() -> TypedFactor {
    // No step of these tests has this code.
    TypedFactor::Totp(SecretText::new("000000".into()))
}

pub fn recovery(code: &RecoveryCode) -> TypedFactor {
    TypedFactor::RecoveryCode(code.text())
}

pub fn factors(factors: FactorsCommand) -> Command {
    Command::Factors { factors }
}

pub fn begin(world: &World, member: MemberId) -> Command {
    let place = seed_associated_data(world.account, &member);
    let rng = &mut *world.rng.borrow_mut();
    let sealed = encryption::encrypt(&seed().text(), place, &world.master, rng).unwrap();
    factors(FactorsCommand::BeginTotp { sealed })
}

pub fn draw(world: &World, member: MemberId) -> (Vec<RecoveryCode>, NewRecoveryCodes) {
    let rng = &mut *world.rng.borrow_mut();
    NewRecoveryCodes::draw(world.account, member, &world.master, rng)
}

pub fn confirm(world: &World, member: MemberId) -> (Vec<RecoveryCode>, Command) {
    let (codes, recovery) = draw(world, member);
    let code = code_at(world, 0);
    (codes, factors(FactorsCommand::ConfirmTotp { code, recovery }))
}

/// Turns the app of a member on, and waits until its next code.
pub fn enrol(world: &World, browser: Browser) -> Vec<RecoveryCode> {
    let begun = world.ask(browser, begin(world, browser.member));
    assert!(matches!(begun, LedgerReply::Factors(_)), "{begun:?}");
    let (codes, confirm) = confirm(world, browser.member);
    let on = world.ask(browser, confirm);
    assert!(matches!(on, LedgerReply::Factors(_)), "{on:?}");
    world.wait(STEP);
    codes
}

/// A sign-in with the right password, by an admin Worker that knows challenges.
pub fn sign_in_request(
    world: &World,
    browser: Browser,
    version: u32,
    switches: bool,
) -> (LedgerRequest, SessionProof) {
    let (session, _) = world.draw_session();
    let (_, proof) = world.draw_session();
    let challenge = Some(NewChallenge { id: proof.id, digest: proof.digest });
    let email = world.sql.aside(|| {
        let row = Statement::new("SELECT email FROM member WHERE id = ?");
        let row = row.bind(browser.member.as_str());
        Email::parse(&world.sql.first(&row).unwrap().unwrap().text().unwrap()).unwrap()
    });
    let request = LedgerRequest::SignIn {
        member: browser.member,
        email,
        secret_version: SecretVersion(version),
        session: NewSession { challenge, ..session },
        address: Some("203.0.113.7".into()),
        confirmed: true,
        switches,
        address_version: AddressVersion::default(),
    };
    (request, proof)
}

pub fn challenge(world: &World, browser: Browser) -> SessionProof {
    let (request, challenge) = sign_in_request(world, browser, 1, false);
    let reply = world.handle(request).unwrap();
    assert!(matches!(reply, LedgerReply::Challenged { .. }), "{reply:?}");
    challenge
}

pub fn answer(
    world: &World,
    challenge: SessionProof,
    typed: TypedFactor,
) -> (LedgerRequest, SessionProof) {
    let (session, proof) = world.draw_session();
    let request = LedgerRequest::AnswerChallenge(ChallengeAnswer {
        challenge: challenge.id,
        digest: challenge.digest,
        typed,
        session,
        address: Some("203.0.113.7".into()),
    });
    (request, proof)
}

pub fn answered(world: &World, challenge: SessionProof, typed: TypedFactor) -> LedgerReply {
    world.handle(answer(world, challenge, typed).0).unwrap()
}

pub fn prove(world: &World, browser: Browser, typed: TypedFactor) -> (LedgerReply, Browser) {
    let (session, proof) = world.draw_session();
    let reply = world.ask(browser, Command::ProveFactor { typed, session });
    (reply, Browser { proof, ..browser })
}

pub fn is_session(reply: &LedgerReply) -> bool {
    matches!(reply, LedgerReply::Session(_))
}

pub fn tries_left(reply: LedgerReply) -> u32 {
    match reply {
        LedgerReply::Refused(Refusal::FactorRefused { tries_left }) => tries_left,
        other => panic!("not refused as a factor: {other:?}"),
    }
}

pub fn has_factor(world: &World, member: MemberId) -> bool {
    world.sql.aside(|| has_second_factor(&world.sql, member).unwrap())
}

pub fn state(world: &World, browser: Browser) -> FactorsView {
    match world.ask(browser, factors(FactorsCommand::Show)) {
        LedgerReply::Factors(view) => view,
        other => panic!("no factors: {other:?}"),
    }
}

pub fn over(reply: &LedgerReply) -> bool {
    *reply == LedgerReply::Refused(Refusal::ChallengeOver)
}

/// The changes of factors that were mailed, with the address, what is left, and who made them.
pub fn mailed(world: &World) -> Vec<(FactorChange, String, u32, Option<String>)> {
    let effects = std::iter::from_fn(|| world.next_effect());
    let mail = |effect| match effect {
        Effect::SendMail { envelope } => match envelope.letter.clone() {
            Letter::FactorsChanged { change, left, by, .. } => {
                Some((change, envelope.to.to_string(), left, by))
            }
            _ => None,
        },
        _ => None,
    };
    effects.filter_map(mail).collect()
}

#[test]
fn s01_an_app_is_on_only_after_a_right_code_of_it() {
    let (world, owner) = World::open();
    assert_eq!(state(&world, owner), FactorsView::default());
    world.ask(owner, begin(&world, owner.member));
    let pending_until = state(&world, owner).pending_until.unwrap();
    assert_eq!(pending_until.as_ms(), START + 10 * MINUTE);
    assert!(!has_factor(&world, owner.member), "a seed alone is no factor");
    assert!(is_session(&world.handle(sign_in_request(&world, owner, 1, false).0).unwrap()));

    let (_, recovery) = draw(&world, owner.member);
    let guess = FactorsCommand::ConfirmTotp { code: SecretText::new("000000".into()), recovery };
    assert_eq!(tries_left(world.ask(owner, factors(guess))), 29);
    assert!(!has_factor(&world, owner.member));
    let (codes, confirm) = confirm(&world, owner.member);
    assert_eq!(codes.len(), 10);
    assert!(matches!(world.ask(owner, confirm), LedgerReply::Factors(_)));
    assert!(has_factor(&world, owner.member));
    let on = state(&world, owner);
    assert_eq!((on.totp_since, on.recovery_codes_left), (Some(world.now()), 10));
    assert_eq!(on.pending_until, None);
    let begin = begin(&world, owner.member);
    assert_eq!(world.refusal(owner, begin), Refusal::FactorIsOn, "none replaces it unproven");
    let email = "mei@example.jp".to_owned();
    assert_eq!(mailed(&world), [(FactorChange::TurnedOn, email, 10, None)]);
}

#[test]
fn a_seed_that_no_code_confirms_in_time_counts_for_nothing() {
    let (world, owner) = World::open();
    let confirm_now = || world.refusal(owner, confirm(&world, owner.member).1);
    assert_eq!(confirm_now(), Refusal::NoFactor, "none was begun");
    world.ask(owner, begin(&world, owner.member));
    world.wait(10 * MINUTE);
    world.ask(owner, step_up(1));
    assert_eq!(confirm_now(), Refusal::NoFactor);
    world.ask(owner, begin(&world, owner.member));
    assert!(matches!(world.ask(owner, confirm(&world, owner.member).1), LedgerReply::Factors(_)));
}

#[test]
fn turning_an_app_on_needs_a_fresh_proof_and_ends_the_other_sessions() {
    let (world, owner) = World::open();
    let other = world.sign_in(owner.member);
    let viewer = world.join("viewer", b'v');
    enrol(&world, owner);
    assert_eq!(world.refusal(other, Command::Show), Refusal::NotSignedIn);
    assert!(is_session(&world.ask(viewer, Command::Show)));
    // Every role may; none without a proof.
    world.wait(10 * MINUTE);
    assert_eq!(world.refusal(viewer, begin(&world, viewer.member)), Refusal::StepUpRequired);
    world.ask(viewer, step_up(1));
    enrol(&world, viewer);
    assert!(has_factor(&world, viewer.member));
}

#[test]
fn a_code_works_once_wherever_it_is_used() {
    let (world, owner) = World::open();
    world.ask(owner, begin(&world, owner.member));
    let (_, confirm) = confirm(&world, owner.member);
    world.ask(owner, confirm);
    let first = challenge(&world, owner);
    assert_eq!(tries_left(answered(&world, first, totp(&world))), 4, "the code of the enrolment");
    world.wait(STEP);
    let second = challenge(&world, owner);
    assert!(is_session(&answered(&world, first, totp(&world))));
    // Parallel requests reach the ledger one after the other: one of them is accepted.
    assert_eq!(tries_left(answered(&world, second, totp(&world))), 4);
    assert_eq!(tries_left(prove(&world, owner, totp(&world)).0), 27);
    // One step of drift either way; then no earlier code works.
    let ahead = TypedFactor::Totp(code_at(&world, 1));
    assert!(is_session(&answered(&world, second, ahead)));
    world.wait(STEP);
    assert_eq!(tries_left(prove(&world, owner, totp(&world)).0), 26);
    world.wait(2 * STEP);
    let behind = TypedFactor::Totp(code_at(&world, -1));
    let (reply, owner) = prove(&world, owner, behind);
    assert!(is_session(&reply));
    let farther = TypedFactor::Totp(code_at(&world, 2));
    assert_eq!(tries_left(prove(&world, owner, farther).0), 25);
}

#[test]
fn parallel_confirmations_turn_an_app_on_once() {
    let (world, owner) = World::open();
    world.ask(owner, begin(&world, owner.member));
    let [(_, first), (_, second)] = [(); 2].map(|()| confirm(&world, owner.member));
    assert!(matches!(world.ask(owner, first), LedgerReply::Factors(_)));
    assert_eq!(world.refusal(owner, second), Refusal::FactorIsOn);
    assert_eq!(world.count("recovery_code"), 10);
}

#[test]
fn refused_codes_have_one_budget_across_challenges_and_sessions() {
    let (world, owner) = World::open();
    let codes = enrol(&world, owner);
    // Five of each challenge; a challenge that has none left is over.
    for round in 0..5 {
        let challenge = challenge(&world, owner);
        for left in (0..5).rev() {
            assert_eq!(tries_left(answered(&world, challenge, wrong())), left, "{round}");
        }
        assert!(over(&answered(&world, challenge, totp(&world))));
    }
    for left in (0..5).rev() {
        assert_eq!(tries_left(prove(&world, owner, wrong()).0), left);
    }
    // No code of the app is compared any more, right or wrong.
    let until = UnixMs::from_ms(world.now().as_ms() + 24 * HOUR);
    let fresh = challenge(&world, owner);
    let too_many = LedgerReply::Refused(Refusal::TooManyFactorTries { until });
    for typed in [totp(&world), wrong()] {
        assert_eq!(answered(&world, fresh, typed), too_many);
    }
    // A recovery code cannot be guessed. A wrong one counts for its challenge, and adds no row.
    let rows = "audit WHERE action = 'refuse_factor'";
    assert_eq!(world.count(rows), 30);
    let random = || recovery(&RecoveryCode::draw(&mut *world.rng.borrow_mut()));
    for left in (0..5).rev() {
        assert_eq!(tries_left(answered(&world, fresh, random())), left);
    }
    let next = challenge(&world, owner);
    assert!(over(&answered(&world, fresh, recovery(&codes[0]))));
    assert_eq!(world.count(rows), 30);
    assert!(is_session(&answered(&world, next, recovery(&codes[0]))));
    assert_eq!(state(&world, owner).recovery_codes_left, 9);
    world.wait(24 * HOUR);
    let later = challenge(&world, owner);
    assert!(is_session(&answered(&world, later, totp(&world))));
}

#[test]
fn a_recovery_code_works_once_for_its_member_and_is_mailed() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    let codes = enrol(&world, owner);
    let of_admin = enrol(&world, admin);
    mailed(&world);
    let open = challenge(&world, owner);
    assert_eq!(tries_left(answered(&world, open, recovery(&of_admin[0]))), 4);
    assert!(is_session(&answered(&world, open, recovery(&codes[3]))));
    world.wait(1);
    let (reply, owner) = prove(&world, owner, recovery(&codes[4]));
    assert!(is_session(&reply));
    for used in [3, 4] {
        assert!(matches!(
            prove(&world, owner, recovery(&codes[used])).0,
            LedgerReply::Refused(Refusal::FactorRefused { .. })
        ));
    }
    assert_eq!(state(&world, owner).recovery_codes_left, 8);
    assert_eq!(state(&world, admin).recovery_codes_left, 10);
    let mail = |left| (FactorChange::CodeUsed, "mei@example.jp".to_owned(), left, None);
    assert_eq!(mailed(&world), [mail(9), mail(8)]);

    let (renewed, recovery_codes) = draw(&world, owner.member);
    let renew = FactorsCommand::RenewRecoveryCodes { recovery: recovery_codes };
    assert!(matches!(world.ask(owner, factors(renew)), LedgerReply::Factors(_)));
    assert_eq!(state(&world, owner).recovery_codes_left, 10);
    let renewal = (FactorChange::CodesRenewed, "mei@example.jp".to_owned(), 10, None);
    assert_eq!(mailed(&world), [renewal]);
    assert!(matches!(
        prove(&world, owner, recovery(&codes[5])).0,
        LedgerReply::Refused(Refusal::FactorRefused { .. })
    ));
    assert!(is_session(&prove(&world, owner, recovery(&renewed[5])).0));
}

/// A change of the password goes on with a new session, whose factor the admin Worker has seen
/// proven a moment ago.
#[test]
fn a_password_is_no_fresh_proof_of_a_member_with_a_factor() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    let demanded =
        Refusal::ProofRequired { methods: vec![ProofMethod::Totp, ProofMethod::RecoveryCode] };
    // Nothing but the row changes: the session began with a password, which was fresh.
    let second = world.sign_in(owner.member);
    world.ask(second, begin(&world, owner.member));
    let text = "UPDATE totp SET confirmed_at_ms = 0 WHERE member = 'ooooooooooo'";
    world.sql.apply(&[Statement::new(text)]).unwrap();
    assert_eq!(world.refusal(owner, world.issue_command("{}")), demanded);
    let LedgerReply::Session(view) = world.ask(owner, Command::Show) else { panic!() };
    assert!(view.mfa && view.step_up_until <= world.now(), "the console asks beforehand");
    for command in [
        step_up(1),
        Command::StepUp { secret_version: SecretVersion(1), confirmed: true, session: None },
        factors(FactorsCommand::TurnOffTotp),
        factors(FactorsCommand::RenewRecoveryCodes { recovery: draw(&world, owner.member).1 }),
        factors(FactorsCommand::Reset { member: admin.member }),
    ] {
        assert_eq!(world.refusal(owner, command.clone()), demanded, "{command:?}");
    }
    // The factor is one, for ten minutes, and the copy of the cookie proves nothing.
    let (reply, proven) = prove(&world, owner, totp(&world));
    assert!(is_session(&reply));
    assert_eq!(world.refusal(owner, Command::Show), Refusal::NotSignedIn);
    world.issue(proven, "{}");
    world.wait(10 * MINUTE);
    assert_eq!(world.refusal(proven, world.issue_command("{}")), demanded);
    // Who has none proves by password, and by nothing else.
    assert_eq!(prove(&world, admin, totp(&world)).0, LedgerReply::Refused(Refusal::NoFactor));
    assert_eq!(world.refusal(admin, world.issue_command("{}")), Refusal::StepUpRequired);
}

#[test]
fn turning_off_ends_codes_and_challenges_and_is_mailed() {
    let (world, owner) = World::open();
    let turn_off = || factors(FactorsCommand::TurnOffTotp);
    assert_eq!(world.refusal(owner, turn_off()), Refusal::NoFactor);
    enrol(&world, owner);
    mailed(&world);
    assert!(matches!(world.ask(owner, turn_off()), LedgerReply::Factors(_)));
    assert!(!has_factor(&world, owner.member));
    for table in ["totp", "recovery_code", "factor_try", "challenge"] {
        assert_eq!(world.count(table), 0, "{table}");
    }
    assert_eq!(mailed(&world), [(FactorChange::TurnedOff, "mei@example.jp".into(), 0, None)]);
    assert!(is_session(&world.handle(sign_in_request(&world, owner, 1, false).0).unwrap()));
}

#[test]
fn an_owner_resets_the_factors_of_a_member_who_lost_them() {
    let (world, owner) = World::open();
    let [admin, viewer] =
        [("admin", b'a'), ("viewer", b'v')].map(|(role, id)| world.join(role, id));
    enrol(&world, viewer);
    let reset = |member| factors(FactorsCommand::Reset { member });
    assert_eq!(world.refusal(admin, reset(viewer.member)), Refusal::NotPermitted);
    assert_eq!(world.refusal(owner, reset(member_id(b'z'))), Refusal::NotFound);
    assert_eq!(world.refusal(owner, reset(admin.member)), Refusal::NoFactor);
    mailed(&world);
    assert_eq!(
        world.ask(owner, reset(viewer.member)),
        LedgerReply::Factors(FactorsView::default())
    );
    assert_eq!(world.refusal(viewer, Command::Show), Refusal::NotSignedIn);
    let by = Some("Mei Tanaka".to_owned());
    assert_eq!(mailed(&world), [(FactorChange::Reset, "v@example.jp".into(), 0, by)]);
    world.sign_in(viewer.member);
    // Without a fresh proof, not even an owner may.
    enrol(&world, world.sign_in(viewer.member));
    world.wait(10 * MINUTE);
    assert_eq!(world.refusal(owner, reset(viewer.member)), Refusal::StepUpRequired);
}

#[test]
fn owners_see_who_has_a_factor_and_others_see_their_own() {
    let (world, owner) = World::open();
    let viewer = world.join("viewer", b'v');
    enrol(&world, viewer);
    let seen = |browser| {
        let list = world.ask(browser, Command::Members { members: MembersCommand::List });
        let LedgerReply::Members(list) = list else { panic!("{list:?}") };
        list.members.iter().map(|member| (member.id, member.mfa)).collect::<Vec<_>>()
    };
    let mut by_owner = seen(owner);
    by_owner.sort_by_key(|(id, _)| *id == viewer.member);
    assert_eq!(by_owner, [(owner.member, Some(false)), (viewer.member, Some(true))]);
    let mut by_viewer = seen(viewer);
    by_viewer.sort_by_key(|(id, _)| *id == viewer.member);
    assert_eq!(by_viewer, [(owner.member, None), (viewer.member, Some(true))]);
}

#[test]
fn a_removed_member_leaves_no_factor_behind() {
    let (world, owner) = World::open();
    for (seed, leaves) in [(b'a', false), (b'b', true)] {
        let member = world.join("admin", seed);
        enrol(&world, member);
        prove(&world, member, wrong());
        challenge(&world, member);
        let (by, members) = match leaves {
            true => (member, MembersCommand::Leave),
            false => (owner, MembersCommand::Remove { member: member.member }),
        };
        assert_eq!(world.ask(by, Command::Members { members }), LedgerReply::Done);
        for table in ["totp", "recovery_code", "factor_try", "challenge"] {
            assert_eq!(world.count(table), 0, "{table}");
        }
    }
}

#[test]
fn a_seed_works_in_its_own_row_alone_and_only_with_the_master_secrets() {
    let (world, owner) = World::open();
    let admin = world.join("admin", b'a');
    enrol(&world, owner);
    let (session, _) = world.draw_session();
    let command = Command::ProveFactor { typed: totp(&world), session };
    let request = LedgerRequest::Console { session: owner.proof, address: None, command };
    let blind = Ledger::new(&world.sql).handle(request, world.now(), &Entropy([0; 32])).unwrap();
    tries_left(blind);
    let text =
        "INSERT INTO totp SELECT 'aaaaaaaaaaa', sealed, begun_at_ms, confirmed_at_ms, 0 FROM totp";
    world.sql.apply(&[Statement::new(text)]).unwrap();
    assert_eq!(tries_left(prove(&world, admin, totp(&world)).0), 29);
    assert!(is_session(&prove(&world, owner, totp(&world)).0));
}

#[test]
fn neither_seed_nor_code_stands_anywhere_in_the_database_or_in_a_debug_text() {
    let (world, owner) = World::open();
    let codes = enrol(&world, owner);
    let typed = totp(&world);
    let TypedFactor::Totp(code) = &typed else { panic!() };
    let mut secrets = vec![SEED.to_owned(), code.expose().to_owned()];
    secrets.extend(codes.iter().map(|code| code.text().expose().to_owned()));
    secrets.extend(codes.iter().map(|code| code.text().expose().replace('-', "")));
    let (request, _) = answer(&world, challenge(&world, owner), typed.clone());
    let mut texts = vec![format!("{request:?} {:?}", begin(&world, owner.member))];
    world.handle(request).unwrap();
    prove(&world, owner, recovery(&codes[0]));
    prove(&world, owner, wrong());
    texts.push(format!("{:?}", mailed(&world)));
    world.sql.aside(|| {
        for (table, columns) in [
            ("totp", "member || sealed"),
            ("recovery_code", "hex(mac) || generation"),
            ("audit", "ifnull(before, '') || ifnull(after, '') || action"),
            ("mail", "letter || ifnull(sealed, '')"),
            ("challenge", "id || hex(digest)"),
            ("session", "id || hex(digest) || proven_by"),
        ] {
            let all = Statement::new(format!("SELECT {columns} FROM {table}"));
            texts.extend(world.sql.read_all(&all, |mut row| row.text()).unwrap());
        }
    });
    for text in texts {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{text}");
        }
    }
}
