// What Claviger promises of keys, seen from outside.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import { BASE62, FOREIGN, changed, key as forgedKey, mended, parts, random, token } from "./support/forge.mjs";
import { API, CALLER, CONSOLE, ORIGIN, OWNER, begin, eventually, expect, setupToken } from "./support/journey.mjs";

describe("a key", () => {
  let at;
  let issued;
  before(async () => {
    at = await begin();
    issued = await at.issue();
  });
  after(() => at.dispose());

  const called = (status, code) => async () => expect(await at.call("/", { key: issued.credential }), status, code);
  const id = () => issued.key.id;

  test("is made as its format says", () => {
    const { id, secret } = parts(issued.credential);
    assert.equal(forgedKey({ id, secret }), issued.credential);
    assert.equal(issued.access_key + issued.access_secret, issued.credential);
    assert.equal(issued.key.access_key, issued.access_key);
  });

  test("is accepted as soon as its issue is answered", called(200));

  test("is accepted where nothing was heard of it yet", async () => {
    const another = await at.issue();
    await at.forget();
    expect(await at.call("/", { key: another.credential }), 200);
  });

  // Each on the isolate that made the change: there it holds from the answer on.
  test("that is disabled is refused at once", async () => {
    const { bound, key } = await at.change(id(), "disable");
    assert.equal(key.status, "disabled");
    assert.ok(Date.parse(bound.at) > Date.now() && bound.within_s > 0);
    await called(401, "disabled")();
  });

  test("that is enabled again is accepted", async () => {
    assert.equal((await at.change(id(), "enable")).bound, null);
    await called(200)();
  });

  test("is refused outside its new networks at once, and accepted within", async () => {
    const { bound, key } = await at.change(id(), { networks: ["192.0.2.0/24"] });
    assert.ok(bound);
    assert.deepEqual(key.networks, ["192.0.2.0/24"]);
    await called(403, "network_denied")();
    expect(await at.call("/", { key: issued.credential, ip: "192.0.2.9" }), 200);
    expect(await at.call("/", { key: issued.credential, ip: null }), 403, "network_denied");
  });

  test("lacks a permission that was taken away at once", async () => {
    await at.change(id(), { networks: [], permissions: ["demo:read"] });
    await called(200)();
    const refused = expect(await at.call("/", { key: issued.credential, method: "POST" }), 403, "permission_denied");
    assert.equal(
      refused.headers["www-authenticate"],
      `Bearer realm="${API}", error="insufficient_scope", scope="demo:write"`,
    );
  });

  test("that is not valid yet, or no more, is refused", async () => {
    await at.change(id(), { not_before: "2h" });
    await called(401, "not_yet_valid")();
    await at.change(id(), { not_before: null, expires: "1" });
    await called(401, "expired")();
    await at.change(id(), { expires: "never" });
    await called(200)();
  });

  test("tells a wrong secret nothing, whatever its state", async () => {
    const stranger = forgedKey({ id: id() });
    expect(await at.call("/", { key: stranger }), 401, "unknown");
    await at.change(id(), "disable");
    expect(await at.call("/", { key: stranger }), 401, "unknown");
    await at.change(id(), "enable");
  });

  test("stands in KV as in the ledger, in the end", async () => {
    const { revision } = await at.show(id());
    const record = await eventually("KV holds the last change", async () => {
      const found = await at.published(id());
      return found?.revision === revision && found;
    });
    assert.equal(record.state, "active");
    assert.deepEqual(record.limits.permissions, ["demo:read"]);
    assert.deepEqual(record.limits.networks, []);
    assert.equal(record.limits.expires, null);
  });

  test("that is deleted is unknown at once, to the end, and in KV as well", async () => {
    const { revision } = await at.show(id());
    await at.change(id(), "delete");
    await called(401, "unknown")();
    assert.equal((await at.show(id())).status, "deleted");
    const record = await eventually("KV holds a tombstone", async () => {
      const found = await at.published(id());
      return found?.state === "deleted" && found;
    });
    assert.ok(record.revision > revision);
    await at.forget();
    await called(401, "unknown")();
  });

  test("costs nothing while it is remembered, one call where its account is new, and one read of KV where it is not", async () => {
    const [first, second] = [await at.issue(), await at.issue()];
    for (const { key } of [first, second]) await eventually("it is published", () => at.published(key.id));
    await at.forget();
    for (const [{ credential }, cost] of [
      [first, "LEDGER.fetch"],
      [second, "KEYS.get"],
    ]) {
      await at.worker.resetCounters();
      for (let calls = 0; calls < 3; calls += 1) expect(await at.call("/", { key: credential }), 200);
      assert.deepEqual(await at.worker.counters(), { [cost]: 1, "DEMO.fetch": 3 });
    }
  });
});

