// How many keys an action would end, asked before it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CALLER, eventually, expect } from "../../support/journey.mjs";
import { ISSUABLE, at, issue, useIssuance } from "../../support/issuance.mjs";

useIssuance();

const counts = async (path) => {
  const { stored, unlimited, used_24h, is_exact } = expect(await at.console("GET", path), 200).body;
  return { stored, unlimited, used_24h, is_exact };
};

test("stored keys of an issuer are counted, and sealed ones are not", async () => {
  const { key, credential } = await at.issue({ issuable: { ...ISSUABLE, longest: "never" } });
  const [sealed, stored] = [{ epi: "5m" }, { epi: "2d" }];
  await issue(sealed, { key: credential });
  const used = await issue(stored, { key: credential });
  await issue({ epi: "never" }, { key: credential });
  await issue({ epi: "2d" });
  const ofKey = `/v1/keys/${key.id}/issued`;
  assert.deepEqual(await counts(ofKey), { stored: 2, unlimited: 1, used_24h: 0, is_exact: true });
  const ofService = "/v1/account/service/issued";
  assert.deepEqual(await counts(ofService), { stored: 1, unlimited: 0, used_24h: 0, is_exact: true });

  expect(await at.call("/", { key: used, ip: CALLER }), 200);
  await eventually("the use is reported", async () => (await counts(ofKey)).used_24h === 1, 60_000);
  await at.change(key.id, "disable");
  assert.equal((await counts(ofKey)).stored, 0, "they have ended");
  const { service } = { service: expect(await at.console("GET", "/v1/account/service"), 200).body };
  const renewal = { headers: { "if-match": `"${service.revision}"` } };
  expect(await at.console("POST", "/v1/account/service/password", renewal), 200);
  assert.equal((await counts(ofService)).stored, 0, "they have ended with the old password");
});

test("a key that is not there has issued nothing that could be counted", async () => {
  expect(await at.console("GET", "/v1/keys/a1B2c3D47Hq0p2Zx9K/issued"), 404, "not_found");
  expect(await at.console("GET", "/v1/account/service/issued", { cookie: null }), 401, "not_signed_in");
});
