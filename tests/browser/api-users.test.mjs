// The list and the page of API users (row C01), and their entries in the activity. Their routes are
// stood in for, everything else is real.
import { answerInstead, json, problem } from "./support/answers.mjs";
import { GENERATED, PASSWORD, apiUser, row, sent, standInUsers, usersOfEachKind } from "./support/api-users.mjs";
import { assertFocused, button, inspect, open } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

test.describe("C01, the list of API users", () => {
  test("stands in the navigation, and shows name, ID, status, group, interfaces, restriction and last use", async ({
    page,
  }) => {
    await standInUsers(page, usersOfEachKind());
    await open(page);
    await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: "API users" }).click();
    await expect(page.getByRole("heading", { name: "API users", level: 1 })).toBeFocused();
    const one = row(page, "app-1@example.com");
    for (const text of ["Active", "Normal", "HTTP, SMTP", "Unlimited", "Anywhere", "3 minutes ago", apiUser(1).id])
      await expect(one.getByText(text, { exact: true })).toBeVisible();
    const statuses = { "printer-3f@example.com": "Locked", "batch@example.com": "Not yet valid" };
    Object.assign(statuses, { "old@example.com": "Expired", "held@example.com": "Suspended" });
    for (const [name, status] of Object.entries(statuses))
      await expect(row(page, name).getByText(status, { exact: true })).toBeVisible();
    await expect(row(page, "batch@example.com").getByText("and 1 more")).toBeVisible();
    await expect(page.getByText("gone@example.com")).not.toBeAttached();
    await expect(page.getByText("5 API users · times in Asia/Tokyo")).toBeVisible();
    await inspect(page, "api-users");
  });

  test("is searched, sorted and filtered by the server, and the address bar keeps it", async ({ page }) => {
    const users = Array.from({ length: 12 }, (_, n) => apiUser(n + 1));
    const state = await standInUsers(page, [...users, ...usersOfEachKind().slice(4, 5)]);
    await open(page, "#/api-users");
    await page.getByLabel("User name").fill("app-12");
    await expect(row(page, "app-11@example.com")).not.toBeAttached();
    await expect(row(page, "app-12@example.com")).toBeVisible();
    await expect(page.getByRole("status").filter({ hasText: "1 API user matches." })).toHaveCount(1);
    await page.getByLabel("User name").fill("");
    await expect(row(page, "app-11@example.com")).toBeVisible();
    const head = page.getByRole("columnheader", { name: "User name" });
    await expect(head).toHaveAttribute("aria-sort", "ascending");
    await head.getByRole("button").click();
    await expect(head).toHaveAttribute("aria-sort", "descending");
    await expect.poll(() => sent(state, "GET").at(-1).query).toContain("sort=-name");
    await page.getByText("Filters", { exact: true }).click();
    await page.getByLabel("Status").selectOption("Deleted");
    await expect(row(page, "gone@example.com").getByText("restorable until")).toBeVisible();
    expect(page.url()).toMatch(/status=deleted/);
    await inspect(page, "api-users-deleted");
    await page.getByRole("link", { name: "Clear filters" }).click();
    await expect(row(page, "app-1@example.com")).toBeVisible();
  });

  test("never sends a pasted API key", async ({ page }) => {
    const users = Array.from({ length: 12 }, (_, n) => apiUser(n + 1));
    const state = await standInUsers(page, users);
    await open(page, "#/api-users");
    await page.getByLabel("User name").fill(GENERATED);
    await expect(page.getByText("That looks like an API key, so it was left out.")).toBeVisible();
    await expect(page.getByLabel("User name")).toHaveValue("");
    expect(JSON.stringify(state.requests)).not.toContain(GENERATED);
    expect(page.url()).not.toContain(GENERATED);
  });

  test("of 10,000 users comes in pages of 50, with the way back", async ({ page }) => {
    const state = await standInUsers(
      page,
      Array.from({ length: 10_000 }, (_, n) => apiUser(n + 1)),
    );
    await open(page, "#/api-users");
    await expect(page.getByText("10,000 API users")).toBeVisible();
    await expect(page.getByRole("row")).toHaveCount(52);
    const first = await page.getByRole("row").nth(2).locator("bdi").textContent();
    await page.getByRole("link", { name: "Next" }).click();
    await expect(page.getByText("51–100 of 10,000", { exact: true }).first()).toBeVisible();
    await assertFocused(page, "API users of this account");
    expect(sent(state, "GET").at(-1).query).toMatch(/cursor=50&limit=50/);
    await inspect(page, "api-users-many");
    await page.getByRole("link", { name: "Previous" }).click();
    await expect(row(page, first)).toBeVisible();
    await expect(page.getByRole("link", { name: "Previous" })).not.toBeAttached();
  });

  test("that is empty offers to add one; that matches none, to clear", async ({ page }) => {
    const state = await standInUsers(page, []);
    await open(page, "#/api-users");
    await expect(page.getByText("No API users yet.")).toBeVisible();
    await expect(button(page, "Add API User")).toHaveCount(1);
    await inspect(page, "api-users-empty");
    await page.getByRole("link", { name: "Show deleted API users" }).click();
    await expect(page.getByText("No deleted API user can be restored.")).toBeVisible();
    state.users = [apiUser(1)];
    await page.goto("/#/api-users?q=cron");
    await expect(page.getByText('No API user matches "cron".')).toBeVisible();
    await inspect(page, "api-users-none-match");
    await page.getByRole("link", { name: "Clear" }).click();
    await expect(row(page, "app-1@example.com")).toBeVisible();
  });

  test("says after a second that it loads, and can be tried again once it failed", async ({ page }) => {
    await standInUsers(page, [apiUser(1)]);
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await answerInstead(
      page,
      "GET",
      "/v1/api-users",
      async (route) => {
        await held;
        await problem(503, "unavailable", {}, { "cf-ray": "8f2a9c4417" })(route);
      },
      1,
    );
    await open(page, "#/api-users");
    await expect(page.getByText("Loading API users").first()).toBeVisible();
    release();
    await expect(page.getByText("The API users could not be loaded; nothing was changed.")).toBeVisible();
    await inspect(page, "api-users-failed");
    await button(page, "Try again").click();
    await expect(row(page, "app-1@example.com")).toBeVisible();
  });

  test("shows a viewer everything, and nothing to change", async ({ page }) => {
    await answerInstead(page, "GET", "/v1/session", async (route) => {
      const answer = await route.fetch();
      const session = await answer.json();
      await route.fulfill({ response: answer, json: { ...session, member: { ...session.member, role: "viewer" } } });
    });
    await standInUsers(page, usersOfEachKind());
    await open(page, "#/api-users");
    await expect(page.getByText("You can view the API users of this account.")).toBeVisible();
    await expect(button(page, "Add API User")).not.toBeAttached();
    await expect(page.getByRole("button", { name: "Actions for" })).toHaveCount(0);
    await inspect(page, "api-users-viewer");
    await page.getByRole("link", { name: "app-1@example.com" }).click();
    await expect(page.getByRole("heading", { name: "app-1@example.com", level: 1 })).toBeVisible();
    await expect(button(page, "Edit")).not.toBeAttached();
    await expect(button(page, "Delete")).not.toBeAttached();
  });
});

