// The one-time link by which the first member joins, as the operator's terminal prints it.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** @param {string} origin the console's @param {string} ring the Worker's master secret */
export function setupLink(origin, ring) {
  const args = ["run", "--locked", "--quiet", "--package", "xtask", "--", "setup-link", origin];
  return execFileSync("cargo", args, { cwd: root, env: { ...process.env, MASTER_SECRET: ring }, encoding: "utf8" }).trim();
}
