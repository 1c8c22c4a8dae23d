// A deployment in use: set up, signed in, keys issued, the API called. On top of the harness, and
// over HTTP alone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MASTER_SECRET, start } from "./harness.mjs";
import { codeIn, longCodeIn, mailboxCodeTo, tokenIn } from "./mailbox.mjs";

export const CONSOLE = "localhost";
export const API = "api.localhost";
export const ORIGIN = "http://localhost:8787";

export const OWNER = { name: "Mei Tanaka", email: "mei@example.jp", password: "correct horse battery" };

/** The owner of another account of the same deployment. */
export const OTHER_OWNER = { name: "Noor Haddad", email: "noor@example.org", password: "staple battery correct" };

/** Where the owner's browser is. */
export const OFFICE = "198.51.100.20";
/** Where the calling program is. */
export const CALLER = "203.0.113.7";

const demo = (path, members) => ({ host: API, path, origin: "DEMO", ...members });

/** One rule of each sort. */
export const RULES = [
  demo("/*", { permission: { read: "demo:read", write: "demo:write" } }),
  demo("/search", { permission: { read: "demo:read", write: "demo:write" }, effect: "read" }),
  demo("/admin/*", { permission: "admin:use" }),
  demo("/any/*", { any_key: true }),
  demo("/query/*", { any_key: true, credentials: ["authorization", "query:u"] }),
  demo("/public/*", { public: true }),
  demo("/public-query/*", { public: true, credentials: ["authorization", "x-api-key", "query:u"] }),
];

/** What a key may be when a test does not care: everything that the rules ask for, from anywhere. */
export const ANY_KEY = { name: "a key", expires: "never", networks: [], permissions: ["demo:read", "demo:write"] };

/**
 * Starts a Worker with the rules above, or with wrangler.toml's own when `rules` is null. `setUp: false` leaves out account
 * and sign-in; other options are the harness's.
 */
export async function begin({ rules = RULES, setUp = true, ...options } = {}) {
  const worker = await start({ vars: rules && { RULES: rules }, ...options });
  const journey = new Journey(worker);
  try {
    if (setUp) await journey.setUp();
  } catch (error) {
    await worker.dispose();
    error.message += `\n${worker.log().join("\n")}`;
    throw error;
  }
  return journey;
}

/** Runs a command of the project's own chores, as an operator would, and gives what it prints. */
export function xtask(...command) {
  const args = ["run", "--locked", "--quiet", "--package", "xtask", "--", ...command];
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  return execFileSync("cargo", args, { cwd: root, env: { ...process.env, MASTER_SECRET }, encoding: "utf8" }).trim();
}

let link;
/** A set-up link, the same for all of this process: of a token's account there may be one in each deployment. */
export const setupToken = () => (link ??= xtask("setup-link", ORIGIN)).split("#/setup/")[1];

export class Journey {
  /** The session's cookie, as the browser sends it. */
  cookie;
  /** Every answer so far, with its text. */
  answers = [];

  constructor(worker) {
    this.worker = worker;
  }

  dispose() {
    return this.worker.dispose();
  }

  /**
   * One request to the console host, as its page sends it. `cookie` and `origin` may be another, or `null` for none; `body` is
   * sent as JSON; `raw` takes its place as it is. Resolves to `{status, headers, text, body}`; `body` is what the JSON says.
   */
  async console(
    method,
    path,
    { body, raw, headers, cookie = this.cookie, origin = ORIGIN, ip = OFFICE, type = "application/json" } = {},
  ) {
    const sent = { "cf-connecting-ip": ip, ...headers };
    if (cookie) sent.cookie = cookie;
    if (origin) sent.origin = origin;
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    if (content !== undefined && type) sent["content-type"] = type;
    const answer = await this.ask(CONSOLE, path, { method, headers: sent, body: content });
    // As a browser does; a cookie that is taken away stays, so that tests can try it.
    const given = cookieOf(answer);
    if (given && cookie && cookie === this.cookie) this.cookie = given;
    return answer;
  }

