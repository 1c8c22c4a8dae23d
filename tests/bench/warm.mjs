// What a warm verification costs: CPU of workerd per request, side by side with a Worker that
// answers the same bytes and checks nothing. Both run at once, in processes of their own, and are
// asked in turns; the median of the turns counts. npm run bench -- [--turns N] [--requests N] Linux
// only: it reads /proc
import { readFileSync, readdirSync } from "node:fs";
import http from "node:http";
import { parseArgs } from "node:util";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { request } from "../worker/support/client.mjs";
import { API, CALLER, begin } from "../worker/support/journey.mjs";

const { values } = parseArgs({ options: { turns: { type: "string", default: "7" }, requests: { type: "string", default: "20000" } } });
const turns = Number(values.turns);
const requests = Number(values.requests);
const PARALLEL = 16;

/** The workerds that this process has started. */
const children = () =>
  readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && status(pid)?.parent === process.pid)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0].endsWith("workerd"))
    .map(Number);

function status(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}

/** Starts something and finds the process that came with it. */
async function withProcess(start) {
  const before = new Set(children());
  const started = await start();
  return { started, pid: children().find((pid) => !before.has(pid)) };
}

const { started: journey, pid: claviger } = await withProcess(() => begin({ entry: "src/edge/entry.js", assets: false }));
const { credential } = await journey.issue({ permissions: ["demo:read"], networks: ["203.0.113.0/24"] });
const headers = { authorization: `Bearer ${credential}`, "cf-connecting-ip": CALLER };
// The last of the checks refuses, so that no origin is in the figure: tag, digest, record, expiry,
// network, permission.
const refused = await journey.worker.fetch(API, "/admin/x", { headers });
const body = await refused.text();
const answer = JSON.stringify({
  status: refused.status,
  headers: Object.entries(refused.headers).filter(([name]) => !["content-length", "date", "connection"].includes(name)),
});
const { started: floor, pid: nothing } = await withProcess(async () => {
  const script = `const init = ${answer}, body = ${JSON.stringify(body)};
    export default { fetch: () => new Response(body, init) };`;
  const miniflare = new Miniflare(convertV4MiniflareOptions({
    cf: false,
    workers: [{ name: "floor", modules: true, script, compatibilityDate: "2026-10-20", unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] }],
  }));
  await miniflare.ready;
  return { miniflare, port: Number((await miniflare.unsafeGetDirectURL("floor")).port) };
});

const agents = new Map();
/** Sends so many requests, and gives the microseconds of CPU that each took. */
async function measure(pid, port, count) {
  const agent = agents.get(port) ?? new http.Agent({ keepAlive: true, maxSockets: PARALLEL });
  agents.set(port, agent);
  const before = status(pid).ticks;
  let left = count;
  const ask = async () => {
    while (left-- > 0) {
      const got = await request(port, API, "/admin/x", { headers, agent });
      await got.text();
      if (got.status !== 403) throw new Error(`status ${got.status}`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, ask));
  // A tick is 10 ms.
  return ((status(pid).ticks - before) * 10_000) / count;
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const ours = [];
const theirs = [];
for (let turn = -1; turn < turns; turn++) {
  const [ourUs, theirUs] = [
    await measure(claviger, journey.worker.port, requests),
    await measure(nothing, floor.port, requests),
  ];
  // The first turn warms both up.
  if (turn < 0) continue;
  ours.push(ourUs);
  theirs.push(theirUs);
}
console.log(`checks nothing  ${median(theirs).toFixed(1)} µs CPU a request`);
console.log(`claviger, warm  ${median(ours).toFixed(1)} µs CPU a request`);
console.log(`ratio           ${(median(ours) / median(theirs)).toFixed(2)}   (${turns} turns of ${requests} requests each)`);
for (const agent of agents.values()) agent.destroy();
await floor.miniflare.dispose();
await journey.dispose();
