// Account-wide networks (row C19): what they refuse, whom they name, and what a change needs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CALLER, OFFICE, OWNER, begin, cookieOf, eventually, expect } from "../../support/journey.mjs";

const NETWORKS = "/v1/account/networks";
const ELSEWHERE = "192.0.2.9";
const ALL = ["console", "admin_api", "protected_api", "smtp"];
const { password } = OWNER;

const entry = (network, surfaces = ALL, label = undefined) => ({ network, surfaces, label });

/** What a journey's member may do with the list. */
const of = (at) => ({
  show: async () => expect(await at.console("GET", NETWORKS), 200).body,
  preview: async (mode, entries) =>
    expect(await at.console("POST", `${NETWORKS}/preview`, { body: { mode, entries } }), 200).body,
  async trySet(mode, entries, more = {}, options = {}) {
    const { revision } = await this.show();
    const headers = { "if-match": `"${revision}"` };
    return at.console("PUT", NETWORKS, { headers, body: { mode, entries, ...more }, ...options });
  },
  async set(mode, entries, more = {}) {
    return expect(await this.trySet(mode, entries, { password, ...more }), 200).body;
  },
});

describe("account-wide networks", () => {
  let at, list, key;
  before(async () => {
    at = await begin();
    list = of(at);
    key = await at.issue();
    await eventually("it is published", () => at.published(key.key.id));
  });
  after(() => at.dispose());

  const call = (ip, credential = key.credential) => at.call("/any", { key: credential, ip });
  /** Within T, plus the time of the requests. */
  const within = (what, look) => eventually(what, look, 15_000);

  test("C19 no entry is no restriction", async () => {
    const { mode, entries, closed, revision, address, includes_you, refuses } = await list.show();
    assert.deepEqual([mode, entries, closed, revision, address, includes_you], [null, [], [], 0, OFFICE, true]);
    assert.deepEqual(refuses, { callers: [], more: 0, is_exact: true, members: [] });
    expect(await call(ELSEWHERE), 200);
  });

  test("C19 a preview names stored forms, errors, closed surfaces, and whether it locks out", async () => {
    const seen = await list.preview("enforced", [
      entry(` ${CALLER}/24 `, ["protected_api"], "Programs"),
      entry("2001:DB8::/32", ["protected_api"]),
      entry("::ffff:192.0.2.7", ["smtp"]),
    ]);
    assert.deepEqual(
      seen.entries.map(({ network, label }) => [network, label]),
      [
        ["203.0.113.0/24", "Programs"],
        ["2001:db8::/32", undefined],
        ["192.0.2.7", undefined],
      ],
    );
    assert.deepEqual(seen.closed, ["console", "admin_api"]);
    assert.deepEqual([seen.errors, seen.locks_out_you, seen.includes_you], [[], true, false]);
    const wrong = await list.preview("on", [entry("10.0.0.0/33"), entry("10.0.*.*"), entry("192.0.2.1", [])]);
    assert.deepEqual(
      wrong.errors.map(({ pointer, code }) => `${pointer} ${code}`),
      [
        "#/mode not_one_of",
        "#/entries/0/network prefix_too_long",
        "#/entries/1/network wildcard",
        "#/entries/2/surfaces required",
      ],
    );
    assert.equal((await list.show()).revision, 0, "it changes nothing");
  });

  test("C19 observed, a list refuses nobody and names the caller", async () => {
    const { bound, mode } = await list.set("observed", [entry(`${OFFICE}/32`)]);
    assert.deepEqual([bound, mode], [null, "observed"]);
    expect(await call(CALLER), 200);
    const named = await eventually(
      "the use is reported",
      async () => (await list.show()).refuses.callers.find(({ address }) => address === CALLER),
      90_000,
    );
    assert.deepEqual([named.surfaces, named.keys], [["protected_api"], [{ id: key.key.id, name: key.key.name }]]);
    // So does the list that is tried on a key.
    const changed = await at.change(key.key.id, { networks_observed: OFFICE });
    assert.deepEqual([changed.key.networks_observed, changed.bound], [[OFFICE], null]);
    const { would_refuse } = await at.show(key.key.id);
    assert.ok(would_refuse.some(({ address }) => address === CALLER));
    expect(await call(CALLER), 200);
  });

  test("C19 enforced, the protected API refuses within T what is outside, and gives it back", async () => {
    const { bound } = await list.set("enforced", [entry(OFFICE), entry("2001:db8::/32", ["protected_api"])]);
    assert.ok(Date.parse(bound.at) > Date.now());
    const denied = await within("it is refused", async () => {
      const answer = await call(CALLER);
      return answer.status === 403 && answer;
    });
    assert.equal(denied.body.code, "network_denied");
    assert.ok(Date.now() <= Date.parse(bound.at) + 2_000, "within the bound");
    for (const ip of [OFFICE, `::ffff:${OFFICE}`, "2001:db8::7"]) expect(await call(ip), 200);
    for (const ip of [ELSEWHERE, "2001:db9::1", null]) expect(await call(ip), 403, "network_denied");
    // Verifiers, by their own address, and what they ask about.
    const verifier = await at.issue({ permissions: ["claviger:verify"] });
    const verify = (ip, address) =>
      at.console("POST", "/v1/verify", {
        ip,
        body: { credential: key.credential, address },
        headers: { "claviger-verifier": verifier.credential },
        cookie: null,
        origin: null,
      });
    assert.equal(expect(await verify(OFFICE, ELSEWHERE), 200).body.verdict, "network_denied");
    assert.equal(expect(await verify(OFFICE, OFFICE), 200).body.verdict, "valid");
    assert.ok((await verify(ELSEWHERE, OFFICE)).status >= 400, "the verifier itself is outside");
    await list.set("observed", [entry(OFFICE)]);
    await within("it is accepted", async () => (await call(CALLER)).status === 200);
  });

  test("C19 enforced, the console refuses every session at once", async () => {
    await list.set("enforced", [entry(`${OFFICE}/32`)]);
    for (const [method, path] of [
      ["GET", "/v1/session"],
      ["GET", "/v1/keys"],
      ["GET", NETWORKS],
      ["POST", "/v1/sessions/end-others"],
    ]) {
      expect(await at.console(method, path, { ip: ELSEWHERE }), 403, "network_denied");
    }
    expect(await at.console("GET", "/v1/keys"), 200);
    // Only the right password learns the reason, and gets no session.
    const signIn = (ip, tried) =>
      at.console("POST", "/v1/session", { body: { email: OWNER.email, password: tried }, cookie: null, ip });
    const refused = expect(await signIn(ELSEWHERE, password), 403, "network_denied");
    assert.equal(cookieOf(refused), undefined);
    expect(await signIn(ELSEWHERE, "wrong horse battery"), 401, "sign_in_refused");
    expect(await signIn(OFFICE, password), 201);
    const { entries } = expect(await at.console("GET", "/v1/activity?action=sign_in_network_denied"), 200).body;
    assert.deepEqual(
      entries.map(({ address }) => address),
      [ELSEWHERE],
    );
  });

  test("C19 who would lock themselves out confirms it", async () => {
    const elsewhere = [entry(`${OFFICE}/32`, ["protected_api"]), entry(ELSEWHERE, ["console"])];
    expect(await list.trySet("enforced", elsewhere), 409, "would_lock_you_out");
    expect(await at.console("GET", "/v1/session"), 200);
  });

  test("C19 an entry is deleted with the password", async () => {
    await list.set("enforced", [entry(`${OFFICE}/32`), entry("2001:db8::/32", ["smtp"])]);
    expect(await list.trySet("enforced", [entry(`${OFFICE}/32`)]), 403, "password_required");
    const { entries } = await list.show();
    const remove = (body) => at.console("POST", `${NETWORKS}/${entries[1].id}/delete`, { body });
    expect(await remove({ password: "wrong horse battery" }), 401, "step_up_refused");
    expect(await remove({}), 400, "malformed_body");
    const { entries: left } = expect(await remove({ password }), 200).body;
    assert.deepEqual(
      left.map(({ network }) => network),
      [OFFICE],
    );
    expect(await remove({ password }), 404, "not_found");
    const { entries: acts } = expect(await at.console("GET", "/v1/activity?action=account_network_deleted"), 200).body;
    assert.equal(acts[0].changes.account_networks.from[0].network, "2001:db8::/32");
  });

  test("a stale revision is a conflict, and only owners change the list", async () => {
    const headers = { "if-match": '"0"' };
    const body = { mode: "observed", entries: [entry(OFFICE)] };
    const conflict = expect(await at.console("PUT", NETWORKS, { headers, body }), 412, "changed_meanwhile");
    assert.equal(conflict.body.present.revision, (await list.show()).revision);
    const admin = await at.memberJoins("admin@example.net", "admin");
    assert.equal((await of(admin).show()).mode, "enforced");
    expect(await of(admin).trySet("observed", [entry(OFFICE)]), 403, "not_permitted");
    expect(await admin.console("POST", `${NETWORKS}/1/delete`, { body: { password } }), 403, "not_permitted");
  });

  test("the operator turns off the list of an account that has locked itself out", async () => {
    // The operator must not be locked out, or it could not help.
    await list.set("observed", [entry(OFFICE)]);
    const other = await at.secondAccount();
    const theirs = of(other);
    const headers = { "if-match": '"0"' };
    const body = { mode: "enforced", entries: [entry(ELSEWHERE)], confirm_lock_out: true };
    expect(await other.console("PUT", NETWORKS, { headers, body }), 200);
    expect(await other.console("GET", "/v1/session"), 403, "network_denied");
    const path = `/v1/operator/accounts/${other.session.account.id}/networks`;
    const { mode, entries } = expect(await at.console("DELETE", path), 200).body;
    assert.deepEqual([mode, entries], ["observed", 1]);
    assert.equal((await theirs.show()).changed_by, null);
    const { entries: acts } = expect(
      await at.console("GET", "/v1/activity?action=operator_turned_off_networks"),
      200,
    ).body;
    assert.equal(acts.length, 1);
  });
});
