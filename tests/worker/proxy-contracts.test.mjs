// Forward authentication by proxies that do not run here: the requests that Traefik, ingress-nginx and Envoy make by their
// contracts. The hop that Envoy needs is a real nginx, as docs/proxies configures it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { request } from "./support/client.mjs";
import { ANY_KEY, CALLER, CONSOLE, RULES, begin, expect } from "./support/journey.mjs";
import { startProxy } from "./support/proxies.mjs";

/** Where the proxy is. */
const PROXY = "198.51.100.4";
const ACCESS = "demo:read~demo:write";

let at;
let other;
const keys = {};

before(async () => {
  at = await begin({ rules: [{ host: CONSOLE, path: "/oauth/token", serves: "oauth-token" }, ...RULES] });
  keys.verifier = await at.issue({ ...ANY_KEY, permissions: ["claviger:verify"] });
  keys.all = await at.issue(ANY_KEY);
  keys.reader = await at.issue({ ...ANY_KEY, permissions: ["demo:read"] });
  keys.caller = await at.issue({ ...ANY_KEY, networks: [CALLER] });
  keys.none = await at.issue({ ...ANY_KEY, permissions: [] });
  other = await at.secondAccount();
  keys.foreign = await other.issue(ANY_KEY);
  keys.theirs = await other.issue({ ...ANY_KEY, permissions: ["claviger:verify"] });
});
after(() => at?.dispose());

/** What the proxy itself sends, for a client at `CALLER`. */
const CONTRACTS = {
  // The client's headers, then its own; the platform appends the proxy's address.
  traefik: (method) => ({
    "x-forwarded-method": method,
    "x-forwarded-proto": "https",
    "x-forwarded-host": "api.example.com",
    "x-forwarded-uri": "/a?b=c",
    "x-forwarded-for": `${CALLER},${PROXY}`,
    "x-forwarded-port": "443",
  }),
  "ingress-nginx": (method) => ({
    "x-request-id": "9f2c",
    "x-original-url": "https://api.example.com/a?b=c",
    "x-original-method": method,
    "x-sent-from": "nginx-ingress-controller",
    "x-real-ip": CALLER,
    "x-forwarded-for": `${CALLER}, ${PROXY}`,
    "x-auth-request-redirect": "/a?b=c",
  }),
};

/** Asks as a proxy does. */
const ask = (dialect, { key, method = "GET", headers = {}, access = ACCESS, verifier = keys.verifier } = {}) =>
  at.ask(CONSOLE, `/v1/forward-auth/${dialect}/${access}`, {
    headers: {
      "cf-connecting-ip": PROXY,
      "claviger-verifier": verifier.credential,
      ...CONTRACTS[dialect]?.(method),
      ...(key && { authorization: `Bearer ${key.credential}` }),
      ...headers,
    },
  });

for (const [dialect, name] of [
  ["traefik", "x-forwarded-for"],
  ["ingress-nginx", "x-forwarded-for"],
]) {
  describe(`${dialect}`, () => {
    test("gets 200 without a body and with the identity, or 401 or 403", async () => {
      const allowed = expect(await ask(dialect, { key: keys.all }), 200);
      assert.deepEqual([allowed.text, allowed.headers["content-length"]], ["", "0"]);
      assert.equal(allowed.headers["claviger-key"], keys.all.key.id);
      assert.equal(allowed.headers["claviger-account"], at.session.account.id);
      expect(await ask(dialect), 401, "missing");
      expect(await ask(dialect, { key: keys.reader, method: "POST" }), 403, "permission_denied");
      expect(await ask(dialect, { key: keys.reader }), 200);
      expect(await ask(dialect, { key: keys.none }), 403, "permission_denied");
      expect(await ask(dialect, { key: keys.none, access: "any-key" }), 200);
    });

    test("names the client's address in one header, to which the platform appends", async () => {
      expect(await ask(dialect, { key: keys.caller }), 200);
      for (const forged of [
        { [name]: `${CALLER}, 192.0.2.1, ${PROXY}` },
        { [name]: `${CALLER}, 192.0.2.1` },
        { [name]: "" },
        { [name]: `${CALLER}:443` },
      ])
        expect(await ask(dialect, { key: keys.caller, headers: forged }), 403, "proxy_misconfigured");
      const elsewhere = { [name]: `192.0.2.1, ${PROXY}`, "x-real-ip": CALLER, "claviger-address": CALLER };
      expect(await ask(dialect, { key: keys.caller, headers: elsewhere }), 403, "network_denied");
    });

    test("may keep a permission for less than T, and a refusal never", async () => {
      const seconds = ({ headers }) => Number(/^max-age=(\d+)$/.exec(headers["cache-control"])[1]);
      const allowed = expect(await ask(dialect, { key: keys.all }), 200);
      assert.ok(seconds(allowed) <= 10, allowed.headers["cache-control"]);
      assert.equal(allowed.headers["x-accel-expires"], `${seconds(allowed) - 1}`);
      for (const part of ["authorization", "x-api-key", "claviger-verifier", name])
        assert.ok(allowed.headers.vary.split(", ").includes(part), part);
      const short = await at.issue({ ...ANY_KEY, expires: "3s" });
      assert.ok(seconds(expect(await ask(dialect, { key: short }), 200)) <= 3);
      const refused = expect(await ask(dialect), 401);
      assert.equal(refused.headers["cache-control"], "no-store");
    });
  });
}

