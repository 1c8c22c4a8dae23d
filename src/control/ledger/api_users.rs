//! Commands about API users: decisions and their writes.
//!
//! An API user shares with keys the revisions, the outbox, usage and the audit trail. It has a
//! separate table, so that lists, policies and counts of keys know nothing of it. Policies bound
//! the life of keys; they say nothing about API users.
//!
//! The ledger has no secret of a user, only its version. The name object has staged that version
//! before the command comes, and a task confirms it afterwards.

use claviger_core::base::id::KeyId;
use claviger_core::credential::api_user::{
    ApiSecretVersion, ApiUserGroup, ApiUserName, PersonalData,
};
use claviger_core::credential::limits::permission::Permissions;
use claviger_core::credential::limits::subset::narrows_limits;
use claviger_core::credential::limits::{Interface, Limits};
use claviger_core::replication::record::Revision;

use super::account::Account;
use super::api_user_row::{
    DecidedApiUser, StoredApiUser, confirm_task, created_before, holder, is_full,
    stored_idempotency_key,
};
use super::audit::Action;
use super::context::CommandContext;
use super::decide::check_idempotency_key;
use super::key::State;
use super::password::{VerifiedPassword, follow};
use super::publication::Publication;
use super::{api_user_listing, factors, idempotency, key, outbox};
use crate::ledger::plan::Plan;
use crate::objects::sql::{Sql, SqlError};
use crate::objects::tasks::Task;
use crate::protocol::account::TextError;
use crate::protocol::api_users::{
    API_USERS_MAX, ApiUserForm, ApiUsersCommand, ApiUsersRefusal, ApiUsersReply, name_taken,
};
use crate::protocol::draft::field::{FieldError, Setting};
use crate::protocol::draft::reader::FieldReader;
use crate::protocol::keys::RESTORABLE;
use crate::protocol::ledger::LedgerReply;
use crate::protocol::policy::Policy;
use crate::protocol::refusal::Refusal;
use crate::protocol::zone::{Zone, ZoneError};

/// Executes a command; the caller has checked the member's rights.
pub(super) fn execute(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    command: ApiUsersCommand,
) -> Result<Plan, SqlError> {
    match command {
        ApiUsersCommand::List(listing) => {
            let page = api_user_listing::page(sql, context.account, &listing, context.now)?;
            Ok(Plan::read(match page {
                Ok(page) => LedgerReply::ApiUsers(ApiUsersReply::Page(page)),
                Err(error) => LedgerReply::Refused(Refusal::Invalid { errors: vec![error] }),
            }))
        }
        ApiUsersCommand::Get { id } => Ok(match StoredApiUser::load(sql, id)? {
            Some(user) => Plan::read(shown(context.account, &user)),
            None => Plan::refuse(Refusal::NotFound),
        }),
        ApiUsersCommand::CheckCreation { form, idempotency_key } => {
            Ok(match creation(sql, context, &form, &idempotency_key)? {
                Ok(decided) => checked(context.account, decided.name, None),
                Err(refusal) => Plan::refuse(refusal),
            })
        }
        ApiUsersCommand::Create { id, form, secret, idempotency_key } => {
            create(sql, context, (id, secret), &form, &idempotency_key)
        }
        ApiUsersCommand::CheckEdit { id, expected, form } => {
            let edited = edit(sql, context, (id, expected), &form)?;
            Ok(match edited {
                Ok((before, after)) => checked(context.account, after.name, Some(before)),
                Err(refusal) => Plan::refuse(refusal),
            })
        }
        ApiUsersCommand::Edit { id, expected, form, secret, is_new_secret } => {
            let edited = edit(sql, context, (id, expected), &form)?;
            match edited {
                Ok((before, after)) => {
                    commit_edit(sql, context, before, after, secret, is_new_secret)
                }
                Err(refusal) => Ok(Plan::refuse(refusal)),
            }
        }
        ApiUsersCommand::SetLocked { id, expected, locked } => {
            set_locked(sql, context, (id, expected), locked)
        }
        ApiUsersCommand::CheckDeletion { id, expected } => {
            Ok(match expect(sql, context.account, id, expected)? {
                Ok(user) => Plan::read(shown(context.account, &user)),
                Err(refusal) => Plan::refuse(refusal),
            })
        }
        ApiUsersCommand::Delete { id, expected, secret_version: version, confirmed } => {
            delete(sql, context, (id, expected), VerifiedPassword { version, confirmed })
        }
        ApiUsersCommand::Restore { id, expected } => restore(sql, context, id, expected),
    }
}

