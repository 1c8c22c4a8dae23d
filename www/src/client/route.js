// Reads and writes the address bar. Page, filter and order stand after the `#`; a secret never
// stays there.
import { useEffect, useState } from "preact/hooks";
import { withoutSecrets } from "./redaction.js";

/** @typedef {{page: string, id: string | undefined, query: Record<string, string>}} Route */

/** The pages that a mailed or printed link leads to. @typedef {'setup' | 'join'} LinkPage */

/** The tokens of links, once they have left the address bar. @type {Record<LinkPage, string>} */
const linkTokens = { setup: "", join: "" };

/** Takes the token out of a link and out of the browser's history. */
function takeLinkToken() {
  const [, page, token] = /^#\/(setup|join)\/(.+)$/.exec(location.hash) ?? [];
  if (!token) return;
  linkTokens[/** @type {LinkPage} */ (page)] = token;
  history.replaceState(null, "", `#/${page}`);
}

/** Takes keys out of the address bar, before the page sends what stands there. */
function takeSecrets() {
  const [path, query] = location.hash.split("?");
  const parts = path.split("/").map(withoutSecrets);
  const parameters = new URLSearchParams(query);
  const search = withoutSecrets(parameters.get("q") ?? "");
  if (!search.cut && !parts.some(({ cut }) => cut)) return;
  if (search.cut) parameters.set("q", search.text);
  const rest = parameters.size > 0 ? `?${parameters}` : "";
  history.replaceState(null, "", parts.map(({ text }) => text).join("/") + rest);
}

/** Returns the token of a link; an empty string if there is none. @param {LinkPage} page */
export const linkToken = (page) => linkTokens[page];
/** Drops a token: nothing may keep it once its link was used. @param {LinkPage} page */
export const forgetLinkToken = (page) => {
  linkTokens[page] = "";
};

/** @returns {Route} */
function currentRoute() {
  takeLinkToken();
  takeSecrets();
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [page, id] = path.split("/");
  return { page: page || "keys", id, query: Object.fromEntries(new URLSearchParams(query)) };
}

/**
 * Asks before another page is reached; it gets what leads there.
 * @type {((proceed: () => void) => void) | null}
 */
let hold = null;

/**
 * Keeps the present page while a form on it is filled in. Returns what ends that.
 * @param {(proceed: () => void) => void} ask called instead of going elsewhere
 */
export function holdRoute(ask) {
  hold = ask;
  return () => {
    if (hold === ask) hold = null;
  };
}

/** Returns the present route and follows its changes. @returns {Route} */
export function useRoute() {
  const [route, setRoute] = useState(currentRoute);
  useEffect(() => {
    /** @param {Event} event */
    const follow = (event) => {
      // Also if the page stays: the address that was reached remains in the history.
      takeLinkToken();
      takeSecrets();
      if (hold && event instanceof HashChangeEvent) {
        // The address that was reached is one step back from the one that is put on top of it.
        history.pushState(null, "", event.oldURL);
        hold(() => {
          hold = null;
          history.back();
        });
        return;
      }
      setRoute(currentRoute());
    };
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}

/**
 * Returns the address of the key list with this filter, order and cursor. Empty members stay out.
 * @param {Record<string, string | undefined>} query
 */
export const listAddress = (query) => withQuery("#/keys", query);

/**
 * Returns the address of the API users with this filter, order and cursor. Empty members stay out.
 * @param {Record<string, string | undefined>} query
 */
export const usersAddress = (query) => withQuery("#/api-users", query);

/** Returns the address of the activity. @param {Record<string, string | undefined>} query */
export const activityAddress = (query) => withQuery("#/activity", query);

/** Returns the address of the members. @param {Record<string, string | undefined>} query */
export const membersAddress = (query) => withQuery("#/account", query);

/**
 * Returns the address of the operator's accounts.
 * @param {Record<string, string | undefined>} query
 */
export const accountsAddress = (query) => withQuery("#/operator", query);

/** @param {string} page @param {Record<string, string | undefined>} query */
function withQuery(page, query) {
  const filled = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return filled.length ? `${page}?${new URLSearchParams(filled)}` : page;
}

/** Returns the address of a key's page. @param {string} id */
export const keyAddress = (id) => `#/keys/${id}`;

/** Returns the address of an API user's page. @param {string} id */
export const userAddress = (id) => `#/api-users/${id}`;

/**
 * Goes to an address. With `replace`, the present address does not stay in the history.
 * @param {string} address
 */
export function go(address, { replace = false } = {}) {
  if (!replace) {
    location.hash = address;
    return;
  }
  history.replaceState(null, "", address);
  dispatchEvent(new Event("hashchange"));
}
