use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::base::id::AnyKeyId;
use crate::credential::issuer::SealingGeneration;
use crate::credential::key::NewKey;
use crate::credential::limits::Limits;
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::network::Networks;
use crate::lease::call::Source;
use crate::replication::edge_call::RefreshReply;
use crate::replication::record::{Credential, Epoch, Record, Revision, Standing};
use crate::replication::refresh::{
    ASK_MAX, AccountState, Caller, Delta, Refresh, RefreshAnswer, Unsettled, Use,
};
use crate::testing::{config, none_superseded, stored};

/// A gateway and an account's keys, with a ledger and a KV that know them.
struct World {
    gateway: Gateway,
    keys: Vec<NewKey>,
    /// Keys without a record in KV.
    absent: Vec<KeyId>,
    /// Networks of each key.
    networks: Networks,
    is_ledger_away: bool,
    freshness_ms: u64,
    kv_reads: usize,
    calls: Vec<Vec<KeyId>>,
}

const NOW: UnixMs = UnixMs::from_ms(1_800_000_000_000);

impl World {
    fn new(count: usize) -> Self {
        let config = config();
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let account = AccountId::random(&mut rng);
        let keys = (0..count)
            .map(|_| NewKey::generate(account, &config.prefix, &config.keyring, &mut rng))
            .collect();
        Self {
            gateway: Gateway::new(config, 7),
            keys,
            absent: Vec::new(),
            networks: Networks::anywhere(),
            is_ledger_away: false,
            freshness_ms: 10_000,
            kv_reads: 0,
            calls: Vec::new(),
        }
    }

    fn account(&self) -> AccountId {
        self.keys[0].id().account()
    }

