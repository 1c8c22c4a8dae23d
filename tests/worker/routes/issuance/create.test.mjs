// The issuance API and what it issues, seen from outside: rows A14 to A24.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FOREIGN, changed, random, sealed, sealedId, sealedParts } from "../../support/forge.mjs";
import { API, CALLER, CONSOLE, OFFICE, RULES, begin, eventually, expect } from "../../support/journey.mjs";
import { MASTER_SECRET } from "../../support/harness.mjs";

const PATH = "/issue_service_authorization";
const FORM = "application/x-www-form-urlencoded";
const ISSUABLE = { permissions: ["demo:read"], networks: [], longest: "30d" };
const rules = [...RULES, { host: API, path: PATH, serves: "issuance" }];

let at;
let service;
before(async () => {
  at = await begin({ rules });
  service = await credentials();
});
after(() => at.dispose());

/** `sid` and `spw` as Connection Information shows them. */
async function credentials() {
  const { service_id: sid, service_password: spw } = expect(await at.console("POST", "/v1/account/service/reveal"), 200).body;
  return { sid, spw };
}

/** One request to the issuance API, with a form of `fields`. */
function ask(fields, { key, host = API, path = PATH, ip = CALLER, method = "POST", type = FORM, body, headers = {} } = {}) {
  const sent = { "cf-connecting-ip": ip, ...headers };
  if (type) sent["content-type"] = type;
  if (key) sent.authorization = `Bearer ${key}`;
  const content = body ?? (method === "GET" ? undefined : new URLSearchParams(fields).toString());
  return at.ask(host, path, { method, headers: sent, body: content });
}

async function issue(fields = {}, options) {
  return expect(await ask(options?.key ? fields : { ...service, ...fields }, options), 200).text;
}

/** Asserts a failure: its status, and that its body is one line that begins with the code. */
function refused(answer, status, code) {
  expect(answer, status);
  assert.ok(answer.text.startsWith(`${code}: `), answer.text);
  assert.doesNotMatch(answer.text, /[\r\n]/);
  assert.match(answer.headers["content-type"], /^text\/plain/);
  assert.equal(answer.headers["cache-control"], "no-store");
}

