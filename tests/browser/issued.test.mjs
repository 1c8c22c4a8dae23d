// Keys that other programs issued: stored ones in the list, short-lived ones by pasting them.
import { spawn } from "node:child_process";
import { button, confirmDeletion, inspect, open, openIssue } from "./support/console.mjs";
import { expect, test } from "./support/fixtures.mjs";

let issuer;
test.beforeAll(async ({ newPage }) => {
  const page = await newPage();
  await open(page);
  const dialog = await openIssue(page, "Issuer");
  await dialog.getByLabel("demo:read").check();
  await dialog.getByLabel("May issue further keys (Issuable)").check();
  await dialog.getByRole("group", { name: "Limits for keys it issues" }).getByLabel("Unlimited").check();
  await button(page, "Issue").click();
  issuer = await page.getByLabel("API key", { exact: true }).inputValue();
  await button(page, "I have stored it").click();
});

/** Asks the issuance API for a key that works so long. */
async function issued(deployment, epi) {
  const answer = await deployment.worker.fetch(new URL(deployment.origin).host, "/issue_service_authorization", {
    method: "POST",
    headers: { authorization: `Bearer ${issuer}`, "content-type": "application/x-www-form-urlencoded" },
    body: `epi=${epi}`,
  });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return text;
}

test("A08 a key from the issuance API that is stored is listed with its issuer, and can be deleted", async ({
  page,
  deployment,
}) => {
  const key = await issued(deployment, "30d");
  expect(key).toMatch(/^clv_/);
  await open(page);
  const row = page.getByRole("row").filter({ hasText: "by the key Issuer" });
  await expect(row.getByText(/^API \d{4}-\d\d-\d\d \d\d:\d\d/)).toBeVisible();
  await inspect(page, "issued-by-key");
  await row.getByRole("link", { name: /^API / }).click();
  await expect(page.getByText("by the key Issuer").first()).toBeVisible();
  await inspect(page, "key-issued-by-key");
  expect(await deployment.callApi(key)).toBe(200);
  await button(page, "Delete").click();
  await confirmDeletion(page, deployment);
  await expect(page.getByText(/Refused everywhere since/)).toBeVisible({ timeout: 15_000 });
  expect(await deployment.callApi(key)).toBe(401);
});

test("A08 a short-lived key is revoked by pasting it; its secret is not sent", async ({ page, deployment }) => {
  const key = await issued(deployment, "1h");
  expect(key).toMatch(/^clvs_/);
  expect(await deployment.callApi(key)).toBe(200);
  const sent = [];
  page.on("request", (request) => sent.push(request.url() + (request.postData() ?? "")));
  await page.goto("/#/connection");
  await button(page, "Revoke a short-lived key…").click();
  const question = page.getByRole("alertdialog", { name: "Revoke this short-lived key?" });
  await question.getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(question.getByText("Paste the whole short-lived key. It contains a dot.")).toBeVisible();
  await question.getByLabel("Short-lived key").fill(key);
  await expect(question.getByText(/^.?Short-lived key .*, issued/)).toBeVisible();
  await expect(question.getByLabel("Short-lived key")).toHaveValue("");
  await inspect(page, "sealed-revoke");
  await question.getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(page.getByText(/^The short-lived key is revoked\. Refused everywhere by/).first()).toBeVisible();
  await inspect(page, "sealed-revoked");
  const seal = key.split(".")[1];
  expect(sent.join()).not.toContain(seal);
  expect(await page.content()).not.toContain(seal);
  await expect(page.getByText(/Refused everywhere since/)).toBeVisible({ timeout: 15_000 });
  expect(await deployment.callApi(key)).toBe(401);
});

test("A14 A23 the example on the page issues a key as it stands", async ({ page, deployment }) => {
  await page.goto("/#/connection");
  const example = await page.getByRole("region", { name: "Example: issue a key for five minutes" }).textContent();
  await button(page, "Show the service password").click();
  const password = await page.getByRole("dialog").getByLabel("Service password").inputValue();
  await page.keyboard.press("Escape");
  expect(example).not.toContain(password);
  const key = await shell(example, password);
  expect(key).toMatch(/^clvs_/);
  expect(await deployment.callApi(key)).toBe(200);
});

/** Runs a script, and types a line when it waits for one. */
function shell(script, line) {
  return new Promise((resolve, reject) => {
    const bash = spawn("bash", ["-c", script], { stdio: ["pipe", "pipe", "pipe"] });
    const [out, err] = [[], []];
    bash.stdout.on("data", (chunk) => out.push(chunk));
    bash.stderr.on("data", (chunk) => err.push(chunk));
    bash.on("close", (code) =>
      code === 0
        ? resolve(Buffer.concat(out).toString())
        : reject(new Error(`${code}: ${Buffer.concat([...err, ...out])}`)),
    );
    bash.stdin.end(`${line}\n`);
  });
}
