// The operator's page: accounts, their set-up links, suspending and publishing again.
import { answerInstead, problem } from "./support/answers.mjs";
import { NARROW, assertFocused, button, inspect, open, pasted } from "./support/console.mjs";
import { expect, mailboxCode, test } from "./support/fixtures.mjs";

const OTHER = {
  account_name: "Other GmbH",
  name: "Noor Haddad",
  email: "noor@example.org",
  password: "staple battery correct",
};

// The account that the first test makes is the one of the others.
test.describe.configure({ mode: "serial" });

test("an operator makes an account with a link that is shown once", async ({ page, newPage, deployment }) => {
  await open(page, "#/operator");
  await expect(page.getByRole("navigation").getByRole("link", { name: "Operator" })).toBeVisible();
  await expect(page.getByRole("row", { name: "Example KK" })).toBeVisible();
  await inspect(page, "operator-accounts");
  await button(page, "New account").click();
  await inspect(page, "operator-invite");
  await button(page, "Create link").click();

  const reveal = page.getByRole("dialog", { name: "The set-up link is ready" });
  const link = await reveal.getByLabel("Set-up link").inputValue();
  expect(link.startsWith(`${deployment.origin}/#/setup/`)).toBe(true);
  await inspect(page, "operator-link");
  await page.keyboard.press("Escape");
  await button(page, "Keep open").click();
  await button(page, "Copy link").click();
  await expect(reveal.getByText("Copied").first()).toBeVisible();
  expect(await pasted(page)).toBe(link);
  await button(page, "I have stored it").click();
  await expect(page.getByText("Waiting for set-up", { exact: true })).toBeVisible();
  expect(await page.content()).not.toContain(link);
  await assertFocused(page, "New account");

  const guest = await newPage({ storageState: undefined });
  await guest.goto(link);
  for (const [id, text] of Object.entries(OTHER)) await guest.locator(`#${id}`).fill(text);
  await button(guest, "Continue").click();
  await guest.getByLabel("Code from the mail").fill(await mailboxCode(deployment.mail, OTHER.email));
  await button(guest, "Create account").click();
  await expect(guest.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
  expect(await guest.getByRole("link", { name: "Operator" }).count(), "to others there is no such page").toBe(0);
  await guest.goto("/#/operator");
  await expect(guest.getByRole("heading", { name: "Page not found" })).toBeVisible();
});

test("an operator suspends, resumes, tunes and publishes an account again", async ({ page }) => {
  await open(page, "#/operator");
  await page.getByRole("link", { name: "Other GmbH" }).click();
  await expect(page.getByRole("heading", { name: "Other GmbH", level: 1 })).toBeVisible();
  await inspect(page, "operator-account");

  await button(page, "Suspend").click();
  const question = page.getByRole("alertdialog", { name: 'Suspend "Other GmbH"?' });
  await expect(question.getByText("within 10 s")).toBeVisible();
  await assertFocused(page, "Cancel");
  await inspect(page, "operator-suspend");
  await question.getByRole("button", { name: "Suspend" }).click();
  await expect(page.getByText(/"Other GmbH" is suspended. Refused everywhere by \d\d:/).first()).toBeVisible();
  await expect(page.getByText("Suspended", { exact: true })).toBeVisible();
  await inspect(page, "operator-suspended");
  await button(page, "Resume").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Resume" }).click();
  await expect(button(page, "Suspend")).toBeVisible();

  await button(page, "Change").click();
  await page.getByLabel("Seconds").fill("5000");
  await button(page, "Save").click();
  await expect(page.getByRole("link", { name: "Enter a whole number of seconds, from 0 to 3,600." })).toBeVisible();
  await inspect(page, "operator-freshness-refused");
  await page.getByLabel("Seconds").fill("０");
  await button(page, "Save").click();
  await expect(page.getByText("Everywhere at once: every call checks the current state.")).toBeVisible();

  await button(page, "Publish again").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Publish again" }).click();
  await expect(page.getByText('The keys of "Other GmbH" are being published again.').first()).toBeVisible();
  await expect(button(page, "Publish again")).toBeVisible();

  await button(page, "Begin a restore").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Begin a restore" }).click();
  await button(page, "Finish the restore").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Finish the restore" }).click();
  await expect(page.getByText('The restore of "Other GmbH" is finished.').first()).toBeVisible();
});

test("an operator finds accounts by status and name, and withdraws a link", async ({ page }) => {
  await open(page, "#/operator");
  await button(page, "New account").click();
  await button(page, "Create link").click();
  await button(page, "Copy link").click();
  await button(page, "I have stored it").click();
  const links = page.getByRole("navigation", { name: "Accounts by status" });
  await links.getByRole("link", { name: "Waiting for set-up: 1" }).click();
  await expect(page.getByRole("row")).toHaveCount(2);
  await inspect(page, "operator-waiting");
  await page.getByRole("link", { name: "Not set up yet" }).click();
  await button(page, "Withdraw the link").click();
  await inspect(page, "operator-withdraw");
  await page.getByRole("alertdialog").getByRole("button", { name: "Withdraw the link" }).click();
  await expect(links.getByRole("link", { name: "Waiting for set-up: 0" })).toBeVisible();
  await expect(page.getByRole("row", { name: "Example KK" })).toBeVisible();
  await page.goto("/#/operator?q=gmbh");
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByRole("searchbox", { name: "Search by name or account ID" }).fill("nothing like it");
  await expect(page.getByText("No account matches.").first()).toBeVisible();
  await inspect(page, "operator-none-match");
  await page.getByRole("link", { name: "Clear" }).click();
  await expect(page.getByRole("row", { name: "Other GmbH" })).toBeVisible();
});

test("an operator is led to Cloudflare Access where it decides", async ({ page }) => {
  await page.route("**/v1/session", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), operator_by: "access" } });
  });
  const signIn = page.getByRole("link", { name: "Sign in at Cloudflare Access" });
  // Access answers scripts so, in front of the Worker.
  await answerInstead(page, "GET", "/v1/operator/accounts", (route) => route.fulfill({ status: 401, body: "" }), 1);
  await page.goto("/#/operator");
  await expect(page.getByText("Operators sign in at Cloudflare Access.")).toBeVisible();
  await expect(signIn).toHaveAttribute("href", "/v1/operator/sign-in");
  await inspect(page, "operator-access-sign-in");
  await answerInstead(page, "GET", "/v1/operator/accounts", problem(404, "not_found"), 1);
  await page.reload();
  await expect(page.getByText("has not confirmed that you are an operator")).toBeVisible();
  await expect(signIn).toBeVisible();
  await page.reload();
  const tooOld = problem(403, "step_up_required", { methods: ["access"] });
  await answerInstead(page, "POST", "/v1/operator/accounts", tooOld, 1);
  await button(page, "New account").click();
  await button(page, "Create link").click();
  const dialog = page.getByRole("alertdialog");
  await expect(dialog.getByText("from the last ten minutes")).toBeVisible();
  await expect(dialog.getByRole("link", { name: "Sign out of Cloudflare Access" })).toBeVisible();
  await inspect(page, "operator-access-too-old");
});

