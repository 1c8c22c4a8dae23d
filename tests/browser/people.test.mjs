// What several people do in one deployment, on the real Workers: invite, join, change roles and
// passwords, end sessions, switch accounts, remove.
import { MEMBER, assertFocused, button, inspect, open, until } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

const KEN = {
  name: "Ken Sato",
  email: "ken@example.jp",
  password: "staple battery correct",
  next: "wood lamp orbit seven",
};
KEN.last = "river paper candle nine";
const OTHER = "Other GmbH";

// Each test goes on where the one before has ended.
test.describe.configure({ mode: "serial" });

/** Returns the text of the `count`th mail to an address, once it is there. */
async function mailTo({ mail }, address, count = 1) {
  const mails = () => mail.messages.filter(({ to }) => [to].flat().join().includes(address));
  await until(() => mails().length >= count);
  return mails()[count - 1].text;
}
const mailsTo = ({ mail }, address) => mail.messages.filter(({ to }) => [to].flat().join().includes(address)).length;

async function signIn(page, { email, password }) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await button(page, "Sign in").click();
}

/** Opens a page of Ken, signed in with this password. */
async function kenAt(newPage, address, password = KEN.password) {
  const page = await newPage({ storageState: undefined });
  await open(page, address);
  await signIn(page, { ...KEN, password });
  await expect(page.getByRole("navigation", { name: "Console" })).toBeVisible();
  return page;
}

const row = (page, name) => page.getByRole("row").filter({ has: page.getByText(name, { exact: true }) });

async function act(page, name, action) {
  await button(page, `Actions for ${name}`).click();
  await page.locator(".menu:popover-open").getByRole("button", { name: action, exact: true }).click();
}

