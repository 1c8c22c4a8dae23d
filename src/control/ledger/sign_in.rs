//! How one comes in: opening the account, signing in, proving oneself once more.

use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::{Epoch, Revision};

use super::account::{Account, Member};
use super::audit::{Action, Author};
use super::context::CommandContext;
use super::repair;
use super::service::Service;
use super::sessions::Session;
use super::state::Freshness;
use crate::ledger::plan::Plan;
use crate::objects::object::Entropy;
use crate::objects::tasks::{Duty, Kind};
use crate::protocol::activity::Actor;
use crate::protocol::ledger::{LedgerReply, NewSession, Opening, SecretVersion};
use crate::protocol::refusal::Refusal;

/// Opens the account, signs its owner in, and owes the confirmations to the name and the directory.
pub(super) fn open(opening: Opening, operator: bool, now: UnixMs, entropy: &Entropy) -> Plan {
    let Opening { account: id, name, zone, owner, session, address, service } = opening;
    let epoch = Epoch::new(entropy.number());
    let account = Account {
        id,
        name,
        zone,
        freshness: Freshness::NEW,
        operator,
        suspended: false,
        state_revision: Revision::default(),
        epoch,
        generation: 1,
        epoch_is_over: false,
        epoch_noted: None,
        revision: Revision::default(),
        owed_at: None,
        mail_is_failing: false,
    };
    let owner = Member::owner(owner);
    let author = Author { actor: Actor::Member(owner.view.id), address: address.as_deref(), now };
    let mut writes = vec![
        account.insert(now),
        owner.insert(now),
        author.did(Action::Open),
        Duty::new(Kind::ConfirmName, owner.view.id).owe(now),
        Duty::own(Kind::ConfirmAccount).owe(now),
        repair::owe(now),
    ];
    writes.extend(service.and_then(|new| Service::first(new, now)).map(|service| service.store()));
    let Plan { writes: signed_in, reply } =
        sign_in(&account, owner, &session, address.as_deref(), now);
    writes.extend(signed_in);
    Plan { writes, reply }
}

/// Opens a session for a member whose password was right.
pub(super) fn sign_in(
    account: &Account,
    member: Member,
    new: &NewSession,
    address: Option<&str>,
    now: UnixMs,
) -> Plan {
    let author = Author { actor: Actor::Member(member.view.id), address, now };
    let session = Session::begin(new, member, now);
    let mut writes = Vec::from(session.insert(&new.digest, address));
    writes.push(author.did(Action::SignIn));
    Plan { writes, reply: LedgerReply::Session(session.view(account, now)) }
}

/// Takes a right password for a fresh proof, if it is the member's present one.
pub(super) fn step_up(asked: &mut CommandContext<'_>, secret_version: SecretVersion) -> Plan {
    if asked.session.member.secret_version != secret_version {
        return Plan::refuse(Refusal::SignInRefused);
    }
    let writes = vec![asked.session.prove(asked.now), asked.author().did(Action::StepUp)];
    Plan { writes, reply: LedgerReply::Session(asked.session.view(asked.account, asked.now)) }
}
