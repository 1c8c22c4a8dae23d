// The two Workers of one deployment: that they fit, and what happens where they do not.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MASTER_SECRET, edgeKeys, linkHeader } from "./support/harness.mjs";
import { API, CALLER, CONSOLE, OFFICE, ORIGIN, OWNER, RULES, begin, eventually, expect } from "./support/journey.mjs";

const OTHER_SECRET = JSON.stringify([{ id: "other", secret: "Ue5nJ1kAzSgM7pDh3CyTq0RlWb9XoFv8IiNt2GxKc6P" }]);

describe("an edge with keys of another ring", () => {
  let at;
  before(async () => (at = await begin({ setUp: false, edge: { secrets: { EDGE_KEYS: edgeKeys(OTHER_SECRET) } } })));
  after(() => at.dispose());

  test("calls no key made up: it asks, refuses everything with 503, and both logs say why", async () => {
    const key = forge();
    await eventually("it has asked", async () => (await at.call("/", { key: forge() })).status === 503);
    for (const [host, method, path, headers] of [
      [API, "GET", "/", { authorization: `Bearer ${key}` }],
      [API, "GET", "/public/a", {}],
      [API, "POST", "/issue_service_authorization", {}],
      [CONSOLE, "GET", "/", {}],
      [CONSOLE, "GET", "/v1/session", {}],
      [CONSOLE, "POST", "/v1/verify", { "claviger-verifier": key }],
      [CONSOLE, "POST", "/v1/introspect", { "claviger-verifier": key }],
    ]) {
      const refused = expect(await at.ask(host, path, { method, headers }), 503, "misconfigured");
      assert.ok(refused.headers["retry-after"], path);
    }
    const log = at.worker.log().join("\n");
    assert.match(
      log,
      /a request is refused: EDGE_KEYS \([0-9a-f]{8}…\) are not derived from MASTER_SECRET \([0-9a-f]{8}…\)/,
    );
    assert.match(log, /this edge refuses everything: EDGE_KEYS \([0-9a-f]{8}/);
  });

  test("tells no key, and no fingerprint, in any log or answer", () => {
    const seen = [...at.worker.log(), ...at.answers.map(({ text, headers }) => text + JSON.stringify(headers))].join(
      "\n",
    );
    for (const { tag, sealing } of [...JSON.parse(edgeKeys(OTHER_SECRET)), ...JSON.parse(edgeKeys())]) {
      for (const secret of [tag, sealing]) assert.ok(!seen.includes(secret) && !seen.includes(secret.slice(0, 16)));
    }
    assert.ok(!/[0-9a-f]{32}/.test(seen.replaceAll(/v1=[0-9a-f]{64}/g, "")));
  });
});

/** A key in the right form, checksum and all, whose tag is wrong. */
function forge() {
  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const covered = `a1B2c3D47Hq0p2Zx9K${"s".repeat(43)}${"t".repeat(11)}`;
  let crc = 0xffffffff;
  for (const byte of Buffer.from(covered)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  let rest = (crc ^ 0xffffffff) >>> 0;
  let digits = "";
  for (let digit = 0; digit < 6; digit += 1) [digits, rest] = [alphabet[rest % 62] + digits, Math.floor(rest / 62)];
  return `clv_${covered}${digits}`;
}

describe("an edge that fits", () => {
  let at;
  before(async () => (at = await begin()));
  after(() => at.dispose());

  test("asks once in an isolate's life before it calls a key made up, and never again", async () => {
    const fresh = await begin({ setUp: false });
    try {
      expect(await fresh.call("/", { key: forge() }), 401, "unknown");
      assert.deepEqual(await fresh.worker.edgeCounters(), { "ADMIN.fetch": 1 });
      for (let times = 0; times < 5; times += 1) expect(await fresh.call("/", { key: forge() }), 401, "unknown");
      assert.deepEqual(await fresh.worker.edgeCounters(), { "ADMIN.fetch": 1 });
    } finally {
      await fresh.dispose();
    }
  });

  test("asks once however many made-up keys come at once, and once a second while nobody answers", async () => {
    const fresh = await begin({ setUp: false, faults: [{ on: "ADMIN.fetch", mode: "delay", delay_ms: 700 }] });
    try {
      const burst = () => Promise.all(Array.from({ length: 100 }, () => fresh.call("/", { key: forge() })));
      const answers = await burst();
      const count = (status) => answers.filter((answer) => answer.status === status).length;
      assert.deepEqual([count(401), count(503)], [1, 99]);
      assert.deepEqual(await fresh.worker.edgeCounters(), { "ADMIN.fetch": 1 });
      assert.ok((await burst()).every(({ status }) => status === 401));
      assert.deepEqual(await fresh.worker.edgeCounters(), { "ADMIN.fetch": 1 });
    } finally {
      await fresh.dispose();
    }
    const deserted = await begin({ setUp: false, faults: [{ on: "ADMIN.fetch", mode: "delay", delay_ms: 60_000 }] });
    try {
      const [begun, sent] = [Date.now(), []];
      while (Date.now() < begun + 4_000) {
        sent.push(deserted.call("/", { key: forge() }));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const { "ADMIN.fetch": asked } = await deserted.worker.edgeCounters();
      assert.ok(asked >= 2 && asked <= 5, `${asked} calls in 4 s`);
      assert.ok((await Promise.all(sent)).every(({ status }) => status === 401 || status === 503));
    } finally {
      await deserted.dispose();
    }
  });

  test("goes on verifying while the admin Worker does not answer, and the console's host says 503", async () => {
    const { credential } = await at.issue();
    expect(await at.call("/", { key: credential }), 200);
    await at.worker.setFaults({ on: "ADMIN.fetch", mode: "fail" });
    expect(await at.call("/", { key: credential }), 200);
    expect(await at.call("/", { key: forge() }), 401, "unknown");
    for (const path of ["/", "/v1/session"]) {
      const refused = expect(await at.console("GET", path), 503, "unavailable");
      assert.ok(refused.headers["retry-after"]);
    }
    await at.worker.logged(/ADMIN did not answer/);
    await at.worker.setFaults();
    expect(await at.console("GET", "/v1/session"), 200);
  });

  test("lets nobody see or forge what the Workers say to each other", async () => {
    const { credential, key } = await at.issue();
    const forgery = {
      "claviger-edge": "1 00000000000000000000000000000000",
      "claviger-admin": `changed ${key.id.slice(0, 8)} 9000000000000000`,
      claviger_edge: "1 x",
      "claviger-counters": '{"hits":7}',
    };
    // To the console: the edge's own header counts, not the client's.
    const shown = expect(await at.console("GET", "/v1/session", { headers: forgery }), 200);
    assert.equal(shown.headers["claviger-admin"], undefined);
    const counters = expect(await at.console("GET", "/v1/counters", { headers: forgery }), 200).body.isolate;
    assert.notEqual(counters.hits, 7);
    // To an origin: nothing of it arrives.
    const seen = expect(await at.call("/seen", { key: credential, headers: forgery }), 200);
    const names = seen.body.headers.map(([name]) => name);
    for (const name of Object.keys(forgery)) assert.ok(!names.includes(name), name);
    // A change's answer tells the client nothing of it.
    const changed = await at.change(key.id, "disable");
    assert.equal(changed.key.enabled, false);
    assert.ok(at.answers.every(({ headers }) => headers["claviger-admin"] === undefined));
  });

  test("takes no word from an origin", async () => {
    const { credential, key } = await at.issue();
    expect(await at.call("/", { key: credential }), 200);
    await at.worker.resetCounters();
    const word = encodeURIComponent(`changed ${key.id.slice(0, 8)} 9000000000000000`);
    const answer = expect(await at.call(`/says?name=claviger-admin&value=${word}`, { key: credential }), 200);
    assert.equal(answer.headers["claviger-admin"], undefined);
    const misfit = encodeURIComponent("misfit made up");
    expect(await at.call(`/says?name=claviger-admin&value=${misfit}`, { key: credential }), 200);
    expect(await at.call("/", { key: credential }), 200);
    const { "DEMO.fetch": _, ...calls } = await at.worker.counters();
    assert.deepEqual(calls, {}, "the lease is as it was");
    for (const name of [
      "claviger_admin",
      "Claviger-Edge",
      "Claviger-Account",
      "claviger.key",
      "claviger~proof",
      "claviger",
    ]) {
      const said = expect(await at.call(`/says?name=${name}&value=x`, { key: credential }), 200);
      assert.ok(!Object.keys(said.headers).some((name) => name.startsWith("claviger")), name);
      assert.equal(said.text, "said");
    }
    const other = expect(await at.call("/says?name=clavigers&value=x", { key: credential }), 200);
    assert.equal(other.headers.clavigers, "x", "a name that only begins alike is the origin's");
  });

  test("a change through it holds there at once", async () => {
    const { credential, key } = await at.issue();
    expect(await at.call("/", { key: credential }), 200);
    await at.change(key.id, "disable");
    expect(await at.call("/", { key: credential }), 401, "disabled");
  });
});

describe("the admin Worker", () => {
  let at;
  before(async () => (at = await begin()));
  after(() => at.dispose());

  test("answers nobody who calls past the edge, signed in or not", async () => {
    for (const headers of [
      {},
      { cookie: at.cookie },
      { cookie: at.cookie, "claviger-edge": "" },
      { cookie: at.cookie, "claviger-edge": "1 00000000000000000000000000000000" },
      { cookie: at.cookie, "claviger-edge": `1 ${"f".repeat(31)}` },
      { cookie: at.cookie, "claviger-edge": `1 ${"f".repeat(32)} ${"f".repeat(32)}` },
      { cookie: at.cookie, "claviger-edge": linkHeader().split(" ").slice(0, 2).join(" ") },
      { cookie: at.cookie, "claviger-edge": "99 00000000000000000000000000000000" },
    ]) {
      for (const path of ["/", "/app.js", "/v1/session", "/v1/keys", "/.claviger/link"]) {
        const answer = await at.worker.admin(CONSOLE, path, { headers: { ...headers, "cf-connecting-ip": OFFICE } });
        assert.equal(answer.status, 503, `${path} ${JSON.stringify(headers)}`);
      }
    }
    await at.worker.logged(/the call does not come through claviger-edge/);
  });
});

describe("the Durable Objects", () => {
  let at, account, ledger;
  before(async () => {
    at = await begin();
    account = at.session.account.id;
    ledger = `ledger/${account}`;
  });
  after(() => at.dispose());

  const member = { id: "m".repeat(10), name: "Eve", email: "eve@example.org", language: "en", secret_version: 1 };
  const session = { id: "s".repeat(10), digest: "00".repeat(32) };
  const opening = (of) => ({ account: of, name: "Eve", zone: "UTC", owner: member, session, address: null });
  /** Each class with requests that only this deployment's own code may send. */
  const own = () => [
    ["LEDGER", "ledger/aaaaaaaa", { ask: "open", ...opening("aaaaaaaa") }],
    ["LEDGER", "ledger/aaaaaaaa", { ask: "open_invited", ...opening("aaaaaaaa") }],
    ["LEDGER", ledger, { ask: "set_state", suspended: true }],
    ["LEDGER", ledger, { ask: "inspect" }],
    ["LEDGER", ledger, { ask: "exists" }],
    ["LEDGER", ledger, { ask: "progress" }],
    ["LEDGER", ledger, { ask: "rebuild" }],
    ["LEDGER", ledger, { ask: "restored", epoch: "0".repeat(16) }],
    ["LEDGER", ledger, { ask: "console", session, address: null, command: "show" }],
    ["NAME", `member/${OWNER.email}`, { ask: "verify", password: OWNER.password, block: null, counted: true }],
    ["DIRECTORY", "directory", { ask: "list" }],
    ["DIRECTORY", "directory", { ask: "invite", account: "aaaaaaaa" }],
    ["DIRECTORY", "directory", { ask: "confirm", account: "aaaaaaaa" }],
    ["ADDRESS", "tries/address/0", { ask: "count", counters: [{ limit: "sum", of: "*" }] }],
    ["ADDRESS", "tries/name/0", { ask: "succeeded", counter: { limit: "name", of: "x" } }],
    ["ADDRESS", "tries/api-name/0", { ask: "returned", counters: [{ limit: "api_name", of: "x" }], succeeded: true }],
    ["API_NAME", "api-user/app@example.com", { ask: "check", secret: "Tr4ffic!" }],
    ["LEDGER", ledger, { ask: "holds_api_name", name: "app@example.com" }],
  ];
  const refresh = { ask: "refresh", epoch: null, known_revision: 0, state_revision: 0 };

  for (const [what, headers] of [
    ["without a header", {}],
    ["with an empty proof", { "claviger-proof-of-call": "" }],
    ["with a made-up proof", { "claviger-proof-of-call": "0".repeat(64) }],
    ["with a client's session", { cookie: "__Host-claviger=S", origin: ORIGIN }],
  ]) {
    test(`answer no caller ${what}`, async () => {
      for (const [binding, instance, body] of [...own(), ["LEDGER", ledger, refresh]]) {
        const { status, text } = await at.worker.object(binding, instance, body, headers);
        assert.deepEqual([status, text], [403, ""], `${binding} ${body.ask}`);
      }
      await at.worker.logged(/a call to Directory is refused: it comes neither from claviger nor from claviger-edge/);
    });
  }

  test("take of an edge nothing but an edge's requests", async () => {
    const headers = { "claviger-edge": linkHeader() };
    const refreshed = await at.worker.object("LEDGER", ledger, refresh, headers);
    assert.equal(JSON.parse(refreshed.text).reply, "refreshed", refreshed.text);
    for (const [binding, instance, body] of own()) {
      const { status, text } = await at.worker.object(binding, instance, body, headers);
      if (binding !== "LEDGER") assert.deepEqual([status, text], [403, ""], `${binding} ${body.ask}`);
      else assert.deepEqual(JSON.parse(text), { reply: "refused", refusal: "not_understood" }, body.ask);
      const line = /a call to Name is refused: no edge makes such a call: somebody may have the keys of claviger-edge/;
      if (binding === "NAME") await at.worker.logged(line);
    }
  });

  test("are as they were", async () => {
    const { body } = expect(await at.console("GET", "/v1/operator/accounts"), 200);
    assert.deepEqual(
      body.accounts.map(({ id }) => id),
      [account],
    );
    const shown = expect(await at.console("GET", `/v1/operator/accounts/${account}`), 200).body.account;
    assert.equal(shown.suspended, false, JSON.stringify(shown));
  });
});

test("EDGE_KEYS of an earlier release, which could make session cookies, are refused and the log says why", async () => {
  const former = JSON.parse(edgeKeys()).map((generation) => ({ ...generation, cookies: "0".repeat(64) }));
  const at = await begin({ setUp: false, edge: { secrets: { EDGE_KEYS: JSON.stringify(former) } } });
  try {
    expect(await at.call("/public/a"), 503, "misconfigured");
    await at.worker.logged(
      /EDGE_KEYS: generation 0 has a member that this release does not know: derive EDGE_KEYS again/,
    );
  } finally {
    await at.dispose();
  }
});

test("a rule that names a binding which the edge lacks answers 503 and says which", async () => {
  const rules = [...RULES, { host: API, path: "/lacking", origin: "NOT_THERE", public: true }];
  const at = await begin({ rules });
  try {
    expect(await at.call("/lacking"), 503, "misconfigured");
    await at.worker.logged(/the rules name the binding NOT_THERE/);
    expect(await at.call("/public/a", { ip: CALLER }), 200);
  } finally {
    await at.dispose();
  }
});

test("an edge without the admin Worker serves no console and calls no key made up, and its log says why", async () => {
  const at = await begin({ setUp: false, bindings: { serviceBindings: { DEMO: "claviger-demo-origin" } } });
  try {
    expect(await at.ask(CONSOLE, "/", {}), 503, "unavailable");
    await at.worker.logged(/ADMIN/);
    // Refused all the same: nothing proves it.
    expect(await at.call("/", { key: forge() }), 401, "unknown");
  } finally {
    await at.dispose();
  }
});

for (const [name, value] of [
  ["PREFIX", "abc"],
  ["CONSOLE_ORIGIN", "http://localhost:9999"],
  ["FRESHNESS", "eventual"],
  ["OUTAGE", "grace:60"],
]) {
  test(`an edge whose ${name} is not the admin Worker's refuses everything, and both logs say why`, async () => {
    const at = await begin({ setUp: false, edge: { vars: { [name]: value } } });
    try {
      expect(await at.ask(CONSOLE, "/v1/session", {}), 503, "misconfigured");
      expect(await at.call("/public/a"), 503, "misconfigured");
      const log = at.worker.log().join("\n");
      const why = "PREFIX, CONSOLE_ORIGIN, FRESHNESS or OUTAGE differs between claviger-edge and claviger: deploy both";
      assert.ok(log.includes(`a request is refused: ${why}`), log);
      assert.ok(log.includes(`this edge refuses everything: ${why}`), log);
    } finally {
      await at.dispose();
    }
  });
}

test("an edge with another PREFIX calls no key malformed before it has asked", async () => {
  const at = await begin({ setUp: false, edge: { vars: { PREFIX: "abc" } } });
  try {
    expect(await at.call("/", { key: `clv_${"0".repeat(78)}` }), 503, "misconfigured");
  } finally {
    await at.dispose();
  }
});

test("rules that differ, as they do for a moment in a deployment, do no harm", async () => {
  const at = await begin({ admin: { vars: { RULES: RULES.slice(0, 1) } } });
  try {
    const { credential } = await at.issue();
    expect(await at.call("/any/x", { key: credential }), 200);
  } finally {
    await at.dispose();
  }
});

test("a ring that is rotated on the admin side alone is noticed by an edge that is in use", async () => {
  const rotated = JSON.stringify([
    { id: "newer", secret: "Xw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyEmKq4Zt0b" },
    ...JSON.parse(MASTER_SECRET),
  ]);
  const at = await begin({ setUp: false, admin: { secrets: { MASTER_SECRET: rotated } } });
  try {
    expect(await at.ask(CONSOLE, "/v1/session", {}), 503, "misconfigured");
    expect(await at.call("/public/a"), 503, "misconfigured");
  } finally {
    await at.dispose();
  }
});
