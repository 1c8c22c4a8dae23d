//! Runs exchanges whose operations a test carries out.

use super::*;

/// Returns the request of a call of a ledger.
pub fn ledger_request(operation: &Operation) -> Option<EdgeRequest> {
    match operation {
        Operation::CallLedger { body, .. } => Some(serde_json::from_str(body).unwrap()),
        _ => None,
    }
}

/// The operations and the outcome of an exchange.
pub struct Driven {
    pub operations: Vec<Operation>,
    pub outcome: Outcome,
    pub renew: Option<AccountId>,
    pub timer: Option<AccountId>,
}

/// Most operations of an exchange in these tests: a body that arrives in small pieces.
const STEPS_MAX: usize = 5_000;

/// Runs an exchange that starts at `start`. `platform` returns each operation's result, and its
/// duration in milliseconds.
pub fn drive(
    mut exchange: Exchange,
    start: i64,
    mut platform: impl FnMut(&Operation) -> (Got, i64),
) -> Driven {
    let (mut got, mut now, mut operations) = (Got::Nothing, start, Vec::new());
    for _ in 0..STEPS_MAX {
        match exchange.resume(got, at(now)) {
            ExchangeStep::Done { outcome, renew, timer } => {
                return Driven { operations, outcome, renew, timer };
            }
            ExchangeStep::Ask(operation) => {
                let (came, after) = platform(&operation);
                operations.push(operation);
                (got, now) = (came, now + after);
            }
        }
    }
    panic!("it does not end: {:?}", operations.last());
}

impl Driven {
    /// Returns the names of the operations, without those of the data centre's cache. The cache is
    /// empty here, and each refresh writes it.
    pub fn names(&self) -> Vec<&'static str> {
        let name = |operation: &Operation| match operation {
            Operation::ReadKv { .. } => Some("kv"),
            Operation::ReadKvMany { .. } => Some("kv many"),
            Operation::CallLedger { .. } => Some("ledger"),
            Operation::CallAdmin { .. } => Some("admin"),
            Operation::CheckSecret { .. } => Some("secret"),
            Operation::ReadBody { .. } => Some("body"),
            Operation::ReadCache { .. } | Operation::WriteCache { .. } | Operation::Warn { .. } => {
                None
            }
        };
        self.operations.iter().filter_map(name).collect()
    }

    /// Returns the requests to ledgers.
    pub fn ledger(&self) -> Vec<EdgeRequest> {
        self.operations.iter().filter_map(ledger_request).collect()
    }

    /// Returns status and body of the response; (0, "") for a forward.
    pub fn answer(&self) -> (u16, &str) {
        match &self.outcome {
            Outcome::Answer(answer) => (answer.status, &answer.body),
            Outcome::Forward(_) => (0, ""),
            Outcome::Admin(_) => panic!("the admin Worker's"),
        }
    }

    /// Returns status and code of the response, from a problem document or a line of text; (0, "")
    /// for a forward.
    pub fn code(&self) -> (u16, String) {
        let (status, body) = self.answer();
        let code = match serde_json::from_str::<Value>(body) {
            Ok(document) => document["code"].as_str().unwrap_or_default().to_owned(),
            Err(_) => body.split(": ").next().unwrap_or_default().to_owned(),
        };
        (status, code)
    }
}
