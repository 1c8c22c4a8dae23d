// What an isolate's start costs: CPU of workerd for 21 copies of a script less that for 1 copy,
// divided by 20. Each copy has answered a request by then.
import { gzipSync } from "node:zlib";
import { between, clock, settled } from "./cpu.mjs";
import { HOST, REFUSED, UNKNOWN_KEY, edgeModules, startCopies } from "./deployment.mjs";
import { ONE_LINE, startFloor } from "./floors.mjs";
import { exchange, get, status } from "./load.mjs";
import { compare, summary, verdictText } from "./statistics.mjs";

const MANY = 21;
const GOAL = 1.5;

/** Measures the given number of repeats. `print` takes lines of the report as they come. */
export async function cold({ repeats, print }) {
  const sizes = await size();
  print(`cold: ${repeats} repeats of ${MANY} copies less 1 copy, clock: ${clock.name}`);
  const edge = [];
  const floor = [];
  const ledger = [];
  const parts = PARTS.map((part) => ({ ...part, starts: [] }));
  for (let repeat = 0; repeat < repeats; repeat++) {
    // Each goes first in half of the repeats.
    const turns = [
      () => edgeStart(edge, ledger),
      ...parts.map(
        ({ script, starts }) =>
          () =>
            partStart(script, starts),
      ),
      () => floorStart(floor),
    ];
    for (const turn of repeat % 2 ? turns.reverse() : turns) await turn();
  }
  const start = compare(edge, floor, GOAL);
  const first = compare(
    edge.map((ms, repeat) => ms + ledger[repeat]),
    floor,
    GOAL,
  );
  printStart("start and first request, a made-up key (401)", start, print);
  printStart("the same and a right key (403), which asks the ledger", first, print);
  const asked = summary(ledger);
  print(`   that request alone       ${cells(asked)}`);
  print("");
  print("where a start goes: the one line of JavaScript, with more and more of the edge around it");
  for (const { name, starts } of parts) print(`   ${name.padEnd(24)} ${cells(summary(starts))}`);
  print("");
  print(`size: wasm ${kb(sizes.wasm)}, JavaScript ${kb(sizes.js)}, both together after gzip ${kb(sizes.gzip)}`);
  if (sizes.hasNames) print("the wasm is a debug build: `npm run build -- --release` makes the one that is deployed");
  return {
    repeats,
    copies: MANY,
    clock: clock.name,
    start,
    first,
    ledger: asked,
    sizes,
    rounds: { edge, floor, ledger, parts: Object.fromEntries(parts.map(({ name, starts }) => [name, starts])) },
  };
}

/** Scripts that answer like the floor, and have more of the edge around them. */
const PARTS = [
  { name: "with its bindings", script: ONE_LINE },
  { name: "and its wasm module", script: `import module from "./claviger_edge_bg.wasm"; ${ONE_LINE}; module;` },
];

/** Adds the figure for the start of a script in the edge's place. */
async function partStart(script, starts) {
  const request = get(HOST, REFUSED, UNKNOWN_KEY);
  const few = await answered(() => startCopies(1, { script }), request, 200);
  const many = await answered(() => startCopies(MANY, { script }), request, 200);
  starts.push((many - few) / (MANY - 1));
}

/** Adds one figure for an edge's start, and one for its first call of the ledger. */
async function edgeStart(starts, ledgers) {
  const few = await answered(
    () => startCopies(1),
    get(HOST, REFUSED, UNKNOWN_KEY),
    401,
    () => 0,
  );
  await answered(
    () => startCopies(MANY),
    get(HOST, REFUSED, UNKNOWN_KEY),
    401,
    async (copies, ms) => {
      starts.push((ms - few) / (MANY - 1));
      const request = get(HOST, REFUSED, await copies.issue());
      const before = await settled(copies.pid);
      // The first copy is warm: it has set the account up.
      for (const port of copies.ports.slice(1)) status(403)(await exchange(port, request));
      ledgers.push(between(before, await settled(copies.pid)) / 1e6 / (MANY - 1));
    },
  );
}

async function floorStart(starts) {
  const request = get(HOST, REFUSED, UNKNOWN_KEY);
  const few = await answered(() => startFloor(ONE_LINE), request, 200);
  const many = await answered(() => startFloor(ONE_LINE, { copies: MANY }), request, 200);
  starts.push((many - few) / (MANY - 1));
}

/**
 * Starts a workerd, asks each copy once, and returns the CPU of it all in ms. `then` may go on with
 * the running copies.
 */
async function answered(start, request, expected, then) {
  const copies = await start();
  try {
    for (const port of copies.ports) status(expected)(await exchange(port, request));
    const ms = between(new Map(), await settled(copies.pid)) / 1e6;
    await then?.(copies, ms);
    return ms;
  } finally {
    await copies.dispose();
  }
}

async function size() {
  const modules = await edgeModules();
  const bytes = (type) => Buffer.concat(modules.filter((one) => one.type === type).map(({ contents }) => contents));
  const [wasm, js] = [bytes("CompiledWasm"), bytes("ESModule")];
  return {
    wasm: wasm.length,
    js: js.length,
    gzip: gzipSync(Buffer.concat([js, wasm]), { level: 9 }).length,
    hasNames: hasNames(wasm),
  };
}

/** Returns `true` if a wasm module names its functions, which wasm-opt takes out of releases. */
function hasNames(wasm) {
  // Node's V8 may be too old to compile it. Its sections follow the 8 bytes of the header: id,
  // length, content.
  for (let place = 8; place < wasm.length;) {
    const id = wasm[place++];
    let length = 0;
    for (let shift = 0, byte = 0x80; byte & 0x80; shift += 7) {
      byte = wasm[place++];
      length += (byte & 0x7f) * 2 ** shift;
    }
    if (id === 0 && wasm.toString("latin1", place + 1, place + 1 + wasm[place]) === "name") return true;
    place += length;
  }
  return false;
}

const kb = (bytes) => `${(bytes / 1000).toFixed(1)} KB`;

const cells = ({ median, min, q1, q3, mean }) =>
  [median, min, q1, q3, mean].map((value) => value.toFixed(2).padStart(8)).join("");

function printStart(title, one, print) {
  const [low, high] = one.interval.map((value) => value.toFixed(2));
  print("");
  print(title);
  print(`   ${"ms CPU per isolate".padEnd(24)}  median     min      q1      q3    mean`);
  print(`   ${"claviger".padEnd(24)} ${cells(one.ours)}`);
  print(`   ${"one line of JavaScript".padEnd(24)} ${cells(one.floor)}`);
  print(
    `   ratio of medians ${one.ratioOfMedians.toFixed(2)}, of minima ${one.ratioOfMinima.toFixed(2)}, of means ${one.ratioOfMeans.toFixed(2)}`,
  );
  print(`   ratio within a repeat, median ${one.ratio.toFixed(2)} (95 %: ${low} to ${high})`);
  print(`   ${verdictText(one)}`);
}
