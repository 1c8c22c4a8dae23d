// What comes back from an origin: redirects to its own host, and pages of other sites that read the
// response.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { API, begin, expect } from "./support/journey.mjs";
import { rawOrigin } from "./support/raw-origin.mjs";

const APP = "https://app.example.com";
const EVIL = "https://evil.example";

let at;
let key;
let origin;
before(async () => {
  origin = await rawOrigin();
  const rule = (path, more) => ({ host: API, path, origin: "DEMO", any_key: true, ...more });
  at = await begin({
    rules: [
      rule("/*"),
      rule("/url/*", { origin: origin.base }),
      rule("/kept/*", { origin: origin.base, rewrite_location: false }),
      rule("/dead/*", { origin: "http://127.0.0.1:1", cors: [APP] }),
      rule("/cors/*", { origin: origin.base, cors: [APP, "http://localhost:3000"] }),
      { host: API, path: "/write/*", origin: "DEMO", permission: "admin:use", cors: [APP] },
      rule("/form/*", { cors: [APP], credentials: ["authorization", "form:u"] }),
      rule("/all/*", { cors: ["*"] }),
      rule("/null/*", { cors: ["null"] }),
      rule("/own/*", { origin: origin.base }),
      { host: API, path: "/public/*", origin: origin.base, public: true, cors: [APP] },
    ],
  });
  key = (await at.issue()).credential;
});
after(async () => {
  await at?.dispose();
  await origin.close();
});

/** Has the origin answer with these header lines. */
const says = (path, ...lines) => (origin.answers[path] = ["HTTP/1.1 302 Found", ...lines]);

describe("a location at the origin", () => {
  const PUBLIC = `http://${API}:8787`;
  /** What arrives of a `Location` and a `Content-Location` that the origin sends. */
  async function arrives(path, location) {
    says(path, `Location: ${location}`, `Content-Location: ${location}`);
    const { headers } = expect(await at.ask(`${API}:8787`, path, { headers: { authorization: `Bearer ${key}` } }), 302);
    assert.equal(headers.location, headers["content-location"]);
    return headers.location;
  }
  const port = () => new URL(origin.base).port;

  for (const [what, sent, expected] of [
    ["is written with the public host", () => `${origin.base}/url/b?c=d%2F#e`, `${PUBLIC}/url/b?c=d%2F#e`],
    ["without a path, too", () => origin.base, `${PUBLIC}/`],
    ["in other letters, too", () => `HTTP://127.0.0.1:${port()}/b`, `${PUBLIC}/b`],
    ["without a scheme, too", () => `//127.0.0.1:${port()}/b`, `${PUBLIC}/b`],
    ["with backslashes, too", () => `\\\\127.0.0.1:${port()}/b`, `${PUBLIC}/b`],
    ["with a user, too, who is left out", () => `http://u:p@127.0.0.1:${port()}/b`, `${PUBLIC}/b`],
  ]) {
    test(what, async () => assert.equal(await arrives("/url/a", sent()), expected));
  }

  test("elsewhere or relative comes as it is", async () => {
    for (const location of [
      "/url/b",
      "b?c",
      "?c",
      "#d",
      "../b",
      "https://elsewhere.example/",
      `https://127.0.0.1:${port()}/b`,
      "http://127.0.0.1/b",
      `http://127.0.0.1:${port()}.evil.example/b`,
      `http://127.0.0.1.evil.example:${port()}/b`,
      `https://elsewhere.example/?to=${origin.base}/`,
      "http://[/",
      "mailto:a@b.example",
    ]) {
      assert.equal(await arrives("/url/a", location), location);
    }
  });

  test("comes as it is under a rule that says so", async () => {
    assert.equal(await arrives("/kept/a", `${origin.base}/kept/b`), `${origin.base}/kept/b`);
  });

  test("is not written with the dot of a host", async () => {
    says("/url/a", `Location: ${origin.base}/b`);
    const { headers } = await at.ask(`${API}.`, "/url/a", { headers: { authorization: `Bearer ${key}` } });
    assert.equal(headers.location, `http://${API}/b`);
  });
});

const ours = ({ headers }) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => /^access-control-|^vary$/.test(name)));
const EXPOSED = "www-authenticate, retry-after";
const READABLE = {
  "access-control-allow-origin": APP,
  "access-control-expose-headers": EXPOSED,
  vary: "origin",
};

