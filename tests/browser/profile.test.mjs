// The pages of one person: profile, password and browsers, the link of an invitation, and the reset
// of a password. The API is stood in for.
import { answerInstead, json, problem } from "./support/answers.mjs";
import { NARROW, assertFocusOnField, assertFocused, button, inspect, open } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { LONG, standIn } from "./support/people.mjs";

const sent = (state, method, path) =>
  state.requests.filter((one) => one.method === method && one.path === path).map(({ body }) => body);

const INVITED = {
  account: { name: "Example KK" },
  role: "admin",
  email: "ken@example.jp",
  invited_by: "Mei Tanaka",
  expires_at: "2099-12-06T09:00:00Z",
  has_password: false,
};

test.describe("the profile", () => {
  test("is reached by the member's menu, and edits name and language", async ({ page }) => {
    const state = await standIn(page);
    await open(page);
    await button(page, "Mei Tanaka: settings and sign out").click();
    await page.getByRole("link", { name: "Your profile" }).click();
    await assertFocused(page, "Your profile");
    expect(await page.locator("#member-menu").isVisible()).toBe(false);
    await inspect(page, "profile");
    await button(page, "Edit name and language").click();
    await page.getByLabel("Your name").fill("");
    await button(page, "Save").click();
    await expect(page.getByRole("link", { name: "Enter a name." })).toBeVisible();
    await page.getByLabel("Your name").fill(LONG);
    await page.getByLabel("Language", { exact: true }).last().selectOption("ja");
    await button(page, "Save").click();
    await expect(page.getByRole("heading", { name: "プロフィール" })).toBeVisible();
    expect(sent(state, "PATCH", "/member")).toEqual([{ name: LONG, language: "ja" }]);
    await inspect(page, "profile-ja");
  });

  test("changes the password: a wrong one is said at its field, and typed again", async ({ page }) => {
    const state = await standIn(page);
    await open(page, "#/profile");
    await button(page, "Change password").click();
    const dialog = page.getByRole("dialog", { name: "Change your password" });
    await dialog.getByLabel("Current password", { exact: true }).fill("not the password");
    await dialog.getByLabel("New password", { exact: true }).fill("staple battery correct");
    await dialog.getByRole("button", { name: "Change password" }).click();
    await expect(dialog.getByRole("link", { name: "That password doesn’t match. Enter it again." })).toBeVisible();
    await expect(dialog.getByLabel("New password", { exact: true })).toHaveValue("staple battery correct");
    await inspect(page, "password-refused");
    await dialog.getByLabel("Current password", { exact: true }).fill("correct horse battery");
    await page.keyboard.press("Enter");
    await expect(page.getByText("Your password is changed. Your other browsers are signed out.").first()).toBeVisible();
    expect(sent(state, "POST", "/member/password").at(-1)).toEqual({
      password: "correct horse battery",
      new_password: "staple battery correct",
    });
    await assertFocused(page, "Change password");
    await inspect(page, "password-changed");
  });

  test("changes the address by a code from the new one, and says what goes wrong", async ({ page }) => {
    const state = await standIn(page);
    const mailed = (mail) =>
      json({ expires_at: new Date(Date.now() + 600_000).toISOString(), mail, now: new Date().toISOString() });
    await open(page, "#/profile");
    await button(page, "Change e-mail address").click();
    const dialog = page.getByRole("dialog", { name: "Change your e-mail address" });
    await assertFocusOnField(page, "email");
    await inspect(page, "address");
    await page.keyboard.press("Enter");
    await expect(dialog.getByRole("link", { name: "Enter your e-mail." })).toBeVisible();
    const errors = [{ pointer: "#/email", code: "present" }];
    await answerInstead(page, "POST", "/v1/member/address", problem(422, "invalid", { errors }), 1);
    await dialog.getByLabel("New e-mail address").fill("mei@example.jp");
    await page.keyboard.press("Enter");
    await expect(dialog.getByRole("link", { name: "This is your present address. Enter another one." })).toBeVisible();
    await answerInstead(page, "POST", "/v1/member/address", problem(409, "mail_off"), 1);
    await dialog.getByLabel("New e-mail address").fill("mei@example.org");
    await page.keyboard.press("Enter");
    await expect(dialog.getByText("This step needs a code by mail, but mail is not set up here.")).toBeVisible();
    await inspect(page, "address-mail-off");

    await answerInstead(page, "POST", "/v1/member/address", mailed("failing"), 1);
    await button(page, "Mail a code").click();
    await expect(dialog.getByText("A code is on its way to mei@example.org.")).toBeVisible();
    await expect(dialog.getByText("The mail could not be sent yet and is retried.")).toBeVisible();
    await assertFocusOnField(page, "code");
    await inspect(page, "address-code-failing");
    await answerInstead(page, "POST", "/v1/member/address", mailed("sent"), 1);
    await button(page, "Mail a new code").click();
    await expect(dialog.getByText("A new code is on its way to mei@example.org.").first()).toBeVisible();
    const confirm = (respond) => answerInstead(page, "POST", "/v1/member/address/confirm", respond, 1);
    const code = dialog.getByLabel("Code from the mail");
    for (const [respond, text] of [
      [problem(403, "code_wrong", { tries_left: 3 }), "That code doesn’t match; 3 tries left."],
      [problem(403, "code_wrong", { tries_left: 0 }), "That code has run out; mail a new one."],
      [problem(410, "code_over"), "That code has run out; mail a new one."],
      [problem(429, "too_many_attempts"), "Too many tries"],
      [problem(503, "unavailable"), ""],
    ]) {
      await confirm(respond);
      await code.fill("12345678");
      await page.keyboard.press("Enter");
      if (text) await expect(dialog.getByText(text).first()).toBeVisible();
      else await expect(dialog.locator(".notice").first()).toBeVisible();
    }
    await inspect(page, "address-code-refused");
    await confirm(problem(409, "address_taken"));
    await code.fill("12345678");
    await page.keyboard.press("Enter");
    await expect(dialog.getByText("Somebody signs in here with this address already.")).toBeVisible();
    await inspect(page, "address-taken");

    await answerInstead(page, "POST", "/v1/member/address", mailed("sent"), 1);
    await button(page, "Mail a code").click();
    const session = { ...state.session, member: { ...state.session.member, email: "mei@example.org" } };
    await confirm(async (route) => {
      state.session = session;
      await json(session)(route);
    });
    await code.fill("1234 5678");
    await inspect(page, "address-code");
    await page.keyboard.press("Enter");
    await expect(
      page.getByText("Your e-mail address is changed. Your other browsers are signed out.").first(),
    ).toBeVisible();
    await expect(page.locator(".facts-list").getByText("mei@example.org")).toBeVisible();
    await assertFocused(page, "Change e-mail address");
    await inspect(page, "address-changed");
  });

  for (const language of ["en", "ja"])
    for (const colorScheme of ["light", "dark"])
      test(`the code step fits a phone: ${language}, ${colorScheme}`, async ({ newPage, deployment }) => {
        const page = await newPage({ viewport: NARROW, colorScheme });
        await page.addInitScript((code) => localStorage.setItem("claviger.language", code), language);
        await standIn(page, { session: { member: { language } } });
        const mailed = json({ expires_at: "2099-01-01T00:00:00Z", mail: "refused", now: "2098-12-31T23:50:00Z" });
        await answerInstead(page, "POST", "/v1/member/address", mailed);
        await page.goto(`${deployment.origin}/#/profile`);
        await page
          .getByRole("button", { name: language === "en" ? "Change e-mail address" : "メールアドレスを変更" })
          .click();
        await inspect(page, `address-${language}-${colorScheme}-phone`);
        await page.locator("#email").fill(`${"long.local.part.".repeat(3)}mei@a-long-domain-of-a-company.example.org`);
        await page.keyboard.press("Enter");
        await expect(page.locator("#code")).toBeVisible();
        await inspect(page, `address-code-${language}-${colorScheme}-phone`);
      });

  for (const [code, text] of [
    ["common", "This password is among the first that are tried."],
    ["own_names", "This password is made of names that others know."],
    ["same", "This is your present password."],
  ])
    test(`says why a new password is refused: ${code}`, async ({ page }) => {
      await standIn(page);
      const errors = [{ pointer: "#/new_password", code }];
      await answerInstead(page, "POST", "/v1/member/password", problem(422, "invalid", { errors }));
      await open(page, "#/profile");
      await button(page, "Change password").click();
      const dialog = page.getByRole("dialog", { name: "Change your password" });
      await dialog.getByLabel("Current password", { exact: true }).fill("correct horse battery");
      await dialog.getByLabel("New password", { exact: true }).fill("whatever it was");
      await page.keyboard.press("Enter");
      await expect(dialog.getByRole("link", { name: text })).toBeVisible();
    });

  test("names the browsers that are signed in, and signs them out", async ({ page }) => {
    const state = await standIn(page);
    await open(page, "#/profile/browsers");
    await assertFocused(page, "Signed-in browsers");
    await expect(page.locator(".rows > li strong")).toHaveText([
      "Firefox on Windows",
      "Unknown browser",
      "Microsoft Edge on macOS",
      "Safari on iOS",
    ]);
    await expect(page.locator(".rows > li").first().getByText("This browser")).toBeVisible();
    expect(await page.locator(".rows > li").first().getByRole("button").count()).toBe(0);
    await inspect(page, "browsers");
    await page.getByRole("button", { name: "Sign out Safari on iOS, 2001:db8:85a3:8d3:1319:8a2e:370:7348" }).click();
    await expect(page.getByText("Safari on iOS is signed out.").first()).toBeVisible();
    await assertFocused(page, "Signed-in browsers");
    expect(sent(state, "DELETE", "/sessions/b2").length).toBe(1);
    await button(page, "Sign out all others").click();
    await expect(page.getByRole("alertdialog").getByText("2 other browsers are signed out")).toBeVisible();
    await inspect(page, "browsers-end-others");
    await page.getByRole("alertdialog").getByRole("button", { name: "Sign out all others" }).click();
    await expect(page.getByText("All other browsers are signed out.").first()).toBeVisible();
    await expect(page.locator(".rows > li")).toHaveCount(1);
  });

  test("switches notices off and on, and says which always come", async ({ page }) => {
    const state = await standIn(page);
    await open(page, "#/profile/notices");
    await assertFocused(page, "Notices by mail");
    const ends = page.getByLabel("Keys that end soon", { exact: true });
    await expect(ends).toBeChecked();
    await expect(
      page.getByText("You always get mail about a sign-in from a new network", { exact: false }),
    ).toBeVisible();
    await ends.uncheck();
    await button(page, "Save notices").click();
    await expect(page.getByText("Your notices are saved.").first()).toBeVisible();
    expect(sent(state, "PATCH", "/member/notices")).toEqual([{ key_issued: true, key_network: true, key_end: false }]);
    await inspect(page, "notices");
    await ends.check();
    await expect(page.locator("section").getByText("Your notices are saved.")).toHaveCount(0);
    state.session.member.language = "ja";
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await expect(page.getByRole("heading", { name: "メールでのお知らせ" })).toBeVisible();
    await expect(page.getByLabel("まもなく期限を迎えるキー", { exact: true })).not.toBeChecked();
    await inspect(page, "notices-ja");
  });

  test("switches to another account, which opens with its own keys", async ({ page }) => {
    const state = await standIn(page, { session: { accounts: 3 } });
    state.accounts.push({ id: "c1B2c3D4", name: null, role: null, current: false });
    await open(page);
    await button(page, "Mei Tanaka: settings and sign out").click();
    await page.getByRole("link", { name: "Switch account" }).click();
    await assertFocused(page, "Your accounts");
    await expect(page.getByText("Cannot be reached at the moment")).toBeVisible();
    await inspect(page, "accounts-own");
    await button(page, `Open ${LONG}`).click();
    await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
    await expect(page.getByRole("banner").getByText(LONG)).toBeVisible();
    expect(sent(state, "POST", "/session/switch")).toEqual([{ account: "b1B2c3D4" }]);
    expect(await button(page, "Issue API Key").count(), "a viewer there").toBe(0);
  });

  test("in another tab follows to the account that this browser has opened", async ({ page, context }) => {
    const state = await standIn(page, { session: { accounts: 2 } });
    const other = await context.newPage();
    await standIn(other, { session: { accounts: 2 } });
    await open(other, "#/profile");
    await open(page, "#/profile/accounts");
    // Both tabs have one cookie, and so one session.
    await answerInstead(other, "GET", "/v1/session", (route) =>
      route.fulfill({ json: { ...state.session, now: "2026-11-21T12:00:00Z" } }),
    );
    await button(page, `Open ${LONG}`).click();
    await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
    await expect(other.getByRole("banner").getByText(LONG)).toBeVisible();
  });

  test("returns to its own account when signing in again has opened another one", async ({ page }) => {
    const state = await standIn(page, { session: { accounts: 2 } });
    await open(page, "#/profile");
    const here = structuredClone({ ...state.session, now: "2026-11-21T12:00:00Z" });
    const there = { ...here, account: { ...here.account, id: "b1B2c3D4" }, member: { ...here.member, id: "other" } };
    await answerInstead(page, "PATCH", "/v1/member", problem(401, "not_signed_in"), 1);
    await answerInstead(page, "POST", "/v1/session", (route) => route.fulfill({ status: 201, json: there }));
    await answerInstead(page, "POST", "/v1/session/switch", (route) => route.fulfill({ status: 201, json: here }));
    await button(page, "Edit name and language").click();
    await page.getByLabel("Your name").fill("Mei T.");
    await button(page, "Save").click();
    const again = page.getByRole("dialog", { name: "Sign in again; what you typed is kept." });
    await again.getByLabel("Password", { exact: true }).fill("correct horse battery");
    await button(page, "Sign in").click();
    await expect(page.getByText("Your profile is saved.").first()).toBeVisible();
    expect(sent(state, "PATCH", "/member")).toEqual([{ name: "Mei T." }]);
  });

  test("sends nothing in another account, if its own is closed to the person", async ({ page }) => {
    const state = await standIn(page, { session: { accounts: 2 } });
    await open(page, "#/profile");
    const here = structuredClone({ ...state.session, now: "2026-11-21T12:00:00Z" });
    const there = {
      ...here,
      account: { ...here.account, id: "b1B2c3D4", name: "Other GmbH" },
      member: { ...here.member, id: "other" },
    };
    await answerInstead(page, "PATCH", "/v1/member", problem(401, "not_signed_in"), 1);
    await answerInstead(page, "POST", "/v1/session", (route) => route.fulfill({ status: 201, json: there }));
    await answerInstead(page, "POST", "/v1/session/switch", problem(404, "not_found"));
    await button(page, "Edit name and language").click();
    await page.getByLabel("Your name").fill("Mei T.");
    await button(page, "Save").click();
    await page
      .getByRole("dialog", { name: /^Sign in again/ })
      .getByLabel("Password", { exact: true })
      .fill("correct horse battery");
    await button(page, "Sign in").click();
    await expect(page.getByRole("banner").getByText("Other GmbH")).toBeVisible();
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(sent(state, "PATCH", "/member")).toEqual([]);
  });

  test("of a person with one account offers no other", async ({ page }) => {
    await standIn(page);
    await open(page, "#/profile");
    await button(page, "Mei Tanaka: settings and sign out").click();
    expect(await page.getByRole("link", { name: "Switch account" }).count()).toBe(0);
    expect(await page.getByRole("heading", { name: "Your accounts" }).count()).toBe(0);
  });

  test("says which part could not be loaded, and tries again", async ({ page }) => {
    await standIn(page);
    await answerInstead(page, "GET", "/v1/sessions", problem(503, "unavailable"), 1);
    await open(page, "#/profile");
    await expect(page.getByText("The signed-in browsers could not be loaded")).toBeVisible();
    await inspect(page, "browsers-failed");
    await button(page, "Try again").click();
    await expect(page.getByText("Firefox on Windows")).toBeVisible();
  });
});

