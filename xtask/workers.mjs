// The two Workers' configurations, both made of the one wrangler.toml: what an operator fills in
// stands in one place.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./setup.mjs";

/** Variables that both Workers read. */
export const SHARED = ["PREFIX", "CONSOLE_ORIGIN", "RULES", "FRESHNESS", "OUTAGE"];

/** wrangler.toml, or its `[env.<name>]`, as wrangler reads it. */
export async function readConfig({ file = join(root, "wrangler.toml"), env } = {}) {
  // Read when wrangler loads: its own warnings come with the deployment.
  process.env.WRANGLER_LOG ??= "error";
  const { unstable_readConfig } = await import("wrangler");
  return unstable_readConfig({ config: file, env }, { hideWarnings: true });
}

/**
 * The configurations of both Workers. Paths are as seen from `dist/<worker>`.
 * `kv` names the namespace that both use; without it, the one that wrangler.toml names.
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

/** Writes both configurations, each beside its Worker's bundle below `dist`. Gives their paths. */
export function writeConfigs({ edge, admin }, dist = join(root, "dist")) {
  return Object.fromEntries(
    Object.entries({ edge, admin }).map(([worker, config]) => {
      const directory = join(dist, worker);
      mkdirSync(directory, { recursive: true });
      const file = join(directory, "wrangler.json");
      writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
      return [worker, file];
    }),
  );
}

/** Where wrangler looks for the secrets of each configuration. */
export const besideConfigs = ({ edge, admin }) => [edge, admin].map((config) => join(dirname(config), ".dev.vars"));

/** Writes files for their owner alone, and removes them when this process ends, however it ends but by SIGKILL. */
export function keepWhileRunning(files, texts) {
  process.on("exit", () => files.forEach((file) => rmSync(file, { force: true })));
  files.forEach((file, index) => {
    // An older file would keep its mode.
    rmSync(file, { force: true });
    writeFileSync(file, texts[index], { mode: 0o600 });
  });
}

/** Without what is `undefined`. */
const defined = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
