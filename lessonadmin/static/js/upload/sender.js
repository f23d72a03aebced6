// The sender of the app: goes on with an upload that was begun before, from a given place, on its own URL. A fresh file is sent by
// <mux-uploader> (transfer.js); both tell the same events, so that a page need not know which of the two is at work:
// asked, moved {fraction}, arrived {from, end}, waiting {tries, status}, lost, back, going, paused, failed {why}, sent.
//
// A part is a multiple of 256 KiB, and the next one leaves only when this one was taken. A request that fails is repeated for as
// long as it takes, an hour without a connection too; where it is repeated from is decided in position.js.
import { Position } from "./position.js";
import { put as putToMux } from "./put.js";

const UNIT = 256 * 1024;
const PART_KIB = 8192;
const MAX_DELAY_SECONDS = 5;
const OFFLINE_MS = 30000;

export class Sender extends EventTarget {
  #file;
  #endpoint;
  #put;
  #length;
  #position;
  #address = "";
  #tries = 0;
  #pausing = false;
  #resumed = null;
  #wake = null;
  #over = false;
  #stop = new AbortController();

  /** `endpoint(file)` answers the upload URL; whatever it throws ends this before the first byte. `at`: the confirmed end. */
  constructor(file, endpoint, { at = 0, partKib = PART_KIB, put = putToMux } = {}) {
    super();
    this.#file = file;
    this.#endpoint = endpoint;
    this.#put = put;
    this.#length = Math.max(1, Math.floor((partKib * 1024) / UNIT)) * UNIT;
    this.#position = new Position(file.size, at);
  }

  #tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #moved() {
    this.#tell("moved", { fraction: this.#position.at / this.#file.size });
  }

  async start() {
    try {
      this.#address = await this.#endpoint(this.#file);
    } catch (error) {
      this.#end("failed", { why: "not-started", error });
      return;
    }
    if (this.#over) return;
    this.#tell("asked");
    this.#moved();
    const { signal } = this.#stop;
    window.addEventListener("offline", () => this.#tell("lost"), { signal });
    window.addEventListener("online", () => {
      this.#tell("back");
      this.#wake?.();
    }, { signal });
    while (!this.#over) await this.#step();
  }

  async #step() {
    if (this.#pausing) {
      this.#tell("paused");
      await new Promise((done) => { this.#resumed = done; });
    }
    if (this.#over) return;
    const part = this.#position.part(this.#length);
    const asking = part.from >= part.end;
    await (asking ? this.#ask() : this.#send(part));
  }

  async #send(part) {
    let body;
    try {
      body = await this.#file.slice(part.from, part.end).arrayBuffer();
    } catch {
      this.#end("failed", { why: "unread" }); // moved, changed, or its disk is gone
      return;
    }
    if (this.#over) return;
    const answer = await this.#put(this.#address, {
      body,
      type: this.#file.type,
      contentRange: `bytes ${part.from}-${part.end - 1}/${this.#file.size}`,
      // what is sent in vain does not count as sent
      progress: (loaded) => { if (!this.#over && !this.#tries) this.#tell("moved", { fraction: (part.from + loaded) / this.#file.size }); },
      signal: this.#stop.signal,
    });
    if (!this.#over) await this.#follow(this.#position.after(answer, part), answer, part);
  }

  async #ask() {
    const answer = await this.#put(this.#address, { contentRange: `bytes */${this.#file.size}`, signal: this.#stop.signal });
    if (!this.#over) await this.#follow(this.#position.afterAsking(answer), answer);
  }

  async #follow(next, answer, part) {
    if (next.over) this.#end("failed", { why: next.over, status: answer.status });
    else if (next === "done") this.#end("sent");
    else if (next === "wait") await this.#wait(answer.status);
    else if (next === "next") this.#taken(part);
    else if (next === "ask") {
      if (this.#position.at >= this.#file.size) this.#taken(part);
      else await this.#ask();
    } else this.#moved();
  }

  #taken({ from }) {
    const waited = this.#tries > 0;
    this.#tries = 0;
    const end = this.#position.at;
    this.#moved();
    if (waited) this.#tell("going");
    this.#tell("arrived", { from: Math.max(from, end - this.#length), end });
  }

  async #wait(status) {
    this.#tries += 1;
    this.#moved();
    this.#tell("waiting", { tries: this.#tries, status });
    const seconds = Math.min(1.5 ** (this.#tries - 1), MAX_DELAY_SECONDS);
    await this.#sleep(navigator.onLine ? seconds * 1000 : OFFLINE_MS);
  }

  /** Ends early when the connection is back, or when it is paused or cancelled. */
  async #sleep(milliseconds) {
    await new Promise((done) => {
      const timer = setTimeout(done, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        done();
      };
    });
    this.#wake = null;
  }

  #end(name, detail) {
    if (this.#over) return;
    this.#over = true;
    this.#stop.abort();
    this.#wake?.();
    this.#resumed?.();
    this.#tell(name, detail);
  }

  /** The part that is being sent is finished first; "paused" tells when that is done. */
  pause() {
    this.#pausing = true;
    this.#wake?.();
  }

  /** Only after "paused". */
  resume() {
    this.#pausing = false;
    this.#resumed?.();
  }

  cancel() {
    this.#end("cancelled");
  }
}
