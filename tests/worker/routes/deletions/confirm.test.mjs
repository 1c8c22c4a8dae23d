// Keys are deleted by a code that is mailed (A09), unless they are protected (A10); and how mail
// goes out.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { OFFICE, OWNER, begin, eventually, expect } from "../../support/journey.mjs";
import { MAIL_API_KEY, codeIn } from "../../support/mailbox.mjs";

const wrongFor = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");
const wide = (digits) => digits.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0));
const tryBegin = (at, keys) => at.console("POST", "/v1/deletions", { body: { keys } });

describe("A09 deletion by a mailed code", () => {
  let at;
  let other;
  before(async () => {
    at = await begin();
    other = await at.secondAccount();
  });
  after(() => at.dispose());

  const issue = async (name) => (await at.issue({ name })).key.id;
  const messages = (kind, id) => at.worker.mailbox.messages.filter((mail) => mail.id.startsWith(`deletion-${kind}/`) && mail.id.includes(id));
  const status = async (id) => (await at.show(id)).status;

  test("A09 deletes exactly the keys that were ticked, all at once, and mails a notice", async () => {
    const [first, second] = [await at.issue({ name: "Build server" }), await at.issue({ name: "<b>経理</b>" })];
    const kept = await at.issue({ name: "Kept" });
    const ids = [first.key.id, second.key.id];
    const deletion = await at.beginDeletion(...ids);
    assert.deepEqual(deletion.keys.map(({ id, name, access_key }) => [id, name, access_key]), [
      [ids[0], "Build server", `clv_${ids[0]}`],
      [ids[1], "<b>経理</b>", `clv_${ids[1]}`],
    ]);
    assert.deepEqual([deletion.sent_to, deletion.tries_left, deletion.bound_within_s, deletion.state], ["m…@example.jp", 5, 10, "open"]);
    const life_ms = Date.parse(deletion.expires_at) - Date.parse(deletion.now);
    assert.ok(life_ms > 500_000 && life_ms <= 600_000, `${life_ms}`);

    assert.ok(deletion.keys.every(({ uses_24h, last_used_at }) => uses_24h === 0 && last_used_at === null));

    const code = await at.code(deletion);
    const [mail] = messages("code", deletion.id);
    assert.deepEqual([mail.to, mail.from], [[OWNER.email], "keys@example.com"]);
    assert.ok(mail.text.includes("Build server") && mail.text.includes("<b>経理</b>") && !mail.text.includes("Kept"));
    assert.ok(mail.html.includes("&lt;b&gt;経理&lt;/b&gt;") && !mail.html.includes("<b>"));
    assert.ok(!mail.subject.includes(code));
    await eventually("the page can see that it is sent", async () => (await at.console("GET", `/v1/deletions/${deletion.id}`)).body.mail === "sent");
    expect(await at.call("/", { key: first.credential }), 200);

    const done = expect(await at.tryConfirm(deletion, code), 200).body;
    assert.deepEqual(done.deleted, ids);
    assert.ok(done.bound.within_s === 10 && Date.parse(done.bound.at) > Date.now());
    for (const { credential } of [first, second]) expect(await at.call("/", { key: credential }), 401, "unknown");
    expect(await at.call("/", { key: kept.credential }), 200);

    const notice = await eventually("the notice is mailed", () => messages("notice", deletion.id)[0]);
    for (const part of ["2 API keys", OWNER.name, OFFICE, "Build server"]) assert.ok(notice.text.includes(part) || notice.subject.includes(part), part);
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
      assert.deepEqual(refused.body.errors.map(({ pointer, code: why }) => [pointer, why]), [["#/code", "not_a_code"]]);
      assert.ok(code === "" || !refused.text.includes(code), "it is not repeated");
    }
    expect(await at.console("POST", `/v1/deletions/${deletion.id}/confirm`, { raw: `{"code":"${"1".repeat(100_000)}"}` }), 413, "body_too_large");
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
    if (first !== second) assert.equal(expect(await at.tryConfirm(deletion, first), 403, "code_wrong").body.tries_left, 4);
    expect(await at.tryConfirm(deletion, second), 200);
    expect(await at.tryConfirm(deletion, second), 410, "code_over");
  });

  test("A09 a code of another deletion, or of another account's, does nothing", async () => {
    const [mine, theirs] = [await issue("mine"), (await other.issue()).key.id];
    const [a, b] = [await at.beginDeletion(mine), await at.beginDeletion(await issue("too"))];
    const foreign = await other.beginDeletion(theirs);
    const code = await at.code(a);
    if (code !== (await at.code(b))) expect(await at.tryConfirm(b, code), 403, "code_wrong");
    for (const [method, path, body] of [["GET", ""], ["POST", "/code"], ["POST", "/confirm", { code: await other.code(foreign) }]]) {
      expect(await at.console(method, `/v1/deletions/${foreign.id}${path}`, { body }), 404, "not_found");
      expect(await other.console(method, `/v1/deletions/${a.id}${path}`, { body: body && { code } }), 404, "not_found");
    }
    expect(await at.console("POST", `/v1/deletions/${a.id}/confirm`, { body: { code }, cookie: null }), 401, "not_signed_in");
    expect(await at.console("POST", `/v1/deletions/${a.id}/confirm`, { body: { code }, origin: "https://evil.example" }), 403, "cross_site");
    assert.deepEqual([await status(mine), (await other.show(theirs)).status], ["active", "active"]);
    expect(await at.tryConfirm(a, code), 200);
  });

  test("A09 lists of keys that cannot be are refused, and nothing is mailed", async () => {
    const id = await issue("listed");
    const [foreign] = [(await other.issue()).key.id];
    const before = at.worker.mailbox.messages.length;
    const many = Array.from({ length: 101 }, (_, n) => `${id.slice(0, 8)}${String(n).padStart(10, "0")}`);
    for (const [keys, pointer, why] of [
      [[], "#/keys", "required"],
      [many, "#/keys", "too_many"],
      [[id, id], "#/keys/1", "duplicate"],
      [[id, "x"], "#/keys/1", "not_a_key_id"],
    ]) {
      const { body } = expect(await tryBegin(at, keys), 422, "invalid");
      assert.deepEqual([body.errors[0].pointer, body.errors[0].code], [pointer, why]);
    }
    assert.deepEqual(expect(await tryBegin(at, [id, foreign, many[0]]), 404, "not_found").body.keys, [foreign, many[0]]);
    expect(await at.console("POST", "/v1/deletions", { raw: `{"keys":["${"x".repeat(100_000)}"]}` }), 413, "body_too_large");
    assert.equal(at.worker.mailbox.messages.length, before);
  });

  test("A10 a protected key is refused by name", async () => {
    const plain = await issue("Plain");
    const { key } = await at.issue({ name: "Old one", protected: true });
    assert.equal(key.protected, true);
    const refused = expect(await tryBegin(at, [plain, key.id]), 409, "protected");
    assert.deepEqual(refused.body.keys, [{ id: key.id, name: "Old one" }]);
    await at.change(key.id, { protected: false });
    await at.deleteKeys(plain, key.id);
  });

  test("A09 a deleted key is listed, and comes back as it was", async () => {
    const { key, credential } = await at.issue({ name: "Lazarus" });
    await at.deleteKeys(key.id);
    const listed = async (query) => (await at.console("GET", `/v1/keys?q=lazarus${query}`)).body.keys.map(({ status }) => status);
    assert.deepEqual([await listed(""), await listed("&deleted=only"), await listed("&deleted=no")], [["deleted"], ["deleted"], []]);
    const deleted = await at.show(key.id);
    assert.equal(Date.parse(deleted.restorable_until) - Date.parse(deleted.deleted_at), 30 * 86_400_000);
    const restored = await at.change(key.id, "restore");
    assert.deepEqual([restored.key.status, restored.bound, restored.key.deleted_at], ["active", null, null]);
    expect(await at.call("/", { key: credential }), 200);
    await at.forget();
    expect(await at.call("/", { key: credential }), 200);
    const headers = { "if-match": `"${restored.key.revision}"` };
    expect(await at.console("POST", `/v1/keys/${key.id}/restore`, { headers }), 409, "not_deleted");
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

describe("mail by an HTTP service", () => {
  let at;
  let id;
  before(async () => {
    at = await begin();
    id = (await at.issue()).key.id;
  });
  after(() => at.dispose());

  const session = async () => (await at.console("GET", "/v1/session")).body.mail;

  test("A09 a message that is refused, and one whose answer is lost, is sent again and delivered once", async () => {
    at.worker.mailbox.fail(500, "lost");
    const deletion = await at.beginDeletion(id);
    await eventually("it is taken at the third try", () => at.worker.mailbox.requests.length === 3);
    const { requests, messages } = at.worker.mailbox;
    assert.deepEqual(requests.map(({ status }) => status), [500, 500, 200]);
    assert.equal(new Set(requests.map(({ key }) => key)).size, 1);
    assert.equal(new Set(requests.map(({ body }) => body)).size, 1, "the same to the byte");
    assert.equal(messages.length, 1);
    expect(await at.tryConfirm(deletion, await at.code(deletion)), 200);
    await at.change(id, "restore");
  });

  test("A09 a service that points elsewhere is not followed: the code and the token are its own", async () => {
    const { mailbox } = at.worker;
    const before = mailbox.requests.length;
    mailbox.fail({ status: 307, location: "/elsewhere" });
    const deletion = await at.beginDeletion(id);
    assert.match(await at.code(deletion), /^\d{6}$/);
    const requests = mailbox.requests.slice(before);
    assert.deepEqual(requests.map(({ url, status }) => [url, status]), [["/emails", 307], ["/emails", 200]]);
  });

  test("A09 while mail is down the page is told, and disabling works", async () => {
    assert.equal(await session(), "ok");
    at.worker.mailbox.failAlways(503);
    const deletion = await at.beginDeletion(id);
    await eventually("the deletion says so", async () => (await at.console("GET", `/v1/deletions/${deletion.id}`)).body.mail === "failing");
    assert.equal(await session(), "failing");
    assert.equal((await at.change(id, "disable")).key.status, "disabled");
    at.worker.mailbox.recover();
    expect(await at.tryConfirm(deletion, await at.code(deletion)), 200);
    await eventually("the page is told that it works again", async () => (await session()) === "ok");
    assert.equal((await at.change(id, "restore")).key.status, "disabled");
  });
});

test("A09 mail that the service will never take is given up at once, told and logged", async () => {
  const at = await begin();
  try {
    const { id } = (await at.issue()).key;
    at.worker.mailbox.failAlways(422);
    const deletion = await at.beginDeletion(id);
    const state = async () => (await at.console("GET", `/v1/deletions/${deletion.id}`)).body.mail;
    await eventually("the deletion says so", async () => (await state()) === "refused");
    assert.equal((await at.console("GET", "/v1/session")).body.mail, "failing");
    const line = at.worker.log().find((line) => line.includes("is given up"));
    assert.match(line ?? "", /mail deletion-code\/\w{8}\/\w{10}\/1 is given up: status 422$/);
    assert.equal(at.worker.mailbox.requests.length, 1);
    at.worker.mailbox.recover();
    const again = await at.console("POST", `/v1/deletions/${deletion.id}/code`);
    assert.equal(again.status, 200);
    expect(await at.tryConfirm(deletion, await at.code(deletion, 2)), 200);
  } finally {
    await at.dispose();
  }
});

describe("mail by the platform", () => {
  let at;
  before(async () => {
    at = await begin({ vars: { MAIL: "binding" } });
  });
  after(() => at.dispose());

  /** Every message that landed, as its raw text. */
  async function emails() {
    const files = await readdir(at.worker.emails, { recursive: true }).catch(() => []);
    return Promise.all(files.filter((file) => file.endsWith(".eml")).map((file) => readFile(join(at.worker.emails, file), "utf8")));
  }

  test("A09 lands as a MIME message with both parts and the code", async () => {
    const { key } = await at.issue({ name: "経理サーバー" });
    const deletion = await at.beginDeletion(key.id);
    const [mail] = await eventually("it lands", async () => {
      const found = await emails();
      return found.length > 0 && found;
    });
    const [head] = mail.split("\r\n\r\n");
    for (const header of ["From: <keys@example.com>", `To: <${OWNER.email}>`, "Auto-Submitted: auto-generated"]) assert.ok(head.includes(header), head);
    assert.match(head, /^Subject: =\?utf-8\?/m);
    assert.match(head, /^Content-Type: multipart\/alternative;/m);
    const parts = [...mail.matchAll(/Content-Transfer-Encoding: (\S+)\r\n\r\n([\s\S]*?)\r\n--=_/g)].map(([, encoding, body]) =>
      encoding === "base64" ? Buffer.from(body, "base64").toString() : unquoted(body),
    );
    assert.equal(parts.length, 2);
    for (const part of parts) assert.ok(part.includes("経理サーバー"));
    expect(await at.tryConfirm(deletion, codeIn(parts[0].replaceAll("\r\n", "\n"))), 200);
    assert.deepEqual(at.worker.mailbox.requests, []);
  });

  /** Quoted-printable (RFC 2045 §6.7). */
  function unquoted(text) {
    const bytes = text.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    return Buffer.from(bytes, "latin1").toString();
  }
});

test("A09 without mail keys are disabled, not deleted, and the page is told", async () => {
  const at = await begin({ vars: { MAIL: undefined, MAIL_FROM: undefined }, secrets: { MAIL_API_KEY: undefined } });
  try {
    const { key } = await at.issue();
    assert.equal(at.session.mail, "off");
    expect(await tryBegin(at, [key.id]), 409, "mail_off");
    assert.equal((await at.change(key.id, "disable")).key.status, "disabled");
    assert.deepEqual(at.worker.mailbox.requests, []);
  } finally {
    await at.dispose();
  }
});
