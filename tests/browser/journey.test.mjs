// What people do with the console, from the set-up link to signing out, on the real Worker.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  ACCOUNT,
  MEMBER,
  NARROW,
  assertFocusOnField,
  assertFocused,
  close,
  confirmDeletion,
  fillSetUp,
  focused,
  inspect,
  issueKey,
  pasted,
  stage,
  useStage,
} from "./stage.mjs";

useStage({ empty: true });

describe("the first member", () => {
  let page;
  let key;
  const button = (name) => page.getByRole("button", { name, exact: true });
  const row = (name) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });

  before(async () => {
    page = await stage.page();
  });
  after(() => close(page));

  test("sets up the account; the token is gone from the address bar and from history", async () => {
    const link = stage.setupLink();
    const token = link.split("#/setup/")[1];
    await page.goto(link);
    await page.getByRole("heading", { name: "Set up Claviger" }).waitFor();
    assert.equal(new URL(page.url()).hash, "#/setup");
    assert.ok(!(await page.evaluate(() => JSON.stringify([history.state, location.href]))).includes(token));

    await button("Create account").click();
    await page.getByRole("group", { name: "There is a problem" }).waitFor();
    assert.match(await page.title(), /^Error: /);
    await inspect(page, "setup-mistakes");

    await fillSetUp(page);
    await inspect(page, "setup");
    await button("Create account").click();
    await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
    assert.equal(await page.title(), "API keys – Claviger");
    await page.getByText("No API keys yet. Issue one to call the API.").waitFor();
    await inspect(page, "keys-none");
  });

  test("signs out, is refused a wrong password, and signs in", async () => {
    await button(`${MEMBER.name}: settings and sign out`).click();
    await inspect(page, "member-menu");
    await button("Sign out").click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();

    await page.getByLabel("E-mail").fill(MEMBER.email);
    await page.getByLabel("Password", { exact: true }).fill("not the password");
    await button("Sign in").click();
    await page.getByText("That e-mail and password don’t match an account here.").waitFor();
    assert.equal(await page.getByLabel("Password", { exact: true }).inputValue(), "");
    assert.equal(await page.getByLabel("E-mail").inputValue(), MEMBER.email);
    await inspect(page, "sign-in-refused");

    await page.getByLabel("Password", { exact: true }).fill(MEMBER.password);
    await button("Sign in").click();
    await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
  });

  test("issues a key, with live notes on the way", async () => {
    await button("Issue API Key").click();
    const dialog = page.getByRole("dialog", { name: "Issue an API key" });
    await dialog.getByText(/^Works until .* \(Asia\/Tokyo\), 90 days from now\.$/).waitFor();

    await dialog.getByLabel("Networks", { exact: true }).fill("10.1.2.3/8\n10.0.0.0/33\n1.2.3");
    await dialog.getByText("Line 2, 10.0.0.0/33: an IPv4 prefix ends at /32.").waitFor();
    await dialog.getByText("Line 1 is stored as 10.0.0.0/8.").waitFor();
    await inspect(page, "issue-notes");

    await button("Issue").click();
    await dialog.getByRole("link", { name: "Enter a name." }).click();
    await assertFocusOnField(page, "name");
    await inspect(page, "issue-mistakes");

    await dialog.getByLabel("Name", { exact: true }).fill("Build server");
    await dialog.getByLabel("Networks", { exact: true }).fill("");
    await dialog.getByLabel("Until a date").check();
    await dialog.getByLabel("Date", { exact: true }).fill("2099-06-30");
    await dialog.getByText("Works through Tue 30 Jun 2099, until 24:00 (Asia/Tokyo).").waitFor();
    await dialog.getByLabel("demo:read").check();
    await button("Issue").click();
    await page.getByRole("dialog", { name: '"Build server" is issued. It works everywhere now.' }).waitFor();
  });

  test("sees the secret once, copies it, and it works", async () => {
    const reveal = page.getByRole("dialog", { name: '"Build server" is issued.' });
    key = await reveal.getByLabel("API key", { exact: true }).inputValue();
    assert.match(key, /^clv_[0-9A-Za-z]{78}$/);
    await inspect(page, "reveal");

    await button("Copy key").click();
    await reveal.getByRole("button", { name: "Copied" }).waitFor();
    assert.equal(await pasted(page), key);
    const told = await page.getByRole("status").allTextContents();
    assert.ok(!told.join().includes(key));

    await reveal.getByText("As access key and access secret").click();
    const pair = await Promise.all(
      ["Access key", "Access secret"].map((label) => reveal.getByLabel(label, { exact: true }).inputValue()),
    );
    assert.equal(pair.join(""), key);
    assert.equal(await stage.callApi(key), 200);
  });

  test("cannot close the secret away by mistake", async () => {
    for (let press = 0; press < 4; press += 1) await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name: '"Build server" is issued.' }).waitFor();
    if (!(await page.getByRole("alertdialog").isVisible())) await page.keyboard.press("Escape");
    await inspect(page, "reveal-closing");
    await button("Keep open").click();

    const leaving = page.waitForEvent("dialog");
    // From a timer: the page does not answer while its guard is up.
    await page.evaluate(() => void setTimeout(() => location.reload(), 10));
    const guard = await leaving;
    assert.equal(guard.type(), "beforeunload");
    await guard.dismiss();
    assert.equal(await page.getByLabel("API key", { exact: true }).inputValue(), key);
    await button("I have stored it").click();

    assert.ok(!(await page.content()).includes(key));
    assert.ok(!(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).includes(key));
    await assertFocused(page, "Build server");
    await row("Build server").getByText("Active").waitFor();
    await row("Build server").getByText("30 Jun 2099, 24:00").waitFor();
    await inspect(page, "issued");
  });

  test("disables it from the table; the bound is told, and holds", async () => {
    await page.getByRole("button", { name: "Actions for Build server" }).click();
    await inspect(page, "row-menu");
    await page.getByRole("button", { name: "Disable", exact: true }).click();
    const question = page.getByRole("alertdialog", { name: 'Disable "Build server"?' });
    await assertFocused(page, "Cancel");
    await question.getByText("Requests with it are refused everywhere within 10 s. You can activate it again.").waitFor();
    await inspect(page, "disable");
    await question.getByRole("button", { name: "Disable", exact: true }).click();

    await row("Build server").getByText("Disabled").waitFor();
    await page
      .getByText(/^"Build server" is disabled\. Refused everywhere by \d\d:\d\d:\d\d \(Asia\/Tokyo\)\.$/)
      .first()
      .waitFor();
    await inspect(page, "disabled");
    await page.getByText(/Refused everywhere since \d\d:\d\d:\d\d/).waitFor({ timeout: 15_000 });
    assert.equal(await stage.callApi(key), 401);
  });

  test("activates it again on its own page", async () => {
    await page.getByRole("link", { name: "Build server", exact: true }).click();
    await page.getByRole("heading", { name: "Build server", level: 1 }).waitFor();
    await assertFocused(page, "Build server");
    await inspect(page, "key-disabled");
    await button("Activate").click();
    await page
      .getByRole("alertdialog", { name: 'Activate "Build server"?' })
      .getByRole("button", { name: "Activate" })
      .click();
    await page.getByText('"Build server" is active.').first().waitFor();
    await page.locator(".facts").getByText("Active", { exact: true }).waitFor();
  });

  test("edits it: only what was changed is sent", async () => {
    await button("Edit").click();
    const dialog = page.getByRole("dialog", { name: 'Edit "Build server"' });
    await dialog.getByLabel("Name", { exact: true }).fill("Build server, Osaka");
    await dialog.getByLabel("Networks", { exact: true }).fill("127.0.0.0/8 10.1.2.3/8");
    const sent = page.waitForRequest((request) => request.method() === "PATCH");
    await button("Save").click();
    assert.deepEqual(Object.keys((await sent).postDataJSON()).sort(), ["name", "networks"]);
    await page
      .getByText(/"Build server, Osaka" is saved\. The new limits hold everywhere by/)
      .first()
      .waitFor();
    await page.locator(".facts").getByText("10.0.0.0/8").waitFor();
    await inspect(page, "key-edited");
  });

  test("deletes it; what happened stays on the page", async () => {
    await button("Delete").click();
    await page
      .getByRole("alertdialog", { name: "Delete API Key" })
      .getByText(/"Build server, Osaka" \(clv_/)
      .waitFor();
    await confirmDeletion(page, stage);
    await page
      .getByText(/"Build server, Osaka" is deleted\. Refused everywhere by/)
      .first()
      .waitFor();
    await page.waitForFunction(() => document.activeElement.tagName === "H1");
    await page.getByRole("main").getByRole("link", { name: "API keys" }).click();
    await row("Build server, Osaka").getByText("Deleted").waitFor();
  });

  test("keeps the focus in the row whose key is deleted", async () => {
    for (const name of ["First", "Second"]) await issueKey(page, name);
    await page.getByRole("button", { name: "Actions for Second" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await confirmDeletion(page, stage);
    await page
      .getByText(/"Second" is deleted\./)
      .first()
      .waitFor();
    await assertFocused(page, "Actions for Second");
  });
});

test("everything goes by keyboard alone", async () => {
  const page = await stage.page();
  const press = (...keys) =>
    keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  /** Tabs on until the focus is on something of that name. */
  const tabTo = async (name) => {
    for (let step = 0; step < 60; step += 1) {
      if ((await focused(page)) === name) return;
      await press("Tab");
    }
    assert.fail(`no way to ${name} by Tab`);
  };

  await page.goto(stage.origin);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await press("Tab");
  await page.keyboard.type(MEMBER.email);
  await press("Tab");
  await page.keyboard.type(MEMBER.password);
  await press("Enter");
  await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();

  await tabTo("Issue API Key");
  await press("Enter");
  await page.getByRole("dialog", { name: "Issue an API key" }).waitFor();
  await press("Escape");
  await assertFocused(page, "Issue API Key");
  await press("Enter");
  await page.keyboard.type("By keyboard");
  await press("Enter");
  await page.getByRole("dialog", { name: '"By keyboard" is issued.' }).waitFor();
  await tabTo("I have stored it");
  await press("Enter");
  await page.waitForFunction(() => document.activeElement.textContent === "By keyboard");

  await tabTo("Actions for By keyboard");
  await press("Enter");
  await tabTo("Disable");
  await press("Enter");
  await page.getByRole("alertdialog").waitFor();
  await press("Escape");
  await assertFocused(page, "Actions for By keyboard");
  await press("Enter");
  await tabTo("Delete");
  await press("Enter");
  await page.getByRole("alertdialog").waitFor();
  const mails = stage.mail.messages.length;
  await press("Shift+Tab", "Enter");
  await page.getByLabel("Authentication code").waitFor();
  await page.keyboard.type(await stage.code(mails + 1));
  await press("Enter");
  await page
    .getByText(/"By keyboard" is deleted\./)
    .first()
    .waitFor();
  await close(page);
});

test("in Japanese, on a phone", async () => {
  const page = await stage.page({ locale: "ja-JP", viewport: NARROW, hasTouch: true });
  const name =
    "全角六十四文字の名前を持つとても長いビルドサーバー用の本番環境キーで東京と大阪の二拠点から呼び出す夜間バッチ処理のための鍵である";
  await page.goto(stage.origin);
  await page.getByRole("heading", { name: "サインイン" }).waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "ja");
  await inspect(page, "sign-in-ja");
  await page.getByLabel("メールアドレス").fill(MEMBER.email);
  await page.getByLabel("パスワード", { exact: true }).fill(MEMBER.password);
  await page.getByRole("button", { name: "サインイン" }).click();
  // The member's own language comes with the session; this browser has not chosen one.
  await page.getByRole("button", { name: `${MEMBER.name}: settings and sign out` }).click();
  await page.getByRole("radio", { name: "日本語" }).check();
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "APIキーを発行" }).click();
  const dialog = page.getByRole("dialog", { name: "APIキーの発行" });
  await dialog.getByLabel("名前", { exact: true }).fill(name);
  await dialog.getByLabel("日付で指定").check();
  await dialog.getByLabel("日付", { exact: true }).fill("2099-06-30");
  await dialog.getByText("2099年6月30日(火) 24:00（Asia/Tokyo）まで有効です。").waitFor();
  await dialog.getByLabel("ネットワーク", { exact: true }).fill("１０．０．０．０／８");
  await dialog.getByText("1行目は10.0.0.0/8として保存されます。").waitFor();
  await inspect(page, "issue-ja");
  await dialog.getByRole("button", { name: "発行" }).click();
  await page.getByRole("dialog", { name: `「${name}」を発行しました。` }).waitFor();
  await inspect(page, "reveal-ja");
  await page.getByRole("button", { name: "保存しました" }).click();
  await inspect(page, "keys-ja");

  await page.getByRole("link", { name }).click();
  await page.getByRole("heading", { name, level: 1 }).waitFor();
  await inspect(page, "key-ja");
  await page.getByRole("button", { name: "無効にする" }).click();
  await page.getByRole("alertdialog", { name: `「${name}」を無効にしますか。` }).waitFor();
  await inspect(page, "disable-ja");
  await page.getByRole("alertdialog").getByRole("button", { name: "無効にする" }).click();
  await page
    .getByText(/までに、すべての拠点で拒否されます。/)
    .first()
    .waitFor();
  assert.equal(ACCOUNT.zone, "Asia/Tokyo");
  await close(page);
});
