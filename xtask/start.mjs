// `npm start`: from a fresh clone to a running Claviger with a demo API behind it.
//   npm start -- [--port N]
// CLAVIGER_STATE names another directory for state and secrets; the tests use one of their own.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Failure, build, environment, output, root, script, setUp, step, writeSecrets } from "./setup.mjs";
import { besideConfigs, keepWhileRunning, readConfig, split, writeConfigs } from "./workers.mjs";

const HOST = "127.0.0.1";

await script(async () => {
  const { values } = parseArgs({ options: { port: { type: "string", default: "8787" } } });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Failure(`${values.port} is no port`);
  await requireFree(port);

  const elsewhere = process.env.CLAVIGER_STATE && resolve(process.env.CLAVIGER_STATE);
  if (elsewhere) mkdirSync(elsewhere, { recursive: true });
  const state = elsewhere ?? join(root, ".wrangler/state");
  const secrets = join(elsewhere ?? root, ".dev.vars");

  await setUp();
  if (!existsSync(secrets)) await step("secrets of the first run", () => writeSecrets(secrets));
  await build();
  const origin = `http://localhost:${port}`;
  const ring = ringIn(secrets);
  const configs = writeConfigs(split(await readConfig(), { kv: "KEYS", vars: { CONSOLE_ORIGIN: origin } }));
  writeWorkerSecrets(configs, ring);
  const server = await step("workerd", () => serve(port, state, configs));
  tell(port, origin, ring);
  await server.ended;
});

/** @param {number} port */
function requireFree(port) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", () => reject(new Failure(`port ${port} is taken; choose another with: npm start -- --port N`)));
    probe.listen(port, HOST, () => probe.close(resolve));
  });
}

/**
 * Returns the master secrets of this machine.
 * @param {string} secrets the file that holds them
 */
function ringIn(secrets) {
  const ring = /^MASTER_SECRET='(.*)'$/m.exec(readFileSync(secrets, "utf8"))?.[1];
  if (!ring) throw new Failure(`${secrets} holds no MASTER_SECRET='…'`);
  return ring;
}

/**
 * Gives each Worker its own secret alone: the edge the keys that are derived for it. wrangler reads
 * them beside each configuration, until this script ends.
 * @param {import("./workers.mjs").Both<string>} configs
 * @param {string} ring
 */
function writeWorkerSecrets({ edge, admin }, ring) {
  const keys = output("cargo", ["run", "--locked", "--quiet", "--package", "xtask", "--", "edge-keys"], {
    MASTER_SECRET: ring,
  });
  if (!keys) throw new Failure("MASTER_SECRET is refused: see above");
  keepWhileRunning(besideConfigs({ edge, admin }), [`EDGE_KEYS='${keys}'\n`, `MASTER_SECRET='${ring}'\n`]);
}

/**
 * Starts wrangler with both Workers and the demo API. Resolves when they answer; `ended` resolves
 * when all is stopped.
 * @param {number} port
 * @param {string} state directory of the objects' and KV's state
 * @param {import("./workers.mjs").Both<string>} configs
 * @returns {Promise<{ended: Promise<void>}>}
 */
function serve(port, state, { edge, admin }) {
  // The first is the one that answers on the port.
  const args = ["dev", "--config", edge, "--config", admin, "--config", "tests/origin/wrangler.toml"];
  args.push("--ip", HOST, "--port", `${port}`, "--inspector-port", "0", "--show-interactive-dev-session=false");
  args.push("--persist-to", state);
  // In a process group of its own: Ctrl-C reaches this script alone, which then ends all of them.
  const grouped = process.platform !== "win32";
  const child = spawn("node", ["node_modules/wrangler/bin/wrangler.js", ...args], {
    cwd: root,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: grouped,
  });
  const signal = (/** @type {NodeJS.Signals} */ name) => {
    try {
      if (grouped && child.pid) process.kill(-child.pid, name);
      else child.kill(name);
    } catch {
      // Nobody is left.
    }
  };

  /** @type {Promise<void>} */
  const ended = new Promise((resolve) => {
    child.on("exit", () => {
      signal("SIGKILL");
      resolve();
    });
  });
  const stop = () => {
    signal("SIGTERM");
    setTimeout(signal, 5000, "SIGKILL").unref();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, stop);
  // npm's shell passes no signal on when it is ended itself: then this script has another parent.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || stop(), 500).unref();

  return new Promise((resolve, reject) => {
    // What wrangler says while it starts matters only if it does not.
    /** @type {string[]} */
    const early = [];
    let ready = false;
    const show = (/** @type {string} */ line) => {
      if (ready) return console.log(line);
      early.push(line);
      if (!line.includes("Ready on http")) return;
      ready = true;
      resolve({ ended });
    };
    createInterface(child.stdout).on("line", show);
    createInterface(child.stderr).on("line", show);
    child.on("exit", () => {
      if (!ready) reject(new Failure(["wrangler ended before it was ready:", ...early].join("\n")));
    });
  });
}

/**
 * Prints where everything is.
 * @param {number} port
 * @param {string} origin of the console
 * @param {string} ring
 */
function tell(port, origin, ring) {
  const link = output("cargo", ["run", "--locked", "--quiet", "--package", "xtask", "--", "setup-link", origin], {
    MASTER_SECRET: ring,
  });
  console.log(`Console   ${origin}`);
  if (link) console.log(`Set-up    ${link}   (once, for the first member; its code comes by mail)`);
  console.log(`API       http://api.localhost:${port}`);
  console.log("Mail      .wrangler/tmp/email   (each message a file, which the log below names)");
  console.log(`Try       curl -i http://api.localhost:${port}/ -H "Authorization: Bearer <key>"`);
  console.log("\nCtrl-C stops it. What follows is its log.\n");
}
