// What holds when something fails: KV, the ledger, a reply, the whole process, the settings.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { parts } from "./support/forge.mjs";
import { MASTER_SECRET, edgeKeys } from "./support/harness.mjs";
import { ANY_KEY, API, CONSOLE, OWNER, begin, eventually, expect, setupToken } from "./support/journey.mjs";

describe("KV", () => {
  let at;
  before(async () => (at = await begin()));
  after(() => at.dispose());
  afterEach(() => at.worker.setFaults());

  test("cannot be read: the ledger answers", async () => {
    const { credential, key } = await at.issue();
    const other = await at.issue();
    await eventually("it is published", () => at.published(key.id));
    await at.forget();
    // Under a lease: without one the ledger is asked in any case.
    expect(await at.call("/", { key: other.credential }), 200);
    await at.worker.setFaults({ on: "KEYS.get", mode: "fail" });
    await at.worker.resetCounters();
    expect(await at.call("/", { key: credential }), 200);
    assert.deepEqual(await at.worker.counters(), { "KEYS.get": 1, "LEDGER.fetch": 1, "DEMO.fetch": 1 });
  });

  test("does not answer at all, nor does the ledger: nobody gets through, with 503", async () => {
    const { credential } = await at.issue();
    await at.forget();
    await at.worker.setFaults({ on: "KEYS.get", mode: "fail" }, { on: "LEDGER.fetch", mode: "fail" });
    const refused = expect(await at.call("/", { key: credential }), 503, "unavailable");
    assert.equal(refused.headers["retry-after"], "2");
    assert.equal(refused.headers["cache-control"], "no-store");
    // It was not taken for an answer, and is not remembered for longer than a second.
    await at.worker.setFaults();
    await eventually("it is asked again", async () => (await at.call("/", { key: credential })).status === 200);
  });

  for (const mode of ["fail", "lost"]) {
    test(`takes a record, and the put ${mode === "fail" ? "fails" : "succeeds but its reply is lost"}: it converges`, async () => {
      const { credential, key } = await at.issue();
      await eventually("it is published", () => at.published(key.id));
      await at.worker.resetCounters();
      await at.worker.setFaults({ on: "KEYS.put", mode, times: 1 });
      const { key: disabled } = await at.change(key.id, "disable");
      expect(await at.call("/", { key: credential }), 401, "disabled");
      await eventually("it was put again", async () => (await at.worker.counters())["KEYS.put"] >= 2);
      await eventually("KV holds the last change", async () => {
        const record = await at.published(key.id);
        return record?.revision === disabled.revision && record.state === "disabled";
      });
      await at.worker.logged(/KEYS\.put|KV did not take a record/);
    });
  }

  test("holds something that is no record, or another key's: the ledger answers", async () => {
    const { credential, key } = await at.issue();
    const other = await at.issue();
    await eventually("both are published", async () => (await at.published(key.id)) && at.published(other.key.id));
    for (const text of [
      "",
      "{",
      "null",
      "7",
      JSON.stringify({ ...(await at.published(key.id)), v: 2 }),
      JSON.stringify(await at.published(other.key.id)),
    ]) {
      await at.worker.putKv(`key/${key.id}`, text);
      await at.forget();
      expect(await at.call("/", { key: credential }), 200);
      expect(await at.call("/", { key: other.credential }), 200);
    }
  });
});

test("a KV that takes nothing for minutes is told of, in the log and to the console, and new keys work all the same", async () => {
  const at = await begin();
  try {
    const lag = async () => expect(await at.console("GET", "/v1/session"), 200).body.publication_lag_s;
    await at.worker.setFaults({ on: "KEYS.put", mode: "fail" });
    const { credential } = await at.issue();
    assert.equal(await lag(), null);
    await at.worker.setClock(3 * 60_000);
    const told = await lag();
    assert.ok(told >= 180 && told < 240, `${told}`);
    const line = /account \w{8}: KV lacks a change for (1[89]\d|2[0-3]\d) s$/;
    await eventually("the log tells", () => at.worker.log().some((text) => line.test(text)));
    expect(await at.call("/", { key: credential }), 200);
  } finally {
    await at.dispose();
  }
});

