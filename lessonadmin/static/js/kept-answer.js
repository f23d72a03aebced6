// The answer to the last press, in the parts [data-answer] of a region. What the server sends later knows nothing of the press:
// the answer is put into it again, until something else is done, the state is another, or Mux was asked anew (data-asked).

const stateOf = ({ dataset }) => `${dataset.said} ${dataset.publication ?? ""}`;
const parts = (root) => [...root.querySelectorAll("[data-answer]")];

export class KeptAnswer {
  #answer = null;
  #state = "";

  /** `root`: what the server sent in return for a press. */
  take(root) {
    this.#answer = parts(root).find((part) => part.childElementCount)?.cloneNode(true) ?? null;
    this.#state = stateOf(root);
  }

  /** `root`: what the server sent later. */
  putInto(root) {
    if (!this.#answer) return;
    const place = parts(root).find((part) => part.dataset.answer === this.#answer.dataset.answer);
    if (place?.dataset.asked === this.#answer.dataset.asked && stateOf(root) === this.#state) place.replaceChildren(...this.#answer.cloneNode(true).childNodes);
    else this.#answer = null;
  }

  shownIn(region) {
    return this.#answer && parts(region).find((part) => part.dataset.answer === this.#answer.dataset.answer);
  }
}
