// The console's arithmetic, without a browser.
import { expect, test } from "@playwright/test";
import { endOfDay, instantOf, makeFormat, wallClock } from "../../www/src/i18n/format.js";
import {
  changesOf,
  valuesOf,
  emptyValues,
  expiresText,
  proposedLimits,
  merged,
  missingIn,
  newFieldsOf,
} from "../../www/src/key/form/values.js";
import { durationOf, durationText } from "../../www/src/key/duration.js";
import { parseShortLivedKey } from "../../www/src/key/short-lived/parser.js";
import { send } from "../../www/src/client/api.js";
import { withoutSecrets } from "../../www/src/client/redaction.js";
import { indexed, matching, pageOf, sorted } from "../../www/src/account/list.js";
import { browserOf } from "../../www/src/profile/agent.js";

const TOKYO = "Asia/Tokyo";
const NEW_YORK = "America/New_York";
const ID = "a1B2c3D47Hq0p2Zx9K";
const PAYLOAD = { v: 1, id: "q".repeat(35), by: { key: ID }, more: "é".repeat(40) };
const SEALED = `clvs_${Buffer.from(JSON.stringify(PAYLOAD)).toString("base64url")}.${"M".repeat(43)}crc123`;
const SECRET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg".padEnd(60, "x");

test.describe("a search text", () => {
  const cases = {
    "a whole key is cut to its ID": [`clv_${ID}${SECRET}`, `clv_${ID}`, true],
    "a key torn off in the middle too": [`clv_${ID}${SECRET.slice(0, 7)}`, `clv_${ID}`, true],
    "the words around it go, as in a header": [`Bearer clv_${ID}${SECRET} x`, `clv_${ID}`, true],
    "an access secret alone leaves nothing": [SECRET, "", true],
    "a key without its prefix leaves nothing": [ID + SECRET, "", true],
    "a short-lived key leaves nothing": [SEALED, "", true],
    "a short-lived key torn off leaves nothing": [SEALED.slice(0, -30), "", true],
    "the words around a short-lived key stay": [`cron ${SEALED} x`, "cron  x", true],
    "an ID stays": [ID, ID, false],
    "an access key stays": [`clv_${ID}`, `clv_${ID}`, false],
    "an address stays": ["2001:db8:85a3:8d3:1319:8a2e:370:7348", "2001:db8:85a3:8d3:1319:8a2e:370:7348", false],
    "a name stays": ["nightly_export 夜間バッチ", "nightly_export 夜間バッチ", false],
  };
  for (const [name, [typed, text, cut]] of Object.entries(cases)) {
    test(name, () => expect(withoutSecrets(typed)).toStrictEqual({ text, cut }));
  }
});

test.describe("a pasted short-lived key (A08)", () => {
  test("is known by its ID and its issuer alone", () => {
    expect(parseShortLivedKey(` ${SEALED}\n`)).toStrictEqual({ id: PAYLOAD.id, issuer: ID });
  });
  test("may be issued by the service password", () => {
    const text = `clvs_${Buffer.from('{"v":1,"id":"x","by":"service"}').toString("base64url")}.${"M".repeat(49)}`;
    expect(parseShortLivedKey(text)).toStrictEqual({ id: "x", issuer: "service" });
  });
  test("is none where anything is missing", () => {
    for (const text of [
      "",
      "clvs_",
      SEALED.split(".")[0],
      `clvs_e30.${"M".repeat(49)}`,
      `clv_${ID}${SECRET}`,
      "clvs_%.x",
    ])
      expect(parseShortLivedKey(text), text).toBeNull();
  });
});

test.describe("a length of time", () => {
  test("is told in the longest unit that leaves at least two of it", () => {
    const text = (ms) => durationText(durationOf(ms));
    expect([86_400_000, 172_800_000, 5_400_000, 3_600_000, 61_000].map(text)).toEqual([
      "24h",
      "2d",
      "90m",
      "60m",
      "61s",
    ]);
  });
  test("that is not typed is missing", () => expect(durationText({ amount: " ", unit: "h" })).toBe(undefined));
});

