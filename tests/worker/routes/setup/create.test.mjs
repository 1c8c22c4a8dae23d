// A set-up link that many use at once, or that somebody uses to guess addresses. Nothing happens
// with an address before its mailbox is proven.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { OFFICE, OTHER_OWNER, OWNER, begin, eventually, expect, setupToken } from "../../support/journey.mjs";

const FORM = { account_name: "Other GmbH", time_zone: "UTC", language: "en" };

/** The set-up token of an account that the operator invites. */
const invited = async (at) => (await at.invite()).link.split("#/setup/")[1];

const wrong = (code) => String((Number(code) + 1) % 1e8).padStart(8, "0");

/** Has codes mailed for several people, and gives their forms with the codes. */
async function withCodes(at, forms) {
  const answers = await Promise.all(forms.map((form) => at.mailSetUpCode(form)));
  for (const answer of answers) assert.equal(answer.status, 200, answer.text);
  return Promise.all(forms.map(async (form) => ({ ...form, code: await at.mailboxCode(form.email) })));
}

const open = (at, form, ip) => at.console("POST", "/v1/setup", { body: form, cookie: null, ip });

describe("one set-up link", () => {
  let at;
  before(async () => {
    at = await begin({ setUp: false });
  });
  after(() => at.dispose());

  test("in ten hands at once makes one owner, and nobody else signs in", { timeout: 60_000 }, async () => {
    const people = Array.from({ length: 10 }, (_, n) => ({
      email: `m${n}@example.jp`,
      password: `the password of ${n}`,
    }));
    const form = { token: setupToken(), ...FORM, name: "x" };
    const forms = await withCodes(
      at,
      people.map((person) => ({ ...form, ...person })),
    );
    const answers = await Promise.all(forms.map((form) => open(at, form)));
    const owners = people.filter((_, n) => answers[n].status === 201);
    assert.equal(owners.length, 1, answers.map(({ status }) => status).join());
    for (const [n, person] of people.entries()) {
      const answer = await at.console("POST", "/v1/session", { body: person, cookie: null, ip: `192.0.${n}.1` });
      assert.equal(answer.status, person === owners[0] ? 201 : 401, answer.text);
    }
    const late = { ...form, email: "evil@example.jp", password: "a password of mine" };
    for (const path of ["/v1/setup/code", "/v1/setup"])
      expect(await at.console("POST", path, { body: late, cookie: null }), 409, "setup_done");
  });
});

