// What a key may do: issuing with every limit, showing it again, editing, and whom an edit would
// lock out.
import { problem } from "./support/answers.mjs";
import {
  NARROW,
  assertFocusOnField,
  assertFocused,
  button,
  inspect,
  issueKey,
  open,
  openIssue,
  pasted,
  row,
  until,
} from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

test("A02 A03 A04 A06 a key is issued with hours, networks and a later beginning; the list shows them", async ({
  page,
}) => {
  await open(page);
  const dialog = await openIssue(page, "Restricted");
  await dialog.getByLabel("Number").fill("36");
  await dialog.getByLabel("Unit").selectOption("hours");
  await expect(dialog.getByText(/^Works until .*, 36 hours from now\.$/)).toBeVisible();
  await dialog.getByLabel("Unlimited").check();
  await expect(dialog.getByText("Works until someone disables or deletes it.")).toBeVisible();
  await dialog.getByLabel("Until a date").check();
  await dialog.getByLabel("Date", { exact: true }).fill("2099-06-30");
  await dialog.getByLabel("Time (optional)").fill("14:05");
  await expect(dialog.getByText(/^Works until Tue 30 Jun 2099, 14:05 \(Asia\/Tokyo\)/)).toBeVisible();

  await dialog.getByLabel("Start later").check();
  await dialog.locator("#not_before").fill("2099-07-01");
  await expect(dialog.getByText(/It would start after it has ended\./)).toBeVisible();
  await button(page, "Issue").click();
  await dialog.getByRole("link", { name: /^It would start after it has ended\./ }).click();
  await assertFocusOnField(page, "not_before");
  await inspect(page, "issue-begins-after-end");
  await dialog.locator("#not_before").fill("2099-06-01");
  await expect(dialog.getByText("Works from Mon 1 Jun 2099, 00:00 (Asia/Tokyo).")).toBeVisible();
  await dialog.getByLabel("Networks", { exact: true }).fill("10.0.0.0/8 203.0.113.7, 2001:db8::/32");
  await expect(dialog.getByText("3 networks")).toBeVisible();
  await inspect(page, "issue-limits");
  await button(page, "Issue").click();
  await button(page, "I have stored it").click();

  const restricted = row(page, "Restricted");
  await expect(restricted.getByText("Not yet valid")).toBeVisible();
  await expect(restricted.getByText("30 Jun 2099, 14:05")).toBeVisible();
  for (const network of ["10.0.0.0/8", "203.0.113.7", "and 1 more"])
    await expect(restricted.getByText(network)).toBeVisible();
  await expect(restricted.getByText("Never used")).toBeVisible();
});

/** What an element is described by, in the order in which it is read out. */
const descriptionOf = (control) =>
  control.evaluate((element) =>
    element
      .getAttribute("aria-describedby")
      .split(" ")
      .map((id) => document.getElementById(id).textContent)
      .join(" "),
  );

test("every mistake is told at once, in the order of the form, and at its field", async ({ page }) => {
  await open(page);
  const dialog = await openIssue(page, "");
  await dialog.getByLabel("Number").fill("x");
  await dialog.getByLabel("Networks", { exact: true }).fill("10.0.0.0/33");
  await dialog.getByLabel("May issue further keys (Issuable)").check();
  await dialog.locator("#issuable-networks").fill("1.2.3");
  await button(page, "Issue").click();
  const summary = dialog.getByRole("group", { name: "There is a problem" });
  await expect(summary.getByRole("link").nth(3)).toBeVisible();
  expect(await summary.getByRole("link").allTextContents()).toEqual([
    "Enter a name.",
    "Enter the expiry as a whole number, or as a date.",
    "Line 1, 10.0.0.0/33: an IPv4 prefix ends at /32.",
    "Limits for keys it issues: Line 1, 1.2.3: an IPv4 address has four numbers.",
  ]);
  for (const [id, words] of [
    ["name", /Enter a name\./],
    ["expires", /Enter the expiry as a whole number/],
    ["networks", /an IPv4 prefix ends at \/32/],
    ["issuable-networks", /an IPv4 address has four numbers/],
  ]) {
    const control = dialog.locator(`#${id}`);
    await expect(control, id).toHaveAttribute("aria-invalid", "true");
    expect(await descriptionOf(control)).toMatch(words);
  }
  await inspect(page, "issue-mistakes");
  await button(page, "Cancel").click();
});

test("A27 whoever issues a key is told to keep it out of pages and apps", async ({ page }) => {
  await open(page);
  const advice =
    /^Do not embed keys in web pages or apps that you distribute\. Prefer restricted keys that expire soon\.$/;
  const dialog = await openIssue(page, "Advised");
  await expect(dialog.getByText(advice)).toBeVisible();
  await button(page, "Issue").click();
  await expect(page.getByRole("dialog", { name: '"Advised" is issued.' }).getByText(advice)).toBeVisible();
  await button(page, "I have stored it").click();
});