    fn record(&self, id: KeyId) -> Option<Record> {
        let key = self.keys.iter().find(|key| key.id() == id)?;
        let limits = Limits {
            not_before: None,
            expires: Expiry::Never,
            networks: self.networks.clone(),
            interfaces: vec![Interface::Http],
            permissions: serde_json::from_str(r#"["demo:read"]"#).unwrap(),
        };
        let credential = Credential {
            digest: key.digest(),
            limits,
            issuing: None,
            issued: None,
            sealing: SealingGeneration::default(),
            member: None,
            user: None,
        };
        Some(Record::new(Epoch::new(1), Revision(1), id, Standing::Active(credential)))
    }

    fn answer(&mut self, call: &RefreshCall) -> RefreshReply {
        let request = call.request();
        assert_eq!(request.unused, request.ask, "the isolate counts each use itself");
        self.calls.push(request.ask.clone());
        if self.is_ledger_away {
            return RefreshReply::Failed;
        }
        RefreshReply::Refreshed(Refresh {
            epoch: Epoch::new(1),
            revision: Revision(1),
            delta: Delta::Changes(Vec::new()),
            unsettled: Unsettled::Set(Vec::new()),
            state: Some(AccountState {
                revision: Revision(1),
                freshness_ms: self.freshness_ms,
                ..state()
            }),
            answers: request
                .ask
                .iter()
                .map(|id| RefreshAnswer { id: *id, record: self.record(*id) })
                .collect(),
            document: 0,
            superseded: none_superseded(),
        })
    }

    /// Begins a lease without any key in memory.
    fn lease(&mut self) {
        let account = self.account();
        let call = self.gateway.leases_mut().renew(account, NOW);
        let reply = self.answer(&call);
        assert!(self.gateway.leases_mut().take_refresh(&call, &reply, NOW, None));
        self.calls.clear();
    }

    fn run(&mut self, subjects: Vec<Subject>) -> Vec<Checked<Valid>> {
        self.run_from(None, subjects)
    }

    fn run_from(
        &mut self,
        address: Option<ClientAddress>,
        subjects: Vec<Subject>,
    ) -> Vec<Checked<Valid>> {
        let requests = subjects
            .into_iter()
            .map(|subject| CheckRequest {
                subject,
                address,
                interface: Interface::Http,
                permission: None,
            })
            .collect();
        self.run_all(requests)
    }

    fn run_all(&mut self, requests: Vec<CheckRequest>) -> Vec<Checked<Valid>> {
        let mut checks = BatchVerification::new(self.account(), NOW, requests);
        while let Some(missing) = checks.decide(&mut self.gateway, NOW) {
            match missing {
                BatchFetch::Admin => panic!("this edge fits"),
                BatchFetch::Copy(source) => {
                    let read = checks.ask_copy(self.gateway.leases_mut(), source, NOW);
                    self.gateway.take_copy(&read, None, NOW, Some(checks.lookup()));
                }
                BatchFetch::Kv(ids) => {
                    self.kv_reads += 1;
                    assert!(ids.is_sorted_by(|id, next| id < next), "each once");
                    for read in checks.ask_kv(self.gateway.leases_mut(), &ids, NOW) {
                        let held = self
                            .record(read.id())
                            .filter(|record| !self.absent.contains(&record.id));
                        let text = held.map(|record| stored(&record));
                        checks.take_kv(&mut self.gateway, &read, text.as_deref(), NOW);
                    }
                }
                BatchFetch::Ledger(ids) => {
                    let call = checks.ask_ledger(self.gateway.leases_mut(), ids, NOW);
                    let reply = self.answer(&call);
                    self.gateway.leases_mut().take_refresh(
                        &call,
                        &reply,
                        NOW,
                        Some(checks.lookup()),
                    );
                }
            }
        }
        checks.verdicts()
    }

    fn credential(&self, index: usize) -> Subject {
        Subject::Credential(SecretText::new(self.keys[index].expose().to_owned()))
    }

    fn id(&self, index: usize) -> Subject {
        Subject::KeyId(self.keys[index].id().to_string())
    }

    /// Returns the waiting number of uses of the key at `index`.
    fn uses(&mut self, index: usize) -> u64 {
        let id = self.keys[index].id();
        self.waiting().iter().filter(|used| used.id == id).map(|used| used.count).sum()
    }

    fn waiting(&mut self) -> Vec<Use> {
        let account = self.account();
        let call = self.gateway.leases_mut().renew(account, NOW);
        call.request().usage.iter().flat_map(|batch| batch.uses.clone()).collect()
    }
}

fn state() -> AccountState {
    AccountState { revision: Revision(1), freshness_ms: 0, ..AccountState::default() }
}

fn words(checked: &[Checked<Valid>]) -> Vec<&str> {
    checked
        .iter()
        .map(|checked| checked.verdict.as_ref().map_or_else(|denial| denial.code(), |_| "valid"))
        .collect()
}

#[test]
fn a13_a_hundred_cold_keys_are_one_call_whatever_t_is() {
    for freshness_ms in [10_000, 0] {
        let mut world = World::new(ASK_MAX);
        world.freshness_ms = freshness_ms;
        let subjects = (0..ASK_MAX).map(|index| world.credential(index)).collect();
        let checked = world.run(subjects);
        assert_eq!(words(&checked), ["valid"; ASK_MAX]);
        let keys: Vec<_> =
            checked.iter().map(|checked| checked.verdict.as_ref().unwrap().key).collect();
        assert_eq!(
            keys,
            world.keys.iter().map(|key| AnyKeyId::Key(key.id())).collect::<Vec<_>>(),
            "in their order"
        );
        assert_eq!((world.calls.len(), world.kv_reads), (1, 0));
    }
}

#[test]
fn under_a_lease_kv_is_read_once_and_the_ledger_asked_once_for_what_it_lacks() {
    let mut world = World::new(10);
    world.lease();
    world.absent = vec![world.keys[2].id(), world.keys[7].id()];
    let checked = world.run((0..10).chain([3]).map(|index| world.credential(index)).collect());
    assert_eq!(words(&checked), ["valid"; 11]);
    assert_eq!((world.calls.len(), world.kv_reads), (1, 1));
    let mut expected = world.absent.clone();
    expected.sort();
    assert_eq!(world.calls[0], expected);
    let sources: Vec<_> = checked.iter().map(|checked| checked.evidence.unwrap().source).collect();
    assert_eq!((sources[2], sources[3]), (Source::Ledger, Source::Kv));
    // Now the keys are in memory.
    let again = world.run((0..10).map(|index| world.id(index)).collect());
    assert!(again.iter().all(|checked| checked.evidence.unwrap().source == Source::Memory));
    assert_eq!((world.calls.len(), world.kv_reads), (1, 1));
}

#[test]
fn a_ledger_out_of_reach_is_asked_twice_for_all_of_them() {
    let mut world = World::new(5);
    world.is_ledger_away = true;
    let checked = world.run((0..5).map(|index| world.credential(index)).collect());
    assert_eq!(words(&checked), ["unavailable"; 5]);
    assert_eq!(world.calls.len(), 2);
}

#[test]
fn a13_an_id_is_looked_at_and_not_used() {
    let mut world = World::new(2);
    let subjects = vec![world.id(0), world.credential(1), world.id(1)];
    assert_eq!(words(&world.run(subjects)), ["valid"; 3]);
    let subjects = vec![world.id(0), world.id(0)];
    assert_eq!(words(&world.run(subjects)), ["valid"; 2]);
    assert_eq!((world.uses(0), world.uses(1)), (0, 1));
}

#[test]
fn every_use_counts_once_also_of_one_key_in_one_request() {
    let mut world = World::new(1);
    let subjects = vec![world.credential(0), world.credential(0), world.id(0), world.credential(0)];
    assert_eq!(words(&world.run(subjects)), ["valid"; 4]);
    assert_eq!(world.calls, [vec![world.keys[0].id()]]);
    assert_eq!(world.uses(0), 3);
}

/// A cold batch counts like a warm one: by verdict, and with the address of each check.
#[test]
fn a_use_by_a_verifier_has_its_caller_also_when_the_ledger_is_asked() {
    let mut world = World::new(1);
    let address = ClientAddress::parse("203.0.113.9");
    let verdicts = world.run_from(address, vec![world.credential(0)]);
    assert_eq!((words(&verdicts), world.calls.len()), (vec!["valid"], 1));
    let verdicts = world.run_from(address, vec![world.credential(0)]);
    assert_eq!((words(&verdicts), world.calls.len()), (vec!["valid"], 1), "warm");
    let [used] = &world.waiting()[..] else { panic!() };
    let caller = Caller { address: address.unwrap(), count: 2, last_at: NOW };
    assert_eq!((used.count, used.denials, &used.callers[..]), (2, 0, &[caller][..]));
}

#[test]
fn a13_what_is_another_s_or_no_id_causes_no_question() {
    let mut world = World::new(1);
    let foreign = "ZZZZZZZZ7Hq0p2Zx9K";
    for (text, expected) in [
        (foreign.to_owned(), "unknown"),
        (String::new(), "malformed"),
        ("a1B2c3D4".into(), "malformed"),
        (format!("clv_{foreign}"), "malformed"),
        (format!("{foreign} "), "malformed"),
        (world.keys[0].expose().to_owned(), "malformed"),
        ("é".repeat(9), "malformed"),
        ("a1B2c3D4Qx0mT7rWz5000003CRiZjE0t8ez".to_owned(), "unknown"),
        ("a1B2c3D4Qx0mT7rWz5000003CRiZjE0t8e".to_owned(), "malformed"),
    ] {
        assert_eq!(words(&world.run(vec![Subject::KeyId(text)])), [expected]);
    }
    assert_eq!((world.calls.len(), world.kv_reads), (0, 0));
}

/// A verifier sees only its own account, even if the isolate knows the key and the secret is right.
#[test]
fn a_credential_of_another_account_is_unknown_and_not_looked_up() {
    let mut world = World::new(1);
    let (config, mut rng) = (config(), ChaCha20Rng::seed_from_u64(4));
    let account = AccountId::parse("ZZZZZZZZ").unwrap();
    let foreign = NewKey::generate(account, &config.prefix, &config.keyring, &mut rng);
    let mut record = world.record(world.keys[0].id()).unwrap();
    record.id = foreign.id();
    let Standing::Active(credential) = &mut record.standing else { panic!() };
    credential.digest = foreign.digest();
    let call = world.gateway.leases_mut().renew(account, NOW);
    let reply = world.answer(&call);
    assert!(world.gateway.leases_mut().take_refresh(&call, &reply, NOW, None));
    world.gateway.leases_mut().take_change(record, NOW);
    world.calls.clear();
    let facts = Facts {
        address: None,
        interface: Interface::Http,
        demand: Demand::AnyKey,
        may_change: false,
    };
    let known = world.gateway.check(foreign.expose(), &facts, NOW, NOW, &Lookup::default());
    assert!(matches!(known, Check::Decided(Checked { verdict: Ok(_), .. })), "{known:?}");
    let subject = Subject::Credential(SecretText::new(foreign.expose().to_owned()));
    assert_eq!(words(&world.run(vec![subject])), ["unknown"]);
    assert_eq!((world.calls.len(), world.kv_reads), (0, 0));
}

#[test]
fn a13_an_id_that_never_was_costs_one_question_per_lease() {
    let mut world = World::new(1);
    let never = format!("{}0000000000", world.account());
    for _ in 0..3 {
        assert_eq!(words(&world.run(vec![Subject::KeyId(never.clone())])), ["unknown"]);
    }
    assert_eq!((world.calls.len(), world.kv_reads), (1, 0));
}

#[test]
fn no_checks_are_no_verdicts() {
    assert!(World::new(1).run(Vec::new()).is_empty());
}

#[test]
fn each_check_has_an_address_an_interface_and_a_permission_of_its_own() {
    let mut world = World::new(1);
    world.networks = Networks::from_stored(["10.0.0.0/8"]).unwrap();
    let rows = [
        (Some("10.1.2.3"), Interface::Http, Some("demo:read"), "valid"),
        (Some("10.1.2.3"), Interface::Http, None, "valid"),
        (Some("10.1.2.3"), Interface::Http, Some("demo:write"), "permission_denied"),
        (Some("10.1.2.3"), Interface::Smtp, None, "interface_denied"),
        (Some("192.0.2.1"), Interface::Http, None, "network_denied"),
        (None, Interface::Http, None, "network_denied"),
    ];
    for subject in [World::credential as fn(&World, usize) -> Subject, World::id] {
        let request = |row: &(Option<&str>, Interface, Option<&str>, &str)| CheckRequest {
            subject: subject(&world, 0),
            address: row.0.and_then(ClientAddress::parse),
            interface: row.1,
            permission: row.2.map(|text| text.parse().unwrap()),
        };
        let requests = rows.iter().map(request).collect();
        let checked = world.run_all(requests);
        assert_eq!(words(&checked), rows.map(|row| row.3));
    }
}

#[test]
fn checks_are_grouped_by_account_in_their_order() {
    let (world, other) = (World::new(2), {
        let config = config();
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let account = AccountId::random(&mut rng);
        NewKey::generate(account, &config.prefix, &config.keyring, &mut rng)
    });
    let request = |subject| CheckRequest {
        subject,
        address: None,
        interface: Interface::Http,
        permission: None,
    };
    let credential = |key: &NewKey| Subject::Credential(SecretText::new(key.expose().to_owned()));
    let own = AccountId::parse("zzzzzzzz").unwrap();
    let requests = vec![
        request(credential(&world.keys[0])),
        request(Subject::KeyId(other.id().to_string())),
        request(Subject::Credential(SecretText::new("x".into()))),
        request(credential(&other)),
        request(Subject::KeyId(world.keys[1].id().to_string())),
        request(Subject::KeyId("y".into())),
    ];
    let groups = by_account(&world.gateway, own, NOW, requests);
    let places = groups.iter().map(|(account, checks)| {
        (*account, checks.iter().map(|(place, _)| *place).collect::<Vec<_>>())
    });
    assert_eq!(
        places.collect::<Vec<_>>(),
        [(world.account(), vec![0, 4]), (other.id().account(), vec![1, 3]), (own, vec![2, 5])]
    );
}
