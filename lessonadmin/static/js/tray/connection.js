// Asks the server again and again while that can help: signed out until a sign-in in another tab, without a connection until it is back.
// What the page says meanwhile is said once for all rows. A refusal is an answer and is not asked for again.
import { SignedOut } from "../ask-server.js";

const SIGNED_OUT_MS = 3000;
const NO_ANSWER_MS = 4000;
const SIGNED_OUT = "You are signed out. What is being sent goes on; the rest waits. Sign in again in another tab, and this page goes on automatically.";
const NO_ANSWER = "The server cannot be reached. The lessons wait, and go on automatically when it is back. Keep this page open.";

export class Connection {
  #note;
  #waiting = new Map(); // asker to why it waits

  /** `note`: where the trouble is told. */
  constructor(note) {
    this.#note = note;
  }

  /** The answer of `ask`, however long that takes; gives up with null when `isWanted` says no. `tell(words)`: of the one who waits. */
  async answer(ask, { isWanted = () => true, tell = () => {} } = {}) {
    const asker = {};
    try {
      for (;;) {
        if (!isWanted()) return null;
        try {
          return await ask();
        } catch (error) {
          if (!(error instanceof SignedOut) && !(error instanceof TypeError)) throw error;
          const signedOut = error instanceof SignedOut;
          this.#waiting.set(asker, signedOut);
          this.#show();
          tell(signedOut ? "Waits until you are signed in again." : "Waits for the connection.");
          await this.#pause(signedOut);
        }
      }
    } finally {
      this.#waiting.delete(asker);
      this.#show();
    }
  }

  async #pause(signedOut) {
    await new Promise((done) => {
      const timer = setTimeout(done, signedOut ? SIGNED_OUT_MS : NO_ANSWER_MS);
      window.addEventListener("online", () => {
        clearTimeout(timer);
        done();
      }, { once: true });
    });
  }

  #show() {
    const reasons = [...this.#waiting.values()];
    const signedOut = reasons.includes(true);
    const words = reasons.length ? (signedOut ? SIGNED_OUT : NO_ANSWER) : "";
    const text = this.#note.querySelector("[data-words]");
    if (text.textContent !== words) text.textContent = words;
    this.#note.querySelector("[data-sign-in]").hidden = !signedOut;
    this.#note.querySelector("[data-sign-in] a").search = new URLSearchParams({ next: location.pathname });
    this.#note.hidden = !words;
  }
}
