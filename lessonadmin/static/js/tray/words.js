// What rows say about themselves, beside the words that every upload has (upload/words.js).

export const QUEUED = "Waits for its turn.";
export const PAUSES = "It pauses as soon as the part being sent has arrived.";
export const IN_TRASH = "Cancelled. Its draft lesson, in which nothing else is, is in the trash.";
export const LESSON_STAYS = "The upload is cancelled. The lesson stays as it is; it was not made on this page.";
export const NOT_ADDED = "The lesson was not added.";
export const ELSEWHERE = "This file is being sent in another tab of this browser. Keep that tab open.";
export const UNKNOWN = "This browser does not know its file. Go on in the browser where it began, or open the lesson and send the file from the beginning.";
export const SAME_FILE = "Choose the same file again, and it goes on from there.";
export const KEPT_FILE = "Press “Go on”, and it goes on from there.";

/** When it goes on after a limit of the server. */
export const limited = (words, at) =>
  `${words} It goes on automatically at ${at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })}.`;
