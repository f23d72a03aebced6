// Put into every page before its own scripts: what eyes see now, which buttons there are, and whether a press was answered.
window.inFlight = 0;
const asks = window.fetch;
window.fetch = async (...given) => {
  window.inFlight += 1;
  try { return await asks(...given); } finally { setTimeout(() => { window.inFlight -= 1; }, 50); }
};
window.addEventListener("beforeunload", () => { window.leaving = true; });
const LAYERS = "dialog[open], [popover]:popover-open";
const seen = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".hidden-text");
const inView = (one) => {
  const { top, bottom } = one.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
};
const isSettled = () => ![...document.querySelectorAll(".toast p")].some((one) => one.textContent === "");
window.isOpen = () => document.querySelector(LAYERS) !== null;

/** What is on the page: its words, those of them that are in view, its fields, and what is marked or open. */
window.pageNow = () => {
  window.looked = true;
  const words = [], near = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const [text, place] = [walk.currentNode.data.trim(), walk.currentNode.parentElement];
    if (!text || !seen(place) || place.closest("time")) continue;
    words.push(text);
    if (inView(place)) near.push(text);
  }
  const fields = [...document.querySelectorAll("input:not([type=hidden]), select, textarea")].map((one) => `${one.value} ${one.checked}`);
  const marked = document.activeElement?.matches(":invalid") ? document.activeElement.name : "";
  const open = [...document.querySelectorAll(`${LAYERS}, details[open], [aria-expanded=true]`)].length;
  return { address: location.href, words, near, rest: JSON.stringify([fields, marked, open]) };
};

/** Those of `words` that `others` does not have, or not so often. */
const without = (words, others) => {
  const left = [...others];
  return words.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
};
const isSame = (before, now) => JSON.stringify({ ...before, near: 0 }) === JSON.stringify({ ...now, near: 0 });
/** New words where they can be seen, or words gone from there; fields and what is open count anywhere, and so does another order. */
const isInView = (before, now) => {
  if (before.address !== now.address || before.rest !== now.rest) return true;
  const [come, gone] = [without(now.words, before.words), without(before.words, now.words)];
  if (!come.length && !gone.length) return !isSame(before, now);
  return come.some((one) => now.near.includes(one)) || gone.some((one) => before.near.includes(one));
};

window.buttonsNow = () => {
  const top = [...document.querySelectorAll(LAYERS)].at(-1) ?? document;
  const found = [...top.querySelectorAll("button, [role=button], summary, input[type=submit]")];
  const counts = {};
  return found.filter((one) => seen(one) && !one.matches(":disabled, [aria-disabled=true]") && !one.closest("mux-player")).map((element) => {
    const label = (element.getAttribute("aria-label") || element.innerText || element.title || element.querySelector("[aria-label]")?.getAttribute("aria-label") || "").trim();
    counts[label] = (counts[label] ?? 0) + 1;
    const scope = element.closest("[data-state], [data-cause]") ? "state" : element.closest("header.bar") ? "bar" : "page";
    return { element, label, nth: counts[label], scope };
  });
};

/** Fills the fields of the form that the browser has found empty; false if there was none. */
window.fillWhatIsMissing = () => {
  const form = document.activeElement?.matches(":invalid") ? document.activeElement.form : null;
  const missing = [...(form?.querySelectorAll("input:invalid, textarea:invalid") ?? [])];
  for (const one of missing) one.value = one.pattern || (one.type === "email" ? "nobody@school.example" : "because it is needed");
  return missing.length > 0 && form.checkValidity();
};

/** Empty if the press was answered, else what was wrong. `sent`: did it send anything? If not, the page that was asked for again
 *  may be as it was; after a change it has to say something. */
window.answered = async (before, sent) => {
  if (!window.looked && !sent) return "";
  const frame = () => new Promise(requestAnimationFrame);
  while (document.readyState !== "complete") await frame(); // half a page is another one than the whole
  const began = performance.now();
  let quiet = began;
  while (!isSettled() || isSame(before, window.pageNow())) {
    if (window.inFlight || window.leaving) quiet = performance.now();
    if (window.leaving && performance.now() - began > 500) return "leaving"; // or it is a download, which only the browser knows
    if (performance.now() - quiet > 1000 || performance.now() - began > 20000) return "nothing changed";
    await frame();
  }
  for (let n = 0; n < 30 && !isInView(before, window.pageNow()); n += 1) await frame();
  if (!isInView(before, window.pageNow())) return "the answer is out of view";
  for (const region of document.querySelectorAll("[data-js~=live]")) {
    if (!region.querySelector("[data-next]")?.dataset.next || region.querySelector("dialog[open]")) continue;
    region.dispatchEvent(new CustomEvent("state-wanted"));
    do await frame(); while (window.inFlight && performance.now() - began < 20000);
    await frame();
  }
  while (!isSettled()) await frame();
  return isSame(before, window.pageNow()) ? "the answer was wiped" : "";
};
