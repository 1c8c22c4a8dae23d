// A body whose opening was read: what goes on of it, and that making it is little work.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Body } from "../../src/workers/edge/body.js";

/** The body of these bytes, in chunks of a size, read to its end. */
async function read(bytes, size) {
  const body = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size));
      controller.close();
    },
  });
  const opened = new Body({ body });
  while (await opened.more());
  return opened;
}

const text = async (blob) => new TextDecoder().decode(await blob.arrayBuffer());

test("what is cut out is gone, wherever chunks end", async () => {
  const bytes = new TextEncoder().encode("0123456789");
  for (const [cuts, left] of [
    [[], "0123456789"],
    [[[0, 3]], "3456789"],
    [[[7, 10]], "0123456"],
    [[[0, 10]], ""],
    [
      [
        [1, 2],
        [2, 4],
        [8, 9],
      ],
      "045679",
    ],
    [
      [
        [0, 1],
        [3, 7],
        [9, 10],
      ],
      "1278",
    ],
  ]) {
    for (let size = 1; size <= 11; size += 1) {
      const headers = new Headers({ "content-length": "10" });
      assert.equal(
        await text((await read(bytes, size)).stream(cuts, headers)),
        left,
        `${JSON.stringify(cuts)} of ${size}`,
      );
      assert.equal(headers.get("content-length"), `${left.length}`);
    }
  }
});

test("a body that is nothing but cuts, in chunks of a byte, costs each cut a look or two", async () => {
  const fields = 10_922;
  const bytes = new TextEncoder().encode("u=&v&".repeat(fields));
  let looks = 0;
  const cuts = Array.from({ length: fields }, (_, n) => [5 * n, 5 * n + 3]);
  const watched = new Proxy(cuts, {
    get(target, name) {
      if (typeof name === "string" && /^\d+$/.test(name)) looks += 1;
      return Reflect.get(target, name);
    },
  });
  const onward = (await read(bytes, 1)).stream(watched, new Headers());
  assert.equal(await text(onward), "v&".repeat(fields));
  assert.ok(looks <= 2 * fields, `${looks} looks at ${fields} cuts`);
});
