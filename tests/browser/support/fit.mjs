// Measures if a page fits its window at every width.
import { expect } from "@playwright/test";

/** Widths of windows, in CSS pixels: from the narrowest phone to a wide desk. */
export const WIDTHS = Array.from({ length: 26 }, (_, step) => 320 + 64 * step);

const HEIGHT = 800;

/**
 * Asserts at every width that nothing scrolls sideways or stands outside of the window. The page has
 * its own size again afterwards.
 *
 * Only the emulated screen changes. Playwright's `setViewportSize` also moves the browser's window,
 * so that each width is laid out and painted twice.
 */
export async function assertFits(page, name) {
  const client = await page.context().newCDPSession(page);
  const resize = (size) =>
    client.send("Emulation.setDeviceMetricsOverride", { ...size, deviceScaleFactor: 1, mobile: false });
  const faults = [];
  for (const width of WIDTHS) {
    await resize({ width, height: HEIGHT });
    faults.push(...(await page.evaluate(faultsOfFit, width)).map((fault) => `${width}: ${fault}`));
  }
  await resize(page.viewportSize());
  expect(faults, `${name} fits`).toEqual([]);
}

/** Runs in the page. Returns what is wider than its place, in a window of this width. */
async function faultsOfFit(width) {
  // Components follow the width in the next frames.
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const found = innerWidth === width ? [] : [`the window is ${innerWidth} px wide`];
  const { clientWidth, scrollWidth } = document.documentElement;
  if (scrollWidth > clientWidth) found.push(`the document is ${scrollWidth} px wide`);
  const name = (element) =>
    `${element.localName}${element.id && `#${element.id}`}.${element.className} "${element.textContent.trim().slice(0, 30)}"`;
  const root = document.querySelector("dialog[open]:last-of-type") ?? document.body;
  for (const element of [root, ...root.querySelectorAll("*")]) {
    // Code blocks scroll in a named region that takes the focus; the others have no text to read.
    if (element.closest("pre, .unseen, .skip, svg, option, [popover]:not(:popover-open)")) continue;
    const style = getComputedStyle(element);
    if (style.visibility === "hidden" || style.clipPath !== "none") continue;
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    if (box.right > clientWidth + 1 || box.left < -1)
      found.push(`${name(element)} from ${Math.round(box.left)} to ${Math.round(box.right)}`);
    const clips = style.overflowX !== "visible" && style.textOverflow !== "ellipsis";
    if (
      clips &&
      !["input", "textarea", "select"].includes(element.localName) &&
      element.scrollWidth > element.clientWidth
    )
      found.push(`${name(element)} scrolls: ${element.scrollWidth} in ${element.clientWidth}`);
  }
  return found.slice(0, 3);
}
