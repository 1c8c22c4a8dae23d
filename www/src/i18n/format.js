// Formats times and numbers in the page's language and the account's zone.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Age from which a date says more than a distance. */
const RECENT_MS = 30 * DAY_MS;

/** Keeps a date on one line: columns are narrow. */
const NO_BREAK = "\u00a0";

/** Locales of `Intl`; `en-GB` orders dates as in "Sat 20 Feb 2027, 14:05". */
const LOCALES = { en: "en-GB", ja: "ja-JP" };

/**
 * @typedef {ReturnType<typeof makeFormat>} Format
 * @typedef {string | number} Time RFC 3339 text, or Unix ms
 * @typedef {'s' | 'm' | 'h' | 'd'} Unit
 * @typedef {{amount: string, unit: Unit}} Duration `amount` as typed
 */

/**
 * Makes the formats of a language and a time zone.
 * @param {'en' | 'ja'} lang
 * @param {string} zone an IANA name
 */
export function makeFormat(lang, zone) {
  const locale = LOCALES[lang];
  /** @param {Intl.DateTimeFormatOptions} options */
  const formatter = (options) => new Intl.DateTimeFormat(locale, { timeZone: zone, hourCycle: "h23", ...options });
  /** @type {Intl.DateTimeFormatOptions} */
  const date = { year: "numeric", month: lang === "en" ? "short" : "long", day: "numeric" };
  // For columns: "30 Jun 2027", "2027/6/30".
  const short = formatter(lang === "en" ? date : { ...date, month: "numeric" });
  /** @param {Date} at */
  const day = (at) => short.format(at).replaceAll(" ", NO_BREAK);
  // For sentences: "Wed 30 Jun 2027", "2027年6月30日(水)".
  const weekday = formatter({ ...date, weekday: "short" });
  const minute = formatter({ hour: "2-digit", minute: "2-digit" });
  const second = formatter({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "always" });
  const number = new Intl.NumberFormat(locale);
  const join = lang === "en" ? ", " : " ";
  /**
   * Removes the space between number and unit, which Japanese does not write.
   * @param {string} text
   */
  const closed = (text) => (lang === "ja" ? text.replace(/(\d) /, "$1") : text);
  /** @param {number} count @param {'minute' | 'hour' | 'day'} unit */
  const ago = (count, unit) => closed(relative.format(-count, unit));
  /** @param {number} count @param {string} unit */
  const length = (count, unit) =>
    closed(new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(count));
  /** Formats "90 days", rounded to a unit of which at least two remain. @param {number} ms */
  const span = (ms) => {
    /** @type {[string, number]} */
    const [unit, size] =
      ms >= 2 * DAY_MS ? ["day", DAY_MS] : ms >= 2 * HOUR_MS ? ["hour", HOUR_MS] : ["minute", MINUTE_MS];
    return length(Math.max(1, Math.round(ms / size)), unit);
  };

  /**
   * Returns `true` at midnight: `2027-06-30T15:00:00Z` in Tokyo is shown as the end of 30 June.
   * @param {Date} at
   */
  const endsDay = (at) => second.format(at) === "00:00:00";
  /** Removes the comma that `en-GB` writes after a weekday. @param {string} text */
  const tidy = (text) => text.replace(/^(\w{3}),/, "$1");

  return {
    zone,
    /** @param {number} value */
    number: (value) => number.format(value),
    /** Formats "12:00:10". @param {Time} at */
    time: (at) => second.format(new Date(at)),
    /** Formats "12:01". @param {Time} at */
    clock: (at) => minute.format(new Date(at)),
    /** Formats "Sat 20 Feb 2027, 14:05". @param {Time} at */
    dateTime: (at) => `${tidy(weekday.format(new Date(at)))}${join}${minute.format(new Date(at))}`,
    /** Formats "30 Jun 2027, 14:05:10", for columns of past events. @param {Time} at */
    moment: (at) => `${day(new Date(at))}${join}${second.format(new Date(at))}`,
    /**
     * Formats the time at which something ends: midnight belongs to the day before, as 24:00.
     * `short` leaves out the weekday.
     * @param {Time} at
     */
    end(at, { short = false } = {}) {
      const date = new Date(at);
      const last = endsDay(date) ? new Date(date.getTime() - 1) : date;
      const text = short ? day(last) : tidy(weekday.format(last));
      return `${text}${join}${endsDay(date) ? "24:00" : minute.format(date)}`;
    },
    /** Formats "30 Jun 2027". */
    day,
    /** Formats "Wed 30 Jun 2027", the day that ends at `at`. @param {string} at */
    lastDay: (at) => tidy(weekday.format(new Date(Date.parse(at) - 1))),
    span,
    /** Formats for how long something works: "90 days", 「90日間」. @param {number} ms */
    during: (ms) => (lang === "ja" ? span(ms).replace(/[日分]$/, "$&間") : span(ms)),
    /**
     * Formats "24 hours" without rounding.
     * @param {Duration} duration
     */
    duration({ amount, unit }) {
      return length(Number(amount), { s: "second", m: "minute", h: "hour", d: "day" }[unit]);
    },
    /** Returns `true` if `past` formats a distance. @param {string} at @param {number} now */
    recent: (at, now) => now - Date.parse(at) < RECENT_MS,
    /**
     * Formats "3 minutes ago", or the date from a month on.
     * @param {string} at
     * @param {number} now
     */
    past(at, now) {
      const past = Math.max(0, now - Date.parse(at));
      if (past < MINUTE_MS) return lang === "en" ? "just now" : "たった今";
      if (past < HOUR_MS) return ago(Math.floor(past / MINUTE_MS), "minute");
      if (past < DAY_MS) return ago(Math.floor(past / HOUR_MS), "hour");
      if (past < RECENT_MS) return ago(Math.floor(past / DAY_MS), "day");
      return day(new Date(at));
    },
  };
}

/**
 * Reads a time off a zone's wall clock, in the form of date and time fields.
 * @param {number} at Unix ms
 * @param {string} zone
 * @returns {{date: string, time: string}} `2027-06-30`, `14:05`
 */
export function wallClock(at, zone) {
  const text = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" }).format(at);
  const [date, time] = text.split(" ");
  return { date, time };
}

/**
 * Returns the time at which a zone's wall clock shows this date and time. In the hour that daylight
 * saving skips, it is the time after the gap.
 * @param {string} date `2027-06-30`
 * @param {string} time `14:05`
 * @param {string} zone
 * @returns {string} RFC 3339, in UTC
 */
export function instantOf(date, time, zone) {
  const wanted = Date.parse(`${date}T${time}Z`);
  let at = wanted;
  for (let turn = 0; turn < 2; turn += 1) {
    const shown = wallClock(at, zone);
    at += wanted - Date.parse(`${shown.date}T${shown.time}Z`);
  }
  return new Date(at).toISOString().replace(".000Z", "Z");
}

/**
 * Returns the midnight that ends a day.
 * @param {string} date `2027-06-30`
 * @param {string} zone
 * @returns {string} RFC 3339, in UTC
 */
export function endOfDay(date, zone) {
  const after = new Date(Date.parse(date) + DAY_MS).toISOString();
  return instantOf(after.slice(0, 10), "00:00", zone);
}
