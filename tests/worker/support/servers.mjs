// Real servers as child processes, by the configurations of docs/ with their addresses, ports and files replaced.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const DOCS = fileURLToPath(new URL("../../../docs", import.meta.url));

/** A port of this machine that nothing listens at. */
export async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Reads a configuration and replaces texts in it, each of which must occur. `name` is its path below `docs`. */
export async function configuration(name, replaced) {
  let text = await readFile(join(DOCS, name), "utf8");
  for (const [from, to] of replaced) {
    assert.ok(text.includes(from), `${name} has ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** Settings of nginx that keep its files in one folder. */
export const inFolder = (dir) =>
  `access_log off; client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; ` +
  `fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;`;

/**
 * Starts a program that stays in the foreground. Resolves once it listens at each of the ports of 127.0.0.1, or sockets of the file
 * system. `group`: its processes are a group, which is ended as one.
 */
export async function startServer([program, ...args], { env, places, group = false }) {
  const stdio = ["ignore", "pipe", "pipe"];
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio, detached: group });
  const end = () => process.kill(group ? -child.pid : child.pid, "SIGTERM");
  const log = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => log.push(`${data}`));
  const ended = once(child, "exit");
  if (group) {
    process.on("exit", end);
    ended.finally(() => process.off("exit", end));
  }
  await Promise.race([
    Promise.all(places.map(listening)),
    ended.then(() => Promise.reject(new Error(`${program} ended: ${log.join("")}`))),
    once(child, "error").then(([error]) => Promise.reject(error)),
  ]);
  return {
    log: () => log.join(""),
    async stop() {
      if (child.exitCode === null) end();
      await ended;
    },
  };
}

/** Waits until something listens at a port or a socket of the file system. */
async function listening(place) {
  for (const end = Date.now() + 20_000; ;) {
    const socket = typeof place === "number" ? net.connect(place, "127.0.0.1") : net.connect(place);
    const isOpen = await new Promise((resolve) => {
      socket.on("connect", () => resolve(true));
      socket.on("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    if (Date.now() > end) throw new Error(`nothing listens at ${place}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
