// The console's own client (www/src/client/api.js), with a server that replaces the cookie.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true });
const { send } = await import("../../www/src/client/api.js");

/** Requests that wait for their response, as `{path, answer(status, code)}`. */
let waiting;
beforeEach(() => (waiting = []));
globalThis.fetch = (path) =>
  new Promise((resolve) => {
    const answer = (status, code) =>
      resolve(
        new Response(JSON.stringify({ code }), {
          status,
          headers: { "Content-Type": status < 400 ? "application/json" : "application/problem+json" },
        }),
      );
    waiting.push({ path, answer });
  });
const turn = () => new Promise((resolve) => setImmediate(resolve));

for (const isFirst of [true, false]) {
  test(`a request that a new cookie crossed is repeated once, its refusal ${isFirst ? "before" : "after"} the new cookie`, async () => {
    const list = send("GET", "/v1/keys");
    const stepUp = send("POST", "/v1/session/step-up", { body: { password: "x" } });
    const [crossed, renewing] = waiting;
    if (isFirst) crossed.answer(401, "not_signed_in");
    await turn();
    renewing.answer(200);
    await stepUp;
    if (!isFirst) crossed.answer(401, "not_signed_in");
    await turn();
    await turn();
    assert.deepEqual(
      waiting.map(({ path }) => path),
      ["/v1/keys", "/v1/session/step-up", "/v1/keys"],
    );
    waiting[2].answer(401, "not_signed_in");
    assert.equal((await list).problem.code, "not_signed_in", "once");
    assert.equal(waiting.length, 3);
  });
}

test("a request that no new cookie crossed is not repeated", async () => {
  const stepUp = send("POST", "/v1/session/step-up", { body: { password: "x" } });
  waiting[0].answer(401, "step_up_refused");
  await stepUp;
  const list = send("GET", "/v1/keys");
  waiting[1].answer(401, "not_signed_in");
  assert.equal((await list).problem.code, "not_signed_in");
  assert.equal(waiting.length, 2);
});
