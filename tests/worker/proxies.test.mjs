// Forward authentication by real proxies, as docs/proxies configures them: nginx, HAProxy and Caddy.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { request, webSocket } from "./support/client.mjs";
import { ANY_KEY, begin } from "./support/journey.mjs";
import { startApi, startProxy } from "./support/proxies.mjs";

const HOST = "api.example.com";
/** The bound of a revocation in these tests, in seconds. */
const T = 2;

let at;
let api;
/** Keys by name. */
const keys = {};

before(async () => {
  at = await begin();
  api = await startApi();
  const path = `/v1/operator/accounts/${at.session.account.id}`;
  assert.equal((await at.console("PATCH", path, { body: { freshness_s: T } })).status, 200);
  const issue = (members) => at.issue({ ...ANY_KEY, ...members });
  keys.verifier = await issue({ permissions: ["claviger:verify"] });
  keys.all = await issue({});
  keys.reader = await issue({ permissions: ["demo:read"] });
  keys.here = await issue({ networks: ["127.0.0.1"] });
  keys.elsewhere = await issue({ networks: ["192.0.2.0/24"] });
});

after(async () => {
  await api?.dispose();
  await at?.dispose();
});

for (const name of ["nginx", "haproxy", "caddy"]) {
  describe(`${name}`, () => {
    let proxy;

    before(async () => {
      const ports = { claviger: at.worker.port, api: api.port };
      proxy = await startProxy(name, { ...ports, verifier: keys.verifier.credential });
    });
    after(() => proxy?.dispose());

    /** Sends a request by the proxy, and returns the answer with the request that reached the API, if one did. */
    const send = async ({ key, method = "GET", path = "/a", headers = {}, body } = {}) => {
      api.requests.length = 0;
      const sent = { ...headers, ...(key && { authorization: `Bearer ${key.credential}` }) };
      const answer = await request(proxy.port, HOST, path, { method, headers: sent, body });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, text, reached: api.requests[0] };
    };
    const refused = (answer, status) => {
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.reached, undefined, "the API got nothing");
    };

    test("lets a valid key through, with the caller's identity and without the key", async () => {
      const answer = await send({ key: keys.all, path: "/a/?b=%2F&c" });
      assert.deepEqual([answer.status, answer.text], [200, "from the API"]);
      const { url, headers } = answer.reached;
      assert.equal(url, "/a/?b=%2F&c");
      assert.equal(headers["claviger-account"], at.session.account.id);
      assert.equal(headers["claviger-key"], keys.all.key.id);
      assert.equal(headers["claviger-permissions"], "demo:read demo:write");
      assert.equal(headers["claviger-address"], "127.0.0.1");
      for (const gone of ["authorization", "x-api-key", "claviger-verifier"]) assert.ok(!headers[gone], gone);
      assert.equal((await send({ headers: { "x-api-key": keys.all.credential } })).status, 200);
    });

    test("refuses what is no valid key, and says how to send one", async () => {
      for (const headers of [
        {},
        { authorization: "Bearer" },
        { authorization: "Bearer clv_x" },
        { authorization: `Bearer ${keys.all.credential.slice(0, -1)}` },
        { authorization: `Bearer ${keys.all.credential}`, "x-api-key": keys.reader.credential },
        { "x-api-key": "another system's" },
      ]) {
        const answer = await send({ headers });
        refused(answer, 401);
        assert.match(answer.headers["www-authenticate"], /^Bearer realm=/);
      }
    });

    test("refuses a header that is sent twice", async () => {
      const twice = ["x-api-key", keys.all.credential];
      api.requests.length = 0;
      const answer = await request(proxy.port, HOST, "/a", { headers: [twice, ["x-api-key", "x"]] });
      assert.ok([400, 401].includes(answer.status), `${answer.status}`);
      assert.equal(api.requests.length, 0);
    });

    test("demands a permission by the method", async () => {
      for (const [method, status] of [
        ["GET", 200],
        ["HEAD", 200],
        ["OPTIONS", 200],
        ["POST", 403],
        ["DELETE", 403],
      ]) {
        const answer = await send({ key: keys.reader, method });
        assert.equal(answer.status, status, method);
        assert.equal(answer.reached?.method, status === 200 ? method : undefined);
      }
      refused(await send({ method: "OPTIONS" }), 401);
      refused(await send({ method: "HEAD" }), 401);
    });

    test("takes no method, URI or override of the client's for its own", async () => {
      for (const forged of [
        { "x-original-method": "GET" },
        { "x-forwarded-method": "GET" },
        { "x-original-uri": "/public", "x-original-url": "https://api.example.com/public" },
        { "x-forwarded-uri": "/public" },
      ])
        refused(await send({ key: keys.reader, method: "POST", headers: forged }), 403);
      for (const override of [
        "x-http-method-override",
        "x-method-override",
        "x_http_method_override",
        "method-override",
        "http-method-override",
        "x-override-method",
        "x-http-method",
        "x-method",
      ]) {
        const answer = await send({ key: keys.reader, headers: { [override]: "DELETE" } });
        // A permission that nginx keeps does not know of it, so nginx cuts it out.
        if (answer.status === 200) assert.ok(!Object.hasOwn(answer.reached.headers, override), override);
        else refused(answer, 403);
      }
    });

    test("takes no identity of the client's for Claviger's", async () => {
      const forged = {
        "claviger-account": "zzzzzzzz",
        "claviger-key": "zzzzzzzz0123456789",
        "claviger-permissions": "demo:write admin:use",
        "claviger-address": "192.0.2.1",
        "claviger-verifier": keys.reader.credential,
      };
      refused(await send({ headers: forged }), 401);
      const { reached } = await send({ key: keys.reader, headers: forged });
      assert.equal(reached.headers["claviger-account"], at.session.account.id);
      assert.equal(reached.headers["claviger-key"], keys.reader.key.id);
      assert.equal(reached.headers["claviger-permissions"], "demo:read");
      assert.equal(reached.headers["claviger-address"], "127.0.0.1");
      assert.ok(!reached.headers["claviger-verifier"]);
    });

    test("passes on no other spelling of an identity, nor of the key", async () => {
      const forged = Object.fromEntries(
        ["claviger_account", "claviger.permissions", "_claviger-account", "claviger_"].map((name) => [name, "forged"]),
      );
      const { status, reached } = await send({ key: keys.all, headers: forged });
      assert.equal(status, 200);
      assert.ok(!JSON.stringify(reached.headers).includes("forged"), JSON.stringify(reached.headers));
      const key = keys.all.credential;
      for (const headers of [{ x_api_key: key }, { "authorization.": `Bearer ${key}` }, { "x.api.key": key }]) {
        for (const also of [undefined, keys.all]) {
          const answer = await send({ key: also, headers });
          if (answer.status === 200) assert.ok(!JSON.stringify(answer.reached.headers).includes(key), "cut out");
          else refused(answer, 401);
        }
      }
    });

    test("keeps the identity from a client that names it in Connection", async () => {
      const connection = "claviger-account, claviger-key, claviger-permissions";
      const { status, reached } = await send({ key: keys.reader, headers: { connection } });
      assert.equal(status, 200);
      assert.equal(reached.headers["claviger-account"], at.session.account.id);
      assert.equal(reached.headers["claviger-permissions"], "demo:read");
      assert.ok(!/claviger/i.test(reached.headers.connection ?? ""), reached.headers.connection);
    });

    test("passes on no upgrade but a WebSocket's", async () => {
      const before = api.upgrades.length;
      for (const lines of [
        ["h2c"],
        ["HTTP/2.0"],
        ["websocket, h2c"],
        ["h2c", "websocket"],
        ["websocket", "h2c"],
        ["foo"],
      ]) {
        api.requests.length = 0;
        const answer = await request(proxy.port, HOST, "/a", {
          headers: [
            ["authorization", `Bearer ${keys.reader.credential}`],
            ["connection", "upgrade, http2-settings"],
            ["http2-settings", "AAMAAABkAARAAAAAAAIAAAAA"],
            ...lines.map((value) => ["upgrade", value]),
          ],
        });
        await answer.text();
        const upgrades = api.upgrades.slice(before).filter((value) => value !== "websocket");
        assert.deepEqual(upgrades, [], lines.join(" and "));
        assert.ok(!api.requests[0]?.headers["http2-settings"]);
      }
      assert.equal((await send({ key: keys.reader, headers: { connection: "upgrade", upgrade: "h2c" } })).status, 200);
    });

    test("limits a key to networks by the client's own address", async () => {
      assert.equal((await send({ key: keys.here })).status, 200);
      for (const forged of [
        {},
        { "x-forwarded-for": "192.0.2.1" },
        { "x-real-ip": "192.0.2.1" },
        { "claviger-address": "192.0.2.1" },
        { "cf-connecting-ip": "192.0.2.1" },
        { forwarded: "for=192.0.2.1" },
      ])
        refused(await send({ key: keys.elsewhere, headers: forged }), 403);
    });

    test("passes a large upload on whole, and reads none of a refused one first", async () => {
      const body = Buffer.alloc(8 << 20, "upload ");
      const answer = await send({ key: keys.all, method: "POST", body });
      assert.equal(answer.status, 200);
      assert.ok(answer.reached.body.equals(body));
      refused(await send({ method: "POST", body: body.subarray(0, 1_000) }), 401);
    });

    test("opens a WebSocket for a valid key alone", async () => {
      const socket = await webSocket(proxy.port, HOST, "/socket", {
        authorization: `Bearer ${keys.all.credential}`,
      });
      socket.send("hello");
      const [data] = await once(socket, "message");
      assert.equal(`${data}`, "hello");
      socket.close();
      await assert.rejects(webSocket(proxy.port, HOST, "/socket", {}), { status: 401 });
    });

    test("refuses a disabled key within T, whatever it keeps", async () => {
      const key = await at.issue(ANY_KEY);
      const calls = async () => (await send({ key })).status;
      assert.equal(await calls(), 200);
      assert.equal(await calls(), 200);
      const headers = { "if-match": `"${(await at.show(key.key.id)).revision}"` };
      assert.equal((await at.console("POST", `/v1/keys/${key.key.id}/disable`, { headers })).status, 200);
      const since = performance.now();
      while ((await calls()) === 200) {
        assert.ok(performance.now() - since < T * 1_000 + 3_000, "refused within T, and what this machine needs");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      console.log(
        `${name}: refused ${Math.round(performance.now() - since)} ms after the answer (T = ${T * 1_000} ms)`,
      );
      assert.equal(await calls(), 401);
    });
  });
}

