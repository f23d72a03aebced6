// The sender of the app against a host that keeps what it is sent: the whole file arrives, byte for byte, whatever goes wrong between.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

globalThis.window = new EventTarget();
Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true });
const { Sender } = await import("../../lessonadmin/static/js/upload/sender.js");

const K = 256 * 1024;
const BYTES = Uint8Array.from({ length: 4 * K + 10 }, (_, index) => (index * 7 + (index >> 9)) % 251);
const EVENTS = ["asked", "moved", "arrived", "waiting", "going", "paused", "lost", "back", "failed", "sent", "cancelled"];

let host, told, file;

/** A host as Google's: what it has is ignored when it comes again, a gap is refused with its size. `says` may answer first. */
class Host {
  stored = new Uint8Array(0);
  parts = [];
  says = () => null;
  readable = false;

  put = async (address, { body, contentRange, progress }) => {
    assert.equal(address, "https://mux.example/upload");
    this.parts.push(contentRange);
    const said = this.says(this.parts.length, contentRange);
    if (said) return { range: null, text: "", ...said };
    const [, first] = /^bytes (\d+)-\d+\/\d+$/.exec(contentRange) ?? [];
    if (first === undefined) return this.#answer();
    progress(body.byteLength);
    const from = Number(first);
    const has = this.stored.length;
    if (from > has) return { status: 503, range: null, text: `the upload offset is ${from} byte(s), which exceeds already uploaded size of ${has} byte(s).` };
    assert.ok(body.byteLength % K === 0 || from + body.byteLength === BYTES.length);
    const fresh = new Uint8Array(body).slice(has - from);
    this.stored = new Uint8Array(Buffer.concat([this.stored, fresh]));
    return this.#answer();
  };

  #answer() {
    const whole = this.stored.length === BYTES.length;
    return { status: whole ? 200 : 308, range: this.readable && !whole && this.stored.length ? this.stored.length : null, text: "" };
  }
}

const names = () => told.map(([name]) => name);

function made(at = 0, options = {}) {
  const sender = new Sender(file, async () => "https://mux.example/upload", { at, partKib: 256, put: host.put, ...options });
  for (const name of EVENTS) sender.addEventListener(name, ({ detail }) => told.push([name, detail]));
  return sender;
}

function arrivedWhole() {
  assert.equal(names().at(-1), "sent");
  assert.equal(Buffer.compare(host.stored, BYTES), 0);
}

beforeEach((context) => {
  context.mock?.timers.reset();
  host = new Host();
  told = [];
  file = new Blob([BYTES]);
});

for (const readable of [true, false]) {
  test(`from the confirmed end to the end of the file, Range readable: ${readable}`, async () => {
    Object.assign(host, { readable, stored: BYTES.slice(0, 2 * K) });
    await made(2 * K).start();
    arrivedWhole();
    assert.equal(host.parts[0], `bytes ${2 * K}-${3 * K - 1}/${BYTES.length}`);
    assert.deepEqual(told.filter(([name]) => name === "arrived").at(0), ["arrived", { from: 2 * K, end: 3 * K }]);
  });

  test(`Mux has less than was remembered, Range readable: ${readable}`, async () => {
    Object.assign(host, { readable, stored: BYTES.slice(0, K) });
    await made(3 * K).start();
    arrivedWhole();
  });

  test(`Mux has more than was remembered, Range readable: ${readable}`, async () => {
    Object.assign(host, { readable, stored: BYTES.slice(0, 4 * K) });
    await made(K).start();
    arrivedWhole();
    assert.equal(host.parts.length, readable ? 2 : 4);
  });
}

test("Mux has everything already, and its last answer was lost", async () => {
  host.stored = BYTES;
  await made(4 * K).start();
  arrivedWhole();
});

test("the answer to a part is lost: it is sent again, and counts once", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { put } = host;
  let lost = 0;
  host.put = async (...args) => {
    const answer = await put(...args);
    if (lost === 0) lost = 1;
    else return answer;
    setImmediate(() => context.mock.timers.tick(1000));
    return { status: 0, range: null, text: "" };
  };
  await made().start();
  arrivedWhole();
  assert.deepEqual(told.filter(([name]) => ["waiting", "going"].includes(name)), [["waiting", { tries: 1, status: 0 }], ["going", {}]]);
});

test("an hour without a connection, and it goes on by itself", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  navigator.onLine = false;
  let asked = 0;
  host.says = () => {
    asked += 1;
    if (asked === 1 || !navigator.onLine) {
      setImmediate(() => {
        context.mock.timers.tick(30000);
        if (asked < 120) return;
        navigator.onLine = true;
      });
      return { status: 0 };
    }
    return null;
  };
  window.dispatchEvent(new Event("offline"));
  await made().start();
  arrivedWhole();
  assert.equal(told.filter(([name]) => name === "waiting").length, 120);
});

test("the connection comes back: the wait ends at once", async () => {
  host.says = (count) => {
    if (count > 1) return null;
    navigator.onLine = false;
    setTimeout(() => {
      navigator.onLine = true;
      window.dispatchEvent(new Event("online"));
    }, 5);
    return { status: 0 };
  };
  await made().start();
  arrivedWhole();
  assert.ok(names().includes("back"));
});

test("paused between two parts, resumed later", async () => {
  const sender = made();
  host.says = (count) => {
    if (count === 2) sender.pause();
    return null;
  };
  const run = sender.start();
  while (!names().includes("paused")) await new Promise((done) => { setImmediate(done); });
  assert.equal(host.parts.length, 2);
  sender.resume();
  await run;
  arrivedWhole();
});

test("cancelled: nothing more is sent", async () => {
  const sender = made();
  host.says = () => {
    sender.cancel();
    return { status: 308 };
  };
  await sender.start();
  assert.equal(host.parts.length, 1);
  assert.equal(names().at(-1), "cancelled");
});

test("a file that cannot be read any more stops it before a byte of it leaves", async () => {
  file = Object.assign(new Blob([BYTES]), { slice: () => ({ arrayBuffer: () => Promise.reject(new Error("NotReadableError")) }) });
  await made().start();
  assert.deepEqual(told.at(-1), ["failed", { why: "unread" }]);
  assert.equal(host.parts.length, 0);
});

test("without an address it fails before the first byte", async () => {
  const error = new Error("refused");
  const sender = new Sender(file, async () => { throw error; }, { put: host.put });
  sender.addEventListener("failed", ({ detail }) => told.push(["failed", detail]));
  await sender.start();
  assert.deepEqual(told, [["failed", { why: "not-started", error }]]);
});

for (const [status, why] of [[410, "closed"], [404, "closed"], [403, "closed"], [413, "too-large"]]) {
  test(`${status} ends it as "${why}"`, async () => {
    host.says = (count) => (count === 2 ? { status } : null);
    await made().start();
    assert.deepEqual(told.at(-1), ["failed", { why, status }]);
  });
}

test("parts are a multiple of 256 KiB, whatever is asked for", async () => {
  await made(0, { partKib: 600 }).start();
  assert.equal(host.parts[0], `bytes 0-${2 * K - 1}/${BYTES.length}`);
  arrivedWhole();
});
