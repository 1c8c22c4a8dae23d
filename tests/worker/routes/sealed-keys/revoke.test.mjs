// A sealed key that is revoked by itself (A08).
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FOREIGN, changed, random, sealed, sealedId, sealedParts } from "../../support/forge.mjs";
import { ISSUABLE, at, issue, service, useIssuance } from "../../support/issuance.mjs";
import { expect } from "../../support/journey.mjs";

useIssuance();

describe("what was issued", () => {
  test("A08 a sealed key is revoked by itself, without a step-up, and at once where that was asked", async () => {
    const [one, other] = [await issue({ epi: "10m" }), await issue({ epi: "10m" })];
    const revoke = (body) => at.console("POST", "/v1/sealed-keys/revoke", { body });
    assert.equal(expect(await revoke({ credential: one }), 200).body.all_of_issuer, false);
    // Where it was made a revocation holds at once.
    expect(await at.call("/", { key: one }), 401, "unknown");
    expect(await at.call("/", { key: other }), 200);
    const { id } = sealedParts(other).claims;
    expect(await revoke({ id, issuer: "service" }), 200);
    expect(await at.call("/", { key: other }), 401, "unknown");
    expect(
      await revoke({ credential: sealed({ payload: sealedParts(one).payload, master: FOREIGN }) }),
      404,
      "not_found",
    );
    expect(await revoke({ id, issuer: random(18) }), 404, "not_found");
    expect(await revoke({ id }), 400, "malformed_body");
    expect(await revoke({ id: id.slice(0, 18), issuer: "service" }), 400, "malformed_body");
  });

  test("an ID that names no sealed key of this issuer is not found, costs no call, and takes no room", async () => {
    const revoke = (id, issuer = "service") => at.console("POST", "/v1/sealed-keys/revoke", { body: { id, issuer } });
    const { id } = sealedParts(await issue({ epi: "10m" })).claims;
    const { key } = await at.issue({ issuable: ISSUABLE });
    const account = service.sid.slice(0, 8);
    await at.worker.resetCounters();
    for (const made of [
      id.slice(0, 24) + random(11),
      sealedId({ account, master: FOREIGN }),
      sealedId({ account: random(8) }),
      sealedId({ account, prefix: "abc" }),
      ...Array.from({ length: 35 }, (_, place) => changed(id, place)),
    ]) {
      expect(await revoke(made), 404, "not_found");
    }
    expect(await revoke(id, key.id), 404, "not_found");
    expect(await revoke(sealedId({ account, issuer: key.id })), 404, "not_found");
    assert.equal((await at.worker.counters())["LEDGER.fetch"], undefined);
    expect(await revoke(sealedId({ account, issuer: key.id }), key.id), 200);
  });

  test(
    "revoked by many at once is revoked once, and what its issuer ended with it is not ended again",
    { timeout: 120_000 },
    async () => {
      const { credential: key, key: issuer } = await at.issue({ issuable: ISSUABLE });
      const revoke = (body) => at.console("POST", "/v1/sealed-keys/revoke", { body });
      const batch = async (count) => Promise.all(Array.from({ length: count }, () => issue({ epi: "1h" }, { key })));
      const leaked = [];
      while (leaked.length < 300) leaked.push(...(await batch(50)));
      const audited = async (action) =>
        (await at.console("GET", `/v1/activity?action=${action}&limit=50`)).body.entries.length;
      const before = await audited("sealed_key_revoked");
      const answers = await Promise.all(Array.from({ length: 20 }, () => revoke({ credential: leaked[0] })));
      for (const answer of answers) assert.equal(expect(answer, 200).body.all_of_issuer, false);
      assert.equal((await audited("sealed_key_revoked")) - before, 1);

      // Room is for 256 of the account: somewhere in here all of the issuer's end, and only once.
      const script = async () => {
        let ends = 0;
        for (const credential of leaked) {
          const { id } = sealedParts(credential).claims;
          ends += expect(await revoke(ends ? { id, issuer: issuer.id } : { credential }), 200).body.all_of_issuer;
        }
        return ends;
      };
      assert.equal(await script(), 1);
      for (const one of [leaked[0], leaked[299]]) expect(await at.call("/", { key: one }), 401, "unknown");
      const fresh = await issue({ epi: "1h" }, { key });
      assert.equal(await script(), 0);
      expect(await at.call("/", { key: fresh }), 200);
      assert.equal(await audited("issued_keys_ended"), 1);
    },
  );
});
