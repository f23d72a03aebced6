// What a page says about an upload on its way: why it waits, why it failed, why it has not begun.
import { Refusal, SignedOut } from "../ask-server.js";

export const FAILURES = {
  closed: "Mux has ended this upload: it was cancelled, replaced by another one, or took too long. “Try again” sends the video from the beginning.",
  replaced: "Another upload was begun here, perhaps in another tab, so this one was stopped. Press “Try again” only if this file is the right one: it then takes the place of the other.",
  incomplete: "Mux did not get the whole file, so nothing of it is used. Please try again.",
  "too-large": "Mux says that the file is too large. Please export it smaller and choose it again.",
  unread: "The file could not be read to its end. Was it moved, changed, or is its disk gone? Choose it again.",
  other: "The upload was broken off. What you wrote is saved; please send the video again.",
};
export const KEEP_OPEN = "Keep this page open until the upload finishes. You can save the form meanwhile.";
export const REMEMBERED = "If it is interrupted, open this page again in this browser: it goes on from there.";
export const UNCONFIRMED = "Everything is sent, but Mux has not confirmed it yet. Keep this page open; it goes on automatically.";
const UNSAVED = "Correct the marked fields, then press “Try again”: the video is still chosen.";
const SIGNED_OUT = "You are signed out, so nothing was sent. Sign in again in another tab, then press “Try again” here.";
const UNREACHED = "The server could not be reached, so nothing was sent. Check your connection and try again.";

/** Why a part is sent again: no connection (`lost`), or what Mux answered. */
export function waitingWords(status, lost) {
  if (lost) return "The connection is lost. The upload goes on automatically when it is back; keep this page open.";
  const what = status ? `Mux has a problem at the moment (${status}).` : "Mux cannot be reached at the moment.";
  return `${what} This page goes on trying; nothing is lost.`;
}

/** Why no address was given. */
export function notStarted(error) {
  if (error instanceof SignedOut) return SIGNED_OUT;
  if (error instanceof Refusal) return error.type === "form" ? UNSAVED : error.message;
  return UNREACHED;
}
