// Starts the built Worker in workerd, configured as wrangler.toml says, and hands over its strings.
import { createHash, createHmac, hkdfSync } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { bundle } from "../../../xtask/build.mjs";
import { SHARED, readConfig, split, writeConfigs } from "../../../xtask/workers.mjs";
import { raw, request, webSocket } from "./client.mjs";
import { mailbox } from "./mailbox.mjs";

// Read when wrangler loads.
process.env.WRANGLER_LOG ??= "error";
const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import("wrangler");

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The ring of the tests: known, so that a test can compute what the Worker does. */
export const MASTER_SECRET = JSON.stringify([
  { id: "testring", secret: "Jq7vN2xKc9RfWm4TzHs8LdYb6PaGe3UiO5XwVrBtQyE" },
]);

/**
 * Starts one edge and the admin Worker, with the demo origin behind them. Options, all of them optional:
 * - `vars`, `secrets`: over those of wrangler.toml; `MASTER_SECRET` is the tests' own, `EDGE_KEYS` is derived from it, and mail goes to
 *   `mailbox`. `edge` and `admin` hold more of both, for one of the Workers alone: `{vars, secrets}`
 * - `faults`: see `setFaults`
 * - `sharing`: `true` gives each place a cache, in which its isolates share what their ledgers say
 * - `persist`: a directory to keep the state in, which outlives `dispose`; else a temporary one
 * - `port`: else any that is free
 * - `assets`: `false` leaves out the console's files, and with them the router that Miniflare puts in front
 * - `isObserved`: `false` loads the real entries, which neither count nor fail
 * - `bindings`: more of Miniflare's options for the edge, to take a binding away
 */
export async function start({ port = 0, ...options } = {}) {
  const { edges, ...deployment } = await startEdges([{ port }], options);
  return { ...deployment, ...edges[0] };
}

/**
 * Starts an edge in each of several places: each has an isolate and a KV of its own. The admin Worker and its objects are one, and have the
 * KV of the first. `places` hold `name` and `port`; the options are those of `start`, `faults` are set everywhere.
 */