test.describe("the link of an invitation", () => {
  test("leaves the address bar and the history, and joins a new person", async ({ page }) => {
    const state = await standIn(page, { signedIn: false, invited: INVITED });
    await open(page, "#/join/ItheSecret");
    await expect(page.getByRole("heading", { name: 'Join "Example KK"' })).toBeVisible();
    expect(new URL(page.url()).hash).toBe("#/join");
    expect(await page.evaluate(() => JSON.stringify([history.state, location.href]))).not.toContain("theSecret");
    await inspect(page, "join-new");
    await button(page, "Join").click();
    await expect(page.getByRole("link", { name: "Enter your password." })).toBeVisible();
    await page.getByLabel("Your name").fill("Ken Sato");
    await page.getByLabel("Password", { exact: true }).fill("staple battery correct");
    await button(page, "Join").click();
    await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
    expect(new URL(page.url()).hash).toBe("#/keys");
    expect(sent(state, "POST", "/invitations/check")).toEqual([{ token: "ItheSecret" }]);
    expect(sent(state, "POST", "/invitations/accept")).toEqual([
      { token: "ItheSecret", name: "Ken Sato", password: "staple battery correct", language: "en" },
    ]);
    await page.goBack();
    expect(await page.content()).not.toContain("theSecret");
  });

  test("asks a person who has a password for that one", async ({ page }) => {
    await standIn(page, { signedIn: false, invited: { ...INVITED, has_password: true } });
    await open(page, "#/join/Itoken");
    const password = page.getByLabel("Password", { exact: true });
    await expect(password).toHaveAttribute("autocomplete", "current-password");
    await inspect(page, "join-known");
    await answerInstead(page, "POST", "/v1/invitations/accept", problem(401, "sign_in_refused"), 1);
    await page.getByLabel("Your name").fill("Ken Sato");
    await password.fill("not the password");
    await button(page, "Join").click();
    await expect(page.getByRole("link", { name: "That password doesn’t match. Enter it again." })).toBeVisible();
    await expect(password).toHaveValue("");
    await expect(page.getByLabel("Your name")).toHaveValue("Ken Sato");
    await inspect(page, "join-refused");
  });

  test("that is for the person who is signed in to another account knows the name", async ({ page }) => {
    await standIn(page, { invited: { ...INVITED, email: "Mei@example.jp", has_password: true } });
    await open(page, "#/join/Itoken");
    await expect(page.getByLabel("Your name")).toHaveValue("Mei Tanaka");
    await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
    await button(page, "Join").click();
    await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
  });

  test("that is for somebody else than who is signed in says so, and offers to sign out", async ({ page }) => {
    const state = await standIn(page, { invited: INVITED });
    await open(page, "#/join/Itoken");
    await expect(page.getByText("You are signed in as Mei Tanaka (mei@example.jp)")).toBeVisible();
    expect(await page.getByLabel("Password", { exact: true }).count()).toBe(0);
    await inspect(page, "join-other");
    await button(page, "Sign out and continue").click();
    await expect(page.getByLabel("Your name")).toBeVisible();
    expect(sent(state, "DELETE", "/session").length).toBe(1);
    expect(sent(state, "POST", "/invitations/check").at(-1)).toEqual({ token: "Itoken" });
  });

  for (const [code, status, text] of [
    ["invitation_refused", 401, "This invitation link has expired or is incomplete."],
    ["invitation_over", 410, "This invitation was used, withdrawn, sent again, or has expired."],
  ])
    test(`that works no longer says so before any form: ${code}`, async ({ page }) => {
      await standIn(page, { signedIn: false, invited: { status, code } });
      await open(page, "#/join/Itoken");
      await expect(page.getByText(text)).toBeVisible();
      expect(await page.getByRole("textbox").count()).toBe(0);
      await inspect(page, `join-${code}`);
      await button(page, "Go to sign-in").click();
      await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
    });

  test("is not stored: after a reload its page asks for the link", async ({ page }) => {
    await standIn(page, { signedIn: false, invited: INVITED });
    await open(page, "#/join/Itoken");
    await page.reload();
    await expect(page.getByText("The invitation link is not stored.")).toBeVisible();
  });

  test("that could not be checked can be tried again", async ({ page }) => {
    await standIn(page, { signedIn: false, invited: INVITED });
    await answerInstead(page, "POST", "/v1/invitations/check", problem(503, "unavailable"), 1);
    await open(page, "#/join/Itoken");
    await button(page, "Try again").click();
    await expect(page.getByLabel("Your name")).toBeVisible();
  });
});

