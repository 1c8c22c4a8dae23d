//! The rights of members: the role and the fresh proof of identity that each command requires.

use claviger_core::base::id::MemberId;

use crate::protocol::api_users::ApiUsersCommand;
use crate::protocol::command::Command;
use crate::protocol::factors::{FactorsCommand, PasskeyCommand};
use crate::protocol::member::Role;
use crate::protocol::members::MembersCommand;
use crate::protocol::proof::{ActionClass, GivenProof, ProofMethod, ProofPolicy};
use crate::protocol::refusal::Refusal;
use crate::protocol::service::ServiceCommand;

/// Rights that a command requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequiredRights {
    /// Any member with a session.
    Session,
    /// Any member with a fresh proof of identity.
    ProvenSession,
    /// An owner or admin.
    Editor,
    /// An owner or admin with a fresh proof of identity.
    ProvenEditor,
    /// An owner or admin who types the password with the command. Where a password alone is no
    /// proof, a fresh proof besides.
    TypingEditor,
    /// An owner.
    Owner,
    /// An owner with a fresh proof of identity.
    ProvenOwner,
    /// An owner of the operator's account.
    Operator,
    /// An owner of the operator's account with a fresh proof of identity.
    ProvenOperator,
}

fn demand(command: &Command) -> RequiredRights {
    match command {
        Command::Show
        | Command::ShowPair
        | Command::SignOut
        | Command::StepUp { .. }
        | Command::MailProofCode { .. }
        | Command::ProveCode { .. }
        | Command::NoteAccounts { .. }
        | Command::ProveFactor { .. } => RequiredRights::Session,
        Command::Factors { factors } => match factors {
            FactorsCommand::Show => RequiredRights::Session,
            FactorsCommand::BeginTotp { .. }
            | FactorsCommand::ConfirmTotp { .. }
            | FactorsCommand::TurnOffTotp
            | FactorsCommand::RenewRecoveryCodes { .. } => RequiredRights::ProvenSession,
            FactorsCommand::Reset { .. } => RequiredRights::ProvenOwner,
        },
        Command::ChangeAddress => RequiredRights::ProvenSession,
        Command::Passkeys { passkeys: PasskeyCommand::Rename { .. } } => RequiredRights::Session,
        Command::Passkeys { .. } => RequiredRights::ProvenSession,
        // No fresh proof: a member who notices a foreign session must be able to end it at once.
        Command::ListSessions | Command::EndSession { .. } | Command::EndOtherSessions => {
            RequiredRights::Session
        }
        Command::List(_)
        | Command::Get { .. }
        | Command::Check { .. }
        | Command::CountIssued { .. }
        | Command::Activity { .. } => RequiredRights::Session,
        // No fresh proof: a member who notices a leak must be able to stop it at once.
        Command::SetEnabled { enabled: false, .. } | Command::RevokeSealed { .. } => {
            RequiredRights::Editor
        }
        // No fresh proof, where the policy demands no code either: a deletion can be undone.
        Command::DeleteKey { .. } => RequiredRights::Editor,
        // No fresh proof beforehand: the mailed code is one.
        Command::BeginDeletion { .. }
        | Command::ShowDeletion { .. }
        | Command::MailDeletionCode { .. }
        | Command::ConfirmDeletion { .. } => RequiredRights::Editor,
        Command::SetEnabled { enabled: true, .. }
        | Command::Issue { .. }
        | Command::Regenerate { .. }
        | Command::EndOverlap { .. }
        | Command::Reveal { .. }
        | Command::Edit { .. }
        | Command::RestoreKey { .. } => RequiredRights::ProvenEditor,
        Command::Service { service: ServiceCommand::Show } => RequiredRights::Session,
        Command::Service { service: ServiceCommand::Reveal } => RequiredRights::ProvenEditor,
        Command::Service { .. } => RequiredRights::ProvenOwner,
        Command::ApiUsers { users } => match users {
            ApiUsersCommand::List(_) | ApiUsersCommand::Get { .. } => RequiredRights::Session,
            // No fresh proof: a member who notices a leak must be able to stop it at once.
            ApiUsersCommand::SetLocked { locked: true, .. } => RequiredRights::Editor,
            ApiUsersCommand::SetLocked { locked: false, .. }
            | ApiUsersCommand::CheckCreation { .. }
            | ApiUsersCommand::Create { .. }
            | ApiUsersCommand::CheckEdit { .. }
            | ApiUsersCommand::Edit { .. }
            | ApiUsersCommand::Restore { .. } => RequiredRights::ProvenEditor,
            ApiUsersCommand::CheckDeletion { .. } | ApiUsersCommand::Delete { .. } => {
                RequiredRights::TypingEditor
            }
        },
        Command::Operate { operation } if operation.is_change() => RequiredRights::ProvenOperator,
        Command::Operate { .. } => RequiredRights::Operator,
        Command::Members { members } => match members {
            MembersCommand::List
            | MembersCommand::EditProfile { .. }
            | MembersCommand::ShowNotices
            | MembersCommand::EditNotices { .. }
            | MembersCommand::ListNotices { .. }
            | MembersCommand::ReadNotices { .. } => RequiredRights::Session,
            MembersCommand::Leave => RequiredRights::ProvenSession,
            // No fresh proof: an owner who notices an intruder must be able to act at once.
            MembersCommand::WithdrawInvitation { .. } | MembersCommand::EndSessions { .. } => {
                RequiredRights::Owner
            }
            MembersCommand::Invite { .. }
            | MembersCommand::RepeatInvitation { .. }
            | MembersCommand::ChangeRole { .. }
            | MembersCommand::Remove { .. }
            | MembersCommand::EditAccount { .. } => RequiredRights::ProvenOwner,
        },
    }
}

