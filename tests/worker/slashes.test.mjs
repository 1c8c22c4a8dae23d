// Encoded slashes in paths: refused, unless a rule lets them through, and never a way past another
// rule.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { API, begin } from "./support/journey.mjs";

let at;
let key;
before(async () => {
  const rule = (path, more) => ({ host: API, path, origin: "DEMO", ...(more ?? { any_key: true }) });
  const admin = { permission: "admin:use" };
  at = await begin({
    rules: [
      rule("/*"),
      rule("/projects/*", { any_key: true, encoded_slashes: true }),
      rule("/projects/admin/*", admin),
      rule("/projects/status"),
      rule("/projects/both/*", { ...admin, encoded_slashes: true }),
    ],
  });
  key = (await at.issue()).credential;
});
after(() => at?.dispose());

/** Resolves to the path that the origin got, or to status and code of a refusal. Clients would mend the target. */
async function send(target) {
  const text = await at.worker.raw(
    `GET ${target} HTTP/1.1\r\nHost: ${API}\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`,
  );
  if (text.startsWith("HTTP/1.1 200")) return JSON.parse(/\{.*\}/.exec(text)[0]).href.slice(`http://${API}`.length);
  return [text.split(" ")[1], /"code":"(\w+)"/.exec(text)?.[1]].join(" ");
}

const TWO_WAYS = "400 ambiguous_path";
const rows = (list) => {
  for (const [target, expected] of list) {
    test(`${target} ▸ ${expected}`, async () => assert.equal(await send(target), expected));
  }
};

describe("a rule that allows them forwards them encoded", () => {
  rows([
    ["/projects/a%2Fb", "/projects/a%2Fb"],
    ["/projects/a%2fb/files/%6cib%2Fc.rb?ref=x%2Fy", "/projects/a%2Fb/files/lib%2Fc.rb?ref=x%2Fy"],
    ["/projects/a%2Fb%2Fc/", "/projects/a%2Fb%2Fc/"],
    ["/projects/plain/b", "/projects/plain/b"],
  ]);
});

describe("a rule that does not allow them refuses them", () => {
  rows([
    ["/a%2Fb", TWO_WAYS],
    ["/%2Fprojects", TWO_WAYS],
    ["/x/projects%2Fa", TWO_WAYS],
  ]);
});

describe("an encoded slash separates nothing, and hides nothing", () => {
  rows([
    // As one segment it is below /projects, decoded it is another rule's.
    ["/projects/admin%2Fx", TWO_WAYS],
    ["/projects/admin%2fx", TWO_WAYS],
    ["/projects/%61dmin%2Fx", TWO_WAYS],
    ["/projects%2Fadmin/x", TWO_WAYS],
    ["/projects%2Fa", TWO_WAYS],
    ["/projects/status%2F", TWO_WAYS],
    ["/projects/a%2F..%2Fadmin%2Fx", TWO_WAYS],
    ["/projects/..%2Fadmin", TWO_WAYS],
    ["/projects/a%2F%2e%2e/admin/x", TWO_WAYS],
    ["/projects/%2Fadmin", TWO_WAYS],
    ["/projects/a%2F%2Fb", TWO_WAYS],
    ["/projects/a%252Fb", TWO_WAYS],
    ["/projects/a%2Fb%5Cc", TWO_WAYS],
    ["/projects/a%2Fb%3Bc", TWO_WAYS],
    ["/projects/admin/a%2Fb", TWO_WAYS],
    ["/projects/admin/x", "403 permission_denied"],
    ["/projects/both/a%2Fb", "403 permission_denied"],
    ["/projects/both%2Fa", TWO_WAYS],
  ]);
});
