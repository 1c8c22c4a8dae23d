// `npm test`: every check there is.
//   npm test -- [stage…]     only these stages, and what they need
//   npm test -- core edge    parts of a stage, for work on one crate or Worker
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Failure, build, run, script, setUp } from "./setup.mjs";

const WORKERS = ["edge", "admin", "workers"].flatMap((name) => ["--package", `claviger-${name}`]);
const WASM = ["--target", "wasm32-unknown-unknown"];
const SNAPSHOTS = { INSTA_UPDATE: "no" };
const DENY = ["--", "-D", "warnings"];

/** Files that prettier formats; `npm run format` names the same. */
const FORMATTED = ["*.js", "src/workers/**/*.js", "tests/**/*.mjs", "www/src/**/*.{js,jsx}", "xtask/*.mjs"];

/** Folders whose JSDoc types tsc checks. */
const TYPED = ["www/src", "xtask"];

/** The Worker tests of what the edge does by itself: gateway, leases, verification, issuance. */
const EDGE_TESTS = [
  "attacks",
  "body",
  "forms",
  "freshness",
  "gateway",
  "issuers",
  "kv-writer",
  "link",
  "locations",
  "oauth",
  "oauth-clients",
  "proxies",
  "proxy-contracts",
  "refusals",
  "routes/issuance/*",
  "routes/sealed-keys/*",
  "routes/verify/*",
  "shell",
  "shelves",
  "smtp",
];

/** In order; `needsBuild` where the stage loads what `build` makes. */
const stages = [
  { name: "format", run: () => run("cargo", ["fmt", "--all", "--check"]) },
  { name: "prettier", run: () => run("prettier", ["--check", "--log-level", "warn", ...FORMATTED]) },
  { name: "lint", run: () => run("eslint", ["."]) },
  { name: "types", run: () => TYPED.forEach((folder) => run("tsc", ["--project", folder])) },
  { name: "clippy", run: () => run("cargo", ["clippy", "--locked", "--workspace", "--all-targets", ...DENY]) },
  { name: "clippy-wasm", run: () => run("cargo", ["clippy", "--locked", ...WORKERS, ...WASM, ...DENY]) },
  // The manifest denies rustdoc's lints.
  { name: "doc", run: () => run("cargo", ["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"]) },
  // A snapshot that differs fails, and no file is written.
  { name: "rust", run: () => run("cargo", ["test", "--locked", "--workspace"], SNAPSHOTS) },
  { name: "statistics", run: () => nodeTests(["tests/bench/statistics.test.mjs"]) },
  {
    name: "worker",
    needsBuild: true,
    run() {
      ensureServers();
      nodeTests(["tests/worker/**/*.test.mjs"]);
    },
  },
  {
    name: "browser",
    needsBuild: true,
    run: () => run("playwright", ["test", "--config", "tests/browser"], { CHROMIUM: chromium() }),
  },
  {
    name: "deploy",
    run() {
      run("node", ["xtask/deploy.mjs", "--dry-run"]);
      // wasm-opt has rewritten the wasm: what recovers from a trap must have survived that.
      nodeTests(["tests/worker/shell.test.mjs", "tests/release/*.test.mjs"]);
    },
  },
];

/** Parts of the stages above, which run only by name. */
const parts = [
  { name: "core", run: () => run("cargo", ["test", "--locked", "--package", "claviger-core"], SNAPSHOTS) },
  { name: "control", run: () => run("cargo", ["test", "--locked", "--package", "claviger-control"], SNAPSHOTS) },
  { name: "edge", needsBuild: true, run: () => nodeTests(EDGE_TESTS.map((name) => `tests/worker/${name}.test.mjs`)) },
];

