// Messages that appear while the page is open. They are added to the region that base.html draws.

const TONES = { good: "done", bad: "error", warn: "warning" };
const STAYS_MS = 8000;

function icon(name, label) {
  const sprite = document.querySelector(".icon use")?.getAttribute("href").split("#")[0] ?? "";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** The page has space for the toasts below its end, and keeps it when they go: nothing moves under the pointer. */
export function keepSpace(region) {
  let space = 0;
  new ResizeObserver(() => {
    space = Math.max(space, region.offsetHeight);
    if (space) document.documentElement.style.setProperty("--toast-space", `${space}px`);
  }).observe(region);
}

/** Let a toast be dismissed, and let it go by itself unless it tells of a failure, leads on, offers a button, or is being read. */
export function manage(element) {
  const close = element.querySelector(".toast__close");
  close.hidden = false;
  close.addEventListener("click", () => element.remove());
  if (element.getAttribute("role") === "alert" || element.querySelector("p a, form")) return;
  let timer;
  const start = () => { timer = setTimeout(() => element.remove(), STAYS_MS); };
  const hold = () => clearTimeout(timer);
  element.addEventListener("pointerenter", hold);
  element.addEventListener("pointerleave", start);
  element.addEventListener("focusin", hold);
  element.addEventListener("focusout", start);
  start();
}

/** Say something: tone is "good", "bad", "warn" or "". */
export function toast(message, tone = "") {
  const element = document.createElement("div");
  element.className = tone ? `toast toast--${tone}` : "toast";
  element.setAttribute("role", tone === "bad" ? "alert" : "status");
  const text = document.createElement("p");
  const close = document.createElement("button");
  close.type = "button";
  close.className = "icon-button toast__close";
  close.append(icon("close", "Dismiss"));
  element.append(icon(TONES[tone] ?? "info"), text, close);
  document.querySelector(".toasts").append(element);
  // A live region must stand in the page before its words are put in, or they are not read out.
  requestAnimationFrame(() => { text.textContent = message; });
  manage(element);
  return element;
}
