//! Invitations: an owner invites an address, and its holder joins with the mailed token.
//!
//! ```text
//!   (absent) ──invite──▶ open ──join, withdraw──▶ (absent)
//!                        │  ▲                        ▲
//!                   time │  │ repeat                 │ KEPT later
//!                        ▼  │                        │
//!                       over ────────────────────────┘
//! ```
//!
//! Each mail carries another token, and the row knows the digest of the last one only. So a
//! repetition ends the token before. Joining removes the row in the run that inserts the member:
//! one token makes one member, whatever comes in parallel.

use claviger_core::base::id::{MemberId, TokenId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::{DurationMs, UnixMs};
use serde_json::json;

use super::account::Account;
use super::audit::{Action, Author};
use super::context::CommandContext;
use super::member::Member;
use super::{mailbox, networks};
use crate::ledger::plan::Plan;
use crate::ledger::sign_in::{begin_session, sign_in};
use crate::objects::object::TaskStep;
use crate::objects::sql::{Row, Sql, SqlError, SqlExt, Statement};
use crate::objects::tasks::{Task, TaskKind};
use crate::protocol::account::Email;
use crate::protocol::activity::Actor;
use crate::protocol::deletion::MailState;
use crate::protocol::draft::field::FieldError;
use crate::protocol::encryption::Ciphertext;
use crate::protocol::envelope::{Envelope, Letter};
use crate::protocol::factors::FactorKinds;
use crate::protocol::ledger::{Joining, LedgerReply};
use crate::protocol::member::{Language, Role};
use crate::protocol::members::{InvitationOffer, InvitationView, NewInvitation};
use crate::protocol::proof::ProofMethod;
use crate::protocol::refusal::Refusal;
use crate::protocol::token::INVITATION_LIFE_MS;
use crate::protocol::view::MemberView;

/// Time for which a token can be used. Its text ends it at the same age.
pub const LIFE: DurationMs = DurationMs::from_ms(INVITATION_LIFE_MS.unsigned_abs());

/// Retention of an invitation whose token has expired, so that an owner can repeat it.
pub const KEPT: DurationMs = DurationMs::from_days(30);

/// Most open invitations of an account.
pub const OPEN_MAX: u32 = 100;

/// Most members of an account: one page lists them, and every owner gets a mail about each.
pub const MEMBERS_MAX: u32 = 1_000;

/// Most invitations that an account mails per [`DAY`]: a company invites its people in a day, and
/// an owner's stolen session cannot flood the Internet.
pub const MAILS_PER_DAY: u32 = 200;

/// Most invitations that an account mails to one address per [`DAY`].
pub const MAILS_PER_ADDRESS: u32 = 5;

/// The period over which mails are counted.
const DAY: DurationMs = DurationMs::from_days(1);

const _: () = assert!(DAY.as_ms() < mailbox::KEPT.as_ms() && MAILS_PER_ADDRESS < MAILS_PER_DAY);

/// A row of the table `member_invitation`.
#[derive(Clone, Debug)]
struct Invitation {
    id: TokenId,
    /// ID of the member whom it creates.
    member: MemberId,
    /// ID within the present token.
    token: TokenId,
    /// Digest of the present token's secret.
    digest: Digest,
    email: Email,
    role: Role,
    language: Language,
    invited_by: MemberId,
    /// Present name of that member.
    inviter: String,
    created_at: UnixMs,
    /// End of the present token, Unix ms.
    expires: UnixMs,
    /// Number of mails so far, the present token's included.
    mails: u32,
}

impl Invitation {
    fn find(sql: &dyn Sql, column: &str, value: &str) -> Result<Option<Self>, SqlError> {
        let text = format!("{SELECT} WHERE member_invitation.{column} = ?");
        sql.first(&Statement::new(text).bind(value))?.map(Self::read).transpose()
    }

    fn all(sql: &dyn Sql) -> Result<Vec<Self>, SqlError> {
        let text =
            format!("{SELECT} ORDER BY member_invitation.created_at_ms, member_invitation.id");
        sql.read_all(&Statement::new(text), Self::read)
    }

    fn read(mut row: Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.parsed("a token ID", TokenId::parse)?,
            member: row.parsed("a member ID", MemberId::parse)?,
            token: row.parsed("a token ID", TokenId::parse)?,
            digest: Digest::from_bytes(row.bytes()?),
            email: row.parsed("an address", |text| Email::parse(text).ok())?,
            role: row.parsed("a role", Role::parse)?,
            language: row.parsed("a language", Language::parse)?,
            invited_by: row.parsed("a member ID", MemberId::parse)?,
            inviter: row.text()?,
            created_at: row.time()?,
            expires: row.time()?,
            mails: row.count()?,
        })
    }

    fn insert(&self) -> Statement {
        let text =
            "INSERT INTO member_invitation (id, member, token, digest, email, role, language,
                invited_by, created_at_ms, expires_ms, mails)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        Statement::new(text)
            .bind(self.id.as_str())
            .bind(self.member.as_str())
            .bind(self.token.as_str())
            .bind(self.digest.as_bytes().as_slice())
            .bind(self.email.as_str())
            .bind(self.role.as_str())
            .bind(self.language.as_str())
            .bind(self.invited_by.as_str())
            .bind(self.created_at)
            .bind(self.expires)
            .bind(self.mails)
    }

    fn update(&self) -> Statement {
        let text = "UPDATE member_invitation SET token = ?, digest = ?, expires_ms = ?, mails = ?
            WHERE id = ?";
        Statement::new(text)
            .bind(self.token.as_str())
            .bind(self.digest.as_bytes().as_slice())
            .bind(self.expires)
            .bind(self.mails)
            .bind(self.id.as_str())
    }

    /// Removes the row, and stops a mail that waits.
    fn remove(&self, account: &Account) -> Vec<Statement> {
        let mut writes = Vec::from(mailbox::supersede(&self.mail_id(account)));
        let remove = Statement::new("DELETE FROM member_invitation WHERE id = ?");
        writes.push(remove.bind(self.id.as_str()));
        writes
    }

    fn is_over(&self, now: UnixMs) -> bool {
        now >= self.expires
    }

    /// Returns the ID of the message with the present token.
    fn mail_id(&self, account: &Account) -> String {
        format!("invitation/{}/{}/{}", account.id, self.id, self.mails)
    }

    /// Returns the writes that queue the mail with the present token.
    fn mail(
        &self,
        context: &CommandContext<'_>,
        sealed: Ciphertext,
    ) -> Result<[Statement; 3], SqlError> {
        let inviter = &context.session.member.view;
        let letter = Letter::Invitation {
            token: self.token,
            account: context.account.name.clone(),
            by: inviter.name.clone(),
            role: self.role,
            until: self.expires,
            zone: context.account.zone.clone(),
        };
        let envelope = Envelope {
            id: self.mail_id(context.account),
            account: context.account.id,
            to: self.email.clone(),
            language: self.language,
            written_at: context.now,
            letter,
            sealed: Some(sealed),
        };
        let useful_until = context.now.saturating_add(mailbox::NOTICE_USEFUL);
        mailbox::post(&envelope, inviter.id, useful_until, context.now)
    }

    fn details(&self) -> String {
        json!({ "email": self.email, "role": self.role }).to_string()
    }

    fn view(&self, mail: Option<MailState>) -> InvitationView {
        InvitationView {
            id: self.id,
            email: self.email.clone(),
            role: self.role,
            invited_by: self.inviter.clone(),
            created_at: self.created_at,
            expires: self.expires,
            mail,
        }
    }
}

