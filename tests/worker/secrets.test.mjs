// Secrets are nowhere but where they were asked for.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { key as forgedKey, parts, random } from "./support/forge.mjs";
import { MASTER_SECRET } from "./support/harness.mjs";
import { OWNER, begin, eventually, expect, setupToken } from "./support/journey.mjs";

describe("secrets", () => {
  let at;
  const secrets = {};
  const shown = new Set();
  // What the scan must find: all of it was stored, logged or answered on purpose.
  const planted = random(16);

  before(async () => {
    at = await begin({ setUp: false });
    await live();
  });
  after(() => at.dispose());

  /** A day in the life of a deployment, with everything in it that goes wrong. */
  async function live() {
    const keep = (name, text) => (secrets[name] = text);
    const keepToken = (name, text) => keep(name, text).slice(19, 62);
    keep("master secret", JSON.parse(MASTER_SECRET)[0].secret);
    keep("password", OWNER.password);
    keep("set-up token", setupToken());
    keep("secret of the set-up token", keepToken("set-up token", setupToken()));
    const session = (name) => {
      const text = at.cookie.split("=")[1];
      keep(`secret of ${name}`, keepToken(name, text));
    };
    const issue = async (name, draft) => {
      const issued = await at.issue(draft);
      shown.add(at.answers.at(-1));
      keep(name, issued.credential);
      keep(`secret of ${name}`, parts(issued.credential).secret);
      keep(`access secret of ${name}`, issued.access_secret);
      return issued;
    };

    await at.setUp();
    session("first session");
    await at.console("DELETE", "/v1/session");
    const wrong = keep("wrong password", "not the horse battery");
    const signIn = (body, more) => at.console("POST", "/v1/session", { body, cookie: null, ...more });
    expect(await signIn({ email: OWNER.email, password: wrong }), 401);
    expect(await signIn({ email: "nobody@example.jp", password: wrong }), 401);
    expect(await signIn({ email: OWNER.email, password: [OWNER.password] }), 400);
    expect(await signIn(undefined, { raw: `{"email": "${OWNER.password}` }), 400);
    await at.signIn();
    session("second session");
    expect(await at.console("POST", "/v1/session/step-up", { body: { password: wrong } }), 401);
    expect(await at.console("POST", "/v1/session/step-up", { body: { password: OWNER.password } }), 200);

    const issued = await issue("key", { name: planted });
    const basic = (user, password) => ({
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
    });
    expect(await at.call("/", { key: issued.credential }), 200);
    expect(await at.call("/", { headers: basic(issued.access_key, issued.access_secret) }), 200);
    expect(await at.call("/", { headers: { "x-api-key": issued.credential } }), 200);
    expect(await at.call(`/query/a?u=${issued.credential}`), 200);
    expect(await at.call("/admin", { key: issued.credential }), 403);
    expect(await at.call("/", { key: `${issued.credential}x` }), 401);
    expect(
      await at.call("/", {
        headers: [
          ["authorization", issued.credential],
          ["x-api-key", "clv_another"],
        ],
      }),
      400,
    );
    expect(await at.call("/public/a", { key: issued.credential }), 200);
    expect(await at.console("GET", `/v1/keys?q=${issued.credential}`), 422);
    expect(await at.console("POST", "/v1/keys/check", { body: { name: "x", secret: issued.credential } }), 400);

    const verifier = await issue("verifier", { permissions: ["claviger:verify"] });
    const asked = {
      raw: JSON.stringify({ credential: issued.credential }),
      cookie: null,
      headers: { "claviger-verifier": verifier.credential },
    };
    expect(await at.console("POST", "/v1/verify", asked), 200);
    expect(await at.console("POST", "/v1/verify", { ...asked, raw: `{"credential": "${issued.credential}"` }), 400);
    for (const [more, status] of [
      ["", 200],
      ["&address=x", 400],
      [`&client_secret=${issued.access_secret}`, 400],
    ]) {
      const form = { raw: `token=${issued.credential}${more}`, type: "application/x-www-form-urlencoded" };
      expect(await at.console("POST", "/v1/introspect", { ...asked, ...form }), status);
    }

    // Stored in the names of keys in each of the spellings that the scan knows.
    for (const name of [
      Buffer.from(planted).toString("hex"),
      Buffer.from(planted).toString("base64"),
      Buffer.from(`..${planted}..`).toString("base64url"),
    ]) {
      await issue(`key called ${name}`, { name });
    }
    expect(await at.console("GET", "/v1/keys"), 200);
    expect(await at.console("GET", `/v1/keys/${issued.key.id}`), 200);
    await eventually("the records are in KV", () => at.published(issued.key.id));

    for (const [on, mode] of [
      ["LEDGER.fetch", "fail"],
      ["NAME.fetch", "fail"],
      ["Ledger.fetch", "trap"],
      ["Name.fetch", "trap"],
      ["handle", "trap"],
    ]) {
      await at.worker.setFaults({ on, mode });
      assert.ok((await at.call("/", { key: forgedKey({ id: issued.key.id.slice(0, 8) + random(10) }) })).status >= 401);
      assert.ok((await signIn({ email: OWNER.email, password: OWNER.password }, { ip: "192.0.2.44" })).status >= 201);
      assert.ok((await at.tryIssue({ name: "while it fails" })).status >= 500 || on.startsWith("N"));
      if (at.answers.at(-1).body?.credential) shown.add(at.answers.at(-1));
    }
    await at.worker.setFaults();
  }

  /** A text as it is, in hex, and in base64 at each of its three offsets without the digits that depend on neighbours. */
  function spellings(text) {
    const bytes = Buffer.from(text);
    const found = [
      bytes,
      Buffer.from(bytes.toString("hex")),
      Buffer.from(bytes.toString("hex").toUpperCase()),
      Buffer.from(text, "utf16le"),
    ];
    for (const offset of [0, 1, 2]) {
      const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
      const core = padded.subarray(offset && 3, padded.length - (padded.length % 3));
      for (const alphabet of ["base64", "base64url"]) found.push(Buffer.from(core.toString(alphabet)));
    }
    return found;
  }

  const holds = (bytes, text) => spellings(text).some((spelling) => bytes.includes(spelling));

  async function files() {
    const directory = join(at.worker.dir, "state");
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return Promise.all(paths.map(async (path) => ({ name: path, bytes: await readFile(path) })));
  }

  test("the scan finds a text in each spelling", () => {
    const text = random(43);
    for (const spelled of [
      text,
      Buffer.from(text).toString("hex"),
      ...["", "x", "xx"].flatMap((lead) =>
        ["base64", "base64url"].map((form) => Buffer.from(`${lead}${text}yy`).toString(form)),
      ),
    ]) {
      assert.ok(holds(Buffer.from(`some ${spelled} noise`), text), spelled);
      assert.ok(!holds(Buffer.from(`some ${spelled.slice(5)} noise`), text), spelled);
    }
  });

  test("the scan reads what the objects and KV store, the log, and the answers", async () => {
    const stored = await files();
    const held = stored.filter(({ bytes }) => holds(bytes, planted));
    assert.ok(
      held.some(({ name }) => /sqlite/.test(name)),
      stored.map(({ name }) => name).join("\n"),
    );
    const digest = createHash("sha256").update(secrets["secret of key"]).digest();
    const published = (bytes) =>
      ["hex", "base64", "base64url"].some((form) => bytes.includes(digest.toString(form).replace(/=+$/, "")));
    assert.ok(
      stored.some(({ name, bytes }) => /blobs/.test(name) && published(bytes)),
      "the record's digest lies in a blob",
    );
    await at.worker.logged(/as the test asked/);
    await at.worker.logged(/wasm trapped/);
    assert.ok(
      [...shown].every(
        ({ text }) => holds(Buffer.from(text), secrets["master secret"]) === false && /credential/.test(text),
      ),
    );
    assert.ok([...shown].some(({ text }) => holds(Buffer.from(text), secrets.key)));
    assert.ok(at.answers.some((answer) => holds(Buffer.from(answer.text), planted)));
  });

  test("are in no file, while it runs and afterwards", async () => {
    const leaks = async () => {
      const stored = await files();
      return Object.entries(secrets).flatMap(([what, secret]) =>
        stored.filter(({ bytes }) => holds(bytes, secret)).map(({ name }) => `${what} in ${name}`),
      );
    };
    assert.deepEqual(await leaks(), []);
  });

  test("are in no line of the log", () => {
    const log = Buffer.from(at.worker.log().join("\n"));
    assert.deepEqual(
      Object.keys(secrets).filter((what) => holds(log, secrets[what])),
      [],
    );
  });

  test("are in no answer but the one that shows a key, nor in a header but the cookie", () => {
    for (const answer of at.answers) {
      const { "set-cookie": _, ...headers } = answer.headers;
      const said = Buffer.from(JSON.stringify(headers) + (shown.has(answer) ? "" : answer.text));
      const leaked = Object.keys(secrets).filter((what) => holds(said, secrets[what]));
      assert.deepEqual(leaked, [], `${answer.method} ${answer.path}`);
    }
  });
});

