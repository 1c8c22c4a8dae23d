//! Counts and logs tries at secrets that people choose.
//!
//! A try in a browser with a mark of the typed address counts against the mark, and a proof of
//! identity against its session. Any other try counts by address and at its name.

use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::log::{self, AttemptRefused, LoggedAttempt, SessionOwner};
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{session, view};
use claviger_control::protocol::account::Email;
use claviger_control::protocol::browser::KnownBrowser;
use claviger_control::protocol::member::SecretVersion;
use claviger_control::protocol::objects::{AddressReply, AddressRequest};
use claviger_control::protocol::tries::Tries;
use claviger_control::protocol::view::SessionView;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_workers::rng;
use futures_util::future::join_all;

use crate::clock::now;
use crate::context::RequestContext;
use crate::{calls, refusals};

/// The counters that accepted a try.
pub struct Counted {
    tries: Vec<Tries>,
    /// Version of the password in the browser's mark, if the try counts against the mark.
    pub browser: Option<SecretVersion>,
}

/// Counts a try at the secrets of the person at `email`: against the browser's mark if it has one
/// with tries left, otherwise by address and at the name.
pub async fn count_person(
    context: &RequestContext<'_>,
    email: &Email,
) -> Result<Counted, AdminProblem> {
    match count_browser(context, email).await {
        Some(counted) => Ok(counted),
        None => count_stranger(context, email).await,
    }
}

/// Counts a try by address and at the name.
pub async fn count_stranger(
    context: &RequestContext<'_>,
    email: &Email,
) -> Result<Counted, AdminProblem> {
    let by_address = count_try(context).await?;
    let at_name = Tries::at_name(email, context.client());
    count(context, &at_name).await?;
    Ok(Counted { tries: vec![by_address, at_name], browser: None })
}

/// Counts a try against the browser's mark. `None` if it has none of this person, no try left, or
/// if the object is of an earlier release: the try must then be counted as a stranger's.
pub async fn count_browser(context: &RequestContext<'_>, email: &Email) -> Option<Counted> {
    let mark = session::browser_mark(context.request.headers)?;
    let AdminConfig { prefix, master, .. } = &*context.config;
    let known = KnownBrowser::parse(mark, email, context.request.arrived, prefix, master)?;
    let tries = Tries::of_browser(email, &known);
    ask_room(context, &tries).await.ok()?;
    Some(Counted { tries: vec![tries], browser: Some(known.version) })
}

/// Counts a proof of identity against its session, which the ledger has confirmed.
pub async fn count_session(
    context: &RequestContext<'_>,
    view: &SessionView,
) -> Result<Counted, AdminProblem> {
    // Each ledger of this release names the beginning; the end is as fixed without it.
    let tries = Tries::of_session(&view.member.email, view.began.unwrap_or(view.expires));
    count(context, &tries).await?;
    Ok(Counted { tries: vec![tries], browser: None })
}

/// Counts a try by the client's address.
pub async fn count_try(context: &RequestContext<'_>) -> Result<Tries, AdminProblem> {
    let tries = Tries::by_address(context.client());
    count(context, &tries).await?;
    Ok(tries)
}

/// Counts a try, and logs its refusal.
pub async fn count(context: &RequestContext<'_>, tries: &Tries) -> Result<(), AdminProblem> {
    let counted = ask_room(context, tries).await;
    if matches!(counted, Err(AdminProblem::TooManyAttempts { .. })) {
        note_refused(context, LoggedAttempt::Any, AttemptRefused::TooMany, (None, None));
    }
    counted
}

/// Counts a try. While an object refuses, this isolate does not ask it again.
async fn ask_room(context: &RequestContext<'_>, tries: &Tries) -> Result<(), AdminProblem> {
    if let Some(until) = refusals::no_try_before(tries, now()) {
        return Err(view::too_many(until, now()));
    }
    let request = AddressRequest::Count { counters: tries.counters.clone() };
    match calls::address(context.env, &tries.instance, &request).await? {
        AddressReply::Counted | AddressReply::CountedAlone => Ok(()),
        AddressReply::TooMany { until } => {
            refusals::note_too_many(tries, now(), until);
            Err(view::too_many(until, now()))
        }
        AddressReply::NotUnderstood => Err(RequestProblem::Unavailable.into()),
    }
}

/// Records that a counted try succeeded.
pub async fn succeeded(context: &RequestContext<'_>, counted: &Counted) {
    join_all(counted.tries.iter().map(|tries| succeeded_at(context, tries))).await;
}

/// Records that a try succeeded. If that fails, the block is not exempt: the log says so.
pub async fn succeeded_at(context: &RequestContext<'_>, tries: &Tries) {
    let Some(counter) = tries.own().cloned() else { return };
    let request = AddressRequest::Succeeded { counter };
    let _ = calls::address(context.env, &tries.instance, &request).await;
}

/// Writes the line of the log about a refused attempt.
pub fn note_refused(
    context: &RequestContext<'_>,
    attempt: LoggedAttempt,
    reason: AttemptRefused,
    owner: SessionOwner,
) {
    let network = context.client().map(ClientAddress::block);
    let line = log::refused(attempt, reason, network.as_deref(), owner);
    worker::console_warn!("{line}");
}

/// Adds to an answer the cookie with the mark of this browser.
pub fn with_mark(context: &RequestContext<'_>, answer: Response, view: &SessionView) -> Response {
    let AdminConfig { prefix, master, .. } = &*context.config;
    let (email, version) = (&view.member.email, view.secret_version);
    let mark = KnownBrowser::draw(email, version, now(), prefix, master, &mut rng());
    answer.with("set-cookie", session::set_browser_cookie(&mark))
}
