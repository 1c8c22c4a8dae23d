// Every route of the console's host, against everything that may be wrong with a request to it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { FOREIGN, changed, key as forgedKey, random, sealedId, token } from "../../support/forge.mjs";
import { API, CALLER, CONSOLE, OFFICE, ORIGIN, OWNER, RULES, begin, expect, setupToken } from "../../support/journey.mjs";

/** The issuance API, which words its failures itself. */
const ISSUANCE = "/issue_service_authorization";
/** A path whose key may stand in a body. */
const FIELDS = { host: API, path: "/fields/*", origin: "DEMO", any_key: true, credentials: ["authorization", "form:u", "json:u"] };

let at;
let issued;
let verifier;
before(async () => {
  at = await begin({ rules: [FIELDS, { host: API, path: ISSUANCE, serves: "issuance" }, ...RULES] });
  issued = await at.issue();
  verifier = (await at.issue({ permissions: ["claviger:verify"] })).credential;
});
after(() => at.dispose());
// Whatever a test asked for: these hold of every answer.
after(() => {
  assert.ok(at.answers.length > 200);
  for (const { method, path, status, headers, body } of at.answers) {
    const what = `${method} ${path} ▸ ${status}`;
    assert.ok(status < 500, what);
    if (path.startsWith(ISSUANCE) || (!path.startsWith("/v1/") && status !== 405)) continue;
    assert.equal(headers["cache-control"], "no-store", what);
    if (status >= 400 && method !== "HEAD") {
      assert.equal(headers["content-type"], "application/problem+json", what);
      assert.equal(body.status, status, what);
      assert.match(body.code, /^[a-z_]+$/, what);
      assert.equal(body.type, `${ORIGIN}/problems#${body.code}`, what);
      assert.ok(body.title, what);
    }
  }
});

const id = () => issued.key.id;
const accounts = () => "/v1/operator/accounts";
const own = (step = "") => `${accounts()}/${at.session.account.id}${step}`;
const idempotency = () => ({ "idempotency-key": randomUUID() });
const ifMatch = async () => ({ "if-match": `"${(await at.show(id())).revision}"` });
const draft = { name: "a key", expires: "never", networks: [], permissions: [] };
const setup = () => ({ token: setupToken(), account_name: "A", time_zone: "UTC", language: "en", ...OWNER });

/**
 * The table. `session`: it wants one. `changes`: only the console's own page may ask. `body`: a good one, with a member of the
 * wrong type in `wrong`. `good`: what a good request gets.
 */
