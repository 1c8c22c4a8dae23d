// Viewable keys are shown again (A05), as long as their master secret is kept.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { MASTER_SECRET } from "../../support/harness.mjs";
import { begin, expect } from "../../support/journey.mjs";

const NEWER = { id: "newer", secret: "Xw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyEmKq4Zt0b" };

describe("A05: a viewable key", () => {
  let at, other, kept, plain;
  before(async () => {
    at = await begin();
    other = await at.secondAccount();
    kept = await at.issue({ viewable: true });
    plain = await at.issue();
  });
  after(() => at.dispose());

  const reveal = (key, who = at, init) => who.console("POST", `/v1/keys/${key.id}/reveal`, init);
  const activity = async (query) => expect(await at.console("GET", `/v1/activity?${query}`), 200).body.entries;

  test("is shown again, whole and as a pair, and each time is written down", async () => {
    assert.deepEqual([kept.key.viewable, plain.key.viewable], [true, false]);
    const { body, headers } = expect(await reveal(kept.key), 200);
    assert.equal(headers["cache-control"], "no-store");
    for (const member of ["credential", "access_key", "access_secret"]) assert.equal(body[member], kept[member]);
    const [entry] = await activity(`key=${kept.key.id}`);
    assert.deepEqual(
      [entry.action, entry.by.name, entry.key.id, entry.changes],
      ["key_revealed", "Mei Tanaka", kept.key.id, null],
    );
  });

  test("is kept by choice alone", async () => {
    assert.equal(expect(await reveal(plain.key), 409, "not_viewable").body.reason, "not_stored");
    expect(await at.tryIssue({ viewable: "yes" }), 400, "malformed_body");
  });

  test("is shown while it is disabled, and to nobody else", async () => {
    await at.change(kept.key.id, "disable");
    expect(await reveal(kept.key), 200);
    await at.change(kept.key.id, "enable");
    expect(await reveal(kept.key, other), 404, "not_found");
    expect(await reveal(kept.key, at, { cookie: null }), 401, "not_signed_in");
    expect(await reveal(kept.key, at, { origin: "https://evil.example" }), 403, "cross_site");
  });

  test("that is shown a thousand times at once is written down a thousand times", { timeout: 120_000 }, async () => {
    const key = (await at.issue({ viewable: true })).key;
    for (let batch = 0; batch < 20; batch += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => reveal(key)));
      assert.ok(answers.every(({ status }) => status === 200));
    }
    const file = await at.console("POST", `/v1/activity/export?format=jsonl&action=key_revealed&key=${key.id}`);
    assert.equal(file.text.trimEnd().split("\n").length, 1000);
  });
});

test(
  "what was encrypted under a master secret that is dropped cannot be shown, and says so",
  { timeout: 60_000 },
  async () => {
    const persist = await mkdtemp(join(tmpdir(), "claviger-ring-"));
    const under = (generations, init) =>
      begin({ persist, secrets: { MASTER_SECRET: JSON.stringify(generations) }, ...init });
    const [older] = JSON.parse(MASTER_SECRET);
    const retired = { ...older, retired_at: "2026-01-01T00:00:00Z" };
    try {
      let at = await under([older]);
      const old = await at.issue({ viewable: true });
      const service = expect(await at.console("POST", "/v1/account/service/reveal"), 200).body;
      await at.dispose();

      at = await under([NEWER, retired], { setUp: false });
      await at.signIn();
      const { cookie } = at;
      const reveal = (id) => at.console("POST", `/v1/keys/${id}/reveal`);
      assert.equal(expect(await reveal(old.key.id), 200).body.credential, old.credential);
      const young = await at.issue({ viewable: true });
      await at.dispose();

      at = await under([NEWER], { setUp: false });
      at.cookie = cookie;
      assert.equal(expect(await reveal(young.key.id), 200).body.credential, young.credential);
      assert.equal(expect(await reveal(old.key.id), 409, "not_viewable").body.reason, "generation_dropped");
      const lost = expect(await at.console("POST", "/v1/account/service/reveal"), 409, "not_viewable");
      assert.equal(lost.body.reason, "generation_dropped");
      // A new password comes with a service ID that is one.
      const changed = await at.console("POST", "/v1/account/service/password", { headers: { "if-match": '"0"' } });
      assert.notEqual(expect(changed, 200).body.service_id, service.service_id);
      await at.dispose();
    } finally {
      await rm(persist, { recursive: true, force: true });
    }
  },
);
