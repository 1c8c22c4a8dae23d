//! The audit trail and the journal: the actor of each action, and the revision of each change.

use claviger_core::base::id::KeyId;
use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::Revision;
use serde_json::json;

use super::key::Key;
use crate::objects::sql::Statement;
use crate::protocol::activity::Actor;

/// Most rows of the journal, which only informs people about recent changes. Leases use the keys'
/// own revisions, which reach back to the first change.
pub const JOURNAL_ROWS_MAX: u64 = 10_000;

/// An action in the audit trail. The names are stored and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The account was opened.
    Open,
    /// A member signed in.
    SignIn,
    /// A member signed out.
    SignOut,
    /// A member gave a fresh proof of identity.
    StepUp,
    /// A key was issued.
    Issue,
    /// A key was issued as the successor of another.
    Regenerate,
    /// A key was replaced by its successor, and ended at once or was given an overlap.
    Replace,
    /// A replaced key was ended before its overlap was over.
    EndOverlap,
    /// A key's name or limits were changed.
    Edit,
    /// A key was enabled.
    Enable,
    /// A key was disabled.
    Disable,
    /// A deletion was begun and its code mailed.
    BeginDeletion,
    /// A member tried a wrong code for a deletion.
    TryWrongCode,
    /// A key was deleted.
    Delete,
    /// A key's secret was shown again.
    Reveal,
    /// The service password was shown again.
    RevealService,
    /// The service password was changed, or set for the first time.
    ChangeServicePassword,
    /// The service password's ceiling was changed.
    SetServiceCeiling,
    /// A deleted key was restored.
    RestoreKey,
    /// The operator changed T, or suspended or resumed the account.
    SetState,
    /// The operator started a rebuild of KV.
    Rebuild,
    /// The operator restored the ledger from a bookmark.
    Restore,
    /// An operator of this account invited another account.
    InviteAccount,
    /// An operator of this account changed another account's T, or suspended or resumed it.
    SetAccountState,
    /// The operator changed the account's policy.
    SetPolicy,
    /// An operator of this account changed another account's policy.
    SetAccountPolicy,
    /// An operator of this account started a rebuild of another account's records in KV.
    RebuildAccount,
    /// An operator of this account began to restore another account's ledger.
    BeginRestore,
    /// An operator of this account finished a restore.
    FinishRestore,
    /// An operator of this account withdrew the invitation of another account.
    WithdrawAccount,
    /// The ledger gave a key a new revision, because KV held another record under the old one.
    Renumber,
    /// The ledger found a name in KV without a key.
    Orphan,
    /// The ledger removed an issued key that had ended long ago.
    Sweep,
    /// One sealed key was revoked.
    RevokeSealed,
    /// All keys that an issuer had issued were ended.
    EndIssued,
    /// An export of the activity was begun.
    ExportActivity,
    /// A member's password was changed or reset.
    ChangePassword,
    /// A session was ended from another one.
    EndSession,
    /// A member ended all their sessions but one.
    EndOtherSessions,
    /// An owner invited an address.
    InviteMember,
    /// An owner mailed an invitation again.
    RepeatInvitation,
    /// An owner withdrew an invitation.
    WithdrawInvitation,
    /// An invited person became a member.
    Join,
    /// An owner changed a member's role.
    ChangeRole,
    /// An owner removed a member.
    RemoveMember,
    /// A member left the account.
    Leave,
    /// An owner ended the sessions of a member.
    EndMemberSessions,
    /// A member changed their own name or language.
    EditProfile,
    /// An owner changed the account's name or time zone.
    EditAccount,
    /// A password was right, and the member has a second factor.
    DemandFactor,
    /// A code of a second factor was refused.
    RefuseFactor,
    /// A member turned an authenticator app on.
    TurnOnFactor,
    /// A member turned their authenticator app off.
    TurnOffFactor,
    /// An owner turned off the second factors of a member.
    ResetFactors,
    /// A member replaced their recovery codes.
    RenewRecoveryCodes,
    /// A member used a recovery code.
    UseRecoveryCode,
    /// Sign-ins of a member were refused for a wrong password.
    RefuseSignIn,
    /// A signed-in member typed a wrong password to prove their identity.
    RefuseStepUp,
    /// Wrong codes were typed to reset a member's password.
    RefuseResetCode,
    /// Programs presented a wrong service password.
    RefuseService,
    /// A key was used from a network that was new for it.
    KeyNetwork,
    /// A member switched notices on or off.
    EditNotices,
    /// A member's e-mail address was changed.
    ChangeAddress,
    /// A member added a passkey.
    AddPasskey,
    /// A member renamed a passkey.
    RenamePasskey,
    /// A member removed a passkey.
    RemovePasskey,
    /// A passkey was refused because its signature counter did not rise.
    RefuseClone,
    /// A member with passkeys added an authenticator app.
    AddApp,
    /// A member with passkeys removed their authenticator app.
    RemoveApp,
    /// A member created an API user.
    CreateApiUser,
    /// A member changed an API user, perhaps its secret.
    EditApiUser,
    /// A member locked an API user.
    LockApiUser,
    /// A member unlocked an API user.
    UnlockApiUser,
    /// A member deleted an API user.
    DeleteApiUser,
    /// A member restored a deleted API user.
    RestoreApiUser,
}

