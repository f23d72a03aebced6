// A file of the page for many files, and the lesson that it becomes: from the first request to the last byte. What it shows is in
// face.js, what is typed in it in edits.js, when its turn comes in upload/queue.js. The bytes go through the sender of the app.
import { Refusal, postJson, sendJson } from "../ask-server.js";
import { titleOf } from "../upload/title.js";
import { askForUrl, askForUrlAgain } from "../upload/url.js";
import { FAILURES, notStarted } from "../upload/words.js";
import { Edits } from "./edits.js";
import { Sending } from "./sending.js";
import { IN_TRASH, LESSON_STAYS, NOT_ADDED, PAUSES, QUEUED, limited } from "./words.js";
import { BUTTONS, OPEN, SHOWN } from "./phases.js";
import { Traces } from "./traces.js";

export class Row {
  phase = "";
  lesson = "";
  upload = "";
  file = null;
  isFollowed = false; // how its lesson stands is asked of the server
  percent = 0;
  #tray;
  #sending = null;
  #asking = Promise.resolve(); // for the address, until that is answered or refused
  #from = 0; // where sending begins: what Mux has
  #left = false; // by another tab, which may not have finished

  constructor(face, tray, { key }) {
    this.face = face;
    this.key = key;
    this.#tray = tray;
    this.edits = new Edits(face, tray.connection, () => this.#saved());
    this.traces = new Traces(tray.memory, key);
    for (const name of ["pause", "continue", "cancel", "again", "undo"]) face.button(name).addEventListener("click", () => this[name]());
  }

  /** Would leaving the page interrupt something? */
  get isOpen() {
    return OPEN.includes(this.phase) || this.edits.isUnsaved;
  }

  /** A lesson of the form, whose upload is only continued here, is not given up with it. */
  get #isMadeHere() {
    return this.key !== "";
  }

  to(phase, words = "") {
    this.phase = phase;
    const isLeft = phase === "unknown" && !this.#isMadeHere;
    this.face.show(SHOWN[phase] ?? phase, words, isLeft ? [] : BUTTONS[phase]);
    this.#tray.changed();
  }

  /** The lesson is made; asked again, also after an answer that was lost, no second one. */
  async make(file, handle) {
    if (this.lesson) return;
    this.file = file;
    this.to("making", "Being added…");
    await this.traces.keep(file, handle);
    const typed = this.edits.typed();
    // with a price that is none it is not published as a free one
    const sent = { title: typed.title || titleOf(file.name), price: typed.price ?? 0, publish: typed.publish && typed.price !== null };
    const body = { title: sent.title, course_id: this.#tray.course || null, price_cents: sent.price, status: sent.publish ? "published" : "draft", client_key: this.key };
    try {
      const answer = await this.#tray.connection.answer(() => sendJson("POST", "/api/lessons", body), { tell: (words) => this.face.words(words) });
      this.has(answer.said.id, answer.version, sent);
      this.queue();
    } catch (error) {
      this.#limit(error, () => this.make(file, handle)) || this.to("failed", `${NOT_ADDED} ${error.message}`);
    }
  }

  has(lesson, version, sent = null) {
    this.lesson = lesson;
    this.face.belongsTo(lesson);
    this.edits.begin({ lesson, version, sent });
  }

  queue({ first = false } = {}) {
    this.to("waiting", QUEUED);
    this.#tray.queue.add(this, { first });
  }

  /** Its turn has come. */
  begin() {
    const paused = this.#sending;
    if (!paused) {
      const sending = new Sending(this.file, () => this.#addressOf(sending), { at: this.#from, partKib: this.#tray.partKib });
      this.#sending = sending;
      this.#follow(sending);
      sending.start();
    }
    this.to("sending");
    this.#showProgress();
    paused?.resume();
  }

  /** No request is answered after its lesson is gone: `cancel` waits for it. */
  #addressOf(sending) {
    const address = this.#address(sending);
    this.#asking = address.catch(() => {});
    return address;
  }

  async #address(sending) {
    const isWanted = () => sending === this.#sending;
    this.face.captionsFixed(true);
    const ask = this.upload ? () => askForUrlAgain(this.upload) : () => askForUrl({ lesson_id: this.lesson }, this.file, this.face.field("captions").value);
    const answer = await this.#tray.connection.answer(ask, { isWanted, tell: (words) => this.face.words(words) });
    if (!answer || !isWanted()) throw new Error("cancelled"); // with its lesson, the upload ends, too
    if (!this.upload) await this.traces.begin(this.file, answer);
    this.upload = answer.upload_id;
    return answer.upload_url;
  }

