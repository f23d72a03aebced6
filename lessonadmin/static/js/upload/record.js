// Keeps the memory of one upload true while it is sent: how far it got, as far as Mux has confirmed it.
import { arrived, fingerprint } from "./fingerprint.js";

export class Record {
  #memory;
  #file;
  #fields;
  #next = null;
  #writing = null;
  #over = false;

  constructor(memory, file, fields) {
    this.#memory = memory;
    this.#file = file;
    this.#fields = fields;
  }

  /** null where this browser cannot remember. `until`: when Mux ends the upload. */
  static async begin(memory, file, { upload, until, handle = null }) {
    try {
      const fields = { upload, until, handle, ...await fingerprint(file) };
      return await memory.put(fields) ? new Record(memory, file, fields) : null;
    } catch {
      return null; // without hashes (no secure context), or the file cannot be read, which its transfer will say
    }
  }

  /** Everything up to `end` has arrived, this part last. Parts that come while another is written down are skipped. */
  confirmed(from, end) {
    if (this.#over) return;
    this.#next = [from, end];
    this.#writing ??= this.#write();
  }

  async #write() {
    while (this.#next && !this.#over) {
      const [from, end] = this.#next;
      this.#next = null;
      try {
        this.#fields = { ...this.#fields, ...await arrived(this.#file, from, end) };
        await this.#memory.put(this.#fields);
      } catch {
        // the file cannot be read any more: what is remembered stays true
      }
    }
    this.#writing = null;
  }

  async forget() {
    this.#over = true;
    await this.#writing;
    await this.#memory.forget(this.#fields.upload);
  }
}
