// What an action ends is named before it: how many keys, of which kind, and how many are in use.
import { answerInstead, json, key, problem } from "./support/answers.mjs";
import { button, inspect, issueKey, open, openIssue } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

const COUNTS = { stored: 42, unlimited: 1, used_24h: 7, is_exact: true };
const ENDS = "42 stored keys that it has issued end for good, too. 1 of them is unlimited.";
const USED = "7 of them were used in the last 24 hours.";
const SEALED = "They are stored nowhere, so they cannot be counted.";

const countsOfService = (page, body) => answerInstead(page, "GET", "/v1/account/service/issued", json(body));

test("a new service password names what ends with the old one", async ({ page }) => {
  await countsOfService(page, COUNTS);
  await page.goto("/#/connection");
  await button(page, "Change the service password").click();
  const dialog = page.getByRole("alertdialog", { name: "Change the service password?" });
  await expect(dialog.getByText(/the stored ones and the short-lived ones/)).toBeVisible();
  for (const text of [ENDS, USED, SEALED]) await expect(dialog.getByText(text)).toBeVisible();
  await inspect(page, "service-password-at-stake");
  await dialog.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("button", { name: /^Change the limits for keys/ }).click();
  const limits = page.getByRole("dialog", { name: "Limits for keys issued with this password" });
  await expect(limits.getByText("42 stored keys that it has issued follow these limits, too.")).toBeVisible();
});

test("many keys, none, and a count that fails are said as they are, and nothing waits for them", async ({
  page,
  errors,
}) => {
  for (const [counts, text] of [
    [{ ...COUNTS, stored: 10_000, is_exact: false }, /^More than 10,000 stored keys/],
    [{ stored: 0, unlimited: 0, used_24h: 0, is_exact: true }, /^No stored key that it has issued is valid now\./],
    [{ ...COUNTS, used_24h: 0, unlimited: 0 }, /None of them was used in the last 24 hours\./],
  ]) {
    await page.unrouteAll();
    await countsOfService(page, counts);
    await page.goto("/#/connection");
    await button(page, "Change the service password").click();
    const dialog = page.getByRole("alertdialog");
    await expect(dialog.getByText(text)).toBeVisible();
    await dialog.getByRole("button", { name: "Cancel" }).click();
  }
  await page.unrouteAll();
  await answerInstead(page, "GET", "/v1/account/service/issued", problem(503, "unavailable"));
  await button(page, "Change the service password").click();
  const dialog = page.getByRole("alertdialog");
  await expect(dialog.getByText("The keys that it has issued could not be counted.")).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Change", exact: true })).toBeEnabled();
  errors.length = 0;
});

test("disabling, deleting and narrowing an issuer name what it has issued", async ({ page }) => {
  await open(page);
  const form = await openIssue(page, "Issuer at stake");
  await form.getByLabel("May issue further keys (Issuable)").check();
  await button(page, "Issue").click();
  await button(page, "I have stored it").click();
  await page.route(/\/v1\/keys\/[^/]+\/issued$/, json(COUNTS));

  await page.getByRole("link", { name: "Issuer at stake", exact: true }).click();
  await button(page, "Disable").click();
  const disable = page.getByRole("alertdialog");
  for (const text of ["It was not called in the last 24 hours.", ENDS, USED, SEALED])
    await expect(disable.getByText(text)).toBeVisible();
  await disable.getByRole("button", { name: "Cancel" }).click();

  await button(page, "Edit").click();
  const edit = page.getByRole("dialog", { name: 'Edit "Issuer at stake"' });
  await expect(edit.getByText(/that it has issued/), "nothing is changed yet").toHaveCount(0);
  await edit.getByRole("group", { name: "Limits for keys it issues" }).getByLabel("Number").fill("1");
  await expect(edit.getByText("42 stored keys that it has issued follow these limits, too.")).toBeVisible();
  await edit.getByLabel("May issue further keys (Issuable)").uncheck();
  await expect(edit.getByText(ENDS)).toBeVisible();
  await edit.getByRole("button", { name: "Cancel" }).click();
});

test("a deletion says how many of its keys are in use, and what an issuer among them ends", async ({ page }) => {
  const keys = [
    key(1, { name: "Issuer", issuable: { permissions: ["demo:read"], networks: [], longest_ms: null }, uses_24h: 9 }),
    key(2, { name: "Plain" }),
  ];
  await page.route(
    (url) => url.pathname === "/v1/keys",
    json({ keys, next: null, total: 2, total_is_exact: true, now: new Date().toISOString() }),
  );
  await page.route(/\/v1\/keys\/[^/]+\/issued$/, json(COUNTS));
  await page.goto("/");
  await page.getByRole("button", { name: "Actions for Issuer" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const dialog = page.getByRole("alertdialog", { name: "Delete API Key" });
  for (const text of [ENDS, USED, SEALED]) await expect(dialog.getByText(text)).toBeVisible();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Actions for Plain" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(dialog.getByText("It was not called in the last 24 hours.")).toBeVisible();
  await expect(dialog.getByText(/that it has issued/)).toHaveCount(0);
});

test("a suspension names how many keys stop with the account", async ({ page }) => {
  await open(page);
  await issueKey(page, "Stops with it");
  await page.goto("/#/operator");
  await page.getByRole("table").getByRole("link").first().click();
  await button(page, "Suspend").click();
  const dialog = page.getByRole("alertdialog");
  await expect(
    dialog.getByText(/^This stops \d+ keys? that members issued\. It also stops 0 stored keys/),
  ).toBeVisible();
  await expect(dialog.getByText(/No key was used in the last 24 hours\. Short-lived keys stop, too\./)).toBeVisible();
});

test("disabling several keys names what each issuer among them has issued", async ({ page }) => {
  await open(page);
  const form = await openIssue(page, "Issuer of several");
  await form.getByLabel("May issue further keys (Issuable)").check();
  await button(page, "Issue").click();
  await button(page, "I have stored it").click();
  await issueKey(page, "Beside the issuer");
  await page.route(/\/v1\/keys\/[^/]+\/issued$/, json(COUNTS));
  for (const name of ["Issuer of several", "Beside the issuer"]) await page.getByLabel(`Select ${name}`).check();
  await button(page, "Disable…").click();
  const question = page.getByRole("alertdialog", { name: "Disable 2 keys?" });
  await expect(question.getByText(ENDS)).toHaveCount(1);
  for (const text of ["Issuer of several", ENDS, USED]) await expect(question.getByText(text).first()).toBeVisible();
  await inspect(page, "disable-many-at-stake");
});
