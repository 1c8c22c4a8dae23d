// Operators by Cloudflare Access: who is one, and who is none whatever they send.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { CONSOLE, ORIGIN, begin, eventually, expect } from "../../support/journey.mjs";
import { ANN, keyPair, team } from "../../support/team.mjs";

const ACCOUNTS = "/v1/operator/accounts";
const HEADER = "cf-access-jwt-assertion";
const MINUTE = 60_000;

/** Every route of operators, about one account; the first two change nothing. */
const routes = (id) => [
  ["GET", ACCOUNTS],
  ["GET", `${ACCOUNTS}/${id}`],
  ["POST", ACCOUNTS, { headers: { "idempotency-key": randomUUID() } }],
  ["PATCH", `${ACCOUNTS}/${id}`, { body: { suspended: true } }],
  ["POST", `${ACCOUNTS}/${id}/rebuild`],
  ["POST", `${ACCOUNTS}/${id}/restore/begin`],
  ["DELETE", `${ACCOUNTS}/${id}`],
  ["POST", `${ACCOUNTS}/${id}/restore/finish`],
];

describe("where Cloudflare Access is configured", () => {
  let access, at, ahead;
  before(async () => {
    access = await team();
    at = await begin({ admin: { vars: access.settings } });
    await setClock(0);
  });
  after(async () => {
    await at?.dispose();
    await access.close();
  });

  const setClock = async (ms) => {
    ahead = ms;
    access.setAhead(ms);
    await at.worker.setClock(ms);
  };
  /** Begins a new instance, which knows no keys; its pauses are over. */
  const forget = async () => {
    await setClock(ahead + 2 * MINUTE);
    await at.worker.setFaults({ on: "handle", mode: "trap", times: 1 });
    assert.equal((await ask("GET", ACCOUNTS)).status, 500);
    await at.worker.setFaults();
  };
  /** Asks with a token alone: no session. */
  const ask = (method, path, { token = access.token(), headers, ...init } = {}) =>
    at.console(method, path, { cookie: null, ...init, headers: { ...(token && { [HEADER]: token }), ...headers } });
  const refused = async (token, what) =>
    assert.deepEqual([(await ask("GET", ACCOUNTS, { token })).status, what], [404, what]);
  const activity = async (query) => expect(await at.console("GET", `/v1/activity?${query}`), 200).body.entries;

  test("a listed person is an operator without any session, and the activity names the address", async () => {
    const { id } = at.session.account;
    for (const [method, path, init] of routes(id).slice(0, -2)) {
      assert.ok((await ask(method, path, init)).status < 300, `${method} ${path}`);
    }
    expect(await ask("PATCH", `${ACCOUNTS}/${id}`, { body: { suspended: false } }), 200);
    expect(await ask("POST", `${ACCOUNTS}/${id}/restore/finish`), 200);
    const show = async () => expect(await ask("GET", `${ACCOUNTS}/${id}`), 200).body.account;
    await eventually("the restore is over", async () => !(await show()).restoring);
    // A restored account has no sessions.
    await at.signIn();
    const entries = await activity(new URLSearchParams({ member: ANN }));
    assert.equal(entries.length, 6);
    for (const { by } of entries) assert.deepEqual(by, { kind: "operator", name: ANN });
    assert.deepEqual(
      new Set(entries.map(({ action }) => action)),
      new Set([
        "operator_invited_account",
        "operator_set_account_state",
        "operator_rebuilt_records",
        "operator_began_restore",
        "operator_finished_restore",
      ]),
    );
    expect(await ask("GET", "/v1/counters"), 200);
    expect(await ask("GET", ACCOUNTS, { token: access.token({ email: "BEN@Example.COM" }) }), 200);
  });

  test("an owner of the first account is none, nor is anybody without a token", async () => {
    const before = await activity("limit=1");
    for (const [method, path, init] of [...routes(at.session.account.id), ["GET", "/v1/counters"]]) {
      expect(await at.console(method, path, init), 404, "not_found");
      expect(await at.console(method, path, { ...init, cookie: null }), 404, "not_found");
      expect(await at.console(method, path, { ...init, cookie: `CF_Authorization=${access.token()}` }), 404);
    }
    assert.deepEqual(await activity("limit=1"), before);
    assert.equal(expect(await at.console("GET", "/v1/session"), 200).body.operator_by, "access");
  });

  test("a token of anybody else, for anything else or of another time is refused like none", async () => {
    const now = access.seconds();
    for (const [what, over] of Object.entries({
      "another application": { aud: ["4".repeat(64)] },
      "another application, as text": { aud: "4".repeat(64) },
      "another team": { iss: "https://evil.cloudflareaccess.com" },
      "a team's session": { type: "org" },
      expired: { exp: now - 60 },
      "not valid yet": { nbf: now + 120 },
      "made later": { iat: now + 120 },
      "no address": { email: undefined },
      "an address that is not listed": { email: "eve@example.com" },
      "an address in a list": { email: [ANN] },
      "a service": { email: undefined, common_name: "e367826f93b8d71185e03fe518aff3b4.access", sub: "" },
      "more than 8 KB": { groups: "x".repeat(6_200) },
    })) {
      await refused(access.token(over), what);
    }
  });

  test("a token that Access did not sign is refused like none", async () => {
    const good = access.token();
    const [head, payload, signature] = good.split(".");
    const mine = keyPair(access.first.kid);
    const swapped = access.token({ email: "eve@example.com" }).split(".");
    for (const [what, token] of Object.entries({
      "no signature": access.unsigned(),
      "no algorithm, with a signature": access.unsigned("none", signature),
      "an algorithm in other letters": access.unsigned("nOnE"),
      "another's signature": [head, payload, swapped[2]].join("."),
      "another's claims": [swapped[0], payload, swapped[2]].join("."),
      "an empty signature": `${head}.${payload}.`,
      "a signature cut off": good.slice(0, -4),
      "a signature of zeros": `${head}.${payload}.${Buffer.alloc(256).toString("base64url")}`,
      "another key under the team's ID": access.token({}, { key: mine }),
      "its own key in the head": access.token({}, { key: mine, head: { jwk: mine.jwk } }),
      "an address of its own key": access.token({}, { key: mine, head: { x5u: "https://evil.example/", jku: ORIGIN } }),
      "a critical extension": access.token({}, { head: { crit: ["exp"] } }),
      "another algorithm under the right key": access.token({}, { head: { alg: "PS256" } }),
      "two tokens in one header": `${good}, ${good}`,
      "a scheme before it": `Bearer ${good}`,
      nothing: "",
      "no token": "hello",
    })) {
      await refused(token, what);
    }
    for (const token of access.confused()) await refused(token, "the public key as an HMAC secret");
    // Sent twice, the platform joins the headers.
    const { status } = await at.worker.fetch(CONSOLE, ACCOUNTS, {
      headers: [
        [HEADER, good],
        [HEADER, access.token({ email: "ben@example.com" })],
      ],
    });
    assert.equal(status, 404);
    expect(await ask("GET", ACCOUNTS), 200);
  });

  test("a change needs a token of the last ten minutes, a look any that is valid", async () => {
    const { id } = at.session.account;
    const token = access.token({ iat: access.seconds() - 601 });
    expect(await ask("GET", `${ACCOUNTS}/${id}`, { token }), 200);
    const before = await activity("limit=1");
    for (const [method, path, init] of routes(id).slice(2, -2)) {
      const { body } = expect(await ask(method, path, { ...init, token }), 403, "step_up_required");
      assert.deepEqual(body.methods, ["access"]);
    }
    assert.deepEqual(await activity("limit=1"), before);
  });

  test("another site changes nothing with an operator's browser", async () => {
    for (const [method, path, init] of routes(at.session.account.id).slice(2)) {
      expect(await ask(method, path, { ...init, origin: "https://evil.example" }), 403, "cross_site");
      expect(await ask(method, path, { ...init, origin: null }), 403, "cross_site");
    }
  });

  test("the address of the sign-in leads to the operator's page, also from Access", async () => {
    const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    const answer = expect(await ask("GET", "/v1/operator/sign-in", { headers, origin: null }), 303);
    assert.equal(answer.headers.location, "/#/operator");
    expect(await ask("POST", "/v1/operator/sign-in"), 405);
  });

  test("a flood of made-up key IDs makes one fetch a minute, and a new key of the team is found then", async () => {
    await forget();
    const before = access.fetches();
    const flood = () => {
      const tokens = Array.from({ length: 30 }, (_, n) =>
        access.token({}, { key: { ...access.first, kid: `made-up-${n}` } }),
      );
      return Promise.all(tokens.map(async (token) => (await ask("GET", ACCOUNTS, { token })).status));
    };
    assert.deepEqual(new Set(await flood()), new Set([404]));
    assert.equal(access.fetches(), before + 1);

    const second = keyPair("second");
    access.publish(second, access.first);
    assert.equal((await ask("GET", ACCOUNTS, { token: access.token({}, { key: second }) })).status, 404);
    expect(await ask("GET", ACCOUNTS), 200);
    await setClock(ahead + MINUTE - 10_000);
    await flood();
    assert.equal(access.fetches(), before + 1);
    await setClock(ahead + 11_000);
    expect(await ask("GET", ACCOUNTS, { token: access.token({}, { key: second }) }), 200);
    await flood();
    assert.equal(access.fetches(), before + 2);
  });

  test("a key that the team has withdrawn counts for an hour at most", async () => {
    const third = keyPair("third");
    access.publish(third);
    await setClock(ahead + 61 * MINUTE);
    await refused(access.token(), "withdrawn");
    expect(await ask("GET", ACCOUNTS, { token: access.token({}, { key: third }) }), 200);
    access.publish(access.first);
  });

  for (const [what, ...failure] of [
    ["answers with an error", 500, "{}"],
    ["answers with no keys", 200, { keys: [] }],
    ["answers with no JSON", 200, "<html>"],
    ["answers without end", 200, `{"keys":[],"x":"${"x".repeat(70_000)}"}`],
    ["leads elsewhere", 302, "", { location: "https://evil.example/" }],
    ["does not answer", "silent"],
  ]) {
    test(`nobody is an operator while the team ${what}, and one is again soon after`, async () => {
      await forget();
      access.fail(...failure);
      expect(await ask("GET", ACCOUNTS), 503, "unavailable");
      expect(await ask("GET", ACCOUNTS), 503, "unavailable");
      await refused("hello", "what is no token needs no key");
      access.recover();
      await setClock(ahead + 10_000);
      expect(await ask("GET", ACCOUNTS), 200);
    });
  }

  test("no token is in the log, and what Access signed is refused with its reason", () => {
    const log = at.worker.log().join("\n");
    assert.doesNotMatch(log, /eyJ/);
    assert.match(log, /a token of Cloudflare Access is refused: the audience is not ACCESS_AUD/);
    assert.match(log, /a token of Cloudflare Access is refused: its address is not in ACCESS_OPERATORS/);
    assert.match(log, /the keys of ACCESS_TEAM could not be fetched: status 500/);
  });
});

describe("where Cloudflare Access is half configured", () => {
  test("nobody is an operator, the log says why, and everything else is served", async () => {
    const at = await begin({ admin: { vars: { ACCESS_TEAM: "example", ACCESS_OPERATORS: [ANN] } } });
    try {
      for (const [method, path, init] of [...routes(at.session.account.id), ["GET", "/v1/counters"]]) {
        expect(await at.console(method, path, init), 503, "misconfigured");
        expect(await at.console(method, path, { ...init, cookie: null }), 503, "misconfigured");
      }
      expect(await at.console("GET", "/v1/session"), 200);
      const { credential } = await at.issue();
      expect(await at.call("/", { key: credential }), 200);
      await at.worker.logged(/belong together: ACCESS_AUD is not set/);
    } finally {
      await at.dispose();
    }
  });
});
