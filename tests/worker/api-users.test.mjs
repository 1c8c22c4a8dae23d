// API users at the protected API and at a mail server's question, from the console to the origin.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { API, CALLER, CONSOLE, RULES, begin, eventually, expect } from "./support/journey.mjs";

const PLACES = ["x-api-key", "authorization", "api-user:basic", "api-user:form", "api-user:json"];
const users = (path, members) => ({ host: API, path, origin: "DEMO", credentials: PLACES, ...members });
const OF_USERS = [
  users("/mail/*", { permission: { read: "mail:read", write: "mail:write" } }),
  // The origin answers with the body that reached it.
  users("/echo", { permission: "mail:write" }),
  users("/mail/list.json", { permission: "mail:read", effect: "read" }),
  users("/mail/export.json", { permission: "personal-data:download", effect: "read" }),
];

const SECRET = "s3cretOfTheApp";
const FORM = "application/x-www-form-urlencoded";

/** A user that may do all, with what a test changes. */
const wanted = (name, more = {}) => ({
  name,
  api_key: SECRET,
  group: "admin",
  view_personal_data: false,
  download_personal_data: false,
  interfaces: ["http", "smtp"],
  own_data_only: false,
  zone: "Asia/Tokyo",
  expires: "never",
  networks: [],
  ...more,
});

