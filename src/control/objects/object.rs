//! The behaviour that the five kinds of Durable Objects share, so that the Worker's adapter is
//! written once.
//!
//! # Contract with the adapter
//! 1. **A request**: call [`answer`]. Then, *in the same turn, without an await in between*, set
//!    the alarm to [`DurableObject::next_due`]. Skip this only if the alarm is already set for an
//!    earlier time in the future. The platform commits writes and alarm of one turn together. Where
//!    it does not, the next request or start sets the alarm.
//! 2. **An alarm**: first re-arm it to [`RE_ARM_MS`] from now. Then execute up to
//!    [`EFFECTS_PER_RING_MAX`] effects of [`DurableObject::next_effect`], each for at most
//!    [`EFFECT_TIMEOUT_MS`](crate::objects::tasks::EFFECT_TIMEOUT_MS). Pass each outcome to
//!    [`DurableObject::settle`], except after a timeout: the effect may still be in flight. Last,
//!    set the alarm to [`DurableObject::next_due`] (in the past if work is left), and log
//!    [`DurableObject::alert`]. An error is logged and ends the run; the re-armed alarm follows.
//! 3. After an alarm, if [`DurableObject::is_spent`], the adapter may delete the whole storage in
//!    the same turn.
//!
//! A crash between any two steps is safe. Each task is a row that was committed with its cause, and
//! only success removes it. So effects run at least once, and each of them may be repeated.

use claviger_core::base::time::{DurationMs, UnixMs};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::objects::sql::migrate::is_initialised;
use crate::objects::sql::{Sql, SqlError, Statement};
use crate::objects::tasks;
use crate::objects::tasks::Task;
use crate::protocol::effect::{Effect, EffectOutcome};
use crate::protocol::ledger::LedgerReply;
use crate::protocol::refusal::Refusal;

/// Delay to which an alarm re-arms itself before it works, in milliseconds: the time for which a
/// taken task is reserved.
pub const RE_ARM_MS: u64 = tasks::IN_FLIGHT_MS;

/// Most effects of one alarm. The platform's free plan allows 50 subrequests per run; the rest
/// waits for the next alarm, which rings at once.
pub const EFFECTS_PER_RING_MAX: u32 = 40;

/// Fresh random bytes for one request, drawn by the adapter. An object uses each byte for at most
/// one purpose.
#[derive(Clone, Copy)]
pub struct Entropy(pub [u8; 32]);

impl Entropy {
    /// Returns the first eight bytes as a number.
    pub fn number(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// Returns the last sixteen bytes, which [`Self::number`] does not use.
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

/// The reason for which an object could not answer. The database wrote nothing, or it wrote
/// everything and its reply was lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// The database failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The password hash failed, which happens only for lack of memory.
    #[error("the password could not be hashed")]
    Hash,
    /// The reply could not be serialised, which no reply can cause.
    #[error("the reply could not be written as JSON")]
    Reply,
}

/// The way in which a due task continues.
#[derive(Debug)]
pub enum TaskStep {
    /// The adapter must execute an effect.
    Effect(Effect),
    /// The adapter must execute an effect, and the object records its start.
    Tracked {
        /// The effect to execute.
        effect: Effect,
        /// Writes in the same transaction that takes the task.
        writes: Vec<Statement>,
    },
    /// The object completed the task itself, or reached its next part, without an effect.
    Chore {
        /// Writes of this part.
        writes: Vec<Statement>,
        /// Time of the next part, Unix ms; `None` if the task is done.
        again: Option<UnixMs>,
    },
}

impl TaskStep {
    /// Returns the step that removes a task whose cause no longer exists.
    pub const fn moot() -> Self {
        Self::Chore { writes: Vec::new(), again: None }
    }
}

/// One Durable Object over its database.
pub trait DurableObject {
    /// The enum of requests, as JSON.
    type Request: DeserializeOwned;
    /// The enum of replies, as JSON.
    type Reply: Serialize;

    /// The reply to a request that this release cannot parse.
    const NOT_UNDERSTOOD: Self::Reply;

    /// Returns the object's database.
    fn sql(&self) -> &dyn Sql;

    /// Answers a request. Reads, decides and writes in one run, without an await.
    ///
    /// # Errors
    /// [`ObjectError`]; nothing was written.
    fn handle(
        &self,
        request: Self::Request,
        now: UnixMs,
        entropy: &Entropy,
    ) -> Result<Self::Reply, ObjectError>;

