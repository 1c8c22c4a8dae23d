// The shell around the wasm: what it forwards, and what is left after a trap.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, beforeEach, describe, test } from "node:test";
import { start } from "./harness.mjs";

const HOST = "api.localhost";
const INTERNAL = { type: "about:blank", title: "Internal Server Error", status: 500, code: "internal" };

let worker;
before(async () => {
  worker = await start();
});
after(() => worker.dispose());
beforeEach(() => worker.setFaults());

const fetch = (path, init) => worker.fetch(HOST, path, init);

async function assertInternal(answer) {
  assert.equal(answer.status, 500);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  assert.deepEqual(await answer.json(), INTERNAL);
}

describe("a trap", () => {
  const places = {
    "in the synchronous decision": "/panic/decide",
    "in a continuation of the handler": "/panic/handle",
    "in an object's request": "/object/panic",
  };

  for (const [place, path] of Object.entries(places)) {
    test(`${place} is answered 500 at once, and the next request works`, async () => {
      const begun = Date.now();
      await assertInternal(await fetch(path));
      assert.ok(Date.now() - begun < 1000);
      assert.equal((await fetch("/decided")).status, 200);
      assert.equal(await (await fetch("/object/plain")).text(), "Ledger");
    });

    test(`${place} fails the other requests in flight, and no later one`, async () => {
      await worker.setFaults({ on: "DEMO.fetch", mode: "delay", delay_ms: 3000, times: 1 });
      const slow = fetch("/slow");
      await sleep(200);
      const begun = Date.now();
      await assertInternal(await fetch(path));
      await assertInternal(await slow);
      assert.ok(Date.now() - begun < 1000);
      assert.equal((await fetch("/slow")).status, 200);
    });

    test(`${place} is logged as one line that names the place`, async () => {
      const before = worker.log().length;
      await fetch(path);
      await sleep(100);
      const lines = worker.log().slice(before);
      assert.equal(lines.length, 1, lines.join("\n"));
      assert.match(lines[0], /^error: wasm trapped at src\/edge\/\S+:\d+:\d+; \d in flight failed$/);
    });
  }

  test("in an alarm leaves the Worker usable, and the alarm is tried again", { timeout: 10_000 }, async () => {
    await worker.resetCounters();
    await worker.setFaults({ on: "Ledger.alarm", mode: "trap", times: 1 });
    assert.equal((await fetch("/object/alarm")).status, 200);
    while (((await worker.counters())["Ledger.alarm"] ?? 0) < 2) await sleep(50);
    assert.equal((await fetch("/object/plain")).status, 200);
    assert.match(worker.log().join("\n"), /wasm trapped/);
  });

  test("under load never hangs a request nor outlives itself", async () => {
    const answers = Array.from({ length: 200 }, (_, n) => fetch(["/panic/handle", "/object/plain", "/decided"][n % 3]));
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    assert.deepEqual([...new Set(statuses)].sort(), [200, 500]);
    assert.equal((await fetch("/object/plain")).status, 200);
  });

  for (const on of ["decide", "handle", "LEDGER.fetch", "Ledger.fetch"]) {
    test(`of the harness's making, in ${on}, is one too`, async () => {
      await worker.setFaults({ on, mode: "trap", times: 1 });
      await assertInternal(await fetch("/object/plain"));
      assert.equal((await fetch("/object/plain")).status, 200);
    });
  }
});

describe("a forward", () => {
  test("removes and sets headers, and keeps method, query and the rest", async () => {
    const headers = [["Authorization", "Bearer x"], ["X-Twice", "1"], ["X-Twice", "2"], ["Claviger-Subject", "forged"]];
    const seen = await (await fetch("/forward/seen?a=%2F&a=", { method: "DELETE", headers })).json();
    const sent = Object.fromEntries(seen.headers);
    assert.deepEqual([seen.method, seen.path, seen.query], ["DELETE", "/seen", "?a=%2F&a="]);
    assert.equal(sent.authorization, undefined);
    assert.equal(sent["claviger-subject"], "test");
    assert.equal(sent["x-twice"], "1, 2");
  });

  test("may be what the handler decided", async () => {
    assert.equal((await (await fetch("/forward-later", { method: "POST", body: "x" })).json()).method, "POST");
  });

  test("hands a redirect back instead of following it", async () => {
    const answer = await fetch("/forward/redirect");
    assert.equal(answer.status, 302);
    assert.equal(answer.headers.location, "https://elsewhere.example/");
  });

  test("keeps every Set-Cookie", async () => {
    assert.deepEqual((await fetch("/forward/cookies")).headers["set-cookie"], ["a=1", "b=2; Path=/"]);
  });

  test("answers HEAD without a body", async () => {
    const answer = await fetch("/forward/seen", { method: "HEAD" });
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), "");
  });

  test("keeps the length of a body that has one", async () => {
    const seen = await (await fetch("/forward/seen", { method: "PUT", body: "12345" })).json();
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
    const answer = await fetch("/forward/echo", { method: "POST", body: body() });
    const chunks = answer.body[Symbol.asyncIterator]();
    assert.equal(String((await chunks.next()).value), "first ");
    more();
    assert.equal(String((await chunks.next()).value), "second");
  });

  test("carries a large body unharmed", async () => {
    const body = Buffer.alloc(8 << 20, "0123456789");
    assert.equal(await (await fetch("/forward/echo", { method: "POST", body })).text(), body.toString());
  });

  test("passes a slow answer on as it comes", async () => {
    const arrivals = [];
    for await (const _ of (await fetch("/forward/stream?ticks=3&ms=300")).body) arrivals.push(Date.now());
    assert.equal(arrivals.length, 3);
    assert.ok(arrivals[2] - arrivals[0] >= 500);
  });

  test("tells the origin when the client goes away", { timeout: 5000 }, async () => {
    const controller = new AbortController();
    const answer = await fetch("/forward/stream?ticks=1000&ms=50", { signal: controller.signal });
    await answer.body[Symbol.asyncIterator]().next();
    controller.abort();
    answer.body.on("error", () => {});
    while ((await (await fetch("/forward/cancelled")).json()).cancelled === 0) await sleep(50);
  });

  test("carries a WebSocket", { timeout: 5000 }, async () => {
    const socket = await worker.webSocket(HOST, "/forward/socket", { authorization: "Bearer x" });
    const reply = new Promise((resolve) => socket.once("message", resolve));
    socket.send("hello");
    assert.equal(String(await reply), "hello");
    socket.close();
  });

  test("to an origin that does not answer is 502", async () => {
    await worker.setFaults({ on: "DEMO.fetch", mode: "fail" });
    const answer = await fetch("/forward/seen");
    assert.equal(answer.status, 502);
    assert.equal((await answer.json()).code, "origin_unreachable");
  });
});
