// Every route of the console's host: who may ask, by which method, path and headers.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { FOREIGN, changed, random, token } from "../../support/forge.mjs";
import { ROUTES, at, describeRoutes, draft, id, idempotency, send, useEveryRoute } from "../../support/every-route.mjs";
import { API, ORIGIN, OWNER, expect, setupToken } from "../../support/journey.mjs";

useEveryRoute();

describe("without a session, or with none of ours", () => {
  const session = () => at.cookie.split("=")[1];
  const cookies = {
    "no cookie": () => null,
    "an empty one": () => "__Host-claviger=",
    "a forged one": () => `__Host-claviger=${changed(session(), 30)}`,
    "one of another deployment": () =>
      `__Host-claviger=${token("S", { account: at.session.account.id, master: FOREIGN })}`,
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
        const answer = await at.console(route.method, route.path(), {
          body: route.body?.(),
          headers,
          cookie: cookie(),
        });
        assert.deepEqual([answer.status, answer.body.code], [401, "not_signed_in"], what);
        assert.deepEqual(await at.worker.counters(), {}, what);
      }
    },
  );

  test("a session that Claviger could have made, of an account that never was, is none either", async () => {
    for (const route of ROUTES.filter(({ session }) => session)) {
      const account = random(8);
      const cookie = `__Host-claviger=${token("S", { account })}`;
      expect(
        await send(route, { cookie, body: route.body?.(account), headers: { "if-match": '"1"' } }),
        401,
        "not_signed_in",
      );
    }
  });

  test("a key of an account that is not one's own is not there", async () => {
    const foreign = `/v1/keys/a1B2c3D4${id().slice(8)}`;
    for (const [method, path, body] of [
      ["GET", foreign],
      ["PATCH", foreign, {}],
      ["POST", `${foreign}/disable`],
      ["POST", `${foreign}/enable`],
    ]) {
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
        const answer = await at.console(route.method, route.path(), {
          body: route.body?.(),
          ...over,
          headers: { ...headers, ...over.headers },
        });
        expect(answer, 403, "cross_site");
      }
      assert.deepEqual(await at.worker.counters(), {});
    },
  );
});

describe("read from another site", () => {
  describeRoutes(
    ({ method, linked }) => method === "GET" && !linked,
    async (route) => {
      await at.worker.resetCounters();
      for (const method of ["GET", "HEAD"]) {
        for (const over of [
          { origin: "https://evil.example" },
          { origin: "null" },
          { origin: `http://${API}` },
          { origin: `http://${API}`, headers: { "sec-fetch-site": "same-origin" } },
          { origin: null, headers: { "sec-fetch-site": "cross-site" } },
          { origin: null, headers: { "sec-fetch-site": "same-site" } },
        ]) {
          const refused = await at.console(method, route.path(), over);
          assert.equal(refused.status, 403, JSON.stringify(over));
          if (method === "GET") assert.equal(refused.body.code, "cross_site");
        }
      }
      assert.deepEqual(await at.worker.counters(), {});
      // A program, an address that a person typed, and the console's own page.
      for (const over of [
        { origin: null },
        { origin: null, headers: { "sec-fetch-site": "none" } },
        { origin: null, headers: { "sec-fetch-site": "same-origin" } },
      ]) {
        expect(await at.console("GET", route.path(), over), ...route.good);
      }
    },
  );
});

describe("a GET", () => {
  // A use that the ledger still holds in memory is written with the next command.
  before(async () => expect(await at.console("GET", "/v1/session"), 200));

  describeRoutes(
    ({ method }) => method === "GET",
    async (route) => {
      await at.worker.resetCounters();
      for (const method of ["GET", "HEAD"])
        assert.equal((await at.console(method, route.path())).status, route.good[0]);
      const written = Object.entries(await at.worker.meters()).filter(
        ([name, rows]) => rows > 0 && !name.endsWith(".rowsRead"),
      );
      assert.deepEqual(written, [], "no row is written, and no alarm set");
    },
  );
});

