//! Issuers, and what members do to them: passwords, ceilings that rise, fall and are lifted,
//! revocations beyond what there is room for, and issuing keys that are switched off and on again.
//! What they issue, and what must hold for it, is in [`crate::issued`].

use claviger_control::ledger::revoking::REVOKED_SEALED_MAX;
use claviger_control::objects::sql::{Sql, Statement};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest};
use claviger_control::protocol::service::ServiceCommand;
use claviger_control::protocol::service_credentials::NewService;
use claviger_core::base::id::{AccountId, AnyKeyId, SealedId, ServiceId};
use claviger_core::base::secret::Digest;
use claviger_core::credential::issuer::{Issuer, Issuing};
use claviger_core::lease::rules::LeaseRules;
use claviger_core::replication::record::{Record, Revision, Standing};
use claviger_core::replication::refresh::{Refresh, RefreshRequest};
use rand_chacha::rand_core::Rng;
use serde_json::json;

use crate::bugs::Sabotage;
use crate::host::at;
use crate::issued::{IssuedKey, LIFE};
use crate::model::{Power, State, Version};
use crate::world::{Checked, World};

/// A key that is or was issuable, or the service password.
pub struct IssuerModel {
    /// `None`: the service password.
    pub key: Option<usize>,
    /// Digest of the password.
    pub password: Digest,
    /// Since when what may be issued; `None`: nothing.
    pub ceilings: Vec<(i64, Option<Scope>)>,
    /// When all that it had issued was ended, though it was not disabled or deleted.
    pub ended: Vec<i64>,
}

/// What issued keys may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    pub write: bool,
    /// From 10.0.this.0/24 alone.
    pub network: Option<u8>,
}

/// All of an account.
#[derive(Default)]
pub struct Issuers {
    pub issuers: Vec<IssuerModel>,
    pub issued: Vec<IssuedKey>,
}

/// Of the right shape: nobody here looks at its tag.
fn service_id(account: AccountId) -> ServiceId {
    ServiceId::parse(&format!("{:1<width$}", account.as_str(), width = ServiceId::WIDTH)).unwrap()
}

fn ceiling(scope: Scope) -> serde_json::Value {
    let permissions: &[&str] =
        if scope.write { &["demo:read", "demo:write"] } else { &["demo:read"] };
    let networks = scope.network.map(block).unwrap_or_default();
    json!({ "permissions": permissions, "networks": networks, "longest": "24h" })
}

/// A network, as text.
pub fn block(network: u8) -> String {
    format!("10.0.{network}.0/24")
}

impl<R: LeaseRules> World<R> {
    pub fn step_issuing(&mut self) -> Checked {
        if self.now < self.ledger_out_until {
            return self.present();
        }
        match self.random(30) {
            _ if self.issuers.issuers.is_empty() && self.one_in(2) => self.change_password(),
            _ if self.issuers.issuers.is_empty() => self.change_ceiling(),
            0 | 1 => self.change_password(),
            2..5 => self.change_ceiling(),
            5 | 6 => self.lift_ceiling(),
            7 | 8 => return self.switch(),
            // Seldom: from then on each lease holds them, and the run takes several times as long.
            9 if self.host.sabotage == Sabotage::CapUntold || self.one_in(4) => self.crowd(),
            10..13 => self.revoke(),
            19 => {
                if let Some((_, key, _)) = self.any_issuing_key() {
                    self.change_span(key);
                }
            }
            13..19 => {
                let isolate = self.any_isolate();
                return self.any_issuer().map_or(Ok(()), |issuer| self.issue_by(issuer, isolate));
            }
            _ => return self.present(),
        }
        Ok(())
    }

    /// While a call is under way, a member does something that it knows nothing of.
    pub fn meddle(&mut self) {
        if self.now < self.ledger_out_until {
            return;
        }
        match self.random(8) {
            0 => self.change_password(),
            1..4 => self.change_ceiling(),
            4 => self.lift_ceiling(),
            5 => self.revoke(),
            _ => {
                if let Some((_, key, _)) = self.any_issuing_key() {
                    self.change_span(key);
                }
            }
        }
    }

    pub fn any_issuer(&mut self) -> Option<usize> {
        let count = self.issuers.issuers.len() as i64;
        (count > 0).then(|| self.random(count) as usize)
    }

    /// The account's state, as the ledger says.
    fn truth(&mut self) -> Refresh {
        let request = LedgerRequest::Refresh(RefreshRequest::default());
        match self.host.handle(request, &mut self.rng, self.now) {
            Some(LedgerReply::Refreshed(refresh)) => refresh,
            other => panic!("no state: {other:?}"),
        }
    }

