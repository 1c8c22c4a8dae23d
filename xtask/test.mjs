// `npm test`: every check there is.
//   npm test -- [stage…]     only these stages, and what they need
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { Failure, build, run, script, setUp } from "./setup.mjs";

const CLIPPY = ["clippy", "--locked"];
const EDGE = ["--package", "claviger", "--lib", "--features", "edge", "--target", "wasm32-unknown-unknown"];

/** In order; `needsBuild` where the stage loads what `build` makes. */
const stages = [
  { name: "format", run: () => run("cargo", ["fmt", "--all", "--check"]) },
  { name: "clippy", run: () => run("cargo", [...CLIPPY, "--workspace", "--all-targets", "--", "-D", "warnings"]) },
  { name: "clippy-wasm", run: () => run("cargo", [...CLIPPY, ...EDGE, "--", "-D", "warnings"]) },
  { name: "doc", run: () => run("cargo", ["doc", "--locked", "--no-deps", "--document-private-items", ...EDGE]) },
  { name: "rust", run: () => run("cargo", ["test", "--locked", "--workspace"]) },
  { name: "lint", run: () => run("eslint", ["."]) },
  { name: "worker", needsBuild: true, run: () => nodeTests("tests/worker") },
  { name: "browser", needsBuild: true, run: () => nodeTests("tests/browser", { CHROMIUM: chromium() }) },
  {
    name: "deploy",
    run() {
      run("node", ["xtask/deploy.mjs", "--dry-run"]);
      // wasm-opt has rewritten the wasm: what recovers from a trap must have survived that.
      run("node", ["--test", "tests/worker/shell.test.mjs"]);
    },
  },
];

await script(async () => {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !stages.some((stage) => stage.name === name));
  if (unknown) throw new Failure(`no stage ${unknown}: ${stages.map(({ name }) => name).join(", ")}`);
  const chosen = stages.filter(({ name }) => names.length === 0 || names.includes(name));

  await setUp();
  if (chosen.some(({ needsBuild }) => needsBuild)) await build();

  const results = [];
  for (const stage of chosen) results.push(attempt(stage));
  for (const { name, seconds, error } of results) {
    console.log(`${error ? "✘" : "✔"} ${name.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s   ${error?.message ?? ""}`);
  }
  const failed = results.filter(({ error }) => error).length;
  console.log(`\nstages: ${results.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
});

/** Runs one stage; the others run whatever becomes of it. */
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

function nodeTests(directory, env) {
  run("node", ["--test", `${directory}/*.test.mjs`], env);
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
  if (process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0) {
    run("apt-get", ["update", "--quiet=2"]);
    run("apt-get", ["install", "--yes", "--quiet=2", "--no-install-recommends", "chromium"]);
    return "/usr/bin/chromium";
  }
  throw new Failure("no Chromium: install it, or name one by the environment variable CHROMIUM");
}
