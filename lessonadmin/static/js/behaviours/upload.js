// Brings a video in: checks the file, saves a new lesson first, asks for an address, sends the bytes, says how far it is,
// and tells the server when they are in. What the widget does with them is in upload/transfer.js.
import { Refusal, SignedOut, postJson } from "../ask-server.js";
import { rulesOf, wrongWith } from "../upload/checks.js";
import { bring } from "../upload/dress.js";
import { Meter } from "../upload/meter.js";
import { Panel } from "../upload/panel.js";
import { Transfer } from "../upload/transfer.js";

const FAILURES = {
  closed: "Mux has ended this upload: it was cancelled, replaced by another one, or took too long. “Try again” sends the video from the beginning.",
  replaced: "Another upload was begun here, perhaps in another tab, so this one was stopped. Press “Try again” only if this file is the right one: it then takes the place of the other.",
  incomplete: "Mux did not get the whole file, so nothing of it is used. Please try again.",
  "too-large": "Mux says that the file is too large. Please export it smaller and choose it again.",
  unread: "The file could not be read to its end. Was it moved, changed, or is its disk gone? Choose it again.",
  other: "The upload was broken off. What you wrote is saved; please send the video again.",
};
const KEEP_OPEN = "Keep this page open until the upload finishes. You can save the form meanwhile.";
const UNCONFIRMED = "Everything is sent, but Mux has not confirmed it yet. Keep this page open; it goes on automatically.";
const UNCONFIRMED_AFTER_MS = 20000;
const UNSAVED = "Correct the marked fields, then press “Try again”: the video is still chosen.";
const SIGNED_OUT = "You are signed out, so nothing was sent. Sign in again in another tab, then press “Try again” here.";
const UNREACHED = "The server could not be reached, so nothing was sent. Check your connection and try again.";

