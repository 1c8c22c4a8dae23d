use std::cell::Cell;

use super::*;
use crate::objects::sql::sqlite::Sqlite;
use crate::protocol::master::tests::master;

const START: i64 = 1_800_000_000_000;
const MINUTES_10: i64 = 10 * 60 * 1_000;

/// A fast hash for tests that counts its calls.
#[derive(Default)]
struct Counted(Cell<u32>);

impl PasswordHash for Counted {
    fn hash(&self, password: &[u8], salt: &[u8; 16], pepper: &[u8; 32]) -> Option<[u8; 32]> {
        self.0.set(self.0.get() + 1);
        Some(claviger_core::credential::keyring::MacKey::new(pepper).mac(&[salt, password]))
    }
}

struct World {
    sql: Sqlite,
    master: MasterSecrets,
    hash: Counted,
    remembered: Rc<RefCell<RememberedSecrets>>,
    now: i64,
}

type User = (AccountId, KeyId);

fn user(id: &str) -> User {
    let id = KeyId::parse(id).unwrap();
    (id.account(), id)
}

fn app() -> User {
    user("aaaaaaaa7Hq0p2Zx9K")
}

fn other() -> User {
    user("bbbbbbbb7Hq0p2Zx9K")
}

fn chosen(text: &str) -> NewApiSecret {
    NewApiSecret::Chosen { text: SecretText::new(text.into()) }
}

impl World {
    fn new() -> Self {
        Self {
            sql: Sqlite::new(),
            master: master(),
            hash: Counted::default(),
            remembered: Rc::default(),
            now: START,
        }
    }

    fn object(&self) -> ApiName<'_> {
        let object = ApiName::new(&self.sql, &self.master, &self.hash);
        object.with_remembered(Rc::clone(&self.remembered))
    }

    fn now(&self) -> UnixMs {
        UnixMs::from_ms(self.now)
    }

    fn ask(&self, request: ApiNameRequest) -> String {
        let reply = self.object().handle(request, self.now(), &Entropy([9; 32])).unwrap();
        serde_json::to_string(&reply).unwrap()
    }

    fn stage(&self, (account, id): User, above: u64, secret: NewApiSecret) -> String {
        let (name, above) =
            (ApiUserName::parse("app@example.com").unwrap(), ApiSecretVersion(above));
        self.ask(ApiNameRequest::Claim { name, account, id, above, secret })
    }

    fn claim(&self, user: User, text: &str) -> String {
        self.stage(user, 0, chosen(text))
    }

    fn confirm(&self, (account, id): User, version: u64) -> String {
        self.ask(ApiNameRequest::Confirm { account, id, version: ApiSecretVersion(version) })
    }

    fn leave(&self, (account, id): User, through: u64) -> String {
        self.ask(ApiNameRequest::Leave { account, id, through: ApiSecretVersion(through) })
    }

    fn check(&self, text: &str) -> String {
        self.ask(ApiNameRequest::Check { secret: SecretText::new(text.into()) })
    }

    /// The number of slow hashes of a check.
    fn cost(&self, text: &str) -> u32 {
        let before = self.hash.0.get();
        self.check(text);
        self.hash.0.get() - before
    }

    /// Rings at `ms` after the start, and answers the question to the ledger.
    fn ring(&mut self, ms: i64, held: Option<(User, u64)>) -> bool {
        self.now = START + ms;
        let Some(effect) = self.object().next_effect(self.now()).unwrap() else { return false };
        let held =
            held.map(|((_, id), version)| HeldApiName { id, version: ApiSecretVersion(version) });
        let outcome = EffectOutcome::ApiNameHeld { held };
        self.object().settle(&effect, &outcome, self.now()).unwrap();
        true
    }

    fn due(&self) -> Option<i64> {
        self.object().next_due().unwrap().map(|at| at.as_ms() - START)
    }
}

