// Carries out the operations of an exchange (`core/gateway/exchange.rs`). No operation throws: a
// failure is logged, and the exchange resumes without a result.
import * as edge from "../../../target/bindgen/edge/claviger_edge.js";
import { call } from "../shared/trap.js";
import { ADMIN_HEADER, callAdmin, checkSecret, takeNotice } from "./admin.js";
import { fields } from "./step.js";

/** Name of the data centre's cache in which isolates share replies. */
const CACHE = "claviger";

/** Marks an operation that timed out. */
const TOO_LATE = Symbol("too late");

/** Marks a body that the client broke off. */
const BROKEN_OFF = Symbol("broken off");

/**
 * Carries out an operation. Resolves to the function to resume with, and its arguments without
 * number and time.
 */
export async function carryOut(kind, text, io) {
  try {
    const got = await operations[kind](text, io);
    return got === TOO_LATE ? [edge.resume_too_late] : got;
  } catch (error) {
    const isBackground = kind === "call_ledger" && fields(text, 2)[1];
    // The message quotes no caller: the arguments are this deployment's own.
    if (!isBackground) console.error(`${kind} failed: ${error?.message ?? error}`);
    return [edge.resume, undefined];
  }
}

export const isOperation = (kind) => Object.hasOwn(operations, kind);

const withText = (text) => [edge.resume, typeof text === "string" ? text : undefined];

const operations = {
  async read_kv(text, { env }) {
    const [cacheTtl, key] = fields(text, 1);
    return withText(await env.KEYS.get(key, cacheTtl ? { cacheTtl: Number(cacheTtl) } : undefined));
  },

  async read_kv_many(text, { env }) {
    const keys = text.split("\n");
    const held = await env.KEYS.get(keys);
    return [edge.resume_with_texts, JSON.stringify(keys.map((key) => held.get(key) ?? null))];
  },

  async call_ledger(text, { env }) {
    const [ms, , instance, body] = fields(text, 3);
    const headers = { "claviger-edge": call(edge.link) };
    const asked = Date.now();
    const sent = env.LEDGER.getByName(instance).fetch("https://object/", { method: "POST", headers, body });
    const answer = await within(Number(ms), sent);
    if (answer === TOO_LATE) throw new Error("LEDGER did not answer in time");
    const notice = answer.headers.get(ADMIN_HEADER);
    if (notice !== null) takeNotice(notice);
    if (answer.status !== 200) throw new Error(`LEDGER answered ${answer.status}`);
    call(edge.take_fit, true, asked);
    return withText(await answer.text());
  },

  async read_cache(text) {
    const [ms, url] = fields(text, 1);
    const read = async () => (await (await caches.open(CACHE)).match(url))?.text();
    // The cache is optional: without it, the ledger is as near.
    return withText(
      await within(
        Number(ms),
        read().catch(() => undefined),
      ),
    );
  },

  write_cache(text, { ctx }) {
    const [maxAge, url, value] = fields(text, 2);
    const headers = { "cache-control": `max-age=${maxAge}` };
    const write = async () => (await caches.open(CACHE)).put(url, new Response(value, { headers }));
    ctx.waitUntil(write().catch(() => {}));
    return withText(undefined);
  },

  async call_admin(ms, { env }) {
    const fits = await within(Number(ms), callAdmin(env));
    return fits === undefined || fits === TOO_LATE ? withText(undefined) : [edge.resume_with_fit, fits];
  },

  async check_secret(text, { env }) {
    const [ms, body] = fields(text, 1);
    const answer = await within(Number(ms), checkSecret(env, body));
    if (answer === TOO_LATE) throw new Error("ADMIN did not answer in time");
    return withText(answer);
  },

  async warn(line) {
    console.warn(line);
    return withText(undefined);
  },

  async read_body(ms, { body }) {
    // A client that breaks off is no failure of the edge, so nothing is logged.
    const bytes = await within(Number(ms), body.more()).catch(() => BROKEN_OFF);
    if (bytes === BROKEN_OFF) return withText(undefined);
    return bytes === TOO_LATE ? TOO_LATE : [edge.resume_with_bytes, bytes];
  },
};

/** Resolves to the promise's value, or to `TOO_LATE` after `ms`. */
async function within(ms, promise) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms, TOO_LATE)));
  // A later rejection has no reader.
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
