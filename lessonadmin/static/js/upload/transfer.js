// One file on its way to Mux through <mux-uploader>, with the widget's traps closed:
//
// - After a fatal error the transfer is aborted; left alone it would go on at the next "online" and end in a silently
//   corrupt file.
// - "offline" and "online" never reach the widget: it would start a second loop beside the one that still waits for its
//   answer. Requests that fail are repeated by the one loop until they get through.
// - Resuming waits until the paused loop has really ended, for the same reason.
// - A part that Mux refuses to take again and again ends in a failure instead of never.
// - "success" after an unfinished last answer (308) is checked with Mux before it is believed.
// - The address is fetched before the widget hears of the file: it writes whatever goes wrong with that as HTML.
//
// - What is sent in vain is not counted as sent.
//
// - What Mux has lost on the way is told, with what it has ("gap"): the widget would send the same part for ever.
//
// It tells by events: asked, moved {fraction}, arrived {from, end}, waiting {tries, status}, lost, back, going, paused, failed {why}, sent.
import { sizeInRefusal } from "./position.js";

const TRY_AGAIN_ON = [0, 408, 425, 429, 500, 502, 503, 504];
const MAX_DELAY_SECONDS = 5;
const MAX_REFUSED_PARTS = 8;
const CONFIRM_TRIES = 4;
const SETTLE_MS = 100;

let running = null;
for (const name of ["offline", "online"]) {
  window.addEventListener(name, (event) => {
    if (running?.takes(name)) event.stopImmediatePropagation();
  }, true);
}

export class Transfer extends EventTarget {
  #widget;
  #upload = null;
  #address = "";
  #endpoint;
  #file;
  #tries = 0;
  #moved = 0; // of the whole, from 0 to 1: what has left
  #arrived = 0; // what Mux has taken
  #refused = 0;
  #lastStatus = 0;
  #waitEnds = 0;
  #pausing = false;
  #over = false;
  #stop = new AbortController();

  /** `endpoint(file)` answers the upload URL; whatever it throws ends the transfer before the first byte. */
  constructor(widget, file, endpoint) {
    super();
    this.#widget = widget;
    this.#file = file;
    this.#endpoint = endpoint;
    this.#listen();
  }

  #tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #listen() {
    const on = (name, act) => this.#widget.addEventListener(name, (event) => { if (!this.#over) act(event); }, { signal: this.#stop.signal });
    on("uploadstart", () => this.#begun());
    on("progress", ({ detail }) => this.#move(detail / 100));
    on("chunksuccess", ({ detail }) => this.#partDone(detail));
    on("success", () => this.#confirm());
    on("uploaderror", ({ detail }) => this.#failed(detail));
  }

  #begun() {
    running = this;
    this.#upload = this.#widget.upload;
    this.#upload.attempts = Infinity;
    this.#upload.retryCodes = TRY_AGAIN_ON;
    this.#upload.on("attemptFailure", ({ detail }) => { if (!this.#over) this.#again(detail); });
  }

  /** A part that Mux has refused before counts only when it has arrived. */
  #move(fraction) {
    this.#moved = fraction;
    if (!this.#tries) this.#tell("moved", { fraction });
  }

  #again({ response }) {
    const status = response?.statusCode ?? 0;
    const has = sizeInRefusal({ status, text: String(response?.body ?? "") });
    if (has !== null) {
      this.#abort();
      this.#end("failed", { why: "gap", has, address: this.#address });
      return;
    }
    this.#tries += 1;
    this.#refused = status === 308 ? this.#refused + 1 : 0;
    if (this.#refused > MAX_REFUSED_PARTS) {
      this.#failed({ incomplete: true });
      return;
    }
    const seconds = Math.min(1.5 ** (this.#tries - 1), MAX_DELAY_SECONDS);
    this.#upload.delayBeforeAttempt = seconds;
    this.#waitEnds = performance.now() + seconds * 1000;
    if (this.#pausing) this.#settle(seconds * 1000 + SETTLE_MS);
    this.#tell("moved", { fraction: this.#arrived });
    this.#tell("waiting", { tries: this.#tries, status });
  }

  #partDone({ response }) {
    this.#lastStatus = response?.statusCode ?? 0;
    const waited = this.#tries > 0;
    this.#tries = this.#refused = 0;
    this.#arrived = this.#moved;
    const { nextChunkRangeStart: from, chunkByteSize } = this.#upload;
    if (!this.#isUnread) this.#tell("arrived", { from, end: Math.min(from + chunkByteSize, this.#file.size) });
    if (waited) {
      this.#tell("moved", { fraction: this.#arrived });
      this.#tell("going");
    }
    if (this.#pausing) this.#settle(0);
  }

  async #confirm() {
    if (this.#lastStatus === 308 && !(await this.#isWhole())) this.#failed({ incomplete: true });
    else this.#end("sent");
  }

  /** Ask Mux whether it has every byte. No answer proves nothing, so only a plain "not yet" counts. */
  async #isWhole() {
    for (let tries = 0; tries < CONFIRM_TRIES && !this.#over; tries += 1) {
      if (tries) await new Promise((done) => { setTimeout(done, 1000); });
      const headers = { "Content-Range": `bytes */${this.#file.size}` };
      const status = await fetch(this.#address, { method: "PUT", headers }).then((answer) => answer.status, () => 0);
      if (status !== 308) return true;
    }
    return false;
  }

  /** The file could not be read to its end: the widget sends what it has of the part all the same. */
  get #isUnread() {
    return Boolean(this.#upload?.chunkedIterable?.error);
  }

  #failed(detail) {
    this.#abort();
    const status = detail?.response?.statusCode ?? 0;
    const closed = [401, 403, 404, 410].includes(status);
    const unread = this.#isUnread || String(detail?.message ?? "").startsWith("Unable to read");
    const why = unread ? "unread" : detail?.incomplete ? "incomplete" : closed ? "closed" : status === 413 ? "too-large" : "other";
    this.#end("failed", { why, status });
  }

  #abort() {
    try {
      this.#upload?.abort();
    } catch {
      // it may not have begun
    }
  }

  #end(name, detail) {
    if (this.#over) return;
    this.#over = true;
    this.#stop.abort();
    if (running === this) running = null;
    this.#tell(name, detail);
  }

  #settle(milliseconds) {
    setTimeout(() => { if (this.#pausing && !this.#over) this.#tell("paused"); }, milliseconds);
  }

  /** The part that is being sent is finished first; "paused" tells when that is done. */
  pause() {
    if (!this.#upload || this.#pausing) return;
    this.#pausing = true;
    this.#upload.pause();
    const left = this.#waitEnds - performance.now();
    if (left > 0) this.#settle(left + SETTLE_MS);
  }

  /** Only after "paused". */
  resume() {
    this.#pausing = false;
    this.#upload.resume();
  }

  /** Says whether the connection is there; true if the widget is not to hear of it. */
  takes(name) {
    this.#tell(name === "online" ? "back" : "lost");
    // begun without a connection, it has not sent anything and waits for exactly this
    return name === "offline" || !this.#upload.offline;
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
    this.#widget.endpoint = async () => this.#address;
    this.#widget.dispatchEvent(new CustomEvent("reset"));
    this.#widget.dispatchEvent(new CustomEvent("file-ready", { detail: this.#file }));
  }

  cancel() {
    this.#abort();
    this.#end("cancelled");
    this.#widget.dispatchEvent(new CustomEvent("reset"));
  }
}