  #follow(sending) {
    const on = (name, act) => sending.addEventListener(name, ({ detail }) => { if (sending === this.#sending) act(detail); });
    on("moved", () => this.#showProgress());
    on("said", ({ words }) => { if (this.phase === "sending") this.face.words(words); });
    on("arrived", ({ from, end }) => this.traces.confirmed(from, end));
    on("paused", () => this.#paused(sending));
    on("failed", (detail) => this.#failed(detail));
    on("sent", () => this.#sent());
  }

  #showProgress() {
    this.percent = this.#sending.meter.percent;
    this.face.move(this.#sending.meter);
  }

  pause() {
    this.to("pausing", PAUSES);
    this.#showProgress();
    this.#sending.pause();
  }

  #paused(sending) {
    if (this.percent >= 100) { // nothing is left to wait with
      this.to("sending");
      sending.resume();
      return;
    }
    this.to("paused", "Paused. Nothing is lost while this page stays open.");
    this.#showProgress();
    this.#tray.queue.leave(this);
  }

  continue() {
    this.queue({ first: true });
  }

  async #failed({ why, error }) {
    this.#sending = null;
    this.#tray.queue.leave(this);
    if (why === "unread" && this.traces.isKept) {
      await this.#tray.interrupted(this, FAILURES.unread); // nothing is wrong at Mux: it waits until the file can be read again
      return;
    }
    if (why === "not-started" && this.#limit(error, () => this.queue({ first: true }))) return;
    const words = why === "not-started" ? notStarted(error) : FAILURES[why];
    const isOver = why !== "not-started" || error?.type === "not_resumable";
    this.to("failed", words);
    if (isOver) await this.#startOver();
    else this.face.captionsFixed(Boolean(this.upload));
  }

  /** The next try begins anew, with an upload of its own. */
  async #startOver() {
    const upload = this.upload;
    this.upload = "";
    this.#from = 0;
    this.face.captionsFixed(false);
    await this.traces.forgetUpload(upload);
    if (upload) await postJson("/api/mux/cancel-upload", { upload_id: upload }).catch(() => {});
  }

  /** True if the server asked for less within an hour: then it says when it goes on, and does. */
  #limit(error, then) {
    if (!(error instanceof Refusal) || error.status !== 429 || !error.retryAfter) return false;
    const at = this.#tray.limit(Number(error.retryAfter) * 1000, then);
    this.to("waiting", limited(error.message, at));
    return true;
  }

  again() {
    if (!this.lesson) this.make(this.file, this.traces.handle);
    else this.queue();
  }

  /** The file of an upload that was interrupted is here again; `found`: what is remembered of it. */
  goOn(file, found, handle) {
    this.file = file;
    this.#from = this.upload && found.end ? (found.end < found.size ? found.end : found.from) : 0;
    this.face.name(file.name, file.size);
    this.traces.takeUp(file, found, handle, this.upload);
    this.queue();
  }

  async #sent() {
    this.#sending = null;
    this.percent = 100;
    this.to("sent", "Everything is sent.");
    this.#tray.queue.leave(this);
    this.isFollowed = true;
    await this.traces.forget(this.upload);
    await postJson("/api/mux/track-upload", { lesson_id: this.lesson, upload_id: this.upload }).catch(() => {}); // a hint: Mux reports it, too
    this.#tray.follow();
  }

  /** What was saved may publish a lesson whose video is ready. */
  #saved() {
    if (this.phase === "sent") this.follow();
  }

  /** Another tab of this browser had it until now. */
  leftByOther() {
    this.to("sent", "");
    this.#left = true;
    this.follow();
  }

  /** Another tab or browser may send its file. */
  follow() {
    this.isFollowed = true;
    this.#tray.follow();
  }

  /** How the lesson stands, by the server; null: it is gone. */
  heard(fresh) {
    if (this.phase === "unknown" && fresh && !fresh.dataset.upload && fresh.dataset.status !== "none") this.to("sent", "");
    if (this.phase !== "sent") return;
    if (this.#left && fresh && (fresh.dataset.upload || fresh.dataset.status === "none")) {
      this.isFollowed = false;
      this.upload = fresh.dataset.upload;
      this.#tray.interrupted(this);
      return;
    }
    this.#left = false;
    if (fresh) this.face.take(fresh);
    else this.face.words("This lesson is not here any more.");
    this.isFollowed = Boolean(fresh && "moving" in fresh.dataset);
    if (fresh) this.edits.heard(fresh);
    if (fresh?.dataset.status === "error" && this.file) {
      this.upload = "";
      this.#from = 0;
      this.face.offer(["again"]);
    }
  }

  async cancel() {
    if (this.percent > 0 && !(await this.#tray.ask(`${Math.floor(this.percent)} % of “${this.face.root.dataset.title}” is sent. If you cancel, it has to be sent again from the beginning.`))) return;
    if (this.phase === "sent") return; // everything arrived while the question was open
    const sending = this.#sending;
    this.#sending = null;
    sending?.cancel();
    this.#tray.queue.leave(this);
    this.percent = 0;
    if (!this.lesson) {
      this.#tray.remove(this);
      return;
    }
    if (!this.#isMadeHere) {
      this.to("failed", LESSON_STAYS);
      this.face.offer([]);
      await this.#asking;
      await this.#startOver();
      this.face.offer(this.file ? ["again"] : []);
      return;
    }
    this.edits.end();
    this.to("cancelled", "Being cancelled…");
    this.face.offer([]);
    await this.#asking;
    await this.traces.forgetUpload(this.upload);
    this.#from = 0;
    this.upload = "";
    await this.#answered(() => sendJson("DELETE", `/api/lessons/${this.lesson}`), IN_TRASH);
  }

  async undo() {
    this.face.offer([]);
    const answer = await this.#answered(() => sendJson("POST", `/api/lessons/${this.lesson}/restore`), "");
    if (!answer) return;
    this.edits.end(false);
    this.face.captionsFixed(false);
    this.has(this.lesson, answer.version);
    if (this.file) this.queue();
    else this.#tray.interrupted(this);
  }

  async #answered(ask, words) {
    try {
      const answer = await this.#tray.connection.answer(ask, { tell: (why) => this.face.words(why) });
      this.to("cancelled", words);
      return answer;
    } catch (error) {
      this.to("cancelled", error.message);
      return null;
    }
  }
}