test.describe("a date and a time of a zone", () => {
  const cases = [
    ["2027-06-30", "14:05", TOKYO, "2027-06-30T05:05:00Z"],
    ["2027-01-15", "00:00", NEW_YORK, "2027-01-15T05:00:00Z"],
    ["2027-07-15", "00:00", NEW_YORK, "2027-07-15T04:00:00Z"],
    // The clock goes from 02:00 to 03:00 on 14 March 2027, and back from 02:00 to 01:00 on 7
    // November.
    ["2027-03-14", "01:59", NEW_YORK, "2027-03-14T06:59:00Z"],
    ["2027-03-14", "03:00", NEW_YORK, "2027-03-14T07:00:00Z"],
    ["2027-11-07", "02:00", NEW_YORK, "2027-11-07T07:00:00Z"],
    ["2027-06-30", "12:00", "Asia/Kathmandu", "2027-06-30T06:15:00Z"],
  ];
  for (const [date, time, zone, instant] of cases) {
    test(`${date} ${time} in ${zone} is ${instant}, and back`, () => {
      expect(instantOf(date, time, zone)).toBe(instant);
      expect(wallClock(Date.parse(instant), zone)).toStrictEqual({ date, time });
    });
  }
});

test.describe("a draft", () => {
  const key = {
    name: "Cron",
    expires_at: "2027-06-30T15:00:00Z",
    networks: ["10.0.0.0/8"],
    permissions: ["demo:read"],
  };

  test("of a new key works for 90 days, from anywhere, and may do nothing", () => {
    expect(newFieldsOf({ ...emptyValues(), name: " Cron " }, TOKYO)).toStrictEqual({
      name: "Cron",
      expires: "90d",
      networks: "",
      permissions: [],
    });
  });
  test("of a key that ends with a day shows that day", () => {
    const { expiry, date, time } = valuesOf(key, TOKYO);
    expect({ expiry, date, time }).toStrictEqual({ expiry: "date", date: "2027-06-30", time: "" });
    expect(expiresText(valuesOf(key, TOKYO), TOKYO)).toBe("2027-06-30");
  });
  test("of a key that ends within a day shows the time of the account's zone", () => {
    const { date, time } = valuesOf({ ...key, expires_at: "2027-06-30T05:05:42Z" }, TOKYO);
    expect({ date, time }).toStrictEqual({ date: "2027-06-30", time: "14:05" });
  });
  test("that nobody touched changes nothing, also where the form is coarser than the key", () => {
    const precise = valuesOf({ ...key, expires_at: "2027-06-30T05:05:42Z" }, TOKYO);
    expect(changesOf(precise, { ...precise }, TOKYO)).toStrictEqual({});
    expect(changesOf(precise, { ...precise, name: "Cron 2" }, TOKYO)).toStrictEqual({ name: "Cron 2" });
  });
  test("names what is missing", () => {
    const codes = (draft, offered = []) =>
      missingIn({ ...emptyValues(), ...draft }, TOKYO, offered).map(({ pointer, code }) => `${pointer} ${code}`);
    expect(codes({ name: " ", amount: "" })).toEqual(["#/name required", "#/expires required_duration"]);
    expect(codes({ name: "x", expiry: "date" })).toEqual(["#/expires required_date"]);
    expect(codes({ name: "x", expiry: "never" })).toEqual([]);
    expect(codes({ name: "x", expiry: "never" }, ["demo:read"])).toEqual(["#/permissions required"]);
    expect(codes({ name: "x", later: true })).toEqual(["#/not_before required"]);
    const ceiling = { permissions: [], networks: "", limited: true, amount: "", unit: "h" };
    expect(codes({ name: "x", issuable: ceiling })).toEqual(["#/issuable/longest required"]);
  });
  test("asks for nothing that was not ticked, and for all three limits of what it may issue (A02, A24)", () => {
    const plain = newFieldsOf({ ...emptyValues(), name: "x" }, TOKYO);
    for (const field of ["issuable", "viewable", "protected", "not_before"]) expect(field in plain, field).toBe(false);
    const ticked = {
      ...emptyValues(),
      name: "x",
      networks: "10.0.0.0/8",
      permissions: ["demo:read", "claviger:verify"],
    };
    const fields = newFieldsOf(
      { ...ticked, issuable: proposedLimits(ticked), viewable: true, isProtected: true },
      TOKYO,
    );
    expect(fields.issuable).toStrictEqual({ permissions: ["demo:read"], networks: "10.0.0.0/8", longest: "24h" });
    expect([fields.viewable, fields.protected]).toEqual([true, true]);
  });
  test("that begins later says when, in the account's zone (A03)", () => {
    const later = { ...emptyValues(), name: "x", later: true, beginDate: "2027-06-30" };
    expect(newFieldsOf(later, TOKYO).not_before).toBe("2027-06-30");
    expect(newFieldsOf({ ...later, beginTime: "14:05" }, TOKYO).not_before).toBe("2027-06-30T05:05:00Z");
    const again = valuesOf({ ...key, not_before: "2027-06-30T05:05:00Z" }, TOKYO);
    expect([again.later, again.beginDate, again.beginTime]).toEqual([true, "2027-06-30", "14:05"]);
  });
  test("lifts what was unticked (A11)", () => {
    const before = valuesOf(
      { ...key, issuable: { permissions: [], networks: [], longest_ms: null }, protected: true },
      TOKYO,
    );
    const after = { ...before, issuable: null, isProtected: false };
    expect(changesOf(before, after, TOKYO)).toStrictEqual({ issuable: null, protected: false });
  });
  test("that met another change keeps theirs where it was not touched", () => {
    const base = valuesOf(key, TOKYO);
    const mine = { ...base, name: "Mine", later: true, beginDate: "2027-01-01" };
    const theirs = { ...base, name: "Theirs", networks: "192.0.2.0/24" };
    const { name, later, networks } = merged(base, mine, theirs, TOKYO);
    expect([name, later, networks]).toEqual(["Mine", true, "192.0.2.0/24"]);
  });
});

