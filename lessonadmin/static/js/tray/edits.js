// What is typed in a row, saved field by field while its file is sent: with the version that the row knows, so that nothing that
// another page has saved is written over unseen. What cannot be saved stays in its field, with words.
import { Refusal, sendJson } from "../ask-server.js";
import { NO_PRICE, centsOf, sayFree, textOf } from "./price.js";

const NAMES = ["title", "price", "publish"];
const CALLED = { title: "title", price: "price", publish: "choice to publish" };

export class Edits {
  #face;
  #connection;
  #lesson = "";
  #version = "";
  #stored = {};
  #saving = Promise.resolve();
  #wanted = new Set();
  #over = false;
  #onSaved;

  constructor(face, connection, onSaved) {
    this.#face = face;
    this.#connection = connection;
    this.#onSaved = onSaved;
    this.#stored = this.typed();
    for (const name of NAMES) {
      face.field(name).addEventListener("input", () => {
        if (name === "price") sayFree(face.root);
        if (name === "title") face.named();
        face.edited("");
      });
      face.field(name).addEventListener("change", () => this.changed(name));
    }
    face.root.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.nodeName !== "INPUT") return;
      event.preventDefault(); // the form around the rows is for their order
      this.changed(event.target.dataset.field);
    });
    face.button("mine").addEventListener("click", () => this.#save());
    sayFree(face.root);
  }

  /** As it stands in the fields; `price` null if it is none. */
  typed() {
    const { title, price, publish } = Object.fromEntries(NAMES.map((name) => [name, this.#face.field(name)]));
    return { title: title.value.trim(), price: centsOf(price.value), publish: publish.checked };
  }

  get isUnsaved() {
    return this.#wanted.size > 0;
  }

  /** From now on it can be saved; what was typed before is. `sent`: what the lesson was made with. */
  begin({ lesson, version, sent }) {
    this.#lesson = lesson;
    this.#version = version;
    if (sent) this.#stored = sent;
    for (const name of NAMES) if (this.typed()[name] !== this.#stored[name]) this.changed(name);
  }

  end(is = true) {
    this.#over = is;
    for (const name of NAMES) this.#face.field(name).disabled = is;
  }

  /** Written by “for all”, or by a person: it is to be saved. */
  changed(name) {
    if (!NAMES.includes(name) || this.#over) return this.#saving;
    if (this.typed()[name] === this.#stored[name]) {
      this.#wanted.delete(name);
      return this.#saving;
    }
    this.#wanted.add(name);
    return this.#lesson ? this.#save() : this.#saving;
  }

  #save() {
    this.#saving = this.#saving.then(() => this.#send()).catch((error) => this.#refuse(error));
    return this.#saving;
  }

  async #send(again = true) {
    const names = [...this.#wanted];
    if (!names.length || this.#over) return;
    const typed = this.typed();
    if (names.includes("price") && typed.price === null) throw new Refusal(400, "price", NO_PRICE);
    this.#face.edited("Saving…");
    const body = bodyOf(typed, names);
    try {
      const ask = () => sendJson("PATCH", `/api/lessons/${this.#lesson}`, body, { version: this.#version });
      const answer = await this.#connection.answer(ask, { isWanted: () => !this.#over, tell: (words) => this.#face.edited(`Not saved yet. ${words}`, { tone: "warn" }) });
      if (!answer) return;
      this.#version = answer.version;
      for (const name of names) {
        this.#stored[name] = typed[name];
        if (this.typed()[name] === typed[name]) this.#wanted.delete(name);
      }
      this.#face.edited("Saved.");
      this.#onSaved();
    } catch (error) {
      if (error.type !== "edit_conflict" || !again) throw error;
      if (await this.#merge(names)) await this.#send(false);
    }
  }

  /** Another page has saved. True if it changed nothing that was changed here; else both are shown, and saving again is a decision. */
  async #merge(names) {
    const { said, version } = await this.#connection.answer(() => sendJson("GET", `/api/lessons/${this.#lesson}`));
    const theirs = { title: said.title, price: said.price_cents, publish: said.publish_on_ready || said.status === "published" };
    this.#version = version;
    const both = names.filter((name) => theirs[name] !== this.#stored[name] && theirs[name] !== this.typed()[name]);
    this.#stored = theirs;
    this.#adopt(theirs);
    if (!both.length) return true;
    const shown = both.map((name) => `the ${CALLED[name]} is ${spoken(name, theirs[name])} now`).join(", ");
    this.#face.edited(`Not saved: this lesson was changed on another page, where ${shown}. What you typed is still here.`, { tone: "bad", mine: true });
    return false;
  }

  /** What the server has, for the fields in which nothing else was typed. */
  heard(fresh) {
    if (this.isUnsaved || this.#face.root.contains(document.activeElement)) return;
    this.#version = fresh.dataset.version;
    this.#stored = { title: fresh.dataset.title, price: centsOf(fresh.dataset.price), publish: fresh.dataset.publish === "yes" };
    this.#adopt(this.#stored);
  }

  #adopt({ title, price, publish }) {
    const shown = { title, price: textOf(price), publish };
    for (const name of NAMES) {
      if (this.#wanted.has(name)) continue;
      const field = this.#face.field(name);
      if (name === "publish") field.checked = shown.publish;
      else if (field.value.trim() !== shown[name] && !(name === "price" && centsOf(field.value) === price)) field.value = shown[name];
    }
    this.#face.named();
    sayFree(this.#face.root);
  }

  #refuse(error) {
    const words = error instanceof Refusal && error.message ? error.message : "The server did not take it.";
    this.#face.edited(`Not saved: ${words} What you typed is still here.`, { tone: "bad" });
  }
}

function spoken(name, value) {
  if (name === "price") return value ? textOf(value) : "free";
  return name === "publish" ? (value ? "“yes”" : "“no”") : `“${value}”`;
}

function bodyOf(typed, names) {
  return {
    ...(names.includes("title") ? { title: typed.title } : {}),
    ...(names.includes("price") ? { price_cents: typed.price } : {}),
    ...(names.includes("publish") ? { status: typed.publish ? "published" : "draft" } : {}),
  };
}
