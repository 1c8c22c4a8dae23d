//! The admin Worker's adapter, called by `entry.js`. It makes no decision; it translates between
//! the platform and the control plane.
//!
//! | module | part of the platform |
//! | --- | --- |
//! | this | the calls of `entry.js`; the isolate's settings |
//! | [`context`] | one request to a route: its body, its session, its account's ledger |
//! | [`setup`], [`sessions`], [`persons`], [`addresses`], [`members`], [`joining`], [`factors`], [`keys`], [`api_users`], [`service`], [`deletion`], [`activity`], [`operator`] | the routes |
//! | [`secret_checks`] | the edge's question about the secret of an API user |
//! | [`access`] | operators: the keys and signatures of Cloudflare Access |
//! | [`codes`] | codes that an object mails |
//! | [`calls`] | requests to objects |
//! | [`objects`], [`storage`], [`memory`] | the Durable Objects' side |
//! | [`refusals`] | what this isolate need not ask again |
//! | [`mailbox`] | mailbox codes, for the routes that prove an address |
//! | [`mail`] | the services that deliver mail |
//! | [`settings`] | variables and secrets |

mod access;
mod activity;
mod addresses;
mod api_users;
mod attempts;
mod calls;
mod ceremonies;
mod clock;
mod codes;
mod context;
mod deletion;
mod factors;
mod joining;
mod keys;
mod mail;
mod mailbox;
mod members;
mod memory;
mod networks;
mod objects;
mod operator;
mod passkeys;
mod persons;
mod refusals;
mod secret_checks;
mod service;
mod sessions;
mod settings;
mod setup;
mod storage;

use std::rc::Rc;

use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::route::Route;
use claviger_control::admin::token_problem::TokenProblem;
use claviger_control::admin::{log, session};
use claviger_control::protocol::command::Command;
use claviger_core::base::http::cookie::COOKIE;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::request::{Headers, Request, Url};
use claviger_core::base::http::response::Response;
use claviger_core::credential::issuer::Issuer;
use claviger_core::credential::limits::network::ClientAddress;
use claviger_core::gateway::admin_api;
use claviger_core::replication::admin_caller::{AdminCaller, CALLER_HEADER};
use claviger_core::replication::link;
use claviger_workers::time;
pub use objects::{alarm, object};
use serde::Serialize;
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};
use worker::Env;

use self::context::RequestContext;

/// The action of the entry script for a request.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum AdminOutcome {
    /// Sends this response.
    Answer(Response),
    /// Serves the request from the platform's store of the console's files.
    Asset,
}

/// Answers a request that an edge has forwarded. `headers` is `name\nvalue\nname\nvalue…`. Resolves
/// to JSON.
///
/// # Errors
/// Never returns an error itself: exceptions of the platform are logged and become a response.
#[wasm_bindgen]
pub async fn handle(
    incoming: web_sys::Request,
    env: JsValue,
    headers: String,
    now_ms: f64,
) -> Result<String, JsValue> {
    let env: Env = env.unchecked_into();
    let (method, url) = (incoming.method(), incoming.url());
    let reaction = match request(&method, &url, &headers, now_ms) {
        Some(request) => respond(&request, incoming, &env).await,
        None => AdminOutcome::Answer(RequestProblem::Internal.answer("")),
    };
    let reaction = match reaction {
        AdminOutcome::Answer(answer) => AdminOutcome::Answer(confined(answer)),
        AdminOutcome::Asset => AdminOutcome::Asset,
    };
    // Keys are text and values are plain, so serialising cannot fail.
    Ok(serde_json::to_string(&reaction).unwrap_or_default())
}

/// Adds the headers by which a browser neither renders, frames nor embeds an answer of the API,
/// whatever it says.
fn confined(answer: Response) -> Response {
    answer
        .with("content-security-policy", "default-src 'none'; frame-ancestors 'none'")
        .with("cross-origin-resource-policy", "same-origin")
}

/// Continues a body that a response began. Resolves to JSON: `body` is the next piece; `more` goes
/// into the next call unless it is null.
///
/// # Errors
/// The code of the problem that ends the body early.
#[wasm_bindgen]
pub async fn proceed(
    incoming: web_sys::Request,
    env: JsValue,
    headers: String,
    now_ms: f64,
    more: String,
) -> Result<String, JsValue> {
    let env: Env = env.unchecked_into();
    let ended = |problem: AdminProblem| JsValue::from_str(problem.code());
    let (method, url) = (incoming.method(), incoming.url());
    let request = request(&method, &url, &headers, now_ms);
    let request = request.ok_or_else(|| ended(RequestProblem::Internal.into()))?;
    let config = settings::config(&env).map_err(|problem| ended(problem.into()))?;
    let context = RequestContext::new(&request, &env, config, incoming);
    activity::proceed(&context, &more).await.map_err(ended)
}

