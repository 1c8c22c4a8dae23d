// Signing in, and the limits on guessing passwords.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { API, CONSOLE, OWNER, begin, expect } from "../../support/journey.mjs";

describe("tries at a password", () => {
  let at;
  before(async () => (at = await begin()));
  after(() => at.dispose());

  const WRONG = "not the horse battery";
  const signIn = (email, password, ip) =>
    at.console("POST", "/v1/session", { body: { email, password }, cookie: null, ip });
  const tally = (answers) => {
    const counts = {};
    for (const { status, body } of answers)
      counts[`${status} ${body.code}`] = (counts[`${status} ${body.code}`] ?? 0) + 1;
    return counts;
  };

  test("are told by one answer, whatever is wrong", async () => {
    const answers = [
      await signIn(OWNER.email, WRONG, "192.0.2.1"),
      await signIn("nobody@example.jp", WRONG, "192.0.2.1"),
      await signIn("no address", WRONG, "192.0.2.1"),
      await signIn("", "", "192.0.2.1"),
      await signIn(OWNER.email, "", "192.0.2.1"),
      await signIn(OWNER.email, "x".repeat(5000), "192.0.2.1"),
      await signIn(OWNER.email, `${OWNER.password} `, "192.0.2.1"),
    ];
    for (const answer of answers) {
      expect(answer, 401, "sign_in_refused");
      assert.equal(answer.text, answers[0].text);
      assert.deepEqual(Object.keys(answer.headers), Object.keys(answers[0].headers));
    }
  });

  // `BLOCK_AT_NAME_TRIES` of src/control/objects/address.rs.
  for (const [whose, email, block] of [
    ["a member's", OWNER.email, "203.0.113"],
    ["nobody's", "nobody@example.jp", "198.18.7"],
  ]) {
    test(`at ${whose} address: of 200 at once from one block ten are looked at`, { timeout: 20_000 }, async () => {
      const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => signIn(email, WRONG, `${block}.${n}`)));
      assert.deepEqual(tally(answers), { "401 sign_in_refused": 10, "429 too_many_attempts": 190 });
      const late = answers.find(({ status }) => status === 429);
      const waits = Number(late.headers["retry-after"]);
      assert.ok(waits > 0 && waits <= 15 * 60, `${waits}`);
      assert.ok(Math.abs(Date.parse(late.body.until) - Date.now() - waits * 1000) < 5000);
    });
  }

  test("are over for that block even with the right password, and for no other", async () => {
    expect(await signIn(OWNER.email, OWNER.password, "203.0.113.250"), 429, "too_many_attempts");
    expect(await signIn(OWNER.email, OWNER.password, "203.0.114.1"), 201);
  });

  test("from one block at many names are counted together", { timeout: 20_000 }, async () => {
    // `BLOCK_TRIES` of src/control/objects/address.rs. Texts that are no address are counted like any
    // other, and cost no hash.
    const answers = await Promise.all(
      Array.from({ length: 310 }, (_, n) => signIn(`no address ${n}`, WRONG, "2001:db8:7:7::1")),
    );
    assert.deepEqual(tally(answers), { "401 sign_in_refused": 300, "429 too_many_attempts": 10 });
    expect(await signIn(OWNER.email, OWNER.password, "2001:db8:7:7:ffff::1"), 429, "too_many_attempts");
    expect(await signIn(OWNER.email, OWNER.password, "2001:db8:7:8::1"), 201);
  });

  // `SITE_TRIES` and `ORGANISATION_TRIES` of src/control/objects/address.rs.
  for (const [what, ip, budget] of [
    ["a /56", (n) => `2001:db8:8:${(n % 256).toString(16)}::1`, 600],
    ["a /48", (n) => `2001:db8:9:${(256 * (n % 200)).toString(16)}::1`, 900],
  ]) {
    test(
      `from ${what} are counted together, though each block is below its own limit`,
      { timeout: 30_000 },
      async () => {
        const counts = {};
        for (let begun = 0; begun < budget + 100; begun += 100) {
          const answers = await Promise.all(
            Array.from({ length: 100 }, (_, n) => signIn(`no address ${n}`, WRONG, ip(begun + n))),
          );
          for (const [what, count] of Object.entries(tally(answers))) counts[what] = (counts[what] ?? 0) + count;
        }
        assert.deepEqual(counts, { "401 sign_in_refused": budget, "429 too_many_attempts": 100 });
      },
    );
  }

  test("that are refused cost this isolate nothing until the time that it was told", async () => {
    await at.worker.resetCounters();
    for (let n = 0; n < 20; n += 1)
      expect(await signIn("no address", WRONG, "2001:db8:7:7::1"), 429, "too_many_attempts");
    assert.deepEqual(await at.worker.counters(), {});
    await at.worker.setClock(60 * 60 * 1000 + 1_000);
    expect(await signIn("no address", WRONG, "2001:db8:7:7::1"), 401, "sign_in_refused");
    await at.worker.setClock(0);
  });

  test("at made-up names leave no object behind", { timeout: 30_000 }, async () => {
    await at.worker.resetCounters();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => signIn(`nobody${n}@example.org`, WRONG, "192.0.9.1")),
    );
    assert.deepEqual(tally(answers), { "401 sign_in_refused": 40 });
    const meters = await at.worker.meters();
    const written = Object.keys(meters).filter(
      (name) => /^Name\.(rowsWritten|setAlarm)$/.test(name) && meters[name] > 0,
    );
    assert.deepEqual(written, []);
    assert.ok(meters["Address.rowsWritten"] > 0, "they are counted, in a few objects");
  });

  test("at a step-up are counted like any other", { timeout: 20_000 }, async () => {
    await at.signIn({ ip: "192.0.7.1" });
    const stepUp = (password) => at.console("POST", "/v1/session/step-up", { body: { password }, ip: "192.0.7.1" });
    expect(await stepUp(OWNER.password), 200);
    const answers = await Promise.all(Array.from({ length: 30 }, () => stepUp(WRONG)));
    assert.deepEqual(tally(answers), { "401 step_up_refused": 10, "429 too_many_attempts": 20 });
    expect(await stepUp(OWNER.password), 429, "too_many_attempts");
    expect(await at.console("GET", "/v1/session"), 200);
  });
});

