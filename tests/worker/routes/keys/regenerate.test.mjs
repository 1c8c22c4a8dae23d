// Regenerated keys, from the answer of the console to the verdicts of every edge. Row S11.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { parts, sealedParts } from "../../support/forge.mjs";
import { begin, expect } from "../../support/journey.mjs";
import { beginLocations, said } from "../../support/locations.mjs";
import { OAUTH_RULES, ask, token } from "../../support/oauth.mjs";

/** An overlap whose end is awaited: longer than a slow machine takes for what must happen within it. */
const OVERLAP_S = 15;

let at;
before(async () => {
  at = await begin({ rules: OAUTH_RULES });
});
after(() => at.dispose());

const ifMatch = ({ revision }) => ({ "if-match": `"${revision}"` });

/** Asks for a successor, at the revision of the key that is passed. */
const tryRegenerate = (place, key, form = {}, idempotencyKey = randomUUID()) =>
  place.console("POST", `/v1/keys/${key.id}/regenerate`, {
    headers: { ...ifMatch(key), "idempotency-key": idempotencyKey },
    body: form,
  });

const regenerate = async (place, key, form) => expect(await tryRegenerate(place, key, form), 201).body;

const endOverlap = (place, key) => place.console("POST", `/v1/keys/${key.id}/end-overlap`, { headers: ifMatch(key) });

const verdict = async (credential) => said(await at.call("/", { key: credential }));

