// The console in a browser, on the real Worker. Each test file has a stage of its own: one Worker,
// one account.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { start } from "../worker/support/harness.mjs";
import { codeIn, mailbox } from "../worker/support/mailbox.mjs";
import { setupLink } from "./setup-link.mjs";

export const MEMBER = { name: "Mei Tanaka", email: "mei@example.jp", password: "correct horse battery" };
export const ACCOUNT = { name: "Example KK", zone: "Asia/Tokyo" };

/** Wide as a desk, narrow as a phone. */
export const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 375, height: 812 };

const SCREENSHOTS = fileURLToPath(new URL("../../artifacts/screenshots/", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Nothing here turns web security off: what the policy of the page forbids must fail in these tests
// too.
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The stage of the test file that runs, and the cookies that sign its member in. Both are there once the tests begin. */
export let stage;
export let cookies;

/**
 * Opens the file's stage before its tests and closes it after them.
 * @param {object} [options]
 * @param {boolean} [options.empty] without an account
 * @param {() => Promise<void>} [options.prepare] what comes next; hooks of a file do not wait for each other
 * @param {() => Promise<void>} [options.clear] what comes before the end
 */
export function useStage({ empty = false, prepare, clear } = {}) {
  before(async () => {
    stage = await openStage();
    if (!empty) cookies = await stage.setUp();
    await prepare?.();
  });
  after(async () => {
    await clear?.();
    await stage.close();
  });
}

/** Opens an address of the console on a page of its own, with the member signed in. */
export async function open(address = "", options = {}) {
  const page = await stage.page({ cookies, ...options });
  await page.goto(`${stage.origin}/${address}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

export const button = (page, name) => page.getByRole("button", { name, exact: true });

/** The row of the key of this name. */
export const row = (page, name) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });

/** Starts a Worker whose console has an origin of its own, and a Chromium to look at it. */
export async function openStage() {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const ring = masterSecret();
  const mail = await mailbox();
  const { MAIL_API_KEY, ...vars } = mail.settings;
  const worker = await start({
    port,
    vars: { CONSOLE_ORIGIN: origin, ...vars },
    secrets: { MASTER_SECRET: ring, MAIL_API_KEY },
  });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ARGUMENTS,
  });
  mkdirSync(SCREENSHOTS, { recursive: true });

  const stage = {
    origin,
    worker,
    /** Where mails go, see `mailbox`. */
    mail,
    /** The code of the `count`th message, once it has come. */
    async code(count = 1) {
      await until(() => mail.messages.length >= count);
      return codeIn(mail.messages[count - 1].text);
    },
    /** What a caller of the protected API is answered. */
    async callApi(key) {
      const answer = await worker.fetch("api.localhost", "/", { headers: { authorization: `Bearer ${key}` } });
      return answer.status;
    },
    /** A page in a browser profile of its own. Its errors fail the test that closes it. */
    async page({ locale = "en-GB", viewport = WIDE, cookies, ...context } = {}) {
      const profile = await browser.newContext({
        locale,
        viewport,
        timezoneId: "Europe/Lisbon",
        reducedMotion: "reduce",
        ...context,
      });
      if (cookies) await profile.addCookies(cookies);
      await profile.grantPermissions(["clipboard-write"], { origin });
      // The longest wait is for a bound of ten seconds, and says so itself.
      profile.setDefaultTimeout(10_000);
      const page = await profile.newPage();
      page.errors = [];
      page.on("pageerror", (error) => page.errors.push(error.stack));
      page.on("console", (message) => {
        // A refused request is the matter of a test; anything else here is a fault of the page or a
        // breach of its policy.
        if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
          page.errors.push(message.text());
      });
      return page;
    },
    setupLink: () => setupLink(origin, ring),
    /** Makes the account and its owner; the cookies of that first session sign other pages in. */
    async setUp() {
      const page = await stage.page();
      await page.goto(stage.setupLink());
      await fillSetUp(page);
      await page.getByRole("button", { name: "Create account" }).click();
      await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
      const cookies = await page.context().cookies();
      await close(page);
      return cookies;
    },
    async close() {
      await browser.close();
      await worker.dispose();
      await mail.close();
    },
  };
  return stage;
}

export async function fillSetUp(page) {
  await page.locator("#account_name").fill(ACCOUNT.name);
  await page.locator("#time_zone").selectOption(ACCOUNT.zone);
  await page.locator("#name").fill(MEMBER.name);
  await page.locator("#email").fill(MEMBER.email);
  await page.locator("#password").fill(MEMBER.password);
}

/** Issues a key that may read the demo API, through the dialog, and returns what it revealed. */
export async function issueKey(page, name, { store = true } = {}) {
  await page.getByRole("button", { name: "Issue API Key" }).click();
  const dialog = page.getByRole("dialog", { name: "Issue an API key" });
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByLabel("demo:read").first().check();
  await dialog.getByRole("button", { name: "Issue", exact: true }).click();
  const reveal = page.getByRole("dialog", { name: `"${name}" is issued.` });
  const key = await reveal.getByLabel("API key", { exact: true }).inputValue();
  if (store) await reveal.getByRole("button", { name: "I have stored it" }).click();
  return key;
}

/** Deletes what the open dialog asks about, with the code from the mail. */
export async function confirmDeletion(page, stage) {
  const before = stage.mail.messages.length;
  await page.getByRole("alertdialog", { name: "Delete API Key" }).getByRole("button", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete API Key" });
  await dialog.getByLabel("Authentication code").fill(await stage.code(before + 1));
  await dialog.getByRole("button", { name: "Send", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Ends a page and tells what went wrong in it. */
export async function close(page) {
  await page.context().close();
  assert.deepEqual(page.errors, []);
}

/** Keeps the picture of a state, and holds the state to the rules of accessibility. */
export async function inspect(page, name) {
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
  assert.deepEqual(await violations(page), [], name);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} scrolls sideways`);
}

/** What axe-core finds. It is evaluated from outside, where the page's policy does not reach. */
async function violations(page) {
  const session = await page.context().newCDPSession(page);
  const expression = `${AXE}; axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html.slice(0, 200)).join(" | ")))`;
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    expression,
    awaitPromise: true,
    returnByValue: true,
  });
  assert.equal(exceptionDetails, undefined);
  return result.value;
}

