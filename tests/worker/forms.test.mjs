// A25: keys in bodies, through the gateway to what arrives at the origin.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { FOREIGN, key as forgedKey } from "./support/forge.mjs";
import { API, CALLER, begin, expect } from "./support/journey.mjs";

const rule = (path, members) => ({ host: API, path, origin: "DEMO", ...members });
const EVERYWHERE = ["authorization", "x-api-key", "query:u", "form:u", "json:u"];
const RULES = [
  rule("/received", { any_key: true, credentials: EVERYWHERE }),
  rule("/echo", { any_key: true, credentials: EVERYWHERE }),
  rule("/header/*", { any_key: true }),
  rule("/public/*", { public: true, credentials: ["form:u"] }),
  rule("/*", { any_key: true, credentials: ["form:u"] }),
];

/** An origin on the network: tells what reached it as it stood on the wire. */
const server = createServer(async (request, response) => {
  const { rawHeaders } = request;
  const headers = rawHeaders.flatMap((name, n) => (n % 2 ? [] : [[name.toLowerCase(), rawHeaders[n + 1]]]));
  const bytes = await buffer(request);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  response.setHeader("content-type", "application/json").end(JSON.stringify({ bytes: bytes.length, sha256, headers }));
});

let at;
let issued;
let key;
let other;
before(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const remote = {
    ...rule("/remote", { any_key: true, credentials: EVERYWHERE }),
    origin: `http://127.0.0.1:${server.address().port}`,
  };
  at = await begin({ rules: [remote, ...RULES] });
  issued = await at.issue();
  key = issued.credential;
  other = (await at.issue()).credential;
});
after(async () => {
  await at.dispose();
  server.closeAllConnections();
  server.close();
});

const URLENCODED = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data; boundary=----x7";

/** A multipart body; a part is `[name, value]`, or `[name, bytes, filename]`. */
function multipart(...parts) {
  const pieces = parts.flatMap(([name, value, filename]) => [
    `------x7\r\nContent-Disposition: form-data; name="${name}"${filename ? `; filename="${filename}"\r\nContent-Type: audio/wav` : ""}\r\n\r\n`,
    value,
    "\r\n",
  ]);
  return Buffer.concat([...pieces, "------x7--\r\n"].map((piece) => Buffer.from(piece)));
}

const send = (body, type, { path = "/received", headers = {}, ...init } = {}) =>
  at.call(path, { method: "POST", body, headers: { "content-type": type, ...headers }, ...init });

/** Asserts that a body came through for the key, as `expected`. */
async function arrives(answer, expected) {
  const { bytes, sha256, headers } = expect(await answer, 200).body;
  const sent = Object.fromEntries(headers);
  assert.deepEqual([bytes, sha256], [Buffer.byteLength(expected), createHash("sha256").update(expected).digest("hex")]);
  assert.equal(sent["claviger-key"], issued.key.id);
  assert.doesNotMatch(JSON.stringify(headers), new RegExp(issued.access_secret));
  return sent;
}

const WAV = randomBytes(100_000);

