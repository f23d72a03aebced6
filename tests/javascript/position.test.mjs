// Where an upload goes on, by what the host answers, in every order that must not end in a loop.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Position, sizeInRefusal } from "../../lessonadmin/static/js/upload/position.js";

const K = 256 * 1024;
const SIZE = 10 * K + 5;
const gap = (from, has) => ({
  status: 503,
  range: null,
  text: `Invalid request.  According to the Content-Range header, the upload offset is ${from} byte(s), which exceeds already uploaded size of ${has} byte(s).`,
});
const answer = (status, range = null) => ({ status, range, text: "" });
const after = (position, said) => position.after(said, position.part(K));

test("a part goes from the confirmed end, and the last one to the end of the file", () => {
  assert.deepEqual(new Position(SIZE, 2 * K).part(K), { from: 2 * K, end: 3 * K });
  assert.deepEqual(new Position(SIZE, 10 * K).part(K), { from: 10 * K, end: SIZE });
});

for (const status of [200, 201, 202, 204, 308]) {
  test(`${status}: the part is taken`, () => {
    const position = new Position(SIZE, 2 * K);
    assert.equal(after(position, answer(status)), "next");
    assert.equal(position.at, 3 * K);
  });
}

test("a readable Range is believed: more than was sent, less, and nothing new", () => {
  const position = new Position(SIZE, 2 * K);
  assert.equal(after(position, answer(308, 7 * K)), "next");
  assert.equal(position.at, 7 * K);
  assert.equal(after(position, answer(308, 4 * K)), "again");
  assert.equal(position.at, 4 * K);
});

test("the last part: done by its status, asked about after a 308", () => {
  assert.equal(after(new Position(SIZE, 10 * K), answer(200)), "done");
  const position = new Position(SIZE, 10 * K);
  assert.equal(after(position, answer(308)), "ask");
  assert.equal(position.at, SIZE);
  for (let tries = 1; tries < 4; tries += 1) assert.equal(position.afterAsking(answer(308)), "wait");
  assert.equal(position.afterAsking(answer(308)), "again");
  assert.equal(position.at, 0); // once from the beginning; then it is over
  position.at = SIZE;
  for (let tries = 1; tries < 4; tries += 1) position.afterAsking(answer(308));
  assert.deepEqual(position.afterAsking(answer(308)), { over: "incomplete" });
});

test("the text of a gap says how much Mux has", () => {
  assert.equal(sizeInRefusal(gap(9, 4)), 4);
  for (const said of [answer(503), { ...gap(9, 4), status: 500 }, { status: 503 }]) assert.equal(sizeInRefusal(said), null);
  const position = new Position(SIZE, 6 * K);
  assert.equal(after(position, gap(6 * K, 3 * K)), "again");
  assert.equal(position.at, 3 * K);
});

test("the same answer twice at one place leads to the beginning, and there to the end", () => {
  const position = new Position(SIZE, 6 * K);
  const twice = [];
  for (let round = 0; round < 2; round += 1) {
    position.at = 6 * K;
    twice.push([after(position, gap(6 * K, 3 * K)), position.at]);
  }
  assert.deepEqual(twice, [["again", 3 * K], ["again", 0]]);
  position.at = 6 * K;
  assert.deepEqual(after(position, gap(6 * K, 3 * K)), { over: "incomplete" });
});

test("a Range that never moves ends", () => {
  const position = new Position(SIZE, 0);
  assert.equal(after(position, answer(308, 0)), "again");
  assert.deepEqual(after(position, answer(308, 0)), { over: "incomplete" });
});

for (const status of [400, 409, 412, 416]) {
  test(`${status} twice at the remembered end: from the beginning, and after two more it is over`, () => {
    const position = new Position(SIZE, 6 * K);
    assert.equal(after(position, answer(status)), "wait");
    assert.equal(after(position, answer(status)), "again");
    assert.equal(position.at, 0);
    assert.equal(after(position, answer(status)), "wait");
    assert.deepEqual(after(position, answer(status)), { over: "incomplete" });
  });
}

test("a refusal that may pass, at a place that is not proven, is asked about", () => {
  for (const asked of [503, 500, 0, 429]) {
    const position = new Position(SIZE, 6 * K);
    for (let round = 0; round < 20; round += 1) {
      assert.equal(after(position, answer(503)), "ask");
      assert.equal(position.afterAsking(answer(asked)), "wait"); // an outage: Mux answers nothing at all
    }
    assert.equal(position.at, 6 * K);
  }
});

test("a host that works and refuses only this place is met one place further down", () => {
  const position = new Position(SIZE, 6 * K);
  assert.equal(after(position, answer(503)), "ask");
  assert.equal(position.afterAsking(answer(308)), "wait");
  assert.equal(after(position, answer(503)), "ask");
  assert.equal(position.afterAsking(answer(308)), "again");
  assert.equal(position.at, 0);
  for (let round = 0; round < 20; round += 1) assert.equal(after(position, answer(503)), "wait");
});

test("asked, a host that lets its Range be read is believed", () => {
  const position = new Position(SIZE, 6 * K);
  assert.equal(after(position, answer(503)), "ask");
  assert.equal(position.afterAsking(answer(308, 4 * K)), "again");
  assert.equal(position.at, 4 * K);
  assert.equal(after(position, answer(503)), "wait"); // proven now
});

test("asked, a host that has everything ends it", () => {
  assert.equal(new Position(SIZE, 6 * K).afterAsking(answer(200)), "done");
});

test("once a part was taken, an outage is waited for as long as it takes", () => {
  const position = new Position(SIZE, 6 * K);
  after(position, answer(308));
  for (let round = 0; round < 50; round += 1) assert.equal(after(position, answer([0, 500, 503, 429][round % 4])), "wait");
  assert.equal(position.at, 7 * K);
});

for (const status of [401, 403, 404, 410]) {
  test(`${status}: Mux has ended it`, () => {
    assert.deepEqual(after(new Position(SIZE, 6 * K), answer(status)), { over: "closed" });
    assert.deepEqual(new Position(SIZE, 6 * K).afterAsking(answer(status)), { over: "closed" });
  });
}

test("413 is told as it is", () => assert.deepEqual(after(new Position(SIZE), answer(413)), { over: "too-large" }));

test("whatever a host answers, it ends: no place is tried for ever without a part being taken", () => {
  let seed = 7;
  const random = (below) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % below;
  };
  for (let run = 0; run < 300; run += 1) {
    const position = new Position(SIZE, random(11) * K);
    const answers = [400, 409, 308, 308].map((status) => ({ status, range: random(2) ? random(12) * K : null, text: "" }));
    answers.push(gap(0, random(4) * K));
    let steps = 0;
    for (let next = ""; next !== "done" && !next.over; steps += 1) {
      assert.ok(steps < 2000, `run ${run} does not end`);
      const said = answers[random(answers.length)];
      const part = position.part(K);
      next = part.from >= part.end || next === "ask" ? position.afterAsking(said) : position.after(said, part);
      assert.ok(position.at >= 0 && position.at <= SIZE);
    }
  }
});
