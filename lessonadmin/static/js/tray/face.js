// What a row shows. It decides nothing and asks nothing.
import { size } from "../upload/meter.js";

const BADGES = {
  waiting: ["Waiting", "clock", ""],
  sending: ["Uploading", "upload", "busy"],
  paused: ["Paused", "pause", "warn"],
  interrupted: ["Interrupted", "warning", "warn"],
  elsewhere: ["In another tab", "external", "busy"],
  failed: ["Failed", "error", "bad"],
  cancelled: ["Cancelled", "trash", ""],
};

export class Face {
  #parts = {};
  #fileName = "";

  constructor(root) {
    this.root = root;
    for (const part of root.querySelectorAll("[data-part]")) (this.#parts[part.dataset.part] ??= []).push(part);
    this.title = root.querySelector('[data-field="title"]');
  }

  part(name) {
    return this.#parts[name][0];
  }

  field(name) {
    return this.root.querySelector(`[data-field="${name}"]`);
  }

  button(name) {
    return this.root.querySelector(`[data-do="${name}"]`);
  }

  name(fileName, bytes) {
    this.#fileName = fileName;
    this.part("file").textContent = bytes ? `${fileName}, ${size(bytes)}` : fileName;
    this.named();
  }

  /** The names of its group and buttons follow the title. */
  named() {
    const title = this.title.value.trim() || this.#fileName;
    this.root.dataset.title = title;
    this.part("group").setAttribute("aria-label", title);
    for (const of of this.#parts.of) of.textContent = ` “${title}”`;
    for (const [way, step] of [["up", -1], ["down", 1]]) {
      this.root.querySelector(`[data-step="${step}"] svg`)?.setAttribute("aria-label", `Move “${title}” ${way}`);
    }
  }

  belongsTo(lesson) {
    const hidden = this.root.querySelector('input[name="lesson_id"]');
    if (hidden) hidden.value = lesson;
    this.root.dataset.lesson = lesson;
    this.part("open").href = `/lessons/${lesson}/edit`;
    this.part("open").hidden = false;
  }

  /** `state`: one of BADGES. `buttons`: which are offered. The focus stays in the row if its button goes. */
  show(state, words, buttons) {
    this.badge(...BADGES[state]);
    this.words(words);
    this.root.dataset.state = state;
    this.offer(buttons);
    if (state !== "sending" && state !== "paused") this.part("progress").hidden = true;
  }

  offer(buttons) {
    const focused = document.activeElement;
    const lost = focused?.dataset?.do && this.root.contains(focused) && !buttons.includes(focused.dataset.do);
    for (const button of this.root.querySelectorAll("[data-do]")) {
      if (button.dataset.do !== "mine") button.hidden = !buttons.includes(button.dataset.do);
    }
    if (lost) (this.root.querySelector(".tray__buttons [data-do]:not([hidden])") ?? this.title).focus();
  }

  badge(word, icon, tone) {
    const badge = this.part("badge").firstElementChild;
    badge.className = tone ? `badge badge--${tone}` : "badge";
    const use = badge.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
    badge.lastChild.textContent = word;
  }

  words(text) {
    if (this.part("words").textContent !== text) this.part("words").textContent = text;
  }

  move({ percent, words }) {
    const part = this.part("progress");
    part.hidden = false;
    part.querySelector("progress").value = percent;
    part.querySelector("[data-figure]").textContent = `${Math.floor(percent)} %`;
    part.querySelector("[data-detail]").textContent = percent < 100 ? words : "";
  }

  /** `fresh`: the row of this lesson in an answer of the server. */
  take(fresh) {
    this.root.dataset.state = fresh.dataset.status;
    this.part("progress").hidden = true;
    this.part("badge").replaceChildren(...[...fresh.querySelector('[data-of="badge"]').children].map((one) => document.importNode(one, true)));
    this.words(fresh.querySelector('[data-of="words"]').textContent.trim());
    const picture = fresh.querySelector('[data-of="picture"]');
    if (picture && this.part("picture").nodeName !== "IMG") {
      const shown = document.importNode(picture);
      this.part("picture").replaceWith(shown);
      this.#parts.picture = [shown];
    }
  }

  captionsFixed(is) {
    this.field("captions").disabled = is;
    this.part("fixed").hidden = !is;
  }

  edited(words, { tone = "", mine = false } = {}) {
    const part = this.part("edited");
    part.hidden = !words;
    part.dataset.tone = tone;
    part.querySelector("[data-words]").textContent = words;
    this.button("mine").hidden = !mine;
  }
}
