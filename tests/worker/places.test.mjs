// Places × forms: what each place of a rule may hold beside a key, and what then reaches the origin.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FOREIGN, key as forgedKey } from "./support/forge.mjs";
import { API, begin, expect } from "./support/journey.mjs";

const rule = (path, members) => ({ host: API, path, origin: "DEMO", any_key: true, ...members });
const RULES = [
  rule("/*"),
  rule("/received", { credentials: ["authorization", "x-api-key", "query:u", "form:u", "json:u"] }),
  rule("/header-only", { credentials: ["x-api-key"] }),
];
/** A token that another system made. */
const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";
const MULTIPART = "multipart/form-data; boundary=x7";

const basic = (user, password) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
const part = (name, value, file = "") =>
  `--x7\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${value}\r\n`;

let at;
let issued;
let key;
let other;
let sealed;
before(async () => {
  at = await begin({ rules: RULES });
  issued = await at.issue({ issuable: { permissions: ["demo:read"], networks: [], longest: "1d" } });
  key = issued.credential;
  other = (await at.issue()).credential;
  const answer = await at.ask("localhost", "/issue_service_authorization", {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": FORM },
    body: "epi=1h",
  });
  sealed = expect(answer, 200).text;
});
after(() => at.dispose());

/** Sends a request; with `body`, which is `[type, text]`, as a POST. */
function send(path, headers = {}, [type, body] = []) {
  const sent = type ? { ...headers, "content-type": type } : headers;
  return at.call(path, { headers: sent, body, method: body === undefined ? "GET" : "POST" });
}

/** Asserts that a request was let through; returns the headers and the query that reached the origin. */
async function passes(answer, by = issued.key.id) {
  const { headers, query } = expect(await answer, 200).body;
  const sent = Object.fromEntries(headers);
  assert.equal(sent["claviger-key"], by);
  for (const text of [key, other]) assert.doesNotMatch(JSON.stringify([headers, query]), new RegExp(text.slice(22)));
  return { ...sent, query };
}

describe("Basic credentials", () => {
  test("hold the key as either half, whatever the other is", async () => {
    for (const pair of [
      [key, ""],
      [key, "x"],
      [key, "api_token"],
      [key, "a:b"],
      ["", key],
      ["api", key],
      ["mei@example.jp", key],
      [key, key],
      [issued.access_key, issued.access_secret],
      [issued.access_key, key],
      [key, "\n"],
      [issued.access_key, `${issued.access_secret}\n`],
    ]) {
      const sent = await passes(send("/any", { authorization: basic(...pair) }));
      assert.equal(sent.authorization, undefined);
    }
  });

  test("hold a short-lived key as either half, too", async () => {
    for (const pair of [
      [sealed, ""],
      [sealed, "x"],
      [sealed, "api_token"],
      ["api", sealed],
    ]) {
      expect(await send("/any", { authorization: basic(...pair) }), 200);
    }
  });

  test("with two keys, or none, are refused", async () => {
    const half = forgedKey({ master: FOREIGN });
    for (const [pair, status, code] of [
      [[key, other], 400, "ambiguous_credential"],
      [[key, sealed], 400, "ambiguous_credential"],
      [[sealed, key], 400, "ambiguous_credential"],
      [[key, "clv_"], 400, "ambiguous_credential"],
      [[key, `${key}x`], 400, "ambiguous_credential"],
      [[issued.access_key, other], 400, "ambiguous_credential"],
      [[issued.access_key, ""], 401, "malformed"],
      [[issued.access_key, "x"], 401, "malformed"],
      [[`${key}x`, "x"], 401, "malformed"],
      [["mei", "x"], 401, "malformed"],
      [[half, "x"], 401, "unknown"],
      [["", ""], 401, "missing"],
    ]) {
      expect(await send("/any", { authorization: basic(...pair) }), status, code);
    }
  });

  test("issue, where the key in them is issuable", async () => {
    for (const pair of [
      [key, "x"],
      ["api", key],
      [issued.access_key, issued.access_secret],
    ]) {
      const headers = { authorization: basic(...pair), "content-type": FORM };
      const init = { method: "POST", headers, body: "sid=&spw=" };
      assert.match(expect(await at.ask("localhost", "/issue_service_authorization", init), 200).text, /^clvs_/);
    }
  });
});

