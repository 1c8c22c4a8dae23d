// Operators: owners of the deployment's first account, who make, suspend and mend the others.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ORIGIN, OTHER_OWNER, OWNER, begin, eventually, expect, setupToken, xtask } from "../../support/journey.mjs";

const ACCOUNTS = "/v1/operator/accounts";
const LINK = /^http:\/\/localhost:8787\/#\/setup\/\w{84}$/;

/** Every operator's route, about one account. */
const routes = (id) => [
  ["GET", ACCOUNTS],
  ["POST", ACCOUNTS, { headers: { "idempotency-key": "i-1" } }],
  ["GET", `${ACCOUNTS}/${id}`],
  ["PATCH", `${ACCOUNTS}/${id}`, { body: { suspended: true } }],
  ["POST", `${ACCOUNTS}/${id}/rebuild`],
  ["POST", `${ACCOUNTS}/${id}/restore/begin`],
  ["POST", `${ACCOUNTS}/${id}/restore/finish`],
  ["DELETE", `${ACCOUNTS}/${id}`],
];

const formOf = (owner) => ({ account_name: "Other GmbH", time_zone: "Europe/Berlin", language: "en", ...owner });

describe("an operator", () => {
  let first, second;
  before(async () => {
    first = await begin();
    second = await first.secondAccount();
  });
  after(() => first.dispose());

  const list = async () => expect(await first.console("GET", ACCOUNTS), 200).body.accounts;
  const show = async (id) => expect(await first.console("GET", `${ACCOUNTS}/${id}`), 200).body.account;
  const edit = async (id, body) => expect(await first.console("PATCH", `${ACCOUNTS}/${id}`, { body }), 200).body;
  const useLink = (link, owner) => first.trySetUp({ token: link.split("#/setup/")[1], ...formOf(owner) });

  test("is an owner of the first account, and nobody else is", () => {
    assert.equal(first.session.operator, true);
    assert.equal(second.session.operator, false);
    assert.notEqual(first.session.account.id, second.session.account.id);
  });

  test("lists accounts, the latest first, with the names that their ledgers tell", async () => {
    const named = await eventually("the directory knows both names", async () => {
      const accounts = await list();
      return accounts.every(({ name, state }) => name && state === "open") && accounts;
    });
    assert.deepEqual(
      named.map(({ id, name, link_until }) => [id, name, link_until]),
      [
        [second.session.account.id, "Other GmbH", null],
        [first.session.account.id, "Example KK", null],
      ],
    );
    expect(await first.console("GET", `${ACCOUNTS}?cursor=1-a`), 422, "invalid");
    expect(await first.console("GET", `${ACCOUNTS}?name=a`), 422, "invalid");
    const { body } = expect(await first.console("GET", `${ACCOUNTS}?cursor=0-aaaaaaaa`), 200);
    assert.deepEqual([body.accounts, body.next], [[], null]);
  });

  test("finds accounts by name, ID and status, and is told how many there are of each", async () => {
    const { id } = second.session.account;
    for (const [query, ids] of [
      ["q=other", [id]],
      [`q=${encodeURIComponent("ＯＴＨＥＲ gmbh")}`, [id]],
      [`q=${id.slice(0, 6)}`, [id]],
      ["q=nobody", []],
      ["status=open", [id, first.session.account.id]],
      ["status=suspended", []],
      [`status=pending&q=${id}`, []],
    ]) {
      const { accounts, next, counts } = expect(await first.console("GET", `${ACCOUNTS}?${query}`), 200).body;
      assert.deepEqual([accounts.map((account) => account.id), next], [ids, null], query);
      assert.deepEqual(counts, { pending: 0, open: 2, suspended: 0 });
    }
    const { credential } = await second.issue();
    for (const query of ["status=gone", `q=${"a".repeat(129)}`, `q=${credential}`]) {
      expect(await first.console("GET", `${ACCOUNTS}?${query}`), 422, "invalid");
    }
    assert.equal((await show(id)).members, 1);
  });

  test("is told by the account's ledger what the directory has not heard of", async () => {
    const { id } = second.session.account;
    for (const suspended of [true, false]) {
      // The first call finds the account; the second, the Worker's note, is lost.
      await first.worker.setFaults(
        { on: "DIRECTORY.fetch", mode: "delay", delay_ms: 0, times: 1 },
        {
          on: "DIRECTORY.fetch",
          mode: "fail",
          times: 1,
        },
      );
      await edit(id, { suspended });
      await first.worker.setFaults();
      await eventually("the list says so", async () =>
        (await list()).some((account) => account.id === id && account.suspended === suspended),
      );
    }
  });

  test("sees in the list that an account is suspended, until it is resumed", async () => {
    const { id } = second.session.account;
    for (const suspended of [true, false]) {
      await edit(id, { suspended });
      assert.deepEqual(
        (await list()).map((account) => [account.id, account.suspended]),
        [
          [id, suspended],
          [first.session.account.id, false],
        ],
      );
    }
  });

  test("is nobody whom another account has", async () => {
    for (const [method, path, init] of routes(second.session.account.id)) {
      expect(await second.console(method, path, init), 404, "not_found");
      expect(await second.console(method, path, { ...init, cookie: null }), 401, "not_signed_in");
    }
    assert.equal((await show(second.session.account.id)).suspended, false);
  });

  test("changes nothing for another site", async () => {
    for (const [method, path, init] of routes(second.session.account.id).filter(([method]) => method !== "GET")) {
      expect(await first.console(method, path, { ...init, origin: "https://evil.example" }), 403, "cross_site");
    }
  });

  test("makes a link that is shown once and listed as an account that waits", async () => {
    const key = "one-invitation";
    const { account, link } = await first.invite(key);
    assert.match(link, LINK);
    assert.equal(Date.parse(account.link_until) - Date.parse(account.entered_at), 24 * 60 * 60 * 1000);
    assert.deepEqual((await list()).find(({ id }) => id === account.id).state, "pending");
    assert.equal((await show(account.id)).state, "pending");
    for (const { path, text } of first.answers.slice(-2)) assert.doesNotMatch(text, /setup\//, path);
    expect(await first.console("POST", ACCOUNTS), 400, "bad_header");
    for (const [method, path, init] of routes(account.id).slice(3, -1)) {
      expect(await first.console(method, path, init), 404, "not_found");
    }
  });

  for (const mode of ["fail", "lost"]) {
    test(`makes a link for the same account when the directory ${mode === "fail" ? "was out of reach" : "was not heard"}`, async () => {
      const headers = { "idempotency-key": `invited-${mode}` };
      const before = (await list()).length;
      await first.worker.setFaults({ on: "DIRECTORY.fetch", mode, times: 1 });
      expect(await first.console("POST", ACCOUNTS, { headers }), 503, "unavailable");
      await first.worker.setFaults();
      const { account, link } = await first.invite(headers["idempotency-key"]);
      const another = await first.invite(headers["idempotency-key"]);
      assert.equal(another.account.id, account.id);
      assert.notEqual(another.link, link);
      assert.equal((await list()).length, before + 1, "one account, however often it is asked for");

      const owner = { ...OTHER_OWNER, email: `${mode}@example.org` };
      assert.equal(expect(await useLink(another.link, owner), 201).body.account.id, account.id);
      expect(await useLink(link, { ...owner, email: `late-${mode}@example.org` }), 409, "setup_done");
      const late = await first.console("POST", ACCOUNTS, { headers });
      assert.equal(expect(late, 409, "already_invited").body.account, account.id);
    });
  }

  test("withdraws a link that has not been used, and no account that is set up", async () => {
    const key = "to-be-withdrawn";
    const { account, link } = await first.invite(key);
    const withdraw = (id) => first.console("DELETE", `${ACCOUNTS}/${id}`);
    expect(await withdraw(account.id), 204);
    expect(await withdraw(account.id), 404, "not_found");
    assert.equal(
      (await list()).some(({ id }) => id === account.id),
      false,
    );
    const owner = { ...OTHER_OWNER, email: "withdrawn@example.org" };
    expect(await useLink(link, owner), 409, "setup_done");
    // The same key makes another account: the link above stays over.
    const again = await first.invite(key);
    assert.notEqual(again.account.id, account.id);
    expect(await useLink(link, owner), 409, "setup_done");
    expect(await useLink(again.link, owner), 201);
    expect(await withdraw(again.account.id), 409, "setup_done");
    for (const id of [first.session.account.id, second.session.account.id]) {
      expect(await withdraw(id), 409, "setup_done");
    }
    const { entries } = expect(await first.console("GET", "/v1/activity?action=operator_withdrew_account"), 200).body;
    assert.deepEqual(
      entries.map(({ changes }) => changes.account.to),
      [account.id],
    );
  });

  test("withdraws no link that a person is just using", async () => {
    const { account, link } = await first.invite();
    const owner = { ...OTHER_OWNER, email: "in-use@example.org" };
    await first.worker.setFaults({ on: "LEDGER.fetch", mode: "fail", times: 1 });
    expect(await useLink(link, owner), 503, "unavailable");
    await first.worker.setFaults();
    const { body } = expect(await first.console("DELETE", `${ACCOUNTS}/${account.id}`), 409, "setup_busy");
    assert.ok(Date.parse(body.until) > Date.now());
    expect(await useLink(link, owner), 201);
    expect(await first.console("DELETE", `${ACCOUNTS}/${account.id}`), 409, "setup_done");
  });

  test("makes a link that works once, and for one owner", async () => {
    const { account, link } = await first.invite();
    const refusals = () =>
      first.worker.log().filter((line) => line.includes("authentication_refused") && line.includes("sign_in"));
    const before = refusals().length;
    expect(await useLink(link, { ...OWNER, password: OTHER_OWNER.password }), 409, "address_taken");
    assert.equal(refusals().length, before + 1, "a password of a person was tried");
    const owner = { ...OTHER_OWNER, email: "third@example.org" };
    const { body } = expect(await useLink(link, owner), 201);
    assert.deepEqual([body.account.id, body.operator, body.member.role], [account.id, false, "owner"]);
    expect(await useLink(link, { ...owner, email: "fourth@example.org" }), 409, "setup_done");
    expect(await useLink(link, owner), 409, "setup_done");
    assert.equal((await show(account.id)).name, "Other GmbH");
  });

  test("cannot be made by a link of the terminal any more", async () => {
    for (const token of [setupToken(), xtask("setup-link", ORIGIN).split("#/setup/")[1]]) {
      const form = formOf({ ...OTHER_OWNER, email: "evil@example.org" });
      expect(await first.console("POST", "/v1/setup", { body: { token, ...form }, cookie: null }), 409, "setup_done");
    }
  });

  test("suspends an account alone, within T, and resumes it", async () => {
    const [mine, theirs] = [await first.issue(), await second.issue()];
    const call = ({ credential }) => first.call("/", { key: credential });
    expect(await call(mine), 200);
    expect(await call(theirs), 200);

    const { suspended, bound } = await edit(second.session.account.id, { suspended: true });
    assert.deepEqual([suspended, bound.within_s], [true, 10]);
    const refused = await eventually("it is refused", async () => {
      const sent = Date.now();
      const answer = await call(theirs);
      if (answer.status === 200) assert.ok(sent <= Date.parse(bound.at), "accepted after the bound");
      return answer.status !== 200 && answer;
    });
    expect(refused, 401, "account_suspended");
    expect(await call(mine), 200);
    expect(await first.call("/", { key: (await second.issue()).credential }), 401, "account_suspended");

    // Its members can look, and are told.
    assert.equal(expect(await second.console("GET", "/v1/session"), 200).body.account.suspended, true);
    assert.equal((await show(second.session.account.id)).suspended, true);
    assert.equal((await edit(second.session.account.id, { suspended: true })).bound, null, "it is so already");
    assert.equal((await edit(second.session.account.id, { suspended: false })).bound, null, "nothing is taken away");
    await eventually("it is accepted again", async () => (await call(theirs)).status === 200);
  });

  test("sets T of one account, up to an hour", async () => {
    const { id } = second.session.account;
    assert.equal((await edit(id, { freshness_s: 3600 })).freshness_s, 3600);
    for (const freshness_s of [3601, 4294967295]) {
      const refused = expect(
        await first.console("PATCH", `${ACCOUNTS}/${id}`, { body: { freshness_s } }),
        422,
        "invalid",
      );
      assert.equal(refused.body.errors[0].pointer, "#/freshness_s");
    }
    for (const body of [{}, { suspended: null }]) {
      const refused = expect(await first.console("PATCH", `${ACCOUNTS}/${id}`, { body }), 422, "invalid");
      assert.deepEqual(
        refused.body.errors.map(({ pointer, code }) => [pointer, code]),
        [["#", "required"]],
      );
    }
    for (const body of [{ freshness_s: -1 }, { freshness_s: 1.5 }, { freshness_s: "1" }, { t: 1 }, []]) {
      expect(await first.console("PATCH", `${ACCOUNTS}/${id}`, { body }), 400, "malformed_body");
    }
    const { freshness_s, bound } = await edit(id, { freshness_s: 0 });
    assert.deepEqual([freshness_s, bound.within_s], [0, 3600], "when the old one is over");
    assert.equal((await show(id)).freshness_s, 0);
    assert.equal((await show(first.session.account.id)).freshness_s, 10, "of that account alone");
  });

  test("has KV rebuilt", async () => {
    const { key } = await second.issue();
    const record = await eventually("it is published", () => first.published(key.id));
    await first.worker.putKv(`key/${key.id}`, "lost");
    const { publication } = expect(
      await first.console("POST", `${ACCOUNTS}/${second.session.account.id}/rebuild`),
      200,
    ).body;
    assert.deepEqual([publication.rebuilding, publication.done], [true, 0]);
    await eventually("the rebuild is over", async () => {
      const { rebuilding, done, total, lag_s } = (await show(second.session.account.id)).publication;
      return !rebuilding && done === total && lag_s === null;
    });
    assert.deepEqual(await first.published(key.id), record);
  });

  test("notes a restore, and has the restored ledger begin a new history", async () => {
    const { id } = second.session.account;
    const { key } = await second.issue();
    const { epoch } = await eventually("it is published", () => first.published(key.id));
    const restore = (step) => first.console("POST", `${ACCOUNTS}/${id}/restore/${step}`);
    expect(await restore("finish"), 409, "restore_not_begun");
    assert.equal(expect(await restore("begin"), 200).body.restoring, true);
    assert.equal((await show(id)).restoring, true);
    assert.equal(expect(await restore("finish"), 200).body.restoring, false);
    await eventually("it is published under the new history", async () => {
      const record = await first.published(key.id);
      return record.epoch !== epoch && record.revision === key.revision;
    });
    await eventually("the directory has forgotten the restore", async () => !(await show(id)).restoring);
    expect(await restore("finish"), 409, "restore_not_begun");
  });

  test("is told that an account that never was is not there, and nothing is written down of it", async () => {
    const latest = async () => expect(await first.console("GET", "/v1/activity?limit=1"), 200).body.entries;
    const before = await latest();
    for (const [method, path, init] of routes("zzzzzzzz").slice(2)) {
      expect(await first.console(method, path, init), 404, "not_found");
    }
    assert.deepEqual(await latest(), before);
  });

  test("has nothing written down of what could not be done while the directory is out of reach", async () => {
    const latest = async () => expect(await first.console("GET", "/v1/activity?limit=1"), 200).body.entries;
    const before = await latest();
    for (const [method, path, init] of routes(second.session.account.id).slice(3)) {
      await first.worker.setFaults({ on: "DIRECTORY.fetch", mode: "fail", times: 1 });
      expect(await first.console(method, path, init), 503, "unavailable");
    }
    await first.worker.setFaults();
    assert.deepEqual(await latest(), before);
  });

  test("leaves no link in any log", () => assert.doesNotMatch(first.worker.log().join("\n"), /setup\/|U\w{72}/));
});
