// Connection Information: where the API is, and the credentials with which services issue keys of
// their own.
import { answerInstead, problem } from "./support/answers.mjs";
import {
  MEMBER,
  NARROW,
  assertFocusOnField,
  assertFocused,
  button,
  inspect,
  open,
  pasted,
} from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

const SERVICE = "/v1/account/service";

/** Shows the service password and reads it. */
async function shown(page) {
  await button(page, "Show the service password").click();
  const dialog = page.getByRole("dialog", { name: "Service password" });
  const read = (label) => dialog.getByLabel(label, { exact: true }).inputValue();
  const pair = [await read("Service ID"), await read("Service password")];
  await dialog.getByRole("button", { name: "Close" }).last().click();
  return pair;
}

test("A01 Connection Information has an address of its own, and holds the base URL and the keys", async ({ page }) => {
  await open(page, "#/connection");
  await assertFocused(page, "Connection Information");
  await expect(page.getByText(/^http:\/\/api\.localhost:\d+$/)).toBeVisible();
  await expect(page.getByRole("heading", { name: "Keys", level: 2 })).toBeVisible();
  await button(page, "Copy service ID").click();
  await expect(page.getByText("Copied").first()).toBeVisible();
  expect(await pasted(page)).toMatch(/^[0-9A-Za-z]{19}$/);
  await inspect(page, "connection");
});

test("A23 the service password is shown to who has proven to be a member, and hidden again", async ({ page }) => {
  await open(page, "#/connection");
  await answerInstead(
    page,
    "POST",
    `${SERVICE}/reveal`,
    problem(403, "step_up_required", { methods: ["password"] }),
    1,
  );
  await button(page, "Show the service password").click();
  const proof = page.getByRole("dialog", { name: "Confirm it is you" });
  await proof.getByLabel("Password", { exact: true }).fill(MEMBER.password);
  await button(page, "Confirm").click();

  const dialog = page.getByRole("dialog", { name: "Service password" });
  const password = await dialog.getByLabel("Service password").inputValue();
  expect(password).toMatch(/^[0-9A-Za-z]{43}$/);
  expect(password).not.toBe(MEMBER.password);
  await inspect(page, "service-password");
  await button(page, "Copy service password").click();
  await expect(dialog.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await pasted(page)).toBe(password);
  expect((await page.getByRole("status").allTextContents()).join()).not.toContain(password);
  await page.keyboard.press("Escape");
  await expect(dialog).not.toBeAttached();
  await assertFocused(page, "Show the service password");
  expect(await page.content()).not.toContain(password);
  expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain(
    password,
  );
});

