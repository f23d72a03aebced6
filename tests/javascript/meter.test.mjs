// How much is sent, how fast, and how long it still takes.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Meter, size } from "../../lessonadmin/static/js/upload/meter.js";

function moved(total, ...marks) {
  const meter = new Meter(total);
  for (const [seconds, fraction] of marks) meter.move(fraction, seconds * 1000);
  return meter;
}

test("the share sent, never under 0 or over 100 percent", () => {
  assert.equal(moved(200, [0, 0.25]).percent, 25);
  assert.equal(moved(200, [0, 1.5]).percent, 100);
  assert.equal(moved(200, [0, -1]).percent, 0);
  assert.equal(moved(0, [0, 1]).percent, 0);
});

test("the time left follows from the speed", () => assert.equal(moved(1000, [0, 0], [2, 0.2]).secondsLeft, 8));

test("the speed is that of the last ten seconds", () => {
  assert.equal(moved(1000, [0, 0], [90, 0.1], [95, 0.5]).secondsLeft, 500 / (400 / 5));
});

test("less than a second, or no movement, says nothing about the speed", () => {
  assert.equal(moved(1000).secondsLeft, null);
  assert.equal(moved(1000, [0, 0], [0.9, 0.5]).secondsLeft, null);
  assert.equal(moved(1000, [0, 0.5], [5, 0.5]).secondsLeft, null);
});

test("a pause is not part of the speed", () => {
  const meter = moved(1000, [0, 0], [2, 0.2]);
  meter.rest();
  assert.equal(meter.secondsLeft, null);
  meter.move(0.2, 5000);
  meter.move(0.6, 7000);
  assert.equal(meter.secondsLeft, 2);
});

for (const [left, words] of [
  [7, "a few seconds"], [8, "about 10 seconds"], [51, "about 55 seconds"], [55, "about 1 minute"],
  [61, "about 2 minutes"], [3299, "about 55 minutes"], [3300, "about 0.9 hours"], [9000, "about 2.5 hours"],
]) {
  test(`${left} seconds are "${words}"`, () => {
    const total = 1e6;
    const sent = total - left * 10;
    const meter = moved(total, [0, (sent - 20) / total], [2, sent / total]);
    assert.equal(meter.words, `${size(sent, total)} of 1.0 MB, ${words} left`);
  });
}

test("without a speed only the amount is said", () => {
  assert.equal(moved(310e6, [0, 0.04]).words, "12.4 of 310.0 MB");
});

for (const [count, words] of [[0, "0 bytes"], [999, "999 bytes"], [1500, "2 kB"], [1e6, "1.0 MB"], [2.34e9, "2.3 GB"]]) {
  test(`${count} bytes are "${words}"`, () => assert.equal(size(count), words));
}
