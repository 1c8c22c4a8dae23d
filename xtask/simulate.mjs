// `npm run simulate -- --seeds N --seed X`: N long runs of the simulation of freshness, from seed X on.
// `npm run simulate -- --page`: the numbers of docs/freshness.md, measured and written there anew.
import { parseArgs } from "node:util";
import { run, script } from "./setup.mjs";

await script(() => {
  const number = (usual) => ({ type: "string", default: usual });
  const options = { seeds: number("1000"), seed: number("0"), page: { type: "boolean", default: false } };
  const { values } = parseArgs({ options });
  if (values.page) {
    run("cargo", ["test", "--locked", "--test", "simulation", "--", "--nocapture", "--ignored", "write_page"]);
    return;
  }
  const env = { SIMULATE_SEEDS: values.seeds, SIMULATE_SEED: values.seed };
  run("cargo", ["test", "--locked", "--release", "--test", "simulation", "--", "--nocapture", "--ignored", "long"], env);
});
