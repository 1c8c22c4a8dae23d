// What has to be there before anything runs. Needs Node 20, npm and rustup, and nothing installed.
import { spawnSync } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** The project's own tools first: among them, where npm has one, a Node that wrangler accepts. */
export const environment = {
  ...process.env,
  PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter),
  // No telemetry, no questions, no look for newer versions, no sample of Cloudflare's view of a
  // client.
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

/** A failure that is told in one line. */
export class Failure extends Error {}

/**
 * Runs a program from the project's root and shows what it prints. Throws when it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env variables over those of `environment`
 */
export function run(command, args, env = {}) {
  const { error, status, signal } = spawnSync(command, args, {
    cwd: root,
    env: { ...environment, ...env },
    stdio: "inherit",
    // npm and its tools are batch files there.
    shell: process.platform === "win32",
  });
  if (error) throw new Failure(`${command} does not start: ${error.message}`);
  if (status !== 0) throw new Failure(`\`${[command, ...args].join(" ")}\` ended with ${signal ?? status}`);
}

/**
 * Returns what a program prints, or `undefined` when it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env variables over those of `environment`
 */
export function output(command, args, env = {}) {
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    env: { ...environment, ...env },
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * Carries out a step, and prints its name and how long it took.
 * @template T
 * @param {string} name
 * @param {() => T | Promise<T>} action
 */
export async function step(name, action) {
  console.log(`▸ ${name}`);
  const begun = performance.now();
  const result = await action();
  console.log(`  ${name}: ${((performance.now() - begun) / 1000).toFixed(1)} s\n`);
  return result;
}

/**
 * Runs `main`; a failure is one line and exit code 1.
 * @param {() => void | Promise<void>} main
 */
export async function script(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Failure ? `✘ ${error.message}` : error);
    process.exitCode = 1;
  }
}

/** npm's packages, the wasm target, and the Rust half of the build. */
export async function setUp() {
  const installed = join(root, "node_modules/.package-lock.json");
  const lock = join(root, "package-lock.json");
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
    await step("npm packages", () => run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]));
  }
  requireNode();

  const targets = output("rustup", ["target", "list", "--installed"]);
  if (targets === undefined) throw new Failure("rustup is missing: https://rustup.rs");
  if (!targets.split("\n").includes("wasm32-unknown-unknown")) {
    await step("Rust's wasm target", () => run("rustup", ["target", "add", "wasm32-unknown-unknown"]));
  }
  await step("build tools", () => run("cargo", ["build", "--locked", "--package", "xtask"]));
}

export async function build() {
  await step("wasm", () => run("node", ["xtask/build.mjs", "wasm"]));
  await step("Workers and console", () => run("node", ["xtask/build.mjs", "workers", "console"]));
}

/**
 * Writes the secrets of a first run to a file that only its owner reads.
 * @param {string} file
 */
export function writeSecrets(file) {
  const ring = output("cargo", ["run", "--locked", "--quiet", "--package", "xtask", "--", "secrets"]);
  if (!ring) throw new Failure("no secrets could be made");
  writeFileSync(file, `MASTER_SECRET='${ring}'\n`, { mode: 0o600, flag: "wx" });
}

function requireNode() {
  const version = output("node", ["--version"]) ?? "";
  const [major, minor] = version.slice(1).split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 12)) return;
  throw new Failure(`Node 22.12 or newer is needed, and npm has none for this platform; here is ${version || "none"}`);
}