impl Action {
    const ALL: [Self; 75] = [
        Self::Open,
        Self::SignIn,
        Self::SignOut,
        Self::StepUp,
        Self::Issue,
        Self::Regenerate,
        Self::Replace,
        Self::EndOverlap,
        Self::Edit,
        Self::Enable,
        Self::Disable,
        Self::BeginDeletion,
        Self::TryWrongCode,
        Self::Delete,
        Self::Reveal,
        Self::RevealService,
        Self::ChangeServicePassword,
        Self::SetServiceCeiling,
        Self::RestoreKey,
        Self::SetState,
        Self::Rebuild,
        Self::Restore,
        Self::InviteAccount,
        Self::SetAccountState,
        Self::SetPolicy,
        Self::SetAccountPolicy,
        Self::RebuildAccount,
        Self::BeginRestore,
        Self::FinishRestore,
        Self::WithdrawAccount,
        Self::Renumber,
        Self::Orphan,
        Self::Sweep,
        Self::RevokeSealed,
        Self::EndIssued,
        Self::ExportActivity,
        Self::ChangePassword,
        Self::EndSession,
        Self::EndOtherSessions,
        Self::InviteMember,
        Self::RepeatInvitation,
        Self::WithdrawInvitation,
        Self::Join,
        Self::ChangeRole,
        Self::RemoveMember,
        Self::Leave,
        Self::EndMemberSessions,
        Self::EditProfile,
        Self::EditAccount,
        Self::DemandFactor,
        Self::RefuseFactor,
        Self::TurnOnFactor,
        Self::TurnOffFactor,
        Self::ResetFactors,
        Self::RenewRecoveryCodes,
        Self::UseRecoveryCode,
        Self::RefuseSignIn,
        Self::RefuseStepUp,
        Self::RefuseResetCode,
        Self::RefuseService,
        Self::KeyNetwork,
        Self::EditNotices,
        Self::ChangeAddress,
        Self::AddPasskey,
        Self::RenamePasskey,
        Self::RemovePasskey,
        Self::RefuseClone,
        Self::AddApp,
        Self::RemoveApp,
        Self::CreateApiUser,
        Self::EditApiUser,
        Self::LockApiUser,
        Self::UnlockApiUser,
        Self::DeleteApiUser,
        Self::RestoreApiUser,
    ];

