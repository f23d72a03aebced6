// What this browser keeps of a row while its file is not whole at Mux: its memory, and the locks that tell other tabs that it is here.
// Before an upload has begun, the memory has the file under the key of its lesson; from then on under its upload, too.
import { fingerprint } from "../upload/fingerprint.js";
import { hold, isHeld, untilFree } from "../upload/locks.js";
import { Record } from "../upload/record.js";

const KEPT_MS = 3 * 86400 * 1000;
const under = (key) => `file ${key}`;

export class Traces {
  handle = null;
  #memory;
  #key;
  #record = null;
  #free = [];

  constructor(memory, key) {
    this.#memory = memory;
    this.#key = key;
  }

  /** Can this browser go on with the upload later? */
  get isKept() {
    return this.#record !== null;
  }

  /** The file of a lesson that is being made. */
  async keep(file, handle) {
    this.handle = handle;
    await this.#hold(under(this.#key));
    try {
      await this.#memory.put({ upload: under(this.#key), until: Date.now() + KEPT_MS, handle, ...await fingerprint(file) });
    } catch {
      // without hashes (no secure context), or the file cannot be read, which its sender will say
    }
  }

  async begin(file, { upload_id: upload, expires_at: until }) {
    await this.#hold(upload);
    this.#record = await Record.begin(this.#memory, file, { upload, until: Date.parse(until), handle: this.handle });
  }

  confirmed(from, end) {
    this.#record?.confirmed(from, end);
  }

  /** Where an interrupted upload goes on. */
  takeUp(file, found, handle, upload) {
    this.handle = handle ?? found.handle ?? null;
    this.#record = upload ? new Record(this.#memory, file, { ...found, upload, handle: this.handle }) : null;
  }

  /** What is remembered of it: of the upload, else of the file alone. */
  async find(upload) {
    const record = upload ? await this.#memory.get(upload) : undefined;
    return record ?? (this.#key ? await this.#memory.get(under(this.#key)) : undefined);
  }

  async isElsewhere(upload) {
    for (const name of this.#names(upload)) if (await isHeld(name)) return true;
    return false;
  }

  async untilHere(upload, signal) {
    for (const name of this.#names(upload)) await untilFree(name, signal).catch(() => {});
  }

  /** False while another tab has it. */
  async own(upload) {
    const names = this.#names(upload);
    const got = await Promise.all(names.map((name) => this.#hold(name)));
    if (got.every(Boolean)) return true;
    this.letGo();
    return false;
  }

  #names(upload) {
    return [...(this.#key ? [under(this.#key)] : []), ...(upload ? [upload] : [])];
  }

  async #hold(name) {
    const free = await hold(name);
    if (free) this.#free.push(free);
    return Boolean(free);
  }

  letGo() {
    for (const free of this.#free.splice(0)) free();
  }

  async forgetUpload(upload) {
    const record = this.#record;
    this.#record = null;
    if (record) await record.forget();
    else if (upload) await this.#memory.forget(upload);
  }

  async forget(upload) {
    await this.forgetUpload(upload);
    if (this.#key) await this.#memory.forget(under(this.#key));
    this.letGo();
  }
}
