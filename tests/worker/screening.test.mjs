// What a client's headers, query and path bring along to the origin: nothing that overrides a
// decision, and no key.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { API, CALLER, CONSOLE, RULES, begin, eventually, expect } from "./support/journey.mjs";

let at;
let issued;
let key;
before(async () => {
  const form = {
    host: API,
    path: "/form",
    origin: "DEMO",
    any_key: true,
    credentials: ["authorization", "x-api-key", "form:u"],
  };
  at = await begin({ rules: [...RULES, form] });
  issued = await at.issue();
  key = issued.credential;
});
after(() => at.dispose());

/** What the demo origin saw of a request that came through, with the headers by name. */
async function seen(path, init) {
  const { body } = expect(await at.call(path, { key, ...init }), 200);
  return { ...body, sent: Object.fromEntries(body.headers) };
}

/** The ways through the gateway: decided by a few headers, by all of them, and without a key. */
const WAYS = {
  "at once": ["/a", {}],
  "under a rule for reading": ["/search", { method: "POST" }],
  "behind a public rule": ["/public/a", { key: null }],
  "in an exchange": ["/form", {}],
};

describe("what overrides a decision does not travel on", () => {
  const FORGED = [
    // Path.
    ...["X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-Forwarded-Prefix", "X-Forwarded-Uri", "Script_Name"],
    ...["Path-Info", "X-Accel-Mapping", "X-Sendfile-Type", "X-Middleware-Subrequest", "X-Invoke-Path", "X-Proxy-URL"],
    // Method.
    ...["X-HTTP-Method-Override", "X.HTTP.Method.Override", "X_HTTP_METHOD", "X-Method-Override", "X-Original-Method"],
    ...["X-Forwarded-Method", "_method", "X~HTTP~Method"],
    // Host and scheme.
    ...["X-Host", "X-Forwarded-Server", "X-HTTP-Host-Override", "X-Original-Host", "Front-End-Https", "X-Url-Scheme"],
    ...["X-Forwarded-Scheme", "CF_Visitor"],
    // Address.
    ...[
      "X-Real-IP",
      "X_Real_IP",
      "X.Real.IP",
      "Forwarded",
      "True-Client-IP",
      "Client-IP",
      "HTTP_CLIENT_IP",
      "X-Client-IP",
    ],
    ...["X-Cluster-Client-IP", "Fastly-Client-IP", "X-Azure-ClientIP", "X-Envoy-External-Address", "CF_Connecting_IP"],
    ...["CF-Connecting-IPv6", "WL-Proxy-Client-IP", "X-Original-Forwarded-For", "X-Remote-Addr", "X-Forwarded"],
    // User.
    ...["Remote-User", "REMOTE_USER", "X-Remote-User", "X-Forwarded-User", "X-Auth-Request-Email", "X-WEBAUTH-USER"],
    ...["X-Consumer-Username", "X-MS-Client-Principal-Name", "OIDC_CLAIM_sub", "X-SSL-Client-S-DN", "Client-Cert"],
    ...["X-Client-Cert", "X-Forwarded-Client-Cert", "SSL_CLIENT_VERIFY"],
    // Proxies.
    ...["Proxy", "Proxy-Authorization"],
  ];
  for (const [way, [path, init]] of Object.entries(WAYS)) {
    test(way, async () => {
      const headers = FORGED.map((name) => [name, "forged"]);
      const { headers: reached, method } = await seen(path, { ...init, headers });
      assert.deepEqual(
        reached.filter(([, value]) => value.includes("forged")),
        [],
      );
      assert.equal(method, init.method ?? "GET");
    });

    test(`${way}, and each alone, while honest headers stay`, async () => {
      const honest = {
        "x-request-id": "1",
        "x-auth-token": "2",
        "x-client-info": "3",
        "x-original-filename": "4",
        "access-control-request-method": "GET",
        destination: "/b",
        traceparent: "00-1-2-01",
        "x-api-version": "5",
        ...(path.startsWith("/public") && { "x-api-key": "the origin's own", authorization: "Bearer eyJ" }),
      };
      const { sent } = await seen(path, { ...init, headers: honest });
      for (const [name, value] of Object.entries(honest)) assert.equal(sent[name], value, name);
      for (const name of ["X-Original-URL", "x_http_method_override", "REMOTE_USER", "X-Real-IP"]) {
        const { headers: reached } = await seen(path, { ...init, headers: { [name]: "forged" } });
        assert.doesNotMatch(JSON.stringify(reached), /forged/, name);
      }
    });

    test(`${way}, what the platform knows is written in its place`, async () => {
      const forged = { "X-Forwarded-For": "10.0.0.1", x_forwarded_for: "10.0.0.2", "X-Forwarded-Host": "evil.example" };
      const headers = {
        ...forged,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "1",
        "Claviger-Address": "10.0.0.3",
      };
      const { sent } = await seen(path, { ...init, headers });
      const forwarded = Object.entries(sent).filter(([name]) => /forwarded|address/.test(name));
      assert.deepEqual(Object.fromEntries(forwarded), {
        "claviger-address": CALLER,
        "x-forwarded-for": CALLER,
        "x-forwarded-host": API,
        "x-forwarded-proto": "http",
      });
      assert.equal(sent["cf-connecting-ip"], CALLER);
    });
  }

  test("and no address is named that the platform does not tell", async () => {
    const { sent } = await seen("/a", { ip: null, headers: { "x-forwarded-for": "10.0.0.1" } });
    assert.deepEqual([sent["claviger-address"], sent["x-forwarded-for"]], [undefined, undefined]);
  });
});

