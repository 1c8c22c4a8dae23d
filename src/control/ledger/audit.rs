//! The audit trail and the journal: who did what, and which number each change has.

use claviger_core::base::id::KeyId;
use claviger_core::base::time::UnixMs;
use claviger_core::replication::record::Revision;
use serde_json::json;

use super::key::Key;
use crate::objects::sql::Statement;
use crate::protocol::activity::Actor;

/// Most rows of the journal, which tells people what happened lately; leases are told by the
/// numbers of the keys, which reach back to the first change.
pub const JOURNAL_ROWS_MAX: u64 = 10_000;

/// What was done. The names are stored: they must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The account was opened.
    Open,
    /// A member signed in.
    SignIn,
    /// A member signed out.
    SignOut,
    /// A member proved who they are.
    StepUp,
    /// A key was issued.
    Issue,
    /// Name or limits were changed.
    Edit,
    /// A key was enabled.
    Enable,
    /// A key was disabled.
    Disable,
    /// A deletion was begun: its code was mailed.
    BeginDeletion,
    /// A code was tried that was not the deletion's.
    TryWrongCode,
    /// A key was deleted.
    Delete,
    /// A key's secret was shown again.
    Reveal,
    /// The service password was shown again.
    RevealService,
    /// The service password was changed, or there is a first one.
    ChangeServicePassword,
    /// The service password's ceiling was changed.
    SetServiceCeiling,
    /// A deleted key was restored.
    RestoreKey,
    /// The operator changed T, or suspended or resumed the account.
    SetState,
    /// The operator had every record put into KV again.
    Rebuild,
    /// The operator restored the ledger from a bookmark.
    Restore,
    /// An operator of this account invited another account.
    InviteAccount,
    /// … changed another account's T, or suspended or resumed it.
    SetAccountState,
    /// … had another account's records put into KV again.
    RebuildAccount,
    /// … began to restore another account's ledger.
    BeginRestore,
    /// … finished that.
    FinishRestore,
    /// The ledger gave a key a new number, because KV held another record under the old one.
    Renumber,
    /// The ledger found a name in KV without a key.
    Orphan,
    /// The ledger removed an issued key that had ended long ago.
    Sweep,
    /// A sealed key was revoked by itself.
    RevokeSealed,
    /// All that an issuer had issued was ended.
    EndIssued,
    /// A file of the activity was begun.
    ExportActivity,
}

impl Action {
    const ALL: [Self; 30] = [
        Self::Open,
        Self::SignIn,
        Self::SignOut,
        Self::StepUp,
        Self::Issue,
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
        Self::RebuildAccount,
        Self::BeginRestore,
        Self::FinishRestore,
        Self::Renumber,
        Self::Orphan,
        Self::Sweep,
        Self::RevokeSealed,
        Self::EndIssued,
        Self::ExportActivity,
    ];

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        self.names().0
    }

    /// What it is called where it is stored, and where members read of it.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("open", "account_opened"),
            Self::SignIn => ("sign_in", "signed_in"),
            Self::SignOut => ("sign_out", "signed_out"),
            Self::StepUp => ("step_up", "identity_proven"),
            Self::Issue => ("issue", "key_issued"),
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
            Self::RebuildAccount => ("rebuild_account", "operator_rebuilt_records"),
            Self::BeginRestore => ("begin_restore", "operator_began_restore"),
            Self::FinishRestore => ("finish_restore", "operator_finished_restore"),
            Self::Renumber => ("renumber", "key_renumbered"),
            Self::Orphan => ("orphan", "orphan_found"),
            Self::Sweep => ("sweep", "key_swept"),
            Self::RevokeSealed => ("revoke_sealed", "sealed_key_revoked"),
            Self::EndIssued => ("end_issued", "issued_keys_ended"),
            Self::ExportActivity => ("export_activity", "activity_exported"),
        }
    }

    /// What members read of a stored action; one of a later release under its stored name.
    pub fn told(stored: &str) -> &str {
        let known = Self::ALL.into_iter().find(|action| action.as_str() == stored);
        known.map_or(stored, |action| action.names().1)
    }

    /// The stored name of an action that members read of.
    pub fn stored(told: &str) -> Option<&'static str> {
        Self::ALL.into_iter().find(|action| action.names().1 == told).map(Self::as_str)
    }
}