test.describe("moments", () => {
  const [en, ja] = [makeFormat("en", TOKYO), makeFormat("ja", TOKYO)];

  test("that end a day belong to it", () => {
    expect(en.end("2027-06-30T15:00:00Z")).toBe("Wed 30 Jun 2027, 24:00");
    expect(en.end("2027-06-30T15:00:00Z", { short: true })).toBe("30\u00a0Jun\u00a02027, 24:00");
    expect(ja.end("2027-06-30T15:00:00Z")).toBe("2027年6月30日(水) 24:00");
    expect(ja.end("2027-06-30T15:00:00Z", { short: true })).toBe("2027/6/30 24:00");
  });
  test("that end a typed day are its midnight", () => {
    expect(endOfDay("2027-06-30", TOKYO)).toBe("2027-06-30T15:00:00Z");
    expect(endOfDay("2026-12-31", NEW_YORK)).toBe("2027-01-01T05:00:00Z");
  });
  test("within a day are exact", () => {
    expect(en.dateTime("2027-02-20T05:05:00Z")).toBe("Sat 20 Feb 2027, 14:05");
    expect(ja.dateTime("2027-02-20T05:05:00Z")).toBe("2027年2月20日(土) 14:05");
  });
  test("of the past are told by their distance, and from a month on by their date", () => {
    const now = Date.parse("2027-06-30T12:00:00Z");
    const past = (format, minutes) => format.past(new Date(now - minutes * 60_000).toISOString(), now);
    expect([0.5, 3, 125, 60 * 24 * 2].map((minutes) => past(en, minutes))).toEqual([
      "just now",
      "3 minutes ago",
      "2 hours ago",
      "2 days ago",
    ]);
    expect([past(ja, 0.5), past(ja, 3)]).toEqual(["たった今", "3分前"]);
    expect(past(en, 60 * 24 * 40)).toBe("21\u00a0May\u00a02027");
  });
  test("ahead are counted in a unit that leaves at least two", () => {
    const hour = 3_600_000;
    expect([0.5 * hour, 3 * hour, 47 * hour, 90 * 24 * hour].map(en.span)).toEqual([
      "30 minutes",
      "3 hours",
      "47 hours",
      "90 days",
    ]);
    expect(ja.span(90 * 24 * hour)).toBe("90日");
    expect([0.5 * hour, 3 * hour, 90 * 24 * hour].map(ja.during)).toEqual(["30分間", "3時間", "90日間"]);
    expect(en.during(3 * hour)).toBe("3 hours");
  });
});

