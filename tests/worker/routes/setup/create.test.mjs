// A set-up link that many use at once, or that somebody uses to guess addresses.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { OWNER, begin, expect, setupToken } from "../../support/journey.mjs";

describe("one set-up link", () => {
  let at;
  before(async () => {
    at = await begin({ setUp: false });
  });
  after(() => at.dispose());

  test("in twenty hands at once makes one owner, and nobody else signs in", { timeout: 60_000 }, async () => {
    const people = Array.from({ length: 20 }, (_, n) => ({
      email: `m${n}@example.jp`,
      password: `the password of ${n}`,
    }));
    const form = {
      token: setupToken(),
      account_name: "Example KK",
      time_zone: "Asia/Tokyo",
      language: "en",
      name: "x",
    };
    const answers = await Promise.all(
      people.map((person) => at.console("POST", "/v1/setup", { body: { ...form, ...person }, cookie: null })),
    );
    const owners = people.filter((_, n) => answers[n].status === 201);
    assert.equal(owners.length, 1, answers.map(({ status }) => status).join());
    for (const [n, person] of people.entries()) {
      const answer = await at.console("POST", "/v1/session", { body: person, cookie: null, ip: `192.0.${n}.1` });
      assert.equal(answer.status, person === owners[0] ? 201 : 401, answer.text);
    }
    const late = { ...form, email: "evil@example.jp", password: "a password of mine" };
    expect(await at.console("POST", "/v1/setup", { body: late, cookie: null }), 409, "setup_done");
  });
});

test("a set-up link tells no more addresses apart than signing in would", { timeout: 60_000 }, async () => {
  const at = await begin();
  try {
    const { link } = await at.invite();
    const token = link.split("#/setup/")[1];
    const form = {
      account_name: "Other GmbH",
      time_zone: "UTC",
      language: "en",
      name: "x",
      password: "a password of mine",
    };
    const ask = (more) =>
      at.console("POST", "/v1/setup", { body: { token, ...form, ...more }, cookie: null, ip: "192.0.2.7" });
    expect(await ask({ email: OWNER.email }), 409, "address_taken");
    // What signing in counts, over all names, is counted here, and nothing happens before.
    // A link that was used is refused before a password is hashed: three hundred hashes take long.
    const used = { token: setupToken(), email: "mine@example.org" };
    const tries = await Promise.all(Array.from({ length: 310 }, () => ask(used)));
    const refused = tries.filter(({ body }) => body.code === "too_many_attempts");
    assert.deepEqual([refused.length, refused[0].status], [11, 429]);
    await at.worker.resetCounters();
    expect(await ask({ email: OWNER.email }), 429, "too_many_attempts");
    expect(await ask({ token: `${token.slice(0, -1)}?`, email: OWNER.email }), 401, "setup_refused");
    assert.deepEqual(await at.worker.counters(), { "ADDRESS.fetch": 1 });
    // Elsewhere the link is as good as before.
    expect(
      await at.console("POST", "/v1/setup", { body: { token, ...form, email: "mine@example.org" }, cookie: null }),
      201,
    );
  } finally {
    await at.dispose();
  }
});