export default function upload(root) {
  const panel = new Panel(root);
  const rules = rulesOf(root.dataset);
  const widget = root.querySelector("mux-uploader");
  const region = root.closest(".video-region");
  let phase = "idle"; // idle, running, sent, failed
  let transfer = null;
  let file = null;
  let uploadId = "";
  let endedId = ""; // of an upload that Mux closed, until it is known why
  let shownId = ""; // of the upload that the region has told of
  let before = "";
  let approved = null;
  let lastState = "";
  let paused = false;
  let meter = null;
  let unconfirmed = 0;

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

  function begin(chosen) {
    file = chosen;
    uploadId = endedId = "";
    before = region.querySelector("[data-state]").dataset.upload;
    meter = new Meter(file.size);
    const mine = new Transfer(widget, file, () => askForAddress(mine));
    transfer = mine;
    follow(transfer);
    phase = "running";
    paused = false;
    panel.begin(file);
    approved = file;
    transfer.start();
  }

  /** Asked for by a transfer that may have been cancelled when the answer comes: then the upload is given up. */
  async function askForAddress(asker) {
    if (!root.dataset.owner) await saveFirst();
    if (asker !== transfer) throw new Error("cancelled");
    const answer = await postJson("/api/mux/upload-url", {
      ...owner(),
      filename: file.name,
      size: file.size,
      content_type: file.type,
      ...(panel.part("captions").value ? { caption_language: panel.part("captions").value } : {}),
    });
    if (asker !== transfer) {
      giveUp(answer.upload_id);
      throw new Error("cancelled");
    }
    uploadId = answer.upload_id;
    window.addEventListener("beforeunload", guard);
    return answer.upload_url;
  }

  /** A reload in the middle must not lose what was written: a draft is stored before the first byte. */
  async function saveFirst() {
    const form = document.getElementById(`${root.dataset.kind}-form`);
    while (form.isConnected && form.dataset.ready === undefined) await new Promise((done) => { setTimeout(done, 50); });
    const title = form.elements.namedItem("title");
    if (root.dataset.kind === "course" && !title.value.trim()) title.value = file.name.replace(/\.[^.]*$/, "").replace(/[_\s]+/g, " ").trim().slice(0, 200);
    return new Promise((done, refused) => {
      form.dispatchEvent(new CustomEvent("save-wanted", { detail: { done, refused, fileName: file.name } }));
    });
  }

  /** Everything has left: if Mux stays silent about it, that is said. */
  function expectAnswer() {
    clearTimeout(unconfirmed);
    if (meter.percent >= 100) unconfirmed = setTimeout(() => { if (phase === "running") panel.hint(UNCONFIRMED); }, UNCONFIRMED_AFTER_MS);
  }

  /** A pause or a lost connection says nothing about the speed, so no time is promised. */
  function rested() {
    meter.rest();
    panel.move(meter);
  }

  function follow(going) {
    const on = (name, act) => going.addEventListener(name, ({ detail }) => act(detail));
    let lost = false;
    on("asked", () => {
      panel.hint(KEEP_OPEN);
      panel.pausable(true);
      wantState();
    });
    on("moved", ({ fraction }) => {
      meter.move(fraction);
      panel.move(meter);
      expectAnswer();
    });
    on("waiting", ({ status }) => {
      rested();
      clearTimeout(unconfirmed);
      panel.hint(waitingWords(status, lost));
    });
    on("lost", () => {
      lost = true;
      rested();
      panel.hint(waitingWords(0, true));
      panel.say("The connection is lost.");
    });
    on("back", () => {
      lost = false;
      panel.hint("The connection is back, going on.");
      panel.say("The connection is back.");
    });
    on("going", () => panel.hint(KEEP_OPEN));
    on("paused", () => {
      if (meter.percent >= 100) {
        going.resume();
        return;
      }
      rested();
      paused = true;
      panel.paused(true);
      panel.pausable(true, "Resume");
      panel.hint("Paused. Nothing is lost while this page stays open.");
      panel.say("Paused.");
    });
    on("failed", failed);
    on("sent", sent);
  }

  function waitingWords(status, lost) {
    if (lost) return "The connection is lost. The upload goes on automatically when it is back; keep this page open.";
    const what = status ? `Mux has a problem at the moment (${status}).` : "Mux cannot be reached at the moment.";
    return `${what} This page goes on trying; nothing is lost.`;
  }

  async function sent() {
    window.removeEventListener("beforeunload", guard);
    phase = "sent";
    panel.sent();
    try {
      await postJson("/api/mux/track-upload", { ...owner(), upload_id: uploadId });
    } catch {
      // Only a hint: Mux reports it, too. If the session has ended, the region says so.
    }
    wantState();
  }

  function failed({ why, error }) {
    window.removeEventListener("beforeunload", guard);
    phase = "failed";
    endedId = why === "closed" ? uploadId : "";
    panel.fail(why === "not-started" ? notStarted(error) : FAILURES[why], true);
    giveUpHere();
  }

  function notStarted(error) {
    if (error instanceof SignedOut) return SIGNED_OUT;
    if (error instanceof Refusal) return error.type === "form" ? UNSAVED : error.message;
    return UNREACHED;
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
    if (phase === "idle" && (state !== lastState || detail.uploader === "open")) root.hidden = detail.uploader === "closed";
    panel.part("swap").hidden = detail.status !== "ready";
    lastState = state;
  }

  // A file comes from the button or by drag and drop. The widget gets it only after the checks.
  region.addEventListener("file-ready", (event) => {
    if (approved && event.detail === approved) {
      approved = null;
      return;
    }
    event.stopPropagation();
    widget.removeAttribute("file-ready");
    const chosen = event.detail;
    const wrong = wrongWith(chosen, rules) || (navigator.onLine ? "" : "You are offline. Choose the video again when you are connected.");
    if (wrong) {
      panel.refuse("");
      panel.refuse(wrong);
      widget.dispatchEvent(new CustomEvent("reset"));
      return;
    }
    if (phase === "idle" || phase === "failed") begin(chosen);
  }, true);

  root.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length < 2) return;
    event.preventDefault();
    event.stopPropagation();
    panel.refuse("Those were several files. Drop one video: each lesson has one.");
  }, true);
  for (const name of ["dragover", "drop"]) {
    // beside the drop zone a browser would leave the page to show the file
    window.addEventListener(name, (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
  }

  panel.part("pause").addEventListener("click", () => {
    if (paused) {
      paused = false;
      panel.paused(false);
      panel.pausable(true);
      panel.hint(KEEP_OPEN);
      transfer.resume();
      return;
    }
    panel.pausable(false, "Pausing…");
    panel.hint("It pauses as soon as the part being sent has arrived.");
    transfer.pause();
  });
  panel.part("cancel").addEventListener("click", () => {
    if (meter.percent > 0) panel.ask(`${Math.floor(meter.percent)} % of “${file.name}” is sent. If you cancel, it has to be sent again from the beginning.`);
    else stop();
  });
  panel.part("stop").addEventListener("click", stop);
  panel.part("again").addEventListener("click", () => begin(file));
  panel.part("other").addEventListener("click", () => {
    rest();
    panel.part("pick").click();
  });
  region.addEventListener("state-shown", stateShown);
  bring(widget, root.dataset.script, [...rules.types, ...Object.keys(rules.endings).map((one) => `.${one}`)].join(","));
}