/** Each place of the rule: a request that holds `text` there, and a key in `x-api-key` or `authorization`. */
const PLACES = {
  authorization: (text) => [{ "x-api-key": key, authorization: text }],
  "authorization as bearer": (text) => [{ "x-api-key": key, authorization: `Bearer ${text}` }],
  "x-api-key": (text) => [{ authorization: `Bearer ${key}`, "x-api-key": text }],
  "query:u": (text) => [{ "x-api-key": key }, undefined, `?u=${encodeURIComponent(text)}&a=1`],
  "form:u": (text) => [{ "x-api-key": key }, [FORM, `u=${encodeURIComponent(text)}&a=1`]],
  "form:u of a multipart form": (text) => [{ "x-api-key": key }, [MULTIPART, `${part("u", text)}--x7--\r\n`]],
  "json:u": (text) => [{ "x-api-key": key }, [JSON_TYPE, JSON.stringify({ u: text, a: 1 })]],
};
const HEADERS = ["authorization", "authorization as bearer", "x-api-key"];

describe("beside a key", () => {
  for (const [place, requestWith] of Object.entries(PLACES)) {
    const sendWith = (text) => {
      const [headers, body, query = ""] = requestWith(text);
      return send(`/received${query}`, headers, body);
    };
    test(`${place} may be empty, and is cut out`, async () => {
      const sent = await passes(sendWith(""));
      assert.deepEqual([sent.authorization, sent["x-api-key"]], [undefined, undefined]);
      assert.equal(sent.query, place === "query:u" ? "?a=1" : "");
    });

    test(`${place} may hold the same key`, async () => {
      await passes(sendWith(key));
    });

    test(`${place} ${HEADERS.includes(place) ? "may hold another system's token, which travels on" : "holds keys alone"}`, async () => {
      if (!HEADERS.includes(place)) {
        expect(await sendWith(JWT), 400, "ambiguous_credential");
        return;
      }
      const [headers] = requestWith(JWT);
      const name = place === "x-api-key" ? place : "authorization";
      const sent = await passes(sendWith(JWT));
      assert.equal(sent[name], headers[name]);
      assert.equal(sent[name === "authorization" ? "x-api-key" : "authorization"], undefined);
    });

    test(`${place} may hold no second key, and no broken one`, async () => {
      for (const text of [other, sealed, `${key}x`, "clv_", forgedKey({ master: FOREIGN })]) {
        expect(await sendWith(text), 400, "ambiguous_credential");
      }
    });
  }

  test("null in a JSON body is an empty place", async () => {
    await passes(send("/received", { "x-api-key": key }, [JSON_TYPE, '{"u":null}']));
    expect(await send("/received", { "x-api-key": key }, [JSON_TYPE, '{"u":0}']), 400, "ambiguous_credential");
  });

  test("a scheme with nothing behind it is an empty place", async () => {
    for (const scheme of ["Bearer", "Bearer ", "basic", "Basic Og=="]) {
      await passes(send("/any", { "x-api-key": key, authorization: scheme }));
    }
  });

  test("user name and password of another system travel on", async () => {
    const authorization = basic("mei", "secret");
    assert.equal((await passes(send("/any", { "x-api-key": key, authorization }))).authorization, authorization);
    const sent = await passes(send("/header-only", { "x-api-key": key, authorization: `Bearer ${JWT}` }));
    assert.equal(sent.authorization, `Bearer ${JWT}`);
  });

  test("a token of another system in Authorization travels on beside a key in the query or the body", async () => {
    const headers = { authorization: `Bearer ${JWT}` };
    for (const [path, body] of [
      [`/received?u=${key}`],
      ["/received", [FORM, `u=${key}`]],
      ["/received", [JSON_TYPE, JSON.stringify({ u: key })]],
    ]) {
      assert.equal((await passes(send(path, headers, body))).authorization, headers.authorization);
    }
  });
});