fn shown(account: &Account, user: &StoredApiUser) -> LedgerReply {
    LedgerReply::ApiUsers(ApiUsersReply::User(user.view(account)))
}

fn checked(account: &Account, name: ApiUserName, user: Option<StoredApiUser>) -> Plan {
    let user = user.map(|user| user.view(account));
    Plan::read(LedgerReply::ApiUsers(ApiUsersReply::Checked { name, user }))
}

fn refused(refusal: ApiUsersRefusal) -> Refusal {
    Refusal::ApiUsers(refusal)
}

fn taken() -> Refusal {
    Refusal::Invalid { errors: vec![name_taken()] }
}

/// A result with the refusal of a command, apart from errors of the database.
type ApiUserDecision<T> = Result<Result<T, Refusal>, SqlError>;

/// Decides a creation.
fn creation(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    form: &ApiUserForm,
    idempotency_key: &str,
) -> ApiUserDecision<DecidedApiUser> {
    if let Err(refusal) = check_idempotency_key(idempotency_key) {
        return Ok(Err(refusal));
    }
    let member = context.session.member_id();
    if let Some(user) = created_before(sql, member, idempotency_key, context.now)? {
        let user = user.and_then(StoredApiUser::living);
        let user = user.map(|user| Box::new(user.view(context.account)));
        return Ok(Err(refused(ApiUsersRefusal::AlreadyCreated { user })));
    }
    // As for keys: a password alone must not make a credential where the policy demands more.
    if context.account.policy.demands_mfa && !factors::has_second_factor(sql, member)? {
        return Ok(Err(Refusal::MfaRequired));
    }
    let decided = match decide(context, form, None) {
        Ok(decided) => decided,
        Err(errors) => return Ok(Err(Refusal::Invalid { errors })),
    };
    if is_full(sql)? {
        return Ok(Err(refused(ApiUsersRefusal::TooMany { max: API_USERS_MAX })));
    }
    Ok(match holder(sql, &decided.name)? {
        Some(_) => Err(taken()),
        None => Ok(decided),
    })
}

fn create(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    (id, secret): (KeyId, ApiSecretVersion),
    form: &ApiUserForm,
    idempotency_key: &str,
) -> Result<Plan, SqlError> {
    let decided = match creation(sql, context, form, idempotency_key)? {
        Ok(decided) => decided,
        Err(refusal) => return Ok(Plan::refuse(refusal)),
    };
    // An orphan's ID counts as taken, too.
    let is_taken = id.account() != context.account.id || Publication::load(sql, id)?.is_some();
    if is_taken || secret.0 == 0 {
        return Ok(Plan::refuse(Refusal::IdTaken));
    }
    let stamp = context.decision().stamp();
    let after = StoredApiUser {
        id,
        decided,
        state: State::Active,
        secret,
        created: stamp.clone(),
        changed: stamp,
        revision: context.account.revision.next(),
        last_used_at: None,
    };
    let mut plan = commit(sql, context, Action::CreateApiUser, None, after, false)?;
    let member = context.session.member_id();
    let stored = stored_idempotency_key(idempotency_key);
    plan.writes.extend(idempotency::remember(member, &stored, id, context.now));
    plan.writes.push(confirm_task(id).reschedule(context.now));
    Ok(plan)
}

