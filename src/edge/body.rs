//! Reads the opening of a body that may hold a credential. The rest of it never enters wasm: `body.js` sends it on.

use core::pin::pin;
use core::time::Duration;

use futures_util::future::{Either, select};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::opening::{Fields, OPENING_TIME, Opening};
use crate::problem::Problem;

#[wasm_bindgen]
extern "C" {
    /// The class in `body.js`.
    pub type Body;

    /// The next bytes, or `undefined` at the end.
    #[wasm_bindgen(method, catch)]
    async fn more(this: &Body) -> Result<JsValue, JsValue>;
}

/// Reads an opening, within its time.
pub async fn read(opening: Opening, body: &Body) -> Result<Fields, Problem> {
    let limit = worker::Delay::from(Duration::from_millis(OPENING_TIME.as_ms()));
    match select(pin!(read_all(opening, body)), limit).await {
        Either::Left((fields, _)) => fields,
        Either::Right(_) => Err(Problem::BodyTooSlow),
    }
}

async fn read_all(mut opening: Opening, body: &Body) -> Result<Fields, Problem> {
    while !opening.is_read() {
        let chunk = body.more().await;
        let chunk = chunk.map_err(|_| Problem::MalformedBody { detail: "the body ended early".into() })?;
        if chunk.is_undefined() {
            opening.end();
        } else {
            opening.take(&Uint8Array::new(&chunk).to_vec());
        }
    }
    Ok(opening.into_fields())
}
