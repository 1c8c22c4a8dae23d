// The transcript in the README, replayed against what `npm start` would serve.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { STATUS_CODES } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CALLER, begin } from "./support/journey.mjs";

const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
const [, transcript] = /<!-- transcript -->\n```console\n(.*?)\n```\n<!-- \/transcript -->/s.exec(readme);
/** Each is a command and the lines that it printed, as far as they are shown. */
const exchanges = transcript
  .split(/^\$ /m)
  .slice(1)
  .map((text) => text.trim().split("\n"));

let at;
const variables = {};
before(async () => {
  at = await begin({ rules: null });
  const expiring = await at.issue({ expires: "1s", permissions: ["demo:read"] });
  const called = await at.call("/reports", { key: expiring.credential });
  assert.equal(called.status, 200, "until then it works");
  variables.EXPIRED_KEY = expiring.credential;
  variables.KEY = (await at.issue({ expires: "90d", permissions: ["demo:read"] })).credential;
  variables.OFFICE_KEY = (await at.issue({ networks: "192.0.2.0/24", permissions: ["demo:read"] })).credential;
  await sleep(Date.parse(expiring.key.expires_at) - Date.now() + 5);
});
after(() => at.dispose());

test("it shows a key accepted, expired, and out of its network", () => {
  const shown = exchanges.map(([, status]) => status.split(" ")[1]);
  assert.ok(
    ["200", "401", "403"].every((status) => shown.includes(status)),
    shown.join(),
  );
  assert.match(transcript, /"code":"expired"/);
  assert.match(transcript, /"code":"network_denied"/);
});

for (const [command, ...printed] of exchanges) {
  test(`$ ${command}`, async () => {
    const { host, path, headers } = readCurl(command);
    const answer = await at.ask(host, path, { headers: { ...headers, "cf-connecting-ip": CALLER } });
    for (const line of printed) {
      const [, name, value] = /^([\w-]+): (.*)$/.exec(line) ?? [];
      if (line.startsWith("HTTP/")) assert.equal(`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`, line);
      else if (name) assert.equal(answer.headers[name.toLowerCase()], value, name);
      else if (line) assert.equal(answer.text, line);
    }
  });
}

/** Reads `curl -i URL -H "Name: value"`, with shell variables. */
function readCurl(command) {
  const [, url, options] = /^curl -i (\S+)(.*)$/.exec(command);
  const { host, pathname, search } = new URL(url);
  const headers = {};
  const rest = options.replaceAll(/ -H "([\w-]+): ([^"]*)"/g, (_, name, value) => {
    headers[name] = value.replaceAll(
      /\$(\w+)/g,
      (_, variable) => variables[variable] ?? assert.fail(`what is $${variable}?`),
    );
    return "";
  });
  assert.equal(rest, "", "options that this test does not know");
  return { host, path: pathname + search, headers };
}