describe("A25 a key in a field is verified, and the rest arrives byte for byte:", () => {
  const bodies = {
    "a form": [URLENCODED, (u) => `d=-a-general&${u ? `u=${u}&` : ""}x=%20+%FF`],
    "a form, last": [URLENCODED, (u) => `d=-a-general${u ? `&%75=${u.replace("_", "%5F")}` : ""}`],
    "a multipart form before its file": [
      MULTIPART,
      (u) => multipart(...(u ? [["u", u]] : []), ["d", "-a-general"], ["a", WAV, "a.wav"]),
    ],
    "a multipart form behind another field": [
      MULTIPART,
      (u) => multipart(["d", "-a-general"], ...(u ? [["u", u]] : []), ["a", WAV, "a.wav"]),
    ],
    "a JSON object": ["application/json", (u) => `{"d": [1, {"u": "x"}],${u ? ` "u": "${u}",` : ""} "x": "é"}`],
  };
  for (const [where, [type, body]] of Object.entries(bodies)) {
    test(where, async () => {
      const sent = await arrives(send(body(key), type), body());
      assert.equal(sent["content-length"], `${Buffer.byteLength(body())}`);
      assert.equal(sent["content-type"], type);
    });
    test(`${where}, in chunks`, async () => {
      async function* chunks() {
        const bytes = Buffer.from(body(key));
        for (let from = 0; from < bytes.length; from += from < 2000 ? 13 : 7001)
          yield bytes.subarray(from, from + (from < 2000 ? 13 : 7001));
      }
      await arrives(send(chunks(), type), body());
    });
    test(`${where}, and the same in a header`, async () => {
      await arrives(send(body(key), type, { key }), body());
      await arrives(send(body(key), type, { headers: { "x-api-key": key }, path: `/received?u=${key}` }), body());
      // Without the field, the header is enough.
      await arrives(send(body(), type, { key }), body());
    });
    test(`${where}, and another in a header`, async () => {
      expect(await send(body(other), type, { key }), 400, "ambiguous_credential");
      expect(await send(body(key), type, { path: `/received?u=${other}` }), 400, "ambiguous_credential");
      expect(await send(body("x"), type, { key }), 400, "ambiguous_credential");
    });
    test(`${where}, refused without a lookup when Claviger did not make it`, async () => {
      await at.worker.resetCounters();
      for (const [text, code] of [
        [forgedKey({ master: FOREIGN }), "unknown"],
        [`${key}x`, "malformed"],
        ["", "missing"],
        ["x".repeat(5000), "malformed"],
      ]) {
        expect(await send(body(text), type), 401, code);
      }
      assert.deepEqual(await at.worker.counters(), {});
    });
  }

  test("what browsers and curl make of a form", async () => {
    const form = new FormData();
    form.set("u", key);
    form.set("d", "-a-general");
    form.set("a", new File([WAV], "発話.wav", { type: "audio/wav" }));
    const made = new Response(form);
    const type = made.headers.get("content-type");
    const boundary = type.split("boundary=")[1];
    const bytes = Buffer.from(await made.arrayBuffer());
    // The second delimiter's place: what stands before it is the field's part.
    const rest = bytes.subarray(bytes.indexOf(`--${boundary}`, boundary.length));
    await arrives(send(bytes, type), rest);
  });

  test("and the verdict is the key's own", async () => {
    const reader = await at.issue({ networks: ["192.0.2.0/24"] });
    expect(await send(`u=${reader.credential}`, URLENCODED), 403, "network_denied");
    await at.change(reader.key.id, "disable");
    expect(await send(`u=${reader.credential}`, URLENCODED), 401, "disabled");
  });

  test("digests of the whole body do not travel with less of it", async () => {
    const headers = {
      "content-digest": "sha-256=:x:",
      "repr-digest": "sha-256=:x:",
      digest: "sha-256=x",
      "content-md5": "x",
    };
    const cut = await arrives(send(`u=${key}&a=1`, URLENCODED, { headers }), "a=1");
    assert.deepEqual(
      Object.keys(headers).map((name) => cut[name]),
      [undefined, undefined, undefined, undefined],
    );
    const whole = await arrives(send("a=1", URLENCODED, { headers, key }), "a=1");
    assert.deepEqual(
      Object.keys(headers).map((name) => whole[name]),
      Object.values(headers),
    );
  });
});

test("A25 an origin on the network gets the length of what it gets, or chunks", async () => {
  const rest = multipart(["d", "x"], ["a", WAV, "a.wav"]);
  const whole = multipart(["u", key], ["d", "x"], ["a", WAV, "a.wav"]);
  async function* chunks() {
    yield whole.subarray(0, 300);
    yield whole.subarray(300);
  }
  for (const [body, expected, type, length] of [
    [whole, rest, MULTIPART, `${rest.length}`],
    [chunks(), rest, MULTIPART, undefined],
    [`u=${key}&a=1`, "a=1", URLENCODED, "3"],
    [`u=${key}`, "", URLENCODED, "0"],
  ]) {
    const sent = await arrives(send(body, type, { path: "/remote" }), expected);
    assert.equal(sent["content-length"], length);
    assert.equal(sent["transfer-encoding"], length === undefined ? "chunked" : undefined);
  }
});

