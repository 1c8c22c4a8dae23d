// The fixtures of the browser tests: the console in Chromium, on both Workers in workerd.
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { test as base, expect } from "@playwright/test";
import { start } from "../../worker/support/harness.mjs";
import { xtask } from "../../worker/support/journey.mjs";
import { codeIn, mailboxCodeTo } from "../../worker/support/mailbox.mjs";
import { ACCOUNT, MEMBER, until } from "./console.mjs";

export { expect };

export const test = base.extend({
  /** `false` starts the deployment of a file without an account. */
  hasAccount: [true, { option: true, scope: "worker" }],

  /** Both Workers and a mail box. Started once per file. */
  deployment: [
    async ({}, use) => {
      const deployment = await deploy();
      await use(deployment);
      await deployment.dispose();
    },
    { scope: "worker" },
  ],

  /** Storage state of a browser in which the account's owner is signed in. */
  session: [
    async ({ deployment, hasAccount, playwright }, use) => {
      await use(hasAccount ? await setUp(deployment, playwright.request) : undefined);
    },
    { scope: "worker" },
  ],

  // Every context of a test is signed in, unless the test overrides `storageState`.
  storageState: async ({ deployment, session, playwright }, use) => {
    await use(session && (await signedIn(deployment, playwright.request, session)));
  },
  baseURL: ({ deployment }, use) => use(deployment.origin),

  /**
   * Errors that the pages of a test reported. The test fails if any is left at its end; a test that
   * provokes one removes it.
   */
  errors: async ({}, use) => {
    const errors = [];
    await use(errors);
    expect(errors, "errors of the pages").toEqual([]);
  },

  context: async ({ errors, context }, use) => {
    collectErrors(context, errors);
    await use(context);
  },

  /** Opens a page in another browser context, with these options over the usual ones. */
  newPage: async ({ errors, browser }, use) => {
    const pages = [];
    await use(async (options) => {
      const page = await openPage(browser, errors, options);
      pages.push(page);
      return page;
    });
    for (const page of pages) await page.context().close();
  },
});

/** Opens a page in its own browser context. Its errors are added to `errors`. */
export async function openPage(browser, errors, options = {}) {
  const context = await browser.newContext({ ...options });
  collectErrors(context, errors);
  return context.newPage();
}

function collectErrors(context, errors) {
  context.on("weberror", (error) => errors.push(error.error().stack));
  context.on("console", (message) => {
    // Tests provoke refused requests. Any other error is a fault of the page or a breach of its
    // policy.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      errors.push(message.text());
    }
  });
}

/** Starts both Workers, with a console whose origin has a free port. */
async function deploy() {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const worker = await start({ port, vars: { CONSOLE_ORIGIN: origin } });
  const mail = worker.mailbox;
  return {
    origin,
    worker,
    /** Receives the mails, see `mailbox`. */
    mail,
    /** Returns the code of the `count`th message, once that has arrived. */
    async code(count = 1) {
      await until(() => mail.messages.length >= count);
      return codeIn(mail.messages[count - 1].text);
    },
    /** Calls the protected API with a key and returns the status of the answer. */
    async callApi(key) {
      const answer = await worker.fetch("api.localhost", "/", { headers: { authorization: `Bearer ${key}` } });
      return answer.status;
    },
    /** Returns the one-time link by which the first member joins, as the operator's terminal prints it. */
    setupLink: () => xtask("setup-link", origin),
    dispose: () => worker.dispose(),
  };
}

/**
 * Returns the storage state of the owner's session. Another test may have ended it: a proof of
 * identity replaces the cookie.
 */
async function signedIn({ origin }, requests, session) {
  const options = { baseURL: origin, extraHTTPHeaders: { origin }, storageState: session };
  const api = await requests.newContext(options);
  const isOver = (await api.get("/v1/session")).status() === 401;
  // A test that changes the password signs in by itself.
  if (isOver) await api.post("/v1/session", { data: { email: MEMBER.email, password: MEMBER.password } });
  Object.assign(session, await api.storageState());
  await api.dispose();
  return session;
}

/** Creates the account and its owner, and returns the storage state of that first session. */
async function setUp({ origin, setupLink, mail }, requests) {
  const api = await requests.newContext({ baseURL: origin, extraHTTPHeaders: { origin }, storageState: undefined });
  const token = setupLink().split("#/setup/")[1];
  const data = { token, account_name: ACCOUNT.name, time_zone: ACCOUNT.zone, language: "en", ...MEMBER };
  const mailed = await api.post("/v1/setup/code", { data });
  expect(mailed.status(), await mailed.text()).toBe(200);
  const code = await mailboxCode(mail, MEMBER.email);
  const answer = await api.post("/v1/setup", { data: { ...data, code } });
  expect(answer.status(), await answer.text()).toBe(201);
  const state = await api.storageState();
  await api.dispose();
  return state;
}

/** Takes the last mailbox code to an address out of the mails. */
export async function mailboxCode(mail, email) {
  await until(() => mailboxCodeTo(mail.messages, email) !== undefined);
  const { message, code } = mailboxCodeTo(mail.messages, email);
  mail.take(message);
  return code;
}

/**
 * Returns a free port of this process alone. It lies below those that systems give to outgoing
 * connections: one of these could take a port between this look and the start of workerd.
 */
async function freePort() {
  const PORTS = 4_000;
  const first = 20_000 + (Number(process.env.TEST_PARALLEL_INDEX ?? 0) % 3) * PORTS;
  for (;;) {
    const port = first + randomInt(PORTS);
    if (await isFree(port)) return port;
  }
}

/** @param {number} port */
function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.on("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
