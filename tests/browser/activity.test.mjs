// Activity: what was done, by whom, on which key; filtered, paged, and taken away as a file.
import { readFile } from "node:fs/promises";
import { answerInstead, problem } from "./support/answers.mjs";
import { NARROW, assertFocused, button, inspect, issueKey, open } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

test.beforeAll(async ({ newPage }) => {
  const page = await newPage();
  await open(page);
  await issueKey(page, "Build server");
  await page.getByRole("link", { name: "Build server", exact: true }).click();
  await button(page, "Edit").click();
  await page.getByLabel("Networks", { exact: true }).fill("10.0.0.0/8");
  await button(page, "Save").click();
  await expect(page.getByText(/^"Build server" is saved\./).first()).toBeVisible();
  await page.goto("/#/keys");
  await issueKey(page, "Cron");
});

/** Entries of an action, by its words. */
const entries = (page, words) => page.locator(".activity strong").filter({ hasText: words });

/** What the table's rows say was done, from the newest on. */
const told = async (page) => {
  await expect(page.locator(".activity tbody tr").first()).toBeVisible();
  return page.locator(".activity tbody tr strong").allTextContents();
};

test("tells what was done, newest first, with who, from where and what changed", async ({ page }) => {
  await open(page, "#/activity");
  expect((await told(page)).slice(0, 3)).toEqual(["Key issued", "Key edited", "Key issued"]);
  const edit = page.getByRole("row").filter({ hasText: "Key edited" });
  await expect(edit.getByText("Networks: Anywhere → 10.0.0.0/8")).toBeVisible();
  await expect(edit.getByRole("link", { name: "Build server" })).toBeVisible();
  await expect(edit.getByText("Mei Tanaka (you)")).toBeVisible();
  await inspect(page, "activity");
});

test("is filtered by action, by day, by member and by words; each filter can be taken away", async ({ page }) => {
  await open(page, "#/activity");
  await told(page);
  await page.getByLabel("Action", { exact: true }).selectOption("Key edited");
  await button(page, "Filter").click();
  await expect(entries(page, "Key issued").first()).not.toBeAttached();
  expect(await told(page)).toEqual(["Key edited"]);
  expect(page.url()).toMatch(/action=/);

  await page.getByRole("link", { name: "Show only the activity of Mei Tanaka" }).first().click();
  await expect(page.getByText("By: Mei Tanaka")).toBeVisible();
  await inspect(page, "activity-filtered");
  await page.getByRole("link", { name: "Remove the filter By: Mei Tanaka" }).click();
  await expect(page.getByText("By: Mei Tanaka")).not.toBeAttached();

  await page.getByLabel("Through").fill("2020-01-01");
  await button(page, "Filter").click();
  await expect(page.getByText("No activity matches this filter.").first()).toBeVisible();
  await inspect(page, "activity-none-match");
  await page.getByRole("link", { name: "Clear" }).click();
  await expect(entries(page, "Key issued").first()).toBeVisible();
  await page.getByLabel("Name of a key, API user or member").fill("Cron");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("row").filter({ hasText: "Build server" }).first()).not.toBeAttached();
  expect(await told(page)).toContain("Key issued");
});

test("a key's page shows what was done with that key alone", async ({ page }) => {
  await open(page);
  await page.getByRole("link", { name: "Build server", exact: true }).click();
  expect(await told(page)).toEqual(["Key edited", "Key issued"]);
  await inspect(page, "key-activity");
});

test("is exported as JSON Lines and CSV, as filtered", async ({ page }) => {
  await open(page, "#/activity?action=key_edited");
  await told(page);
  for (const [name, file, check] of [
    ["Export JSON Lines", "activity.jsonl", (text) => expect(JSON.parse(text.trim()).key.name).toBe("Build server")],
    [
      "Export CSV",
      "activity.csv",
      (text) => expect(text.startsWith("\uFEFF") && text.includes("Build server")).toBe(true),
    ],
  ]) {
    const coming = page.waitForEvent("download");
    await button(page, name).click();
    const download = await coming;
    expect(download.suggestedFilename()).toBe(file);
    check(await readFile(await download.path(), "utf8"));
  }
});

