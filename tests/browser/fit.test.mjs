// Every page and dialog fits windows from 320 to 1,920 px in both languages, with the longest names.
import { NOW, answerInstead, json, key, problem } from "./support/answers.mjs";
import { NARROW, open } from "./support/console.mjs";
import { assertFits } from "./support/fit.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { noticesOfEachKind } from "./support/notices.mjs";
import { invitation, member, standIn } from "./support/people.mjs";

const LONG = "全角".repeat(32);
const LATIN = "Abcdefghijklmnop".repeat(4);
const ADDRESS = "2001:db8:85a3:8d3:1319:8a2e:370:7348";
const SEALED = "q".repeat(35);
const LIMITS = { permissions: ["demo:read", "claviger:verify"], networks: [`${ADDRESS}/128`], longest_ms: 90_000_000 };

/** Keys with the longest of everything, in each status. */
const KEYS = [
  key(1, {
    name: LONG,
    networks: [ADDRESS, "10.0.0.0/8", "192.0.2.1"],
    uses_24h: 1_234_567,
    last_used_at: NOW,
    overlap_until: "2099-06-30T14:05:00Z",
  }),
  key(2, {
    name: LATIN,
    status: "disabled",
    enabled: false,
    expires_at: "2099-06-30T14:05:00Z",
    viewable: true,
    replaced_by: key(1).id,
    overlap_until: "2099-06-30T14:05:00Z",
  }),
  key(3, { status: "expired", expires_at: "2026-01-01T05:05:00Z", protected: true }),
  key(4, { status: "not_yet_valid", not_before: "2098-06-30T15:00:00Z", expires_at: "2099-06-30T15:00:00Z" }),
  key(5, { status: "deleted", deleted_at: NOW, restorable_until: "2026-12-21T12:00:00Z", name: LATIN }),
  key(6, { issued_by: { kind: "key", id: key(1).id, name: LONG }, last_used_at: "2026-01-01T05:05:00Z" }),
  key(7, { issued_by: { kind: "service" }, status: "ended", issuable: LIMITS, permissions: ["demo:read"] }),
  key(8, { name: LONG, issuable: LIMITS, issued_by: { kind: "member", name: LATIN }, created_by: LATIN }),
];
const SHOWN = KEYS[7];

const listed = (keys, members = {}) => json({ keys, next: null, total: keys.length, total_is_exact: true, ...members });

const entry = (id, action, members = {}) => ({
  id,
  at: NOW,
  action,
  by: { kind: "member", id: "m1", name: LATIN },
  address: ADDRESS,
  key: { id: key(1).id, name: LONG },
  changes: null,
  ...members,
});
const ENTRIES = [
  entry(1, "key_edited", {
    changes: {
      name: { from: LATIN, to: LONG },
      networks: { from: [], to: Array(9).fill(ADDRESS) },
      issuable: { from: null, to: LIMITS },
    },
  }),
  entry(2, "sealed_key_revoked", {
    changes: { sealed_key: { from: SEALED, to: null } },
    by: { kind: "key", name: LONG },
  }),
  entry(3, "deletion_begun", { key: null, changes: { keys: { from: null, to: KEYS.map(({ id }) => id) } } }),
];

/** Answers every request of the pages with the longest data. */
async function answerLong(page) {
  await answerInstead(page, "GET", "/v1/session", async (route) => {
    const answer = await route.fetch();
    const session = await answer.json();
    const account = { ...session.account, name: LONG };
    await route.fulfill({
      response: answer,
      json: { ...session, account, member: { ...session.member, name: LATIN } },
    });
  });
  await answerInstead(page, "GET", "/v1/keys", listed(KEYS, { hidden: 10_000 }));
  await answerInstead(page, "GET", `/v1/keys/${SHOWN.id}`, json(SHOWN));
  await answerInstead(page, "GET", "/v1/activity", json({ entries: ENTRIES, next: "c" }));
  await answerInstead(
    page,
    "GET",
    "/v1/account/service",
    json({ service_id: "a1B2c3D4e5F6g7H8i9J", has_password: true, changed_at: NOW, ceiling: LIMITS, revision: 1 }),
  );
  const account = { id: "a1B2c3D4", state: "open", name: LONG, entered_at: NOW, link_until: null, restoring: true };
  const accounts = [account, { ...account, id: "b1B2c3D4", state: "pending", name: null, link_until: NOW }];
  await answerInstead(page, "GET", "/v1/operator/accounts", json({ accounts, next: "c" }));
  const publication = { rebuilding: true, done: 10, total: 20, unsettled: 3, lag_s: 4_000 };
  const details = {
    ...account,
    time_zone: "America/Argentina/ComodRivadavia",
    freshness_s: 10,
    within_s: 14,
    publication,
  };
  await answerInstead(
    page,
    "GET",
    "/v1/operator/accounts/a1B2c3D4",
    json({ account: { ...details, suspended: true } }),
  );
}