const SELECT: &str =
    "SELECT member_invitation.id, member_invitation.member, member_invitation.token,
        member_invitation.digest, member_invitation.email, member_invitation.role,
        member_invitation.language, member_invitation.invited_by, member.name,
        member_invitation.created_at_ms, member_invitation.expires_ms, member_invitation.mails
    FROM member_invitation JOIN member ON member.id = member_invitation.invited_by";

/// The values of a new invitation, as the admin Worker sends them.
pub(super) struct Invited {
    pub id: TokenId,
    pub member: MemberId,
    pub email: Email,
    pub role: Role,
    pub language: Option<Language>,
}

/// Invites an address, and mails the token.
pub(super) fn invite(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    wanted: Invited,
    token: NewInvitation,
) -> Result<Plan, SqlError> {
    let refused = |code: &str, detail: &str| {
        let error = FieldError::new("email", code, detail);
        Ok(Plan::refuse(Refusal::Invalid { errors: vec![error] }))
    };
    if is_member(sql, &wanted.email)? {
        return refused("already_member", "this address belongs to a member of the account");
    }
    let before = Invitation::find(sql, "email", wanted.email.as_str())?;
    if before.as_ref().is_some_and(|before| !before.is_over(context.now)) {
        return refused("already_invited", "this address has an open invitation: repeat it");
    }
    if let Some(refusal) = refusal_of_number(sql, context.now)? {
        return Ok(Plan::refuse(refusal));
    }
    if let Some(refusal) = refusal_of_mail(sql, &wanted.email, context.now)? {
        return Ok(Plan::refuse(refusal));
    }
    let taken =
        "SELECT (SELECT count(*) FROM member_invitation WHERE id = ? OR member = ? OR token = ?)
        + (SELECT count(*) FROM member WHERE id = ?)";
    let taken = Statement::new(taken)
        .bind(wanted.id.as_str())
        .bind(wanted.member.as_str())
        .bind(token.token.as_str())
        .bind(wanted.member.as_str());
    if sql.integer(&taken)? > 0 {
        return Ok(Plan::refuse(Refusal::IdTaken));
    }
    let inviter = &context.session.member.view;
    let invitation = Invitation {
        id: wanted.id,
        member: wanted.member,
        token: token.token,
        digest: token.digest,
        email: wanted.email,
        role: wanted.role,
        language: wanted.language.unwrap_or(inviter.language),
        invited_by: inviter.id,
        inviter: inviter.name.clone(),
        created_at: context.now,
        expires: context.now.saturating_add(LIFE),
        mails: 1,
    };
    let mut writes = before.map(|before| before.remove(context.account)).unwrap_or_default();
    // Expired rows make room, so that there are never more than `OPEN_MAX`.
    if sql.integer(&Statement::new("SELECT count(*) FROM member_invitation"))? >= OPEN_MAX.into() {
        writes.push(expired_before(context.now));
    }
    writes.push(invitation.insert());
    writes.push(sweep_after(&invitation));
    writes.push(context.author().did_about(Action::InviteMember, invitation.details()));
    writes.extend(invitation.mail(context, token.sealed)?);
    let reply = LedgerReply::Invitation(invitation.view(Some(MailState::Queued)));
    Ok(Plan { writes, reply })
}

