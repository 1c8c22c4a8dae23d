// Holds the values of the key form, and converts them to and from the server's fields.
import { instantOf, wallClock } from "../../i18n/format.js";
import { durationOf, durationText } from "../duration.js";

/**
 * @typedef {object} KeyValues
 * @property {string} name
 * @property {'duration' | 'date' | 'never'} expiry
 * @property {string} amount
 * @property {import('../duration.js').Unit} unit
 * @property {string} date
 * @property {string} time empty means until the end of the day
 * @property {boolean} later `true` if it does not begin at once
 * @property {string} beginDate
 * @property {string} beginTime empty means from the beginning of the day
 * @property {string} networks as typed
 * @property {string[]} permissions
 * @property {boolean} noPermissions `true` if the member wants a key without any permission
 * @property {LimitsValues | null} issuable limits of the keys that it may issue; null: none
 * @property {boolean} viewable
 * @property {boolean} isProtected
 *
 * Limits of issued keys.
 * @typedef {object} LimitsValues
 * @property {string[]} permissions
 * @property {string} networks as typed
 * @property {boolean} limited `false` if their lifetime is unlimited
 * @property {('permissions' | 'networks')[]} [following] fields that follow the key's own, because
 *   the member has not edited them
 * @property {string} amount
 * @property {import('../duration.js').Unit} unit
 *
 * The end and the beginning, which API users have as well.
 * @typedef {Pick<KeyValues, 'expiry' | 'amount' | 'unit' | 'date' | 'time'>} EndValues
 * @typedef {Pick<KeyValues, 'later' | 'beginDate' | 'beginTime'>} BeginValues
 * @typedef {EndValues & BeginValues} TimeValues
 *
 * @typedef {(change: Partial<KeyValues>) => void} Change
 * @typedef {(change: Partial<TimeValues>) => void} TimeChange
 * @typedef {import('../../client/api.js').FieldError} FieldError
 */

/** Lifetime that the form proposes for a new key. */
const DAYS_PRESET = 90;

/**
 * Returns the values of an empty form. The proposed lifetime is no longer than the policy allows.
 * @param {number} [longestDays]
 * @returns {KeyValues}
 */
export const emptyValues = (longestDays = Infinity) => ({
  name: "",
  expiry: "duration",
  amount: String(Math.min(DAYS_PRESET, longestDays)),
  unit: "d",
  date: "",
  time: "",
  later: false,
  beginDate: "",
  beginTime: "",
  networks: "",
  permissions: [],
  noPermissions: false,
  issuable: null,
  viewable: false,
  isProtected: false,
});

/**
 * Returns the limits that *Issuable* proposes: no more than the key itself may do, for one day.
 * @param {KeyValues} values
 * @returns {LimitsValues}
 */
export const proposedLimits = ({ networks, permissions }) => ({
  permissions: permissions.filter((name) => !isReserved(name)),
  networks,
  limited: true,
  amount: "24",
  unit: "h",
  following: ["permissions", "networks"],
});

/**
 * Returns a change of the form, with the limits that follow it. Proposed limits stay no more than
 * the key may do, until the member edits them.
 * @param {KeyValues} values
 * @param {Partial<KeyValues>} change
 * @returns {Partial<KeyValues>}
 */
export function withFollowing(values, change) {
  const { issuable } = values;
  if (!issuable?.following?.length || "issuable" in change) return change;
  const proposed = proposedLimits({ ...values, ...change });
  const followed = Object.fromEntries(issuable.following.map((field) => [field, proposed[field]]));
  return { ...change, issuable: { ...issuable, ...followed } };
}

/**
 * Returns limits with an edit of the member; the edited fields follow no longer.
 * @param {LimitsValues} limits
 * @param {Partial<LimitsValues>} edit
 * @returns {LimitsValues}
 */
export const editedLimits = (limits, edit) => ({
  ...limits,
  ...edit,
  following: limits.following?.filter((field) => !(field in edit)),
});

/**
 * Returns `true` for a permission over Claviger itself; no issued key holds one.
 * @param {string} name
 */
export const isReserved = (name) => name.startsWith("claviger:");

/**
 * Returns the form's values of limits.
 * @param {import('../model.js').IssuanceLimits} limits
 * @returns {LimitsValues}
 */
export const limitsValuesOf = ({ permissions, networks, longest_ms }) => ({
  permissions,
  networks: networks.join("\n"),
  limited: longest_ms !== null,
  ...durationOf(longest_ms ?? undefined),
});

/**
 * Returns limits as the server reads them; `longest` is `undefined` while it is missing.
 * @param {LimitsValues} limits
 */
export const limitsFields = ({ permissions, networks, limited, amount, unit }) => ({
  permissions,
  networks,
  longest: limited ? durationText({ amount, unit }) : "never",
});

/**
 * Returns the form's values of a key.
 * @param {import('../model.js').Key} key
 * @param {string} zone
 * @returns {KeyValues}
 */
export function valuesOf(key, zone) {
  return {
    ...emptyValues(),
    name: key.name,
    networks: key.networks.join("\n"),
    permissions: key.permissions,
    noPermissions: key.permissions.length === 0,
    issuable: key.issuable ? limitsValuesOf(key.issuable) : null,
    viewable: Boolean(key.viewable),
    isProtected: Boolean(key.protected),
    ...timesOf(key, zone),
  };
}

