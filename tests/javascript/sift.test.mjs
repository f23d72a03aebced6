// Which files are taken, in which order, and why the others are not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sift } from "../../lessonadmin/static/js/tray/sift.js";
import { centsOf, textOf } from "../../lessonadmin/static/js/tray/price.js";
import { newKey } from "../../lessonadmin/static/js/tray/key.js";
import { titleOf } from "../../lessonadmin/static/js/upload/title.js";

const RULES = { types: ["video/mp4"], endings: { mp4: "video/mp4" }, names: "MP4", maxMb: 1 };

function found(name, { bytes = 3, type = "video/mp4", inFolder = false, date = 1 } = {}) {
  return { file: new File(["x".repeat(bytes)], name, { type, lastModified: date }), path: name, inFolder };
}

const namesOf = ({ taken }) => taken.map(({ file }) => file.name);

test("in natural order of their names", () => {
  const files = ["10 x.mp4", "2 x.mp4", "a.mp4", "1 x.mp4", "B.mp4"].map((name) => found(name));
  assert.deepEqual(namesOf(sift(files, [], RULES, 50)), ["1 x.mp4", "2 x.mp4", "10 x.mp4", "a.mp4", "B.mp4"]);
});

test("each that is refused has its sentence, and the others go on", () => {
  const here = found("here.mp4").file;
  const said = sift([
    found("a.mp4"), found("a.mp4"), found("a.mp4", { date: 2 }), found("here.mp4"), found("empty.mp4", { bytes: 0 }),
    found("large.mp4", { bytes: 1024 * 1024 + 1 }), found("text.txt", { type: "text/plain" }), found("what", { type: "" }),
  ], [here], RULES, 50);
  assert.deepEqual(namesOf(said), ["a.mp4", "a.mp4"]);
  const words = ["“a.mp4” is here already", "“empty.mp4” is empty", "“here.mp4” is here already", "“large.mp4” is larger than 1 MB", "“text.txt” cannot be used", "“what” cannot be used"];
  assert.equal(said.refused.length, words.length);
  words.forEach((one, number) => assert.ok(said.refused[number].startsWith(one), said.refused[number]));
});

test("of a folder its videos, and the rest in silence; a video that is empty is told of", () => {
  const files = [found(".DS_Store", { bytes: 0, type: "", inFolder: true }), found("notes.txt", { type: "text/plain", inFolder: true }), found("a.mp4", { inFolder: true }), found("b.mp4", { bytes: 0, inFolder: true })];
  const said = sift(files, [], RULES, 50);
  assert.deepEqual(namesOf(said), ["a.mp4"]);
  assert.equal(said.refused.length, 1);
});

test("the first of too many are taken, and the rest are named", () => {
  const said = sift(["4.mp4", "1.mp4", "3.mp4", "2.mp4"].map((name) => found(name)), [], RULES, 2);
  assert.deepEqual(namesOf(said), ["1.mp4", "2.mp4"]);
  assert.deepEqual(said.refused, ["Only 2 files are taken at once. Not taken, to be added afterwards: “3.mp4”, “4.mp4”."]);
});

test("a price is a price or none", () => {
  for (const [text, cents] of [["9.99", 999], ["9,9", 990], [" 12 ", 1200], ["0", 0], ["0.07", 7]]) assert.equal(centsOf(text), cents);
  for (const text of ["", "free", "-1", "1.234", "1.2.3", "9.99 EUR"]) assert.equal(centsOf(text), null);
  assert.equal(textOf(705), "7.05");
});

test("a title is the file's name without its ending", () => {
  assert.equal(titleOf("my_first  film.v2.mp4"), "my first film.v2");
  assert.equal(titleOf(".mp4"), ".mp4");
  assert.equal(titleOf(`${"x".repeat(300)}.mp4`).length, 200);
});

test("every key is another UUID", () => {
  const keys = new Set(Array.from({ length: 100 }, newKey));
  assert.equal(keys.size, 100);
  for (const key of keys) assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
