// Keys that the issuance API issued: how long they live, and what verifiers and origins see.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FOREIGN, changed, sealed, sealedParts } from "../../support/forge.mjs";
import { MASTER_SECRET } from "../../support/harness.mjs";
import { ISSUABLE, ask, at, issue, refused, service, useIssuance } from "../../support/issuance.mjs";
import { begin, expect } from "../../support/journey.mjs";

useIssuance();

describe("what was issued", () => {
  test("A22 dies with its issuer, and does not come back with it", async () => {
    const { credential: key, key: issuer } = await at.issue({ issuable: ISSUABLE });
    const issued = [await issue({ epi: "10m" }, { key }), await issue({ epi: "25h" }, { key })];
    for (const one of issued) expect(await at.call("/", { key: one }), 200);
    assert.ok((await at.change(issuer.id, "disable")).bound);
    for (const one of issued) expect(await at.call("/", { key: one }), 401, "disabled");
    refused(await ask({}, { key }), 401, "disabled");
    await at.change(issuer.id, "enable");
    for (const one of issued) expect(await at.call("/", { key: one }), 401, "unknown");
    const again = await issue({}, { key });
    expect(await at.call("/", { key: again }), 200);
    await at.deleteKeys(issuer.id);
    for (const one of [...issued, again]) expect(await at.call("/", { key: one }), 401, "unknown");
    refused(await ask({}, { key }), 401, "unknown");
  });

  test("A23 dies with a change of the service password, at once where that was made", async () => {
    const issued = [await issue({ epi: "10m" }), await issue({ epi: "25h" })];
    for (const one of issued) expect(await at.call("/", { key: one }), 200);
    const { revision } = expect(await at.console("GET", "/v1/account/service"), 200).body;
    const headers = { "if-match": `"${revision}"` };
    const {
      service_id: sid,
      service_password: spw,
      bound,
    } = expect(await at.console("POST", "/v1/account/service/password", { headers }), 200).body;
    const before = { ...service };
    Object.assign(service, { sid, spw });
    assert.equal(sid, before.sid);
    assert.ok(bound.at);
    for (const one of issued) expect(await at.call("/", { key: one }), 401, "unknown");
    refused(await ask(before), 401, "unknown");
    expect(await at.call("/", { key: await issue() }), 200);
  });

  test("with one bit flipped, of another prefix, of another deployment or cut is none", async () => {
    const text = await issue({ epi: "10m" });
    const { payload } = sealedParts(text);
    await at.worker.resetCounters();
    for (const [key, code] of [
      [changed(text, 20), "malformed"],
      [sealed({ payload: changed(payload, 20), mac: sealedParts(text).mac }), "unknown"],
      [sealed({ payload, prefix: "abc" }), "malformed"],
      [sealed({ payload, prefix: "abc" }).replace("abc", "clv"), "unknown"],
      [sealed({ payload, master: FOREIGN }), "unknown"],
      [text.slice(0, -1), "malformed"],
      [text.replace("clvs_", "clv_"), "malformed"],
      [sealed({ payload: payload + "A".repeat(2_048) }), "malformed"],
    ]) {
      expect(await at.call("/", { key }), 401, code);
    }
    const counters = await at.worker.counters();
    assert.deepEqual([counters["LEDGER.fetch"] ?? 0, counters["KEYS.get"] ?? 0], [0, 0], "P3");
  });

  test("is told to a verifier and to the origin by its own ID", async () => {
    const verifier = (await at.issue({ permissions: ["claviger:verify"] })).credential;
    const text = await issue();
    const { id } = sealedParts(text).claims;
    const headers = { "claviger-verifier": verifier };
    const told = expect(
      await at.console("POST", "/v1/verify", { body: { credential: text }, headers, cookie: null }),
      200,
    ).body;
    assert.deepEqual([told.verdict, told.key, told.permissions], ["valid", id, ["*:*"]]);
    const { headers: sent } = expect(await at.call("/", { key: text }), 200).body;
    assert.equal(Object.fromEntries(sent)["claviger-key"], id);
    // By its ID alone nobody knows it.
    const alone = await at.console("POST", "/v1/verify", { body: { key_id: id }, headers, cookie: null });
    assert.equal(expect(alone, 200).body.verdict, "unknown");
  });
});

test("a sealed key of a generation that was retired a day ago, or is compromised, is none", async () => {
  const old = JSON.parse(MASTER_SECRET)[0];
  const text = await issue({ epi: "24h" });
  const newer = { id: "newer", secret: "Xw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyEmKq4Zt0b" };
  const ago = (ms) => new Date(Date.now() - ms).toISOString();
  for (const [members, code] of [
    [{ retired_at: ago(86_400_000) }, "unknown"],
    [{ compromised: true }, "unknown"],
  ]) {
    const other = await begin({
      setUp: false,
      secrets: { MASTER_SECRET: JSON.stringify([newer, { ...old, ...members }]) },
    });
    try {
      expect(await other.call("/", { key: text }), 401, code);
      assert.equal((await other.worker.counters())["LEDGER.fetch"] ?? 0, 0);
    } finally {
      await other.dispose();
    }
  }
});