describe("regenerating", () => {
  test("S11 kills the old pair at once and makes a new one with the same name and limits", async () => {
    const old = await at.issue({ name: "Build server", expires: "90d", permissions: ["demo:read"] });
    expect(await at.call("/", { key: old.credential }), 200);
    const { key, credential, access_key, access_secret, replaced, bound } = await regenerate(at, old.key);
    assert.equal(await verdict(old.credential), "401 unknown");
    assert.equal(await verdict(credential), "200");
    assert.equal(access_key + access_secret, credential);
    assert.notEqual(parts(credential).secret, parts(old.credential).secret);
    assert.ok(Date.parse(bound.at) > Date.now() && bound.within_s > 0);
    assert.deepEqual([key.name, key.permissions, key.status], ["Build server", ["demo:read"], "active"]);
    assert.deepEqual([key.replaces, key.replaced_by, key.overlap_until], [old.key.id, null, null]);
    assert.deepEqual(
      [replaced.id, replaced.status, replaced.replaced_by, replaced.restorable_until],
      [old.key.id, "deleted", key.id, null],
    );
    assert.deepEqual(await at.show(key.id), key);
    assert.deepEqual(await at.show(old.key.id), replaced);
    // The secret is in that one answer alone.
    const others = at.answers.filter(({ text }) => text.includes(access_secret));
    assert.equal(others.length, 1);
    // The old pair never comes back.
    const restored = await at.console("POST", `/v1/keys/${old.key.id}/restore`, { headers: ifMatch(replaced) });
    assert.equal(expect(restored, 409, "replaced").body.replaced_by, key.id);
    const { entries } = expect(await at.console("GET", `/v1/activity?key=${old.key.id}`), 200).body;
    assert.equal(entries[0].action, "key_replaced");
    assert.deepEqual(entries[0].changes.replaced_by, { from: null, to: key.id });
    const made = expect(await at.console("GET", `/v1/activity?key=${key.id}`), 200).body.entries[0];
    assert.deepEqual([made.action, made.changes.replaces.to], ["key_regenerated", old.key.id]);
  });

  test("S11 with overlap keeps both pairs, and their tokens, until the old one ends by itself", async () => {
    const old = await at.issue();
    const text = await token(at, old);
    const end = new Date(Date.now() + OVERLAP_S * 1_000);
    const { key, credential, replaced } = await regenerate(at, old.key, { overlap: end.toISOString() });
    const overlap = end.toISOString();
    assert.deepEqual([replaced.status, replaced.expires_at], ["active", overlap]);
    assert.deepEqual([key.overlap_until, replaced.overlap_until], [overlap, overlap]);
    for (const one of [old.credential, text, credential]) assert.equal(await verdict(one), "200");
    const { keys } = expect(await at.console("GET", "/v1/keys?sort=-created"), 200).body;
    assert.deepEqual(
      [keys.find(({ id }) => id === key.id).overlap_until, keys.find(({ id }) => id === old.key.id).replaced_by],
      [overlap, key.id],
    );
    const last = await ask(at, old);
    assert.ok(expect(last, 200).body.expires_in <= OVERLAP_S, "no token outlives the overlap");
    await sleep(end - Date.now() + 50);
    assert.equal(await verdict(old.credential), "401 expired");
    for (const one of [text, last.body.access_token]) assert.equal((await at.call("/", { key: one })).status, 401);
    assert.equal(await verdict(credential), "200");
    assert.equal((await at.show(key.id)).overlap_until, null);
  });

  test("S11 without overlap ends the old pair's tokens and what it issued for good", async () => {
    const issuable = { permissions: ["demo:read"], networks: [], longest: "30d" };
    const old = await at.issue({ issuable });
    const text = await token(at, old);
    assert.deepEqual(sealedParts(text).claims.by, { key: old.key.id });
    assert.equal(await verdict(text), "200");
    const made = await regenerate(at, old.key);
    assert.equal(await verdict(text), "401 unknown");
    expect(await ask(at, old), 401);
    assert.equal(await verdict(await token(at, made)), "200");
    assert.deepEqual(made.key.issuable, old.key.issuable);
  });

  test("S11 an overlap is cut to the expiry of the old key, and ends earlier on demand", async () => {
    const old = await at.issue({ expires: "1h" });
    const { key, replaced } = await regenerate(at, old.key, { overlap: "7d", expires: "never" });
    assert.equal(replaced.expires_at, old.key.expires_at);
    assert.equal(key.expires_at, null);
    const prolonged = await at.console("PATCH", `/v1/keys/${old.key.id}`, {
      headers: ifMatch(replaced),
      body: { expires: "2h" },
    });
    assert.equal(expect(prolonged, 422, "invalid").body.errors[0].code, "replaced");
    expect(await endOverlap(at, key), 409, "not_replaced");
    assert.equal(await verdict(old.credential), "200");
    const ended = expect(await endOverlap(at, replaced), 200).body;
    assert.deepEqual([ended.key.status, ended.key.restorable_until], ["deleted", null]);
    assert.ok(ended.bound.within_s > 0);
    assert.equal(await verdict(old.credential), "401 unknown");
    assert.equal(expect(await endOverlap(at, replaced), 200).body.bound, null);
    assert.equal((await at.show(key.id)).overlap_until, null);
  });

  test("S11 a repeated request and two at a time make one key", async () => {
    const old = await at.issue();
    const idempotencyKey = randomUUID();
    const made = expect(await tryRegenerate(at, old.key, {}, idempotencyKey), 201).body;
    const again = expect(await tryRegenerate(at, old.key, {}, idempotencyKey), 409, "already_issued");
    assert.equal(again.body.key.id, made.key.id);
    assert.ok(!again.text.includes(made.access_secret));

    const forms = [{}, { overlap: "1h" }, {}, { overlap: "1h" }];
    const answers = await Promise.all(forms.map((form) => tryRegenerate(at, made.key, form)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 412, 412, 412]);
    for (const { status, body } of answers)
      if (status === 412) assert.equal(body.key.replaced_by, answers.find((one) => one.status === 201).body.key.id);
    const { keys } = expect(await at.console("GET", "/v1/keys?deleted=no"), 200).body;
    assert.equal(keys.filter(({ replaces }) => replaces === made.key.id).length, 1);
  });

  test("a deletion that was begun before ends what it was begun for", async () => {
    const old = await at.issue();
    const deletion = await at.beginDeletion(old.key.id);
    const { key, credential } = await regenerate(at, old.key, { overlap: "1h" });
    expect(await at.tryConfirm(deletion, await at.code(deletion)), 200);
    assert.equal(await verdict(old.credential), "401 unknown");
    assert.equal(await verdict(credential), "200");
    const second = await at.beginDeletion(key.id);
    const { replaced } = await regenerate(at, await at.show(key.id));
    assert.deepEqual(expect(await at.tryConfirm(second, await at.code(second)), 404, "not_found").body.keys, [
      replaced.id,
    ]);
  });

  test("what cannot be regenerated is refused with its reason", async () => {
    const old = await at.issue();
    const { key: disabled } = await at.change(old.key.id, "disable");
    const refusal = expect(await tryRegenerate(at, disabled), 409, "not_regenerable").body;
    assert.equal(refusal.reason, "disabled");
    assert.ok(refusal.detail);
    const { key } = await at.change(old.key.id, "enable");
    const bad = expect(await tryRegenerate(at, key, { overlap: "never", expires: "soon" }), 422, "invalid").body;
    assert.deepEqual(
      bad.errors.map(({ pointer, code }) => [pointer, code]),
      [
        ["#/overlap", "endless"],
        ["#/expires", "not_a_time"],
      ],
    );
    for (const headers of [{}, ifMatch(key), { "idempotency-key": "r-1" }])
      expect(await at.console("POST", `/v1/keys/${key.id}/regenerate`, { headers, body: {} }), 400, "bad_header");
    assert.equal(await verdict(old.credential), "200");
    const other = await at.secondAccount();
    expect(await tryRegenerate(other, key), 404, "not_found");
    expect(await endOverlap(other, key), 404, "not_found");
  });

  test("a viewable key stays viewable, and no other becomes it", async () => {
    for (const viewable of [true, false]) {
      const old = await at.issue({ viewable });
      const { key, credential } = await regenerate(at, old.key);
      assert.equal(key.viewable, viewable);
      const shown = await at.console("POST", `/v1/keys/${key.id}/reveal`);
      if (viewable) assert.equal(expect(shown, 200).body.credential, credential);
      else expect(shown, 409, "not_viewable");
      expect(await at.console("POST", `/v1/keys/${old.key.id}/reveal`), 404);
    }
  });
});

