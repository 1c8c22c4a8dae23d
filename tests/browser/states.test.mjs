// The states that a healthy Worker does not show: one request is answered in its place, everything
// else is real.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  MEMBER,
  NARROW,
  answerInstead,
  assertFocused,
  button,
  close,
  cookies,
  focused,
  inspect,
  issueKey,
  problem,
  stage,
  useStage,
} from "./stage.mjs";

useStage();

/** A test with a page of its own, on which the member is signed in. */
function state(name, options, run = options) {
  test(name, async () => {
    const page = await stage.page({ cookies, ...options });
    await run(page);
    await close(page);
  });
}

const open = async (page, address = "") => {
  await page.goto(`${stage.origin}/${address}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
};
const openIssue = async (page, name) => {
  await button(page, "Issue API Key").click();
  await page.getByLabel("Name", { exact: true }).fill(name);
};

const NOW = "2026-11-21T12:00:00Z";
const key = (n, members) => ({
  id: `a1B2c3D4${String(n).padStart(10, "0")}`,
  access_key: `clv_a1B2c3D4${String(n).padStart(10, "0")}`,
  name: `Key ${n}`,
  status: "active",
  enabled: true,
  expires_at: null,
  not_before: null,
  networks: [],
  permissions: [],
  viewable: false,
  protected: false,
  issuable: null,
  issued_by: { kind: "member", name: MEMBER.name },
  last_used_at: null,
  uses_24h: 0,
  deleted_at: null,
  restorable_until: null,
  created_at: NOW,
  created_by: MEMBER.name,
  changed_at: NOW,
  changed_by: MEMBER.name,
  revision: n,
  ...members,
});
const json = (body) => (route) =>
  route.fulfill({ status: 200, contentType: "application/json", body: JSON.stringify(body) });

describe("the list", () => {
  state("tells after a second that it is loading, and not before", async (page) => {
    let answer;
    await answerInstead(page, "GET", "/v1/keys", (route) => (answer = () => route.continue()));
    await open(page);
    await page.waitForTimeout(400);
    assert.equal(await page.getByText("Loading keys").count(), 0);
    await page.locator("p.waiting").waitFor();
    await inspect(page, "keys-loading");
    answer();
    await page.getByText("No API keys yet.").waitFor();
  });

  state("that could not be loaded says so, and can be tried again", async (page) => {
    await answerInstead(page, "GET", "/v1/keys", problem(503, "unavailable", {}, { "cf-ray": "8f2a9c4417" }), 1);
    await open(page);
    await page.getByText("The keys could not be loaded; nothing was changed.").waitFor();
    await page.getByText("8f2a9c4417").waitFor();
    await inspect(page, "keys-failed");
    await button(page, "Try again").click();
    await page.getByText("No API keys yet.").waitFor();
  });

  state("of 10,000 keys shows fifty, and walks on and back", async (page) => {
    const pages = { "": [1, "b"], b: [51, "c"], c: [101, null] };
    await answerInstead(page, "GET", "/v1/keys", (route) => {
      const cursor = new URL(route.request().url()).searchParams.get("cursor") ?? "";
      const [first, next] = pages[cursor];
      const keys = Array.from({ length: 50 }, (_, index) => key(first + index));
      return json({ keys, next, total: 10_000, total_is_exact: true })(route);
    });
    await open(page);
    await page.getByText("10,000 keys").waitFor();
    assert.equal(await page.locator("tbody tr").count(), 50);
    await page.getByRole("link", { name: "Next" }).click();
    await page.getByText("51–100 of 10,000").first().waitFor();
    await page.waitForFunction(() => document.activeElement.id === "keys");
    await page.getByRole("link", { name: "Next" }).click();
    await page.getByRole("link", { name: "Key 101", exact: true }).waitFor();
    assert.equal(await page.getByRole("link", { name: "Next" }).count(), 0);
    await inspect(page, "keys-last-page");
    await page.getByRole("link", { name: "Previous" }).click();
    await page.getByRole("link", { name: "Key 51", exact: true }).waitFor();
    await page.goBack();
    await page.getByRole("link", { name: "Key 101", exact: true }).waitFor();
    await page.reload();
    await page.getByRole("link", { name: "First page" }).click();
    await page.getByRole("link", { name: "Key 1", exact: true }).waitFor();
  });

  state("is sorted by the server, and one column says so", async (page) => {
    const asked = [];
    await answerInstead(page, "GET", "/v1/keys", (route) => {
      asked.push(new URL(route.request().url()).searchParams.get("sort"));
      return json({ keys: [key(1)], next: null, total: 1, total_is_exact: true })(route);
    });
    await open(page);
    const sorted = () =>
      page.locator("th[aria-sort]").evaluateAll((heads) => heads.map((head) => `${head.textContent} ${head.ariaSort}`));
    await page.locator("th[aria-sort=descending]").waitFor();
    assert.deepEqual(await sorted(), ["Issued descending"]);
    await button(page, "Name").click();
    await page.locator("th[aria-sort=ascending]").waitFor();
    assert.deepEqual(await sorted(), ["Name ascending"]);
    const third = page.waitForResponse((response) => response.url().includes("sort=-name"));
    await button(page, "Name").click();
    await page.locator("th[aria-sort=descending]").waitFor();
    await third;
    assert.deepEqual(asked, ["-created", "name", "-name"]);
    await assertFocused(page, "Name");
  });

  state("looks up a pasted key by its ID; the secret is never sent", async (page) => {
    const urls = [];
    page.on("request", (request) => urls.push(request.url()));
    await answerInstead(page, "GET", "/v1/keys", (route) => {
      const q = new URL(route.request().url()).searchParams.get("q");
      return json({
        keys: q ? [key(3)] : Array.from({ length: 12 }, (_, n) => key(n)),
        next: null,
        total: q ? 1 : 12,
        total_is_exact: true,
      })(route);
    });
    await open(page);
    const search = page.getByRole("searchbox");
    await search.fill(`${key(3).access_key}${"s3cr3t".repeat(10)}`);
    assert.equal(await search.inputValue(), key(3).access_key);
    await page.getByText("Only the ID of that key was looked up.").waitFor();
    await page.getByText("1 key matches.").waitFor({ state: "attached" });
    assert.ok(!urls.join().includes("s3cr3t"));
    assert.ok(!page.url().includes("s3cr3t"));
    await inspect(page, "search-pasted-key");
  });

  state("says before a deletion which of the keys are in use (A09)", async (page) => {
    const keys = [key(1, { uses_24h: 1204 }), key(2)];
    await answerInstead(page, "GET", "/v1/keys", json({ keys, next: null, total: 2, total_is_exact: true }));
    await open(page);
    for (const { name } of keys) await page.getByLabel(`Select ${name}`, { exact: true }).check();
    await button(page, "Delete…").click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByText('"Key 1" was called 1,204 times in the last 24 hours.').waitFor();
    assert.equal(await dialog.getByText(/in the last 24 hours/).count(), 1);
    await inspect(page, "delete-used");
  });

  state("takes a pasted short-lived key for what it is, and keeps its ID alone (A08)", async (page) => {
    const sent = [];
    page.on("request", (request) => sent.push(request.url() + (request.postData() ?? "")));
    const keys = Array.from({ length: 12 }, (_, n) => key(n));
    await answerInstead(page, "GET", "/v1/keys", json({ keys, next: null, total: 12, total_is_exact: true }));
    const revoked = { bound: { at: "2026-11-21T12:00:10Z", within_s: 10 }, all_of_issuer: true };
    await answerInstead(page, "POST", "/v1/sealed-keys/revoke", json(revoked));
    await open(page);
    const payload = Buffer.from(JSON.stringify({ v: 1, id: "q".repeat(35), by: { key: key(3).id } })).toString("base64url");
    const search = page.getByRole("searchbox");
    await search.fill(`clvs_${payload}.${"s3cr3t".repeat(8)}`);
    assert.equal(await search.inputValue(), "");
    await page.getByText("q".repeat(35)).waitFor();
    await inspect(page, "sealed-found");
    await button(page, "Revoke this short-lived key").click();
    await assertFocused(page, "Cancel");
    await button(page, "Revoke").click();
    await page.getByText(/all its short-lived keys are revoked\. Refused everywhere since/).first().waitFor();
    await inspect(page, "sealed-revoked");
    assert.ok(sent.some((text) => text.includes(`"issuer":"${key(3).id}"`)));
    assert.ok(!sent.join().includes("s3cr3t"));
  });

  state("is not searched by the Enter that ends an IME's conversion", async (page) => {
    await open(page, "#/keys?q=cron");
    const search = page.getByRole("searchbox");
    await search.waitFor();
    const goesOn = (isComposing) =>
      search.evaluate(
        (field, composing) =>
          field.dispatchEvent(
            new KeyboardEvent("keydown", { key: "Enter", isComposing: composing, bubbles: true, cancelable: true }),
          ),
        isComposing,
      );
    assert.deepEqual([await goesOn(true), await goesOn(false)], [false, true]);
  });

  state("that nothing matches can be cleared", async (page) => {
    await open(page, "#/keys?q=cron");
    await page.getByText('No key matches "cron".').waitFor();
    await inspect(page, "keys-none-match");
    await page.getByRole("link", { name: "Clear" }).click();
    await page.getByText("No API keys yet.").waitFor();
  });

  state("is for looking only when the member is a viewer", async (page) => {
    await answerInstead(page, "GET", "/v1/session", async (route) => {
      const answer = await route.fetch();
      const session = await answer.json();
      await route.fulfill({ response: answer, json: { ...session, member: { ...session.member, role: "viewer" } } });
    });
    await answerInstead(page, "GET", "/v1/keys", json({ keys: [key(1)], next: null, total: 1, total_is_exact: true }));
    await open(page);
    await page.getByText("Its owners and administrators can change them.").waitFor();
    await page.getByRole("link", { name: "Key 1" }).waitFor();
    assert.equal(await page.getByRole("button", { name: /^Issue API|Actions for|Select/ }).count(), 0);
    await inspect(page, "keys-viewer");
  });

  for (const [name, context] of Object.entries({
    dark: { colorScheme: "dark" },
    "phone-dark": { colorScheme: "dark", viewport: NARROW },
    320: { viewport: { width: 320, height: 640 } },
    "forced-colors": { forcedColors: "active" },
  })) {
    state(`in every status, ${name}`, context, async (page) => {
      const keys = [
        key(1, {
          name: "全角".repeat(32),
          networks: ["2001:db8:85a3:8d3:1319:8a2e:370:7348", "10.0.0.0/8", "192.0.2.1"],
        }),
        key(2, { status: "disabled", enabled: false, expires_at: "2099-06-30T15:00:00Z" }),
        key(3, { status: "expired", expires_at: "2026-01-01T05:05:00Z" }),
        key(4, { status: "not_yet_valid", not_before: "2098-06-30T15:00:00Z" }),
        key(5, { status: "deleted", deleted_at: NOW, restorable_until: "2026-12-21T12:00:00Z" }),
        key(6, { issued_by: { kind: "key", id: key(1).id, name: "全角".repeat(32) }, viewable: true, last_used_at: NOW }),
        key(7, { issued_by: { kind: "service" }, issuable: { permissions: [], networks: [], longest_ms: null } }),
        key(8, { protected: true }),
      ];
      await answerInstead(page, "GET", "/v1/keys", json({ keys, next: null, total: 8, total_is_exact: true }));
      await open(page);
      await page.getByText("Not yet valid").waitFor();
      await inspect(page, `keys-${name}`);
    });
  }
});

describe("issuing", () => {
  state("once, however often the button is pressed", async (page) => {
    let sent = 0;
    page.on("request", (request) => (sent += request.method() === "POST" && request.url().endsWith("/v1/keys")));
    await open(page);
    await openIssue(page, "Pressed twice");
    await button(page, "Issue").dblclick();
    await page.getByRole("dialog", { name: '"Pressed twice" is issued.' }).waitFor();
    assert.equal(sent, 1);
    await button(page, "I have stored it").click();
  });

  state("whose answer was lost says what may be, and a second try issues no second key", async (page) => {
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
    await page.getByText('No answer came. A key named "Lost answer" may exist').waitFor();
    assert.match(await focused(page), /^No answer came/);
    await inspect(page, "issue-answer-lost");
    await button(page, "Issue").click();
    await page.getByText('"Lost answer" was already issued from this form.').waitFor();
    await inspect(page, "issue-already");
    await page.getByRole("link", { name: "Open the key" }).click();
    await page.getByRole("heading", { name: "Lost answer", level: 1 }).waitFor();
    assert.equal(await page.getByRole("dialog").count(), 0);
  });

  state("whose answer was lost can be left; the list then shows what there is", async (page) => {
    const lose = async (route) => {
      await route.fetch();
      await route.abort();
    };
    await answerInstead(page, "POST", "/v1/keys", lose, 1);
    await open(page);
    await openIssue(page, "Left behind");
    await button(page, "Issue").click();
    await page.getByText('A key named "Left behind" may exist').waitFor();
    await button(page, "Cancel").click();
    await page.getByRole("link", { name: "Left behind" }).waitFor();
  });

  state("asks who it is when that was long ago, then goes on with the same request", async (page) => {
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
    await proof.getByText("That password doesn’t match. Enter it again.").waitFor();
    await inspect(page, "step-up-refused");
    await proof.getByLabel("Password", { exact: true }).fill(MEMBER.password);
    await button(page, "Confirm").click();
    await page.getByRole("dialog", { name: '"After a proof" is issued.' }).waitFor();
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
    await button(page, "I have stored it").click();
  });

  state("keeps what was typed while one signs in again", async (page) => {
    await open(page);
    await openIssue(page, "Typed before");
    await page.getByLabel("Networks", { exact: true }).fill("10.0.0.0/8");
    await page.context().clearCookies();
    await button(page, "Issue").click();
    const again = page.getByRole("dialog", { name: "Sign in again; what you typed is kept." });
    assert.equal(await again.getByLabel("E-mail").inputValue(), MEMBER.email);
    await inspect(page, "sign-in-again");
    await again.getByLabel("Password", { exact: true }).fill(MEMBER.password);
    await button(page, "Sign in").click();
    await page.getByRole("dialog", { name: '"Typed before" is issued.' }).waitFor();
    await button(page, "I have stored it").click();
    await page.getByRole("row").filter({ hasText: "Typed before" }).getByText("10.0.0.0/8").waitFor();
  });

  state("tells honestly that the browser refused to copy", async (page) => {
    await open(page);
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    const issued = await issueKey(page, "Not copied", { store: false });
    await button(page, "Copy key").click();
    await page.getByText("The browser refused to copy. The key is selected: press Ctrl+C (⌘C).").first().waitFor();
    assert.equal(await page.evaluate(() => getSelection().toString() || document.activeElement.value), issued);
    await inspect(page, "reveal-copy-refused");
  });
});

describe("the focus, when what had it goes,", () => {
  const listed = (page, ...keys) =>
    answerInstead(page, "GET", "/v1/keys", json({ keys, next: null, total: keys.length, total_is_exact: true }));

  state("moves on from a retry and from a cleared search to the heading of the list", async (page) => {
    await listed(page);
    await answerInstead(page, "GET", "/v1/keys", problem(503, "unavailable"), 1);
    await open(page, "#/keys?q=cron");
    await button(page, "Try again").press("Enter");
    await page.getByText('No key matches "cron".').waitFor();
    await assertFocused(page, "Keys");
    await page.getByRole("link", { name: "Clear" }).press("Enter");
    await page.getByText("No API keys yet.").waitFor();
    await assertFocused(page, "Keys");
  });

  state("moves on from the ticks that were cleared", async (page) => {
    await listed(page, key(1), key(2));
    await open(page);
    await page.getByLabel("Select Key 1").check();
    await button(page, "Clear").press("Enter");
    await page.getByText("1 key selected").waitFor({ state: "detached" });
    await assertFocused(page, "Keys");
  });

  state("moves on from a filter that was taken away, and from a filter that matched nothing", async (page) => {
    await answerInstead(page, "GET", "/v1/activity", json({ entries: [], next: null }));
    await open(page, "#/activity?member=m1&q=x");
    await page.getByRole("link", { name: "Remove the filter By: m1" }).press("Enter");
    await page.getByRole("listitem").filter({ hasText: "By: m1" }).waitFor({ state: "detached" });
    await assertFocused(page, "Activity");
    await page.getByRole("link", { name: "Clear" }).press("Enter");
    await page.getByText("No activity yet.").waitFor();
    await assertFocused(page, "Activity");
  });

  state("stays with the choice that an offer makes", async (page) => {
    await open(page);
    await openIssue(page, "Offered");
    await page.getByLabel("Unlimited").check();
    await button(page, "Use 90 days").press("Enter");
    assert.equal(await page.getByLabel("Number").inputValue(), "90");
    assert.ok(await page.getByLabel("For a time").evaluate((radio) => radio.checked && radio === document.activeElement));
  });

  state("stays with the button whose act has become its opposite", async (page) => {
    const path = `/v1/keys/${key(1).id}`;
    await answerInstead(page, "GET", path, json(key(1)));
    await answerInstead(
      page,
      "POST",
      `${path}/disable`,
      json({ key: key(1, { status: "disabled", enabled: false }), bound: null }),
    );
    await open(page, `#/keys/${key(1).id}`);
    await button(page, "Disable").press("Enter");
    await page.getByRole("alertdialog").getByRole("button", { name: "Disable" }).press("Enter");
    await button(page, "Activate").waitFor();
    await assertFocused(page, "Activate");
  });

  state("is with what a short-lived key's revocation led to", async (page) => {
    await listed(page, ...Array.from({ length: 12 }, (_, n) => key(n)));
    await answerInstead(page, "POST", "/v1/sealed-keys/revoke", json({ bound: null, all_of_issuer: false }));
    await open(page);
    const payload = Buffer.from(JSON.stringify({ v: 1, id: "q".repeat(35), by: "service" })).toString("base64url");
    await page.getByRole("searchbox").fill(`clvs_${payload}.${"M".repeat(49)}`);
    await button(page, "Revoke this short-lived key").press("Enter");
    await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).press("Enter");
    await page.waitForFunction(() => document.activeElement.textContent.includes("The short-lived key is revoked."));
  });
});

