//! The account's service credentials: one row, or none. It holds the password's digest and the
//! password encrypted, which the ledger cannot read.
//!
//! They are part of what leases are told of the whole account, so that a change takes the state's
//! number, and holds everywhere from the bound on.

use claviger_core::base::id::{MemberId, ServiceId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::{
    Ceiling, Issuer, Issuing, SealingGeneration, ServicePassword,
};
use claviger_core::credential::limits::subset;
use claviger_core::replication::record::Revision;
use serde_json::json;

use super::account::{Account, revision};
use super::audit::{Action, Author};
use super::decide::Desk;
use super::issuing;
use crate::ledger::audit;
use crate::ledger::plan::Plan;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::encryption::Sealed;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;
use crate::protocol::service::ServiceCommand;
use crate::protocol::service_credentials::{NewService, ServiceView, fresh_ceiling};

/// The service credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The service ID.
    pub id: ServiceId,
    /// Digest of the password.
    pub digest: Digest,
    /// The password, encrypted.
    pub sealed: Sealed,
    /// As an issuer.
    pub issuing: Issuing,
    /// When the password was last changed.
    pub changed_at: UnixMs,
    /// Who changed password or ceiling last; `None`: they are as the account began.
    pub changed_by: Option<(MemberId, String)>,
    /// Number of the last change; 0: there was none.
    pub revision: Revision,
}

impl Service {
    /// The account's; `None` while it has no password.
    pub fn load(sql: &dyn Sql) -> Result<Option<Self>, SqlError> {
        let text =
            "SELECT service.id, digest, sealed, generation, ceiling, changed_at_ms, ifnull(changed_by, ''),
                ifnull(member.name, ''), revision
            FROM service LEFT JOIN member ON member.id = changed_by";
        sql.first(&Statement::new(text))?.map(Self::read).transpose()
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.parsed("a service ID", ServiceId::parse)?,
            digest: Digest::from_bytes(row.bytes()?),
            sealed: Sealed::from_stored(row.text()?),
            issuing: Issuing {
                generation: SealingGeneration(row.count()?),
                ceiling: row.parsed("a ceiling", |json| serde_json::from_str(json).ok())?,
            },
            changed_at: row.time()?,
            changed_by: {
                let (member, name) = (MemberId::parse(&row.text()?), row.text()?);
                member.map(|member| (member, name))
            },
            revision: revision(&mut row)?,
        })
    }

    /// The first of an account; `None` when the edge has drawn no ID.
    pub fn first(new: NewService, now: UnixMs) -> Option<Self> {
        let issuing =
            Issuing { generation: SealingGeneration::default(), ceiling: fresh_ceiling() };
        let NewService { ids, digest, sealed } = new;
        let id = *ids.first()?;
        Some(Self {
            id,
            digest,
            sealed,
            issuing,
            changed_at: now,
            changed_by: None,
            revision: Revision(0),
        })
    }

    /// Writes the row.
    pub fn store(&self) -> Statement {
        let text = "INSERT OR REPLACE INTO service
                (one, id, digest, sealed, generation, ceiling, changed_at_ms, changed_by, revision)
            VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)";
        Statement::new(text)
            .bind(self.id.as_str())
            .bind(self.digest.as_bytes().as_slice())
            .bind(self.sealed.as_str())
            .bind(self.issuing.generation.0)
            .bind(json!(self.issuing.ceiling).to_string())
            .bind(self.changed_at)
            .bind(self.changed_by.as_ref().map(|(member, _)| member.as_str()))
            .bind(self.revision)
    }

    /// As leases are told of it.
    pub fn password(&self) -> ServicePassword {
        ServicePassword { digest: self.digest, issuing: self.issuing.clone() }
    }

    /// As an audit row tells it.
    pub fn told(&self) -> String {
        let Issuing { generation, ceiling } = &self.issuing;
        json!({ "password_generation": generation, "ceiling": ceiling }).to_string()
    }
}

impl Service {
    /// Ends all that the password has issued, and nothing else: its sealing generation is `next`
    /// from now on.
    pub fn end_issued(
        &self,
        desk: Desk<'_>,
        author: Author<'_>,
        next: SealingGeneration,
    ) -> Vec<Statement> {
        let issuing = Issuing { generation: next, ..self.issuing.clone() };
        let after = desk.signed(Self { issuing, ..self.clone() });
        commit(desk, author, Action::EndIssued, Some(self), &after, true).writes
    }
}

/// As members see them.
fn view(service: Option<&Service>) -> ServiceView {
    ServiceView {
        id: service.map(|service| service.id),
        changed_at: service.map(|service| service.changed_at),
        changed_by: service
            .and_then(|service| service.changed_by.as_ref())
            .map(|(_, name)| name.clone()),
        ceiling: service.map_or_else(fresh_ceiling, |service| service.issuing.ceiling.clone()),
        revision: service.map_or(Revision(0), |service| service.revision),
    }
}

