//! Serves `POST /issue_service_authorization`, with which a program asks for a key.

use rand_core::CryptoRng;

use crate::base::http::request::Request;
use crate::base::http::response::Response;
use crate::base::id::AccountId;
use crate::base::time::UnixMs;
use crate::credential::grant::{Granted, Wanted, grant};
use crate::credential::key::NewKey;
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::network::ClientAddress;
use crate::gateway::exchange::body::BodyFault;
use crate::gateway::exchange::platform::{Boxed, Operation, Platform, SharedGateway};
use crate::gateway::exchange::{body, lookup};
use crate::gateway::gateway::client_address;
use crate::gateway::issuance::{
    AskedExpiry, Authority, BODY_BYTES_MAX, Credentials, IssuanceForm, Refused, RetryAfter,
    check_body, check_head, seal, text,
};
use crate::replication::edge_call::{
    EdgeRequest, ExpiryReply, IssueByApi, IssueRefusal, IssueReply, ReadExpiry, Reply,
};

/// Seconds after which a caller may retry an issue that got no decision.
const RETRY_AFTER: RetryAfter = RetryAfter(2);

/// Timeout of a ledger call that stores a key or reads a date, in ms.
pub(super) const ANSWER_WITHIN_MS: u64 = 5_000;

/// Most draws of a key ID. An ID that already exists is extremely unlikely even once.
const DRAWS_MAX: u32 = 3;

/// The state of one issue.
struct Issuance<'a, R> {
    request: &'a Request<'a>,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
    rng: R,
    renew: Option<AccountId>,
}

/// Answers with the key, or with one line about why there is none. It also returns the account
/// whose lease to refresh in the background.
pub(super) fn answer<'a>(
    request: &'a Request<'a>,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
    rng: impl CryptoRng + 'a,
) -> Boxed<'a, (Response, Option<AccountId>)> {
    Box::pin(async move {
        let mut issuance = Issuance { request, gateway, platform, rng, renew: None };
        let issued = issuance.issue().await;
        let response =
            issued.unwrap_or_else(|refused| refused.answer(request.url.host, RETRY_AFTER));
        (response, issuance.renew)
    })
}