test.describe("the members", () => {
  const members = [
    { id: "c", name: "Key 10", email: "ten@example.jp", role: "viewer", seen_at: null },
    { id: "a", name: "Key 2", email: "two@example.jp", role: "owner", seen_at: "2027-01-01T00:00:00Z" },
    { id: "b", name: "Ñandú さくら", email: "n@example.jp", role: "admin", seen_at: "2027-02-01T00:00:00Z" },
  ];
  const order = (sort, list = members) =>
    sorted(list, sort, "en")
      .map(({ id }) => id)
      .join("");

  test("are found by parts of name and address, whatever their case, width, accents and kana", () => {
    const found = (typed) => matching(indexed(members), typed).map(({ id }) => id);
    expect([" ", "KEY", "ｋｅｙ　２", "nandu サクラ", "example two", "ざくら", "nobody"].map(found)).toEqual([
      ["c", "a", "b"],
      ["c", "a"],
      ["a"],
      ["b"],
      ["a"],
      [],
      [],
    ]);
  });
  test("are ordered as people count, and those never seen come last in the latest first", () => {
    expect(["name", "-name", "role", "-seen", "seen", "nonsense"].map((sort) => order(sort))).toEqual([
      "acb",
      "bca",
      "abc",
      "bac",
      "cab",
      "acb",
    ]);
    const same = members.map((member) => ({ ...member, name: "Same", role: "viewer" }));
    expect([order("name", same), order("role", same)]).toEqual(["abc", "abc"]);
  });
  test("fill pages of fifty, and a page that is not there is the last one", () => {
    const many = Array.from({ length: 101 }, (_, n) => ({ id: n }));
    const page = (asked) => {
      const { page: number, pages, from, rows } = pageOf(many, asked);
      return [number, pages, from, rows.length];
    };
    expect([undefined, "2", "3", "9", "-1", "x"].map(page)).toEqual([
      [1, 3, 0, 50],
      [2, 3, 50, 50],
      [3, 3, 100, 1],
      [3, 3, 100, 1],
      [1, 3, 0, 50],
      [1, 3, 0, 50],
    ]);
    expect(pageOf([], "4")).toEqual({ page: 1, pages: 1, from: 0, rows: [] });
  });
});

test.describe("the name of a browser", () => {
  const chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0";
  const cases = {
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Safari/537.36`]: ["Chrome", "Windows"],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Safari/537.36 Edg/142.0`]: ["Microsoft Edge", "Windows"],
    [`Mozilla/5.0 (X11; Linux x86_64) ${chrome} Safari/537.36 OPR/127.0`]: ["Opera", "Linux"],
    [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${chrome} Safari/537.36`]: ["Chrome", "ChromeOS"],
    [`Mozilla/5.0 (Linux; Android 10; K) ${chrome} Mobile Safari/537.36`]: ["Chrome", "Android"],
    [`Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 SamsungBrowser/29.0 Chrome/136.0 Mobile Safari/537.36`]: [
      "Samsung Internet",
      "Android",
    ],
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15":
      ["Safari", "macOS"],
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 CriOS/142.0 Mobile/15E148 Safari/604.1":
      ["Chrome", "iOS"],
    "Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 FxiOS/145.0 Mobile/15E148 Safari/605.1.15": [
      "Firefox",
      "iPadOS",
    ],
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0": ["Firefox", "Linux"],
    "curl/8.14.1": ["curl", null],
    "<script>alert(1)</script>": [null, null],
    "": [null, null],
  };
  for (const [agent, [browser, system]] of Object.entries(cases))
    test(`of ${agent.slice(0, 120) || "none"}`, () => expect(browserOf(agent)).toEqual({ browser, system }));
  test("is unknown if the server knows no agent", () =>
    expect(browserOf(null)).toEqual({ browser: null, system: null }));
});

test.describe("a request that crossed a new cookie", () => {
  const { fetch, navigator } = globalThis;
  const stub = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  test.beforeEach(() => stub("navigator", { onLine: true }));
  test.afterEach(() => {
    stub("fetch", fetch);
    stub("navigator", navigator);
  });

  const response = (status, body) =>
    new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/problem+json" } });

  /** Sends a request, then begins a session of `member`, and only then refuses the request. */
  async function crossing(member) {
    const members = ["m1", member];
    let asked = 0;
    let refuse;
    stub("fetch", (path) => {
      if (path === "/v1/session") return Promise.resolve(response(201, { member: { id: members.shift() } }));
      asked += 1;
      if (asked > 1) return Promise.resolve(response(200, {}));
      return new Promise((resolve) => (refuse = () => resolve(response(401, { code: "not_signed_in" }))));
    });
    await send("POST", "/v1/session");
    const answer = send("POST", "/v1/keys", { body: {} });
    await send("POST", "/v1/session");
    refuse();
    return { ok: (await answer).ok, asked };
  }

  test("goes out once more for the same member", async () => {
    expect(await crossing("m1")).toEqual({ ok: true, asked: 2 });
  });
  test("does not go out in another account", async () => {
    expect(await crossing("m2")).toEqual({ ok: false, asked: 1 });
  });
});
