//! What a run did, so that a run that did nothing is noticed.

/// What a run did, counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub let_through: u64,
    pub refused: u64,
    pub unavailable: u64,
    pub from_memory: u64,
    pub from_kv: u64,
    pub changes: u64,
    pub restarts: u64,
    pub clock_steps: u64,
    /// Isolates that slept for a day.
    pub sleeps: u64,
    /// Refreshes whose request or renewal was cancelled meanwhile.
    pub cancelled: u64,
    /// Verdicts that were given again at once, without needing anything (P4).
    pub repeats: u64,
    /// Replies that isolates found in the cache of their data centre.
    pub shared: u64,
    /// Documents that isolates took.
    pub documents: u64,
    /// Keys that issuers issued.
    pub issued: u64,
    /// Keys that became issuable no more.
    pub lifted: u64,
    /// Issuers that were switched on again.
    pub switched: u64,
    /// Issuers all of whose keys were ended for want of room.
    pub capped: u64,
    /// Demands and ends of MFA.
    pub mfa_changes: u64,
    /// Values that an adversary wrote into KV.
    pub attacks: u64,
    /// Verdicts that were older than T, for want of the ledger.
    pub stale: u64,
    /// Leases that met a change of their isolate's own and a copy, and so on.
    pub own_and_copy: u64,
    pub own_and_overflow: u64,
    pub copy_and_overflow: u64,
    pub all_three: u64,
    /// Settlements that isolates watched.
    pub watches: u64,
    /// Changes whose end of T was awaited.
    pub stalks: u64,
    /// Keys whose uses or refusals had to be counted to the last.
    pub exact: u64,
    /// Keys that were regenerated, and those of them with an overlap.
    pub rotations: u64,
    pub overlaps: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.let_through += other.let_through;
        self.refused += other.refused;
        self.unavailable += other.unavailable;
        self.from_memory += other.from_memory;
        self.from_kv += other.from_kv;
        self.changes += other.changes;
        self.restarts += other.restarts;
        self.mfa_changes += other.mfa_changes;
        self.clock_steps += other.clock_steps;
        self.sleeps += other.sleeps;
        self.cancelled += other.cancelled;
        self.repeats += other.repeats;
        self.shared += other.shared;
        self.documents += other.documents;
        self.issued += other.issued;
        self.lifted += other.lifted;
        self.switched += other.switched;
        self.capped += other.capped;
        self.attacks += other.attacks;
        self.stale += other.stale;
        self.own_and_copy += other.own_and_copy;
        self.own_and_overflow += other.own_and_overflow;
        self.copy_and_overflow += other.copy_and_overflow;
        self.all_three += other.all_three;
        self.watches += other.watches;
        self.stalks += other.stalks;
        self.exact += other.exact;
        self.rotations += other.rotations;
        self.overlaps += other.overlaps;
    }

    /// Whether much of everything happened.
    pub fn is_rich(&self) -> bool {
        let mut least =
            self.let_through.min(self.refused).min(self.unavailable).min(self.from_memory);
        least = least.min(self.from_kv).min(self.changes).min(self.restarts).min(self.clock_steps);
        least = least
            .min(self.cancelled)
            .min(4 * self.switched)
            .min(8 * self.lifted)
            // An issuer has to fill all places for revoked keys: two in a thousand runs are many.
            .min(60 * self.capped);
        least
            .min(self.issued)
            .min(self.shared)
            .min(self.documents)
            .min(self.attacks)
            .min(self.mfa_changes)
            .min(4 * self.stale)
            .min(5 * self.sleeps)
            .min(self.own_and_copy)
            .min(self.own_and_overflow)
            .min(self.copy_and_overflow)
            .min(2 * self.all_three)
            .min(self.watches)
            .min(self.stalks)
            .min(self.exact)
            > 100
    }
}
