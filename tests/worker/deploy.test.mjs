// What `npm run deploy` says of settings before it deploys.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { deployOptions, fault, findings } from "../../xtask/settings.mjs";
import { readConfig, split } from "../../xtask/workers.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const shipped = await readConfig({ env: "production" });

/** As an operator fills it in. */
const filled = () => ({
  ...structuredClone({
    ...shipped,
    routes: shipped.routes.map(({ pattern, ...more }) => ({ ...more, pattern: yours(pattern) })),
  }),
  vars: JSON.parse(yours(JSON.stringify(shipped.vars))),
});
const yours = (text) => text.replaceAll("example.com", "acme.test");

test("as shipped every line that is the operator's is named, and nothing else", () => {
  const { missing, notes } = findings(shipped);
  const named = missing.map((line) => line.split(" ")[0]);
  assert.deepEqual(named, [
    "keys.example.com",
    "api.example.com",
    "https://keys.example.com",
    "https://origin.example.com",
    "keys@example.com",
  ]);
  assert.deepEqual(notes, []);
  assert.equal(fault(shipped), "", "apart from that the Worker would serve");
});

test("filled in it is complete: mail goes out, by a binding that is there", () => {
  assert.deepEqual(findings(filled()), { missing: [], notes: [] });
  assert.equal(filled().vars.MAIL, "binding");
});

test("only a plain --dry-run is a rehearsal, and nothing else is deployed by mistake", () => {
  assert.deepEqual(deployOptions([]), { isRehearsal: false, order: ["admin", "edge"] });
  assert.deepEqual(deployOptions(["--dry-run"]), { isRehearsal: true, order: ["admin", "edge"] });
  assert.deepEqual(deployOptions(["--edge-first", "--dry-run"]), { isRehearsal: true, order: ["edge", "admin"] });
  for (const args of [
    ["--dry-run=true"],
    ["--dry-run=false"],
    ["--dry-run", "false"],
    ["--no-dry-run"],
    ["--dryrun"],
    ["--dry-run "],
    ["--Dry-Run"],
    ["dry-run"],
    ["-n"],
    ["--"],
    ["--edge-first=1"],
    ["--name", "x"],
    ["--env=production"],
    ["--secrets-file", "x"],
    [""],
  ]) {
    assert.throws(
      () => deployOptions(args),
      /^Error: npm run deploy takes --dry-run and --edge-first, and nothing else/,
      args.join(" "),
    );
  }
});

test("the command itself refuses what it does not know, before it does anything", () => {
  const deploy = (args, more) => {
    const env = { ...process.env, ...more };
    return spawnSync(process.execPath, ["xtask/deploy.mjs", ...args], { cwd: root, encoding: "utf8", env });
  };
  for (const [args, environment, told] of [
    [
      ["--dry-run=true"],
      {},
      /^✘ npm run deploy takes --dry-run and --edge-first, and nothing else: "--dry-run=true" is refused/,
    ],
    [["--dry-run", "false"], {}, /"false" is refused/],
    [["--name"], {}, /"--name" is refused/],
    // `npm run deploy --dry-run`
    [[], { npm_config_dry_run: "true" }, /after two dashes: npm run deploy -- --dry-run/],
  ]) {
    const { status, stdout, stderr } = deploy(args, environment);
    assert.deepEqual([status, stdout], [1, ""], args.join(" "));
    assert.match(stderr, told);
  }
});