  /** One request to the API: `key` is sent as a bearer token, from `ip`, unless they are `null`. */
  async call(path = "/", { key, ip = CALLER, method, headers = {}, body } = {}) {
    const pairs = Array.isArray(headers) ? [...headers] : Object.entries(headers);
    if (ip) pairs.push(["cf-connecting-ip", ip]);
    if (key) pairs.push(["authorization", `Bearer ${key}`]);
    return this.ask(API, path, { method, headers: pairs, body });
  }

  async ask(host, path, init) {
    const answer = await this.worker.fetch(host, path, init);
    const text = await answer.text();
    const is = (type) => answer.headers["content-type"] === type;
    const body = text && (is("application/json") || is("application/problem+json")) ? JSON.parse(text) : undefined;
    const seen = { method: init.method ?? "GET", path, status: answer.status, headers: answer.headers, text, body };
    this.answers.push(seen);
    return seen;
  }

  async setUp(token = setupToken(), { account = "Example KK", owner = OWNER } = {}) {
    const form = { token, account_name: account, time_zone: "Asia/Tokyo", language: "en", ...owner };
    return this.#signedIn(await this.trySetUp(form));
  }

  /**
   * Sets an account up as a person does: has a code mailed to the address, and types it. Gives the answer of the step that
   * refuses, or of the last one. The mail is taken out of the mailbox.
   */
  async trySetUp(form, { ip } = {}) {
    const mailed = await this.mailSetUpCode(form, { ip });
    if (mailed.status !== 200) return mailed;
    const code = await this.mailboxCode(form.email);
    return this.console("POST", "/v1/setup", { body: { ...form, code }, cookie: null, ip });
  }

  /** Has the code of a set-up mailed. */
  mailSetUpCode(form, { ip } = {}) {
    return this.console("POST", "/v1/setup/code", { body: form, cookie: null, ip });
  }

  /** Takes the last mailbox code to an address out of the mailbox. */
  mailboxCode(email) {
    const { mailbox, emails } = this.worker;
    return eventually(`a code is mailed to ${email}`, async () => {
      const found = mailboxCodeTo(mailbox.messages, email);
      if (found) mailbox.take(found.message);
      return found?.code ?? (await landed(emails, email));
    });
  }

  async signIn({ email = OWNER.email, password = OWNER.password, ip } = {}) {
    return this.#signedIn(await this.console("POST", "/v1/session", { body: { email, password }, cookie: null, ip }));
  }

