// The members of an account, on the real Workers: invite, join, change roles, rename, remove.
import { MEMBER, button, inspect, open } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { mailTo, mailsTo, signIn, signedIn } from "./support/people.mjs";

const KEN = { name: "Ken Sato", email: "ken@example.jp", password: "staple battery correct" };

// Each test goes on where the one before has ended.
test.describe.configure({ mode: "serial" });

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
  const ken = await signedIn(newPage, KEN);
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

test("a member renames themselves", async ({ page, newPage }) => {
  const ken = await signedIn(newPage, KEN, "#/profile");
  await button(ken, "Edit name and language").click();
  await ken.getByLabel("Your name").fill("佐藤 健");
  await button(ken, "Save").click();
  await expect(button(ken, "佐藤 健: settings and sign out")).toBeVisible();
  await open(page, "#/account");
  await expect(row(page, "佐藤 健")).toBeVisible();
  await button(ken, "Edit name and language").click();
  await ken.getByLabel("Your name").fill(KEN.name);
  await button(ken, "Save").click();
  await expect(ken.getByText("Your profile is saved.").first()).toBeVisible();
});

test("who is removed is signed out at once, and gets a mail", async ({ page, newPage, deployment }) => {
  const ken = await signedIn(newPage, KEN, "#/profile");
  const mails = mailsTo(deployment, KEN.email);
  await open(page, "#/account");
  await act(page, KEN.name, "Remove");
  await button(page, "Remove").click();
  await expect(page.getByText(`"${KEN.name}" is removed, and signed out everywhere.`).first()).toBeVisible();
  await mailTo(deployment, KEN.email, mails + 1);
  await ken.reload();
  await signIn(ken, KEN);
  await expect(ken.getByText("That e-mail and password don’t match an account here.")).toBeVisible();
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
