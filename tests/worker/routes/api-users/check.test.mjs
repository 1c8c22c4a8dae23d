// The edge's question about a secret: closed to clients, limited, and the same answer for every wrong one.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ANY_USER, PATH, change, check, create, read, tryCheck, tryQuestion } from "../../support/api-users.mjs";
import { begin, expect } from "../../support/journey.mjs";

let at;
before(async () => {
  at = await begin();
  await create(at, { name: "app@example.com" });
});
after(() => at.dispose());

const good = { name: "app@example.com", secret: ANY_USER.api_key, address: "203.0.113.7" };

describe("the question", () => {
  test("gets no answer without an edge's header", async () => {
    for (const headers of [{ "claviger-edge": undefined }, { "claviger-edge": "1 00" }]) {
      const answer = await tryCheck(at.worker, good.name, good.secret, { headers });
      assert.equal(answer.status, 503, answer.text);
      assert.ok(!answer.text.includes("matches"));
    }
  });

  test("gets the plain 404 without the edge's own word for it", async () => {
    for (const headers of [{ "claviger-ask": undefined }, { "claviger-ask": "" }, { "claviger-ask": "api-users" }]) {
      const answer = await tryCheck(at.worker, good.name, good.secret, { headers });
      assert.deepEqual([answer.status, answer.body?.code], [404, "not_found"], answer.text);
    }
    for (const method of ["GET", "PUT", "DELETE"]) {
      const answer = await tryQuestion(at.worker, undefined, { method, headers: { "claviger-ask": undefined } });
      assert.notEqual(answer.status, 200);
    }
  });

  test("gets no answer from a client, whatever headers it sends", async () => {
    for (const headers of [{}, { "claviger-ask": "api-user" }, { claviger_ask: "api-user" }]) {
      for (const method of ["POST", "GET"]) {
        const body = method === "POST" ? JSON.stringify(good) : undefined;
        const sent = { method, headers: { "content-type": "application/json", ...headers }, body };
        for (const host of ["localhost:8787", "api.localhost"]) {
          const answer = await read(await at.worker.fetch(host, PATH, sent));
          assert.ok(answer.status >= 400, `${host} ${method} ${answer.status}`);
          assert.ok(!answer.text.includes("matches") && !answer.text.includes("refused"), answer.text);
        }
      }
    }
    const sent = { method: "POST", headers: { "claviger-ask": "api-user" }, body: JSON.stringify(good) };
    const answer = await read(await at.worker.fetch("localhost:8787", PATH, sent));
    assert.deepEqual([answer.status, answer.body?.code], [404, "not_found"]);
  });

  test("is answered alike for an unclaimed name and a wrong secret", async () => {
    const answers = [];
    for (const [name, secret] of [
      ["app@example.com", "wr0ng-secret"],
      ["nobody@example.com", "wr0ng-secret"],
      ["app@example.com", "\u0000"],
      ["nobody@example.com", "x".repeat(10_000)],
    ]) {
      const begun = performance.now();
      const answer = await tryCheck(at.worker, name, secret);
      answers.push([answer.status, answer.text, performance.now() - begun >= 490]);
    }
    assert.deepEqual(answers, Array(4).fill([200, '{"reply":"refused"}', true]));
    for (const body of ["", "{}", '{"name":"x","secret":"y"}']) {
      const answer = await tryQuestion(at.worker, body);
      assert.deepEqual([answer.status, answer.body?.code], [400, "malformed_body"]);
    }
  });
});

describe("the limits", () => {
  test("let right secrets in beside a flood of wrong ones", async () => {
    await create(at, { name: "busy@example.com" });
    const right = { address: "198.51.100.7" };
    assert.equal(await check(at.worker, "busy@example.com", ANY_USER.api_key, right), "matches 1");
    const wrong = (n) => check(at.worker, "busy@example.com", "wr0ng-secret", { address: `192.0.2.${n % 250}` });
    const both = await Promise.all([
      ...Array.from({ length: 70 }, (_, n) => wrong(n)),
      ...Array.from({ length: 20 }, () => check(at.worker, "busy@example.com", ANY_USER.api_key, right)),
    ]);
    const replies = both.slice(0, 70);
    assert.equal(replies.filter((reply) => reply === "refused").length, 50, "what a block may try at a name");
    assert.equal(replies.filter((reply) => reply === "too_many").length, 20);
    assert.deepEqual([...new Set(both.slice(70))], ["matches 1"]);
    // The block that guessed is refused even with the right secret; another user is open to it.
    assert.equal(await check(at.worker, "busy@example.com", ANY_USER.api_key, { address: "192.0.2.1" }), "too_many");
    assert.equal(await check(at.worker, "app@example.com", ANY_USER.api_key, { address: "192.0.2.1" }), "matches 1");
    const answer = await tryCheck(at.worker, "busy@example.com", "wr0ng-secret", { address: "192.0.2.1" });
    assert.ok(answer.body.until > Date.now());
  });

  test("count nothing of right secrets, and lock no member out", async () => {
    const right = () => check(at.worker, "app@example.com", ANY_USER.api_key, { address: "203.0.113.200" });
    await right();
    for (let round = 0; round < 4; round += 1) {
      const replies = await Promise.all(Array.from({ length: 30 }, right));
      assert.deepEqual([...new Set(replies)], ["matches 1"]);
    }
    await at.signIn({ ip: "192.0.2.1" });
  });
});

test("a secret is in no log, list, activity or KV", async () => {
  const { user, api_key: drawn } = await create(at, { name: "secret@example.com", api_key: undefined, generate: true });
  const chosen = "Ch0sen-by-a-person";
  const { user: edited } = await change(at, user, { api_key: chosen });
  await check(at.worker, user.name, chosen);
  await check(at.worker, user.name, drawn);
  expect(await at.console("GET", `/v1/api-users/${edited.id}`), 200);
  const seen = [
    at.worker.log().join("\n"),
    expect(await at.console("GET", "/v1/api-users"), 200).text,
    expect(await at.console("GET", "/v1/activity"), 200).text,
    ...(await Promise.all((await at.worker.kvKeys()).map((key) => at.worker.kv(key)))),
  ].join("\n");
  assert.ok(seen.includes("secret@example.com"));
  for (const secret of [chosen, drawn, ANY_USER.api_key]) assert.ok(!seen.includes(secret), secret);
  assert.ok(!/wr0ng-secret/.test(seen));
});