describe("API users", () => {
  let at;
  let verifier;
  before(async () => {
    at = await begin({ rules: [...OF_USERS, ...RULES] });
    // A revocation is seen soon.
    const account = at.session.account.id;
    expect(await at.console("PATCH", `/v1/operator/accounts/${account}`, { body: { freshness_s: 1 } }), 200);
    verifier = (await at.issue({ permissions: ["claviger:verify"] })).credential;
  });
  after(() => at.dispose());

  let count = 0;
  const create = async (more) => {
    const name = `app${++count}@example.com`;
    const headers = { "idempotency-key": randomUUID() };
    const made = await at.console("POST", "/v1/api-users", { body: wanted(name, more), headers });
    return expect(made, 201).body.user;
  };
  const act = async (user, act, body) => {
    const headers = { "if-match": `"${user.revision}"` };
    return expect(await at.console("POST", `/v1/api-users/${user.id}/${act}`, { headers, body }), 200).body;
  };
  const edit = async (user, body) => {
    const headers = { "if-match": `"${user.revision}"` };
    return expect(await at.console("PATCH", `/v1/api-users/${user.id}`, { headers, body }), 200).body;
  };

  const call = (path, body, { type = FORM, method = "POST", headers = {}, ip = CALLER } = {}) =>
    at.call(path, { method, body, ip, headers: { "content-type": type, ...headers } });
  const form = (name, secret = SECRET, rest = "&x=1") =>
    `api_user=${encodeURIComponent(name)}&api_key=${encodeURIComponent(secret)}${rest}`;
  const basic = (name, secret = SECRET) => `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`;

  /** What a mail server learns: `OK`, or the code of the refusal. */
  const login = async (name, secret = SECRET, { ip = CALLER, key = verifier, method = "plain" } = {}) => {
    const escaped = (text) =>
      text.replaceAll(/[%\x00-\x20]/g, (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, "0")}`);
    const headers = {
      "claviger-verifier": key,
      "auth-method": method,
      "auth-user": escaped(name),
      "auth-pass": escaped(secret),
      "auth-protocol": "smtp",
      "auth-login-attempt": "1",
      ...(ip && { "client-ip": ip }),
    };
    const answer = await at.ask(CONSOLE, "/v1/mail-auth", { headers });
    assert.equal(answer.status, 200);
    assert.equal(answer.text, "");
    return answer.headers["auth-status"] === "OK" ? "OK" : answer.headers["auth-error-code"];
  };

  test("C17: name and secret come in a form, JSON or Basic; the secret does not reach the origin", async () => {
    const { name } = await create();
    const json = JSON.stringify({ api_user: name, x: 1, api_key: SECRET });
    for (const [body, options, rest] of [
      [form(name), {}, `api_user=${encodeURIComponent(name)}&x=1`],
      [form(name.toUpperCase()), {}, undefined],
      [json, { type: "application/json" }, JSON.stringify({ api_user: name, x: 1 })],
      ["a=b", { headers: { authorization: basic(name) } }, "a=b"],
    ]) {
      const echoed = expect(await call("/echo", body, options), 200);
      if (rest !== undefined) assert.equal(echoed.text, rest);
      const answer = expect(await call("/mail/send.json", body, options), 200);
      for (const { text } of [echoed, answer]) assert.ok(!text.includes(SECRET), text);
      const headers = new Map(answer.body.headers);
      assert.equal(headers.get("claviger-api-user"), name);
      assert.equal(headers.get("claviger-group"), "admin");
      assert.equal(headers.get("authorization"), undefined);
    }
  });

  test("C17: a body in chunks, without a length, is read and forwarded", async () => {
    const { name } = await create();
    async function* chunks() {
      for (const piece of form(name).match(/.{1,7}/gs)) yield Buffer.from(piece);
    }
    const answer = expect(await call("/echo", chunks()), 200);
    assert.equal(answer.text, `api_user=${encodeURIComponent(name)}&x=1`);
  });

  test("C06, C07: Normal reads, and personal data is granted by name", async () => {
    const user = await create({ group: "normal" });
    const code = async (path, method) => (await call(path, form(user.name), { method })).body?.code ?? "forwarded";
    assert.equal(await code("/mail/send.json"), "permission_denied");
    assert.equal(await code("/mail/list.json"), "forwarded");
    assert.equal(await code("/mail/export.json"), "permission_denied");
    const read = await at.call("/mail/x", { headers: { authorization: basic(user.name) } });
    expect(read, 200);
    await edit(user, { download_personal_data: true });
    await eventually("the right arrives", async () => (await code("/mail/export.json")) === "forwarded");
  });

  test("C09, C10: own data only and the time zone reach the origin", async () => {
    const { name } = await create({ own_data_only: true, zone: "America/New_York" });
    const { body } = expect(await call("/mail/send.json", form(name)), 200);
    const headers = new Map(body.headers);
    assert.equal(headers.get("claviger-own-data-only"), "true");
    assert.equal(headers.get("claviger-time-zone"), "America/New_York");
  });

  /** Refused at the API and at the mail server within T of the answer. */
  const endsWithinT = async (name, http, smtp, secret = SECRET) => {
    const begun = performance.now();
    await eventually("both refuse", async () => {
      const answer = await call("/mail/send.json", form(name, secret));
      return answer.body?.code === http && (await login(name, secret)) === smtp;
    });
    return performance.now() - begun;
  };

  test("C15: a lock ends both interfaces within T, and an unlock opens them again", async (t) => {
    const user = await create();
    expect(await call("/mail/send.json", form(user.name)), 200);
    assert.equal(await login(user.name), "OK");
    const locked = await act(user, "lock");
    assert.ok(locked.bound, "the answer says when");
    const took = await endsWithinT(user.name, "locked", "535 5.7.8");
    t.diagnostic(`from the answer to the lock to the refusals: ${Math.round(took)} ms, T = 1 s`);
    assert.equal((await call("/mail/send.json", form(user.name, "wr0ngSecret"))).body.code, "unknown");
    await act(locked.user, "unlock");
    await eventually("it works again", async () => (await call("/mail/send.json", form(user.name))).status === 200);
  });

  test("C14: an interface that is taken away is refused within T", async () => {
    const user = await create();
    expect(await call("/mail/send.json", form(user.name)), 200);
    assert.equal(await login(user.name), "OK");
    const smtpOnly = await edit(user, { interfaces: ["smtp"] });
    assert.ok(smtpOnly.bound);
    await eventually("HTTP is refused", async () => {
      return (await call("/mail/send.json", form(user.name))).body?.code === "interface_denied";
    });
    assert.equal(await login(user.name), "OK");
    await edit(smtpOnly.user, { interfaces: [] });
    await endsWithinT(user.name, "interface_denied", "535 5.7.1");
  });

  test("C13: a new secret works at once, and the old one is dead within T", async () => {
    const user = await create();
    expect(await call("/mail/send.json", form(user.name)), 200);
    const changed = await edit(user, { api_key: "an0therSecret" });
    assert.ok(changed.bound);
    expect(await call("/mail/send.json", form(user.name, "an0therSecret")), 200);
    assert.equal(await login(user.name, "an0therSecret"), "OK");
    await endsWithinT(user.name, "unknown", "535 5.7.8");
    // And back again: the edge remembers that the first one is dead.
    await edit(changed.user, { api_key: SECRET });
    expect(await call("/mail/send.json", form(user.name)), 200);
  });

  test("C12: a renamed user keeps the secret under the new name alone", async () => {
    const user = await create();
    const { user: renamed } = await edit(user, { name: `renamed-${user.name}` });
    expect(await call("/mail/send.json", form(renamed.name)), 200);
    await endsWithinT(user.name, "unknown", "535 5.7.8");
  });

  test("C16: a deleted user is unknown within T, and works again once it is restored", async () => {
    const user = await create();
    expect(await call("/mail/send.json", form(user.name)), 200);
    const { user: deleted } = await act(user, "delete", { password: "correct horse battery" });
    await endsWithinT(user.name, "unknown", "535 5.7.8");
    await act(deleted, "restore");
    await eventually("it works again", async () => (await call("/mail/send.json", form(user.name))).status === 200);
  });

  test("C18: networks hold for the mail client's address, and an end for both interfaces", async () => {
    const user = await create({ networks: ["192.0.2.0/24"] });
    assert.equal(await login(user.name, SECRET, { ip: "192.0.2.9" }), "OK");
    assert.equal(await login(user.name, SECRET, { ip: "::ffff:192.0.2.9" }), "OK");
    assert.equal(await login(user.name, SECRET, { ip: "198.51.100.9" }), "535 5.7.1");
    assert.equal(await login(user.name, SECRET, { ip: null }), "454 4.7.0");
    assert.equal((await call("/mail/send.json", form(user.name))).body.code, "network_denied");
    expect(await call("/mail/send.json", form(user.name), { ip: "192.0.2.9" }), 200);
    const ends = await create({ expires: "2s" });
    await eventually("it has expired", async () => (await login(ends.name)) === "535 5.7.8");
    assert.equal((await call("/mail/send.json", form(ends.name))).body.code, "expired");
  });

  test("a mail server needs a verifier's key, and sees the users of its own account", async () => {
    const user = await create();
    const other = await at.secondAccount();
    const foreign = (await other.issue({ permissions: ["claviger:verify"] })).credential;
    const plain = (await at.issue()).credential;
    assert.equal(await login(user.name, SECRET, { key: foreign }), "535 5.7.8");
    for (const key of ["", "clv_x", plain, `${verifier}x`]) {
      assert.equal(await login(user.name, SECRET, { key }), "454 4.7.0", key);
    }
    assert.equal(await login(user.name, SECRET, { method: "cram-md5" }), "454 4.7.0");
    // Its wrong tries take nothing from the clients whose addresses it names.
    for (let number = 0; number < 55; number++) await login(user.name, `wr0ngSecret${number}`, { key: foreign });
    assert.equal(await login(user.name, "wr0ngSecret", { key: foreign }), "454 4.7.0");
    expect(await call("/mail/send.json", form(user.name)), 200);
    assert.equal(await login(user.name), "OK");
  });

  test("odd names and secrets are refused alike", async () => {
    const user = await create();
    for (const [name, secret] of [
      ["nobody@example.com", SECRET],
      [user.name, "wr0ngSecret"],
      [user.name, `${SECRET}\0`],
      [user.name, `${SECRET}\n\n`],
      [user.name, "漢字漢字1a"],
      [user.name, "a1".repeat(15_000)],
      [`${user.name}\0`, SECRET],
      [user.name.replace("a", "\uff41"), SECRET],
      [user.name.replace("@", "\uff20"), SECRET],
      ["", SECRET],
      [user.name, ""],
    ]) {
      const answer = await call("/mail/send.json", form(name, secret));
      assert.equal(answer.status, 401, JSON.stringify([name, secret]).slice(0, 80));
      assert.equal(answer.body.code, "unknown", JSON.stringify([name, secret]).slice(0, 80));
      // Headers of more than a few kilobytes, and those that HTTP cannot carry, never reach the edge.
      const isSendable = secret.length < 1_000 && /^[\x00-\x7f]*$/.test(name + secret);
      if (isSendable) assert.equal(await login(name, secret), "535 5.7.8");
    }
    const large = await call("/mail/send.json", form(user.name, "a1".repeat(500_000)));
    assert.ok(large.status === 401, `${large.status}`);
    for (const body of [`${form(user.name)}&api_key=other123`, `${form(user.name)}&api_user=b%40example.com`]) {
      assert.equal((await call("/mail/send.json", body)).body.code, "ambiguous_credential");
    }
    const beside = { headers: { "x-api-key": (await at.issue()).credential } };
    assert.equal((await call("/mail/send.json", form(user.name), beside)).body.code, "ambiguous_credential");
  });

  test("a user counts only where a rule says so", async () => {
    const user = await create();
    assert.equal((await at.call("/any/x", { headers: { authorization: basic(user.name) } })).body.code, "malformed");
    assert.equal((await call("/any/x", form(user.name))).body.code, "missing");
  });

  test("the edge's question is closed to clients", async () => {
    const user = await create();
    const question = JSON.stringify({ name: user.name, secret: SECRET, address: "192.0.2.1" });
    for (const headers of [
      {},
      { "claviger-ask": "api-user" },
      { "Claviger-Ask": "api-user", "claviger-edge": "1 x" },
    ]) {
      const answer = await at.console("POST", "/.claviger/api-user", { raw: question, headers });
      assert.equal(answer.status, 404, answer.text);
    }
    assert.equal((await at.call("/.claviger/api-user", { method: "POST", body: question })).body.code, "missing");
  });

  test("wrong secrets meet a limit, and the right one still gets in from where it was right before", async () => {
    const user = await create();
    expect(await call("/mail/send.json", form(user.name)), 200);
    const codes = new Map();
    const tries = Array.from({ length: 260 }, (_, number) => async () => {
      const ip = `198.18.${number % 100}.7`;
      const { body } = await call("/mail/send.json", form(user.name, `wr0ngSecret${number}`), { ip });
      codes.set(body.code, (codes.get(body.code) ?? 0) + 1);
    });
    // More at a time would wait for each other's hashes for longer than the edge does.
    while (tries.length > 0) await Promise.all(tries.splice(0, 6).map((one) => one()));
    assert.deepEqual([...codes.keys()].sort(), ["rate_limited", "unknown"]);
    assert.ok(codes.get("unknown") <= 200, `${codes.get("unknown")} were checked`);
    expect(await call("/mail/send.json", form(user.name)), 200);
    assert.equal(await login(user.name), "OK");
    const stranger = await call("/mail/send.json", form(user.name, "wr0ngSecret"), { ip: "198.18.200.1" });
    assert.equal(stranger.status, 429);
    assert.equal(stranger.headers["retry-after"], "60");
    assert.equal(await login(user.name, "wr0ngSecret", { ip: "198.18.200.1" }), "454 4.7.0");
  });

  test("C20: a refusal is in the client's language", async () => {
    const user = await create();
    const titles = [];
    for (const language of ["ja,en;q=0.8", "en,ja;q=0.8"]) {
      const answer = await call("/mail/send.json", form(user.name, "wr0ngSecret"), {
        headers: { "accept-language": language },
      });
      assert.equal(answer.body.code, "unknown");
      titles.push(answer.body.title);
    }
    assert.deepEqual(titles, ["キーが確認できません", "The key is not known"]);
    const warm = await at.call("/any/x", { key: "nonsense", headers: { "accept-language": "ja" } });
    assert.equal(warm.body.title, "認証情報が、このサービスのキーの形式ではありません");
    assert.equal(warm.headers["content-language"], "ja");
  });

  test("no secret is in what the deployment logs, lists or tells", async () => {
    const written = [
      ...at.worker.log(),
      ...at.answers.filter(({ path }) => path.startsWith("/v1/")).map(({ text }) => text),
    ];
    for (const secret of [SECRET, "an0therSecret", "wr0ngSecret"]) {
      assert.ok(!written.some((text) => text.includes(secret)), secret);
    }
  });
});