test("nginx keeps a permission for the place alone that it was given for", async () => {
  const ports = { claviger: at.worker.port, api: api.port };
  const proxy = await startProxy("nginx", { ...ports, verifier: keys.verifier.credential });
  try {
    const headers = { authorization: `Bearer ${keys.reader.credential}` };
    const status = async (path) => (await request(proxy.port, HOST, path, { headers })).status;
    assert.deepEqual([await status("/admin/x"), await status("/a"), await status("/admin/x")], [403, 200, 403]);
  } finally {
    await proxy.dispose();
  }
});

describe("a proxy whose own key is wrong", () => {
  for (const name of ["nginx", "haproxy", "caddy"]) {
    test(`refuses everything: ${name}`, async () => {
      const ports = { claviger: at.worker.port, api: api.port };
      const proxy = await startProxy(name, { ...ports, verifier: keys.reader.credential });
      try {
        api.requests.length = 0;
        const headers = { authorization: `Bearer ${keys.all.credential}` };
        const answer = await request(proxy.port, HOST, "/a", { headers });
        assert.equal(answer.status, 403);
        assert.ok(!(await answer.text()).includes(keys.reader.key.id));
        assert.equal(api.requests.length, 0);
      } finally {
        await proxy.dispose();
      }
    });
  }
});

describe("a proxy that cannot reach Claviger", () => {
  for (const [name, status] of [
    ["nginx", 500],
    ["haproxy", 503],
    ["caddy", 502],
  ]) {
    test(`refuses everything: ${name}`, async () => {
      // Port 9, discard, has no server here.
      const proxy = await startProxy(name, { claviger: 9, api: api.port, verifier: keys.verifier.credential });
      try {
        api.requests.length = 0;
        const headers = { authorization: `Bearer ${keys.all.credential}` };
        const answer = await request(proxy.port, HOST, "/a", { headers });
        assert.equal(answer.status, status);
        assert.equal(api.requests.length, 0);
      } finally {
        await proxy.dispose();
      }
    });
  }
});
