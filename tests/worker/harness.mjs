// Starts the built Worker in workerd, configured as wrangler.toml says, and hands over its strings.
import { createHmac, hkdfSync } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { worker as bundleWorker } from "../../xtask/build.mjs";
import { raw, request, webSocket } from "./client.mjs";
import { mailbox } from "./mailbox.mjs";

// Read when wrangler loads.
process.env.WRANGLER_LOG ??= "error";
const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import("wrangler");

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The ring of the tests: known, so that a test can compute what the Worker does. */
export const MASTER_SECRET = JSON.stringify([{ id: "testring", secret: "Jq7vN2xKc9RfWm4TzHs8LdYb6PaGe3UiO5XwVrBtQyE" }]);

/**
 * Starts one Worker, with the demo origin behind it. Options, all of them optional:
 * - `vars`, `secrets`: over those of wrangler.toml; `MASTER_SECRET` is the tests' own, and mail goes to `mailbox`
 * - `faults`: see `setFaults`
 * - `sharing`: `true` gives each place a cache, in which its isolates share what their ledgers say
 * - `persist`: a directory to keep the state in, which outlives `dispose`; else a temporary one
 * - `port`: else any that is free
 * - `assets`: `false` leaves out the console's files, and with them the router that Miniflare puts in front
 * - `entry`: the Worker's; `src/edge/entry.js` is the real one, which neither counts nor fails
 */
export async function start({ port = 0, ...options } = {}) {
  const { edges, ...deployment } = await startEdges([{ port }], options);
  return { ...deployment, ...edges[0] };
}

/**
 * Starts the Worker once in each of several places: each has an isolate and a KV of its own, and the objects are those of the
 * first. `places` hold `name` (else wrangler.toml's) and `port`; the options are those of `start`, `faults` are set everywhere.
 */
export async function startEdges(places, { vars, secrets, faults, persist, sharing, entry = "tests/worker/entry.js", assets = true } = {}) {
  const temporary = await mkdtemp(join(tmpdir(), "claviger-"));
  const mail = await mailbox();
  const dir = persist ?? temporary;
  const log = [];

  await bundleWorker(entry, join(temporary, "worker"));
  const claviger = configured("wrangler.toml");
  const origin = configured("tests/origin/wrangler.toml");
  const code = await modules(join(temporary, "worker"));
  const names = places.map(({ name = claviger.name }) => name);
  const workers = places.map(({ port = 0 }, index) => ({
    ...claviger,
    name: names[index],
    ...(places.length > 1 && {
      kvNamespaces: eachOf(claviger.kvNamespaces, (_, binding) => `${binding}-${names[index]}`),
      durableObjects: eachOf(claviger.durableObjects, (object) => ({ ...object, scriptName: names[0] })),
    }),
    assets: assets ? claviger.assets : undefined,
    ...code,
    bindings: defined({
      ...claviger.bindings,
      ...mail.settings,
      ...vars,
      MASTER_SECRET,
      ...secrets,
      TEST_CACHE: sharing ? names[index] : undefined,
    }),
    // Past Miniflare's own entry, which rewrites requests.
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
  }));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      resourcePersistencePath: join(dir, "state"),
      resourceTmpPath: join(temporary, "tmp"),
      // Else it asks the network for a sample of what the platform says of a client.
      cf: false,
      handleStructuredLogs: ({ level, message }) => log.push(`${level}: ${message}`),
      workers: [...workers, { ...origin, ...(await modules(join(root, "tests/origin"))), bindings: { ORIGIN_KEYS: [originKey("DEMO")] } }],
    }),
  );
  const edges = await Promise.all(names.map((name) => edgeOf(miniflare, name)));
  if (faults) await Promise.all(edges.map((edge) => edge.setFaults(...faults)));
  return {
    edges: edges.map((edge) => ({ ...edge, mailbox: mail })),
    dir,
    /** Where the platform's own mail lands: each message a file below. */
    emails: join(temporary, "tmp", "email"),
    /** Asks the demo origin past Claviger. */
    origin: async (path, init) => (await miniflare.getWorker(origin.name)).fetch(`http://api.localhost${path}`, init),
    /** Every line that the Worker logged, and what workerd reported of it. */
    log: () => [...log],
    async dispose() {
      await miniflare.dispose();
      await mail.close();
      await rm(temporary, { recursive: true, force: true });
    },
  };
}