    /// Turns a due task into an effect or a chore.
    ///
    /// # Errors
    /// [`ObjectError`] if the database fails.
    fn step(&self, task: &Task, now: UnixMs) -> Result<TaskStep, ObjectError>;

    /// Returns the writes after `effect` succeeded; `held` is the answer if the effect asked a
    /// question. They must remove the task or postpone it.
    ///
    /// # Errors
    /// [`ObjectError`] if the database fails.
    fn settled(
        &self,
        effect: &Effect,
        held: Option<bool>,
        now: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError>;

    /// Returns the writes after `effect` failed or had an unknown outcome. The default retries the
    /// task later, with backoff.
    ///
    /// # Errors
    /// [`ObjectError`] if the database fails.
    fn failed(&self, effect: &Effect, now: UnixMs) -> Result<Vec<Statement>, ObjectError> {
        Ok(vec![Task::of(effect).failed(self.sql(), now)?])
    }

    /// Returns the writes after `effect` was refused permanently. The default treats that as a
    /// failure.
    ///
    /// # Errors
    /// [`ObjectError`] if the database fails.
    fn refused(&self, effect: &Effect, now: UnixMs) -> Result<Vec<Statement>, ObjectError> {
        self.failed(effect, now)
    }

    /// Returns the writes after `effect` read something; `outcome` holds the result. The default
    /// treats it as a failure, for objects whose effects read nothing.
    ///
    /// # Errors
    /// [`ObjectError`] if the database fails.
    fn learned(
        &self,
        effect: &Effect,
        outcome: &EffectOutcome,
        now: UnixMs,
    ) -> Result<Vec<Statement>, ObjectError> {
        let _ = outcome;
        self.failed(effect, now)
    }

    /// Returns a log line if the operator must act now. The line contains no secret.
    ///
    /// # Errors
    /// [`ObjectError`] if the database fails.
    fn alert(&self, now: UnixMs) -> Result<Option<String>, ObjectError> {
        let _ = now;
        Ok(None)
    }

    /// Returns `true` if the object holds no data worth keeping.
    ///
    /// # Errors
    /// [`ObjectError`] if the database fails.
    fn is_spent(&self) -> Result<bool, ObjectError> {
        Ok(false)
    }

    /// Returns the time to write data held only in memory, Unix ms; `None` if there is none. It
    /// needs no task row: an eviction loses the time and the data together.
    fn memory_due(&self) -> Option<UnixMs> {
        None
    }

    /// Writes the data held only in memory.
    ///
    /// # Errors
    /// [`ObjectError`]; the data is lost then.
    fn write_memory(&self, now: UnixMs) -> Result<(), ObjectError> {
        let _ = now;
        Ok(())
    }

    /// Returns the time for the alarm, Unix ms; `None` if no task is left.
    ///
    /// # Errors
    /// [`ObjectError`] if the database fails.
    fn next_due(&self) -> Result<Option<UnixMs>, ObjectError> {
        let stored = if is_initialised(self.sql())? { tasks::earliest(self.sql())? } else { None };
        Ok([stored, self.memory_due()].into_iter().flatten().min())
    }

    /// Runs all due chores and takes the first due effect. No other caller gets that effect until
    /// it is settled or [`tasks::IN_FLIGHT_MS`] have passed.
    ///
    /// # Errors
    /// [`ObjectError`] if the database fails.
    fn next_effect(&self, now: UnixMs) -> Result<Option<Effect>, ObjectError> {
        if !is_initialised(self.sql())? {
            return Ok(None);
        }
        if self.memory_due().is_some_and(|at| at <= now) {
            self.write_memory(now)?;
        }
        // The loop ends: each turn postpones or removes the task that it found.
        while let Some(task) = tasks::first(self.sql(), now)? {
            let step = match self.step(&task, now) {
                Ok(step) => step,
                Err(error) => {
                    // Postponed, so that one bad row neither blocks other tasks nor keeps the alarm
                    // ringing.
                    self.sql().apply(&[task.stuck(self.sql(), now)?])?;
                    return Err(error);
                }
            };
            match step {
                TaskStep::Effect(effect) => {
                    self.sql().apply(&[task.taken(now)])?;
                    return Ok(Some(effect));
                }
                TaskStep::Tracked { effect, mut writes } => {
                    writes.push(task.taken(now));
                    self.sql().apply(&writes)?;
                    return Ok(Some(effect));
                }
                TaskStep::Chore { mut writes, again } => {
                    let soonest = now.saturating_add(DurationMs::from_ms(tasks::PAUSE_MIN_MS));
                    writes.push(
                        again.map_or_else(|| task.done(), |at| task.postpone(at.max(soonest))),
                    );
                    self.sql().apply(&writes)?;
                }
            }
        }
        Ok(None)
    }

    /// Records the outcome of an effect. A repeated or late report is harmless.
    ///
    /// # Errors
    /// [`ObjectError`]; the effect then comes due again.
    fn settle(
        &self,
        effect: &Effect,
        outcome: &EffectOutcome,
        now: UnixMs,
    ) -> Result<(), ObjectError> {
        let writes = match outcome {
            EffectOutcome::Failed => self.failed(effect, now)?,
            EffectOutcome::Refused => self.refused(effect, now)?,
            EffectOutcome::Read { .. }
            | EffectOutcome::ReadMany { .. }
            | EffectOutcome::ApiNameHeld { .. }
            | EffectOutcome::Listed { .. } => self.learned(effect, outcome, now)?,
            EffectOutcome::Done => self.settled(effect, None, now)?,
            EffectOutcome::Answered { held } => self.settled(effect, Some(*held), now)?,
        };
        if writes.is_empty() {
            return Ok(());
        }
        Ok(self.sql().apply(&writes)?)
    }
}

/// Answers a JSON request with a JSON reply. `Q` is the type of request that the caller may send:
/// any other text is not understood.
///
/// # Errors
/// [`ObjectError`] if the object fails.
pub fn answer<Q: DeserializeOwned + Into<O::Request>, O: DurableObject>(
    object: &O,
    request: &str,
    now: UnixMs,
    entropy: &Entropy,
) -> Result<String, ObjectError> {
    let reply = match serde_json::from_str::<Q>(request) {
        Ok(request) => object.handle(request.into(), now, entropy)?,
        Err(_) => O::NOT_UNDERSTOOD,
    };
    serde_json::to_string(&reply).map_err(|_| ObjectError::Reply)
}

/// Converts a ledger's reply to [`Effect::AskHolds`] or [`Effect::AskExists`] into an outcome. An
/// account that was never opened holds nothing; any other reply counts as a failure.
pub fn outcome_of(reply: &LedgerReply) -> EffectOutcome {
    match reply {
        LedgerReply::Gone => EffectOutcome::Answered { held: false },
        LedgerReply::Holds { held } => EffectOutcome::Answered { held: *held },
        _ => EffectOutcome::Failed,
    }
}

/// Converts a ledger's reply to [`Effect::AskApiName`] into an outcome. An account that was never
/// opened holds nothing; any other reply counts as a failure.
pub fn outcome_of_api_name(reply: &LedgerReply) -> EffectOutcome {
    match reply {
        LedgerReply::Gone => EffectOutcome::ApiNameHeld { held: None },
        LedgerReply::ApiNameHeld { held } => EffectOutcome::ApiNameHeld { held: *held },
        _ => EffectOutcome::Failed,
    }
}

/// Converts a ledger's reply to [`Effect::TellPassword`] into an outcome. A ledger that does not
/// hold the member has nothing to learn; any other reply counts as a failure.
pub fn outcome_of_news(reply: &LedgerReply) -> EffectOutcome {
    match reply {
        LedgerReply::Done => EffectOutcome::Done,
        LedgerReply::Gone | LedgerReply::Refused(Refusal::NotFound) => {
            EffectOutcome::Answered { held: false }
        }
        _ => EffectOutcome::Failed,
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
        assert_eq!(outcome_of(&LedgerReply::Gone), EffectOutcome::Answered { held: false });
        assert_eq!(
            outcome_of(&LedgerReply::Holds { held: true }),
            EffectOutcome::Answered { held: true }
        );
        assert_eq!(outcome_of(&LedgerReply::Done), EffectOutcome::Failed);
    }

    #[test]
    fn news_is_told_until_the_ledger_has_it_or_does_not_hold_the_member() {
        let refused = |refusal| outcome_of_news(&LedgerReply::Refused(refusal));
        let not_held = EffectOutcome::Answered { held: false };
        assert_eq!(outcome_of_news(&LedgerReply::Done), EffectOutcome::Done);
        assert_eq!(outcome_of_news(&LedgerReply::Gone), not_held);
        assert_eq!(refused(Refusal::NotFound), not_held);
        // A ledger of an earlier release: it will be replaced.
        assert_eq!(refused(Refusal::NotUnderstood), EffectOutcome::Failed);
    }
}
