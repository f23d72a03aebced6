// What patch.js changes in the page, and what it leaves as it is.
import assert from "node:assert/strict";
import { test } from "node:test";

import { node, written } from "./dom.mjs";
import { patch } from "../../lessonadmin/static/js/patch.js";

function patched(before, after) {
  const living = node(before);
  patch(living, node(after));
  return living;
}

test("the page looks like the fresh piece afterwards", () => {
  const fresh = ["div", { class: "new" }, ["p", "Ready"], "text", ["ul", ["li", "1"], ["li", "2"]]];
  assert.deepEqual(written(patched(["div", { class: "old", title: "x" }, ["p", "Sent"], ["b"], ["hr"]], fresh)), fresh);
});

test("an element that stays is the same element, so it keeps the focus and what was typed", () => {
  const living = node(["div", ["p", "Sent"], ["input", { id: "reason" }]]);
  const input = living.childNodes[1];
  patch(living, node(["div", ["p", "Ready"], ["hr"], ["input", { id: "reason", class: "wrong" }]]));
  assert.equal(living.childNodes[2], input);
  assert.equal(input.getAttribute("class"), "wrong");
});

test("an element is found by its id behind others that are gone", () => {
  const living = node(["div", ["p", { id: "a" }], ["p", { id: "b" }, "two"]]);
  const second = living.childNodes[1];
  patch(living, node(["div", ["p", { id: "b" }, "new"]]));
  assert.deepEqual(written(living), ["div", ["p", { id: "b" }, "new"]]);
  assert.equal(living.childNodes[0], second);
});

test("elements with different ids are never turned into each other", () => {
  const living = node(["div", ["p", { id: "a" }]]);
  const first = living.childNodes[0];
  patch(living, node(["div", ["p", { id: "b" }]]));
  assert.deepEqual(written(living), ["div", ["p", { id: "b" }]]);
  assert.notEqual(living.childNodes[0], first);
});

test("nothing inside data-keep changes: a player goes on playing", () => {
  const living = patched(
    ["div", ["figure", { "data-keep": "player" }, ["video"]]],
    ["div", ["figure", { "data-keep": "player", class: "new" }, ["p", "Loading"]]],
  );
  assert.deepEqual(written(living), ["div", ["figure", { "data-keep": "player" }, ["video"]]]);
});

test("another data-keep replaces the first", () => {
  const living = patched(["div", ["figure", { "data-keep": "a" }]], ["div", ["figure", { "data-keep": "b" }]]);
  assert.deepEqual(written(living), ["div", ["figure", { "data-keep": "b" }]]);
});

for (const name of ["open", "aria-busy", "data-ready", "role", "aria-haspopup", "aria-controls"]) {
  test(`${name}, set by a script or by the reader, stays`, () => {
    assert.deepEqual(written(patched(["details", { [name]: "" }], ["details", ["p"]])), ["details", { [name]: "" }, ["p"]]);
  });
}

test("a time keeps the words of the reader's own clock until it is another time", () => {
  const living = node(["p", ["time", { datetime: "2026-01-01" }, "yesterday"]]);
  patch(living, node(["p", { class: "new" }, ["time", { datetime: "2026-01-01" }, "2026-01-01 UTC"]]));
  assert.deepEqual(written(living.childNodes[0]), ["time", { datetime: "2026-01-01" }, "yesterday"]);
  patch(living, node(["p", ["time", { datetime: "2026-01-02" }, "2026-01-02 UTC"]]));
  assert.deepEqual(written(living.childNodes[0]), ["time", { datetime: "2026-01-02" }, "2026-01-02 UTC"]);
});