describe("a preflight", () => {
  const preflight = (path, site, method = "PUT", wanted = "authorization,x-api-key,content-type") => {
    const headers = { origin: site, "access-control-request-method": method };
    if (wanted) headers["access-control-request-headers"] = wanted;
    return at.call(path, { method: "OPTIONS", headers });
  };

  test("of a listed site is answered without a key, and reaches nothing", async () => {
    await at.worker.resetCounters();
    origin.last = [];
    for (const [path, site] of [
      ["/cors/a", APP],
      ["/cors/a", "http://localhost:3000"],
      ["/write/a", APP],
      ["/public/a", APP],
    ]) {
      const answer = expect(await preflight(path, site), 204);
      assert.deepEqual(ours(answer), {
        "access-control-allow-origin": site,
        "access-control-allow-methods": "PUT",
        "access-control-allow-headers": "authorization,x-api-key,content-type",
        "access-control-max-age": "7200",
        vary: "origin, access-control-request-method, access-control-request-headers",
      });
      assert.equal(answer.text, "");
    }
    assert.deepEqual([origin.last, await at.worker.counters()], [[], {}]);
  });

  test("of any site, where the rule says so", async () => {
    for (const site of [EVIL, "null"]) {
      const answer = expect(await preflight("/all/a", site, "GET", undefined), 204);
      assert.equal(answer.headers["access-control-allow-origin"], "*");
      assert.equal(answer.headers["access-control-allow-credentials"], undefined);
      assert.equal(answer.headers["access-control-allow-methods"], "GET");
    }
  });

  test("of another site is a request like any other", async () => {
    for (const site of [EVIL, "null", `${APP}:8443`, "http://app.example.com", `${APP}.`, `${APP}, ${EVIL}`, ""]) {
      const answer = expect(await preflight("/cors/a", site), 401, "missing");
      assert.deepEqual(ours(answer), { vary: "origin" }, site);
    }
    expect(await preflight("/own/a", APP), 401, "missing");
  });

  test("has a method and an origin", async () => {
    const options = (headers) => at.call("/cors/a", { method: "OPTIONS", headers });
    expect(await options({ origin: APP }), 401, "missing");
    expect(await options({ "access-control-request-method": "GET" }), 401, "missing");
    expect(await at.call("/cors/a", { headers: { origin: APP, "access-control-request-method": "GET" } }), 401);
  });
});

describe("a response", () => {
  const call = (path, { site = APP, key: sent = key, ...init } = {}) =>
    at.call(path, { ...init, key: sent, headers: { ...(site && { origin: site }), ...init.headers } });

  test("of the origin is readable by pages of listed sites", async () => {
    origin.answers["/cors/a"] = ["HTTP/1.1 200 OK"];
    assert.deepEqual(ours(expect(await call("/cors/a"), 200)), READABLE);
    assert.deepEqual(ours(expect(await call("/public/a", { key: null }), 200)), READABLE);
    for (const site of [EVIL, "null", null]) {
      assert.deepEqual(ours(expect(await call("/cors/a", { site }), 200)), { vary: "origin" });
    }
    assert.deepEqual(ours(expect(await call("/all/a", { site: EVIL }), 200)), {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": EXPOSED,
    });
    assert.equal(ours(await call("/null/a", { site: "null" }))["access-control-allow-origin"], "null");
    assert.deepEqual(ours(await call("/null/a", { site: EVIL })), { vary: "origin" });
  });

  test("that refuses is readable, too", async () => {
    for (const [path, init, status, code] of [
      ["/cors/a", { key: null }, 401, "missing"],
      ["/cors/a", { key: "clv_x" }, 401, "malformed"],
      ["/cors/a", { key: "clv_x" }, 401, "malformed"],
      ["/write/a", {}, 403, "permission_denied"],
      ["/cors/a", { headers: { "x-api-key": "clv_x" } }, 400, "ambiguous_credential"],
      ["/dead/a", {}, 502, "origin_unreachable"],
      [
        "/form/a",
        {
          method: "POST",
          key: null,
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: (function* () {
            for (let count = 0; count < 2000; count += 1) yield Buffer.from("a");
          })(),
        },
        408,
        "body_too_slow",
      ],
    ]) {
      const refused = expect(await call(path, init), status, code);
      assert.deepEqual(ours(refused), READABLE, `${path} ${code}`);
      if (status === 401) assert.ok(refused.headers["www-authenticate"]);
    }
    for (const init of [{ key: null }, { key: "clv_x" }]) {
      assert.deepEqual(ours(expect(await call("/cors/a", { ...init, site: EVIL }), 401)), { vary: "origin" });
    }
  });

  test("has the rule's headers in place of the origin's own", async () => {
    const own = [
      "Access-Control-Allow-Origin: *",
      "Access-Control-Allow-Credentials: true",
      "Access-Control-Expose-Headers: X-Total",
      "Vary: Accept",
    ];
    for (const path of ["/cors/own", "/own/a"]) origin.answers[path] = ["HTTP/1.1 200 OK", ...own];
    assert.deepEqual(ours(expect(await call("/cors/own"), 200)), {
      "access-control-allow-origin": APP,
      "access-control-expose-headers": `${EXPOSED}, X-Total`,
      vary: "Accept, origin",
    });
    assert.deepEqual(ours(await call("/cors/own", { site: EVIL })), { vary: "Accept, origin" });
    // A rule that lists no site leaves everything to the origin.
    assert.deepEqual(ours(expect(await call("/own/a", { site: EVIL }), 200)), {
      "access-control-allow-origin": "*",
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "X-Total",
      vary: "Accept",
    });
  });

  test("of an outage is readable, with the time to wait", async () => {
    const { credential } = await at.issue();
    await at.forget();
    await at.worker.setFaults({ on: "LEDGER.fetch", mode: "fail" }, { on: "KEYS.get", mode: "fail" });
    const refused = expect(await call("/cors/a", { key: credential }), 503, "unavailable");
    await at.worker.setFaults();
    assert.deepEqual(ours(refused), READABLE);
    assert.equal(refused.headers["retry-after"], "2");
  });
});
