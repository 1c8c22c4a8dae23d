//! The account's service credentials: one row, or none. It holds the password's digest, and the
//! password encrypted, which the ledger cannot read.
//!
//! They are part of the account state that leases carry. So a change raises the state's revision,
//! and holds everywhere after the revocation bound.

use claviger_core::base::id::{MemberId, ServiceId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::issuer::{
    Ceiling, Issuer, Issuing, SealingGeneration, ServicePassword,
};
use claviger_core::credential::limits::subset;
use claviger_core::replication::record::Revision;
use serde_json::json;

use super::account::Account;
use super::audit::{Action, Author};
use super::decide::DecisionContext;
use super::{factors, issued, usage};
use crate::ledger::audit;
use crate::ledger::plan::Plan;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::encryption::Ciphertext;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;
use crate::protocol::service::ServiceCommand;
use crate::protocol::service_credentials::{NewService, ServiceView, fresh_ceiling};

/// The service credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Service ID that programs send.
    pub id: ServiceId,
    /// Digest of the password.
    pub digest: Digest,
    /// Encrypted password, which only the admin Worker can decrypt.
    pub sealed: Ciphertext,
    /// Sealing generation and ceiling as an issuer.
    pub issuing: Issuing,
    /// Time of the password's last change, Unix ms.
    pub changed_at: UnixMs,
    /// Member who last changed password or ceiling; `None` if they are unchanged since the account
    /// was opened.
    pub changed_by: Option<(MemberId, String)>,
    /// Revision of the last change; 0: there was none.
    pub revision: Revision,
}

impl Service {
    /// Loads the account's credentials; `None` while it has no password.
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
            sealed: Ciphertext::from_stored(row.text()?),
            issuing: Issuing {
                generation: SealingGeneration(row.count()?),
                ceiling: row.parsed("a ceiling", |json| serde_json::from_str(json).ok())?,
            },
            changed_at: row.time()?,
            changed_by: {
                let (member, name) = (MemberId::parse(&row.text()?), row.text()?);
                member.map(|member| (member, name))
            },
            revision: row.revision()?,
        })
    }

    /// Returns an account's first credentials; `None` if the admin Worker drew no ID.
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

    /// Inserts or replaces the row.
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

    /// Returns the part that leases carry.
    pub fn password(&self) -> ServicePassword {
        ServicePassword { digest: self.digest, issuing: self.issuing.clone() }
    }

    /// Returns the JSON for an audit row.
    pub fn audit_json(&self) -> String {
        let Issuing { generation, ceiling } = &self.issuing;
        json!({ "password_generation": generation, "ceiling": ceiling }).to_string()
    }
}

impl Service {
    /// Ends every key issued with the password, and changes nothing else, by raising its sealing
    /// generation to `next`.
    pub fn end_issued(
        &self,
        context: DecisionContext<'_>,
        author: Author<'_>,
        next: SealingGeneration,
    ) -> Vec<Statement> {
        let issuing = Issuing { generation: next, ..self.issuing.clone() };
        let after = context.signed(Self { issuing, ..self.clone() });
        commit(context, author, Action::EndIssued, Some(self), &after, true).writes
    }
}

/// Returns the credentials as members see them.
fn view(service: Option<&Service>) -> ServiceView {
    ServiceView {
        id: service.map(|service| service.id),
        changed_at: service.map(|service| service.changed_at),
        changed_by: service
            .and_then(|service| service.changed_by.as_ref())
            .map(|(_, name)| name.clone()),
        ceiling: service.map_or_else(fresh_ceiling, |service| service.issuing.ceiling.clone()),
        revision: service.map_or(Revision(0), |service| service.revision),
        usage: None,
    }
}

/// Executes a command; the caller has checked the member's rights.
pub(super) fn execute(
    sql: &dyn Sql,
    context: DecisionContext<'_>,
    author: Author<'_>,
    command: ServiceCommand,
) -> Result<Plan, SqlError> {
    let before = Service::load(sql)?;
    // The service password issues keys, and is no member's: it would get round the demand.
    let is_read = matches!(command, ServiceCommand::Show);
    if !is_read && factors::lacks_demanded(sql, context.account, context.member.view.id)? {
        return Ok(Plan::refuse(Refusal::MfaRequired));
    }
    Ok(match (command, before) {
        (ServiceCommand::Show, before) => {
            let usage = Some(usage::service::view(sql, author.now)?);
            let service = ServiceView { usage, ..view(before.as_ref()) };
            Plan::read(LedgerReply::Service(service))
        }
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
            match context.change_password(before.as_ref(), expected, new) {
                Err(refusal) => Plan::refuse(refusal),
                Ok(after) => {
                    let narrows = before.is_some();
                    commit(
                        context,
                        author,
                        Action::ChangeServicePassword,
                        before.as_ref(),
                        &after,
                        narrows,
                    )
                }
            }
        }
        (ServiceCommand::SetCeiling { expected, ceiling }, Some(before)) => {
            let typed = |context: DecisionContext<'_>| {
                expect(Some(&before), expected)?;
                let ceiling =
                    ceiling.decide(Some(&before.issuing.ceiling), "", context.setting(None));
                ceiling.map_err(|errors| Refusal::Invalid { errors })
            };
            match typed(context) {
                Err(refusal) => Plan::refuse(refusal),
                Ok(ceiling) if ceiling == before.issuing.ceiling => {
                    Plan::read(LedgerReply::ServiceChanged {
                        service: view(Some(&before)),
                        bound: None,
                    })
                }
                Ok(ceiling) => {
                    let after = context.with_ceiling(&before, ceiling);
                    let lowers =
                        subset::narrows_ceiling(&before.issuing.ceiling, &after.issuing.ceiling);
                    commit(
                        context,
                        author,
                        Action::SetServiceCeiling,
                        Some(&before),
                        &after,
                        lowers,
                    )
                }
            }
        }
    })
}

/// Checks that the credentials have the revision that the member saw.
fn expect(present: Option<&Service>, expected: Revision) -> Result<(), Refusal> {
    let service = view(present);
    if service.revision == expected {
        Ok(())
    } else {
        Err(Refusal::ServiceChangedMeanwhile { service: Box::new(service) })
    }
}

impl DecisionContext<'_> {
    /// Decides on a new password. The service ID stays if it is still among the valid ones.
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
    context: DecisionContext<'_>,
    author: Author<'_>,
    action: Action,
    before: Option<&Service>,
    after: &Service,
    narrows: bool,
) -> Plan {
    let revision = after.revision;
    let mut writes = vec![
        after.store(),
        Account::advance_state(revision),
        audit::journal(action, revision, "account", context.now),
        author.set(action, revision, before.map(Service::audit_json), after.audit_json()),
    ];
    let ended = before.map(|before| before.issuing.generation);
    if let Some(ended) = ended.filter(|ended| *ended != after.issuing.generation) {
        writes.extend(issued::note_end(Issuer::Service, ended, context.now));
    }
    let bound = narrows.then(|| context.account.bound(context.now));
    Plan { writes, reply: LedgerReply::ServiceChanged { service: view(Some(after)), bound } }
}
