//! What the four kinds of Durable Objects have in common, so that the Worker's adapter is written
//! once.
//!
//! # Contract with the adapter
//! 1. **A request**: [`answer`], then, *in the same turn, without an await in between*, set the
//!    alarm to [`Object::next_due`], unless it is known to ring before that and after now. The
//!    platform commits writes and alarm of one turn together; where it does not, the next request
//!    or start makes up for it.
//! 2. **An alarm**: first re-arm to [`RE_ARM_MS`] from now; then, while [`Object::next_effect`]
//!    gives one, but at most [`EFFECTS_PER_RING_MAX`] times, carry it out for at most
//!    [`EFFECT_TIMEOUT_MS`](crate::objects::tasks::EFFECT_TIMEOUT_MS) and [`Object::settle`] it,
//!    unless it took longer: it may still be under way then. At last set the alarm to
//!    [`Object::next_due`], which is in the past when work is left, and log [`Object::alert`] if
//!    there is one. Errors are logged and end the run; the alarm that was re-armed follows.
//! 3. After an alarm, when [`Object::is_spent`], the adapter may delete the whole storage in the
//!    same turn.
//!
//! A crash between any two steps is safe: what is owed is a row that was committed with its cause
//! and that only success removes; effects are therefore carried out at least once, and all of them
//! may be repeated.

use claviger_core::base::time::{DurationMs, UnixMs};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::objects::sql::{Sql, SqlError, Statement, is_initialised};
use crate::objects::tasks;
use crate::objects::tasks::Duty;
use crate::protocol::effect::{Effect, Outcome};
use crate::protocol::ledger::LedgerReply;

/// How far ahead an alarm re-arms itself before it works, in milliseconds: as long as a taken duty
/// is left alone.
pub const RE_ARM_MS: u64 = tasks::IN_FLIGHT_MS;

/// Most effects of one alarm. The platform's free plan allows 50 calls to the outside in one run;
/// what is left is for the next alarm, which rings at once.
pub const EFFECTS_PER_RING_MAX: u32 = 40;

/// Fresh random bytes of one request, drawn by the adapter. Every object uses each byte for one
/// thing at most.
#[derive(Clone, Copy)]
pub struct Entropy(pub [u8; 32]);

impl Entropy {
    /// Eight of the bytes as a number.
    pub fn number(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// The last sixteen bytes, apart from those of [`Self::number`].
    pub fn salt(&self) -> [u8; 16] {
        let (_, salt) = self.0.split_last_chunk::<16>().unwrap_or((&[], &[0; 16]));
        *salt
    }
}

impl core::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Entropy(…)")
    }
}

/// What kept an object from answering. Nothing was written, unless the database's reply was lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// The database.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The password hash, which fails only for lack of memory.
    #[error("the password could not be hashed")]
    Hash,
    /// A reply that is no JSON; every reply is.
    #[error("the reply could not be written as JSON")]
    Reply,
}

/// What becomes of a duty that is due.
#[derive(Debug)]
pub enum Step {
    /// Something is to be done outside.
    Effect(Effect),
    /// The same, and the object notes that it begins.
    Tracked {
        /// What is to be done.
        effect: Effect,
        /// What is written in the same run that takes the duty.
        writes: Vec<Statement>,
    },
    /// It was a chore of the object's own.
    Chore {
        /// What it writes.
        writes: Vec<Statement>,
        /// When it comes again; `None` when it is done with.
        again: Option<UnixMs>,
    },
}

impl Step {
    /// A duty whose cause is gone.
    pub const fn moot() -> Self {
        Self::Chore { writes: Vec::new(), again: None }
    }
}

/// One Durable Object over its database.
pub trait Object {
    /// What it is asked.
    type Request: DeserializeOwned;
    /// What it answers.
    type Reply: Serialize;

    /// The answer to a request that this code is too old to read.
    const NOT_UNDERSTOOD: Self::Reply;

    /// Its database.
    fn sql(&self) -> &dyn Sql;

    /// Answers a request. Reads, decides, writes in one run; there is nothing to await.
    ///
    /// # Errors
    /// [`ObjectError`]; nothing was written.
    fn handle(
        &self,
        request: Self::Request,
        now: UnixMs,
        entropy: &Entropy,
    ) -> Result<Self::Reply, ObjectError>;

    /// Turns a duty that is due into an effect or a chore.
    ///
    /// # Errors
    /// [`ObjectError`].
    fn step(&self, duty: &Duty, now: UnixMs) -> Result<Step, ObjectError>;