/** Pages: how to reach them, and what shows that they are there. */
const PAGES = {
  keys: ["#/keys", ".key-cards li, .listed tbody tr"],
  "one key": [
    "#/keys",
    ".key-cards li, .listed tbody tr",
    (page) => answerInstead(page, "GET", "/v1/keys", listed([SHOWN])),
  ],
  "no key": ["#/keys", ".empty", (page) => answerInstead(page, "GET", "/v1/keys", listed([]))],
  "no match": [`#/keys?q=${LATIN}`, ".empty", (page) => answerInstead(page, "GET", "/v1/keys", listed([]))],
  "keys that failed": [
    "#/keys",
    ".notice",
    (page) => answerInstead(page, "GET", "/v1/keys", problem(503, "unavailable", {}, { "cf-ray": "8f2a9c4417" })),
  ],
  "a page of many keys": [
    "#/keys?cursor=b&from=9950",
    ".paging",
    (page) => answerInstead(page, "GET", "/v1/keys", listed(KEYS, { next: "c", total: 10_000, total_is_exact: false })),
  ],
  "Connection Information": ["#/connection", ".service dl"],
  "a key": [`#/keys/${SHOWN.id}`, ".activity"],
  activity: ["#/activity?key=x&member=y", ".activity"],
  "no activity": [
    `#/activity?q=${LATIN}`,
    ".empty",
    (page) => answerInstead(page, "GET", "/v1/activity", json({ entries: [], next: null })),
  ],
  accounts: ["#/operator", ".keys"],
  "an account": ["#/operator/a1B2c3D4", ".facts"],
  "no page": ["#/nowhere", "h1"],
};

const openFirst = (name) => async (page) => {
  await page
    .locator(".key-card-head .icon-only")
    .nth(name.nth ?? 0)
    .click();
  await page.locator(`.menu:popover-open .item:nth-child(${name.item})`).click();
};
const click = (selector) => (page) => page.locator(selector).first().click();

/** Dialogs and menus: the page, and how to open them from there. */
const DIALOGS = {
  "the menu of a row": ["#/keys", click(".key-card-head .icon-only"), ".menu:popover-open"],
  "the member's menu": ["#/keys", click(".member"), ".menu:popover-open"],
  "ticked rows": ["#/keys", click(".list-bar .check label"), ".picking"],
  "the filters": ["#/keys?status=all&used=7d", click(".filters summary"), ".filter-fields"],
  "several keys to disable": [
    "#/keys",
    async (page) => {
      await page.locator(".list-bar .check label").click();
      await page.locator(".picked-actions button").first().click();
    },
    "dialog",
  ],
  "the question about a filled form": [
    "#/keys",
    async (page) => {
      await page.locator("#issue-key").click();
      await page.locator("#name").fill(LATIN);
      await page.keyboard.press("Escape");
    },
    "#discard-body",
  ],
  issue: ["#/keys", click("#issue-key"), "dialog"],
  edit: ["#/keys", openFirst({ item: 2, nth: 7 }), "dialog"],
  disable: ["#/keys", openFirst({ item: 3 }), "dialog"],
  regenerate: ["#/keys", openFirst({ item: 4 }), "dialog"],
  delete: ["#/keys", openFirst({ item: 5 }), "dialog"],
  restore: ["#/keys", openFirst({ item: 2, nth: 4 }), "dialog"],
  "a short-lived key to revoke": ["#/connection", click(".revoke"), "dialog"],
  "the limits of the service password": ["#/connection", click(".across .link"), "dialog"],
  "a new service password": ["#/connection", click(".copyable button + button"), "dialog"],
  "a new account": ["#/operator", click(".page-head .primary"), "dialog"],
};

