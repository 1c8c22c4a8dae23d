// The account's page: members, invitations, name and time zone. The API is stood in for: the pages
// are seen in states that take a real account long to reach.
import { assertFocused, button, inspect, NARROW, open } from "./support/console.mjs";
import { answerInstead, problem } from "./support/answers.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { LONG, NAMES, invitation, member, standIn } from "./support/people.mjs";

const some = (count = 4) => Array.from({ length: count }, (_, n) => member(n + 1));
const row = (page, name) => page.getByRole("row").filter({ has: page.getByText(name, { exact: true }) });
const sent = (state, method, path) => state.requests.filter((one) => one.method === method && one.path === path);

/** Opens the menu of a member and chooses an action. */
async function act(page, name, action) {
  await button(page, `Actions for ${name}`).click();
  await page.locator(".menu:popover-open").getByRole("button", { name: action, exact: true }).click();
}

test.describe("an owner", () => {
  test("invites: the mistakes show, what was sent is what was chosen, and the focus is at the invitation", async ({
    page,
  }) => {
    const state = await standIn(page, { members: some() });
    await open(page, "#/account");
    await button(page, "Invite").click();
    const dialog = page.getByRole("dialog", { name: "Invite a member" });
    await expect(dialog.getByLabel("Viewer")).toBeChecked();
    await button(page, "Send invitation").click();
    await expect(dialog.getByRole("group", { name: "There is a problem" })).toBeFocused();
    await inspect(page, "invite-mistakes");
    await dialog.getByLabel("E-mail").fill(" ken@example.jp ");
    await dialog.getByLabel("Administrator").check();
    await dialog.getByLabel("Language of the mail").selectOption("ja");
    await button(page, "Send invitation").dblclick();
    await expect(page.getByText("The invitation to ken@example.jp is on its way.").first()).toBeVisible();
    expect(sent(state, "POST", "/members/invitations").map(({ body }) => body)).toEqual([
      { email: "ken@example.jp", role: "admin", language: "ja" },
    ]);
    await assertFocused(page, "Send again: the invitation to ken@example.jp");
    await expect(page.getByRole("status").filter({ hasText: "on its way" })).toHaveCount(1);
    await inspect(page, "invited");
  });

  test("follows the mail of an invitation until it is out", async ({ page }) => {
    const state = await standIn(page, { invitations: [invitation(1, { mail: "queued" })] });
    await open(page, "#/account");
    await expect(page.getByText("The mail is on its way.")).toBeVisible();
    state.invitations = [invitation(1, { mail: "refused" })];
    await expect(page.getByText("The mail was rejected and is not retried.")).toBeVisible();
  });

  test("sends an invitation again, and withdraws it once asked", async ({ page }) => {
    const state = await standIn(page, { invitations: [invitation(1), invitation(2, { mail: "failing" })] });
    await open(page, "#/account");
    await button(page, "Send again: the invitation to guest-1@example.org").click();
    await expect(page.getByText("The link in the earlier mail no longer works.").first()).toBeVisible();
    expect(sent(state, "POST", "/members/invitations/i1/repeat").length).toBe(1);
    await button(page, "Withdraw the invitation to guest-2@example.org").click();
    await assertFocused(page, "Cancel");
    await inspect(page, "withdraw");
    await button(page, "Withdraw").click();
    await expect(page.getByText("The invitation to guest-2@example.org is withdrawn.").first()).toBeVisible();
    await expect(page.getByText("guest-2@example.org", { exact: true })).not.toBeAttached();
    await assertFocused(page, "Open invitations");
  });

  test("is told that an invitation was used meanwhile, and sees what is open", async ({ page }) => {
    const state = await standIn(page, { invitations: [invitation(1), invitation(2)] });
    await open(page, "#/account");
    await expect(page.getByText("guest-1@example.org", { exact: true })).toBeVisible();
    state.invitations = [invitation(2)];
    await button(page, "Send again: the invitation to guest-1@example.org").click();
    await expect(page.getByText("guest-1@example.org", { exact: true })).not.toBeAttached();
    await expect(page.getByText("guest-2@example.org", { exact: true })).toBeVisible();
  });

  test("cannot invite where no mail goes out, and reads why", async ({ page }) => {
    await standIn(page, { session: { mail: "off" } });
    await open(page, "#/account");
    await button(page, "Invite").click();
    await expect(page.getByRole("dialog").getByText("mail is not set up here")).toBeVisible();
    await inspect(page, "invite-mail-off");
    await page.keyboard.press("Escape");
    await assertFocused(page, "Invite");
  });

  test("changes a role; the answer is what the row shows", async ({ page }) => {
    const state = await standIn(page, { members: some() });
    await open(page, "#/account");
    await act(page, NAMES[2], "Change role");
    const dialog = page.getByRole("dialog", { name: `Change the role of "${NAMES[2]}"` });
    await expect(dialog.getByLabel("Viewer")).toBeFocused();
    await page.keyboard.press("ArrowUp");
    await inspect(page, "role");
    await button(page, "Change role").click();
    await expect(page.getByText(`"${NAMES[2]}" is an administrator now.`).first()).toBeVisible();
    await expect(row(page, NAMES[2]).getByText("Administrator")).toBeVisible();
    expect(sent(state, "PATCH", "/members/m2").map(({ body }) => body)).toEqual([
      { role: "admin", expected_role: "viewer" },
    ]);
    await assertFocused(page, `Actions for ${NAMES[2]}`);
    await inspect(page, "role-changed");
  });

  test("whom another owner forestalled reads the present role, and can go on", async ({ page }) => {
    const state = await standIn(page, { members: some() });
    await open(page, "#/account");
    await act(page, NAMES[2], "Change role");
    state.members.find(({ id }) => id === "m2").role = "admin";
    await page.getByLabel("Owner").check();
    await button(page, "Change role").click();
    await expect(page.getByText("it is Administrator now")).toBeVisible();
    await button(page, "Change role").click();
    await expect(page.getByText(`"${NAMES[2]}" is an owner now.`).first()).toBeVisible();
    expect(sent(state, "PATCH", "/members/m2").at(-1).body).toEqual({ role: "owner", expected_role: "admin" });
  });

  test("removes a member; the focus goes on to the next row", async ({ page }) => {
    await standIn(page, { members: some() });
    await open(page, "#/account");
    await act(page, "Ñandú Ávila", "Remove");
    const question = page.getByRole("alertdialog", { name: 'Remove "Ñandú Ávila" from this account?' });
    await assertFocused(page, "Cancel");
    await expect(question.getByText("Keys that were issued keep working.")).toBeVisible();
    await inspect(page, "remove-member");
    await question.getByRole("button", { name: "Remove" }).click();
    await expect(page.getByText('"Ñandú Ávila" is removed, and signed out everywhere.').first()).toBeVisible();
    await expect(row(page, "Ñandú Ávila")).not.toBeAttached();
    await assertFocused(page, "Actions for Ольга Петрова");
  });

  test("signs a member out everywhere", async ({ page }) => {
    const state = await standIn(page, { members: some() });
    await open(page, "#/account");
    await act(page, NAMES[2], "Sign out everywhere");
    await button(page, "Sign out").click();
    await expect(page.getByText(`"${NAMES[2]}" is signed out everywhere.`).first()).toBeVisible();
    expect(sent(state, "POST", "/members/m2/end-sessions").length).toBe(1);
    expect(await row(page, NAMES[2]).getByText("signed in").count()).toBe(0);
  });

  test("who is the last one reads why they cannot leave", async ({ page }) => {
    const state = await standIn(page, { members: some() });
    await open(page, "#/account");
    await act(page, "Mei Tanaka", "Leave this account");
    await expect(page.getByRole("alertdialog", { name: "You are the only owner" })).toBeVisible();
    await inspect(page, "leave-last-owner");
    await button(page, "Close").click();
    await assertFocused(page, "Actions for Mei Tanaka");
    expect(state.requests.some(({ method }) => method === "DELETE")).toBe(false);
  });

  test("who gives up the role sees the page of the new one", async ({ page }) => {
    await standIn(page, { members: [member(1, { role: "owner" })] });
    await open(page, "#/account");
    await act(page, "Mei Tanaka", "Change role");
    await page.getByLabel("Viewer").check();
    await expect(page.getByText("You will no longer manage members")).toBeVisible();
    await button(page, "Change role").click();
    await expect(page.getByText(`Ask ${NAMES[1]}.`)).toBeVisible();
    expect(await button(page, "Invite").count()).toBe(0);
  });

  test("names the account and sets its zone; only what was changed is sent", async ({ page }) => {
    const state = await standIn(page, { members: some() });
    await open(page, "#/account");
    await button(page, "Edit name and time zone").click();
    await page.getByLabel("Account name").fill("");
    await button(page, "Save").click();
    await expect(page.getByRole("link", { name: "Enter a name for the account." })).toBeVisible();
    await page.getByLabel("Account name").fill(LONG);
    await button(page, "Save").click();
    await expect(page.getByText("The account is saved.").first()).toBeVisible();
    await expect(page.getByRole("banner").getByText(LONG)).toBeVisible();
    await assertFocused(page, "Edit name and time zone");
    await button(page, "Edit name and time zone").click();
    await page.getByLabel("Time zone").selectOption("Europe/Lisbon");
    await button(page, "Save").click();
    await expect(page.getByRole("definition").filter({ hasText: "Europe/Lisbon" })).toBeVisible();
    expect(sent(state, "PATCH", "/account").map(({ body }) => body)).toEqual([
      { name: LONG },
      { time_zone: "Europe/Lisbon" },
    ]);
  });
});