    /// What is to be written when `effect` succeeded; `held` is the answer, if it asked something.
    /// It must cross the duty out or postpone it.
    ///
    /// # Errors
    /// [`ObjectError`].
    fn settled(
        &self,
        effect: &Effect,
        held: Option<bool>,
        now: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError>;

    /// What is to be written when `effect` failed, or nobody knows how it went. By default the duty
    /// is put off.
    ///
    /// # Errors
    /// [`ObjectError`].
    fn failed(&self, effect: &Effect, now: UnixMs) -> Result<Vec<Statement>, ObjectError> {
        Ok(vec![Duty::of(effect).failed(self.sql(), now)?])
    }

    /// What is to be written when `effect` was refused for good. By default it counts as a failure.
    ///
    /// # Errors
    /// [`ObjectError`].
    fn refused(&self, effect: &Effect, now: UnixMs) -> Result<Vec<Statement>, ObjectError> {
        self.failed(effect, now)
    }

    /// What is to be written when `effect` has read something, which `outcome` holds. By default
    /// nothing was to be read, and so it counts as a failure.
    ///
    /// # Errors
    /// [`ObjectError`].
    fn learned(
        &self,
        effect: &Effect,
        outcome: &Outcome,
        now: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError> {
        let _ = outcome;
        self.failed(effect, now)
    }

    /// What whoever runs this should know about now: a line for the log, without any value that is
    /// secret.
    ///
    /// # Errors
    /// [`ObjectError`].
    fn alert(&self, now: UnixMs) -> Result<Option<String>, ObjectError> {
        let _ = now;
        Ok(None)
    }

    /// Whether nothing is left that is worth a database.
    ///
    /// # Errors
    /// [`ObjectError`].
    fn is_spent(&self) -> Result<bool, ObjectError> {
        Ok(false)
    }

    /// When what is in memory alone is to be written; `None`: nothing is. It is a duty without a
    /// row: both go with the memory.
    fn memory_due(&self) -> Option<UnixMs> {
        None
    }

    /// Writes what is in memory alone.
    ///
    /// # Errors
    /// [`ObjectError`]; it is lost then.
    fn write_memory(&self, now: UnixMs) -> Result<(), ObjectError> {
        let _ = now;
        Ok(())
    }

    /// When the alarm must ring; `None` when nothing is owed.
    ///
    /// # Errors
    /// [`ObjectError`].
    fn next_due(&self) -> Result<Option<UnixMs>, ObjectError> {
        let stored = if is_initialised(self.sql())? { tasks::earliest(self.sql())? } else { None };
        Ok([stored, self.memory_due()].into_iter().flatten().min())
    }

    /// Does the object's own chores that are due, and takes the first effect that is. Until it is
    /// settled, or for [`tasks::IN_FLIGHT_MS`], nobody else gets it.
    ///
    /// # Errors
    /// [`ObjectError`].
    fn next_effect(&self, now: UnixMs) -> Result<Option<Effect>, ObjectError> {
        if !is_initialised(self.sql())? {
            return Ok(None);
        }
        if self.memory_due().is_some_and(|at| at <= now) {
            self.write_memory(now)?;
        }
        // Every turn of the loop moves or removes the duty it has found.
        while let Some(duty) = tasks::first(self.sql(), now)? {
            let step = match self.step(&duty, now) {
                Ok(step) => step,
                Err(error) => {
                    // Put off, so that one bad row neither keeps the others waiting nor rings the
                    // alarm for ever.
                    self.sql().apply(&[duty.stuck(self.sql(), now)?])?;
                    return Err(error);
                }
            };
            match step {
                Step::Effect(effect) => {
                    self.sql().apply(&[duty.taken(now)])?;
                    return Ok(Some(effect));
                }
                Step::Tracked { effect, mut writes } => {
                    writes.push(duty.taken(now));
                    self.sql().apply(&writes)?;
                    return Ok(Some(effect));
                }
                Step::Chore { mut writes, again } => {
                    let soonest = now.saturating_add(DurationMs::from_ms(tasks::PAUSE_MIN_MS));
                    writes.push(
                        again.map_or_else(|| duty.done(), |at| duty.postpone(at.max(soonest))),
                    );
                    self.sql().apply(&writes)?;
                }
            }
        }
        Ok(None)
    }

    /// Notes how an effect went. Telling it twice, or late, does no harm.
    ///
    /// # Errors
    /// [`ObjectError`]; then the effect comes due again by itself.
    fn settle(&self, effect: &Effect, outcome: &Outcome, now: UnixMs) -> Result<(), ObjectError> {
        let writes = match outcome {
            Outcome::Failed => self.failed(effect, now)?,
            Outcome::Refused => self.refused(effect, now)?,
            Outcome::Read { .. } | Outcome::ReadMany { .. } | Outcome::Listed { .. } => {
                self.learned(effect, outcome, now)?
            }
            Outcome::Done => self.settled(effect, None, now)?,
            Outcome::Answered { held } => self.settled(effect, Some(*held), now)?,
        };
        if writes.is_empty() {
            return Ok(());
        }
        Ok(self.sql().apply(&writes)?)
    }
}

/// Answers a request in JSON with a reply in JSON.
///
/// # Errors
/// [`ObjectError`].
pub fn answer<O: Object>(
    object: &O,
    request: &str,
    now: UnixMs,
    entropy: &Entropy,
) -> Result<String, ObjectError> {
    let reply = match serde_json::from_str::<O::Request>(request) {
        Ok(request) => object.handle(request, now, entropy)?,
        Err(_) => O::NOT_UNDERSTOOD,
    };
    serde_json::to_string(&reply).map_err(|_| ObjectError::Reply)
}

/// How asking a ledger ([`Effect::AskHolds`], [`Effect::AskExists`]) went, from its reply: an
/// account that was never opened holds nothing; any other reply is no answer.
pub fn outcome_of(reply: &LedgerReply) -> Outcome {
    match reply {
        LedgerReply::Gone => Outcome::Answered { held: false },
        LedgerReply::Holds { held } => Outcome::Answered { held: *held },
        _ => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_salt_share_no_byte() {
        let entropy = Entropy(core::array::from_fn(|place| place as u8));
        assert_eq!(entropy.number(), 0x0001_0203_0405_0607);
        assert_eq!(entropy.salt(), core::array::from_fn(|place| place as u8 + 16));
        assert_eq!(format!("{entropy:?}"), "Entropy(…)");
    }

    #[test]
    fn only_an_answer_counts_as_one() {
        assert_eq!(outcome_of(&LedgerReply::Gone), Outcome::Answered { held: false });
        assert_eq!(
            outcome_of(&LedgerReply::Holds { held: true }),
            Outcome::Answered { held: true }
        );
        assert_eq!(outcome_of(&LedgerReply::Done), Outcome::Failed);
    }
}
