// API users that are added, edited, locked and deleted (rows C02 to C16). Their routes are stood in
// for, everything else is real.
import { answerInstead, json } from "./support/answers.mjs";
import {
  GENERATED,
  PASSWORD,
  RESTORABLE,
  act,
  apiUser,
  dialogOf,
  fillKey,
  invalid,
  openAdd,
  row,
  sent,
  standInUsers,
  usersOfEachKind,
} from "./support/api-users.mjs";
import { MEMBER, assertFocused, button, inspect, open, pasted } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

test.describe("adding an API user", () => {
  test("C02, C03, C04: every mistake shows at its field and in the summary, and the keys alone are emptied", async ({
    page,
  }) => {
    const state = await standInUsers(page);
    await open(page, "#/api-users");
    await button(page, "Add API User").click();
    const dialog = dialogOf(page, "Add an API user");
    await expect(dialog.getByLabel("User name")).toBeFocused();
    await button(page, "Add").click();
    const summary = dialog.getByRole("group", { name: "There is a problem" });
    await expect(summary).toBeFocused();
    await expect(summary.getByRole("link")).toHaveText(["Enter the user name.", "Enter an API key, or generate one."]);
    await inspect(page, "api-user-mistakes");
    expect(sent(state, "POST").length).toBe(0);

    state.refuse = ({ method }) =>
      method === "POST" ? invalid(["#/name", "taken"], ["#/api_key", "common"]) : undefined;
    await dialog.getByLabel("User name").fill("App@Example.com");
    await dialog.getByLabel("SMTP").check();
    await fillKey(dialog, "abcd1234");
    await button(page, "Add").click();
    await expect(summary.getByRole("link")).toHaveText([
      "Another API user has this name. A deleted one keeps its name for 30 days.",
      "This API key is among the first that others try. Choose another.",
    ]);
    await summary.getByRole("link").nth(1).click();
    await expect(dialog.getByLabel("API key", { exact: true })).toBeFocused();
    await expect(dialog.getByLabel("API key", { exact: true })).toHaveValue("");
    await expect(dialog.getByLabel("API key (confirmation)")).toHaveValue("");
    await expect(dialog.getByText("Enter the API key again: it was not kept.")).toBeVisible();
    await expect(dialog.getByLabel("User name")).toHaveValue("App@Example.com");
    await expect(dialog.getByLabel("SMTP")).toBeChecked();
    await inspect(page, "api-user-refused");

    state.refuse = ({ method }) =>
      method === "POST" ? invalid(["#/api_key_confirmation", "not_confirmed"]) : undefined;
    await dialog.getByLabel("API key", { exact: true }).fill("Tr4ffic!");
    await dialog.getByLabel("API key (confirmation)").fill("tr4ffic!");
    await button(page, "Add").click();
    await expect(dialog.getByText("The two API keys differ. Enter them again.").first()).toBeVisible();
    await expect(dialog.getByLabel("API key (confirmation)")).toHaveAttribute("aria-invalid", "true");
  });

  test("C03, C04: keys are masked, shown on demand, and no password manager fills them", async ({ page }) => {
    await standInUsers(page);
    await open(page, "#/api-users");
    const dialog = await openAdd(page);
    for (const field of [dialog.getByLabel("API key", { exact: true }), dialog.getByLabel("API key (confirmation)")]) {
      await expect(field).toHaveAttribute("type", "password");
      await expect(field).toHaveAttribute("autocomplete", "new-password");
      await expect(field).toHaveAttribute("spellcheck", "false");
    }
    await dialog.getByRole("button", { name: "Show the password" }).first().click();
    await expect(dialog.getByLabel("API key", { exact: true })).toHaveAttribute("type", "text");
  });

  test("C03, C04: a generated key needs no confirmation and is shown once", async ({ page }) => {
    const state = await standInUsers(page, [apiUser(1)]);
    await open(page, "#/api-users");
    const dialog = await openAdd(page);
    await fillKey(dialog);
    await dialog.getByLabel("Generate it").check();
    await expect(dialog.getByLabel("API key (confirmation)")).not.toBeAttached();
    await dialog.getByLabel("HTTP").check();
    await button(page, "Add").click();
    const reveal = dialogOf(page, "The API key of app@example.com");
    await expect(reveal.getByLabel("API key", { exact: true })).toHaveValue(GENERATED);
    await expect(reveal.getByText('"app@example.com" is added. It works everywhere now.')).toBeVisible();
    await inspect(page, "api-user-generated");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("alertdialog", { name: "Close without copying?" })).toBeVisible();
    await button(page, "Keep open").click();
    await button(page, "Copy key").click();
    await expect(button(page, "Copied")).toBeVisible();
    expect(await pasted(page)).toBe(GENERATED);
    await button(page, "I have stored it").click();
    await expect(reveal).not.toBeAttached();
    expect(await page.content()).not.toContain(GENERATED);
    await assertFocused(page, "app@example.com");
    const [{ body }] = sent(state, "POST");
    expect(body.generate).toBe(true);
    expect("api_key" in body || "api_key_confirmation" in body).toBe(false);
  });

  test("C05 to C10: sends what was chosen, and nothing more is granted by default", async ({ page }) => {
    const state = await standInUsers(page);
    await open(page, "#/api-users");
    let dialog = await openAdd(page, " App@example.com ");
    await fillKey(dialog);
    await expect(dialog.getByText("Without an interface, this user is refused everywhere.")).toBeVisible();
    await button(page, "Add").click();
    await expect(page.getByText('"App@example.com" is added.').first()).toBeVisible();
    expect(sent(state, "POST")[0].body).toEqual({
      name: "App@example.com",
      api_key: "Tr4ffic!",
      api_key_confirmation: "Tr4ffic!",
      group: "normal",
      view_personal_data: false,
      download_personal_data: false,
      interfaces: [],
      own_data_only: false,
      zone: "Asia/Tokyo",
      expires: "90d",
      networks: "",
    });
    await assertFocused(page, "App@example.com");

    dialog = await openAdd(page, "batch@example.com");
    await fillKey(dialog);
    await dialog.getByLabel("Admin").check();
    await expect(dialog.getByText("May use the whole API, also to change settings and data.")).toBeVisible();
    await expect(dialog.getByText("May read and download data, and changes nothing.")).toBeVisible();
    await dialog.getByLabel("May view data including e-mail addresses").check();
    await dialog.getByLabel("May download data including e-mail addresses").check();
    await dialog.getByLabel("HTTP").check();
    await dialog.getByLabel("Only this user’s sending data").check();
    await dialog.getByLabel("Time zone").selectOption("Europe/Paris");
    await dialog.getByLabel("Unlimited").check();
    await dialog.getByLabel("Networks", { exact: true }).fill("203.0.113.0/24");
    await inspect(page, "api-user-add");
    await button(page, "Add").click();
    await expect(dialog).not.toBeAttached();
    expect(sent(state, "POST")[1].body).toMatchObject({
      group: "admin",
      view_personal_data: true,
      download_personal_data: true,
      interfaces: ["http"],
      own_data_only: true,
      zone: "Europe/Paris",
      expires: "never",
      networks: "203.0.113.0/24",
    });
  });

  test("C11: with SMTP ticked, host, port and user name are shown, and what the mail server needs", async ({
    page,
    deployment,
  }) => {
    await standInUsers(page);
    await open(page, "#/api-users");
    const dialog = await openAdd(page);
    await fillKey(dialog);
    await dialog.getByLabel("SMTP").check();
    await button(page, "Add").click();
    const panel = dialogOf(page, "Set up mail for app@example.com");
    for (const text of ["Host", "Port", "User name", "Password", "Put the setting into your mail server"])
      await expect(panel.getByText(text, { exact: true })).toBeVisible();
    await expect(panel.getByText(`${deployment.origin}/v1/mail-auth`)).toBeVisible();
    await inspect(page, "api-user-mail");
    await button(page, "Copy user name").click();
    await expect(button(page, "Copied")).toBeVisible();
    expect(await pasted(page)).toBe("app@example.com");
    await panel.getByRole("button", { name: "Close" }).last().click();
    await assertFocused(page, "app@example.com");
  });

  test("adds one user, however often the button is pressed", async ({ page }) => {
    const state = await standInUsers(page);
    await open(page, "#/api-users");
    const dialog = await openAdd(page);
    await fillKey(dialog);
    await button(page, "Add").dblclick();
    await expect(dialog).not.toBeAttached();
    expect(sent(state, "POST").length).toBe(1);
    expect(sent(state, "POST")[0].headers["idempotency-key"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("whose answer was lost says what may be, and a second try adds no second user", async ({ page }) => {
    const state = await standInUsers(page);
    await open(page, "#/api-users");
    const dialog = await openAdd(page);
    await dialog.getByLabel("Generate it").check();
    let lose = true;
    state.refuse = ({ method }) => {
      if (method !== "POST" || !lose) return undefined;
      lose = false;
      const user = apiUser(900, { name: "app@example.com" });
      state.users = [user];
      state.created.set(state.requests.at(-1).headers["idempotency-key"], user);
      return "lost";
    };
    await button(page, "Add").click();
    await expect(dialog.getByText("No answer came. An API user app@example.com may exist.")).toBeVisible();
    await inspect(page, "api-user-answer-lost");
    await button(page, "Add").click();
    await expect(dialog.getByText('"app@example.com" was already added from this form.')).toBeVisible();
    await expect(dialog.getByText("Its API key was never shown")).toBeVisible();
    await page.getByRole("link", { name: "Open the API user" }).click();
    await expect(page.getByRole("heading", { name: "app@example.com", level: 1 })).toBeVisible();
    await expect(page.getByRole("dialog")).toHaveCount(0);
  });

  test("asks who it is when that was long ago, then goes on with the same request", async ({ page }) => {
    const state = await standInUsers(page);
    await open(page, "#/api-users");
    const dialog = await openAdd(page);
    await fillKey(dialog);
    let asks = true;
    state.refuse = ({ method }) => {
      if (method !== "POST" || !asks) return undefined;
      asks = false;
      return { status: 403, code: "step_up_required", methods: ["password"] };
    };
    await button(page, "Add").click();
    const proof = page.getByRole("dialog", { name: "Confirm it is you" });
    await proof.getByLabel("Password", { exact: true }).fill(MEMBER.password);
    await button(page, "Confirm").click();
    await expect(page.getByText('"app@example.com" is added.').first()).toBeVisible();
    const [one, other] = sent(state, "POST");
    expect(other.body).toEqual(one.body);
    expect(other.headers["idempotency-key"]).toBe(one.headers["idempotency-key"]);
  });

  test("keeps all that was typed if one closes the proof, and asks before a filled form goes", async ({ page }) => {
    const state = await standInUsers(page);
    await open(page, "#/api-users");
    const dialog = await openAdd(page);
    await fillKey(dialog);
    state.refuse = ({ method }) =>
      method === "POST" ? { status: 403, code: "step_up_required", methods: ["password"] } : undefined;
    await button(page, "Add").click();
    await page.getByRole("dialog", { name: "Confirm it is you" }).getByRole("button", { name: "Cancel" }).click();
    await expect(dialog.getByLabel("User name")).toHaveValue("app@example.com");
    await expect(dialog.getByLabel("API key (confirmation)")).toHaveValue("Tr4ffic!");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("alertdialog", { name: "Discard what you typed?" })).toBeVisible();
  });

  test("at the limit of the account says so", async ({ page }) => {
    const state = await standInUsers(page);
    await open(page, "#/api-users");
    const dialog = await openAdd(page);
    await fillKey(dialog);
    state.refuse = ({ method }) =>
      method === "POST" ? { status: 409, code: "too_many_api_users", max: 10_000 } : undefined;
    await button(page, "Add").click();
    await expect(dialog.getByText("This account has reached its limit of 10,000 API users.")).toBeVisible();
    await expect(dialog.getByLabel("API key", { exact: true })).toHaveValue("Tr4ffic!");
  });
});

test.describe("editing an API user", () => {
  test("C12: a click on the name opens the dialog with every field; only what changed is sent", async ({ page }) => {
    const state = await standInUsers(page, usersOfEachKind());
    await open(page, "#/api-users");
    await button(page, "batch@example.com").click();
    const dialog = dialogOf(page, 'Edit "batch@example.com"');
    await expect(dialog.getByLabel("User name")).toHaveValue("batch@example.com");
    await expect(dialog.getByLabel("Admin")).toBeChecked();
    await expect(dialog.getByLabel("May view data including e-mail addresses")).toBeChecked();
    await expect(dialog.getByLabel("May download data including e-mail addresses")).not.toBeChecked();
    await expect(dialog.getByLabel("HTTP")).toBeChecked();
    await expect(dialog.getByLabel("Only this user’s sending data")).toBeChecked();
    await expect(dialog.getByLabel("Time zone")).toHaveValue("Asia/Tokyo");
    await expect(dialog.getByLabel("Networks", { exact: true })).toHaveValue(
      "203.0.113.0/24\n2001:db8::/32\n10.0.0.0/8",
    );
    await inspect(page, "api-user-edit");
    await dialog.getByLabel("User name").fill("nightly@example.com");
    await expect(dialog.getByText("Whatever signs in as batch@example.com is refused")).toBeVisible();
    await dialog.getByLabel("Normal").check();
    await button(page, "Save").click();
    await expect(
      page
        .getByText(
          /^"nightly@example.com" is saved with its new user name\. The old user name is refused everywhere by/,
        )
        .first(),
    ).toBeVisible();
    const [{ body, headers }] = sent(state, "PATCH");
    expect(body).toEqual({ name: "nightly@example.com", group: "normal" });
    expect(headers["if-match"]).toBe('"3"');
    await assertFocused(page, "nightly@example.com");
  });

  test("C12: that changed nothing sends nothing", async ({ page }) => {
    const state = await standInUsers(page, usersOfEachKind());
    await open(page, "#/api-users");
    await act(page, "app-1@example.com", "Edit");
    await button(page, "Save").click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
    expect(sent(state, "PATCH").length).toBe(0);
  });

  test('C13: the API key changes only where "Change API key" is ticked', async ({ page }) => {
    const state = await standInUsers(page, [apiUser(1)]);
    await open(page, "#/api-users");
    await button(page, "app-1@example.com").click();
    const dialog = dialogOf(page, 'Edit "app-1@example.com"');
    await expect(dialog.getByLabel("API key", { exact: true })).not.toBeAttached();
    await dialog.getByLabel("Change API key").check();
    await expect(dialog.getByText("The present API key is refused everywhere within 10 s.")).toBeVisible();
    await fillKey(dialog, "N3w-traffic!");
    await inspect(page, "api-user-change-key");
    await dialog.getByLabel("Change API key").uncheck();
    await expect(dialog.getByLabel("API key", { exact: true })).not.toBeAttached();
    await dialog.getByLabel("Change API key").check();
    await expect(dialog.getByLabel("API key", { exact: true })).toHaveValue("");
    await fillKey(dialog, "N3w-traffic!");
    await button(page, "Save").click();
    await expect(
      page
        .getByText(/^"app-1@example.com" is saved with a new API key\. The old API key is refused everywhere by/)
        .first(),
    ).toBeVisible();
    expect(sent(state, "PATCH")[0].body).toEqual({ api_key: "N3w-traffic!", api_key_confirmation: "N3w-traffic!" });
  });

  test("C13: another key can be generated, and is shown once", async ({ page }) => {
    await standInUsers(page, [apiUser(1)]);
    await open(page, "#/api-users");
    await button(page, "app-1@example.com").click();
    await page.getByLabel("Change API key").check();
    await page.getByLabel("Generate it").check();
    await button(page, "Save").click();
    const reveal = dialogOf(page, "The API key of app-1@example.com");
    await expect(reveal.getByLabel("API key", { exact: true })).toHaveValue(GENERATED);
    await expect(reveal.getByText("The old API key is refused everywhere by")).toBeVisible();
    await button(page, "I have stored it").click();
  });

  test("C14: an interface that is unticked is taken away, with the time from which that holds", async ({ page }) => {
    const state = await standInUsers(page, [apiUser(1, { interfaces: ["http", "smtp"] })]);
    await open(page, "#/api-users");
    await button(page, "app-1@example.com").click();
    await page.getByRole("dialog").getByLabel("HTTP").uncheck();
    await button(page, "Save").click();
    await expect(
      page.getByText(/The new limits hold everywhere by \d\d:\d\d:\d\d \(Asia\/Tokyo\)/).first(),
    ).toBeVisible();
    expect(sent(state, "PATCH")[0].body).toEqual({ interfaces: ["smtp"] });
    await expect(row(page, "app-1@example.com").getByText("SMTP", { exact: true })).toBeVisible();
  });

  test("names the callers that other networks would lock out, and can add them", async ({ page }) => {
    const state = await standInUsers(page, [apiUser(1)]);
    await answerInstead(page, "POST", "/v1/keys/check", (route) => {
      const { key, networks } = route.request().postDataJSON();
      if (!key) return route.fallback();
      expect(key).toBe(apiUser(1).id);
      const caller = { address: "198.51.100.4", count: 312, last_at: new Date(Date.now() - 120_000).toISOString() };
      return json({ locked_out: networks.includes(caller.address) ? [] : [caller] })(route);
    });
    await open(page, "#/api-users");
    await button(page, "app-1@example.com").click();
    await page.getByLabel("Networks", { exact: true }).fill("203.0.113.0/24");
    await button(page, "Save").click();
    await expect(page.getByRole("alertdialog", { name: "1 caller would be refused" })).toBeVisible();
    await expect(page.getByText("198.51.100.4: 312 calls in 7 days")).toBeVisible();
    expect(sent(state, "PATCH").length).toBe(0);
    await inspect(page, "api-user-lock-out");
    await button(page, "Add it").click();
    await expect(page.getByLabel("Networks", { exact: true })).toHaveValue("203.0.113.0/24\n198.51.100.4");
    await button(page, "Save").click();
    await expect(page.getByText(/^"app-1@example.com" is saved\./).first()).toBeVisible();
    expect(sent(state, "PATCH")[0].body).toEqual({ networks: "203.0.113.0/24\n198.51.100.4" });
  });

  test("that somebody changed meanwhile shows both versions, and either can be kept", async ({ page }) => {
    const state = await standInUsers(page, [apiUser(1)]);
    await open(page, "#/api-users");
    await button(page, "app-1@example.com").click();
    const dialog = page.getByRole("dialog");
    state.users = [apiUser(1, { revision: 7, group: "admin", networks: ["10.0.0.0/8"] })];
    await dialog.getByLabel("SMTP").check();
    await button(page, "Save").click();
    await expect(dialog.getByText(/^Ken Sato changed this API user at .*; yours is not saved\./)).toBeVisible();
    await button(page, "Show both").click();
    const both = dialog.getByRole("table");
    await expect(both.getByRole("row", { name: /Interfaces HTTP HTTP, SMTP/ })).toBeVisible();
    await inspect(page, "api-user-conflict");
    await button(page, "Keep my changes").click();
    await expect(dialog.getByLabel("Admin")).toBeChecked();
    await expect(dialog.getByLabel("SMTP")).toBeChecked();
    await button(page, "Save").click();
    await expect(dialogOf(page, "Set up mail for app-1@example.com")).toBeVisible();
    const { body, headers } = sent(state, "PATCH").at(-1);
    expect(body).toEqual({ interfaces: ["http", "smtp"] });
    expect(headers["if-match"]).toBe('"7"');
  });
});

test.describe("C15, a lock", () => {
  test("says that it locks out HTTP API and SMTP, and by when; it can be taken off", async ({ page }) => {
    const state = await standInUsers(page, [apiUser(1), apiUser(2)]);
    await open(page, "#/api-users");
    await act(page, "app-1@example.com", "Lock");
    const question = page.getByRole("alertdialog", { name: 'Lock "app-1@example.com"?' });
    await assertFocused(page, "Cancel");
    await expect(question.getByText("HTTP API and SMTP are both refused everywhere within 10 s.")).toBeVisible();
    await expect(question.getByText("It was never used.")).toBeVisible();
    await inspect(page, "api-user-lock");
    await question.getByRole("button", { name: "Lock" }).dblclick();
    await expect(
      page.getByText(/^"app-1@example.com" is locked\. Refused everywhere by \d\d:\d\d:\d\d/).first(),
    ).toBeVisible();
    await expect(row(page, "app-1@example.com").getByText("Locked", { exact: true })).toBeVisible();
    expect(sent(state, "POST").map(({ path }) => path)).toEqual([`/${apiUser(1).id}/lock`]);
    await assertFocused(page, "Actions for app-1@example.com");
    await inspect(page, "api-user-locked");
    await act(page, "app-1@example.com", "Unlock");
    await button(page, "Unlock").click();
    await expect(page.getByText('"app-1@example.com" is unlocked.').first()).toBeVisible();
    await expect(row(page, "app-1@example.com").getByText("Active", { exact: true })).toBeVisible();
  });

  test("of a user that somebody changed meanwhile is asked about again", async ({ page }) => {
    const state = await standInUsers(page, [apiUser(1)]);
    await open(page, "#/api-users");
    await act(page, "app-1@example.com", "Lock");
    state.users = [apiUser(1, { revision: 7 })];
    await button(page, "Lock").click();
    await expect(page.getByText("so nothing was done. You now see the current version")).toBeVisible();
    await button(page, "Lock").click();
    await expect(page.getByText('"app-1@example.com" is locked.').first()).toBeVisible();
  });
});

test.describe("C16, a deletion", () => {
  test("asks for the password, then for a second click, and can be undone", async ({ page }) => {
    const state = await standInUsers(page, [apiUser(1), apiUser(2)]);
    await open(page, "#/api-users");
    await act(page, "app-1@example.com", "Delete");
    const dialog = dialogOf(page, 'Delete "app-1@example.com"');
    await expect(dialog.getByText(/The user can be restored until .*\d{4}\./)).toBeVisible();
    await expect(dialog.getByLabel("Password", { exact: true })).toBeFocused();
    await inspect(page, "api-user-delete");
    await button(page, "Continue").click();
    await expect(dialog.getByText("Enter your password.")).toBeVisible();

    await dialog.getByLabel("Password", { exact: true }).fill("not the password");
    await button(page, "Continue").click();
    expect(sent(state, "POST").length).toBe(0);
    const last = page.getByRole("alertdialog", { name: 'Delete "app-1@example.com" now?' });
    await assertFocused(page, "Cancel");
    await inspect(page, "api-user-delete-last");
    await last.getByRole("button", { name: "Delete" }).click();
    await expect(dialog.getByText("That password doesn’t match. Enter it again.")).toBeVisible();
    await expect(dialog.getByLabel("Password", { exact: true })).toBeFocused();
    await expect(dialog.getByLabel("Password", { exact: true })).toHaveValue("");

    await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await last.getByRole("button", { name: "Delete" }).click();
    await expect(
      page.getByText(/^"app-1@example.com" is deleted\. Refused everywhere by .* Can be restored until/).first(),
    ).toBeVisible();
    expect(sent(state, "POST").at(-1)).toMatchObject({
      path: `/${apiUser(1).id}/delete`,
      body: { password: PASSWORD },
    });
    await assertFocused(page, "Actions for app-1@example.com");

    await page.goto("/#/api-users?status=deleted");
    await act(page, "app-1@example.com", "Restore");
    await expect(page.getByText("It works again everywhere within 10 s, with the same API key")).toBeVisible();
    await inspect(page, "api-user-restore");
    await button(page, "Restore").click();
    await expect(page.getByText('"app-1@example.com" is restored.').first()).toBeVisible();
  });

  test("of many wrong passwords says until when to wait", async ({ page }) => {
    const state = await standInUsers(page, [apiUser(1)]);
    await open(page, "#/api-users");
    await act(page, "app-1@example.com", "Delete");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Continue").click();
    state.refuse = ({ method }) =>
      method === "POST" ? { status: 429, code: "too_many_attempts", until: RESTORABLE } : undefined;
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    await expect(page.getByText(/Too many tries\. You can try again after/)).toBeVisible();
  });
});

test("C01 to C16 by keyboard alone: a user is added, edited, locked and left", async ({ page }) => {
  await standInUsers(page, [apiUser(1)]);
  await open(page, "#/api-users");
  await button(page, "Add API User").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.type("app@example.com");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByLabel("Generate it")).toBeChecked();
  await page.keyboard.press("Enter");
  await expect(dialogOf(page, "The API key of app@example.com")).toBeVisible();
  await button(page, "I have stored it").focus();
  await page.keyboard.press("Enter");
  await assertFocused(page, "app@example.com");
  await page.keyboard.press("Enter");
  await expect(dialogOf(page, 'Edit "app@example.com"')).toBeVisible();
  await page.keyboard.press("Escape");
  await assertFocused(page, "app@example.com");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await assertFocused(page, "Lock");
  await page.keyboard.press("Enter");
  await assertFocused(page, "Cancel");
  await page.keyboard.press("Escape");
  await assertFocused(page, "Actions for app@example.com");
});
