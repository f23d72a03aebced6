// The states of one upload: the events that it tells for what Mux's widget and the network do. The widget is a plain
// event target here; its answers are those that the real one gives in tests/browser.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

globalThis.window = new EventTarget();
const { Transfer } = await import("../../lessonadmin/static/js/upload/transfer.js");

const FILE = { name: "a.mp4", size: 100 };
const ADDRESS = "https://mux.example/upload";
const EVENTS = ["asked", "moved", "arrived", "waiting", "going", "paused", "lost", "back", "failed", "sent", "cancelled"];

class Upload extends EventTarget {
  calls = [];
  on(name, act) { this.addEventListener(name, act); }
  pause() { this.calls.push("pause"); }
  resume() { this.calls.push("resume"); }
  abort() { this.calls.push("abort"); }
}

let widget, upload, transfer, told;
const say = (target, name, detail) => target.dispatchEvent(new CustomEvent(name, { detail }));
const names = () => told.map(([name]) => name);
const refused = (statusCode) => say(upload, "attemptFailure", { response: { statusCode } });
const partDone = (statusCode) => say(widget, "chunksuccess", { response: { statusCode } });
const breath = () => new Promise((done) => { setImmediate(done); });

function made(endpoint = async () => ADDRESS) {
  told = [];
  upload = new Upload();
  widget = Object.assign(new EventTarget(), { upload });
  transfer = new Transfer(widget, FILE, endpoint);
  for (const name of EVENTS) transfer.addEventListener(name, ({ detail }) => told.push([name, detail]));
}

beforeEach(async () => {
  transfer?.cancel();
  made();
  await transfer.start();
  say(widget, "uploadstart");
});

test("the widget gets the file only after the address is known", async () => {
  const given = [];
  made();
  widget.addEventListener("file-ready", ({ detail }) => given.push(detail));
  const started = transfer.start();
  assert.deepEqual(given, []);
  await started;
  assert.deepEqual(given, [FILE]);
  assert.equal(await widget.endpoint(), ADDRESS);
  assert.deepEqual(names(), ["asked"]);
});

test("without an address it fails before the first byte", async () => {
  const error = new Error("refused");
  made(async () => { throw error; });
  widget.addEventListener("file-ready", () => assert.fail("the widget heard of the file"));
  await transfer.start();
  assert.deepEqual(told, [["failed", { why: "not-started", error }]]);
});

test("progress is told as a fraction", () => {
  say(widget, "progress", 25);
  assert.deepEqual(told.at(-1), ["moved", { fraction: 0.25 }]);
});

test("failed requests are repeated after growing waits of five seconds at most, without end", () => {
  const waits = [0, 0, 0, 0, 0, 0].map(() => {
    refused(503);
    return upload.delayBeforeAttempt;
  });
  assert.deepEqual(waits, [1, 1.5, 2.25, 3.375, 5, 5]);
  assert.deepEqual(told.at(-1), ["waiting", { tries: 6, status: 503 }]);
  assert.equal(upload.attempts, Infinity);
  partDone(200);
  assert.equal(names().at(-1), "going");
  refused(0);
  assert.deepEqual(told.at(-1), ["waiting", { tries: 1, status: 0 }]);
});

test("a part that Mux refuses more than eight times ends in a failure", () => {
  for (let count = 0; count < 8; count += 1) refused(308);
  assert.ok(!names().includes("failed"));
  refused(308);
  assert.deepEqual(told.at(-1), ["failed", { why: "incomplete", status: 0 }]);
  assert.deepEqual(upload.calls, ["abort"]);
});

for (const [detail, why] of [
  [{ response: { statusCode: 403 } }, "closed"],
  [{ response: { statusCode: 410 } }, "closed"],
  [{ response: { statusCode: 413 } }, "too-large"],
  [{ message: "Unable to read the file" }, "unread"],
  [{ response: { statusCode: 418 } }, "other"],
  [undefined, "other"],
]) {
  test(`${JSON.stringify(detail)} is the failure "${why}", and nothing is heard after it`, () => {
    say(widget, "uploaderror", detail);
    assert.equal(told.at(-1)[1].why, why);
    assert.deepEqual(upload.calls, ["abort"]);
    say(widget, "success");
    say(widget, "progress", 50);
    assert.equal(names().at(-1), "failed");
  });
}

