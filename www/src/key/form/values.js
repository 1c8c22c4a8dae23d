// What is being typed into the key form, and what of it goes to the server.
import { instantOf, wallClock } from "../../i18n/format.js";
import { durationOf, durationText } from "../duration.js";

/**
 * @typedef {object} KeyValues
 * @property {string} name
 * @property {'duration' | 'date' | 'never'} expiry
 * @property {string} amount
 * @property {import('../duration.js').Unit} unit
 * @property {string} date
 * @property {string} time empty: until the end of the day
 * @property {boolean} later whether it begins at a time of its own
 * @property {string} beginDate
 * @property {string} beginTime empty: from the beginning of the day
 * @property {string} networks as typed
 * @property {string[]} permissions
 * @property {LimitsValues | null} issuable what it may issue; null: nothing
 * @property {boolean} viewable
 * @property {boolean} isProtected
 *
 * What issued keys may be at most.
 * @typedef {object} LimitsValues
 * @property {string[]} permissions
 * @property {string} networks as typed
 * @property {boolean} limited whether their life is
 * @property {string} amount
 * @property {import('../duration.js').Unit} unit
 */

/** The preset of a new key. */
const DAYS_PRESET = "90";

/** @returns {KeyValues} */
export const emptyValues = () => ({
  name: "",
  expiry: "duration",
  amount: DAYS_PRESET,
  unit: "d",
  date: "",
  time: "",
  later: false,
  beginDate: "",
  beginTime: "",
  networks: "",
  permissions: [],
  issuable: null,
  viewable: false,
  isProtected: false,
});

/** The limits that ticking *Issuable* proposes: no more than the key itself may do, and a day. @returns {LimitsValues} */
export const proposedLimits = ({ networks, permissions }) => ({
  permissions: permissions.filter((name) => !isReserved(name)),
  networks,
  limited: true,
  amount: "24",
  unit: "h",
});

/** Permissions over Claviger itself, which no issued key holds. @param {string} name */
export const isReserved = (name) => name.startsWith("claviger:");

/** @param {import('../model.js').IssuanceLimits} limits @returns {LimitsValues} */
export const limitsValuesOf = ({ permissions, networks, longest_ms }) => ({
  permissions,
  networks: networks.join("\n"),
  limited: longest_ms !== null,
  ...durationOf(longest_ms ?? undefined),
});

/** @param {LimitsValues} limits what the server reads; `longest` is `undefined` while it is missing */
export const limitsFields = ({ permissions, networks, limited, amount, unit }) => ({
  permissions,
  networks,
  longest: limited ? durationText({ amount, unit }) : "never",
});

/** @param {import('../model.js').Key} key @param {string} zone @returns {KeyValues} */
export function valuesOf(key, zone) {
  const begin = key.not_before ? wallClock(Date.parse(key.not_before), zone) : null;
  const values = {
    ...emptyValues(),
    name: key.name,
    networks: key.networks.join("\n"),
    permissions: key.permissions,
    ...(begin && { later: true, beginDate: begin.date, beginTime: begin.time === "00:00" ? "" : begin.time }),
    issuable: key.issuable ? limitsValuesOf(key.issuable) : null,
    viewable: Boolean(key.viewable),
    isProtected: Boolean(key.protected),
  };
  if (!key.expires_at) return { ...values, expiry: "never" };
  const end = Date.parse(key.expires_at);
  const { date, time } = wallClock(end, zone);
  return time === "00:00"
    ? { ...values, expiry: "date", date: wallClock(end - 1, zone).date }
    : { ...values, expiry: "date", date, time };
}

/** The expiry as the server reads it; `undefined` while something is missing. @param {KeyValues} values @param {string} zone */
export function expiresText({ expiry, amount, unit, date, time }, zone) {
  if (expiry === "never") return "never";
  if (expiry === "duration") return durationText({ amount, unit });
  return momentText(date, time, zone);
}

/** The beginning; `null` for at once, `undefined` while it is missing. @param {KeyValues} values @param {string} zone */
export const beginText = ({ later, beginDate, beginTime }, zone) =>
  later ? momentText(beginDate, beginTime, zone) : null;

/** A day stays one, for the server knows where it begins and ends. */
function momentText(date, time, zone) {
  if (!date) return undefined;
  return time ? instantOf(date, time, zone) : date;
}

/** Everything of the form. @param {KeyValues} values @param {string} zone */
export const fieldsOf = (values, zone) => ({
  name: values.name.trim(),
  expires: expiresText(values, zone),
  not_before: beginText(values, zone),
  networks: values.networks,
  permissions: values.permissions,
  issuable: values.issuable && limitsFields(values.issuable),
  protected: values.isProtected,
});

/** A new key, without what was not asked for. @param {KeyValues} values @param {string} zone */
export const newFieldsOf = (values, zone) =>
  Object.fromEntries(
    Object.entries({ ...fieldsOf(values, zone), viewable: values.viewable }).filter(
      ([, value]) => value !== null && value !== false,
    ),
  );

/**
 * Only what the member changed: an expiry that nobody touched must not be rounded to the minute, nor be refused for
 * having passed.
 * @param {KeyValues} before @param {KeyValues} after @param {string} zone
 */
export const changesOf = (before, after, zone) => differing(fieldsOf(before, zone), fieldsOf(after, zone));

/** The members of `to` that `from` has otherwise. */
export const differing = (from, to) =>
  Object.fromEntries(
    Object.entries(to).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(from[field])),
  );

/** What of a values each field is made of. */
const MEMBERS = {
  name: ["name"],
  expires: ["expiry", "amount", "unit", "date", "time"],
  not_before: ["later", "beginDate", "beginTime"],
  networks: ["networks"],
  permissions: ["permissions"],
  issuable: ["issuable"],
  protected: ["isProtected"],
};

/**
 * My changes on top of theirs: what I did not touch stays as they have it.
 * @param {KeyValues} base what both started from @param {KeyValues} mine @param {KeyValues} theirs @param {string} zone @returns {KeyValues}
 */
export function merged(base, mine, theirs, zone) {
  const touched = Object.keys(changesOf(base, mine, zone)).flatMap((field) => MEMBERS[field]);
  return { ...theirs, ...Object.fromEntries(touched.map((member) => [member, mine[member]])) };
}

/** What the page can see by itself to be missing. @param {KeyValues} values @param {string} zone @returns {import('../../client/api.js').FieldError[]} */
export function missingIn(values, zone) {
  return [
    !values.name.trim() && { pointer: "#/name", code: "required" },
    expiresText(values, zone) === undefined && { pointer: "#/expires", code: `required_${values.expiry}` },
    beginText(values, zone) === undefined && { pointer: "#/not_before", code: "required" },
    values.issuable && missingInLimits(values.issuable, "#/issuable"),
  ].filter(Boolean);
}

/** @param {LimitsValues} limits @param {string} pointer of the limits, `#` where it is the whole form */
export const missingInLimits = (limits, pointer) =>
  limitsFields(limits).longest === undefined && { pointer: `${pointer}/longest`, code: "required" };