test("A05 a key that was kept viewable is shown again, to who has proven who they are", async ({ page }) => {
  await open(page);
  const dialog = await openIssue(page, "Viewable");
  await dialog.getByLabel("Keep it viewable").check();
  await button(page, "Issue").click();
  const reveal = page.getByRole("dialog", { name: '"Viewable" is issued.' });
  await expect(reveal.getByText("You can show it again from the list")).toBeVisible();
  const key = await reveal.getByLabel("API key", { exact: true }).inputValue();
  await inspect(page, "reveal-viewable");
  await page.keyboard.press("Escape");
  await expect(reveal).not.toBeAttached();
  expect(await page.content()).not.toContain(key);

  const asked = new RegExp("/v1/keys/[^/]+/reveal$");
  await page.route(asked, problem(403, "step_up_required", { methods: ["password"] }), { times: 1 });
  await button(page, "Show Viewable").click();
  const proof = page.getByRole("dialog", { name: "Confirm it is you" });
  await inspect(page, "show-step-up");
  await page.keyboard.press("Escape");
  await expect(proof).not.toBeAttached();
  await assertFocused(page, "Show Viewable");

  await button(page, "Show Viewable").click();
  const shown = page.getByRole("dialog", { name: '"Viewable"' });
  await expect(shown.getByLabel("API key", { exact: true })).toHaveValue(key);
  await inspect(page, "show");
  await button(page, "Copy key").click();
  await expect(shown.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await pasted(page)).toBe(key);
  await shown.getByRole("button", { name: "Close" }).last().click();
  await assertFocused(page, "Show Viewable");
  expect(await page.content()).not.toContain(key);
  expect(page.url()).not.toContain(key);
});

test("A05 a key that was not kept viewable is never offered again", async ({ page }) => {
  await open(page);
  await issueKey(page, "Shown once");
  expect(await button(page, "Show Shown once").count()).toBe(0);
});

test("A02 A07 an issuable key has a ceiling, and the list and its page say so", async ({ page }) => {
  await open(page);
  const dialog = await openIssue(page, "Issuer");
  await dialog.getByLabel("demo:read").check();
  await dialog.getByLabel("May issue further keys (Issuable)").check();
  const ceiling = dialog.getByRole("group", { name: "Limits for keys it issues" });
  await expect(ceiling.getByLabel("demo:read"), "proposes what the key may do itself").toBeChecked();
  await expect(ceiling.getByLabel("*:*"), "and no more").not.toBeChecked();
  await ceiling.getByLabel("Number").fill("");
  await button(page, "Issue").click();
  await dialog.getByRole("link", { name: "Enter the maximum lifetime in hours or days." }).click();
  await assertFocusOnField(page, "issuable-longest");
  await inspect(page, "issue-issuable-mistakes");
  await ceiling.getByLabel("Number").fill("6");
  await ceiling.getByLabel("Networks", { exact: true }).fill("10.0.0.0/8");
  await button(page, "Issue").click();
  await button(page, "I have stored it").click();

  await expect(row(page, "Issuer").getByText("Issuable", { exact: true })).toBeVisible();
  await page.getByRole("link", { name: "Issuer", exact: true }).click();
  const section = page.getByRole("region", { name: "Issuable" });
  for (const text of ["6 hours", "10.0.0.0/8", "demo:read"]) await expect(section.getByText(text)).toBeVisible();
  await inspect(page, "key-issuable");
});

test("a key with reserved permissions is not made issuable, and the form says why", async ({ page }) => {
  await open(page);
  const dialog = await openIssue(page, "Both");
  await dialog.getByLabel("claviger:verify").check();
  await dialog.getByLabel("May issue further keys (Issuable)").check();
  await button(page, "Issue").click();
  await dialog.getByRole("link", { name: /^A key with reserved permissions cannot issue further keys\./ }).click();
  await assertFocusOnField(page, "issuable");
  await inspect(page, "issue-issuable-refused");
});