describe("a header that servers read as Authorization or X-API-Key is that header", () => {
  const TWINS = ["X_API_Key", "x.api.key", "X-API_Key", "Authorization_", "_authorization"];
  for (const name of TWINS) {
    test(`${name} holds a key`, async () => {
      const { sent } = await seen("/a", { key: null, headers: { [name]: key } });
      assert.equal(sent["claviger-key"], issued.key.id);
      assert.equal(sent[name.toLowerCase()], undefined);
    });

    test(`${name} holds a key beside a token of another system`, async () => {
      for (const [place, token] of [
        ["authorization", "Bearer eyJ"],
        ["x-api-key", "another"],
      ]) {
        const { sent } = await seen("/a", { key: null, headers: { [place]: token, [name]: key } });
        assert.deepEqual([sent["claviger-key"], sent[place]], [issued.key.id, token]);
        assert.equal(sent[name.toLowerCase()], undefined);
      }
    });

    test(`${name} with the same key, or with another`, async () => {
      const { headers } = await seen("/a", { headers: { [name]: key } });
      assert.doesNotMatch(JSON.stringify(headers), new RegExp(issued.access_secret));
      for (const path of ["/a", "/form"])
        expect(await at.call(path, { key, headers: { [name]: `${key}x` } }), 400, "ambiguous_credential");
      // A token of another system is the origin's.
      assert.equal((await seen("/a", { headers: { [name]: "another" } })).sent[name.toLowerCase()], "another");
    });

    test(`${name} with a key does not reach a public origin, and the origin's own does`, async () => {
      assert.equal(
        (await seen("/public/a", { key: null, headers: { [name]: key } })).sent[name.toLowerCase()],
        undefined,
      );
      const { sent } = await seen("/public/a", { key: null, headers: { [name]: "its own" } });
      assert.equal(sent[name.toLowerCase()], "its own");
    });
  }

  test("and a call with one counts as one use", async () => {
    const { key: made, credential } = await at.issue();
    for (let count = 0; count < 3; count += 1)
      await seen("/a", { key: credential, headers: { X_API_Key: credential } });
    // What was counted here goes with the next refresh, which an unknown key asks for.
    const told = async () => {
      await at.call("/a", { key: (await at.issue()).credential });
      return (await at.show(made.id)).uses_24h;
    };
    await eventually("the uses are told", async () => (await told()) >= 3);
    assert.equal(await told(), 3);
  });
});