const ROUTES = [
  { method: "POST", path: () => "/v1/setup", changes: true, body: setup, wrong: { language: 7 }, good: [409, "setup_done"] },
  { method: "GET", path: () => "/v1/session", session: true, good: [200] },
  { method: "POST", path: () => "/v1/session", changes: true, body: () => ({ email: OWNER.email, password: OWNER.password }), wrong: { password: 7 }, good: [201] },
  { method: "POST", path: () => "/v1/session/step-up", session: true, changes: true, body: () => ({ password: OWNER.password }), wrong: { password: [] }, good: [200] },
  { method: "GET", path: () => "/v1/keys", session: true, good: [200] },
  { method: "POST", path: () => "/v1/keys", session: true, changes: true, headers: idempotency, body: () => draft, wrong: { permissions: "demo:read" }, good: [201] },
  { method: "POST", path: () => "/v1/keys/check", session: true, changes: true, body: () => draft, wrong: { expires: 90 }, good: [200] },
  { method: "GET", path: () => `/v1/keys/${id()}`, session: true, good: [200] },
  { method: "PATCH", path: () => `/v1/keys/${id()}`, session: true, changes: true, headers: ifMatch, body: () => ({ name: "changed" }), wrong: { networks: 7 }, good: [200] },
  { method: "POST", path: () => `/v1/keys/${id()}/disable`, session: true, changes: true, headers: ifMatch, good: [200] },
  { method: "POST", path: () => `/v1/keys/${id()}/enable`, session: true, changes: true, headers: ifMatch, good: [200] },
  { method: "POST", path: () => `/v1/keys/${id()}/reveal`, session: true, changes: true, good: [409, "not_viewable"] },
  { method: "POST", path: () => `/v1/keys/${id()}/restore`, session: true, changes: true, headers: ifMatch, good: [409, "not_deleted"] },
  { method: "POST", path: () => "/v1/deletions", session: true, changes: true, body: () => ({ keys: [id()] }), wrong: { keys: [7] }, good: [201] },
  { method: "GET", path: () => "/v1/deletions/0123456789", session: true, good: [404, "not_found"] },
  { method: "POST", path: () => "/v1/deletions/0123456789/code", session: true, changes: true, good: [404, "not_found"] },
  { method: "POST", path: () => "/v1/deletions/0123456789/confirm", session: true, changes: true, body: () => ({ code: "000000" }), wrong: { code: 0 }, good: [404, "not_found"] },
  { method: "GET", path: () => "/v1/account/service", session: true, good: [200] },
  { method: "PATCH", path: () => "/v1/account/service", session: true, changes: true, headers: () => ({ "if-match": '"0"' }), body: () => ({ longest: "never" }), wrong: { longest: 7 }, good: [200] },
  { method: "POST", path: () => "/v1/account/service/reveal", session: true, changes: true, good: [200] },
  { method: "POST", path: () => "/v1/account/service/password", session: true, changes: true, headers: () => ({ "if-match": '"99"' }), good: [412, "changed_meanwhile"] },
  { method: "POST", path: () => "/v1/sealed-keys/revoke", session: true, changes: true, body: (account = at.session.account.id) => ({ id: sealedId({ account }), issuer: "service" }), wrong: { id: 7 }, good: [200] },
  { method: "GET", path: () => "/v1/activity", session: true, good: [200] },
  { method: "GET", path: () => "/v1/activity/export?format=jsonl", session: true, good: [200] },
  { method: "GET", path: () => "/v1/counters", session: true, good: [200] },
  { method: "GET", path: () => accounts(), session: true, good: [200] },
  { method: "POST", path: () => accounts(), session: true, changes: true, headers: idempotency, good: [201] },
  { method: "GET", path: () => own(), session: true, good: [200] },
  { method: "PATCH", path: () => own(), session: true, changes: true, body: () => ({ freshness_s: 10 }), wrong: { suspended: 1 }, good: [200] },
  { method: "POST", path: () => own("/rebuild"), session: true, changes: true, good: [200] },
  { method: "POST", path: () => own("/restore/begin"), session: true, changes: true, good: [200] },
  { method: "POST", path: () => own("/restore/finish"), session: true, changes: true, good: [200] },
  { method: "DELETE", path: () => "/v1/session", changes: true, good: [204] },
  { method: "POST", path: () => "/v1/verify", headers: () => ({ "claviger-verifier": verifier }), body: () => ({ credential: issued.credential }), wrong: { address: 7 }, good: [200] },
];

async function send(route, { headers, ...over } = {}) {
  const body = over.raw === undefined ? route.body?.() : undefined;
  return at.console(route.method, route.path(), { body, ...over, headers: { ...(await route.headers?.()), ...headers } });
}

/** A body that is refused before it has ended. */
function unfinished(beginning) {
  const { promise, resolve: end } = Promise.withResolvers();
  const body = (async function* () {
    yield beginning;
    await promise;
  })();
  return { body, end };
}

