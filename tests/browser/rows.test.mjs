// The first screen belongs to the keys, and nothing that a member does with a row moves the rows.
import { answerInstead, json, key } from "./support/answers.mjs";
import { NARROW, assertFocused, button, focused, inspect, open } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

const DESK = { width: 1280, height: 900 };
const MANY = Array.from({ length: 50 }, (_, n) => key(n + 1));

const listed = (page, keys) =>
  answerInstead(page, "GET", "/v1/keys", json({ keys, next: null, total: keys.length, total_is_exact: true }));

for (const [name, viewport] of Object.entries({ desk: DESK, phone: NARROW })) {
  for (const locale of ["en", "ja"]) {
    const start = async (newPage) => {
      const page = await newPage({ viewport, hasTouch: name === "phone" });
      await page.addInitScript((code) => localStorage.setItem("claviger.language", code), locale);
      return page;
    };

    test(`the first key is in view without scrolling: ${name}, ${locale}`, async ({ newPage }) => {
      const page = await start(newPage);
      // Whoever left Connection Information open finds the keys first, too.
      await page.addInitScript(() => localStorage.setItem("claviger.connection", "open"));
      await listed(page, MANY);
      await open(page);
      const first = page.locator(".key-cards > li, .listed tbody tr").first();
      await expect(first).toBeInViewport({ ratio: 1 });
      await expect(page.locator("#issue-key")).toBeInViewport({ ratio: 1 });
      await expect(page.getByRole("searchbox")).toBeInViewport({ ratio: 1 });
    });

    test(`the button that issues is in view in an empty account: ${name}, ${locale}`, async ({ newPage }) => {
      const page = await start(newPage);
      await listed(page, []);
      await open(page);
      await expect(page.locator("#issue-key")).toBeInViewport({ ratio: 1 });
      await expect(page.locator(".connection summary")).toBeInViewport({ ratio: 1 });
    });

    test(`a tick moves no row, and its bar stays in view: ${name}, ${locale}`, async ({ newPage }) => {
      const page = await start(newPage);
      await listed(page, MANY);
      await open(page);
      const ticks = page.locator(".key-cards .check input, .listed tbody .check input");
      const tops = () => ticks.evaluateAll((boxes) => boxes.slice(0, 5).map((box) => box.getBoundingClientRect().top));
      await expect(ticks).toHaveCount(50);
      const before = await tops();
      const { x, y } = await ticks.first().boundingBox();
      await page.mouse.click(x + 4, y + 4);
      await expect(ticks.first()).toBeChecked();
      expect(await tops()).toEqual(before);
      await ticks.nth(30).check();
      await expect(page.locator(".picked-actions")).toBeInViewport({ ratio: 1 });
      await inspect(page, `keys-ticked-${name}-${locale}`);
      await page.locator(".picked-actions .quiet").click();
      await expect(page.locator(".picked-actions")).toBeHidden();
    });
  }
}

test("an unfolded Connection Information is remembered, and folds again", async ({ page }) => {
  await listed(page, MANY);
  await open(page);
  const details = page.locator("details.connection");
  await expect(details).not.toHaveAttribute("open");
  await page.getByRole("link", { name: "Connection Information" }).click();
  await expect(details).toHaveAttribute("open");
  await expect(page.locator(".connection summary")).toBeInViewport({ ratio: 1 });
  await assertFocused(page, "Connection Information");
  // The address is the same now; the link leads there all the same.
  await page.evaluate(() => scrollTo(0, 0));
  await page.getByRole("link", { name: "Connection Information" }).click();
  await expect(page.locator(".connection summary")).toBeInViewport({ ratio: 1 });
  await page.goto("/#/keys");
  await page.reload();
  await expect(details).toHaveAttribute("open");
  await page.locator(".connection summary").click();
  await page.reload();
  await expect(page.locator(".listed")).toBeVisible();
  await expect(details).not.toHaveAttribute("open");
});

test("the menu of a row stays inside the window, at its end too", async ({ newPage }) => {
  const page = await newPage({ viewport: { width: 700, height: 260 } });
  await listed(page, MANY);
  await open(page);
  for (const place of [0, 25, 49]) {
    const opener = page.getByRole("button", { name: `Actions for Key ${place + 1}`, exact: true });
    await opener.scrollIntoViewIfNeeded();
    await opener.click();
    await expect(page.locator(".menu:popover-open")).toBeInViewport({ ratio: 1 });
    await page.keyboard.press("Escape");
  }
});

test("the focus moves through the head of the table from left to right", async ({ page }) => {
  await listed(page, MANY);
  await open(page);
  await page.getByLabel("Select all 50 keys on this page").focus();
  const order = [];
  for (let step = 0; step < 3; step++) {
    await page.keyboard.press("Tab");
    order.push(await focused(page));
  }
  expect(order).toEqual(["Name", "Expires", "Issued"]);
});

test("a card has every fact and every action of a row", async ({ newPage }) => {
  const page = await newPage({ viewport: NARROW });
  const one = key(1, {
    networks: ["192.0.2.0/24"],
    expires_at: "2099-06-30T14:05:00Z",
    protected: true,
    viewable: true,
  });
  await listed(page, [one]);
  await open(page);
  const card = page.getByRole("list", { name: "API keys with status" }).getByRole("listitem").first();
  for (const text of ["Active", "Never used", "30 Jun 2099, 23:05", "192.0.2.0/24", "by Mei Tanaka", "Protected"])
    await expect(card.getByText(text)).toBeVisible();
  await expect(card.getByText(one.access_key)).toBeVisible();
  await expect(card.getByRole("button", { name: "Show Key 1" })).toBeVisible();
  await expect(card.getByRole("link", { name: "Key 1" })).toHaveAttribute("href", `#/keys/${one.id}`);
  await button(page, "Actions for Key 1").click();
  await expect(page.locator(".menu:popover-open").getByText("Disable")).toBeVisible();
});
