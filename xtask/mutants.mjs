// `npm run mutants -- <wing> [--shard K/N]`: changes one operator or function of a wing at a time,
// and runs the tests on each. First the unit tests of the wing, which are quick; on what these let
// pass all unit tests of its crate; then the tests that cross crates. A mutant that passes all of
// them has to stand in the wing's `mutants.md`, with the reason why no test can tell it from the
// code.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { Failure, environment, output, root, script } from "./setup.mjs";

const CORE = { crate: "claviger-core", folder: "src/core" };
const LEDGER = { crate: "claviger-control", folder: "src/control" };

/** Runs that plant bugs of their own prove nothing about a mutant. */
const SIMULATION = ["--test", "simulation", "--", "the_promises", "scenes"];

/**
 * The wings, and the tests beyond their crate that reach them.
 * @type {Record<string, { crate: string, folder: string, beyond: string[][] }>}
 */
export const WINGS = {
  credential: {
    ...CORE,
    beyond: [
      ["--test", "vectors"],
      ["--test", "ledger"],
    ],
  },
  replication: { ...CORE, beyond: [["--test", "protocol"], ["--test", "ledger"], SIMULATION] },
  verify: { ...CORE, beyond: [SIMULATION] },
  lease: { ...CORE, beyond: [SIMULATION] },
  gateway: { ...CORE, beyond: [["--test", "fuzz_seeds"], SIMULATION] },
  ledger: { ...LEDGER, beyond: [["--test", "ledger"], SIMULATION] },
};

/** A test that other work slows down is no mutant that hangs: a wait of two minutes tells them apart. */
const PATIENCE = ["--minimum-test-timeout", "120"];

/**
 * Beyond the crate: without a first run on the code as it stands, for which cargo-mutants looks for
 * the tests in the mutant's own crate; so the limit is stated.
 */
const BEYOND = ["--baseline", "skip", "--timeout", "900", "--test-package", "claviger"];

/** @typedef {{ file: string, name: string, mutant: string, line: string }} Mutant */

/**
 * Runs cargo-mutants and returns what its tests let pass.
 * @param {string} wing
 * @param {string} name of the run, which is the folder of its logs
 * @param {string[]} args
 * @returns {Mutant[]}
 */
function survivors(wing, name, args) {
  const { crate, folder } = WINGS[wing];
  const logs = join(root, "target/mutation", wing, name);
  rmSync(logs, { recursive: true, force: true });
  mkdirSync(logs, { recursive: true });
  const all = ["mutants", "-p", crate, "-f", `${folder}/${wing}/**`, "--profile", "mutants", "-o", logs, ...args];
  const { status } = spawnSync("cargo", all, { cwd: root, env: environment, stdio: "inherit" });
  const outcomes = join(logs, "mutants.out/outcomes.json");
  // 2: a mutant was missed. 3: one ran out of time, which counts as caught: it hangs.
  if (![0, 2, 3].includes(status ?? -1) || !existsSync(outcomes)) {
    throw new Failure(`cargo mutants ended with ${status}; its logs are in ${logs}`);
  }
  /** @type {{ outcomes: { summary: string, scenario: any }[] }} */
  const { outcomes: ended } = JSON.parse(readFileSync(outcomes, "utf8"));
  return ended
    .filter(({ summary }) => summary === "MissedMutant")
    .map(({ scenario: { Mutant: mutant } }) => ({
      file: mutant.file.slice(`${folder}/${wing}/`.length),
      name: mutant.name,
      mutant: mutant.name.replace(/^[^ ]+:\d+:\d+: /, ""),
      line: lines(mutant.file)[mutant.span.start.line - 1].trim(),
    }));
}

/** @param {string} file */
function lines(file) {
  return readFileSync(join(root, file), "utf8").split("\n");
}

/**
 * The rows of the wing's table.
 * @param {string} wing
 * @returns {string[][]} file, mutant and line
 */
function explained(wing) {
  const table = join(WINGS[wing].folder, wing, "mutants.md");
  if (!existsSync(join(root, table))) return [];
  return lines(table)
    .filter((row) => row.startsWith("| `"))
    .map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/^`|`$/g, "").replaceAll("\\|", "|")))
    .map(([, file, mutant, line]) => [file, mutant, line]);
}

/** @param {string} text */
const literally = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

await script(() => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { shard: { type: "string" }, jobs: { type: "string", default: "2" } },
  });
  const [wing] = positionals;
  if (!WINGS[wing]) throw new Failure(`one of ${Object.keys(WINGS).join(", ")} is wanted`);
  if (output("cargo", ["mutants", "--version"]) === undefined) {
    throw new Failure("cargo-mutants is missing: cargo install --locked cargo-mutants");
  }
  const { beyond } = WINGS[wing];
  const shard = values.shard ? ["--shard", values.shard] : [];
  const own = ["-j", values.jobs, ...PATIENCE];
  let left = survivors(wing, "wing", [...own, ...shard, "--", "--lib", `${wing}::`]);
  const those = () => left.flatMap(({ name }) => ["-F", `^${literally(name)}$`]);
  if (left.length > 0) left = survivors(wing, "crate", [...own, ...those(), "--", "--lib"]);
  for (const [number, tests] of beyond.entries()) {
    if (left.length === 0) break;
    const again = those();
    // The simulation is slow without optimisation.
    const quick = ["-C", "--config=profile.mutants.opt-level=1"];
    left = survivors(wing, `beyond-${number}`, ["-j", "1", ...again, ...quick, ...BEYOND, "--", ...tests]);
  }
  const table = explained(wing);
  const open = left.filter(
    (mutant) =>
      !table.some(([file, text, line]) => file === mutant.file && text === mutant.mutant && line === mutant.line),
  );
  console.log(`\n${wing}: ${left.length} mutants pass all tests, ${left.length - open.length} of them explained`);
  for (const { file, mutant, line } of open) console.log(`| \`${file}\` | \`${mutant}\` | \`${line}\` | |`);
  if (open.length > 0) throw new Failure(`${dirname(`${WINGS[wing].folder}/${wing}/x`)}/mutants.md lacks them`);
});