const describeRoutes = (chosen, rows, options = {}) => {
  for (const route of ROUTES.filter(chosen)) {
    const name = `${route.method} ${route.path.toString().replace(/^\(\) => /, "").replaceAll(/["`]/g, "").replace("${id()}", "{id}")}`;
    test(name, options, () => rows(route));
  }
};

describe("without a session, or with none of ours", () => {
  const session = () => at.cookie.split("=")[1];
  const cookies = {
    "no cookie": () => null,
    "an empty one": () => "__Host-claviger=",
    "a forged one": () => `__Host-claviger=${changed(session(), 30)}`,
    "one of another deployment": () => `__Host-claviger=${token("S", { account: at.session.account.id, master: FOREIGN })}`,
    "ours, for another account": () => `__Host-claviger=S${"a1B2c3D4"}${session().slice(9)}`,
    "a set-up token": () => `__Host-claviger=${setupToken()}`,
    "ours twice": () => `${at.cookie}; ${at.cookie}`,
    "ours under another name": () => `claviger=${session()}`,
  };
  describeRoutes(
    ({ session }) => session,
    async (route) => {
      for (const [what, cookie] of Object.entries(cookies)) {
        const headers = await route.headers?.();
        await at.worker.resetCounters();
        const answer = await at.console(route.method, route.path(), { body: route.body?.(), headers, cookie: cookie() });
        assert.deepEqual([answer.status, answer.body.code], [401, "not_signed_in"], what);
        assert.deepEqual(await at.worker.counters(), {}, what);
      }
    },
  );

  test("a session that Claviger could have made, of an account that never was, is none either", async () => {
    for (const route of ROUTES.filter(({ session }) => session)) {
      const account = random(8);
      const cookie = `__Host-claviger=${token("S", { account })}`;
      expect(await send(route, { cookie, body: route.body?.(account), headers: { "if-match": '"1"' } }), 401, "not_signed_in");
    }
  });

  test("a key of an account that is not one's own is not there", async () => {
    const foreign = `/v1/keys/a1B2c3D4${id().slice(8)}`;
    for (const [method, path, body] of [["GET", foreign], ["PATCH", foreign, {}], ["POST", `${foreign}/disable`], ["POST", `${foreign}/enable`]]) {
      expect(await at.console(method, path, { body, headers: { "if-match": '"1"' } }), 404, "not_found");
    }
  });

  test("a session that was signed out is over", async () => {
    const before = at.cookie;
    await at.signIn();
    const signedOut = expect(await at.console("DELETE", "/v1/session"), 204);
    assert.match(signedOut.headers["set-cookie"][0], /^__Host-claviger=; .*Max-Age=0/);
    for (const route of ROUTES.filter(({ session }) => session)) {
      const headers = { "if-match": '"1"', ...idempotency() };
      expect(await at.console(route.method, route.path(), { body: route.body?.(), headers }), 401, "not_signed_in");
    }
    at.cookie = before;
    expect(await at.console("GET", "/v1/session"), 200);
  });
});

describe("from another site", () => {
  const origins = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: `${ORIGIN}.evil.example` },
    { origin: `http://${API}` },
    { origin: "https://evil.example", headers: { "sec-fetch-site": "same-origin" } },
    { origin: null },
    { origin: null, headers: { "sec-fetch-site": "cross-site" } },
    { origin: null, headers: { "sec-fetch-site": "same-site" } },
    { origin: null, headers: { "sec-fetch-site": "none" } },
  ];
  describeRoutes(
    ({ changes }) => changes,
    async (route) => {
      const headers = await route.headers?.();
      await at.worker.resetCounters();
      for (const over of origins) {
        const answer = await at.console(route.method, route.path(), { body: route.body?.(), ...over, headers: { ...headers, ...over.headers } });
        expect(answer, 403, "cross_site");
      }
      assert.deepEqual(await at.worker.counters(), {});
    },
  );
});

describe("with a body that is none", () => {
  const members = ({ body }) => JSON.stringify(body());
  describeRoutes(
    ({ body }) => body,
    async (route) => {
      for (const type of [null, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"]) {
        expect(await send(route, { type }), 415, "unsupported_media_type");
      }
      const bodies = ["", "{", '"text"', "null", "7", `${members(route)} x`, members(route).replace("{", '{"surplus":1,'), "\u0000", `{"a":${"[".repeat(10_000)}`];
      bodies.push(JSON.stringify({ ...route.body(), ...route.wrong }));
      for (const raw of bodies) expect(await send(route, { raw }), 400, "malformed_body");
      expect(await send(route, { raw: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]) }), 400, "malformed_body");

      const max = maxOf(route);
      // Announced; and in chunks, without a length that says so beforehand.
      for (const headers of [{ "content-length": `${1 << 20}` }, {}]) {
        const { body, end } = unfinished(Buffer.alloc(headers["content-length"] ? 1 : max + 1, " "));
        assert.equal(expect(await send(route, { raw: body, headers }), 413, "body_too_large").body.max, max);
        end();
      }
      // The limit itself is no excess.
      expect(await send(route, { raw: Buffer.alloc(max, " ") }), 400, "malformed_body");
    },
  );
});

