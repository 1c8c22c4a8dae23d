// A key among the subprotocols of a WebSocket: the only place where a page can put one.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { chromium } from "@playwright/test";
import WebSocket from "ws";
import { API, CALLER, begin, expect } from "./support/journey.mjs";

let at;
let issued;
let key;
before(async () => {
  const rule = (path, more) => ({ host: API, path, origin: "DEMO", ...more });
  const places = ["authorization", "subprotocol"];
  at = await begin({
    rules: [
      rule("/*", { any_key: true }),
      rule("/sockets/*", { any_key: true, credentials: places }),
      rule("/socket", { any_key: true, credentials: places }),
      rule("/public/*", { public: true, credentials: ["subprotocol"] }),
    ],
  });
  issued = await at.issue();
  key = issued.credential;
});
after(() => at?.dispose());

/** Opens a WebSocket as the `ws` client does, which judges the handshake as browsers do. */
async function open(path, protocols, headers = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${at.worker.port}${path}`, protocols, {
    headers: { host: API, "cf-connecting-ip": CALLER, ...headers },
  });
  await new Promise((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
    socket.on("unexpected-response", (_, { statusCode }) => reject(new Error(`${statusCode}`)));
  });
  return socket;
}

/** What the demo origin saw of a plain request with this header. */
async function seen(offered, path = "/sockets/a") {
  const { body } = expect(await at.call(path, { headers: { "sec-websocket-protocol": offered } }), 200);
  return Object.fromEntries(body.headers);
}

describe("the key is taken out of the offer", () => {
  test("and what is left reaches the origin in its order", async () => {
    for (const [offered, rest] of [
      [key, undefined],
      [`claviger, ${key}`, undefined],
      [`chat, ${key}`, "chat"],
      [`${key},chat ,v2.chat`, "chat, v2.chat"],
      [`chat, ${key}, claviger, ${key}, x`, "chat, x"],
    ]) {
      const sent = await seen(offered);
      assert.equal(sent["sec-websocket-protocol"], rest, offered);
      assert.equal(sent["claviger-key"], issued.key.id);
      assert.doesNotMatch(JSON.stringify(sent), new RegExp(issued.access_secret));
    }
  });

  test("also behind a public rule", async () => {
    assert.equal((await seen(`chat, ${key}`, "/public/a"))["sec-websocket-protocol"], "chat");
  });

  test("and a rule that does not name the place does not take it", async () => {
    const refused = expect(await at.call("/a", { headers: { "sec-websocket-protocol": key } }), 401, "missing");
    assert.equal(refused.body.elsewhere, "header:sec-websocket-protocol");
  });

  test("a key that is none is refused, and several keys are ambiguous", async () => {
    const call = (offered, more) => at.call("/sockets/a", { headers: { "sec-websocket-protocol": offered, ...more } });
    expect(await call(`chat, ${key}x`), 401, "malformed");
    expect(await call("chat"), 401, "missing");
    expect(await call(`${key}, ${key}x`), 400, "ambiguous_credential");
    expect(await call(key, { authorization: `Bearer ${key}x` }), 400, "ambiguous_credential");
    expect(await call(key, { "x-api-key": `${key}x` }), 400, "ambiguous_credential");
    expect(await call(key, { authorization: `Bearer ${key}` }), 200);
    const { body } = await call("chat");
    assert.deepEqual(body.places, ["authorization", "subprotocol"]);
  });
});

describe("a handshake succeeds as the client expects", { timeout: 20_000 }, () => {
  /** Opens, sends, and resolves to the selected subprotocol and what comes back. */
  async function talk(path, protocols, headers) {
    const socket = await open(path, protocols, headers);
    socket.send("hello");
    const [data] = await once(socket, "message");
    socket.close();
    return [socket.protocol, String(data)];
  }

  test("with the subprotocol that the origin selects", async () => {
    assert.deepEqual(await talk("/socket", ["chat", key]), ["chat", "hello"]);
    assert.deepEqual(await talk("/socket", [key, "claviger", "chat", "v2"]), ["chat", "hello"]);
    assert.deepEqual(await talk("/socket?select=v2", ["chat", "v2", key]), ["v2", "hello"]);
  });

  test("with the edge's own, if the origin selects none", async () => {
    assert.deepEqual(await talk("/socket", ["claviger", key]), ["claviger", "hello"]);
    assert.deepEqual(await talk("/socket?select=", ["chat", "claviger", key]), ["claviger", "hello"]);
  });

  test("with none, if the client offers none", async () => {
    assert.deepEqual(await talk("/socket", [], { authorization: `Bearer ${key}` }), ["", "hello"]);
  });

  test("and not with the key alone, which is never sent back", async () => {
    await assert.rejects(open("/socket", [key]), /no subprotocol/);
  });

  test("and is refused with a key that is none", async () => {
    await assert.rejects(open("/socket", ["claviger", `${key}x`]), /401/);
  });
});

test("a page in Chromium opens a WebSocket with a key", { timeout: 60_000 }, async () => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
  try {
    const page = await browser.newPage();
    /** In the page: resolves to the selected subprotocol and what comes back, or to "closed". */
    const talk = (protocols) =>
      page.evaluate(
        ([url, protocols]) =>
          new Promise((resolve) => {
            const socket = new WebSocket(url, protocols);
            socket.onopen = () => socket.send("hello");
            socket.onmessage = ({ data }) => resolve([socket.protocol, data]);
            socket.onclose = () => resolve("closed");
          }),
        [`ws://${API}:${at.worker.port}/socket`, protocols],
      );
    assert.deepEqual(await talk(["claviger", key]), ["claviger", "hello"]);
    assert.deepEqual(await talk(["chat", key]), ["chat", "hello"]);
    assert.equal(await talk([key]), "closed");
    assert.equal(await talk(["claviger", `${key}x`]), "closed");
  } finally {
    await browser.close();
  }
});
