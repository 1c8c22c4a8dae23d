// Carries out the operations of an exchange (`core/gateway/exchange.rs`). None of them throws: what
// fails is logged and has no result.
import * as edge from "../../../target/bindgen/edge/claviger_edge.js";
import { call } from "../shared/trap.js";
import { ADMIN_HEADER, callAdmin, hear } from "./admin.js";

/** Name of the data centre's cache in which isolates share replies. */
const CACHE = "claviger";

/** What came too late. */
const TOO_LATE = Symbol("too late");

/** Carries an operation out. Gives the function to resume with, and its arguments but the number and the time. */
export async function carryOut(ask, io) {
  try {
    const got = await operations[ask.operation](ask, io);
    return got === TOO_LATE ? [edge.resume_too_late] : got;
  } catch (error) {
    if (!ask.is_background) console.error(`${ask.operation} failed: ${error?.message ?? error}`);
    return [edge.resume];
  }
}

const withText = (text) => (typeof text === "string" ? [edge.resume_with_text, text] : [edge.resume]);

const operations = {
  async read_kv({ key, cache_ttl_s: cacheTtl }, { env }) {
    return withText(await env.KEYS.get(key, cacheTtl ? { cacheTtl } : undefined));
  },

  async read_kv_many({ keys }, { env }) {
    const held = await env.KEYS.get(keys);
    return [edge.resume_with_texts, JSON.stringify(keys.map((key) => held.get(key) ?? null))];
  },

  async call_ledger({ instance, body, within_ms }, { env }) {
    const headers = { "claviger-edge": call(edge.link) };
    const sent = env.LEDGER.getByName(instance).fetch("https://object/", { method: "POST", headers, body });
    const answer = await within(within_ms, sent);
    if (answer === TOO_LATE) throw new Error("LEDGER did not answer in time");
    const word = answer.headers.get(ADMIN_HEADER);
    if (word !== null) hear(word);
    if (answer.status !== 200) throw new Error(`LEDGER answered ${answer.status}`);
    call(edge.take_fit, true, Date.now());
    return withText(await answer.text());
  },

  async read_cache({ url, within_ms }) {
    const read = async () => (await (await caches.open(CACHE)).match(url))?.text();
    // It is only a help: where there is none, the ledger is as near.
    const text = await within(within_ms, read().catch(() => undefined));
    return withText(text);
  },

  write_cache({ url, text, max_age_s }, { ctx }) {
    const headers = { "cache-control": `max-age=${max_age_s}` };
    const write = async () => (await caches.open(CACHE)).put(url, new Response(text, { headers }));
    ctx.waitUntil(write().catch(() => {}));
    return [edge.resume];
  },

  async call_admin({ within_ms }, { env }) {
    const fits = await within(within_ms, callAdmin(env));
    return fits === undefined || fits === TOO_LATE ? [edge.resume] : [edge.resume_with_fit, fits];
  },

  async read_body({ within_ms }, { body }) {
    const bytes = await within(within_ms, body.more());
    return bytes === TOO_LATE ? TOO_LATE : [edge.resume_with_bytes, bytes];
  },
};

/** What comes within a time; after it, the mark of what came too late. */
async function within(ms, promise) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms, TOO_LATE)));
  // What still comes after that has no reader.
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
