// HTTP as a test wants it: any Host at 127.0.0.1, repeated headers, paths as they are, streams both ways.
// (Node's fetch sets Host itself, joins headers, normalises paths, and does not resolve `api.localhost`.)
import http from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import WebSocket from "ws";

/**
 * Sends one request. `init` takes `method`, `headers` (an object, or pairs when a name repeats), `body`
 * (text, bytes or an async iterable of them) and `signal`. Resolves when the head of the answer is here.
 */
export function request(port, host, path, { method = "GET", headers = [], body, signal } = {}) {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  const head = [["host", host], ...pairs];
  // A body of known length is sent with it, as clients do; a stream is sent in chunks.
  if (typeof body === "string" || body instanceof Uint8Array) head.push(["content-length", `${Buffer.byteLength(body)}`]);
  else if (body) head.push(["transfer-encoding", "chunked"]);
  return new Promise((resolve, reject) => {
    const outgoing = http.request({ host: "127.0.0.1", port, path, method, headers: head.flat(), signal, agent: false });
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

/** Opens a WebSocket. Resolves when it is open. */
export function webSocket(port, host, path, headers = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { ...headers, host } });
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve(socket));
    socket.on("error", reject);
  });
}
