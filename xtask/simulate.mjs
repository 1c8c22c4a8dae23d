// `npm run simulate -- --seeds N --seed X`: N long runs of the simulation of freshness, from seed X
// on. `npm run simulate -- --stale-kv`: what breaks, and by how much, where KV is staler than the
// design assumes. `npm run simulate -- --page`: the numbers of docs/freshness.md, measured and
// written there anew.
import { parseArgs } from "node:util";
import { run, script } from "./setup.mjs";

await script(() => {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      seed: { type: "string", default: "0" },
      page: { type: "boolean", default: false },
      "stale-kv": { type: "boolean", default: false },
    },
  });
  if (values.page) {
    run("cargo", ["test", "--locked", "--test", "simulation", "--", "--nocapture", "--ignored", "write_page"]);
    return;
  }
  const env = { SIMULATE_SEEDS: values.seeds, SIMULATE_SEED: values.seed };
  const name = values["stale-kv"] ? "stale_kv" : "long";
  run("cargo", ["test", "--locked", "--release", "--test", "simulation", "--", "--nocapture", "--ignored", name], env);
});