/** The largest body of a route: pasted networks have more room. */
const maxOf = (route) => (/^\/v1\/(keys|account\/service)/.test(route.path()) ? 589_824 : 65_536);

const MEBIBYTE = 1 << 20;

describe("with a body that is out to hurt", () => {
  /** JSON of `value` for each member of the body in turn, as it is written in `json`. */
  const eachMember = (route, json) => {
    const members = Object.entries(route.body()).map(([name, value]) => [JSON.stringify(name), JSON.stringify(value)]);
    return members.map((_, hurt) => `{${members.map(([name, value], n) => `${name}:${n === hurt ? json : value}`).join()}}`);
  };
  const refused = (answer, ...statuses) => assert.ok(statuses.includes(answer.status), `${answer.method} ${answer.path} ▸ ${answer.status} ${answer.text.slice(0, 300)}`);

  describeRoutes(
    ({ body }) => body,
    async (route) => {
      const max = maxOf(route);
      // Whole, and so large that a reader who takes all of it pays for it.
      for (const length of [MEBIBYTE, max + 1]) {
        assert.equal(expect(await send(route, { raw: Buffer.alloc(length, "[") }), 413, "body_too_large").body.max, max);
      }
      const depth = Math.min(100_000, Math.floor((max - 2_000) / 2));
      for (const [open, close, times] of [["[", "]", depth], ['{"a":', "}", Math.floor(depth / 3)]]) {
        for (const raw of eachMember(route, `${open.repeat(times)}0${close.repeat(times)}`)) expect(await send(route, { raw }), 400, "malformed_body");
        expect(await send(route, { raw: open.repeat(times) }), 400, "malformed_body");
      }
      const written = JSON.stringify(route.body()).slice(1, -1);
      expect(await send(route, { raw: `{${written},${written}}` }), 400, "malformed_body");
      for (const number of ["9223372036854775808", "-9223372036854775809", "1e400", "-1e400", "1e999999999", "9".repeat(1_000), "0.1", "-0"]) {
        for (const raw of eachMember(route, number)) expect(await send(route, { raw }), 400, "malformed_body");
      }
      for (const text of ['"\\ud800"', '"\u0001"', '"\\x41"', "NaN", "'a'", "\ufeff0"]) {
        for (const raw of eachMember(route, text)) expect(await send(route, { raw }), 400, "malformed_body");
      }
      // Texts, but none that anything may be called: refused by whoever the field belongs to, or
      // known to nobody.
      for (const text of ["\u0000", "a\u0000b", "\u202etxt.exe", "\u2066\u2069", "\ufeff", "\u{e0001}", "a\nb", "x".repeat(60_000)]) {
        for (const raw of eachMember(route, JSON.stringify(text))) refused(await send(route, { raw, ip: "192.0.2.77" }), 400, 401, 404, 409, 422, 429, ...(route.path().endsWith("/check") || route.path() === "/v1/verify" ? [200] : []));
      }
      expect(await send(route, { raw: Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`{${written}}`, "utf16le")]) }), 400, "malformed_body");
    },
  );
});

