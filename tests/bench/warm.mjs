// What a request costs once the isolate is warm: CPU of workerd per request, beside a floor that
// checks nothing. Each contender runs in a workerd of its own, and all are asked in turns, in short
// rounds.
import { between, clock, countInstructions, cpuOf, instructionsRefused, settled } from "./cpu.mjs";
import {
  ASKED,
  CONSOLE,
  FORWARDED,
  FORWARDED_FOR_USERS,
  HOST,
  REFLECTED,
  REFUSED,
  forge,
  startDeployment,
} from "./deployment.mjs";
import { BARE_PROXY, answering, changesOf, proxying, startFloor } from "./floors.mjs";
import { CALLER, Connections, HEADER_NAMES, exchange, get, status } from "./load.mjs";
import { compare, verdictText } from "./statistics.mjs";

const SOCKETS = 16;

export const CASES = [
  { number: 1, name: "refused (403, known key)", floor: "a Worker that answers the same bytes", goal: 1.15 },
  { number: 2, name: "made-up key (401)", floor: "a Worker that answers the same bytes", goal: 1.15 },
  { number: 3, name: "forwarded (200)", floor: "a proxy that sets and removes the same headers", goal: 1.1 },
  { number: 4, name: "forwarded (200)", floor: "the barest proxy", goal: 1.4 },
  { number: 5, name: "a proxy's question (200)", floor: "a Worker that answers the same bytes", goal: 1.4 },
  { number: 6, name: "forwarded for an API user (200)", floor: "the barest proxy", goal: 1.4 },
];

/** Measures the cases with these numbers. `print` takes lines of the report as they come. */
export async function warm({ cases, rounds, requests, instructions, print }) {
  const started = [];
  const kept = async (promise) => {
    const contender = await promise;
    started.push(contender);
    return contender;
  };
  try {
    const deployment = await kept(startDeployment());
    const key = await deployment.issue();
    const prepared = [];
    for (const one of CASES.filter(({ number }) => cases.includes(number))) {
      prepared.push({ ...one, ...(await prepare(one.number, deployment, key, kept)), ours: [], theirs: [] });
    }
    print(`warm: ${rounds} rounds of ${requests} requests each, ${SOCKETS} sockets, clock: ${clock.name}`);
    print(`headers of each request: ${HEADER_NAMES.join(", ")}`);
    const refused = instructions && instructionsRefused();
    if (refused) print(`instructions are not counted: ${refused}`);

    // Rounds below 0 warm up: the optimising compilers run beside them.
    for (let round = -4; round < rounds; round++) {
      for (const one of prepared) {
        const ours = () => measure(deployment, one, requests);
        const theirs = () => measure(one.contender, one, requests);
        // Each goes first in half of the rounds.
        const [a, b] = round % 2 ? [await ours(), await theirs()] : [await theirs(), await ours()].reverse();
        if (round < 0) continue;
        one.ours.push(a);
        one.theirs.push(b);
      }
    }
    const results = prepared.map((one) => result(one, "µs CPU"));
    for (const one of results) printResult(one, print);
    if (instructions && !refused) {
      for (const one of prepared) {
        const counted = result(
          { ...one, ...(await countedRounds(deployment, one, Math.min(rounds, 10), requests)) },
          "instructions",
        );
        results.push(counted);
        printResult(counted, print);
      }
    }
    return {
      rounds,
      requests,
      sockets: SOCKETS,
      clock: clock.name,
      headers: HEADER_NAMES,
      instructionsRefused: refused || undefined,
      results,
    };
  } finally {
    await Promise.all(started.map((contender) => contender.dispose()));
  }
}

