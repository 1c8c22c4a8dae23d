// `npm run deploy`: builds for production and hands both Workers to wrangler, the admin Worker first.
//   npm run deploy -- [--dry-run] [--edge-first]
import { Failure, output, run, script, setUp, step } from "./setup.mjs";
import { deployOptions, fault, findings } from "./settings.mjs";
import { readConfig, split, writeConfigs } from "./workers.mjs";

await script(async () => {
  const { isRehearsal, order } = deployOptions(process.argv.slice(2), process.env);
  await setUp();
  const config = await readConfig({ env: "production" });
  await step("settings", () => check(config, isRehearsal));
  await step("release build", () => run("node", ["xtask/build.mjs", "--release"]));
  // A rehearsal asks the platform nothing.
  const kv = isRehearsal ? undefined : await step("KV namespace", () => namespace(config));
  const configs = writeConfigs(split(config, { kv }));
  // The admin Worker first: an edge that is one release older fits it, and the objects are its own. `--edge-first` is for the one
  // upgrade from a release that was a single Worker.
  for (const worker of order) {
    await step(`wrangler: ${worker}`, () =>
      run("wrangler", ["deploy", "--config", configs[worker], ...(isRehearsal ? ["--dry-run"] : [])]),
    );
  }
});

/**
 * Says what is missing, and refuses to deploy so. A rehearsal goes on.
 * @param {import("./settings.mjs").Settings} config
 * @param {boolean} isRehearsal
 */
function check(config, isRehearsal) {
  const { missing, notes } = findings(config);
  const wrong = fault(config);
  if (wrong) missing.push(wrong);
  for (const line of missing) console.log(`  ✘ ${line}`);
  for (const line of notes) console.log(`  · ${line}`);
  if (missing.length === 0) return;
  const told = "wrangler.toml, under [env.production], is not filled in";
  if (!isRehearsal) throw new Failure(`${told}: see above`);
  console.log(`  ${told}: \`npm run deploy\` would stop here`);
}

/**
 * Returns the KV namespace of both Workers: the one that wrangler.toml names, or one that is made
 * now and found again later.
 * @param {import("./workers.mjs").Config} config
 * @returns {string}
 */
function namespace({ name, kv_namespaces: [{ id }] }) {
  if (id) return id;
  const title = `${name}-keys`;
  const find = () => {
    /** @type {{id: string, title: string}[]} */
    const namespaces = JSON.parse(output("wrangler", ["kv", "namespace", "list"]) ?? "[]");
    return namespaces.find((one) => one.title === title)?.id;
  };
  const found = find();
  if (found) return found;
  run("wrangler", ["kv", "namespace", "create", title]);
  const made = find();
  if (!made)
    throw new Failure(`the KV namespace ${title} could not be made: make it, and write its id into wrangler.toml`);
  return made;
}
