// Accounts of one deployment do not see each other.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { OTHER_OWNER, OWNER, begin, expect } from "./support/journey.mjs";

describe("to another account", () => {
  let first, second, key, verifier;
  before(async () => {
    first = await begin();
    second = await first.secondAccount();
    key = await first.issue();
    verifier = (await second.issue({ name: "verifier", permissions: ["claviger:verify"] })).credential;
  });
  after(() => first.dispose());

  test("a key is not there, whatever is asked of it", async () => {
    const path = `/v1/keys/${key.key.id}`;
    const headers = { "if-match": `"${key.key.revision}"` };
    for (const [method, suffix, init] of [
      ["GET", ""],
      ["PATCH", "", { headers, body: { name: "mine" } }],
      ["POST", "/disable", { headers }],
      ["POST", "/enable", { headers }],
      ["POST", "/restore", { headers }],
      ["POST", "/reveal"],
    ]) {
      expect(await second.console(method, path + suffix, init), 404, "not_found");
    }
    expect(await second.console("POST", "/v1/deletions", { body: { keys: [key.key.id] } }), 404, "not_found");
    expect(await second.console("GET", "/v1/counters"), 404, "not_found");
    assert.deepEqual(await first.show(key.key.id), key.key);
  });

  test("a key is in no list and no search", async () => {
    for (const q of ["", key.key.id, key.access_key, "a key"]) {
      const { keys } = expect(await second.console("GET", `/v1/keys?q=${encodeURIComponent(q)}`), 200).body;
      assert.ok(
        keys.every(({ id }) => id.startsWith(second.session.account.id)),
        q,
      );
    }
  });

  test("a key is unknown to the verifier, as one that was never made", async () => {
    const verdicts = async (checks) => {
      const headers = { "claviger-verifier": verifier };
      return expect(await first.console("POST", "/v1/verify", { headers, body: { checks }, cookie: null }), 200).body
        .verdicts;
    };
    const own = await second.issue();
    const [mine, foreign, pair, verifierItself] = await verdicts([
      { credential: own.credential },
      { credential: key.credential },
      { access_key: key.access_key, access_secret: key.access_secret },
      { credential: (await first.issue({ permissions: ["claviger:verify"] })).credential },
    ]);
    assert.deepEqual([mine.verdict, mine.account], ["valid", second.session.account.id]);
    for (const verdict of [foreign, pair, verifierItself]) assert.equal(verdict.verdict, "unknown");
    for (const verdict of [foreign, pair])
      assert.doesNotMatch(JSON.stringify(verdict), new RegExp(first.session.account.id));
  });

  test("a session is not carried over by its name", async () => {
    // The session's account stands in its token, under a tag.
    const cookie = second.cookie.replace(second.session.account.id, first.session.account.id);
    assert.notEqual(cookie, second.cookie);
    expect(await first.console("GET", "/v1/keys", { cookie }), 401, "not_signed_in");
    const { body } = expect(await first.console("GET", "/v1/session", { cookie: second.cookie }), 200);
    assert.equal(body.account.id, second.session.account.id);
  });

  test("its owner's password proves nothing", async () => {
    const password = OTHER_OWNER.password;
    expect(await first.console("POST", "/v1/session/step-up", { body: { password } }), 401, "step_up_refused");
    const crossed = { email: OWNER.email, password };
    expect(await first.console("POST", "/v1/session", { body: crossed, cookie: null }), 401, "sign_in_refused");
  });

  test("an idempotency key says nothing of what it issued here", async () => {
    await first.issue({}, "same-key");
    const { key } = await second.issue({}, "same-key");
    assert.ok(key.id.startsWith(second.session.account.id));
  });

  test("the API takes the keys of both, and tells the origin whose they are", async () => {
    for (const journey of [first, second]) {
      const { credential } = await journey.issue();
      const { body } = expect(await first.call("/", { key: credential }), 200);
      assert.equal(Object.fromEntries(body.headers)["claviger-account"], journey.session.account.id);
    }
  });
});