const MAILBOX = `${"m".repeat(64)}@${"example".repeat(6)}.jp`;
const INVITED = { account: { name: LONG }, role: "admin", email: MAILBOX, invited_by: LATIN, expires_at: NOW };

/** Pages and dialogs of members and of the own person, with the API stood in for. */
const PEOPLE = {
  "the account": ["#/account", null, ".members, .key-cards"],
  "an invitation to send": ["#/account", click(".page-head .primary"), "dialog"],
  "an invitation to withdraw": ["#/account", click(".rows .row button + button"), "dialog"],
  "a role": ["#/account", chooseOf("m9", 1), "dialog"],
  "a member to remove": ["#/account", chooseOf("m9", 3), "dialog"],
  "the account's name": ["#/account", click(".apart > button"), "dialog"],
  "the profile": ["#/profile", null, ".rows"],
  "the menu of a person with accounts": ["#/profile", click(".member"), ".menu:popover-open"],
  "the notices": ["#/notices", null, ".rows", { listed: [noticesOfEachKind({ name: LONG })] }],
  "the menu with new notices": [
    "#/profile",
    click(".member"),
    ".menu:popover-open",
    { session: { member: { name: LATIN, email: MAILBOX }, unread_notices: 500 } },
  ],
  "a password to change": [
    "#/profile",
    (page) => page.locator('[aria-labelledby="password-heading"] > button').click(),
    "dialog",
  ],
  "an address to change": [
    "#/profile",
    (page) => page.locator('[aria-labelledby="details"] button').nth(1).click(),
    "dialog",
  ],
  "the invitation of another person": [
    "#/join/Itoken",
    null,
    ".card .notice",
    { session: { member: { name: LATIN, email: `k${MAILBOX}` } } },
  ],
  "a new person": ["#/join/Itoken", null, "#password", { signedIn: false }],
  "a person with a password": [
    "#/join/Itoken",
    null,
    "#password",
    { signedIn: false, invited: { ...INVITED, has_password: true } },
  ],
  "the code of a reset": [
    "#/reset",
    async (page) => {
      await page.locator("#email").fill(MAILBOX);
      await page.locator(".primary").click();
    },
    "#code",
    { signedIn: false },
  ],
};

function chooseOf(id, item) {
  return async (page) => {
    await page.locator(`#actions-${id}`).click();
    await page.locator(`.menu:popover-open .item:nth-child(${item})`).click();
  };
}

