// How many there are of what, shown above the rows and read out: counts, never each percent.

const SAY_AFTER_MS = 700;
const number = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

export class Counts {
  #rows;
  #summary;
  #said;
  #interrupted;
  #words = "";
  #before = "";
  #timer = 0;

  constructor(root, rows) {
    this.#rows = rows;
    this.#summary = root.querySelector('[data-part="summary"]');
    this.#said = root.querySelector('[data-part="said"]');
    this.#interrupted = root.querySelector('[data-part="interrupted"]');
  }

  added(taken, refused) {
    const parts = [...(taken ? [`${number(taken, "file")} added`] : []), ...(refused ? [`${refused} not taken`] : [])];
    if (parts.length) this.#say(`${parts.join(", ")}.`);
  }

  show() {
    const of = (...phases) => this.#rows.filter(({ phase }) => phases.includes(phase)).length;
    const all = this.#rows.length - of("cancelled");
    const sent = of("sent");
    const more = [["failed", of("failed")], ["paused", of("paused")], ["interrupted", of("interrupted", "unknown")], ["cancelled", of("cancelled")]];
    const words = [`${sent} of ${all} sent`, ...more.filter(([, count]) => count).map(([word, count]) => `${count} ${word}`)].join(", ");
    const text = sent && sent === all ? `${all === 1 ? "The file is" : `All ${all} files are`} sent. You can close this page now${of("cancelled") ? `; ${of("cancelled")} cancelled` : ""}.` : `${words}.`;
    if (this.#summary.textContent !== text) this.#summary.textContent = text;
    const waiting = of("interrupted");
    this.#interrupted.hidden = !waiting;
    this.#interrupted.querySelector("[data-words]").textContent = `${number(waiting, "upload")} ${waiting === 1 ? "was" : "were"} interrupted`;
    const counted = `${sent} ${more}`;
    if (this.#before && counted !== this.#before) this.#say(text);
    this.#before = counted;
  }

  #say(words) {
    this.#words = words;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.#said.textContent = this.#words; }, SAY_AFTER_MS);
  }
}
