// The gateway between a client and the demo origin: what comes through, changed how, and what does
// not.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { API, CALLER, CONSOLE, begin, expect, xtask } from "./support/journey.mjs";

let at;
let issued;
let key;
before(async () => {
  at = await begin();
  issued = await at.issue();
  key = issued.credential;
});
after(() => at.dispose());

/** What the demo origin saw of a request that came through. */
async function seen(path, init) {
  const { body } = expect(await at.call(path, { key, ...init }), 200);
  return { ...body, sent: Object.fromEntries(body.headers) };
}

const basic = (user, password) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

describe("the origin is told who calls", () => {
  const ANONYMOUS = ["claviger-address", "claviger-proof", "claviger-proof-2"];
  const IDENTITY = ["claviger-account", "claviger-key", "claviger-permissions", ...ANONYMOUS].sort();
  const ours = ({ headers }) => headers.filter(([name]) => /^claviger/i.test(name));

  test("by account, key and permissions", async () => {
    const { sent } = await seen("/a");
    assert.equal(sent["claviger-account"], at.session.account.id);
    assert.equal(sent["claviger-key"], issued.key.id);
    assert.equal(sent["claviger-permissions"], "demo:read demo:write");
  });

  for (const name of [
    "Claviger-Account",
    "claviger-account",
    "CLAVIGER-KEY",
    "Claviger_Account",
    "claviger_key",
    "CLAVIGER_PERMISSIONS",
    "cLaViGeR-_Proof",
    "Claviger-Proof",
    "Claviger-Subject",
    "Claviger-Verifier",
    "Claviger_",
    "Claviger",
  ]) {
    test(`and a client's ${name} does not reach it, with a key or behind a public rule`, async () => {
      const told = ours(
        await seen("/a", {
          headers: [
            [name, "forged"],
            [name, "again"],
          ],
        }),
      );
      assert.deepEqual(told.map(([name]) => name).sort(), IDENTITY);
      assert.ok(told.every(([, value]) => !/forged|again/.test(value)));
      const anonymous = ours(await seen("/public/a", { key: null, headers: { [name]: "forged" } }));
      assert.deepEqual(anonymous.map(([name]) => name).sort(), ANONYMOUS);
      assert.doesNotMatch(JSON.stringify(anonymous), /forged/);
    });
  }

  test("while headers that only look like it stay", async () => {
    const { sent } = await seen("/a", { headers: { clavigerx: "1", "x-claviger-account": "2" } });
    assert.deepEqual([sent.clavigerx, sent["x-claviger-account"]], ["1", "2"]);
  });

  describe("with a proof that the origin can check", () => {
    let originKey;
    before(() => {
      originKey = xtask("origin-key", "DEMO").split(" ")[0];
    });

    /** What docs/origin-proof.md gives to origins, run on what the origin received. */
    async function check({ method, href, sent }, change = {}) {
      const document = await readFile(new URL("../../docs/origin-proof.md", import.meta.url), "utf8");
      const [, code] = /```js\n(.*?)```/s.exec(document);
      const cameThroughClaviger = new Function(`${code}; return cameThroughClaviger;`)();
      const request = { method, url: href, headers: new Headers(sent), ...change };
      return cameThroughClaviger(request, ["00".repeat(32), originKey]);
    }

    for (const [path, init] of [
      ["/a", {}],
      ["/a?b=c&d=%2F", { method: "POST", body: "x" }],
      ["/%61/%e3%81%82?", { method: "DELETE" }],
      ["/public/a?b", { key: null }],
      ["/public/a'b?c='d'", { key: null }],
      ["/a{b}", {}],
      ["/a^b?c^d", {}],
      ["/a?b={}|[]", {}],
      ["/a?b=`", {}],
      ["/a|b", {}],
      ["/a!$&()*+,:=@[]~?!$&()*+,:=@[]~/?", {}],
    ]) {
      test(`${init.method ?? "GET"} ${path}`, async () => assert.equal(await check(await seen(path, init)), true));
    }

    test("which covers the query as it is forwarded", async () => {
      const through = await seen(`/query/a?a=1&u=${key}&b=2`, { key: null });
      assert.equal(through.query, "?a=1&b=2");
      assert.equal(await check(through), true);
    });

    test("which holds for nothing else", async () => {
      const through = await seen("/a?b=c");
      for (const change of [
        { method: "POST" },
        { url: "http://origin.example/a?b=d" },
        ...[
          { "claviger-account": "aaaaaaaa" },
          { "claviger-address": "203.0.113.8" },
          { "claviger-address": "" },
          { "claviger-proof-2": through.sent["claviger-proof-2"].replace(/.$/, "x") },
          { "claviger-proof-2": through.sent["claviger-proof-2"].replace(/n=.{16}/, `n=${"0".repeat(16)}`) },
          { "claviger-proof-2": through.sent["claviger-proof"] },
        ].map((changed) => ({ headers: new Headers({ ...through.sent, ...changed }) })),
        { headers: new Headers() },
      ]) {
        assert.equal(await check(through, change), false, JSON.stringify(change));
      }
      assert.equal(await check(through), true);
    });

    test("without an address too, if the platform tells none", async () => {
      const through = await seen("/a", { ip: null });
      assert.equal(through.sent["claviger-address"], undefined);
      assert.equal(await check(through), true);
    });

    test("and no two calls have the same, so that an origin may refuse repeats", async () => {
      const calls = await Promise.all(Array.from({ length: 20 }, () => seen("/a?b=c")));
      const nonces = calls.map(({ sent }) => /n=([0-9a-f]{16})/.exec(sent["claviger-proof-2"])[1]);
      assert.equal(new Set(nonces).size, calls.length);
    });

    test("and origins that check version 1, as earlier releases told them, still can", async () => {
      const { method, path, query, sent } = await seen("/a?b=%27c");
      const [, t, v1] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(sent["claviger-proof"]);
      const lines = ["claviger/origin-proof/1", t, method, path + query];
      lines.push(sent["claviger-account"], sent["claviger-key"], sent["claviger-permissions"], "");
      const mac = createHmac("sha256", Buffer.from(originKey, "hex")).update(lines.join("\n")).digest("hex");
      assert.equal(v1, mac);
    });
  });
});

