// The size of what every isolate of the edge compiles. Needs the release build: the stage `deploy`
// makes it and runs this.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const folder = new URL("../../dist/edge/", import.meta.url);

/** Kilobytes, gzip at its highest level: how the platform counts a Worker. */
const CEILING_KB = 250;
const GOAL_KB = 150;

test(`the edge Worker has at most ${CEILING_KB} KB`, (context) => {
  const names = readdirSync(folder).filter((name) => name.endsWith(".wasm") || name === "index.js");
  assert.equal(names.length, 2, `dist/edge/ holds ${names.join(", ")}`);
  const sizes = names.map((name) => ({
    name,
    kb: gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length / 1024,
  }));
  const sum = sizes.reduce((total, { kb }) => total + kb, 0);
  const parts = sizes.map(({ name, kb }) => `${name} ${kb.toFixed(1)} KB`).join(", ");
  context.diagnostic(`edge: ${sum.toFixed(1)} KB gzip (goal ${GOAL_KB}): ${parts}`);
  assert.ok(sum <= CEILING_KB, `${sum.toFixed(1)} KB: ${parts}`);
});
