// An API user from the first to the last click, on the real Workers (rows C01 to C16).
import { act, dialogOf, fillKey, openAdd, row } from "./support/api-users.mjs";
import { MEMBER, button, open } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

const NAME = "app@example.com";

test("C01 to C16: an API user is added, edited, locked, deleted and restored", async ({ page }) => {
  await open(page, "#/api-users");
  await expect(page.getByText("No API users yet.")).toBeVisible();

  // C02 to C04: the server's own refusals stand at the fields.
  let dialog = await openAdd(page, "app");
  await fillKey(dialog);
  await button(page, "Add").click();
  await expect(dialog.getByText("Enter a user name in the form of an e-mail address").first()).toBeVisible();
  await expect(dialog.getByLabel("API key", { exact: true })).toHaveValue("");
  await dialog.getByLabel("User name").fill("App@Example.com");
  await fillKey(dialog, "password1");
  await button(page, "Add").click();
  await expect(dialog.getByText("among the first that others try").first()).toBeVisible();
  await dialog.getByLabel("API key", { exact: true }).fill("Tr4ffic!");
  await dialog.getByLabel("API key (confirmation)").fill("Tr4ffic?");
  await button(page, "Add").click();
  await expect(dialog.getByText("The two API keys differ. Enter them again.").first()).toBeVisible();

  // C05 to C11: it is added as it was filled in.
  await fillKey(dialog);
  await dialog.getByLabel("Admin").check();
  await dialog.getByLabel("May view data including e-mail addresses").check();
  await dialog.getByLabel("HTTP").check();
  await dialog.getByLabel("SMTP").check();
  await dialog.getByLabel("Time zone").selectOption("Europe/Paris");
  await button(page, "Add").dblclick();
  await dialogOf(page, `Set up mail for ${NAME}`).getByRole("button", { name: "Close" }).last().click();
  await expect(page.getByText(`"${NAME}" is added. It works everywhere now.`).first()).toBeVisible();
  await expect(page.getByText("1 API user ·")).toBeVisible();
  for (const text of ["Active", "Admin", "HTTP, SMTP", "Anywhere", "Never used"])
    await expect(row(page, NAME).getByText(text, { exact: true })).toBeVisible();

  // C02: the name is unique.
  dialog = await openAdd(page, NAME.toUpperCase());
  await fillKey(dialog);
  await button(page, "Add").click();
  await expect(dialog.getByText("Another API user has this name.").first()).toBeVisible();
  await button(page, "Cancel").click();

  // C12 to C14.
  await button(page, NAME).click();
  dialog = dialogOf(page, `Edit "${NAME}"`);
  await expect(dialog.getByLabel("Time zone")).toHaveValue("Europe/Paris");
  await dialog.getByLabel("SMTP").uncheck();
  await dialog.getByLabel("Networks", { exact: true }).fill("203.0.113.9");
  await button(page, "Save").click();
  await expect(page.getByText(/is saved\. The new limits hold everywhere by/).first()).toBeVisible();
  await expect(row(page, NAME).getByText("203.0.113.9", { exact: true })).toBeVisible();
  await button(page, NAME).click();
  await dialog.getByLabel("Change API key").check();
  await dialog.getByLabel("Generate it").check();
  await button(page, "Save").click();
  const reveal = dialogOf(page, `The API key of ${NAME}`);
  await expect(reveal.getByLabel("API key", { exact: true })).toHaveValue(/^[0-9A-Za-z]{43}$/);
  await expect(reveal.getByText(/The old API key is refused everywhere by/)).toBeVisible();
  await button(page, "I have stored it").click();

  // C15.
  await act(page, NAME, "Lock");
  await button(page, "Lock").click();
  await expect(page.getByText(/is locked\. Refused everywhere by/).first()).toBeVisible();
  await act(page, NAME, "Unlock");
  await button(page, "Unlock").click();
  await expect(page.getByText(/is unlocked\./).first()).toBeVisible();

  // C16: a wrong password deletes nothing.
  await act(page, NAME, "Delete");
  const password = page.getByLabel("Password", { exact: true });
  for (const typed of ["not the password", MEMBER.password]) {
    await password.fill(typed);
    await button(page, "Continue").click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    if (typed !== MEMBER.password)
      await expect(page.getByText("That password doesn’t match. Enter it again.")).toBeVisible();
  }
  await expect(page.getByText(/is deleted\. Refused everywhere by .* Can be restored until/).first()).toBeVisible();
  await page.goto("/#/api-users?status=deleted");
  await expect(row(page, NAME).getByText("Deleted", { exact: true })).toBeVisible();
  await act(page, NAME, "Restore");
  await button(page, "Restore").click();
  await expect(page.getByText(`"${NAME}" is restored.`).first()).toBeVisible();

  // Its page and the activity name what was done.
  await button(page, `Actions for ${NAME}`).click();
  await page.getByRole("link", { name: "Open" }).click();
  await expect(page.getByRole("heading", { name: NAME, level: 1 })).toBeVisible();
  await expect(page.locator(".activity strong")).toHaveText([
    "API user restored",
    "API user deleted",
    "API user unlocked",
    "API user locked",
    "API user edited",
    "API user edited",
    "API user added",
  ]);
  await expect(page.getByText("Interfaces: http, smtp → http")).toBeVisible();
  await page.goto("/#/activity");
  await expect(page.getByRole("link", { name: NAME, exact: true }).first()).toBeVisible();
});
