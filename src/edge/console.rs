//! The console's routes: reads the body, calls the objects in order, words the answer. What each step means is decided in the core.

use core::cell::Cell;
use core::pin::pin;
use core::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde::de::DeserializeOwned;
use worker::{Context, Env};

use super::{
    activity, calls, deletion, issuance, now, operator, refuse, service, verification, with_gateway,
};
use crate::account::{Email, TextError, check_password};
use crate::answer::Answer;
use crate::config::Config;
use crate::console::body::{self, BODY_BYTES_MAX, DRAFT_BYTES_MAX};
use crate::console::{Route, form, headers, session, view};
use crate::draft::{Changes, Draft};
use crate::gateway::client_address;
use crate::id::{AccountId, KeyId};
use crate::key::{self, NewKey};
use crate::opening::OPENING_TIME;
use crate::problem::{NotViewable, Problem};
use crate::protocol::{
    AddressReply, AddressRequest, Command, DirectoryReply, DirectoryRequest, LedgerReply, LedgerRequest,
    NameReply, NameRequest, NewMember, NewSession, Opening, SessionProof, SessionView,
};
use crate::record::Revision;
use crate::request::Request;
use crate::secret::SecretText;
use crate::token::{Kind, MadeToken, NewToken};
use crate::vault;
use crate::verdict::Denial;

/// Soonest that a sign-in is refused, in milliseconds: a password hash and a new object take less, with room.
const REFUSAL_MS_MIN: u64 = 500;

/// What the time of a refusal is rounded up to, in milliseconds.
const REFUSAL_MS_STEP: u64 = 250;

/// How often a key is drawn again when its ID exists: once is already unheard of.
pub const DRAWS_MAX: u32 = 3;

/// One request to a route of the console's.
pub struct Exchange<'a> {
    pub request: &'a Request<'a>,
    pub env: &'a Env,
    /// Where work goes on beside the request; `None` while a body is only gone on with.
    pub context: Option<&'a Context>,
    incoming: web_sys::Request,
    /// Whose lease is to be renewed beside.
    pub renew: Cell<Option<AccountId>>,
}

/// Answers a request to a route, and says whose lease is to be renewed beside.
pub async fn answer(
    route: Route,
    request: &Request<'_>,
    incoming: web_sys::Request,
    env: &Env,
    context: &Context,
) -> (Answer, Option<AccountId>) {
    let exchange = Exchange { request, env, context: Some(context), incoming, renew: Cell::new(None) };
    let answered = match route {
        // Never here: the gateway hands files to the platform.
        Route::Asset => Err(Problem::NotFound),
        Route::Counters => exchange.counters().await,
        Route::Verify => verification::answer(&exchange).await,
        Route::IssueByApi => Ok(issuance::answer(&exchange).await),
        Route::RevokeSealed => issuance::revoke(&exchange).await,
        Route::SetUp => exchange.set_up().await,
        Route::RevealKey(id) => exchange.reveal_key(id).await,
        Route::ListActivity => activity::list(&exchange).await,
        Route::ExportActivity => activity::export(&exchange).await,
        Route::ShowService => service::show(&exchange).await,
        Route::EditService => service::set_ceiling(&exchange).await,
        Route::RevealService => service::reveal(&exchange).await,
        Route::ChangeServicePassword => service::change_password(&exchange).await,
        Route::ListAccounts => operator::list(&exchange).await,
        Route::InviteAccount => operator::invite(&exchange).await,
        Route::ShowAccount(id) => operator::show(&exchange, id).await,
        Route::EditAccount(id) => operator::edit(&exchange, id).await,
        Route::RebuildAccount(id) => operator::rebuild(&exchange, id).await,
        Route::BeginRestore(id) => operator::begin_restore(&exchange, id).await,
        Route::FinishRestore(id) => operator::finish_restore(&exchange, id).await,
        Route::SignIn => exchange.sign_in().await,
        Route::ShowSession => exchange.show_session().await,
        Route::SignOut => exchange.sign_out().await,
        Route::StepUp => exchange.step_up().await,
        Route::ListKeys => exchange.list_keys().await,
        Route::IssueKey => exchange.issue_key().await,
        Route::CheckKey => exchange.check_key().await,
        Route::ShowKey(id) => exchange.show_key(id).await,
        Route::EditKey(id) => exchange.edit_key(id).await,
        Route::DisableKey(id) => {
            exchange.change_key(|expected| Command::SetEnabled { id, expected, enabled: false }).await
        }
        Route::RestoreKey(id) => exchange.change_key(|expected| Command::RestoreKey { id, expected }).await,
        Route::BeginDeletion => deletion::begin(&exchange).await,
        Route::ShowDeletion(id) => deletion::show(&exchange, id).await,
        Route::MailDeletionCode(id) => deletion::mail_code(&exchange, id).await,
        Route::ConfirmDeletion(id) => deletion::confirm(&exchange, id).await,
        Route::EnableKey(id) => {
            exchange.change_key(|expected| Command::SetEnabled { id, expected, enabled: true }).await
        }
    };
    // An answer of data is nothing to show, frame or load elsewhere.
    let answer = answered
        .unwrap_or_else(|problem| refuse(&problem))
        .with("content-security-policy", "default-src 'none'; frame-ancestors 'none'")
        .with("cross-origin-resource-policy", "same-origin");
    (answer, exchange.renew.get())
}