async fn respond(request: &Request<'_>, incoming: web_sys::Request, env: &Env) -> AdminOutcome {
    let config = match settings::config(env) {
        Ok(config) => config,
        Err(problem) => return AdminOutcome::Answer(problem.answer("")),
    };
    // First of all: a request must come through an edge that fits.
    let edge = request.headers.find(link::EDGE_HEADER);
    if let Err(misfit) = link::check(edge, config.keyring(), &config.digest) {
        worker::console_error!("a request is refused: {misfit}");
        let answer = RequestProblem::Misconfigured.answer(&config.console_origin);
        return AdminOutcome::Answer(
            answer.with(link::ADMIN_HEADER, ["misfit ", &misfit.to_string()].concat()),
        );
    }
    if request.url.path == link::PATH {
        return AdminOutcome::Answer(Response::empty(204));
    }
    let refuse =
        |problem: AdminProblem| AdminOutcome::Answer(problem.answer(&config.console_origin));
    if secret_checks::is_for(request) {
        let context = RequestContext::new(request, env, Rc::clone(&config), incoming);
        return secret_checks::answer(&context).await.map_or_else(refuse, AdminOutcome::Answer);
    }
    if request.url.host != config.console_host {
        return refuse(RequestProblem::NotFound.into());
    }
    let route = match Route::find(request.method, request.url.path) {
        Ok(Route::Asset) => return AdminOutcome::Asset,
        Ok(route) => route,
        Err(problem) => return refuse(problem),
    };
    let caller = match caller(request) {
        Ok(caller) => caller,
        Err(problem) => return refuse(problem),
    };
    let context = RequestContext::new(request, env, Rc::clone(&config), incoming).called_by(caller);
    // No page of another site can make a program's browser send its key.
    let is_foreign = caller.is_none()
        && !route.is_linked_to()
        && !session::may_ask(request.headers, &config.console_origin, route.wants_own_page());
    let answer =
        if is_foreign { Err(AdminProblem::CrossSite) } else { answer(route, &context).await };
    let answer = answer.unwrap_or_else(|problem| {
        let account = context.account().ok();
        let network = context.client().map(ClientAddress::block);
        if let Some(line) = log::forbidden(&problem, account, network.as_deref()) {
            worker::console_warn!("{line}");
        }
        problem.answer(&config.console_origin)
    });
    AdminOutcome::Answer(match context.change() {
        Some((account, revision)) => {
            answer.with(link::ADMIN_HEADER, format!("changed {account} {}", revision.0))
        }
        None => answer,
    })
}

/// Returns the program that the edge has verified; `None` for a request of a browser.
///
/// # Errors
/// [`TokenProblem::Ambiguous`] if the request has a session cookie, too.
/// [`RequestProblem::NotFound`] for a route that takes no program. The edge lets neither through.
fn caller(request: &Request<'_>) -> Result<Option<AdminCaller>, AdminProblem> {
    let Some(text) = request.headers.find(CALLER_HEADER) else { return Ok(None) };
    if request.headers.find("cookie").is_some_and(|cookies| cookies.contains(COOKIE)) {
        return Err(TokenProblem::Ambiguous.into());
    }
    let is_served = admin_api::right(request.method, request.url.path).is_some();
    let caller = AdminCaller::parse(text).filter(|_| is_served);
    caller.map(Some).ok_or(AdminProblem::Request(RequestProblem::NotFound))
}

