import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, median, medianInterval, quantile, summary, verdictText } from "./statistics.mjs";

test("a median lies in the middle, or between the two in the middle", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
});

test("quantiles are interpolated and leave the values in place", () => {
  const values = [50, 10, 40, 20, 30];
  assert.equal(quantile(values, 0), 10);
  assert.equal(quantile(values, 1), 50);
  assert.equal(quantile(values, 0.25), 20);
  assert.equal(quantile(values, 0.1), 14);
  assert.deepEqual(values, [50, 10, 40, 20, 30]);
  assert.deepEqual(summary(values), { median: 30, min: 10, q1: 20, q3: 40, mean: 30 });
});

test("an interval leaves out as many values as the sign test's tables allow", () => {
  const upTo = (n) => Array.from({ length: n }, (_, index) => index + 1);
  // Of 5 values even the whole range holds the median with less than 95 %.
  assert.deepEqual(medianInterval(upTo(5)), [1, 5]);
  assert.deepEqual(medianInterval(upTo(6)), [1, 6]);
  assert.deepEqual(medianInterval(upTo(10)), [2, 9]);
  assert.deepEqual(medianInterval(upTo(20)), [6, 15]);
  assert.deepEqual(medianInterval(upTo(40)), [14, 27]);
  assert.deepEqual(medianInterval([8]), [8, 8]);
});

/** As many pairs whose ratios lie evenly between the two. */
const pairs = (low, high, n = 40) => {
  const floor = Array.from({ length: n }, (_, index) => 80 + (index % 7));
  return [floor.map((value, index) => value * (low + ((high - low) * index) / (n - 1))), floor];
};

test("a goal is met, missed or undecided by the interval, not by the median", () => {
  const met = compare(...pairs(1.05, 1.1), 1.15);
  assert.equal(met.verdict, "met");
  assert.equal(verdictText(met), "goal ≤ 1.15: met");

  const missed = compare(...pairs(1.2, 1.3), 1.15);
  assert.equal(missed.verdict, "missed");
  assert.equal(verdictText(missed), "goal ≤ 1.15: missed by 0.10");

  const undecided = compare(...pairs(1.1, 1.2), 1.15);
  assert.equal(undecided.verdict, "undecided");
  assert.match(verdictText(undecided), /^goal ≤ 1\.15: undecided \(1\.13 to 1\.17\)$/);
});

test("five pairs decide nothing", () => {
  const { verdict, apart } = compare(...pairs(1.2, 1.3, 5), 1.15);
  assert.deepEqual({ verdict, apart }, { verdict: "undecided", apart: false });
  assert.equal(compare(...pairs(1.2, 1.3, 6), 1.15).verdict, "missed");
});

test("what differs by less than its spread cannot be told apart", () => {
  const same = compare(...pairs(0.9, 1.1), 1.15);
  assert.equal(same.apart, false);
  assert.match(verdictText(same), /met; cannot be told apart/);
  assert.equal(compare(...pairs(1.01, 1.03), 1.15).apart, true);
  assert.equal(compare(...pairs(0.9, 0.95), 1.15).apart, true);
});

test("pairs cancel a drift that hits both", () => {
  const floor = Array.from({ length: 30 }, (_, round) => 50 * 1.05 ** round);
  const { ratio, interval } = compare(
    floor.map((value) => value * 1.2),
    floor,
    1.15,
  );
  for (const value of [ratio, ...interval]) assert.ok(Math.abs(value - 1.2) < 1e-9, `${value}`);
});