describe("with headers that are out to hurt", () => {
  const auth = { "cf-connecting-ip": CALLER };
  const large = {
    "one of 100 KB": [["x-large", "a".repeat(100_000)]],
    "10,000 of them": Array.from({ length: 10_000 }, (_, n) => [`x-${n}`, "a"]),
    "one 10,000 times": Array.from({ length: 10_000 }, () => ["x-same", "a"]),
    "a credential of 100 KB": [["authorization", `Bearer clv_${"a".repeat(100_000)}`]],
    "a sealed credential of 100 KB": [["authorization", `Bearer clvs_${"a".repeat(100_000)}`]],
    "10,000 credentials": [["authorization", Array.from({ length: 10_000 }, () => "Bearer clv_a").join(", ")]],
    "a cookie of 10,000": [["cookie", Array.from({ length: 10_000 }, (_, n) => `c${n}=1`).join("; ")]],
    "10,000 of our cookies": [["cookie", Array.from({ length: 10_000 }, () => "__Host-claviger=S").join("; ")]],
    "a verifier of 100 KB": [["claviger-verifier", "a".repeat(100_000)]],
    "bytes that are no text": [["x-large", "\u00ff\u0080"], ["authorization", "Bearer \u00ff"], ["cookie", "__Host-claviger=\u00ff"]],
  };
  for (const [what, headers] of Object.entries(large)) {
    test(what, async () => {
      for (const [host, path, method] of [
        [API, "/", "GET"],
        [API, "/fields/a", "POST"],
        [API, ISSUANCE, "POST"],
        [CONSOLE, "/v1/session", "GET"],
        [CONSOLE, "/v1/verify", "POST"],
        [CONSOLE, "/v1/session", "POST"],
      ]) {
        const sent = [...Object.entries({ ...auth, ...(path === ISSUANCE && { "content-type": "application/x-www-form-urlencoded" }) }), ...headers];
        const answer = await at.ask(host, path, { method, headers: sent, body: method === "POST" ? "" : undefined });
        assert.ok([400, 401, 403, 415].includes(answer.status), `${host}${path} ▸ ${answer.status} ${answer.text.slice(0, 300)}`);
        assert.match(answer.headers["content-type"], path === ISSUANCE ? /^text\/plain/ : /^application\/problem\+json/);
      }
    });
  }
});

describe("the issuance API with a body that is out to hurt", () => {
  let service;
  before(async () => {
    const { service_id: sid, service_password: spw } = expect(await at.console("POST", "/v1/account/service/reveal"), 200).body;
    service = `sid=${sid}&spw=${spw}`;
  });
  const ask = (body, host = API) =>
    at.ask(host, ISSUANCE, { method: "POST", headers: { "cf-connecting-ip": OFFICE, "content-type": "application/x-www-form-urlencoded" }, body });
  const rows = {
    "of 1 MiB": () => [Buffer.alloc(MEBIBYTE, "a"), 413, "body_too_large"],
    "of a byte more than it takes": () => [Buffer.alloc(65_537, "&"), 413, "body_too_large"],
    "of nothing but ampersands": () => [Buffer.alloc(65_536, "&"), 401, "missing"],
    "of 10,000 fields": () => [Array.from({ length: 10_000 }, (_, n) => `a${n}`).join("&"), 400, "unknown_field"],
    "of one field, 10,000 times": () => [Array.from({ length: 10_000 }, () => "epi=").join("&"), 400, "repeated_field"],
    "of percent signs": () => [`${service}&epi=${"%".repeat(60_000)}`, 400, "invalid_epi"],
    "that is no UTF-8": () => [Buffer.concat([Buffer.from(`${service}&epi=`), Buffer.from([0xff, 0xfe, 0x00])]), 400, "invalid_epi"],
    "with NUL in a field": () => [`${service}&ipa=10.0.0.1%00`, 400, "invalid_ipa"],
    "with text that turns its direction": () => [`${service}&ipa=%E2%80%AE10.0.0.1`, 400, "invalid_ipa"],
    "with a number beyond 64 bits": () => [`${service}&epi=9223372036854775808`, 400, "invalid_epi"],
    "with a number beyond 64 bits of days": () => [`${service}&epi=9223372036854775807d`, 400, "invalid_epi"],
    "with a year beyond all": () => [`${service}&epi=99999/01/01`, 400, "invalid_epi"],
    "with an end of 60,000 characters": () => [`${service}&epi=${"1".repeat(60_000)}`, 400, "invalid_epi"],
    "with an ID of 60,000 characters": () => [`sid=${"a".repeat(60_000)}&spw=a`, 401, "unknown"],
    "with a password of 60,000 characters": () => [`${service}${"a".repeat(60_000)}`, 401, "unknown"],
    "of JSON": () => ["[".repeat(60_000), 400, "unknown_field"],
  };
  for (const [what, row] of Object.entries(rows)) {
    test(what, async () => {
      for (const host of [API, CONSOLE]) {
        const [body, status, code] = row();
        const answer = expect(await ask(body, host), status);
        assert.ok(answer.text.startsWith(`${code}: `), answer.text);
        assert.ok(answer.text.length < 500, answer.text);
        assert.doesNotMatch(answer.text, /[\p{Cc}\p{Bidi_Control}]/u);
      }
    });
  }
});