/// Mails another token, and ends the one before.
pub(super) fn repeat(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    id: TokenId,
    token: NewInvitation,
) -> Result<Plan, SqlError> {
    let Some(before) = Invitation::find(sql, "id", id.as_str())? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    // An expired invitation becomes an open one again.
    if before.is_over(context.now)
        && let Some(refusal) = refusal_of_number(sql, context.now)?
    {
        return Ok(Plan::refuse(refusal));
    }
    if let Some(refusal) = refusal_of_mail(sql, &before.email, context.now)? {
        return Ok(Plan::refuse(refusal));
    }
    if Invitation::find(sql, "token", token.token.as_str())?.is_some() {
        return Ok(Plan::refuse(Refusal::IdTaken));
    }
    let mut writes = Vec::from(mailbox::supersede(&before.mail_id(context.account)));
    let invitation = Invitation {
        token: token.token,
        digest: token.digest,
        expires: context.now.saturating_add(LIFE),
        mails: before.mails.saturating_add(1),
        ..before
    };
    writes.push(invitation.update());
    writes.push(sweep_after(&invitation));
    writes.push(context.author().did_about(Action::RepeatInvitation, invitation.details()));
    writes.extend(invitation.mail(context, token.sealed)?);
    let reply = LedgerReply::Invitation(invitation.view(Some(MailState::Queued)));
    Ok(Plan { writes, reply })
}