    /// Returns the stored name.
    pub fn as_str(self) -> &'static str {
        self.names().0
    }

    /// Returns the stored name and the public name that members see.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("open", "account_opened"),
            Self::SignIn => ("sign_in", "signed_in"),
            Self::SignOut => ("sign_out", "signed_out"),
            Self::StepUp => ("step_up", "identity_proven"),
            Self::Issue => ("issue", "key_issued"),
            Self::Regenerate => ("regenerate", "key_regenerated"),
            Self::Replace => ("replace", "key_replaced"),
            Self::EndOverlap => ("end_overlap", "overlap_ended"),
            Self::Edit => ("edit", "key_edited"),
            Self::Enable => ("enable", "key_enabled"),
            Self::Disable => ("disable", "key_disabled"),
            Self::BeginDeletion => ("begin_deletion", "deletion_begun"),
            Self::TryWrongCode => ("try_wrong_code", "deletion_code_wrong"),
            Self::Delete => ("delete", "key_deleted"),
            Self::Reveal => ("reveal", "key_revealed"),
            Self::RevealService => ("reveal_service", "service_password_revealed"),
            Self::ChangeServicePassword => ("change_service_password", "service_password_changed"),
            Self::SetServiceCeiling => ("set_service_ceiling", "service_ceiling_changed"),
            Self::RestoreKey => ("restore_key", "key_restored"),
            Self::SetState => ("set_state", "account_state_set"),
            Self::Rebuild => ("rebuild", "records_rebuilt"),
            Self::Restore => ("restore", "account_restored"),
            Self::InviteAccount => ("invite_account", "operator_invited_account"),
            Self::SetAccountState => ("set_account_state", "operator_set_account_state"),
            Self::SetPolicy => ("set_policy", "policy_changed"),
            Self::SetAccountPolicy => ("set_account_policy", "operator_changed_policy"),
            Self::RebuildAccount => ("rebuild_account", "operator_rebuilt_records"),
            Self::BeginRestore => ("begin_restore", "operator_began_restore"),
            Self::FinishRestore => ("finish_restore", "operator_finished_restore"),
            Self::WithdrawAccount => ("withdraw_account", "operator_withdrew_account"),
            Self::Renumber => ("renumber", "key_renumbered"),
            Self::Orphan => ("orphan", "orphan_found"),
            Self::Sweep => ("sweep", "key_swept"),
            Self::RevokeSealed => ("revoke_sealed", "sealed_key_revoked"),
            Self::EndIssued => ("end_issued", "issued_keys_ended"),
            Self::ExportActivity => ("export_activity", "activity_exported"),
            Self::ChangePassword => ("change_password", "password_changed"),
            Self::EndSession => ("end_session", "session_ended"),
            Self::EndOtherSessions => ("end_other_sessions", "other_sessions_ended"),
            Self::InviteMember => ("invite_member", "member_invited"),
            Self::RepeatInvitation => ("repeat_invitation", "invitation_repeated"),
            Self::WithdrawInvitation => ("withdraw_invitation", "invitation_withdrawn"),
            Self::Join => ("join", "member_joined"),
            Self::ChangeRole => ("change_role", "member_role_changed"),
            Self::RemoveMember => ("remove_member", "member_removed"),
            Self::Leave => ("leave", "member_left"),
            Self::EndMemberSessions => ("end_member_sessions", "member_sessions_ended"),
            Self::EditProfile => ("edit_profile", "profile_changed"),
            Self::EditAccount => ("edit_account", "account_changed"),
            Self::DemandFactor => ("demand_factor", "mfa_code_demanded"),
            Self::RefuseFactor => ("refuse_factor", "mfa_code_refused"),
            Self::TurnOnFactor => ("turn_on_factor", "mfa_turned_on"),
            Self::TurnOffFactor => ("turn_off_factor", "mfa_turned_off"),
            Self::ResetFactors => ("reset_factors", "mfa_reset"),
            Self::RenewRecoveryCodes => ("renew_recovery_codes", "recovery_codes_renewed"),
            Self::UseRecoveryCode => ("use_recovery_code", "recovery_code_used"),
            Self::RefuseSignIn => ("refuse_sign_in", "sign_in_refused"),
            Self::RefuseStepUp => ("refuse_step_up", "identity_proof_refused"),
            Self::RefuseResetCode => ("refuse_reset_code", "reset_code_wrong"),
            Self::RefuseService => ("refuse_service", "service_password_wrong"),
            Self::KeyNetwork => ("key_network", "key_network_new"),
            Self::EditNotices => ("edit_notices", "notices_changed"),
            Self::ChangeAddress => ("change_address", "address_changed"),
            Self::AddPasskey => ("add_passkey", "passkey_added"),
            Self::RenamePasskey => ("rename_passkey", "passkey_renamed"),
            Self::RemovePasskey => ("remove_passkey", "passkey_removed"),
            Self::RefuseClone => ("refuse_clone", "passkey_copy_refused"),
            Self::AddApp => ("add_app", "authenticator_app_added"),
            Self::RemoveApp => ("remove_app", "authenticator_app_removed"),
            Self::CreateApiUser => ("create_api_user", "api_user_created"),
            Self::EditApiUser => ("edit_api_user", "api_user_edited"),
            Self::LockApiUser => ("lock_api_user", "api_user_locked"),
            Self::UnlockApiUser => ("unlock_api_user", "api_user_unlocked"),
            Self::DeleteApiUser => ("delete_api_user", "api_user_deleted"),
            Self::RestoreApiUser => ("restore_api_user", "api_user_restored"),
        }
    }

    /// Returns the public name of a stored action; an action of a later release keeps its stored
    /// name.
    pub fn public_name(stored: &str) -> &str {
        let known = Self::ALL.into_iter().find(|action| action.as_str() == stored);
        known.map_or(stored, |action| action.names().1)
    }

    /// Returns the stored name of a public action name.
    pub fn stored(public: &str) -> Option<&'static str> {
        Self::ALL.into_iter().find(|action| action.names().1 == public).map(Self::as_str)
    }
}

