//! The interface between an exchange and the platform adapter.

use core::cell::RefCell;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use std::rc::Rc;

use crate::base::http::response::Outcome;
use crate::base::id::AccountId;
use crate::base::secret::SecretText;
use crate::base::time::UnixMs;
use crate::gateway::gateway::Gateway;

/// An operation to carry out before the exchange resumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Read a key of KV; the result is [`Got::Text`].
    ReadKv {
        /// KV key to read.
        key: String,
        /// Longest time that the platform's cache may have held the value, in seconds; `None` for
        /// the platform's default.
        cache_ttl_s: Option<u32>,
    },
    /// Read at most 100 keys of KV at once; the result is [`Got::Texts`] in their order.
    ReadKvMany {
        /// KV keys to read, at most 100.
        keys: Vec<String>,
    },
    /// Send a request to a ledger; the result is [`Got::Text`] with the body of a response of
    /// status 200.
    CallLedger {
        /// Name of the object instance.
        instance: String,
        /// Request body, JSON.
        body: String,
        /// Timeout of the operation, ms.
        within_ms: u64,
        /// `true` if no request waits for it; a failure is not logged.
        is_background: bool,
    },
    /// Read from the data centre's cache; the result is [`Got::Text`].
    ReadCache {
        /// URL that serves as the cache key.
        url: String,
        /// Timeout of the operation, ms.
        within_ms: u64,
    },
    /// Write to the data centre's cache. The result is [`Got::Nothing`] at once; the write may
    /// continue after the request.
    WriteCache {
        /// URL that serves as the cache key.
        url: String,
        /// Text to store.
        text: String,
        /// Lifetime of the entry, in seconds.
        max_age_s: u64,
    },
    /// Ask the admin Worker whether both Workers fit; the result is [`Got::Fit`].
    CallAdmin {
        /// Timeout of the operation, ms.
        within_ms: u64,
    },
    /// Ask the admin Worker about a secret of an API user, at
    /// [`PATH`](crate::replication::secret_check::PATH); the result is [`Got::Text`] with the body
    /// of a response of status 200.
    CheckSecret {
        /// Request body, JSON.
        body: SecretText,
        /// Timeout of the operation, ms.
        within_ms: u64,
    },
    /// Write a warning to the log; the operation has no result.
    Warn {
        /// Line to log, without any text of a caller.
        line: String,
    },
    /// Read the next bytes of the request's body; the result is [`Got::Bytes`].
    ReadBody {
        /// Timeout of the operation, ms.
        within_ms: u64,
    },
}

/// The result of an [`Operation`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Got {
    /// The operation has no result, or failed.
    #[default]
    Nothing,
    /// One text, as read or received.
    Text(String),
    /// Texts in the order in which the operation lists them; `None` for each that is absent.
    Texts(Vec<Option<String>>),
    /// Bytes of the body; `None` at its end.
    Bytes(Option<Vec<u8>>),
    /// `true` if both Workers fit.
    Fit(bool),
    /// The operation timed out.
    TooLate,
}

/// A gateway that exchanges share. Each borrow lasts for one synchronous call, never across an
/// operation.
pub type SharedGateway = Rc<RefCell<Gateway>>;

/// An outcome, and an account whose lease to refresh in the background.
pub type Finished = (Outcome, Option<AccountId>);

/// A part of an exchange. It is boxed, so that its code is a separate function: code that several
/// parts share exists once, and V8 compiles code that only some requests need when one needs it.
pub(super) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The exchange's interface to the platform adapter.
#[derive(Clone, Default)]
pub struct Platform(Rc<RefCell<Slot>>);

struct Slot {
    requested: Option<Operation>,
    got: Option<Got>,
    now: UnixMs,
}

impl Default for Slot {
    fn default() -> Self {
        Self { requested: None, got: None, now: UnixMs::from_ms(0) }
    }
}

impl Platform {
    /// Sets the result of the last operation, and the time.
    pub fn answer(&self, got: Got, now: UnixMs) {
        let mut slot = self.0.borrow_mut();
        (slot.got, slot.now) = (Some(got), now);
    }

    /// Takes the operation that was requested last.
    pub fn take_asked(&self) -> Option<Operation> {
        self.0.borrow_mut().requested.take()
    }

    /// Returns the time of the last resume, Unix ms.
    pub fn now(&self) -> UnixMs {
        self.0.borrow().now
    }

    /// Requests an operation, and waits for its result.
    pub async fn ask(&self, operation: Operation) -> Got {
        {
            let mut slot = self.0.borrow_mut();
            (slot.requested, slot.got) = (Some(operation), None);
        }
        poll_fn(|_| match self.0.borrow_mut().got.take() {
            Some(got) => Poll::Ready(got),
            None => Poll::Pending,
        })
        .await
    }

    /// Requests an operation, and returns its text, if it has one.
    pub async fn ask_text(&self, operation: Operation) -> Option<String> {
        match self.ask(operation).await {
            Got::Text(text) => Some(text),
            Got::Nothing | Got::Texts(_) | Got::Bytes(_) | Got::Fit(_) | Got::TooLate => None,
        }
    }
}
