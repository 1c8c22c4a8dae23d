// OAuth 2.0 client credentials: who gets tokens, what these may do, and what ends them. Rows S16 and S17.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FOREIGN, changed, key as forgedKey, sealedParts } from "./support/forge.mjs";
import { API, CONSOLE, ORIGIN, begin, eventually, expect } from "./support/journey.mjs";
import { beginLocations, said } from "./support/locations.mjs";
import { FORM, GRANT, METADATA, OAUTH_RULES, ask, basic, post, refused, revoke, token } from "./support/oauth.mjs";

let at;
before(async () => {
  at = await begin({ rules: OAUTH_RULES });
});
after(() => at.dispose());

describe("the token endpoint", () => {
  test("S16 a pair gets a token by Basic and in the body, on an API's host and on the console's", async () => {
    const client = await at.issue();
    const pair = { client_id: client.access_key, client_secret: client.access_secret };
    for (const answer of [
      await ask(at, client),
      await ask(at, client, {}, { path: "/token" }),
      await ask(at, client, {}, { host: CONSOLE }),
      await ask(at, undefined, pair),
    ]) {
      const { body, headers } = expect(answer, 200);
      assert.equal(headers["content-type"], "application/json");
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers.pragma, "no-cache");
      assert.ok(!headers["set-cookie"]);
      assert.deepEqual(Object.keys(body), ["access_token", "token_type", "expires_in", "scope"]);
      assert.equal(body.token_type, "Bearer");
      assert.equal(body.expires_in, 3600);
      assert.equal(body.scope, "demo:read demo:write");
      expect(await at.call("/", { key: body.access_token }), 200);
      const { claims } = sealedParts(body.access_token);
      assert.deepEqual(claims.by, { key: client.key.id });
      assert.equal(claims.tok, true);
    }
    // A path that no rule opens on the console's host is the console's.
    expect(await post(at, "/token", GRANT, { client, host: CONSOLE }), 405, "method_not_allowed");
  });

  test("S16 a scope narrows a token, and a wider one is refused", async () => {
    const client = await at.issue();
    const narrow = await token(at, client, { scope: "demo:read" });
    expect(await at.call("/", { key: narrow }), 200);
    expect(await at.call("/", { key: narrow, method: "POST" }), 403, "permission_denied");
    expect(await at.call("/", { key: await token(at, client), method: "POST" }), 200);
    for (const scope of ["admin:use", "demo:read admin:use", "*:*", "claviger:verify", 'demo:"read"', "demo:read\0"])
      refused(await ask(at, client, { scope }), 400, "invalid_scope");
  });

  test("S16 a token may do no more than its pair now, whatever the issuance limits allow", async () => {
    const issuable = { permissions: ["admin:use"], networks: [], longest: "30d" };
    const client = await at.issue({ issuable, networks: ["203.0.113.0/24"] });
    const text = await token(at, client);
    expect(await at.call("/admin/x", { key: text }), 403, "permission_denied");
    expect(await at.call("/", { key: text, ip: "198.51.100.1" }), 403, "network_denied");
    refused(await ask(at, client, {}, { ip: "198.51.100.1" }), 400, "unauthorized_client");
    expect(await at.call("/", { key: text }), 200);
    await at.change(client.key.id, { permissions: ["demo:write"] });
    expect(await at.call("/", { key: text }), 403, "permission_denied");
    expect(await at.call("/", { key: text, method: "POST" }), 200);
  });

  test("S16 several tokens live side by side, and none outlives its pair", async () => {
    const end = new Date(Date.now() + 90_000).toISOString();
    const client = await at.issue({ expires: end });
    const [one, two] = [await ask(at, client), await ask(at, client)];
    assert.notEqual(one.body.access_token, two.body.access_token);
    for (const { body } of [one, two]) {
      assert.ok(body.expires_in > 60 && body.expires_in <= 90, `${body.expires_in}`);
      expect(await at.call("/", { key: body.access_token }), 200);
    }
  });

  test("S16 a disabled pair's tokens are refused at once, and stay refused when it is enabled again", async () => {
    const client = await at.issue();
    const text = await token(at, client);
    await at.change(client.key.id, "disable");
    expect(await at.call("/", { key: text }), 401, "disabled");
    refused(await ask(at, client), 401, "invalid_client");
    await at.change(client.key.id, "enable");
    expect(await at.call("/", { key: text }), 401, "unknown");
    expect(await at.call("/", { key: await token(at, client) }), 200);
  });

  test("S16 a deleted pair's tokens are refused, and stay refused when it is restored", async () => {
    const client = await at.issue();
    const text = await token(at, client);
    await at.change(client.key.id, "delete");
    expect(await at.call("/", { key: text }), 401, "unknown");
    refused(await ask(at, client), 401, "invalid_client");
    const deleted = expect(await at.console("GET", `/v1/keys/${client.key.id}?deleted=true`), 200).body;
    const headers = { "if-match": `"${deleted.revision}"` };
    expect(await at.console("POST", `/v1/keys/${client.key.id}/restore`, { headers }), 200);
    expect(await at.call("/", { key: text }), 401, "unknown");
  });

  test("S16 without the ledger no token is made, and the answer says when to come back", async () => {
    const client = await at.issue();
    const text = await token(at, client);
    await at.worker.setFaults({ on: "LEDGER.fetch", mode: "fail" });
    for (const answer of [await ask(at, client), await revoke(at, client, text)]) {
      refused(answer, 503, "temporarily_unavailable");
      assert.equal(answer.headers["retry-after"], "2");
    }
    expect(await at.call("/", { key: text }), 200);
    await at.worker.setFaults();
    // An edge whose ledger does not answer leaves it alone for a while.
    await eventually("the edge asks again", async () => (await ask(at, client)).status === 200);
  });

  test("S16 a verifier sees a token as what it is", async () => {
    const client = await at.issue();
    const text = await token(at, client);
    const { credential } = await at.issue({ permissions: ["claviger:verify"] });
    const headers = { "claviger-verifier": credential };
    const asked = { credential: text, permission: "demo:read" };
    const answer = await at.console("POST", "/v1/verify", { body: asked, headers, cookie: null, origin: null });
    assert.equal(expect(answer, 200).body.verdict, "valid", answer.text);
    assert.equal(answer.body.key, sealedParts(text).claims.id);
  });
});