/**
 * Returns the form's values of an end and a beginning.
 * @param {{expires_at: string | null, not_before: string | null}} limits
 * @param {string} zone
 * @returns {Partial<TimeValues>}
 */
export function timesOf({ expires_at, not_before }, zone) {
  const begin = not_before ? wallClock(Date.parse(not_before), zone) : null;
  const begins = begin && {
    later: true,
    beginDate: begin.date,
    beginTime: begin.time === "00:00" ? "" : begin.time,
  };
  if (!expires_at) return { ...begins, expiry: "never" };
  const end = Date.parse(expires_at);
  const { date, time } = wallClock(end, zone);
  return time === "00:00"
    ? { ...begins, expiry: "date", date: wallClock(end - 1, zone).date }
    : { ...begins, expiry: "date", date, time };
}

/**
 * Returns the expiry as the server reads it; `undefined` while something is missing.
 * @param {EndValues} values
 * @param {string} zone
 */
export function expiresText({ expiry, amount, unit, date, time }, zone) {
  if (expiry === "never") return "never";
  if (expiry === "duration") return durationText({ amount, unit });
  return momentText(date, time, zone);
}

/**
 * Returns the beginning; `null` means at once, `undefined` that it is missing.
 * @param {BeginValues} values
 * @param {string} zone
 */
export const beginText = ({ later, beginDate, beginTime }, zone) =>
  later ? momentText(beginDate, beginTime, zone) : null;

/**
 * Returns a time for a date with a time. A date alone stays one: the server knows its limits.
 * @param {string} date
 * @param {string} time
 * @param {string} zone
 */
function momentText(date, time, zone) {
  if (!date) return undefined;
  return time ? instantOf(date, time, zone) : date;
}

/** Returns all fields of the form. @param {KeyValues} values @param {string} zone */
export const fieldsOf = (values, zone) => ({
  name: values.name.trim(),
  expires: expiresText(values, zone),
  not_before: beginText(values, zone),
  networks: values.networks,
  permissions: values.permissions,
  issuable: values.issuable && limitsFields(values.issuable),
  protected: values.isProtected,
});

/**
 * Returns the fields of a new key, without those left empty.
 * @param {KeyValues} values
 * @param {string} zone
 */
export const newFieldsOf = (values, zone) =>
  Object.fromEntries(
    Object.entries({ ...fieldsOf(values, zone), viewable: values.viewable }).filter(
      ([, value]) => value !== null && value !== false,
    ),
  );

/**
 * Returns only the fields that the member changed. An untouched expiry must not be rounded to the
 * minute, nor be refused because it has passed.
 * @param {KeyValues} before
 * @param {KeyValues} after
 * @param {string} zone
 */
export const changesOf = (before, after, zone) => differing(fieldsOf(before, zone), fieldsOf(after, zone));

/**
 * Returns the members of `to` that differ from those of `from`.
 * @param {Record<string, unknown>} from
 * @param {Record<string, unknown>} to
 */
export const differing = (from, to) =>
  Object.fromEntries(
    Object.entries(to).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(from[field])),
  );

/** The values that each field is made of. @type {Record<string, (keyof KeyValues)[]>} */
const MEMBERS = {
  name: ["name"],
  expires: ["expiry", "amount", "unit", "date", "time"],
  not_before: ["later", "beginDate", "beginTime"],
  networks: ["networks"],
  permissions: ["permissions", "noPermissions"],
  issuable: ["issuable"],
  protected: ["isProtected"],
};

/**
 * Applies my changes to their version: fields that I did not touch stay as they set them.
 * @param {KeyValues} base the version that both started from
 * @param {KeyValues} mine
 * @param {KeyValues} theirs
 * @param {string} zone
 * @returns {KeyValues}
 */
export function merged(base, mine, theirs, zone) {
  const touched = Object.keys(changesOf(base, mine, zone)).flatMap((field) => MEMBERS[field]);
  return { ...theirs, ...Object.fromEntries(touched.map((member) => [member, mine[member]])) };
}

/**
 * Returns a refusal for each field that the page itself finds missing.
 * @param {KeyValues} values
 * @param {string} zone
 * @param {string[]} offered permissions that the API's rules require
 */
export function missingIn(values, zone, offered) {
  const missing = missingTimes(values, zone);
  if (!values.name.trim()) missing.unshift({ pointer: "#/name", code: "required" });
  if (offered.length > 0 && !values.permissions.length && !values.noPermissions)
    missing.push({ pointer: "#/permissions", code: "required" });
  if (values.issuable) missing.push(...missingInLimits(values.issuable, "#/issuable"));
  return missing;
}

/**
 * Returns a refusal for an end or a beginning that is missing.
 * @param {TimeValues} values
 * @param {string} zone
 */
export function missingTimes(values, zone) {
  /** @type {FieldError[]} */
  const missing = [];
  if (expiresText(values, zone) === undefined)
    missing.push({ pointer: "#/expires", code: `required_${values.expiry}` });
  if (beginText(values, zone) === undefined) missing.push({ pointer: "#/not_before", code: "required" });
  return missing;
}

/**
 * Returns a refusal if the longest lifetime is missing.
 * @param {LimitsValues} limits
 * @param {string} pointer of the limits; `#` if they are the whole form
 * @returns {FieldError[]}
 */
export const missingInLimits = (limits, pointer) =>
  limitsFields(limits).longest === undefined ? [{ pointer: `${pointer}/longest`, code: "required" }] : [];
