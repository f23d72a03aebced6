// What the uploader shows: choosing, an interrupted upload, running, failed. It decides nothing.
import { size } from "./meter.js";

// what is shown, one at a time, and what has the focus in it
const FOCUS = { choose: "pick", resume: "continue", running: "cancel", failed: "again" };
const MILESTONES = [25, 50, 75];

export class Panel {
  #parts = {};
  #progress;
  #milestone = 0;
  #words = "";

  constructor(root) {
    this.root = root;
    this.region = root.closest(".video-region");
    for (const part of root.querySelectorAll("[data-part]")) this.#parts[part.dataset.part] = part;
    this.#progress = root.querySelector(".progress");
    this.#words = this.#progress.querySelector(".progress__label").textContent;
  }

  part(name) {
    return this.#parts[name];
  }

  /** One of the keys of FOCUS; the focus follows if it would be lost. */
  show(name) {
    const lost = this.root.contains(document.activeElement);
    for (const one of Object.keys(FOCUS)) this.part(one).hidden = one !== name;
    const sending = name === "running";
    this.root.hidden &&= name === "choose";
    this.region.toggleAttribute("data-sending", sending);
    // the one name for "how far is it": the element that shows it at the moment has it
    this.#progress.toggleAttribute("data-testid", sending);
    if (sending) this.#progress.dataset.testid = "video-progress";
    if (!sending) {
      this.#milestone = 0;
      this.paused(false);
      this.part("question").close();
    }
    if (lost) this.part(FOCUS[name]).focus();
  }

  /** The widget was used and cannot be: in words, beside it. */
  refuse(words) {
    this.part("refused").querySelector("[data-words]").textContent = words;
    this.part("refused").hidden = !words;
  }

  fail(words, canTryAgain) {
    this.part("failed").querySelector("[data-words]").textContent = words;
    this.part("again").hidden = !canTryAgain;
    this.show("failed");
  }

  begin(file) {
    this.refuse("");
    this.#label(`${this.#words} “${file.name}”`);
    this.move({ percent: 0, words: size(file.size) });
    this.hint("");
    this.pausable(false);
    this.part("cancel").hidden = false;
    this.show("running");
    this.say(`${this.#words} ${file.name}.`);
  }

  move({ percent, words }) {
    const whole = Math.floor(percent);
    this.#progress.querySelector("progress").value = percent;
    this.#progress.querySelector("[data-figure]").textContent = `${whole} %`;
    this.#progress.querySelector("[data-detail]").textContent = words;
    const passed = MILESTONES.filter((one) => whole >= one).at(-1) ?? 0;
    if (passed > this.#milestone) {
      this.#milestone = passed;
      this.say(`${passed} percent sent.`);
    }
  }

  sent() {
    this.#label("Upload complete");
    this.#progress.querySelector("[data-detail]").textContent = "You can close this page now.";
    this.#progress.querySelector("[data-figure]").textContent = "100 %";
    this.#progress.querySelector("progress").value = 100;
    this.hint("");
    this.part("cancel").hidden = true;
    this.part("question").close();
    this.paused(false);
    this.pausable(false);
    this.say("Upload complete. You can close this page now.");
  }

  /** Asked before what was sent is thrown away. */
  ask(words) {
    this.part("question").querySelector("[data-words]").textContent = words;
    this.part("question").showModal();
  }

  /** The state of the video, as its badge shows it, is then "Paused". */
  paused(is) {
    this.region.toggleAttribute("data-paused", is);
  }

  #label(words) {
    this.#progress.querySelector(".progress__label").textContent = words;
  }

  hint(words) {
    if (this.part("hint").textContent !== words) this.part("hint").textContent = words;
  }

  pausable(can, words = "Pause") {
    const button = this.part("pause");
    button.hidden = !can && words === "Pause";
    button.disabled = !can;
    button.querySelector("span").textContent = words;
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, words === "Resume" ? "#play" : "#pause"));
  }

  /** Read out, not shown. */
  say(words) {
    this.part("said").textContent = words;
  }
}
