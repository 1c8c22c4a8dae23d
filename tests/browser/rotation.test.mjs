// A key is regenerated, at once or with an overlap of both pairs. Row S11.
import { problem } from "./support/answers.mjs";
import { NARROW, assertFocused, button, inspect, issueKey, open, row } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

/** The question about a key, opened from the menu of its row. */
async function ask(page, name) {
  await page.getByRole("button", { name: `Actions for ${name}` }).click();
  await button(page, "Regenerate").click();
  return page.getByRole("alertdialog", { name: `Get a new key pair for "${name}"?` });
}

/** The whole key that the open dialog shows. */
const shown = (dialog) => dialog.getByLabel("API key", { exact: true }).inputValue();

test("S11 Get New Key kills the old pair and shows a new one once; Cancel changes nothing", async ({
  page,
  deployment,
}) => {
  await open(page);
  const old = await issueKey(page, "Build server");
  const question = await ask(page, "Build server");
  await expect(question.getByText(/^The present pair is refused everywhere within 10 s/)).toBeVisible();
  await expect(question.getByText(/It was never used\./)).toBeVisible();
  await assertFocused(page, "Cancel");
  await inspect(page, "regenerate");
  await button(page, "Cancel").click();
  await expect(question).not.toBeAttached();
  expect(await deployment.callApi(old)).toBe(200);

  await ask(page, "Build server");
  await button(page, "Get New Key").click();
  const reveal = page.getByRole("dialog", { name: '"Build server" has a new key pair.' });
  await expect(reveal.getByText(/^It works everywhere now\. The old pair is refused everywhere by /)).toBeVisible();
  await inspect(page, "regenerated");
  const key = await shown(reveal);
  const secret = await reveal.locator("#access-secret").inputValue();
  expect(key).not.toBe(old);
  expect(key.endsWith(secret)).toBe(true);
  expect([await deployment.callApi(old), await deployment.callApi(key)]).toEqual([401, 200]);
  // Nothing closes it by mistake, and nothing is kept once it is closed.
  await page.keyboard.press("Escape");
  await button(page, "Keep open").click();
  await reveal.getByRole("button", { name: "I have stored it" }).click();
  await expect(reveal).not.toBeAttached();
  expect(await page.content()).not.toContain(secret);
  expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain(secret);
  await assertFocused(page, "Build server");
  await expect(
    page.getByText(/^"Build server" has a new key pair\. The old pair is refused everywhere/).first(),
  ).toBeVisible();
  await expect(row(page, "Build server")).toHaveCount(1);

  // The old one is among the deleted keys, without a way back, and leads to its successor.
  await page.goto("/#/keys?status=deleted");
  // The list before shows its successor until this one is loaded.
  const gone = row(page, "Build server").filter({ hasText: "Deleted" });
  await gone.getByRole("link", { name: "Build server" }).click();
  await expect(page.getByText("This key was replaced and has ended.")).toBeVisible();
  await expect(button(page, "Restore")).toHaveCount(0);
  await inspect(page, "replaced");
  await page.getByRole("link", { name: "Open its successor" }).click();
  await expect(page.getByRole("heading", { name: "Predecessor" })).toBeVisible();
  await expect(page.getByText("Key regenerated").first()).toBeVisible();
});

test("S11 with an overlap both pairs work, the page shows the old one, and End now ends it", async ({
  page,
  deployment,
}) => {
  await open(page);
  const old = await issueKey(page, "Cron");
  const question = await ask(page, "Cron");
  await question.getByLabel("7 days").check();
  await expect(
    question.getByText(/^The old pair works until .* \(Asia\/Tokyo\) and then ends by itself\./),
  ).toBeVisible();
  // A date is asked for, and its end is that of the day.
  await question.getByLabel("Until a date").first().check();
  await button(page, "Get New Key").click();
  await question.getByRole("link", { name: "Enter the date on which the old pair ends." }).click();
  await expect(page.locator("#overlap")).toBeFocused();
  await page.setViewportSize(NARROW);
  await inspect(page, "regenerate-overlap-narrow");
  await page.setViewportSize({ width: 1280, height: 900 });
  // Beyond the expiry of the old key, whose 90 days are the end then.
  await page.locator("#overlap").fill("2099-06-30");
  await inspect(page, "regenerate-overlap");
  await button(page, "Get New Key").click();
  const reveal = page.getByRole("dialog", { name: '"Cron" has a new key pair.' });
  await expect(reveal.getByText(/^It works everywhere now\. The old pair works until /)).toBeVisible();
  const key = await shown(reveal);
  await reveal.getByRole("button", { name: "I have stored it" }).click();
  expect([await deployment.callApi(old), await deployment.callApi(key)]).toEqual([200, 200]);
  await expect(row(page, "Cron")).toHaveCount(2);
  await expect(page.getByText(/^rotating, until/)).toBeVisible();
  await expect(page.getByText(/^replaced, until/)).toBeVisible();
  await inspect(page, "rotating-list");

  await row(page, "Cron").filter({ hasText: "rotating" }).getByRole("link", { name: "Cron" }).click();
  const former = page.getByRole("region", { name: "Predecessor" });
  await expect(former.getByText(/^replaced, until/)).toBeVisible();
  await inspect(page, "rotating");
  await page.setViewportSize(NARROW);
  await inspect(page, "rotating-narrow");
  // The predecessor's own page: it cannot be regenerated again.
  await former.getByRole("link", { name: /^clv_/ }).click();
  await expect(page.getByText(/^This key was replaced\. It works until /)).toBeVisible();
  await expect(button(page, "Regenerate")).toHaveCount(0);
  await inspect(page, "predecessor-narrow");
  await page.getByRole("link", { name: "Open its successor" }).click();
  await former.getByRole("button", { name: "End now" }).click();
  const end = page.getByRole("alertdialog", { name: 'End the old pair of "Cron" now?' });
  await expect(end.getByText(/This cannot be undone\./)).toBeVisible();
  await inspect(page, "end-now-narrow");
  await end.getByRole("button", { name: "End now" }).click();
  await expect(former.getByText(/^The old pair of "Cron" has ended\./)).toBeVisible();
  await expect(former.getByRole("button")).toHaveCount(0);
  expect([await deployment.callApi(old), await deployment.callApi(key)]).toEqual([401, 200]);
});