async fn answer(route: Route, context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    match route {
        // Handled above.
        Route::Asset => Err(RequestProblem::NotFound.into()),
        Route::Counters => sessions::counters(context).await,
        Route::RevokeSealed => keys::revoke_sealed(context).await,
        Route::SetUp => setup::set_up(context).await,
        Route::CheckSetUp => setup::check_set_up(context).await,
        Route::MailSetUpCode => setup::mail_code(context).await,
        Route::BeginAddressChange => addresses::begin(context).await,
        Route::ConfirmAddressChange => addresses::confirm(context).await,
        Route::SignIn => sessions::sign_in(context).await,
        Route::ShowSession => sessions::show(context).await,
        Route::SignOut => sessions::sign_out(context).await,
        Route::StepUp => factors::step_up(context).await,
        Route::MailProofCode => factors::mail_proof_code(context).await,
        Route::ListOwnAccounts => persons::list_accounts(context).await,
        Route::SwitchAccount => persons::switch(context).await,
        Route::ListSessions => persons::list_sessions(context).await,
        Route::EndSession(id) => persons::end_session(context, id).await,
        Route::EndOtherSessions => persons::end_other_sessions(context).await,
        Route::ChangePassword => persons::change_password(context).await,
        Route::BeginReset => persons::begin_reset(context).await,
        Route::ConfirmReset => persons::confirm_reset(context).await,
        Route::ListKeys => keys::list(context).await,
        Route::IssueKey => keys::issue(context).await,
        Route::CheckKey => keys::check(context).await,
        Route::ShowKey(id) => keys::show(context, id).await,
        Route::EditKey(id) => keys::edit(context, id).await,
        Route::DeleteKey(id) => keys::delete(context, id).await,
        Route::ShowPair => keys::show_pair(context).await,
        Route::RevealKey(id) => keys::reveal(context, id).await,
        Route::DisableKey(id) => {
            keys::change(context, |expected| Command::SetEnabled { id, expected, enabled: false })
                .await
        }
        Route::EnableKey(id) => {
            keys::change(context, |expected| Command::SetEnabled { id, expected, enabled: true })
                .await
        }
        Route::RestoreKey(id) => {
            keys::change(context, |expected| Command::RestoreKey { id, expected }).await
        }
        Route::RegenerateKey(id) => keys::regenerate(context, id).await,
        Route::EndOverlap(id) => {
            keys::change(context, |expected| Command::EndOverlap { id, expected }).await
        }
        Route::BeginDeletion => deletion::begin(context).await,
        Route::ShowDeletion(id) => deletion::show(context, id).await,
        Route::MailDeletionCode(id) => deletion::mail_code(context, id).await,
        Route::ConfirmDeletion(id) => deletion::confirm(context, id).await,
        Route::ListActivity => activity::list(context).await,
        Route::ExportActivity => activity::export(context).await,
        Route::ShowService => service::show(context).await,
        Route::CountIssuedByService => keys::count_issued(context, Issuer::Service).await,
        Route::CountIssuedByKey(id) => keys::count_issued(context, Issuer::Key(id)).await,
        Route::EditService => service::set_ceiling(context).await,
        Route::RevealService => service::reveal(context).await,
        Route::ChangeServicePassword => service::change_password(context).await,
        Route::SignInByAccess => operator::sign_in(context),
        Route::ListAccounts => operator::list(context).await,
        Route::InviteAccount => operator::invite(context).await,
        Route::ShowAccount(id) => operator::show(context, id).await,
        Route::EditAccount(id) => operator::edit(context, id).await,
        Route::ShowPolicy(id) => operator::show_policy(context, id).await,
        Route::SetPolicy(id) => operator::set_policy(context, id).await,
        Route::PreviewPolicy(id) => operator::preview_policy(context, id).await,
        Route::WithdrawAccount(id) => operator::withdraw(context, id).await,
        Route::TurnOffNetworks(account) => operator::turn_off_networks(context, account).await,
        Route::RebuildAccount(id) => operator::rebuild(context, id).await,
        Route::BeginRestore(id) => operator::begin_restore(context, id).await,
        Route::FinishRestore(id) => operator::finish_restore(context, id).await,
        Route::ListMembers => members::list(context).await,
        Route::InviteMember => members::invite(context).await,
        Route::RepeatInvitation(id) => members::repeat(context, id).await,
        Route::WithdrawInvitation(id) => members::withdraw(context, id).await,
        Route::ChangeRole(id) => members::change_role(context, id).await,
        Route::RemoveMember(id) => members::remove(context, id).await,
        Route::EndMemberSessions(id) => members::end_sessions(context, id).await,
        Route::CheckInvitation => joining::check(context).await,
        Route::AcceptInvitation => joining::accept(context).await,
        Route::EditProfile => members::edit_profile(context).await,
        Route::ShowNotices => members::show_notices(context).await,
        Route::EditNotices => members::edit_notices(context).await,
        Route::ListNotices => members::list_notices(context).await,
        Route::ReadNotices => members::read_notices(context).await,
        Route::EditOwnAccount => members::edit_account(context).await,
        Route::Factors(route) => factors::answer(context, route).await,
        Route::Passkeys(route) => passkeys::answer(context, route).await,
        Route::ApiUsers(route) => api_users::answer(context, route).await,
        Route::Networks(route) => networks::answer(context, route).await,
    }
}

fn request<'a>(
    method: &'a str,
    url: &'a str,
    headers: &'a str,
    now_ms: f64,
) -> Option<Request<'a>> {
    Some(Request {
        method,
        url: Url::parse(url)?,
        headers: Headers::new(headers),
        arrived: time(now_ms),
    })
}
