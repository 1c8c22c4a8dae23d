// What people do with the console, from the set-up link to signing out, on the real Worker.
import {
  ACCOUNT,
  MEMBER,
  NARROW,
  assertFocusOnField,
  assertFocused,
  confirmDeletion,
  fillSetUp,
  focused,
  inspect,
  issueKey,
  pasted,
} from "./support/console.mjs";
import { expect, mailboxCode, openPage, test } from "./support/fixtures.mjs";

test.use({ hasAccount: false });
// Everything below uses the account that the first test creates.
test.describe.configure({ mode: "serial" });

test.describe("the first member", () => {
  let page;
  let key;
  const button = (name) => page.getByRole("button", { name, exact: true });
  const row = (name) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });

  // Each test goes on where the one before has ended.
  const errors = [];
  test.beforeAll(async ({ browser }) => {
    page = await openPage(browser, errors);
  });
  test.afterAll(async () => {
    await page.context().close();
    expect(errors).toEqual([]);
  });

  test("sets up the account; the token is gone from the address bar and from history", async ({ deployment }) => {
    const link = deployment.setupLink();
    const token = link.split("#/setup/")[1];
    await page.goto(link);
    await expect(page.getByRole("heading", { name: "Set up Claviger" })).toBeVisible();
    expect(new URL(page.url()).hash).toBe("#/setup");
    expect(await page.evaluate(() => JSON.stringify([history.state, location.href]))).not.toContain(token);

    await button("Continue").click();
    await expect(page.getByRole("group", { name: "There is a problem" })).toBeVisible();
    await expect(page).toHaveTitle(/^Error: /);
    await inspect(page, "setup-mistakes");

    await fillSetUp(page);
    await inspect(page, "setup");
    await page.locator("#email").fill("me@example.jp");
    await button("Continue").click();
    await expect(page.getByRole("heading", { name: "Confirm your e-mail address" })).toBeVisible();
    await assertFocused(page, "Confirm your e-mail address");
    await inspect(page, "setup-code");
    // A typing error in the address: what else was typed is kept.
    await button("Use another address").click();
    await expect(page.locator("#account_name")).toHaveValue(ACCOUNT.name);
    await page.locator("#email").fill(MEMBER.email);
    await button("Continue").click();
    await expect(page.getByText("A code is on its way to")).toBeVisible();
    const first = await mailboxCode(deployment.mail, MEMBER.email);
    await button("Create account").click();
    await expect(page.getByText("Enter the code from the mail.")).toBeVisible();
    await page.getByLabel("Code from the mail").fill(String((Number(first) + 1) % 1e8).padStart(8, "0"));
    await button("Create account").click();
    await expect(page.getByText("That code doesn’t match; 4 tries left.")).toBeVisible();
    await inspect(page, "setup-code-wrong");
    await button("Mail a new code").click();
    await expect(page.getByText("A new code is on its way to").first()).toBeVisible();
    const code = await mailboxCode(deployment.mail, MEMBER.email);
    await page.getByLabel("Code from the mail").fill(code);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
    await expect(page).toHaveTitle("API keys – Claviger");
    await expect(page.getByText("No API keys yet. Issue one to call the API.")).toBeVisible();
    await inspect(page, "keys-none");
  });

  test("signs out, is refused a wrong password, and signs in", async () => {
    await button(`${MEMBER.name}: settings and sign out`).click();
    await inspect(page, "member-menu");
    await button("Sign out").click();
    await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();

    await page.getByLabel("E-mail").fill(MEMBER.email);
    await page.getByLabel("Password", { exact: true }).fill("not the password");
    await button("Sign in").click();
    await expect(page.getByText("That e-mail and password don’t match an account here.")).toBeVisible();
    await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");
    await expect(page.getByLabel("E-mail")).toHaveValue(MEMBER.email);
    await inspect(page, "sign-in-refused");

    await page.getByLabel("Password", { exact: true }).fill(MEMBER.password);
    await button("Sign in").click();
    await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
  });

  test("issues a key, with live notes on the way", async () => {
    await button("Issue API Key").click();
    const dialog = page.getByRole("dialog", { name: "Issue an API key" });
    await expect(dialog.getByText(/^Works until .* \(Asia\/Tokyo\), 90 days from now\.$/)).toBeVisible();

    await dialog.getByLabel("Networks", { exact: true }).fill("10.1.2.3/8\n10.0.0.0/33\n1.2.3");
    await expect(dialog.getByText("Line 2, 10.0.0.0/33: an IPv4 prefix ends at /32.")).toBeVisible();
    await expect(dialog.getByText("Line 1 is stored as 10.0.0.0/8.")).toBeVisible();
    await inspect(page, "issue-notes");

    await button("Issue").click();
    await dialog.getByRole("link", { name: "Enter a name." }).click();
    await assertFocusOnField(page, "name");
    await inspect(page, "issue-mistakes");

    await dialog.getByLabel("Name", { exact: true }).fill("Build server");
    await dialog.getByLabel("Networks", { exact: true }).fill("");
    await dialog.getByLabel("Until a date").check();
    await dialog.getByLabel("Date", { exact: true }).fill("2099-06-30");
    await expect(dialog.getByText("Works through Tue 30 Jun 2099, until 24:00 (Asia/Tokyo).")).toBeVisible();
    await dialog.getByLabel("demo:read").check();
    await button("Issue").click();
    const reveal = page.getByRole("dialog", { name: '"Build server" is issued.' });
    await expect(reveal.getByText("It works everywhere now.")).toBeVisible();
  });

  test("sees the secret once, copies it, and it works", async ({ deployment }) => {
    const reveal = page.getByRole("dialog", { name: '"Build server" is issued.' });
    key = await reveal.getByLabel("API key", { exact: true }).inputValue();
    expect(key).toMatch(/^clv_[0-9A-Za-z]{78}$/);
    await inspect(page, "reveal");

    await button("Copy key").click();
    await expect(reveal.getByRole("button", { name: "Copied" })).toBeVisible();
    expect(await pasted(page)).toBe(key);
    const told = await page.getByRole("status").allTextContents();
    expect(told.join()).not.toContain(key);

    await reveal.getByText("As access key and access secret").click();
    const pair = await Promise.all(
      ["Access key", "Access secret"].map((label) => reveal.getByLabel(label, { exact: true }).inputValue()),
    );
    expect(pair.join("")).toBe(key);
    expect(await deployment.callApi(key)).toBe(200);
  });

  test("cannot close the secret away by mistake", async () => {
    for (let press = 0; press < 4; press += 1) await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog", { name: '"Build server" is issued.' })).toBeVisible();
    if (!(await page.getByRole("alertdialog").isVisible())) await page.keyboard.press("Escape");
    await inspect(page, "reveal-closing");
    await button("Keep open").click();

    const leaving = page.waitForEvent("dialog");
    // From a timer: the page does not answer while its guard is up.
    await page.evaluate(() => void setTimeout(() => location.reload(), 10));
    const guard = await leaving;
    expect(guard.type()).toBe("beforeunload");
    await guard.dismiss();
    await expect(page.getByLabel("API key", { exact: true })).toHaveValue(key);
    await button("I have stored it").click();

    expect(await page.content()).not.toContain(key);
    expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain(key);
    await assertFocused(page, "Build server");
    await expect(row("Build server").getByText("Active")).toBeVisible();
    await expect(row("Build server").getByText("30 Jun 2099, 24:00")).toBeVisible();
    await inspect(page, "issued");
  });

  test("disables it from the table; the bound is told, and holds", async ({ deployment }) => {
    await page.getByRole("button", { name: "Actions for Build server" }).click();
    await inspect(page, "row-menu");
    await page.getByRole("button", { name: "Disable", exact: true }).click();
    const question = page.getByRole("alertdialog", { name: 'Disable "Build server"?' });
    await assertFocused(page, "Cancel");
    await expect(
      question.getByText("Requests with it are refused everywhere within 10 s. You can activate it again."),
    ).toBeVisible();
    await inspect(page, "disable");
    await question.getByRole("button", { name: "Disable", exact: true }).click();

    await expect(row("Build server").getByText("Disabled")).toBeVisible();
    await expect(
      page.getByText(/^"Build server" is disabled\. Refused everywhere by \d\d:\d\d:\d\d \(Asia\/Tokyo\)\.$/).first(),
    ).toBeVisible();
    await inspect(page, "disabled");
    await expect(page.getByText(/Refused everywhere since \d\d:\d\d:\d\d/)).toBeVisible({ timeout: 15_000 });
    expect(await deployment.callApi(key)).toBe(401);
  });

  test("activates it again on its own page", async () => {
    await page.getByRole("link", { name: "Build server", exact: true }).click();
    await expect(page.getByRole("heading", { name: "Build server", level: 1 })).toBeVisible();
    await assertFocused(page, "Build server");
    await inspect(page, "key-disabled");
    await button("Activate").click();
    await page
      .getByRole("alertdialog", { name: 'Activate "Build server"?' })
      .getByRole("button", { name: "Activate" })
      .click();
    await expect(page.getByText('"Build server" is active.').first()).toBeVisible();
    await expect(page.locator(".facts").getByText("Active", { exact: true })).toBeVisible();
  });

  test("edits it: only what was changed is sent", async () => {
    await button("Edit").click();
    const dialog = page.getByRole("dialog", { name: 'Edit "Build server"' });
    await dialog.getByLabel("Name", { exact: true }).fill("Build server, Osaka");
    await dialog.getByLabel("Networks", { exact: true }).fill("127.0.0.0/8 10.1.2.3/8");
    const sent = page.waitForRequest((request) => request.method() === "PATCH");
    await button("Save").click();
    expect(Object.keys((await sent).postDataJSON()).sort()).toEqual(["name", "networks"]);
    await expect(
      page.getByText(/"Build server, Osaka" is saved\. The new limits hold everywhere by/).first(),
    ).toBeVisible();
    await expect(page.locator(".facts").getByText("10.0.0.0/8")).toBeVisible();
    await inspect(page, "key-edited");
  });

  test("deletes it; what happened stays on the page", async ({ deployment }) => {
    await button("Delete").click();
    await expect(
      page.getByRole("alertdialog", { name: "Delete API Key" }).getByText(/"Build server, Osaka" \(clv_/),
    ).toBeVisible();
    await confirmDeletion(page, deployment);
    await expect(page.getByText(/"Build server, Osaka" is deleted\. Refused everywhere by/).first()).toBeVisible();
    await page.waitForFunction(() => document.activeElement.tagName === "H1");
    await page.getByRole("main").getByRole("link", { name: "API keys" }).click();
    await page.getByRole("link", { name: "Show all" }).click();
    await expect(row("Build server, Osaka").getByText("Deleted")).toBeVisible();
  });

  test("keeps the focus in the row whose key is deleted", async ({ deployment }) => {
    for (const name of ["First", "Second"]) await issueKey(page, name);
    await page.getByRole("button", { name: "Actions for Second" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await confirmDeletion(page, deployment);
    await expect(page.getByText(/"Second" is deleted\./).first()).toBeVisible();
    await assertFocused(page, "Actions for Second");
  });
});

test("everything goes by keyboard alone", async ({ page, deployment }) => {
  const press = (...keys) =>
    keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  /** Tabs on until the focus is on something of that name. */
  const tabTo = async (name) => {
    for (let step = 0; step < 60; step += 1) {
      if ((await focused(page)) === name) return;
      await press("Tab");
    }
    throw new Error(`no way to ${name} by Tab`);
  };

  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await press("Tab");
  await page.keyboard.type(MEMBER.email);
  await press("Tab");
  await page.keyboard.type(MEMBER.password);
  await press("Enter");
  await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();

  await tabTo("Issue API Key");
  await press("Enter");
  await expect(page.getByRole("dialog", { name: "Issue an API key" })).toBeVisible();
  await press("Escape");
  await assertFocused(page, "Issue API Key");
  await press("Enter");
  await page.keyboard.type("By keyboard");
  const permission = page.getByLabel("demo:read");
  while (!(await permission.evaluate((box) => box === document.activeElement))) await press("Tab");
  await press("Space");
  await press("Enter");
  await expect(page.getByRole("dialog", { name: '"By keyboard" is issued.' })).toBeVisible();
  await tabTo("I have stored it");
  await press("Enter");
  await page.waitForFunction(() => document.activeElement.textContent === "By keyboard");

  await tabTo("Actions for By keyboard");
  await press("Enter");
  await tabTo("Disable");
  await press("Enter");
  await expect(page.getByRole("alertdialog")).toBeVisible();
  await press("Escape");
  await assertFocused(page, "Actions for By keyboard");
  await press("Enter");
  await tabTo("Delete");
  await press("Enter");
  await expect(page.getByRole("alertdialog")).toBeVisible();
  const mails = deployment.mail.messages.length;
  await press("Shift+Tab", "Enter");
  await expect(page.getByLabel("Authentication code")).toBeVisible();
  await page.keyboard.type(await deployment.code(mails + 1));
  await press("Enter");
  await expect(page.getByText(/"By keyboard" is deleted\./).first()).toBeVisible();
});

test("in Japanese, on a phone", async ({ newPage }) => {
  const page = await newPage({ locale: "ja-JP", viewport: NARROW, hasTouch: true });
  const name =
    "全角六十四文字の名前を持つとても長いビルドサーバー用の本番環境キーで東京と大阪の二拠点から呼び出す夜間バッチ処理のための鍵である";
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "サインイン" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "ja");
  await inspect(page, "sign-in-ja");
  await page.getByLabel("メールアドレス").fill(MEMBER.email);
  await page.getByLabel("パスワード", { exact: true }).fill(MEMBER.password);
  await page.getByRole("button", { name: "サインイン", exact: true }).click();
  // The member's own language comes with the session; this browser has not chosen one.
  await page.getByRole("button", { name: `${MEMBER.name}: settings and sign out` }).click();
  await page.getByRole("radio", { name: "日本語" }).check();
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "APIキーを発行" }).click();
  const dialog = page.getByRole("dialog", { name: "APIキーの発行" });
  await dialog.getByLabel("名前", { exact: true }).fill(name);
  await dialog.getByLabel("日付で指定").check();
  await dialog.getByLabel("日付", { exact: true }).fill("2099-06-30");
  await expect(dialog.getByText("2099年6月30日(火) 24:00（Asia/Tokyo）まで有効です。")).toBeVisible();
  await dialog.getByLabel("ネットワーク", { exact: true }).fill("１０．０．０．０／８");
  await expect(dialog.getByText("1行目は10.0.0.0/8として保存されます。")).toBeVisible();
  await dialog.getByLabel("demo:read").first().check();
  await inspect(page, "issue-ja");
  await dialog.getByRole("button", { name: "発行" }).click();
  await expect(page.getByRole("dialog", { name: `「${name}」を発行しました。` })).toBeVisible();
  await inspect(page, "reveal-ja");
  await page.getByRole("button", { name: "保存しました" }).click();
  await inspect(page, "keys-ja");

  await page.getByRole("link", { name }).click();
  await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
  await inspect(page, "key-ja");
  await page.getByRole("button", { name: "無効にする" }).click();
  await expect(page.getByRole("alertdialog", { name: `「${name}」を無効にしますか。` })).toBeVisible();
  await inspect(page, "disable-ja");
  await page.getByRole("alertdialog").getByRole("button", { name: "無効にする" }).click();
  await expect(page.getByText(/までに、すべての拠点で拒否されます。/).first()).toBeVisible();
  expect(ACCOUNT.zone).toBe("Asia/Tokyo");
});
