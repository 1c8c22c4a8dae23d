// Steps and checks that the browser tests share.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { expect } from "@playwright/test";

export const MEMBER = { name: "Mei Tanaka", email: "mei@example.jp", password: "correct horse battery" };
export const ACCOUNT = { name: "Example KK", zone: "Asia/Tokyo" };

/** Viewport of a phone, in CSS pixels. The configuration has that of a desk. */
export const NARROW = { width: 375, height: 812 };

const SCREENSHOTS = fileURLToPath(new URL("../../../artifacts/screenshots/", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Opens an address of the console. */
export async function open(page, address = "") {
  await page.goto(`/${address}`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
}

export const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Returns the row of the key with this name. */
export const row = (page, name) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });

export async function fillSetUp(page) {
  await page.locator("#account_name").fill(ACCOUNT.name);
  await page.locator("#time_zone").selectOption(ACCOUNT.zone);
  await page.locator("#name").fill(MEMBER.name);
  await page.locator("#email").fill(MEMBER.email);
  await page.locator("#password").fill(MEMBER.password);
}

/** Opens the dialog that issues a key, and fills in the name. Unless it says otherwise, ticks a permission. */
export async function openIssue(page, name, { permission = "demo:read" } = {}) {
  await button(page, "Issue API Key").click();
  const dialog = page.getByRole("dialog", { name: "Issue an API key" });
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  if (permission) await dialog.getByLabel(permission).first().check();
  return dialog;
}

/** Issues a key that may read the demo API, through the dialog, and returns what it revealed. */
export async function issueKey(page, name, { store = true } = {}) {
  const dialog = await openIssue(page, name);
  await dialog.getByLabel("demo:read").first().check();
  await dialog.getByRole("button", { name: "Issue", exact: true }).click();
  const reveal = page.getByRole("dialog", { name: `"${name}" is issued.` });
  const key = await reveal.getByLabel("API key", { exact: true }).inputValue();
  if (store) await reveal.getByRole("button", { name: "I have stored it" }).click();
  return key;
}

/** Confirms the deletion that the open dialog asks about, with the code from the mail. */
export async function confirmDeletion(page, deployment) {
  const before = deployment.mail.messages.length;
  await page.getByRole("alertdialog", { name: "Delete API Key" }).getByRole("button", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete API Key" });
  await dialog.getByLabel("Authentication code").fill(await deployment.code(before + 1));
  await dialog.getByRole("button", { name: "Send", exact: true }).click();
  await expect(dialog).not.toBeAttached();
}

/** Keeps a screenshot of a state, and asserts that it breaks no rule of accessibility. */
export async function inspect(page, name) {
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
  expect(await violations(page), name).toEqual([]);
  const fits = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  expect(fits, `${name} does not scroll sideways`).toBe(true);
}

/**
 * Returns the violations that axe-core finds. The runner evaluates it: the page's policy forbids a
 * script element.
 */
async function violations(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`);
  });
}

/** Returns the label or the text of the element that has the focus. */
export const focused = (page) =>
  page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim());

/** Waits for a condition outside of the page. */
export const until = (holds) => expect.poll(holds, { intervals: [20], message: `${holds}` }).toBe(true);

/** Asserts that the field of this ID has the focus, once the page has had time to move it. */
export const assertFocusOnField = (page, id) => expect(page.locator(`#${id}`)).toBeFocused({ timeout: 5_000 });

/** Asserts the name of the element with the focus: the page moves the focus after it has drawn. */
export const assertFocused = (page, name) =>
  expect.poll(() => focused(page), { intervals: [20], timeout: 3_000 }).toBe(name);

/**
 * Returns the text on the clipboard, pasted into another page: the console's own policy forbids
 * reading it.
 */
export async function pasted(page) {
  const other = await page.context().newPage();
  await other.setContent("<textarea></textarea>");
  await other.locator("textarea").press("Control+V");
  const text = await other.locator("textarea").inputValue();
  await other.close();
  return text;
}
