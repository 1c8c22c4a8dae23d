// The issuance API: what is asked of it, by whom, and what it issues. Rows A14 to A24.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { FOREIGN, changed, random, sealed, sealedId, sealedParts } from "../../support/forge.mjs";
import { ISSUABLE, PATH, ask, at, issue, refused, service, useIssuance } from "../../support/issuance.mjs";
import { API, CALLER, CONSOLE, OFFICE, eventually, expect } from "../../support/journey.mjs";

const MEBIBYTE = 1 << 20;

useIssuance();

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

  test("A15 A16 a key in Authorization needs no body, and no type of one", async () => {
    const { credential } = await at.issue({ issuable: ISSUABLE });
    const authorization = `Bearer ${credential}`;
    for (const init of [
      { headers: { authorization } },
      { headers: { authorization, "content-length": "0" } },
      { headers: { authorization, "content-type": "application/json" }, body: "" },
      { headers: { authorization, "content-type": "application/x-www-form-urlencoded" }, body: "" },
      { headers: { authorization }, body: (async function* () {})() },
    ]) {
      const { claims } = sealedParts(expect(await at.ask(API, PATH, { method: "POST", ...init }), 200).text);
      assert.equal(claims.exp - claims.iat, 30_000);
    }
    // A body of another type is refused whether or not its length is known.
    const chunked = (async function* () {
      yield "epi=5m";
    })();
    const typed = { authorization, "content-type": "text/plain" };
    for (const [headers, body] of [
      [typed, "epi=5m"],
      [typed, chunked],
    ]) {
      refused(await at.ask(API, PATH, { method: "POST", headers, body }), 415, "unsupported_media_type");
    }
    refused(await at.ask(API, PATH, { method: "POST", headers: {} }), 401, "missing");
  });

  test("A15 an empty place is none, and a line end behind a field does not count", async () => {
    const { credential: key } = await at.issue({ issuable: ISSUABLE });
    await issue({ sid: "", spw: "", epi: "5m" }, { key });
    const bare = (fields, authorization) => ask(fields, { headers: { authorization } });
    expect(await bare(service, "Bearer"), 200);
    expect(await bare(service, ""), 200);
    expect(await ask({ sid: `${service.sid}\n`, spw: `${service.spw}\r\n`, epi: "5m\n" }), 200);
    refused(await ask({ sid: "", spw: "" }), 401, "missing");
    refused(await ask({ ...service, spw: "" }), 400, "incomplete_service");
    refused(await ask(service, { key }), 400, "ambiguous_issuer");
    refused(await bare(service, "Bearer eyJ"), 401, "malformed");
  });

  test("A19 a date is meant in the account's zone", async () => {
    const day = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10);
    await issue({ epi: day });
    const newest = (await at.console("GET", "/v1/keys")).body.keys[0];
    const next = new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000 - 9 * 3_600_000);
    assert.equal(Date.parse(newest.expires_at), next.getTime());
  });

  test("A17 every unit of time is read", async () => {
    for (const [epi, ms] of [
      ["90s", 90_000],
      ["5m", 300_000],
      ["2h", 7_200_000],
      ["1d", 86_400_000],
      ["1500", 1_500],
    ]) {
      const { claims } = sealedParts(await issue({ epi }));
      assert.equal(claims.exp - claims.iat, ms, epi);
    }
    for (const [epi, days] of [
      ["100d", 100],
      ["2w", 14],
    ]) {
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
      "soon",
      "-1",
      "+5m",
      "5 m",
      "5M",
      "1.5h",
      "1e3",
      "5m5s",
      "0",
      "0s",
      "0x10",
      "٣٠",
      "99999999999999999999",
      "9999999w",
      "2020-01-01",
      "2021/07/00",
      "2020-01-01T00:00:00Z",
      "2099-13-01",
      "2099-00-01",
      "2099-02-30",
      "2099/1/1",
      "20990101T000000",
      "2099-01-01T24:00:01",
      "2099-01-01T25:00:00",
      "2099-01-01T00:60:00",
      "2099-01-01T00:00:00+24:00",
      "2099-01-01T00:00:00 JST",
      "2099-01-01Z",
      "2099-01-01T",
      "9999-12-31",
      "2099-01-01T00:00:00\u0000",
      `2099-01-01${" ".repeat(300)}`,
    ]) {
      refused(await ask({ ...service, epi }), 400, "invalid_epi");
    }
  });

  test("A20 networks are read in every form, and a malformed one is refused with one line", async () => {
    const read = async (ipa) => sealedParts(await issue({ ipa })).claims.net;
    assert.deepEqual(await read(""), []);
    assert.deepEqual(await read("203.0.113.7"), ["203.0.113.7"]);
    assert.deepEqual(await read("203.0.113.7,198.51.100.0/24"), ["203.0.113.7", "198.51.100.0/24"]);
    assert.deepEqual(await read("203.0.113.7 , 198.51.100.0/24\n2001:db8::/32"), [
      "203.0.113.7",
      "198.51.100.0/24",
      "2001:db8::/32",
    ]);
    assert.deepEqual(await read("10.1.2.3/8"), ["10.0.0.0/8"]);
    for (const ipa of [
      ",",
      " ",
      " ,, ",
      "1.2.3",
      "01.2.3.4",
      "256.0.0.1",
      "10.0.0.0/33",
      "10.0.0.0/-1",
      "10.0.0.0/",
      "fe80::1%eth0",
      "::/129",
      "example.com",
      "10.0.0.1;10.0.0.2",
      "10.0.0.1-10.0.0.9",
    ]) {
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
    const over = await ask({
      ...service,
      ipa: Array.from({ length: 257 }, (_, n) => `2001:db8:${n.toString(16)}:ffff:ffff:ffff:ffff:fff0/124`).join(","),
    });
    refused(over, 400, "invalid_ipa");
    assert.match(over.text, /257 networks are more than the 256/);
    const log = at.worker.log().join("\n");
    assert.ok(!log.includes(spw) && !log.includes(key), "nothing of it is logged");
  });

  test("whatever stands in a field is refused with one line or read as it is written, and asks nobody where it is refused", async () => {
    const { sid, spw } = service;
    const odd = [
      "\u0000",
      "\ufeff",
      "\u200b",
      "\u202e1m",
      "\u2028",
      "\u0085",
      "\ud800",
      "𝟛𝟘s",
      "３０s",
      "٣٠s",
      "%",
      "%zz",
      "&",
      "=",
      "+",
      ";",
      "[]",
      "1\r\nset-cookie: x",
      "é".repeat(9_000),
      "null",
      "-0",
      "0x1e",
      "1e9",
      "__proto__",
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
      ["sid&spw", 401, "missing"],
      [`sid=${sid}&spw=${spw} `, 401, "unknown"],
    ]) {
      refused(await ask({}, { body }), status, code);
    }
    // Both ways at once, wherever the key is and whatever it is worth.
    for (const authorization of [
      `Bearer clv_${random(78)}`,
      `Basic ${btoa(`clv_${random(18)}:${random(60)}`)}`,
      `clv_${random(78)}`,
    ]) {
      const answer = await ask(service, { headers: { authorization } });
      assert.ok(
        [400, 401].includes(answer.status) && !answer.text.startsWith("clv"),
        `${authorization}: ${answer.text}`,
      );
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

  test(
    "P3 a made-up key is refused before its body, and a body that does not come is not waited for",
    { timeout: 30_000 },
    async () => {
      const { promise, resolve: end } = Promise.withResolvers();
      const body = async function* () {
        yield "epi=";
        await promise;
      };
      refused(await ask({}, { key: `clv_${random(78)}`, body: body() }), 401, "malformed");
      refused(
        await ask({}, { key: sealed({ payload: sealedParts(await issue()).payload, master: FOREIGN }), body: body() }),
        401,
        "unknown",
      );
      refused(await ask({}, { body: body() }), 408, "body_too_slow");
      end();
    },
  );

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
    assert.deepEqual((await at.show(issuer.key.id)).issuable, {
      permissions: ["demo:read"],
      networks: [],
      longest_ms: 30 * 86_400_000,
    });
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
    assert.deepEqual(pointer(await at.tryIssue({ issuable: ISSUABLE, permissions: ["claviger:verify"] })), [
      "#/issuable",
    ]);
    const check = await at.console("POST", "/v1/keys/check", {
      body: { issuable: { ...ISSUABLE, networks: "10.0.0.0/33" } },
    });
    assert.deepEqual([check.body.issuable.networks.problems, check.body.issuable.longest_ms], [1, 30 * 86_400_000]);
  });
});