describe("a key is found, and does not travel on", () => {
  const places = {
    "Authorization: Bearer": () => ({ authorization: `Bearer ${key}` }),
    "Authorization: bearer, in lower case and with more blanks": () => ({ authorization: `bearer   ${key}` }),
    "Authorization, bare": () => ({ authorization: key }),
    "Basic with the pair": () => ({ authorization: basic(issued.access_key, issued.access_secret) }),
    "Basic with the key as user": () => ({ authorization: basic(key, "") }),
    "Basic with the key as password": () => ({ authorization: basic("", key) }),
    "Basic with the key as password of some user": () => ({ authorization: basic("key", key) }),
    "X-API-Key": () => ({ "x-api-key": key }),
    "both headers, the same in both": () => ({ authorization: `Bearer ${key}`, "x-api-key": key }),
  };
  for (const [place, headers] of Object.entries(places)) {
    test(place, async () => {
      const { headers: reached, sent } = await seen("/a", { key: null, headers: headers() });
      assert.equal(sent["claviger-key"], issued.key.id);
      assert.deepEqual([sent.authorization, sent["x-api-key"]], [undefined, undefined]);
      assert.doesNotMatch(JSON.stringify(reached), new RegExp(issued.access_secret));
    });
  }

  test("a query parameter, where the rule names it, in any spelling", async () => {
    for (const query of [`u=${key}`, `%75=${key}`, `u=${key.replace("_", "%5F")}`, `u=${key}&u=${key}`]) {
      const { query: reached, sent } = await seen(`/query/a?x=%20&${query}&y`, { key: null });
      assert.equal(sent["claviger-key"], issued.key.id);
      assert.equal(reached, "?x=%20&y");
    }
  });

  test("a query parameter counts nowhere else", async () => {
    expect(await at.call(`/any/a?u=${key}`), 401, "missing");
  });

  test("the console's cookie stays behind, and others come along", async () => {
    const { sent } = await seen("/a", { headers: { cookie: `a=b; ${at.cookie}; c=d` } });
    assert.equal(sent.cookie, "a=b; c=d");
    assert.equal((await seen("/a", { headers: { cookie: at.cookie } })).sent.cookie, undefined);
    assert.equal((await seen("/a", { headers: { cookie: "a=b" } })).sent.cookie, "a=b");
  });

  test("a public rule wants none and hands none on", async () => {
    for (const headers of [
      {},
      { authorization: `Bearer ${key}` },
      { "x-api-key": key },
      [
        ["authorization", key],
        ["authorization", "other"],
      ],
    ]) {
      const { sent } = await seen("/public/a", { key: null, headers });
      assert.deepEqual(
        [sent.authorization, sent["x-api-key"], sent["claviger-key"]],
        [undefined, undefined, undefined],
      );
    }
    assert.equal((await seen(`/public-query/a?u=${key}&b=1`, { key: null })).query, "?b=1");
  });

  test("a public rule hands none on where several were sent either", async () => {
    const several = await seen(`/public-query/a?u=${key}&u=x${key}&b=1`, { key: null });
    assert.equal(several.query, "?b=1");
  });
});

