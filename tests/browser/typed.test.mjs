// What members type or paste: it is not lost by one key press, and no secret of it is sent.
import { NOW, answerInstead, json, key } from "./support/answers.mjs";
import { assertFocused, button, inspect, open, openIssue } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

const MANY = Array.from({ length: 12 }, (_, n) => key(n + 1));
const SECRET = "s3cr3tS3cr3t".repeat(4);

const listed = (page, keys = MANY) =>
  answerInstead(page, "GET", "/v1/keys", json({ keys, next: null, total: keys.length, total_is_exact: true }));

test.describe("a form that was filled in", () => {
  const question = (page) => page.getByRole("alertdialog", { name: "Discard what you typed?" });

  test("asks before Esc and the cross discard it, and keeps what was typed", async ({ page }) => {
    await listed(page);
    await open(page);
    const dialog = await openIssue(page, "Half typed");
    await page.keyboard.press("Escape");
    await assertFocused(page, "Keep editing");
    await inspect(page, "discard");
    await button(page, "Keep editing").click();
    await expect(dialog.getByLabel("Name", { exact: true })).toHaveValue("Half typed");
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.keyboard.press("Escape");
    await expect(question(page)).not.toBeAttached();
    await expect(dialog).toBeVisible();
    await page.keyboard.press("Escape");
    await button(page, "Discard").click();
    await expect(dialog).not.toBeAttached();
    await assertFocused(page, "Issue API Key");
  });

  test("stays open when the page beside it is clicked", async ({ page }) => {
    await listed(page);
    await open(page);
    const dialog = await openIssue(page, "Half typed");
    await page.mouse.click(5, 5);
    await expect(dialog.getByLabel("Name", { exact: true })).toHaveValue("Half typed");
  });

  test("asks before the browser's way back leaves it, and then goes there", async ({ page }) => {
    await listed(page);
    await open(page, "#/activity");
    await page.getByRole("navigation").getByRole("link", { name: "API keys" }).click();
    const dialog = await openIssue(page, "Half typed");
    await page.goBack();
    await expect(question(page)).toBeVisible();
    await button(page, "Keep editing").click();
    await expect(dialog.getByLabel("Name", { exact: true })).toHaveValue("Half typed");
    expect(new URL(page.url()).hash).toBe("#/keys");
    await page.goBack();
    await button(page, "Discard").click();
    await expect(page.getByRole("heading", { name: "Activity", level: 1 })).toBeVisible();
    expect(new URL(page.url()).hash).toBe("#/activity");
  });

  test("closes without a question when nothing was typed, or by Cancel", async ({ page }) => {
    await listed(page);
    await open(page);
    await button(page, "Issue API Key").click();
    const dialog = page.getByRole("dialog", { name: "Issue an API key" });
    await page.keyboard.press("Escape");
    await expect(dialog).not.toBeAttached();
    await openIssue(page, "Typed");
    await button(page, "Cancel").click();
    await expect(dialog).not.toBeAttached();
    // The same values again are no change.
    await openIssue(page, "Typed", { permission: null });
    await page.getByLabel("Name", { exact: true }).fill("");
    await page.keyboard.press("Escape");
    await expect(dialog).not.toBeAttached();
  });
});

test("an edit that would be refused asks nothing about callers", async ({ page }) => {
  await listed(page, [key(1, { expires_at: "2099-06-30T14:05:00Z" })]);
  const asked = [];
  await answerInstead(page, "POST", "/v1/keys/check", (route) => {
    const body = route.request().postDataJSON();
    asked.push(body);
    if (body.key) return json({ locked_out: [{ address: "198.51.100.4", count: 3, last_at: NOW }] })(route);
    return json(body.expires === "0d" ? { errors: [{ pointer: "#/expires", code: "zero" }] } : {})(route);
  });
  await open(page);
  await button(page, "Actions for Key 1").click();
  await page.locator(".menu:popover-open").getByText("Edit").click();
  await page.getByLabel("Networks").fill("192.0.2.1");
  await page.getByLabel("For a time").check();
  await page.getByLabel("Number").fill("0");
  await button(page, "Save").click();
  await expect(page.getByText("There is a problem")).toBeVisible();
  expect(await page.getByRole("alertdialog").count()).toBe(0);
  expect(asked.some(({ key }) => key)).toBe(false);
  await page.getByLabel("Number").fill("9");
  await button(page, "Save").click();
  await expect(page.getByRole("alertdialog", { name: "1 caller would be refused" })).toBeVisible();
});

test("full-width digits are a number of days", async ({ page }) => {
  await listed(page);
  const sent = [];
  await answerInstead(page, "POST", "/v1/keys", (route) => {
    sent.push(route.request().postDataJSON());
    return route.abort();
  });
  await open(page);
  await openIssue(page, "Wide");
  await page.getByLabel("Number").fill("\u{ff13}\u{ff10}");
  await button(page, "Issue").click();
  await expect(page.getByText("No answer came.").first()).toBeVisible();
  expect(sent[0].expires).toBe("30d");
});