for (const role of ["admin", "viewer"])
  test(`a member who is ${role} sees the members, whom to ask, and the way out`, async ({ page }) => {
    const state = await standIn(page, {
      members: [member(0, { role: "owner" }), ...some(3)],
      session: { member: { role } },
    });
    await open(page, "#/account");
    await expect(page.getByText("Ask Ken Sato.")).toBeVisible();
    await inspect(page, `account-${role}`);
    await expect(page.getByRole("button", { name: /^Actions for/ })).toHaveCount(1);
    expect(await page.getByRole("button", { name: /Invite|Edit|Withdraw/ }).count()).toBe(0);
    await act(page, "Mei Tanaka", "Leave this account");
    await inspect(page, `leave-${role}`);
    await button(page, "Leave").click();
    await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
    expect(sent(state, "DELETE", "/members/me").length).toBe(1);
  });

test("a thousand members: fifty are drawn, the rest is a search or a page away", async ({ page }) => {
  await standIn(page, { members: some(999) });
  await open(page, "#/account");
  await expect(page.getByText("1,000 members")).toBeVisible();
  await expect(page.locator(".members tbody tr")).toHaveCount(50);
  await expect(page.getByText("1–50 of 1,000")).toBeVisible();
  await inspect(page, "members-1000");
  await page.getByRole("link", { name: "Next" }).click();
  await expect(page.getByText("51–100 of 1,000").first()).toBeVisible();
  await assertFocused(page, "Members");
  await button(page, "Role").click();
  await expect(page.locator("th[aria-sort=ascending]")).toHaveText("Role");
  await expect(page.locator(".members tbody tr").first().getByText("Owner")).toBeVisible();

  const search = page.getByRole("searchbox", { name: "Name or address" });
  await search.fill("MEMBER-９９９@");
  await expect(page.locator(".members tbody tr")).toHaveCount(1);
  await expect(page.getByRole("status").filter({ hasText: "1 member matches." })).toBeAttached();
  expect(new URL(page.url()).hash).toContain("sort=role");
  await search.fill("フジワラ");
  await expect(row(page, "ふじわら さくら")).toBeVisible();
  await search.fill("nandu");
  await expect(row(page, "Ñandú Ávila")).toBeVisible();
  await search.fill("nobody at all");
  await expect(page.getByText('No member matches "nobody at all".')).toBeVisible();
  await inspect(page, "members-none-match");
  await assertFocused(page, "");
});

