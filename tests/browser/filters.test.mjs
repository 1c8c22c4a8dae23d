// Filters of the list, disabling several keys at once, and what the activity says of keys.
import { NOW, answerInstead, json, key, problem } from "./support/answers.mjs";
import { NARROW, assertFocused, button, confirmDeletion, inspect, issueKey, open, row } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

const PRESENT = "active,disabled,mfa_off,not_yet_valid,expired";

/** Answers the list and returns the queries that it was asked. */
async function listed(page, keys, members = {}) {
  const asked = [];
  await answerInstead(page, "GET", "/v1/keys", (route) => {
    asked.push(Object.fromEntries(new URL(route.request().url()).searchParams));
    return json({ keys, next: null, total: keys.length, total_is_exact: true, hidden: 0, ...members })(route);
  });
  return asked;
}

test("the list leaves out deleted and ended keys, says how many, and shows them", async ({ page }) => {
  const asked = await listed(page, [key(1)], { hidden: 3 });
  await open(page);
  await expect(page.getByText("3 deleted or ended keys are hidden.")).toBeVisible();
  expect(asked[0]).toEqual({ sort: "-created", status: PRESENT, limit: "50" });
  await page.getByRole("link", { name: "Show all" }).click();
  await expect.poll(() => asked.at(-1)).toEqual({ sort: "-created", limit: "50" });
  await page.goBack();
  await expect.poll(() => asked.at(-1).status).toBe(PRESENT);
});

test("more hidden keys than are counted are called more", async ({ page }) => {
  await listed(page, [key(1)], { hidden: 10_000, hidden_is_exact: false });
  await open(page);
  await expect(page.getByText("More than 10,000 deleted or ended keys are hidden.")).toBeVisible();
});

test("filters are the server's, stay in the address, and can be cleared", async ({ page }) => {
  const asked = await listed(page, [key(1)]);
  await open(page, "#/keys?q=cron");
  await page.getByText("Filters", { exact: true }).click();
  for (const [label, option] of [
    ["Status", "Disabled"],
    ["Issued by", "The service password"],
    ["Expires", "Within 30 days"],
    ["Last used", "Not for 90 days"],
  ])
    await page.locator(".filters").getByLabel(label).selectOption(option);
  const filters = { status: "disabled", issuer: "service", expires: "30d", used: "not-90d" };
  await expect.poll(() => asked.at(-1)).toEqual({ q: "cron", sort: "-created", limit: "50", ...filters });
  await inspect(page, "keys-filters");
  await button(page, "Last used").click();
  await expect.poll(() => asked.at(-1)).toEqual({ q: "cron", sort: "-used", limit: "50", ...filters });
  await page.reload();
  await expect(page.getByText("Filters (4)")).toBeVisible();
  await page.getByText("Filters (4)").click();
  await page.getByRole("link", { name: "Clear filters" }).click();
  await expect.poll(() => asked.at(-1)).toEqual({ q: "cron", sort: "-used", status: PRESENT, limit: "50" });
});

test("a filter that matches nothing says so, and what is hidden", async ({ page }) => {
  await listed(page, [], { hidden: 2 });
  await open(page);
  await expect(page.getByText("Every key is deleted or ended.")).toBeVisible();
  await expect(page.getByText("2 deleted or ended keys are hidden.")).toBeVisible();
  await expect(page.locator("#issue-key")).toBeVisible();
  await inspect(page, "keys-all-hidden");
  await page.goto("/#/keys?status=expired");
  await expect(page.getByText("No key matches these filters.")).toBeVisible();
  await page.getByRole("link", { name: "Clear", exact: true }).click();
  await expect(page.getByText("Every key is deleted or ended.")).toBeVisible();
});

test("on a phone, filters and order are reached without the table's head", async ({ newPage }) => {
  const page = await newPage({ viewport: NARROW });
  const asked = await listed(page, [key(1)]);
  await open(page);
  await page.getByText("Filters", { exact: true }).click();
  await page.getByLabel("Order").selectOption("Used most recently");
  await expect.poll(() => asked.at(-1).sort).toBe("-used");
  await inspect(page, "keys-filters-phone");
});

