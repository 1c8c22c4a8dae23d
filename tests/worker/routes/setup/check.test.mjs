// A set-up link says that it is over before its form is filled in, to those alone who have it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, expect, setupToken } from "../../support/journey.mjs";

const CHECK = "/v1/setup/check";

test("a set-up link can be checked, which uses nothing up", { timeout: 60_000 }, async () => {
  const at = await begin({ setUp: false });
  try {
    const check = (token) => at.console("POST", CHECK, { body: { token }, cookie: null });
    const token = setupToken();
    for (let turn = 0; turn < 2; turn++) assert.equal((await check(token)).status, 204);
    const form = { account_name: "Example KK", time_zone: "Asia/Tokyo", language: "en", name: "Mei" };
    const owner = { email: "mei@example.jp", password: "correct horse battery" };
    expect(await at.trySetUp({ token, ...form, ...owner }), 201);
    expect(await check(token), 409, "setup_done");
    // Without the right tag there is one answer, used or not.
    for (const other of [token.slice(0, -1) + (token.endsWith("0") ? "1" : "0"), "x", ""])
      expect(await check(other), 401, "setup_refused");
    // The token stays out of URLs.
    expect(await at.console("GET", CHECK, { cookie: null }), 405);
  } finally {
    await at.dispose();
  }
});
