//! Proofs of identity: what a policy demands of each class of actions, and mailed codes.

use claviger_control::ledger::deletion::{CODE_LIFE, CODES_PER_DAY, DAY};
use claviger_control::ledger::email_code::TRIES_MAX;
use claviger_control::ledger::factors::REFUSED;
use claviger_control::objects::sql::{Sql, SqlExt, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::draft::field::FieldError;
use claviger_control::protocol::envelope::Letter;
use claviger_control::protocol::identity::MailedCode;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::member::Role;
use claviger_control::protocol::members::MembersCommand;
use claviger_control::protocol::operator::OperatorCommand;
use claviger_control::protocol::policy::{PolicyEffect, PolicyEffectKind, PolicyPreview};
use claviger_control::protocol::proof::ProofMethod;
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::service::ServiceCommand;

use crate::deletion::{deliver, next_mail};
use crate::factors::{enrol, is_session, prove, totp, wrong};
use crate::policy::{changes, set};
use crate::world::{Browser, HOUR, MINUTE, START_TIME, World, mac, new_code, step_up};

use ProofMethod::{EmailCode, Passkey, Password, RecoveryCode, Totp};

const BY_CODE: &str = r#"{"proofs":{"change_keys":"email_code"}}"#;

fn mail(world: &World, browser: Browser, code: &str) -> LedgerReply {
    world.ask(browser, Command::MailProofCode { code: new_code(code) })
}

fn prove_code(world: &World, browser: Browser, code: &str) -> (LedgerReply, Browser) {
    let (session, proof) = world.draw_session();
    let reply = world.ask(browser, Command::ProveCode { mac: mac(code), session });
    (reply, Browser { proof, ..browser })
}

fn refused(reply: LedgerReply) -> Refusal {
    match reply {
        LedgerReply::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// Asks for an action of each class, and returns which proof each wants; `None`: it was done.
fn wanted(world: &World, browser: Browser) -> Vec<Option<Vec<ProofMethod>>> {
    let account = world.account;
    let show = Command::Service { service: ServiceCommand::Reveal };
    let invite = MembersCommand::EndSessions { member: browser.member };
    assert!(matches!(world.ask(browser, Command::Members { members: invite }), LedgerReply::Done));
    let role = MembersCommand::ChangeRole {
        member: browser.member,
        role: Role::Admin,
        expected: Role::Owner,
    };
    let rename = MembersCommand::EditAccount { name: Some("Other".into()), zone: None };
    let operation = OperatorCommand::Rebuild { account };
    let ceiling = crate::service::set_ceiling(world, browser, r#"{"longest":"1d"}"#);
    [
        world.issue_command("{}"),
        show,
        Command::Service { service: ceiling },
        Command::Members { members: role },
        Command::Members { members: rename },
        Command::Operate { operation },
    ]
    .into_iter()
    .map(|command| match world.ask(browser, command) {
        LedgerReply::Refused(Refusal::StepUpRequired) => Some(vec![Password]),
        LedgerReply::Refused(Refusal::ProofRequired { methods }) => Some(methods),
        _ => None,
    })
    .collect()
}

#[test]
fn each_class_of_actions_wants_the_proof_that_the_policy_demands() {
    let (world, owner) = World::open();
    world.wait(HOUR);
    assert_eq!(wanted(&world, owner), vec![Some(vec![Password]); 6], "as long as nothing is set");
    set(
        &world,
        r#"{"proofs":{"change_keys":"email_code","show_secrets":"totp","change_service":"passkey",
            "manage_members":"none","change_account":"none","operate":"email_code"}}"#,
    );
    let factors = Some(vec![Totp, RecoveryCode, Passkey]);
    let mailed = Some(vec![EmailCode]);
    let expected =
        [mailed.clone(), factors.clone(), Some(vec![Passkey]), None, None, mailed.clone()];
    assert_eq!(wanted(&world, owner), expected);
    // A fresh password proves nothing where something else is demanded.
    assert!(is_session(&world.ask(owner, step_up(1))));
    assert_eq!(wanted(&world, owner), expected);

    // A member with a factor proves their identity by it, also where a code would do.
    enrol(&world, owner);
    world.wait(HOUR);
    assert!(is_session(&world.ask(owner, Command::Show)));
    let own = Some(vec![Totp, RecoveryCode]);
    let expected = [own.clone(), own.clone(), Some(vec![Passkey]), None, None, own];
    assert_eq!(wanted(&world, owner), expected);
    let (proven, owner) = prove(&world, owner, totp(&world));
    assert!(is_session(&proven));
    let expected = [None, None, Some(vec![Passkey]), None, None, None];
    assert_eq!(wanted(&world, owner), expected);
}

#[test]
fn a_role_is_checked_before_a_proof_and_no_demand_widens_one() {
    let (world, owner) = World::open();
    let viewer = world.join("viewer", b'v');
    set(&world, r#"{"proofs":{"change_keys":"none","manage_members":"none"}}"#);
    assert_eq!(world.refusal(viewer, world.issue_command("{}")), Refusal::NotPermitted);
    let role = MembersCommand::ChangeRole {
        member: owner.member,
        role: Role::Viewer,
        expected: Role::Owner,
    };
    assert_eq!(world.refusal(viewer, Command::Members { members: role }), Refusal::NotPermitted);
}

#[test]
fn a_mailed_code_proves_the_identity_once_and_replaces_the_session() {
    let (world, owner) = World::open();
    set(&world, BY_CODE);
    deliver(&world);
    let LedgerReply::CodeMailed(MailedCode { sent_to, expires }) = mail(&world, owner, "first")
    else {
        panic!("no code")
    };
    assert_eq!(sent_to.as_str(), "mei@example.jp");
    assert_eq!(expires, START_TIME.saturating_add(CODE_LIFE));
    let (_, envelope) = next_mail(&world).unwrap();
    assert!(matches!(&envelope.letter, Letter::ProofCode { until, .. } if *until == expires));
    assert_eq!((envelope.to, envelope.sealed), (sent_to, Some(new_code("first").sealed)));

    let (reply, proven) = prove_code(&world, owner, "first");
    let LedgerReply::Session(view) = reply else { panic!("{reply:?}") };
    assert_eq!(view.proven_by, Some(EmailCode));
    assert_eq!(world.refusal(owner, Command::Show), Refusal::NotSignedIn, "the cookie before");
    world.issue(proven, "{}");
    assert_eq!(refused(prove_code(&world, proven, "first").0), Refusal::CodeOver, "used");
    world.wait(10 * MINUTE);
    let methods = vec![EmailCode];
    let issue = world.issue_command("{}");
    assert_eq!(world.refusal(proven, issue), Refusal::ProofRequired { methods });
    let row = "SELECT count(*) FROM audit WHERE action = 'step_up' AND after LIKE '%email_code%'";
    assert_eq!(world.sql.integer(&Statement::new(row)).unwrap(), 1);
}

#[test]
fn a_code_is_its_session_s_alone_and_ends_with_the_next_mail_and_after_ten_minutes() {
    let (world, owner) = World::open();
    set(&world, BY_CODE);
    let other = world.sign_in(owner.member);
    mail(&world, owner, "first");
    assert_eq!(refused(prove_code(&world, other, "first").0), Refusal::CodeOver);
    mail(&world, other, "others");
    assert!(matches!(
        refused(prove_code(&world, owner, "others").0),
        Refusal::FactorRefused { tries_left: 4 }
    ));
    mail(&world, owner, "second");
    assert_eq!(
        refused(prove_code(&world, owner, "first").0),
        Refusal::FactorRefused { tries_left: 4 },
        "ended by the second, which has its own tries"
    );
    world.wait(10 * MINUTE - 1);
    assert!(is_session(&prove_code(&world, other, "others").0), "at the last instant");
    world.wait(1);
    assert_eq!(refused(prove_code(&world, owner, "second").0), Refusal::CodeOver);
    mail(&world, owner, "third");
    assert_eq!(world.count("proof_code"), 1, "what is over is removed");
}

#[test]
fn tries_and_mails_have_a_limit_a_day_together_with_other_flows() {
    let (world, owner) = World::open();
    set(&world, BY_CODE);
    mail(&world, owner, "right");
    for left in (0..TRIES_MAX).rev() {
        let tried = refused(prove_code(&world, owner, "wrong").0);
        assert_eq!(tried, Refusal::FactorRefused { tries_left: left });
    }
    assert_eq!(refused(prove_code(&world, owner, "right").0), Refusal::CodeOver, "no try is left");
    let mut left = REFUSED.tries_max - TRIES_MAX;
    while left > 0 {
        mail(&world, owner, "right");
        for _ in 0..TRIES_MAX.min(left) {
            prove_code(&world, owner, "wrong");
            left -= 1;
        }
    }
    let until = world.now().saturating_add(REFUSED.window);
    let exhausted = Refusal::TooManyFactorTries { until };
    assert_eq!(refused(mail(&world, owner, "right")), exhausted, "it would be of no use");
    assert_eq!(refused(prove_code(&world, owner, "right").0), Refusal::CodeOver);
    let rows =
        "SELECT count(*) FROM audit WHERE action = 'refuse_factor' AND after LIKE '%email_code%'";
    assert_eq!(world.sql.integer(&Statement::new(rows)).unwrap(), i64::from(REFUSED.tries_max));

    // Codes of deletions and of proofs come out of one limit.
    let (world, owner) = World::open();
    set(&world, BY_CODE);
    for _ in 0..CODES_PER_DAY - 1 {
        assert!(matches!(mail(&world, owner, "code"), LedgerReply::CodeMailed(_)));
    }
    let (_, proven) = prove_code(&world, owner, "code");
    let key = world.issue(proven, "{}");
    let begin = || world.begin_deletion(&[key.id]).1;
    assert!(matches!(world.ask(proven, begin()), LedgerReply::Deletion(_)));
    let until = START_TIME.saturating_add(DAY);
    assert_eq!(world.refusal(proven, begin()), Refusal::TooManyCodes { until });
    assert_eq!(refused(mail(&world, proven, "code")), Refusal::TooManyCodes { until });
}

#[test]
fn a_code_is_mailed_only_where_it_would_prove_something() {
    let (world, owner) = World::open();
    assert_eq!(refused(mail(&world, owner, "code")), Refusal::StepUpRequired);
    assert_eq!(refused(prove_code(&world, owner, "code").0), Refusal::StepUpRequired);
    set(&world, BY_CODE);
    mail(&world, owner, "code");
    enrol(&world, owner);
    let methods = vec![Totp, RecoveryCode, Passkey];
    let instead = Refusal::ProofRequired { methods };
    assert_eq!(refused(mail(&world, owner, "code")), instead);
    assert_eq!(refused(prove_code(&world, owner, "code").0), instead, "mailed before the factor");
    assert!(is_session(&prove(&world, owner, totp(&world)).0));

    // An app that is demanded can still be set up.
    let (world, owner) = World::open();
    set(&world, r#"{"proofs":{"change_keys":"totp","manage_members":"passkey"}}"#);
    world.wait(HOUR);
    assert!(is_session(&world.ask(owner, step_up(1))));
    enrol(&world, owner);
    world.issue(owner, "{}");
    assert!(!is_session(&prove(&world, owner, wrong()).0));
}

#[test]
fn a_preview_names_who_must_set_up_a_factor_and_operating_always_needs_a_proof() {
    let (world, owner) = World::open();
    world.join("admin", b'a');
    enrol(&world, owner);
    let preview = |json| match world.handle(LedgerRequest::PreviewPolicy { changes: changes(json) })
    {
        Ok(LedgerReply::PolicyPreview(PolicyPreview { effects, .. })) => {
            let row = |effect: &PolicyEffect| (effect.kind, effect.names.join(", "));
            Ok(effects.iter().map(row).collect::<Vec<_>>())
        }
        Ok(LedgerReply::Refused(Refusal::Invalid { errors })) => Err(errors),
        other => panic!("{other:?}"),
    };
    let without = |names: &str| vec![(PolicyEffectKind::MembersWithoutProof, names.to_owned())];
    assert_eq!(preview(r#"{"proofs":{"show_secrets":"totp"}}"#), Ok(without("Member a")));
    assert_eq!(preview(r#"{"proofs":{"show_secrets":"email_code"}}"#), Ok(vec![]));
    set(&world, r#"{"proofs":{"show_secrets":"totp"}}"#);
    let again = r#"{"proofs":{"change_keys":"totp"}}"#;
    assert_eq!(preview(again), Ok(without("Member a")), "for another class");
    let passkey = r#"{"proofs":{"show_secrets":"passkey"}}"#;
    assert_eq!(preview(passkey), Ok(without("Mei Tanaka, Member a")), "an app is no passkey");
    set(&world, passkey);
    assert_eq!(preview(r#"{"proofs":{"show_secrets":"totp"}}"#), Ok(vec![]), "less than before");
    let detail = "operating other accounts needs a proof";
    let error = FieldError::new("proofs/operate", "proof_needed", detail);
    assert_eq!(preview(r#"{"proofs":{"operate":"none"}}"#), Err(vec![error]));
}

/// A policy that an earlier release has stored demands passwords.
#[test]
fn a_policy_without_demands_is_read_as_passwords() {
    let (world, owner) = World::open();
    set(&world, r#"{"longest_life":"1y"}"#);
    let drop = "UPDATE policy SET policy = json_remove(policy, '$.proofs')";
    world.sql.apply(&[Statement::new(drop)]).unwrap();
    world.wait(HOUR);
    assert_eq!(wanted(&world, owner)[0], Some(vec![Password]));
    let odd = "UPDATE policy SET policy = json_set(policy, '$.proofs', 'none')";
    world.sql.apply(&[Statement::new(odd)]).unwrap();
    assert_eq!(wanted(&world, owner)[0], Some(vec![Passkey]), "unreadable: the strictest");
}