test("S11 in Japanese, on a phone", async ({ page, newPage, deployment, storageState }) => {
  await open(page);
  const old = await issueKey(page, "夜間バッチ");
  const phone = await newPage({ locale: "ja-JP", viewport: NARROW, hasTouch: true, colorScheme: "dark", storageState });
  await phone.addInitScript(() => localStorage.setItem("claviger.language", "ja"));
  await open(phone);
  await phone.getByRole("link", { name: "夜間バッチ", exact: true }).click();
  await button(phone, "作り直す").click();
  const question = phone.getByRole("alertdialog", { name: "「夜間バッチ」のキーを作り直しますか。" });
  await expect(question.getByText(/^今のキーは10秒以内に拒否され/)).toBeVisible();
  await question.getByLabel("1日間").check();
  await expect(question.getByText(/まで有効で、その後は自動的に終了します。/)).toBeVisible();
  await inspect(phone, "regenerate-ja-narrow");
  await button(phone, "新しいキーを取得").click();
  const reveal = phone.getByRole("dialog", { name: "「夜間バッチ」の新しいキーができました。" });
  const key = await reveal.getByLabel("APIキー", { exact: true }).inputValue();
  await inspect(phone, "regenerated-ja-narrow");
  await button(phone, "保存しました").click();
  // The successor's page follows, with the old pair on it.
  const former = phone.getByRole("region", { name: "置き換え前のキー" });
  await expect(former.getByText(/^置き換え済み、.*まで$/)).toBeVisible();
  await inspect(phone, "rotating-ja-narrow");
  expect([await deployment.callApi(old), await deployment.callApi(key)]).toEqual([200, 200]);
});

test("a change meanwhile, a lost answer and a refusal are said, and no second key is made", async ({
  page,
  newPage,
  storageState,
}) => {
  await open(page);
  await issueKey(page, "Contended");
  const question = await ask(page, "Contended");
  const other = await newPage({ storageState });
  await open(other);
  await other.getByRole("link", { name: "Contended", exact: true }).click();
  await button(other, "Disable").click();
  await other.getByRole("alertdialog").getByRole("button", { name: "Disable" }).click();
  await expect(other.getByText(/^"Contended" is disabled\./).first()).toBeVisible();
  await question.getByRole("button", { name: "Get New Key" }).click();
  await expect(question.getByText(/changed this key at .*, so nothing was done\./)).toBeVisible();
  await question.getByRole("button", { name: "Get New Key" }).click();
  await expect(question.getByText(/This key is disabled\./).first()).toBeVisible();
  await question.getByRole("button", { name: "Cancel" }).click();

  await issueKey(page, "Unheard");
  const unheard = await ask(page, "Unheard");
  const keys = new Set();
  await page.route(/\/regenerate$/, (route) => {
    keys.add(route.request().headers()["idempotency-key"]);
    return route.abort();
  });
  for (let time = 0; time < 2; time += 1) {
    await unheard.getByRole("button", { name: "Get New Key" }).click();
    await expect(unheard.getByText(/^No answer came\. "Unheard" may have a new pair/)).toBeVisible();
  }
  expect(keys.size, "both had one idempotency key").toBe(1);
  await page.unrouteAll();
  await page.route(/\/regenerate$/, problem(503, "unavailable"));
  await unheard.getByRole("button", { name: "Get New Key" }).click();
  await expect(unheard.getByText(/The service cannot be reached at the moment\./)).toBeVisible();
});
