// A deployment with API users, for the mail servers that ask it.
import { randomUUID } from "node:crypto";
import { begin, expect } from "./journey.mjs";

/** The bound of a revocation, in seconds. */
const T = 1;

/** Starts Claviger, with the key of a verifier. */
export async function startClaviger() {
  const at = await begin();
  const path = `/v1/operator/accounts/${at.session.account.id}`;
  expect(await at.console("PATCH", path, { body: { freshness_s: T } }), 200);
  const verifier = await at.issue({ permissions: ["claviger:verify"] });
  /** The users by name, as the console last had them. */
  const users = new Map();

  const post = async ({ id, revision }, act) => {
    const headers = { "if-match": `"${revision}"` };
    return expect(await at.console("POST", `/v1/api-users/${id}/${act}`, { headers }), 200).body.user;
  };
  const patch = async ({ id, revision }, body) => {
    const headers = { "if-match": `"${revision}"` };
    return expect(await at.console("PATCH", `/v1/api-users/${id}`, { headers, body }), 200).body.user;
  };

  return {
    port: at.worker.port,
    verifier: verifier.credential,
    /** Creates a user, by default for HTTP and SMTP, from anywhere and without an end. */
    async create({ name, secret, ...members }) {
      const body = {
        name,
        api_key: secret,
        group: "normal",
        view_personal_data: false,
        download_personal_data: false,
        interfaces: ["http", "smtp"],
        own_data_only: false,
        zone: "Asia/Tokyo",
        expires: "never",
        networks: [],
        ...members,
      };
      const headers = { "idempotency-key": randomUUID() };
      users.set(name, expect(await at.console("POST", "/v1/api-users", { body, headers }), 201).body.user);
      return { name, secret };
    },
    /** Locks or unlocks a user, or edits it. */
    async change(name, { locked, ...members }) {
      const user = users.get(name);
      const act = locked ? "lock" : "unlock";
      users.set(name, locked === undefined ? await patch(user, members) : await post(user, act));
    },
    log: () => at.worker.log(),
    dispose: () => at.dispose(),
  };
}