describe("the ledger", () => {
  let at;
  before(async () => (at = await begin()));
  after(() => at.dispose());
  afterEach(() => at.worker.setFaults());

  test("is out of reach: the console says so, and what KV and memory know still works", async () => {
    const remembered = await at.issue();
    const published = await at.issue();
    await eventually(
      "both are published",
      async () => (await at.published(published.key.id)) && at.published(remembered.key.id),
    );
    await at.forget();
    expect(await at.call("/", { key: remembered.credential }), 200);
    await at.worker.setFaults({ on: "LEDGER.fetch", mode: "fail" });
    for (const [method, path, init] of [
      ["GET", "/v1/session"],
      ["GET", "/v1/keys"],
      ["POST", "/v1/keys", { body: ANY_KEY, headers: { "idempotency-key": randomUUID() } }],
      ["POST", `/v1/keys/${published.key.id}/disable`, { headers: { "if-match": '"1"' } }],
      ["POST", "/v1/deletions", { body: { keys: [published.key.id] } }],
      ["POST", "/v1/session", { body: { email: OWNER.email, password: OWNER.password } }],
    ]) {
      const refused = expect(await at.console(method, path, init), 503, "unavailable");
      assert.equal(refused.headers["retry-after"], "2");
      assert.equal(refused.headers["set-cookie"], undefined);
    }
    expect(await at.call("/", { key: remembered.credential }), 200);
    expect(await at.call("/", { key: published.credential }), 200);
  });

  test("loses its reply to an issue: the same request again tells what it issued, and issues nothing", async () => {
    const { total } = expect(await at.console("GET", "/v1/keys"), 200).body;
    const again = randomUUID();
    await at.worker.setFaults({ on: "LEDGER.fetch", mode: "lost", times: 1 });
    const lost = expect(await at.tryIssue({ name: "lost" }, again), 503, "unavailable");
    assert.equal(lost.body.credential, undefined);
    for (let times = 0; times < 2; times += 1) {
      const told = expect(await at.tryIssue({ name: "lost" }, again), 409, "already_issued");
      assert.equal(told.body.key.name, "lost");
      assert.deepEqual([told.body.credential, told.body.access_secret], [undefined, undefined]);
    }
    assert.equal(expect(await at.console("GET", "/v1/keys"), 200).body.total, total + 1);
  });

  test("was asked for two keys at once under one idempotency key: one is issued", async () => {
    const one = randomUUID();
    const answers = await Promise.all(Array.from({ length: 8 }, () => at.tryIssue({}, one)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409, 409, 409]);
    const [{ body }] = answers.filter(({ status }) => status === 201);
    for (const told of answers.filter(({ status }) => status === 409)) assert.equal(told.body.key.id, body.key.id);
  });

  test("loses its reply to a change: the change holds", async () => {
    const { credential, key } = await at.issue();
    await at.worker.setFaults({ on: "LEDGER.fetch", mode: "lost", times: 1 });
    expect(
      await at.console("POST", `/v1/keys/${key.id}/disable`, { headers: { "if-match": `"${key.revision}"` } }),
      503,
      "unavailable",
    );
    assert.equal((await at.show(key.id)).status, "disabled");
    await eventually("KV holds it", async () => (await at.published(key.id))?.state === "disabled");
    await at.forget();
    expect(await at.call("/", { key: credential }), 401, "disabled");
  });

  for (const on of ["DIRECTORY.fetch", "NAME.fetch", "LEDGER.fetch"]) {
    for (const mode of ["fail", "lost"]) {
      test(`set-up breaks off at ${on} (${mode}), and can be repeated with the same link`, async () => {
        const fresh = await begin({ setUp: false });
        try {
          const account = { account_name: "Example KK", time_zone: "Asia/Tokyo", language: "en" };
          const form = { token: setupToken(), ...account, ...OWNER };
          expect(await fresh.mailSetUpCode(form), 200);
          const code = await fresh.mailboxCode(OWNER.email);
          await fresh.worker.setFaults({ on, mode, times: 1 });
          const broken = await fresh.console("POST", "/v1/setup", { body: { ...form, code }, cookie: null });
          expect(broken, 503, "unavailable");
          // Once the directory has heard that the account is open, the link is used up: its member
          // signs in.
          await fresh.setUp().catch((error) => {
            assert.deepEqual([on, mode, /setup_done/.test(error.message)], ["LEDGER.fetch", "lost", true]);
            return fresh.signIn();
          });
          expect(await fresh.call("/", { key: (await fresh.issue()).credential }), 200);
          expect(await fresh.console("GET", "/v1/session"), 200);
          await assert.rejects(fresh.setUp(), /setup_done/);
        } finally {
          await fresh.dispose();
        }
      });
    }
  }
});