describe("issuing", () => {
  test("A14 A15 A21 service credentials in the body get the bare key, on an API's host and on the console's", async () => {
    for (const host of [API, CONSOLE]) {
      const answer = expect(await ask(service, { host }), 200);
      assert.match(answer.text, /^clvs_[\w.-]+$/);
      assert.equal(answer.headers["content-type"], "text/plain;charset=utf-8");
      assert.equal(answer.headers["cache-control"], "no-store");
      assert.ok(!answer.headers["set-cookie"]);
      expect(await at.call("/", { key: answer.text }), 200);
    }
  });

  test("what is sealed is sealed as its format says, for 30 seconds and from anywhere unless something is said", async () => {
    const { payload, claims } = sealedParts(await issue());
    const text = sealed({ payload });
    expect(await at.call("/", { key: text }), 200);
    assert.equal(claims.exp - claims.iat, 30_000, "A16");
    assert.deepEqual([claims.by, claims.net, claims.may], ["service", [], ["*:*"]]);
    const [account, number] = [service.sid.slice(0, 8), claims.id.slice(8, 18)];
    assert.equal(claims.id, sealedId({ account, number }));
    const long = sealedParts(await issue({ epi: "24h", ipa: "203.0.113.0/24 2001:db8::/32" })).claims;
    assert.equal(long.exp - long.iat, 86_400_000, "A17");
    assert.deepEqual(long.net, ["203.0.113.0/24", "2001:db8::/32"], "A20");
  });

  test("A19 a date is meant in the account's zone", async () => {
    const day = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10);
    await issue({ epi: day });
    const newest = (await at.console("GET", "/v1/keys")).body.keys[0];
    const next = new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000 - 9 * 3_600_000);
    assert.equal(Date.parse(newest.expires_at), next.getTime());
  });

  test("A17 every unit of time is read", async () => {
    for (const [epi, ms] of [["90s", 90_000], ["5m", 300_000], ["2h", 7_200_000], ["1d", 86_400_000], ["1500", 1_500]]) {
      const { claims } = sealedParts(await issue({ epi }));
      assert.equal(claims.exp - claims.iat, ms, epi);
    }
    for (const [epi, days] of [["100d", 100], ["2w", 14]]) {
      await issue({ epi });
      const [newest] = (await at.console("GET", "/v1/keys")).body.keys;
      const life = Date.parse(newest.expires_at) - Date.parse(newest.created_at);
      assert.ok(Math.abs(life - days * 86_400_000) < 1_000, `${epi}: ${life}`);
    }
  });

  test("A18 a time is read in every form, in the account's zone when it names none", async () => {
    const end = new Date(Math.floor(Date.now() / 1_000) * 1_000 + 12 * 3_600_000);
    const [day, time] = end.toISOString().slice(0, 19).split("T");
    // The account is in Asia/Tokyo, nine hours ahead all year.
    const [localDay, localTime] = new Date(end.getTime() + 9 * 3_600_000).toISOString().slice(0, 19).split("T");
    const slashed = (text) => text.replaceAll("-", "/");
    for (const epi of [
      `${localDay}T${localTime}`,
      `${localDay} ${localTime}`,
      `${slashed(localDay)} ${localTime}`,
      `${slashed(localDay)}T${localTime}.000`,
      `${day}T${time}Z`,
      `${slashed(day)} ${time} Z`,
      `${slashed(day)} ${time}.000Z`,
      `${localDay}T${localTime}+09`,
      `${localDay} ${localTime}+0900`,
      `${slashed(localDay)} ${localTime} +09:00`,
    ]) {
      assert.equal(sealedParts(await issue({ epi })).claims.exp, end.getTime(), epi);
    }
  });

  test("A19 day 00 is the last day of the month before, until 24:00", async () => {
    const now = new Date();
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 3, 1));
    await issue({ epi: `${month.toISOString().slice(0, 7).replace("-", "/")}/00` });
    const [newest] = (await at.console("GET", "/v1/keys")).body.keys;
    assert.equal(Date.parse(newest.expires_at), month.getTime() - 9 * 3_600_000);
  });

  test("A18 a malformed or past end is refused with one line", async () => {
    for (const epi of [
      "soon", "-1", "+5m", "5 m", "5M", "1.5h", "1e3", "5m5s", "0", "0s", "0x10", "٣٠", "99999999999999999999", "9999999w",
      "2020-01-01", "2021/07/00", "2020-01-01T00:00:00Z", "2099-13-01", "2099-00-01", "2099-02-30", "2099/1/1", "20990101T000000",
      "2099-01-01T24:00:01", "2099-01-01T25:00:00", "2099-01-01T00:60:00", "2099-01-01T00:00:00+24:00", "2099-01-01T00:00:00 JST",
      "2099-01-01Z", "2099-01-01T", "9999-12-31", "2099-01-01T00:00:00\u0000", `2099-01-01${" ".repeat(300)}`,
    ]) {
      refused(await ask({ ...service, epi }), 400, "invalid_epi");
    }
  });

  test("A20 networks are read in every form, and a malformed one is refused with one line", async () => {
    const read = async (ipa) => sealedParts(await issue({ ipa })).claims.net;
    assert.deepEqual(await read(""), []);
    assert.deepEqual(await read("203.0.113.7"), ["203.0.113.7"]);
    assert.deepEqual(await read("203.0.113.7,198.51.100.0/24"), ["203.0.113.7", "198.51.100.0/24"]);
    assert.deepEqual(await read("203.0.113.7 , 198.51.100.0/24\n2001:db8::/32"), ["203.0.113.7", "198.51.100.0/24", "2001:db8::/32"]);
    assert.deepEqual(await read("10.1.2.3/8"), ["10.0.0.0/8"]);
    for (const ipa of [",", " ", " ,, ", "1.2.3", "01.2.3.4", "256.0.0.1", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "fe80::1%eth0", "::/129", "example.com", "10.0.0.1;10.0.0.2", "10.0.0.1-10.0.0.9"]) {
      refused(await ask({ ...service, ipa }), 400, "invalid_ipa");
    }
  });

  test("A14 A15 what is no proper request is refused with one line", async () => {
    const key = (await at.issue({ issuable: ISSUABLE })).credential;
    const { sid, spw } = service;
    const query = `?sid=${sid}&spw=${spw}`;
    for (const [sent, options, status, code] of [
      [service, { method: "GET" }, 405, "method_not_allowed"],
      [service, { method: "PUT" }, 405, "method_not_allowed"],
      [service, { path: PATH + query }, 400, "query_refused"],
      [{}, { path: `${PATH}?x`, key }, 400, "query_refused"],
      [service, { type: "application/json" }, 415, "unsupported_media_type"],
      [service, { type: "multipart/form-data; boundary=x" }, 415, "unsupported_media_type"],
      [service, { type: null }, 415, "unsupported_media_type"],
      [{ ...service, ttl: "5m" }, {}, 400, "unknown_field"],
      [service, { body: `sid=${sid}&spw=${spw}&epi=1h&epi=2h` }, 400, "repeated_field"],
      [{ sid }, {}, 400, "incomplete_service"],
      [{ spw }, {}, 400, "incomplete_service"],
      [service, { key }, 400, "ambiguous_issuer"],
      [{}, {}, 401, "missing"],
      [{}, { headers: { "x-api-key": key } }, 401, "missing"],
      [{ ...service, epi: "soon" }, {}, 400, "invalid_epi"],
      [{ ...service, epi: "2021/06/30" }, {}, 400, "invalid_epi"],
      [{ ...service, epi: "36526d" }, {}, 400, "invalid_epi"],
      [{ ...service, ipa: "10.0.0.0/33" }, {}, 400, "invalid_ipa"],
      [service, { body: `sid=${sid}&spw=${spw}&ipa=${"10.0.0.1+".repeat(70_000)}` }, 413, "body_too_large"],
    ]) {
      refused(await ask(sent, options), status, code);
    }
    const many = Array.from({ length: 10_000 }, (_, n) => `10.${n >> 8}.${n & 255}.0/24`).join(",");
    const answer = await ask({ ...service, ipa: many });
    refused(answer, 413, "body_too_large");
    const over = await ask({ ...service, ipa: Array.from({ length: 257 }, (_, n) => `2001:db8:${n.toString(16)}:ffff:ffff:ffff:ffff:fff0/124`).join(",") });
    refused(over, 400, "invalid_ipa");
    assert.match(over.text, /257 networks are more than the 256/);
    const log = at.worker.log().join("\n");
    assert.ok(!log.includes(spw) && !log.includes(key), "nothing of it is logged");
  });

  test("whatever stands in a field is refused with one line or read as it is written, and asks nobody where it is refused", async () => {
    const { sid, spw } = service;
    const odd = [
      "\u0000", "\ufeff", "\u200b", "\u202e1m", "\u2028", "\u0085", "\ud800", "𝟛𝟘s", "３０s", "٣٠s", "%", "%zz", "&", "=", "+", ";", "[]", "1\r\nset-cookie: x", "é".repeat(9_000), "null",
      "-0", "0x1e", "1e9", "__proto__",
    ];
    await issue();
    await at.worker.resetCounters();
    const each = async (codes) => {
      for (const text of odd) {
        for (const [name, [status, code]] of Object.entries(codes)) {
          const answer = await ask({}, { body: new URLSearchParams({ ...service, [name]: text }).toString() });
          refused(answer, status, code);
          assert.doesNotMatch(answer.text, /[^\x20-\x7e]/);
        }
      }
    };
    await each({ sid: [401, "unknown"], spw: [401, "unknown"], "": [400, "unknown_field"] });
    // Each way to write a name is that name, and twice is twice.
    for (const [body, status, code] of [
      [`sid=${sid}&spw=${spw}&%65pi=5m&epi=1h`, 400, "repeated_field"],
      [`sid=${sid}&spw=${spw}&epi=&epi=`, 400, "repeated_field"],
      [`sid=${sid}&sid=${sid}&spw=${spw}`, 400, "repeated_field"],
      [`sid=${sid}&spw=${spw}&EPI=5m`, 400, "unknown_field"],
      [`sid=${sid}&spw=${spw}&epi[]=5m`, 400, "unknown_field"],
      [`sid=${sid}&spw=${spw}&epi%00=5m`, 400, "unknown_field"],
      [`sid=${sid};spw=${spw}`, 400, "incomplete_service"],
      [`\ufeffsid=${sid}&spw=${spw}`, 400, "unknown_field"],
      ["&&&", 401, "missing"],
      ["sid&spw", 401, "unknown"],
      [`sid=${sid}&spw=${spw} `, 401, "unknown"],
    ]) {
      refused(await ask({}, { body }), status, code);
    }
    // Both ways at once, wherever the key is and whatever it is worth.
    for (const authorization of [`Bearer clv_${random(78)}`, `Basic ${btoa(`clv_${random(18)}:${random(60)}`)}`, `clv_${random(78)}`]) {
      const answer = await ask(service, { headers: { authorization } });
      assert.ok([400, 401].includes(answer.status) && !answer.text.startsWith("clv"), `${authorization}: ${answer.text}`);
    }
    const { "LEDGER.fetch": asked = 0, "KEYS.get": read = 0 } = await at.worker.counters();
    assert.deepEqual([asked, read], [0, 0]);
    // What is asked for is looked at only for who may ask.
    odd.push("fe80::1%\u202eé");
    await each({ epi: [400, "invalid_epi"], ipa: [400, "invalid_ipa"] });
  });

  test("many at once, stored ones too: each is another, and each is there", { timeout: 60_000 }, async () => {
    const total = async () => (await at.console("GET", "/v1/keys?limit=1")).body.total;
    const before = await total();
    const keys = await Promise.all(Array.from({ length: 60 }, () => issue({ epi: "25h" })));
    assert.equal(new Set(keys).size, 60);
    assert.equal(await total(), before + 60);
    for (const key of keys.slice(-3)) expect(await at.call("/", { key }), 200);
  });

  test("P3 made-up service IDs and keys cost nothing, and a wrong password tells nothing", async () => {
    const { sid, spw } = service;
    const { payload } = sealedParts(await issue());
    await at.worker.resetCounters();
    for (const fields of [
      { sid: changed(sid, 10), spw },
      { sid: random(19), spw },
      { sid, spw: "short" },
      { sid: "", spw: "" },
    ]) {
      refused(await ask(fields), 401, "unknown");
    }
    refused(await ask({}, { key: `clv_${random(78)}` }), 401, "malformed");
    refused(await ask({}, { key: sealed({ payload, master: FOREIGN }) }), 401, "unknown");
    const counters = await at.worker.counters();
    assert.deepEqual([counters["LEDGER.fetch"] ?? 0, counters["KEYS.get"] ?? 0], [0, 0]);
    const wrong = await ask({ sid, spw: changed(spw, 5) });
    refused(wrong, 401, "unknown");
    assert.equal(wrong.text, (await ask({ sid: changed(sid, 10), spw })).text);
  });

  test("P3 a made-up key is refused before its body, and a body that does not come is not waited for", { timeout: 30_000 }, async () => {
    const { promise, resolve: end } = Promise.withResolvers();
    const body = async function* () {
      yield "epi=";
      await promise;
    };
    refused(await ask({}, { key: `clv_${random(78)}`, body: body() }), 401, "malformed");
    refused(await ask({}, { key: sealed({ payload: sealedParts(await issue()).payload, master: FOREIGN }), body: body() }), 401, "unknown");
    refused(await ask({}, { body: body() }), 408, "body_too_slow");
    end();
  });

  test("A22 a thousand at once store nothing, and ask the ledger once each", { timeout: 60_000 }, async () => {
    const total = async () => (await at.console("GET", "/v1/keys?limit=1")).body.total;
    const before = await total();
    await issue();
    await at.worker.resetCounters();
    const keys = [];
    while (keys.length < 1000) keys.push(...(await Promise.all(Array.from({ length: 50 }, () => issue()))));
    assert.equal(new Set(keys).size, 1000);
    const counters = await at.worker.counters();
    assert.deepEqual([counters["KEYS.put"] ?? 0, counters["KEYS.get"] ?? 0], [0, 0]);
    // A call that is answered renews the lease, so that nothing else does.
    assert.equal(counters["LEDGER.fetch"], 1000, JSON.stringify(counters));
    expect(await at.call("/", { key: keys[999] }), 200);
    assert.equal(await total(), before);
  });

  test("A08 A22 what does not fit into a sealed key is stored, valid everywhere at once, listed, and can be deleted", async () => {
    const issuer = await at.issue({ name: "Build server", issuable: ISSUABLE });
    const text = await issue({ epi: "25h" }, { key: issuer.credential });
    assert.match(text, /^clv_\w{78}$/);
    await at.forget();
    expect(await at.call("/", { key: text }), 200);
    const { keys } = (await at.console("GET", "/v1/keys")).body;
    const key = keys.find(({ access_key }) => text.startsWith(access_key));
    assert.match(key.name, /^API \d{4}-\d\d-\d\d \d\d:\d\d$/);
    assert.deepEqual(key.issued_by, { kind: "key", id: issuer.key.id, name: "Build server" });
    assert.deepEqual([key.issuable, key.permissions, key.created_by], [null, ["demo:read"], "Build server"]);
    assert.deepEqual((await at.show(issuer.key.id)).issuable, { permissions: ["demo:read"], networks: [], longest_ms: 30 * 86_400_000 });
    const many = Array.from({ length: 17 }, (_, n) => `203.0.113.${n}`).join(" ");
    assert.match(await issue({ ipa: many }), /^clv_/, "17 networks");
    await at.change(key.id, "disable");
    expect(await at.call("/", { key: text }), 401, "disabled");
    await at.change(key.id, "enable");
    await at.deleteKeys(key.id);
    expect(await at.call("/", { key: text }), 401, "unknown");
  });

  test("A22 an issued key cannot issue, stored or sealed, nor can a key that was never allowed to", async () => {
    for (const epi of ["30s", "25h"]) refused(await ask({}, { key: await issue({ epi }) }), 403, "issued_key");
    refused(await ask({}, { key: (await at.issue()).credential }), 403, "not_issuable");
  });

  test("A24 the issuer's own limits bind who issues, and its ceiling and end bind what is issued", async () => {
    const narrow = { permissions: ["demo:read"], networks: ["203.0.113.0/24"], longest: "1h" };
    const { credential: key, key: issuer } = await at.issue({ issuable: narrow, networks: [CALLER], expires: "30m" });
    refused(await ask({}, { key, ip: OFFICE }), 403, "network_denied");
    refused(await ask({ epi: "2h" }, { key }), 403, "above_longest");
    refused(await ask({ epi: "31m" }, { key }), 403, "above_longest");
    refused(await ask({ ipa: "192.0.2.1" }, { key }), 403, "outside_networks");
    const issued = await issue({ epi: "10m" }, { key });
    expect(await at.call("/", { key: issued }), 200);
    expect(await at.call("/", { key: issued, ip: "203.0.113.99" }), 200);
    expect(await at.call("/", { key: issued, ip: OFFICE }), 403, "network_denied");
    expect(await at.call("/", { key: issued, method: "POST" }), 403, "permission_denied");
    await at.change(issuer.id, { not_before: "2099-01-01", expires: "never" });
    refused(await ask({}, { key }), 401, "not_yet_valid");
    expect(await at.call("/", { key: issued }), 401, "not_yet_valid");
    await at.change(issuer.id, { not_before: null });

    // Lowered: enforced on what was issued before, too.
    assert.ok((await at.change(issuer.id, { issuable: { permissions: [] } })).bound);
    expect(await at.call("/", { key: issued }), 403, "permission_denied");
    assert.ok((await at.change(issuer.id, { issuable: null })).bound);
    expect(await at.call("/", { key: issued }), 401, "unknown");
    refused(await ask({}, { key }), 403, "not_issuable");
  });

  test("a key that expires takes what it issued with it", async () => {
    const { credential: key, key: issuer } = await at.issue({ issuable: ISSUABLE });
    const [short, long] = [await issue({ epi: "10m" }, { key }), await issue({ epi: "25h" }, { key })];
    const end = Date.now() + 1_500;
    await at.change(issuer.id, { expires: new Date(end).toISOString() });
    for (const issued of [short, long]) expect(await at.call("/", { key: issued }), 200);
    await eventually("it is over", async () => (await at.call("/", { key: short })).body?.code === "expired");
    expect(await at.call("/", { key: long }), 401, "expired");
    refused(await ask({}, { key }), 401, "expired");
  });

  test("never claviger:* in a ceiling, nor a ceiling for a key that holds it", async () => {
    const pointer = (answer) => expect(answer, 422, "invalid").body.errors.map(({ pointer }) => pointer);
    const powerful = { ...ISSUABLE, permissions: ["claviger:verify"] };
    assert.deepEqual(pointer(await at.tryIssue({ issuable: powerful })), ["#/issuable/permissions"]);
    assert.deepEqual(pointer(await at.tryIssue({ issuable: ISSUABLE, permissions: ["claviger:verify"] })), ["#/issuable"]);
    const check = await at.console("POST", "/v1/keys/check", { body: { issuable: { ...ISSUABLE, networks: "10.0.0.0/33" } } });
    assert.deepEqual([check.body.issuable.networks.problems, check.body.issuable.longest_ms], [1, 30 * 86_400_000]);
  });
});

