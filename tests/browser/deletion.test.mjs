// Deleting keys: ticked or alone, by a code from a mail, and back again.
import { answerInstead, problem } from "./support/answers.mjs";
import {
  NARROW,
  assertFocusOnField,
  assertFocused,
  button,
  confirmDeletion,
  inspect,
  issueKey,
  open,
  row,
} from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

const first = (page) => page.getByRole("alertdialog", { name: "Delete API Key" });
const second = (page) => page.getByRole("dialog", { name: "Delete API Key" });

/** Opens the first step from a row's menu. */
async function ask(page, name) {
  await button(page, `Actions for ${name}`).click();
  await page.locator("[popover]:popover-open").getByRole("button", { name: "Delete" }).click();
  await expect(first(page)).toBeVisible();
}

/** Goes on to the second step. */
async function mailCode(page, deployment) {
  const before = deployment.mail.messages.length;
  await first(page).getByRole("button", { name: "Delete" }).click();
  await expect(second(page).getByLabel("Authentication code")).toBeVisible();
  return () => deployment.code(before + 1);
}

let kept;
test.beforeAll(async ({ newPage }) => {
  const page = await newPage();
  await open(page);
  kept = await issueKey(page, "Kept");
});

test("A09 two keys are ticked, named, confirmed by a mailed code, and refused from the bound on", async ({
  page,
  deployment,
}) => {
  await open(page);
  const keys = [await issueKey(page, "Build server"), await issueKey(page, "Cron"), kept];
  expect(await deployment.callApi(keys[0])).toBe(200);
  await page.getByLabel("Select Build server").check();
  await page.getByLabel("Select Cron").check();
  await expect(page.getByText("2 keys selected")).toBeVisible();
  await inspect(page, "ticked");

  await button(page, "Delete…").click();
  await assertFocused(page, "Cancel");
  await expect(
    first(page).getByText(/^These 2 keys are refused everywhere within 10 s; they can be restored until/),
  ).toBeVisible();
  for (const [name, key] of [
    ["Build server", keys[0]],
    ["Cron", keys[1]],
  ])
    await expect(first(page).getByText(`"${name}" (${key.slice(0, 22)})`)).toBeVisible();
  await inspect(page, "delete-1");

  const code = await mailCode(page, deployment);
  await assertFocusOnField(page, "code");
  await expect(second(page).getByText("m…@example.jp")).toBeVisible();
  await expect(second(page).getByText("Six digits. 5 tries left.")).toBeVisible();
  await expect(second(page).getByLabel("Authentication code")).toHaveAttribute("autocomplete", "one-time-code");
  await inspect(page, "delete-2");

  const right = await code();
  await second(page)
    .getByLabel("Authentication code")
    .fill(right === "000000" ? "111111" : "000000");
  await button(page, "Send").click();
  await expect(second(page).getByText("That code doesn’t match; 4 tries left.")).toBeVisible();
  await assertFocusOnField(page, "code");
  await inspect(page, "delete-wrong");

  // As a Japanese keyboard types it.
  const wide = [...right].map((digit) => String.fromCodePoint(digit.codePointAt(0) + 0xfee0)).join("");
  await second(page).getByLabel("Authentication code").fill(` ${wide} `);
  await button(page, "Send").click();
  await expect(
    page
      .getByText(/^2 keys are deleted\. Refused everywhere by \d\d:\d\d:\d\d \(Asia\/Tokyo\)\. Can be restored until/)
      .first(),
  ).toBeVisible();
  await assertFocused(page, "Keys");
  await expect(page.getByText("2 deleted or ended keys are hidden.")).toBeVisible();
  await page.getByRole("link", { name: "Show all" }).click();
  for (const name of ["Build server", "Cron"]) await expect(row(page, name).getByText("Deleted")).toBeVisible();
  await expect(page.getByText(/keys selected/)).toBeHidden();
  expect(await page.getByLabel("Select Build server").count()).toBe(0);
  await inspect(page, "deleted");
  await expect(page.getByText(/Refused everywhere since/)).toBeVisible({ timeout: 15_000 });
  expect(await Promise.all(keys.map((key) => deployment.callApi(key)))).toEqual([401, 401, 200]);
});

test("ticks are cleared by another order, and everything on the page is ticked at once", async ({ page }) => {
  await open(page);
  await page.getByLabel(/^Select (all|the) /).check();
  await expect(page.getByText(/keys? selected/)).toBeVisible();
  await button(page, "Name").click();
  await expect(page.getByText(/keys? selected/)).toBeHidden();
});

