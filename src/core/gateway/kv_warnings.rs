//! Limits how often an isolate logs that a value in KV is not authentic.

use crate::base::time::{DurationMs, UnixMs};

/// Shortest time between two warnings of an isolate about KV, so that an attacker who writes KV
/// cannot fill the log.
const WARNING_PAUSE: DurationMs = DurationMs::from_s(60);

/// Warnings about values in KV, at most one in a [`WARNING_PAUSE`].
#[derive(Debug, Default)]
pub(super) struct KvWarnings {
    warned_at: Option<UnixMs>,
    line: Option<String>,
}

impl KvWarnings {
    /// Notes a fault of the value that KV holds under `key`.
    pub(super) fn note(&mut self, key: &str, fault: &str, now: UnixMs) {
        let pauses = |at: UnixMs| now.since(at).is_some_and(|age| age < WARNING_PAUSE);
        if !self.warned_at.is_some_and(pauses) {
            self.warned_at = Some(now);
            self.line = Some(format!("KV: the value of {key} {fault}; the ledger decides instead"));
        }
    }

    /// Takes the line for the log, if there is one.
    pub(super) fn take(&mut self) -> Option<String> {
        self.line.take()
    }
}