/** The servers that the tests start, by the packages that bring them: a program to run, or a file of Debian's. */
const SERVERS = {
  nginx: ["nginx", "-v"],
  haproxy: ["haproxy", "-v"],
  caddy: ["caddy", "version"],
  "libnginx-mod-mail": "/usr/lib/nginx/modules/ngx_mail_module.so",
  postfix: ["postconf", "-d", "mail_version"],
  "dovecot-core": ["dovecot", "--version"],
  "dovecot-auth-lua": "/usr/lib/dovecot/modules/auth/libauthdb_lua.so",
  swaks: ["swaks", "--version"],
  // Without it, swaks has no TLS.
  "libnet-ssleay-perl": ["perl", "-MNet::SSLeay", "-e1"],
  openssl: ["openssl", "version"],
  python3: ["python3", "--version"],
};

await script(async () => {
  const names = process.argv.slice(2);
  const known = [...stages, ...parts];
  const unknown = names.find((name) => !known.some((stage) => stage.name === name));
  if (unknown) throw new Failure(`no stage ${unknown}: ${known.map(({ name }) => name).join(", ")}`);
  const chosen = names.length === 0 ? stages : known.filter(({ name }) => names.includes(name));

  await setUp();
  if (chosen.some(({ needsBuild }) => needsBuild)) await build();

  const results = [];
  for (const stage of chosen) results.push(attempt(stage));
  for (const { name, seconds, error } of results) {
    console.log(
      `${error ? "✘" : "✔"} ${name.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s   ${error?.message ?? ""}`,
    );
  }
  const failed = results.filter(({ error }) => error).length;
  console.log(`\nstages: ${results.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
});

/**
 * Runs one stage; the others run whatever becomes of it.
 * @param {{name: string, run: () => void}} stage
 */
function attempt({ name, run }) {
  console.log(`▸ ${name}`);
  const begun = performance.now();
  let error;
  try {
    run();
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    error = thrown;
    console.log(`✘ ${thrown.message}`);
  }
  const seconds = (performance.now() - begun) / 1000;
  console.log(`  ${name}: ${seconds.toFixed(1)} s\n`);
  return { name, seconds, error };
}

/**
 * Runs test files under Node.
 * @param {string[]} files
 */
function nodeTests(files) {
  // Node's own choice is one less than the cores. Files mostly wait, for workerd to start or for a
  // staleness bound to pass: two cores carry two files.
  const concurrency = Math.max(2, availableParallelism() - 1);
  run("node", ["--test", `--test-concurrency=${concurrency}`, ...files]);
}

/** Makes sure that the proxies and mail servers are there that the tests start. */
function ensureServers() {
  const missing = Object.entries(SERVERS)
    .filter(([, sign]) =>
      typeof sign === "string" ? !existsSync(sign) : spawnSync(sign[0], sign.slice(1)).status !== 0,
    )
    .map(([name]) => name);
  if (missing.length === 0) return;
  // Without an answer, the package would make this machine a mail server of the Internet.
  const answers = "postfix postfix/main_mailer_type select No configuration\n";
  if (missing.includes("postfix")) spawnSync("debconf-set-selections", { input: answers });
  if (!install(missing)) throw new Failure(`install ${missing.join(", ")}`);
}

/**
 * Installs packages of the distribution, and starts none of their services. Returns `false` where that cannot be done.
 * @param {string[]} packages
 */
function install(packages) {
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"]).status !== 0) return false;
  run("apt-get", ["update", "--quiet=2"]);
  // Packages start their services unless the system is not up. Another mail server must not go.
  const options = ["--yes", "--quiet=2", "--no-install-recommends", "--no-remove"];
  run("apt-get", ["install", ...options, ...packages], { RUNLEVEL: "1", DEBIAN_FRONTEND: "noninteractive" });
  return true;
}

/** A Chromium: one that is named, one that is there, or the distribution's. */
function chromium() {
  const found = [
    process.env.CHROMIUM,
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  ].find((path) => path && existsSync(path));
  if (found) return found;
  if (install(["chromium"])) return "/usr/bin/chromium";
  throw new Failure("no Chromium: install it, or name one by the environment variable CHROMIUM");
}