test("A11 A24 what was issued can be restricted later: ceiling and networks, with the bound", async ({ page }) => {
  await open(page);
  await (await openIssue(page, "Restricted later")).getByLabel("May issue further keys (Issuable)").check();
  await button(page, "Issue").click();
  await button(page, "I have stored it").click();
  await page.getByRole("link", { name: "Restricted later", exact: true }).click();
  await button(page, "Edit").click();
  const dialog = page.getByRole("dialog", { name: 'Edit "Restricted later"' });
  await dialog.getByRole("group", { name: "Limits for keys it issues" }).getByLabel("Number").fill("1");
  const sent = page.waitForRequest((request) => request.method() === "PATCH");
  await button(page, "Save").click();
  expect(Object.keys((await sent).postDataJSON())).toEqual(["issuable"]);
  await expect(
    page.getByText(/^"Restricted later" is saved\. The new limits hold everywhere by/).first(),
  ).toBeVisible();
  await expect(page.getByRole("region", { name: "Issuable" }).getByText("60 minutes")).toBeVisible();

  await button(page, "Edit").click();
  await dialog.getByLabel("May issue further keys (Issuable)").uncheck();
  await button(page, "Save").click();
  await expect(page.getByRole("region", { name: "Issuable" })).not.toBeAttached();
});

test("A11 callers that new networks would refuse are named before they are saved, and can be added", async ({
  page,
  deployment,
}) => {
  await open(page);
  const key = await issueKey(page, "Called");
  const call = (address) =>
    deployment.worker.fetch("api.localhost", "/", {
      headers: { authorization: `Bearer ${key}`, "cf-connecting-ip": address },
    });
  for (const address of ["198.51.100.4", "198.51.100.4", "198.51.100.9"])
    expect((await call(address)).status).toBe(200);
  await page.getByRole("link", { name: "Called", exact: true }).click();
  // Uses ride on the next refresh; until then nobody is known to call.
  await until(async () => {
    await call("198.51.100.4");
    await page.reload();
    await expect(page.getByRole("heading", { name: "Called", level: 1 })).toBeVisible();
    return (await page.getByText("Never used").count()) === 0;
  });
  await button(page, "Edit").click();
  const dialog = page.getByRole("dialog", { name: 'Edit "Called"' });
  await dialog.getByLabel("Networks", { exact: true }).fill("10.0.0.0/8");
  await button(page, "Save").click();
  const question = page.getByRole("alertdialog", { name: /callers? would be refused$/ });
  await expect(question.getByText("198.51.100.4")).toBeVisible();
  await assertFocused(page, "Cancel");
  await inspect(page, "lock-out");
  await page.keyboard.press("Escape");
  await expect(question).not.toBeAttached();
  await expect(dialog.getByLabel("Networks", { exact: true })).toHaveValue("10.0.0.0/8");

  await button(page, "Save").click();
  await question.getByRole("button", { name: /^Add (it|both|all)$/ }).click();
  expect(await dialog.getByLabel("Networks", { exact: true }).inputValue()).toMatch(/^10\.0\.0\.0\/8\n198\.51\.100\.4/);
  await button(page, "Save").click();
  await expect(page.getByText(/^"Called" is saved\. The new limits hold everywhere by/).first()).toBeVisible();
});

test("in Japanese, on a phone, in the dark", async ({ newPage }) => {
  const page = await newPage({ viewport: NARROW, hasTouch: true, colorScheme: "dark" });
  await page.addInitScript(() => localStorage.setItem("claviger.language", "ja"));
  await page.goto("/");
  await button(page, "APIキーを発行").click();
  const dialog = page.getByRole("dialog", { name: "APIキーの発行" });
  await dialog.getByLabel("名前", { exact: true }).fill("全角".repeat(32));
  await dialog.getByLabel("demo:read").first().check();
  await dialog.getByLabel("開始日時を指定").check();
  await dialog.locator("#not_before").fill("2099-06-01");
  await dialog.getByLabel("日付で指定").check();
  await dialog.locator("#expires").fill("2099-06-30");
  await dialog.getByLabel("このキーで別のキーを発行できる（Issuable）").check();
  await dialog.getByLabel("あとから表示できるようにする").check();
  await inspect(page, "issue-all-ja");
  await button(page, "発行").click();
  await expect(page.getByText("一覧から再び表示できます。")).toBeVisible();
  await button(page, "閉じる").last().click();
  await page.getByRole("link", { name: "全角".repeat(32) }).click();
  await expect(page.getByRole("region", { name: "キーの発行" }).getByText("24時間")).toBeVisible();
  await inspect(page, "key-issuable-ja");
});

test("a key that cannot be shown any more says so", async ({ page }) => {
  await open(page);
  await (await openIssue(page, "No longer shown")).getByLabel("Keep it viewable").check();
  await button(page, "Issue").click();
  const reveal = page.locator("dialog.reveal");
  await button(reveal, "Close").last().click();
  await expect(reveal).toHaveCount(0);
  await page.route(new RegExp("/v1/keys/[^/]+/reveal$"), problem(409, "not_viewable"), { times: 1 });
  await button(page, "Show No longer shown").click();
  await expect(page.getByText("It can no longer be shown.")).toBeVisible();
  await inspect(page, "show-refused");
});