test("success after a finished answer is believed", async () => {
  partDone(200);
  say(widget, "success");
  await breath();
  assert.equal(names().at(-1), "sent");
});

for (const [status, end] of [[200, "sent"], [308, "failed"]]) {
  test(`success after an unfinished answer is checked with Mux: ${status} means ${end}`, async (context) => {
    const asked = context.mock.method(globalThis, "fetch", async () => ({ status }));
    context.mock.timers.enable({ apis: ["setTimeout"] });
    partDone(308);
    say(widget, "success");
    for (let turn = 0; turn < 6; turn += 1) {
      await breath();
      context.mock.timers.tick(1000);
    }
    await breath();
    assert.equal(names().at(-1), end);
    assert.deepEqual(asked.mock.calls[0].arguments, [ADDRESS, { method: "PUT", headers: { "Content-Range": "bytes */100" } }]);
    assert.equal(asked.mock.callCount(), end === "sent" ? 1 : 4);
  });
}

test("a pause is told when the part that is being sent is done, and only then", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  transfer.pause();
  context.mock.timers.tick(60000);
  assert.ok(!names().includes("paused"));
  partDone(200);
  context.mock.timers.tick(1);
  assert.equal(names().at(-1), "paused");
  transfer.resume();
  assert.deepEqual(upload.calls, ["pause", "resume"]);
});

test("a pause during a wait is told when the wait is over", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  refused(503);
  transfer.pause();
  context.mock.timers.tick(900);
  assert.ok(!names().includes("paused"));
  context.mock.timers.tick(300);
  assert.equal(names().at(-1), "paused");
});

test("the widget never hears that the connection is lost or back while it sends", () => {
  const heard = mock.fn();
  window.addEventListener("offline", heard);
  window.addEventListener("online", heard);
  window.dispatchEvent(new Event("offline", { cancelable: true }));
  window.dispatchEvent(new Event("online"));
  assert.equal(heard.mock.callCount(), 0);
  assert.deepEqual(names().slice(-2), ["lost", "back"]);
  upload.offline = true; // it began without a connection and waits for this event
  window.dispatchEvent(new Event("online"));
  assert.equal(heard.mock.callCount(), 1);
  transfer.cancel();
  window.dispatchEvent(new Event("offline"));
  assert.equal(heard.mock.callCount(), 2);
});

test("a cancelled upload is aborted and forgotten by the widget", () => {
  const forgotten = mock.fn();
  widget.addEventListener("reset", forgotten);
  transfer.cancel();
  assert.equal(names().at(-1), "cancelled");
  assert.deepEqual(upload.calls, ["abort"]);
  assert.equal(forgotten.mock.callCount(), 1);
});

test("what is sent in vain does not count as sent, until it has arrived", () => {
  const shown = () => told.filter(([name]) => name === "moved").map(([, { fraction }]) => fraction);
  say(widget, "progress", 40);
  partDone(308);
  say(widget, "progress", 100);
  refused(500);
  say(widget, "progress", 100);
  assert.deepEqual(shown(), [0.4, 1, 0.4]);
  partDone(200);
  assert.deepEqual(shown(), [0.4, 1, 0.4, 1]);
});

test("what has arrived is told part by part, and not of a part that could not be read to its end", () => {
  const of = (name) => told.filter(([one]) => one === name).map(([, detail]) => detail);
  Object.assign(upload, { nextChunkRangeStart: 0, chunkByteSize: 60 });
  partDone(308);
  upload.nextChunkRangeStart = 60;
  partDone(308);
  assert.deepEqual(of("arrived"), [{ from: 0, end: 60 }, { from: 60, end: 100 }]);
  upload.chunkedIterable = { error: new Error("NotReadableError") };
  partDone(308);
  assert.equal(of("arrived").length, 2);
  say(widget, "uploaderror", { message: "Server responded with 400.", response: { statusCode: 400 } });
  assert.equal(told.at(-1)[1].why, "unread");
});

test("what Mux has lost on the way ends the widget's part, with what Mux has and where", () => {
  const body = "the upload offset is 60 byte(s), which exceeds already uploaded size of 20 byte(s).";
  say(upload, "attemptFailure", { response: { statusCode: 503, body } });
  assert.deepEqual(told.at(-1), ["failed", { why: "gap", has: 20, address: ADDRESS }]);
  assert.deepEqual(upload.calls, ["abort"]);
});
