// One deployment seen from several places: an isolate and a KV each, one ledger. Nothing gets from
// KV to KV but by `propagate`: what the platform does within a minute or more happens here when a
// test says so, late, partly or in the wrong order.
import { Journey, RULES } from "./journey.mjs";
import { startEdges } from "./harness.mjs";

/**
 * Starts the Worker in each place and sets it up at the first, where the ledger is and what it tells KV; the session counts in all
 * of them. Options are the harness's. Each place is a `Journey` under its name.
 */
export async function beginLocations(names = ["a", "b", "c"], options = {}) {
  const places = names.map((name) => ({ name }));
  const { edges, ...deployment } = await startEdges(places, { vars: { RULES }, assets: false, ...options });
  const journeys = edges.map((edge) => new Journey(edge));
  try {
    await journeys[0].setUp();
  } catch (error) {
    await deployment.dispose();
    error.message += `\n${deployment.log().join("\n")}`;
    throw error;
  }
  for (const journey of journeys) journey.cookie = journeys[0].cookie;
  return {
    ...Object.fromEntries(names.map((name, index) => [name, journeys[index]])),
    ...deployment,
    /** Every place. */
    all: journeys,
  };
}

/** Copies what KV holds in one place to another: of one key, or all there is. */
export async function propagate(from, to, id) {
  const names = id ? [`key/${id}`] : await from.worker.kvKeys();
  for (const name of names) await to.worker.putKv(name, await from.worker.kv(name));
}

/** What an answer comes down to: its status, and the code of a refusal. */
export const said = ({ status, body }) => (status === 200 ? "200" : `${status} ${body?.code}`);

/**
 * Calls with each credential, one after another and again, until `end`. Resolves to what was answered, by credential, in order:
 * `{sent, took, said, retryAfter}`. A request arrives after it was sent, so that a bound on what arrives holds for what was sent.
 */
export function watch(place, credentials, end, { pause_ms = 50 } = {}) {
  const one = async (credential) => {
    const seen = [];
    while (Date.now() < end) {
      const sent = Date.now();
      const answer = await place.call("/", { key: credential });
      seen.push({ sent, took: Date.now() - sent, said: said(answer), retryAfter: answer.headers["retry-after"] });
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
    }
    return seen;
  };
  const all = Promise.all(credentials.map(one));
  // Where a test fails before it looks at this, that is what is told, and not that the Worker is
  // gone.
  all.catch(() => {});
  return all;
}
