// A region that keeps itself fresh: asks the server for its fragment while something moves and the page is looked at, and
// sends the forms inside it without leaving the page. An answer to a press stays until something else is done or the state
// is another (kept-answer.js).
//
// data-url: where the fragment is (empty: nothing to ask for yet).  Inside, [data-state] says when to ask next (data-next,
// milliseconds, empty: not at all) and what changed (data-said, read out).  It tells others by the event "state-shown" and
// listens to "state-wanted".  Each question tells by `attempt` how long the page has waited, in steps that grow as those of
// the API (`next_poll_ms`).
import { attach } from "../app.js";
import { Refusal, SignedOut, fragment, renewCsrf } from "../ask-server.js";
import { KeptAnswer } from "../kept-answer.js";
import { patch } from "../patch.js";
import { toast } from "../toast.js";

const FIRST_STEP_MS = 5000;
const SLOWEST_STEP_MS = 30000;
const SIGNED_OUT_PAUSE_MS = 15000;
const MAX_PAUSE_MS = 30000;
const TROUBLE_AFTER = 2;

/** How often a client of the API would have asked after this time. */
function attemptsIn(milliseconds) {
  let steps = 0;
  for (let left = milliseconds; left > 0; steps += 1) left -= Math.min(FIRST_STEP_MS * 1.5 ** steps, SLOWEST_STEP_MS);
  return steps;
}

export default function live(region) {
  const name = region.dataset.fragment ?? "video";
  const state = () => region.querySelector("[data-state]");
  const trouble = region.querySelector("[data-trouble]");
  const announce = region.querySelector("[data-announce]");
  const kept = new KeptAnswer();
  let since = Date.now(); // the last change, or the last time that a person did something or came back
  let version = null;
  let failures = 0;
  let timer = 0;
  let asking = null;
  let again = false;
  let held = null;
  let acts = 0; // an answer to a question from before an act, or during it, is old

  function plan(milliseconds) {
    clearTimeout(timer);
    if (milliseconds !== null && !document.hidden) timer = setTimeout(ask, milliseconds);
  }

  function pause() {
    const next = state()?.dataset.next;
    if (!next || !region.dataset.url) return null;
    return Number(next);
  }

  function say(words, { signIn = false } = {}) {
    if (!trouble) return;
    const [text, link] = trouble.querySelectorAll("p");
    trouble.hidden = !words;
    if (text.textContent !== words) text.textContent = words;
    if (!link) return;
    link.hidden = !signIn;
    link.firstElementChild.search = new URLSearchParams({ next: location.pathname + location.search });
  }

  function startOver() {
    since = Date.now();
  }

  function show(fresh) {
    if (region.querySelector("dialog[open]")) {
      held = fresh; // a question is open: what changed waits for the answer
      return;
    }
    const before = state().dataset.said;
    kept.putInto(fresh);
    patch(state(), fresh);
    renewCsrf(state().dataset.csrf);
    attach(region);
    if (state().dataset.said !== before) {
      startOver();
      if (announce && !("quiet" in state().dataset)) announce.textContent = state().dataset.said;
    }
    region.dispatchEvent(new CustomEvent("state-shown", { bubbles: true, detail: { ...state().dataset } }));
  }

  async function ask() {
    clearTimeout(timer);
    if (!region.dataset.url) return;
    if (asking) {
      again = true;
      return;
    }
    const url = new URL(region.dataset.url, location.href);
    url.searchParams.set("attempt", attemptsIn(Date.now() - since));
    const before = acts;
    asking = fragment(url, { name, version });
    try {
      const found = await asking;
      failures = 0;
      say("");
      if (found && acts === before) {
        version = found.version;
        show(found.root);
      }
      plan(pause());
    } catch (error) {
      failed(error);
    } finally {
      asking = null;
      if (again) {
        again = false;
        ask();
      }
    }
  }

  function failed(error) {
    failures += 1;
    if (error instanceof SignedOut) {
      say("You are signed out. What is being sent goes on. Sign in again in another tab: this page then continues automatically, and nothing you typed is lost.", { signIn: true });
      plan(SIGNED_OUT_PAUSE_MS);
      return;
    }
    if (error instanceof Refusal && error.status === 404) {
      say("This does not exist any more; it was deleted meanwhile.");
      return;
    }
    if (failures >= TROUBLE_AFTER) say("The server cannot be reached right now. This page tries again automatically.");
    plan(Math.min(1000 * 2 ** failures, MAX_PAUSE_MS));
  }

  async function send(form, button) {
    button?.setAttribute("aria-busy", "true");
    acts += 1;
    try {
      const found = await fragment(form.action, { name, body: new FormData(form, button) });
      acts += 1;
      form.closest("dialog")?.close();
      held = version = null;
      startOver();
      kept.take(found.root);
      show(found.root);
      answered();
      plan(pause());
    } catch (error) {
      form.closest("dialog")?.close();
      if (error instanceof SignedOut) failed(error);
      else toast("That did not work: the server could not be reached. Try again.", "bad");
    } finally {
      button?.removeAttribute("aria-busy");
    }
  }

  /** The answer is read out and in view; the focus is there if what was pressed is gone. */
  function answered() {
    const answer = kept.shownIn(region);
    if (!answer) return;
    if (announce) announce.textContent = answer.textContent.replace(/\s+/g, " ").trim();
    if (document.activeElement === document.body) answer.focus({ preventScroll: true });
    answer.scrollIntoView({ block: "nearest" });
  }

  region.addEventListener("submit", (event) => {
    if (event.target.method !== "post" || event.target.closest("[data-leave]")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.submitter?.getAttribute("aria-busy") !== "true") send(event.target, event.submitter);
  }, true);
  region.addEventListener("close", () => {
    if (!held) return;
    const fresh = held;
    held = null;
    show(fresh);
    plan(pause());
  }, true);
  region.addEventListener("state-wanted", () => {
    startOver();
    ask();
  });
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden || !region.dataset.url) return;
    startOver();
    ask();
  });
  window.addEventListener("online", () => { if (pause() !== null || failures) ask(); });
  kept.take(state());
  plan(pause());
}
