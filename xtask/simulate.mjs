// `npm run simulate -- --seeds N --seed X`: N long runs of the simulation of freshness, from seed X on.
import { parseArgs } from "node:util";
import { run, script } from "./setup.mjs";

await script(() => {
  const number = (usual) => ({ type: "string", default: usual });
  const { values } = parseArgs({ options: { seeds: number("1000"), seed: number("0") } });
  const env = { SIMULATE_SEEDS: values.seeds, SIMULATE_SEED: values.seed };
  run("cargo", ["test", "--locked", "--release", "--test", "simulation", "--", "--nocapture", "--ignored", "long"], env);
});