describe("A25 a field twice", () => {
  for (const [type, body, rest] of [
    [URLENCODED, (a, b) => `u=${a}&x=1&u=${b}`, () => "x=1"],
    [MULTIPART, (a, b) => multipart(["u", a], ["x", "1"], ["u", b]), () => multipart(["x", "1"])],
    ["application/json", (a, b) => `{"u":"${a}","x":1,"u":"${b}"}`, () => '{"x":1}'],
  ]) {
    test(`is one key if equal, else refused: ${type}`, async () => {
      await arrives(send(body(key, key), type), rest());
      expect(await send(body(key, other), type), 400, "ambiguous_credential");
      expect(await send(body(key, "x"), type), 400, "ambiguous_credential");
    });
  }

  test("counts only before the first file: what comes after is the origin's", async () => {
    const after = multipart(["a", WAV, "a.wav"], ["u", key]);
    expect(await send(after, MULTIPART), 401, "missing");
    await arrives(send(after, MULTIPART, { key }), after);
    await arrives(
      send(multipart(["u", key], ["a", WAV, "a.wav"], ["u", other]), MULTIPART),
      multipart(["a", WAV, "a.wav"], ["u", other]),
    );
  });
});

describe("A25 large uploads stream", () => {
  const MEGABYTE = randomBytes(1 << 20);
  const [cut, tail] = multipart(["a", "AUDIO", "a.wav"]).toString().split("AUDIO");
  const head = () => `${multipart(["u", key]).toString().slice(0, -"------x7--\r\n".length)}${cut}`;

  for (const [how, headers] of [
    ["in chunks", () => ({})],
    ["of a length that is told", () => ({ "content-length": `${head().length + 20 * MEGABYTE.length + tail.length}` })],
  ]) {
    test(`20 MB ${how}, unbuffered`, { timeout: 60_000 }, async () => {
      let more;
      const gate = new Promise((resolve) => (more = resolve));
      async function* upload() {
        yield head();
        yield MEGABYTE;
        await gate;
        for (let count = 1; count < 20; count += 1) yield MEGABYTE;
        yield tail;
      }
      const answer = await at.worker.fetch(API, "/echo", {
        method: "POST",
        headers: { "content-type": MULTIPART, "cf-connecting-ip": CALLER, ...headers() },
        body: upload(),
      });
      // It is answered, and its beginning is back, before the rest is sent.
      assert.equal(answer.status, 200);
      const digest = createHash("sha256");
      let length = 0;
      for await (const chunk of answer.body) {
        digest.update(chunk);
        length += chunk.length;
        if (length >= cut.length + 1000) more();
      }
      const expected = createHash("sha256").update(cut);
      for (let count = 0; count < 20; count += 1) expected.update(MEGABYTE);
      assert.equal(length, cut.length + 20 * MEGABYTE.length + tail.length);
      assert.equal(digest.digest("hex"), expected.update(tail).digest("hex"));
    });
  }

  test("a header's key is enough for one without the field, which streams as well", { timeout: 30_000 }, async () => {
    async function* upload() {
      yield cut;
      for (let count = 0; count < 20; count += 1) yield MEGABYTE;
      yield tail;
    }
    const expected = createHash("sha256").update(cut);
    for (let count = 0; count < 20; count += 1) expected.update(MEGABYTE);
    const { sha256 } = expect(await send(upload(), MULTIPART, { key }), 200).body;
    assert.equal(sha256, expected.update(tail).digest("hex"));
  });

  test("64 KiB and more of a form pass behind its key, which must stand before", async () => {
    const long = `x=${"y".repeat(300_000)}`;
    await arrives(send(`u=${key}&${long}`, URLENCODED), long);
    expect(await send(`${long}&u=${key}`, URLENCODED), 401, "missing");
    await arrives(send(`${long}&u=${other}`, URLENCODED, { key }), `${long}&u=${other}`);
  });

  test("a JSON document with a key has 64 KiB at most, one without may have more", async () => {
    const json = (u, length) => `{${u ? `"u":"${u}",` : ""}"x":"${"y".repeat(length)}"}`;
    await arrives(send(json(key, 60_000), "application/json"), json(null, 60_000));
    const refused = expect(await send(json(key, 65_536), "application/json"), 413, "body_too_large");
    assert.equal(refused.body.max, 65_536);
    await arrives(send(json(null, 300_000), "application/json", { key }), json(null, 300_000));
  });
});