describe("two credentials are refused", () => {
  const pairs = {
    "in two places": () => [
      ["authorization", `Bearer ${key}`],
      ["x-api-key", `${key}x`],
    ],
    "a key and what begins like one": () => [
      ["authorization", "Bearer clv_eyJhbGciOi"],
      ["x-api-key", key],
    ],
    "by one header sent twice": () => [
      ["authorization", `Bearer ${key}`],
      ["authorization", `Bearer ${key}`],
    ],
    "by X-API-Key sent twice": () => [
      ["x-api-key", key],
      ["X-API-Key", key],
    ],
    "by a list in one header": () => [["authorization", `Bearer ${key}, Bearer ${key}x`]],
  };
  for (const [how, headers] of Object.entries(pairs)) {
    test(how, async () => expect(await at.call("/a", { headers: headers() }), 400, "ambiguous_credential"));
  }
  test("in header and query", async () => {
    expect(await at.call(`/query/a?u=${key}x`, { key }), 400, "ambiguous_credential");
    expect(await at.call(`/query/a?u=${key}&u=${key}x`), 400, "ambiguous_credential");
  });
});

describe("what is no key is refused", () => {
  for (const [text, code] of [
    ["x", "malformed"],
    ["cl\u00e9", "malformed"],
    ["\u00e3\u0081\u0082\u00ff", "malformed"],
    ["clv_", "malformed"],
    ["clv_".padEnd(4000, "A"), "malformed"],
    [`${"A".repeat(12_000)}`, "malformed"],
  ]) {
    test(`${text.length} characters, ${JSON.stringify(text.slice(0, 8))}`, async () => {
      for (const headers of [
        { authorization: `Bearer ${text}` },
        { "x-api-key": text },
        { authorization: basic(text, text) },
      ]) {
        const refused = expect(await at.call("/a", { headers }), 401, code);
        assert.match(refused.headers["www-authenticate"], /^Bearer realm="api\.localhost", error="invalid_token"$/);
        assert.equal(refused.headers["cache-control"], "no-store");
      }
    });
  }
  test("a key with anything before or after it, or in other letters", async () => {
    for (const text of [`${key}A`, `A${key}`, key.toUpperCase(), key.toLowerCase(), key.slice(0, -1), `"${key}"`]) {
      expect(await at.call("/a", { key: text }), 401, "malformed");
    }
  });
  test("no key at all is asked for one, without an error", async () => {
    const refused = expect(await at.call("/a"), 401, "missing");
    assert.equal(refused.headers["www-authenticate"], `Bearer realm="${API}"`);
  });
});