test("says that the members could not be loaded, and tries again", async ({ page }) => {
  await standIn(page, { members: some() });
  await answerInstead(page, "GET", "/v1/members", problem(503, "unavailable"), 1);
  await open(page, "#/account");
  await expect(page.getByText("The members could not be loaded; nothing was changed.")).toBeVisible();
  await inspect(page, "members-failed");
  await button(page, "Try again").click();
  await expect(row(page, NAMES[1])).toBeVisible();
});

for (const [status, code, members, text] of [
  [422, "invalid", { errors: [{ pointer: "#/email", code: "already_member" }] }, "has this address already."],
  [422, "invalid", { errors: [{ pointer: "#/email", code: "already_invited" }] }, "This address is invited already."],
  [409, "mail_off", {}, "mail is not set up here"],
  [409, "too_many_invitations", { max: 100 }, "its limit of 100 open invitations"],
  [409, "too_many_members", { max: 1_000 }, "its limit of 1,000 members"],
  [429, "too_many_invitation_mails", { until: "2099-01-01T00:00:00Z" }, "until Thu 1 Jan 2099, 09:00 (Asia/Tokyo)"],
])
  test(`an invitation that is refused says why: ${members.errors?.[0].code ?? code}`, async ({ page }) => {
    await standIn(page);
    await answerInstead(page, "POST", "/v1/members/invitations", problem(status, code, members));
    await open(page, "#/account");
    await button(page, "Invite").click();
    await page.getByLabel("E-mail").fill("ken@example.jp");
    await button(page, "Send invitation").click();
    await expect(page.getByRole("dialog").getByText(text).first()).toBeVisible();
    await expect(page.getByLabel("E-mail")).toHaveValue("ken@example.jp");
  });