test("a refused sign-in takes its time, whether or not the address is known", { timeout: 60_000 }, async () => {
  const at = await begin();
  try {
    for (const email of [OWNER.email, "nobody@example.jp", "not an address"]) {
      const begun = Date.now();
      expect(
        await at.console("POST", "/v1/session", { body: { email, password: "wrong password" }, cookie: null }),
        401,
      );
      assert.ok(Date.now() - begun >= 450, `${email}: ${Date.now() - begun} ms`);
    }
    // Hosts apart from these have no sign-in.
    expect(await at.ask(API, "/v1/session", { method: "POST", body: "{}" }), 401, "missing");
    assert.notEqual(API, CONSOLE);
  } finally {
    await at.dispose();
  }
});

describe("a password in several forms of Unicode", () => {
  let at;
  const COMPOSED = "caf\u00e9 au lait bitte";
  const DECOMPOSED = "cafe\u0301\u3000au\u00a0lait bitte";
  before(async () => {
    at = await begin({ setUp: false });
    await at.setUp(undefined, { owner: { ...OWNER, password: DECOMPOSED } });
  });
  after(() => at.dispose());

  const answer = (password) =>
    at.console("POST", "/v1/session", { body: { email: OWNER.email, password }, cookie: null });

  test("is one password", async () => {
    for (const password of [COMPOSED, DECOMPOSED]) expect(await answer(password), 201);
    expect(await at.console("POST", "/v1/session/step-up", { body: { password: COMPOSED } }), 200);
  });

  test("is no other one: case, width and accents count", async () => {
    for (const password of ["cafe au lait bitte", COMPOSED.toUpperCase(), "ｃ" + COMPOSED.slice(1)])
      expect(await answer(password), 401, "sign_in_refused");
  });
});