describe("one path for rule and origin", () => {
  // Sent as raw bytes: clients would mend them.
  async function raw(target) {
    const text = await at.worker.raw(
      `GET ${target} HTTP/1.1\r\nHost: ${API}\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`,
    );
    return [Number(text.split(" ")[1]), /"code":"(\w+)"/.exec(text)?.[1]].filter(Boolean).join(" ");
  }

  const TWO_WAYS = "400 ambiguous_path";
  // The key lacks what the rule for /admin wants: who gets there by another spelling is told so.
  const ADMIN = "403 permission_denied";
  for (const [target, expected] of [
    ["/a", "200"],
    ["/a%20b", "200"],
    ["//a", TWO_WAYS],
    ["/a//b", TWO_WAYS],
    ["/a%2fb", TWO_WAYS],
    ["/a%2Fb", TWO_WAYS],
    ["/a%5cb", TWO_WAYS],
    ["/a\\b", TWO_WAYS],
    ["/\\admin", TWO_WAYS],
    ["/a\\..\\admin", TWO_WAYS],
    ["/a;b", TWO_WAYS],
    ["/a%00", TWO_WAYS],
    ["/%", TWO_WAYS],
    ["/%zz", TWO_WAYS],
    ["/a/%2e%2e/admin", TWO_WAYS],
    ["/a/.%2E/admin", TWO_WAYS],
    ["/%2e/admin", TWO_WAYS],
    ["/a/..%20/admin", TWO_WAYS],
    ["/a/%c0%ae%c0%ae/admin", TWO_WAYS],
    ["/caf%e9", TWO_WAYS],
    ["/caf%c3%a9", "200"],
    // Look-alikes of a slash, a backslash and a semicolon, and segments that are dots to some.
    ["/a%EF%BC%8Fb", TWO_WAYS],
    ["/a%E2%81%84b", TWO_WAYS],
    ["/a%E2%88%95b", TWO_WAYS],
    ["/a%EF%BC%BCb", TWO_WAYS],
    ["/a%C2%A5b", TWO_WAYS],
    ["/a%EF%BC%9Bb", TWO_WAYS],
    ["/a/%EF%BC%8E%EF%BC%8E/admin", TWO_WAYS],
    ["/a/%E2%80%A5/admin", TWO_WAYS],
    ["/a/..%C2%A0/admin", TWO_WAYS],
    ["/a/.%E2%80%8D./admin", TWO_WAYS],
    ["/%EF%BC%8561dmin", TWO_WAYS],
    // Streams of Windows.
    ["/a.txt::$DATA", TWO_WAYS],
    ["/admin:%24i30:$INDEX_ALLOCATION", TWO_WAYS],
    // Ends that Windows drops, and letters that NFKC folds, where they lead past a rule.
    ["/admin.", TWO_WAYS],
    ["/admin...", TWO_WAYS],
    ["/admin%20", TWO_WAYS],
    ["/admin%E3%80%80", TWO_WAYS],
    ["/admin./users", TWO_WAYS],
    ["/adm%E2%80%8Cin", TWO_WAYS],
    ["/%EF%BD%81dmin", TWO_WAYS],
    ["/a.", "200"],
    ["/Acme%20Inc.", "200"],
    ["/a%20/b%20.", "200"],
    // What real APIs use.
    ["/v1/items:batchGet", "200"],
    ["/v1/root:/a/b:/children", "200"],
    ["/Products(1)/$value", "200"],
    ["/%E6%9D%B1%E4%BA%AC%E3%80%82%EF%BC%9A%EF%BC%A1%EF%BC%8E%E3%80%80%E6%9C%A8", "200"],
    // The runtime's own refusal.
    ["\\admin", "400"],
    // The runtime has resolved these before the code sees them.
    ["/a/../admin", ADMIN],
    ["/a/./../admin", ADMIN],
    [`http://${API}/admin`, ADMIN],
    ["/admin", ADMIN],
    ["/admin/", ADMIN],
    ["/%61dmin", ADMIN],
    ["/%61%64%6d%69%6e", ADMIN],
    ["/administrator", "200"],
    ["/%2561dmin", "400 ambiguous_path"],
  ]) {
    test(`${target} ▸ ${expected}`, async () => assert.equal(await raw(target), expected));
  }

  test("is handed on as the rule saw it", async () => {
    for (const [sent, reached] of [
      ["/%61/%7e", "/a/~"],
      ["/%e3%81%82", "/%E3%81%82"],
      ["/a/../b", "/b"],
    ]) {
      assert.equal((await seen(sent)).path, reached);
    }
  });
});

