// What one person does with their own sign-in, on the real Workers: change and reset the password,
// end sessions, switch accounts.
import { MEMBER, assertFocused, button, inspect, open } from "./support/console.mjs";
import { expect, mailboxCode, test } from "./support/fixtures.mjs";
import { mailTo, mailsTo, signIn, signedIn } from "./support/people.mjs";

const NEXT = "wood lamp orbit seven";
const LAST = "river paper glass nine";
const OTHER = "Other GmbH";

// Each test goes on where the one before has ended.
test.describe.configure({ mode: "serial" });

test("a person ends another browser", async ({ newPage }) => {
  const [mine, other] = [await signedIn(newPage, MEMBER, "#/profile"), await signedIn(newPage, MEMBER, "#/activity")];
  await mine.reload();
  const rows = mine.locator(".rows > li");
  await expect(rows.filter({ hasText: "This browser" })).toHaveCount(1);
  await inspect(mine, "people-browsers");
  const before = await rows.count();
  // The latest of the others comes first.
  await mine
    .getByRole("button", { name: /^Sign out Chrome on Linux/ })
    .first()
    .click();
  await expect(mine.getByText("Chrome on Linux is signed out.").first()).toBeVisible();
  await expect(rows).toHaveCount(before - 1);
  await other.reload();
  await expect(other.getByRole("heading", { name: "Sign in" })).toBeVisible();
});

test("a new password ends the other browsers, and is mailed about", async ({ newPage, deployment }) => {
  const [mine, other] = [await signedIn(newPage, MEMBER, "#/profile"), await signedIn(newPage, MEMBER)];
  const mails = mailsTo(deployment, MEMBER.email);
  await button(mine, "Change password").click();
  const dialog = mine.getByRole("dialog", { name: "Change your password" });
  const fill = async (password, next) => {
    await dialog.getByLabel("Current password", { exact: true }).fill(password);
    await dialog.getByLabel("New password", { exact: true }).fill(next);
    await dialog.getByRole("button", { name: "Change password" }).click();
  };
  await fill("not the password", NEXT);
  await expect(dialog.getByRole("link", { name: "That password doesn’t match. Enter it again." })).toBeVisible();
  for (const [next, text] of [
    ["short", "Choose a password of at least 12 characters."],
    ["password1234", "This password is among the first that are tried."],
    ["Mei.Tanaka.2026", "This password is made of names that others know."],
    [MEMBER.password, "This is your present password."],
  ]) {
    await fill(MEMBER.password, next);
    await expect(dialog.getByRole("link", { name: text })).toBeVisible();
  }
  await fill(MEMBER.password, NEXT);
  await expect(mine.getByText("Your password is changed. Your other browsers are signed out.").first()).toBeVisible();
  await mailTo(deployment, MEMBER.email, mails + 1);
  await expect(mine.locator(".rows > li")).toHaveCount(1);
  await mine.reload();
  await expect(mine.getByRole("heading", { name: "Your profile" })).toBeVisible();
  await other.reload();
  await signIn(other, MEMBER);
  await expect(other.getByText("That e-mail and password don’t match an account here.")).toBeVisible();
  await signIn(other, { ...MEMBER, password: NEXT });
  await expect(other.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
});

test("a forgotten password is reset by a mailed code", async ({ newPage, deployment }) => {
  const page = await newPage({ storageState: undefined });
  const mails = mailsTo(deployment, MEMBER.email);
  await open(page);
  await page.getByLabel("E-mail").fill(MEMBER.email);
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await button(page, "Mail a code").click();
  const code = /^ {4}(\d{8})$/m.exec(await mailTo(deployment, MEMBER.email, mails + 1))[1];
  const wrong = code.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
  await page.getByLabel("Code from the mail").fill(wrong);
  await page.getByLabel("New password", { exact: true }).fill(LAST);
  await button(page, "Set password").click();
  await expect(page.getByRole("link", { name: /^That code doesn’t match/ })).toBeVisible();
  await page.getByLabel("Code from the mail").fill("123");
  await button(page, "Set password").click();
  await expect(page.getByRole("link", { name: "The code has 8 digits." })).toBeVisible();
  await page.getByLabel("Code from the mail").fill(code);
  await button(page, "Set password").click();
  await expect(page.getByText("Your password is changed, and you are signed out everywhere.")).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill(LAST);
  await button(page, "Sign in").click();
  await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
});

test("a person with two accounts switches between them, and other tabs follow", async ({ newPage, deployment }) => {
  const me = { ...MEMBER, password: LAST };
  const page = await signedIn(newPage, me, "#/operator");
  await button(page, "New account").click();
  await button(page, "Create link").click();
  const link = await page.locator("#link").inputValue();
  await button(page, "I have stored it").click();
  const guest = await newPage({ storageState: undefined });
  await guest.goto(link);
  const form = { account_name: OTHER, name: "M. Tanaka", email: me.email, password: NEXT };
  for (const [id, text] of Object.entries(form)) await guest.locator(`#${id}`).fill(text);
  await button(guest, "Continue").click();
  await guest.getByLabel("Code from the mail").fill(await mailboxCode(deployment.mail, me.email));
  await button(guest, "Create account").click();
  // The code was right, so that the form needs no other one.
  await expect(guest.getByText("This address has a password here already.")).toBeVisible();
  await guest.locator("#password").fill(LAST);
  await button(guest, "Create account").click();
  await expect(guest.getByRole("banner").getByText(OTHER)).toBeVisible();

  const tab = await guest.context().newPage();
  await open(tab, "#/keys");
  await expect(tab.getByRole("banner").getByText(OTHER)).toBeVisible();
  await button(guest, "M. Tanaka: settings and sign out").click();
  await guest.getByRole("link", { name: "Switch account" }).click();
  await assertFocused(guest, "Your accounts");
  await inspect(guest, "people-accounts");
  await button(guest, "Open Example KK").click();
  await expect(guest.getByRole("banner").getByText("Example KK")).toBeVisible();
  await expect(tab.getByRole("banner").getByText("Example KK")).toBeVisible();
});
