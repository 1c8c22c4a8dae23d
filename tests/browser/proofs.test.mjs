// The proof of identity that a policy demands of each class of actions: how an operator sets it, and
// how the console asks for it.
import { answerInstead, problem } from "./support/answers.mjs";
import { NARROW, assertFocusOnField, button, inspect, open, openIssue } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

// The policy that the first test sets is the one of the others.
test.describe.configure({ mode: "serial" });

const codeField = (page, label = "Authentication code") => page.getByLabel(label);

/** Opens the form of a new key and sends it. Returns the code of the mail that this causes. */
async function askToIssue(page, deployment, name) {
  const before = deployment.mail.messages.length;
  await openIssue(page, name);
  await button(page, "Issue").click();
  await expect(codeField(page)).toBeVisible();
  return () => deployment.code(before + 1);
}

test("an operator demands a proof for a class of actions, and members read it", async ({ page }) => {
  await open(page, "#/operator");
  await page.getByRole("link", { name: "Example KK" }).click();
  await button(page, "Change policy").click();
  const form = page.getByRole("dialog", { name: "Key policy" });
  const group = form.getByRole("group", { name: "Proof of identity before an action" });
  await expect(group.getByLabel("To issue and change keys")).toHaveValue("password");
  await group.getByLabel("To issue and change keys").selectOption("Code by mail");
  await group.getByLabel("To show a secret again").selectOption("MFA");
  await group.getByLabel("To change the account").selectOption("None");
  expect(await group.getByLabel("To operate other accounts").locator("option").allTextContents()).not.toContain("None");
  await group.scrollIntoViewIfNeeded();
  await inspect(page, "proofs-form");
  await button(page, "Preview").click();
  const question = page.getByRole("alertdialog", { name: 'Change the policy of "Example KK"?' });
  await expect(question.getByText("1 member must set up MFA before some actions.")).toBeVisible();
  await question.getByRole("button", { name: "Change policy" }).click();
  await expect(page.getByText('The policy of "Example KK" is changed.').first()).toBeVisible();
  await page.goto("/#/account");
  await expect(page.getByText(/To issue and change keys: Code by mail/)).toBeVisible();
  await expect(page.getByText("Portal, with changes")).toBeVisible();
  await inspect(page, "proofs-account");
});

test("a code by mail confirms, and the action goes on", async ({ page, deployment }) => {
  await open(page);
  const first = await askToIssue(page, deployment, "By code");
  await expect(
    page.getByText(/A code is on its way to m…@example.jp\. It confirms that it is you, once, until/),
  ).toBeVisible();
  await assertFocusOnField(page, "step-up-code");
  await inspect(page, "step-up-mailed");
  await button(page, "Confirm").click();
  await expect(page.getByText("Enter the code from the mail.")).toBeVisible();
  const code = await first();
  await codeField(page).fill(code === "000000" ? "000001" : "000000");
  await button(page, "Confirm").click();
  await expect(page.getByText("That code doesn’t match; 4 tries left.")).toBeVisible();
  await assertFocusOnField(page, "step-up-code");
  await inspect(page, "step-up-mailed-refused");

  const mails = deployment.mail.messages.length;
  await button(page, "Mail a new code").click();
  await expect(page.getByText(/A new code is on its way to .*; the one before no longer works/)).toBeVisible();
  await codeField(page).fill(await deployment.code(mails + 1));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: '"By code" is issued.' })).toBeVisible();
  await button(page, "I have stored it").click();
});

test("a code that has run out, too many codes and mail that is off are said", async ({ page }) => {
  await answerInstead(page, "POST", "/v1/keys", problem(403, "step_up_required", { methods: ["email_code"] }));
  await open(page);
  await openIssue(page, "Not mailed");
  await answerInstead(page, "POST", "/v1/session/step-up/code", problem(409, "mail_off"));
  await button(page, "Issue").click();
  await expect(page.getByText(/mail is not set up here\. Nothing was changed/)).toBeVisible();
  await inspect(page, "step-up-mail-off");
  const until = "2026-11-21T13:00:00Z";
  await answerInstead(page, "POST", "/v1/session/step-up/code", problem(429, "too_many_codes", { until }));
  await button(page, "Mail a new code").click();
  await expect(
    page.getByText(/Too many codes were mailed or wrong\. Try again after .*22:00 \(Asia\/Tokyo\)\.$/),
  ).toBeVisible();
  await answerInstead(page, "POST", "/v1/session/step-up", problem(410, "code_over"));
  await codeField(page).fill("123456");
  await button(page, "Confirm").click();
  await expect(page.getByText("That code has run out; mail a new one.")).toBeVisible();
  await page.getByRole("dialog", { name: "Confirm it is you" }).getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Not mailed");
});

test("an action that needs MFA leads to its set-up", async ({ page }) => {
  await answerInstead(
    page,
    "POST",
    "/v1/keys",
    problem(403, "step_up_required", { methods: ["totp", "recovery_code", "passkey"] }),
  );
  await page.setViewportSize(NARROW);
  await open(page);
  await openIssue(page, "Not yet");
  await button(page, "Issue").click();
  const dialog = page.getByRole("dialog", { name: "Set up MFA first" });
  await expect(dialog.getByText(/Nothing was changed/)).toBeVisible();
  await inspect(page, "step-up-missing");
  await button(dialog, "Cancel").click();
  await button(page, "Issue").click();
  await dialog.getByRole("link", { name: "Set up MFA" }).click();
  await expect(page.getByRole("heading", { name: "Two-step sign-in (MFA)" })).toBeVisible();
});

test("in Japanese, on a phone, in the dark", async ({ page, deployment }) => {
  await page.setViewportSize(NARROW);
  await page.emulateMedia({ colorScheme: "dark" });
  await open(page);
  await page.request.patch("/v1/member", {
    data: { language: "ja" },
    headers: { origin: new URL(page.url()).origin },
  });
  await page.reload();
  const before = deployment.mail.messages.length;
  await button(page, "APIキーを発行").click();
  await page.getByLabel("名前", { exact: true }).fill("メールの認証コードで発行するとても長い名前のキー");
  await page.getByLabel("demo:read").first().check();
  await button(page, "発行").click();
  await expect(codeField(page, "認証コード")).toBeVisible();
  await expect(page.getByText(/m…@example.jpに認証コードを送りました。本人確認に/)).toBeVisible();
  await inspect(page, "step-up-mailed-ja");
  await codeField(page, "認証コード").fill(await deployment.code(before + 1));
  await button(page, "確認").click();
  await expect(button(page, "保存しました")).toBeVisible();
});
