// Deleting keys: ticked or alone, by a code from a mail, and back again.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import {
  NARROW,
  answerInstead,
  assertFocusOnField,
  assertFocused,
  button,
  close,
  confirmDeletion,
  cookies,
  inspect,
  issueKey,
  open,
  problem,
  row,
  stage,
  useStage,
} from "./stage.mjs";

useStage();

const first = (page) => page.getByRole("alertdialog", { name: "Delete API Key" });
const second = (page) => page.getByRole("dialog", { name: "Delete API Key" });

/** Opens the first step from a row's menu. */
async function ask(page, name) {
  await button(page, `Actions for ${name}`).click();
  await page.locator("[popover]:popover-open").getByRole("button", { name: "Delete" }).click();
  await first(page).waitFor();
}

/** Goes on to the second step. */
async function mailCode(page) {
  const before = stage.mail.messages.length;
  await first(page).getByRole("button", { name: "Delete" }).click();
  await second(page).getByLabel("Authentication code").waitFor();
  return () => stage.code(before + 1);
}

test("A09 two keys are ticked, named, confirmed by a mailed code, and refused from the bound on", async () => {
  const page = await open();
  const keys = [await issueKey(page, "Build server"), await issueKey(page, "Cron"), await issueKey(page, "Kept")];
  assert.equal(await stage.callApi(keys[0]), 200);
  await page.getByLabel("Select Build server").check();
  await page.getByLabel("Select Cron").check();
  await page.getByText("2 keys selected").waitFor();
  await inspect(page, "ticked");

  await button(page, "Delete…").click();
  await assertFocused(page, "Cancel");
  await first(page)
    .getByText(/^These 2 keys are refused everywhere within 10 s; they can be restored until/)
    .waitFor();
  for (const [name, key] of [
    ["Build server", keys[0]],
    ["Cron", keys[1]],
  ])
    await first(page)
      .getByText(`"${name}" (${key.slice(0, 22)})`)
      .waitFor();
  await inspect(page, "delete-1");

  const code = await mailCode(page);
  await assertFocusOnField(page, "code");
  await second(page).getByText("m…@example.jp").waitFor();
  await second(page).getByText("Six digits. 5 tries left.").waitFor();
  assert.equal(await second(page).getByLabel("Authentication code").getAttribute("autocomplete"), "one-time-code");
  await inspect(page, "delete-2");

  const right = await code();
  await second(page)
    .getByLabel("Authentication code")
    .fill(right === "000000" ? "111111" : "000000");
  await button(page, "Send").click();
  await second(page).getByText("That code doesn’t match; 4 tries left.").waitFor();
  await assertFocusOnField(page, "code");
  await inspect(page, "delete-wrong");

  // As a Japanese keyboard types it.
  const wide = [...right].map((digit) => String.fromCodePoint(digit.codePointAt(0) + 0xfee0)).join("");
  await second(page).getByLabel("Authentication code").fill(` ${wide} `);
  await button(page, "Send").click();
  await page
    .getByText(/^2 keys are deleted\. Refused everywhere by \d\d:\d\d:\d\d \(Asia\/Tokyo\)\. Can be restored until/)
    .first()
    .waitFor();
  await assertFocused(page, "Keys");
  for (const name of ["Build server", "Cron"]) await row(page, name).getByText("Deleted").waitFor();
  assert.equal(await page.getByText(/keys selected/).count(), 0);
  assert.equal(await page.getByLabel("Select Build server").count(), 0);
  await inspect(page, "deleted");
  await page.getByText(/Refused everywhere since/).waitFor({ timeout: 15_000 });
  assert.deepEqual(await Promise.all(keys.map((key) => stage.callApi(key))), [401, 401, 200]);
  await close(page);
});

test("ticks are cleared by another order, and everything on the page is ticked at once", async () => {
  const page = await open();
  await page.getByLabel(/^Select (all|the) /).check();
  await page.getByText(/keys? selected/).waitFor();
  await button(page, "Name").click();
  await page.getByText(/keys? selected/).waitFor({ state: "detached" });
  await close(page);
});