fn claimed(version: u64) -> String {
    format!(r#"{{"reply":"claimed","version":{version}}}"#)
}

fn matches((_, id): User, version: u64) -> String {
    format!(r#"{{"reply":"matches","id":"{id}","version":{version}}}"#)
}

const REFUSED: &str = r#"{"reply":"refused"}"#;
const CONFIRMED: &str = r#"{"reply":"confirmed"}"#;
const NOT_HELD: &str = r#"{"reply":"not_held"}"#;
const WAITING: &str = r#"{"reply":"taken","holder":null}"#;

/// C02: the name is unique in the deployment.
#[test]
fn of_two_accounts_one_gets_the_name() {
    let world = World::new();
    assert_eq!(world.claim(app(), "Tr4ffic!"), claimed(1));
    assert_eq!(world.claim(other(), "0ther-key"), WAITING);
    assert_eq!(world.confirm(other(), 1), NOT_HELD);
    assert_eq!(world.leave(other(), 9), NOT_HELD);
    assert_eq!(world.confirm(app(), 1), CONFIRMED);
    assert_eq!(world.confirm(app(), 1), CONFIRMED);
    let holder = r#"{"reply":"taken","holder":{"account":"aaaaaaaa","id":"aaaaaaaa7Hq0p2Zx9K","version":1}}"#;
    assert_eq!(world.claim(other(), "0ther-key"), holder);
    assert_eq!(world.claim(user("aaaaaaaa00000000zz"), "0ther-key"), holder);
    assert_eq!(
        (world.check("Tr4ffic!"), world.check("0ther-key")),
        (matches(app(), 1), REFUSED.into())
    );
    // The holder's ledger no longer has the user.
    assert_eq!(world.leave(app(), 1), NOT_HELD);
    assert_eq!(world.claim(other(), "0ther-key"), claimed(1));
    assert_eq!(
        (world.check("Tr4ffic!"), world.check("0ther-key")),
        (REFUSED.into(), matches(other(), 1))
    );
}

/// Two members of an account create the same user: its ledger accepts one of them.
#[test]
fn of_two_creations_in_an_account_the_ledger_decides() {
    let mut world = World::new();
    let second = user("aaaaaaaa00000000zz");
    assert_eq!(world.claim(app(), "Tr4ffic!"), claimed(1));
    assert_eq!(world.claim(second, "0ther-key"), claimed(2));
    assert_eq!(world.confirm(app(), 1), CONFIRMED);
    assert_eq!(
        (world.check("0ther-key"), world.check("Tr4ffic!")),
        (REFUSED.into(), matches(app(), 1))
    );
    assert_eq!(world.due(), None);

    world = World::new();
    assert_eq!(world.claim(app(), "Tr4ffic!"), claimed(1));
    assert_eq!(world.claim(second, "0ther-key"), claimed(2));
    assert_eq!(world.confirm(second, 2), CONFIRMED);
    assert_eq!(
        (world.check("0ther-key"), world.check("Tr4ffic!")),
        (matches(second, 2), REFUSED.into())
    );
}

#[test]
fn a_claim_that_no_ledger_has_confirmed_is_asked_for_and_released() {
    let mut world = World::new();
    world.claim(app(), "Tr4ffic!");
    assert_eq!(world.due(), Some(MINUTES_10));
    assert!(!world.ring(MINUTES_10 - 1, None));
    assert!(world.ring(MINUTES_10, None));
    assert!(world.object().is_spent().unwrap());
    assert_eq!(world.check("Tr4ffic!"), REFUSED);
    assert_eq!(world.claim(other(), "0ther-key"), claimed(1));

    // The ledger has it, and its confirmation was lost.
    let mut world = World::new();
    world.claim(app(), "Tr4ffic!");
    assert!(world.ring(MINUTES_10, Some((app(), 1))));
    assert_eq!((world.due(), world.check("Tr4ffic!")), (None, matches(app(), 1)));
    assert_ne!(world.claim(other(), "0ther-key"), claimed(2));
}

#[test]
fn a_question_without_an_answer_is_asked_again() {
    let mut world = World::new();
    world.claim(app(), "Tr4ffic!");
    world.now += MINUTES_10;
    let effect = world.object().next_effect(world.now()).unwrap().unwrap();
    world.object().settle(&effect, &EffectOutcome::Failed, world.now()).unwrap();
    assert_eq!(world.due(), Some(MINUTES_10 + 1_000));
    assert_eq!(world.check("Tr4ffic!"), matches(app(), 1));
}

/// C13: a new secret ends the old one.
#[test]
fn a_new_secret_stands_beside_the_old_until_its_ledger_goes_by_it() {
    let mut world = World::new();
    world.claim(app(), "Tr4ffic!");
    world.confirm(app(), 1);
    assert_eq!(world.stage(app(), 1, chosen("N3w-traffic")), claimed(2));
    assert_eq!(
        (world.check("Tr4ffic!"), world.check("N3w-traffic")),
        (matches(app(), 1), matches(app(), 2))
    );
    // A late repetition of the first confirmation leaves the staged version.
    assert_eq!(world.confirm(app(), 1), CONFIRMED);
    assert_eq!(world.check("N3w-traffic"), matches(app(), 2));
    assert_eq!(world.confirm(app(), 2), CONFIRMED);
    assert_eq!(
        (world.check("Tr4ffic!"), world.check("N3w-traffic")),
        (REFUSED.into(), matches(app(), 2))
    );
    assert_eq!((world.confirm(app(), 1), world.due()), (NOT_HELD.into(), None));

    // A crash between staging and commit: the ledger still goes by version 2.
    world.stage(app(), 2, chosen("L0st-secret"));
    assert!(world.ring(MINUTES_10, Some((app(), 2))));
    assert_eq!(
        (world.check("L0st-secret"), world.check("N3w-traffic")),
        (REFUSED.into(), matches(app(), 2))
    );
    assert_eq!(world.due(), None);

    // The ledger refused the change.
    world.stage(app(), 2, chosen("L0st-secret"));
    let (account, id) = app();
    for version in [3, 2] {
        let version = ApiSecretVersion(version);
        assert_eq!(world.ask(ApiNameRequest::Withdraw { account, id, version }), NOT_HELD);
    }
    assert_eq!(
        (world.check("L0st-secret"), world.check("N3w-traffic")),
        (REFUSED.into(), matches(app(), 2))
    );
}

/// The answer is older than a version that was staged meanwhile.
#[test]
fn a_late_answer_removes_no_version_that_it_cannot_know() {
    let mut world = World::new();
    world.claim(app(), "Tr4ffic!");
    world.now += MINUTES_10;
    let effect = world.object().next_effect(world.now()).unwrap().unwrap();
    assert_eq!(world.claim(app(), "N3w-traffic"), claimed(2));
    let outcome = EffectOutcome::ApiNameHeld { held: None };
    world.object().settle(&effect, &outcome, world.now()).unwrap();
    assert_eq!(
        (world.check("Tr4ffic!"), world.check("N3w-traffic")),
        (REFUSED.into(), matches(app(), 2))
    );
    assert_eq!(world.due(), Some(2 * MINUTES_10));
}

/// A renamed user keeps the secret at the new name, and may come back to the old one.
#[test]
fn a_secret_moves_in_its_stored_form() {
    let (old, new) = (World::new(), World::new());
    for (text, secret) in [
        ("Tr4ffic!", chosen("Tr4ffic!")),
        (&*"a1".repeat(21), NewApiSecret::Generated { text: SecretText::new("a1".repeat(21)) }),
    ] {
        let above = if text == "Tr4ffic!" { 0 } else { 10 };
        let version = above + 1;
        assert_eq!(old.stage(app(), above, secret), claimed(version));
        let (account, id) = app();
        let export = |id| {
            old.object().handle(
                ApiNameRequest::Export { account, id, version: ApiSecretVersion(version) },
                old.now(),
                &Entropy([0; 32]),
            )
        };
        assert!(matches!(export(other().1), Ok(ApiNameReply::NotHeld)));
        let Ok(ApiNameReply::Exported { stored }) = export(id) else { panic!() };
        let moved = NewApiSecret::Moved { stored };
        assert_eq!(new.stage(app(), version, moved), claimed(version + 1));
        assert_eq!(new.check(text), matches(app(), version + 1));
        new.confirm(app(), version + 1);
    }
    // Back at the old name before it was left: the new version stays.
    let world = World::new();
    world.claim(app(), "Tr4ffic!");
    world.confirm(app(), 1);
    assert_eq!(world.stage(app(), 2, chosen("Tr4ffic!")), claimed(3));
    assert_eq!(world.leave(app(), 1), NOT_HELD);
    assert_eq!(world.confirm(app(), 3), CONFIRMED);
    assert_eq!(world.check("Tr4ffic!"), matches(app(), 3));
    let nonsense = NewApiSecret::Moved { stored: SecretText::new("plain".into()) };
    assert_eq!(world.stage(app(), 3, nonsense), r#"{"reply":"not_understood"}"#);
}

#[test]
fn an_unclaimed_name_costs_what_a_wrong_secret_does_and_stores_nothing() {
    let world = World::new();
    assert_eq!((world.check("Tr4ffic!"), world.cost("Tr4ffic!")), (REFUSED.into(), 1));
    assert!(!is_initialised(&world.sql).unwrap());
    let chosen_one = World::new();
    chosen_one.claim(app(), "Tr4ffic!");
    assert_eq!(chosen_one.cost("wr0ng-secret"), 1);
    let drawn = World::new();
    let text = SecretText::new("a1".repeat(21));
    drawn.stage(app(), 0, NewApiSecret::Generated { text });
    assert_eq!(drawn.cost("wr0ng-secret"), 1);
    assert_eq!(drawn.cost(&"a1".repeat(21)), 0, "a drawn secret needs no slow hash");
    for world in [&world, &chosen_one, &drawn] {
        for impossible in ["", "short1", "Tr4ffic!\0", "Tr4ffíc!!", &"a1".repeat(500_000)] {
            assert_eq!(world.cost(impossible), 0);
            assert_eq!(world.check(impossible), REFUSED);
        }
    }
}

#[test]
fn one_hash_serves_many_checks_until_the_versions_change() {
    let world = World::new();
    world.claim(app(), "Tr4ffic!");
    world.confirm(app(), 1);
    assert_eq!([world.cost("Tr4ffic!"), world.cost("Tr4ffic!"), world.cost("Tr4ffic!")], [1, 0, 0]);
    assert_eq!([world.cost("wr0ng-secret"), world.cost("wr0ng-secret")], [1, 1]);
    assert_eq!(world.cost("Tr4ffic!"), 0);
    world.stage(app(), 1, chosen("N3w-traffic"));
    assert_eq!(world.cost("Tr4ffic!"), 2, "one for each version");
    assert_eq!((world.cost("Tr4ffic!"), world.cost("N3w-traffic")), (0, 1));
    world.confirm(app(), 2);
    assert_eq!(world.check("Tr4ffic!"), REFUSED, "it is remembered no more");
    world.leave(app(), 2);
    assert_eq!(world.check("N3w-traffic"), REFUSED);
}

#[test]
fn versions_are_few_and_rise() {
    let world = World::new();
    for version in 1..=4 {
        assert_eq!(world.claim(app(), "Tr4ffic!"), claimed(version));
    }
    assert_eq!(world.claim(app(), "Tr4ffic!"), r#"{"reply":"busy"}"#);
    world.confirm(app(), 4);
    assert_eq!(world.stage(app(), 70, chosen("Tr4ffic!")), claimed(71));
}

#[test]
fn the_messages_are_pinned() {
    let (account, id) = app();
    let name = ApiUserName::parse("app@example.com").unwrap();
    let (above, version) = (ApiSecretVersion(1), ApiSecretVersion(2));
    let who = r#""account":"aaaaaaaa","id":"aaaaaaaa7Hq0p2Zx9K""#;
    for (request, json) in [
        (
            ApiNameRequest::Claim { name, account, id, above, secret: chosen("Tr4ffic!") },
            format!(
                r#"{{"ask":"claim","name":"app@example.com",{who},"above":1,"secret":{{"secret":"chosen","text":"Tr4ffic!"}}}}"#
            ),
        ),
        (
            ApiNameRequest::Confirm { account, id, version },
            format!(r#"{{"ask":"confirm",{who},"version":2}}"#),
        ),
        (
            ApiNameRequest::Withdraw { account, id, version },
            format!(r#"{{"ask":"withdraw",{who},"version":2}}"#),
        ),
        (
            ApiNameRequest::Leave { account, id, through: version },
            format!(r#"{{"ask":"leave",{who},"through":2}}"#),
        ),
        (
            ApiNameRequest::Export { account, id, version },
            format!(r#"{{"ask":"export",{who},"version":2}}"#),
        ),
        (
            ApiNameRequest::Check { secret: SecretText::new("Tr4ffic!".into()) },
            r#"{"ask":"check","secret":"Tr4ffic!"}"#.to_owned(),
        ),
    ] {
        assert_eq!(serde_json::to_string(&request).unwrap(), json);
        assert!(!format!("{request:?}").contains("Tr4ffic!"));
    }
}
