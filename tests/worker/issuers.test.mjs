// Issuers and what they issue, seen from several places: an edge that knows of nothing yet issues
// no key that others refuse, and none that was ended.
//
// Each test has a deployment of its own and they run side by side.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CALLER, CONSOLE, expect } from "./support/journey.mjs";
import { beginLocations, said } from "./support/locations.mjs";

const ISSUABLE = { permissions: ["demo:read"], networks: [], longest: "30d" };

async function begin(t, vars) {
  const at = await beginLocations(["a", "b", "c"], vars && { vars });
  t.after(() => at.dispose());
  return at;
}

/** One request to the issuance API in a place, with an issuable key or service credentials; `body` takes the form's place. */
function ask(place, { key, fields = {}, body }) {
  const headers = { "cf-connecting-ip": CALLER, "content-type": "application/x-www-form-urlencoded" };
  if (key) headers.authorization = `Bearer ${key}`;
  const content = body ?? new URLSearchParams(fields).toString();
  return place.ask(CONSOLE, "/issue_service_authorization", { method: "POST", headers, body: content });
}

const issue = async (place, asked) => expect(await ask(place, asked), 200).text;

/** What a place says of a key. */
const verdict = async (place, key) => said(await place.call("/", { key }));
const everywhere = (at, key) => Promise.all(at.all.map((place) => verdict(place, key)));

describe("issuers in several places", { concurrency: true }, () => {
  test(
    "an issuer that was switched off and on: what is issued then works everywhere, and what was issued before nowhere",
    { timeout: 60_000 },
    async (t) => {
      const at = await begin(t);
      const { credential: key, key: issuer } = await at.a.issue({ issuable: ISSUABLE });
      // Leases everywhere, as young as can be.
      const before = await Promise.all(at.all.map((place) => issue(place, { key, fields: { epi: "1h" } })));
      for (const one of before) assert.deepEqual(await everywhere(at, one), ["200", "200", "200"]);

      await at.a.change(issuer.id, "disable");
      expect(await ask(at.b, { key }), 401);
      await at.a.change(issuer.id, "enable");
      for (const place of at.all) {
        const after = await issue(place, { key });
        assert.deepEqual(await everywhere(at, after), ["200", "200", "200"], `issued in ${place.worker.name}`);
      }
      for (const one of before)
        assert.deepEqual(await everywhere(at, one), ["401 unknown", "401 unknown", "401 unknown"]);
    },
  );

  test(
    "while the ledger is out of reach an edge verifies by its lease, and issues nothing",
    { timeout: 60_000 },
    async (t) => {
      const at = await begin(t);
      const { credential: key } = await at.a.issue({ issuable: ISSUABLE });
      const issued = await issue(at.b, { key });
      assert.equal(await verdict(at.b, issued), "200");
      await at.b.worker.setFaults({ on: "LEDGER.fetch", mode: "fail" });
      const answer = expect(await ask(at.b, { key }), 503);
      assert.match(answer.text, /^unavailable: /);
      assert.equal(answer.headers["retry-after"], "2");
      assert.equal(await verdict(at.b, issued), "200");
      await at.b.worker.setFaults();
    },
  );

  // The ceiling was raised while the form was on its way. c has heard of the account in between,
  // before the raise.
  test("what is issued on a form that takes its time works at once too", { timeout: 60_000 }, async (t) => {
    const at = await begin(t);
    const narrow = { ...ISSUABLE, permissions: ["other:read"] };
    const { credential: key, key: issuer } = await at.a.issue({ issuable: narrow });
    const { promise, resolve: go } = Promise.withResolvers();
    const body = async function* () {
      yield "epi=1";
      await promise;
      yield "h";
    };
    const asked = issue(at.b, { key, body: body() });
    // Longer than clocks are taken to differ, so that by the time of its arrival the issue would be
    // older than the lease of c.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal(await verdict(at.c, await issue(at.a, { key })), "403 permission_denied");
    await at.a.change(issuer.id, { issuable: ISSUABLE });
    go();
    assert.deepEqual(await everywhere(at, await asked), ["200", "200", "200"]);
  });
});
