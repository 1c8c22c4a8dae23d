//! The Worker's face towards JavaScript. A stand-in that answers by path, so that the shell
//! around it (entry, forwards, recovery from traps) can be tested before the gateway exists.
//!
//! `entry.js` calls [`decide`] first, synchronously; only what needs I/O goes on to [`handle`].

mod trap;

use js_sys::Function;
use serde_json::{Value, json};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

/// Decides a request without I/O. `headers` is `name\nvalue\nname\nvalue…`; `""` means that I/O is needed.
#[wasm_bindgen]
#[must_use]
pub fn decide(method: &str, url: &str, headers: &str, now_ms: f64) -> String {
    let path = path_of(url);
    if let Some(rest) = path.strip_prefix("/forward") {
        return forward(rest);
    }
    match path.split('?').next().unwrap_or_default() {
        "/panic/decide" => trap(),
        "/decided" => answer(
            200,
            &json!({ "method": method, "url": url, "headers": headers, "now_ms": now_ms }).to_string(),
        ),
        _ => String::new(),
    }
}

/// Carries out a request that needs I/O: a `Response` as it is, or text in the form that [`decide`] gives.
///
/// # Errors
/// Whatever the platform throws.
#[wasm_bindgen]
pub async fn handle(
    request: web_sys::Request,
    env: JsValue,
    _ctx: JsValue,
    _headers: String,
    _now_ms: f64,
) -> Result<JsValue, JsValue> {
    let url = request.url();
    let path = path_of(&url);
    if let Some(rest) = path.strip_prefix("/object/") {
        return call(&env, "LEDGER", rest, request).await;
    }
    match path.split('?').next().unwrap_or_default() {
        "/panic/handle" => {
            JsFuture::from(js_sys::Promise::resolve(&JsValue::NULL)).await?;
            trap()
        }
        "/slow" => call(&env, "DEMO", "slow", request).await,
        "/forward-later" => Ok(forward("/seen").into()),
        _ => Ok(answer(404, "no such path").into()),
    }
}

/// One request to a Durable Object of class `kind`.
///
/// # Errors
/// Whatever the platform throws.
#[wasm_bindgen]
pub async fn object(
    kind: String,
    ctx: JsValue,
    _env: JsValue,
    request: web_sys::Request,
) -> Result<web_sys::Response, JsValue> {
    JsFuture::from(js_sys::Promise::resolve(&JsValue::NULL)).await?;
    let url = request.url();
    if path_of(&url).starts_with("/panic") {
        trap();
    }
    let storage = js_sys::Reflect::get(&ctx, &"storage".into())?;
    if path_of(&url).starts_with("/alarm") {
        let set: Function = js_sys::Reflect::get(&storage, &"setAlarm".into())?.dyn_into()?;
        let set: js_sys::Promise = set.call1(&storage, &JsValue::from_f64(1.0))?.dyn_into()?;
        JsFuture::from(set).await?;
    }
    web_sys::Response::new_with_opt_str(Some(&kind))
}

/// The alarm of a Durable Object of class `kind`.
///
/// # Errors
/// Whatever the platform throws.
#[wasm_bindgen]
pub async fn alarm(_kind: String, ctx: JsValue, _env: JsValue) -> Result<(), JsValue> {
    js_sys::Reflect::get(&ctx, &"storage".into())?;
    Ok(())
}

fn path_of(url: &str) -> &str {
    url.splitn(4, '/')
        .nth(3)
        .map_or("/", |rest| url.get(url.len().saturating_sub(rest.len().saturating_add(1))..).unwrap_or("/"))
}

fn answer(status: u16, body: &str) -> String {
    json!({ "answer": { "status": status, "headers": [["content-type", "text/plain"]], "body": body } })
        .to_string()
}

fn forward(path: &str) -> String {
    let url = format!("https://demo.invalid{path}");
    let set: Value = json!([["claviger-subject", "test"]]);
    json!({ "forward": { "binding": "DEMO", "url": url, "remove": ["authorization"], "set": set } })
        .to_string()
}

/// Stops the instance, as a failed allocation or a bug would.
#[allow(clippy::panic, reason = "what this stand-in is for")]
fn trap() -> ! {
    panic!("asked to");
}

async fn call(
    env: &JsValue,
    binding: &str,
    path: &str,
    request: web_sys::Request,
) -> Result<JsValue, JsValue> {
    let binding_of = js_sys::Reflect::get(env, &binding.into())?;
    let mut stub = binding_of.clone();
    if binding == "LEDGER" {
        let by_name: Function = js_sys::Reflect::get(&binding_of, &"getByName".into())?.dyn_into()?;
        stub = by_name.call1(&binding_of, &"one".into())?;
    }
    let fetch: Function = js_sys::Reflect::get(&stub, &"fetch".into())?.dyn_into()?;
    let url = format!("https://object.invalid/{path}");
    let answer: js_sys::Promise = fetch.call2(&stub, &url.into(), &request)?.dyn_into()?;
    JsFuture::from(answer).await
}