describe("a mailbox code", () => {
  let at;
  before(async () => {
    at = await begin();
  });
  after(() => at.dispose());

  test("is the only mail, and nothing is claimed or opened before it is typed", { timeout: 60_000 }, async () => {
    const token = await invited(at);
    const form = { token, ...FORM, account_name: "https://evil.example", ...OTHER_OWNER };
    const before = at.worker.mailbox.messages.length;
    const mailed = expect(await at.mailSetUpCode(form), 200);
    assert.equal(mailed.body.mail, "sent");
    const waits = Date.parse(mailed.body.expires_at) - Date.parse(mailed.body.now);
    assert.ok(waits > 590_000 && waits <= 600_000, `${waits}`);
    const mails = at.worker.mailbox.messages.slice(before);
    assert.deepEqual(
      mails.map(({ to, subject }) => [[to].flat().join(), subject]),
      [[OTHER_OWNER.email, "Code to confirm your e-mail address"]],
    );
    assert.ok(!mails[0].text.includes("evil") && !mails[0].html.includes("evil"), mails[0].text);
    assert.ok(mails[0].text.includes(OFFICE));
    // Nobody is at the address yet, so that anyone else may prove it first.
    expect(await open(at, form), 422, "invalid");
    const other = { ...form, token: await invited(at) };
    const code = await at.mailboxCode(form.email);
    expect(await open(at, { ...other, code }), 410, "code_over");
    expect(await open(at, { ...form, email: "noor@example.net", code }), 410, "code_over");
    expect(await open(at, { ...form, code: "0123" }), 422, "invalid");
    assert.equal(expect(await open(at, { ...form, code: wrong(code) }), 403, "code_wrong").body.tries_left, 4);
    expect(await open(at, { ...form, code }), 201);
    expect(await open(at, { ...form, code }), 409, "setup_done");
    expect(await open(at, { ...other, code }), 410, "code_over");
  });

  test(
    "is over after five wrong tries, at once or one by one, and the next one works",
    { timeout: 60_000 },
    async () => {
      const form = { token: await invited(at), ...FORM, ...OTHER_OWNER, email: "ana@example.org" };
      expect(await at.mailSetUpCode(form), 200);
      const code = await at.mailboxCode(form.email);
      const tries = await Promise.all(Array.from({ length: 12 }, () => open(at, { ...form, code: wrong(code) })));
      const left = tries.filter(({ status }) => status === 403).map(({ body }) => body.tries_left);
      assert.deepEqual(left.sort(), [0, 1, 2, 3, 4]);
      expect(await open(at, { ...form, code }), 410, "code_over");
      expect(await at.trySetUp(form), 201);
    },
  );

  test("ends after ten minutes", { timeout: 60_000 }, async () => {
    const form = { token: await invited(at), ...FORM, ...OTHER_OWNER, email: "late@example.org" };
    expect(await at.mailSetUpCode(form), 200);
    const code = await at.mailboxCode(form.email);
    await at.worker.setClock(10 * 60 * 1000 + 1_000);
    expect(await open(at, { ...form, code }), 410, "code_over");
    await at.worker.setClock(0);
  });

  test("is mailed three times an hour to one address and ten times by one link", { timeout: 60_000 }, async () => {
    const token = await invited(at);
    const to = (email) => at.mailSetUpCode({ token, ...FORM, ...OTHER_OWNER, email });
    const before = at.worker.mailbox.messages.length;
    for (let n = 0; n < 3; n += 1) expect(await to("victim@example.org"), 200);
    const refused = expect(await to("victim@example.org"), 429, "too_many_attempts");
    assert.ok(Number(refused.headers["retry-after"]) > 3_500);
    for (let n = 0; n < 6; n += 1) expect(await to(`victim${n}@example.org`), 200);
    expect(await to("another@example.org"), 429, "too_many_attempts");
    assert.equal(at.worker.mailbox.messages.length - before, 9);
    // Another link is not blocked, at the same address.
    const own = { token: await invited(at), ...FORM, ...OTHER_OWNER, email: "victim@example.org" };
    expect(await at.trySetUp(own), 201);
  });

  test("says when the mail does not leave, and works once it does", { timeout: 60_000 }, async () => {
    const form = { token: await invited(at), ...FORM, ...OTHER_OWNER, email: "down@example.org" };
    at.worker.mailbox.failAlways(503);
    assert.equal(expect(await at.mailSetUpCode(form), 200).body.mail, "failing");
    at.worker.mailbox.recover();
    expect(await open(at, { ...form, code: await at.mailboxCode(form.email) }), 201);
    const never = { ...form, token: await invited(at), email: "never@example.org" };
    at.worker.mailbox.failAlways(422);
    assert.equal(expect(await at.mailSetUpCode(never), 200).body.mail, "refused");
    at.worker.mailbox.recover();
  });

  test("is mailed to no text that is no address, however long or odd", { timeout: 60_000 }, async () => {
    const token = await invited(at);
    await at.worker.resetCounters();
    for (const email of [
      "",
      "noor",
      "noor@example",
      "noor@example.org\r\nBcc: all@example.org",
      "noor@example.org, ken@example.org",
      "noor@example.org>",
      '"noor"@example.org',
      "noor@exámple.org",
      "nооr@example.org",
      "noor\u200b@example.org",
      "noor@example.org\u0000",
      `${"a".repeat(65)}@example.org`,
      `a@${"b.".repeat(200)}org`,
    ])
      expect(await at.mailSetUpCode({ token, ...FORM, ...OTHER_OWNER, email }), 422, "invalid");
    const huge = { token, ...FORM, ...OTHER_OWNER, name: "x".repeat(100_000) };
    expect(await at.mailSetUpCode(huge), 413);
    assert.deepEqual(await at.worker.counters(), {});
    // Letters of either case are one address, and one budget.
    const to = (email) => at.mailSetUpCode({ token, ...FORM, ...OTHER_OWNER, email });
    for (const email of ["Case@example.org", "case@Example.org", "CASE@EXAMPLE.ORG"]) expect(await to(email), 200);
    expect(await to("case@example.org"), 429, "too_many_attempts");
  });

  test("tells nobody with a link who has an account, until it is typed", { timeout: 60_000 }, async () => {
    const token = await invited(at);
    const form = { token, ...FORM, ...OTHER_OWNER };
    const shape = ({ status, body }) => [status, Object.keys(body), body.mail];
    const taken = await at.mailSetUpCode({ ...form, email: OWNER.email });
    const free = await at.mailSetUpCode({ ...form, email: "free@example.org" });
    assert.deepEqual(shape(taken), shape(free));
    for (const email of [OWNER.email, "free@example.org"]) {
      // A password that nobody may choose is judged with the code, too.
      expect(await at.mailSetUpCode({ ...form, email, password: "password1234" }), 200);
      assert.equal(expect(await open(at, { ...form, email, code: "00000000" }), 403, "code_wrong").body.tries_left, 4);
    }
    const code = await at.mailboxCode(OWNER.email);
    expect(await open(at, { ...form, email: OWNER.email, code }), 409, "address_taken");
    // The person who has the mailbox and the password adds an account, with the same code.
    expect(await open(at, { ...form, email: OWNER.email, password: OWNER.password, code }), 201);
  });
});