/// Returns the class of a command, by which the account's policy demands a proof of identity. It
/// matters for commands that need one.
fn class(command: &Command) -> ActionClass {
    match command {
        Command::Reveal { .. } | Command::Service { service: ServiceCommand::Reveal } => {
            ActionClass::ShowSecrets
        }
        Command::Service { .. } => ActionClass::ChangeService,
        Command::Operate { .. } => ActionClass::Operate,
        Command::Factors { factors: FactorsCommand::Reset { .. } } => ActionClass::ManageMembers,
        Command::Factors { .. } | Command::Passkeys { .. } | Command::ChangeAddress => {
            ActionClass::ChangeFactors
        }
        Command::Members { members: MembersCommand::EditAccount { .. } } => {
            ActionClass::ChangeAccount
        }
        Command::Members { .. } => ActionClass::ManageMembers,
        _ => ActionClass::ChangeKeys,
    }
}

/// Returns the command that `member` gives. The removal of oneself is leaving, which every member
/// may.
pub fn given_by(command: Command, member: MemberId) -> Command {
    match command {
        Command::Members { members: MembersCommand::Remove { member: wanted } }
            if wanted == member =>
        {
            Command::Members { members: MembersCommand::Leave }
        }
        command => command,
    }
}

/// Checks that a member of this role may give the command. `given` is the last proof of identity of
/// the session; `in_operators_account` enables the operator's commands.
///
/// # Errors
/// [`Refusal::NotPermitted`] if the role does not suffice. [`Refusal::StepUpRequired`], or
/// [`Refusal::ProofRequired`] where a password does not suffice, if the command needs a proof and
/// `given` is not the one that `policy` demands. [`Refusal::NotFound`] for an operator's command in
/// any other account: members there must not learn that it exists.
pub fn authorise(
    command: &Command,
    role: Role,
    given: GivenProof,
    policy: &ProofPolicy,
    in_operators_account: bool,
) -> Result<(), Refusal> {
    let demanded = policy.demand(class(command));
    let is_proven = given.satisfies(demanded);
    let typed = GivenProof { method: Some(ProofMethod::Password), is_fresh: true, ..given };
    let required = || match demanded.methods(given.with_factor) {
        [ProofMethod::Password] => Refusal::StepUpRequired,
        methods => Refusal::ProofRequired { methods: methods.to_vec() },
    };
    let edits = match role {
        Role::Owner | Role::Admin => true,
        Role::Viewer => false,
    };
    match demand(command) {
        RequiredRights::Session => Ok(()),
        RequiredRights::ProvenSession if !is_proven => Err(required()),
        RequiredRights::ProvenSession => Ok(()),
        RequiredRights::Editor | RequiredRights::ProvenEditor | RequiredRights::TypingEditor
            if !edits =>
        {
            Err(Refusal::NotPermitted)
        }
        RequiredRights::ProvenEditor if !is_proven => Err(required()),
        RequiredRights::TypingEditor if !is_proven && !typed.satisfies(demanded) => Err(required()),
        RequiredRights::Editor | RequiredRights::ProvenEditor | RequiredRights::TypingEditor => {
            Ok(())
        }
        RequiredRights::Owner | RequiredRights::ProvenOwner if role != Role::Owner => {
            Err(Refusal::NotPermitted)
        }
        RequiredRights::ProvenOwner if !is_proven => Err(required()),
        RequiredRights::Owner | RequiredRights::ProvenOwner => Ok(()),
        RequiredRights::Operator | RequiredRights::ProvenOperator if !in_operators_account => {
            Err(Refusal::NotFound)
        }
        RequiredRights::Operator | RequiredRights::ProvenOperator if role != Role::Owner => {
            Err(Refusal::NotPermitted)
        }
        RequiredRights::ProvenOperator if !is_proven => Err(required()),
        RequiredRights::Operator | RequiredRights::ProvenOperator => Ok(()),
    }
}
