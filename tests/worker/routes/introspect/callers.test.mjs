// Token introspection: who may ask, and in which form.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FOREIGN, changed, key as forgedKey } from "../../support/forge.mjs";
import { API, CALLER, CONSOLE, begin, eventually, expect } from "../../support/journey.mjs";
import { FORM, INTROSPECT, OAUTH_RULES, basic, introspect, post, refused, token } from "../../support/oauth.mjs";

const MEBIBYTE = 1024 * 1024;

let at, verifier, plain;
before(async () => {
  at = await begin({ rules: OAUTH_RULES });
  verifier = await at.issue({ permissions: ["claviger:verify"] });
  plain = await at.issue();
  for (const { key } of [verifier, plain]) await eventually("it is published", () => at.published(key.id));
});
after(() => at.dispose());

/** Each way in which a key may come: the headers, and the fields of the body. */
const waysOf = ({ access_key: id, access_secret: secret, credential }) => ({
  basic: [{ authorization: basic(id, secret) }, {}],
  body: [{}, { client_id: id, client_secret: secret }],
  bearer: [{ authorization: `Bearer ${credential}` }, {}],
  header: [{ "claviger-verifier": credential }, {}],
});

const ask = ([headers, fields], more = {}, options = {}) =>
  introspect(at, undefined, plain.credential, { ...fields, ...more }, { headers, ...options });

