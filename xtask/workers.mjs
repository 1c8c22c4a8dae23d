// The two Workers' configurations, both made of the one wrangler.toml: what an operator fills in
// stands in one place.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./setup.mjs";

/** Variables that both Workers read. */
export const SHARED = ["PREFIX", "CONSOLE_ORIGIN", "RULES", "FRESHNESS", "OUTAGE"];

/** @typedef {import("wrangler").Unstable_Config} Config */
/**
 * Both Workers' configurations, or whatever there is one of for each.
 * @template T
 * @typedef {{edge: T, admin: T}} Both
 */

/**
 * Returns wrangler.toml, or its `[env.<name>]`, as wrangler reads it.
 * @param {{file?: string, env?: string}} source
 */
export async function readConfig({ file = join(root, "wrangler.toml"), env } = {}) {
  // Read when wrangler loads: its own warnings come with the deployment.
  process.env.WRANGLER_LOG ??= "error";
  const { unstable_readConfig } = await import("wrangler");
  return unstable_readConfig({ config: file, env }, { hideWarnings: true });
}

/**
 * Returns the configurations of both Workers. Paths are as seen from `dist/<worker>`.
 * `kv` names the namespace that both use; without it, the one that wrangler.toml names.
 * @param {Config} config
 * @param {{kv?: string, vars?: Record<string, unknown>}} over
 * @returns {Both<Record<string, unknown>>}
 */
export function split(config, { kv, vars = {} } = {}) {
  const all = { ...config.vars, ...vars };
  const namespaces = config.kv_namespaces.map((namespace) => (kv ? { ...namespace, id: kv } : namespace));
  const common = {
    main: "index.js",
    no_bundle: true,
    compatibility_date: config.compatibility_date,
    workers_dev: false,
    preview_urls: false,
    send_metrics: false,
    observability: config.observability,
    kv_namespaces: namespaces,
  };
  const { name } = config;
  const edge = {
    ...common,
    name: `${name}-edge`,
    routes: config.routes,
    services: [...(config.services ?? []), { binding: "ADMIN", service: name }],
    durable_objects: { bindings: [{ name: "LEDGER", class_name: "Ledger", script_name: name }] },
    secrets: { required: ["EDGE_KEYS"] },
    vars: Object.fromEntries(SHARED.flatMap((key) => (key in all ? [[key, all[key]]] : []))),
  };
  const admin = {
    ...common,
    name,
    assets: { ...config.assets, directory: "../console" },
    durable_objects: config.durable_objects,
    migrations: config.migrations,
    send_email: config.send_email,
    secrets: config.secrets,
    vars: all,
  };
  return { edge: defined(edge), admin: defined(admin) };
}

/**
 * Writes both configurations, each beside its Worker's bundle below `dist`. Returns their paths.
 * @param {Both<object>} configs
 * @returns {Both<string>}
 */
export function writeConfigs({ edge, admin }, dist = join(root, "dist")) {
  /** @type {(worker: string, config: object) => string} */
  const write = (worker, config) => {
    const directory = join(dist, worker);
    mkdirSync(directory, { recursive: true });
    const file = join(directory, "wrangler.json");
    writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
    return file;
  };
  return { edge: write("edge", edge), admin: write("admin", admin) };
}

/**
 * Returns where wrangler looks for the secrets of each configuration.
 * @param {Both<string>} configs
 */
export const besideConfigs = ({ edge, admin }) => [edge, admin].map((config) => join(dirname(config), ".dev.vars"));

/**
 * Writes files for their owner alone, and removes them when this process ends, unless by SIGKILL.
 * @param {string[]} files
 * @param {string[]} texts
 */
export function keepWhileRunning(files, texts) {
  process.on("exit", () => files.forEach((file) => rmSync(file, { force: true })));
  files.forEach((file, index) => {
    // An older file would keep its mode.
    rmSync(file, { force: true });
    writeFileSync(file, texts[index], { mode: 0o600 });
  });
}

/**
 * Returns the members that are not `undefined`.
 * @param {Record<string, unknown>} object
 */
const defined = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
