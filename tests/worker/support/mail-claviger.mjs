// Stands for Claviger's `GET /v1/mail-auth` until the tests can start a deployment that has it: the same contract, in a few lines.
import { once } from "node:events";
import http from "node:http";
import { BlockList } from "node:net";

const VERIFIER = "clv_verifier";

/** Returns the answer's headers. */
function answer(users, headers) {
  const cannot = { "Auth-Status": "Claviger cannot decide", "Auth-Error-Code": "454 4.7.0" };
  const refused = { "Auth-Status": "The user name or secret is wrong", "Auth-Error-Code": "535 5.7.8" };
  if (headers["claviger-verifier"] !== VERIFIER || headers["auth-method"] !== "plain") return cannot;
  if (headers["auth-protocol"] !== "smtp" || !headers["client-ip"]) return cannot;
  const bytes = (text = "") =>
    Buffer.from(
      text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))),
      "latin1",
    ).toString();
  const user = users.get(bytes(headers["auth-user"]).toLowerCase());
  const secret = bytes(headers["auth-pass"]);
  if (!user || user.secret !== secret || user.locked || user.expired) return refused;
  const denied = (text) => ({ "Auth-Status": text, "Auth-Error-Code": "535 5.7.1" });
  if (!user.interfaces.includes("smtp")) return denied("The user may not send mail by SMTP");
  const address = headers["client-ip"].replace(/^::ffff:/, "");
  if (user.networks) {
    const list = new BlockList();
    for (const network of user.networks) {
      const [base, prefix] = network.split("/");
      const family = base.includes(":") ? "ipv6" : "ipv4";
      list.addSubnet(base, Number(prefix ?? (family === "ipv6" ? 128 : 32)), family);
    }
    if (!list.check(address, address.includes(":") ? "ipv6" : "ipv4"))
      return denied("The user may not send mail from this address");
  }
  return {
    "Auth-Status": "OK",
    "Auth-User": user.name,
    "Claviger-Account": "zzzzzzzz",
    "Claviger-Key": "zzzzzzzz0123456789",
  };
}

/** Starts Claviger with a verifier's key. */
export async function startClaviger() {
  const users = new Map();
  const server = http.createServer({ maxHeaderSize: 128 << 10 }, (incoming, outgoing) => {
    const headers = incoming.url === "/v1/mail-auth" ? answer(users, incoming.headers) : {};
    if (headers["Auth-Status"] !== "OK" && Number(incoming.headers["auth-login-attempt"]) < 10)
      headers["Auth-Wait"] = "3";
    outgoing.writeHead(200, { "cache-control": "no-store", "content-length": 0, ...headers });
    outgoing.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    verifier: VERIFIER,
    /** Creates a user, by default with SMTP and HTTP, from anywhere. */
    async create({ name, secret, interfaces = ["http", "smtp"], networks, locked, expired }) {
      users.set(name.toLowerCase(), {
        name: name.toLowerCase(),
        secret,
        interfaces,
        networks,
        locked,
        expired,
      });
      return { name, secret };
    },
    async change(name, members) {
      Object.assign(users.get(name), members);
    },
    async dispose() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
