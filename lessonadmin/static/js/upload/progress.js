// Shows on the panel how far a transfer is, why it waits, and that it is paused. Both kinds of transfer tell the same events.
import { Meter } from "./meter.js";
import { KEEP_OPEN, REMEMBERED, UNCONFIRMED, waitingWords } from "./words.js";

const UNCONFIRMED_AFTER_MS = 20000;

export class Progress {
  #panel;
  #isRemembered;
  #meter = null;
  #paused = false;
  #unconfirmed = 0;
  #lost = false;

  /** `isRemembered()`: may this browser go on with the upload later? */
  constructor(panel, isRemembered) {
    this.#panel = panel;
    this.#isRemembered = isRemembered;
  }

  get percent() {
    return this.#meter.percent;
  }

  begin(file) {
    this.#meter = new Meter(file.size);
    this.#paused = this.#lost = false;
    this.#panel.begin(file);
  }

  move(fraction) {
    this.#meter.move(fraction);
    this.#panel.move(this.#meter);
  }

  follow(going) {
    const on = (name, act) => going.addEventListener(name, ({ detail }) => act(detail));
    on("asked", () => {
      this.#keepOpen();
      this.#panel.pausable(true);
    });
    on("moved", ({ fraction }) => {
      this.move(fraction);
      this.#expectAnswer();
    });
    on("waiting", ({ status }) => {
      this.#rested();
      clearTimeout(this.#unconfirmed);
      this.#panel.hint(waitingWords(status, this.#lost));
    });
    on("lost", () => {
      this.#lost = true;
      this.#rested();
      this.#panel.hint(waitingWords(0, true));
      this.#panel.say("The connection is lost.");
    });
    on("back", () => {
      this.#lost = false;
      this.#panel.hint("The connection is back, going on.");
      this.#panel.say("The connection is back.");
    });
    on("going", () => this.#keepOpen());
    on("paused", () => this.#pausedNow(going));
    for (const end of ["failed", "sent", "cancelled"]) on(end, () => clearTimeout(this.#unconfirmed));
  }

  #keepOpen() {
    this.#panel.hint(this.#isRemembered() ? `${KEEP_OPEN} ${REMEMBERED}` : KEEP_OPEN);
  }

  /** Everything has left: if Mux stays silent about it, that is said. */
  #expectAnswer() {
    clearTimeout(this.#unconfirmed);
    if (this.percent >= 100) this.#unconfirmed = setTimeout(() => this.#panel.hint(UNCONFIRMED), UNCONFIRMED_AFTER_MS);
  }

  /** A pause or a lost connection says nothing about the speed, so no time is promised. */
  #rested() {
    this.#meter.rest();
    this.#panel.move(this.#meter);
  }

  #pausedNow(going) {
    if (this.percent >= 100) {
      going.resume();
      return;
    }
    this.#rested();
    this.#paused = true;
    this.#panel.paused(true);
    this.#panel.pausable(true, "Resume");
    this.#panel.hint("Paused. Nothing is lost while this page stays open.");
    this.#panel.say("Paused.");
  }

  pauseOrResume(transfer) {
    if (this.#paused) {
      this.#paused = false;
      this.#panel.paused(false);
      this.#panel.pausable(true);
      this.#keepOpen();
      transfer.resume();
      return;
    }
    this.#panel.pausable(false, "Pausing…");
    this.#panel.hint("It pauses as soon as the part being sent has arrived.");
    transfer.pause();
  }
}
