//! Time zones of the IANA database. Only the control plane has them: the data plane uses instants.

use std::fmt;

use claviger_core::base::time::UnixMs;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

/// Longest zone name that is looked up, in bytes. The longest in the database has 32
/// (`America/Argentina/ComodRivadavia`).
pub const ZONE_BYTES_MAX: usize = 64;

/// The reason for which a text is not a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code")]
pub enum ZoneError {
    /// The IANA database has no such zone.
    #[serde(rename = "unknown_zone")]
    #[error("write a time zone as in Asia/Tokyo")]
    Unknown,
    /// A stored zone does not have the database's spelling.
    #[serde(rename = "zone_not_as_stored")]
    #[error("the time zone is not spelt as in the time zone database")]
    NotAsStored,
}

impl ZoneError {
    /// Returns the stable code, equal to the `code` of the JSON form.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_zone",
            Self::NotAsStored => "zone_not_as_stored",
        }
    }
}

/// A zone of the IANA database that is compiled in, in the database's spelling. The host's own
/// database is never read. The JSON form is the name; deserializing refuses any other spelling.
///
/// Names stay valid: the IANA database keeps renamed zones as links, and the compiled-in copy
/// contains them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// Parses a zone's name in any case, such as `Asia/Tokyo` or `UTC`.
    ///
    /// # Errors
    /// [`ZoneError::Unknown`] if the database has no such zone.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        if name.len() > ZONE_BYTES_MAX {
            return Err(ZoneError::Unknown);
        }
        let rules = TimeZoneDatabase::bundled().get(name).map_err(|_| ZoneError::Unknown)?;
        // `Etc/Unknown` is the library's own zone, not IANA's, and has no IANA name.
        let name = rules.iana_name().ok_or(ZoneError::Unknown)?.to_owned();
        Ok(Self { name, rules })
    }

    /// Returns the zone `UTC`.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }

    /// Returns the name in the database's spelling.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the first instant of a day, which is not always midnight; `None` beyond the
    /// calendar.
    pub fn start_of(&self, day: Date) -> Option<UnixMs> {
        let midnight = DateTime::from_parts(day, Time::midnight());
        self.rules.to_timestamp(midnight).ok().map(UnixMs::from)
    }

    /// Returns the local date and time at `at`; `None` outside the years −9999 to 9999.
    pub fn civil(&self, at: UnixMs) -> Option<DateTime> {
        Timestamp::from_millisecond(at.as_ms())
            .ok()
            .map(|timestamp| self.rules.to_datetime(timestamp))
    }

    /// Returns the zone's rules, for calendar arithmetic.
    pub fn rules(&self) -> &TimeZone {
        &self.rules
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let zone = Self::parse(&name).and_then(|zone| {
            if zone.name == name { Ok(zone) } else { Err(ZoneError::NotAsStored) }
        });
        zone.map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones() {
        for (text, name) in [
            ("Asia/Tokyo", Some("Asia/Tokyo")),
            ("asia/tokyo", Some("Asia/Tokyo")),
            ("UTC", Some("UTC")),
            ("utc", Some("UTC")),
            // Links stay what they are: a member finds the zone under the name they chose.
            ("Japan", Some("Japan")),
            ("America/Argentina/ComodRivadavia", Some("America/Argentina/ComodRivadavia")),
            ("Etc/Unknown", None),
            ("Asia/Edo", None),
            ("Asia/Tokyo ", None),
            ("../Asia/Tokyo", None),
            ("+09:00", None),
            ("JST-9", None),
            ("", None),
        ] {
            let zone = Zone::parse(text);
            assert_eq!(zone.as_ref().ok().map(Zone::name), name, "{text}");
        }
        assert_eq!(Zone::parse(&"A".repeat(10_000)), Err(ZoneError::Unknown));
        assert_eq!(Zone::parse("UTC"), Ok(Zone::utc()));
    }

    #[test]
    fn zones_as_json() {
        let zone: Zone = serde_json::from_str(r#""Asia/Tokyo""#).unwrap();
        assert_eq!(serde_json::to_string(&zone).unwrap(), r#""Asia/Tokyo""#);
        for refused in [r#""asia/tokyo""#, r#""Asia/Edo""#, "9", "null"] {
            assert!(serde_json::from_str::<Zone>(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn codes() {
        for error in [ZoneError::Unknown, ZoneError::NotAsStored] {
            assert_eq!(serde_json::to_value(error).unwrap()["code"], error.code());
        }
    }
}