test.describe("a forgotten password", () => {
  test("is reset by a mailed code, with what was typed before", async ({ page }) => {
    const state = await standIn(page, { signedIn: false });
    await open(page);
    await page.getByLabel("E-mail").fill("mei@example.jp");
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await assertFocused(page, "Reset your password");
    await expect(page.getByLabel("E-mail")).toHaveValue("mei@example.jp");
    await inspect(page, "reset");
    await button(page, "Mail a code").click();
    await expect(
      page.getByText(/^If mei@example\.jp belongs to a member, a code is on its way\. It works until \d\d:\d\d \(/),
    ).toBeVisible();
    await assertFocused(page, "Reset your password");
    await page.getByLabel("Code from the mail").fill("00000000");
    await page.getByLabel("New password", { exact: true }).fill("staple battery correct");
    await inspect(page, "reset-code");
    await button(page, "Set password").click();
    await expect(page.getByRole("link", { name: "That code doesn’t match, or no longer works." })).toBeVisible();
    await expect(page.getByLabel("New password", { exact: true })).toHaveValue("staple battery correct");
    await inspect(page, "reset-refused");
    await button(page, "Mail a new code").click();
    await expect(page.getByText("a new code is on its way").first()).toBeVisible();
    await assertFocusOnField(page, "code");
    await page.getByLabel("Code from the mail").fill("12345678");
    await button(page, "Set password").click();
    await expect(page.getByText("Your password is changed, and you are signed out everywhere.")).toBeVisible();
    await expect(page.getByLabel("E-mail")).toHaveValue("mei@example.jp");
    await inspect(page, "reset-done");
    expect(sent(state, "POST", "/password/reset")).toEqual([{ email: "mei@example.jp" }, { email: "mei@example.jp" }]);
    await page.getByLabel("Password", { exact: true }).fill("staple battery correct");
    await button(page, "Sign in").click();
    await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
  });

  test("of a person who is signed in is reset from the dialog that asks for it", async ({ page }) => {
    await standIn(page);
    await open(page, "#/profile");
    await button(page, "Change password").click();
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await expect(page.getByRole("heading", { name: "Reset your password" })).toBeVisible();
    await expect(page.getByLabel("E-mail")).toHaveValue("mei@example.jp");
    await expect(page.getByRole("link", { name: "Go to API keys" })).toBeVisible();
  });

  test("says when too many codes were mailed", async ({ page }) => {
    await standIn(page, { signedIn: false });
    await answerInstead(page, "POST", "/v1/password/reset", problem(429, "too_many_attempts"));
    await open(page, "#/reset");
    await page.getByLabel("E-mail").fill("mei@example.jp");
    await button(page, "Mail a code").click();
    await expect(page.getByText("Too many tries. Wait a few minutes before you try again.")).toBeVisible();
    await inspect(page, "reset-too-many");
  });

  test("cannot be reset where no mail goes out, and says why", async ({ page }) => {
    await standIn(page, { signedIn: false });
    await answerInstead(page, "POST", "/v1/password/reset", problem(409, "mail_off"));
    await open(page, "#/reset");
    await page.getByLabel("E-mail").fill("mei@example.jp");
    await button(page, "Mail a code").click();
    await expect(page.getByText("Codes go out by mail, but mail is not set up here.")).toBeVisible();
  });

  test("in Japanese, on a phone, in the dark", async ({ newPage }) => {
    const page = await newPage({ viewport: { ...NARROW, width: 320 }, colorScheme: "dark", locale: "ja-JP" });
    await standIn(page, { signedIn: false });
    await open(page, "#/reset");
    await page.getByLabel("メールアドレス").fill(`${"m".repeat(60)}@example.jp`);
    await button(page, "コードを送信").click();
    await expect(page.getByLabel("メールに記載のコード")).toBeVisible();
    await inspect(page, "reset-code-320");
  });
});