describe("a rule that looks for keys in bodies, with one that is out to hurt", () => {
  const FORM = "application/x-www-form-urlencoded";
  const JSON_TYPE = "application/json";
  const PARTS = "multipart/form-data; boundary=x";
  const deep = (open, close, times) => `{"a":${open.repeat(times)}0${close.repeat(times)},"u":"KEY"}`;
  const rows = {
    "1 MiB of a form": [FORM, () => Buffer.alloc(MEBIBYTE, "&"), 401],
    "1 MiB of JSON": [JSON_TYPE, () => Buffer.alloc(MEBIBYTE, " "), 413],
    "1 MiB of parts": [PARTS, () => Buffer.alloc(MEBIBYTE, "-"), 401],
    "1 MiB of boundaries": [PARTS, () => "--x\r\n".repeat(200_000), 401],
    "JSON a byte longer than is looked at": [JSON_TYPE, (key) => `{"u":"${key}"}`.padEnd(65_537), 413],
    "JSON as long as is looked at": [JSON_TYPE, (key) => `{"u":"${key}"}`.padEnd(65_536), 200],
    "lists 30,000 deep": [JSON_TYPE, (key) => deep("[", "]", 30_000).replace("KEY", key), [200, 401]],
    "lists 100,000 deep": [JSON_TYPE, (key) => deep("[", "]", 100_000).replace("KEY", key), 413],
    "objects 10,000 deep": [JSON_TYPE, (key) => deep('{"u":', "}", 10_000).replace("KEY", key), [200, 401]],
    "lists that do not end": [JSON_TYPE, () => "[".repeat(65_536), 401],
    "a member twice": [JSON_TYPE, (key) => `{"u":"${key}","u":"x"}`, 400],
    "a member that is no text": [JSON_TYPE, () => '{"u":[[["x"]]]}', 401],
    "a number beyond all": [JSON_TYPE, (key) => `{"n":1e999999999,"m":${"9".repeat(60_000)},"u":"${key}"}`, [200, 401]],
    "half a surrogate pair": [JSON_TYPE, (key) => `{"n":"\\ud800","u":"${key}"}`, [200, 401]],
    "a key with NUL behind it": [JSON_TYPE, (key) => `{"u":"${key}\\u0000"}`, 401],
    "a form's key with NUL behind it": [FORM, (key) => `u=${key}%00`, 401],
    "JSON that is no UTF-8": [JSON_TYPE, (key) => Buffer.concat([Buffer.from(`{"u":"${key}","x":"`), Buffer.from([0xff]), Buffer.from('"}')]), 401],
    "a form that is no UTF-8": [FORM, (key) => Buffer.concat([Buffer.from([0xff, 0x26]), Buffer.from(`u=${key}`)]), 200],
    "10,000 keys": [FORM, () => "u=x&".repeat(10_000), 401],
    "10,000 empty parts": [PARTS, () => '--x\r\nContent-Disposition: form-data; name="u"\r\n\r\n\r\n'.repeat(1_000), [400, 401]],
    "a part whose head does not end": [PARTS, () => `--x\r\n${"a: b\r\n".repeat(20_000)}`, 401],
    "a boundary of 60,000 characters": [`multipart/form-data; boundary=${"b".repeat(60_000)}`, () => "--b", 401],
  };
  for (const [what, [type, body, status]] of Object.entries(rows)) {
    test(what, async () => {
      const answer = await at.call("/fields/a", { method: "POST", headers: { "content-type": type }, body: body(issued.credential) });
      assert.ok([status].flat().includes(answer.status), `${answer.status} ${answer.text.slice(0, 300)}`);
      if (answer.status !== 200) {
        assert.equal(answer.headers["content-type"], "application/problem+json");
        assert.equal(answer.body.status, answer.status);
      }
    });
  }
});

