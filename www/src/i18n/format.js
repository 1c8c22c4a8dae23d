// Times and numbers in the page's language and the account's zone.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Older than this, a date says more than a distance. */
const RECENT_MS = 30 * DAY_MS;

/** Columns are narrow: a date that is broken in two reads badly. */
const NO_BREAK = "\u00a0";

/** English dates are written "Sat 20 Feb 2027, 14:05", which is how `en-GB` orders them. */
const LOCALES = { en: "en-GB", ja: "ja-JP" };

/** @typedef {ReturnType<typeof makeFormat>} Format */

/** @param {'en' | 'ja'} lang @param {string} zone an IANA name */
export function makeFormat(lang, zone) {
  const locale = LOCALES[lang];
  const formatter = (options) => new Intl.DateTimeFormat(locale, { timeZone: zone, hourCycle: "h23", ...options });
  const date = { year: "numeric", month: lang === "en" ? "short" : "long", day: "numeric" };
  /** For columns: "30 Jun 2027", "2027/6/30". */
  const short = formatter(lang === "en" ? date : { ...date, month: "numeric" });
  const day = (at) => short.format(at).replaceAll(" ", NO_BREAK);
  /** For sentences: "Wed 30 Jun 2027", "2027年6月30日(水)". */
  const weekday = formatter({ ...date, weekday: "short" });
  const minute = formatter({ hour: "2-digit", minute: "2-digit" });
  const second = formatter({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "always" });
  const number = new Intl.NumberFormat(locale);
  const join = lang === "en" ? ", " : " ";
  /** Japanese writes a number and its unit without the space that the formats put between. */
  const closed = (text) => (lang === "ja" ? text.replace(/(\d) /, "$1") : text);
  const ago = (count, unit) => closed(relative.format(-count, unit));
  const length = (count, unit) =>
    closed(new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(count));
  /** "90 days", rounded to a unit that leaves at least two of it. */
  const span = (ms) => {
    const [unit, size] =
      ms >= 2 * DAY_MS ? ["day", DAY_MS] : ms >= 2 * HOUR_MS ? ["hour", HOUR_MS] : ["minute", MINUTE_MS];
    return length(Math.max(1, Math.round(ms / size)), unit);
  };

  /** `2027-06-30T15:00:00Z` in Tokyo is the end of 30 June, and is called that. */
  const endsDay = (at) => second.format(at) === "00:00:00";
  const tidy = (text) => text.replace(/^(\w{3}),/, "$1");

  return {
    zone,
    number: (value) => number.format(value),
    /** "12:00:10" */
    time: (at) => second.format(new Date(at)),
    /** "12:01" */
    clock: (at) => minute.format(new Date(at)),
    /** "Sat 20 Feb 2027, 14:05" */
    dateTime: (at) => `${tidy(weekday.format(new Date(at)))}${join}${minute.format(new Date(at))}`,
    /** For columns of past events: "30 Jun 2027, 14:05:10" */
    moment: (at) => `${day(new Date(at))}${join}${second.format(new Date(at))}`,
    /** A moment at which something ends: midnight belongs to the day before, as 24:00. `short` leaves out the weekday. */
    end(at, { short = false } = {}) {
      const date = new Date(at);
      const last = endsDay(date) ? new Date(date - 1) : date;
      const text = short ? day(last) : tidy(weekday.format(last));
      return `${text}${join}${endsDay(date) ? "24:00" : minute.format(date)}`;
    },
    /** "30 Jun 2027" */
    day,
    /** "Wed 30 Jun 2027": the day whose end `at` is. */
    lastDay: (at) => tidy(weekday.format(new Date(Date.parse(at) - 1))),
    span,
    /** How long something works: "90 days", 「90日間」. */
    during: (ms) => (lang === "ja" ? span(ms).replace(/[日分]$/, "$&間") : span(ms)),
    /** "24 hours", exactly. @param {{amount: string, unit: 's' | 'm' | 'h' | 'd'}} duration */
    duration({ amount, unit }) {
      return length(Number(amount), { s: "second", m: "minute", h: "hour", d: "day" }[unit]);
    },
    /** Whether `past` tells a distance. */
    recent: (at, now) => now - Date.parse(at) < RECENT_MS,
    /** "3 minutes ago"; from a month on, the date. */
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
 * What the wall clock of a zone shows at a moment, as date and time fields want it.
 * @returns {{date: string, time: string}} `2027-06-30`, `14:05`
 */
export function wallClock(at, zone) {
  const text = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" }).format(at);
  const [date, time] = text.split(" ");
  return { date, time };
}

/**
 * The moment at which the wall clock of a zone shows this date and time. In the hour that daylight saving skips, the
 * moment is the one after the gap.
 * @param {string} date `2027-06-30` @param {string} time `14:05` @returns {string} RFC 3339, in UTC
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

/** The midnight that ends a day. @param {string} date `2027-06-30` @returns {string} RFC 3339, in UTC */
export function endOfDay(date, zone) {
  const after = new Date(Date.parse(date) + DAY_MS).toISOString();
  return instantOf(after.slice(0, 10), "00:00", zone);
}
