// The shell around the wasm: what it forwards, and what is left after a trap.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, beforeEach, describe, test } from "node:test";
import { start } from "./support/harness.mjs";
import { begin } from "./support/journey.mjs";

const HOST = "api.localhost";
const ORIGIN = "http://localhost:8787";
const INTERNAL = { type: "about:blank", title: "Internal Server Error", status: 500, code: "internal" };

let worker;
before(async () => {
  const rule = { host: HOST, origin: "DEMO", public: true };
  const RULES = [
    { ...rule, path: "/*" },
    { ...rule, path: "/form", credentials: ["form:u"] },
  ];
  worker = await start({ vars: { RULES } });
});
after(() => worker.dispose());
beforeEach(() => worker.setFaults());

/** Decided in one synchronous call. */
const fetch = (path, init) => worker.fetch(HOST, path, init);

/** Waits in the edge for a body that does not come before `more` is called. */
function waitInEdge() {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const { promise, resolve: more } = Promise.withResolvers();
  async function* body() {
    yield "a=b&";
    await promise;
  }
  return { answer: worker.fetch(HOST, "/form", { method: "POST", headers, body: body() }), more };
}

/** Waits in the admin Worker for an object that is slow to answer. */
async function waitInAdmin() {
  await worker.setFaults({ on: "ADDRESS.fetch", mode: "delay", delay_ms: 3000, times: 1 });
  return { answer: signIn(), more: () => {} };
}

/** Goes through the async handler and two objects. */
function signIn(email = "nobody@example.jp") {
  const headers = { "content-type": "application/json", origin: ORIGIN };
  const body = JSON.stringify({ email, password: "a password of nobody" });
  return worker.fetch("localhost", "/v1/session", { method: "POST", headers, body });
}

async function assertInternal(answer) {
  assert.equal(answer.status, 500);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.deepEqual(await answer.json(), INTERNAL);
}

async function assertWorks() {
  assert.equal((await fetch("/seen")).status, 200);
  assert.equal((await signIn(`nobody-${Math.random()}@example.jp`)).status, 401);
}

describe("a trap", () => {
  const places = {
    "in the synchronous decision": ["decide", () => fetch("/seen"), waitInEdge],
    "in the handler": ["handle", () => signIn(), waitInAdmin],
    "where the handler calls an object": ["NAME.fetch", () => signIn(), waitInAdmin],
  };

  for (const [place, [on, ask, wait]] of Object.entries(places)) {
    test(`${place} is answered 500 at once, and the next request works`, async () => {
      await worker.setFaults({ on, mode: "trap", times: 1 });
      const begun = Date.now();
      await assertInternal(await ask());
      assert.ok(Date.now() - begun < 1000);
      await assertWorks();
    });

    test(`${place} fails the other requests in flight, and no later one`, async () => {
      const slow = await wait();
      await sleep(200);
      await worker.setFaults({ on, mode: "trap", times: 1 });
      const begun = Date.now();
      await assertInternal(await ask());
      await assertInternal(await slow.answer);
      assert.ok(Date.now() - begun < 1000);
      slow.more();
      await worker.setFaults();
      await assertWorks();
    });

    test(`${place} is logged as one line`, async () => {
      await worker.setFaults({ on, mode: "trap", times: 1 });
      const before = worker.log().length;
      await ask();
      await sleep(100);
      const lines = worker.log().slice(before);
      assert.equal(lines.length, 1, lines.join("\n"));
      assert.match(lines[0], /^error: wasm trapped.*; \d in flight failed$/);
    });
  }

  test("in an object's own code is a failed call, and the next one works", async () => {
    await worker.setFaults({ on: "Name.fetch", mode: "trap", times: 1 });
    const answer = await signIn();
    assert.ok([500, 503].includes(answer.status), `${answer.status}`);
    await assertWorks();
  });

  test("in an alarm leaves the Worker usable, and the alarm is tried again", { timeout: 120_000 }, async () => {
    const journey = await begin({ faults: [{ on: "Ledger.alarm", mode: "trap", times: 1 }] });
    try {
      while (((await journey.worker.counters())["Ledger.alarm"] ?? 0) < 2) await sleep(50);
      await journey.worker.logged(/wasm trapped/);
      await journey.issue();
    } finally {
      await journey.dispose();
    }
  });

  test("under load never hangs a request nor outlives itself", async () => {
    await worker.setFaults({ on: "decide", mode: "trap", match: "/trap" });
    const answers = Array.from({ length: 200 }, (_, n) => fetch(n % 3 ? "/seen" : "/trap"));
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    assert.deepEqual([...new Set(statuses)].sort(), [200, 500]);
    await assertWorks();
  });
});

