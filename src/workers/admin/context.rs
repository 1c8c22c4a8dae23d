//! The context of one request to a route: its body, its session, and calls to its account's ledger.

use core::cell::Cell;
use core::pin::pin;
use core::time::Duration;
use std::rc::Rc;

use claviger_control::admin::body::BODY_BYTES_MAX;
use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::log::{AttemptRefused, LoggedAttempt};
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::token_problem::TokenProblem;
use claviger_control::admin::{log, session, view};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::identity::stored_agent;
use claviger_control::protocol::ledger::{LedgerReply, LedgerRequest, SessionProof};
use claviger_control::protocol::refusal::Refusal;
use claviger_control::protocol::token::{Kind, MadeToken};
use claviger_control::protocol::view::SessionView;
use claviger_core::base::http::json_body;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::request::Request;
use claviger_core::base::id::AccountId;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::gateway::body::{BODY_PIECES_MAX, BODY_SCAN_TIME};
use claviger_core::gateway::gateway::client_address;
use claviger_core::replication::admin_caller::AdminCaller;
use claviger_core::replication::record::Revision;
use claviger_core::verify::verdict::Denial;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use serde::de::DeserializeOwned;
use worker::Env;

use crate::clock::now;
use crate::{calls, refusals};

/// One request to a route.
pub struct RequestContext<'a> {
    pub request: &'a Request<'a>,
    pub env: &'a Env,
    pub config: Rc<AdminConfig>,
    /// Program that the edge has verified; `None` for a request of a browser.
    caller: Option<AdminCaller>,
    incoming: web_sys::Request,
    change: Cell<Option<(AccountId, Revision)>>,
}

impl<'a> RequestContext<'a> {
    /// Returns the context of a request.
    pub fn new(
        request: &'a Request<'a>,
        env: &'a Env,
        config: Rc<AdminConfig>,
        incoming: web_sys::Request,
    ) -> Self {
        Self { request, env, config, caller: None, incoming, change: Cell::new(None) }
    }

    /// Sets the program that the edge has verified.
    #[must_use]
    pub fn called_by(self, caller: Option<AdminCaller>) -> Self {
        Self { caller, ..self }
    }

    /// Returns the account of the program or session, before any object is called.
    ///
    /// # Errors
    /// As [`RequestContext::session`] without a program.
    pub fn account(&self) -> Result<AccountId, AdminProblem> {
        match self.caller {
            Some(caller) => Ok(caller.id().account()),
            None => Ok(self.session()?.account()),
        }
    }

    /// Returns the change that this request committed: its account and revision.
    pub fn change(&self) -> Option<(AccountId, Revision)> {
        self.change.get()
    }

    /// Returns the session token of the cookie. A token that is forged or too old fails here,
    /// before any object is called. So does one that its ledger has refused to this isolate a
    /// moment ago.
    ///
    /// # Errors
    /// [`AdminProblem::NotSignedIn`] if there is no such token.
    pub fn session(&self) -> Result<MadeToken, AdminProblem> {
        let token = session::token(self.request.headers).ok_or(AdminProblem::NotSignedIn)?;
        MadeToken::parse(token, Kind::Session, &self.config.prefix, &self.config.master)
            .filter(|token| !refusals::is_over(token, self.request.arrived))
            .ok_or(AdminProblem::NotSignedIn)
    }

    /// Sends a command of the program, or of the session's member, to the ledger of its account.
    ///
    /// # Errors
    /// [`AdminProblem::NotSignedIn`] without a genuine token; [`RequestProblem::Unavailable`] if
    /// the ledger does not answer.
    pub async fn command(&self, command: Command) -> Result<LedgerReply, AdminProblem> {
        if let Some(caller) = self.caller {
            let request = LedgerRequest::Token { caller, address: self.address(), command };
            return match self.call_ledger(caller.id().account(), &request).await? {
                LedgerReply::Gone => Err(TokenProblem::Refused(Denial::Unknown).into()),
                reply => Ok(reply),
            };
        }
        let session = self.session()?;
        let ends_session = matches!(command, Command::SignOut);
        let request = LedgerRequest::Console {
            session: SessionProof { id: session.id(), digest: *session.digest() },
            address: self.address(),
            command,
        };
        let reply = self.call_ledger(session.account(), &request).await?;
        let is_over =
            matches!(reply, LedgerReply::Gone | LedgerReply::Refused(Refusal::NotSignedIn));
        if is_over || (ends_session && reply == LedgerReply::Done) {
            refusals::note_over(&session, now());
        }
        if is_over { Err(AdminProblem::NotSignedIn) } else { Ok(reply) }
    }