describe("the process ends", () => {
  let persist;
  let at;
  before(async () => (persist = await mkdtemp(join(tmpdir(), "claviger-state-"))));
  afterEach(() => at.dispose());
  after(() => rm(persist, { recursive: true, force: true }));

  let kept;
  let cookie;
  let cutOff;
  test("between the commit of a change and its publication", async () => {
    at = await begin({ persist, faults: [{ on: "KEYS.put", mode: "fail" }] });
    ({ cookie } = at);
    kept = await at.issue({ name: "kept" });
    await at.change(kept.key.id, { networks: ["192.0.2.0/24"] });
    cutOff = await at.issue({ name: "issued just before" });
    assert.deepEqual([await at.published(kept.key.id), await at.published(cutOff.key.id)], [null, null]);
  });

  test("and nothing that was answered is lost, and KV converges by itself", async () => {
    at = await begin({ persist, setUp: false });
    at.cookie = cookie;
    expect(await at.call("/", { key: cutOff.credential }), 200);
    expect(await at.call("/", { key: kept.credential }), 403, "network_denied");
    expect(await at.call("/", { key: kept.credential, ip: "192.0.2.1" }), 200);
    assert.equal((await at.show(kept.key.id)).name, "kept");
    await at.signIn();
    await assert.rejects(at.setUp(), /setup_done/);
    for (const { key } of [kept, cutOff]) {
      const { revision } = await at.show(key.id);
      await eventually(`KV holds ${key.name}`, async () => (await at.published(key.id))?.revision === revision);
    }
  });

  test("after publication, and starts with one call of the ledger", async () => {
    at = await begin({ persist, setUp: false });
    await at.worker.resetCounters();
    expect(await at.call("/", { key: cutOff.credential }), 200);
    assert.deepEqual(await at.worker.counters(), { "LEDGER.fetch": 1, "DEMO.fetch": 1 });
  });
});

const EXAMPLE = "example-Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xW";

