// Operators: owners of the deployment's first account, who make, suspend and mend the others.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { OTHER_OWNER, OWNER, begin, eventually, expect, setupToken } from "./journey.mjs";

const ACCOUNTS = "/v1/operator/accounts";

/** Every operator's route, about one account. */
const routes = (id) => [
  ["GET", ACCOUNTS],
  ["POST", ACCOUNTS, { headers: { "idempotency-key": "i-1" } }],
  ["GET", `${ACCOUNTS}/${id}`],
  ["PATCH", `${ACCOUNTS}/${id}`, { body: { suspended: true } }],
  ["POST", `${ACCOUNTS}/${id}/rebuild`],
  ["POST", `${ACCOUNTS}/${id}/restore/begin`],
  ["POST", `${ACCOUNTS}/${id}/restore/finish`],
];

describe("an operator", () => {
  let first, second;
  before(async () => {
    first = await begin();
    second = await first.secondAccount();
  });
  after(() => first.dispose());

  const list = async () => expect(await first.console("GET", ACCOUNTS), 200).body.accounts;

  test("is an owner of the first account, and nobody else is", async () => {
    assert.equal(first.session.operator, true);
    assert.equal(second.session.operator, false);
    assert.notEqual(first.session.account.id, second.session.account.id);
  });

  test("lists accounts, the latest first, with the names that their ledgers tell", async () => {
    const named = await eventually("the directory knows both names", async () => {
      const accounts = await list();
      return accounts.every(({ name, state }) => name && state === "open") && accounts;
    });
    assert.deepEqual(
      named.map(({ id, name }) => [id, name]),
      [
        [second.session.account.id, "Other GmbH"],
        [first.session.account.id, "Example KK"],
      ],
    );
  });
});