test("A09 a deleted key is restored from its own page, as it was", async () => {
  const page = await open();
  const key = await issueKey(page, "Comes back");
  await page.getByRole("link", { name: "Comes back", exact: true }).click();
  await button(page, "Delete").click();
  await confirmDeletion(page, stage);
  await page
    .getByText(/^"Comes back" is deleted\. Refused everywhere by/)
    .first()
    .waitFor();
  await assertFocused(page, "Comes back");
  await button(page, "Restore").waitFor();
  assert.equal(await button(page, "Delete").count(), 0);
  await page.reload();
  await page.getByText(/^Deleted .* It can be restored until /).waitFor();
  await inspect(page, "key-deleted");

  await button(page, "Restore").click();
  await inspect(page, "restore");
  await page
    .getByRole("alertdialog", { name: 'Restore "Comes back"?' })
    .getByRole("button", { name: "Restore" })
    .click();
  await page.getByText('"Comes back" is restored.').first().waitFor();
  await page.locator(".facts").getByText("Active", { exact: true }).waitFor();
  await button(page, "Delete").waitFor();
  assert.ok([200, 401].includes(await stage.callApi(key)), "it works again within the bound");
  await close(page);
});

test("A10 a protected key says why it cannot be deleted, until an owner lifts that", async () => {
  const page = await open();
  await button(page, "Issue API Key").click();
  await page.getByLabel("Name", { exact: true }).fill("Protected one");
  await page.getByLabel("Protect it from deletion").check();
  await button(page, "Issue").click();
  await button(page, "I have stored it").click();
  await row(page, "Protected one").getByText("Protected", { exact: true }).waitFor();
  assert.equal(await page.getByLabel("Select Protected one").count(), 0);
  await page.getByRole("link", { name: "Protected one", exact: true }).click();
  await page.getByText("This key is protected, so it cannot be deleted. Remove the protection under Edit first.").waitFor();
  assert.equal(await button(page, "Delete").count(), 0);
  await inspect(page, "key-protected");

  await button(page, "Edit").click();
  await page.getByLabel("Protect it from deletion").uncheck();
  await button(page, "Save").click();
  await button(page, "Delete").click();
  await confirmDeletion(page, stage);
  await page
    .getByText(/^"Protected one" is deleted\./)
    .first()
    .waitFor();
  await close(page);
});

describe("a code", () => {
  afterEach(() => stage.mail.recover());

  test("that ran out of tries is mailed again", async () => {
    const page = await open();
    await issueKey(page, "Tried often");
    await ask(page, "Tried often");
    const code = await mailCode(page);
    const wrong = (await code()) === "000000" ? "111111" : "000000";
    for (let left = 4; left >= 0; left -= 1) {
      await second(page).getByLabel("Authentication code").fill(wrong);
      await button(page, "Send").click();
      const told =
        left === 0 ? "That code has run out; mail a new one." : `${left} ${left === 1 ? "try" : "tries"} left.`;
      await second(page).getByText(told).waitFor();
    }
    await inspect(page, "delete-over");
    const before = stage.mail.messages.length;
    await button(page, "Mail a new code").click();
    await second(page).getByText("Six digits. 5 tries left.").waitFor();
    await second(page)
      .getByLabel("Authentication code")
      .fill(await stage.code(before + 1));
    await button(page, "Send").click();
    await page
      .getByText(/^"Tried often" is deleted\./)
      .first()
      .waitFor();
    await close(page);
  });

  test("is mailed again on request; only the new one counts", async () => {
    const page = await open();
    await issueKey(page, "Mailed twice");
    await ask(page, "Mailed twice");
    const old = await (await mailCode(page))();
    const before = stage.mail.messages.length;
    await button(page, "Mail a new code").click();
    await second(page)
      .getByText(/^A new code is on its way to/)
      .waitFor();
    const fresh = await stage.code(before + 1);
    await inspect(page, "delete-mailed-again");
    if (old !== fresh) {
      await second(page).getByLabel("Authentication code").fill(old);
      await button(page, "Send").click();
      await second(page)
        .getByText(/That code doesn’t match/)
        .waitFor();
    }
    await second(page).getByLabel("Authentication code").fill(fresh);
    await button(page, "Send").click();
    await page
      .getByText(/^"Mailed twice" is deleted\./)
      .first()
      .waitFor();
    await close(page);
  });

  test("that the mail service does not take leaves disabling, which needs none", async () => {
    stage.mail.failAlways(500);
    const page = await open();
    const key = await issueKey(page, "Stopped instead");
    await ask(page, "Stopped instead");
    await mailCode(page);
    await second(page)
      .getByText(/The mail could not be sent yet/)
      .waitFor({ timeout: 20_000 });
    await inspect(page, "delete-mail-failing");
    await button(page, "Disable instead").click();
    await row(page, "Stopped instead").getByText("Disabled").waitFor();
    await page.getByText(/Refused everywhere since/).waitFor({ timeout: 15_000 });
    assert.equal(await stage.callApi(key), 401);
    await close(page);
  });
});