    /// Calls the ledger of an account. Every change of a request is committed through this
    /// function, so it is the one place that records the change for the edge.
    ///
    /// # Errors
    /// [`RequestProblem::Unavailable`] if the ledger does not answer.
    pub async fn call_ledger(
        &self,
        account: AccountId,
        request: &LedgerRequest,
    ) -> Result<LedgerReply, AdminProblem> {
        let reply = calls::ledger(self.env, account, request).await?;
        if let Some(revision) = reply.change() {
            self.change.set(Some((account, revision)));
        }
        let refused = match &reply {
            LedgerReply::Refused(Refusal::FactorRefused { .. }) => Some(AttemptRefused::Wrong),
            LedgerReply::Refused(Refusal::TooManyFactorTries { .. }) => {
                Some(AttemptRefused::TooMany)
            }
            _ => None,
        };
        if let Some(reason) = refused {
            let (network, owner) = (self.client().map(ClientAddress::block), (Some(account), None));
            let line = log::refused(LoggedAttempt::FactorCode, reason, network.as_deref(), owner);
            worker::console_warn!("{line}");
        }
        Ok(reply)
    }

    /// Reads a reply that must be a session.
    ///
    /// # Errors
    /// As [`RequestContext::refusal`] for any other reply.
    pub fn session_of(&self, reply: LedgerReply) -> Result<SessionView, AdminProblem> {
        match reply {
            LedgerReply::Session(view) => Ok(view),
            reply => Err(self.refusal(reply)),
        }
    }

    /// Converts any reply other than the expected one to a problem.
    pub fn refusal(&self, reply: LedgerReply) -> AdminProblem {
        match reply {
            LedgerReply::Refused(refusal) => view::refusal(refusal, &self.config, now()),
            // The reply does not fit the request: the object is of another release.
            _ => RequestProblem::Unavailable.into(),
        }
    }

    /// Returns the client's address, as the platform reports it.
    pub fn client(&self) -> Option<ClientAddress> {
        client_address(self.request)
    }

    /// Returns the client's address as text.
    pub fn address(&self) -> Option<String> {
        self.client().map(|address| address.ip().to_string())
    }

    /// Returns the client's `User-Agent`, as a ledger stores it.
    pub fn agent(&self) -> Option<String> {
        stored_agent(self.request.headers.find("user-agent"))
    }

    /// Reads the body as JSON without unknown members.
    ///
    /// # Errors
    /// As [`RequestContext::bytes`]; [`RequestProblem::MalformedBody`] if the JSON does not fit
    /// `T`.
    pub async fn body<T: DeserializeOwned>(&self) -> Result<T, AdminProblem> {
        Ok(json_body::parse(&self.bytes(BODY_BYTES_MAX).await?)?)
    }

    /// Reads a JSON body of at most `max` bytes, within the time limit of all bodies.
    ///
    /// # Errors
    /// [`RequestProblem::UnsupportedMediaType`], [`RequestProblem::BodyTooLarge`],
    /// [`RequestProblem::BodyTooSlow`], or [`RequestProblem::MalformedBody`] if the stream fails.
    pub async fn bytes(&self, max: usize) -> Result<Vec<u8>, AdminProblem> {
        json_body::check_media_type(self.request.headers.find("content-type"))?;
        let limit = worker::Delay::from(Duration::from_millis(BODY_SCAN_TIME.as_ms()));
        match select(pin!(self.read_all(max)), limit).await {
            Either::Left((read, _)) => Ok(read?),
            Either::Right(_) => Err(RequestProblem::BodyTooSlow.into()),
        }
    }

    async fn read_all(&self, max: usize) -> Result<Vec<u8>, RequestProblem> {
        let too_large = RequestProblem::BodyTooLarge { max };
        let announced =
            self.request.headers.find("content-length").and_then(|text| text.parse::<usize>().ok());
        if announced.is_some_and(|length| length > max) {
            return Err(too_large);
        }
        // This clones the handle, not the request: the body is read once.
        let mut incoming = worker::Request::from(Clone::clone(&self.incoming));
        let Ok(mut stream) = incoming.stream() else { return Ok(Vec::new()) };
        let (mut bytes, mut pieces_left) = (Vec::new(), BODY_PIECES_MAX);
        while let Some(chunk) = stream.next().await {
            pieces_left = pieces_left.checked_sub(1).ok_or(RequestProblem::BodyTooSlow)?;
            let chunk = chunk.map_err(|_| RequestProblem::MalformedBody {
                detail: "the body ended early".into(),
            })?;
            if bytes.len().saturating_add(chunk.len()) > max {
                return Err(too_large);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}
