// The list of keys in states that a healthy Worker does not show: one request is answered in its
// place, everything else is real.
import { NOW, answerInstead, json, key, problem } from "./support/answers.mjs";
import { NARROW, assertFocused, button, inspect, open, openIssue } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

test.describe("the list", () => {
  test("tells after a second that it is loading, and not before", async ({ page }) => {
    let answer;
    await answerInstead(page, "GET", "/v1/keys", (route) => (answer = () => route.continue()));
    await open(page);
    await page.waitForTimeout(400);
    expect(await page.getByText("Loading keys").count()).toBe(0);
    await expect(page.locator("p.waiting")).toBeVisible();
    await inspect(page, "keys-loading");
    answer();
    await expect(page.getByText("No API keys yet.")).toBeVisible();
  });

  test("that could not be loaded says so, and can be tried again", async ({ page }) => {
    await answerInstead(page, "GET", "/v1/keys", problem(503, "unavailable", {}, { "cf-ray": "8f2a9c4417" }), 1);
    await open(page);
    await expect(page.getByText("The keys could not be loaded; nothing was changed.")).toBeVisible();
    await expect(page.getByText("8f2a9c4417")).toBeVisible();
    await inspect(page, "keys-failed");
    await button(page, "Try again").click();
    await expect(page.getByText("No API keys yet.")).toBeVisible();
  });

  test("of 10,000 keys shows fifty, and walks on and back", async ({ page }) => {
    const pages = { "": [1, "b"], b: [51, "c"], c: [101, null] };
    await answerInstead(page, "GET", "/v1/keys", (route) => {
      const cursor = new URL(route.request().url()).searchParams.get("cursor") ?? "";
      const [first, next] = pages[cursor];
      const keys = Array.from({ length: 50 }, (_, index) => key(first + index));
      return json({ keys, next, total: 10_000, total_is_exact: true })(route);
    });
    await open(page);
    await expect(page.getByText("10,000 keys")).toBeVisible();
    expect(await page.locator("tbody tr").count()).toBe(50);
    await page.getByRole("link", { name: "Next" }).click();
    await expect(page.getByText("51–100 of 10,000").first()).toBeVisible();
    await page.waitForFunction(() => document.activeElement.id === "keys");
    await page.getByRole("link", { name: "Next" }).click();
    await expect(page.getByRole("link", { name: "Key 101", exact: true })).toBeVisible();
    expect(await page.getByRole("link", { name: "Next" }).count()).toBe(0);
    await inspect(page, "keys-last-page");
    await page.getByRole("link", { name: "Previous" }).click();
    await expect(page.getByRole("link", { name: "Key 51", exact: true })).toBeVisible();
    await page.goBack();
    await expect(page.getByRole("link", { name: "Key 101", exact: true })).toBeVisible();
    await page.reload();
    await page.getByRole("link", { name: "First page" }).click();
    await expect(page.getByRole("link", { name: "Key 1", exact: true })).toBeVisible();
  });

  test("is sorted by the server, and one column says so", async ({ page }) => {
    const asked = [];
    await answerInstead(page, "GET", "/v1/keys", (route) => {
      asked.push(new URL(route.request().url()).searchParams.get("sort"));
      return json({ keys: [key(1)], next: null, total: 1, total_is_exact: true })(route);
    });
    await open(page);
    const sorted = () =>
      page.locator("th[aria-sort]").evaluateAll((heads) => heads.map((head) => `${head.textContent} ${head.ariaSort}`));
    await expect(page.locator("th[aria-sort=descending]")).toBeVisible();
    expect(await sorted()).toEqual(["Issued descending"]);
    await button(page, "Name").click();
    await expect(page.locator("th[aria-sort=ascending]")).toBeVisible();
    expect(await sorted()).toEqual(["Name ascending"]);
    const third = page.waitForResponse((response) => response.url().includes("sort=-name"));
    await button(page, "Name").click();
    await expect(page.locator("th[aria-sort=descending]")).toBeVisible();
    await third;
    expect(asked).toEqual(["-created", "name", "-name"]);
    await assertFocused(page, "Name");
  });

  test("looks up a pasted key by its ID; the secret is never sent", async ({ page }) => {
    const urls = [];
    page.on("request", (request) => urls.push(request.url()));
    await answerInstead(page, "GET", "/v1/keys", (route) => {
      const q = new URL(route.request().url()).searchParams.get("q");
      return json({
        keys: q ? [key(3)] : Array.from({ length: 12 }, (_, n) => key(n)),
        next: null,
        total: q ? 1 : 12,
        total_is_exact: true,
      })(route);
    });
    await open(page);
    const search = page.getByRole("searchbox");
    await search.fill(`${key(3).access_key}${"s3cr3t".repeat(10)}`);
    await expect(search).toHaveValue(key(3).access_key);
    await expect(page.getByText("Only the ID of that key was looked up.")).toBeVisible();
    await expect(page.getByText("1 key matches.")).toBeAttached();
    expect(urls.join()).not.toContain("s3cr3t");
    expect(page.url()).not.toContain("s3cr3t");
    await inspect(page, "search-pasted-key");
  });

  test("says before a deletion which of the keys are in use (A09)", async ({ page }) => {
    const keys = [key(1, { uses_24h: 1204 }), key(2)];
    await answerInstead(page, "GET", "/v1/keys", json({ keys, next: null, total: 2, total_is_exact: true }));
    await open(page);
    for (const { name } of keys) await page.getByLabel(`Select ${name}`, { exact: true }).check();
    await button(page, "Delete…").click();
    const dialog = page.getByRole("alertdialog");
    await expect(dialog.getByText('"Key 1" was called 1,204 times in the last 24 hours.')).toBeVisible();
    expect(await dialog.getByText(/in the last 24 hours/).count()).toBe(1);
    await inspect(page, "delete-used");
  });

  test("takes a pasted short-lived key for what it is, and keeps its ID alone (A08)", async ({ page }) => {
    const sent = [];
    page.on("request", (request) => sent.push(request.url() + (request.postData() ?? "")));
    const keys = Array.from({ length: 12 }, (_, n) => key(n));
    await answerInstead(page, "GET", "/v1/keys", json({ keys, next: null, total: 12, total_is_exact: true }));
    const revoked = { bound: { at: "2026-11-21T12:00:10Z", within_s: 10 }, all_of_issuer: true };
    await answerInstead(page, "POST", "/v1/sealed-keys/revoke", json(revoked));
    await open(page);
    const payload = Buffer.from(JSON.stringify({ v: 1, id: "q".repeat(35), by: { key: key(3).id } })).toString(
      "base64url",
    );
    const search = page.getByRole("searchbox");
    await search.fill(`clvs_${payload}.${"s3cr3t".repeat(8)}`);
    await expect(search).toHaveValue("");
    await expect(page.getByText("q".repeat(35))).toBeVisible();
    await inspect(page, "sealed-found");
    await button(page, "Revoke this short-lived key").click();
    await assertFocused(page, "Cancel");
    await button(page, "Revoke").click();
    await expect(
      page.getByText(/all its short-lived keys are revoked\. Refused everywhere since/).first(),
    ).toBeVisible();
    await inspect(page, "sealed-revoked");
    expect(sent.some((text) => text.includes(`"issuer":"${key(3).id}"`))).toBe(true);
    expect(sent.join()).not.toContain("s3cr3t");
  });

  test("is not searched by the Enter that ends an IME's conversion", async ({ page }) => {
    await open(page, "#/keys?q=cron");
    const search = page.getByRole("searchbox");
    await expect(search).toBeVisible();
    const goesOn = (isComposing) =>
      search.evaluate(
        (field, composing) =>
          field.dispatchEvent(
            new KeyboardEvent("keydown", { key: "Enter", isComposing: composing, bubbles: true, cancelable: true }),
          ),
        isComposing,
      );
    expect([await goesOn(true), await goesOn(false)]).toEqual([false, true]);
  });

  test("that nothing matches can be cleared", async ({ page }) => {
    await open(page, "#/keys?q=cron");
    await expect(page.getByText('No key matches "cron".')).toBeVisible();
    await inspect(page, "keys-none-match");
    await page.getByRole("link", { name: "Clear" }).click();
    await expect(page.getByText("No API keys yet.")).toBeVisible();
  });

  test("is for looking only when the member is a viewer", async ({ page }) => {
    await answerInstead(page, "GET", "/v1/session", async (route) => {
      const answer = await route.fetch();
      const session = await answer.json();
      await route.fulfill({ response: answer, json: { ...session, member: { ...session.member, role: "viewer" } } });
    });
    await answerInstead(page, "GET", "/v1/keys", json({ keys: [key(1)], next: null, total: 1, total_is_exact: true }));
    await open(page);
    await expect(page.getByText("Its owners and administrators can change them.")).toBeVisible();
    await expect(page.getByRole("link", { name: "Key 1" })).toBeVisible();
    expect(await page.getByRole("button", { name: /^Issue API|Actions for|Select/ }).count()).toBe(0);
    await inspect(page, "keys-viewer");
  });

  for (const [name, context] of Object.entries({
    dark: { colorScheme: "dark" },
    "phone-dark": { colorScheme: "dark", viewport: NARROW },
    320: { viewport: { width: 320, height: 640 } },
    "forced-colors": { forcedColors: "active" },
  })) {
    test(`in every status, ${name}`, async ({ newPage }) => {
      const page = await newPage(context);
      const keys = [
        key(1, {
          name: "全角".repeat(32),
          networks: ["2001:db8:85a3:8d3:1319:8a2e:370:7348", "10.0.0.0/8", "192.0.2.1"],
        }),
        key(2, { status: "disabled", enabled: false, expires_at: "2099-06-30T15:00:00Z" }),
        key(3, { status: "expired", expires_at: "2026-01-01T05:05:00Z" }),
        key(4, { status: "not_yet_valid", not_before: "2098-06-30T15:00:00Z" }),
        key(5, { status: "deleted", deleted_at: NOW, restorable_until: "2026-12-21T12:00:00Z" }),
        key(6, {
          issued_by: { kind: "key", id: key(1).id, name: "全角".repeat(32) },
          viewable: true,
          last_used_at: NOW,
        }),
        key(7, { issued_by: { kind: "service" }, issuable: { permissions: [], networks: [], longest_ms: null } }),
        key(8, { protected: true }),
      ];
      await answerInstead(page, "GET", "/v1/keys", json({ keys, next: null, total: 8, total_is_exact: true }));
      await open(page);
      await expect(page.locator(".status", { hasText: "Not yet valid" })).toBeVisible();
      await inspect(page, `keys-${name}`);
    });
  }
});