/** The key by which an origin of this name checks `Claviger-Proof`, in hex (`src/ring.rs`). */
export function originKey(name, master = JSON.parse(MASTER_SECRET)[0].secret) {
  const root = new Uint8Array(hkdfSync("sha256", master, "", "claviger/origin-proof/1", 32));
  return createHmac("sha256", root).update(`claviger/origin/1\0${name}`).digest("hex");
}

/** One Worker, for a test to use and to disturb. Its faults and counters are those of its isolate. */
async function edgeOf(miniflare, name) {
  const url = await miniflare.unsafeGetDirectURL(name);
  const bound = Number(url.port);
  const control = async (method, body) => {
    const answer = await request(bound, "test.control", "/", { method, body: body && JSON.stringify(body) });
    return answer.json();
  };

  const kv = () => miniflare.getKVNamespace("KEYS", name);

  return {
    name,
    url: url.origin,
    port: bound,
    fetch: (host, path, init) => request(bound, host, path, init),
    raw: (bytes) => raw(bound, bytes),
    webSocket: (host, path, headers) => webSocket(bound, host, path, headers),
    /** What KV holds under a key, read past the Worker; `null` for nothing. */
    kv: async (key) => (await kv()).get(key),
    /** The keys that KV holds something under, a thousand at most. */
    kvKeys: async () => (await (await kv()).list()).keys.map(({ name }) => name),
    /** Puts something there, as an outage or a mistake might leave it. */
    putKv: async (key, text) => (await kv()).put(key, text),
    /** Calls since the last `resetCounters`, by `<binding>.<operation>`, as in `KEYS.get`, `LEDGER.fetch` or `CACHE.match`. */
    counters: async () => (await control("GET")).counters,
    /** What the platform bills of storage since then: `<class>.rowsRead`, `.rowsWritten` and `.setAlarm`. */
    meters: async () => (await control("GET")).meters,
    resetCounters: () => control("DELETE"),
    /**
     * Replaces the faults. Each is `{on, mode, times?, match?, delay_ms?}`:
     * - `on`: `<binding>.<operation>`, or where no binding is: `decide`, `handle`, `<class>.fetch`, `<class>.alarm`
     * - `mode`: `fail` before it is carried out · `lost`: it is carried out, then the reply is lost ·
     *   `trap`: the wasm instance traps there · `delay`: nothing but `delay_ms`
     * - `times`: how often it strikes, else until replaced · `match`: only for a KV key or URL that holds this
     */
    setFaults: (...list) => control("PUT", list),
    /**
     * Puts the clock forward by so many milliseconds, in the edge and in its objects. What an alarm was set for before rings that much later;
     * but the ledger's of `account`, which is set anew: resolves to `{due}`, when that rings.
     */
    setClock: (ahead, account) => control("POST", { ahead, account }),
  };
}

/** An object of the same names, each with what `change` makes of its value. */
const eachOf = (object, change) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]));

/** Without what is `undefined`: a test leaves a variable or secret out that way. */
const defined = (bindings) => Object.fromEntries(Object.entries(bindings).filter(([, value]) => value !== undefined));

/** What a wrangler.toml says, as far as Miniflare has to know it. */
function configured(path) {
  const config = unstable_readConfig({ config: join(root, path) });
  const { workerOptions } = unstable_getMiniflareWorkerOptions(config);
  const { name, vars: bindings } = config;
  const { compatibilityDate, kvNamespaces, durableObjects, serviceBindings, assets, email } = workerOptions;
  // The variables are the file's own: with wrangler's come the developer's `.dev.vars`.
  return { name, bindings, compatibilityDate, kvNamespaces, durableObjects, serviceBindings, assets, email };
}

/** Every module in a directory, by the types that wrangler would give them. */
async function modules(directory) {
  const types = { ".js": "ESModule", ".wasm": "CompiledWasm" };
  const files = (await readdir(directory)).filter((file) => extname(file) in types);
  // The first is the main module: `index.js`.
  files.sort((a, b) => (b === "index.js") - (a === "index.js"));
  return {
    modulesRoot: directory,
    modules: files.map((file) => ({ type: types[extname(file)], path: join(directory, file) })),
  };
}