/// Goes on with a body that [`answer`] began.
pub async fn proceed(
    request: &Request<'_>,
    incoming: web_sys::Request,
    env: &Env,
    more: &str,
) -> Result<String, Problem> {
    activity::proceed(&Exchange { request, env, context: None, incoming, renew: Cell::new(None) }, more).await
}

impl Exchange<'_> {
    // ------------------------------------------------------------------------------------------ set-up, session

    async fn set_up(&self) -> Result<Answer, Problem> {
        let typed: body::SetUp = self.body().await?;
        let token =
            core(|config| MadeToken::parse(typed.token.expose(), Kind::Setup, &config.prefix, &config.ring))?
                .filter(|token| !token.setup_is_over(self.request.arrived))
                .ok_or(Problem::SetupRefused)?;
        let wanted = form::Owner::check(&typed)?;
        // A link tells which addresses are taken, and has passwords hashed: no more often than signing in does.
        self.count_try().await?;

        let account = token.account();
        let open = match calls::directory(self.env, &DirectoryRequest::EnterFirst { account }).await? {
            DirectoryReply::Entered => LedgerRequest::Open,
            DirectoryReply::Invited => LedgerRequest::OpenInvited,
            DirectoryReply::SetupDone => return Err(Problem::SetupDone),
            _ => return Err(unavailable()),
        };
        let member = token.owner();
        let claim = NameRequest::Claim {
            name: wanted.email.to_string(),
            account,
            member,
            password: typed.password.clone(),
        };
        let secret_version = match calls::name(self.env, &wanted.email, &claim).await? {
            NameReply::Claimed { secret_version } => secret_version,
            NameReply::Taken => return Err(Problem::AddressTaken),
            _ => return Err(unavailable()),
        };
        let new = self.new_session(account)?;
        let opening = Opening {
            account,
            name: typed.account_name,
            zone: wanted.zone,
            owner: NewMember {
                id: member,
                name: typed.name,
                email: wanted.email,
                language: wanted.language,
                secret_version,
            },
            session: NewSession { id: new.made().id(), digest: *new.made().digest() },
            address: self.address(),
            service: service::draw(account)?.map(|(_, new)| new),
        };
        self.signed_in(calls::ledger(self.env, account, &open(opening)).await?, &new)
    }

    async fn sign_in(&self) -> Result<Answer, Problem> {
        let form: body::SignIn = self.body().await?;
        let found = match Email::parse(&form.email) {
            Ok(email) => self.prove(&email, form.password).await?,
            Err(_) => {
                // Counted like any other try, so that it cannot be told from one.
                self.count_try().await?;
                None
            }
        };
        let Some(proof) = found else {
            self.hold_back().await;
            return Err(Problem::SignInRefused);
        };
        let new = self.new_session(proof.account)?;
        let sign_in = LedgerRequest::SignIn {
            member: proof.member,
            email: proof.email,
            secret_version: proof.secret_version,
            session: NewSession { id: new.made().id(), digest: *new.made().digest() },
            address: self.address(),
        };
        match calls::ledger(self.env, proof.account, &sign_in).await? {
            LedgerReply::Gone => Err(Problem::SignInRefused),
            reply => self.signed_in(reply, &new),
        }
    }

    async fn show_session(&self) -> Result<Answer, Problem> {
        let view = self.session_of(self.command(Command::Show).await?)?;
        self.session_answer(200, &view)
    }

    async fn counters(&self) -> Result<Answer, Problem> {
        let view = self.session_of(self.command(Command::Show).await?)?;
        let counters = with_gateway(|gateway| gateway.counters()).ok_or(Problem::Internal)?;
        view::counters(&view, counters, now()).map(|document| Answer::json(200, &document))
    }

    async fn sign_out(&self) -> Result<Answer, Problem> {
        match self.command(Command::SignOut).await {
            // A browser without a session, or with one that is over, is signed out already.
            Ok(_) | Err(Problem::NotSignedIn) => {
                Ok(Answer::empty(204).with("set-cookie", session::clear_cookie()))
            }
            Err(problem) => Err(problem),
        }
    }

    async fn step_up(&self) -> Result<Answer, Problem> {
        let account = self.session()?.account();
        let form: body::StepUp = self.body().await?;
        let view = self.session_of(self.command(Command::Show).await?)?;
        let proof = self.prove(&view.member.email, form.password).await?;
        let proof = proof.filter(|proof| proof.account == account && proof.member == view.member.id);
        let Some(proof) = proof else { return Err(Problem::StepUpRefused) };
        let view =
            self.session_of(self.command(Command::StepUp { secret_version: proof.secret_version }).await?)?;
        self.session_answer(200, &view)
    }

    /// Finds whose password this is. Tries are counted before anything is hashed.
    async fn prove(&self, email: &Email, password: SecretText) -> Result<Option<Proof>, Problem> {
        self.count_try().await?;
        if check_password(password.expose()).is_err_and(|error| matches!(error, TextError::TooLong { .. })) {
            return Ok(None);
        }
        match calls::name(self.env, email, &NameRequest::Verify { password, block: self.block() }).await? {
            NameReply::Matches { account, member, secret_version } => {
                Ok(Some(Proof { account, member, email: email.clone(), secret_version }))
            }
            NameReply::Refused => Ok(None),
            NameReply::TooMany { until } => Err(view::too_many(until, now())),
            _ => Err(unavailable()),
        }
    }

    /// Waits until a refusal tells nothing by its time: an object that is asked for the first time takes longer than one that knows the
    /// address. Waiting costs no CPU.
    async fn hold_back(&self) {
        let spent_ms = now().as_ms().saturating_sub(self.request.arrived.as_ms()).max(0).unsigned_abs();
        let until_ms = spent_ms.max(REFUSAL_MS_MIN).next_multiple_of(REFUSAL_MS_STEP);
        worker::Delay::from(Duration::from_millis(until_ms.saturating_sub(spent_ms))).await;
    }

    async fn count_try(&self) -> Result<(), Problem> {
        match calls::address(self.env, self.block().as_deref(), &AddressRequest::Count).await? {
            AddressReply::Counted => Ok(()),
            AddressReply::TooMany { until } => Err(view::too_many(until, now())),
            AddressReply::NotUnderstood => Err(unavailable()),
        }
    }

    fn signed_in(&self, reply: LedgerReply, new: &NewToken) -> Result<Answer, Problem> {
        let view = self.session_of(reply)?;
        Ok(self.session_answer(201, &view)?.with("set-cookie", session::set_cookie(new.expose())))
    }

    fn session_answer(&self, status: u16, view: &SessionView) -> Result<Answer, Problem> {
        let address = client_address(self.request);
        core(|config| Answer::json(status, &view::session(view, config, address, now())))
    }

    // --------------------------------------------------------------------------------------------------- keys

    async fn list_keys(&self) -> Result<Answer, Problem> {
        self.session()?;
        let listing = form::listing(self.request.url.query)?;
        match self.command(Command::List(listing)).await? {
            LedgerReply::Page(page) => core(|config| Answer::json(200, &view::page(&page, config, now()))),
            reply => Err(self.refusal(reply)),
        }
    }

    async fn show_key(&self, id: KeyId) -> Result<Answer, Problem> {
        match self.command(Command::Get { id, deleted: true }).await? {
            LedgerReply::Key(key) => core(|config| Answer::json(200, &view::key(&key, config, now()))),
            reply => Err(self.refusal(reply)),
        }
    }

    async fn check_key(&self) -> Result<Answer, Problem> {
        self.session()?;
        let draft: Draft = body::parse(&self.bytes(DRAFT_BYTES_MAX).await?)?;
        match self.command(Command::Check { draft }).await? {
            LedgerReply::Checked(checked) => Ok(Answer::json(200, &view::checked(&checked))),
            reply => Err(self.refusal(reply)),
        }
    }

    async fn issue_key(&self) -> Result<Answer, Problem> {
        let account = self.session()?.account();
        let idempotency_key = headers::idempotency_key(self.request.headers)?;
        let draft: Draft = body::parse(&self.bytes(DRAFT_BYTES_MAX).await?)?;
        for _ in 0..DRAWS_MAX {
            let new = core(|config| NewKey::generate(account, &config.prefix, &config.ring, &mut rng()))?;
            let sealed = match draft.viewable {
                Some(true) => {
                    Some(core(|config| new.seal(&config.ring, &mut rng()))?.ok_or_else(unavailable)?)
                }
                Some(false) | None => None,
            };
            let issue = Command::Issue {
                id: new.id(),
                digest: new.digest(),
                draft: draft.clone(),
                idempotency_key: idempotency_key.clone(),
                sealed,
            };
            match self.changed(issue).await? {
                LedgerReply::Changed { key: Some(key), .. } => {
                    return core(|config| Answer::json(201, &view::issued(&key, &new, config, now())));
                }
                LedgerReply::Refused(crate::protocol::Refusal::IdTaken) => {}
                reply => return Err(self.refusal(reply)),
            }
        }
        Err(unavailable())
    }

    /// Shows a key's secret again. The ledger has let it be shown and written that down before it is decrypted here.
    async fn reveal_key(&self, id: KeyId) -> Result<Answer, Problem> {
        match self.command(Command::Reveal { id }).await? {
            LedgerReply::Revealed { sealed } => {
                let key = core(|config| vault::open(&sealed, key::place(&id), &config.ring))?
                    .ok_or(Problem::NotViewable(NotViewable::GenerationDropped))?;
                let revealed = view::revealed(&key, now()).ok_or(Problem::Internal)?;
                Ok(Answer::json(200, &revealed))
            }
            reply => Err(self.refusal(reply)),
        }
    }

    async fn edit_key(&self, id: KeyId) -> Result<Answer, Problem> {
        self.session()?;
        let expected = headers::if_match(self.request.headers)?;
        let changes: Changes = body::parse(&self.bytes(DRAFT_BYTES_MAX).await?)?;
        self.change(Command::Edit { id, expected, changes }).await
    }

    async fn change_key(&self, command: impl FnOnce(Revision) -> Command) -> Result<Answer, Problem> {
        self.session()?;
        self.change(command(headers::if_match(self.request.headers)?)).await
    }

    async fn change(&self, command: Command) -> Result<Answer, Problem> {
        match self.changed(command).await? {
            LedgerReply::Changed { key, bound, .. } => {
                core(|config| Answer::json(200, &view::changed(key.as_ref(), bound, config, now())))
            }
            reply => Err(self.refusal(reply)),
        }
    }

    /// Has a change committed, and lets this isolate use what it now knows.
    async fn changed(&self, command: Command) -> Result<LedgerReply, Problem> {
        let reply = self.command(command).await?;
        if let LedgerReply::Changed { record, .. } = &reply {
            with_gateway(|gateway| gateway.learn_from_change(record.clone(), now()));
        }
        Ok(reply)
    }

    // ------------------------------------------------------------------------------------- the parts of a request

    /// The session that the cookie names. A forged one ends here: no object is called.
    pub fn session(&self) -> Result<MadeToken, Problem> {
        let token = session::token(self.request.headers).ok_or(Problem::NotSignedIn)?;
        core(|config| MadeToken::parse(token, Kind::Session, &config.prefix, &config.ring))?
            .ok_or(Problem::NotSignedIn)
    }

    /// What the ledger of the session's account replies to a command.
    pub async fn command(&self, command: Command) -> Result<LedgerReply, Problem> {
        let session = self.session()?;
        let request = LedgerRequest::Console {
            session: SessionProof { id: session.id(), digest: *session.digest() },
            address: self.address(),
            command,
        };
        match calls::ledger(self.env, session.account(), &request).await? {
            LedgerReply::Gone => Err(Problem::NotSignedIn),
            reply => Ok(reply),
        }
    }

    fn session_of(&self, reply: LedgerReply) -> Result<SessionView, Problem> {
        match reply {
            LedgerReply::Session(view) => Ok(view),
            reply => Err(self.refusal(reply)),
        }
    }

    /// A reply that is not the one that was wanted, as a problem.
    pub fn refusal(&self, reply: LedgerReply) -> Problem {
        match reply {
            LedgerReply::Refused(refusal) => {
                core(|config| view::refusal(refusal, config, now())).unwrap_or_else(|problem| problem)
            }
            // A reply to another question: the object is of another release.
            _ => unavailable(),
        }
    }

    fn new_session(&self, account: AccountId) -> Result<NewToken, Problem> {
        core(|config| NewToken::session(account, &config.prefix, &config.ring, &mut rng()))
    }

    fn address(&self) -> Option<String> {
        client_address(self.request).map(|address| address.ip().to_string())
    }

    fn block(&self) -> Option<String> {
        client_address(self.request).map(|address| address.block())
    }

    /// The body, as JSON of known members.
    pub async fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        body::parse(&self.bytes(BODY_BYTES_MAX).await?)
    }

    /// The body, which is JSON, read no further than its limit.
    pub async fn bytes(&self, max: usize) -> Result<Vec<u8>, Problem> {
        body::check_media_type(self.request.headers.find("content-type"))?;
        self.read(max).await
    }

    /// The body, read no further than its limit, and waited for no longer than any other.
    pub async fn read(&self, max: usize) -> Result<Vec<u8>, Problem> {
        let limit = worker::Delay::from(Duration::from_millis(OPENING_TIME.as_ms()));
        match select(pin!(self.read_all(max)), limit).await {
            Either::Left((read, _)) => read,
            Either::Right(_) => Err(Problem::BodyTooSlow),
        }
    }

    async fn read_all(&self, max: usize) -> Result<Vec<u8>, Problem> {
        let too_large = Problem::BodyTooLarge { max };
        let announced =
            self.request.headers.find("content-length").and_then(|text| text.parse::<usize>().ok());
        if announced.is_some_and(|length| length > max) {
            return Err(too_large);
        }
        // The handle is cloned, not the request: its body is read once.
        let mut incoming = worker::Request::from(Clone::clone(&self.incoming));
        let Ok(mut stream) = incoming.stream() else { return Ok(Vec::new()) };
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk =
                chunk.map_err(|_| Problem::MalformedBody { detail: "the body ended early".into() })?;
            if bytes.len().saturating_add(chunk.len()) > max {
                return Err(too_large);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// Whose password was right.
struct Proof {
    account: AccountId,
    member: crate::id::MemberId,
    email: Email,
    secret_version: crate::protocol::SecretVersion,
}

/// Works with the settings; the gateway is there, because the request went through it.
pub fn core<T>(work: impl FnOnce(&Config) -> T) -> Result<T, Problem> {
    with_gateway(|gateway| work(gateway.config())).ok_or(Problem::Internal)
}

/// The platform's random source. It does not fail: `crypto.getRandomValues` is always there.
pub fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// An object did not say what it was asked.
pub fn unavailable() -> Problem {
    Problem::Denied(Denial::Unavailable)
}