test("A23 a new service password replaces the old one, and says when what that issued ends", async ({ page }) => {
  await open(page, "#/connection");
  const [id, old] = await shown(page);
  await button(page, "Change the service password").click();
  const question = page.getByRole("alertdialog", { name: "Change the service password?" });
  await expect(
    question.getByText(
      "All keys issued with the old password end within 10 s, the stored ones and the short-lived ones.",
    ),
  ).toBeVisible();
  await assertFocused(page, "Cancel");
  await inspect(page, "service-change");
  await page.keyboard.press("Escape");
  await assertFocused(page, "Change the service password");
  expect(await shown(page)).toEqual([id, old]);

  await button(page, "Change the service password").click();
  await question.getByRole("button", { name: "Change", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Service password" });
  const password = await dialog.getByLabel("Service password").inputValue();
  expect(password).not.toBe(old);
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await expect(
    page.getByText(/The old password and the keys issued with it are refused everywhere by \d\d:\d\d:\d\d/).first(),
  ).toBeVisible();
  await inspect(page, "service-changed");
  expect(await shown(page)).toEqual([id, password]);
});

test("A24 what the service password may issue is bounded, and the form says what is wrong", async ({ page }) => {
  await open(page, "#/connection");
  await button(page, "Change the limits for keys issued with this password").click();
  const dialog = page.getByRole("dialog", { name: "Limits for keys issued with this password" });
  await dialog.getByLabel("At most").check();
  await dialog.getByLabel("Number").fill("");
  await button(page, "Save").click();
  await dialog.getByRole("link", { name: "Enter the maximum lifetime in hours or days." }).click();
  await assertFocusOnField(page, "longest");
  await inspect(page, "service-ceiling-mistakes");
  await dialog.getByLabel("Number").fill("12");
  await dialog.getByLabel("*:*").uncheck();
  await dialog.getByLabel("demo:read").check();
  await dialog.getByLabel("Networks", { exact: true }).fill("10.1.2.3/8");
  await expect(dialog.getByText("Line 1 is stored as 10.0.0.0/8.")).toBeVisible();
  await inspect(page, "service-ceiling");
  await button(page, "Save").click();
  await expect(page.getByText(/^Saved\. The new limits hold everywhere by/).first()).toBeVisible();
  await expect(page.locator(".service").getByText("12 hours")).toBeVisible();
  await expect(page.locator(".service").getByText("10.0.0.0/8")).toBeVisible();
});

test("somebody else's change is not overwritten", async ({ page, newPage }) => {
  await open(page, "#/connection");
  await expect(button(page, "Change the limits for keys issued with this password")).toBeVisible();
  const other = await newPage();
  await open(other, "#/connection");
  await button(other, "Change the service password").click();
  await other.getByRole("alertdialog").getByRole("button", { name: "Change", exact: true }).click();
  await expect(other.getByRole("dialog", { name: "Service password" })).toBeVisible();

  await button(page, "Change the limits for keys issued with this password").click();
  await page.getByRole("dialog").getByLabel("demo:write").check();
  await button(page, "Save").click();
  await expect(page.getByText("Somebody changed this in the meantime, so your change is not saved.")).toBeVisible();
  await inspect(page, "service-conflict");
  await button(page, "Save").click();
  await expect(page.getByText(/^Saved\./).first()).toBeVisible();
  await expect(page.locator(".service").getByText("demo:write")).toBeVisible();
});

test("who is no owner may look at the ID; who is a viewer cannot have the password shown", async ({ newPage }) => {
  for (const [role, shows] of [
    ["admin", 1],
    ["viewer", 0],
  ]) {
    const page = await newPage();
    await answerInstead(page, "GET", "/v1/session", async (route) => {
      const answer = await route.fetch();
      const session = await answer.json();
      await route.fulfill({ response: answer, json: { ...session, member: { ...session.member, role } } });
    });
    await page.goto("/#/connection");
    await expect(button(page, "Copy service ID")).toBeVisible();
    expect(await button(page, "Show the service password").count(), role).toBe(shows);
    expect(await page.getByRole("button", { name: /^Change/ }).count(), role).toBe(0);
    await inspect(page, `connection-${role}`);
  }
});

test("an account without a service password makes its first one", async ({ newPage }) => {
  const page = await newPage({ viewport: NARROW, colorScheme: "dark" });
  const none = { service_id: null, has_password: false, changed_at: null, revision: 1 };
  const ceiling = { permissions: ["*:*"], networks: [], longest_ms: null };
  const fulfil = (body) => (route) => route.fulfill({ contentType: "application/json", body: JSON.stringify(body) });
  await answerInstead(page, "GET", SERVICE, fulfil({ ...none, ceiling }), 1);
  await answerInstead(
    page,
    "POST",
    `${SERVICE}/password`,
    fulfil({ service_id: "a1B2c3D4Tag45678901", service_password: "p".repeat(43), bound: null }),
  );
  await page.goto("/#/connection");
  await expect(button(page, "Create service password")).toBeVisible();
  await inspect(page, "service-none");
  await button(page, "Create service password").click();
  await expect(page.getByRole("dialog", { name: "Service password" })).toBeVisible();
  await inspect(page, "service-first-phone");
});

test("credentials that could not be loaded are told apart from the keys, and can be tried again", async ({ page }) => {
  await answerInstead(page, "GET", SERVICE, problem(503, "unavailable"), 1);
  await page.goto("/#/connection");
  await expect(page.getByText("The service credentials could not be loaded; nothing was changed.")).toBeVisible();
  await inspect(page, "service-failed");
  await button(page, "Try again").click();
  await expect(button(page, "Copy service ID")).toBeVisible();
});
