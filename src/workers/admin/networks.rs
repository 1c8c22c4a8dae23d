//! Routes under `/v1/account/networks`: verifies passwords; the account's ledger decides.

use claviger_control::admin::body::{DRAFT_BYTES_MAX, DeleteNetworkForm, NetworkListForm};
use claviger_control::admin::networks_route::NetworksRoute;
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::{headers, view};
use claviger_control::protocol::account_networks::{AccountNetworksCommand, TypedNetworkList};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::ledger::LedgerReply;
use claviger_core::base::http::json_body;
use claviger_core::base::http::response::Response;

use crate::clock::now;
use crate::context::RequestContext;
use crate::sessions;

/// Answers a request to a route.
pub async fn answer(
    context: &RequestContext<'_>,
    route: NetworksRoute,
) -> Result<Response, AdminProblem> {
    match route {
        NetworksRoute::Show => ask(context, AccountNetworksCommand::Show).await,
        NetworksRoute::Preview => {
            context.session()?;
            let draft: TypedNetworkList = json_body::parse(&context.bytes(DRAFT_BYTES_MAX).await?)?;
            ask(context, AccountNetworksCommand::Preview { draft }).await
        }
        NetworksRoute::Set => set(context).await,
        NetworksRoute::Delete(id) => {
            context.session()?;
            let DeleteNetworkForm { password, confirm_lock_out } = context.body().await?;
            let password = sessions::prove_owner(context, password).await?;
            ask(context, AccountNetworksCommand::Delete { id, password, confirm_lock_out }).await
        }
    }
}

async fn set(context: &RequestContext<'_>) -> Result<Response, AdminProblem> {
    context.session()?;
    let expected = headers::if_match(context.request.headers)?;
    let form: NetworkListForm = json_body::parse(&context.bytes(DRAFT_BYTES_MAX).await?)?;
    let NetworkListForm { mode, entries, password, confirm_lock_out } = form;
    let password = match password {
        Some(password) => Some(sessions::prove_owner(context, password).await?),
        None => None,
    };
    let draft = TypedNetworkList { mode, entries };
    ask(context, AccountNetworksCommand::Set { draft, expected, password, confirm_lock_out }).await
}

async fn ask(
    context: &RequestContext<'_>,
    networks: AccountNetworksCommand,
) -> Result<Response, AdminProblem> {
    let document = match context.command(Command::Networks { networks }).await? {
        LedgerReply::Networks(list) => view::network_list(&list, now()),
        LedgerReply::NetworksChecked(preview) => view::network_list_preview(&preview, now()),
        LedgerReply::NetworksChanged(changed) => view::network_list_changed(&changed, now()),
        reply => return Err(context.refusal(reply)),
    };
    Ok(Response::json(200, &document))
}