describe("attacks on the token endpoint", () => {
  let client, text;
  const ids = () => ({ client_id: client.access_key, client_secret: client.access_secret });
  before(async () => {
    client = await at.issue();
    text = await token(at, client);
  });

  test("S16 a client authenticates in one way, once, and never in the URL", async () => {
    const bearer = { headers: { authorization: `Bearer ${client.credential}` } };
    const twice = [
      ["content-type", FORM],
      ["authorization", basic(client.access_key, client.access_secret)],
      ["authorization", basic("a", "b")],
    ];
    const query = new URLSearchParams({ ...GRANT, ...ids() });
    for (const path of ["/oauth/token", "/oauth/revoke"]) {
      const fields = { ...GRANT, token: "x" };
      refused(await post(at, path, { ...fields, ...ids() }, { client }), 400, "invalid_request");
      refused(await post(at, path, { ...fields, client_id: "other" }, { client }), 400, "invalid_request");
      refused(await post(at, path, fields, bearer), 401, "invalid_client");
      refused(await post(at, path, { ...fields, ...ids() }, bearer), 401, "invalid_client");
      refused(await post(at, `${path}?${query}`, fields, { client }), 400, "invalid_request");
      refused(await post(at, path, fields), 401, "invalid_client");
      const sent = new URLSearchParams(fields).toString();
      refused(await at.ask(API, path, { method: "POST", headers: twice, body: sent }), 400, "invalid_request");
    }
  });

  test("S16 only a POST of a form is read, and each parameter once", async () => {
    for (const method of ["GET", "PUT", "DELETE"])
      assert.equal(expect(await ask(at, client, {}, { method }), 405).headers.allow, "POST");
    const json = { type: "application/json", body: JSON.stringify({ ...GRANT, ...ids() }) };
    refused(await post(at, "/oauth/token", {}, json), 400, "invalid_request");
    refused(await post(at, "/oauth/token", {}, { client, type: null, body: "a" }), 400, "invalid_request");
    for (const name of ["grant_type", "scope", "client_id", "client_secret"]) {
      const body = `${new URLSearchParams({ ...GRANT, ...ids(), scope: "demo:read" })}&${name}=x`;
      refused(await post(at, "/oauth/token", {}, { body }), 400, "invalid_request");
    }
    refused(await post(at, "/oauth/token", {}, { client }), 400, "invalid_request");
    for (const grant of ["password", "refresh_token", "authorization_code", "client_credentials\0"])
      refused(await post(at, "/oauth/token", { grant_type: grant }, { client }), 400, "unsupported_grant_type");
    // Parameters of extensions are ignored.
    expect(await ask(at, client, { resource: "https://x.example", audience: "y" }), 200);
  });

  test("S16 a body that is too large is refused, whether or not its length is said", async () => {
    const large = `${new URLSearchParams(GRANT)}&x=`.padEnd(64 * 1024 + 1, "x");
    refused(await post(at, "/oauth/token", {}, { client, body: large }), 413, "invalid_request");
    const streamed = (async function* () {
      for (let from = 0; from < large.length; from += 4096) yield large.slice(from, from + 4096);
    })();
    refused(await post(at, "/oauth/token", {}, { client, body: streamed }), 413, "invalid_request");
    expect(await post(at, "/oauth/token", {}, { client, body: large.slice(0, -1) }), 200);
  });

  test("S16 S17 a pair of nobody's, with a wrong secret, or of another deployment gets the same answer", async () => {
    const { access_key: id, access_secret: secret } = client;
    const foreign = forgedKey({ id: client.key.id, master: FOREIGN });
    const deleted = await at.issue();
    await at.change(deleted.key.id, "delete");
    const pairs = [
      ["x", "y"],
      [id, changed(secret, 5)],
      [id, ""],
      ["", secret],
      [`${id}\0`, secret],
      [id, `${secret}\0`],
      [secret, id],
      [foreign.slice(0, id.length), foreign.slice(id.length)],
      [deleted.access_key, deleted.access_secret],
    ];
    const seen = new Set();
    for (const [name, value] of pairs) {
      const answers = [await post(at, "/oauth/token", GRANT, { headers: { authorization: basic(name, value) } })];
      answers.push(await post(at, "/oauth/token", { ...GRANT, client_id: name, client_secret: value }));
      for (const answer of answers) {
        refused(answer, 401, "invalid_client");
        seen.add(`${answer.text} ${answer.headers["www-authenticate"]}`);
      }
    }
    assert.equal(seen.size, 1, [...seen].join("\n"));
  });

  test("S16 percent-escapes in Basic mean what they escape, in either spelling", async () => {
    const escape = (part) => part.replace(/./gs, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
    for (const authorization of [
      basic(escape(client.access_key), escape(client.access_secret)),
      basic(client.access_key, escape(client.access_secret)).replace("Basic", "basic"),
    ])
      expect(await post(at, "/oauth/token", GRANT, { headers: { authorization } }), 200);
  });

  test("S16 a token gets no token, in whatever place it stands", async () => {
    const whole = client.credential;
    for (const authorization of [
      `Bearer ${text}`,
      basic(text, ""),
      basic("", text),
      basic(client.access_key, text),
      basic(text.slice(0, client.access_key.length), text.slice(client.access_key.length)),
      basic(whole, ""),
      basic("", whole),
      basic(client.access_key, whole),
    ])
      refused(await post(at, "/oauth/token", GRANT, { headers: { authorization } }), 401, "invalid_client");
    const fields = { ...GRANT, client_id: client.access_key, client_secret: text };
    refused(await post(at, "/oauth/token", fields), 401, "invalid_client");
    // Nor does it issue, or revoke.
    const headers = { authorization: `Bearer ${text}`, "content-type": FORM };
    expect(await at.ask(CONSOLE, "/issue_service_authorization", { method: "POST", headers, body: "" }), 403);
    refused(await post(at, "/oauth/revoke", { token: text }, { headers }), 401, "invalid_client");
    expect(await at.call("/", { key: text }), 200);
  });

  test("S16 a key that a program issued gets no token", async () => {
    const issuable = { permissions: ["demo:read"], networks: [], longest: "30d" };
    const { credential } = await at.issue({ issuable });
    const headers = { authorization: `Bearer ${credential}`, "content-type": FORM };
    const init = { method: "POST", headers, body: "epi=20d" };
    const stored = expect(await at.ask(CONSOLE, "/issue_service_authorization", init), 200).text;
    assert.match(stored, /^clv_/);
    const issued = { access_key: stored.slice(0, 22), access_secret: stored.slice(22) };
    refused(await ask(at, issued), 400, "unauthorized_client");
  });
});

describe("the revocation endpoint", () => {
  test("S16 a client ends its own token at once, and a repetition changes nothing", async () => {
    const client = await at.issue();
    const [one, two] = [await token(at, client), await token(at, client)];
    expect(await at.call("/", { key: one }), 200);
    for (let time = 0; time < 2; time += 1) {
      const answer = expect(await revoke(at, client, one), 200);
      assert.equal(answer.text, "");
      assert.equal(answer.headers["cache-control"], "no-store");
      expect(await at.call("/", { key: one }), 401, "unknown");
    }
    expect(await at.call("/", { key: two }), 200);
  });

  test("S16 S17 what is not the client's own token stays, and the answer is the same", async () => {
    const [client, sibling] = [await at.issue(), await at.issue()];
    const other = await at.secondAccount();
    const stranger = await other.issue();
    const theirs = await token(at, sibling);
    const foreign = await token(at, stranger);
    for (const text of [theirs, foreign, client.credential, "x", changed(theirs, 30), "\0"]) {
      const answer = expect(await revoke(at, client, text), 200);
      assert.equal(answer.text, "");
    }
    refused(await revoke(at, client, ""), 400, "invalid_request");
    for (const key of [theirs, foreign, client.credential]) expect(await at.call("/", { key }), 200);
    // Each account's own pair, and a hint of any sort.
    const hinted = { token: foreign, token_type_hint: "refresh_token" };
    expect(await post(at, "/oauth/revoke", hinted, { client: stranger }), 200);
    expect(await at.call("/", { key: foreign }), 401, "unknown");
    expect(await at.call("/", { key: theirs }), 200);
  });

  test("S16 parallel revocations all hold, and each token is recorded once", async () => {
    const client = await at.issue();
    const texts = await Promise.all(Array.from({ length: 12 }, () => token(at, client)));
    const kept = await token(at, client);
    const answers = await Promise.all([...texts, ...texts].map((text) => revoke(at, client, text)));
    for (const answer of answers) expect(answer, 200);
    for (const key of texts) expect(await at.call("/", { key }), 401, "unknown");
    expect(await at.call("/", { key: kept }), 200);
    const query = `action=sealed_key_revoked&member=${client.key.id}`;
    const entries = expect(await at.console("GET", `/v1/activity?${query}`), 200).body.entries;
    assert.equal(entries.length, texts.length);
  });

  test("S16 a member revokes a token as any short-lived key", async () => {
    const client = await at.issue();
    const text = await token(at, client);
    expect(await at.console("POST", "/v1/sealed-keys/revoke", { body: { credential: text } }), 200);
    expect(await at.call("/", { key: text }), 401, "unknown");
  });
});

describe("the metadata", () => {
  test("S16 each host names its own endpoints", async () => {
    for (const [host, issuer] of [
      [API, `http://${API}`],
      [CONSOLE, `http://${CONSOLE}`],
    ]) {
      const { body } = expect(await at.ask(host, METADATA, {}), 200);
      assert.equal(body.issuer, issuer);
      assert.equal(body.token_endpoint, `${issuer}/oauth/token`);
      assert.equal(body.revocation_endpoint, `${issuer}/oauth/revoke`);
      assert.equal(body.introspection_endpoint, `${ORIGIN}/v1/introspect`);
      const ways = ["client_secret_basic", "client_secret_post", "Bearer"];
      assert.deepEqual(body.introspection_endpoint_auth_methods_supported, ways);
      assert.deepEqual(body.grant_types_supported, ["client_credentials"]);
      assert.equal(expect(await at.ask(host, METADATA, { method: "POST" }), 405).headers.allow, "GET, HEAD");
    }
  });
});

describe("tokens in several places", () => {
  test("S16 a token works everywhere at once, and one that ended works nowhere", { timeout: 60_000 }, async (t) => {
    const places = await beginLocations(["a", "b", "c"], { vars: { RULES: OAUTH_RULES } });
    t.after(() => places.dispose());
    const client = await places.a.issue();
    const verdict = async (place, key) => said(await place.call("/", { key }));
    const everywhere = (key) => Promise.all(places.all.map((place) => verdict(place, key)));
    const before = await Promise.all(places.all.map((place) => token(place, client)));
    for (const one of before) assert.deepEqual(await everywhere(one), ["200", "200", "200"]);
    await places.a.change(client.key.id, "disable");
    refused(await ask(places.b, client), 401, "invalid_client");
    await places.a.change(client.key.id, "enable");
    for (const place of places.all)
      assert.deepEqual(await everywhere(await token(place, client)), ["200", "200", "200"]);
    for (const one of before) assert.deepEqual(await everywhere(one), ["401 unknown", "401 unknown", "401 unknown"]);
  });
});