describe("what was issued", () => {
  test("A22 dies with its issuer, and does not come back with it", async () => {
    const { credential: key, key: issuer } = await at.issue({ issuable: ISSUABLE });
    const issued = [await issue({ epi: "10m" }, { key }), await issue({ epi: "25h" }, { key })];
    for (const one of issued) expect(await at.call("/", { key: one }), 200);
    assert.ok((await at.change(issuer.id, "disable")).bound);
    for (const one of issued) expect(await at.call("/", { key: one }), 401, "disabled");
    refused(await ask({}, { key }), 401, "disabled");
    await at.change(issuer.id, "enable");
    for (const one of issued) expect(await at.call("/", { key: one }), 401, "unknown");
    const again = await issue({}, { key });
    expect(await at.call("/", { key: again }), 200);
    await at.deleteKeys(issuer.id);
    for (const one of [...issued, again]) expect(await at.call("/", { key: one }), 401, "unknown");
    refused(await ask({}, { key }), 401, "unknown");
  });

  test("A23 dies with a change of the service password, at once where that was made", async () => {
    const issued = [await issue({ epi: "10m" }), await issue({ epi: "25h" })];
    for (const one of issued) expect(await at.call("/", { key: one }), 200);
    const { revision } = expect(await at.console("GET", "/v1/account/service"), 200).body;
    const headers = { "if-match": `"${revision}"` };
    const { service_id: sid, service_password: spw, bound } = expect(
      await at.console("POST", "/v1/account/service/password", { headers }),
      200,
    ).body;
    const before = service;
    service = { sid, spw };
    assert.equal(sid, before.sid);
    assert.ok(bound.at);
    for (const one of issued) expect(await at.call("/", { key: one }), 401, "unknown");
    refused(await ask(before), 401, "unknown");
    expect(await at.call("/", { key: await issue() }), 200);
  });

  test("with one bit flipped, of another prefix, of another deployment or cut is none", async () => {
    const text = await issue({ epi: "10m" });
    const { payload } = sealedParts(text);
    await at.worker.resetCounters();
    for (const [key, code] of [
      [changed(text, 20), "malformed"],
      [sealed({ payload: changed(payload, 20), mac: sealedParts(text).mac }), "unknown"],
      [sealed({ payload, prefix: "abc" }), "malformed"],
      [sealed({ payload, prefix: "abc" }).replace("abc", "clv"), "unknown"],
      [sealed({ payload, master: FOREIGN }), "unknown"],
      [text.slice(0, -1), "malformed"],
      [text.replace("clvs_", "clv_"), "malformed"],
      [sealed({ payload: payload + "A".repeat(2_048) }), "malformed"],
    ]) {
      expect(await at.call("/", { key }), 401, code);
    }
    const counters = await at.worker.counters();
    assert.deepEqual([counters["LEDGER.fetch"] ?? 0, counters["KEYS.get"] ?? 0], [0, 0], "P3");
  });

  test("A08 a sealed key is revoked by itself, without a step-up, and at once where that was asked", async () => {
    const [one, other] = [await issue({ epi: "10m" }), await issue({ epi: "10m" })];
    const revoke = (body) => at.console("POST", "/v1/sealed-keys/revoke", { body });
    assert.equal(expect(await revoke({ credential: one }), 200).body.all_of_issuer, false);
    // Where it was made a revocation holds at once.
    expect(await at.call("/", { key: one }), 401, "unknown");
    expect(await at.call("/", { key: other }), 200);
    const { id } = sealedParts(other).claims;
    expect(await revoke({ id, issuer: "service" }), 200);
    expect(await at.call("/", { key: other }), 401, "unknown");
    expect(await revoke({ credential: sealed({ payload: sealedParts(one).payload, master: FOREIGN }) }), 404, "not_found");
    expect(await revoke({ id, issuer: random(18) }), 404, "not_found");
    expect(await revoke({ id }), 400, "malformed_body");
    expect(await revoke({ id: id.slice(0, 18), issuer: "service" }), 400, "malformed_body");
  });

  test("an ID that names no sealed key of this issuer is not found, costs no call, and takes no room", async () => {
    const revoke = (id, issuer = "service") => at.console("POST", "/v1/sealed-keys/revoke", { body: { id, issuer } });
    const { id } = sealedParts(await issue({ epi: "10m" })).claims;
    const { key } = await at.issue({ issuable: ISSUABLE });
    const account = service.sid.slice(0, 8);
    await at.worker.resetCounters();
    for (const made of [
      id.slice(0, 24) + random(11),
      sealedId({ account, master: FOREIGN }),
      sealedId({ account: random(8) }),
      sealedId({ account, prefix: "abc" }),
      ...Array.from({ length: 35 }, (_, place) => changed(id, place)),
    ]) {
      expect(await revoke(made), 404, "not_found");
    }
    expect(await revoke(id, key.id), 404, "not_found");
    expect(await revoke(sealedId({ account, issuer: key.id })), 404, "not_found");
    assert.equal((await at.worker.counters())["LEDGER.fetch"], undefined);
    expect(await revoke(sealedId({ account, issuer: key.id }), key.id), 200);
  });

  test("revoked by many at once is revoked once, and what its issuer ended with it is not ended again", { timeout: 120_000 }, async () => {
    const { credential: key, key: issuer } = await at.issue({ issuable: ISSUABLE });
    const revoke = (body) => at.console("POST", "/v1/sealed-keys/revoke", { body });
    const batch = async (count) => Promise.all(Array.from({ length: count }, () => issue({ epi: "1h" }, { key })));
    const leaked = [];
    while (leaked.length < 300) leaked.push(...(await batch(50)));
    const audited = async (action) => (await at.console("GET", `/v1/activity?action=${action}&limit=50`)).body.entries.length;
    const before = await audited("sealed_key_revoked");
    const answers = await Promise.all(Array.from({ length: 20 }, () => revoke({ credential: leaked[0] })));
    for (const answer of answers) assert.equal(expect(answer, 200).body.all_of_issuer, false);
    assert.equal((await audited("sealed_key_revoked")) - before, 1);

    // Room is for 256 of the account: somewhere in here all of the issuer's end, and only once.
    const script = async () => {
      let ends = 0;
      for (const credential of leaked) {
        const { id } = sealedParts(credential).claims;
        ends += expect(await revoke(ends ? { id, issuer: issuer.id } : { credential }), 200).body.all_of_issuer;
      }
      return ends;
    };
    assert.equal(await script(), 1);
    for (const one of [leaked[0], leaked[299]]) expect(await at.call("/", { key: one }), 401, "unknown");
    const fresh = await issue({ epi: "1h" }, { key });
    assert.equal(await script(), 0);
    expect(await at.call("/", { key: fresh }), 200);
    assert.equal(await audited("issued_keys_ended"), 1);
  });

  test("is told to a verifier and to the origin by its own ID", async () => {
    const verifier = (await at.issue({ permissions: ["claviger:verify"] })).credential;
    const text = await issue();
    const { id } = sealedParts(text).claims;
    const headers = { "claviger-verifier": verifier };
    const told = expect(await at.console("POST", "/v1/verify", { body: { credential: text }, headers, cookie: null }), 200).body;
    assert.deepEqual([told.verdict, told.key, told.permissions], ["valid", id, ["*:*"]]);
    const { headers: sent } = expect(await at.call("/", { key: text }), 200).body;
    assert.equal(Object.fromEntries(sent)["claviger-key"], id);
    // By its ID alone nobody knows it.
    const alone = await at.console("POST", "/v1/verify", { body: { key_id: id }, headers, cookie: null });
    assert.equal(expect(alone, 200).body.verdict, "unknown");
  });
});

test("a sealed key of a generation that was retired a day ago, or is compromised, is none", async () => {
  const old = JSON.parse(MASTER_SECRET)[0];
  const text = await issue({ epi: "24h" });
  const newer = { id: "newer", secret: "Xw7RfNcY2uHs9LdVj6PaGe3TiO8xWvBrQyEmKq4Zt0b" };
  const ago = (ms) => new Date(Date.now() - ms).toISOString();
  for (const [members, code] of [
    [{ retired_at: ago(86_400_000) }, "unknown"],
    [{ compromised: true }, "unknown"],
  ]) {
    const other = await begin({ setUp: false, secrets: { MASTER_SECRET: JSON.stringify([newer, { ...old, ...members }]) } });
    try {
      expect(await other.call("/", { key: text }), 401, code);
      assert.equal((await other.worker.counters())["LEDGER.fetch"] ?? 0, 0);
    } finally {
      await other.dispose();
    }
  }
});