describe("the accounts that a proxy sees", () => {
  test("are all for the operator's, and its own for any other", async () => {
    expect(await ask("traefik", { key: keys.foreign }), 200);
    expect(await ask("traefik", { key: keys.foreign, verifier: keys.theirs }), 200);
    expect(await ask("traefik", { key: keys.all, verifier: keys.theirs }), 401, "unknown");
  });
});

describe("a proxy's own key", () => {
  test("is refused in one way, whatever is wrong with it", async () => {
    const limited = await at.issue({ ...ANY_KEY, permissions: ["claviger:verify"], networks: ["192.0.2.0/24"] });
    const texts = new Set();
    for (const verifier of [
      { credential: "" },
      { credential: "x" },
      { credential: `${keys.verifier.credential}, ${keys.verifier.credential}` },
      keys.all,
      limited,
    ]) {
      texts.add(expect(await ask("traefik", { key: keys.all, verifier }), 403, "verifier_refused").text);
    }
    assert.equal(texts.size, 1);
  });

  test("opens nothing else on this host, whatever the path becomes", async () => {
    for (const path of [
      "/",
      "/index.html",
      "/problems",
      "/v1/session",
      "/oauth/token",
      "/v1/forward-auth/envoy/any-key/../../../../.well-known/oauth-authorization-server",
      "/v1/forward-auth/envoy/any-key/../../../../",
      "/v1/forward-auth/envoy/any-key/%2e%2e/%2E%2E/../../index.html",
    ]) {
      const headers = { "cf-connecting-ip": PROXY, "claviger-verifier": keys.verifier.credential };
      expect(await at.ask(CONSOLE, path, { headers }), 403, "not_for_verifiers");
    }
  });
});

describe("Envoy, by the hop beside it", () => {
  let hop;
  before(async () => {
    hop = await startProxy("claviger-hop", { claviger: at.worker.port, verifier: keys.verifier.credential });
  });
  after(() => hop?.dispose());

  /** Asks as Envoy does: by the client's method, path and host, with the headers that its settings allow. */
  const send = async (path, { key, method = "GET", headers = {} } = {}) => {
    const answer = await request(hop.port, "api.example.com", path, {
      method,
      headers: {
        "content-length": "0",
        "x-envoy-internal": "true",
        "x-forwarded-for": "10.0.0.1",
        "x-envoy-expected-rq-timeout-ms": "5000",
        "claviger-address": CALLER,
        ...(key && { authorization: `Bearer ${key.credential}` }),
        ...headers,
      },
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };

  test("gets exactly 200 for what is allowed, with the headers to remove", async () => {
    const allowed = await send("/a/b?c=d", { key: keys.caller });
    assert.deepEqual([allowed.status, allowed.text], [200, ""]);
    assert.equal(allowed.headers["claviger-key"], keys.caller.key.id);
    assert.equal(allowed.headers["x-envoy-auth-headers-to-remove"], "authorization");
    const elsewhere = { "claviger-address": "192.0.2.1" };
    assert.equal((await send("/a", { key: keys.caller, headers: elsewhere })).status, 403);
  });

  test("decides by the client's method", async () => {
    for (const [method, status] of [
      ["GET", 200],
      ["HEAD", 200],
      ["OPTIONS", 200],
      ["POST", 403],
      ["PUT", 403],
      ["DELETE", 403],
    ])
      assert.equal((await send("/a", { key: keys.reader, method })).status, status, method);
    for (const name of ["x-http-method-override", "x_http_method_override", "x.http.method.override", "_method"]) {
      assert.equal((await send("/a", { key: keys.reader, headers: { [name]: "DELETE" } })).status, 403, name);
    }
  });

  test("is refused whatever path the client chooses", async () => {
    for (const path of [
      "/",
      "/../../../index.html",
      "/../any-key/x",
      "/%2e%2e/%2e%2e/%2e%2e/",
      "/..%2f..%2f..%2f",
      "//..//..//problems",
      "/v1/forward-auth/envoy/any-key",
      "/v1/session",
    ]) {
      for (const key of [undefined, keys.none]) {
        const { status } = await send(path, { key });
        assert.ok([400, 401, 403].includes(status), `${path} ▸ ${status}`);
      }
    }
  });
});

test("an answer is never a redirect, nor any other status, whatever a proxy sends", async () => {
  for (const method of ["GET", "HEAD", "POST", "OPTIONS", "PROPFIND"]) {
    for (const path of [
      "",
      "nginx",
      "nginx/",
      "apache/any-key",
      "nginx/any-key",
      "nginx/any-key/a",
      "envoy/x",
      "%00",
    ]) {
      const headers = { "cf-connecting-ip": PROXY, "claviger-verifier": keys.verifier.credential };
      const answer = await at.ask(CONSOLE, `/v1/forward-auth/${path}`, { method, headers });
      assert.ok([401, 403].includes(answer.status), `${method} ${path} ▸ ${answer.status}`);
    }
  }
});
