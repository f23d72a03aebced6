// Where an upload goes on, from answer to answer. Pure: it sends nothing and waits for nothing.
//
// What Mux says of itself (a readable Range, the size in the text of a refused gap) is believed first, then the end that was
// remembered, then the beginning on the same URL: bytes that Mux has are ignored when they come again. Each place is
// tried once: the same answer a second time at one place leads to the next, and behind the last one it is over.

const MAX_ASKED = 4;
const GAP = /upload offset is \d+ byte\(s\), which exceeds already uploaded size of (\d+) byte/;
const TAKEN = [200, 201, 202, 204, 308];
const ENDED = [401, 403, 404, 410];
const MAY_PASS = [0, 408, 425, 429];

/** How much Mux has, by the text of its refusal; null if it does not say so. */
export function sizeInRefusal({ status, text }) {
  const found = status === 503 ? GAP.exec(text ?? "") : null;
  return found ? Number(found[1]) : null;
}

const passes = ({ status }) => MAY_PASS.includes(status) || status >= 500;

export class Position {
  #size;
  #left; // places that were not tried yet, below the present one
  #seen = new Set();
  #proven; // Mux has taken bytes here: a refusal that may pass is then no sign of a wrong place
  #asked = 0;

  /** `at`: the confirmed end that was remembered. */
  constructor(size, at = 0) {
    this.#size = size;
    this.at = at;
    this.#left = at ? [0] : [];
    this.#proven = at === 0;
  }

  part(length) {
    return { from: this.at, end: Math.min(this.at + length, this.#size) };
  }

  /** What follows from the answer to a part: "next", "again", "wait", "ask", "done", or {over: why}. */
  after(answer, { from, end }) {
    if (TAKEN.includes(answer.status)) return this.#taken(answer, from, end);
    if (ENDED.includes(answer.status)) return { over: "closed" };
    if (answer.status === 413) return { over: "too-large" };
    const has = sizeInRefusal(answer);
    if (has !== null && has < from) return this.#goBack(`gap at ${from}`, has);
    if (answer.status === 0) return "wait";
    if (passes(answer)) return this.#proven ? "wait" : "ask";
    return this.#again(`${answer.status} at ${from}`);
  }

  #taken({ status, range }, from, end) {
    const reached = range ?? end;
    if (reached <= from) return this.#goBack(`${reached} at ${from}`, reached);
    this.at = Math.min(reached, this.#size);
    this.#proven = true;
    if (this.at < this.#size) return "next";
    return status === 308 ? "ask" : "done";
  }

  /** What follows from the answer to the question what Mux has. */
  afterAsking(answer) {
    const { status, range } = answer;
    if ([200, 201].includes(status)) return "done";
    if (ENDED.includes(status)) return { over: "closed" };
    if (passes(answer)) return "wait";
    if (status === 308 && range !== null && range < this.#size && range !== this.at) return this.#goBack(`asked at ${this.at}`, range);
    this.#asked += 1;
    // everything is sent, and Mux may only be slow to say so
    if (this.at >= this.#size && this.#asked < MAX_ASKED) return "wait";
    this.#asked = 0;
    return this.#again(`refused at ${this.at}`);
  }

  #again(sign) {
    if (this.#seen.has(sign)) return this.#down();
    this.#seen.add(sign);
    return this.at >= this.#size ? this.#down() : "wait";
  }

  /** Mux has said itself how much it has. */
  #goBack(sign, at) {
    if (this.#seen.has(sign)) return this.#down();
    this.#seen.add(sign);
    this.at = at;
    this.#proven = true;
    return "again";
  }

  #down() {
    const next = this.#left.find((place) => place < this.at);
    if (next === undefined) return { over: "incomplete" };
    this.#left = [];
    this.at = next;
    this.#proven = true;
    return "again";
  }
}
