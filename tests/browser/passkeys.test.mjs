// Passkeys in Chromium, with its virtual authenticator, on the real Worker: adding, signing in alone,
// the second step, the confirmation of one's identity, a copy, and removal.
import { MEMBER, NARROW, assertFocusOnField, button, inspect, open, until } from "./support/console.mjs";
import { expect, openPage, test } from "./support/fixtures.mjs";
import { signIn } from "./support/people.mjs";

// One person, whose passkey the first test adds.
test.describe.configure({ mode: "serial" });

const MINUTE = 60_000;

/** Adds an authenticator to a page, as a laptop has one. */
async function authenticatorOf(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const send = (method, members) => session.send(`WebAuthn.${method}`, { authenticatorId, ...members });
  return {
    /** Decides if the person unlocks the authenticator. */
    unlocks: (isUserVerified) => send("setUserVerified", { isUserVerified }),
    /** Replaces the one passkey by itself with another counter, as a copy of it has. */
    async recount(change) {
      const { credentials } = await send("getCredentials");
      const [credential] = credentials;
      await send("clearCredentials");
      const { signCount } = credential;
      await send("addCredential", { credential: { ...credential, signCount: change(signCount) } });
      return signCount;
    },
    count: async () => (await send("getCredentials")).credentials.length,
  };
}

