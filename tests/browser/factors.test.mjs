// The second step of signing in: its set-up, recovery codes, the sign-in page, the confirmation of
// one's identity, and its end. The API is stood in for.
import { answerInstead, json, problem } from "./support/answers.mjs";
import { NARROW, assertFocusOnField, assertFocused, button, inspect, open, pasted } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { CODE, LONG, RECOVERY_CODES, member, signIn, standIn } from "./support/people.mjs";

const ON = { totp: { since: "2026-11-21T12:00:00Z" }, recovery_codes_left: 2 };
const PERSON = { email: "mei@example.jp", password: "correct horse battery" };
const sent = (state, path) => state.requests.filter((one) => one.path === path && one.body).map(({ body }) => body);

test.describe("two-step sign-in", () => {
  test("is set up with a QR code or its text, and shows recovery codes once", async ({ page }) => {
    const state = await standIn(page);
    await open(page, "#/profile/mfa");
    await assertFocused(page, "Two-step sign-in (MFA)");
    await inspect(page, "mfa-off");
    await button(page, "Set up an authenticator app").click();
    const dialog = page.getByRole("dialog", { name: "Set up two-step sign-in" });
    await expect(dialog.getByRole("img", { name: /^QR code/ }).locator("path")).toHaveAttribute("d", /^M4 4h1v1h-1z/);
    await expect(dialog.getByText("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ")).toBeVisible();
    await inspect(page, "mfa-app");
    await dialog.getByLabel("Code from the app").fill("000000");
    await page.keyboard.press("Enter");
    await expect(dialog.getByText("That code doesn’t match; 4 tries left.")).toBeVisible();
    await assertFocusOnField(page, "first-code");
    await dialog.getByLabel("Code from the app").fill(CODE);
    await page.keyboard.press("Enter");

    const codes = page.getByRole("dialog", { name: "Your recovery codes" });
    await expect(codes.getByLabel("Recovery codes", { exact: true })).toHaveValue(RECOVERY_CODES.join("\n"));
    await inspect(page, "mfa-recovery-codes");
    await page.keyboard.press("Escape");
    await page.getByRole("alertdialog").getByRole("button", { name: "Keep open" }).click();
    const [file] = await Promise.all([page.waitForEvent("download"), button(codes, "Download").click()]);
    expect(file.suggestedFilename()).toBe("recovery-codes.txt");
    await button(codes, "Copy codes").click();
    expect(await pasted(page)).toBe(RECOVERY_CODES.join("\n"));
    await button(codes, "I have stored it").click();
    await expect(codes).not.toBeAttached();
    await expect(page.getByText("10 recovery codes left.")).toBeVisible();
    await expect(page.locator("body")).not.toContainText(RECOVERY_CODES[0]);
    expect(sent(state, "/member/factors/totp/confirm")).toEqual([{ code: "000000" }, { code: CODE }]);
    await inspect(page, "mfa-on");
  });

  test("is turned off, and gets new codes when few are left", async ({ page }) => {
    const state = await standIn(page, { factors: ON });
    await page.setViewportSize(NARROW);
    await page.emulateMedia({ colorScheme: "dark" });
    await open(page, "#/profile/mfa");
    await expect(page.getByText("2 recovery codes left. Get new ones before you run out.")).toBeVisible();
    await button(page, "Get new recovery codes").click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Get new recovery codes" }).click();
    await inspect(page, "mfa-recovery-codes-narrow");
    await button(page, "I have stored it").click();
    await button(page, "Turn off").click();
    const asking = page.getByRole("alertdialog", { name: "Turn off two-step sign-in?" });
    await button(asking, "Turn off").click();
    await expect(page.getByText("Two-step sign-in is off.").first()).toBeVisible();
    expect(state.factors.totp).toBe(null);
    await inspect(page, "mfa-off-narrow");
  });

  test("asks for a code after the password, or for a recovery code", async ({ page }) => {
    const state = await standIn(page, { factors: ON, signedIn: false });
    await open(page);
    await signIn(page, PERSON);
    await assertFocusOnField(page, "factor-code");
    await inspect(page, "sign-in-code");
    await page.getByLabel("Code from the app").fill("000000");
    await page.keyboard.press("Enter");
    await expect(page.getByText("That code doesn’t match, or was used before; 4 tries left.")).toBeVisible();
    await answerInstead(page, "POST", "/v1/session/factor", problem(401, "challenge_over"), 1);
    await page.getByLabel("Code from the app").fill(CODE);
    await page.keyboard.press("Enter");
    await expect(page.getByText("The time or the tries for the code are used up. Sign in again.")).toBeVisible();
    await signIn(page, PERSON);
    await button(page, "Use a recovery code").click();
    await assertFocusOnField(page, "factor-code");
    await inspect(page, "sign-in-recovery");
    await page.getByLabel("Recovery code").fill(RECOVERY_CODES[4]);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("navigation", { name: "Console" })).toBeVisible();
    expect(sent(state, "/session/factor").at(-1)).toEqual({ challenge: "C0", recovery_code: RECOVERY_CODES[4] });
  });

  test("confirms one's identity, and the action goes on", async ({ page }) => {
    const state = await standIn(page, { factors: ON, session: { mfa: true } });
    const methods = ["totp", "recovery_code"];
    await answerInstead(page, "PATCH", "/v1/account", problem(403, "step_up_required", { methods }), 1);
    await open(page, "#/account");
    await button(page, "Edit name and time zone").click();
    await page.getByLabel("Account name").fill("Another name");
    await button(page, "Save").click();
    const dialog = page.getByRole("dialog", { name: "Confirm it is you" });
    await assertFocusOnField(page, "factor-code");
    await inspect(page, "step-up-code");
    await dialog.getByLabel("Code from the app").fill(CODE);
    await page.keyboard.press("Enter");
    await expect(dialog).not.toBeAttached();
    await expect.poll(() => state.session.account.name).toBe("Another name");
    expect(sent(state, "/session/step-up")).toEqual([{ code: CODE }]);
  });

  test("is turned off by an owner for a member who lost the app", async ({ page }) => {
    const state = await standIn(page, { members: [member(0, { mfa: true, sessions: 1 }), member(3, { mfa: false })] });
    await open(page, "#/account");
    await button(page, "Actions for Ken Sato").click();
    await button(page, "Turn off two-step sign-in").click();
    const asking = page.getByRole("alertdialog", { name: 'Turn off two-step sign-in for "Ken Sato"?' });
    await inspect(page, "members-reset-factors");
    await button(asking, "Turn off").click();
    await expect(
      page.getByText('Two-step sign-in is off for "Ken Sato", who is signed out everywhere.').first(),
    ).toBeVisible();
    expect(state.requests.some(({ path }) => path === "/members/m0/reset-factors")).toBe(true);
  });

  test("is told in Japanese", async ({ page }) => {
    await standIn(page, { factors: ON, session: { member: { language: "ja" } } });
    await page.setViewportSize(NARROW);
    await open(page, "#/profile/mfa");
    await expect(page.getByText("残りのリカバリーコードは2個です。")).toBeVisible();
    await inspect(page, "mfa-on-ja");
  });

  test("lists passkeys in Japanese, with long names, and offers them beside the app", async ({ page }) => {
    const passkeys = ["仕事用のスマートフォン", LONG, "A".repeat(64)].map((name, n) => ({
      id: `012345678${n}`,
      name,
      backed_up: n === 1,
      created_at: "2026-11-21T12:00:00Z",
      last_used_at: n ? null : "2026-11-22T12:00:00Z",
    }));
    const session = { mfa: true, member: { language: "ja" } };
    const state = await standIn(page, { factors: { ...ON, passkeys }, session });
    await page.setViewportSize(NARROW);
    await open(page, "#/profile/mfa");
    await expect(page.getByRole("list", { name: "パスキー" }).getByText("同期済み")).toBeVisible();
    await page.getByRole("list", { name: "パスキー" }).scrollIntoViewIfNeeded();
    await inspect(page, "passkeys-ja-narrow");
    await button(page, "アプリを解除").click();
    await expect(page.getByRole("alertdialog", { name: "認証アプリを解除しますか。" })).toBeVisible();
    await inspect(page, "passkeys-remove-app-ja");
    await page.getByRole("alertdialog").getByRole("button", { name: "キャンセル" }).click();
    await button(page, "パスキーを追加").click();
    await inspect(page, "passkeys-add-ja");
    await page.getByRole("dialog").getByRole("button", { name: "キャンセル" }).click();
    await button(page, "パスキー「仕事用のスマートフォン」を削除").click();
    await expect(page.getByText("ほかの認証方法は引き続き使えます。")).toBeVisible();
    // Where the app is on, its code comes first, and a passkey beside it.
    state.signedIn = false;
    await page.setViewportSize({ width: 1280, height: 900 });
    const methods = ["totp", "recovery_code", "passkey"];
    await answerInstead(page, "POST", "/v1/session", json({ challenge: "C0", methods, passkey: null }), 1);
    await page.reload();
    await page.getByRole("radio", { name: "日本語" }).check();
    await page.getByLabel("メールアドレス").fill(PERSON.email);
    await page.getByLabel("パスワード", { exact: true }).fill(PERSON.password);
    await inspect(page, "sign-in-ja");
    await button(page, "サインイン").click();
    await assertFocusOnField(page, "factor-code");
    await expect(button(page, "パスキーを使う")).toBeVisible();
    await inspect(page, "sign-in-code-or-passkey-ja");
  });
});
