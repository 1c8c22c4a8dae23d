//! Ceremonies of passkeys: the challenges that this deployment draws, and what it expects of their
//! answers.

use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::view;
use claviger_control::protocol::passkey::ceremony::Ceremony;
use claviger_control::protocol::passkey::{CeremonyDesk, PasskeyView};
use claviger_workers::rng;
use serde_json::Value;

use crate::clock::now;
use crate::context::RequestContext;

/// Returns the expectations of an answer now. They come from this deployment's settings alone.
pub fn desk<'a>(context: &'a RequestContext<'_>, ceremony: Ceremony) -> CeremonyDesk<'a> {
    let AdminConfig { prefix, master, console_origin, console_host, .. } = &*context.config;
    CeremonyDesk {
        ceremony,
        origin: console_origin,
        relying_party: console_host,
        prefix,
        master,
        now: now(),
    }
}

/// Draws a challenge, and returns the options of the prompt that uses one of these passkeys.
pub fn options(
    context: &RequestContext<'_>,
    ceremony: Ceremony,
    passkeys: &[PasskeyView],
) -> Value {
    view::request_options(draw(context, ceremony), &context.config.console_host, passkeys)
}

/// Draws a challenge.
pub fn draw(context: &RequestContext<'_>, ceremony: Ceremony) -> String {
    let AdminConfig { prefix, master, .. } = &*context.config;
    ceremony.draw(now(), prefix, master, &mut rng())
}
