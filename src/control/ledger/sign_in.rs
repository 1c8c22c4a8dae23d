//! Sign-in: opening the account, signing in, and the fresh proof of identity.

use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::{Epoch, Revision};

use super::account::Account;
use super::audit::{Action, Author};
use super::context::CommandContext;
use super::freshness::AccountFreshness;
use super::member::Member;
use super::password::{VerifiedPassword, follow};
use super::service::Service;
use super::sessions::Session;
use super::{key_ends, networks, repair};
use crate::ledger::plan::Plan;
use crate::objects::object::Entropy;
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::activity::Actor;
use crate::protocol::identity::NewSession;
use crate::protocol::ledger::{LedgerReply, Opening};
use crate::protocol::refusal::Refusal;

/// Opens the account, signs its owner in, and schedules the confirmations to the name object and
/// the directory.
pub(super) fn open(opening: Opening, operator: bool, now: UnixMs, entropy: &Entropy) -> Plan {
    let Opening { account: id, name, zone, owner, session, address, service } = opening;
    let epoch = Epoch::new(entropy.number());
    let account = Account {
        id,
        name,
        zone,
        freshness: AccountFreshness::NEW,
        operator,
        suspended: false,
        state_revision: Revision::default(),
        epoch,
        generation: 1,
        epoch_is_over: false,
        epoch_noted: None,
        revision: Revision::default(),
        pending_since: None,
        mail_is_failing: false,
    };
    let owner = Member::owner(owner);
    let author = Author { actor: Actor::Member(owner.view.id), address: address.as_deref(), now };
    let mut writes = vec![
        account.insert(now),
        owner.insert(now),
        author.did(Action::Open),
        Task::new(TaskKind::ConfirmName, owner.view.id).schedule(now),
        Task::own(TaskKind::ConfirmAccount).schedule(now),
        repair::schedule(now),
        key_ends::task().schedule(now.saturating_add(key_ends::LOOK_PAUSE)),
    ];
    writes.extend(networks::first(owner.view.id, address.as_deref(), now));
    writes.extend(service.and_then(|new| Service::first(new, now)).map(|service| service.store()));
    let Plan { writes: signed_in, reply } =
        sign_in(&account, owner, &session, address.as_deref(), true, now);
    writes.extend(signed_in);
    Plan { writes, reply }
}

/// Opens a session for a member whose password was verified. Without `proves`, it begins without a
/// fresh proof of identity.
pub(super) fn sign_in(
    account: &Account,
    member: Member,
    new: &NewSession,
    address: Option<&str>,
    proves: bool,
    now: UnixMs,
) -> Plan {
    let author = Author { actor: Actor::Member(member.view.id), address, now };
    let session = Session::begin(new, member, address, proves, now);
    let mut writes = Vec::from(session.insert(new));
    writes.push(author.did(Action::SignIn));
    Plan { writes, reply: LedgerReply::Session(session.view(account, now)) }
}

/// Records a fresh proof of identity, if the verified password is the member's present one. `new`
/// replaces the session: a copy of its cookie then proves nothing.
pub(super) fn step_up(
    context: &mut CommandContext<'_>,
    password: VerifiedPassword,
    new: Option<&NewSession>,
) -> Plan {
    let (member, kept) = (context.session.member.clone(), Some(context.session.id()));
    let Some((member, mut writes)) = follow(member, password, kept, context.author()) else {
        return Plan::refuse(Refusal::SignInRefused);
    };
    context.session.member = member;
    writes.push(context.session.prove(context.now));
    writes.extend(new.into_iter().flat_map(|new| context.session.replace(new)));
    writes.push(context.author().did(Action::StepUp));
    Plan { writes, reply: LedgerReply::Session(context.session.view(context.account, context.now)) }
}
