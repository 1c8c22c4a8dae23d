// A load generator that costs little: a few sockets, each with one request in flight, no HTTP
// library.
import net from "node:net";

/**
 * Headers as a browser and the platform send them, without `host` and `authorization`, which make
 * them twelve.
 */
const COMMON_HEADERS = [
  [
    "user-agent",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36",
  ],
  ["accept", "application/json, text/plain, */*"],
  ["accept-encoding", "gzip, br"],
  ["accept-language", "en-GB,en;q=0.9,ja;q=0.8"],
  ["sec-ch-ua", '"Chromium";v="146", "Not)A;Brand";v="24", "Google Chrome";v="146"'],
  ["sec-fetch-mode", "cors"],
  ["cf-connecting-ip", "203.0.113.7"],
  ["cf-ipcountry", "JP"],
  ["cf-ray", "9a1b2c3d4e5f6a7b-NRT"],
  ["cf-visitor", '{"scheme":"https"}'],
];

/** The address in `COMMON_HEADERS`. */
export const CALLER = "203.0.113.7";

/** The network of that address, which a key must allow. */
export const CALLER_NETWORK = "203.0.113.0/24";

/** Returns the bytes of a GET with the twelve headers, and more. */
export function get(host, path, credential, more = [], scheme = "Bearer") {
  const headers = [["host", host], ...COMMON_HEADERS, ["authorization", `${scheme} ${credential}`], ...more];
  return [`GET ${path} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n");
}

export const HEADER_NAMES = ["host", ...COMMON_HEADERS.map(([name]) => name), "authorization"];

/**
 * Returns the length of the response that `text` begins with, or `undefined` while its end is
 * missing.
 */
function lengthOf(text) {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const body = head + 4;
  const announced = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head));
  if (announced) return text.length >= body + Number(announced[1]) ? body + Number(announced[1]) : undefined;
  if (/\r\ntransfer-encoding: *chunked/i.test(text.slice(0, head))) {
    const end = text.indexOf("\r\n0\r\n\r\n", head + 2);
    return end < 0 ? undefined : end + 7;
  }
  throw new Error(`a response without a length: ${text.slice(0, head)}`);
}

/**
 * Keep-alive connections to one port. workerd closes those that are idle for 5 s: keep none for
 * later.
 */
export class Connections {
  #sockets;

  constructor(sockets) {
    this.#sockets = sockets;
  }

  static async open(port, count) {
    const sockets = Array.from({ length: count }, () =>
      net.connect(port, "127.0.0.1").setNoDelay(true).setEncoding("latin1"),
    );
    await Promise.all(
      sockets.map((socket) => new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject))),
    );
    return new Connections(sockets);
  }

  /**
   * Sends a request `count` times, one at a time over each socket. Rejects if `check` throws on a
   * response's text.
   */
  async send(request, count, check) {
    let left = count;
    const ask = (socket) =>
      new Promise((resolve, reject) => {
        let text = "";
        const next = () => {
          if (left <= 0) return finish(resolve);
          left -= 1;
          socket.write(request, "latin1");
        };
        const data = (piece) => {
          text += piece;
          try {
            const length = lengthOf(text);
            if (length === undefined) return;
            if (length !== text.length) throw new Error("more was answered than asked");
            check(text);
          } catch (error) {
            return finish(reject, error);
          }
          text = "";
          next();
        };
        const fail = (error) => finish(reject, error || new Error("the connection was closed"));
        const finish = (settle, value) => {
          socket.off("data", data).off("error", fail).off("close", fail);
          settle(value);
        };
        socket.on("data", data).on("error", fail).on("close", fail);
        if (socket.closed) fail();
        else next();
      });
    await Promise.all(this.#sockets.map(ask));
  }

  close() {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Sends one request over a connection of its own, and resolves to the text of the response. */
export async function exchange(port, request) {
  const connections = await Connections.open(port, 1);
  try {
    let response;
    await connections.send(request, 1, (text) => (response = text));
    return response;
  } finally {
    connections.close();
  }
}

/** Returns a check that a response has this status. */
export const status = (expected) => (text) => {
  if (text.slice(9, 12) !== `${expected}`) throw new Error(`expected ${expected}, got ${text.slice(0, 300)}`);
};