describe("the key does not travel on beside its place", () => {
  const escaped = (text) => [...text].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join("");
  const base64 = (text) => Buffer.from(text).toString("base64");
  const bases = () => ["", "a", "ab"].map((before) => base64(`${before}${key}:x`));

  /** Asserts that nothing of what reached the origin holds the key's secret, in any encoding. */
  function holdsNoKey(reached) {
    const text = JSON.stringify(reached);
    const plain = decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, "%25"));
    for (const form of [issued.access_secret, ...bases().map((encoded) => encoded.slice(40, 90))]) {
      assert.ok(!text.includes(form) && !plain.includes(form), text);
    }
  }

  for (const [way, [path, init]] of Object.entries(WAYS)) {
    // Behind a public rule the key is in its header all the same.
    const send = (headers, query = "") => seen(`${path}${query}`, { ...init, key, headers });

    test(`in headers, ${way}`, async () => {
      for (const value of [key, issued.access_secret, escaped(key), escaped(escaped(key)), ...bases()]) {
        for (const name of ["X-Token", "Referer", "Proxy-Authorization", "X-Original-Authorization", "Cookie"]) {
          holdsNoKey(await send({ [name]: value, "x-kept": "kept" }));
          const { sent } = await send({ [name]: `Basic ${value}`, "x-kept": "kept" });
          holdsNoKey(sent);
          assert.equal(sent["x-kept"], "kept");
        }
      }
    });

    test(`in a cookie, ${way}: the others stay`, async () => {
      const { sent } = await send({ cookie: `a=b; k=${key}; ${at.cookie}; c=${escaped(key)}; d=e` });
      assert.equal(sent.cookie, "a=b; d=e");
    });

    test(`in the query, ${way}: the other parameters stay as they are`, async () => {
      const { query } = await send(
        {},
        `?a=%20&k=${key}&b=${escaped(key)}&c=+&${base64(`x:${key}`)}&d=${key.slice(0, 22)}`,
      );
      assert.equal(query, `?a=%20&c=+&d=${key.slice(0, 22)}`);
    });

    test(`in the path, ${way}: refused`, async () => {
      if (path === "/form" || path === "/search") return;
      const paths = [key, escaped(key), base64(`x:${key}`).replaceAll("=", ""), `x/${issued.access_secret}/y`];
      for (const part of paths) {
        expect(await at.call(`${path}/${part}`, { ...init, key }), 400, "credential_in_path");
      }
    });
  }

  test("in a subprotocol of a WebSocket: the others stay", { timeout: 5000 }, async () => {
    const protocols = `chat, ${key}, base64url.bearer.${Buffer.from(key).toString("base64url")}, v2`;
    const headers = { "sec-websocket-protocol": protocols };
    assert.equal((await seen("/a", { headers })).sent["sec-websocket-protocol"], "chat, v2");
    const alone = { "sec-websocket-protocol": key };
    assert.equal((await seen("/a", { headers: alone })).sent["sec-websocket-protocol"], undefined);
  });

  test("whose key is short-lived: its MAC is its secret", async () => {
    const { service_id: sid, service_password: spw } = expect(
      await at.console("POST", "/v1/account/service/reveal"),
      200,
    ).body;
    const body = new URLSearchParams({ sid, spw, epi: "60000" }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const issuance = { method: "POST", headers, body };
    const sealed = expect(await at.ask(CONSOLE, "/issue_service_authorization", issuance), 200).text;
    assert.match(sealed, /^clvs_/);
    const [, mac] = sealed.split(".");
    const { headers: reached, query } = await seen(`/any/a?a=1&k=${sealed}`, {
      key: sealed,
      headers: { "x-token": sealed, "x-mac": mac, cookie: `k=${mac}; a=b`, "x-pair": base64(`x:${sealed}`) },
    });
    assert.equal(query, "?a=1");
    assert.deepEqual(Object.fromEntries(reached).cookie, "a=b");
    assert.ok(!JSON.stringify(reached).includes(mac));
    assert.equal(Object.fromEntries(reached)["x-pair"], undefined);
    expect(await at.call(`/any/${mac}`, { key: sealed }), 400, "credential_in_path");
  });

  test("and a long header without it stays", async () => {
    const jwt = `eyJhbGciOiJIUzI1NiJ9.${"a".repeat(200)}.${"b".repeat(43)}`;
    const cookie = `session=${jwt}; next=%2Fa%3Fb`;
    const { sent } = await seen("/a", { headers: { "x-jwt": jwt, cookie, referer: "https://a.example/?q=%E6%9D%B1" } });
    assert.deepEqual([sent["x-jwt"], sent.cookie, sent.referer], [jwt, cookie, "https://a.example/?q=%E6%9D%B1"]);
  });
});