test("an owner invites, the mailed link makes a member, and works once", async ({ page, newPage, deployment }) => {
  await open(page, "#/account");
  await button(page, "Invite").click();
  await page.getByLabel("E-mail").fill(KEN.email);
  await page.getByLabel("Administrator").check();
  await button(page, "Send invitation").click();
  await expect(page.getByText(`The invitation to ${KEN.email} is on its way.`).first()).toBeVisible();
  await expect(page.getByText(/The link works until/)).toBeVisible();
  await inspect(page, "people-invited");

  const link = /http\S+#\/join\/\S+/.exec(await mailTo(deployment, KEN.email))[0];
  expect(link.startsWith(`${deployment.origin}/#/join/`)).toBe(true);
  const guest = await newPage({ storageState: undefined });
  await guest.goto(link);
  await expect(guest.getByRole("heading", { name: 'Join "Example KK"' })).toBeVisible();
  await expect(guest.getByText(KEN.email, { exact: true })).toBeVisible();
  expect(guest.url()).not.toContain(link.split("#/join/")[1]);
  await inspect(guest, "people-join");
  await guest.getByLabel("Your name").fill(KEN.name);
  await guest.getByLabel("Password", { exact: true }).fill(KEN.password);
  await button(guest, "Join").click();
  await expect(guest.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
  await expect(button(guest, "Issue API Key").first()).toBeVisible();

  await page.reload();
  await expect(row(page, KEN.name).getByText("Administrator")).toBeVisible();
  expect(await page.getByRole("heading", { name: "Open invitations" }).count()).toBe(0);
  const late = await newPage({ storageState: undefined });
  await late.goto(link);
  await expect(late.getByText("This invitation was used, withdrawn, sent again, or has expired.")).toBeVisible();
});

test("an invitation that was sent again ends the link before, and one that was withdrawn ends too", async ({
  page,
  newPage,
  deployment,
}) => {
  const address = "noor@example.jp";
  await open(page, "#/account");
  await button(page, "Invite").click();
  await page.getByLabel("E-mail").fill(address);
  await button(page, "Send invitation").click();
  const link = async (count) => /http\S+#\/join\/\S+/.exec(await mailTo(deployment, address, count))[0];
  const first = await link(1);
  await button(page, `Send again: the invitation to ${address}`).click();
  const second = await link(2);
  expect(second).not.toBe(first);
  const guest = await newPage({ storageState: undefined });
  await guest.goto(first);
  await expect(guest.getByText("This invitation was used, withdrawn")).toBeVisible();
  await guest.goto(second);
  await expect(guest.getByLabel("Your name")).toBeVisible();
  // While the form is open, the owner changes their mind.
  await button(page, `Withdraw the invitation to ${address}`).click();
  await button(page, "Withdraw").click();
  await expect(page.getByText(`The invitation to ${address} is withdrawn.`).first()).toBeVisible();
  await guest.getByLabel("Your name").fill("Noor Haddad");
  await guest.getByLabel("Password", { exact: true }).fill("some other battery staple");
  await button(guest, "Join").click();
  await expect(guest.getByText("This invitation was used, withdrawn")).toBeVisible();
});

test("a new role holds at the next request", async ({ page, newPage }) => {
  const ken = await kenAt(newPage, "");
  await open(page, "#/account");
  await act(page, KEN.name, "Change role");
  await page.getByLabel("Viewer").check();
  await button(page, "Change role").click();
  await expect(page.getByText(`"${KEN.name}" is a viewer now.`).first()).toBeVisible();
  await ken.reload();
  await expect(ken.getByText("You can view the keys of this account.")).toBeVisible();
  await ken.getByRole("link", { name: "Account", exact: true }).click();
  await expect(ken.getByText(`Ask ${MEMBER.name}.`)).toBeVisible();
});

test("a member renames themselves, and ends another browser", async ({ newPage }) => {
  const [ken, other] = [await kenAt(newPage, "#/profile"), await kenAt(newPage, "#/activity")];
  await button(ken, "Edit name and language").click();
  await ken.getByLabel("Your name").fill("佐藤 健");
  await button(ken, "Save").click();
  await expect(button(ken, "佐藤 健: settings and sign out")).toBeVisible();
  await ken.reload();
  const mine = ken.locator(".rows > li");
  await expect(mine.filter({ hasText: "This browser" })).toHaveCount(1);
  await inspect(ken, "people-browsers");
  await mine
    .getByRole("button", { name: /^Sign out Chrome on Linux/ })
    .first()
    .click();
  await expect(ken.getByText("Chrome on Linux is signed out.").first()).toBeVisible();
  await button(ken, "Edit name and language").click();
  await ken.getByLabel("Your name").fill(KEN.name);
  await button(ken, "Save").click();
  await expect(ken.getByText("Your profile is saved.").first()).toBeVisible();
  await other.reload();
  await expect(other.getByRole("heading", { name: "Sign in" })).toBeVisible();
});

test("a new password ends the other browsers, and is mailed about", async ({ newPage, deployment }) => {
  const [ken, other] = [await kenAt(newPage, "#/profile"), await kenAt(newPage, "")];
  const mails = mailsTo(deployment, KEN.email);
  await button(ken, "Change password").click();
  const dialog = ken.getByRole("dialog", { name: "Change your password" });
  await dialog.getByLabel("Current password", { exact: true }).fill("not the password");
  await dialog.getByLabel("New password", { exact: true }).fill(KEN.next);
  await dialog.getByRole("button", { name: "Change password" }).click();
  await expect(dialog.getByRole("link", { name: "That password doesn’t match. Enter it again." })).toBeVisible();
  await dialog.getByLabel("Current password", { exact: true }).fill(KEN.password);
  await dialog.getByLabel("New password", { exact: true }).fill("short");
  await dialog.getByRole("button", { name: "Change password" }).click();
  await expect(dialog.getByRole("link", { name: "Choose a password of at least 12 characters." })).toBeVisible();
  await dialog.getByLabel("New password", { exact: true }).fill(KEN.next);
  await dialog.getByRole("button", { name: "Change password" }).click();
  await expect(ken.getByText("Your password is changed.").first()).toBeVisible();
  await mailTo(deployment, KEN.email, mails + 1);
  await ken.reload();
  await expect(ken.getByRole("heading", { name: "Your profile" })).toBeVisible();
  await other.reload();
  await signIn(other, KEN);
  await expect(other.getByText("That e-mail and password don’t match an account here.")).toBeVisible();
  await signIn(other, { ...KEN, password: KEN.next });
  await expect(other.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
});

test("a forgotten password is reset by a mailed code", async ({ newPage, deployment }) => {
  const page = await newPage({ storageState: undefined });
  const mails = mailsTo(deployment, KEN.email);
  await open(page);
  await page.getByLabel("E-mail").fill(KEN.email);
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await button(page, "Mail a code").click();
  const code = /^ {4}(\d{8})$/m.exec(await mailTo(deployment, KEN.email, mails + 1))[1];
  await page.getByLabel("Code from the mail").fill(code.replace(/^./, (digit) => (digit === "0" ? "1" : "0")));
  await page.getByLabel("New password", { exact: true }).fill(KEN.last);
  await button(page, "Set password").click();
  await expect(page.getByRole("link", { name: /^That code doesn’t match/ })).toBeVisible();
  await page.getByLabel("Code from the mail").fill(code);
  await button(page, "Set password").click();
  await expect(page.getByText("Your password is changed, and you are signed out everywhere.")).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill(KEN.last);
  await button(page, "Sign in").click();
  await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
});

test("a person with two accounts switches between them", async ({ page, newPage }) => {
  await open(page, "#/operator");
  await button(page, "New account").click();
  await button(page, "Create link").click();
  const link = await page.getByLabel("Set-up link").inputValue();
  await button(page, "I have stored it").click();
  const guest = await newPage({ storageState: undefined });
  await guest.goto(link);
  for (const [id, text] of Object.entries({
    account_name: OTHER,
    name: KEN.name,
    email: KEN.email,
    password: KEN.last,
  }))
    await guest.locator(`#${id}`).fill(text);
  await button(guest, "Create account").click();
  await expect(guest.getByRole("banner").getByText(OTHER)).toBeVisible();

  await button(guest, `${KEN.name}: settings and sign out`).click();
  await guest.getByRole("link", { name: "Switch account" }).click();
  await assertFocused(guest, "Your accounts");
  await inspect(guest, "people-accounts");
  await button(guest, "Open Example KK").click();
  await expect(guest.getByRole("banner").getByText("Example KK")).toBeVisible();
  await expect(guest.getByText("You can view the keys of this account.")).toBeVisible();
});

test("who is removed is signed out of that account at once, and of no other", async ({ page, newPage, deployment }) => {
  const ken = await kenAt(newPage, "#/profile", KEN.last);
  if (!(await ken.getByRole("banner").getByText("Example KK").isVisible())) {
    await button(ken, "Open Example KK").click();
    await expect(ken.getByRole("banner").getByText("Example KK")).toBeVisible();
  }
  const mails = mailsTo(deployment, KEN.email);
  await open(page, "#/account");
  await act(page, KEN.name, "Remove");
  await button(page, "Remove").click();
  await expect(page.getByText(`"${KEN.name}" is removed, and signed out everywhere.`).first()).toBeVisible();
  await mailTo(deployment, KEN.email, mails + 1);
  await ken.reload();
  await expect(ken.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await signIn(ken, { ...KEN, password: KEN.last });
  await expect(ken.getByRole("banner").getByText(OTHER)).toBeVisible();
});

test("an owner renames the account, and moves it to another zone", async ({ page }) => {
  await open(page, "#/account");
  await button(page, "Edit name and time zone").click();
  await page.getByLabel("Account name").fill("Beispiel AG");
  await page.getByLabel("Time zone").selectOption("Europe/Berlin");
  await button(page, "Save").click();
  await expect(page.getByRole("banner").getByText("Beispiel AG")).toBeVisible();
  await page.getByRole("link", { name: "Activity", exact: true }).click();
  await expect(page.getByText("Time (Europe/Berlin)")).toBeVisible();
});
