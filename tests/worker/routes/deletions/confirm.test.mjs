// Keys are deleted by a code that is mailed (A09).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { OFFICE, OWNER, begin, eventually, expect } from "../../support/journey.mjs";
import { MAIL_API_KEY, codeIn } from "../../support/mailbox.mjs";

const wrongFor = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");
const wide = (digits) => digits.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0));

describe("A09 deletion by a mailed code", () => {
  let at;
  let other;
  before(async () => {
    at = await begin();
    other = await at.secondAccount();
  });
  after(() => at.dispose());

  const issue = async (name) => (await at.issue({ name })).key.id;
  const messages = (kind, id) =>
    at.worker.mailbox.messages.filter((mail) => mail.id.startsWith(`deletion-${kind}/`) && mail.id.includes(id));
  const status = async (id) => (await at.show(id)).status;

  test("A09 deletes exactly the keys that were ticked, all at once, and mails a notice", async () => {
    const [first, second] = [await at.issue({ name: "Build server" }), await at.issue({ name: "<b>経理</b>" })];
    const kept = await at.issue({ name: "Kept" });
    const ids = [first.key.id, second.key.id];
    const deletion = await at.beginDeletion(...ids);
    assert.deepEqual(
      deletion.keys.map(({ id, name, access_key }) => [id, name, access_key]),
      [
        [ids[0], "Build server", `clv_${ids[0]}`],
        [ids[1], "<b>経理</b>", `clv_${ids[1]}`],
      ],
    );
    assert.deepEqual(
      [deletion.sent_to, deletion.tries_left, deletion.bound_within_s, deletion.state],
      ["m…@example.jp", 5, 10, "open"],
    );
    const life_ms = Date.parse(deletion.expires_at) - Date.parse(deletion.now);
    assert.ok(life_ms > 500_000 && life_ms <= 600_000, `${life_ms}`);

    assert.ok(deletion.keys.every(({ uses_24h, last_used_at }) => uses_24h === 0 && last_used_at === null));

    const code = await at.code(deletion);
    const [mail] = messages("code", deletion.id);
    assert.deepEqual([mail.to, mail.from], [[OWNER.email], "keys@example.com"]);
    assert.ok(mail.text.includes("Build server") && mail.text.includes("<b>経理</b>") && !mail.text.includes("Kept"));
    assert.ok(mail.html.includes("&lt;b&gt;経理&lt;/b&gt;") && !mail.html.includes("<b>"));
    assert.ok(!mail.subject.includes(code));
    await eventually(
      "the page can see that it is sent",
      async () => (await at.console("GET", `/v1/deletions/${deletion.id}`)).body.mail === "sent",
    );
    expect(await at.call("/", { key: first.credential }), 200);

    const done = expect(await at.tryConfirm(deletion, code), 200).body;
    assert.deepEqual(done.deleted, ids);
    assert.ok(done.bound.within_s === 10 && Date.parse(done.bound.at) > Date.now());
    for (const { credential } of [first, second]) expect(await at.call("/", { key: credential }), 401, "unknown");
    expect(await at.call("/", { key: kept.credential }), 200);

    const notice = await eventually("the notice is mailed", () => messages("notice", deletion.id)[0]);
    for (const part of ["2 API keys", OWNER.name, OFFICE, "Build server"])
      assert.ok(notice.text.includes(part) || notice.subject.includes(part), part);
    assert.deepEqual(notice.to, [OWNER.email]);
  });

  test("A09 takes full-width digits and blanks", async () => {
    const id = await issue("wide");
    const deletion = await at.beginDeletion(id);
    const code = await at.code(deletion);
    expect(await at.tryConfirm(deletion, ` ${wide(code.slice(0, 3))}　${wide(code.slice(3))} `), 200);
    assert.equal(await status(id), "deleted");
  });

  test("A09 what cannot be a code is no try", async () => {
    const deletion = await at.beginDeletion(await issue("malformed"));
    for (const code of ["", "12345", "1234567", "12345a", "-12345", "x".repeat(10_000)]) {
      const refused = expect(await at.tryConfirm(deletion, code), 422, "invalid");
      assert.deepEqual(
        refused.body.errors.map(({ pointer, code: why }) => [pointer, why]),
        [["#/code", "not_a_code"]],
      );
      assert.ok(code === "" || !refused.text.includes(code), "it is not repeated");
    }
    expect(
      await at.console("POST", `/v1/deletions/${deletion.id}/confirm`, { raw: `{"code":"${"1".repeat(100_000)}"}` }),
      413,
      "body_too_large",
    );
    assert.equal((await at.console("GET", `/v1/deletions/${deletion.id}`)).body.tries_left, 5);
  });

  test("A09 a thousand wrong codes at once are five tries, and then the right one is refused", async () => {
    const id = await issue("attacked");
    const deletion = await at.beginDeletion(id);
    const code = await at.code(deletion);
    const seen = {};
    const queue = Array.from({ length: 1_000 }).values();
    const work = async () => {
      for (const _ of queue) {
        const { status, body } = await at.tryConfirm(deletion, wrongFor(code));
        seen[`${status} ${body.code}`] = (seen[`${status} ${body.code}`] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: 100 }, work));
    assert.deepEqual(seen, { "403 code_wrong": 5, "410 code_over": 995 });
    expect(await at.tryConfirm(deletion, code), 410, "code_over");
    expect(await at.console("POST", `/v1/deletions/${deletion.id}/code`), 410, "code_over");
    assert.equal(await status(id), "active");
  });

  test("A09 a used code is over, and so is one that another took the place of", async () => {
    const id = await issue("twice");
    const deletion = await at.beginDeletion(id);
    const first = await at.code(deletion);
    const again = expect(await at.console("POST", `/v1/deletions/${deletion.id}/code`), 200).body;
    assert.deepEqual([again.id, again.tries_left], [deletion.id, 5]);
    const second = await at.code(deletion, 2);
    if (first !== second)
      assert.equal(expect(await at.tryConfirm(deletion, first), 403, "code_wrong").body.tries_left, 4);
    expect(await at.tryConfirm(deletion, second), 200);
    expect(await at.tryConfirm(deletion, second), 410, "code_over");
  });

  test("A09 a code of another deletion, or of another account's, does nothing", async () => {
    const [mine, theirs] = [await issue("mine"), (await other.issue()).key.id];
    const [a, b] = [await at.beginDeletion(mine), await at.beginDeletion(await issue("too"))];
    const foreign = await other.beginDeletion(theirs);
    const code = await at.code(a);
    if (code !== (await at.code(b))) expect(await at.tryConfirm(b, code), 403, "code_wrong");
    for (const [method, path, body] of [
      ["GET", ""],
      ["POST", "/code"],
      ["POST", "/confirm", { code: await other.code(foreign) }],
    ]) {
      expect(await at.console(method, `/v1/deletions/${foreign.id}${path}`, { body }), 404, "not_found");
      expect(await other.console(method, `/v1/deletions/${a.id}${path}`, { body: body && { code } }), 404, "not_found");
    }
    expect(
      await at.console("POST", `/v1/deletions/${a.id}/confirm`, { body: { code }, cookie: null }),
      401,
      "not_signed_in",
    );
    expect(
      await at.console("POST", `/v1/deletions/${a.id}/confirm`, { body: { code }, origin: "https://evil.example" }),
      403,
      "cross_site",
    );
    assert.deepEqual([await status(mine), (await other.show(theirs)).status], ["active", "active"]);
    expect(await at.tryConfirm(a, code), 200);
  });

  test("A09 no code and no token is in the log", () => {
    const log = at.worker.log().join("\n");
    for (const { text } of at.worker.mailbox.messages) {
      const code = codeIn(text);
      if (code) assert.doesNotMatch(log, new RegExp(`(?<!\\d)${code}(?!\\d)`));
    }
    assert.ok(!log.includes(MAIL_API_KEY));
  });
});
