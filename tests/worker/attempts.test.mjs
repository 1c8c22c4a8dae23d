// Refused attempts, and who they cannot lock out: the activity and the log, browsers with a mark, the
// budgets of sessions and resets, the service password, and notices of new networks.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FORM, PATH } from "./support/issuance.mjs";
import { API, OFFICE, OWNER, RULES, begin, cookieOf, eventually, expect } from "./support/journey.mjs";

const MARK = "__Host-claviger-browser";
const NEXT = "staple battery horse";
const NEIGHBOUR = "198.51.100.77";

let at;
before(async () => (at = await begin({ rules: [...RULES, { host: API, path: PATH, serves: "issuance" }] })));
after(() => at.dispose());

const signIn = (password, { mark, email = OWNER.email, ip = OFFICE } = {}) =>
  at.console("POST", "/v1/session", { body: { email, password }, cookie: mark ?? null, ip });
const markOf = ({ headers }) => headers["set-cookie"].find((one) => one.startsWith(`${MARK}=`));
const pair = (cookie) => cookie.split(";")[0];
const stepUp = (password, cookie = at.cookie) =>
  at.console("POST", "/v1/session/step-up", { body: { password }, cookie });
const entries = async (action) => expect(await at.console("GET", `/v1/activity?action=${action}`), 200).body.entries;
const mails = (kind) => at.worker.mailbox.messages.filter(({ id }) => id.startsWith(`${kind}/`));

/** Issues a key with service credentials, right or wrong, from `203.0.113.99`. */
const issueBy = (fields) =>
  at.ask(API, PATH, {
    method: "POST",
    headers: { "cf-connecting-ip": "203.0.113.99", "content-type": FORM },
    body: new URLSearchParams(fields).toString(),
  });

/** Uses up the tries of the office's network at the owner's name. */
const exhaust = () => Promise.all(Array.from({ length: 10 }, () => signIn("wrong password", { ip: NEIGHBOUR })));

describe("a browser that signed in before", { timeout: 120_000 }, () => {
  test("has a cookie that is no credential, and goes on when strangers have used up all tries", async () => {
    const set = markOf(expect(await signIn(OWNER.password), 201));
    assert.match(set, /; Path=\/; Max-Age=31536000; Secure; HttpOnly; SameSite=Strict$/);
    const mark = pair(set);
    expect(await at.console("GET", "/v1/session", { cookie: mark }), 401, "not_signed_in");
    for (const { status } of await exhaust()) assert.ok([401, 429].includes(status));
    expect(await signIn(OWNER.password), 429, "too_many_attempts");

    const forged = `${MARK}=${mark.split("=")[1].replace(/.$/, (last) => (last === "a" ? "b" : "a"))}`;
    const other = await at.secondAccount();
    const foreign = pair(markOf(other.answers.find(({ status }) => status === 201)));
    for (const cookie of [forged, `${MARK}=`, `${MARK}=B`, foreign, `${mark}; ${mark}`])
      expect(await signIn(OWNER.password, { mark: cookie }), 429, "too_many_attempts");
    expect(await signIn("wrong password", { mark }), 401, "sign_in_refused");
    at.cookie = cookieOf(expect(await signIn(OWNER.password, { mark }), 201));
    expect(await stepUp(OWNER.password), 200);
  });

  test("has a budget of its own, which a right password begins anew", async () => {
    await at.worker.setClock(16 * 60_000);
    const mark = pair(markOf(expect(await signIn(OWNER.password), 201)));
    for (let n = 0; n < 9; n += 1) expect(await signIn("wrong password", { mark }), 401, "sign_in_refused");
    const anew = pair(markOf(expect(await signIn(OWNER.password, { mark }), 201)));
    for (let n = 0; n < 10; n += 1) expect(await signIn("wrong password", { mark: anew }), 401, "sign_in_refused");
    // Beyond it, it counts as any other browser.
    await exhaust();
    expect(await signIn(OWNER.password, { mark: anew }), 429, "too_many_attempts");
  });
});

describe("a session", { timeout: 120_000 }, () => {
  test("has a budget of its own for proofs of identity", async () => {
    await at.worker.setClock(32 * 60_000);
    await at.signIn();
    const other = cookieOf(expect(await signIn(OWNER.password), 201));
    await exhaust();
    for (let n = 0; n < 10; n += 1) expect(await stepUp("wrong password"), 401, "step_up_refused");
    expect(await stepUp(OWNER.password), 429, "too_many_attempts");
    const change = { password: OWNER.password, new_password: NEXT };
    expect(await at.console("POST", "/v1/member/password", { body: change }), 429, "too_many_attempts");
    expect(await stepUp(OWNER.password, other), 200);
  });

  test("keeps its budget through switches of accounts, which mark no browser", async () => {
    await at.worker.setClock(50 * 60_000);
    await at.signIn();
    const second = await at.secondAccount({ owner: OWNER });
    const accounts = [at.session.account.id, second.session.account.id];
    let { cookie } = second;
    const to = async (account) => {
      const opened = await at.console("POST", "/v1/session/switch", { body: { account }, cookie });
      assert.equal(markOf(expect(opened, 201)), undefined);
      cookie = cookieOf(opened);
    };
    for (let n = 0; n < 10; n += 1) {
      expect(await stepUp("wrong password", cookie), 401, "step_up_refused");
      await to(accounts[n % 2]);
    }
    expect(await stepUp(OWNER.password, cookie), 429, "too_many_attempts");
    // Signing in opens the account that was opened last.
    await to(accounts[0]);
  });
});