/// Ends an invitation.
pub(super) fn withdraw(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    id: TokenId,
) -> Result<Plan, SqlError> {
    let Some(invitation) = Invitation::find(sql, "id", id.as_str())? else {
        return Ok(Plan::refuse(Refusal::NotFound));
    };
    let mut writes = invitation.remove(context.account);
    writes.push(context.author().did_about(Action::WithdrawInvitation, invitation.details()));
    Ok(Plan { writes, reply: LedgerReply::Done })
}

/// Ends the invitations of an owner who is one no more. Otherwise a person who is removed could
/// come back by an invitation of their own.
pub(super) fn withdraw_all_of(
    sql: &dyn Sql,
    context: &CommandContext<'_>,
    owner: MemberId,
) -> Result<Vec<Statement>, SqlError> {
    let all = Invitation::all(sql)?.into_iter().filter(|found| found.invited_by == owner);
    Ok(all
        .flat_map(|invitation| {
            let mut writes = invitation.remove(context.account);
            let details = invitation.details();
            writes.push(context.author().did_about(Action::WithdrawInvitation, details));
            writes
        })
        .collect())
}

/// Returns the writes that end the invitation of an address, which a member has now.
pub(super) fn end_to(
    sql: &dyn Sql,
    account: &Account,
    email: &Email,
) -> Result<Vec<Statement>, SqlError> {
    let found = Invitation::find(sql, "email", email.as_str())?;
    Ok(found.map(|invitation| invitation.remove(account)).unwrap_or_default())
}

/// Returns all invitations, expired ones included.
pub(super) fn list(sql: &dyn Sql, account: &Account) -> Result<Vec<InvitationView>, SqlError> {
    let mut views = Vec::new();
    for invitation in Invitation::all(sql)? {
        views.push(
            invitation.view(mailbox::state_of_invitation(sql, &invitation.mail_id(account))?),
        );
    }
    Ok(views)
}

/// Returns the invitation to the holder of its token.
pub(super) fn show(
    sql: &dyn Sql,
    account: &Account,
    token: TokenId,
    digest: Digest,
    now: UnixMs,
) -> Result<Plan, SqlError> {
    let Some(Invitation { member, email, role, inviter, expires, .. }) =
        open(sql, token, digest, now)?
    else {
        return Ok(Plan::refuse(Refusal::InvitationOver));
    };
    let account = account.name.clone();
    let invited_by = inviter;
    let offer = InvitationOffer { account, member, email, role, invited_by, expires };
    Ok(Plan::read(LedgerReply::Offer(offer)))
}

/// Makes the recipient of an invitation a member, and signs them in.
///
/// Of two parallel requests with one password, the second finds the member that the first made,
/// and opens a session: the name object has verified the password for it as for a sign-in.
pub(super) fn join(
    sql: &dyn Sql,
    account: &Account,
    joining: Joining,
    now: UnixMs,
) -> Result<Plan, SqlError> {
    let Joining { token, digest, member, email, name, language, secret_version, session, address } =
        joining;
    let Some(invitation) = open(sql, token, digest, now)?
        .filter(|found| (found.member, &found.email) == (member, &email))
    else {
        let present = Member::load(sql, member)?;
        let present =
            present.filter(|m| m.secret_version == secret_version && m.view.email == email);
        let Some(member) = present else { return Ok(Plan::refuse(Refusal::InvitationOver)) };
        return sign_in(sql, account, member, &session, address.as_deref(), true, now);
    };
    let view = MemberView {
        id: member,
        name,
        email,
        role: invitation.role,
        language: language.unwrap_or(invitation.language),
    };
    let member = Member { view, secret_version, unread: 0 };
    let author = Author { actor: Actor::Member(member.view.id), address: address.as_deref(), now };
    let details = json!({ "email": member.view.email, "role": member.view.role }).to_string();
    let mut writes = invitation.remove(account);
    writes.push(member.insert(now));
    writes.extend(networks::first(member.view.id, address.as_deref(), now));
    writes.push(Task::new(TaskKind::ConfirmName, member.view.id).schedule(now));
    writes.push(author.did_about(Action::Join, details));
    for owner in Member::owners(sql)? {
        let letter = Letter::MemberJoined {
            account: account.name.clone(),
            name: member.view.name.clone(),
            email: member.view.email.clone(),
            role: member.view.role,
            at: now,
            zone: account.zone.clone(),
        };
        let id = format!("member-joined/{}/{}/{}", account.id, member.view.id, owner.view.id);
        writes.extend(mailbox::notice(account, &owner.view, id, letter, now)?);
    }
    let Plan { writes: signed_in, reply } = begin_session(
        account,
        member,
        &session,
        author,
        (Some(ProofMethod::Password), FactorKinds::default()),
    );
    writes.extend(signed_in);
    Ok(Plan { writes, reply })
}

