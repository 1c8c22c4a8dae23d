// The deployment under test. Only this module knows of which scripts and bindings it consists.
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { bundle } from "../../xtask/build.mjs";
import { request } from "../worker/support/client.mjs";
import { MASTER_SECRET, edgeKeys } from "../worker/support/harness.mjs";
import { API, CONSOLE, Journey, ORIGIN, RULES, begin } from "../worker/support/journey.mjs";
import { withPid } from "./cpu.mjs";
import { CALLER_NETWORK } from "./load.mjs";

export { CONSOLE };
export const HOST = API;
/** Below this path the key lacks the rule's permission. */
export const REFUSED = "/admin/x";
/** The key may call this path; the origin answers with no body. */
export const FORWARDED = "/echo";
/** An API user may call this path; the origin answers with four bytes. */
export const FORWARDED_FOR_USERS = "/says?name=x-a&value=b";
/** The key may call this path; the origin answers with the headers that reached it. */
export const REFLECTED = "/headers";

/** Where a proxy asks about a request that reads. */
export const ASKED = "/v1/forward-auth/nginx/demo:read";

/** The date that the Worker and its floors run with. */
export const COMPATIBILITY_DATE = "2026-10-20";

/** The entry of a Worker, by the folder of its sources. */
const entry = (worker) => `src/workers/${worker}/entry.js`;

/** The origin behind the Worker, and behind the proxies that it is compared with. */
export const origin = {
  name: "origin",
  compatibilityDate: COMPATIBILITY_DATE,
  modulesRoot: fileURLToPath(new URL("../origin", import.meta.url)),
  modules: [{ type: "ESModule", path: fileURLToPath(new URL("../origin/index.js", import.meta.url)) }],
};

/** Starts the deployment with an account. `issue` resolves to a key with these permissions, else one that may read. */
export async function startDeployment() {
  const rules = [OF_USERS, ...RULES];
  const journey = await withPid(() => begin({ rules, isObserved: false, assets: false }));
  return {
    pid: journey.pid,
    port: journey.worker.port,
    issue: (permissions) => issue(journey, permissions),
    createUser: () => createUser(journey),
    dispose: () => journey.dispose(),
  };
}

const OF_USERS = {
  host: API,
  path: "/says",
  origin: "DEMO",
  permission: { read: "demo:read", write: "demo:write" },
  credentials: ["authorization", "api-user:basic"],
};

/** Creates an API user; resolves to name and secret as Basic credentials. */
async function createUser(journey) {
  const [name, secret] = ["app@example.com", "s3cretOfTheApp"];
  const body = {
    name,
    api_key: secret,
    group: "normal",
    interfaces: ["http"],
    own_data_only: false,
    expires: "never",
    networks: [CALLER_NETWORK],
  };
  const headers = { "idempotency-key": "app" };
  const made = await journey.console("POST", "/v1/api-users", { body, headers });
  if (made.status !== 201) throw new Error(made.text);
  return Buffer.from(`${name}:${secret}`).toString("base64");
}

const issue = async (journey, permissions = ["demo:read"]) =>
  (await journey.issue({ permissions, networks: [CALLER_NETWORK] })).credential;

/** Returns a well-formed key with a wrong tag: Claviger did not issue it, and only its MAC shows that. */
export function forge(key) {
  const [prefix, body] = key.split("_");
  const payload = body.slice(0, -6);
  const forged = payload.slice(0, -1) + (payload.endsWith("0") ? "1" : "0");
  return `${prefix}_${forged}${base62(crc32(forged), 6)}`;
}

function base62(number, width) {
  const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  let text = "";
  for (let rest = number; text.length < width; rest = Math.floor(rest / 62)) text = digits[rest % 62] + text;
  return text;
}

/** A key of no deployment, in the format of one that was issued. */
export const UNKNOWN_KEY = forge(`clv_${"0".repeat(18)}${"0".repeat(43)}${"0".repeat(11)}000000`);

