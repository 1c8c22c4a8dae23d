//! The platform's clock.

use claviger_core::base::time::UnixMs;
use claviger_workers::time;

/// Returns the present, Unix ms.
pub fn now() -> UnixMs {
    time(js_sys::Date::now())
}