describe("a key", () => {
  state("that somebody else changed meanwhile shows both, and goes on from theirs", async (page) => {
    await open(page);
    await issueKey(page, "Contested");
    await page.getByRole("link", { name: "Contested", exact: true }).click();
    await button(page, "Edit").click();
    await page.getByLabel("Name", { exact: true }).fill("Mine");

    const other = await stage.page({ cookies });
    await open(other, new URL(page.url()).hash);
    await button(other, "Edit").click();
    await other.getByLabel("Networks", { exact: true }).fill("192.0.2.0/24");
    await button(other, "Save").click();
    await other.getByText('"Contested" is saved.').first().waitFor();
    await close(other);

    await button(page, "Save").click();
    await page.getByText(/^Mei Tanaka changed this key at \d\d:\d\d; yours is not saved\.$/).waitFor();
    await button(page, "Show both").press("Enter");
    await page.waitForFunction(() => document.activeElement.textContent.includes("Mei Tanaka’s"));
    await inspect(page, "edit-conflict");
    await button(page, "Keep my changes").press("Enter");
    await assertFocused(page, 'Edit "Contested"');
    assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Mine");
    assert.equal(await page.getByLabel("Networks", { exact: true }).inputValue(), "192.0.2.0/24");
    await button(page, "Save").click();
    await page.getByText('"Mine" is saved.').first().waitFor();
  });

  state("that is not there, and one that could not be loaded", async (page) => {
    await open(page, "#/keys/nothing");
    await page.getByRole("heading", { name: "Page not found" }).waitFor();
    await inspect(page, "key-not-found");
    await answerInstead(page, "GET", "/v1/keys/broken", problem(500, "internal", {}, { "cf-ray": "8f2a9c4417" }));
    await open(page, "#/keys/broken");
    await page.getByText("The key could not be loaded; nothing was changed.").waitFor();
    await inspect(page, "key-failed");
  });
});