describe("a deployment whose secrets", () => {
  /** The master secret, the edge's keys (by default those that follow from it), and what the log says of it. */
  const settings = {
    "are missing": [undefined, undefined, /EDGE_KEYS is not set/],
    "are empty": ["", "", /EDGE_KEYS: not a JSON array/],
    "are no JSON": [
      "mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE",
      "mKq4Zt0bXw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyE",
      /EDGE_KEYS: not a JSON array/,
    ],
    "are the master secret, for the edge, too": [MASTER_SECRET, MASTER_SECRET, /EDGE_KEYS: not a JSON array/],
  };
  for (const [what, [secret, keys, reason]] of Object.entries(settings)) {
    test(`${what} serves nothing, and its log says why`, async () => {
      const at = await begin({ setUp: false, secrets: { MASTER_SECRET: secret, EDGE_KEYS: keys } });
      try {
        for (const [host, method, path] of [
          [CONSOLE, "GET", "/"],
          [CONSOLE, "GET", "/app.js"],
          [CONSOLE, "GET", "/v1/session"],
          [CONSOLE, "POST", "/v1/setup"],
          [CONSOLE, "POST", "/v1/session"],
          [CONSOLE, "GET", "/v1/keys"],
          [CONSOLE, "POST", "/v1/keys"],
          [CONSOLE, "POST", "/v1/verify"],
          [CONSOLE, "POST", "/v1/introspect"],
          [CONSOLE, "GET", "/nothing"],
          [API, "GET", "/"],
          [API, "GET", "/public/a"],
          [API, "POST", "/any/a"],
          ["other.localhost", "GET", "/"],
        ]) {
          const refused = expect(
            await at.ask(host, path, { method, headers: { authorization: "Bearer x" } }),
            503,
            "misconfigured",
          );
          assert.ok(refused.headers["retry-after"]);
          assert.equal(refused.headers["cache-control"], "no-store");
        }
        assert.deepEqual(await at.worker.counters(), {});
        const log = at.worker.log().join("\n");
        assert.match(log, reason);
        const values = secret ? [...secret.matchAll(/[\w-]{16,}/g)].map(([value]) => value) : [];
        assert.ok(
          values.every((value) => !log.includes(value) && !at.answers.some(({ text }) => text.includes(value))),
        );
      } finally {
        await at.dispose();
      }
    });
  }

  const masters = {
    "is missing": [undefined, /MASTER_SECRET is not set/],
    "is empty": ["", /MASTER_SECRET: not a JSON array/],
    "is an example": [
      JSON.stringify([{ id: "a", secret: EXAMPLE }]),
      /secret of generation 0 is too short, too uniform, or an example/,
    ],
    "is too short": [JSON.stringify([{ id: "a", secret: "mKq4Zt0bXw7RfNcY" }]), /secret of generation 0 is too short/],
  };
  for (const [what, [secret, reason]] of Object.entries(masters)) {
    test(`have a master secret that ${what}: no console, no verdict, and its log says why`, async () => {
      const at = await begin({
        setUp: false,
        secrets: { EDGE_KEYS: edgeKeys() },
        admin: { secrets: { MASTER_SECRET: secret } },
      });
      try {
        for (const [method, path] of [
          ["GET", "/"],
          ["GET", "/app.js"],
          ["GET", "/v1/session"],
          ["POST", "/v1/setup"],
          ["POST", "/v1/keys"],
          ["GET", "/nothing"],
        ]) {
          const refused = expect(await at.ask(CONSOLE, path, { method }), 503, "misconfigured");
          assert.ok(refused.headers["retry-after"]);
          assert.equal(refused.headers["cache-control"], "no-store");
        }
        // The edge has its own keys, and knows without the admin Worker that this is none of them.
        const headers = { authorization: "Bearer x" };
        expect(await at.ask(CONSOLE, "/v1/keys", { method: "POST", headers }), 401, "malformed");
        const log = at.worker.log().join("\n");
        assert.match(log, reason);
        assert.ok(!secret || !log.includes(JSON.parse(secret || "[{}]")[0].secret));
      } finally {
        await at.dispose();
      }
    });
  }
});

describe("a key's life goes on after a trap", () => {
  test("in the middle of an issue: it is issued once or not at all, and the next works", async () => {
    const at = await begin();
    try {
      for (const on of ["handle", "LEDGER.fetch", "Ledger.fetch"]) {
        const once = randomUUID();
        await at.worker.setFaults({ on, mode: "trap", times: 1 });
        expect(await at.tryIssue({}, once), 500, "internal");
        await at.worker.setFaults();
        const { credential } = await at.issue({}, once);
        assert.equal(parts(credential).id.slice(0, 8), at.session.account.id);
        expect(await at.call("/", { key: credential }), 200);
      }
    } finally {
      await at.dispose();
    }
  });

  test("in an alarm: KV converges all the same", { timeout: 20_000 }, async () => {
    const at = await begin();
    try {
      await at.worker.setFaults({ on: "Ledger.alarm", mode: "trap", times: 1 });
      const { key } = await at.issue();
      await eventually("it is published", () => at.published(key.id));
    } finally {
      await at.dispose();
    }
  });
});