test("A09 a deleted key is restored from its own page, as it was", async ({ page, deployment }) => {
  await open(page);
  const key = await issueKey(page, "Comes back");
  await page.getByRole("link", { name: "Comes back", exact: true }).click();
  await button(page, "Delete").click();
  await confirmDeletion(page, deployment);
  await expect(page.getByText(/^"Comes back" is deleted\. Refused everywhere by/).first()).toBeVisible();
  await assertFocused(page, "Comes back");
  await expect(button(page, "Restore")).toBeVisible();
  expect(await button(page, "Delete").count()).toBe(0);
  await page.reload();
  await expect(page.getByText(/^Deleted .* It can be restored until /)).toBeVisible();
  await inspect(page, "key-deleted");

  await button(page, "Restore").click();
  await inspect(page, "restore");
  await page
    .getByRole("alertdialog", { name: 'Restore "Comes back"?' })
    .getByRole("button", { name: "Restore" })
    .click();
  await expect(page.getByText('"Comes back" is restored.').first()).toBeVisible();
  await expect(page.locator(".facts").getByText("Active", { exact: true })).toBeVisible();
  await expect(button(page, "Delete")).toBeVisible();
  expect([200, 401], "it works again within the bound").toContain(await deployment.callApi(key));
});

test("A10 a protected key says why it cannot be deleted, until an owner lifts that", async ({ page, deployment }) => {
  await open(page);
  await button(page, "Issue API Key").click();
  await page.getByLabel("Name", { exact: true }).fill("Protected one");
  await page.getByLabel("demo:read").check();
  await page.getByLabel("Protect it from deletion").check();
  await button(page, "Issue").click();
  await button(page, "I have stored it").click();
  await expect(row(page, "Protected one").getByText("Protected", { exact: true })).toBeVisible();
  expect(await page.getByLabel("Select Protected one").count()).toBe(0);
  await page.getByRole("link", { name: "Protected one", exact: true }).click();
  await expect(
    page.getByText("This key is protected, so it cannot be deleted. Remove the protection under Edit first."),
  ).toBeVisible();
  expect(await button(page, "Delete").count()).toBe(0);
  await inspect(page, "key-protected");

  await button(page, "Edit").click();
  await page.getByLabel("Protect it from deletion").uncheck();
  await button(page, "Save").click();
  await button(page, "Delete").click();
  await confirmDeletion(page, deployment);
  await expect(page.getByText(/^"Protected one" is deleted\./).first()).toBeVisible();
});

test.describe("a code", () => {
  test.afterEach(({ deployment }) => deployment.mail.recover());

  test("that ran out of tries is mailed again", async ({ page, deployment }) => {
    await open(page);
    await issueKey(page, "Tried often");
    await ask(page, "Tried often");
    const code = await mailCode(page, deployment);
    const wrong = (await code()) === "000000" ? "111111" : "000000";
    for (let left = 4; left >= 0; left -= 1) {
      await second(page).getByLabel("Authentication code").fill(wrong);
      await button(page, "Send").click();
      const told =
        left === 0 ? "That code has run out; mail a new one." : `${left} ${left === 1 ? "try" : "tries"} left.`;
      await expect(second(page).getByText(told)).toBeVisible();
    }
    await inspect(page, "delete-over");
    const before = deployment.mail.messages.length;
    await button(page, "Mail a new code").click();
    await expect(second(page).getByText("Six digits. 5 tries left.")).toBeVisible();
    await second(page)
      .getByLabel("Authentication code")
      .fill(await deployment.code(before + 1));
    await button(page, "Send").click();
    await expect(page.getByText(/^"Tried often" is deleted\./).first()).toBeVisible();
  });

  test("is mailed again on request; only the new one counts", async ({ page, deployment }) => {
    await open(page);
    await issueKey(page, "Mailed twice");
    await ask(page, "Mailed twice");
    const old = await (await mailCode(page, deployment))();
    const before = deployment.mail.messages.length;
    await button(page, "Mail a new code").click();
    await expect(second(page).getByText(/^A new code is on its way to/)).toBeVisible();
    const fresh = await deployment.code(before + 1);
    await inspect(page, "delete-mailed-again");
    if (old !== fresh) {
      await second(page).getByLabel("Authentication code").fill(old);
      await button(page, "Send").click();
      await expect(second(page).getByText(/That code doesn’t match/)).toBeVisible();
    }
    await second(page).getByLabel("Authentication code").fill(fresh);
    await button(page, "Send").click();
    await expect(page.getByText(/^"Mailed twice" is deleted\./).first()).toBeVisible();
  });

  test("that the mail service does not take leaves disabling, which needs none", async ({ page, deployment }) => {
    deployment.mail.failAlways(500);
    await open(page);
    const key = await issueKey(page, "Stopped instead");
    await ask(page, "Stopped instead");
    await mailCode(page, deployment);
    await expect(second(page).getByText(/The mail could not be sent yet/)).toBeVisible({ timeout: 20_000 });
    await inspect(page, "delete-mail-failing");
    await button(page, "Disable instead").click();
    await expect(row(page, "Stopped instead").getByText("Disabled")).toBeVisible();
    await expect(page.getByText(/Refused everywhere since/)).toBeVisible({ timeout: 15_000 });
    expect(await deployment.callApi(key)).toBe(401);
  });
});

