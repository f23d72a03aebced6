// Files that come in by the button or by drag and drop: checked, one at a time, before the widget hears of them.
import { offered, wrongWith } from "./checks.js";
import { handleOf } from "./offer.js";

export class Intake {
  #rules;
  #panel;
  #widget;
  #approved = null;
  #dropped = null; // the way to a dropped file, which some browsers can keep

  /** `taken(file, handle)`: a file that may go. */
  constructor({ root, region, widget, panel }, rules, taken) {
    this.#rules = rules;
    this.#panel = panel;
    this.#widget = widget;
    region.addEventListener("file-ready", (event) => this.#chosen(event, taken), true);
    root.addEventListener("drop", (event) => {
      this.#dropped = handleOf(event.dataTransfer);
      if (event.dataTransfer.files.length < 2) return;
      event.preventDefault();
      event.stopPropagation();
      panel.refuse("Those were several files. Drop one video: each lesson has one.");
    }, true);
    panel.part("pick").addEventListener("click", () => { this.#dropped = null; });
    for (const name of ["dragover", "drop"]) {
      // beside the drop zone a browser would leave the page to show the file
      window.addEventListener(name, (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
    }
  }

  /** What the file dialogue offers. */
  get accept() {
    return offered(this.#rules);
  }

  /** The next file of the widget is this one, given back to it after the checks. */
  approve(file) {
    this.#approved = file;
  }

  #chosen(event, taken) {
    const chosen = event.detail;
    if (this.#approved && chosen === this.#approved) {
      this.#approved = null;
      return;
    }
    event.stopPropagation();
    this.#widget.removeAttribute("file-ready");
    const wrong = wrongWith(chosen, this.#rules) || (navigator.onLine ? "" : "You are offline. Choose the video again when you are connected.");
    const handle = this.#dropped;
    this.#dropped = null;
    if (!wrong) {
      taken(chosen, handle);
      return;
    }
    this.#panel.refuse("");
    this.#panel.refuse(wrong);
    this.#widget.dispatchEvent(new CustomEvent("reset"));
  }
}
