// The language and the theme of the console: chosen in this browser, and loaded when they are shown.
import { MEMBER, inspect } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

test("loads the language that it shows, and another one when it is chosen", async ({ page }) => {
  const files = [];
  page.on("request", (request) => files.push(new URL(request.url()).pathname));
  const languages = () => files.flatMap((path) => /^\/hashed\/(en|ja)-\w+\.js$/.exec(path)?.[1] ?? []);
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
  expect(languages()).toEqual(["en"]);
  await page.getByRole("button", { name: `${MEMBER.name}: settings and sign out` }).click();
  await page.getByRole("radio", { name: "日本語" }).check();
  await expect(page.getByRole("heading", { name: "APIキー", level: 1 })).toBeVisible();
  expect(languages()).toEqual(["en", "ja"]);
});

test("keeps its language while another cannot be loaded, and without any says so in both", async ({ page }) => {
  await page.route(/\/ja-\w+\.js$/, (route) => route.abort());
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
  await page.getByRole("button", { name: `${MEMBER.name}: settings and sign out` }).click();
  const failed = page.waitForEvent("requestfailed");
  await page.getByRole("radio", { name: "日本語" }).check();
  await failed;
  await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
  await page.reload();
  await expect(page.getByText("The console could not be loaded. · コンソールを読み込めませんでした。")).toBeVisible();
});

test("keeps theme and language in this browser, and nothing else", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
  await page.getByRole("button", { name: `${MEMBER.name}: settings and sign out` }).click();
  await page.getByRole("radio", { name: "Dark" }).check();
  await page.getByRole("radio", { name: "日本語" }).check();
  await page.reload();
  await expect(page.getByRole("heading", { name: "APIキー", level: 1 })).toBeVisible();
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe("dark");
  expect(await page.evaluate(() => ({ ...localStorage }))).toStrictEqual({
    "claviger.theme": "dark",
    "claviger.language": "ja",
  });
  await inspect(page, "keys-none-ja-dark");
});
