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
use super::{challenge, factors, key_ends, networks, passkeys, repair};
use crate::ledger::plan::Plan;
use crate::objects::object::Entropy;
use crate::objects::sql::{Sql, SqlError};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::activity::Actor;
use crate::protocol::factors::FactorKinds;
use crate::protocol::identity::NewSession;
use crate::protocol::ledger::{LedgerReply, Opening};
use crate::protocol::policy::Policy;
use crate::protocol::proof::{DemandedProof, ProofMethod};
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
        policy: Policy::default(),
        policy_revision: Revision::default(),
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
    let Plan { writes: signed_in, reply } = begin_session(
        &account,
        owner,
        &session,
        author,
        (Some(ProofMethod::Password), FactorKinds::default()),
    );
    writes.extend(signed_in);
    Plan { writes, reply }
}

/// Signs in a member whose password was verified. A member with a second factor gets a challenge in
/// place of a session, unless the request says that they have just proven the factor. Without
/// `proves`, the session begins without a fresh proof of identity.
pub(super) fn sign_in(
    sql: &dyn Sql,
    account: &Account,
    member: Member,
    new: &NewSession,
    address: Option<&str>,
    proves: bool,
    now: UnixMs,
) -> Result<Plan, SqlError> {
    let author = Author { actor: Actor::Member(member.view.id), address, now };
    let password = Some(ProofMethod::Password).filter(|_| proves);
    let kinds = factors::kinds(sql, member.view.id)?;
    if !kinds.any() {
        return Ok(begin_session(account, member, new, author, (password, kinds)));
    }
    let proven = new.proven_by.filter(|method| method.is_factor());
    Ok(match (proven, &new.challenge) {
        (Some(_), _) => begin_session(account, member, new, author, (proven, kinds)),
        (None, Some(challenge)) => {
            let passkeys = passkeys::views(sql, member.view.id)?;
            challenge::open(&member, new, challenge, (kinds, passkeys), author)
        }
        (None, None) => Plan::refuse(Refusal::SignInRefused),
    })
}

/// Opens a session of a member with these kinds of factors. The caller knows that there are none,
/// or that the member has proven one.
pub(super) fn begin_session(
    account: &Account,
    member: Member,
    new: &NewSession,
    author: Author<'_>,
    (proof, kinds): (Option<ProofMethod>, FactorKinds),
) -> Plan {
    let session = Session::begin(new, member, author.address, proof, kinds, author.now);
    let mut writes = Vec::from(session.insert(new));
    writes.push(author.did(Action::SignIn));
    Plan { writes, reply: LedgerReply::Session(session.view(account, author.now)) }
}

/// Records a fresh proof of identity, if the verified password is the member's present one. A
/// password alone proves nothing of a member with a second factor. `new` replaces the session: a
/// copy of its cookie then proves nothing.
pub(super) fn step_up(
    context: &mut CommandContext<'_>,
    password: VerifiedPassword,
    new: Option<&NewSession>,
) -> Plan {
    if context.session.with_factor() {
        let methods = DemandedProof::Password.methods(true).to_vec();
        return Plan::refuse(context.session.offered(Refusal::ProofRequired { methods }));
    }
    let (member, kept) = (context.session.member.clone(), Some(context.session.id()));
    let Some((member, mut writes)) = follow(member, password, kept, context.author()) else {
        return Plan::refuse(Refusal::SignInRefused);
    };
    context.session.member = member;
    writes.push(context.session.prove(ProofMethod::Password, context.now));
    writes.extend(new.into_iter().flat_map(|new| context.session.replace(new)));
    writes.push(context.author().did(Action::StepUp));
    Plan { writes, reply: LedgerReply::Session(context.session.view(context.account, context.now)) }
}