test("in Japanese, on a phone of 320 px, in the dark", async ({ newPage }) => {
  const page = await newPage({ locale: "ja-JP", viewport: { ...NARROW, width: 320 }, colorScheme: "dark" });
  await open(page, "#/operator");
  await page.evaluate(() => localStorage.setItem("claviger.language", "ja"));
  await page.reload();
  await expect(page.getByRole("heading", { name: "アカウント", level: 1 })).toBeVisible();
  await expect(page.getByRole("link", { name: "Other GmbH" })).toBeVisible();
  await inspect(page, "operator-accounts-320");
  await page.getByRole("link", { name: "Other GmbH" }).click();
  await button(page, "停止する").click();
  await inspect(page, "operator-suspend-320");
  await button(page, "キャンセル").click();
  await inspect(page, "operator-account-320");
});

test("tells what could not be loaded, and tries again", async ({ page }) => {
  await answerInstead(page, "GET", "/v1/operator/accounts", problem(503, "unavailable"), 1);
  await page.goto("/#/operator");
  await expect(page.getByText("The accounts could not be loaded")).toBeVisible();
  await inspect(page, "operator-failed");
  await button(page, "Try again").click();
  await expect(page.getByRole("row", { name: "Example KK" })).toBeVisible();
  await page.goto("/#/operator/zzzzzzzz");
  await expect(page.getByRole("heading", { name: "Page not found" })).toBeVisible();
});

test("members are told that their account is suspended and that mail does not get out, owners that publishing lags", async ({
  page,
}) => {
  await page.route("**/v1/session", async (route) => {
    const answer = await route.fetch();
    const session = await answer.json();
    session.account.suspended = true;
    session.publication_lag_s = 600;
    session.mail = "failing";
    await route.fulfill({ response: answer, json: session });
  });
  await page.goto("/");
  await expect(page.getByText("This account is suspended")).toBeVisible();
  await expect(page.getByText("waiting to be published for 10 minutes")).toBeVisible();
  await expect(page.getByText("Keys cannot be deleted, but they can be disabled.")).toBeVisible();
  await inspect(page, "suspended-and-lagging");
});
