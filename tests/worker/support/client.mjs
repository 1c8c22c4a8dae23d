// HTTP as a test wants it: any Host at 127.0.0.1, repeated headers, paths as they are, streams both
// ways. (Node's fetch sets Host itself, joins headers, normalises paths, and does not resolve
// `api.localhost`.)
import http from "node:http";
import net from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import WebSocket from "ws";

/**
 * How often a request is sent, if a write of its body fails. workerd closes the connection behind an answer that came
 * before the body's end; Node throws away an answer that it has not read by then.
 */
const ATTEMPTS = 5;

/**
 * Sends one request. `init` takes `method`, `headers` (an object, or pairs when a name repeats), `body`
 * (text, bytes or an async iterable of them), `signal`, and `agent` to share connections. Resolves when the
 * head of the answer is here.
 */
export async function request(port, host, path, init = {}) {
  const repeatable = typeof init.body === "string" || init.body instanceof Uint8Array;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await requestOnce(port, host, path, init);
    } catch (error) {
      if (error.code !== "EPIPE" || !repeatable || attempt === ATTEMPTS) throw error;
    }
  }
}

function requestOnce(port, host, path, { method = "GET", headers = [], body, signal, agent = false }) {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  const head = [["host", host], ...pairs];
  // A body of known length is sent with it, as clients do; a stream is sent in chunks.
  if (typeof body === "string" || body instanceof Uint8Array)
    head.push(["content-length", `${Buffer.byteLength(body)}`]);
  else if (body && !pairs.some(([name]) => name === "content-length")) head.push(["transfer-encoding", "chunked"]);
  return new Promise((resolve, reject) => {
    const outgoing = http.request({ host: "127.0.0.1", port, path, method, headers: head.flat(), signal, agent });
    outgoing.on("response", (incoming) => resolve(answer(incoming)));
    outgoing.on("error", reject);
    if (typeof body === "string" || body instanceof Uint8Array || !body) outgoing.end(body);
    else Readable.from(body).pipe(outgoing);
  });
}

function answer(incoming) {
  let whole;
  return {
    status: incoming.statusCode,
    /** Names in lower case; `set-cookie` is a list. */
    headers: incoming.headers,
    /** The body, as it comes. */
    body: incoming,
    text: () => (whole ??= text(incoming)),
    async json() {
      return JSON.parse(await this.text());
    },
  };
}

/** Sends bytes as they are, for what no HTTP client would send, and resolves to the answer's text, head and all. */
export function raw(port, bytes) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.end(bytes));
    text(socket).then(resolve, reject);
    socket.on("error", reject);
  });
}

/** Opens a WebSocket. Resolves when it is open; rejects with `status` in the error when it is refused. */
export function webSocket(port, host, path, headers = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { ...headers, host } });
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve(socket));
    socket.on("unexpected-response", (_, { statusCode: status }) =>
      reject(Object.assign(new Error(`${status}`), { status })),
    );
    socket.on("error", reject);
  });
}