/** The element that has the focus, as its text or its label. */
export const focused = (page) =>
  page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim());

/** Waits for something outside of the page, which tells nobody when it happens. */
export async function until(holds) {
  const end = Date.now() + 10_000;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `never: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits for the field of this ID to have the focus: a page moves it after it has shown what it says. */
export const assertFocusOnField = (page, id) =>
  page.waitForFunction((id) => document.activeElement.id === id, id, { timeout: 5_000 });

/** Asserts where the focus is, once the page has had time to move it: it does so after it has drawn. */
export async function assertFocused(page, name) {
  const end = Date.now() + 3000;
  while ((await focused(page)) !== name && Date.now() < end) await page.waitForTimeout(20);
  assert.equal(await focused(page), name);
}

/** What is on the clipboard, as another page is given it: the console's own policy lets nobody read there. */
export async function pasted(page) {
  const other = await page.context().newPage();
  await other.setContent("<textarea></textarea>");
  await other.locator("textarea").press("Control+V");
  const text = await other.locator("textarea").inputValue();
  await other.close();
  return text;
}

/** Answers one request in the server's place. `times` counts the requests that are caught; later ones go through. */
export async function answerInstead(page, method, path, respond, times = Infinity) {
  let left = times;
  await page.route(
    (url) => url.pathname === path,
    (route) => {
      if (route.request().method() !== method || left <= 0) return route.fallback();
      left -= 1;
      return respond(route);
    },
  );
}

/** A problem document, as the server writes them. */
export const problem =
  (status, code, members = {}, headers = {}) =>
  (route) =>
    route.fulfill({
      status,
      contentType: "application/problem+json",
      headers,
      body: JSON.stringify({ type: "about:blank", title: code, status, code, ...members }),
    });

/** A ring of one generation, which set-up links are made with too. */
function masterSecret() {
  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const secret = Array.from({ length: 43 }, () => alphabet[randomInt(alphabet.length)]).join("");
  return JSON.stringify([{ id: "browsers", secret }]);
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
