//! Serves the OAuth endpoints: `POST /oauth/token` and `POST /oauth/revoke`.

use rand_core::CryptoRng;

use crate::base::http::request::Request;
use crate::base::http::response::Response;
use crate::base::id::AccountId;
use crate::config::rules::OAuthRoute;
use crate::credential::sealed::MadeSealed;
use crate::gateway::exchange::body::BodyFault;
use crate::gateway::exchange::issue::ANSWER_WITHIN_MS;
use crate::gateway::exchange::platform::{Boxed, Platform, SharedGateway};
use crate::gateway::exchange::{body, lookup};
use crate::gateway::gateway::client_address;
use crate::gateway::issuance::{Authority, BODY_BYTES_MAX, seal};
use crate::gateway::issuing::Purpose;
use crate::gateway::oauth::{
    OAuthError, OAuthForm, PARAMETERS, check_head, grant_token, revoked_answer, token_answer,
};
use crate::replication::edge_call::{EdgeRequest, Reply, RevokeByClient, RevokeReply};

/// The state of one request of an OAuth client.
struct ClientCall<'a, R> {
    request: &'a Request<'a>,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
    rng: R,
    renew: Option<AccountId>,
}

/// Answers a request of an OAuth client. It also returns the account whose lease to refresh in the
/// background.
pub(super) fn answer<'a>(
    request: &'a Request<'a>,
    route: OAuthRoute,
    gateway: &'a SharedGateway,
    platform: &'a Platform,
    rng: impl CryptoRng + 'a,
) -> Boxed<'a, (Response, Option<AccountId>)> {
    Box::pin(async move {
        let mut call = ClientCall { request, gateway, platform, rng, renew: None };
        let answered = call.answer(route).await;
        (answered.unwrap_or_else(|error| error.answer(request.url.host)), call.renew)
    })
}

/// Reads the parameters of these names from the body of a request.
pub(super) fn read_form<'a>(
    request: &'a Request<'a>,
    names: &'a [&'static str],
    platform: &'a Platform,
) -> Boxed<'a, Result<OAuthForm, OAuthError>> {
    Box::pin(async move {
        let read = body::read_all(request, BODY_BYTES_MAX, platform).await;
        let body = read.map_err(|problem| match BodyFault::from(problem) {
            BodyFault::TooLarge => OAuthError::TooLarge,
            BodyFault::TooSlow => OAuthError::TooSlow,
            BodyFault::CutOff => OAuthError::CutOff,
        })?;
        OAuthForm::parse(&body, names)
    })
}

impl<R: CryptoRng> ClientCall<'_, R> {
    async fn answer(&mut self, route: OAuthRoute) -> Result<Response, OAuthError> {
        check_head(self.request)?;
        self.gateway.borrow().check_client(self.request)?;
        let form = read_form(self.request, &PARAMETERS, self.platform).await?;
        match route {
            OAuthRoute::Revoke => self.revoke(&form).await,
            // The gateway itself answers for the metadata.
            OAuthRoute::Token | OAuthRoute::Metadata => self.issue(&form).await,
        }
    }

    async fn issue(&mut self, form: &OAuthForm) -> Result<Response, OAuthError> {
        form.check_grant_type()?;
        let authority = self.authorise(form, Purpose::Token).await?;
        // As for every issue, this time is later than the ledger's answer.
        let at = self.platform.now();
        let granted = grant_token(&authority, form.scope(), at)?;
        let sealed = seal(&granted, &authority, at, self.gateway.borrow().config(), &mut self.rng);
        let sealed = sealed.ok_or(OAuthError::TooManyPermissions)?;
        Ok(token_answer(sealed.expose(), &granted, at))
    }

    /// Revokes a token. A text that is no token of this client is answered alike (RFC 7009 §2.2).
    /// So no client learns about the tokens of others.
    async fn revoke(&mut self, form: &OAuthForm) -> Result<Response, OAuthError> {
        let text = form.token()?;
        let authority = self.authorise(form, Purpose::Revoke).await?;
        let now = self.platform.now();
        let made = self.gateway.borrow().made_sealed(text, now);
        let own = made.filter(|made: &MadeSealed| {
            let claims = made.claims();
            claims.issuer == authority.proof.issuer && claims.expires_at > now
        });
        let Some(own) = own else { return Ok(revoked_answer()) };
        let request = EdgeRequest::RevokeByClient(RevokeByClient {
            id: own.claims().id,
            until: own.claims().expires_at,
            proof: authority.proof,
            address: client_address(self.request).map(|address| address.ip().to_string()),
        });
        let (account, platform) = (authority.account, self.platform);
        let reply = lookup::call_ledger(account, &request, ANSWER_WITHIN_MS, false, platform).await;
        match reply.and_then(|text| Reply::parse(&text)) {
            Some(RevokeReply::Revoked { revision }) => {
                if let Some(revision) = revision {
                    let now = self.platform.now();
                    self.gateway.borrow_mut().leases_mut().end_lease(account, revision, now);
                    self.renew = None;
                }
                Ok(revoked_answer())
            }
            Some(RevokeReply::ClientRefused) => Err(OAuthError::Client),
            Some(RevokeReply::Failed) | None => Err(OAuthError::Unavailable),
        }
    }

    async fn authorise(
        &mut self,
        form: &OAuthForm,
        purpose: Purpose,
    ) -> Result<Authority, OAuthError> {
        let text = form.client(self.request, self.gateway.borrow().config())?;
        let (address, arrival) = (client_address(self.request), self.request.arrived);
        let decided = lookup::decide(self.gateway, self.platform, |gateway, now, lookup| {
            gateway.authorise_client(text.expose(), purpose, address, arrival, now, lookup)
        })
        .await;
        self.renew = decided.renew;
        Ok(decided.authority?)
    }
}
