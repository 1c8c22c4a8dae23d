//! Commands for the account's networks, and the operator's way to turn them off.
//!
//! The list is part of the account state that leases carry, as far as it concerns the edge. A
//! change of that part raises the state's revision, and holds everywhere after the revocation
//! bound. At the console a change holds at once.

use claviger_core::base::id::MemberId;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::replication::record::Revision;
use serde_json::json;

use super::account::Account;
use super::account_networks::{StoredNetworks, load};
use super::audit::{self, Action, Author};
use super::context::CommandContext;
use super::password::{VerifiedPassword, follow};
use super::plan::Plan;
use super::refused_callers;
use crate::objects::sql::{Sql, SqlError, Statement};
use crate::protocol::account_networks::{
    AccountNetworksCommand, AccountSurface, ChangedNetworkList, ListMode, ListedNetwork,
    NetworkList, NetworkListPreview, NetworksRefusal, ProvenPassword, TypedNetworkList,
};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::network_list_form::{ReadNetworkList, read};
use crate::protocol::refusal::Refusal;

/// Executes a command; the caller has checked the member's rights.
pub(super) fn execute(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    command: AccountNetworksCommand,
) -> Result<Plan, SqlError> {
    let address = context.address.and_then(ClientAddress::parse);
    let before = load(sql)?;
    match command {
        AccountNetworksCommand::Show => {
            let refuses = refused_callers::find(sql, &before.list, context.now)?;
            let mut view = before.view(address);
            view.refuses = Some(refuses);
            Ok(Plan::read(LedgerReply::Networks(view)))
        }
        AccountNetworksCommand::Preview { draft } => {
            let ReadNetworkList { list, notes, errors } = read(&draft, &before.list, address);
            let refuses = refused_callers::find(sql, &list, context.now)?;
            // The fields with errors may be meant for present networks.
            let removes = if errors.is_empty() { removed(&before.list, &list) } else { Vec::new() };
            let revision = before.revision;
            let preview =
                NetworkListPreview { list, notes, errors, address, removes, refuses, revision };
            Ok(Plan::read(LedgerReply::NetworksChecked(preview)))
        }
        AccountNetworksCommand::Set { draft, expected, password, confirm_lock_out } => {
            let after = match typed(&draft, &before.list, address) {
                Ok(after) => after,
                Err(refusal) => return Ok(Plan::refuse(refusal)),
            };
            // A repeated request finds its own change: it has the same effect as one.
            let is_same = (after.mode, &after.entries) == (before.list.mode, &before.list.entries);
            if is_same && before.revision != Revision(0) {
                return Ok(Plan::read(unchanged(before, address)));
            }
            if expected != before.revision {
                let view = Box::new(before.view(address));
                return Ok(refuse(NetworksRefusal::ChangedMeanwhile { view }));
            }
            if password.is_none() && !removed(&before.list, &after).is_empty() {
                return Ok(refuse(NetworksRefusal::PasswordRequired));
            }
            let change = ListChange { action: Action::SetNetworks, before, after };
            change.by_member(context, password, confirm_lock_out)
        }
        AccountNetworksCommand::Delete { id, password, confirm_lock_out } => {
            let mut after = before.list.clone();
            after.entries.retain(|entry| entry.id != id);
            if after.entries.len() == before.list.entries.len() {
                return Ok(Plan::refuse(Refusal::NotFound));
            }
            let change = ListChange { action: Action::DeleteNetwork, before, after };
            change.by_member(context, Some(password), confirm_lock_out)
        }
    }
}

/// Makes the list refuse no caller. Its entries stay, for the owners to correct.
pub(super) fn turn_off(sql: &dyn Sql, account: &Account, now: UnixMs) -> Result<Plan, SqlError> {
    let before = load(sql)?;
    if before.list.mode == ListMode::Observed {
        return Ok(Plan::read(unchanged(before, None)));
    }
    let after = NetworkList { mode: ListMode::Observed, ..before.list.clone() };
    let change = ListChange { action: Action::SetNetworks, before, after };
    Ok(change.commit(account, Author::operator(now), None, None))
}

fn refuse(refusal: NetworksRefusal) -> Plan {
    Plan::refuse(Refusal::Networks(refusal))
}

