// Keys of members without MFA, where the account's policy demands it.
import { NARROW, assertFocused, button, inspect, issueKey, open, row } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

// The first test issues the keys of the others.
test.describe.configure({ mode: "serial" });

/** Sets or lifts the demand, as the operator of the first account. */
async function demandMfa(page, demands_mfa) {
  const headers = { origin: new URL(page.url()).origin };
  const { account } = await (await page.request.get("/v1/session")).json();
  const path = `/v1/operator/accounts/${account.id}/policy`;
  const { revision } = await (await page.request.get(path)).json();
  const data = { demands_mfa };
  const answer = await page.request.put(path, { data, headers: { ...headers, "if-match": `"${revision}"` } });
  expect(answer.status(), await answer.text()).toBe(200);
}

/** Shows the keys as those of another member, who may have left. */
async function ofAnother(page, removed) {
  const change = (key) => key.mfa_off && Object.assign(key.mfa_off, { id: "0123456789A", name: "Ken Sato", removed });
  await page.route(/\/v1\/keys(\/\w+)?(\?.*)?$/, async (route) => {
    const answer = await route.fetch();
    const json = await answer.json();
    for (const key of json.keys ?? [json]) change(key);
    await route.fulfill({ response: answer, json });
  });
}

test("a key says that MFA is off in the list, by the filter, on its page and when it is activated", async ({
  page,
  deployment,
}) => {
  await open(page);
  const key = await issueKey(page, "Build server");
  await issueKey(page, "Cron");
  await demandMfa(page, true);
  await page.reload();
  for (const name of ["Build server", "Cron"]) {
    await expect(row(page, name).getByText("MFA off", { exact: true })).toBeVisible();
    await expect(row(page, name).getByText("until you turn MFA on")).toBeVisible();
  }
  await expect(page.getByRole("table").getByText("Active", { exact: true })).toHaveCount(0);
  expect(await deployment.callApi(key)).toBe(401);
  await inspect(page, "mfa-off-list");

  // By the filter
  await page.getByText("Filters", { exact: true }).click();
  await page.getByLabel("Status", { exact: true }).selectOption("Active");
  await expect(row(page, "Cron")).toHaveCount(0);
  await page.getByLabel("Status", { exact: true }).selectOption("MFA off");
  await expect(row(page, "Cron")).toBeVisible();

  // On its page
  await page.getByRole("link", { name: "Build server", exact: true }).click();
  await expect(page.getByText("Your MFA is off, so your key is refused until you turn MFA on.")).toBeVisible();
  await expect(page.getByRole("link", { name: "Set up MFA" })).toHaveAttribute("href", "#/profile/mfa");
  await expect(page.getByText("MFA off", { exact: true })).toBeVisible();
  await inspect(page, "mfa-off-key");

  // Disabled is what it is first, and activating it does not get round the demand.
  await button(page, "Disable").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Disable" }).click();
  // The history below may say it, too.
  await expect(page.getByText("Disabled", { exact: true }).first()).toBeVisible();
  await button(page, "Activate").click();
  const question = page.getByRole("alertdialog", { name: 'Activate "Build server"?' });
  await expect(question.getByText("It stays refused until you turn MFA on.")).toBeVisible();
  await inspect(page, "mfa-off-activate");
  await question.getByRole("button", { name: "Activate" }).click();
  await expect(
    page.getByText('"Build server" is enabled. It stays refused until you turn MFA on.').first(),
  ).toBeVisible();
  await assertFocused(page, "Disable");
  await expect(page.getByText("MFA off", { exact: true })).toBeVisible();
});

test("the key of another member names whom it waits for, also one who left", async ({ page }) => {
  await ofAnother(page, false);
  await open(page);
  await expect(row(page, "Cron").getByText("until Ken Sato turns MFA on")).toBeVisible();
  await page.getByRole("link", { name: "Cron", exact: true }).click();
  await expect(page.getByText("This key is Ken Sato’s, and MFA is off for Ken Sato.")).toBeVisible();
  await expect(page.getByRole("link", { name: "Set up MFA" })).toHaveCount(0);
  await inspect(page, "mfa-off-other");
  await page.unrouteAll();
  await ofAnother(page, true);
  await page.reload();
  await expect(page.getByText("This key was Ken Sato’s, who left the account without MFA.")).toBeVisible();
  await open(page);
  await expect(row(page, "Cron").getByText("Ken Sato, who left, had no MFA")).toBeVisible();
});

test("in Japanese, on a phone, in the dark", async ({ newPage, page }) => {
  const phone = await newPage({ locale: "ja-JP", viewport: NARROW, colorScheme: "dark" });
  await open(phone);
  await phone.evaluate(() => localStorage.setItem("claviger.language", "ja"));
  await phone.reload();
  const card = phone.getByRole("listitem").filter({ has: phone.getByRole("link", { name: "Cron", exact: true }) });
  await expect(card.getByText("MFAオフ", { exact: true })).toBeVisible();
  await expect(card.getByText("ご自身のMFAをオンにするまで")).toBeVisible();
  await inspect(phone, "mfa-off-cards-ja");
  await phone.getByRole("link", { name: "Cron", exact: true }).click();
  await expect(phone.getByText("オンにするまでこのキーは拒否されます。")).toBeVisible();
  await inspect(phone, "mfa-off-key-ja");
  // Nothing is left of it, nor the filter, once the demand is lifted.
  await open(page);
  await demandMfa(page, false);
  await page.reload();
  await expect(row(page, "Cron").getByText("Active", { exact: true })).toBeVisible();
  await page.getByText("Filters", { exact: true }).click();
  await expect(page.getByLabel("Status", { exact: true }).getByRole("option", { name: "MFA off" })).toHaveCount(0);
});