describe("A25 a body that cannot be looked at holds no key", () => {
  for (const [what, body, type, headers] of [
    ["of another type", () => `u=${key}`, "text/plain"],
    ["of two types", () => `u=${key}`, `${URLENCODED}, ${URLENCODED}`],
    ["packed", () => gzipSync(`u=${key}`), URLENCODED, { "content-encoding": "gzip" }],
    ["without a boundary", () => multipart(["u", key]), "multipart/form-data"],
    ["with another boundary", () => multipart(["u", key]), "multipart/form-data; boundary=----x8"],
    ["with two boundaries", () => multipart(["u", key]), `${MULTIPART}; boundary=----x8`],
    ["in another charset", () => Buffer.from(`u=${key}`, "utf16le"), `${URLENCODED}; charset=utf-16le`],
    ["that is broken", () => `{"u":"${key}"`, "application/json"],
    ["that is no object", () => `[{"u":"${key}"}]`, "application/json"],
    ["that is empty", () => "", URLENCODED],
  ]) {
    test(what, async () => {
      expect(await send(body(), type, { headers }), 401, "missing");
      // To the origin it goes as it is.
      await arrives(send(body(), type, { headers, key }), body());
    });
  }

  test("of a GET", async () => {
    expect(await send(`u=${key}`, URLENCODED, { method: "GET" }), 401, "missing");
  });

  test("where the rule names no field: it is not even read", { timeout: 5000 }, async () => {
    let end;
    const gate = new Promise((resolve) => (end = resolve));
    async function* body() {
      yield `u=${key}`;
      await gate;
    }
    const headers = { "content-type": URLENCODED, "cf-connecting-ip": CALLER };
    const answer = await at.worker.fetch(API, "/header/a", { method: "POST", headers, body: body() });
    assert.equal(answer.status, 401);
    // Nor where a header's text is refused by itself.
    const refused = await at.worker.fetch(API, "/received", {
      method: "POST",
      headers: { ...headers, "x-api-key": "clv_x" },
      body: body(),
    });
    assert.equal(refused.status, 401);
    end();
  });
});

describe("A25 bodies that do not come", () => {
  test("an opening has ten seconds", { timeout: 30_000 }, async () => {
    let end;
    const gate = new Promise((resolve) => (end = resolve));
    async function* body() {
      yield "a=1&u=clv_";
      await gate;
    }
    expect(await send(body(), URLENCODED), 408, "body_too_slow");
    end();
  });

  test("a length that promises more ends with the connection, and one that promises less ends the form", async () => {
    const raw = (length, body) =>
      at.worker.raw(
        `POST /received HTTP/1.1\r\nHost: ${API}\r\nContent-Type: ${URLENCODED}\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`,
      );
    assert.doesNotMatch(await raw(1000, `u=${key}`), /^HTTP\/1.1 200/);
    assert.match(await raw(4, `u=${key}`), /^HTTP\/1.1 401 (.*\r\n)*.*"code":"malformed"/);
    // The Worker has not taken harm.
    await arrives(send(`u=${key}`, URLENCODED), "");
  });
});

test("A25 a public rule that names the field hands none on, and wants none", async () => {
  const seen = (body, init) => send(body, URLENCODED, { path: "/public/a", ...init });
  for (const body of [`u=${key}&a=1`, `u=${key}&a=1&u=${other}`, "a=1", "u=x&a=1"]) {
    const { headers } = expect(await seen(body), 200).body;
    const sent = Object.fromEntries(headers);
    assert.deepEqual([sent["content-length"], sent["claviger-key"]], ["3", undefined]);
  }
});