describe("with a method that it does not have", () => {
  const allowed = {
    "/v1/setup": "POST",
    "/v1/setup/code": "POST",
    "/v1/member/address": "POST",
    "/v1/member/address/confirm": "POST",
    "/v1/session": "GET, HEAD, POST, DELETE",
    "/v1/session/step-up": "POST",
    "/v1/session/switch": "POST",
    "/v1/accounts": "GET, HEAD",
    "/v1/sessions": "GET, HEAD",
    "/v1/sessions/0123456789": "DELETE",
    "/v1/sessions/end-others": "POST",
    "/v1/member/password": "POST",
    "/v1/password/reset": "POST",
    "/v1/password/reset/confirm": "POST",
    "/v1/keys": "GET, HEAD, POST",
    "/v1/keys/check": "POST",
    "/v1/keys/a1B2c3D47Hq0p2Zx9K": "GET, HEAD, PATCH, DELETE",
    "/v1/key-pair": "GET, HEAD",
    "/v1/keys/a1B2c3D47Hq0p2Zx9K/disable": "POST",
    "/v1/keys/a1B2c3D47Hq0p2Zx9K/enable": "POST",
    "/v1/keys/a1B2c3D47Hq0p2Zx9K/issued": "GET, HEAD",
    "/v1/keys/a1B2c3D47Hq0p2Zx9K/reveal": "POST",
    "/v1/keys/a1B2c3D47Hq0p2Zx9K/restore": "POST",
    "/v1/deletions": "POST",
    "/v1/members": "GET, HEAD",
    "/v1/members/invitations": "POST",
    "/v1/members/invitations/0123456789": "DELETE",
    "/v1/members/invitations/0123456789/repeat": "POST",
    "/v1/members/0123456789A": "PATCH, DELETE",
    "/v1/members/0123456789A/end-sessions": "POST",
    "/v1/invitations/check": "POST",
    "/v1/invitations/accept": "POST",
    "/v1/member": "PATCH",
    "/v1/account": "PATCH",
    "/v1/deletions/0123456789": "GET, HEAD",
    "/v1/deletions/0123456789/code": "POST",
    "/v1/deletions/0123456789/confirm": "POST",
    "/v1/account/networks": "GET, HEAD, PUT",
    "/v1/account/networks/preview": "POST",
    "/v1/account/networks/7/delete": "POST",
    "/v1/account/service": "GET, HEAD, PATCH",
    "/v1/account/service/issued": "GET, HEAD",
    "/v1/account/service/reveal": "POST",
    "/v1/account/service/password": "POST",
    "/v1/sealed-keys/revoke": "POST",
    "/v1/activity": "GET, HEAD",
    "/v1/activity/export": "POST",
    "/v1/counters": "GET, HEAD",
    "/v1/operator/sign-in": "GET, HEAD",
    "/v1/operator/accounts": "GET, HEAD, POST",
    "/v1/operator/accounts/a1B2c3D4": "GET, HEAD, PATCH, DELETE",
    "/v1/operator/accounts/a1B2c3D4/policy": "GET, HEAD, PUT",
    "/v1/operator/accounts/a1B2c3D4/policy/preview": "POST",
    "/v1/operator/accounts/a1B2c3D4/networks": "DELETE",
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
  for (const path of [
    "/v1/",
    "/v1/nothing",
    "/v1/keys/",
    "/v1/keys/short",
    "/v1/keys/a1B2c3D47Hq0p2Zx9K/destroy",
    "/v1//keys",
    "/v1/keys/a1B2c3D47Hq0p2Zx9%4B",
    "/v1/operator",
  ]) {
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
      for (const [method, target, body] of [
        ["PATCH", path, {}],
        ["POST", `${path}/disable`],
        ["POST", `${path}/enable`],
      ]) {
        expect(await at.console(method, target, { body, headers }), 400, "bad_header");
      }
    }
    const { revision } = await at.show(id());
    await at.change(id(), { name: "changed meanwhile" });
    const late = expect(
      await at.console("PATCH", path, { body: {}, headers: { "if-match": `"${revision}"` } }),
      412,
      "changed_meanwhile",
    );
    assert.equal(late.body.key.name, "changed meanwhile");
    assert.equal(late.body.by, OWNER.name);
    assert.ok(Date.parse(late.body.at));
    assert.equal((await at.show(id())).status, "active");
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

test("a browser neither shows nor embeds an answer of the API, whatever it refuses", async () => {
  for (const [method, path, options, status] of [
    ["POST", "/v1/session", { body: { email: OWNER.email, password: OWNER.password } }, 201],
    ["GET", "/v1/keys", { cookie: null }, 401],
    ["GET", "/v1/nothing", {}, 404],
    ["PUT", "/v1/keys", {}, 405],
    ["POST", "/v1/keys", { origin: "https://other.example" }, 403],
  ]) {
    const answer = await at.console(method, path, options);
    const { "content-security-policy": policy, "cross-origin-resource-policy": from } = answer.headers;
    assert.deepEqual([answer.status, from], [status, "same-origin"], `${method} ${path}`);
    assert.equal(policy, "default-src 'none'; frame-ancestors 'none'", `${method} ${path}`);
  }
});