test("that could not be loaded or exported says so, and can be tried again", async ({ page }) => {
  await answerInstead(page, "GET", "/v1/activity", problem(503, "unavailable"), 1);
  await page.goto("/#/activity");
  await expect(page.getByText("The activity could not be loaded; nothing was changed.")).toBeVisible();
  await inspect(page, "activity-failed");
  await button(page, "Try again").click();
  await told(page);
  let release;
  await answerInstead(page, "POST", "/v1/activity/export", (route) => (release = () => route.abort()), 1);
  await button(page, "Export CSV").click();
  await expect(page.getByRole("button", { name: "Exporting…" })).toBeVisible();
  await inspect(page, "activity-exporting");
  release();
  await expect(page.getByText("The export was interrupted, and nothing was saved. Try again.")).toBeVisible();
});

test("walks on to older entries and back to the newest", async ({ page }) => {
  const entry = (id) => ({
    id,
    at: "2026-11-21T12:00:00Z",
    action: "signed_in",
    by: { kind: "member", id: "x", name: "Ken Sato" },
    address: null,
    key: null,
    changes: null,
  });
  await answerInstead(page, "GET", "/v1/activity", (route) => {
    const older = new URL(route.request().url()).searchParams.get("cursor") === "older";
    const body = { entries: [entry(older ? 1 : 2)], next: older ? null : "older" };
    return route.fulfill({ contentType: "application/json", body: JSON.stringify(body) });
  });
  await page.goto("/#/activity");
  await page.getByRole("link", { name: "Older" }).click();
  await expect(page.getByRole("link", { name: "Newest" })).toBeVisible();
  await assertFocused(page, "Activity");
  expect(await page.getByRole("link", { name: "Older" }).count()).toBe(0);
  await page.getByRole("link", { name: "Newest" }).click();
  await expect(page.getByRole("link", { name: "Older" })).toBeVisible();
});

test("searches part by part what is hardly there, and asks before it goes on for long", async ({ page }) => {
  const asked = [];
  await answerInstead(page, "GET", "/v1/activity", (route) => {
    asked.push(Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0));
    const part = asked.at(-1) + 1;
    const body = { entries: [], next: part < 12 ? `${part}` : null };
    return route.fulfill({ contentType: "application/json", body: JSON.stringify(body) });
  });
  await page.goto("/#/activity?q=hardly");
  await expect(page.getByText("No match so far. Older activity has not been searched yet.").first()).toBeVisible();
  expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await inspect(page, "activity-none-so-far");
  await page.getByRole("link", { name: "Search older activity" }).click();
  await expect(page.getByText("No activity matches this filter.").first()).toBeVisible();
  expect(asked.slice(10)).toEqual([10, 11]);
  expect(await page.getByRole("link", { name: "Search older activity" }).count()).toBe(0);
});

test("in Japanese, on a phone, in the dark", async ({ newPage }) => {
  const page = await newPage({ viewport: NARROW, hasTouch: true, colorScheme: "dark" });
  await page.addInitScript(() => localStorage.setItem("claviger.language", "ja"));
  await page.goto("/#/activity");
  await expect(entries(page, "キーを編集").first()).toBeVisible();
  // Which key and who stand below what was done.
  expect(await page.getByRole("columnheader").count()).toBe(2);
  const edited = page.getByRole("row").filter({ hasText: "キーを編集" });
  await expect(edited.getByRole("link", { name: "Build server" })).toBeVisible();
  await expect(edited.getByRole("link", { name: "Mei Tanakaさんのアクティビティだけを表示" })).toBeVisible();
  await inspect(page, "activity-ja");
});
