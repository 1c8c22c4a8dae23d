// A key's form: each mistake is named, and nothing of a refused form is kept.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { begin, expect } from "../../support/journey.mjs";

/** Each: the members that differ from a good key, and the errors that they are told by. */
const REFUSED = {
  "a name with a control character": [{ name: "a\u0007b" }, ["#/name", "control_character"]],
  "a name with a line break": [{ name: "a\nb" }, ["#/name", "control_character"]],
  "a name that turns the direction of text": [{ name: "a\u202eb" }, ["#/name", "control_character"]],
  "a name with an invisible character": [{ name: "a\u200bb" }, ["#/name", "control_character"]],
  "a name with a variation selector of nothing": [{ name: "a\ufe0fb" }, ["#/name", "control_character"]],
  "a name with a joiner of nothing": [{ name: "a\u200db" }, ["#/name", "control_character"]],
  "a name with hidden tags": [{ name: "🔑\u{e0061}\u{e0062}\u{e0063}\u{e007f}" }, ["#/name", "control_character"]],
  "an empty name": [{ name: "" }, ["#/name", "required"]],
  "a blank name": [{ name: " \u3000 " }, ["#/name", "required"]],
  "a name of 65 characters": [{ name: "é".repeat(65) }, ["#/name", "too_long", { max: 64 }]],
  "no name": [{ name: undefined }, ["#/name", "required"]],
  "no expiry": [{ expires: undefined }, ["#/expires", "required"]],
  "no networks": [{ networks: undefined }, ["#/networks", "required"]],
  "no permissions": [{ permissions: undefined }, ["#/permissions", "required"]],
  "an expiry in the past": [
    { expires: "2020-01-01T00:00:00Z" },
    ["#/expires", "in_the_past", { at: "2020-01-01T00:00:00.000Z" }],
  ],
  "a day in the past": [{ expires: "2020-01-01" }, ["#/expires", "in_the_past", { at: "2020-01-01T15:00:00.000Z" }]],
  "a duration of nothing": [{ expires: "0s" }, ["#/expires", "zero_duration"]],
  "a Unix time": [{ expires: "1798761600" }, ["#/expires", "looks_like_unix_time", { at: "2027-01-01T00:00:00.000Z" }]],
  "a Unix time in milliseconds": [
    { expires: "1798761600000" },
    ["#/expires", "looks_like_unix_time", { at: "2027-01-01T00:00:00.000Z" }],
  ],
  "a beginning that is a Unix time": [{ not_before: "1798761600000" }, ["#/not_before", "looks_like_unix_time"]],
  "a date without separators": [{ expires: "20270630" }, ["#/expires", "looks_like_date"]],
  "a longest life that is a Unix time": [
    { issuable: { permissions: [], networks: [], longest: "1798761600" } },
    ["#/issuable/longest", "looks_like_unix_time"],
  ],
  "an offset of 60 minutes": [{ expires: "2027-06-30T12:00:00+09:60" }, ["#/expires", "no_such_offset"]],
  "a plus that became a blank": [{ expires: "2027-06-30 12:00:00 09:00" }, ["#/expires", "blank_for_plus"]],
  "a day that no calendar has": [{ expires: "2027-02-30" }, ["#/expires", "no_such_day"]],
  "a time that no clock has": [{ expires: "2027-06-30T25:00:00Z" }, ["#/expires", "no_such_time"]],
  "an expiry in a million years": [{ expires: "99999999d" }, ["#/expires", "too_far"]],
  "an expiry that is none": [{ expires: "soon" }, ["#/expires", "not_a_time"]],
  "an expiry of 41 characters": [{ expires: "9".repeat(41) }, ["#/expires", "too_long"]],
  "a beginning after the end": [{ expires: "1h", not_before: "2h" }, ["#/not_before", "begins_after_end"]],
  "10.0.0.0/33": [
    { networks: "10.0.0.0/33" },
    ["#/networks", "prefix_too_long", { max: 32, line: 1, entry: "10.0.0.0/33" }],
  ],
  "2001:db8::/129": [{ networks: "2001:db8::/129" }, ["#/networks", "prefix_too_long", { max: 128 }]],
  "1.2.3": [{ networks: "1.2.3" }, ["#/networks", "not_four_numbers", { entry: "1.2.3" }]],
  "01.2.3.4": [{ networks: "01.2.3.4" }, ["#/networks", "leading_zero", { suggestion: "1.2.3.4" }]],
  "fe80::1%eth0": [{ networks: "fe80::1%eth0" }, ["#/networks", "zone_id", { zone: "%eth0" }]],
  "::ffff:10.0.0.1/64": [{ networks: "::ffff:10.0.0.1/64" }, ["#/networks", "mapped_prefix_too_short", { min: 96 }]],
  "256.0.0.1": [{ networks: ["256.0.0.1"] }, ["#/networks", "octet_too_large", { max: 255 }]],
  "10.0.0.0/": [{ networks: ["10.0.0.0/"] }, ["#/networks", "prefix_not_a_number"]],
  "a host's name": [
    { networks: "10.0.0.1\nexample.com" },
    ["#/networks", "host_name", { line: 2, entry: "example.com" }],
  ],
  "a network with its mask": [
    { networks: "10.0.0.0 255.255.255.0" },
    ["#/networks", "netmask", { line: 1, entry: "255.255.255.0", suggestion: "10.0.0.0/24" }],
  ],
  "a router's wildcard mask": [
    { networks: "10.0.0.0 0.0.0.255" },
    ["#/networks", "netmask", { entry: "0.0.0.255", suggestion: "10.0.0.0/24" }],
  ],
  "a range": [{ networks: "10.0.0.0-10.0.0.255" }, ["#/networks", "range", { suggestion: "10.0.0.0/24" }]],
  "a wildcard": [{ networks: ["10.0.*.*"] }, ["#/networks", "wildcard", { suggestion: "10.0.0.0/16" }]],
  "an address with a port": [{ networks: "1.2.3.4:80" }, ["#/networks", "port", { suggestion: "1.2.3.4" }]],
  "any address by name": [{ networks: "any" }, ["#/networks", "anywhere"]],
  "a multicast address": [{ networks: "224.0.0.1" }, ["#/networks", "no_caller"]],
  "257 networks": [{ networks: blocks(257) }, ["#/networks", "too_many", { count: 257, max: 256 }]],
  "10,000 networks": [{ networks: blocks(10_000).join(" ") }, ["#/networks", "too_many", { count: 10_000, max: 256 }]],
  "10,000 networks in a list": [{ networks: blocks(10_000) }, ["#/networks", "too_many", { count: 10_000, max: 256 }]],
  "a permission of one part": [{ permissions: ["read"] }, ["#/permissions", "not_two_parts", { entry: "read" }]],
  "a permission in capitals": [{ permissions: ["Demo:read"] }, ["#/permissions", "bad_character", { found: "D" }]],
  "a wildcard within a part": [{ permissions: ["demo:r*"] }, ["#/permissions", "misplaced_wildcard"]],
  "Claviger's own powers by wildcard": [{ permissions: ["claviger:*"] }, ["#/permissions", "reserved_wildcard"]],
  "65 permissions": [
    { permissions: Array.from({ length: 65 }, (_, n) => `demo:p${n}`) },
    ["#/permissions", "too_many", { count: 65, max: 64 }],
  ],
};

