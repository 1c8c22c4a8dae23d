// The upgrade from the release that was one Worker: both Workers on the state that it has left. The fixture is the
// state of that release's own journey: an account with four keys, published, and its service credentials.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CONSOLE, OWNER, begin, eventually, expect } from "./support/journey.mjs";

describe("the state of the single Worker", () => {
  let dir;
  let at;
  let left;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "claviger-upgrade-"));
    const fixture = fileURLToPath(new URL("fixtures/single-worker-state.tar.gz", import.meta.url));
    execFileSync("tar", ["-xzf", fixture, "-C", dir]);
    left = JSON.parse(await readFile(join(dir, "credentials.json"), "utf8"));
    at = await begin({ setUp: false, persist: dir });
  });
  after(async () => {
    await at.dispose();
    await rm(dir, { recursive: true, force: true });
  });

  test("keeps every key as it was, with the same subkeys at the edge", async () => {
    expect(await at.call("/", { key: left.active }), 200);
    expect(await at.call("/", { key: left.viewable }), 200);
    expect(await at.call("/", { key: left.disabled }), 401, "disabled");
  });

  test("puts the records in KV again, which had no MAC, by its daily comparison", async () => {
    const names = (await at.worker.kvKeys()).filter((name) => name.startsWith("key/"));
    assert.ok(names.length >= 4);
    await eventually("each has a MAC", async () => {
      const records = await Promise.all(names.map(async (name) => JSON.parse(await at.worker.kv(name))));
      return records.every(({ mac }) => /^[\w-]{43}$/.test(mac));
    });
    expect(await at.call("/", { key: left.active }), 200);
  });

  test("lets its member sign in, and shows what was encrypted", async () => {
    await at.signIn();
    const { body } = expect(await at.console("GET", "/v1/keys"), 200);
    assert.deepEqual(body.keys.map(({ name }) => name).sort(), ["active", "disabled", "issuable", "viewable"]);
    const revealed = expect(await at.console("POST", `/v1/keys/${left.viewableId}/reveal`), 200);
    assert.equal(revealed.body.credential, left.viewable);
    const service = expect(await at.console("POST", "/v1/account/service/reveal"), 200);
    assert.equal(service.body.service_password, left.service.service_password);
  });

  test("finds parts of names, and orders them", async () => {
    const names = async (query) =>
      expect(await at.console("GET", `/v1/keys?${query}`), 200).body.keys.map(({ name }) => name);
    assert.deepEqual(await names("q=SAB"), ["disabled"]);
    assert.deepEqual(await names("sort=name&q=a"), ["active", "disabled", "issuable", "viewable"]);
    assert.deepEqual(await names("sort=-name&q=able"), ["viewable", "issuable", "disabled"]);
  });

  test("takes changes, which arrive at the edge and in KV", async () => {
    const { key } = await at.change(left.disabledId, "enable");
    assert.equal(key.enabled, true);
    expect(await at.call("/", { key: left.disabled }), 200);
    await eventually("it is published", async () => (await at.published(left.disabledId))?.state === "active");
  });

  test("lets programs issue with the credentials that they had", async () => {
    const issue = (body, headers) =>
      at.ask(CONSOLE, "/issue_service_authorization", {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
        body,
      });
    const { service_id: sid, service_password: spw } = left.service;
    const byService = expect(await issue(`sid=${sid}&spw=${spw}`), 200).text;
    expect(await at.call("/", { key: byService }), 200);
    const byKey = expect(await issue("epi=5m", { authorization: `Bearer ${left.issuable}` }), 200).text;
    expect(await at.call("/", { key: byKey }), 200);
    // A date is read in the zone that the account was opened with.
    const tomorrow = new Date(Date.now() + 864e5).toISOString().slice(0, 10);
    expect(await issue(`sid=${sid}&spw=${spw}&epi=${tomorrow}`), 200);
  });

  test("lets its member see sessions and accounts, and change the password", async () => {
    await at.signIn();
    const { sessions } = expect(await at.console("GET", "/v1/sessions"), 200).body;
    assert.ok(sessions.some(({ current }) => current));
    const { accounts } = expect(await at.console("GET", "/v1/accounts"), 200).body;
    assert.deepEqual(
      accounts.map(({ id, role, current }) => [id, role, current]),
      [[at.session.account.id, "owner", true]],
    );
    const body = { password: OWNER.password, new_password: "staple battery horse" };
    expect(await at.console("POST", "/v1/member/password", { body }), 200);
    expect(await at.console("GET", "/v1/keys"), 200);
    await at.signIn({ password: body.new_password });
  });
});