    /// Does what a member asks, or signs them in anew.
    fn ask_as_member(&mut self, command: Command) -> Option<LedgerReply> {
        let reply = self.host.command(command, &mut self.rng, self.now);
        self.arm();
        if matches!(
            reply,
            Some(
                LedgerReply::Service(_)
                    | LedgerReply::ServiceChanged { .. }
                    | LedgerReply::Revoked { .. }
            )
        ) {
            return reply;
        }
        let now = self.now;
        self.host.sign_in(&mut self.rng, now);
        None
    }

    fn service_revision(&mut self) -> Option<Revision> {
        match self.ask_as_member(Command::Service { service: ServiceCommand::Show })? {
            LedgerReply::Service(view) => Some(view.revision),
            other => panic!("no view: {other:?}"),
        }
    }

    fn change_password(&mut self) {
        let Some(expected) = self.service_revision() else { return };
        let password = Digest::of(&self.rng.next_u64().to_be_bytes());
        let ids = vec![service_id(self.host.account)];
        let new =
            NewService { ids, digest: password, sealed: Ciphertext::from_stored(String::new()) };
        let command = Command::Service { service: ServiceCommand::Change { expected, new } };
        if self.ask_as_member(command).is_none() {
            return;
        }
        let now = self.now;
        match self.issuers.issuers.iter_mut().find(|issuer| issuer.key.is_none()) {
            Some(issuer) => {
                issuer.password = password;
                issuer.ended.push(now);
            }
            None => {
                let ceilings = vec![(now, None)];
                let issuer = IssuerModel { key: None, password, ceilings, ended: Vec::new() };
                self.issuers.issuers.push(issuer);
            }
        }
        self.set_ceiling(
            self.issuers.issuers.iter().position(|issuer| issuer.key.is_none()).unwrap(),
        );
    }

    /// Some key becomes issuable, or an issuer's ceiling is set.
    fn change_ceiling(&mut self) {
        let keys = self.model.keys.len() as i64;
        if self.one_in(2) && keys > 0 {
            let key = self.random(keys) as usize;
            if self.issuers.issuers.iter().any(|issuer| issuer.key == Some(key)) {
                return;
            }
            let password = Digest::of(b"none");
            let issuer = IssuerModel {
                key: Some(key),
                password,
                ceilings: vec![(self.now, None)],
                ended: Vec::new(),
            };
            self.issuers.issuers.push(issuer);
            return self.set_ceiling(self.issuers.issuers.len() - 1);
        }
        if let Some(issuer) = self.any_issuer() {
            self.set_ceiling(issuer);
        }
    }

    fn set_ceiling(&mut self, place: usize) {
        let network = self.one_in(2).then(|| self.random(2) as u8);
        let scope = Scope { write: self.one_in(2), network };
        let is_done = match self.issuers.issuers[place].key {
            None => {
                let Some(expected) = self.service_revision() else { return };
                let ceiling = serde_json::from_value(ceiling(scope)).unwrap();
                let service = ServiceCommand::SetCeiling { expected, ceiling };
                self.ask_as_member(Command::Service { service }).is_some()
            }
            Some(key) => {
                let now = self.model.keys[key].now();
                if ![State::Active, State::Disabled].contains(&now.power.state) {
                    return;
                }
                let changes =
                    serde_json::from_value(json!({ "issuable": ceiling(scope) })).unwrap();
                let id = self.model.keys[key].text.id();
                let command = Command::Edit { id, expected: Revision(now.revision), changes };
                self.command(key, command, now.power).is_some()
            }
        };
        if is_done {
            let (now, issuer) = (self.now, self.issuer_of(place));
            let ceilings = &mut self.issuers.issuers[place].ceilings;
            let before = ceilings.last().and_then(|(_, before)| *before);
            if before.is_some_and(|before| before.write && !scope.write) {
                self.host.hide(issuer, Sabotage::LowerCeilingsUntold);
            }
            ceilings.push((now, Some(scope)));
        }
    }

    /// A key is issuable no more: what it has issued ends for good.
    fn lift_ceiling(&mut self) {
        let Some((place, key, power)) = self.any_issuing_key() else { return };
        if self.issuers.issuers[place].ceilings.last().is_none_or(|(_, ceiling)| ceiling.is_none())
        {
            return;
        }
        let issuing = self.issuing(place);
        let (id, expected) =
            (self.model.keys[key].text.id(), Revision(self.model.keys[key].now().revision));
        let changes = serde_json::from_value(json!({ "issuable": null })).unwrap();
        if self.command(key, Command::Edit { id, expected, changes }, power).is_some() {
            let (now, issuer) = (self.now, &mut self.issuers.issuers[place]);
            issuer.ceilings.push((now, None));
            issuer.ended.push(now);
            self.host.keep_lifted(id, issuing);
            self.tally.lifted += 1;
        }
    }

    /// An issuing key that is neither deleted nor unheard of, and what it may do.
    fn any_issuing_key(&mut self) -> Option<(usize, usize, Power)> {
        let place = self.any_issuer()?;
        let key = self.issuers.issuers[place].key?;
        let power = self.model.keys[key].now().power;
        [State::Active, State::Disabled].contains(&power.state).then_some((place, key, power))
    }

