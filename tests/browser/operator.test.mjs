// The operator's page: accounts, their set-up links, suspending and publishing again.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  NARROW,
  answerInstead,
  assertFocused,
  button,
  close,
  cookies,
  inspect,
  open,
  pasted,
  problem,
  stage,
  useStage,
} from "./stage.mjs";

useStage();

const OTHER = { account_name: "Other GmbH", name: "Noor Haddad", email: "noor@example.org", password: "staple battery correct" };

test("an operator makes an account with a link that is shown once", async () => {
  const page = await open("#/operator");
  await page.getByRole("navigation").getByRole("link", { name: "Operator" }).waitFor();
  await page.getByRole("row", { name: "Example KK" }).waitFor();
  await inspect(page, "operator-accounts");
  await button(page, "New account").click();
  await inspect(page, "operator-invite");
  await button(page, "Create link").click();

  const reveal = page.getByRole("dialog", { name: "The set-up link is ready" });
  const link = await reveal.getByLabel("Set-up link").inputValue();
  assert.ok(link.startsWith(`${stage.origin}/#/setup/`));
  await inspect(page, "operator-link");
  await page.keyboard.press("Escape");
  await button(page, "Keep open").click();
  await button(page, "Copy link").click();
  await reveal.getByText("Copied").first().waitFor();
  assert.equal(await pasted(page), link);
  await button(page, "I have stored it").click();
  await page.getByText("Waiting for set-up").waitFor();
  assert.ok(!(await page.content()).includes(link));
  await assertFocused(page, "New account");

  const guest = await stage.page();
  await guest.goto(link);
  for (const [id, text] of Object.entries(OTHER)) await guest.locator(`#${id}`).fill(text);
  await button(guest, "Create account").click();
  await guest.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
  assert.equal(await guest.getByRole("link", { name: "Operator" }).count(), 0, "to others there is no such page");
  await guest.goto(`${stage.origin}/#/operator`);
  await guest.getByRole("heading", { name: "Page not found" }).waitFor();
  await close(guest);
  await close(page);
});

test("an operator suspends, resumes, tunes and publishes an account again", async () => {
  const page = await open("#/operator");
  await page.getByRole("link", { name: "Other GmbH" }).click();
  await page.getByRole("heading", { name: "Other GmbH", level: 1 }).waitFor();
  await inspect(page, "operator-account");

  await button(page, "Suspend").click();
  const question = page.getByRole("alertdialog", { name: 'Suspend "Other GmbH"?' });
  await question.getByText("within 10 s").waitFor();
  await assertFocused(page, "Cancel");
  await inspect(page, "operator-suspend");
  await question.getByRole("button", { name: "Suspend" }).click();
  await page.getByText(/"Other GmbH" is suspended. Refused everywhere by \d\d:/).first().waitFor();
  await page.getByText("Suspended", { exact: true }).waitFor();
  await inspect(page, "operator-suspended");
  await button(page, "Resume").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Resume" }).click();
  await button(page, "Suspend").waitFor();

  await button(page, "Change").click();
  await page.getByLabel("Seconds").fill("5000");
  await button(page, "Save").click();
  await page.getByRole("link", { name: "Enter a whole number of seconds, from 0 to 3,600." }).waitFor();
  await inspect(page, "operator-freshness-refused");
  await page.getByLabel("Seconds").fill("０");
  await button(page, "Save").click();
  await page.getByText("Everywhere at once: every call checks the current state.").waitFor();

  await button(page, "Publish again").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Publish again" }).click();
  await page.getByText('The keys of "Other GmbH" are being published again.').first().waitFor();
  await button(page, "Publish again").waitFor();

  await button(page, "Begin a restore").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Begin a restore" }).click();
  await button(page, "Finish the restore").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Finish the restore" }).click();
  await page.getByText('The restore of "Other GmbH" is finished.').first().waitFor();
  await close(page);
});

test("in Japanese, on a phone of 320 px, in the dark", async () => {
  const options = { locale: "ja-JP", viewport: { ...NARROW, width: 320 }, colorScheme: "dark" };
  const page = await open("#/operator", options);
  await button(page, "日本語").count();
  await page.evaluate(() => localStorage.setItem("claviger.language", "ja"));
  await page.reload();
  await page.getByRole("heading", { name: "アカウント", level: 1 }).waitFor();
  await page.getByRole("link", { name: "Other GmbH" }).waitFor();
  await inspect(page, "operator-accounts-320");
  await page.getByRole("link", { name: "Other GmbH" }).click();
  await button(page, "停止する").click();
  await inspect(page, "operator-suspend-320");
  await button(page, "キャンセル").click();
  await inspect(page, "operator-account-320");
  await close(page);
});

test("tells what could not be loaded, and tries again", async () => {
  const page = await stage.page({ cookies });
  await answerInstead(page, "GET", "/v1/operator/accounts", problem(503, "unavailable"), 1);
  await page.goto(`${stage.origin}/#/operator`);
  await page.getByText("The accounts could not be loaded").waitFor();
  await inspect(page, "operator-failed");
  await button(page, "Try again").click();
  await page.getByRole("row", { name: "Example KK" }).waitFor();
  await page.goto(`${stage.origin}/#/operator/zzzzzzzz`);
  await page.getByRole("heading", { name: "Page not found" }).waitFor();
  await close(page);
});

test("members are told that their account is suspended and that mail does not get out, owners that publishing lags", async () => {
  const page = await stage.page({ cookies });
  await page.route("**/v1/session", async (route) => {
    const answer = await route.fetch();
    const session = await answer.json();
    session.account.suspended = true;
    session.publication_lag_s = 600;
    session.mail = "failing";
    await route.fulfill({ response: answer, json: session });
  });
  await page.goto(`${stage.origin}/`);
  await page.getByText("This account is suspended").waitFor();
  await page.getByText("waiting to be published for 10 minutes").waitFor();
  await page.getByText("Keys cannot be deleted, but they can be disabled.").waitFor();
  await inspect(page, "suspended-and-lagging");
  await close(page);
});
