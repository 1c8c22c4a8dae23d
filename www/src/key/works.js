// Says from when, from where and for what a key works, as far as its own limits decide.
import { serverNow } from "../client/clock.js";
import { isReserved } from "./form/values.js";

/**
 * @typedef {import('../i18n/locale.jsx').Locale} Locale
 * @typedef {import('./model.js').Key} Key
 */

/** Returns `true` if the key begins later. @param {Pick<Key, 'not_before'>} key */
export const beginsLater = ({ not_before }) => Boolean(not_before) && Date.parse(String(not_before)) > serverNow();

/** Returns `true` if the key has none of the API's permissions. @param {Key} key */
const hasNoPermission = ({ permissions }) => permissions.every(isReserved);

/**
 * Returns one sentence about time and networks.
 * @param {Locale} locale
 * @param {Pick<Key, 'not_before' | 'networks'>} limits
 */
export function worksFrom({ say, format }, limits) {
  const time = limits.not_before ? format.dateTime(limits.not_before) : "";
  const where = limits.networks.length > 0 ? ".networks" : "";
  return beginsLater(limits) ? say(`works.later${where}`, { time, zone: format.zone }) : say(`works.now${where}`);
}

/**
 * Returns one sentence about time and networks, and one about permissions if the key has none that
 * the API requires.
 * @param {Locale} locale
 * @param {Key} key
 * @param {string[]} offered permissions that the API's rules require
 */
export function worksText(locale, key, offered) {
  const { say, gap } = locale;
  const works = worksFrom(locale, key);
  if (!offered.length || !hasNoPermission(key)) return works;
  return [works, say("works.no-permission")].join(gap);
}

/**
 * Returns what the example call lacks, or `null` if it is let through.
 * @param {Locale} locale
 * @param {Key} key
 * @param {{example_permission?: string | null}} api
 */
export function exampleLacks({ say, format, gap }, key, { example_permission }) {
  const lacks = [];
  if (beginsLater(key))
    lacks.push(say("try.later", { time: format.dateTime(String(key.not_before)), zone: format.zone }));
  if (key.networks.length > 0) lacks.push(say("try.networks"));
  if (example_permission && !grants(key.permissions, example_permission)) {
    lacks.push(say("try.permission", { permission: example_permission }));
  }
  return lacks.length ? lacks.join(gap) : null;
}

/**
 * Returns `true` if one of `permissions` covers `wanted`: `*` stands for a whole part.
 * @param {string[]} permissions
 * @param {string} wanted
 */
function grants(permissions, wanted) {
  const [resource, action] = wanted.split(":");
  return permissions.some((name) => {
    const [ofResource, ofAction] = name.split(":");
    return (ofResource === "*" || ofResource === resource) && (ofAction === "*" || ofAction === action);
  });
}