test.describe("the focus, when what had it goes,", () => {
  const listed = (page, ...keys) =>
    answerInstead(page, "GET", "/v1/keys", json({ keys, next: null, total: keys.length, total_is_exact: true }));

  test("moves on from a retry and from a cleared search to the heading of the list", async ({ page }) => {
    await listed(page);
    await answerInstead(page, "GET", "/v1/keys", problem(503, "unavailable"), 1);
    await open(page, "#/keys?q=cron");
    await button(page, "Try again").press("Enter");
    await expect(page.getByText('No key matches "cron".')).toBeVisible();
    await assertFocused(page, "Keys");
    await page.getByRole("link", { name: "Clear" }).press("Enter");
    await expect(page.getByText("No API keys yet.")).toBeVisible();
    await assertFocused(page, "Keys");
  });

  test("moves on from the ticks that were cleared", async ({ page }) => {
    await listed(page, key(1), key(2));
    await open(page);
    await page.getByLabel("Select Key 1").check();
    await button(page, "Clear").press("Enter");
    await expect(page.getByText("1 key selected")).not.toBeAttached();
    await assertFocused(page, "Keys");
  });

  test("moves on from a filter that was taken away, and from a filter that matched nothing", async ({ page }) => {
    await answerInstead(page, "GET", "/v1/activity", json({ entries: [], next: null }));
    await open(page, "#/activity?member=m1&q=x");
    await page.getByRole("link", { name: "Remove the filter By: m1" }).press("Enter");
    await expect(page.getByRole("listitem").filter({ hasText: "By: m1" })).not.toBeAttached();
    await assertFocused(page, "Activity");
    await page.getByRole("link", { name: "Clear" }).press("Enter");
    await expect(page.getByText("No activity yet.")).toBeVisible();
    await assertFocused(page, "Activity");
  });

  test("stays with the choice that an offer makes", async ({ page }) => {
    await open(page);
    await openIssue(page, "Offered");
    await page.getByLabel("Unlimited").check();
    await button(page, "Use 90 days").press("Enter");
    await expect(page.getByLabel("Number")).toHaveValue("90");
    expect(
      await page.getByLabel("For a time").evaluate((radio) => radio.checked && radio === document.activeElement),
    ).toBe(true);
  });

  test("stays with the button whose act has become its opposite", async ({ page }) => {
    const path = `/v1/keys/${key(1).id}`;
    await answerInstead(page, "GET", path, json(key(1)));
    await answerInstead(
      page,
      "POST",
      `${path}/disable`,
      json({ key: key(1, { status: "disabled", enabled: false }), bound: null }),
    );
    await open(page, `#/keys/${key(1).id}`);
    await button(page, "Disable").press("Enter");
    await page.getByRole("alertdialog").getByRole("button", { name: "Disable" }).press("Enter");
    await expect(button(page, "Activate")).toBeVisible();
    await assertFocused(page, "Activate");
  });

  test("is with what a short-lived key's revocation led to", async ({ page }) => {
    await listed(page, ...Array.from({ length: 12 }, (_, n) => key(n)));
    await answerInstead(page, "POST", "/v1/sealed-keys/revoke", json({ bound: null, all_of_issuer: false }));
    await open(page);
    const payload = Buffer.from(JSON.stringify({ v: 1, id: "q".repeat(35), by: "service" })).toString("base64url");
    await page.getByRole("searchbox").fill(`clvs_${payload}.${"M".repeat(49)}`);
    await button(page, "Revoke this short-lived key").press("Enter");
    await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).press("Enter");
    await page.waitForFunction(() => document.activeElement.textContent.includes("The short-lived key is revoked."));
  });
});