/// The author of an action, with address and time.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// Member, key, service password or operator.
    pub actor: Actor<'a>,
    /// IP address of the request; `None` if the platform reported none.
    pub address: Option<&'a str>,
    /// Time of the action, Unix ms.
    pub now: UnixMs,
}

impl Author<'_> {
    /// Returns the operator as author, without an address: the platform reports none for their
    /// commands.
    pub fn operator(now: UnixMs) -> Self {
        Self { actor: Actor::Operator, address: None, now }
    }

    /// Returns the audit row of an action that concerns no key.
    pub fn did(&self, action: Action) -> Statement {
        self.row(action, None, None, None, None)
    }

    /// Returns the audit row of an action with details; `details` is a JSON object.
    pub fn did_about(&self, action: Action, details: String) -> Statement {
        self.row(action, None, None, None, Some(details))
    }

    /// Returns the audit row of an action that is a change of the account state if it has a
    /// revision; `details` is a JSON object.
    pub fn did_in(
        &self,
        action: Action,
        revision: Option<Revision>,
        details: Option<String>,
    ) -> Statement {
        self.row(action, None, revision, None, details)
    }

    /// Returns the audit row of a change that has no revision, with old and new value as JSON
    /// objects.
    pub fn changed_to(&self, action: Action, before: String, after: String) -> Statement {
        self.row(action, None, None, Some(before), Some(after))
    }

    /// Returns the audit row of a change of a key.
    pub fn changed(&self, action: Action, before: Option<&Key>, after: &Key) -> Statement {
        self.row(
            action,
            Some(after.id),
            Some(after.revision),
            before.map(audit_json),
            Some(audit_json(after)),
        )
    }

    /// Returns the audit row of an action on a key that does not change it.
    pub fn looked(&self, action: Action, key: &Key) -> Statement {
        self.row(action, Some(key.id), None, None, None)
    }

    /// Returns the audit row of an event of a key that does not change it; `details` is a JSON
    /// object.
    pub fn about_key(&self, action: Action, key: KeyId, details: String) -> Statement {
        self.row(action, Some(key), None, None, Some(details))
    }

    /// Returns the audit row of a change of the account or its service credentials, with old and
    /// new value as JSON objects.
    pub fn set(
        &self,
        action: Action,
        revision: Revision,
        before: Option<String>,
        after: String,
    ) -> Statement {
        self.row(action, None, Some(revision), before, Some(after))
    }

    /// Returns the audit row of a change of an API user, with old and new values as JSON objects.
    pub fn changed_user(
        &self,
        action: Action,
        (id, revision): (KeyId, Revision),
        before: Option<String>,
        after: String,
    ) -> Statement {
        self.row(action, Some(id), Some(revision), before, Some(after))
    }

    /// Returns the journal row of a change of a key or an API user, and the write that keeps the
    /// journal within its bound.
    pub fn journal(&self, action: Action, id: KeyId, revision: Revision) -> [Statement; 2] {
        let oldest = Revision(revision.0.saturating_sub(JOURNAL_ROWS_MAX));
        [
            journal(action, revision, id.as_str(), self.now),
            Statement::new("DELETE FROM journal WHERE revision <= ?").bind(oldest),
        ]
    }

    fn row(
        &self,
        action: Action,
        key: Option<KeyId>,
        revision: Option<Revision>,
        before: Option<String>,
        after: Option<String>,
    ) -> Statement {
        let text =
            "INSERT INTO audit (at_ms, member, action, key, address, revision, before, after)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        Statement::new(text)
            .bind(self.now)
            .bind(self.actor.as_str())
            .bind(action.as_str())
            .bind(key.as_ref().map(KeyId::as_str))
            .bind(self.address)
            .bind(revision)
            .bind(before)
            .bind(after)
    }
}