for (const [code, status, members, text] of [
  ["last_owner", 409, {}, "This is the only owner."],
  ["not_found", 404, {}, "This member is no longer in the account."],
  ["not_permitted", 403, {}, "Only owners of the account can do this."],
  ["no_answer", 0, {}, "No answer came."],
])
  test(`a removal that is refused stays open and says why: ${code}`, async ({ page }) => {
    await standIn(page, { members: some() });
    await answerInstead(page, "DELETE", "/v1/members/m2", (route) =>
      status ? problem(status, code, members)(route) : route.abort(),
    );
    await open(page, "#/account");
    await act(page, NAMES[2], "Remove");
    await button(page, "Remove").click();
    await expect(page.getByRole("alertdialog").getByText(text)).toBeVisible();
    await inspect(page, `remove-refused-${code}`);
  });

test("in Japanese, on a phone, in the dark, with the longest names", async ({ newPage }) => {
  const page = await newPage({ viewport: { ...NARROW, width: 320 }, colorScheme: "dark", hasTouch: true });
  await page.addInitScript(() => localStorage.setItem("claviger.language", "ja"));
  await standIn(page, {
    members: some(12),
    invitations: Array.from({ length: 8 }, (_, n) => invitation(n, { invited_by: LONG })),
    account: { name: LONG },
  });
  await open(page, "#/account");
  await expect(page.getByRole("heading", { name: "メンバー" })).toBeVisible();
  await expect(page.locator(".rows > li")).toHaveCount(5);
  await inspect(page, "account-320");
  await button(page, "8件をすべて表示").click();
  await expect(page.locator(".rows > li")).toHaveCount(8);
  await button(page, `${LONG}の操作`).click();
  await page.locator(".menu:popover-open").getByRole("button", { name: "メンバーから外す" }).click();
  await inspect(page, "remove-320");
});