test(
  "S11 every place refuses the old pair within T, and takes both during an overlap",
  { timeout: 120_000 },
  async (t) => {
    const places = await beginLocations();
    t.after(() => places.dispose());
    const everywhere = async (credential) => {
      const answers = await Promise.all(places.all.map((place) => place.call("/", { key: credential })));
      return answers.map(said);
    };
    const [killed, kept] = [await places.a.issue(), await places.a.issue()];
    // Each place has a lease, and the records in memory.
    for (const { credential } of [killed, kept]) assert.deepEqual(await everywhere(credential), ["200", "200", "200"]);
    const end = new Date(Date.now() + 600_000).toISOString();
    const overlapping = await regenerate(places.a, kept.key, { overlap: end });
    const made = await regenerate(places.a, killed.key);
    const { bound } = made;
    assert.equal(
      said(await places.a.call("/", { key: killed.credential })),
      "401 unknown",
      "at once where it was made",
    );
    for (const { credential } of [kept, overlapping, made])
      assert.deepEqual(await everywhere(credential), ["200", "200", "200"]);
    await sleep(Date.parse(bound.at) - Date.now() + 100);
    assert.deepEqual(await everywhere(killed.credential), ["401 unknown", "401 unknown", "401 unknown"]);
    for (const { credential } of [kept, overlapping, made])
      assert.deepEqual(await everywhere(credential), ["200", "200", "200"]);
    const ended = expect(await endOverlap(places.b, overlapping.replaced), 200).body;
    assert.equal(said(await places.b.call("/", { key: kept.credential })), "401 unknown");
    await sleep(Date.parse(ended.bound.at) - Date.now() + 100);
    assert.deepEqual(await everywhere(kept.credential), ["401 unknown", "401 unknown", "401 unknown"]);
  },
);