describe("without a key", () => {
  test("an empty place is no credential", async () => {
    for (const [path, headers, body] of [
      ["/any", { authorization: "Bearer" }],
      ["/any", { "x-api-key": "" }],
      ["/any", { authorization: "", "x-api-key": "" }],
      ["/received?u=", {}],
      ["/received", {}, [FORM, "u="]],
      ["/received", {}, [JSON_TYPE, '{"u":null}']],
      ["/received", {}, [MULTIPART, `${part("u", "")}--x7--\r\n`]],
    ]) {
      const { body: problem } = expect(await send(path, headers, body), 401, "missing");
      assert.equal(problem.unscanned, undefined);
    }
    const answer = await at.console("POST", "/v1/verify", { body: {}, headers: { "claviger-verifier": "" } });
    expect(answer, 401, "missing");
  });

  test("a token of another system is malformed, in one header or in both", async () => {
    for (const headers of [
      { authorization: `Bearer ${JWT}` },
      { "x-api-key": JWT },
      { authorization: `Bearer ${JWT}`, "x-api-key": "abc" },
    ]) {
      expect(await send("/any", headers), 401, "malformed");
      expect(await send("/received", headers, [FORM, "a=1"]), 401, "malformed");
    }
  });
});

describe("a key in a field", () => {
  test("may have a line end behind it, which goes with it", async () => {
    for (const end of ["\n", "\r\n"]) {
      await passes(send("/received", {}, [MULTIPART, `${part("u", key + end)}${part("d", "x")}--x7--\r\n`]));
      await passes(send("/received", {}, [FORM, `u=${key}${encodeURIComponent(end)}`]));
      await passes(send("/received", {}, [FORM, `a=1&u=${key}${end}`]));
      await passes(send("/received", {}, [JSON_TYPE, JSON.stringify({ u: key + end })]));
      await passes(send(`/received?u=${key}${encodeURIComponent(end)}`));
      // It is the same key as without.
      await passes(send("/received", { "x-api-key": key }, [FORM, `u=${key}${encodeURIComponent(end)}`]));
    }
    for (const end of ["\n\n", " ", "\t", "\u0000"]) {
      expect(await send("/received", {}, [FORM, `u=${key}${encodeURIComponent(end)}`]), 401, "malformed");
    }
  });

  test("is found in JSON that begins with a byte order mark", async () => {
    const answer = await send("/received", {}, [JSON_TYPE, `\uFEFF{"a":1,"u":"${key}"}`]);
    assert.equal(expect(answer, 200).body.bytes, Buffer.byteLength('\uFEFF{"a":1}'));
  });

  test("that is not seen is refused with the reason", async () => {
    const file = part("a", "RIFF", '; filename="a.wav"');
    const long = "x".repeat(70_000);
    for (const [body, unscanned, detail] of [
      [[MULTIPART, `${file}${part("u", key)}--x7--\r\n`], "after_file", /before the file/],
      [[MULTIPART, `${part("d", long)}${part("u", key)}--x7--\r\n`], "beyond_64_kib", /64 KiB/],
      [[FORM, `d=${long}&u=${key}`], "beyond_64_kib", /64 KiB/],
      [[MULTIPART.replace("x7", "x8"), `${part("u", key)}--x7--\r\n`], "malformed", /Content-Type/],
      [["multipart/form-data", part("u", key)], "malformed", /Content-Type/],
      [[JSON_TYPE, `{"u":"${key}"`], "malformed", /Content-Type/],
      [["text/plain", `u=${key}`], "content_type", /Content-Type/],
    ]) {
      const { body: problem } = expect(await send("/received", {}, body), 401, "missing");
      assert.equal(problem.unscanned, unscanned);
      assert.match(problem.detail, detail);
      assert.ok(problem.places.includes("form:u"));
    }
    // A rule that names no field has nothing to say about bodies.
    const { body: problem } = expect(await send("/any", {}, [FORM, `u=${key}`]), 401, "missing");
    assert.equal(problem.unscanned, undefined);
  });
});
