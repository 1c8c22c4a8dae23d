// `npm run deploy`: builds for production and hands it to wrangler, with whatever arguments follow.
import { Failure, run, script, setUp, step } from "./setup.mjs";
import { fault, findings, production } from "./settings.mjs";

const args = process.argv.slice(2);
const isRehearsal = args.includes("--dry-run");

await script(async () => {
  await setUp();
  await step("settings", check);
  await step("release build", () => run("node", ["xtask/build.mjs", "--release"]));
  await step("wrangler", () => run("wrangler", ["deploy", "--env", "production", ...args]));
});

/** Says what is missing, and refuses to deploy so. A rehearsal goes on. */
async function check() {
  const config = await production();
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
