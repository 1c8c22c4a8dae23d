// Holds the values of the form of an API user, and converts them to and from the server's fields.
import { presentName } from "../i18n/zones.js";
import { beginText, differing, emptyValues, expiresText, missingTimes, timesOf } from "../key/form/values.js";

/**
 * @typedef {import('./requests.js').ApiUser} ApiUser
 * @typedef {import('./requests.js').Group} Group
 * @typedef {import('../client/api.js').FieldError} FieldError
 *
 * @typedef {object} UserFields
 * @property {string} user_name
 * @property {boolean} changesKey `true` if the API key is set: always for a new user
 * @property {boolean} generates `true` if the server draws the API key
 * @property {string} api_key
 * @property {string} api_key_confirmation
 * @property {Group} group
 * @property {boolean} views `true` if it may view personal data
 * @property {boolean} downloads `true` if it may download personal data
 * @property {boolean} http
 * @property {boolean} smtp
 * @property {boolean} ownDataOnly
 * @property {string} zone
 * @property {string} networks as typed
 *
 * @typedef {UserFields & import('../key/form/values.js').TimeValues} UserValues
 * @typedef {(change: Partial<UserValues>) => void} Change
 */

/** Values of the API key, once it left the form. */
export const NO_KEY = { api_key: "", api_key_confirmation: "" };

/**
 * Returns the values of a new user, who may do nothing but read until somebody ticks more.
 * @param {string} zone the account's
 * @returns {UserValues}
 */
export function newValues(zone) {
  const { expiry, amount, unit, date, time, later, beginDate, beginTime } = emptyValues();
  return {
    user_name: "",
    changesKey: true,
    generates: false,
    ...NO_KEY,
    group: "normal",
    views: false,
    downloads: false,
    http: false,
    smtp: false,
    ownDataOnly: false,
    zone: presentName(zone),
    networks: "",
    ...{ expiry, amount, unit, date, time, later, beginDate, beginTime },
  };
}

/**
 * Returns the form's values of a user.
 * @param {ApiUser} user
 * @param {string} zone in which the form shows times
 * @returns {UserValues}
 */
export const valuesOf = (user, zone) => ({
  ...newValues(user.zone),
  user_name: user.name,
  changesKey: false,
  group: user.group,
  views: user.view_personal_data,
  downloads: user.download_personal_data,
  http: user.interfaces.includes("http"),
  smtp: user.interfaces.includes("smtp"),
  ownDataOnly: user.own_data_only,
  networks: user.networks.join("\n"),
  ...timesOf(user, zone),
});

/**
 * Returns the interfaces that are ticked.
 * @param {UserValues} values
 * @returns {import('./requests.js').Interface[]}
 */
export const interfacesOf = ({ http, smtp }) => [
  ...(http ? [/** @type {const} */ ("http")] : []),
  ...(smtp ? [/** @type {const} */ ("smtp")] : []),
];

/** Returns all fields but the API key. @param {UserValues} values @param {string} zone */
const settingsOf = (values, zone) => ({
  name: values.user_name.trim(),
  group: values.group,
  view_personal_data: values.views,
  download_personal_data: values.downloads,
  interfaces: interfacesOf(values),
  own_data_only: values.ownDataOnly,
  zone: values.zone,
  expires: expiresText(values, zone),
  not_before: beginText(values, zone),
  networks: values.networks,
});

/** Returns the fields of the API key; none if it is kept. @param {UserValues} values */
function keyFields({ changesKey, generates, api_key, api_key_confirmation }) {
  if (!changesKey) return {};
  return generates ? { generate: true } : { api_key, api_key_confirmation };
}

/**
 * Returns the fields of a new user.
 * @param {UserValues} values
 * @param {string} zone
 */
export function newFieldsOf(values, zone) {
  const { not_before, ...fields } = settingsOf(values, zone);
  return { ...fields, ...(not_before && { not_before }), ...keyFields(values) };
}

/**
 * Returns only the fields that the member changed.
 * @param {UserValues} before
 * @param {UserValues} after
 * @param {string} zone
 * @returns {Record<string, unknown>}
 */
export const changesOf = (before, after, zone) => ({
  ...differing(settingsOf(before, zone), settingsOf(after, zone)),
  ...keyFields(after),
});

/** The values that each field is made of. @type {Record<string, (keyof UserValues)[]>} */
const MEMBERS = {
  name: ["user_name"],
  group: ["group"],
  view_personal_data: ["views"],
  download_personal_data: ["downloads"],
  interfaces: ["http", "smtp"],
  own_data_only: ["ownDataOnly"],
  zone: ["zone"],
  expires: ["expiry", "amount", "unit", "date", "time"],
  not_before: ["later", "beginDate", "beginTime"],
  networks: ["networks"],
};

/** @type {(keyof UserValues)[]} */
const KEY = ["changesKey", "generates", "api_key", "api_key_confirmation"];

/**
 * Applies my changes to their version: fields that I did not touch stay as they set them.
 * @param {UserValues} base the version that both started from
 * @param {UserValues} mine
 * @param {UserValues} theirs
 * @param {string} zone
 * @returns {UserValues}
 */
export function merged(base, mine, theirs, zone) {
  const touched = Object.keys(changesOf(base, mine, zone)).flatMap((field) => MEMBERS[field] ?? []);
  return { ...theirs, ...Object.fromEntries([...touched, ...KEY].map((member) => [member, mine[member]])) };
}

/**
 * Returns a refusal for each field that the page itself finds missing.
 * @param {UserValues} values
 * @param {string} zone
 */
export function missingIn(values, zone) {
  const { user_name, changesKey, generates, api_key, api_key_confirmation } = values;
  /** @type {FieldError[]} */
  const missing = [];
  if (!user_name.trim()) missing.push({ pointer: "#/user_name", code: "required" });
  if (changesKey && !generates) {
    if (!api_key) missing.push({ pointer: "#/api_key", code: "required" });
    else if (!api_key_confirmation) missing.push({ pointer: "#/api_key_confirmation", code: "required" });
  }
  return [...missing, ...missingTimes(values, zone)];
}
