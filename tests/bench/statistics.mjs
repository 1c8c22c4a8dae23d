// Statistics of repeated measurements. Pure functions, so that a test can pin them.

/** Returns a sorted copy. */
const sorted = (values) => [...values].sort((a, b) => a - b);

/** Returns the quantile `q` (0 to 1), interpolated between the two values next to it. */
export function quantile(values, q) {
  const list = sorted(values);
  const place = (list.length - 1) * q;
  const below = Math.floor(place);
  const above = Math.min(below + 1, list.length - 1);
  return list[below] + (list[above] - list[below]) * (place - below);
}

export const median = (values) => quantile(values, 0.5);

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Returns median, minimum, mean and the quartiles, between which the middle half of the values
 * lies.
 */
export function summary(values) {
  return {
    median: median(values),
    min: Math.min(...values),
    q1: quantile(values, 0.25),
    q3: quantile(values, 0.75),
    mean: mean(values),
  };
}

/**
 * Returns an interval `[low, high]` that holds the true median with at least this confidence. It
 * assumes only that the values are independent: each lies below the median as often as above it, so
 * the count below is binomial (the sign test). Too few values give their whole range.
 */
export function medianInterval(values, confidence = 0.95) {
  const list = sorted(values);
  const n = list.length;
  const tail = (1 - confidence) / 2;
  // P(at most `k` of `n` lie below), summed up while it stays within the tail.
  let probability = 0.5 ** n;
  let sum = probability;
  let k = 0;
  while (sum <= tail && k < n / 2) {
    k += 1;
    probability *= (n - k + 1) / k;
    sum += probability;
  }
  // `k` values may be left out on each side.
  const low = Math.max(k - 1, 0);
  return [list[low], list[n - 1 - low]];
}

/**
 * Compares two lists of values that were measured in pairs, round by round, with a goal for
 * `ours / floor`. Drift of the machine hits both values of a pair, so the pairs' ratios carry the verdicts:
 * - `apart`: `false` if the ratio cannot be told from 1
 * - `verdict`: `met` or `missed` if the whole interval lies on one side of the goal, else
 *   `undecided`
 */
export function compare(ours, floor, goal) {
  const ratios = ours.map((value, round) => value / floor[round]);
  const interval = medianInterval(ratios);
  const [low, high] = interval;
  const ratio = median(ratios);
  // Of fewer pairs even the whole range holds the median with less than 95 %.
  const isEnough = ratios.length >= 6;
  return {
    ours: summary(ours),
    floor: summary(floor),
    ratioOfMedians: median(ours) / median(floor),
    ratioOfMinima: Math.min(...ours) / Math.min(...floor),
    // The median passes over rounds that a garbage collection fell into; the mean does not.
    ratioOfMeans: mean(ours) / mean(floor),
    ratio,
    interval,
    apart: isEnough && (low > 1 || high < 1),
    goal,
    verdict: isEnough && high <= goal ? "met" : isEnough && low > goal ? "missed" : "undecided",
    missedBy: ratio - goal,
  };
}

/** Puts a comparison's verdicts into words. */
export function verdictText({ apart, verdict, goal, missedBy, interval: [low, high] }) {
  const difference = apart ? "" : "; cannot be told apart from the floor";
  const words = {
    met: "met",
    missed: `missed by ${missedBy.toFixed(2)}`,
    undecided: `undecided (${low.toFixed(2)} to ${high.toFixed(2)})`,
  };
  return `goal ≤ ${goal.toFixed(2)}: ${words[verdict]}${difference}`;
}
