//! The migration for the demand of MFA.

use crate::objects::sql::migrate::Migration;

/// Adds the demand of MFA, and each member's state under it.
pub(super) const MFA: Migration = Migration {
    statements: &[
        // 1 if keys of members without MFA are refused; mutable.
        "ALTER TABLE account ADD COLUMN demands_mfa INTEGER NOT NULL DEFAULT 0 CHECK (demands_mfa IN (0, 1))",
        // 1 while the member has MFA; of a removed member, as it was at the removal; mutable.
        "ALTER TABLE member ADD COLUMN mfa INTEGER NOT NULL DEFAULT 0 CHECK (mfa IN (0, 1))",
    ],
};