const MALFORMED = {
  "an unknown member": { surplus: true },
  "a number as name": { name: 7 },
  "null as expiry": { expires: 7 },
  "a table as networks": { networks: { "10.0.0.0": 8 } },
  "numbers as networks": { networks: [167772160] },
  "text as permissions": { permissions: "demo:read" },
  "a digest of one's own": { digest: "0".repeat(43) },
  "an ID of one's own": { id: "a1B2c3D47Hq0p2Zx9K" },
};

function blocks(count) {
  return Array.from({ length: count }, (_, n) => `${(n % 200) + 1}.${Math.floor(n / 200)}.0.0`);
}

describe("a key's form", () => {
  let at;
  let edited;
  before(async () => {
    at = await begin();
    edited = (await at.issue()).key;
    await at.worker.resetCounters();
  });
  after(() => at.dispose());

  const edit = (body) =>
    at.console("PATCH", `/v1/keys/${edited.id}`, { body, headers: { "if-match": `"${edited.revision}"` } });

  for (const [what, [members, [pointer, code, params = {}]]] of Object.entries(REFUSED)) {
    test(`${what} is refused as ${code}`, async () => {
      const isLeftOut = Object.values(members).includes(undefined);
      // What is left out of an edit stays as it is.
      const answers = [await at.tryIssue(members), ...(isLeftOut ? [] : [await edit(members)])];
      for (const answer of answers) {
        const { errors } = expect(answer, 422, "invalid").body;
        assert.deepEqual([errors[0].pointer, errors[0].code], [pointer, code]);
        for (const [name, value] of Object.entries(params)) assert.equal(errors[0][name], value, name);
        assert.ok(errors[0].detail);
      }
    });

    test(`${what} is noted while it is typed`, async () => {
      const checked = expect(await at.console("POST", "/v1/keys/check", { body: members }), 200).body;
      const noted = [...checked.errors, ...(checked.networks?.lines ?? [])].map((note) => note.code);
      assert.equal(noted.includes(code), !Object.values(members).includes(undefined), JSON.stringify(checked));
    });
  }

  for (const [what, members] of Object.entries(MALFORMED)) {
    test(`${what} is no form at all`, async () => {
      expect(await at.tryIssue(members), 400, "malformed_body");
      expect(await edit(members), 400, "malformed_body");
      expect(await at.console("POST", "/v1/keys/check", { body: members }), 400, "malformed_body");
    });
  }

  test("all that is wrong is told at once", async () => {
    const everything = { name: "", expires: "soon", networks: "1.2.3 01.2.3.4", permissions: ["x"] };
    const { errors } = expect(await at.tryIssue(everything), 422, "invalid").body;
    assert.deepEqual(
      errors.map(({ code }) => code),
      ["required", "not_a_time", "not_four_numbers", "leading_zero", "not_two_parts"],
    );
  });

  test("nothing of all that was written, in ledger or KV", async () => {
    const { keys, total } = expect(await at.console("GET", "/v1/keys"), 200).body;
    assert.equal(total, 1);
    assert.deepEqual(keys[0], edited);
    assert.ok(((await at.worker.counters())["KEYS.put"] ?? 0) <= 1, "the good key's own");
    // Every change takes the next number.
    assert.equal((await at.issue()).key.revision, edited.revision + 1);
  });

  test("networks are kept in one spelling", async () => {
    const typed = "::ffff:10.0.0.1/120, 10.1.2.3/8\n2001:DB8:0::1  203.0.113.7/32 203.0.113.7";
    const { key } = await at.issue({ networks: typed });
    assert.deepEqual(key.networks, ["10.0.0.0/24", "10.0.0.0/8", "2001:db8::1", "203.0.113.7"]);
  });
});