describe("hosts keep to themselves", () => {
  test("the API's host shows nothing of the console, with a key or without", async () => {
    for (const path of [
      "/",
      "/app.js",
      "/app.css",
      "/index.html",
      "/v1/session",
      "/v1/keys",
      "/v1/verify",
      "/v1/introspect",
      "/v1/setup",
    ]) {
      const through = await seen(path);
      assert.equal(through.path, path);
      expect(await at.call(path), 401, "missing");
      expect(await at.call(path, { headers: { cookie: at.cookie } }), 401, "missing");
    }
  });

  test("the console's host forwards nothing", async () => {
    await at.worker.resetCounters();
    for (const [path, status] of [
      ["/any/a", 404],
      ["/a", 404],
      ["/public/a", 404],
      ["/v1/other", 404],
    ]) {
      expect(await at.ask(CONSOLE, path, { headers: { authorization: `Bearer ${key}` } }), status);
    }
    expect(await at.ask(CONSOLE, "/any/a", { method: "POST", body: "x" }), 405, "method_not_allowed");
    assert.equal((await at.worker.counters())["DEMO.fetch"], undefined);
  });

  test("another host has no API, whatever is asked of it", async () => {
    for (const host of [
      "other.localhost",
      "127.0.0.1",
      "api.localhost.evil.example",
      "xapi.localhost",
      "api.localhost..",
    ]) {
      for (const path of ["/", "/v1/keys", "/app.js"]) {
        const headers = { authorization: `Bearer ${key}`, "test-scheme": "https:" };
        expect(await at.ask(host, path, { headers }), 404, "no_route");
      }
    }
  });

  test("a host's letters have no case, and its port is no part of it", async () => {
    for (const host of ["API.localhost", "api.localhost:8787", "api.localhost.", "API.LOCALHOST.:8787"]) {
      expect(await at.ask(host, "/a", { headers: { authorization: `Bearer ${key}` } }), 200);
    }
  });
});