impl<R: CryptoRng> Issuance<'_, R> {
    async fn issue(&mut self) -> Result<Response, Refused> {
        check_head(self.request)?;
        self.gateway.borrow().check_issuer(self.request)?;
        let read = body::read_all(self.request, BODY_BYTES_MAX, self.platform).await;
        let body = read.map_err(|problem| match BodyFault::from(problem) {
            BodyFault::TooLarge => Refused::TooLarge,
            BodyFault::TooSlow => Refused::TooSlow,
            BodyFault::CutOff => Refused::CutOff,
        })?;
        check_body(self.request, &body)?;
        let form = IssuanceForm::parse(&body)?;
        let authority = self.authorise(&form).await?;
        // The issue time is later than the ledger's answer. So an edge with a lease as of that time
        // or later knows everything that this issue rests on.
        let at = self.platform.now();
        let expires = self.expiry(&form, &authority, at).await?;
        let wanted = Wanted { expires, networks: form.networks()? };
        let granted = grant(wanted, &authority.issuing.ceiling, authority.expires, at)?;
        let sealed = seal(&granted, &authority, at, self.gateway.borrow().config(), &mut self.rng);
        match sealed {
            Some(sealed) => Ok(text(200, sealed.expose().to_owned())),
            None => self.store(&authority, &granted, at).await,
        }
    }

    async fn authorise(&mut self, form: &IssuanceForm) -> Result<Authority, Refused> {
        let credentials = form.credentials(self.request, self.gateway.borrow().config());
        if matches!(credentials, Err(Refused::UnknownService)) {
            if self.gateway.borrow().must_confirm(self.platform.now()) {
                lookup::ask_admin(self.gateway, self.platform).await;
            }
            if self.gateway.borrow().is_unsure(self.platform.now()) {
                return Err(Refused::Unavailable);
            }
        }
        let credentials = credentials?;
        let (address, arrival) = (client_address(self.request), self.request.arrived);
        let decided = lookup::decide(self.gateway, self.platform, |gateway, now, lookup| {
            gateway.authorise_issue(&credentials, address, arrival, now, lookup)
        })
        .await;
        self.renew = decided.renew;
        if let (Err(Refused::UnknownService), Credentials::Service { account, .. }) =
            (&decided.authority, &credentials)
        {
            self.log_wrong_password(*account, address).await;
        }
        decided.authority
    }

    /// Writes a line of the log about a wrong service password. The service ID is genuine, so that
    /// it names an account.
    async fn log_wrong_password(&self, account: AccountId, address: Option<ClientAddress>) {
        let network = match address {
            Some(address) => format!("\"{}\"", address.block()),
            None => "null".to_owned(),
        };
        let line = format!(
            "{{\"event\":\"authentication_refused\",\"attempt\":\"service\",\"reason\":\"wrong\",\"network\":{network},\"account\":\"{account}\"}}"
        );
        self.platform.ask(Operation::Warn { line }).await;
    }

    /// Returns the expiry that the form asks for. The ledger reads dates, because it has the
    /// account's time zone and the calendar.
    async fn expiry(
        &self,
        form: &IssuanceForm,
        authority: &Authority,
        at: UnixMs,
    ) -> Result<Option<Expiry>, Refused> {
        let text = match form.expiry(at)? {
            AskedExpiry::None => return Ok(None),
            AskedExpiry::At(expiry) => return Ok(Some(expiry)),
            AskedExpiry::Calendar(text) => text,
        };
        let request = EdgeRequest::ReadExpiry(ReadExpiry { text, at });
        let reply = self.call_ledger(authority.account, &request).await;
        match reply.and_then(|text| Reply::parse(&text)) {
            Some(ExpiryReply::Expiry { expires }) => Ok(Some(expires)),
            Some(ExpiryReply::ExpiryRefused { error }) => Err(Refused::Epi(error)),
            Some(ExpiryReply::Failed) | None => Err(Refused::Unavailable),
        }
    }

    /// Asks the ledger to store a key that does not fit into a sealed key.
    async fn store(
        &mut self,
        authority: &Authority,
        granted: &Granted,
        at: UnixMs,
    ) -> Result<Response, Refused> {
        for _ in 0..DRAWS_MAX {
            let new = {
                let gateway = self.gateway.borrow();
                let config = gateway.config();
                NewKey::generate(authority.account, &config.prefix, &config.keyring, &mut self.rng)
            };
            let request = EdgeRequest::IssueByApi(IssueByApi {
                id: new.id(),
                digest: new.digest(),
                proof: authority.proof,
                at,
                expires: granted.expires,
                networks: granted.networks.clone(),
                address: client_address(self.request).map(|address| address.ip().to_string()),
            });
            let reply = self.call_ledger(authority.account, &request).await;
            match reply.and_then(|text| Reply::parse(&text)) {
                Some(IssueReply::Changed { record }) => {
                    self.gateway.borrow_mut().leases_mut().take_change(record, self.platform.now());
                    return Ok(text(200, new.expose().to_owned()));
                }
                Some(IssueReply::Refused(IssueRefusal::IdTaken)) => {}
                Some(IssueReply::Refused(IssueRefusal::TooManyKeys)) => {
                    return Err(Refused::TooMany);
                }
                // This isolate's lease was stale about the issuer.
                Some(IssueReply::Refused(IssueRefusal::IssuerRefused)) => {
                    return Err(Refused::Overtaken);
                }
                Some(IssueReply::Refused(IssueRefusal::Other) | IssueReply::Failed) | None => {
                    return Err(Refused::Unavailable);
                }
            }
        }
        Err(Refused::Unavailable)
    }

    async fn call_ledger(&self, account: AccountId, request: &EdgeRequest) -> Option<String> {
        lookup::call_ledger(account, request, ANSWER_WITHIN_MS, false, self.platform).await
    }
}