describe("what Claviger never made", () => {
  let at;
  let real;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  before(async () => {
    at = await begin();
    real = (await at.issue()).credential;
    await at.forget();
  });
  after(async () => {
    agent.destroy();
    await at.dispose();
  });

  /** Sends each, some at a time, and resolves to how often each `status code` was answered. */
  async function tally(list, send) {
    const seen = {};
    const queue = list.values();
    const work = async () => {
      for (const text of queue) {
        const answer = await send(text);
        const { code } = JSON.parse(await answer.text());
        seen[`${answer.status} ${code}`] = (seen[`${answer.status} ${code}`] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: 32 }, work));
    return seen;
  }
  const asKey = (text) =>
    at.worker.fetch(API, "/", { agent, headers: { authorization: `Bearer ${text}`, "cf-connecting-ip": CALLER } });
  const asCookie = (text) =>
    at.worker.fetch(CONSOLE, "/v1/keys", { agent, headers: { cookie: `__Host-claviger=${text}` } });
  const asSetup = (text) => {
    const form = { token: text, account_name: "x", time_zone: "UTC", language: "en", ...OWNER };
    const headers = { origin: ORIGIN, "content-type": "application/json" };
    return at.worker.fetch(CONSOLE, "/v1/setup", { agent, method: "POST", headers, body: JSON.stringify(form) });
  };

  const places = (text) => Array.from(text, (_, place) => place);
  const others = (text, place) => [...BASE62].filter((to) => to !== text[place]);
  const every = (text) => places(text).flatMap((place) => others(text, place).map((to) => changed(text, place, to)));
  const many = (count, make) => Array.from({ length: count }, make);
  // Never empty, which would be no credential.
  const noise = () =>
    `x${String.fromCharCode(
      ...many(Math.floor(Math.random() * 200), () => 33 + Math.floor(Math.random() * 222)).filter(
        (c) => c < 127 || c > 160,
      ),
    ).replaceAll(",", "")}`;

  const rows = {
    "a real key with one character changed anywhere, and the checksum mended": {
      count: 72 * 61,
      list: () =>
        every(real)
          .filter((text) => text.startsWith("clv_"))
          .map(mended)
          .filter((text) => text !== real),
      send: asKey,
      expected: "401 unknown",
    },
    "a real key with one character changed anywhere": {
      count: 82 * 20,
      list: () =>
        places(real).flatMap((place) =>
          others(real, place)
            .slice(0, 20)
            .map((to) => changed(real, place, to)),
        ),
      send: asKey,
      expected: "401 malformed",
    },
    "keys of another deployment": {
      count: 500,
      list: () => many(500, () => forgedKey({ master: FOREIGN })),
      send: asKey,
      expected: "401 unknown",
    },
    "keys of another prefix": {
      count: 200,
      list: () => many(200, () => forgedKey({ prefix: "abc" })),
      send: asKey,
      expected: "401 malformed",
    },
    "keys with a made-up tag": {
      count: 500,
      list: () => many(500, () => forgedKey({ tag: random(11) })),
      send: asKey,
      expected: "401 unknown",
    },
    noise: { count: 1000, list: () => many(1000, noise), send: asKey, expected: "401 malformed" },
    "a session's cookie with one character changed anywhere": {
      count: 73 * 10,
      list: () => {
        const session = at.cookie.split("=")[1];
        return places(session).flatMap((place) =>
          others(session, place)
            .slice(0, 10)
            .map((to) => changed(session, place, to)),
        );
      },
      send: asCookie,
      expected: "401 not_signed_in",
    },
    "sessions of another deployment": {
      count: 500,
      list: () => many(500, () => token("S", { account: parts(real).id.slice(0, 8), master: FOREIGN })),
      send: asCookie,
      expected: "401 not_signed_in",
    },
    "a set-up token as a session": {
      count: 1,
      list: () => [token("U")],
      send: asCookie,
      expected: "401 not_signed_in",
    },
    "set-up tokens of another deployment": {
      count: 500,
      list: () => many(500, () => token("U", { master: FOREIGN })),
      send: asSetup,
      expected: "401 setup_refused",
    },
    "a set-up token with one character changed anywhere": {
      count: 84,
      list: () => places(setupToken()).map((place) => changed(setupToken(), place)),
      send: asSetup,
      expected: "401 setup_refused",
    },
    "a session as a set-up token": {
      count: 1,
      list: () => [at.cookie.split("=")[1]],
      send: asSetup,
      expected: "401 setup_refused",
    },
  };

  // An isolate asks the admin Worker once, before the first key counts as made up.
  before(() => asKey(forgedKey({ tag: random(11) })));

  for (const [what, { count, list, send, expected }] of Object.entries(rows)) {
    test(`costs no read and no object call: ${what}`, async () => {
      await at.worker.resetCounters();
      const strings = list();
      assert.equal(strings.length, count);
      assert.deepEqual(await tally(strings, send), { [expected]: count });
      assert.deepEqual(await at.worker.counters(), {});
    });
  }

  test("is ten thousand strings in all", () => {
    const total = Object.values(rows).reduce((sum, { count }) => sum + count, 0);
    assert.ok(total >= 10_000, `${total}`);
  });

  test("is told from what it did make, which is looked up", async () => {
    await at.forget();
    await at.worker.resetCounters();
    assert.deepEqual(await tally([forgedKey({ id: parts(real).id })], asKey), { "401 unknown": 1 });
    assert.deepEqual(await tally([token("S")], asCookie), { "401 not_signed_in": 1 });
    assert.deepEqual(await at.worker.counters(), { "LEDGER.fetch": 2 });
  });
});
