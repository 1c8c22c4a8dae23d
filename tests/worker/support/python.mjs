// Programs of Python, with the packages that they call a deployment with.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Python's OAuth client, and what it calls with. The versions are fixed, so that no release of theirs breaks a test of ours. */
const PACKAGES = ["authlib==1.6.12", "requests==2.34.2"];

/** Installs the packages into a folder; resolves to the reason why that is not possible, if it is not. */
async function install(folder) {
  const run = promisify(execFile);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--target", folder];
  try {
    await run("python3", ["--version"]);
    await run("python3", ["-m", "pip", "--version"]);
    await run("python3", [...pip, ...PACKAGES], { timeout: 240_000 });
    return undefined;
  } catch (error) {
    return `no Python with ${PACKAGES.join(" and ")}: ${error.message.split("\n")[0]}`;
  }
}

/**
 * Runs a program of the fixtures with a task. Resolves to what it has `seen`, or to the `obstacle` that keeps it from being run.
 */
export async function runPython(t, name, task) {
  const folder = await mkdtemp(join(tmpdir(), "claviger-python-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const obstacle = await install(folder);
  if (obstacle) return { obstacle };
  const script = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
  const env = { ...process.env, PYTHONPATH: folder };
  const python = spawn("python3", [script], { env, stdio: ["pipe", "pipe", "pipe"] });
  python.stdin.end(JSON.stringify(task));
  const [out, err] = await Promise.all([text(python.stdout), text(python.stderr)]);
  assert.ok(out, err);
  return { seen: JSON.parse(out) };
}