test.describe("one API user", () => {
  const entry = (id, action, changes) => ({
    id,
    at: "2026-11-21T12:00:00Z",
    action,
    by: { kind: "member", id: "m1", name: "Mei Tanaka" },
    address: "203.0.113.7",
    key: { id: apiUser(1).id, name: "app-1@example.com" },
    changes,
  });
  const set = (to) => ({ from: null, to });
  const ENTRIES = [
    entry(3, "api_user_edited", {
      api_key_version: { from: 1, to: 2 },
      interfaces: { from: ["http", "smtp"], to: ["smtp"] },
      group: { from: "admin", to: "normal" },
    }),
    entry(2, "api_user_locked", { state: { from: "active", to: "locked" } }),
    entry(1, "api_user_created", {
      name: set("app-1@example.com"),
      state: set("active"),
      group: set("normal"),
      interfaces: set(["http", "smtp"]),
      permissions: set([]),
      zone: set("Asia/Tokyo"),
      expires_at: set(null),
      networks: set([]),
      api_key_version: set(1),
    }),
  ];

  test("has a page with rights, limits, use, activity and every action", async ({ page }) => {
    const state = await standInUsers(page, [apiUser(1, { interfaces: ["http", "smtp"], networks: ["10.0.0.0/8"] })]);
    await answerInstead(page, "GET", "/v1/activity", json({ entries: ENTRIES, next: "c" }));
    await open(page, "#/api-users");
    await button(page, "Actions for app-1@example.com").click();
    await page.getByRole("link", { name: "Open" }).click();
    await expect(page.getByRole("heading", { name: "app-1@example.com", level: 1 })).toBeFocused();
    for (const text of ["Rights and limits", "10.0.0.0/8", "Neither view nor download", "API user edited"])
      await expect(page.getByText(text, { exact: true }).first()).toBeVisible();
    await expect(page.getByRole("link", { name: "All activity of this API user" })).toBeVisible();
    await inspect(page, "api-user-page");
    await button(page, "Lock").click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Lock" }).click();
    await expect(page.getByText('"app-1@example.com" is locked.').first()).toBeVisible();
    await assertFocused(page, "Unlock");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Continue").click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    await assertFocused(page, "app-1@example.com");
    await button(page, "Restore").click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Restore" }).click();
    await expect(page.getByText('"app-1@example.com" is restored.').first()).toBeVisible();
    expect(sent(state, "POST").map(({ path }) => path.split("/")[2])).toEqual(["lock", "delete", "restore"]);
  });

  test("that does not exist leads back; one that cannot be loaded can be tried again", async ({ page }) => {
    await standInUsers(page, [apiUser(1)]);
    await open(page, "#/api-users/nothing");
    await expect(page.getByRole("heading", { name: "Page not found" })).toBeVisible();
    await answerInstead(page, "GET", `/v1/api-users/${apiUser(1).id}`, problem(503, "unavailable"), 1);
    await page.goto(`/#/api-users/${apiUser(1).id}`);
    await expect(page.getByText("The API user could not be loaded; nothing was changed.")).toBeVisible();
    await button(page, "Try again").click();
    await expect(page.getByRole("heading", { name: "app-1@example.com", level: 1 })).toBeVisible();
  });

  test("is named in the activity, with what changed, and linked to its page", async ({ page }) => {
    await standInUsers(page, [apiUser(1)]);
    await answerInstead(page, "GET", "/v1/activity", json({ entries: ENTRIES, next: null }));
    await open(page, `#/activity?key=${apiUser(1).id}`);
    await expect(page.getByText("API user: app-1@example.com")).toBeVisible();
    await expect(page.getByText("Group: Admin → Normal")).toBeVisible();
    await expect(page.getByText("Number of the API key: 1 → 2")).toBeVisible();
    await expect(page.getByText("Status: Active → Locked")).toBeVisible();
    await expect(page.getByText("Interfaces: http, smtp", { exact: true })).toBeVisible();
    for (const action of ["added", "edited", "locked", "unlocked", "deleted", "restored"])
      await expect(
        page.getByLabel("Action", { exact: true }).getByRole("option", { name: `API user ${action}`, exact: true }),
      ).toBeAttached();
    await inspect(page, "api-users-activity");
    await page.getByRole("link", { name: "app-1@example.com", exact: true }).first().click();
    await expect(page.getByRole("heading", { name: "app-1@example.com", level: 1 })).toBeVisible();
  });
});