describe("the pages of text", () => {
  for (const [path, heading] of [
    ["nothing/here", "There is nothing at this address"],
    ["problems", "Problem codes"],
  ])
    for (const [form, context] of Object.entries({ wide: {}, "phone-dark": { viewport: NARROW, colorScheme: "dark" } }))
      state(`${path}, ${form}, lead to the console`, context, async (page) => {
        await page.goto(`${stage.origin}/${path}`);
        await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
        await inspect(page, `${path.replace("/", "-")}-${form}`);
        // The address that is not there is an answer of 404, which the browser reports.
        await page.getByRole("banner").getByRole("link", { name: "Claviger" }).click();
        await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
      });
});

describe("the console", () => {
  state("that cannot be reached can be tried again", async (page) => {
    await answerInstead(page, "GET", "/v1/session", problem(503, "unavailable"), 1);
    await open(page);
    await page.getByRole("heading", { name: "The console could not be loaded", level: 1 }).waitFor();
    await page.getByText("The service cannot be reached at the moment.").waitFor();
    await inspect(page, "console-unreached");
    await button(page, "Try again").click();
    await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
  });

  state("shows where one is, also where the system chooses the colours", { forcedColors: "active" }, async (page) => {
    await open(page);
    const line = (name) =>
      page
        .getByRole("navigation", { name: "Console" })
        .getByRole("link", { name })
        .evaluate((link) => getComputedStyle(link).borderBottomColor);
    assert.notEqual(await line("API keys"), await line("Activity"));
  });

  state("asks in Japanese without blanks between sentences", async (page) => {
    await page.addInitScript(() => localStorage.setItem("claviger.language", "ja"));
    await answerInstead(page, "GET", "/v1/keys", json({ keys: [key(1)], next: null, total: 1, total_is_exact: true }));
    await open(page);
    await button(page, "Key 1の操作").click();
    await page.locator("[popover]:popover-open").getByRole("button", { name: "無効にする" }).click();
    const question = page.getByRole("alertdialog", { name: "「Key 1」を無効にしますか。" });
    await question.getByText("あとで有効に戻せます。使われたことはありません。").waitFor();
    await inspect(page, "disable-ja");
  });

  state("has an address for the connection, and a way past the navigation", async (page) => {
    await open(page, "#/connection");
    await page.waitForFunction(() => document.activeElement.textContent === "Connection Information");
    await page.getByText(/^https?:\/\/api\.localhost/).first().waitFor();
    await page.getByRole("link", { name: "Skip to the content" }).focus();
    await page.keyboard.press("Enter");
    await assertFocused(page, "API keys");
    assert.equal(new URL(page.url()).hash, "#/connection");
  });

  state("that is offline says so, and sends nothing", async (page) => {
    await open(page);
    await openIssue(page, "Offline");
    await page.context().setOffline(true);
    await button(page, "Issue").click();
    await page.getByText("You are offline. Nothing was sent.").waitFor();
    await inspect(page, "offline-issue");
    await button(page, "Cancel").click();
    await page.getByText("You are offline. What you see may be out of date").waitFor();
    await inspect(page, "offline");
    await page.context().setOffline(false);
    await page.getByText("You are offline. What you see may be out of date").waitFor({ state: "detached" });
  });

  state("tells when too many tries end", { cookies: undefined }, async (page) => {
    const until = new Date(Date.now() + 15 * 60_000).toISOString();
    await answerInstead(page, "POST", "/v1/session", problem(429, "too_many_attempts", { until }));
    await open(page);
    await page.getByLabel("E-mail").fill(MEMBER.email);
    await page.getByLabel("Password", { exact: true }).fill("whatever it was");
    await button(page, "Sign in").click();
    await page.getByText(/Too many tries\. You can try again after \d\d:\d\d \(Europe\/Lisbon\)\.$/).waitFor();
    await inspect(page, "sign-in-too-many");
  });

  state("is held by its own policy", async (page) => {
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
    assert.deepEqual(refused, ["html", "script", "policy"]);
    // The browser reports what it refused; these three are the test's own.
    page.errors.splice(0);
  });
});
