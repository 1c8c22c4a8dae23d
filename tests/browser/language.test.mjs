// The language and the theme of the console: chosen in this browser, and loaded when they are shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MEMBER, close, cookies, inspect, stage, useStage } from "./stage.mjs";

useStage();

test("loads the language that it shows, and another one when it is chosen", async () => {
  const page = await stage.page({ cookies });
  const files = [];
  page.on("request", (request) => files.push(new URL(request.url()).pathname));
  const languages = () => files.flatMap((path) => /^\/(en|ja)-\w+\.js$/.exec(path)?.[1] ?? []);
  await page.goto(stage.origin);
  await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
  assert.deepEqual(languages(), ["en"]);
  await page.getByRole("button", { name: `${MEMBER.name}: settings and sign out` }).click();
  await page.getByRole("radio", { name: "日本語" }).check();
  await page.getByRole("heading", { name: "APIキー", level: 1 }).waitFor();
  assert.deepEqual(languages(), ["en", "ja"]);
  await close(page);
});

test("keeps its language while another cannot be loaded, and without any says so in both", async () => {
  const page = await stage.page({ cookies });
  await page.route(/\/ja-\w+\.js$/, (route) => route.abort());
  await page.goto(stage.origin);
  await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
  await page.getByRole("button", { name: `${MEMBER.name}: settings and sign out` }).click();
  const failed = page.waitForEvent("requestfailed");
  await page.getByRole("radio", { name: "日本語" }).check();
  await failed;
  await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
  await page.reload();
  await page.getByText("The console could not be loaded. · コンソールを読み込めませんでした。").waitFor();
  await close(page);
});

test("keeps theme and language in this browser, and nothing else", async () => {
  const page = await stage.page({ cookies });
  await page.goto(stage.origin);
  await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
  await page.getByRole("button", { name: `${MEMBER.name}: settings and sign out` }).click();
  await page.getByRole("radio", { name: "Dark" }).check();
  await page.getByRole("radio", { name: "日本語" }).check();
  await page.reload();
  await page.getByRole("heading", { name: "APIキー", level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), "dark");
  assert.deepEqual(await page.evaluate(() => ({ ...localStorage })), {
    "claviger.theme": "dark",
    "claviger.language": "ja",
  });
  await inspect(page, "keys-none-ja-dark");
  await close(page);
});
