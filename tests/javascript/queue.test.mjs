// Which uploads are sent and which wait.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Queue } from "../../lessonadmin/static/js/upload/queue.js";

let begun, queue;

beforeEach(() => {
  begun = [];
  queue = new Queue((one) => begun.push(one), 2);
});

function all(...names) {
  for (const name of names) queue.add(name);
}

test("two at a time, in order", () => {
  all("a", "b", "c", "d");
  assert.deepEqual(begun, ["a", "b"]);
  queue.leave("b");
  queue.leave("a");
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
  assert.ok(!queue.isSent("a") && queue.isSent("d"));
});

test("one that waits can go, and frees no place", () => {
  all("a", "b", "c", "d");
  queue.leave("c");
  assert.deepEqual(begun, ["a", "b"]);
  queue.leave("a");
  assert.deepEqual(begun, ["a", "b", "d"]);
});

test("what was paused comes before the others, and nothing twice", () => {
  all("a", "b", "c", "d");
  queue.leave("a"); // paused: its place is free
  queue.add("a", { first: true });
  queue.add("a");
  queue.add("c");
  queue.leave("b");
  assert.deepEqual(begun, ["a", "b", "c", "a"]);
  queue.leave("a");
  assert.deepEqual(begun, ["a", "b", "c", "a", "d"]);
});

test("those that wait follow a new order, and what it does not name comes last", () => {
  all("a", "b", "c", "d", "e", "f");
  queue.arrange(["b", "e", "a", "c"]);
  for (const name of ["a", "b", "e", "c", "d"]) queue.leave(name);
  assert.deepEqual(begun, ["a", "b", "e", "c", "d", "f"]);
});

test("while it is held nothing begins, and afterwards in order", () => {
  queue.hold();
  all("a", "b", "c");
  queue.leave("b");
  assert.deepEqual(begun, []);
  queue.goOn();
  assert.deepEqual(begun, ["a", "c"]);
});
