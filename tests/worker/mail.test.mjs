// How mail goes out: by an HTTP service, by the platform, or not at all (A09).
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { OTHER_OWNER, OWNER, begin, eventually, expect } from "./support/journey.mjs";
import { codeIn } from "./support/mailbox.mjs";

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
    assert.deepEqual(
      requests.map(({ status }) => status),
      [500, 500, 200],
    );
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
    assert.deepEqual(
      requests.map(({ url, status }) => [url, status]),
      [
        ["/emails", 307],
        ["/emails", 200],
      ],
    );
  });

  test("A09 while mail is down the page is told, and disabling works", async () => {
    assert.equal(await session(), "ok");
    at.worker.mailbox.failAlways(503);
    const deletion = await at.beginDeletion(id);
    await eventually(
      "the deletion says so",
      async () => (await at.console("GET", `/v1/deletions/${deletion.id}`)).body.mail === "failing",
    );
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
    const texts = await Promise.all(
      files.filter((file) => file.endsWith(".eml")).map((file) => readFile(join(at.worker.emails, file), "utf8")),
    );
    // Without the code of the set-up.
    return texts.filter((text) => !text.includes("confirm your e-mail address"));
  }

  test("A09 lands as a MIME message with both parts and the code", async () => {
    const { key } = await at.issue({ name: "経理サーバー" });
    const deletion = await at.beginDeletion(key.id);
    const [mail] = await eventually("it lands", async () => {
      const found = await emails();
      return found.length > 0 && found;
    });
    const [head] = mail.split("\r\n\r\n");
    for (const header of ["From: <keys@example.com>", `To: <${OWNER.email}>`, "Auto-Submitted: auto-generated"])
      assert.ok(head.includes(header), head);
    assert.match(head, /^Subject: Code to delete an API key$/m);
    assert.match(head, /^Content-Type: multipart\/alternative;/m);
    const parts = [...mail.matchAll(/Content-Transfer-Encoding: (\S+)\r\n\r\n([\s\S]*?)\r\n--=_/g)].map(
      ([, encoding, body]) => (encoding === "base64" ? Buffer.from(body, "base64").toString() : unquoted(body)),
    );
    assert.equal(parts.length, 2);
    for (const part of parts) assert.ok(part.includes("経理サーバー"));
    expect(await at.tryConfirm(deletion, codeIn(parts[0].replaceAll("\r\n", "\n"))), 200);
    assert.deepEqual(at.worker.mailbox.requests, []);
  });

  /** Quoted-printable (RFC 2045 §6.7). */
  function unquoted(text) {
    const bytes = text
      .replace(/=\r\n/g, "")
      .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    return Buffer.from(bytes, "latin1").toString();
  }
});

test("A09 without mail keys are disabled, not deleted, and the page is told", async () => {
  const off = { vars: { MAIL: undefined, MAIL_FROM: undefined }, secrets: { MAIL_API_KEY: undefined } };
  const persist = await mkdtemp(join(tmpdir(), "claviger-mail-"));
  // An account is set up while there is mail: its owner's address is proven first.
  await (await begin({ persist })).dispose();
  const at = await begin({ ...off, persist, setUp: false });
  try {
    await at.signIn();
    const { key } = await at.issue();
    assert.equal(at.session.mail, "off");
    expect(await at.console("POST", "/v1/deletions", { body: { keys: [key.id] } }), 409, "mail_off");
    assert.equal((await at.change(key.id, "disable")).key.status, "disabled");
    const address = { email: "mei@example.org" };
    expect(await at.console("POST", "/v1/member/address", { body: address }), 409, "mail_off");
    const { link } = await at.invite();
    const form = { account_name: "x", time_zone: "UTC", language: "en", ...OTHER_OWNER };
    expect(await at.trySetUp({ token: link.split("#/setup/")[1], ...form }), 409, "mail_off");
    assert.deepEqual(at.worker.mailbox.requests, []);
  } finally {
    await at.dispose();
    await rm(persist, { recursive: true });
  }
});
