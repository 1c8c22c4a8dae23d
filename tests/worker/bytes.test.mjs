// What of a request reaches an origin byte for byte, and what docs/gateway.md says the platform
// changes: on the wire of an origin by URL, and at a bound service.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { API, begin, expect } from "./support/journey.mjs";
import { rawOrigin } from "./support/raw-origin.mjs";

let at;
let key;
let origin;
before(async () => {
  origin = await rawOrigin();
  at = await begin({
    rules: [
      { host: API, path: "/*", origin: origin.base, any_key: true, credentials: ["authorization", "query:u"] },
      { host: API, path: "/bound/*", origin: "DEMO", any_key: true, credentials: ["authorization", "query:u"] },
    ],
  });
  key = (await at.issue()).credential;
});
after(async () => {
  await at?.dispose();
  await origin.close();
});

/** Calls with these bytes after the method. Clients would mend them. */
const send = (target, ...headers) => {
  const head = [
    `GET ${target} HTTP/1.1`,
    `Host: ${API}`,
    `Authorization: Bearer ${key}`,
    "Connection: close",
    ...headers,
  ];
  return at.worker.raw(`${head.join("\r\n")}\r\n\r\n`);
};

/** Resolves to the target in the request line that the origin got. */
async function reached(target) {
  origin.last = [];
  const answer = await send(target);
  assert.match(answer, /^HTTP\/1\.1 200 /, answer);
  return origin.last[0]?.split(" ")[1];
}

/** Resolves to the target that the bound service got, which `request.url` holds without `/bound`. */
async function reachedBound(target) {
  const answer = await send(`/bound${target}`);
  assert.match(answer, /^HTTP\/1\.1 200 /, answer);
  const { href } = JSON.parse(/\{.*\}/.exec(answer)[0]);
  return href.slice(`http://${API}/bound`.length);
}

describe("a path and a query", () => {
  for (const [target, expected = target] of [
    ["/x"],
    ["/x?"],
    ["/x?a"],
    ["/x?a=1&b=%27&c=%2F&d=%e3%81%82&&e="],
    ["/x?a=b?c=/d"],
    ["/x!$&'()*+,=:@~"],
    ["/x?a=%00%zz%"],
    // Claviger: one spelling of each path, so that the origin reads what the rule read.
    ["/%78/%e3%81%82", "/x/%E3%81%82"],
    // The platform: as a URL parser serialises it.
    ["/x?a='b'", "/x?a=%27b%27"],
    ["/x{y}?a={b}|`^", "/x%7By%7D?a={b}|`^"],
    ["/x^|", "/x%5E|"],
  ]) {
    test(`${target} ▸ ${expected}`, async () => {
      assert.equal(await reached(target), expected);
      assert.equal(await reachedBound(target), expected);
    });
  }

  test("a query of which the key was all goes without its question mark", async () => {
    for (const [sent, expected] of [
      [`/x?u=${key}`, "/x"],
      [`/x?u=${key}&a`, "/x?a"],
    ]) {
      expect(await at.call(sent), 200);
      assert.equal(origin.last[0].split(" ")[1], expected);
    }
  });
});

describe("the headers that the platform adds for an origin by URL", () => {
  /** The lines of these headers, as the origin got them. */
  const lines = (...names) => origin.last.filter((line) => names.includes(line.split(":")[0].toLowerCase())).sort();

  test("ask caches on the way for a new answer, unless the client says otherwise", async () => {
    for (const [sent, expected] of [
      [[], ["Cache-Control: no-cache", "Pragma: no-cache"]],
      [["Cache-Control: max-age=5"], ["Cache-Control: max-age=5", "Pragma: no-cache"]],
      [["Pragma: x"], ["Cache-Control: no-cache", "Pragma: x"]],
    ]) {
      await send("/x", ...sent);
      assert.deepEqual(lines("cache-control", "pragma"), expected);
    }
    expect(await at.call("/bound/x", { key }), 200);
    const { headers } = JSON.parse((await at.call("/bound/x", { key })).text);
    assert.deepEqual(
      headers.filter(([name]) => /^(cache-control|pragma)$/.test(name)),
      [],
    );
  });

  test("name the origin as host", async () => {
    await send("/x");
    assert.deepEqual(lines("host"), [`Host: ${new URL(origin.base).host}`]);
  });
});
