// Adds the files of a lesson part by part: each has a row with its progress, a refusal in words, and a button that goes on or leaves it.
// One file is sent at a time. A part that does not get through is sent again a few times; then the row waits for a press.
import { attach } from "../app.js";
import { Refusal, SignedOut, fragment, postJson } from "../ask-server.js";

const PAUSES_MS = [1000, 3000, 9000];
const SIGNED_OUT = "You are signed out. Sign in again in another tab, then press “Go on”.";
const AWAY = "The server cannot be reached. Press “Go on” to try again.";
const CHANGED = "The file on your disk was changed or deleted. Choose it again.";

const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });

class FileChanged extends Error {}

/** The bytes of a piece of a file in base64. */
function base64(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result).split(",")[1] ?? "");
    reader.onerror = () => failed(new FileChanged());
    reader.readAsDataURL(blob);
  });
}

/** Sent again while there is no connection, or the server is busy. */
async function patiently(url, body) {
  for (const pause of [...PAUSES_MS, null]) {
    try {
      return await postJson(url, body);
    } catch (error) {
      const passes = error instanceof TypeError || (error instanceof Refusal && [502, 503, 504].includes(error.status) && error.type !== "storage_full");
      if (!passes || pause === null) throw error;
      await wait(pause);
    }
  }
  return null;
}

function words(error) {
  if (error instanceof SignedOut) return SIGNED_OUT;
  if (error instanceof FileChanged) return CHANGED;
  if (error instanceof Refusal) return error.message;
  return AWAY;
}

class Row {
  constructor(file, list, again) {
    this.file = file;
    this.stopped = false;
    this.element = document.createElement("li");
    this.name = document.createElement("div");
    this.name.textContent = file.name;
    this.state = document.createElement("span");
    this.state.className = "quiet small";
    this.bar = document.createElement("progress");
    this.bar.className = "progress__bar";
    this.bar.max = 100;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", file.name);
    this.name.append(document.createElement("br"), this.bar, document.createElement("br"), this.state);
    this.goOn = this.button("Go on", () => again(this));
    this.leave = this.button("Cancel", () => { this.stopped = true; this.element.remove(); });
    const buttons = document.createElement("div");
    buttons.className = "row";
    buttons.append(this.goOn, this.leave);
    this.element.append(this.name, buttons);
    list.append(this.element);
    this.say("Waiting");
  }

  button(label, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button button--small";
    made.textContent = label;
    made.setAttribute("aria-label", `${label}: ${this.file.name}`);
    made.addEventListener("click", act);
    return made;
  }

  say(text, { mayGoOn = false } = {}) {
    this.state.textContent = text;
    this.goOn.hidden = !mayGoOn;
  }
}

export default function addFiles(root) {
  const form = root.querySelector("form");
  const input = form.querySelector("input[type=file]");
  const rows = root.querySelector("[data-adding]");
  const said = root.querySelector("[data-said]");
  const { api, list } = root.dataset;
  let line = Promise.resolve();
  let waiting = 0;

  form.querySelector("[data-hint]").textContent = "One or more. They are added at once; stay on this page until they are.";
  form.querySelector("button").parentElement.hidden = true; // what is chosen is added at once

  async function send(row) {
    const { file } = row;
    const begun = await patiently(api, { name: file.name, size: file.size });
    const parts = Math.ceil(file.size / begun.part_bytes);
    let done = parts - begun.missing.length;
    for (const number of begun.missing) {
      if (row.stopped) return false;
      row.say("Being added");
      row.bar.value = (100 * done) / parts;
      const start = number * begun.part_bytes;
      const data = await base64(file.slice(start, start + begun.part_bytes));
      await patiently(`${api}/${begun.id}/parts`, { number, data });
      done += 1;
    }
    if (row.stopped) return false;
    await patiently(`${api}/${begun.id}/finish`, {});
    return true;
  }

  async function refresh() {
    const { root: fresh } = await fragment(list, { name: "files" });
    root.querySelector("[data-file-list]").replaceWith(fresh);
    attach(fresh);
  }

  async function add(row) {
    if (row.stopped) return;
    try {
      if (await send(row)) {
        row.element.remove();
        said.textContent = `“${row.file.name}” is added.`;
        await refresh();
      }
    } catch (error) {
      const refused = error instanceof Refusal && error.status < 500 && error.status !== 429;
      const text = words(error);
      row.say(text, { mayGoOn: !refused && !(error instanceof FileChanged) });
      said.textContent = text.includes(row.file.name) ? text : `“${row.file.name}”: ${text}`;
    }
  }

  function enqueue(row) {
    waiting += 1;
    line = line.then(() => add(row)).finally(() => { waiting -= 1; });
  }

  function again(row) {
    row.say("Waiting");
    enqueue(row);
  }

  function take() {
    for (const file of input.files) enqueue(new Row(file, rows, again));
    input.value = "";
  }

  input.addEventListener("change", take);
  take(); // what was chosen before this script had come
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("beforeunload", (event) => { if (waiting) event.preventDefault(); });
}
