//! The migration for keys that depend on MFA.

use crate::objects::sql::migrate::Migration;

/// Adds to each member whether they have MFA, for the account state that leases carry.
pub(super) const MFA: Migration = Migration {
    statements: &[
        // 1 while the member has MFA; of a removed member, as it was at the removal; mutable.
        "ALTER TABLE member ADD COLUMN mfa INTEGER NOT NULL DEFAULT 0 CHECK (mfa IN (0, 1))",
    ],
};
