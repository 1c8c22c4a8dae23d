// Whether a key works after its issue, and that a key without any permission is issued on purpose only.
import { assertFocusOnField, button, open, openIssue } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

const NOW = "It works everywhere now.";
const NETWORKS = "It works now, from its networks only.";
const LATER = "It works from Mon 1 Jun 2099, 00:00 (Asia/Tokyo) on.";
const LATER_NETWORKS = "It works from Mon 1 Jun 2099, 00:00 (Asia/Tokyo) on, from its networks only.";
const NO_PERMISSION = "It has no permission of this API, so it can only call what requires none.";

/** Each kind of key: what the page says of it, and of the example call. */
const KINDS = [
  { name: "Plain", says: NOW, lacks: [] },
  {
    name: "Limited",
    networks: "203.0.113.0/24",
    says: NETWORKS,
    lacks: ["From outside its networks, the answer is 403."],
  },
  {
    name: "Later",
    begins: "2099-06-01",
    says: LATER,
    lacks: ["Until Mon 1 Jun 2099, 00:00 (Asia/Tokyo), the answer is 401: the key is not valid yet."],
  },
  { name: "Both", begins: "2099-06-01", networks: "203.0.113.0/24", says: LATER_NETWORKS, lacks: [] },
  {
    name: "Writer",
    permission: "demo:write",
    says: NOW,
    lacks: ["The key lacks demo:read, so the answer is 403."],
  },
  {
    name: "Without",
    permission: "None: it can only call what requires no permission",
    says: `${NOW} ${NO_PERMISSION}`,
    lacks: ["The key lacks demo:read, so the answer is 403."],
  },
];

for (const { name, permission, networks, begins, says, lacks } of KINDS) {
  test(`a key of the kind "${name}" is said to do what it can, and no more`, async ({ page }) => {
    await open(page);
    const dialog = await openIssue(page, name, { permission });
    if (networks) await dialog.getByLabel("Networks", { exact: true }).fill(networks);
    if (begins) {
      await dialog.getByLabel("Unlimited").check();
      await dialog.getByLabel("Start later").check();
      await dialog.locator("#not_before").fill(begins);
    }
    await button(page, "Issue").click();
    const reveal = page.getByRole("dialog", { name: `"${name}" is issued.` });
    await expect(reveal.getByText(says, { exact: true })).toBeVisible();
    for (const text of lacks) await expect(reveal.getByText(text)).toBeVisible();
    if (says === NOW && !lacks.length) await expect(reveal.getByText(/the answer is 40[13]/)).toHaveCount(0);
    await reveal.getByRole("button", { name: "I have stored it" }).click();
    await expect(page.getByText(`"${name}" is issued. ${says}`, { exact: true }).first()).toBeVisible();
  });
}

test("a key without any permission is issued only if that was chosen", async ({ page }) => {
  await open(page);
  const dialog = await openIssue(page, "Nothing ticked", { permission: null });
  await button(page, "Issue").click();
  await dialog.getByRole("link", { name: "Choose at least one permission, or none on purpose." }).click();
  await assertFocusOnField(page, "permissions");
  const none = dialog.getByLabel("None: it can only call what requires no permission");
  await dialog.getByLabel("demo:read").check();
  await none.check();
  await expect(dialog.getByLabel("demo:read"), "one excludes the other").not.toBeChecked();
  await dialog.getByLabel("demo:read").check();
  await expect(none).not.toBeChecked();
});

test("the limits of keys to issue follow the key's own until they are edited", async ({ page }) => {
  await open(page);
  const dialog = await openIssue(page, "Issuer");
  await dialog.getByLabel("May issue further keys (Issuable)").check();
  const limits = dialog.getByRole("group", { name: "Limits for keys it issues" });
  const own = dialog.locator("#permissions");
  await own.getByLabel("demo:write").check();
  await own.getByLabel("demo:read").uncheck();
  await dialog.locator("#networks").fill("10.0.0.0/8");
  await expect(limits.getByLabel("demo:write")).toBeChecked();
  await expect(limits.getByLabel("demo:read")).not.toBeChecked();
  await expect(limits.getByLabel("Networks", { exact: true })).toHaveValue("10.0.0.0/8");

  await limits.getByLabel("Networks", { exact: true }).fill("10.1.0.0/16");
  await dialog.locator("#networks").fill("10.0.0.0/9");
  await expect(limits.getByLabel("Networks", { exact: true })).toHaveValue("10.1.0.0/16");
  await own.getByLabel("demo:read").check();
  await expect(limits.getByLabel("demo:read"), "permissions still follow").toBeChecked();
});
