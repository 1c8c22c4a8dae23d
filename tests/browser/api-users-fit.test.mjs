// The pages and dialogs of API users fit every window in both languages, and break no rule of
// accessibility on a phone, a tablet and a desk, light and dark (rows C01 to C16).
import { NOW, answerInstead, json } from "./support/answers.mjs";
import { PASSWORD, apiUser, invalid, standInUsers, usersOfEachKind } from "./support/api-users.mjs";
import { NARROW, inspect, open } from "./support/console.mjs";
import { assertFits } from "./support/fit.mjs";
import { expect, test } from "./support/fixtures.mjs";

const LONG = `${"a".repeat(64)}@${"example".repeat(6)}.jp`;
const ADDRESS = "2001:db8:85a3:8d3:1319:8a2e:370:7348";
const SHOWN = apiUser(9, {
  name: LONG,
  group: "admin",
  interfaces: ["http", "smtp"],
  networks: [ADDRESS, "10.0.0.0/8", "192.0.2.1"],
  zone: "America/Argentina/Buenos_Aires",
  expires_at: "2099-06-30T14:05:00Z",
  view_personal_data: true,
  download_personal_data: true,
  own_data_only: true,
  last_used_at: NOW,
  created_by: "全角".repeat(32),
});
const USERS = [SHOWN, ...usersOfEachKind()];

const SIZES = {
  phone: { ...NARROW, colorScheme: "dark" },
  tablet: { width: 768, height: 1024, colorScheme: "light" },
  desk: { width: 1280, height: 900, colorScheme: "light" },
  "desk-dark": { width: 1280, height: 900, colorScheme: "dark" },
};

/** Opens the menu of the long user and chooses the `item`th action. */
const choose = (item) => async (page) => {
  await page.locator(".key-card-head .icon-only").first().click();
  await page.locator(`.menu:popover-open .item:nth-child(${item})`).click();
};
const click = (selector) => (page) => page.locator(selector).first().click();
const openAdd = click(".page-head .primary");
const submit = click("dialog[open] form .primary");

async function addByKey(page, key = "Tr4ffic!") {
  await openAdd(page);
  await page.locator("#user_name").fill(LONG);
  await page.locator("#api_key").fill(key);
  await page.locator("#api_key_confirmation").fill(key);
}

async function deleteUntil(page) {
  await choose(4)(page);
  await page.locator("#delete-password").fill(PASSWORD);
  await submit(page);
}

/** States: the address, the users, how to get there, and what shows that it is there. */
const STATES = {
  list: ["#/api-users?status=all", USERS, null, ".key-cards li"],
  empty: ["#/api-users", [], null, ".empty"],
  "no match": [`#/api-users?q=${"x".repeat(39)}`, [], null, ".empty"],
  failed: ["#/api-users", [], null, ".notice", () => ({ status: 503, code: "unavailable" })],
  pages: ["#/api-users?cursor=50&from=9950", Array.from({ length: 200 }, (_, n) => apiUser(n)), null, ".paging"],
  "filters open": ["#/api-users?status=all", USERS, click(".filters summary"), ".filter-fields"],
  menu: ["#/api-users", USERS, click(".key-card-head .icon-only"), ".menu:popover-open"],
  "one user": [`#/api-users/${SHOWN.id}`, USERS, null, ".activity"],
  add: ["#/api-users", USERS, openAdd, "dialog"],
  generate: [
    "#/api-users",
    USERS,
    async (page) => {
      await openAdd(page);
      await page.locator(".key-source input[type=radio]").nth(1).check();
    },
    "dialog",
  ],
  refused: [
    "#/api-users",
    USERS,
    async (page) => {
      await addByKey(page);
      await submit(page);
    },
    "dialog .notice li",
    ({ method }) =>
      method === "POST"
        ? invalid(
            ["#/name", "taken"],
            ["#/api_key", "own_names"],
            ["#/interfaces", "not_one_of"],
            ["#/zone", "unknown_zone"],
          )
        : undefined,
  ],
  "mail settings": [
    "#/api-users",
    USERS,
    async (page) => {
      await addByKey(page);
      await page.locator("#interfaces input").nth(1).check();
      await submit(page);
    },
    "dialog.reveal",
  ],
  "generated key": [
    "#/api-users",
    USERS,
    async (page) => {
      await openAdd(page);
      await page.locator("#user_name").fill(LONG);
      await page.locator(".key-source input[type=radio]").nth(1).check();
      await page.locator("#interfaces input").nth(1).check();
      await submit(page);
    },
    "#credential",
  ],
  edit: [
    "#/api-users",
    USERS,
    async (page) => {
      await choose(2)(page);
      await page.locator("#changes_key").check();
      await page.locator("#user_name").fill("other@example.com");
    },
    "#api_key",
  ],
  conflict: [
    "#/api-users",
    USERS,
    async (page) => {
      await choose(2)(page);
      await page.locator("#interfaces input").nth(1).uncheck();
      await submit(page);
      await page.locator("dialog .notice button").click();
    },
    "dialog table",
    ({ method }) =>
      method === "PATCH"
        ? { status: 412, code: "changed_meanwhile", user: { ...SHOWN, group: "normal" }, by: LONG, at: NOW }
        : undefined,
  ],
  lock: ["#/api-users", USERS, choose(3), "dialog"],
  delete: ["#/api-users", USERS, choose(4), "dialog"],
  "the last click": ["#/api-users", USERS, deleteUntil, "dialog dialog"],
  restore: [
    "#/api-users",
    [{ ...SHOWN, status: "deleted", deleted_at: NOW, restorable_until: "2099-12-21T12:00:00Z", locked: true }],
    async (page) => {
      await page.locator(".empty > a").click();
      await choose(2)(page);
    },
    "dialog",
  ],
};

const entry = (id, action, changes) => ({
  id,
  at: NOW,
  action,
  by: { kind: "member", id: "m1", name: LONG },
  address: ADDRESS,
  key: { id: SHOWN.id, name: LONG },
  changes,
});
const ENTRIES = [
  entry(2, "api_user_edited", {
    networks: { from: [], to: Array(9).fill(ADDRESS) },
    name: { from: "a@b.jp", to: LONG },
  }),
  entry(1, "api_user_created", {
    interfaces: { from: null, to: ["http", "smtp"] },
    group: { from: null, to: "admin" },
  }),
];

for (const language of ["en", "ja"]) {
  test.describe(`in ${language}`, () => {
    for (const [name, [address, users, show, shown, refuse]] of Object.entries(STATES)) {
      test(`API users, it fits: ${name}`, async ({ newPage }) => {
        const page = await newPage({ viewport: NARROW });
        await page.addInitScript((code) => localStorage.setItem("claviger.language", code), language);
        const state = await standInUsers(page, users);
        state.refuse = refuse ?? null;
        await answerInstead(page, "GET", "/v1/activity", json({ entries: ENTRIES, next: "c" }));
        await open(page, address);
        await expect(page.locator(".key-cards, .empty, .facts, .notice").first()).toBeVisible();
        await show?.(page);
        await expect(page.locator(shown).first()).toBeVisible();
        for (const [size, { colorScheme, ...viewport }] of Object.entries(SIZES)) {
          await page.setViewportSize(viewport);
          await page.emulateMedia({ colorScheme });
          await inspect(page, `api-users-${name.replaceAll(" ", "-")}-${size}-${language}`);
        }
        await assertFits(page, name);
      });
    }
  });
}
