// Whether a file is the one whose upload was begun, and what is remembered of it.
import assert from "node:assert/strict";
import { File } from "node:buffer";
import { test } from "node:test";

import { arrived, differs, fingerprint } from "../../lessonadmin/static/js/upload/fingerprint.js";
import { Record } from "../../lessonadmin/static/js/upload/record.js";

const K = 256 * 1024;
const DATE = 1700000000000;
const bytes = Uint8Array.from({ length: 5 * K }, (_, index) => index % 253);
const file = (data = bytes, { name = "a.mp4", lastModified = DATE } = {}) => new File([data], name, { lastModified });
const changed = (at) => {
  const copy = Uint8Array.from(bytes);
  copy[at] += 1;
  return file(copy);
};
const remembered = async () => ({ ...await fingerprint(file()), ...await arrived(file(), 2 * K, 3 * K) });

test("the same file is the same, also under another name", async () => {
  assert.equal(await differs(file(), await remembered()), "");
  assert.equal(await differs(file(bytes, { name: "b.mp4" }), await remembered()), "");
  assert.equal(await differs(file(), await fingerprint(file())), "");
});

for (const [what, other, why] of [
  ["one byte more", file(Uint8Array.from([...bytes, 1])), "size"],
  ["another date", file(bytes, { lastModified: DATE + 1 }), "date"],
  ["another first byte", changed(0), "content"],
  ["another last byte", changed(5 * K - 1), "content"],
  ["another byte in the part that arrived last", changed(3 * K - 1), "content"],
]) {
  test(`${what}: it is another file`, async () => assert.equal(await differs(other, await remembered()), why));
}

test("a file that cannot be read is told apart from another one", async () => {
  const gone = Object.assign(file(), { slice: () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }) });
  assert.equal(await differs(gone, await remembered()), "unread");
});

class FakeMemory {
  kept = new Map();
  puts = [];
  async put(record) {
    this.puts.push(record.end);
    this.kept.set(record.upload, record);
    return true;
  }
  async forget(upload) { this.kept.delete(upload); }
}

test("a record begins before the first byte, follows what has arrived, and holds no address", async () => {
  const memory = new FakeMemory();
  const record = await Record.begin(memory, file(), { upload: "u", until: 5 });
  assert.deepEqual(Object.keys(memory.kept.get("u")).sort(), ["date", "end", "from", "handle", "head", "last", "name", "size", "tail", "until", "upload"]);
  record.confirmed(0, K);
  record.confirmed(K, 2 * K);
  record.confirmed(2 * K, 3 * K);
  while (memory.puts.at(-1) !== 3 * K) await new Promise((done) => { setImmediate(done); });
  assert.equal(await differs(file(), memory.kept.get("u")), "");
  assert.deepEqual({ ...memory.kept.get("u"), ...await remembered() }, memory.kept.get("u"));
});

test("what is forgotten stays forgotten, although a part was just being written down", async () => {
  const memory = new FakeMemory();
  const record = await Record.begin(memory, file(), { upload: "u", until: 5 });
  record.confirmed(0, K);
  const forgotten = record.forget();
  record.confirmed(K, 2 * K);
  await forgotten;
  await new Promise((done) => { setTimeout(done, 20); });
  assert.equal(memory.kept.size, 0);
});

test("a browser that cannot remember has no record", async () => {
  assert.equal(await Record.begin({ put: async () => false }, file(), { upload: "u", until: 5 }), null);
  assert.equal(await Record.begin({ put: () => Promise.reject(new Error("full")) }, file(), { upload: "u", until: 5 }), null);
});