/// Returns the journal row of a change; `subject` is a key's ID, or `account`.
pub fn journal(action: Action, revision: Revision, subject: &str, now: UnixMs) -> Statement {
    Statement::new("INSERT INTO journal (revision, subject, what, at_ms) VALUES (?, ?, ?, ?)")
        .bind(revision)
        .bind(subject)
        .bind(action.as_str())
        .bind(now)
}

/// Returns a key as JSON for an audit row, without its digest.
fn audit_json(key: &Key) -> String {
    let Key { name, limits, ceiling, viewable, protected, replaces, replaced_by, .. } = key;
    let state = key.state.as_str();
    let mut members = json!({ "name": name, "state": state, "limits": limits, "issuable": ceiling, "viewable": viewable, "protected": protected });
    // Only a key of a rotation has links.
    for (name, id) in [("replaces", replaces), ("replaced_by", replaced_by)] {
        if let (Some(id), Some(members)) = (id, members.as_object_mut()) {
            members.insert(name.to_owned(), json!(id));
        }
    }
    members.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every public action is documented, offered by the console's filter and translated into every
    /// language; no other action is.
    #[test]
    fn pages_and_console_know_every_action() {
        let public: BTreeSet<&str> =
            Action::ALL.into_iter().map(|action| action.names().1).collect();
        let quoted = |text: &'static str, quote| {
            text.split(quote).skip(1).step_by(2).collect::<BTreeSet<_>>()
        };
        let (_, page) =
            include_str!("../../../docs/http-api.md").split_once("\nActions: ").unwrap();
        assert_eq!(quoted(page.split_once(".\n\n").unwrap().0, '`'), public, "docs/http-api.md");
        let (_, offered) =
            include_str!("../../../www/src/activity/actions.js").split_once('[').unwrap();
        assert_eq!(quoted(offered, '"'), public, "actions.js");
        for words in [
            include_str!("../../../www/src/i18n/messages/en/activity.js"),
            include_str!("../../../www/src/i18n/messages/ja/activity.js"),
        ] {
            let named = words.split("\"action.").skip(1).filter_map(|rest| rest.split('"').next());
            assert_eq!(named.collect::<BTreeSet<_>>(), public);
        }
    }

    #[test]
    fn every_action_has_two_names_of_its_own() {
        // An action that is missing from the list would be told under its stored name, and found by
        // none.
        let arms = include_str!("audit.rs").lines().filter(|line| {
            let line = line.trim();
            line.starts_with("Self::") && line.contains(" => (\"")
        });
        assert_eq!(arms.count(), Action::ALL.len());
        for (place, action) in Action::ALL.into_iter().enumerate() {
            let (stored, public) = action.names();
            assert_eq!(
                (Action::public_name(stored), Action::stored(public)),
                (public, Some(stored))
            );
            let earlier = Action::ALL.into_iter().take(place);
            assert!(
                earlier.into_iter().all(|one| one.names().0 != stored && one.names().1 != public),
                "{stored}"
            );
        }
        assert_eq!((Action::public_name("forecast"), Action::stored("issue")), ("forecast", None));
    }
}