describe("a forward", () => {
  test("keeps method, query and headers", async () => {
    const headers = [
      ["X-Twice", "1"],
      ["X-Twice", "2"],
    ];
    const seen = await (await fetch("/seen?a=%2F&a=", { method: "DELETE", headers })).json();
    assert.deepEqual([seen.method, seen.path, seen.query], ["DELETE", "/seen", "?a=%2F&a="]);
    assert.equal(Object.fromEntries(seen.headers)["x-twice"], "1, 2");
  });

  test("hands a redirect back instead of following it", async () => {
    const answer = await fetch("/redirect");
    assert.equal(answer.status, 302);
    assert.equal(answer.headers.location, "https://elsewhere.example/");
  });

  test("keeps every Set-Cookie", async () => {
    assert.deepEqual((await fetch("/cookies")).headers["set-cookie"], ["a=1", "b=2; Path=/"]);
  });

  test("answers HEAD without a body", async () => {
    const answer = await fetch("/seen", { method: "HEAD" });
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), "");
  });

  test("keeps the length of a body that has one", async () => {
    const seen = await (await fetch("/seen", { method: "PUT", body: "12345" })).json();
    assert.equal(Object.fromEntries(seen.headers)["content-length"], "5");
  });

  test("streams both ways: the answer begins before the request has ended", { timeout: 5000 }, async () => {
    let more;
    const gate = new Promise((resolve) => (more = resolve));
    async function* body() {
      yield "first ";
      await gate;
      yield "second";
    }
    const answer = await fetch("/echo", { method: "POST", body: body() });
    const chunks = answer.body[Symbol.asyncIterator]();
    assert.equal(String((await chunks.next()).value), "first ");
    more();
    assert.equal(String((await chunks.next()).value), "second");
  });

  test("carries a large body unharmed", async () => {
    const body = Buffer.alloc(8 << 20, "0123456789");
    assert.equal(await (await fetch("/echo", { method: "POST", body })).text(), body.toString());
  });

  test("passes a slow answer on as it comes", async () => {
    const arrivals = [];
    for await (const _ of (await fetch("/stream?ticks=3&ms=300")).body) arrivals.push(Date.now());
    assert.equal(arrivals.length, 3);
    assert.ok(arrivals[2] - arrivals[0] >= 500);
  });

  test("tells the origin when the client goes away", { timeout: 5000 }, async () => {
    const controller = new AbortController();
    const answer = await fetch("/stream?ticks=1000&ms=50", { signal: controller.signal });
    await answer.body[Symbol.asyncIterator]().next();
    controller.abort();
    answer.body.on("error", () => {});
    while ((await (await fetch("/cancelled")).json()).cancelled === 0) await sleep(50);
  });

  test("carries a WebSocket", { timeout: 5000 }, async () => {
    const socket = await worker.webSocket(HOST, "/socket", { authorization: "Bearer x" });
    const reply = new Promise((resolve) => socket.once("message", resolve));
    socket.send("hello");
    assert.equal(String(await reply), "hello");
    socket.close();
  });

  test("to an origin that does not answer is 502", async () => {
    await worker.setFaults({ on: "DEMO.fetch", mode: "fail" });
    const answer = await fetch("/seen");
    assert.equal(answer.status, 502);
    assert.equal((await answer.json()).code, "origin_unreachable");
  });
});
