//! Data that a Durable Object keeps in memory between calls. All of it may be lost at any time;
//! everything else is in the database.
//!
//! The memories of all objects of an isolate live here, in the wasm instance, and end with it after
//! a trap. The entry script gives every object that it creates a new number. So an object that was
//! created again finds no memory of its predecessor.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use claviger_control::ledger::token_rates::TokenRates;
use claviger_control::ledger::usage::pending::PendingCounts;
use claviger_control::objects::api_name::RememberedSecrets;
use claviger_core::base::time::{DurationMs, UnixMs};

/// Time without a call after which a memory is dropped: its object is gone, or has nothing pending.
/// The alarm that writes usage rings within a minute.
const IDLE_MAX: DurationMs = DurationMs::from_s(600);

thread_local! {
    static MEMORIES: RefCell<BTreeMap<u32, Rc<Memory>>> = const { RefCell::new(BTreeMap::new()) };
}

/// The memory of one object.
pub struct Memory {
    /// Pending usage counts of a ledger.
    pub uses: Rc<RefCell<PendingCounts>>,
    /// Right secrets that the name object of an API user has found.
    pub remembered: Rc<RefCell<RememberedSecrets>>,
    /// Rate limits of the programs that call a ledger.
    pub rates: Rc<RefCell<TokenRates>>,
    /// Time of the alarm, Unix ms, if this object has set it itself.
    pub rings_at: Cell<Option<UnixMs>>,
    called_at: Cell<UnixMs>,
}

/// Returns the memory of the object with the number `life`.
pub fn of(life: u32, now: UnixMs) -> Rc<Memory> {
    MEMORIES.with_borrow_mut(|memories| {
        if !memories.contains_key(&life) {
            let oldest = now.saturating_sub(IDLE_MAX);
            memories.retain(|_, memory| memory.called_at.get() >= oldest);
        }
        let none = || Memory {
            uses: Rc::default(),
            remembered: Rc::default(),
            rates: Rc::default(),
            rings_at: Cell::new(None),
            called_at: Cell::new(now),
        };
        let memory = memories.entry(life).or_insert_with(|| Rc::new(none()));
        memory.called_at.set(now);
        Rc::clone(memory)
    })
}
