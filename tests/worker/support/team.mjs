// Stands in for a team of Cloudflare Access: serves its keys, and signs tokens as Access does.
import { createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";

/** The AUD tag of the console's application. */
export const AUD = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";
/** The operator whom the settings list. */
export const ANN = "ann@example.com";

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A key pair of this name, with its public half as the team publishes it. */
export function keyPair(kid) {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { n, e } = publicKey.export({ format: "jwk" });
  return { kid, privateKey, jwk: { kid, kty: "RSA", alg: "RS256", use: "sig", n, e } };
}

/** A team on a port of its own. `settings` are what the admin Worker needs. */
export async function team() {
  const first = keyPair("first");
  let published = [first];
  let failure;
  let fetches = 0;
  const server = createServer((request, response) => {
    fetches += 1;
    if (failure === "silent") return;
    const isKeys = request.url === "/cdn-cgi/access/certs";
    const [status, body, headers] = failure ?? [isKeys ? 200 : 404, { keys: published.map(({ jwk }) => jwk) }];
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;

  /** How far the clock of the deployment is ahead, in milliseconds. */
  let ahead = 0;
  const seconds = () => Math.floor((Date.now() + ahead) / 1000);
  const claims = (over = {}) => {
    const now = seconds();
    return {
      aud: [AUD],
      email: ANN,
      exp: now + 3600,
      iat: now - 5,
      nbf: now - 5,
      iss: origin,
      type: "app",
      identity_nonce: "6ei69kawdKzMIAPF",
      sub: "7335d417-61da-459d-899c-0a01c76a2f94",
      country: "JP",
      ...over,
    };
  };

  return {
    origin,
    settings: { ACCESS_TEAM: origin, ACCESS_AUD: AUD, ACCESS_OPERATORS: `${ANN}, ben@example.com` },
    first,
    seconds,
    /** How often the keys were asked for. */
    fetches: () => fetches,
    publish: (...keys) => (published = keys),
    /** Until `recover`, answers are `[status, body, headers]`, or none at all with `silent`. */
    fail: (...answer) => (failure = answer[0] === "silent" ? "silent" : answer),
    recover: () => (failure = undefined),
    setAhead: (ms) => (ahead = ms),
    /** A token as Access makes it, with other claims or another head. */
    token(over, { key = first, head = {} } = {}) {
      const signed = `${encode({ alg: "RS256", kid: key.kid, typ: "JWT", ...head })}.${encode(claims(over))}`;
      return `${signed}.${sign("sha256", Buffer.from(signed), key.privateKey).toString("base64url")}`;
    },
    /** Tokens under the public key as an HMAC secret, in the forms that a verifier may hold. */
    confused() {
      const key = createPublicKey({ key: first.jwk, format: "jwk" });
      const secrets = [key.export({ type: "spki", format: "pem" }), JSON.stringify(first.jwk), first.jwk.n];
      return secrets.map((secret) => {
        const signed = `${encode({ alg: "HS256", kid: first.kid, typ: "JWT" })}.${encode(claims())}`;
        return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
      });
    },
    /** A token without a signature. */
    unsigned(alg = "none", signature = "") {
      return `${encode({ alg, kid: first.kid, typ: "JWT" })}.${encode(claims())}.${signature}`;
    },
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  };
}
