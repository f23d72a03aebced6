// How the lessons of all rows stand, by one request for all of them, until none of them moves any more.
import { fragment, renewCsrf } from "../ask-server.js";

const FIRST_MS = 1500;
const SLOWEST_MS = 10000;
const GROWTH = 1.25;
const MAX_ASKED = 80; // what an address has space for; what is over follows when some are final

export class States {
  #address;
  #connection;
  #rows;
  #timer = 0;
  #pause = FIRST_MS;
  #asking = false;
  #attempt = 0;
  #version = null;
  #ids = "";

  /** `rows()`: those of the page. */
  constructor(address, connection, rows) {
    this.#address = address;
    this.#connection = connection;
    this.#rows = rows;
  }

  /** Something has happened: ask soon. */
  want() {
    this.#pause = FIRST_MS;
    this.#attempt = 0;
    this.#plan(200);
  }

  #plan(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), milliseconds);
  }

  async #ask() {
    const asked = this.#rows().filter((row) => row.isFollowed).slice(0, MAX_ASKED);
    if (!asked.length || this.#asking) return;
    this.#asking = true;
    const ids = asked.map((row) => `id=${row.lesson}`).join("&");
    if (ids !== this.#ids) this.#version = null;
    this.#ids = ids;
    try {
      const url = `${this.#address}?attempt=${this.#attempt}&${ids}`;
      this.#attempt += 1;
      const answer = await this.#connection.answer(() => fragment(url, { name: "states", version: this.#version }));
      if (answer) this.#tell(asked, answer);
    } catch {
      // a page of errors instead of the answer: asked again
    } finally {
      this.#asking = false;
    }
    this.#plan(this.#pause);
    this.#pause = Math.min(this.#pause * GROWTH, SLOWEST_MS);
  }

  #tell(asked, { root, version }) {
    this.#version = version;
    this.#pause = FIRST_MS;
    renewCsrf(root.dataset.csrf);
    const found = new Map([...root.children].map((one) => [one.dataset.lesson, one]));
    for (const row of asked) row.heard(found.get(row.lesson) ?? null);
  }
}
