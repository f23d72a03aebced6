// The page for many files: takes them in, makes a row of each, and holds together what all rows share. What one row does is in
// tray/row.js.
import { chosen, gather } from "../tray/gather.js";
import { Connection } from "../tray/connection.js";
import { Counts } from "../tray/counts.js";
import { Face } from "../tray/face.js";
import { sayFree } from "../tray/price.js";
import { consider, goOnAlone, match, whyNone } from "../tray/returning.js";
import { Row } from "../tray/row.js";
import { sift } from "../tray/sift.js";
import { States } from "../tray/states.js";
import { Refusals } from "../tray/refusals.js";
import { newKey } from "../tray/key.js";
import { offered, rulesOf, wrongWith } from "../upload/checks.js";
import { Memory } from "../upload/memory.js";
import { Queue } from "../upload/queue.js";
import { titleOf } from "../upload/title.js";

const FIELDS = ["price", "captions", "publish"];

export default function tray(root) {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const list = part("rows").querySelector("ol");
  const rules = rulesOf(root.dataset);
  const rows = [];
  const refusals = new Refusals(part("refusals"), part("refusal"));
  const counts = new Counts(root, rows);
  const connection = new Connection(part("trouble"));
  const states = new States(root.dataset.states, connection, () => rows);
  const queue = new Queue((row) => row.begin(), Number(root.dataset.atOnce));
  const guard = (event) => event.preventDefault();
  let making = Promise.resolve(); // lessons are made one after the other, in the order of their files

  const shared = {
    course: root.dataset.course,
    memory: new Memory(root.dataset.user),
    connection,
    queue,
    get partKib() { return Number(root.dataset.partKib); },
    changed,
    follow: () => states.want(),
    interrupted: consider,
    ask,
    limit,
    remove(row) {
      rows.splice(rows.indexOf(row), 1);
      row.face.root.remove();
      changed();
    },
  };

  function changed() {
    counts.show();
    part("list").hidden = !rows.length;
    part("apply").hidden = !rows.length;
    const open = rows.some((row) => row.isOpen);
    window[open ? "addEventListener" : "removeEventListener"]("beforeunload", guard);
  }

  /** Asked before what was sent is thrown away: true if it is to be. */
  function ask(words) {
    const box = part("question");
    box.querySelector("[data-words]").textContent = words;
    box.returnValue = "";
    box.showModal();
    return new Promise((done) => { box.addEventListener("close", () => done(box.returnValue === "stop"), { once: true }); });
  }

  /** The server wants less for a while: nothing begins until then. When that is. */
  function limit(milliseconds, then) {
    queue.hold();
    setTimeout(() => {
      then();
      queue.goOn();
    }, milliseconds);
    return new Date(Date.now() + milliseconds);
  }

  function add({ file, handle }) {
    const item = part("row").content.firstElementChild.cloneNode(true);
    for (const name of FIELDS) copyField(part("all"), item, name);
    list.append(item);
    const face = new Face(item);
    face.title.value = titleOf(file.name);
    face.name(file.name, file.size);
    const row = new Row(face, shared, { key: newKey() });
    row.file = file;
    rows.push(row);
    row.to("making", "Being added…");
    making = making.then(() => row.make(file, handle));
  }

  async function take(found) {
    const files = await match(rows, found);
    const present = rows.filter((row) => row.file && row.phase !== "cancelled").map((row) => row.file);
    const { taken, refused } = sift(files, present, rules, Number(root.dataset.maxFiles));
    refusals.add(refused);
    taken.forEach(add);
    part("rows").dispatchEvent(new CustomEvent("rows-changed"));
    counts.added(taken.length, refused.length);
    changed();
  }

  async function again(files) {
    const left = await match(rows, files);
    refusals.add(await Promise.all(left.map(({ file }) => whyNone(rows, file))));
    counts.added(0, left.length);
  }

  async function dropped(event) {
    event.preventDefault();
    delete part("drop").dataset.over;
    const found = await gather(event.dataTransfer);
    if (found.length) await take(found);
    else refusals.add([wrongWith(null, rules)]);
  }

  function takeUp(item) {
    const { lesson, key, version, upload, file } = item.dataset;
    const face = new Face(item);
    face.name(file || "", 0);
    const row = new Row(face, shared, { key });
    row.upload = upload;
    row.has(lesson, version);
    face.button("go").addEventListener("click", async () => { if (!await goOnAlone(row)) part("same").click(); });
    rows.push(row);
    return consider(row);
  }

  /** What stands in “For all files”, for every row that is not final. */
  function applyToAll() {
    for (const row of rows.filter(({ phase }) => phase !== "cancelled")) {
      for (const name of FIELDS) {
        const field = row.face.field(name);
        if (field.disabled || (name === "publish" && row.face.root.dataset.state === "published")) continue;
        copyField(part("all"), row.face.root, name);
        row.edits.changed(name);
      }
      sayFree(row.face.root);
    }
  }

  function choose(input, act) {
    input.accept = offered(rules);
    input.addEventListener("change", () => {
      const files = chosen(input.files);
      input.value = "";
      act(files);
    });
  }

  choose(part("files"), take);
  choose(part("same"), again);
  part("pick").addEventListener("click", () => part("files").click());
  part("again").addEventListener("click", () => part("same").click());
  part("apply").querySelector("button").addEventListener("click", applyToAll);
  part("all").addEventListener("input", () => sayFree(part("all")));
  part("rows").addEventListener("submit", (event) => { if (!event.submitter) event.preventDefault(); }, true);
  part("rows").addEventListener("order-changed", () => queue.arrange([...list.children].map((item) => rows.find((row) => row.face.root === item))));
  for (const name of ["dragover", "drop"]) {
    // beside the drop zone a browser would leave the page to show the file
    window.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      if (name === "drop" && !part("drop").contains(event.target)) dropped(event);
    });
  }
  part("drop").addEventListener("dragover", () => { part("drop").dataset.over = ""; });
  part("drop").addEventListener("dragleave", () => { delete part("drop").dataset.over; });
  part("drop").addEventListener("drop", dropped);
  sayFree(part("all"));
  shared.memory.forgetOld();
  Promise.all([...list.children].map(takeUp)).then(changed);
  root.hidden = false;
  changed();
}

function copyField(from, to, name) {
  const [source, target] = [from, to].map((one) => one.querySelector(`[data-field="${name}"]`));
  if (target.type === "checkbox") target.checked = source.checked;
  else target.value = source.value;
}