    /// An issuer is switched off, and soon on again, which the edge that it issues by may not have
    /// heard of: what it had issued stays dead, and what it issues works.
    fn switch(&mut self) -> Checked {
        let Some((place, key, power)) = self.any_issuing_key() else { return Ok(()) };
        let isolate = self.any_isolate();
        let states = match power.state {
            State::Active => &[State::Disabled, State::Active][..],
            _ => &[State::Active],
        };
        self.issue_by(place, isolate)?;
        for state in states {
            let id = self.model.keys[key].text.id();
            let Version { revision, power, .. } = self.model.keys[key].now();
            let (expected, enabled) = (Revision(revision), *state == State::Active);
            let command = Command::SetEnabled { id, expected, enabled };
            if self.command(key, command, Power { state: *state, ..power }).is_none() {
                return Ok(());
            }
            if enabled {
                self.tally.switched += 1;
            } else {
                let issuer = self.issuer_of(place);
                self.host.hide(issuer, Sabotage::SwitchingUntold);
            }
            let span = self.random(3_000);
            self.wait(span)?;
        }
        self.issue_by(place, isolate)
    }

    /// Somebody revokes so many keys that there is room for a few more at most.
    fn crowd(&mut self) {
        let Some(place) = self.any_issuer() else { return };
        let Some(Issuing { generation, .. }) = self.issuing(place) else { return };
        let (account, issuer, until) =
            (self.host.account, self.issuer_of(place), at(self.now + LIFE));
        let made = (&self.config.prefix, &self.config.keyring);
        let id = SealedId::draw(account, issuer, generation, made, &mut self.rng).unwrap();
        let command = Command::RevokeSealed { id, issuer, until };
        let Some(LedgerReply::Revoked { all_of_issuer, record, .. }) = self.ask_as_member(command)
        else {
            return;
        };
        if all_of_issuer {
            self.end_by_cap(place, record);
        } else {
            // What a few hundred more commands would do takes too long.
            let held = self.host.number("SELECT count(*) FROM revoked_sealed");
            let room = i64::from(REVOKED_SEALED_MAX) - held - self.random(3);
            let insert =
                "WITH RECURSIVE number (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM number WHERE n < ?)
                INSERT OR IGNORE INTO revoked_sealed (id, issuer, until_ms)
                SELECT substr(id, 1, 8) || printf('%010d', n) || substr(id, 19), issuer, until_ms
                FROM number, revoked_sealed WHERE id = ?";
            self.host
                .sql
                .apply(&[Statement::new(insert).bind(room.max(1)).bind(id.as_str())])
                .unwrap();
        }
    }

    fn revoke(&mut self) {
        let count = self.issuers.issued.len() as i64;
        if count == 0 {
            return;
        }
        let place = (count - 1 - self.random(count.min(4))) as usize;
        let key = &self.issuers.issued[place];
        let AnyKeyId::Sealed(id) = key.id else { return };
        if key.revoked.is_some() {
            return;
        }
        let (until, place_of) = (at(key.born + LIFE), key.issuer);
        let command = Command::RevokeSealed { id, issuer: self.issuer_of(place_of), until };
        let Some(LedgerReply::Revoked { all_of_issuer, record, .. }) = self.ask_as_member(command)
        else {
            return;
        };
        self.issuers.issued[place].revoked = Some(self.now);
        if all_of_issuer {
            self.end_by_cap(place_of, record);
        }
    }

    /// There was no room for another revocation, so that all ends that the issuer has issued.
    /// `record` is the issuer's, if it is a key.
    fn end_by_cap(&mut self, place: usize, record: Option<Record>) {
        let (now, issuer) = (self.now, self.issuer_of(place));
        self.issuers.issuers[place].ended.push(now);
        if let (Some(key), Some(record)) = (self.issuers.issuers[place].key, record) {
            let power = self.model.keys[key].now().power;
            self.model.changed(key, power, &record, now).unwrap();
        }
        self.host.hide(issuer, Sabotage::CapUntold);
        self.tally.capped += 1;
    }

    pub fn issuer_of(&self, place: usize) -> Issuer {
        let key = self.issuers.issuers[place].key;
        key.map_or(Issuer::Service, |key| Issuer::Key(self.model.keys[key].text.id()))
    }

    /// What an issuer may issue now; `None`: nothing.
    pub fn issuing(&mut self, place: usize) -> Option<Issuing> {
        let key = self.issuers.issuers[place].key;
        if self.model.gate().is_shut(key.is_some()) {
            return None;
        }
        match key {
            None => Some(self.truth().state?.service?.issuing),
            Some(key) => {
                let record =
                    self.host.record(self.model.keys[key].text.id(), &mut self.rng, self.now)?;
                let Standing::Active(credential) = record.standing else { return None };
                credential.issuing
            }
        }
    }
}
