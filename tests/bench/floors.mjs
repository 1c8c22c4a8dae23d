// The Workers that the deployment is compared with: what a request costs in JavaScript if nothing
// is checked.
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { withPid } from "./cpu.mjs";
import { COMPATIBILITY_DATE, origin } from "./deployment.mjs";

/**
 * Starts one workerd with `copies` Workers of one script. With `proxies` the origin is there too,
 * as `env.ORIGIN`.
 */
export async function startFloor(script, { copies = 1, proxies = false } = {}) {
  const workers = Array.from({ length: copies }, (_, copy) => ({
    name: `floor-${copy}`,
    compatibilityDate: COMPATIBILITY_DATE,
    modules: true,
    script,
    serviceBindings: proxies ? { ORIGIN: origin.name } : {},
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  }));
  const miniflare = await withPid(async () => {
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({ cf: false, workers: proxies ? [...workers, origin] : workers }),
    );
    await miniflare.ready;
    return miniflare;
  });
  const ports = await Promise.all(
    workers.map(async ({ name }) => Number((await miniflare.unsafeGetDirectURL(name)).port)),
  );
  return { pid: miniflare.pid, port: ports[0], ports, dispose: () => miniflare.dispose() };
}

/** The smallest Worker there is. */
export const ONE_LINE = `export default { fetch: () => new Response("ok") }`;

/** The barest proxy. */
export const BARE_PROXY = `export default { fetch: (request, env) => env.ORIGIN.fetch(request) }`;

/**
 * Returns a Worker that answers these bytes to every request. `response` is a response as it came
 * over the wire. Its headers stand in an object: as a list of pairs they would cost the floor some
 * 10 µs more.
 */
export function answering(response) {
  const [head, body] = response.split("\r\n\r\n", 2);
  const [first, ...lines] = head.split("\r\n");
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (!["content-length", "transfer-encoding", "connection", "date"].includes(name))
      headers[name] = line.slice(colon + 1).trim();
  }
  const init = JSON.stringify({ status: Number(first.split(" ")[1]), headers });
  return `const init = ${init}, body = ${body ? JSON.stringify(body) : "null"};
    export default { fetch: () => new Response(body, init) };`;
}

/** A proxy that removes and sets headers as the deployment does. */
export function proxying({ remove, set }) {
  return `const remove = ${JSON.stringify(remove)}, set = ${JSON.stringify(set)};
    export default {
      fetch(request, env) {
        const onward = new Request(request);
        for (const name of remove) onward.headers.delete(name);
        for (const [name, value] of set) onward.headers.set(name, value);
        return env.ORIGIN.fetch(onward);
      },
    };`;
}

/**
 * Returns what the deployment does to headers, from what reaches the origin through it and through
 * the barest proxy.
 */
export function changesOf(through, past) {
  const before = new Map(past);
  const after = new Map(through);
  return {
    remove: [...before.keys()].filter((name) => !after.has(name)),
    set: [...after].filter(([name, value]) => before.get(name) !== value),
  };
}
