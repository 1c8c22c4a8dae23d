// The runner of the browser tests: `npm test -- browser`. It drives a Chromium that is installed
// already, which the environment variable CHROMIUM may name.
import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "@playwright/test";

/** Folder of the tests. */
const TESTS = fileURLToPath(new URL(".", import.meta.url));

/** Test files, the largest first: then the workers end at about the same time. */
const files = readdirSync(TESTS)
  .filter((name) => name.endsWith(".test.mjs"))
  .sort((a, b) => statSync(TESTS + b).size - statSync(TESTS + a).size);

export default defineConfig({
  testDir: TESTS,
  // Worker-scoped fixtures live as long as a project. One project a file gives each file its own
  // deployment with its own account.
  projects: files.map((file) => ({ name: file.replace(".test.mjs", ""), testMatch: file })),
  outputDir: fileURLToPath(new URL("../../artifacts/browser/", import.meta.url)),
  reporter: "list",
  workers: 2,
  // A test that passes at its second try has found something.
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  // Some tests wait twice for the staleness bound of ten seconds.
  timeout: 60_000,
  expect: { timeout: 10_000 },
  use: {
    actionTimeout: 10_000,
    navigationTimeout: 10_000,
    locale: "en-GB",
    timezoneId: "Europe/Lisbon",
    viewport: { width: 1280, height: 900 },
    permissions: ["clipboard-write"],
    contextOptions: { reducedMotion: "reduce" },
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // No argument turns web security off: the tests must fail where the page breaks its policy.
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