fn unchanged(before: StoredNetworks, address: Option<ClientAddress>) -> LedgerReply {
    let view = before.view(address);
    LedgerReply::NetworksChanged(ChangedNetworkList { view, bound: None, state: None })
}

fn typed(
    draft: &TypedNetworkList,
    before: &NetworkList,
    address: Option<ClientAddress>,
) -> Result<NetworkList, Refusal> {
    let ReadNetworkList { list, errors, .. } = read(draft, before, address);
    if errors.is_empty() { Ok(list) } else { Err(Refusal::Invalid { errors }) }
}

/// Returns the entries of `before` whose networks `after` does not have.
fn removed(before: &NetworkList, after: &NetworkList) -> Vec<ListedNetwork> {
    let stays = |entry: &&ListedNetwork| after.entries.iter().any(|kept| kept.id == entry.id);
    before.entries.iter().filter(|entry| !stays(entry)).cloned().collect()
}

/// A change of the list that a decision has accepted.
struct ListChange {
    action: Action,
    before: StoredNetworks,
    after: NetworkList,
}

impl ListChange {
    /// Checks the password and the lock-out guard, and commits.
    fn by_member(
        self,
        context: &CommandContext<'_>,
        password: Option<ProvenPassword>,
        confirm_lock_out: bool,
    ) -> Result<Plan, SqlError> {
        let address = context.address.and_then(ClientAddress::parse);
        let mut writes = Vec::new();
        if let Some(ProvenPassword { secret_version: version, confirmed }) = password {
            let password = VerifiedPassword { version, confirmed };
            let (member, kept) = (context.session.member.clone(), Some(context.session.id()));
            let Some((_, followed)) = follow(member, password, kept, context.author()) else {
                return Ok(Plan::refuse(Refusal::SignInRefused));
            };
            writes = followed;
        }
        if !confirm_lock_out && !self.after.permits(AccountSurface::Console, address) {
            return Ok(refuse(NetworksRefusal::WouldLockYouOut));
        }
        let name = context.session.member.view.name.clone();
        let by = Some((context.session.member_id(), name));
        let plan = self.commit(context.account, context.author(), by, address);
        writes.extend(plan.writes);
        Ok(Plan { writes, reply: plan.reply })
    }

    fn commit(
        self,
        account: &Account,
        author: Author<'_>,
        by: Option<(MemberId, String)>,
        address: Option<ClientAddress>,
    ) -> Plan {
        let Self { action, before, after } = self;
        let (opened_before, opened_after) = (before.list.edge(), after.edge());
        let narrows = opened_after
            .as_ref()
            .is_some_and(|after| opened_before.as_ref().is_none_or(|before| !after.covers(before)));
        let revision = before.revision.next();
        let text = "INSERT OR REPLACE INTO account_networks
                (one, list, revision, changed_at_ms, changed_by)
            VALUES (1, ?, ?, ?, ?)";
        let mut writes = vec![
            Statement::new(text)
                .bind(json!(after).to_string())
                .bind(revision)
                .bind(author.now)
                .bind(by.as_ref().map(|(id, _)| id.as_str())),
        ];
        let (was, is) = differences(&before.list, &after);
        let state = (opened_before != opened_after).then(|| account.revision.next());
        match state {
            Some(state) => writes.extend([
                Account::advance_state(state),
                audit::journal(action, state, "account", author.now),
                author.set(action, state, Some(was), is),
            ]),
            None => writes.push(author.changed_to(action, was, is)),
        }
        let after = StoredNetworks {
            list: after,
            revision,
            changed_at: Some(author.now),
            changed_by: by.map(|(_, name)| name),
        };
        let bound = narrows.then(|| account.bound(author.now));
        let changed = ChangedNetworkList { view: after.view(address), bound, state };
        Plan { writes, reply: LedgerReply::NetworksChanged(changed) }
    }
}

/// Returns the JSON of both lists for an audit row, with those entries alone that differ.
fn differences(before: &NetworkList, after: &NetworkList) -> (String, String) {
    let of = |list: &NetworkList, other: &NetworkList| {
        let differs = |entry: &&ListedNetwork| !other.entries.contains(entry);
        let entries: Vec<&ListedNetwork> = list.entries.iter().filter(differs).collect();
        json!({ "networks_mode": list.mode, "account_networks": entries }).to_string()
    };
    (of(before, after), of(after, before))
}