// States that would take a day, or another deployment, to come about.
test("too many codes in a day leave disabling", async ({ page }) => {
  await open(page);
  await issueKey(page, "Too many");
  const until = new Date(Date.now() + 3_600_000).toISOString();
  await answerInstead(page, "POST", "/v1/deletions", problem(429, "too_many_codes", { until }));
  await ask(page, "Too many");
  await first(page).getByRole("button", { name: "Delete" }).click();
  await expect(
    first(page).getByText(/No more codes are mailed to you until .* To stop a key without mail, disable it\.$/),
  ).toBeVisible();
  await inspect(page, "delete-too-many-codes");
  await button(page, "Disable instead").click();
  await expect(row(page, "Too many").getByText("Disabled")).toBeVisible();
});

test("a deployment without mail says so before anything is asked", async ({ newPage }) => {
  const page = await newPage({ viewport: NARROW, colorScheme: "dark" });
  await answerInstead(page, "GET", "/v1/session", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), mail: "off" } });
  });
  await page.goto("/");
  await ask(page, "Kept");
  await expect(first(page).getByText(/mail is not set up here/)).toBeVisible();
  expect(await first(page).getByRole("button", { name: "Delete" }).count()).toBe(0);
  await expect(button(page, "Disable instead")).toBeVisible();
  await inspect(page, "delete-mail-off");
});

test("a key that somebody protected or deleted meanwhile is named, and nothing is deleted", async ({ page }) => {
  await open(page);
  await ask(page, "Kept");
  const id = (await page.getByRole("alertdialog").getByRole("code").first().textContent()).replace(/^.*_/, "");
  await answerInstead(page, "POST", "/v1/deletions", problem(409, "protected", { keys: [{ id, name: "Kept" }] }), 1);
  await first(page).getByRole("button", { name: "Delete" }).click();
  await expect(first(page).getByText('Nothing was deleted. Protected: "Kept".')).toBeVisible();
  await inspect(page, "delete-refused");
  await button(page, "Cancel").click();
  await expect(row(page, "Kept").getByText("Active")).toBeVisible();
});

test("in Japanese, on a phone, in the dark", async ({ newPage, deployment }) => {
  const name =
    "全角六十四文字の名前を持つとても長いビルドサーバー用の本番環境キーで東京と大阪の二拠点から呼び出す夜間バッチ処理のための鍵である";
  const page = await newPage({ locale: "ja-JP", viewport: NARROW, hasTouch: true, colorScheme: "dark" });
  await page.addInitScript(() => localStorage.setItem("claviger.language", "ja"));
  await page.goto("/");
  await button(page, "APIキーを発行").click();
  await page.getByLabel("名前", { exact: true }).fill(name);
  await page.getByRole("dialog").getByLabel("demo:read").first().check();
  await button(page, "発行").click();
  await button(page, "保存しました").click();
  await page.getByLabel(`${name}を選択`).check();
  await expect(page.getByText("1件を選択中")).toBeVisible();
  await inspect(page, "ticked-ja");
  await button(page, "削除…").click();
  await expect(
    page.getByRole("alertdialog", { name: "APIキーの削除" }).getByText(/までに?復元できます。/),
  ).toBeVisible();
  await inspect(page, "delete-1-ja");
  const before = deployment.mail.messages.length;
  await page.getByRole("alertdialog").getByRole("button", { name: "削除" }).click();
  const dialog = page.getByRole("dialog", { name: "APIキーの削除" });
  await dialog.getByLabel("認証コード").fill(await deployment.code(before + 1));
  await inspect(page, "delete-2-ja");
  await button(page, "送信").click();
  await expect(
    page.getByText(/を削除しました。.*までに、すべての拠点で拒否されます。.*まで復元できます。/).first(),
  ).toBeVisible();
  await inspect(page, "deleted-ja");
});
