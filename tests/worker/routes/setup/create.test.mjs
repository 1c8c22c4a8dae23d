// A set-up link that many use at once, or that somebody uses to guess addresses.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { OTHER_OWNER, OWNER, begin, eventually, expect, setupToken } from "../../support/journey.mjs";

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

test("one link in thirty hands holds nobody else's address", { timeout: 60_000 }, async () => {
  const at = await begin();
  try {
    const { link } = await at.invite();
    const form = { token: link.split("#/setup/")[1], account_name: "Other GmbH", time_zone: "UTC", language: "en" };
    const person = (n) => ({ name: "x", email: `m${n}@example.jp`, password: `the password of ${n}` });
    const use = (n, more) =>
      at.console("POST", "/v1/setup", { body: { ...form, ...person(n), ...more }, cookie: null });
    await at.worker.resetCounters();
    // The winner's ledger is slow, so that all of them are under way at once.
    await at.worker.setFaults({ on: "LEDGER.fetch", mode: "delay", delay_ms: 500 });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => use(n)));
    await at.worker.setFaults();
    const winner = answers.findIndex(({ status }) => status === 201);
    const losers = answers.filter((_, n) => n !== winner);
    assert.ok(winner >= 0);
    for (const loser of losers) {
      assert.ok(["setup_busy", "setup_done"].includes(loser.body.code), loser.text);
      if (loser.body.code === "setup_done") continue;
      assert.equal(loser.status, 409);
      const waits = Number(loser.headers["retry-after"]);
      assert.ok(waits > 590 && waits <= 600, `${waits}`);
    }
    assert.ok(losers.filter(({ body }) => body.code === "setup_busy").length >= 20);
    // The claim of the winner, and its confirmation by the ledger.
    const confirmed = async () => (await at.worker.counters())["NAME.fetch"] >= 2;
    await eventually("the name is confirmed", confirmed);
    assert.equal((await at.worker.counters())["NAME.fetch"], 2);
    // What the losers typed is free, at once.
    for (const loser of [0, 1, 2].map((n) => (winner + 1 + n) % 30)) {
      const another = await at.invite();
      const token = another.link.split("#/setup/")[1];
      expect(await use(loser, { token }), 201);
    }
  } finally {
    await at.dispose();
  }
});

test("a link can be used with another address at once after one that is taken", { timeout: 60_000 }, async () => {
  const at = await begin();
  try {
    const { link } = await at.invite();
    const form = { token: link.split("#/setup/")[1], account_name: "Other GmbH", time_zone: "UTC", language: "en" };
    const use = (email) =>
      at.console("POST", "/v1/setup", { body: { ...form, ...OTHER_OWNER, email }, cookie: null });
    expect(await use(OWNER.email), 409, "address_taken");
    expect(await use("mine@example.org"), 201);
    expect(await use("yours@example.org"), 409, "setup_done");
  } finally {
    await at.dispose();
  }
});

test("a set-up that breaks off holds one address for ten minutes, and no second one", { timeout: 60_000 }, async () => {
  const at = await begin();
  try {
    const { link } = await at.invite();
    const form = { token: link.split("#/setup/")[1], account_name: "Other GmbH", time_zone: "UTC", language: "en" };
    const use = (email) => at.console("POST", "/v1/setup", { body: { ...form, ...OWNER, email }, cookie: null });
    await at.worker.setFaults({ on: "LEDGER.fetch", mode: "fail" });
    expect(await use("mine@example.org"), 503, "unavailable");
    for (let n = 0; n < 5; n += 1) expect(await use(`stranger${n}@example.org`), 409, "setup_busy");
    await at.worker.setFaults();
    await at.worker.setClock(10 * 60 * 1000 + 1_000);
    expect(await use("yours@example.org"), 201);
    await at.worker.setClock(0);
  } finally {
    await at.dispose();
  }
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
    // What signing in counts, over all names, is counted here, and nothing happens before. Texts
    // that are no address cost no hash: three hundred hashes take long.
    const signIn = (n) =>
      at.console("POST", "/v1/session", { body: { email: `no ${n}`, password: "x" }, cookie: null, ip: "192.0.2.7" });
    const tries = await Promise.all(Array.from({ length: 310 }, (_, n) => signIn(n)));
    const refused = tries.filter(({ body }) => body.code === "too_many_attempts");
    assert.deepEqual([refused.length, refused[0].status], [11, 429]);
    await at.worker.resetCounters();
    expect(await ask({ email: OWNER.email }), 429, "too_many_attempts");
    expect(await ask({ token: `${token.slice(0, -1)}?`, email: OWNER.email }), 401, "setup_refused");
    assert.deepEqual(await at.worker.counters(), {}, "the isolate knows until when");
    // Elsewhere the link is as good as before.
    expect(
      await at.console("POST", "/v1/setup", { body: { token, ...form, email: "mine@example.org" }, cookie: null }),
      201,
    );
  } finally {
    await at.dispose();
  }
});
