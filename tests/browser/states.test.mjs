// Issuing, a key and the console in states that a healthy Worker does not show: one request is
// answered in its place, everything else is real.
import { answerInstead, json, key, problem } from "./support/answers.mjs";
import {
  MEMBER,
  NARROW,
  assertFocused,
  button,
  focused,
  inspect,
  issueKey,
  open,
  openIssue,
} from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

test.describe("issuing", () => {
  test("once, however often the button is pressed", async ({ page }) => {
    let sent = 0;
    page.on("request", (request) => (sent += request.method() === "POST" && request.url().endsWith("/v1/keys")));
    await open(page);
    await openIssue(page, "Pressed twice");
    await button(page, "Issue").dblclick();
    await expect(page.getByRole("dialog", { name: '"Pressed twice" is issued.' })).toBeVisible();
    expect(sent).toBe(1);
    await button(page, "I have stored it").click();
  });

  test("whose answer was lost says what may be, and a second try issues no second key", async ({ page }) => {
    await answerInstead(
      page,
      "POST",
      "/v1/keys",
      async (route) => {
        await route.fetch();
        await route.abort();
      },
      1,
    );
    await open(page);
    await openIssue(page, "Lost answer");
    await button(page, "Issue").click();
    await expect(page.getByText('No answer came. A key named "Lost answer" may exist')).toBeVisible();
    expect(await focused(page)).toMatch(/^No answer came/);
    await inspect(page, "issue-answer-lost");
    await button(page, "Issue").click();
    await expect(page.getByText('"Lost answer" was already issued from this form.')).toBeVisible();
    await inspect(page, "issue-already");
    await page.getByRole("link", { name: "Open the key" }).click();
    await expect(page.getByRole("heading", { name: "Lost answer", level: 1 })).toBeVisible();
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  test("whose answer was lost can be left; the list then shows what there is", async ({ page }) => {
    const lose = async (route) => {
      await route.fetch();
      await route.abort();
    };
    await answerInstead(page, "POST", "/v1/keys", lose, 1);
    await open(page);
    await openIssue(page, "Left behind");
    await button(page, "Issue").click();
    await expect(page.getByText('A key named "Left behind" may exist')).toBeVisible();
    await button(page, "Cancel").click();
    await expect(page.getByRole("link", { name: "Left behind" })).toBeVisible();
  });

  test("asks who it is when that was long ago, then goes on with the same request", async ({ page }) => {
    const keys = [];
    page.on("request", (request) => {
      if (request.method() === "POST" && request.url().endsWith("/v1/keys"))
        keys.push(request.headers()["idempotency-key"]);
    });
    await answerInstead(page, "POST", "/v1/keys", problem(403, "step_up_required", { methods: ["password"] }), 1);
    await open(page);
    await openIssue(page, "After a proof");
    await button(page, "Issue").click();
    const proof = page.getByRole("dialog", { name: "Confirm it is you" });
    await proof.getByLabel("Password", { exact: true }).fill("not the password");
    await button(page, "Confirm").click();
    await expect(proof.getByText("That password doesn’t match. Enter it again.")).toBeVisible();
    await inspect(page, "step-up-refused");
    await proof.getByLabel("Password", { exact: true }).fill(MEMBER.password);
    await button(page, "Confirm").click();
    await expect(page.getByRole("dialog", { name: '"After a proof" is issued.' })).toBeVisible();
    expect(keys.length).toBe(2);
    expect(keys[0]).toBe(keys[1]);
    await button(page, "I have stored it").click();
  });

  test("keeps what was typed while one signs in again", async ({ page }) => {
    await open(page);
    await openIssue(page, "Typed before");
    await page.getByLabel("Networks", { exact: true }).fill("10.0.0.0/8");
    await page.context().clearCookies();
    await button(page, "Issue").click();
    const again = page.getByRole("dialog", { name: "Sign in again; what you typed is kept." });
    await expect(again.getByLabel("E-mail")).toHaveValue(MEMBER.email);
    await inspect(page, "sign-in-again");
    await again.getByLabel("Password", { exact: true }).fill(MEMBER.password);
    await button(page, "Sign in").click();
    await expect(page.getByRole("dialog", { name: '"Typed before" is issued.' })).toBeVisible();
    await button(page, "I have stored it").click();
    await expect(page.getByRole("row").filter({ hasText: "Typed before" }).getByText("10.0.0.0/8")).toBeVisible();
  });

  test("tells honestly that the browser refused to copy", async ({ page }) => {
    await open(page);
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    const issued = await issueKey(page, "Not copied", { store: false });
    await button(page, "Copy key").click();
    await expect(
      page.getByText("The browser refused to copy. The key is selected: press Ctrl+C (⌘C).").first(),
    ).toBeVisible();
    expect(await page.evaluate(() => getSelection().toString() || document.activeElement.value)).toBe(issued);
    await inspect(page, "reveal-copy-refused");
  });
});

test.describe("a key", () => {
  test("that somebody else changed meanwhile shows both, and goes on from theirs", async ({ page, newPage }) => {
    await open(page);
    await issueKey(page, "Contested");
    await page.getByRole("link", { name: "Contested", exact: true }).click();
    await button(page, "Edit").click();
    await page.getByLabel("Name", { exact: true }).fill("Mine");

    const other = await newPage();
    await open(other, new URL(page.url()).hash);
    await button(other, "Edit").click();
    await other.getByLabel("Networks", { exact: true }).fill("192.0.2.0/24");
    await button(other, "Save").click();
    await expect(other.getByText('"Contested" is saved.').first()).toBeVisible();

    await button(page, "Save").click();
    await expect(page.getByText(/^Mei Tanaka changed this key at \d\d:\d\d; yours is not saved\.$/)).toBeVisible();
    await button(page, "Show both").press("Enter");
    await page.waitForFunction(() => document.activeElement.textContent.includes("Mei Tanaka’s"));
    await inspect(page, "edit-conflict");
    await button(page, "Keep my changes").press("Enter");
    await assertFocused(page, 'Edit "Contested"');
    await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Mine");
    await expect(page.getByLabel("Networks", { exact: true })).toHaveValue("192.0.2.0/24");
    await button(page, "Save").click();
    await expect(page.getByText('"Mine" is saved.').first()).toBeVisible();
  });

  test("that is not there, and one that could not be loaded", async ({ page }) => {
    await open(page, "#/keys/nothing");
    await expect(page.getByRole("heading", { name: "Page not found" })).toBeVisible();
    await inspect(page, "key-not-found");
    await answerInstead(page, "GET", "/v1/keys/broken", problem(500, "internal", {}, { "cf-ray": "8f2a9c4417" }));
    await open(page, "#/keys/broken");
    await expect(page.getByText("The key could not be loaded; nothing was changed.")).toBeVisible();
    await inspect(page, "key-failed");
  });
});

test.describe("the pages of text", () => {
  for (const [path, heading] of [
    ["nothing/here", "There is nothing at this address"],
    ["problems", "Problem codes"],
  ])
    for (const [form, context] of Object.entries({ wide: {}, "phone-dark": { viewport: NARROW, colorScheme: "dark" } }))
      test(`${path}, ${form}, lead to the console`, async ({ newPage }) => {
        const page = await newPage(context);
        await page.goto(`/${path}`);
        await expect(page.getByRole("heading", { name: heading, level: 1 })).toBeVisible();
        await inspect(page, `${path.replace("/", "-")}-${form}`);
        // The address that is not there is an answer of 404, which the browser reports.
        await page.getByRole("banner").getByRole("link", { name: "Claviger" }).click();
        await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
      });
});

test.describe("the console", () => {
  test("that cannot be reached can be tried again", async ({ page }) => {
    await answerInstead(page, "GET", "/v1/session", problem(503, "unavailable"), 1);
    await open(page);
    await expect(page.getByRole("heading", { name: "The console could not be loaded", level: 1 })).toBeVisible();
    await expect(page.getByText("The service cannot be reached at the moment.")).toBeVisible();
    await inspect(page, "console-unreached");
    await button(page, "Try again").click();
    await expect(page.getByRole("heading", { name: "API keys", level: 1 })).toBeVisible();
  });

  test("shows where one is, also where the system chooses the colours", async ({ newPage }) => {
    const page = await newPage({ forcedColors: "active" });
    await open(page);
    const line = (name) =>
      page
        .getByRole("navigation", { name: "Console" })
        .getByRole("link", { name })
        .evaluate((link) => getComputedStyle(link).borderBottomColor);
    expect(await line("API keys")).not.toBe(await line("Activity"));
  });

  test("asks in Japanese without blanks between sentences", async ({ page }) => {
    await page.addInitScript(() => localStorage.setItem("claviger.language", "ja"));
    await answerInstead(page, "GET", "/v1/keys", json({ keys: [key(1)], next: null, total: 1, total_is_exact: true }));
    await open(page);
    await button(page, "Key 1の操作").click();
    await page.locator("[popover]:popover-open").getByRole("button", { name: "無効にする" }).click();
    const question = page.getByRole("alertdialog", { name: "「Key 1」を無効にしますか。" });
    await expect(question.getByText("あとで有効に戻せます。使われたことはありません。")).toBeVisible();
    await inspect(page, "disable-ja");
  });

  test("has an address for the connection, and a way past the navigation", async ({ page }) => {
    await open(page, "#/connection");
    await page.waitForFunction(() => document.activeElement.textContent === "Connection Information");
    await expect(page.getByText(/^https?:\/\/api\.localhost/).first()).toBeVisible();
    await page.getByRole("link", { name: "Skip to the content" }).focus();
    await page.keyboard.press("Enter");
    await assertFocused(page, "API keys");
    expect(new URL(page.url()).hash).toBe("#/connection");
  });

  test("masks a password, shows it on demand, and takes a pasted one", async ({ newPage }) => {
    const page = await newPage({ storageState: undefined });
    await page.goto("/");
    const field = page.getByLabel("Password", { exact: true });
    await expect(field).toHaveAttribute("type", "password");
    await expect(field).toHaveAttribute("autocomplete", "current-password");
    await page.getByLabel("E-mail").fill("correct horse battery");
    await page.getByLabel("E-mail").selectText();
    await page.keyboard.press("ControlOrMeta+X");
    await field.focus();
    await page.keyboard.press("ControlOrMeta+V");
    await expect(field).toHaveValue("correct horse battery");
    await button(page, "Show the password").click();
    await expect(field).toHaveAttribute("type", "text");
    await button(page, "Hide the password").click();
    await expect(field).toHaveAttribute("type", "password");
  });

  test("that is offline says so, and sends nothing", async ({ page }) => {
    await open(page);
    await openIssue(page, "Offline");
    await page.context().setOffline(true);
    await button(page, "Issue").click();
    await expect(page.getByText("You are offline. Nothing was sent.")).toBeVisible();
    await inspect(page, "offline-issue");
    await button(page, "Cancel").click();
    await expect(page.getByText("You are offline. What you see may be out of date")).toBeVisible();
    await inspect(page, "offline");
    await page.context().setOffline(false);
    await expect(page.getByText("You are offline. What you see may be out of date")).not.toBeAttached();
  });

  test("tells when too many tries end", async ({ newPage }) => {
    const page = await newPage({ storageState: undefined });
    const until = new Date(Date.now() + 15 * 60_000).toISOString();
    await answerInstead(page, "POST", "/v1/session", problem(429, "too_many_attempts", { until }));
    await open(page);
    await page.getByLabel("E-mail").fill(MEMBER.email);
    await page.getByLabel("Password", { exact: true }).fill("whatever it was");
    await button(page, "Sign in").click();
    await expect(
      page.getByText(/Too many tries\. You can try again after \d\d:\d\d \(Europe\/Lisbon\)\.$/),
    ).toBeVisible();
    await inspect(page, "sign-in-too-many");
  });

  test("is held by its own policy", async ({ page, errors }) => {
    await open(page);
    const refused = await page.evaluate(() => {
      const tries = {
        html: () => (document.createElement("p").innerHTML = "<b>x</b>"),
        script: () => (document.createElement("script").text = "1"),
        policy: () => trustedTypes.createPolicy("mine", {}),
      };
      return Object.entries(tries).flatMap(([name, attempt]) => {
        try {
          attempt();
          return [];
        } catch {
          return [name];
        }
      });
    });
    expect(refused).toEqual(["html", "script", "policy"]);
    // The browser reports what it refused; these three are the test's own.
    errors.splice(0);
  });
});
