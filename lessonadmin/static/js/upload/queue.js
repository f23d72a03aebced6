// Which uploads are sent and which wait: so many at once, the others in order. Pure: it sends nothing, it says when one begins.

export class Queue {
  #begin;
  #atOnce;
  #waiting = [];
  #sent = new Set();
  #held = false;

  /** `begin(one)`: its turn has come. */
  constructor(begin, atOnce) {
    this.#begin = begin;
    this.#atOnce = atOnce;
  }

  isSent(one) {
    return this.#sent.has(one);
  }

  /** It waits for its turn, behind the others or before them. One that waits or is sent already stays where it is. */
  add(one, { first = false } = {}) {
    if (this.#sent.has(one) || this.#waiting.includes(one)) return;
    if (first) this.#waiting.unshift(one);
    else this.#waiting.push(one);
    this.#fill();
  }

  /** It is neither waiting nor sent any more: finished, paused, failed, cancelled. */
  leave(one) {
    this.#sent.delete(one);
    this.#waiting = this.#waiting.filter((other) => other !== one);
    this.#fill();
  }

  /** Those that wait follow each other as in this list; what it does not name comes last. */
  arrange(order) {
    const place = (one) => (order.includes(one) ? order.indexOf(one) : order.length);
    this.#waiting.sort((one, other) => place(one) - place(other));
  }

  /** Nothing begins until `goOn`; what is sent goes on. */
  hold() {
    this.#held = true;
  }

  goOn() {
    this.#held = false;
    this.#fill();
  }

  #fill() {
    while (!this.#held && this.#sent.size < this.#atOnce && this.#waiting.length) {
      const next = this.#waiting.shift();
      this.#sent.add(next);
      this.#begin(next);
    }
  }
}