  #signedIn(answer) {
    expect(answer, 201);
    this.cookie = cookieOf(answer);
    this.session = answer.body;
    return answer.body;
  }

  /** Invites an account, as an operator; resolves to `{account, link}`. */
  async invite(idempotencyKey = randomUUID()) {
    const headers = { "idempotency-key": idempotencyKey };
    return expect(await this.console("POST", "/v1/operator/accounts", { headers }), 201).body;
  }

  /**
   * Another account on the same Worker, set up with the link that this journey's owner, an operator, makes for it. It is a
   * journey of its own, signed in, with its answers; disposing of the first is enough.
   */
  async secondAccount({ account = "Other GmbH", owner = OTHER_OWNER } = {}) {
    const { link } = await this.invite();
    const other = new Journey(this.worker);
    await other.setUp(link.split("#/setup/")[1], { account, owner });
    return other;
  }

  /** Invites a person as a member; resolves to the invitation and the token from its mail. */
  async inviteMember(email, role = "viewer") {
    const answer = await this.console("POST", "/v1/members/invitations", { body: { email, role } });
    const { invitation } = expect(answer, 201).body;
    return { ...invitation, token: await this.invitationToken(invitation) };
  }

  /** The token that was mailed last for an invitation. */
  invitationToken({ id }, number = 1) {
    const mailed = () => this.worker.mailbox.messages.find((mail) => mail.id.endsWith(`/${id}/${number}`));
    return eventually("the invitation is mailed", () => tokenIn(mailed()?.text ?? ""));
  }

  /** Accepts an invitation. */
  tryJoin(token, { password = OTHER_OWNER.password, ip, ...more } = {}) {
    return this.console("POST", "/v1/invitations/accept", { body: { token, password, ...more }, cookie: null, ip });
  }

  /** A new member of this account, as a journey that is signed in. Disposing of the first one is enough. */
  async memberJoins(email, role, { password } = {}) {
    const { token } = await this.inviteMember(email, role);
    const member = new Journey(this.worker);
    member.#signedIn(await member.tryJoin(token, { password, name: `The ${role}` }));
    return member;
  }

  /** Issues a key; resolves to `{key, credential, access_key, access_secret}`. */
  async issue(draft = {}, idempotencyKey = randomUUID()) {
    return expect(await this.tryIssue(draft, idempotencyKey), 201).body;
  }

  tryIssue(draft, idempotencyKey = randomUUID()) {
    const headers = { "idempotency-key": idempotencyKey };
    return this.console("POST", "/v1/keys", { body: { ...ANY_KEY, ...draft }, headers });
  }

  async show(id) {
    return expect(await this.console("GET", `/v1/keys/${id}`), 200).body;
  }

  /** Asks for the deletion of keys; resolves to the deletion, whose code is in the mail. */
  async beginDeletion(...ids) {
    return expect(await this.console("POST", "/v1/deletions", { body: { keys: ids } }), 201).body;
  }

  /** The code that was mailed last for a deletion. */
  code({ id }, number = 1) {
    const mailed = () => this.worker.mailbox.messages.find((mail) => mail.id.endsWith(`/${id}/${number}`));
    return eventually("the code is mailed", () => codeIn(mailed()?.text ?? ""));
  }

  tryConfirm({ id }, code) {
    return this.console("POST", `/v1/deletions/${id}/confirm`, { body: { code } });
  }

  /** Deletes keys, as a member does: with the code from the mail. */
  async deleteKeys(...ids) {
    const deletion = await this.beginDeletion(...ids);
    return expect(await this.tryConfirm(deletion, await this.code(deletion)), 200).body;
  }

  /** Changes a key: deletes it (`delete`), or at its present revision `disable`, `enable`, `restore`, or the members of an edit. */
  async change(id, change) {
    if (change === "delete") return this.deleteKeys(id);
    const headers = { "if-match": `"${(await this.show(id)).revision}"` };
    const path = `/v1/keys/${id}`;
    const sent =
      typeof change === "string"
        ? this.console("POST", `${path}/${change}`, { headers })
        : this.console("PATCH", path, { headers, body: change });
    return expect(await sent, 200).body;
  }

  /** Makes the isolate forget what it knows of keys, as the platform does when it ends one: its wasm begins anew. */
  async forget() {
    await this.worker.setFaults({ on: "decide", mode: "trap", times: 1 });
    expect(await this.call("/any"), 500);
    await this.worker.setFaults();
  }

  /** The record that KV holds of a key, or `null`. */
  async published(id) {
    return JSON.parse(await this.worker.kv(`key/${id}`));
  }
}

/** The mailbox code to an address that the platform has delivered into a directory. */
async function landed(directory, email) {
  const files = await readdir(directory, { recursive: true }).catch(() => []);
  const texts = await Promise.all(
    files.filter((file) => file.endsWith(".eml")).map((file) => readFile(join(directory, file), "utf8")),
  );
  const own = texts.filter((text) => text.includes(`To: <${email}>`) && text.includes("confirm your e-mail address"));
  return own.map(longCodeIn).find(Boolean);
}

/** The session cookie that an answer sets, as a browser sends it; `undefined` if it sets none. */
export function cookieOf({ headers }) {
  const cookie = headers["set-cookie"]?.[0].split(";")[0];
  return cookie?.endsWith("=") ? undefined : cookie;
}

/** Asserts status and, where it is named, `code`; gives the answer back. */
export function expect(answer, status, code) {
  const what = `${answer.method} ${answer.path} ▸ ${answer.text.slice(0, 500)}`;
  assert.equal(answer.status, status, what);
  if (code) assert.equal(answer.body?.code, code, what);
  return answer;
}

/** Waits until `look` gives something that is true, and gives it back. */
export async function eventually(what, look, withinMs = 15_000) {
  const end = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) assert.fail(`never within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
