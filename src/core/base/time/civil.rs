//! Parses the form of a written date or date-time, before a time zone turns it into an instant.

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

/// Most decimals of a second: nanoseconds, the finest that common libraries write.
const DECIMALS_MAX: usize = 9;

/// The numbers of `yyyy(/|-)mm(/|-)dd[( |T)hh:mm[:ss[.s…]][[ ](Z|(+|-)zz[[:]zz])]]`. This form
/// includes the date-times of RFC 3339 §5.6. Only the number of digits is certain; the methods
/// check the numbers against the calendar and the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CivilText {
    year: u16,
    month: u8,
    day: u8,
    time: Option<TimeText>,
    offset: Option<OffsetText>,
    is_rfc3339: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TimeText {
    hour: u8,
    minute: u8,
    second: u8,
    ms: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OffsetText {
    is_west: bool,
    hours: u8,
    minutes: u8,
}

impl CivilText {
    /// Parses the whole text; `None` if it has another form.
    pub fn read(text: &str) -> Option<Self> {
        let mut cursor = CivilCursor { rest: text.as_bytes() };
        let civil = cursor.civil()?;
        cursor.rest.is_empty().then_some(civil)
    }

    /// Returns `true` if the form is RFC 3339's: dashes, `T`, seconds, and an offset as `Z` or
    /// `±hh:mm`.
    pub fn is_rfc3339(&self) -> bool {
        self.is_rfc3339
    }

    /// Returns the day; `None` if the calendar has no such day.
    pub fn date(&self) -> Option<Date> {
        date(self.year, self.month, self.day)
    }

    /// Returns the day like [`Self::date`], but reads day `00` as the last day of the month before.
    pub fn date_with_day_zero(&self) -> Option<Date> {
        match self.day {
            0 => date(self.year, self.month, 1)?.yesterday().ok(),
            _ => self.date(),
        }
    }

    /// Returns the time of day. The outer `None` means that the text has none, the inner that no
    /// clock shows it.
    pub fn time(&self) -> Option<Option<Time>> {
        self.time.map(|TimeText { hour, minute, second, ms }| {
            let nanosecond = i32::from(ms).checked_mul(1_000_000)?;
            Time::new(
                hour.try_into().ok()?,
                minute.try_into().ok()?,
                second.try_into().ok()?,
                nanosecond,
            )
            .ok()
        })
    }

    /// Returns the offset from UTC. The outer `None` means that the text has none, the inner that
    /// it is beyond `±23:59` (RFC 3339 §5.6).
    pub fn offset(&self) -> Option<Option<Offset>> {
        self.offset.map(|OffsetText { is_west, hours, minutes }| {
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = i32::from(hours).checked_mul(60)?.checked_add(minutes.into())?;
            let seconds = minutes.checked_mul(if is_west { -60 } else { 60 })?;
            Offset::from_seconds(seconds).ok()
        })
    }
}

fn date(year: u16, month: u8, day: u8) -> Option<Date> {
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

struct CivilCursor<'a> {
    rest: &'a [u8],
}

impl CivilCursor<'_> {
    fn civil(&mut self) -> Option<CivilText> {
        let year = self.digits(4)?;
        let first = self.eat(b"/-")?;
        let month = self.two()?;
        let second = self.eat(b"/-")?;
        let day = self.two()?;
        let has_dashes = (first, second) == (b'-', b'-');
        let date = CivilText { year, month, day, time: None, offset: None, is_rfc3339: false };
        if self.rest.is_empty() {
            return Some(date);
        }
        let has_t = self.eat(b" T")? == b'T';
        let (time, has_seconds) = self.time()?;
        if self.rest.is_empty() {
            return Some(CivilText { time: Some(time), ..date });
        }
        let has_space = self.eat(b" ").is_some();
        let (offset, is_long) = self.offset()?;
        let is_rfc3339 = has_dashes && has_t && has_seconds && !has_space && is_long;
        Some(CivilText { time: Some(time), offset: Some(offset), is_rfc3339, ..date })
    }

    /// Parses the time, and returns `true` with it if it has seconds.
    fn time(&mut self) -> Option<(TimeText, bool)> {
        let hour = self.two()?;
        self.eat(b":")?;
        let minute = self.two()?;
        if self.eat(b":").is_none() {
            return Some((TimeText { hour, minute, second: 0, ms: 0 }, false));
        }
        let second = self.two()?;
        let ms = if self.eat(b".").is_some() { self.decimals()? } else { 0 };
        Some((TimeText { hour, minute, second, ms }, true))
    }

    /// Parses at least one decimal into milliseconds; finer decimals are dropped.
    fn decimals(&mut self) -> Option<u16> {
        let count = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 || count > DECIMALS_MAX {
            return None;
        }
        let kept = count.min(3);
        let value = self.digits(kept)?;
        for _ in kept..count {
            self.digits(1)?;
        }
        let unit = match kept {
            1 => 100,
            2 => 10,
            _ => 1,
        };
        value.checked_mul(unit)
    }

    /// Parses the offset, and returns `true` with it if it has RFC 3339's long form.
    fn offset(&mut self) -> Option<(OffsetText, bool)> {
        let sign = self.eat(b"Z+-")?;
        if sign == b'Z' {
            return Some((OffsetText { is_west: false, hours: 0, minutes: 0 }, true));
        }
        let hours = self.two()?;
        let has_colon = self.eat(b":").is_some();
        let minutes = if has_colon || !self.rest.is_empty() { self.two()? } else { 0 };
        Some((OffsetText { is_west: sign == b'-', hours, minutes }, has_colon))
    }

    /// Consumes one byte if it is in `set`.
    fn eat(&mut self, set: &[u8]) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        set.contains(&first).then(|| {
            self.rest = rest;
            first
        })
    }

    fn two(&mut self) -> Option<u8> {
        self.digits(2)?.try_into().ok()
    }

    /// Parses exactly `count` digits, at most four.
    fn digits(&mut self, count: usize) -> Option<u16> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let value = digits.iter().try_fold(0_u16, |value, byte| {
            let digit = byte.is_ascii_digit().then(|| byte.saturating_sub(b'0'))?;
            value.checked_mul(10)?.checked_add(digit.into())
        })?;
        self.rest = rest;
        Some(value)
    }
}