describe("with a body that is a list", () => {
  const values = (route) => JSON.stringify(Object.values(route.body()));
  describeRoutes(
    ({ body }) => body,
    async (route) => {
      for (const raw of ["[]", values(route)]) expect(await send(route, { raw }), 400, "malformed_body");
    },
  );
});

describe("with a method that it does not have", () => {
  const allowed = {
    "/v1/setup": "POST",
    "/v1/session": "GET, HEAD, POST, DELETE",
    "/v1/session/step-up": "POST",
    "/v1/keys": "GET, HEAD, POST",
    "/v1/keys/check": "POST",
    "/v1/keys/a1B2c3D47Hq0p2Zx9K": "GET, HEAD, PATCH",
    "/v1/keys/a1B2c3D47Hq0p2Zx9K/disable": "POST",
    "/v1/keys/a1B2c3D47Hq0p2Zx9K/enable": "POST",
    "/v1/keys/a1B2c3D47Hq0p2Zx9K/reveal": "POST",
    "/v1/keys/a1B2c3D47Hq0p2Zx9K/restore": "POST",
    "/v1/deletions": "POST",
    "/v1/deletions/0123456789": "GET, HEAD",
    "/v1/deletions/0123456789/code": "POST",
    "/v1/deletions/0123456789/confirm": "POST",
    "/v1/account/service": "GET, HEAD, PATCH",
    "/v1/account/service/reveal": "POST",
    "/v1/account/service/password": "POST",
    "/v1/sealed-keys/revoke": "POST",
    "/v1/activity": "GET, HEAD",
    "/v1/activity/export": "GET, HEAD",
    "/v1/counters": "GET, HEAD",
    "/v1/operator/accounts": "GET, HEAD, POST",
    "/v1/operator/accounts/a1B2c3D4": "GET, HEAD, PATCH",
    "/v1/operator/accounts/a1B2c3D4/rebuild": "POST",
    "/v1/operator/accounts/a1B2c3D4/restore/begin": "POST",
    "/v1/operator/accounts/a1B2c3D4/restore/finish": "POST",
    "/v1/verify": "POST",
    "/": "GET, HEAD",
  };
  for (const [path, allow] of Object.entries(allowed)) {
    test(path, async () => {
      await at.worker.resetCounters();
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
        if (allow.split(", ").includes(method)) continue;
        const refused = expect(await at.console(method, path), 405, "method_not_allowed");
        assert.equal(refused.headers.allow, allow);
      }
      assert.deepEqual(await at.worker.counters(), {});
    });
  }
});

describe("at a path that is none", () => {
  for (const path of ["/v1/", "/v1/nothing", "/v1/keys/", "/v1/keys/short", "/v1/keys/a1B2c3D47Hq0p2Zx9K/destroy", "/v1//keys", "/v1/keys/a1B2c3D47Hq0p2Zx9%4B", "/v1/operator"]) {
    test(path, async () => {
      for (const method of ["GET", "POST", "DELETE"]) expect(await at.console(method, path), 404, "not_found");
    });
  }
  test("a file that is none: a page, because browsers ask", async () => {
    const answer = expect(await at.console("GET", "/nothing.js"), 404);
    assert.match(answer.headers["content-type"], /^text\/html/);
    assert.match(answer.text, /There is nothing at this address/);
  });
});

