// WebSockets through the gateway: what either side sends arrives at the other.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { API, CALLER, begin } from "./support/journey.mjs";

let at;
let key;
before(async () => {
  at = await begin();
  key = (await at.issue()).credential;
});
after(() => at?.dispose());

const withKey = () => ({ authorization: `Bearer ${key}`, "cf-connecting-ip": CALLER });

describe("the demo API sends back each message as it came", () => {
  const rows = {
    text: "hello",
    "empty text": "",
    "text beyond ASCII": "鍵 🔑",
    "text that looks like bytes": "[object Blob]",
    bytes: Buffer.from([0, 1, 2, 0xff, 0xc3, 0x28]),
    "no bytes": Buffer.alloc(0),
    "bytes that are also text": Buffer.from("hello"),
    "a large text": "0123456789abcdef".repeat(1 << 15),
    "many bytes": Buffer.alloc(1 << 19, "\u00ff\u0000", "latin1"),
  };
  for (const [what, message] of Object.entries(rows)) {
    test(what, { timeout: 10_000 }, async () => {
      const socket = await at.worker.webSocket(API, "/socket", withKey());
      socket.send(message);
      const [data, isBinary] = await once(socket, "message");
      assert.equal(isBinary, typeof message !== "string");
      assert.ok(data.equals(Buffer.from(message)), `${data.length} of ${message.length}`);
      socket.close();
    });
  }

  test("text and bytes keep their order", { timeout: 10_000 }, async () => {
    const socket = await at.worker.webSocket(API, "/socket", withKey());
    const seen = [];
    socket.on("message", (data, isBinary) => seen.push(isBinary ? [...data] : String(data)));
    for (const message of ["a", Buffer.from([1]), "b", Buffer.alloc(0), "", "end"]) socket.send(message);
    while (seen.at(-1) !== "end") await once(socket, "message");
    assert.deepEqual(seen, ["a", [1], "b", [], "", "end"]);
    socket.close();
  });
});

describe("a close comes back with its code and reason", () => {
  for (const [sent, expected] of [
    [[], [1005, ""]],
    [[1000], [1000, ""]],
    [
      [1001, "going"],
      [1001, "going"],
    ],
    [
      [4321, "鍵"],
      [4321, "鍵"],
    ],
  ]) {
    test(JSON.stringify(sent), { timeout: 10_000 }, async () => {
      const socket = await at.worker.webSocket(API, "/socket", withKey());
      socket.close(...sent);
      const [code, reason] = await once(socket, "close");
      assert.deepEqual([code, String(reason)], expected);
    });
  }
});