/// Decides an edit: the user before it, and the values after it.
fn edit(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    (id, expected): (KeyId, Revision),
    form: &ApiUserForm,
) -> ApiUserDecision<(StoredApiUser, DecidedApiUser)> {
    let before = match expect(sql, context.account, id, expected)? {
        Ok(before) => before,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let after = match decide(context, form, Some(&before.decided)) {
        Ok(after) => after,
        Err(errors) => return Ok(Err(Refusal::Invalid { errors })),
    };
    if after.name != before.decided.name && holder(sql, &after.name)?.is_some() {
        return Ok(Err(taken()));
    }
    Ok(Ok((before, after)))
}

fn commit_edit(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    before: StoredApiUser,
    decided: DecidedApiUser,
    secret: Option<ApiSecretVersion>,
    is_new_secret: bool,
) -> Result<Plan, SqlError> {
    let is_renamed = decided.name != before.decided.name;
    let is_staged = secret.is_some();
    let secret = secret.unwrap_or(before.secret);
    // The admin Worker stages a version above the present one, also at the object of a new name.
    if (is_renamed || is_new_secret || is_staged) && secret <= before.secret {
        return Ok(Plan::refuse(Refusal::NotUnderstood));
    }
    if decided == before.decided && !is_staged {
        return Ok(unchanged(context.account, &before));
    }
    let narrows = is_renamed
        || is_new_secret
        || narrows_limits(&before.decided.limits, &decided.limits)
        || (before.decided.group, decided.group) == (ApiUserGroup::Admin, ApiUserGroup::Normal)
        || (decided.own_data_only && !before.decided.own_data_only);
    let (id, former, through) = (before.id, before.decided.name.clone(), before.secret);
    let after = changed(context, StoredApiUser { decided, secret, ..before.clone() });
    let mut plan = commit(sql, context, Action::EditApiUser, Some(&before), after, narrows)?;
    if is_staged {
        plan.writes.push(confirm_task(id).reschedule(context.now));
    }
    if is_renamed {
        plan.writes.push(Task::of_former_name(id, through, &former).schedule(context.now));
    }
    Ok(plan)
}

fn set_locked(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    (id, expected): (KeyId, Revision),
    locked: bool,
) -> Result<Plan, SqlError> {
    let (state, action) = match locked {
        true => (State::Disabled, Action::LockApiUser),
        false => (State::Active, Action::UnlockApiUser),
    };
    // A user already in that state needs no matching revision, as for keys.
    let present = StoredApiUser::load(sql, id)?.and_then(StoredApiUser::living);
    match present {
        None => Ok(Plan::refuse(Refusal::NotFound)),
        Some(user) if user.state == state => Ok(unchanged(context.account, &user)),
        Some(before) if before.revision != expected => {
            Ok(Plan::refuse(changed_meanwhile(context.account, &before)))
        }
        Some(before) => {
            let after = changed(context, StoredApiUser { state, ..before.clone() });
            commit(sql, context, action, Some(&before), after, locked)
        }
    }
}

fn delete(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    (id, expected): (KeyId, Revision),
    password: VerifiedPassword,
) -> Result<Plan, SqlError> {
    let before = match expect(sql, context.account, id, expected)? {
        Ok(before) => before,
        Err(refusal) => return Ok(Plan::refuse(refusal)),
    };
    let session = &context.session;
    let followed = follow(session.member.clone(), password, Some(session.id()), context.author());
    let Some((_, mut writes)) = followed else {
        return Ok(Plan::refuse(Refusal::SignInRefused));
    };
    let state = State::Deleted { at: context.now, enabled: before.state.is_enabled() };
    let after = changed(context, StoredApiUser { state, ..before.clone() });
    let mut plan = commit(sql, context, Action::DeleteApiUser, Some(&before), after, true)?;
    writes.push(key::schedule_scrub(context.now));
    plan.writes.splice(0..0, writes);
    Ok(plan)
}

fn restore(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    id: KeyId,
    expected: Revision,
) -> Result<Plan, SqlError> {
    let Some(before) = StoredApiUser::load(sql, id)? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    let Some(deleted_at) = before.state.deleted_at() else {
        return Ok(Plan::refuse(refused(ApiUsersRefusal::NotDeleted)));
    };
    if context.now >= deleted_at.saturating_add(RESTORABLE) {
        return Ok(Plan::refuse(Refusal::NotFound));
    }
    if before.revision != expected {
        return Ok(Plan::refuse(changed_meanwhile(context.account, &before)));
    }
    let state = State::of(before.state.is_enabled());
    let after = changed(context, StoredApiUser { state, ..before.clone() });
    commit(sql, context, Action::RestoreApiUser, Some(&before), after, false)
}

/// Returns the user if it is there and has the revision that the member saw.
fn expect(
    sql: &dyn Sql,
    account: &Account,
    id: KeyId,
    expected: Revision,
) -> ApiUserDecision<StoredApiUser> {
    let user = StoredApiUser::load(sql, id)?.and_then(StoredApiUser::living);
    Ok(match user {
        None => Err(Refusal::NotFound),
        Some(user) if user.revision != expected => Err(changed_meanwhile(account, &user)),
        Some(user) => Ok(user),
    })
}

fn changed_meanwhile(account: &Account, user: &StoredApiUser) -> Refusal {
    refused(ApiUsersRefusal::ChangedMeanwhile { user: Box::new(user.view(account)) })
}

/// Returns the user with the stamp and revision of a change.
fn changed(context: &CommandContext<'_>, user: StoredApiUser) -> StoredApiUser {
    let (changed, revision) = (context.decision().stamp(), context.account.revision.next());
    StoredApiUser { changed, revision, ..user }
}

fn unchanged(account: &Account, user: &StoredApiUser) -> Plan {
    Plan::read(LedgerReply::ApiUsers(ApiUsersReply::Changed {
        user: user.view(account),
        record: user.record(account),
        bound: None,
    }))
}

/// Returns the reply and the writes of a change: row, revision, journal, audit, and the put to KV.
fn commit(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    action: Action,
    before: Option<&StoredApiUser>,
    after: StoredApiUser,
    narrows: bool,
) -> Result<Plan, SqlError> {
    let (account, author, revision) = (context.account, context.author(), after.revision);
    let mut writes = vec![after.store(), Account::advance(revision)];
    writes.extend(author.journal(action, after.id, revision));
    let was = before.map(StoredApiUser::audit_json);
    writes.push(author.changed_user(action, (after.id, revision), was, after.audit_json()));
    writes.extend(outbox::changed(sql, after.id, revision, account.generation, context.now)?);
    let reply = ApiUsersReply::Changed {
        user: after.view(account),
        record: after.record(account),
        bound: narrows.then(|| account.bound(context.now)),
    };
    Ok(Plan { writes, reply: LedgerReply::ApiUsers(reply) })
}

/// Validates a form: that of a new user, or the changed fields of `before`.
///
/// # Errors
/// All errors, in the order of the fields.
fn decide(
    context: &CommandContext<'_>,
    form: &ApiUserForm,
    before: Option<&DecidedApiUser>,
) -> Result<DecidedApiUser, Vec<FieldError>> {
    // Policies are about keys.
    let policy = Policy::default();
    let setting = Setting {
        now: context.now,
        zone: &context.account.zone,
        may_grant_reserved: false,
        policy: &policy,
        created_at: None,
    };
    let mut reader = FieldReader::new(setting);
    let kept = before.map(|before| &before.limits);
    let name = typed(&mut reader, "name", form.name.as_deref(), before.map(|b| &b.name), name);
    let group = typed(&mut reader, "group", form.group.as_deref(), before.map(|b| &b.group), group);
    let interfaces = typed(
        &mut reader,
        "interfaces",
        form.interfaces.as_ref(),
        kept.map(|kept| &kept.interfaces),
        |reader, typed| interfaces(reader, typed),
    );
    let own_data_only = typed(
        &mut reader,
        "own_data_only",
        form.own_data_only.as_ref(),
        before.map(|before| &before.own_data_only),
        |_, typed| Some(*typed),
    );
    let present_zone = before.map_or(&context.account.zone, |before| &before.zone);
    let zone = typed(&mut reader, "zone", form.zone.as_deref(), Some(present_zone), zone);
    let expires = match (form.expires.as_deref(), kept) {
        (Some(text), Some(kept)) => reader.changed_expires(text, kept.expires),
        (None, Some(kept)) => Some(kept.expires),
        (text, None) => reader.required("expires", text, FieldReader::expires),
    };
    let not_before = match &form.not_before {
        Some(text) => text.as_deref().and_then(|text| reader.not_before(text)),
        None => kept.and_then(|kept| kept.not_before),
    };
    let networks = match (form.networks.as_ref(), kept) {
        (Some(text), Some(kept)) => reader.changed_networks(text, Some(&kept.networks)),
        (None, Some(kept)) => Some(kept.networks.clone()),
        (text, None) => reader.required("networks", text, FieldReader::networks),
    };
    if let Some(expires) = expires
        && (before.is_none() || form.expires.is_some() || form.not_before.is_some())
    {
        reader.check_begin(not_before, expires);
    }
    let permissions = personal_data(&mut reader, form, kept.map(|kept| &kept.permissions));
    let parts = (name, group, interfaces, own_data_only, zone, expires, networks, permissions);
    let (
        Some(name),
        Some(group),
        Some(interfaces),
        Some(own_data_only),
        Some(zone),
        Some(expires),
        Some(networks),
        Some(permissions),
    ) = parts
    else {
        return Err(reader.errors);
    };
    if !reader.errors.is_empty() {
        return Err(reader.errors);
    }
    let limits = Limits { not_before, expires, networks, interfaces, permissions };
    Ok(DecidedApiUser { name, group, own_data_only, zone, limits })
}

/// Reads a field that keeps its present value, or must have been typed if it has none.
fn typed<T: ?Sized, U: Clone>(
    reader: &mut FieldReader<'_>,
    field: &str,
    text: Option<&T>,
    present: Option<&U>,
    read: impl FnOnce(&mut FieldReader<'_>, &T) -> Option<U>,
) -> Option<U> {
    match (text, present) {
        (None, Some(present)) => Some(present.clone()),
        (text, _) => reader.required(field, text, read),
    }
}

fn name(reader: &mut FieldReader<'_>, text: &str) -> Option<ApiUserName> {
    let name = ApiUserName::parse(text);
    if name.is_none() {
        let error = if text.is_empty() { TextError::Required } else { TextError::NotAnAddress };
        reader.errors.push(FieldError::text("name", error));
    }
    name
}

fn group(reader: &mut FieldReader<'_>, text: &str) -> Option<ApiUserGroup> {
    let group = ApiUserGroup::parse(text);
    if group.is_none() {
        reader.errors.push(FieldError::new("group", "not_one_of", "admin or normal"));
    }
    group
}

/// Reads interfaces, in their own order and each once.
fn interfaces(reader: &mut FieldReader<'_>, typed: &[String]) -> Option<Vec<Interface>> {
    let known: Option<Vec<Interface>> = typed.iter().map(|text| Interface::parse(text)).collect();
    if known.is_none() {
        reader.errors.push(FieldError::new("interfaces", "not_one_of", "http, smtp"));
    }
    let all = [Interface::Http, Interface::Smtp];
    known.map(|known| all.into_iter().filter(|one| known.contains(one)).collect())
}

fn zone(reader: &mut FieldReader<'_>, text: &str) -> Option<Zone> {
    let zone = Zone::parse(text);
    if zone.is_err() {
        let error = ZoneError::Unknown;
        reader.errors.push(FieldError::new("zone", error.code(), error));
    }
    zone.ok()
}

/// Returns the rights over personal data: those that are ticked, or were held and are not in the
/// form.
fn personal_data(
    reader: &mut FieldReader<'_>,
    form: &ApiUserForm,
    held: Option<&Permissions>,
) -> Option<Permissions> {
    let ticked = |right| {
        let ticked = match right {
            PersonalData::View => form.view_personal_data,
            PersonalData::Download => form.download_personal_data,
        };
        ticked.unwrap_or_else(|| held.is_some_and(|held| right.is_granted_by(held)))
    };
    let rights = PersonalData::ALL.into_iter().filter(|right| ticked(*right));
    let permissions = Permissions::parse(rights.map(PersonalData::as_str));
    permissions.map_err(|error| reader.errors.push(FieldError::of("permissions", &error))).ok()
}