/// Loads the open invitation of a token. A wrong secret, an earlier token, and an invitation that
/// was used, withdrawn or has expired, or whose inviter is no owner any more, are all `None`.
fn open(
    sql: &dyn Sql,
    token: TokenId,
    digest: Digest,
    now: UnixMs,
) -> Result<Option<Invitation>, SqlError> {
    // `Digest` compares in constant time.
    let found = Invitation::find(sql, "token", token.as_str())?
        .filter(|invitation| invitation.digest == digest && !invitation.is_over(now));
    // A member with this address can have come by a restored ledger alone.
    match found {
        Some(invitation) if is_member(sql, &invitation.email)? => Ok(None),
        Some(invitation) => {
            let inviter = Member::load(sql, invitation.invited_by)?;
            let is_owner = inviter.is_some_and(|inviter| inviter.view.role == Role::Owner);
            Ok(Some(invitation).filter(|_| is_owner))
        }
        None => Ok(None),
    }
}

fn is_member(sql: &dyn Sql, email: &Email) -> Result<bool, SqlError> {
    let text = "SELECT count(*) FROM member WHERE email = ?";
    Ok(sql.integer(&Statement::new(text).bind(email.as_str()))? > 0)
}

/// Refuses another open invitation if there are too many, or too many members.
fn refusal_of_number(sql: &dyn Sql, now: UnixMs) -> Result<Option<Refusal>, SqlError> {
    let open = "SELECT count(*) FROM member_invitation WHERE expires_ms > ?";
    let open = sql.integer(&Statement::new(open).bind(now))?;
    if open >= OPEN_MAX.into() {
        return Ok(Some(Refusal::TooManyInvitations { max: OPEN_MAX }));
    }
    let members = "SELECT count(*) FROM member WHERE removed_at_ms IS NULL";
    let members = sql.integer(&Statement::new(members))?;
    let is_full = members.saturating_add(open) >= MEMBERS_MAX.into();
    Ok(is_full.then_some(Refusal::TooManyMembers { max: MEMBERS_MAX }))
}

/// Refuses another mail if the account or the address has had too many.
fn refusal_of_mail(sql: &dyn Sql, email: &Email, now: UnixMs) -> Result<Option<Refusal>, SqlError> {
    let since = now.saturating_sub(DAY);
    for (recipient, max) in [(Some(email), MAILS_PER_ADDRESS), (None, MAILS_PER_DAY)] {
        let (mails, first) = mailbox::invitations_since(sql, recipient, since)?;
        if mails >= max {
            let until = first.unwrap_or(now).saturating_add(DAY);
            return Ok(Some(Refusal::TooManyInvitationMails { until }));
        }
    }
    Ok(None)
}

fn sweep_after(invitation: &Invitation) -> Statement {
    Task::own(TaskKind::SweepInvitations).schedule(invitation.expires.saturating_add(KEPT))
}

fn expired_before(at: UnixMs) -> Statement {
    Statement::new("DELETE FROM member_invitation WHERE expires_ms <= ?").bind(at)
}

/// Removes expired invitations past their retention.
pub(super) fn sweep(sql: &dyn Sql, now: UnixMs) -> Result<TaskStep, SqlError> {
    let since = now.saturating_sub(KEPT);
    let oldest =
        Statement::new("SELECT min(expires_ms) FROM member_invitation WHERE expires_ms > ?")
            .bind(since);
    let oldest = sql.first(&oldest)?.map_or(Ok(None), |mut row| row.optional_time())?;
    let again = oldest.map(|at| at.saturating_add(KEPT));
    Ok(TaskStep::Chore { writes: vec![expired_before(since)], again })
}
