// The member's past notices: the list and its states, the mark of new ones, the way to it.
import { answerInstead, problem } from "./support/answers.mjs";
import { NARROW, assertFocused, button, inspect, open } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { notice, noticesOfEachKind } from "./support/notices.mjs";
import { LONG, standIn } from "./support/people.mjs";

const entries = (page) => page.getByRole("list", { name: "Notices", exact: true }).locator("> li");
const menu = (page) => page.getByRole("button", { name: /Mei Tanaka/ });

test("every kind of notice says what happened, to which keys, by whom and from where", async ({ page }) => {
  const state = await standIn(page, { session: { unread_notices: 2 }, listed: [noticesOfEachKind()] });
  await open(page);
  await expect(menu(page)).toHaveAccessibleDescription("2 new notices");
  await inspect(page, "notices-frame");
  await menu(page).click();
  await inspect(page, "notices-menu");
  await page.getByRole("link", { name: /Notices.*2 new notices/ }).click();
  await assertFocused(page, "Notices");
  await expect(entries(page)).toHaveCount(noticesOfEachKind().length);
  await expect(page.getByText("New", { exact: true })).toHaveCount(2);
  const ending = entries(page).filter({ hasText: "23 keys end soon" });
  await expect(ending.getByText("Build server")).toBeVisible();
  await expect(ending.getByText("and 21 more")).toBeVisible();
  await expect(ending.getByRole("link", { name: /^clv_/ }).first()).toHaveAttribute("href", /^#\/keys\/a1B2c3D4/);
  // Text that people chose is no link.
  await expect(page.getByRole("main").getByRole("link", { name: /Build|evil|Ken|Noor/ })).toHaveCount(0);
  await expect(page.getByText("evil.example")).toBeVisible();
  await expect(entries(page).filter({ hasText: "You signed in from a new network" })).toContainText("192.0.2.77");
  await expect(entries(page).filter({ hasText: "Your role was changed" })).toContainText("Viewer → Administrator");
  // What a later server sends is there by its name.
  await expect(page.getByText("of_a_later_release")).toBeVisible();
  await inspect(page, "notices-list");
  // The look has marked them as read; the marks of this visit stay.
  await expect.poll(() => state.requests.filter(({ path }) => path === "/notices/read").length).toBe(1);
  expect(state.requests.find(({ path }) => path === "/notices/read").body).toEqual({ id: noticesOfEachKind()[0].id });
  await expect(menu(page)).not.toHaveAccessibleDescription(/new/);
  await expect(page.getByText("New", { exact: true })).toHaveCount(2);
  expect(state.requests.filter(({ method, path }) => method === "GET" && path === "/notices")).toHaveLength(1);
});

test("further pages are added below, and a failed one can be tried again", async ({ page }) => {
  const listed = [0, 1].map((part) => Array.from({ length: 3 }, (_, n) => notice(9 - 3 * part - n)));
  await standIn(page, { listed });
  await open(page, "#/notices");
  await expect(entries(page)).toHaveCount(3);
  let failed = true;
  await page.route(
    (url) => url.pathname === "/v1/notices" && url.searchParams.has("cursor") && failed,
    problem(503, "unavailable"),
  );
  await button(page, "Show older notices").click();
  await expect(page.getByText("Your notices could not be loaded; nothing was changed.")).toBeVisible();
  await inspect(page, "notices-more-failed");
  failed = false;
  await button(page, "Try again").click();
  await expect(entries(page)).toHaveCount(6);
  await expect(button(page, "Show older notices")).toHaveCount(0);
});

test("an answer that comes after the sign-out brings nothing back", async ({ page }) => {
  await standIn(page, { session: { unread_notices: 2 }, listed: [noticesOfEachKind()] });
  const { promise: held, resolve: release } = Promise.withResolvers();
  await page.route(
    (url) => url.pathname === "/v1/notices/read",
    async (route) => {
      await held;
      await route.fallback();
    },
  );
  await open(page, "#/notices");
  await expect(entries(page)).toHaveCount(noticesOfEachKind().length);
  await menu(page).click();
  await button(page, "Sign out").click();
  await expect(page.locator("#password")).toBeVisible();
  const answered = page.waitForResponse("**/v1/notices/read");
  release();
  await (await answered).finished();
  await page.waitForTimeout(200);
  await expect(page.locator("#password")).toBeVisible();
  await expect(menu(page)).toHaveCount(0);
});

test("no notices, and notices that cannot be loaded", async ({ page }) => {
  await standIn(page);
  await answerInstead(page, "GET", "/v1/notices", problem(503, "unavailable"), 1);
  await open(page, "#/notices");
  await expect(page.getByText("Your notices could not be loaded; nothing was changed.")).toBeVisible();
  await inspect(page, "notices-failed");
  await button(page, "Try again").click();
  await expect(page.getByText("No notices in the last 90 days.")).toBeVisible();
  await inspect(page, "notices-none");
  await page.getByRole("link", { name: "Choose mails" }).click();
  await assertFocused(page, "Notices by mail");
  await expect(page.getByRole("link", { name: "All notices of the last 90 days" })).toHaveAttribute(
    "href",
    "#/notices",
  );
});

test("in Japanese, on a phone, in the dark, with long names", async ({ newPage }) => {
  const page = await newPage({ locale: "ja-JP", viewport: NARROW, colorScheme: "dark" });
  const listed = [noticesOfEachKind({ name: LONG })];
  await standIn(page, { session: { unread_notices: 1 }, listed });
  await open(page);
  await page.evaluate(() => localStorage.setItem("claviger.language", "ja"));
  await page.reload();
  await page.getByRole("button", { name: /Mei Tanaka/ }).click();
  await page.getByRole("link", { name: /お知らせ.*新しいお知らせ1件/ }).click();
  await expect(page.getByText("キー23件がまもなく期限を迎えます")).toBeVisible();
  await inspect(page, "notices-list-ja");
});

test("a member who deletes a key finds the notice of it, from the real server", async ({ page, deployment }) => {
  await open(page);
  const before = deployment.mail.messages.length;
  const origin = { origin: deployment.origin };
  const draft = { name: "Cron", expires: "never", networks: [], permissions: [] };
  const issued = await page.request.post("/v1/keys", { data: draft, headers: { ...origin, "idempotency-key": "n-1" } });
  const { key } = await issued.json();
  const begun = await page.request.post("/v1/deletions", { data: { keys: [key.id] }, headers: origin });
  const { id } = await begun.json();
  const code = await deployment.code(before + 1);
  const done = await page.request.post(`/v1/deletions/${id}/confirm`, { data: { code }, headers: origin });
  expect(done.status(), await done.text()).toBe(200);
  await page.reload();
  await expect(menu(page)).toHaveAccessibleDescription("1 new notice");
  await page.goto("/#/notices");
  await expect(entries(page)).toHaveCount(1);
  await expect(entries(page)).toContainText("A key was deleted");
  await expect(entries(page)).toContainText("Cron");
  await expect(menu(page)).not.toHaveAccessibleDescription(/new/);
  await page.getByRole("link", { name: key.access_key }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Cron" })).toBeVisible();
});
