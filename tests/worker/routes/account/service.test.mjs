// Service credentials (A23), over HTTP.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { token } from "../../support/forge.mjs";
import { CONSOLE, begin, expect } from "../../support/journey.mjs";

const SERVICE = "/v1/account/service";

describe("A23: the service password", () => {
  let at, other, service;
  before(async () => {
    at = await begin();
    other = await at.secondAccount();
    service = (await reveal()).body;
  });
  after(() => at.dispose());

  const show = async (who = at) => expect(await who.console("GET", SERVICE), 200).body;
  const reveal = async () => expect(await at.console("POST", `${SERVICE}/reveal`), 200);
  const change = (revision, init) =>
    at.console("POST", `${SERVICE}/password`, { headers: { "if-match": `"${revision}"` }, ...init });
  const edit = (revision, body) => at.console("PATCH", SERVICE, { headers: { "if-match": `"${revision}"` }, body });

  test("comes with the account, is not shown unasked, and is not the sign-in password", async () => {
    const { text } = await at.console("GET", SERVICE);
    const shown = JSON.parse(text);
    assert.equal(shown.has_password, true);
    assert.match(shown.service_id, new RegExp(`^${at.session.account.id}[0-9A-Za-z]{11}$`));
    assert.deepEqual(shown.ceiling, { permissions: ["*:*"], networks: [], longest_ms: null });
    assert.match(service.service_password, /^[0-9A-Za-z]{43}$/);
    assert.ok(!text.includes(service.service_password));
    expect(await at.console("POST", "/v1/session/step-up", { body: { password: service.service_password } }), 401);
    const { headers } = await reveal();
    assert.equal(headers["cache-control"], "no-store");
  });

  test("of another account is another", async () => {
    const theirs = expect(await other.console("POST", `${SERVICE}/reveal`), 200).body;
    assert.notEqual(theirs.service_id, service.service_id);
    assert.notEqual(theirs.service_password, service.service_password);
  });

  test("is changed with a bound, under the same service ID; who saw an older state is told", async () => {
    const { revision } = await show();
    const changed = expect(await change(revision), 200).body;
    assert.equal(changed.service_id, service.service_id);
    assert.notEqual(changed.service_password, service.service_password);
    assert.ok(Date.parse(changed.bound.at) > Date.now() && changed.bound.within_s > 0);
    const late = expect(await change(revision), 412, "changed_meanwhile");
    assert.equal(late.body.service.revision, changed.revision);
    assert.ok(!late.text.includes(changed.service_password));
    assert.equal((await reveal()).body.service_password, changed.service_password);
  });

  test("goes no further than its ceiling, whose lowering has a bound", async () => {
    const { revision } = await show();
    const lower = { permissions: ["demo:read"], networks: "10.1.2.3/8", longest: "24h" };
    const lowered = expect(await edit(revision, lower), 200).body;
    assert.deepEqual(lowered.ceiling, { permissions: ["demo:read"], networks: ["10.0.0.0/8"], longest_ms: 86_400_000 });
    assert.ok(lowered.bound);
    const raised = expect(await edit(lowered.revision, { longest: "never" }), 200).body;
    assert.equal(raised.bound, null);
    for (const [body, pointer, code] of [
      [{ permissions: ["claviger:verify"] }, "#/permissions", "never_issued"],
      [{ networks: "10.0.0.0/33" }, "#/networks", "prefix_too_long"],
      [{ longest: "soon" }, "#/longest", "not_a_span"],
    ]) {
      const [error] = expect(await edit(raised.revision, body), 422, "invalid").body.errors;
      assert.deepEqual([error.pointer, error.code], [pointer, code]);
    }
    expect(await edit(raised.revision, { password: "x" }), 400, "malformed_body");
    expect(await edit(revision, { longest: "1h" }), 412, "changed_meanwhile");
  });

  test("is nobody's without a session, from another page, or with a forged cookie, and a forged one costs no call", async () => {
    const { revision } = await show();
    const forged = `__Host-claviger=${token("S", { master: "another secret of another deployment" })}`;
    for (const [method, path] of [
      ["GET", SERVICE],
      ["PATCH", SERVICE],
      ["POST", `${SERVICE}/reveal`],
      ["POST", `${SERVICE}/password`],
    ]) {
      const init = { headers: { "if-match": `"${revision}"` }, ...(method === "PATCH" && { body: {} }) };
      await at.worker.resetCounters();
      for (const cookie of [null, forged])
        expect(await at.console(method, path, { ...init, cookie }), 401, "not_signed_in");
      assert.equal((await at.worker.counters())["LEDGER.fetch"], undefined);
      if (method !== "GET")
        expect(await at.console(method, path, { ...init, origin: "https://evil.example" }), 403, "cross_site");
    }
    expect(await at.console("POST", `${SERVICE}/password`), 400, "bad_header");
    assert.equal((await at.ask(CONSOLE, "/v1/account/services", { headers: {} })).status, 404);
  });
});
