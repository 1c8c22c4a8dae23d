// The OAuth endpoints, as clients use them that were not written here. Row S16.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as oauth from "oauth4webapi";
import { API, begin, expect } from "./support/journey.mjs";
import { OAUTH_RULES } from "./support/oauth.mjs";

let at, client;
before(async () => {
  at = await begin({ rules: OAUTH_RULES });
  client = await at.issue();
});
after(() => at.dispose());

/** Fetches from the Worker of the test, which no name server knows. */
async function fetchHere(url, { method, headers, body }) {
  const { host, pathname, search } = new URL(url);
  const sent = Object.entries(headers);
  const answer = await at.worker.fetch(host, pathname + search, { method, headers: sent, body: body?.toString() });
  return new Response((await answer.text()) || null, {
    status: answer.status,
    headers: Object.entries(answer.headers),
  });
}

test("S16 oauth4webapi finds the endpoints, gets a token, and revokes it", async () => {
  const options = { [oauth.customFetch]: fetchHere, [oauth.allowInsecureRequests]: true };
  const issuer = new URL(`http://${API}`);
  const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...options });
  const server = await oauth.processDiscoveryResponse(issuer, found);
  const id = { client_id: client.access_key };
  const secret = client.access_secret;
  for (const way of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
    const request = (auth, fields) => oauth.clientCredentialsGrantRequest(server, id, auth, fields, options);
    const granted = await request(way(secret), { scope: "demo:read" });
    const token = await oauth.processClientCredentialsResponse(server, id, granted);
    assert.equal(token.token_type, "bearer");
    assert.equal(token.scope, "demo:read");
    assert.equal(token.expires_in, 3600);
    const used = () =>
      oauth.protectedResourceRequest(token.access_token, "GET", new URL("/", issuer), undefined, null, options);
    assert.equal((await used()).status, 200);
    const revoked = await oauth.revocationRequest(server, id, way(secret), token.access_token, options);
    await oauth.processRevocationResponse(revoked);
    expect(await at.call("/", { key: token.access_token }), 401, "unknown");
    // The library reads the refusals, too.
    const refusal = async (auth, fields) =>
      oauth.processClientCredentialsResponse(server, id, await request(auth, fields)).then(
        () => assert.fail("granted"),
        (error) => error,
      );
    assert.equal((await refusal(way(secret), { scope: "admin:use" })).error, "invalid_scope");
    const [challenge] = (await refusal(way(secret.slice(1)), {})).cause;
    assert.equal(challenge.scheme, "basic");
  }
});

/** Python's OAuth client, and what it calls with. The versions are fixed, so that no release of theirs breaks a test of ours. */
const PACKAGES = ["authlib==1.6.12", "requests==2.34.2"];

/** Installs the packages into a folder; resolves to the reason why that is not possible, if it is not. */
async function install(folder) {
  const run = promisify(execFile);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--target", folder];
  try {
    await run("python3", ["--version"]);
    await run("python3", ["-m", "pip", "--version"]);
    await run("python3", [...pip, ...PACKAGES], { timeout: 240_000 });
    return undefined;
  } catch (error) {
    return `no Python with ${PACKAGES.join(" and ")}: ${error.message.split("\n")[0]}`;
  }
}

test("S16 Authlib gets a token, uses it, and revokes it", { timeout: 300_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "claviger-python-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const obstacle = await install(folder);
  if (obstacle) return t.skip(obstacle);
  const script = fileURLToPath(new URL("fixtures/authlib_client.py", import.meta.url));
  const env = { ...process.env, PYTHONPATH: folder };
  const python = spawn("python3", [script], { env, stdio: ["pipe", "pipe", "pipe"] });
  const task = {
    base: `http://127.0.0.1:${at.worker.port}`,
    host: API,
    client_id: client.access_key,
    client_secret: client.access_secret,
    scope: "demo:read",
  };
  python.stdin.end(JSON.stringify(task));
  const [out, err] = await Promise.all([text(python.stdout), text(python.stderr)]);
  assert.ok(out, err);
  const seen = (method) => ({
    method,
    token_type: "Bearer",
    expires_in: 3600,
    scope: "demo:read",
    used: 200,
    narrowed: 403,
    revoked: 200,
    after: 401,
    refused: "invalid_client",
  });
  assert.deepEqual(JSON.parse(out), [seen("client_secret_basic"), seen("client_secret_post")]);
});
