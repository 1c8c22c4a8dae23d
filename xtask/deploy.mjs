// `npm run deploy`: builds for production and hands it to wrangler, with whatever arguments follow.
import { run, script, setUp, step } from "./setup.mjs";

await script(async () => {
  await setUp();
  await step("release build", () => run("node", ["xtask/build.mjs", "--release"]));
  await step("wrangler", () => run("wrangler", ["deploy", "--env", "production", ...process.argv.slice(2)]));
});
