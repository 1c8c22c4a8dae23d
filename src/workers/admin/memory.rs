//! What a Durable Object keeps in memory from one call to the next. All of it may be lost at any
//! time: the database says everything else.
//!
//! The memories of all objects of an isolate are here, in the wasm instance, and go with it when it
//! traps. The entry script knows each object's by a number that it gives to every object it makes
//! and never again, so that an object that is made anew finds nothing of the one before.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use claviger_control::ledger::usage::pending::Fold;
use claviger_core::base::time::{DurationMs, UnixMs};

/// After how long without a call a memory is dropped: its object is gone, or has nothing in it. The
/// alarm that writes uses rings within a minute.
const IDLE_MAX: DurationMs = DurationMs::from_s(600);

thread_local! {
    static MEMORIES: RefCell<BTreeMap<u32, Rc<Memory>>> = const { RefCell::new(BTreeMap::new()) };
}

/// One object's.
pub struct Memory {
    /// A ledger's uses that are not written yet.
    pub uses: Rc<RefCell<Fold>>,
    /// When the alarm rings, as far as this object has set it itself.
    pub rings_at: Cell<Option<UnixMs>>,
    called_at: Cell<UnixMs>,
}

/// The memory of the object with the number `life`.
pub fn of(life: u32, now: UnixMs) -> Rc<Memory> {
    MEMORIES.with_borrow_mut(|memories| {
        if !memories.contains_key(&life) {
            let oldest = now.saturating_sub(IDLE_MAX);
            memories.retain(|_, memory| memory.called_at.get() >= oldest);
        }
        let none =
            || Memory { uses: Rc::default(), rings_at: Cell::new(None), called_at: Cell::new(now) };
        let memory = memories.entry(life).or_insert_with(|| Rc::new(none()));
        memory.called_at.set(now);
        Rc::clone(memory)
    })
}
