// CPU time of another process, and where the machine can count them, its instructions. Linux only:
// it reads /proc.
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

/** The clocks there are, finest first. Each gives the nanoseconds that a thread has run. */
const CLOCKS = [
  // Needs CONFIG_SCHED_INFO and CONFIG_SCHEDSTATS.
  { name: "schedstat (ns)", read: (task) => Number(readFileSync(`${task}/schedstat`, "utf8").split(" ")[0]) },
  // Milliseconds with six decimals. Needs CONFIG_SCHED_DEBUG.
  {
    name: "sched (ns)",
    read: (task) => Number(/sum_exec_runtime\s*:\s*([\d.]+)/.exec(readFileSync(`${task}/sched`, "utf8"))[1]) * 1e6,
  },
  // A tick is 10 ms.
  { name: "stat (ticks of 10 ms)", read: (task) => ticks(readFileSync(`${task}/stat`, "utf8")) * 1e7 },
];

/** Returns user and system time. The name before them may hold spaces, but the last ")" ends it. */
function ticks(stat) {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** The finest clock that works here. */
export const clock = CLOCKS.find(({ read }) => {
  try {
    return Number.isFinite(read("/proc/self/task/" + process.pid));
  } catch {
    return false;
  }
});

/** Returns the nanoseconds that each thread of a process has run so far, by its number. */
export function cpuOf(pid) {
  const threads = new Map();
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    try {
      threads.set(id, clock.read(`/proc/${pid}/task/${id}`));
    } catch {
      // The thread has ended between the listing and the reading.
    }
  }
  return threads;
}

/**
 * Returns the nanoseconds that a process has run between two readings. A thread that has ended is
 * left out.
 */
export function between(before, after) {
  let sum = 0;
  for (const [id, ns] of after) sum += ns - (before.get(id) ?? 0);
  return sum;
}

/** Waits until a process has used less than 1 % of a core for 100 ms, and returns its reading. */
export async function settled(pid) {
  let before = cpuOf(pid);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const after = cpuOf(pid);
    if (between(before, after) < 1e6) return after;
    before = after;
  }
}

/** Returns the workerd processes that this process has started. */
function children() {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        return (
          parent === process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0].endsWith("workerd")
        );
      } catch {
        // The process has ended meanwhile.
        return false;
      }
    })
    .map(Number);
}

/** Starts something, and adds the number of the workerd that came with it, as `pid`. */
export async function withPid(start) {
  const before = new Set(children());
  const started = await start();
  const [pid] = children().filter((pid) => !before.has(pid));
  if (!pid) throw new Error("no workerd was started");
  return Object.assign(started, { pid });
}

const EVENT = "instructions:u";

/** Returns why instructions cannot be counted here, or `undefined` if they can. */
export function instructionsRefused() {
  const { error, status, stderr } = spawnSync("perf", ["stat", "-x,", "-e", EVENT, "true"], { encoding: "utf8" });
  if (error) return "`perf` is not installed";
  if (/<not (supported|counted)>/.test(stderr)) return `this machine does not count ${EVENT}`;
  return status === 0 ? undefined : `\`perf stat\` fails: ${stderr.trim().split("\n")[0]}`;
}

/**
 * Counts the instructions that a process executes in user mode until the returned function is
 * called.
 */
export async function countInstructions(pid, event = EVENT) {
  const perf = spawn("perf", ["stat", "-x,", "-e", event, "-D", "-1", "--control", "fd:3,4", "-p", `${pid}`], {
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
  });
  let said = "";
  perf.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  const ended = new Promise((resolve, reject) => {
    perf.on("close", resolve);
    perf.on("error", reject);
  });
  const command = async (text) => {
    const acknowledged = new Promise((resolve) => perf.stdio[4].once("data", resolve));
    perf.stdio[3].write(`${text}\n`);
    await Promise.race([acknowledged, ended]);
  };
  await command("enable");
  return async () => {
    await command("disable");
    perf.kill("SIGINT");
    await ended;
    const count = Number(
      said
        .split("\n")
        .find((line) => line.includes(event))
        ?.split(",")[0],
    );
    if (!Number.isFinite(count)) throw new Error(`perf stat: ${said.trim()}`);
    return count;
  };
}