describe("headers that a route demands", () => {
  test("Idempotency-Key: 1 to 64 visible ASCII characters", async () => {
    for (const value of [undefined, "", "a b", "x".repeat(65), "\u00e9"]) {
      const headers = value === undefined ? {} : { "idempotency-key": value };
      const refused = expect(await at.console("POST", "/v1/keys", { body: draft, headers }), 400, "bad_header");
      assert.equal(refused.body.header, "Idempotency-Key");
    }
    expect(await at.console("POST", "/v1/keys", { body: draft, headers: { "idempotency-key": "x".repeat(64) } }), 201);
  });

  test("If-Match: one revision in quotes, and the present one", async () => {
    const path = `/v1/keys/${id()}`;
    for (const value of [undefined, "", "1", '"one"', "*", 'W/"1"', '"1", "2"', '"-1"', '"99999999999999999999999"']) {
      const headers = value === undefined ? {} : { "if-match": value };
      for (const [method, target, body] of [["PATCH", path, {}], ["POST", `${path}/disable`], ["POST", `${path}/enable`]]) {
        expect(await at.console(method, target, { body, headers }), 400, "bad_header");
      }
    }
    const { revision } = await at.show(id());
    await at.change(id(), { name: "changed meanwhile" });
    const late = expect(await at.console("PATCH", path, { body: {}, headers: { "if-match": `"${revision}"` } }), 412, "changed_meanwhile");
    assert.equal(late.body.key.name, "changed meanwhile");
    assert.equal(late.body.by, OWNER.name);
    assert.ok(Date.parse(late.body.at));
    assert.equal((await at.show(id())).status, "active");
  });
});

describe("verification", () => {
  const ask = (headers, body = { credential: issued.credential }) => at.console("POST", "/v1/verify", { headers, body, cookie: null, origin: null });

  test("wants a verifier, and a session is none", async () => {
    const refused = expect(await at.console("POST", "/v1/verify", { body: { credential: issued.credential } }), 401, "missing");
    assert.equal(refused.headers["www-authenticate"], `Bearer realm="${CONSOLE}"`);
    for (const [value, status, code] of [
      ["", 401, "malformed"],
      [`${verifier}x`, 401, "malformed"],
      [forgedKey({ master: FOREIGN }), 401, "unknown"],
      [issued.credential, 403, "permission_denied"],
      [`${verifier}, ${verifier}`, 401, "malformed"],
    ]) {
      const answer = expect(await ask({ "claviger-verifier": value }), status, code);
      assert.match(answer.headers["www-authenticate"], /^Bearer realm="localhost", error="/);
    }
    expect(await ask({ authorization: `Bearer ${verifier}` }), 401, "missing");
  });

  test("tells what the gateway would, and nothing of other accounts", async () => {
    const found = async (check) => expect(await ask({ "claviger-verifier": verifier }, check), 200).body;
    const { credential, access_key, access_secret } = issued;
    const valid = await found({ credential, permission: "demo:read" });
    assert.deepEqual([valid.verdict, valid.key, valid.account], ["valid", id(), at.session.account.id]);
    assert.equal((await found({ access_key, access_secret })).verdict, "valid");
    assert.equal((await found({ credential, permission: "admin:use" })).verdict, "permission_denied");
    assert.equal((await found({ credential, interface: "smtp" })).verdict, "interface_denied");
    assert.equal((await found({ credential: "x" })).verdict, "malformed");
    await at.worker.resetCounters();
    assert.equal((await found({ credential: forgedKey() })).verdict, "unknown");
    assert.deepEqual(await at.worker.counters(), {}, "another account's key is not even looked up");
    const checks = Array.from({ length: 100 }, (_, n) => ({ credential: n % 2 ? credential : "x" }));
    const { verdicts } = await found({ checks });
    assert.deepEqual(verdicts.map(({ verdict }) => verdict), checks.map((_, n) => (n % 2 ? "valid" : "malformed")));
    expect(await ask({ "claviger-verifier": verifier }, { checks: [...checks, {}] }), 400, "malformed_body");
    expect(await ask({ "claviger-verifier": verifier }, {}), 400, "malformed_body");
  });
});

describe("a good request", () => {
  describeRoutes(
    () => true,
    async (route) => {
      expect(await send(route), ...route.good);
      if (route.method === "GET") {
        const head = await at.console("HEAD", route.path());
        assert.deepEqual([head.status, head.text], [route.good[0], ""]);
      }
    },
  );
});
