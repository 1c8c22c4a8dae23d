// Activity: what was done, by whom, on which key; filtered, paged, and taken away as a file.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import {
  NARROW,
  answerInstead,
  assertFocused,
  button,
  close,
  cookies,
  inspect,
  issueKey,
  open,
  problem,
  stage,
  useStage,
} from "./stage.mjs";

useStage({ prepare });

async function prepare() {
  const page = await open();
  await issueKey(page, "Build server");
  await page.getByRole("link", { name: "Build server", exact: true }).click();
  await button(page, "Edit").click();
  await page.getByLabel("Networks", { exact: true }).fill("10.0.0.0/8");
  await button(page, "Save").click();
  await page
    .getByText(/^"Build server" is saved\./)
    .first()
    .waitFor();
  await page.goto(`${stage.origin}/#/keys`);
  await issueKey(page, "Cron");
  await close(page);
}

/** Entries of an action, by its words. */
const entries = (page, words) => page.locator(".activity strong").filter({ hasText: words });

/** What the table's rows say was done, from the newest on. */
const told = async (page) => {
  await page.locator(".activity tbody tr").first().waitFor();
  return page.locator(".activity tbody tr strong").allTextContents();
};

test("tells what was done, newest first, with who, from where and what changed", async () => {
  const page = await open("#/activity");
  assert.deepEqual((await told(page)).slice(0, 3), ["Key issued", "Key edited", "Key issued"]);
  const edit = page.getByRole("row").filter({ hasText: "Key edited" });
  await edit.getByText("Networks: Anywhere → 10.0.0.0/8").waitFor();
  await edit.getByRole("link", { name: "Build server" }).waitFor();
  await edit.getByText("Mei Tanaka (you)").waitFor();
  await inspect(page, "activity");
  await close(page);
});

test("is filtered by action, by day, by member and by words; each filter can be taken away", async () => {
  const page = await open("#/activity");
  await told(page);
  await page.getByLabel("Action", { exact: true }).selectOption("Key edited");
  await button(page, "Filter").click();
  await entries(page, "Key issued").first().waitFor({ state: "detached" });
  assert.deepEqual(await told(page), ["Key edited"]);
  assert.match(page.url(), /action=/);

  await page.getByRole("link", { name: "Show only the activity of Mei Tanaka" }).first().click();
  await page.getByText("By: Mei Tanaka").waitFor();
  await inspect(page, "activity-filtered");
  await page.getByRole("link", { name: "Remove the filter By: Mei Tanaka" }).click();
  await page.getByText("By: Mei Tanaka").waitFor({ state: "detached" });

  await page.getByLabel("Through").fill("2020-01-01");
  await button(page, "Filter").click();
  await page.getByText("No activity matches this filter.").first().waitFor();
  await inspect(page, "activity-none-match");
  await page.getByRole("link", { name: "Clear" }).click();
  await entries(page, "Key issued").first().waitFor();
  await page.getByLabel("Name of a key or member").fill("Cron");
  await page.keyboard.press("Enter");
  await page.getByRole("row").filter({ hasText: "Build server" }).first().waitFor({ state: "detached" });
  assert.ok((await told(page)).includes("Key issued"));
  await close(page);
});

test("a key's page shows what was done with that key alone", async () => {
  const page = await open();
  await page.getByRole("link", { name: "Build server", exact: true }).click();
  assert.deepEqual(await told(page), ["Key edited", "Key issued"]);
  await inspect(page, "key-activity");
  await close(page);
});

test("is exported as JSON Lines and CSV, as filtered", async () => {
  const page = await open("#/activity?action=key_edited");
  await told(page);
  for (const [name, file, check] of [
    ["Export JSON Lines", "activity.jsonl", (text) => assert.equal(JSON.parse(text.trim()).key.name, "Build server")],
    ["Export CSV", "activity.csv", (text) => assert.ok(text.startsWith("\uFEFF") && text.includes("Build server"))],
  ]) {
    const coming = page.waitForEvent("download");
    await button(page, name).click();
    const download = await coming;
    assert.equal(download.suggestedFilename(), file);
    check(await readFile(await download.path(), "utf8"));
  }
  await close(page);
});

test("that could not be loaded or exported says so, and can be tried again", async () => {
  const page = await stage.page({ cookies });
  await answerInstead(page, "GET", "/v1/activity", problem(503, "unavailable"), 1);
  await page.goto(`${stage.origin}/#/activity`);
  await page.getByText("The activity could not be loaded; nothing was changed.").waitFor();
  await inspect(page, "activity-failed");
  await button(page, "Try again").click();
  await told(page);
  let release;
  await answerInstead(page, "GET", "/v1/activity/export", (route) => (release = () => route.abort()), 1);
  await button(page, "Export CSV").click();
  await page.getByRole("button", { name: "Exporting…" }).waitFor();
  await inspect(page, "activity-exporting");
  release();
  await page.getByText("The export was interrupted, and nothing was saved. Try again.").waitFor();
  await close(page);
});

test("walks on to older entries and back to the newest", async () => {
  const page = await stage.page({ cookies });
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
  await page.goto(`${stage.origin}/#/activity`);
  await page.getByRole("link", { name: "Older" }).click();
  await page.getByRole("link", { name: "Newest" }).waitFor();
  await assertFocused(page, "Activity");
  assert.equal(await page.getByRole("link", { name: "Older" }).count(), 0);
  await page.getByRole("link", { name: "Newest" }).click();
  await page.getByRole("link", { name: "Older" }).waitFor();
  await close(page);
});

test("searches part by part what is hardly there, and asks before it goes on for long", async () => {
  const page = await stage.page({ cookies });
  const asked = [];
  await answerInstead(page, "GET", "/v1/activity", (route) => {
    asked.push(Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0));
    const part = asked.at(-1) + 1;
    const body = { entries: [], next: part < 12 ? `${part}` : null };
    return route.fulfill({ contentType: "application/json", body: JSON.stringify(body) });
  });
  await page.goto(`${stage.origin}/#/activity?q=hardly`);
  await page.getByText("No match so far. Older activity has not been searched yet.").first().waitFor();
  assert.deepEqual(asked, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await inspect(page, "activity-none-so-far");
  await page.getByRole("link", { name: "Search older activity" }).click();
  await page.getByText("No activity matches this filter.").first().waitFor();
  assert.deepEqual(asked.slice(10), [10, 11]);
  assert.equal(await page.getByRole("link", { name: "Search older activity" }).count(), 0);
  await close(page);
});

test("in Japanese, on a phone, in the dark", async () => {
  const page = await stage.page({ cookies, viewport: NARROW, hasTouch: true, colorScheme: "dark" });
  await page.addInitScript(() => localStorage.setItem("claviger.language", "ja"));
  await page.goto(`${stage.origin}/#/activity`);
  await entries(page, "キーを編集").first().waitFor();
  // Which key and who stand below what was done.
  assert.equal(await page.getByRole("columnheader").count(), 2);
  const edited = page.getByRole("row").filter({ hasText: "キーを編集" });
  await edited.getByRole("link", { name: "Build server" }).waitFor();
  await edited.getByRole("link", { name: "Mei Tanakaさんのアクティビティだけを表示" }).waitFor();
  await inspect(page, "activity-ja");
  await close(page);
});
