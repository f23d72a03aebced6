// Which files may be sent, and what is said of the others.
import assert from "node:assert/strict";
import { File } from "node:buffer";
import { test } from "node:test";

import { rulesOf, wrongWith } from "../../lessonadmin/static/js/upload/checks.js";

globalThis.File ??= File;
const MB = 1024 * 1024;
const RULES = rulesOf({ types: "video/mp4 video/quicktime", endings: '{"mp4": "video/mp4", "mov": "video/quicktime"}', names: "MP4 or MOV", maxMb: "2" });

const file = (name, type, size = 1) => new File([new Uint8Array(size)], name, { type });

test("the rules are read from the attributes of the page", () => {
  assert.deepEqual(RULES, {
    types: ["video/mp4", "video/quicktime"],
    endings: { mp4: "video/mp4", mov: "video/quicktime" },
    names: "MP4 or MOV",
    maxMb: 2,
  });
});

for (const [name, type] of [["a.mp4", "video/mp4"], ["a.MOV", ""], ["a.b.mov", "application/octet-stream"], ["a", "video/mp4"]]) {
  test(`${name} of the type "${type}" may go`, () => assert.equal(wrongWith(file(name, type), RULES), ""));
}

for (const [what, chosen, said] of [
  ["text", "https://example.org", /not a file/],
  ["an empty file", file("a.mp4", "video/mp4", 0), /is empty/],
  ["another kind", file("a.pdf", "application/pdf"), /“a\.pdf” cannot be used\. Choose an MP4 or MOV file\./],
  ["a video's ending with another kind", file("a.mp4", "application/pdf"), /cannot be used/],
  ["no ending and no kind", file("mp4", ""), /cannot be used/],
  ["an unknown ending and no kind", file("a.xyz", ""), /cannot be used/],
  ["one byte too many", file("a.mp4", "video/mp4", 2 * MB + 1), /larger than 2 MB/],
]) {
  test(`${what} is refused`, () => assert.match(wrongWith(chosen, RULES), said));
}

test("a file of exactly the largest size may go", () => assert.equal(wrongWith(file("a.mp4", "video/mp4", 2 * MB), RULES), ""));
