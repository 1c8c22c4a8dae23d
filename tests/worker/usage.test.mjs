// Counts of a key's requests: let through and refused apart, and complete soon after requests stop.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CALLER, begin, eventually, expect } from "./support/journey.mjs";
import { introspect } from "./support/oauth.mjs";

/** Within this, what an isolate holds reaches the ledger: a timer of 20 s, and time for a busy machine. */
const REPORTED_WITHIN_MS = 60_000;

const OUTSIDE = "192.0.2.9";

let at;
before(async () => (at = await begin()));
after(() => at.dispose());

/** Resolves to the key's view once `is` is true of it. Nothing else is asked of the API. */
const shows = (what, id, is) =>
  eventually(
    what,
    async () => {
      const key = await at.show(id);
      return is(key) && key;
    },
    REPORTED_WITHIN_MS,
  );

// The first test is alone: another's refresh would carry its counts.
test("30 calls are shown as 30, without any further call", async () => {
  const { key, credential } = await at.issue();
  const calls = Array.from({ length: 30 }, () => at.call("/", { key: credential }));
  for (const answer of await Promise.all(calls)) expect(answer, 200);
  const shown = await shows("30 calls are reported", key.id, ({ uses_24h }) => uses_24h >= 30);
  assert.deepEqual([shown.uses_24h, shown.refused_24h, shown.last_refused_at], [30, {}, null]);
  assert.ok(Date.parse(shown.last_used_at) <= Date.now());
});

describe("usage after traffic has stopped", { concurrency: true }, () => {
  test("refused calls are counted by reason, are no last use, and lock no caller out", async () => {
    const { key, credential } = await at.issue({ networks: `${CALLER}/32`, permissions: ["demo:read"] });
    for (let round = 0; round < 2; round++) {
      expect(await at.call("/", { key: credential, ip: OUTSIDE }), 403, "network_denied");
      expect(await at.call("/", { key: credential, method: "POST" }), 403, "permission_denied");
    }
    const refused = { network_denied: 2, permission_denied: 2 };
    const total = ({ refused_24h }) => Object.values(refused_24h).reduce((sum, count) => sum + count, 0);
    const shown = await shows("refusals are reported", key.id, (view) => total(view) >= 4);
    assert.deepEqual([shown.uses_24h, shown.last_used_at, shown.refused_24h], [0, null, refused]);
    assert.ok(Date.parse(shown.last_refused_at) <= Date.now());
    const draft = { key: key.id, networks: "198.51.100.0/24" };
    const { locked_out } = expect(await at.console("POST", "/v1/keys/check", { body: draft }), 200).body;
    assert.deepEqual(locked_out, []);
  });

  test("an expired key that is called was not used", async () => {
    const { key, credential } = await at.issue({ expires: "1s" });
    await eventually("it has expired", async () => (await at.call("/", { key: credential })).status === 401);
    const shown = await shows("a refusal is reported", key.id, ({ refused_24h }) => refused_24h.expired > 0);
    assert.ok(shown.last_used_at === null || Date.parse(shown.last_used_at) < Date.parse(shown.expires_at));
  });

  test("an introspection counts like a verification, and one of an inactive key is a refusal", async () => {
    const verifier = await at.issue({ permissions: ["claviger:verify"] });
    const { key, credential } = await at.issue({ permissions: ["demo:read"] });
    for (const permission of ["demo:read", "demo:write", "demo:read"])
      expect(await introspect(at, verifier, credential, { permission, address: CALLER }), 200);
    const shown = await shows(
      "all three are reported",
      key.id,
      (view) => view.uses_24h + (view.refused_24h.permission_denied ?? 0) >= 3,
    );
    assert.deepEqual([shown.uses_24h, shown.refused_24h], [2, { permission_denied: 1 }]);
    // The caller's own key is used each time.
    await shows("the verifier's are, too", verifier.key.id, ({ uses_24h }) => uses_24h === 3);
  });

  test("a verification by another service counts, with its caller", async () => {
    const { credential: verifier } = await at.issue({ permissions: ["claviger:verify"] });
    const { key, credential } = await at.issue();
    const body = {
      checks: [
        { credential, address: CALLER },
        { credential, address: OUTSIDE },
      ],
    };
    const headers = { "claviger-verifier": verifier };
    expect(await at.console("POST", "/v1/verify", { body, headers, cookie: null }), 200);
    await shows("both uses are reported", key.id, ({ uses_24h }) => uses_24h >= 2);
    const draft = { key: key.id, networks: "198.51.100.0/24" };
    const { locked_out } = expect(await at.console("POST", "/v1/keys/check", { body: draft }), 200).body;
    const callers = locked_out.map(({ address, count }) => [address, count]).sort();
    assert.deepEqual(
      callers,
      [
        [OUTSIDE, 1],
        [CALLER, 1],
      ].sort(),
    );
  });
});
