// Connection Information: where the API is, and the credentials with which services issue keys of
// their own.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MEMBER,
  NARROW,
  answerInstead,
  assertFocusOnField,
  assertFocused,
  button,
  close,
  cookies,
  inspect,
  open,
  pasted,
  problem,
  stage,
  useStage,
} from "./stage.mjs";

useStage();

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

test("A01 Connection Information has an address of its own, and holds the base URL and the keys", async () => {
  const page = await open("#/connection");
  await assertFocused(page, "Connection Information");
  await page.getByText(/^http:\/\/api\.localhost:\d+$/).waitFor();
  await page.getByRole("heading", { name: "Keys", level: 2 }).waitFor();
  await button(page, "Copy service ID").click();
  await page.getByText("Copied").first().waitFor();
  assert.match(await pasted(page), /^[0-9A-Za-z]{19}$/);
  await inspect(page, "connection");
  await close(page);
});

test("A23 the service password is shown to who has proven to be a member, and hidden again", async () => {
  const page = await open("#/connection");
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
  assert.match(password, /^[0-9A-Za-z]{43}$/);
  assert.notEqual(password, MEMBER.password);
  await inspect(page, "service-password");
  await button(page, "Copy service password").click();
  await dialog.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await pasted(page), password);
  assert.ok(!(await page.getByRole("status").allTextContents()).join().includes(password));
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await assertFocused(page, "Show the service password");
  assert.ok(!(await page.content()).includes(password));
  assert.ok(
    !(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).includes(password),
  );
  await close(page);
});

test("A23 a new service password replaces the old one, and says when what that issued ends", async () => {
  const page = await open("#/connection");
  const [id, old] = await shown(page);
  await button(page, "Change the service password").click();
  const question = page.getByRole("alertdialog", { name: "Change the service password?" });
  await question.getByText("All short-lived keys issued with the old password end within 10 s.").waitFor();
  await assertFocused(page, "Cancel");
  await inspect(page, "service-change");
  await page.keyboard.press("Escape");
  await assertFocused(page, "Change the service password");
  assert.deepEqual(await shown(page), [id, old]);

  await button(page, "Change the service password").click();
  await question.getByRole("button", { name: "Change", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Service password" });
  const password = await dialog.getByLabel("Service password").inputValue();
  assert.notEqual(password, old);
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await page
    .getByText(/The old password and the keys issued with it are refused everywhere by \d\d:\d\d:\d\d/)
    .first()
    .waitFor();
  await inspect(page, "service-changed");
  assert.deepEqual(await shown(page), [id, password]);
  await close(page);
});

test("A24 what the service password may issue is bounded, and the form says what is wrong", async () => {
  const page = await open("#/connection");
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
  await dialog.getByText("Line 1 is stored as 10.0.0.0/8.").waitFor();
  await inspect(page, "service-ceiling");
  await button(page, "Save").click();
  await page
    .getByText(/^Saved\. The new limits hold everywhere by/)
    .first()
    .waitFor();
  await page.locator(".service").getByText("12 hours").waitFor();
  await page.locator(".service").getByText("10.0.0.0/8").waitFor();
  await close(page);
});

test("somebody else's change is not overwritten", async () => {
  const page = await open("#/connection");
  await button(page, "Change the limits for keys issued with this password").waitFor();
  const other = await open("#/connection");
  await button(other, "Change the service password").click();
  await other.getByRole("alertdialog").getByRole("button", { name: "Change", exact: true }).click();
  await other.getByRole("dialog", { name: "Service password" }).waitFor();
  await close(other);

  await button(page, "Change the limits for keys issued with this password").click();
  await page.getByRole("dialog").getByLabel("demo:write").check();
  await button(page, "Save").click();
  await page.getByText("Somebody changed this in the meantime, so your change is not saved.").waitFor();
  await inspect(page, "service-conflict");
  await button(page, "Save").click();
  await page
    .getByText(/^Saved\./)
    .first()
    .waitFor();
  await page.locator(".service").getByText("demo:write").waitFor();
  await close(page);
});

test("who is no owner may look at the ID; who is a viewer cannot have the password shown", async () => {
  for (const [role, shows] of [
    ["admin", 1],
    ["viewer", 0],
  ]) {
    const page = await stage.page({ cookies });
    await answerInstead(page, "GET", "/v1/session", async (route) => {
      const answer = await route.fetch();
      const session = await answer.json();
      await route.fulfill({ response: answer, json: { ...session, member: { ...session.member, role } } });
    });
    await page.goto(`${stage.origin}/#/connection`);
    await button(page, "Copy service ID").waitFor();
    assert.equal(await button(page, "Show the service password").count(), shows, role);
    assert.equal(await page.getByRole("button", { name: /^Change/ }).count(), 0, role);
    await inspect(page, `connection-${role}`);
    await close(page);
  }
});

test("an account without a service password makes its first one", async () => {
  const page = await stage.page({ cookies, viewport: NARROW, colorScheme: "dark" });
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
  await page.goto(`${stage.origin}/#/connection`);
  await button(page, "Create service password").waitFor();
  await inspect(page, "service-none");
  await button(page, "Create service password").click();
  await page.getByRole("dialog", { name: "Service password" }).waitFor();
  await inspect(page, "service-first-phone");
  await close(page);
});

test("credentials that could not be loaded are told apart from the keys, and can be tried again", async () => {
  const page = await stage.page({ cookies });
  await answerInstead(page, "GET", SERVICE, problem(503, "unavailable"), 1);
  await page.goto(`${stage.origin}/`);
  await page.getByText("The service credentials could not be loaded; nothing was changed.").waitFor();
  await inspect(page, "service-failed");
  await button(page, "Try again").click();
  await button(page, "Copy service ID").waitFor();
  await close(page);
});
