// Tells the server how far a lesson was watched: when the video pauses or is moved, every half minute while it plays, and when the
// page is left. Nothing is told before it was played, and what cannot be told is told later or not at all: watching goes on.
// “Mark as done” is stored without leaving the page.
import { Refusal, SignedOut, sendJson } from "../ask-server.js";
import { toast } from "../toast.js";

const EVERY = 30_000; // while it plays
const APART = 5_000; // however often it is paused and moved
const STEP = 1; // seconds that are worth a word

export default function watching(frame) {
  const player = frame.closest(".watch__screen").querySelector("mux-player");
  let begun = false;
  let told = null; // the position that the server knows
  let toldAt = -Infinity;
  let timer = null;
  let over = false; // the server wants to hear no more of this page

  function later(pause) {
    clearTimeout(timer);
    timer = setTimeout(tell, pause);
  }

  async function tell({ leaving = false } = {}) {
    clearTimeout(timer);
    const { currentTime: seconds, duration } = player;
    if (over || !begun || !Number.isFinite(duration) || duration <= 0) return;
    const wait = toldAt + APART - performance.now();
    if (wait > 0 && !leaving) return later(wait);
    if (!player.paused) later(EVERY);
    if (told !== null && Math.abs(seconds - told) < STEP) return;
    const before = told;
    [told, toldAt] = [seconds, performance.now()];
    try {
      const { said } = await sendJson("POST", frame.dataset.url, { seconds: Math.min(seconds, duration), duration }, { leaving });
      if (said.done_at) show(true);
    } catch (error) {
      if (error instanceof Refusal && error.status === 429) {
        told = before;
        later(Math.max(Number(error.retryAfter) || 0, 1) * 1000);
      } else if (error instanceof Refusal || error instanceof SignedOut) {
        over = true; // bought no more, replaced, deleted or signed out: a reload says what it is
      } else {
        told = before; // no connection
        later(EVERY);
      }
    }
  }

  player.addEventListener("play", () => {
    begun = true;
    later(EVERY);
  });
  for (const name of ["pause", "seeked", "ended"]) player.addEventListener(name, () => tell());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") tell({ leaving: true });
  });
  addEventListener("pagehide", () => tell({ leaving: true }));

  function show(done) {
    const focused = document.activeElement;
    for (const part of frame.querySelectorAll("[data-when]")) part.hidden = (part.dataset.when === "done") !== done;
    if (frame.contains(focused) && focused.hidden) frame.querySelector("button[data-when]:not([hidden])").focus();
  }

  frame.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault(); // the video plays on
    const done = event.submitter.value === "1";
    try {
      const { said } = await sendJson(done ? "POST" : "DELETE", frame.dataset.doneUrl);
      show(Boolean(said.done_at));
    } catch (error) {
      toast(error instanceof SignedOut ? "You are signed out. Sign in again in another tab, then try again here." : "This is not stored. Try again.", "bad");
    }
  });

  const line = frame.querySelector("p");
  line?.querySelector("button").addEventListener("click", () => {
    player.currentTime = 0;
    line.textContent = "Playing from the beginning.";
    line.focus();
    player.play();
  });
}