describe("the issuance API with a body that is out to hurt", () => {
  let service;
  before(async () => {
    const { service_id: sid, service_password: spw } = expect(
      await at.console("POST", "/v1/account/service/reveal"),
      200,
    ).body;
    service = `sid=${sid}&spw=${spw}`;
  });
  const ask = (body, host = API) =>
    at.ask(host, PATH, {
      method: "POST",
      headers: { "cf-connecting-ip": OFFICE, "content-type": "application/x-www-form-urlencoded" },
      body,
    });
  const rows = {
    "of 1 MiB": () => [Buffer.alloc(MEBIBYTE, "a"), 413, "body_too_large"],
    "of a byte more than it takes": () => [Buffer.alloc(65_537, "&"), 413, "body_too_large"],
    "of nothing but ampersands": () => [Buffer.alloc(65_536, "&"), 401, "missing"],
    "of 10,000 fields": () => [Array.from({ length: 10_000 }, (_, n) => `a${n}`).join("&"), 400, "unknown_field"],
    "of one field, 10,000 times": () => [Array.from({ length: 10_000 }, () => "epi=").join("&"), 400, "repeated_field"],
    "of percent signs": () => [`${service}&epi=${"%".repeat(60_000)}`, 400, "invalid_epi"],
    "that is no UTF-8": () => [
      Buffer.concat([Buffer.from(`${service}&epi=`), Buffer.from([0xff, 0xfe, 0x00])]),
      400,
      "invalid_epi",
    ],
    "with NUL in a field": () => [`${service}&ipa=10.0.0.1%00`, 400, "invalid_ipa"],
    "with text that turns its direction": () => [`${service}&ipa=%E2%80%AE10.0.0.1`, 400, "invalid_ipa"],
    "with a number beyond 64 bits": () => [`${service}&epi=9223372036854775808`, 400, "invalid_epi"],
    "with a number beyond 64 bits of days": () => [`${service}&epi=9223372036854775807d`, 400, "invalid_epi"],
    "with a year beyond all": () => [`${service}&epi=99999/01/01`, 400, "invalid_epi"],
    "with an end of 60,000 characters": () => [`${service}&epi=${"1".repeat(60_000)}`, 400, "invalid_epi"],
    "with an ID of 60,000 characters": () => [`sid=${"a".repeat(60_000)}&spw=a`, 401, "unknown"],
    "with a password of 60,000 characters": () => [`${service}${"a".repeat(60_000)}`, 401, "unknown"],
    "of JSON": () => ["[".repeat(60_000), 400, "unknown_field"],
  };
  for (const [what, row] of Object.entries(rows)) {
    test(what, async () => {
      for (const host of [API, CONSOLE]) {
        const [body, status, code] = row();
        const answer = expect(await ask(body, host), status);
        assert.ok(answer.text.startsWith(`${code}: `), answer.text);
        assert.ok(answer.text.length < 500, answer.text);
        assert.doesNotMatch(answer.text, /[\p{Cc}\p{Bidi_Control}]/u);
      }
    });
  }
});
