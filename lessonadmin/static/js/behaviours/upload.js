// Brings a video in: checks the file, saves a new lesson first, asks for an address, sends the bytes, says how far it is,
// and tells the server when they are in. A fresh file goes through Mux's widget (upload/transfer.js); an upload that was interrupted
// goes on by the sender of the app (upload/sender.js), when the browser remembers it (upload/offer.js).
import { postJson } from "../ask-server.js";
import { rulesOf } from "../upload/checks.js";
import { bring } from "../upload/dress.js";
import { Intake } from "../upload/intake.js";
import { hold } from "../upload/locks.js";
import { Memory } from "../upload/memory.js";
import { Offer } from "../upload/offer.js";
import { Panel } from "../upload/panel.js";
import { Progress } from "../upload/progress.js";
import { Record } from "../upload/record.js";
import { Sender } from "../upload/sender.js";
import { Transfer } from "../upload/transfer.js";
import { askForUrl, askForUrlAgain, saveFirst } from "../upload/url.js";
import { FAILURES, notStarted } from "../upload/words.js";

export default function upload(root) {
  const panel = new Panel(root);
  const widget = root.querySelector("mux-uploader");
  const region = root.closest(".video-region");
  let phase = "idle"; // idle, running, sent, failed
  let transfer = null;
  let file = null;
  let uploadId = "";
  let endedId = ""; // of an upload that Mux closed, until it is known why
  let shownId = ""; // of the upload that the region has told of
  let before = "";
  let lastState = "";
  let record = null; // what this browser remembers of the upload; null where it cannot
  let letGo = () => {}; // the upload is this tab's alone until then
  let retry = () => {};

  const memory = new Memory(root.dataset.user);
  const offer = new Offer(panel, memory, goOn);
  const partKib = () => Number(widget.getAttribute("chunk-size"));
  const progress = new Progress(panel, () => record !== null);
  const guard = (event) => event.preventDefault();
  const owner = () => ({ [`${root.dataset.kind}_id`]: root.dataset.owner });
  const wantState = () => region.dispatchEvent(new CustomEvent("state-wanted"));

  /** Ready for another file; the widget forgets the last one. */
  function rest() {
    phase = "idle";
    transfer = null;
    widget.dispatchEvent(new CustomEvent("reset"));
    for (const left of ["file-ready", "upload-error"]) widget.removeAttribute(left);
    panel.show("choose");
  }

  function begin(chosen, handle = null) {
    retry = () => begin(chosen, handle);
    offer.leave();
    intake.approve(chosen);
    const mine = new Transfer(widget, chosen, () => askForAddress(mine, handle));
    run(mine, chosen);
  }

  /** `found`: what is remembered of the upload, which this tab holds now. */
  function goOn(found, chosen, free, handle) {
    letGo = free;
    retry = () => hold(found.upload).then((mine) => (mine ? goOn(found, chosen, mine, handle) : offer.consider(found.upload)));
    // an upload of which all has arrived, as far as is known, shows with its last part whether that is true
    const at = found.end < found.size ? found.end : found.from;
    const sender = new Sender(chosen, () => askAgain(sender, { ...found, handle }), { at, partKib: partKib() });
    run(sender, chosen);
    uploadId = found.upload;
    progress.move(at / chosen.size);
  }

  /** The widget cannot go back to what Mux has; the sender can. */
  function goBack({ has, address }) {
    window.addEventListener("beforeunload", guard);
    transfer = new Sender(file, async () => address, { at: has, partKib: partKib() });
    follow(transfer);
    transfer.start();
  }

  function run(mine, chosen) {
    file = chosen;
    uploadId = endedId = "";
    before = region.querySelector("[data-state]").dataset.upload;
    transfer = mine;
    progress.begin(file);
    follow(transfer);
    phase = "running";
    transfer.start();
  }

  /** Asked for by a transfer that may have been cancelled when the answer comes: then the upload is given up. */
  async function askForAddress(asker, handle) {
    if (!root.dataset.owner) await saveFirst(root, file);
    if (asker !== transfer) throw new Error("cancelled");
    const answer = await askForUrl(owner(), file, panel.part("captions").value);
    const upload = answer.upload_id;
    const free = await hold(upload) ?? letGo;
    const begun = await Record.begin(memory, file, { upload, until: Date.parse(answer.expires_at), handle: await handle });
    if (asker !== transfer) {
      free();
      begun?.forget();
      giveUp(upload);
      throw new Error("cancelled");
    }
    if (before) memory.forget(before); // it has taken the place of that one
    [uploadId, letGo, record] = [upload, free, begun];
    window.addEventListener("beforeunload", guard);
    return answer.upload_url;
  }

  async function askAgain(asker, found) {
    const answer = await askForUrlAgain(found.upload).catch((error) => {
      if (error.type === "not_resumable") memory.forget(found.upload);
      throw error;
    });
    if (asker !== transfer) throw new Error("cancelled");
    record = new Record(memory, file, found);
    window.addEventListener("beforeunload", guard);
    return answer.upload_url;
  }

  function follow(going) {
    progress.follow(going);
    const on = (name, act) => going.addEventListener(name, ({ detail }) => act(detail));
    on("asked", wantState);
    on("arrived", ({ from, end }) => record?.confirmed(from, end));
    on("failed", failed);
    on("sent", sent);
  }

  async function sent() {
    window.removeEventListener("beforeunload", guard);
    phase = "sent";
    forget();
    panel.sent();
    try {
      await postJson("/api/mux/track-upload", { ...owner(), upload_id: uploadId });
    } catch {
      // Only a hint: Mux reports it, too. If the session has ended, the region says so.
    }
    wantState();
  }

  function failed(detail) {
    const { why, error } = detail;
    window.removeEventListener("beforeunload", guard);
    if (why === "gap") {
      goBack(detail);
      return;
    }
    // nothing is wrong at Mux: the upload waits until the file can be read again, or until it is asked for again
    if (why === "unread" && record) putOff(FAILURES.unread);
    else if (why === "not-started" && error?.type === "not_resumable") putOff("", error.message);
    else {
      phase = "failed";
      endedId = why === "closed" ? uploadId : "";
      panel.fail(why === "not-started" ? notStarted(error) : FAILURES[why], true);
      if (why === "not-started") {
        letGo();
        uploadId = ""; // what is to go on waits at Mux, and anything else has not begun
      } else {
        retry = () => begin(file);
        forget();
      }
      giveUpHere();
    }
  }

  /** The upload is not given up: the page offers to go on with it, or says why it cannot. */
  function putOff(words, refusal = "") {
    const id = words ? uploadId : "";
    record = null;
    letGo();
    uploadId = "";
    rest();
    panel.refuse(refusal);
    if (id) offer.consider(id, words);
    wantState();
  }

  /** This browser need not remember it any more, and any tab may have it. */
  function forget() {
    if (record) record.forget();
    else if (uploadId) memory.forget(uploadId);
    record = null;
    letGo();
  }

  /** Nothing comes of this attempt any more, so the lesson must not look as if it waited for it. */
  function giveUpHere() {
    const id = uploadId;
    uploadId = "";
    giveUp(id);
  }

  async function giveUp(id) {
    if (id) await postJson("/api/mux/cancel-upload", { upload_id: id }).catch(() => {});
    if (root.dataset.owner) wantState();
  }

  function stop() {
    window.removeEventListener("beforeunload", guard);
    transfer?.cancel();
    forget();
    rest();
    panel.say("The upload is cancelled.");
    giveUpHere();
  }

  /** The region tells of the file that was sent, so this panel need not. Between two asks it may have failed already. */
  function takenOver({ uploader, status, replacing }) {
    if (uploader === "closed") return replacing !== "uploading";
    return shownId === uploadId && status !== "uploading";
  }

  function stateShown({ detail }) {
    const state = `${detail.status} ${detail.replacing}`;
    const coming = detail.upload;
    if (coming && coming === uploadId) shownId = coming;
    if (phase === "running" && uploadId && coming && coming !== uploadId && coming !== before) {
      uploadId = "";
      transfer.cancel();
      failed({ why: "replaced" });
      return;
    }
    if (phase === "failed" && endedId && coming && coming !== endedId && coming !== before) {
      endedId = "";
      panel.fail(FAILURES.replaced, true);
    }
    if (phase === "sent" && takenOver(detail)) rest();
    if (phase === "idle") offer.consider(detail.waiting);
    if (phase === "idle" && !offer.isMade && (state !== lastState || detail.uploader === "open")) root.hidden = detail.uploader === "closed";
    panel.part("swap").hidden = detail.status !== "ready";
    lastState = state;
  }

  const intake = new Intake({ root, region, widget, panel }, rulesOf(root.dataset), (chosen, handle) => {
    if (phase === "idle" || phase === "failed") begin(chosen, handle);
  });
  panel.part("pause").addEventListener("click", () => progress.pauseOrResume(transfer));
  panel.part("cancel").addEventListener("click", () => {
    if (progress.percent > 0) panel.ask(`${Math.floor(progress.percent)} % of “${file.name}” is sent. If you cancel, it has to be sent again from the beginning.`);
    else stop();
  });
  panel.part("stop").addEventListener("click", stop);
  panel.part("again").addEventListener("click", () => retry());
  panel.part("other").addEventListener("click", () => {
    rest();
    panel.part("pick").click();
  });
  region.addEventListener("state-shown", stateShown);
  panel.part("same").accept = intake.accept;
  bring(widget, root.dataset.script, intake.accept);
  memory.forgetOld();
  offer.consider(region.querySelector("[data-state]").dataset.waiting);
}