for (const language of ["en", "ja"]) {
  test.describe(`in ${language}`, () => {
    for (const [name, [address, show, shown, state]] of Object.entries(PEOPLE)) {
      test(`of people, it fits: ${name}`, async ({ newPage }) => {
        const page = await newPage({ viewport: NARROW, storageState: undefined });
        await page.addInitScript((code) => localStorage.setItem("claviger.language", code), language);
        await standIn(page, {
          members: Array.from({ length: 60 }, (_, n) => member(n, { sessions: 2, ...(n % 2 && { email: MAILBOX }) })),
          invitations: Array.from({ length: 9 }, (_, n) => invitation(n, { email: MAILBOX, invited_by: LATIN })),
          session: { accounts: 2, operator: true, member: { name: LATIN, email: MAILBOX } },
          account: { name: LONG },
          invited: INVITED,
          ...state,
        });
        await open(page, address);
        await expect(page.locator(".card, .rows, .empty, table, .key-cards").first()).toBeVisible();
        await show?.(page);
        await expect(page.locator(shown).first()).toBeVisible();
        await assertFits(page, name);
      });
    }

    const start = async (newPage, prepare, address, options = {}) => {
      const page = await newPage({ viewport: NARROW, ...options });
      await page.addInitScript((code) => localStorage.setItem("claviger.language", code), language);
      await answerLong(page);
      await prepare?.(page);
      await open(page, address);
      return page;
    };

    for (const [name, [address, shown, prepare]] of Object.entries(PAGES)) {
      test(`the page fits: ${name}`, async ({ newPage }) => {
        const page = await start(newPage, prepare, address);
        await expect(page.locator(shown).first()).toBeVisible();
        await assertFits(page, name);
      });
    }

    for (const [name, [address, show, shown]] of Object.entries(DIALOGS)) {
      test(`it fits: ${name}`, async ({ newPage }) => {
        const page = await start(newPage, null, address);
        await show(page);
        await expect(page.locator(shown).first()).toBeVisible();
        await assertFits(page, name);
      });
    }

    test("the pages of people who are not signed in fit", async ({ newPage, deployment }) => {
      const page = await newPage({ viewport: NARROW, storageState: undefined });
      await page.addInitScript((code) => localStorage.setItem("claviger.language", code), language);
      await page.goto("/");
      await expect(page.locator("#password")).toBeVisible();
      await assertFits(page, "sign-in");
      await page.goto(deployment.setupLink());
      await expect(page.locator("#time_zone")).toBeVisible();
      await assertFits(page, "set-up");
    });

    test("a key in clear text, its deletion and a lock-out fit", async ({ newPage }) => {
      const secrets = {
        credential: `clv_${"x".repeat(70)}`,
        access_key: SHOWN.access_key,
        access_secret: "x".repeat(52),
      };
      const deletion = {
        id: "d1",
        keys: KEYS.map(({ id, name, access_key, last_used_at, uses_24h }) => ({
          id,
          name,
          access_key,
          last_used_at,
          uses_24h,
        })),
        sent_to: `${"m".repeat(64)}…@example.jp`,
        expires_at: NOW,
        tries_left: 5,
        mail: "failing",
        bound_within_s: 10,
        restorable_until: NOW,
      };
      const page = await start(newPage, null, "#/keys");
      await answerInstead(page, "POST", "/v1/keys", json({ ...secrets, key: { ...SHOWN, permissions: [] } }));
      await answerInstead(page, "POST", "/v1/deletions", json(deletion));
      await answerInstead(page, "GET", "/v1/deletions/d1", json(deletion));
      const callers = Array.from({ length: 9 }, () => ({ address: ADDRESS, count: 1_234, last_at: NOW }));
      await answerInstead(page, "POST", "/v1/keys/check", json({ locked_out: callers }));

      await page.locator("#issue-key").click();
      await page.locator("#name").fill(LONG);
      await page.getByRole("dialog").getByLabel("demo:read").first().check();
      await page.locator("dialog .primary").click();
      await expect(page.locator("dialog.reveal")).toBeVisible();
      await assertFits(page, "the key in clear text");
      await page.setViewportSize(NARROW);
      await page.keyboard.press("Escape");
      await expect(page.locator("dialog")).toHaveCount(2);
      await assertFits(page, "the question before it goes");
      await page.setViewportSize(NARROW);
      await page
        .locator("dialog [role=alertdialog] .actions button, dialog[role=alertdialog] .actions button")
        .first()
        .click();
      await page.locator("dialog.reveal > .actions button").first().click();

      await openFirst({ item: 2 })(page);
      await page.locator("#networks").fill("192.0.2.1");
      await page.locator("dialog .primary").click();
      await expect(page.locator("#lock-out-body")).toBeVisible();
      await assertFits(page, "the lock-out");
      await page.setViewportSize(NARROW);
      await page.locator("dialog[role=alertdialog] [data-focus]").click();
      await page.reload();

      await openFirst({ item: 5 })(page);
      await page.locator("dialog .danger").click();
      await expect(page.locator("#code")).toBeVisible();
      await assertFits(page, "the code of a deletion");
    });
  });
}

test("the pages of text fit", async ({ page }) => {
  for (const path of ["problems", "nowhere"]) {
    await page.goto(`/${path}`);
    await assertFits(page, path);
  }
});