describe("refused attempts", { timeout: 120_000 }, () => {
  test("are in the activity by powers of ten, and each in the log without what was typed", async () => {
    const seen = async () => {
      const rows = await entries("sign_in_refused");
      return rows.length > 0 && rows;
    };
    const rows = await eventually("the ledger was told", seen);
    assert.ok(rows.length < 20, `${rows.length} rows`);
    assert.ok(rows.every(({ by, address }) => by.kind === "unproven" && address === null));
    const networks = new Set(rows.map(({ changes }) => changes.network.to));
    assert.ok(networks.has("198.51.100.0/24"), [...networks].join());
    assert.ok(rows.some(({ changes }) => changes.attempts.to === 10));
    await eventually("proofs, too", async () => (await entries("identity_proof_refused")).length > 0);

    await signIn("a secret of a stranger", { email: "stranger@example.net", ip: "192.0.2.9" });
    const lines = at.worker.log().filter((line) => line.includes("authentication_refused"));
    const read = lines.map((line) => JSON.parse(line.slice(line.indexOf("{"))));
    const last = read.find(({ network }) => network === "192.0.2.0/24");
    assert.deepEqual(last, {
      event: "authentication_refused",
      attempt: "sign_in",
      reason: "wrong",
      network: "192.0.2.0/24",
    });
    const { account, member } = at.session;
    assert.ok(read.some((one) => one.attempt === "step_up" && one.account === account.id && one.member === member.id));
    const log = at.worker.log().join("\n");
    for (const typed of ["stranger@example.net", "a secret of a stranger", "wrong password", OWNER.email])
      assert.ok(!log.includes(typed), typed);
  });
});

describe("a reset", { timeout: 120_000 }, () => {
  const ask = (mark, ip) =>
    at.console("POST", "/v1/password/reset", { body: { email: OWNER.email }, cookie: mark ?? null, ip });
  const confirm = (code, mark) =>
    at.console("POST", "/v1/password/reset/confirm", {
      body: { email: OWNER.email, code, password: NEXT },
      cookie: mark ?? null,
    });
  const code = (number) =>
    eventually("the code is mailed", () => mails("reset-code")[number]?.text.match(/^ {4}(\d{8})$/m)?.[1], 60_000);

  test("from a known browser is out of a stranger's reach, and ends the marks of before", async () => {
    await at.worker.setClock(2 * 60 * 60_000);
    const mark = pair(markOf(expect(await signIn(OWNER.password), 201)));
    for (let n = 0; n < 4; n += 1) expect(await ask(null, "192.0.2.9"), 202);
    await code(2);
    assert.equal(mails("reset-code").length, 3, "the hour's codes are used up");
    expect(await ask(mark), 202);
    const right = await code(3);
    expect(await confirm(right), 401, "reset_refused");
    expect(await confirm(right, mark), 204);
    await exhaust();
    expect(await signIn(NEXT, { mark }), 429, "too_many_attempts");
    await at.worker.setClock(3 * 60 * 60_000);
    await at.signIn({ password: NEXT });
  });
});

describe("the service password", { timeout: 120_000 }, () => {
  test("shows its use, and a wrong one is in the activity", async () => {
    const answer = expect(await at.console("POST", "/v1/account/service/reveal"), 200).body;
    const { service_id: sid, service_password: spw } = answer;
    assert.equal((await issueBy({ sid, spw })).status, 200);
    const wrong = spw.replace(/^./, (first) => (first === "a" ? "b" : "a"));
    for (let n = 0; n < 3; n += 1) assert.equal((await issueBy({ sid, spw: wrong })).status, 401);
    const used = await eventually(
      "its use is reported",
      async () => {
        const { usage } = expect(await at.console("GET", "/v1/account/service"), 200).body;
        return usage.uses_7d > 0 && usage;
      },
      60_000,
    );
    assert.deepEqual([used.uses_7d, used.networks.map(({ network }) => network)], [1, ["203.0.113.0/24"]]);
    const reported = async () => {
      const rows = await entries("service_password_wrong");
      return rows.length > 0 && rows;
    };
    // The edge's timer sends them, 20 s after the first.
    const [row] = await eventually("the attempts are reported", reported, 60_000);
    assert.equal(row.changes.network.to, "203.0.113.0/24");
    assert.ok(!at.worker.log().join("\n").includes(wrong));
  });
});

describe("notices", { timeout: 120_000 }, () => {
  test("of a new network come once, and switches are the member's own", async () => {
    const count = () => mails("new-network").length;
    const had = count();
    expect(await signIn(NEXT, { ip: "192.0.2.50" }), 201);
    await eventually("the member has mail", () => count() === had + 1);
    const mail = mails("new-network").at(-1);
    assert.equal(mail.to[0], OWNER.email);
    assert.match(mail.text, /192\.0\.2\.50/);
    expect(await signIn(NEXT, { ip: "192.0.2.51" }), 201);

    const path = "/v1/member/notices";
    const on = { key_issued: true, key_network: true, key_end: true };
    assert.deepEqual(expect(await at.console("GET", path), 200).body.notices, on);
    const off = expect(await at.console("PATCH", path, { body: { key_end: false } }), 200).body.notices;
    assert.deepEqual(off, { ...on, key_end: false });
    expect(await at.console("PATCH", path, { body: { sign_in: false } }), 400);
    assert.equal(count(), had + 1);
  });
});