// States that would take a day, or another deployment, to come about.
test("too many codes in a day leave disabling", async () => {
  const page = await open();
  await issueKey(page, "Too many");
  const until = new Date(Date.now() + 3_600_000).toISOString();
  await answerInstead(page, "POST", "/v1/deletions", problem(429, "too_many_codes", { until }));
  await ask(page, "Too many");
  await first(page).getByRole("button", { name: "Delete" }).click();
  await first(page)
    .getByText(/No more codes are mailed to you until .* To stop a key without mail, disable it\.$/)
    .waitFor();
  await inspect(page, "delete-too-many-codes");
  await button(page, "Disable instead").click();
  await row(page, "Too many").getByText("Disabled").waitFor();
  await close(page);
});

test("a deployment without mail says so before anything is asked", async () => {
  const page = await stage.page({ cookies, viewport: NARROW, colorScheme: "dark" });
  await answerInstead(page, "GET", "/v1/session", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), mail: "off" } });
  });
  await page.goto(stage.origin);
  await ask(page, "Kept");
  await first(page)
    .getByText(/mail is not set up here/)
    .waitFor();
  assert.equal(await first(page).getByRole("button", { name: "Delete" }).count(), 0);
  await button(page, "Disable instead").waitFor();
  await inspect(page, "delete-mail-off");
  await close(page);
});

test("a key that somebody protected or deleted meanwhile is named, and nothing is deleted", async () => {
  const page = await open();
  await ask(page, "Kept");
  const id = (await page.getByRole("alertdialog").getByRole("code").first().textContent()).replace(/^.*_/, "");
  await answerInstead(page, "POST", "/v1/deletions", problem(409, "protected", { keys: [{ id, name: "Kept" }] }), 1);
  await first(page).getByRole("button", { name: "Delete" }).click();
  await first(page).getByText('Nothing was deleted. Protected: "Kept".').waitFor();
  await inspect(page, "delete-refused");
  await button(page, "Cancel").click();
  await row(page, "Kept").getByText("Active").waitFor();
  await close(page);
});

test("in Japanese, on a phone, in the dark", async () => {
  const name =
    "全角六十四文字の名前を持つとても長いビルドサーバー用の本番環境キーで東京と大阪の二拠点から呼び出す夜間バッチ処理のための鍵である";
  const page = await stage.page({ cookies, locale: "ja-JP", viewport: NARROW, hasTouch: true, colorScheme: "dark" });
  await page.addInitScript(() => localStorage.setItem("claviger.language", "ja"));
  await page.goto(stage.origin);
  await button(page, "APIキーを発行").click();
  await page.getByLabel("名前", { exact: true }).fill(name);
  await button(page, "発行").click();
  await button(page, "保存しました").click();
  await page.getByLabel(`${name}を選択`).check();
  await page.getByText("1件を選択中").waitFor();
  await inspect(page, "ticked-ja");
  await button(page, "削除…").click();
  await page
    .getByRole("alertdialog", { name: "APIキーの削除" })
    .getByText(/までに?復元できます。/)
    .waitFor();
  await inspect(page, "delete-1-ja");
  const before = stage.mail.messages.length;
  await page.getByRole("alertdialog").getByRole("button", { name: "削除" }).click();
  const dialog = page.getByRole("dialog", { name: "APIキーの削除" });
  await dialog.getByLabel("認証コード").fill(await stage.code(before + 1));
  await inspect(page, "delete-2-ja");
  await button(page, "送信").click();
  await page
    .getByText(/を削除しました。.*までに、すべての拠点で拒否されます。.*まで復元できます。/)
    .first()
    .waitFor();
  await inspect(page, "deleted-ja");
  await close(page);
});
