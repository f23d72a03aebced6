// The bytes of one row on their way, with how far they are and why they wait in words. It tells by events: moved, said {words},
// arrived {from, end}, paused, failed {why}, sent.
import { Meter } from "../upload/meter.js";
import { Sender } from "../upload/sender.js";
import { waitingWords } from "../upload/words.js";

export class Sending extends EventTarget {
  meter;
  #sender;
  #lost = false;

  /** `endpoint()` answers the upload URL; `at`: what Mux has. */
  constructor(file, endpoint, { at, partKib }) {
    super();
    this.meter = new Meter(file.size);
    this.meter.move(at / file.size);
    this.#sender = new Sender(file, endpoint, { at, partKib });
    this.#follow();
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #say(words) {
    this.#tell("said", { words });
  }

  #follow() {
    const on = (name, act) => this.#sender.addEventListener(name, ({ detail }) => act(detail));
    on("moved", ({ fraction }) => {
      this.meter.move(fraction);
      this.#tell("moved");
    });
    on("waiting", ({ status }) => this.#rest(waitingWords(status, this.#lost)));
    on("lost", () => {
      this.#lost = true;
      this.#rest(waitingWords(0, true));
    });
    on("back", () => {
      this.#lost = false;
      this.#say("The connection is back, going on.");
    });
    for (const name of ["asked", "going"]) on(name, () => this.#say(""));
    on("paused", () => {
      this.meter.rest();
      this.#tell("paused");
    });
    for (const name of ["arrived", "failed", "sent"]) on(name, (detail) => this.#tell(name, detail));
  }

  /** What waits says nothing about the speed. */
  #rest(words) {
    this.meter.rest();
    this.#tell("moved");
    this.#say(words);
  }

  start() {
    this.#sender.start();
  }

  pause() {
    this.#sender.pause();
  }

  resume() {
    this.#sender.resume();
  }

  cancel() {
    this.#sender.cancel();
  }
}
