// Keys that other programs issued: stored ones in the list, short-lived ones by pasting them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { close, confirmDeletion, inspect, open, stage, useStage } from "./stage.mjs";

let page;
let issuer;
useStage({ prepare, clear: () => close(page) });

async function prepare() {
  page = await open();
  await button("Issue API Key").click();
  const dialog = page.getByRole("dialog", { name: "Issue an API key" });
  await dialog.getByLabel("Name", { exact: true }).fill("Issuer");
  await dialog.getByLabel("demo:read").check();
  await dialog.getByLabel("May issue further keys (Issuable)").check();
  await dialog.getByRole("group", { name: "Limits for keys it issues" }).getByLabel("Unlimited").check();
  await button("Issue").click();
  issuer = await page.getByLabel("API key", { exact: true }).inputValue();
  await button("I have stored it").click();
}

const button = (name) => page.getByRole("button", { name, exact: true });

/** Asks the issuance API for a key that works so long. */
async function issued(epi) {
  const answer = await stage.worker.fetch(new URL(stage.origin).host, "/issue_service_authorization", {
    method: "POST",
    headers: { authorization: `Bearer ${issuer}`, "content-type": "application/x-www-form-urlencoded" },
    body: `epi=${epi}`,
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return text;
}

test("A08 a key from the issuance API that is stored is listed with its issuer, and can be deleted", async () => {
  const key = await issued("30d");
  assert.match(key, /^clv_/);
  await page.reload();
  const row = page.getByRole("row").filter({ hasText: "by the key Issuer" });
  await row.getByText(/^API \d{4}-\d\d-\d\d \d\d:\d\d/).waitFor();
  await inspect(page, "issued-by-key");
  await row.getByRole("link", { name: /^API / }).click();
  await page.getByText("by the key Issuer").first().waitFor();
  await inspect(page, "key-issued-by-key");
  assert.equal(await stage.callApi(key), 200);
  await button("Delete").click();
  await confirmDeletion(page, stage);
  await page.getByText(/Refused everywhere since/).waitFor({ timeout: 15_000 });
  assert.equal(await stage.callApi(key), 401);
});

test("A08 a short-lived key is revoked by pasting it; its secret is not sent", async () => {
  const key = await issued("1h");
  assert.match(key, /^clvs_/);
  assert.equal(await stage.callApi(key), 200);
  const sent = [];
  page.on("request", (request) => sent.push(request.url() + (request.postData() ?? "")));
  await page.goto(`${stage.origin}/#/connection`);
  await button("Revoke a short-lived key…").click();
  const question = page.getByRole("alertdialog", { name: "Revoke this short-lived key?" });
  await question.getByRole("button", { name: "Revoke", exact: true }).click();
  await question.getByText("Paste the whole short-lived key. It contains a dot.").waitFor();
  await question.getByLabel("Short-lived key").fill(key);
  await question.getByText(/^.?Short-lived key .*, issued/).waitFor();
  assert.equal(await question.getByLabel("Short-lived key").inputValue(), "");
  await inspect(page, "sealed-revoke");
  await question.getByRole("button", { name: "Revoke", exact: true }).click();
  await page
    .getByText(/^The short-lived key is revoked\. Refused everywhere by/)
    .first()
    .waitFor();
  await inspect(page, "sealed-revoked");
  const seal = key.split(".")[1];
  assert.ok(!sent.join().includes(seal) && !(await page.content()).includes(seal));
  await page.getByText(/Refused everywhere since/).waitFor({ timeout: 15_000 });
  assert.equal(await stage.callApi(key), 401);
});

test("A14 A23 the example on the page issues a key as it stands", async () => {
  await page.goto(`${stage.origin}/#/connection`);
  const example = await page.getByRole("region", { name: "Example: issue a key for five minutes" }).textContent();
  await button("Show the service password").click();
  const password = await page.getByRole("dialog").getByLabel("Service password").inputValue();
  await page.keyboard.press("Escape");
  assert.ok(!example.includes(password));
  const key = await shell(example, password);
  assert.match(key, /^clvs_/);
  assert.equal(await stage.callApi(key), 200);
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