/** Starts a case's floor, and makes sure that both do the same. */
async function prepare(number, deployment, key, kept) {
  if (number <= 2) {
    const [credential, expected] = number === 1 ? [key, 403] : [forge(key), 401];
    const request = get(HOST, REFUSED, credential);
    // The first answer of an isolate may differ in what it waits for, not in its bytes.
    const response = await exchange(deployment.port, request);
    const contender = await kept(startFloor(answering(response)));
    same(await exchange(contender.port, request), response);
    return { contender, request, check: status(expected) };
  }
  if (number === 5) {
    const verifier = await deployment.issue(["claviger:verify"]);
    const request = get(CONSOLE, ASKED, key, [
      ["claviger-verifier", verifier],
      ["x-original-method", "GET"],
      ["claviger-address", CALLER],
    ]);
    const response = await exchange(deployment.port, request);
    const contender = await kept(startFloor(answering(response)));
    // What a cache may keep falls from second to second.
    const steady = (text) => text.replaceAll(/(max-age=|x-accel-expires: )\d+/g, "$1");
    same(steady(await exchange(contender.port, request)), steady(response));
    return { contender, request, check: status(200) };
  }
  if (number === 6) {
    const request = get(HOST, FORWARDED_FOR_USERS, await deployment.createUser(), [], "Basic");
    const contender = await kept(startFloor(BARE_PROXY, { proxies: true }));
    return { contender, request, check: status(200) };
  }
  const request = get(HOST, FORWARDED, key);
  const reflect = async ({ port }) => {
    const response = await exchange(port, get(HOST, REFLECTED, key));
    return JSON.parse(response.slice(response.indexOf("{"), response.lastIndexOf("}") + 1)).headers;
  };
  const bare = await kept(startFloor(BARE_PROXY, { proxies: true }));
  if (number === 4) return { contender: bare, request, check: status(200) };
  const through = await reflect(deployment);
  const changes = changesOf(through, await reflect(bare));
  const contender = await kept(startFloor(proxying(changes), { proxies: true }));
  const names = (headers) => headers.map(([name]) => name).join();
  same(names(await reflect(contender)), names(through));
  return { contender, request, check: status(200), changes };
}

function same(got, expected) {
  if (got !== expected) throw new Error(`the floor differs:\n${got}\nand not\n${expected}`);
}

/** Sends requests, and returns the microseconds of CPU that workerd took for each. */
const measure = (contender, { request, check }, count) =>
  connected(contender, request, check, async (connections) => {
    const before = cpuOf(contender.pid);
    await connections.send(request, count, check);
    return between(before, cpuOf(contender.pid)) / 1000 / count;
  });

/**
 * Opens connections that have carried a request before `use`, so that what follows is requests and
 * nothing else.
 */
async function connected({ port }, request, check, use) {
  const connections = await Connections.open(port, SOCKETS);
  try {
    await connections.send(request, 4 * SOCKETS, check);
    return await use(connections);
  } finally {
    connections.close();
  }
}

/** The same with instructions. They need few rounds: they hardly vary. */
async function countedRounds(deployment, { contender, request, check }, rounds, count) {
  const counted = (contender) =>
    connected(contender, request, check, async (connections) => {
      await settled(contender.pid);
      const stop = await countInstructions(contender.pid);
      await connections.send(request, count, check);
      return (await stop()) / count;
    });
  const [ours, theirs] = [[], []];
  for (let round = 0; round < rounds; round++) {
    ours.push(await counted(deployment));
    theirs.push(await counted(contender));
  }
  return { ours, theirs };
}

function result({ number, name, floor, goal, ours, theirs, changes }, unit) {
  return {
    case: number,
    name,
    floorName: floor,
    unit,
    changes,
    ...compare(ours, theirs, goal),
    rounds: { ours, floor: theirs },
  };
}

function printResult(one, print) {
  const digits = one.unit === "instructions" ? 0 : 1;
  const cells = ({ median, min, q1, q3, mean }) =>
    [median, min, q1, q3, mean].map((value) => value.toFixed(digits).padStart(8)).join("");
  const [low, high] = one.interval.map((value) => value.toFixed(3));
  print("");
  print(`${one.case}. ${one.name}, against ${one.floorName}`);
  print(`   ${`${one.unit} per request`.padEnd(24)}  median     min      q1      q3    mean`);
  print(`   ${"claviger".padEnd(24)}${cells(one.ours)}`);
  print(`   ${"floor".padEnd(24)}${cells(one.floor)}`);
  print(
    `   ratio of medians ${one.ratioOfMedians.toFixed(3)}, of minima ${one.ratioOfMinima.toFixed(3)}, of means ${one.ratioOfMeans.toFixed(3)}`,
  );
  print(`   ratio within a round, median ${one.ratio.toFixed(3)} (95 %: ${low} to ${high})`);
  print(`   ${verdictText(one)}`);
  if (one.changes) {
    print(
      `   removed: ${one.changes.remove.join(", ") || "nothing"}; set: ${one.changes.set.map(([name]) => name).join(", ")}`,
    );
  }
}