/// Who does something, from where, and when.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// Who.
    pub actor: Actor,
    /// From where.
    pub address: Option<&'a str>,
    /// When.
    pub now: UnixMs,
}

impl Author<'_> {
    /// The operator, whose commands come from nowhere that a platform tells.
    pub fn operator(now: UnixMs) -> Self {
        Self { actor: Actor::Operator, address: None, now }
    }

    /// The audit row of an action that concerns no key.
    pub fn did(&self, action: Action) -> Statement {
        self.row(action, None, None, None, None)
    }

    /// The audit row of what is done about something; `told` is a JSON object.
    pub fn did_about(&self, action: Action, told: String) -> Statement {
        self.row(action, None, None, None, Some(told))
    }

    /// The audit row of a change of a key.
    pub fn changed(&self, action: Action, before: Option<&Key>, after: &Key) -> Statement {
        self.row(action, Some(after.id), Some(after.revision), before.map(told), Some(told(after)))
    }

    /// The audit row of an action on a key that changes nothing of it.
    pub fn looked(&self, action: Action, key: &Key) -> Statement {
        self.row(action, Some(key.id), None, None, None)
    }

    /// The audit row of a change of something that holds for the whole account: what it was and
    /// what it is, as JSON objects.
    pub fn set(
        &self,
        action: Action,
        revision: Revision,
        before: Option<String>,
        after: String,
    ) -> Statement {
        self.row(action, None, Some(revision), before, Some(after))
    }

    /// The journal's row of a change of a key, and room for it.
    pub fn journal(&self, action: Action, after: &Key) -> [Statement; 2] {
        let oldest = Revision(after.revision.0.saturating_sub(JOURNAL_ROWS_MAX));
        [
            journal(action, after.revision, after.id.as_str(), self.now),
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

/// The journal's row of a change; `subject` is a key's ID, or `account`.
pub fn journal(action: Action, revision: Revision, subject: &str, now: UnixMs) -> Statement {
    Statement::new("INSERT INTO journal (revision, subject, what, at_ms) VALUES (?, ?, ?, ?)")
        .bind(revision)
        .bind(subject)
        .bind(action.as_str())
        .bind(now)
}

/// A key as an audit row tells it: without its digest.
fn told(key: &Key) -> String {
    let Key { name, limits, ceiling, viewable, protected, .. } = key;
    let state = key.state.as_str();
    json!({ "name": name, "state": state, "limits": limits, "issuable": ceiling, "viewable": viewable, "protected": protected })
        .to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What members read of is documented, offered by the console's filter, and called something in
    /// every language; and nothing else is.
    #[test]
    fn pages_and_console_know_every_action() {
        let told: BTreeSet<&str> = Action::ALL.into_iter().map(|action| action.names().1).collect();
        let quoted = |text: &'static str, quote| {
            text.split(quote).skip(1).step_by(2).collect::<BTreeSet<_>>()
        };
        let (_, page) =
            include_str!("../../../docs/http-api.md").split_once("\nActions: ").unwrap();
        assert_eq!(quoted(page.split_once(".\n\n").unwrap().0, '`'), told, "docs/http-api.md");
        let (_, offered) =
            include_str!("../../../www/src/activity/actions.js").split_once('[').unwrap();
        assert_eq!(quoted(offered, '"'), told, "actions.js");
        for words in [
            include_str!("../../../www/src/messages/en/activity.js"),
            include_str!("../../../www/src/messages/ja/activity.js"),
        ] {
            let named = words.split("\"action.").skip(1).filter_map(|rest| rest.split('"').next());
            assert_eq!(named.collect::<BTreeSet<_>>(), told);
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
            let (stored, told) = action.names();
            assert_eq!((Action::told(stored), Action::stored(told)), (told, Some(stored)));
            let earlier = Action::ALL.into_iter().take(place);
            assert!(
                earlier.into_iter().all(|one| one.names().0 != stored && one.names().1 != told),
                "{stored}"
            );
        }
        assert_eq!((Action::told("forecast"), Action::stored("issue")), ("forecast", None));
    }
}
