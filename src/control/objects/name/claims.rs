//! Claims of a name by memberships: staged, confirmed, released and left.

use super::person::{self, Password, Person};
use super::{MEMBERSHIPS_MAX, MIGRATIONS, Name, RequestMoment, STAGED_MAX, ask_later, bound};
use crate::objects::object::ObjectError;
use crate::objects::sql::migrate::migrate;
use crate::objects::sql::{SqlError, Statement};
use crate::protocol::attempts::AttemptKind;
use crate::protocol::identity::Membership;
use crate::protocol::member::SecretVersion;
use crate::protocol::objects::NameReply;
use crate::protocol::password_text::PasswordForms;
use claviger_core::base::time::UnixMs;

impl Name<'_> {
    pub(super) fn claim(
        &self,
        name: &str,
        wanted: Membership,
        (password, network): (&PasswordForms, Option<&str>),
        RequestMoment { now, entropy }: RequestMoment<'_>,
    ) -> Result<NameReply, ObjectError> {
        let person = self.person(now)?;
        let known = person.as_ref().map_or(&[][..], |person| &person.passwords);
        let own = person.as_ref().and_then(|person| person.find(wanted));
        let is_confirmed = person.as_ref().is_some_and(|person| person.confirmed().is_some());
        if person.as_ref().is_some_and(|person| person.leaving.is_some()) {
            return Ok(NameReply::Moving);
        }
        if person.is_some() && own.is_none() && !is_confirmed {
            return Ok(NameReply::Taken);
        }
        let accounts = person.as_ref().map_or(0, Person::accounts);
        if let Some((same, _)) = self.matching(known, password)? {
            let secret_version = same.version;
            if let Some(own) = own {
                // A repeated claim restarts the wait, so that the ledger has its full time.
                if !own.confirmed {
                    self.sql.apply(&[ask_later(wanted, now)])?;
                }
                return Ok(NameReply::Claimed { secret_version, accounts });
            }
            if known.is_empty() || person.is_some_and(|p| p.memberships.len() >= MEMBERSHIPS_MAX) {
                return Ok(NameReply::Taken);
            }
            self.sql.apply(&person::claim(wanted, secret_version, now))?;
            return Ok(NameReply::Claimed { secret_version, accounts: accounts.saturating_add(1) });
        }
        if let Some(person) = person.as_ref().filter(|_| is_confirmed) {
            self.note_refused(person, AttemptKind::SignIn, network, now)?;
        }
        if is_confirmed || known.len() >= STAGED_MAX {
            return Ok(NameReply::Taken);
        }
        let highest = known.iter().map(|known| known.version.0).max().unwrap_or(0);
        let secret_version = SecretVersion(highest.saturating_add(1));
        let stored = self.store(password.prepared(), entropy)?;
        migrate(self.sql, MIGRATIONS, now)?;
        let mut writes = Vec::new();
        if own.is_none() {
            let text = "INSERT INTO claim (one, account, member, name, claimed_at_ms) VALUES (1, ?, ?, ?, ?)";
            writes.push(bound(text, wanted).bind(name).bind(now));
            writes.extend(person::claim(wanted, secret_version, now));
        }
        writes.push(
            Statement::new("INSERT INTO password (version, hash, confirmed) VALUES (?, ?, 0)")
                .bind(secret_version.0)
                .bind(stored.as_str()),
        );
        writes.push(ask_later(wanted, now));
        self.sql.apply(&writes)?;
        Ok(NameReply::Claimed { secret_version, accounts: accounts.max(1) })
    }

    pub(super) fn confirm(
        &self,
        id: Membership,
        version: SecretVersion,
        now: UnixMs,
    ) -> Result<NameReply, SqlError> {
        let Some(person) = self.person(now)? else { return Ok(NameReply::NotHeld) };
        let Some(own) = person.find(id) else { return Ok(NameReply::NotHeld) };
        let is_known = match person.confirmed() {
            // A ledger goes by the present version, or by an earlier one.
            Some(present) => version <= present.version,
            None => person.passwords.iter().any(|staged| staged.version == version),
        };
        if !is_known {
            return Ok(NameReply::NotHeld);
        }
        if !own.confirmed {
            self.sql.apply(&person.confirm(id, version, now))?;
        }
        Ok(NameReply::Confirmed)
    }

    pub(super) fn release(
        &self,
        id: Membership,
        version: SecretVersion,
        now: UnixMs,
    ) -> Result<NameReply, SqlError> {
        let Some(person) = self.person(now)? else { return Ok(NameReply::NotHeld) };
        let Some(own) = person.find(id).filter(|own| !own.confirmed) else {
            return Ok(NameReply::NotHeld);
        };
        let is_staged = |password: &Password| password.version == version && !password.confirmed;
        let is_first = own.version == version;
        if person.confirmed().is_some() {
            // The ledger may hold it by a claim before a change of the password: then the object
            // asks.
            if is_first {
                self.sql.apply(&person.without(id, now))?;
            }
        } else if person.passwords.iter().any(is_staged) {
            if person.passwords.len() == 1 {
                self.sql.apply(&person.without(id, now))?;
            } else {
                let one = Statement::new("DELETE FROM password WHERE version = ?");
                self.sql.apply(&[one.bind(version.0)])?;
            }
        }
        Ok(NameReply::NotHeld)
    }

    pub(super) fn leave(&self, id: Membership, now: UnixMs) -> Result<NameReply, SqlError> {
        if let Some(person) = self.person(now)?.filter(|person| person.find(id).is_some()) {
            self.sql.apply(&person.without(id, now))?;
        }
        Ok(NameReply::NotHeld)
    }
}