test(
  "P6: no secret is in KV, lists, activity, files, logs, or in a database unencrypted",
  { timeout: 60_000 },
  async () => {
    const at = await begin();
    try {
      const kept = await at.issue({ viewable: true, name: "kept" });
      const service = expect(await at.console("POST", "/v1/account/service/reveal"), 200).body;
      expect(await at.console("POST", `/v1/keys/${kept.key.id}/reveal`), 200);
      const changed = expect(
        await at.console("POST", "/v1/account/service/password", { headers: { "if-match": '"0"' } }),
        200,
      ).body;
      await eventually("it is published", () => at.published(kept.key.id));
      const secrets = [
        kept.access_secret,
        kept.access_secret.slice(0, 43),
        service.service_password,
        changed.service_password,
      ];
      const seen = [];
      for (const path of [
        "/v1/keys",
        `/v1/keys/${kept.key.id}`,
        "/v1/account/service",
        "/v1/activity",
        "/v1/session",
      ]) {
        seen.push([path, expect(await at.console("GET", path), 200).text]);
      }
      for (const path of ["/v1/activity/export?format=csv", "/v1/activity/export?format=jsonl"]) {
        seen.push([path, expect(await at.console("POST", path), 200).text]);
      }
      for (const name of await at.worker.kvKeys()) seen.push([name, await at.worker.kv(name)]);
      seen.push(["the log", at.worker.log().join("\n")]);
      for (const entry of await readdir(at.worker.dir, { recursive: true, withFileTypes: true })) {
        if (entry.isFile())
          seen.push([entry.name, (await readFile(join(entry.parentPath, entry.name))).toString("latin1")]);
      }
      assert.ok(seen.some(([name]) => /sqlite/.test(name)) && seen.some(([name]) => name.startsWith("key/")));
      for (const [where, text] of seen) for (const secret of secrets) assert.ok(!text.includes(secret), where);
    } finally {
      await at.dispose();
    }
  },
);
