// The key pair of a member under the policy *registry*, and the operator who sets the policy.
import { NARROW, assertFocused, button, inspect, open, pasted } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

// The policy that the first test sets is the one of the others.
test.describe.configure({ mode: "serial" });

const section = (page, name = "Your key pair") => page.getByRole("region", { name });

/** Changes fields of the policy of the first account, as its operator. */
async function setPolicy(page, body) {
  const headers = { origin: new URL(page.url()).origin };
  const { account } = await (await page.request.get("/v1/session")).json();
  const path = `/v1/operator/accounts/${account.id}/policy`;
  const { revision } = await (await page.request.get(path)).json();
  const answer = await page.request.put(path, { data: body, headers: { ...headers, "if-match": `"${revision}"` } });
  expect(answer.status(), await answer.text()).toBe(200);
}

test("an operator sees what a policy concerns before it is set", async ({ page }) => {
  await open(page, "#/operator");
  await page.getByRole("link", { name: "Example KK" }).click();
  await expect(page.getByRole("region", { name: "Key policy" }).getByText("Portal")).toBeVisible();
  await button(page, "Change policy").click();
  const form = page.getByRole("dialog", { name: "Key policy" });
  await form.getByLabel("Registry").check();
  await expect(form.getByLabel("Keys for each member")).toHaveValue("one");
  await expect(form.getByLabel("Keys need MFA")).toBeChecked();
  await inspect(page, "policy-form");
  await form.getByLabel("Longest lifetime of a key").selectOption("90d");
  await button(page, "Preview").click();
  await expect(form.getByRole("link", { name: /no longer than the longest one/ })).toBeVisible();
  await form.getByLabel("Longest lifetime of a key").selectOption("1y");
  await button(page, "Preview").click();
  const question = page.getByRole("alertdialog", { name: 'Change the policy of "Example KK"?' });
  await expect(question.getByText("1 owner or administrator must set up MFA")).toBeVisible();
  await assertFocused(page, "Cancel");
  await inspect(page, "policy-preview");
  await question.getByRole("button", { name: "Change policy" }).click();
  await expect(page.getByText('The policy of "Example KK" is changed.').first()).toBeVisible();
  await expect(page.getByRole("region", { name: "Key policy" }).getByText("Registry")).toBeVisible();
  // Members read it on the page of their account.
  await page.goto("/#/account");
  await expect(page.getByText("One key pair", { exact: true })).toBeVisible();
});

test("S01 to S13: a pair is generated, shown once, switched off and on, renamed and deleted", async ({
  page,
  deployment,
}) => {
  await open(page);
  const pair = section(page);
  // S01
  await expect(pair.getByRole("link", { name: "Set up MFA" })).toHaveAttribute("href", "#/profile/mfa");
  await inspect(page, "pair-mfa");
  await setPolicy(page, { demands_mfa: false });
  await page.reload();
  // S02
  await expect(pair.getByText(/A pair that you generate now works until .*\(Asia\/Tokyo\)\./)).toBeVisible();
  await inspect(page, "pair-none");
  // S03
  await button(page, "Generate New Key").click();
  const form = page.getByRole("dialog", { name: "Generate New Key" });
  await expect(form.getByLabel("Name", { exact: true })).toHaveValue("Mei Tanaka’s key pair");
  await form.getByLabel("Name", { exact: true }).fill("");
  await button(page, "Generate").click();
  await expect(form.getByRole("link", { name: "Enter a name." })).toBeVisible();
  await form.getByLabel("Name", { exact: true }).fill("Laptop");
  await inspect(page, "pair-form");
  await button(page, "Generate").click();
  const reveal = page.getByRole("dialog", { name: "Your key pair is generated." });
  const accessKey = await reveal.getByLabel("Access key", { exact: true }).inputValue();
  const secret = await reveal.getByLabel("Access secret", { exact: true }).inputValue();
  await expect(reveal.getByText("Active", { exact: true })).toBeVisible();
  await expect(reveal.getByText("Expiration date")).toBeVisible();
  await inspect(page, "pair-reveal");
  // S04: nothing closes it by mistake.
  await page.keyboard.press("Escape");
  await button(page, "Keep open").click();
  await reveal.getByRole("button", { name: "Copy access secret" }).click();
  expect(await pasted(page)).toBe(secret);
  await button(page, "I have stored it").click();
  const toggle = pair.getByRole("switch", { name: "Laptop active" });
  await expect(toggle).toBeFocused();
  expect(await page.content()).not.toContain(secret);
  await expect(pair.getByText(accessKey, { exact: true })).toBeVisible();
  await expect(button(page, "Generate New Key")).toHaveCount(0);
  expect(await deployment.callApi(accessKey + secret)).toBe(200);
  await inspect(page, "pair-active");

  // S07, S08: the question moves nothing.
  await expect(toggle).toBeChecked();
  await toggle.press("Space");
  const disable = page.getByRole("alertdialog", { name: 'Disable "Laptop"?' });
  await expect(toggle).toBeChecked();
  await disable.getByRole("button", { name: "Cancel" }).click();
  await expect(toggle).toBeChecked();
  await toggle.click();
  await disable.getByRole("button", { name: "Disable" }).click();
  await expect(toggle).not.toBeChecked();
  await expect(pair.getByText("Disabled", { exact: true })).toBeVisible();
  await expect(pair.getByText(/"Laptop" is disabled\. Refused everywhere by/)).toBeVisible();
  expect(await deployment.callApi(accessKey + secret)).toBe(401);
  await inspect(page, "pair-disabled");
  // S09
  await toggle.click();
  const enable = page.getByRole("alertdialog", { name: 'Activate "Laptop"?' });
  await enable.getByRole("button", { name: "Cancel" }).click();
  await expect(toggle).not.toBeChecked();
  await toggle.click();
  await enable.getByRole("button", { name: "Activate" }).click();
  await expect(toggle).toBeChecked();
  expect(await deployment.callApi(accessKey + secret)).toBe(200);

  // S10
  await setPolicy(page, { demands_mfa: true });
  await page.reload();
  await expect(pair.getByText("MFA is off, so this pair is refused. It works again once MFA is on.")).toBeVisible();
  expect(await deployment.callApi(accessKey + secret)).toBe(401);
  await inspect(page, "pair-mfa-off");
  await setPolicy(page, { demands_mfa: false });
  await page.reload();
  await expect(pair.getByText("Active", { exact: true })).toBeVisible();
  expect(await deployment.callApi(accessKey + secret)).toBe(200);

  // S11
  const regenerate = pair.getByRole("button", { name: "Regenerate" });
  const again = page.getByRole("alertdialog", { name: 'Get a new key pair for "Laptop"?' });
  await regenerate.click();
  await inspect(page, "pair-regenerate");
  await again.getByRole("button", { name: "Cancel" }).click();
  expect(await deployment.callApi(accessKey + secret)).toBe(200);
  await regenerate.click();
  await again.getByRole("button", { name: "Get New Key" }).click();
  const renewed = page.getByRole("dialog", { name: '"Laptop" has a new key pair.' });
  const nextKey = await renewed.getByLabel("Access key", { exact: true }).inputValue();
  const nextSecret = await renewed.getByLabel("Access secret", { exact: true }).inputValue();
  await button(page, "I have stored it").click();
  await expect(pair.getByText(nextKey, { exact: true })).toBeVisible();
  expect(await deployment.callApi(accessKey + secret)).toBe(401);
  expect(await deployment.callApi(nextKey + nextSecret)).toBe(200);

  // S13
  await button(page, "Rename").click();
  const rename = page.getByRole("dialog", { name: 'Rename "Laptop"' });
  await rename.getByLabel("Name", { exact: true }).fill("Desk");
  await rename.getByRole("button", { name: "Rename" }).click();
  await expect(pair.getByText('"Desk" is the new name.')).toBeVisible();
  // An owner has the keys of all members below, with the pair among them.
  const others = page.getByRole("region", { name: "Keys of all members" });
  await expect(others.getByRole("link", { name: "Desk" })).toBeVisible();

  // S12
  await pair.getByRole("button", { name: "Delete" }).click();
  const question = page.getByRole("alertdialog", { name: "Delete API Key" });
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(pair.getByText(nextKey, { exact: true })).toBeVisible();
  await pair.getByRole("button", { name: "Delete" }).click();
  await inspect(page, "pair-delete");
  await question.getByRole("button", { name: "Delete" }).click();
  await expect(button(page, "Generate New Key")).toBeVisible();
  await assertFocused(page, "Your key pair");
  expect(await deployment.callApi(nextKey + nextSecret)).toBe(401);
});