describe("methods and bodies", () => {
  test("reads need one permission, writes another", async () => {
    const reader = (await at.issue({ permissions: ["demo:read"] })).credential;
    const writer = (await at.issue({ permissions: ["demo:write"] })).credential;
    const none = (await at.issue({ permissions: [] })).credential;
    for (const [method, path, who, status] of [
      ["GET", "/a", reader, 200],
      ["HEAD", "/a", reader, 200],
      ["OPTIONS", "/a", reader, 200],
      ["POST", "/a", reader, 403],
      ["PUT", "/a", reader, 403],
      ["PATCH", "/a", reader, 403],
      ["DELETE", "/a", reader, 403],
      ["PROPFIND", "/a", reader, 403],
      ["GET", "/a", writer, 403],
      ["POST", "/a", writer, 200],
      ["DELETE", "/a", writer, 200],
      ["POST", "/search", reader, 200],
      ["POST", "/search", writer, 403],
      ["GET", "/a", none, 403],
      ["GET", "/any/a", none, 200],
      ["POST", "/any/a", none, 200],
    ]) {
      const answer = await at.call(path, { key: who, method });
      assert.equal(answer.status, status, `${method} ${path}`);
    }
  });

  test("HEAD is refused without a body, and let through without one", async () => {
    const refused = await at.call("/a", { method: "HEAD" });
    assert.deepEqual([refused.status, refused.text], [401, ""]);
    assert.ok(refused.headers["www-authenticate"]);
    assert.deepEqual((await at.call("/a", { key, method: "HEAD" })).text, "");
  });

  test("OPTIONS is no way past the key", async () => {
    expect(
      await at.call("/a", {
        method: "OPTIONS",
        headers: { origin: "https://x.example", "access-control-request-method": "GET" },
      }),
      401,
      "missing",
    );
    assert.equal((await seen("/a", { method: "OPTIONS" })).method, "OPTIONS");
  });

  test("10 MB stream both ways", { timeout: 20_000 }, async () => {
    const megabyte = Buffer.alloc(1 << 20, "0123456789abcdef");
    async function* body() {
      for (let count = 0; count < 10; count += 1) yield megabyte;
    }
    const headers = { authorization: `Bearer ${key}`, "cf-connecting-ip": CALLER };
    const answer = await at.worker.fetch(API, "/echo", { method: "POST", headers, body: body() });
    assert.equal(answer.status, 200);
    let length = 0;
    for await (const chunk of answer.body) length += chunk.length;
    assert.equal(length, 10 << 20);
  });

  test("a request is refused before its body has ended", { timeout: 5000 }, async () => {
    let end;
    const gate = new Promise((resolve) => (end = resolve));
    async function* body() {
      yield "begun";
      await gate;
    }
    const answer = await at.worker.fetch(API, "/echo", {
      method: "POST",
      headers: { "cf-connecting-ip": CALLER },
      body: body(),
    });
    assert.equal(answer.status, 401);
    end();
  });

  test("a WebSocket is carried with a key", { timeout: 5000 }, async () => {
    const socket = await at.worker.webSocket(API, "/socket", {
      authorization: `Bearer ${key}`,
      "cf-connecting-ip": CALLER,
    });
    const reply = new Promise((resolve) => socket.once("message", resolve));
    socket.send("hello");
    assert.equal(String(await reply), "hello");
    socket.close();
  });

  test("a WebSocket is refused without", { timeout: 5000 }, async () => {
    await assert.rejects(at.worker.webSocket(API, "/socket"), { status: 401 });
    await assert.rejects(at.worker.webSocket(API, "/socket", { authorization: `Bearer ${key}x` }), { status: 401 });
  });
});

describe("where a request comes from", () => {
  let office;
  before(async () => {
    office = (await at.issue({ networks: ["203.0.113.0/24", "2001:db8::/32"] })).credential;
  });

  const told = [
    [{ "cf-connecting-ip": "203.0.113.9" }, 200],
    [{ "cf-connecting-ip": "2001:db8::9" }, 200],
    [{ "cf-connecting-ip": "::ffff:203.0.113.9" }, 200],
    [{ "cf-connecting-ip": "240.0.0.1", "cf-connecting-ipv6": "2001:db8::9" }, 200],
    [{ "cf-connecting-ip": "203.0.114.1" }, 403],
    [{ "cf-connecting-ip": "2001:db9::9" }, 403],
    [{ "cf-connecting-ip": "203.0.114.1", "cf-connecting-ipv6": "2001:db8::9" }, 403],
    [{}, 403],
    [
      {
        "x-forwarded-for": "203.0.113.9",
        "x-real-ip": "203.0.113.9",
        "true-client-ip": "203.0.113.9",
        forwarded: "for=203.0.113.9",
      },
      403,
    ],
    [{ "cf-connecting-ip": "203.0.114.1", "x-forwarded-for": "203.0.113.9" }, 403],
    [{ "cf-connecting-ip": "203.0.113.9, 203.0.113.9" }, 403],
    [{ "cf-connecting-ip": "203.0.113.09" }, 403],
  ];
  for (const [headers, status] of told) {
    test(`${JSON.stringify(headers)} ▸ ${status}`, async () => {
      expect(
        await at.call("/a", { key: office, ip: null, headers }),
        status,
        status === 403 ? "network_denied" : undefined,
      );
    });
  }
});
