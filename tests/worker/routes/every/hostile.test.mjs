// Every route of the console's host, against bodies and headers that are malformed or out to hurt.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ISSUANCE, at, describeRoutes, issued, send, useEveryRoute } from "../../support/every-route.mjs";
import { API, CALLER, CONSOLE, expect } from "../../support/journey.mjs";

const MEBIBYTE = 1 << 20;

useEveryRoute();

/** A body that is refused before it has ended. */
function unfinished(beginning) {
  const { promise, resolve: end } = Promise.withResolvers();
  const body = (async function* () {
    yield beginning;
    await promise;
  })();
  return { body, end };
}

/** The largest body of a route: pasted networks have more room. */
const maxOf = (route) =>
  /^\/v1\/(keys|api-users|account\/(service|networks))/.test(route.path()) && !/(regenerate|delete)$/.test(route.path())
    ? 589_824
    : 65_536;

describe("with a body that is none", () => {
  const members = ({ body }) => JSON.stringify(body());
  describeRoutes(
    ({ body }) => body,
    async (route) => {
      for (const type of [
        null,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
      ]) {
        expect(await send(route, { type }), 415, "unsupported_media_type");
      }
      const bodies = [
        "",
        "{",
        '"text"',
        "null",
        "7",
        `${members(route)} x`,
        members(route).replace("{", '{"surplus":1,'),
        "\u0000",
        `{"a":${"[".repeat(10_000)}`,
      ];
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

describe("with a body that is out to hurt", () => {
  /** JSON of `value` for each member of the body in turn, as it is written in `json`. */
  const eachMember = (route, json) => {
    const members = Object.entries(route.body()).map(([name, value]) => [JSON.stringify(name), JSON.stringify(value)]);
    return members.map(
      (_, hurt) => `{${members.map(([name, value], n) => `${name}:${n === hurt ? json : value}`).join()}}`,
    );
  };
  const refused = (answer, ...statuses) =>
    assert.ok(
      statuses.includes(answer.status),
      `${answer.method} ${answer.path} ▸ ${answer.status} ${answer.text.slice(0, 300)}`,
    );

  describeRoutes(
    ({ body }) => body,
    async (route) => {
      const max = maxOf(route);
      // Whole, and so large that a reader who takes all of it pays for it.
      for (const length of [MEBIBYTE, max + 1]) {
        assert.equal(
          expect(await send(route, { raw: Buffer.alloc(length, "[") }), 413, "body_too_large").body.max,
          max,
        );
      }
      const depth = Math.min(100_000, Math.floor((max - 2_000) / 2));
      for (const [open, close, times] of [
        ["[", "]", depth],
        ['{"a":', "}", Math.floor(depth / 3)],
      ]) {
        for (const raw of eachMember(route, `${open.repeat(times)}0${close.repeat(times)}`))
          expect(await send(route, { raw }), 400, "malformed_body");
        expect(await send(route, { raw: open.repeat(times) }), 400, "malformed_body");
      }
      const written = JSON.stringify(route.body()).slice(1, -1);
      expect(await send(route, { raw: `{${written},${written}}` }), 400, "malformed_body");
      for (const number of [
        "9223372036854775808",
        "-9223372036854775809",
        "1e400",
        "-1e400",
        "1e999999999",
        "9".repeat(1_000),
        "0.1",
        "-0",
      ]) {
        for (const raw of eachMember(route, number)) expect(await send(route, { raw }), 400, "malformed_body");
      }
      for (const text of ['"\\ud800"', '"\u0001"', '"\\x41"', "NaN", "'a'", "\ufeff0"]) {
        for (const raw of eachMember(route, text)) expect(await send(route, { raw }), 400, "malformed_body");
      }
      // Texts, but none that anything may be called: refused by whoever the field belongs to, or
      // known to nobody.
      for (const text of [
        "\u0000",
        "a\u0000b",
        "\u202etxt.exe",
        "\u2066\u2069",
        "\ufeff",
        "\u{e0001}",
        "a\nb",
        "x".repeat(60_000),
      ]) {
        for (const raw of eachMember(route, JSON.stringify(text)))
          refused(
            await send(route, { raw, ip: "192.0.2.77" }),
            // The answer to a reset is one, whatever the address.
            ...route.good.filter((status) => status === 202),
            400,
            401,
            404,
            409,
            410,
            422,
            429,
            ...(/(check|networks\/preview|\/v1\/verify)$/.test(route.path()) ? [200] : []),
          );
      }
      expect(
        await send(route, { raw: Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`{${written}}`, "utf16le")]) }),
        400,
        "malformed_body",
      );
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
    "bytes that are no text": [
      ["x-large", "\u00ff\u0080"],
      ["authorization", "Bearer \u00ff"],
      ["cookie", "__Host-claviger=\u00ff"],
    ],
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
        const sent = [
          ...Object.entries({
            ...auth,
            ...(path === ISSUANCE && { "content-type": "application/x-www-form-urlencoded" }),
          }),
          ...headers,
        ];
        const answer = await at.ask(host, path, { method, headers: sent, body: method === "POST" ? "" : undefined });
        assert.ok(
          [400, 401, 403, 415].includes(answer.status),
          `${host}${path} ▸ ${answer.status} ${answer.text.slice(0, 300)}`,
        );
        assert.match(
          answer.headers["content-type"],
          path === ISSUANCE ? /^text\/plain/ : /^application\/problem\+json/,
        );
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
    "lists 30,000 deep": [JSON_TYPE, (key) => deep("[", "]", 30_000).replace("KEY", key), 200],
    "lists 100,000 deep": [JSON_TYPE, (key) => deep("[", "]", 100_000).replace("KEY", key), 413],
    "objects 10,000 deep": [JSON_TYPE, (key) => deep('{"u":', "}", 10_000).replace("KEY", key), 200],
    "lists that do not end": [JSON_TYPE, () => "[".repeat(65_536), 401],
    "a member twice": [JSON_TYPE, (key) => `{"u":"${key}","u":"x"}`, 400],
    "a member that is no text": [JSON_TYPE, () => '{"u":[[["x"]]]}', 401],
    "a number beyond all": [JSON_TYPE, (key) => `{"n":1e999999999,"m":${"9".repeat(60_000)},"u":"${key}"}`, 200],
    "half a surrogate pair": [JSON_TYPE, (key) => `{"n":"\\ud800","u":"${key}"}`, 200],
    "a key with NUL behind it": [JSON_TYPE, (key) => `{"u":"${key}\\u0000"}`, 401],
    "a form's key with NUL behind it": [FORM, (key) => `u=${key}%00`, 401],
    "JSON that is no UTF-8": [
      JSON_TYPE,
      (key) => Buffer.concat([Buffer.from(`{"u":"${key}","x":"`), Buffer.from([0xff]), Buffer.from('"}')]),
      401,
    ],
    "a form that is no UTF-8": [
      FORM,
      (key) => Buffer.concat([Buffer.from([0xff, 0x26]), Buffer.from(`u=${key}`)]),
      200,
    ],
    "10,000 keys": [FORM, () => "u=x&".repeat(10_000), 401],
    "1,000 empty parts": [
      PARTS,
      () => '--x\r\nContent-Disposition: form-data; name="u"\r\n\r\n\r\n'.repeat(1_000),
      401,
    ],
    "a part whose head does not end": [PARTS, () => `--x\r\n${"a: b\r\n".repeat(20_000)}`, 401],
    "a boundary of 60,000 characters": [`multipart/form-data; boundary=${"b".repeat(60_000)}`, () => "--b", 401],
  };
  for (const [what, [type, body, status]] of Object.entries(rows)) {
    test(what, async () => {
      const answer = await at.call("/fields/a", {
        method: "POST",
        headers: { "content-type": type },
        body: body(issued.credential),
      });
      assert.equal(answer.status, status, answer.text.slice(0, 300));
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