test("in Japanese, on a phone, in the dark", async ({ newPage }) => {
  const page = await newPage({ locale: "ja-JP", viewport: NARROW, colorScheme: "dark" });
  await open(page);
  await page.evaluate(() => localStorage.setItem("claviger.language", "ja"));
  await page.reload();
  const pair = section(page, "あなたのキーペア");
  await expect(pair.getByText(/今生成すると、.*まで使えます。/)).toBeVisible();
  await inspect(page, "pair-none-ja");
  await button(page, "新しいキーを生成").click();
  await inspect(page, "pair-form-ja");
  await button(page, "生成").click();
  await expect(page.getByRole("dialog", { name: "キーペアを生成しました。" })).toBeVisible();
  await inspect(page, "pair-reveal-ja");
  await button(page, "保存しました").click();
  const toggle = pair.getByRole("switch");
  await expect(toggle).toBeChecked();
  await inspect(page, "pair-active-ja");
  await toggle.click();
  await inspect(page, "pair-disable-ja");
  await button(page, "無効にする").click();
  await expect(toggle).not.toBeChecked();
  await inspect(page, "pair-disabled-ja");
  await page.goto("/#/account");
  await expect(page.getByText("キーのポリシー")).toBeVisible();
  await inspect(page, "account-policy-ja");
  await page.goto("/#/operator");
  await page.getByRole("link", { name: "Example KK" }).click();
  await button(page, "ポリシーを変更").click();
  await page.getByLabel("ポータル").check();
  await inspect(page, "policy-form-ja");
  await button(page, "影響を確認").click();
  await expect(page.getByText("1件のキーは、メンバーがアカウントを離れても使えるようになります。")).toBeVisible();
  await inspect(page, "policy-preview-ja");
});

test("S01 a viewer is told whom to ask", async ({ page }) => {
  await page.route("**/v1/session", async (route) => {
    const answer = await route.fetch();
    const session = await answer.json();
    session.member.role = "viewer";
    await route.fulfill({ response: answer, json: session });
  });
  const owners = ["Mei Tanaka", "Noor Haddad"];
  const json = { key: null, missing: "permission", owners, expires_at: null, now: new Date().toISOString() };
  await page.route("**/v1/key-pair", (route) => route.fulfill({ json }));
  await open(page);
  await expect(section(page).getByText("Ask Mei Tanaka or Noor Haddad.")).toBeVisible();
  await expect(page.getByRole("region", { name: "Keys of all members" })).toHaveCount(0);
  await expect(button(page, "Generate New Key")).toHaveCount(0);
  await inspect(page, "pair-viewer");
});
