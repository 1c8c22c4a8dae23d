// `npm run deny`: licences, sources and advisories of the crates (deny.toml), where cargo-deny is
// installed.
import { Failure, output, run, script } from "./setup.mjs";

await script(async () => {
  if (output("cargo", ["deny", "--version"]) === undefined) {
    throw new Failure("cargo-deny is missing: cargo install --locked cargo-deny");
  }
  // Without `--workspace` it would read the crates of the root package only, not the Workers'.
  run("cargo", ["deny", "--workspace", "--locked", "check"]);
});