test("several keys are disabled after one question, which says how many", async ({ page, deployment }) => {
  await open(page);
  const one = await issueKey(page, "Bulk one");
  const two = await issueKey(page, "Bulk two");
  await issueKey(page, "Left alone");
  for (const name of ["Bulk one", "Bulk two"]) await page.getByLabel(`Select ${name}`).check();
  await button(page, "Disable…").click();
  const question = page.getByRole("alertdialog", { name: "Disable 2 keys?" });
  await assertFocused(page, "Cancel");
  await expect(question.getByText('"Bulk one"')).toBeVisible();
  await inspect(page, "disable-many");
  await question.getByRole("button", { name: "Disable 2 keys" }).click();
  await expect(page.getByText(/^2 keys are disabled\./).first()).toBeVisible();
  for (const name of ["Bulk one", "Bulk two"]) await expect(row(page, name).getByText("Disabled")).toBeVisible();
  await expect(row(page, "Left alone").getByText("Active")).toBeVisible();
  await expect(page.getByText(/Refused everywhere since/).first()).toBeVisible({ timeout: 15_000 });
  expect([await deployment.callApi(one), await deployment.callApi(two)]).toEqual([401, 401]);
});

test("what was disabled stays so when a later one fails, and the rest can be tried again", async ({ page }) => {
  const keys = [key(1), key(2), key(3, { status: "disabled", enabled: false })];
  await listed(page, keys);
  for (const one of keys.slice(0, 2)) {
    const off = { key: { ...one, status: "disabled", enabled: false }, bound: null };
    await answerInstead(page, "POST", `/v1/keys/${one.id}/disable`, json(off));
  }
  await answerInstead(page, "POST", `/v1/keys/${key(2).id}/disable`, problem(503, "unavailable"), 1);
  await open(page);
  await page.getByLabel("Select all 3 keys on this page").check();
  await button(page, "Disable…").click();
  // The one that is disabled already is not counted.
  await page.getByRole("button", { name: "Disable 2 keys" }).click();
  const question = page.getByRole("alertdialog", { name: "Disable 1 key?" });
  await expect(question.locator(".notice")).toBeVisible();
  await question.getByRole("button", { name: "Disable", exact: true }).click();
  await expect(page.getByText(/^2 keys are disabled\./).first()).toBeVisible();
});

test("the activity shows the limits of an issue, and names the keys of a deletion", async ({ page, deployment }) => {
  await open(page);
  await issueKey(page, "Named one");
  await page.getByLabel("Select Named one").check();
  await button(page, "Delete…").click();
  await confirmDeletion(page, deployment);
  await page.goto("/#/activity");
  const entry = (action) => page.getByRole("row").filter({ hasText: action }).first();
  await expect(entry("Deletion started").getByText('Keys: "Named one"')).toBeVisible();
  const issued = page.getByRole("row").filter({ hasText: "Key issued" }).filter({ hasText: "Named one" });
  await expect(issued.getByText("Permissions: demo:read")).toBeVisible();
  await expect(issued.getByText("Networks: Anywhere")).toBeVisible();
  await expect(issued.getByText(/^Expires: \d/)).toBeVisible();
  await inspect(page, "activity-issued");
});

for (const [language, words] of Object.entries({ en: ["ID: ", "Issued by: "], ja: ["ID", "発行元"] }))
  test(`the activity names the members of a revoked short-lived key: ${language}`, async ({ page }) => {
    await page.addInitScript((code) => localStorage.setItem("claviger.language", code), language);
    const sealed = "q".repeat(35);
    const revoked = (id, issuer) => ({
      id,
      at: NOW,
      action: "sealed_key_revoked",
      by: { kind: "member", id: "m1", name: "Mei" },
      address: null,
      key: null,
      changes: { sealed: { from: null, to: sealed }, issuer: { from: null, to: issuer } },
    });
    const entries = [revoked(2, key(1).id), revoked(1, "service")];
    await answerInstead(page, "GET", "/v1/activity", json({ entries, next: null }));
    await open(page, "#/activity");
    const lists = page.locator(".changes");
    await expect(lists.first()).toContainText(sealed);
    for (const word of words) await expect(lists.first()).toContainText(word);
    expect(await lists.allTextContents().then((texts) => texts.join())).not.toMatch(/sealed|issuer|→/);
    await expect(lists.first().getByRole("link")).toHaveAttribute("href", `#/keys/${key(1).id}`);
  });
