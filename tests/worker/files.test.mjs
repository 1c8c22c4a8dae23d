// How long browsers keep the console's files.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { start } from "./support/harness.mjs";

let worker;
before(async () => {
  worker = await start();
});
after(() => worker.dispose());

const cacheOf = async (path) => {
  const answer = await worker.fetch("localhost", path);
  await answer.text();
  return [answer.status, answer.headers["cache-control"]];
};

test("a file whose name has a hash of its content is kept for a year, and no other", async () => {
  const hashed = readdirSync(new URL("../../dist/console/hashed/", import.meta.url));
  assert.ok(hashed.length > 3);
  for (const name of hashed)
    assert.deepEqual(await cacheOf(`/hashed/${name}`), [200, "public, max-age=31536000, immutable"], name);
  for (const path of ["/app.js", "/app.css", "/favicon.svg"]) {
    const [status, cache] = await cacheOf(path);
    assert.equal(status, 200);
    assert.doesNotMatch(cache, /immutable|max-age=[1-9]/, path);
  }
  assert.deepEqual(await cacheOf("/"), [200, "no-store"]);
});

test("a file that another release has is not remembered as missing", async () => {
  assert.deepEqual(await cacheOf("/hashed/page-AAAAAAAA.js"), [404, "no-store"]);
});
