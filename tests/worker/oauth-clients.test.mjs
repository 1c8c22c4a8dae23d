// The OAuth endpoints, as clients use them that were not written here. Row S16.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { API, begin, expect } from "./support/journey.mjs";
import { OAUTH_RULES, fetchFrom } from "./support/oauth.mjs";
import { runPython } from "./support/python.mjs";

let at, client;
before(async () => {
  at = await begin({ rules: OAUTH_RULES });
  client = await at.issue();
});
after(() => at.dispose());

test("S16 oauth4webapi finds the endpoints, gets a token, and revokes it", async () => {
  const options = { [oauth.customFetch]: fetchFrom(at), [oauth.allowInsecureRequests]: true };
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

test("S16 Authlib gets a token, uses it, and revokes it", { timeout: 300_000 }, async (t) => {
  const task = {
    base: `http://127.0.0.1:${at.worker.port}`,
    host: API,
    client_id: client.access_key,
    client_secret: client.access_secret,
    scope: "demo:read",
  };
  const { obstacle, seen: found } = await runPython(t, "authlib_client.py", task);
  if (obstacle) return t.skip(obstacle);
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
  assert.deepEqual(found, [seen("client_secret_basic"), seen("client_secret_post")]);
});