/** Returns the modules of the edge's script: see `modulesOf`. */
export const edgeModules = () => modulesOf("edge");

/**
 * Builds a Worker's script and returns its modules, the main one first, as
 * `{name, type, contents}`.
 */
async function modulesOf(worker) {
  const directory = await mkdtemp(join(tmpdir(), "claviger-bench-"));
  try {
    await bundle(entry(worker), directory, { minify: true });
    const types = { ".js": "ESModule", ".wasm": "CompiledWasm" };
    const names = (await readdir(directory)).filter((name) => extname(name) in types);
    names.sort((a, b) => (b === "index.js") - (a === "index.js"));
    return await Promise.all(
      names.map(async (name) => ({
        name,
        type: types[extname(name)],
        contents: await readFile(join(directory, name)),
      })),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Starts one workerd with `count` copies of the edge, which share their KV and their ledger.
 * `ports` leads to each; `issue` sets the account up and resolves to a key that may read. With
 * `script`, the copies run that instead of the edge's, with the same bindings and the same wasm
 * module beside it.
 */
export async function startCopies(count, { script } = {}) {
  const copies = await edgeCopies(count, script);
  const miniflare = await withPid(async () => {
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({ cf: false, workers: [...copies, await adminWorker(), origin] }),
    );
    await miniflare.ready;
    return miniflare;
  });
  const ports = await Promise.all(
    copies.map(async ({ name }) => Number((await miniflare.unsafeGetDirectURL(name)).port)),
  );
  return {
    pid: miniflare.pid,
    ports,
    async issue() {
      const journey = new Journey({ fetch: (host, path, init) => request(ports[0], host, path, init) });
      await journey.setUp();
      return issue(journey);
    },
    dispose: () => miniflare.dispose(),
  };
}

const VARS = { PREFIX: "clv", CONSOLE_ORIGIN: ORIGIN, RULES };

/** Options of the admin Worker, which all copies of the edge share. */
async function adminWorker() {
  const objects = { LEDGER: "Ledger", NAME: "Name", DIRECTORY: "Directory", ADDRESS: "Address", API_NAME: "ApiName" };
  const durableObjects = Object.entries(objects).map(([binding, className]) => [
    binding,
    { className, useSQLite: true },
  ]);
  return {
    name: "admin",
    compatibilityDate: COMPATIBILITY_DATE,
    modulesRoot: "/",
    modules: (await modulesOf("admin")).map(({ name, type, contents }) => ({ type, path: `/${name}`, contents })),
    bindings: { ...VARS, MAIL: "off", MASTER_SECRET },
    kvNamespaces: { KEYS: "keys" },
    durableObjects: Object.fromEntries(durableObjects),
  };
}

/** Options of `count` edges, each under another name, and of the admin Worker behind them. */
async function edgeCopies(count, script) {
  const modules = await edgeModules();
  if (script) modules[0].contents = script;
  return Array.from({ length: count }, (_, copy) => ({
    name: `edge-${copy}`,
    compatibilityDate: COMPATIBILITY_DATE,
    modulesRoot: "/",
    modules: modules.map(({ name, type, contents }) => ({
      type,
      path: `/${name}`,
      contents: type === "CompiledWasm" ? marked(contents, copy) : contents,
    })),
    bindings: { ...VARS, EDGE_KEYS: edgeKeys() },
    kvNamespaces: { KEYS: "keys" },
    durableObjects: { LEDGER: { className: "Ledger", scriptName: "admin", useSQLite: true } },
    serviceBindings: { DEMO: origin.name, ADMIN: "admin" },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  }));
}

/**
 * Returns a wasm module with a custom section that holds this number. Isolates of one process can
 * share V8's compiled code where the bytes are the same, which would hide what a start alone costs.
 */
function marked(wasm, number) {
  const name = Buffer.from("copy");
  const content = Buffer.concat([Buffer.from([name.length]), name, Buffer.from([number])]);
  return Buffer.concat([wasm, Buffer.from([0, content.length]), content]);
}