test.describe("a passkey", () => {
  let page;
  let authenticator;
  const errors = [];
  const signedIn = () => expect(page.getByRole("navigation", { name: "Console" })).toBeVisible();
  const signOut = async () => {
    await button(page, `${MEMBER.name}: settings and sign out`).click();
    await button(page, "Sign out").click();
    await expect(page.getByRole("heading", { name: "Sign in", level: 1 })).toBeVisible();
  };

  test.beforeAll(async ({ browser }) => {
    page = await openPage(browser, errors, { storageState: undefined });
    // The list at the field for the address would use the passkey at once: no person chooses here.
    await page.addInitScript(() => {
      globalThis.PublicKeyCredential.isConditionalMediationAvailable = async () => false;
    });
    authenticator = await authenticatorOf(page);
  });
  test.afterAll(async () => {
    await page.context().close();
    expect(errors).toEqual([]);
  });

  test("is added after a prompt that was closed, and turns two-step sign-in on", async () => {
    await open(page, "#/profile/mfa");
    await signIn(page, MEMBER);
    await expect(page.getByRole("heading", { name: "Two-step sign-in (MFA)" })).toBeVisible();
    await button(page, "Add a passkey").click();
    const dialog = page.getByRole("dialog", { name: "Add a passkey" });
    const name = dialog.getByLabel("Name of the passkey");
    await expect(name).toHaveValue("Passkey 1");
    await inspect(page, "passkey-add");
    await name.fill("");
    await button(dialog, "Continue").click();
    await expect(dialog.getByText("Enter a name.")).toBeVisible();
    await assertFocusOnField(page, "passkey-name");
    await name.fill("Laptop");
    await authenticator.unlocks(false);
    await button(dialog, "Continue").click();
    await expect(
      dialog.getByText("The passkey was not used: its window was closed, or its time ran out."),
    ).toBeVisible();
    await inspect(page, "passkey-cancelled");
    expect(await authenticator.count()).toBe(0);
    await authenticator.unlocks(true);
    await button(dialog, "Continue").click();
    await button(page.getByRole("dialog", { name: "Your recovery codes" }), "I have stored it").click();
    await expect(page.getByText("Two-step sign-in is on. Your other browsers are signed out.").first()).toBeVisible();
    await expect(page.getByRole("list", { name: "Passkeys" }).getByText("Laptop")).toBeVisible();
    await inspect(page, "passkey-on");
    // The device has one for this account already.
    await button(page, "Add a passkey").click();
    await button(page.getByRole("dialog", { name: "Add a passkey" }), "Continue").click();
    await expect(page.getByText("This device has a passkey for this account already.")).toBeVisible();
    await button(page.getByRole("dialog", { name: "Add a passkey" }), "Cancel").click();
  });

  test("is renamed", async () => {
    await button(page, 'Rename the passkey "Laptop"').click();
    const dialog = page.getByRole("dialog", { name: 'Rename the passkey "Laptop"' });
    await dialog.getByLabel("Name of the passkey").fill("仕事用ノート");
    await button(dialog, "Save").click();
    await expect(page.getByText('The passkey is now named "仕事用ノート".').first()).toBeVisible();
  });

  test("signs in alone", async () => {
    await signOut();
    await inspect(page, "sign-in-passkey");
    await authenticator.unlocks(false);
    await button(page, "Sign in with a passkey").click();
    await expect(page.getByText("The passkey was not used:")).toBeVisible();
    await inspect(page, "sign-in-passkey-cancelled");
    await authenticator.unlocks(true);
    await button(page, "Sign in with a passkey").click();
    await signedIn();
  });

  test("is the second step after the password", async () => {
    await signOut();
    await signIn(page, MEMBER);
    await expect(page.getByText("Your browser asks for the passkey of this account.")).toBeVisible();
    await assertFocusOnField(page, "factor-code");
    await inspect(page, "sign-in-second-passkey");
    await button(page, "Use a recovery code").click();
    await expect(page.getByLabel("Recovery code")).toBeVisible();
    await page.locator(".aside-line").getByRole("button", { name: "Use a passkey" }).click();
    await button(page, "Use a passkey").click();
    await signedIn();
  });

  test("confirms one's identity, and the action goes on", async ({ deployment }) => {
    await deployment.worker.setClock(11 * MINUTE);
    await page.goto("/#/profile/mfa");
    await button(page, "Get new recovery codes").click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Get new recovery codes" }).click();
    const dialog = page.getByRole("dialog", { name: "Confirm it is you" });
    await inspect(page, "step-up-passkey");
    await button(dialog, "Use a passkey").click();
    await button(page.getByRole("dialog", { name: "Your recovery codes" }), "I have stored it").click();
    await expect(page.getByText("You have new recovery codes.").first()).toBeVisible();
  });

  test("is refused as a copy once its counter goes back, with a mail", async ({ deployment }) => {
    await signOut();
    const count = await authenticator.recount(() => 0);
    expect(count).toBeGreaterThan(2);
    await button(page, "Sign in with a passkey").click();
    await expect(page.getByText("This passkey opens no account here, or is no longer accepted.")).toBeVisible();
    await inspect(page, "sign-in-passkey-unknown");
    await until(() => deployment.mail.messages.some(({ subject }) => subject === "A passkey may have been copied"));
    await authenticator.recount(() => count + 10);
    await button(page, "Sign in with a passkey").click();
    await signedIn();
  });

  test("is removed, and the last one turns two-step sign-in off", async () => {
    await page.setViewportSize(NARROW);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.goto("/#/profile/mfa");
    await inspect(page, "passkey-on-narrow");
    await button(page, 'Remove the passkey "仕事用ノート"').click();
    const asking = page.getByRole("alertdialog", { name: 'Remove the passkey "仕事用ノート"?' });
    await expect(asking.getByText("It is your last second step:")).toBeVisible();
    await inspect(page, "passkey-remove-narrow");
    await button(asking, "Remove").click();
    await expect(page.getByText("Two-step sign-in is off.").first()).toBeVisible();
    await signOut();
    await button(page, "Sign in with a passkey").click();
    await expect(page.getByText("This passkey opens no account here, or is no longer accepted.")).toBeVisible();
    await signIn(page, MEMBER);
    await signedIn();
  });
});

test("signs in from the list at the field for the address", async ({ newPage }) => {
  const page = await newPage({ storageState: undefined });
  await authenticatorOf(page);
  await open(page);
  await signIn(page, MEMBER);
  await expect(page.getByRole("navigation", { name: "Console" })).toBeVisible();
  await page.goto("/#/profile/mfa");
  await button(page, "Add a passkey").click();
  await button(page.getByRole("dialog", { name: "Add a passkey" }), "Continue").click();
  await button(page.getByRole("dialog", { name: "Your recovery codes" }), "I have stored it").click();
  await expect(page.getByText("Two-step sign-in is on.").first()).toBeVisible();
  await button(page, `${MEMBER.name}: settings and sign out`).click();
  await button(page, "Sign out").click();
  await expect(page.getByLabel("E-mail")).toHaveAttribute("autocomplete", "username webauthn");
  // The virtual authenticator chooses in the person's place.
  await expect(page.getByRole("navigation", { name: "Console" })).toBeVisible();
});
