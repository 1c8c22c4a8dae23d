// Token introspection, as clients ask that were not written here.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { API, CONSOLE, ORIGIN, begin } from "../../support/journey.mjs";
import { OAUTH_RULES, fetchFrom, revoke, token } from "../../support/oauth.mjs";
import { runPython } from "../../support/python.mjs";

let at, verifier, client, tokens;
before(async () => {
  at = await begin({ rules: OAUTH_RULES });
  verifier = await at.issue({ permissions: ["claviger:verify"] });
  client = await at.issue();
  tokens = {
    key: client.credential,
    token: await token(at, client, { scope: "demo:read" }),
    ended: await token(at, client),
  };
  await revoke(at, client, tokens.ended);
});
after(() => at.dispose());

const scopes = { key: "demo:read demo:write", token: "demo:read" };

test("oauth4webapi finds the endpoint and asks, as a client and with a bearer token", async () => {
  const options = { [oauth.customFetch]: fetchFrom(at), [oauth.allowInsecureRequests]: true };
  const issuer = new URL(`http://${API}`);
  const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...options });
  const server = await oauth.processDiscoveryResponse(issuer, found);
  assert.equal(server.introspection_endpoint, `${ORIGIN}/v1/introspect`);
  const id = { client_id: verifier.access_key };
  const bearer = (_server, { client_id }, body, headers) => {
    body.set("client_id", client_id);
    headers.set("authorization", `Bearer ${verifier.credential}`);
  };
  const { ClientSecretBasic, ClientSecretPost } = oauth;
  for (const auth of [ClientSecretBasic(verifier.access_secret), ClientSecretPost(verifier.access_secret), bearer]) {
    const ask = async (text, additionalParameters = {}) => {
      const all = { ...options, additionalParameters };
      const answer = await oauth.introspectionRequest(server, id, auth, text, all);
      return oauth.processIntrospectionResponse(server, id, answer);
    };
    for (const [name, scope] of Object.entries(scopes)) {
      const told = await ask(tokens[name]);
      const { active, client_id, sub, iss } = told;
      assert.deepEqual(
        { active, scope: told.scope, client_id, sub, iss },
        { active: true, scope, client_id: client.access_key, sub: at.session.account.id, iss: ORIGIN },
      );
      assert.equal((await ask(tokens[name], { permission: "demo:read" })).active, true);
      assert.equal((await ask(tokens[name], { permission: "admin:use" })).active, false);
    }
    assert.deepEqual(await ask(tokens.ended), { active: false });
    await assert.rejects(ask(tokens.key, { address: "x" }), ({ error, status }) => {
      assert.deepEqual([error, status], ["invalid_request", 400]);
      return true;
    });
  }
  const wrong = oauth.ClientSecretBasic(verifier.access_secret.slice(1));
  const answer = await oauth.introspectionRequest(server, id, wrong, tokens.key, options);
  await assert.rejects(oauth.processIntrospectionResponse(server, id, answer), ({ cause }) => {
    assert.deepEqual(
      cause.map(({ scheme, parameters }) => [scheme, parameters.realm]),
      [
        ["basic", CONSOLE],
        ["bearer", CONSOLE],
      ],
    );
    return true;
  });
});

test("Authlib asks, and protects a resource by it", { timeout: 300_000 }, async (t) => {
  const task = {
    base: `http://127.0.0.1:${at.worker.port}`,
    host: CONSOLE,
    client_id: verifier.access_key,
    client_secret: verifier.access_secret,
    tokens,
    scopes: ["demo:read", "demo:write"],
  };
  const { obstacle, seen } = await runPython(t, "authlib_introspection.py", task);
  if (obstacle) return t.skip(obstacle);
  for (const method of ["client_secret_basic", "client_secret_post"]) {
    const { key, token: narrow, ended } = seen[method];
    for (const [told, scope] of [
      [key, scopes.key],
      [narrow, scopes.token],
    ]) {
      const { active, token_type, client_id } = told;
      assert.deepEqual([active, token_type, client_id], [true, "Bearer", client.access_key]);
      assert.equal(told.scope, scope);
    }
    assert.deepEqual(ended, { active: false });
  }
  assert.deepEqual(seen.admitted, {
    key: [client.access_key, client.access_key],
    token: [client.access_key, "insufficient_scope"],
    ended: ["invalid_token", "invalid_token"],
  });
});
