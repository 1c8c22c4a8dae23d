// Measures what the Worker costs, in CPU of workerd, beside JavaScript that checks nothing. Linux
// only.
//   npm run bench                    requests to a warm isolate
//   npm run bench -- cold            starts of an isolate, and sizes
// Options:
//   --json              prints every figure as JSON, and the report to stderr
//   --rounds N          warm: interleaved rounds; cold: repeats
//   --requests N        warm: requests in each round
//   --cases 1,3         warm: only these
//   --instructions      warm: also counts instructions, where `perf stat` can
// Build with `npm run build -- --release` first, and leave the machine alone meanwhile.
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { CASES, warm } from "./warm.mjs";
import { cold } from "./cold.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string" },
    requests: { type: "string", default: "1000" },
    cases: { type: "string", default: CASES.map(({ number }) => number).join() },
    instructions: { type: "boolean", default: false },
  },
});

const [mode = "warm", ...more] = positionals;
const print = values.json ? console.error : console.log;
const positive = (name, text) => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) fail(`--${name} takes a whole number above 0`);
  return number;
};

function fail(message) {
  console.error(message);
  process.exit(2);
}

if (process.platform !== "linux") fail("the benchmarks read /proc, which only Linux has");
if (more.length > 0 || !["warm", "cold"].includes(mode)) fail("usage: npm run bench -- [warm|cold] [options]");

const cases = values.cases.split(",").map(Number);
const unknown = cases.find((number) => !CASES.some((one) => one.number === number));
if (unknown !== undefined) fail(`--cases takes numbers among ${CASES.map(({ number }) => number).join()}`);

// CPU per request rises with the load, since caches are shared: figures of a busy machine compare
// only within a run.
const load = loadavg()[0];
print(`load before the start: ${load.toFixed(1)} on ${availableParallelism()} cores`);
const requests = positive("requests", values.requests);
const figures =
  mode === "warm"
    ? await warm({
        cases,
        rounds: positive("rounds", values.rounds ?? "40"),
        requests,
        instructions: values.instructions,
        print,
      })
    : await cold({ repeats: positive("rounds", values.rounds ?? "6"), print });
if (values.json) console.log(JSON.stringify({ mode, load, ...figures }, null, 2));
