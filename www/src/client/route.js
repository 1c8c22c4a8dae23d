// The address bar: page, filter and sort live after the `#`; a secret never stays there.
import { useEffect, useState } from "preact/hooks";

/** @typedef {{page: string, id: string | undefined, query: Record<string, string>}} Route */

/** The set-up token, from the moment that it left the address bar. */
let setupToken = "";

/** Takes the token out of a set-up link, also out of the browser's history. */
function takeSetupToken() {
  const token = /^#\/setup\/(.+)$/.exec(location.hash)?.[1];
  if (!token) return;
  setupToken = token;
  history.replaceState(null, "", "#/setup");
}

/** The token is given out, so that nothing keeps it once set-up is over. */
export const currentSetupToken = () => setupToken;
export const forgetSetupToken = () => {
  setupToken = "";
};

/** @returns {Route} */
function currentRoute() {
  takeSetupToken();
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [page, id] = path.split("/");
  return { page: page || "keys", id, query: Object.fromEntries(new URLSearchParams(query)) };
}

/** @returns {Route} */
export function useRoute() {
  const [route, setRoute] = useState(currentRoute);
  useEffect(() => {
    const follow = () => setRoute(currentRoute());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}

/** The address of the list with this filter, sort and place. Empty members stay out. @param {Record<string, string>} query */
export const listAddress = (query) => withQuery("#/keys", query);

/** The address of the activity with this filter and place. @param {Record<string, string>} query */
export const activityAddress = (query) => withQuery("#/activity", query);

function withQuery(page, query) {
  const filled = Object.entries(query).filter(([, value]) => value);
  return filled.length ? `${page}?${new URLSearchParams(filled)}` : page;
}

/** @param {string} id */
export const keyAddress = (id) => `#/keys/${id}`;

/** Goes to an address; with `replace` the present one does not stay in the history. */
export function go(address, { replace = false } = {}) {
  if (!replace) {
    location.hash = address;
    return;
  }
  history.replaceState(null, "", address);
  dispatchEvent(new Event("hashchange"));
}