test("a local run's copies of secrets are its owner's alone, and gone when it ends", async () => {
  const directory = await mkdtemp(join(tmpdir(), "claviger-"));
  try {
    const files = [join(directory, "a"), join(directory, "b")];
    writeFileSync(files[0], "old", { mode: 0o644 });
    const code = `import { keepWhileRunning } from "./xtask/workers.mjs";
      import { readFileSync, statSync } from "node:fs";
      const files = ${JSON.stringify(files)};
      keepWhileRunning(files, ["one", "two"]);
      console.log(JSON.stringify(files.map((file) => [readFileSync(file, "utf8"), statSync(file).mode & 0o777])));
      if (process.env.END === "throw") throw new Error("x");`;
    for (const END of ["well", "throw"]) {
      const env = { ...process.env, END };
      const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], {
        cwd: root,
        encoding: "utf8",
        env,
      });
      assert.deepEqual(JSON.parse(stdout), [
        ["one", 0o600],
        ["two", 0o600],
      ]);
      assert.deepEqual(readdirSync(directory), [], END);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

/** Each: what is changed, what is then told, and whether that stops the deployment. */
const cases = [
  ["no word of mail", (config) => delete config.vars.MAIL, /^MAIL is not said/],
  ["no binding for mail", (config) => (config.send_email = []), /no send_email binding EMAIL/],
  ["no token for an e-mail API", (config) => (config.vars.MAIL = "https://api.resend.com/emails"), /MAIL_API_KEY/],
  ["no required master secret", (config) => (config.secrets = {}), /^MASTER_SECRET/],
  ["a console without a domain", (config) => config.routes.shift(), /^keys\.acme\.test has no custom domain/],
  ["an API without a domain", (config) => config.routes.pop(), /^api\.acme\.test has no custom domain/],
  [
    "an origin that is no binding",
    (config) => (config.vars.RULES[0].origin = "DEMO"),
    /^the origin DEMO is no service binding/,
  ],
];
for (const [name, change, told] of cases) {
  test(`${name} stops the deployment`, () => {
    const config = filled();
    change(config);
    const { missing } = findings(config);
    assert.equal(missing.length, 1, missing.join("\n"));
    assert.match(missing[0], told);
  });
}

test("without mail it is told what cannot be done", () => {
  const config = filled();
  Object.assign(config.vars, { MAIL: "off", MAIL_FROM: "keys@example.com" });
  const { missing, notes } = findings(config);
  assert.deepEqual(missing, [], "an address that is not used may stay the example's");
  assert.match(notes.join(), /^mail is off: keys can be disabled, but not deleted/);
});

test("an origin by a binding that is there, and a token that is required, are right", () => {
  const config = filled();
  config.vars.RULES[0].origin = "API";
  config.services = [{ binding: "API", service: "api" }];
  config.vars.MAIL = "https://api.resend.com/emails";
  config.secrets.required.push("MAIL_API_KEY");
  assert.deepEqual(findings(config), { missing: [], notes: [] });
});

test("rules that are written as JSON are read all the same", () => {
  const config = filled();
  config.vars.RULES = JSON.stringify(config.vars.RULES);
  assert.deepEqual([findings(config), fault(config)], [{ missing: [], notes: [] }, ""]);
  config.vars.RULES = config.vars.RULES.replaceAll("acme.test", "example.com");
  assert.match(findings(config).missing.join(), /api\.example\.com is the example's/);
  config.vars.RULES = "[{";
  assert.deepEqual(findings(config), { missing: [], notes: [] });
  assert.notEqual(fault(config), "");
});

test("what the Worker itself would refuse is told in its own words", () => {
  const config = filled();
  config.vars.OUTAGE = "grace";
  assert.match(fault(config), /^OUTAGE must be deny/);
});

test("settings that cannot be checked stop the deployment", () => {
  assert.throws(() => fault({ vars: [] }), /could not be checked/);
});

test("the edge is given no secret but its own, no variable of mail, and no binding that it does not use", () => {
  const { edge } = split(filled(), { kv: "one" });
  assert.equal(edge.name, "claviger-edge");
  assert.deepEqual(edge.secrets, { required: ["EDGE_KEYS"] });
  assert.deepEqual(Object.keys(edge.vars).sort(), ["CONSOLE_ORIGIN", "PREFIX", "RULES"]);
  assert.deepEqual(edge.durable_objects.bindings, [{ name: "LEDGER", class_name: "Ledger", script_name: "claviger" }]);
  assert.deepEqual(edge.services, [{ binding: "ADMIN", service: "claviger" }]);
  for (const absent of ["assets", "migrations", "send_email"]) assert.equal(edge[absent], undefined, absent);
});

test("the admin Worker has no route of its own: nobody reaches it but through the edge", () => {
  const { admin, edge } = split(filled());
  assert.deepEqual([admin.routes, admin.workers_dev, admin.preview_urls], [undefined, false, false]);
  assert.deepEqual(edge.routes, filled().routes);
});

test("both Workers use one KV namespace, and an edge binding that the rules name is the edge's alone", () => {
  const config = filled();
  config.services = [{ binding: "API", service: "api" }];
  const { admin, edge } = split(config, { kv: "one" });
  assert.deepEqual(
    [admin, edge].map(({ kv_namespaces }) => kv_namespaces),
    [[{ binding: "KEYS", id: "one" }], [{ binding: "KEYS", id: "one" }]],
  );
  assert.deepEqual(
    edge.services.map(({ binding }) => binding),
    ["API", "ADMIN"],
  );
  assert.equal(admin.services, undefined);
});