/// Does what a member asks, who may.
pub(super) fn execute(
    sql: &dyn Sql,
    desk: Desk<'_>,
    author: Author<'_>,
    command: ServiceCommand,
) -> Result<Plan, SqlError> {
    let before = Service::load(sql)?;
    Ok(match (command, before) {
        (ServiceCommand::Show, before) => Plan::read(LedgerReply::Service(view(before.as_ref()))),
        (ServiceCommand::Reveal | ServiceCommand::SetCeiling { .. }, None) => {
            Plan::refuse(Refusal::NotFound)
        }
        (ServiceCommand::Reveal, Some(service)) => Plan {
            writes: vec![author.did(Action::RevealService)],
            reply: LedgerReply::ServiceRevealed {
                service: view(Some(&service)),
                sealed: service.sealed,
            },
        },
        (ServiceCommand::Change { expected, new }, before) => {
            match desk.change_password(before.as_ref(), expected, new) {
                Err(refusal) => Plan::refuse(refusal),
                Ok(after) => {
                    let takes_away = before.is_some();
                    commit(
                        desk,
                        author,
                        Action::ChangeServicePassword,
                        before.as_ref(),
                        &after,
                        takes_away,
                    )
                }
            }
        }
        (ServiceCommand::SetCeiling { expected, ceiling }, Some(before)) => {
            let typed = |desk: Desk<'_>| {
                expect(Some(&before), expected)?;
                let ceiling = ceiling.decide(Some(&before.issuing.ceiling), "", desk.setting());
                ceiling.map_err(|errors| Refusal::Invalid { errors })
            };
            match typed(desk) {
                Err(refusal) => Plan::refuse(refusal),
                Ok(ceiling) if ceiling == before.issuing.ceiling => {
                    Plan::read(LedgerReply::ServiceChanged {
                        service: view(Some(&before)),
                        bound: None,
                    })
                }
                Ok(ceiling) => {
                    let after = desk.with_ceiling(&before, ceiling);
                    let lowers = subset::lowers(&before.issuing.ceiling, &after.issuing.ceiling);
                    commit(desk, author, Action::SetServiceCeiling, Some(&before), &after, lowers)
                }
            }
        }
    })
}

/// The credentials are as the member saw them.
fn expect(present: Option<&Service>, expected: Revision) -> Result<(), Refusal> {
    let service = view(present);
    if service.revision == expected {
        Ok(())
    } else {
        Err(Refusal::ServiceChangedMeanwhile { service: Box::new(service) })
    }
}

impl Desk<'_> {
    /// Decides over a new password. The service ID stays, if it is still one.
    fn change_password(
        &self,
        before: Option<&Service>,
        expected: Revision,
        new: NewService,
    ) -> Result<Service, Refusal> {
        expect(before, expected)?;
        let kept = before.map(|before| before.id).filter(|id| new.ids.contains(id));
        let mut after = Service::first(new, self.now).ok_or(Refusal::NotUnderstood)?;
        if let Some(before) = before {
            let generation = before.issuing.generation.next();
            after.issuing = Issuing { generation, ceiling: before.issuing.ceiling.clone() };
        }
        after.id = kept.unwrap_or(after.id);
        Ok(self.signed(after))
    }

    fn with_ceiling(&self, before: &Service, ceiling: Ceiling) -> Service {
        let issuing = Issuing { ceiling, ..before.issuing.clone() };
        self.signed(Service { issuing, ..before.clone() })
    }

    fn signed(&self, after: Service) -> Service {
        let member = &self.member.view;
        let changed_by = Some((member.id, member.name.clone()));
        Service { changed_by, revision: self.account.revision.next(), ..after }
    }
}

fn commit(
    desk: Desk<'_>,
    author: Author<'_>,
    action: Action,
    before: Option<&Service>,
    after: &Service,
    takes_away: bool,
) -> Plan {
    let revision = after.revision;
    let mut writes = vec![
        after.store(),
        Account::advance_state(revision),
        audit::journal(action, revision, "account", desk.now),
        author.set(action, revision, before.map(Service::told), after.told()),
    ];
    let ended = before.map(|before| before.issuing.generation);
    if let Some(ended) = ended.filter(|ended| *ended != after.issuing.generation) {
        writes.extend(issuing::note_end(Issuer::Service, ended, desk.now));
    }
    let bound = takes_away.then(|| desk.account.bound(desk.now));
    Plan { writes, reply: LedgerReply::ServiceChanged { service: view(Some(after)), bound } }
}