export async function startEdges(places, options = {}) {
  const {
    vars,
    secrets,
    edge = {},
    admin = {},
    faults,
    persist,
    sharing,
    isObserved = true,
    assets = true,
    bindings,
  } = options;
  const temporary = await mkdtemp(join(tmpdir(), "claviger-"));
  const mail = await mailbox();
  const dir = persist ?? temporary;
  const log = [];

  const files = writeConfigs(split(await readConfig()), temporary);
  const [edgeOptions, adminOptions] = [optionsOf(files.edge), optionsOf(files.admin)];
  const code = {};
  for (const worker of ["edge", "admin"]) {
    const entry = isObserved ? `tests/worker/support/${worker}.js` : `src/workers/${worker}/entry.js`;
    await bundle(entry, join(temporary, worker));
    code[worker] = await modules(join(temporary, worker));
  }
  const origin = { name: "claviger-demo-origin", compatibilityDate: edgeOptions.compatibilityDate };
  const names = places.map(({ name = edgeOptions.name }) => name);
  const kvOf = (name) => ({ KEYS: places.length > 1 ? `KEYS-${name}` : "KEYS" });
  const master = secrets && "MASTER_SECRET" in secrets ? secrets.MASTER_SECRET : MASTER_SECRET;
  const given = { ...mail.settings, ...vars };
  const edges = places.map(({ port = 0 }, index) => ({
    ...edgeOptions,
    name: names[index],
    kvNamespaces: kvOf(names[index]),
    ...code.edge,
    bindings: defined({
      ...edgeOptions.bindings,
      ...shared(given),
      EDGE_KEYS: edgeKeys(master),
      ...("EDGE_KEYS" in (secrets ?? {}) ? { EDGE_KEYS: secrets.EDGE_KEYS } : {}),
      ...edge.vars,
      ...edge.secrets,
      TEST_CACHE: sharing ? names[index] : undefined,
    }),
    // Past Miniflare's own entry, which rewrites requests.
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
    ...bindings,
  }));
  const adminWorker = {
    ...adminOptions,
    kvNamespaces: kvOf(names[0]),
    assets: assets ? adminOptions.assets : undefined,
    ...code.admin,
    bindings: defined({
      ...adminOptions.bindings,
      ...given,
      MASTER_SECRET,
      ...secrets,
      ...admin.vars,
      ...admin.secrets,
      EDGE_KEYS: undefined,
    }),
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      resourcePersistencePath: join(dir, "state"),
      resourceTmpPath: join(temporary, "tmp"),
      // Else it asks the network for a sample of what the platform says of a client.
      cf: false,
      handleStructuredLogs: ({ level, message }) => log.push(`${level}: ${message}`),
      workers: [
        ...edges,
        adminWorker,
        { ...origin, ...(await modules(join(root, "tests/origin"))), bindings: { ORIGIN_KEYS: [originKey("DEMO")] } },
      ],
    }),
  );
  const controls = await controlsOf(miniflare, adminOptions.name);
  const started = await Promise.all(names.map((name, index) => edgeOf(miniflare, name, controls, index === 0)));
  if (faults) await Promise.all(started.map((edge) => edge.setFaults(...faults)));
  return {
    edges: started.map((edge) => ({ ...edge, mailbox: mail })),
    dir,
    /** Where the platform's own mail lands: each message a file below. */
    emails: join(temporary, "tmp", "email"),
    /** Asks the demo origin past Claviger. */
    origin: async (path, init) => (await miniflare.getWorker(origin.name)).fetch(`http://api.localhost${path}`, init),
    /** Asks the admin Worker past the edge. */
    admin: (host, path, init) => request(controls.port, host, path, init),
    /** Asks an object past both Workers, as any Worker of the same Cloudflare account could that binds its class. */
    object: async (binding, instance, body, headers = {}) => {
      const namespace = await miniflare.getDurableObjectNamespace(binding, adminOptions.name);
      const stub = namespace.get(namespace.idFromName(instance));
      const answer = await stub.fetch("https://object/", { method: "POST", headers, body: JSON.stringify(body) });
      return { status: answer.status, text: await answer.text() };
    },
    /** Every line that a Worker logged, and what workerd reported of it. */
    log: () => [...log],
    /** Waits until the log matches: a line reaches this process a little after the response. */
    logged: async (pattern) => {
      for (const end = Date.now() + 15_000; !pattern.test(log.join("\n"));) {
        if (Date.now() > end) throw new Error(`never logged: ${pattern}\n${log.join("\n")}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async dispose() {
      await miniflare.dispose();
      await mail.close();
      await rm(temporary, { recursive: true, force: true });
    },
  };
}

/** The subkeys that an edge has of this master secret (`core/credential/keyring.rs`); `undefined` of what is none. */
export function edgeKeys(master = MASTER_SECRET) {
  let generations;
  try {
    generations = JSON.parse(master);
  } catch {
    return undefined;
  }
  const subkey = (secret, use) => Buffer.from(hkdfSync("sha256", secret, "", `claviger/${use}/1`, 32)).toString("hex");
  const keys = generations.map(({ id, secret, retired_at: retired, compromised }) => ({
    id,
    tag: subkey(secret, "tag"),
    sealing: subkey(secret, "sealing"),
    origin_proof: subkey(secret, "origin-proof"),
    refresh_cache: subkey(secret, "refresh-cache"),
    replication: subkey(secret, "replication"),
    ...(retired && { retired_at_ms: Date.parse(retired) }),
    ...(compromised && { compromised }),
  }));
  return JSON.stringify(keys);
}

/** The header with which an edge of these keys calls (`core/replication/link.rs`), with the variables of wrangler.toml. */
export function linkHeader(keys = edgeKeys()) {
  const hash = createHash("sha256").update("claviger/fingerprint/1");
  for (const { id, retired_at_ms: retired, compromised, ...subkeys } of JSON.parse(keys)) {
    const state = Buffer.alloc(11);
    state.writeUInt8(compromised ? 1 : 0, 1);
    state.writeUInt8(retired === undefined ? 0 : 1, 2);
    state.writeBigInt64BE(BigInt(retired ?? 0), 3);
    hash
      .update(Buffer.from([0]))
      .update(id)
      .update(state);
    for (const use of ["tag", "sealing", "origin_proof", "refresh_cache", "replication"]) {
      hash.update(createHmac("sha256", Buffer.from(subkeys[use], "hex")).update("claviger/fingerprint/1").digest());
    }
  }
  const variables = ["claviger/variables/1", "clv", "http://localhost:8787", "bounded", "0"].join("\0");
  const digests = [hash, createHash("sha256").update(variables)].map((hash) => hash.digest("hex").slice(0, 32));
  return ["1", ...digests].join(" ");
}

/** The key by which an origin of this name checks `Claviger-Proof`, in hex (`src/core/credential/keyring.rs`). */
export function originKey(name, master = JSON.parse(MASTER_SECRET)[0].secret) {
  const root = new Uint8Array(hkdfSync("sha256", master, "", "claviger/origin-proof/1", 32));
  return createHmac("sha256", root).update(`claviger/origin/1\0${name}`).digest("hex");
}

/** The port of a Worker, and its control host. */
async function controlsOf(miniflare, name) {
  const url = await miniflare.unsafeGetDirectURL(name);
  const port = Number(url.port);
  const control = async (method, body) => {
    const answer = await request(port, "test.control", "/", { method, body: body && JSON.stringify(body) });
    return answer.json();
  };
  return { url, port, control };
}

/** Adds counts up. */
function sum(...all) {
  const total = {};
  for (const counts of all)
    for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
  return total;
}

/** One edge, for a test to use and to disturb. Faults and counters of the first are those of the admin Worker, too. */
async function edgeOf(miniflare, name, admin, isFirst) {
  const { url, port: bound, control: edge } = await controlsOf(miniflare, name);
  const both = (...args) => Promise.all(isFirst ? [edge(...args), admin.control(...args)] : [edge(...args)]);

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
    counters: async () => {
      // That the edge hands a request on to the admin Worker is no call to storage: see
      // `edgeCounters`.
      const { "ADMIN.fetch": _, ...counters } = sum(...(await both("GET")).map(({ counters }) => counters));
      return counters;
    },
    /** The edge's own calls, those to the admin Worker among them. */
    edgeCounters: async () => (await edge("GET")).counters,
    /** What the platform bills of storage since then: `<class>.rowsRead`, `.rowsWritten` and `.setAlarm`. */
    meters: async () => (await admin.control("GET")).meters,
    resetCounters: () => both("DELETE"),
    /**
     * Replaces the faults. Each is `{on, mode, times?, match?, delay_ms?}`:
     * - `on`: `<binding>.<operation>`, or where no binding is: `decide`, `handle`, `<class>.fetch`, `<class>.alarm`
     * - `mode`: `fail` before it is carried out · `lost`: it is carried out, then the reply is lost ·
     *   `trap`: the wasm instance traps there · `delay`: nothing but `delay_ms`
     * - `times`: how often it strikes, else until replaced · `match`: only for a KV key or URL that holds this
     */
    setFaults: (...list) => both("PUT", list),
    /**
     * Puts the clock forward by so many milliseconds, in the edge and in its objects. What an alarm was set for before rings that much later;
     * but the ledger's of `account`, which is set anew: resolves to `{due}`, when that rings.
     */
    setClock: async (ahead, account) => {
      await edge("POST", { ahead });
      return isFirst ? admin.control("POST", { ahead, account }) : undefined;
    },
  };
}

/** Without what is `undefined`: a test leaves a variable or secret out that way. */
const defined = (bindings) => Object.fromEntries(Object.entries(bindings).filter(([, value]) => value !== undefined));

/** The variables that the edge reads, too. */
const shared = (vars) => Object.fromEntries(Object.entries(vars).filter(([name]) => SHARED.includes(name)));

/** What a configuration says, as far as Miniflare has to know it. */
function optionsOf(file) {
  const config = unstable_readConfig({ config: file });
  const { workerOptions } = unstable_getMiniflareWorkerOptions(config);
  // The variables are the file's own: with wrangler's come the developer's `.dev.vars`.
  const { name, vars: bindings } = config;
  const { compatibilityDate, durableObjects, serviceBindings, email } = workerOptions;
  const assets = workerOptions.assets && { ...workerOptions.assets, directory: join(root, "dist/console") };
  return { name, bindings, compatibilityDate, durableObjects, serviceBindings, assets, email };
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