test("one link in ten hands holds nobody else's address", { timeout: 60_000 }, async () => {
  const at = await begin();
  try {
    const token = await invited(at);
    const person = (n) => ({ name: "x", email: `m${n}@example.jp`, password: `the password of ${n}` });
    const forms = await withCodes(
      at,
      Array.from({ length: 10 }, (_, n) => ({ token, ...FORM, ...person(n) })),
    );
    // The winner's ledger is slow, so that all of them are under way at once.
    await at.worker.setFaults({ on: "LEDGER.fetch", mode: "delay", delay_ms: 500 });
    const answers = await Promise.all(forms.map((form) => open(at, form)));
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
    assert.ok(losers.filter(({ body }) => body.code === "setup_busy").length >= 5);
    // What the losers typed is free, at once.
    for (const loser of [0, 1, 2].map((n) => (winner + 1 + n) % 10)) {
      expect(await at.trySetUp({ ...FORM, ...person(loser), token: await invited(at) }), 201);
    }
  } finally {
    await at.dispose();
  }
});

test("a link can be used with another address at once after one that is taken", { timeout: 60_000 }, async () => {
  const at = await begin();
  try {
    const form = { token: await invited(at), ...FORM };
    const use = (email) => at.trySetUp({ ...form, ...OTHER_OWNER, email });
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
    const form = { token: await invited(at), ...FORM, ...OWNER };
    const people = ["mine", "stranger0", "stranger1", "stranger2"].map((name) => `${name}@example.org`);
    const [mine, ...strangers] = await withCodes(
      at,
      people.map((email) => ({ ...form, email })),
    );
    await at.worker.setFaults({ on: "LEDGER.fetch", mode: "fail" });
    expect(await open(at, mine), 503, "unavailable");
    for (const stranger of strangers) expect(await open(at, stranger), 409, "setup_busy");
    await at.worker.setFaults();
    // The code is good for a second try.
    await at.worker.setClock(10 * 60 * 1000 + 1_000);
    expect(await at.trySetUp({ ...form, email: "yours@example.org" }), 201);
    await at.worker.setClock(0);
  } finally {
    await at.dispose();
  }
});

test("a set-up that breaks off is finished with the same code", { timeout: 60_000 }, async () => {
  const at = await begin();
  try {
    const [form] = await withCodes(at, [{ token: await invited(at), ...FORM, ...OTHER_OWNER }]);
    for (const on of ["DIRECTORY.fetch", "NAME.fetch", "LEDGER.fetch"])
      for (const mode of ["fail", "lost"]) {
        await at.worker.setFaults({ on, mode, times: 1 });
        await open(at, form);
        await at.worker.setFaults();
      }
    const signIn = { email: OTHER_OWNER.email, password: OTHER_OWNER.password };
    const opened = async () => {
      const again = await open(at, form);
      return [201, 409].includes(again.status) && again;
    };
    await eventually("it is opened", opened);
    expect(await at.console("POST", "/v1/session", { body: signIn, cookie: null }), 201);
  } finally {
    await at.dispose();
  }
});

test("a set-up link tells no more addresses apart than signing in would", { timeout: 60_000 }, async () => {
  const at = await begin();
  try {
    const token = await invited(at);
    const form = { ...FORM, name: "x", password: "a secret known to me" };
    const ip = "192.0.2.7";
    const ask = (more) => open(at, { token, ...form, ...more, code: "00000000" }, ip);
    expect(await ask({ email: OWNER.email }), 410, "code_over");
    // What signing in counts, over all names, is counted here, and nothing happens before. Texts
    // that are no address cost no hash: three hundred hashes take long.
    const signIn = (n) =>
      at.console("POST", "/v1/session", { body: { email: `no ${n}`, password: "x" }, cookie: null, ip });
    const tries = await Promise.all(Array.from({ length: 310 }, (_, n) => signIn(n)));
    const refused = tries.filter(({ body }) => body.code === "too_many_attempts");
    assert.deepEqual([refused.length, refused[0].status], [11, 429]);
    await at.worker.resetCounters();
    expect(await ask({ email: OWNER.email }), 429, "too_many_attempts");
    expect(await at.mailSetUpCode({ token, ...form, email: "x@example.org" }, { ip }), 429, "too_many_attempts");
    expect(await ask({ token: `${token.slice(0, -1)}?`, email: OWNER.email }), 401, "setup_refused");
    assert.deepEqual(await at.worker.counters(), {}, "the isolate knows until when");
    // Elsewhere the link is as good as before.
    expect(await at.trySetUp({ token, ...form, email: "mine@example.org" }), 201);
  } finally {
    await at.dispose();
  }
});
