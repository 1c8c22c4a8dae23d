//! The account's networks: the one row, and the guard of the console.
//!
//! Every request of a member passes [`check_console`] or [`guard_sign_in`], so that no route can
//! forget the list. Only a caller who has proven their identity learns of a refusal: a session's
//! secret was presented, or everything that a sign-in needs.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::record::Revision;

use super::audit::{Action, Author};
use super::plan::Plan;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::protocol::account_networks::{
    AccountSurface, NetworkList, NetworkListView, NetworksRefusal,
};
use crate::protocol::activity::Actor;
use crate::protocol::command::Command;
use crate::protocol::ledger::{LedgerReply, LedgerRequest};
use crate::protocol::refusal::Refusal;

/// The row of the table `account_networks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredNetworks {
    /// The list.
    pub list: NetworkList,
    /// Number of changes; 0 if there was none.
    pub revision: Revision,
    /// Time of the last change, Unix ms; `None` if there was none.
    pub changed_at: Option<UnixMs>,
    /// Name of the member who made it; `None` for the operator.
    pub changed_by: Option<String>,
}

/// Loads the account's networks.
pub(super) fn load(sql: &dyn Sql) -> Result<StoredNetworks, SqlError> {
    let text = "SELECT list, revision, changed_at_ms, member.name
        FROM account_networks LEFT JOIN member ON member.id = changed_by";
    let read = |mut row: Row| {
        Ok(StoredNetworks {
            list: row.parsed("a list of networks", |json| serde_json::from_str(json).ok())?,
            revision: row.revision()?,
            changed_at: Some(row.time()?),
            changed_by: row.optional_text()?,
        })
    };
    let none = || StoredNetworks {
        list: NetworkList::NONE,
        revision: Revision(0),
        changed_at: None,
        changed_by: None,
    };
    Ok(sql.first(&Statement::new(text))?.map(read).transpose()?.unwrap_or_else(none))
}

impl StoredNetworks {
    /// Returns the list for a caller at this address, without those whom it refuses.
    pub fn view(self, address: Option<ClientAddress>) -> NetworkListView {
        let Self { list, revision, changed_at, changed_by } = self;
        NetworkListView { list, revision, changed_at, changed_by, address, refuses: None }
    }
}

/// Checks that the list opens the console to the command's address. Signing out only takes rights
/// away, so it is possible from everywhere.
///
/// # Errors
/// [`NetworksRefusal::Denied`] for another address, or without one.
pub(super) fn check_console(
    sql: &dyn Sql,
    command: &Command,
    address: Option<&str>,
) -> Result<Result<(), Refusal>, SqlError> {
    let is_allowed = matches!(command, Command::SignOut) || opens_console(sql, address)?;
    Ok(if is_allowed { Ok(()) } else { Err(Refusal::Networks(NetworksRefusal::Denied)) })
}

fn opens_console(sql: &dyn Sql, address: Option<&str>) -> Result<bool, SqlError> {
    let address = address.and_then(ClientAddress::parse);
    Ok(load(sql)?.list.permits(AccountSurface::Console, address))
}

/// A request that may sign somebody in.
pub(super) struct SignInRequest {
    address: Option<String>,
    by: SignInKind,
}

/// The kind of a request that may sign somebody in.
#[derive(Clone, Copy)]
enum SignInKind {
    /// A member whom the request names.
    Member(MemberId),
    /// A member whom the reply names.
    Session,
    /// A person who is to become a member.
    Join,
}

impl SignInRequest {
    /// Returns the request if its kind signs members in.
    pub fn of(request: &LedgerRequest) -> Option<Self> {
        let (address, by) = match request {
            LedgerRequest::Open(opening) | LedgerRequest::OpenInvited(opening) => {
                (&opening.address, SignInKind::Session)
            }
            LedgerRequest::SignIn { address, member, .. } => (address, SignInKind::Member(*member)),
            LedgerRequest::Join(joining) => (&joining.address, SignInKind::Join),
            LedgerRequest::AnswerChallenge(answer) => (&answer.address, SignInKind::Session),
            LedgerRequest::SignInByPasskey(request) => (&request.address, SignInKind::Session),
            _ => return None,
        };
        Some(Self { address: address.clone(), by })
    }
}

/// Returns the plan of a sign-in, or its refusal if the list does not open the console to the
/// address. A plan that opens neither a session nor a challenge stays: its caller has proven
/// nothing.
pub(super) fn guard_sign_in(
    sql: &dyn Sql,
    request: Option<SignInRequest>,
    plan: Plan,
    now: UnixMs,
) -> Result<Plan, SqlError> {
    let Some(SignInRequest { address, by }) = request else { return Ok(plan) };
    let actor = match (&plan.reply, by) {
        (LedgerReply::Session(_), SignInKind::Join) => Actor::Unproven,
        (LedgerReply::Session(_) | LedgerReply::Challenged { .. }, SignInKind::Member(member)) => {
            Actor::Member(member)
        }
        (LedgerReply::Session(view), SignInKind::Session) => Actor::Member(view.member.id),
        (LedgerReply::Challenged { .. }, SignInKind::Session | SignInKind::Join) => Actor::Unproven,
        _ => return Ok(plan),
    };
    if opens_console(sql, address.as_deref())? {
        return Ok(plan);
    }
    // Nothing of the sign-in is written: a code stays unused, and an invitation open.
    let author = Author { actor, address: address.as_deref(), now };
    let reply = LedgerReply::Refused(Refusal::Networks(NetworksRefusal::Denied));
    Ok(Plan { writes: vec![author.did(Action::RefuseNetwork)], reply })
}