test.describe("the search", () => {
  const ID = key(3).access_key;
  const PASTED = {
    "a header": `Authorization: Bearer ${ID}${SECRET}`,
    "a bearer": `Bearer ${ID}${SECRET}`,
    "a setting": `API_KEY=${ID}${SECRET}`,
    "an export": `export API_KEY="${ID}${SECRET}"`,
    "a quoted key": `'${ID}${SECRET}'`,
    JSON: `"key": "${ID}${SECRET}",`,
    "a key with blanks around": `  ${ID}${SECRET}\t`,
  };
  for (const [what, text] of Object.entries(PASTED))
    test(`looks up ${what} by its ID, and keeps the ID alone`, async ({ page }) => {
      const sent = [];
      page.on("request", (request) => sent.push(request.url() + (request.postData() ?? "")));
      await listed(page);
      await open(page);
      const search = page.getByRole("searchbox");
      await search.fill(text);
      await expect(search).toHaveValue(ID);
      await expect(page.getByText("Only the ID of that key was looked up.")).toBeVisible();
      await expect.poll(() => sent.some((url) => url.includes(`q=${ID}`))).toBe(true);
      expect(sent.join()).not.toContain(SECRET.slice(0, 12));
      expect(page.url()).not.toContain(SECRET.slice(0, 12));
    });

  for (const [text, q] of [
    [`"${ID}"`, ID],
    [`KEY=${ID}`, ID],
    [`Bearer ${ID}`, ID],
    ["203.0.113.7:443", "203.0.113.7"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["\u{ff12}03.0.113.7:443", "203.0.113.7"],
    ["2001:db8::1", "2001:db8::1"],
    ["Build server: night", "Build server: night"],
  ])
    test(`asks for ${q} when ${text} was pasted, which stays in the field`, async ({ page }) => {
      const asked = [];
      await answerInstead(page, "GET", "/v1/keys", (route) => {
        asked.push(new URL(route.request().url()).searchParams.get("q"));
        return json({ keys: MANY, next: null, total: 12, total_is_exact: true })(route);
      });
      await open(page);
      await page.getByRole("searchbox").fill(text);
      await expect.poll(() => asked.at(-1)).toBe(q);
      await expect(page.getByRole("searchbox")).toHaveValue(text);
    });

  test("takes a key out of the address that led here", async ({ page }) => {
    const sent = [];
    page.on("request", (request) => sent.push(request.url()));
    await listed(page);
    await open(page, `#/keys?q=${ID}${SECRET}`);
    await expect(page.getByRole("searchbox")).toHaveValue(ID);
    expect(page.url()).not.toContain(SECRET);
    expect(sent.filter((url) => url.includes("/v1/")).join()).not.toContain(SECRET);
  });

  test("takes a key out of the address of a key's page", async ({ page }) => {
    const sent = [];
    page.on("request", (request) => sent.push(request.url()));
    await page.goto(`/#/keys/${ID}${SECRET}`);
    await expect.poll(() => sent.filter((url) => url.includes("/v1/keys/")).length).toBeGreaterThan(0);
    expect(page.url()).not.toContain(SECRET);
    expect(sent.filter((url) => url.includes("/v1/")).join()).not.toContain(SECRET);
  });

  test("leaves no key in the history when a form keeps the page", async ({ page }) => {
    await listed(page);
    await open(page);
    await openIssue(page, "Half typed");
    await page.evaluate((hash) => (location.hash = hash), `#/keys?q=${ID}${SECRET}`);
    await expect(page.getByRole("alertdialog", { name: "Discard what you typed?" })).toBeVisible();
    const addresses = await page.evaluate(() => globalThis.navigation.entries().map(({ url }) => url));
    expect(addresses.length).toBeGreaterThan(2);
    expect(addresses.join()).not.toContain(SECRET);
  });
});

test("a short-lived key can be revoked by its ID, and by whom it was issued", async ({ page }) => {
  const sent = [];
  await answerInstead(page, "POST", "/v1/sealed-keys/revoke", (route) => {
    sent.push(route.request().postDataJSON());
    return json({ bound: null, all_of_issuer: false })(route);
  });
  await listed(page);
  await open(page, "#/connection");
  const id = "q".repeat(35);
  for (const typed of ["", key(3).access_key, `${key(3).access_key}${SECRET}`]) {
    await button(page, "Revoke a short-lived key…").click();
    await page.getByLabel("Short-lived key or its ID").fill(id);
    await page.getByLabel("ID of the key that issued it").fill(typed);
    if (!typed) await inspect(page, "sealed-by-id");
    await button(page, "Revoke").click();
    await expect(page.getByText("The short-lived key is revoked.").first()).toBeVisible();
  }
  expect(sent).toEqual([
    { id, issuer: "service" },
    { id, issuer: key(3).id },
    { id, issuer: key(3).id },
  ]);
});

test.describe("set-up", () => {
  test.use({ storageState: { cookies: [], origins: [] } });

  test("offers UTC and the zones under their present names", async ({ page, deployment }) => {
    await page.goto(deployment.setupLink());
    // This deployment has its account, so the link is over before anything is typed.
    await expect(page.getByText("Account name")).not.toBeAttached();
    await expect(button(page, "Go to sign-in")).toBeVisible();
    await inspect(page, "setup-used");
    await answerInstead(page, "POST", "/v1/setup/check", (route) => route.fulfill({ status: 204 }));
    await page.goto("/");
    await page.goto(deployment.setupLink());
    const zone = page.getByLabel("Time zone");
    await expect(zone).toBeVisible();
    const names = await zone.locator("option").evaluateAll((options) => options.map(({ value }) => value));
    for (const name of ["UTC", "Asia/Kolkata", "Europe/Kyiv", "Asia/Ho_Chi_Minh", "America/Nuuk", "Asia/Tokyo"])
      expect(names, name).toContain(name);
    for (const name of ["Asia/Calcutta", "Europe/Kiev", "Asia/Saigon"]) expect(names, name).not.toContain(name);
    expect(new Set(names).size).toBe(names.length);
  });
});

test("an earlier name of a zone is shown as its present one", async ({ page }) => {
  await answerInstead(page, "GET", "/v1/session", async (route) => {
    const answer = await route.fetch();
    const session = await answer.json();
    await route.fulfill({
      response: answer,
      json: { ...session, account: { ...session.account, time_zone: "Asia/Calcutta" } },
    });
  });
  await listed(page);
  await open(page);
  await expect(page.getByText("times in Asia/Kolkata")).toBeVisible();
});