describe("a verifier", () => {
  test("comes in one of four ways", async () => {
    for (const [name, way] of Object.entries(waysOf(verifier))) {
      assert.equal(expect(await ask(way), 200).body.active, true, name);
      // It may name itself beside its key.
      const { body } = expect(await ask(way, { client_id: verifier.access_key }), 200);
      assert.equal(body.active, true, name);
    }
    const escape = (part) => part.replace(/./gs, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
    const escaped = basic(escape(verifier.access_key), escape(verifier.access_secret));
    expect(await ask([{ authorization: escaped }, {}]), 200);
  });

  test("comes in one way at a time, and each of them once", async () => {
    const ways = Object.entries(waysOf(verifier));
    for (const [name, [headers, fields]] of ways)
      for (const [other, [others, otherFields]] of ways) {
        const pairs = [...Object.entries(headers), ...Object.entries(others)];
        const sent = [["content-type", FORM], ["cf-connecting-ip", CALLER], ...pairs];
        const twice = name === "body" && other === "body" ? `client_secret=${verifier.access_secret}&` : "";
        const form = new URLSearchParams({ token: plain.credential, ...fields, ...otherFields });
        const init = { method: "POST", headers: sent, body: `${twice}${form}` };
        refused(await at.ask(CONSOLE, INTROSPECT, init), 400, "invalid_request");
      }
    for (const [, way] of ways)
      refused(
        await ask(way, { client_id: plain.access_key }),
        way[1].client_id ? 401 : 400,
        way[1].client_id ? "invalid_client" : "invalid_request",
      );
  });

  test("never asks about its own key, and the key of a token is no way to ask about that token", async () => {
    const text = await token(at, plain);
    for (const asks of [verifier, plain]) {
      for (const way of Object.values(waysOf(asks)))
        refused(await ask(way, { token: asks.credential }), 400, "invalid_request");
    }
    const bearer = [{ authorization: `Bearer ${text}` }, {}];
    refused(await ask(bearer, { token: text }), 400, "invalid_request");
    refused(await ask([{ "claviger-verifier": text }, {}], { token: text }), 400, "invalid_request");
    // Whoever knows its access key, which is no secret, can write a text that names it.
    for (const forged of [`${verifier.access_key}${"0".repeat(60)}`, `${verifier.credential.slice(0, -1)}0`]) {
      const { body } = expect(await ask(waysOf(verifier).basic, { token: forged }), 200);
      assert.deepEqual(body, { active: false }, forged);
    }
    // A token of the verifier's own key is another credential.
    const own = await token(at, verifier);
    const { body } = expect(await ask(waysOf(verifier).basic, { token: own }), 200);
    assert.deepEqual([body.active, body.scope, body.client_id], [true, undefined, verifier.access_key]);
  });

  test("is a key with the permission: others are forbidden, and told which one they lack", async () => {
    for (const way of Object.values(waysOf(plain))) {
      const answer = await ask(way, { token: verifier.credential });
      refused(answer, 403, "insufficient_scope");
      const challenge = 'Bearer realm="localhost", error="insufficient_scope", scope="claviger:verify"';
      assert.equal(answer.headers["www-authenticate"], challenge);
    }
    // No token has it, not even a verifier's.
    const text = await token(at, verifier);
    refused(await ask([{ authorization: `Bearer ${text}` }, {}]), 403, "insufficient_scope");
    const narrow = await at.issue({ permissions: ["claviger:verify"], networks: ["198.51.100.0/24"] });
    for (const way of Object.values(waysOf(narrow))) {
      refused(await ask(way), 403, "insufficient_scope");
      expect(await ask(way, {}, { ip: "198.51.100.1" }), 200);
    }
  });

  test("that is disabled is told so, whichever way it comes", async () => {
    const ended = await at.issue({ permissions: ["claviger:verify"] });
    await at.change(ended.key.id, "disable");
    for (const way of Object.values(waysOf(ended))) {
      const answer = await ask(way);
      refused(answer, 401, "invalid_client");
      assert.match(answer.body.error_description, /disabled/);
    }
  });

  test("that proves no possession gets one answer, and causes no lookup", async () => {
    const { access_key: id, access_secret: secret, credential } = verifier;
    const deleted = await at.issue({ permissions: ["claviger:verify"] });
    await at.change(deleted.key.id, "delete");
    const foreign = forgedKey({ id: verifier.key.id, master: FOREIGN });
    const wrong = changed(secret, 5);
    await ask(waysOf(verifier).basic);
    await ask(waysOf(deleted).basic);
    await at.worker.resetCounters();
    const seen = new Set();
    for (const way of [
      [{}, {}],
      [{ cookie: at.cookie }, {}],
      [{ authorization: "" }, {}],
      [{ authorization: "Bearer" }, {}],
      [{ authorization: credential }, {}],
      [{ authorization: `Digest ${credential}` }, {}],
      [{ authorization: basic(credential, "") }, {}],
      [{ authorization: basic("", credential) }, {}],
      [{ authorization: basic(id, credential) }, {}],
      [{ authorization: basic(`${id}\0`, secret) }, {}],
      [{ authorization: basic(secret, id) }, {}],
      [{ "x-api-key": credential }, {}],
      [{ "claviger-verifier": "" }, {}],
      [{}, { client_id: id }],
      [{}, { client_secret: secret }],
      [{}, { client_id: credential, client_secret: "x" }],
      [{}, { client_id: "", client_secret: "" }],
      ...Object.values(waysOf(deleted)),
      ...Object.values(waysOf({ access_key: id, access_secret: wrong, credential: id + wrong })),
      ...Object.values(waysOf({ access_key: id, access_secret: foreign.slice(22), credential: foreign })),
      ...Object.values(waysOf({ access_key: "x", access_secret: "y", credential: "xy" })),
    ]) {
      const answer = await ask(way);
      refused(answer, 401, "invalid_client");
      seen.add(`${answer.text} ${answer.headers["www-authenticate"]}`);
    }
    assert.equal(seen.size, 1, [...seen].join("\n"));
    assert.match([...seen][0], /Basic realm="localhost", charset="UTF-8", Bearer realm="localhost"$/);
    assert.deepEqual(await at.worker.counters(), {});
  });
});

describe("the form", () => {
  const asks = (fields, options = {}) => post(at, INTROSPECT, fields, { client: verifier, host: CONSOLE, ...options });
  const good = () => ({ token: plain.credential });

  test("comes by POST, as a form, and never in the URL", async () => {
    for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await asks(good(), { method, ...(method === "HEAD" && { body: null }) });
      assert.equal(expect(answer, 405).headers.allow, "POST", method);
    }
    const json = { type: "application/json", body: JSON.stringify(good()) };
    refused(await asks({}, json), 400, "invalid_request");
    refused(await asks(good(), { type: "multipart/form-data; boundary=x" }), 400, "invalid_request");
    refused(await asks(good(), { type: null, body: Buffer.from("token=x") }), 400, "invalid_request");
    expect(await asks(good(), { type: `${FORM}; charset=utf-8` }), 200);
    const query = new URLSearchParams(good());
    for (const fields of [good(), {}]) {
      const sent = post(at, `${INTROSPECT}?${query}`, fields, { client: verifier, host: CONSOLE });
      refused(await sent, 400, "invalid_request");
    }
    const pair = new URLSearchParams({ client_id: verifier.access_key, client_secret: verifier.access_secret });
    refused(await post(at, `${INTROSPECT}?${pair}`, good(), { host: CONSOLE }), 400, "invalid_request");
    // Neither another spelling of the path nor an API's host has it.
    expect(await post(at, `${INTROSPECT}/`, good(), { client: verifier, host: CONSOLE }), 404, "not_found");
    expect(await post(at, INTROSPECT, good(), { client: verifier, host: API }), 403, "permission_denied");
  });

  test("has one token, and each parameter once", async () => {
    for (const fields of [{}, { token: "" }, { token_type_hint: "access_token" }])
      refused(await asks(fields), 400, "invalid_request");
    const all = { ...good(), address: CALLER, interface: "http", permission: "demo:read" };
    for (const name of Object.keys(all)) {
      for (const value of [all[name], "", "x"]) {
        const body = `${new URLSearchParams(all)}&${name}=${value}`;
        refused(await asks({}, { body }), 400, "invalid_request");
      }
    }
    const hints = `${new URLSearchParams(all)}&token_type_hint=a&token_type_hint=b`;
    assert.equal(expect(await asks({}, { body: hints }), 200).body.active, true);
  });

  test("names the condition that is malformed, and looks up nothing for it", async () => {
    await asks(good());
    await at.worker.resetCounters();
    for (const [name, values] of Object.entries({
      address: ["", "\0", "localhost", "10.0.0.0/8", `${CALLER}, ${CALLER}`, `${CALLER}:443`],
      interface: ["", "\0", "HTTP", "imap", "http smtp"],
      permission: ["", "\0", "demo", "demo:read admin:use", 'demo:"read"'],
    }))
      for (const value of values) {
        const answer = await asks({ ...good(), [name]: value });
        refused(answer, 400, "invalid_request");
        assert.ok(answer.body.error_description.startsWith(`${name} must be `), answer.text);
      }
    assert.deepEqual(await at.worker.counters(), {});
  });

  test("is read up to 64 KiB, whether or not its length is said", async () => {
    const most = 64 * 1024;
    const form = (size) => `${new URLSearchParams(good())}&x=`.padEnd(size, "x");
    const pieces = async function* (text) {
      for (let from = 0; from < text.length; from += 4096) yield text.slice(from, from + 4096);
    };
    for (const body of [form(most + 1), form(MEBIBYTE), pieces(form(most + 1))])
      refused(await asks({}, { body }), 413, "invalid_request");
    for (const body of [form(most), pieces(form(most))])
      assert.equal(expect(await asks({}, { body }), 200).body.active, true);
    // Bytes that are no text are no key, and an empty body is an empty form.
    const bytes = Buffer.from([...Buffer.from("token="), 0xff, 0xfe, 0x00]);
    assert.equal(expect(await asks({}, { body: bytes }), 200).text, '{"active":false}');
    refused(await asks({}, { body: "" }), 400, "invalid_request");
  });
});
