// An account is one caller to the protected API, whichever of its keys calls.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { CALLER, begin, expect } from "./support/journey.mjs";

let at;
/** Keys A and B of one account, and one of another. */
let keys;
before(async () => {
  at = await begin();
  const other = await at.secondAccount();
  const [a, b, foreign] = [
    await at.issue({ name: "A" }),
    await at.issue({ name: "B" }),
    await other.issue({ name: "C" }),
  ];
  keys = { a, b, foreign, others: other.session.account.id };
});
after(() => at.dispose());

const make = async (key, init) =>
  expect(await at.call("/jobs", { key: key.credential, method: "POST", ...init }), 201).body;
const fetchJob = (job, key, init) => at.call(`/jobs/${job.id}`, { key: key.credential, ...init });

describe("A12 keys of one account are interchangeable", () => {
  test("one makes a job, another fetches it", async () => {
    const job = await make(keys.a);
    assert.equal(job.made_by, keys.a.key.id);
    for (const key of [keys.a, keys.b]) assert.deepEqual(expect(await fetchJob(job, key), 200).body, job);
  });

  test("also after the key that made it is gone", async () => {
    const gone = await at.issue({ name: "gone" });
    const job = await make(gone);
    await at.change(gone.key.id, "disable");
    expect(await fetchJob(job, gone), 401, "disabled");
    assert.equal(expect(await fetchJob(job, keys.b), 200).body.made_by, gone.key.id);
  });

  test("a key of another account is told that there is none", async () => {
    const job = await make(keys.a);
    assert.equal(expect(await fetchJob(job, keys.foreign), 404).text, "no such job\n");
    const theirs = await make(keys.foreign);
    expect(await fetchJob(theirs, keys.a), 404);
    expect(await fetchJob(theirs, keys.foreign), 200);
  });

  test("and saying otherwise in a header does not help", async () => {
    const job = await make(keys.a);
    const owner = at.session.account.id;
    for (const name of [
      "Claviger-Account",
      "claviger-account",
      "CLAVIGER-ACCOUNT",
      "Claviger_Account",
      "claviger_account",
    ]) {
      expect(await fetchJob(job, keys.foreign, { headers: { [name]: owner } }), 404);
      expect(
        await fetchJob(job, keys.foreign, {
          headers: [
            [name, owner],
            [name, owner],
          ],
        }),
        404,
      );
      expect(await fetchJob(job, keys.a, { headers: { [name]: keys.others } }), 200);
    }
    const mine = await make(keys.foreign, { headers: { "claviger-account": owner, "claviger-key": keys.a.key.id } });
    assert.equal(mine.made_by, keys.foreign.key.id);
    expect(await fetchJob(mine, keys.a), 404);
  });

  test("nor does a proof that belongs to another request", async () => {
    const job = await make(keys.a);
    const { headers } = expect(await at.call("/a", { key: keys.a.credential }), 200).body;
    const told = headers.filter(([name]) => name.startsWith("claviger-"));
    assert.equal(told.length, 6);
    expect(await at.call(`/jobs/${job.id}`, { headers: told }), 401, "missing");
    expect(await fetchJob(job, keys.foreign, { headers: told }), 404);
    // Nor does the origin believe who comes past Claviger.
    const outside = await at.worker.origin("/jobs", {
      method: "POST",
      headers: { "claviger-account": at.session.account.id, "cf-connecting-ip": CALLER },
    });
    assert.equal(outside.status, 403);
  });
});

test("the demo origin checks the proof as the page for origins says", async () => {
  const read = (path) => readFile(new URL(path, import.meta.url), "utf8");
  const [, code] = /```js\n(.*?)```/s.exec(await read("../../docs/origin-proof.md"));
  assert.ok((await read("../origin/index.js")).includes(code));
});
