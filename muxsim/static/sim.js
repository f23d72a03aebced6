// The page: asks for the state every second while it is looked at, and lets each part draw itself.
import { act, ask } from "./api.js";
import { drawCalls } from "./calls.js";
import { span } from "./draw.js";
import { drawEvents, startEvents } from "./events.js";
import { drawFaults, startFaults } from "./faults.js";
import { drawSwitches } from "./switches.js";
import { drawVideos } from "./videos.js";

const EVERY = 1000;
const at = (id) => document.getElementById(id);
let clock = null;
let waiting = 0;
let asking = false;
let again = false;
// What a button in the header switches, and what it says while that is off and on.
const SWITCHES = [
  ["hold", "hold_processing", "Hold processing", "Processing held · resume"],
  ["pause", "deliveries_paused", "Pause events", "Events paused · resume"],
];

function drawHeader(state) {
  clock = { ...state.clock, seen: performance.now() };
  for (const name of ["events", "calls"]) at(`count-${name}`).textContent = state.counts[name];
  at("count-videos").textContent = state.counts.assets;
  at("count-faults").textContent = state.faults.length;
  for (const [id, name, off, on] of SWITCHES) {
    at(id).setAttribute("aria-pressed", state.switches[name]);
    at(id).textContent = state.switches[name] ? on : off;
  }
  at("link").textContent = state.counts.undelivered ? `${state.counts.undelivered} to deliver` : "live";
  at("link").className = `pill ${state.counts.undelivered ? "busy" : "good"}`;
}

function tick() {
  if (!clock) return;
  const now = new Date((clock.now + ((performance.now() - clock.seen) / 1000) * clock.speed) * 1000).toISOString();
  at("clock-time").textContent = now.slice(11, 19);
  at("clock-date").textContent = now.slice(0, 10);
  at("clock-ahead").textContent = clock.ahead > 2 ? `${span(clock.ahead)} ahead` : "real time";
}

async function refresh() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  clearTimeout(waiting);
  try {
    const state = await ask("GET", "/state?rows=40");
    for (const draw of [drawHeader, drawVideos, drawEvents, drawCalls, drawFaults, drawSwitches]) draw(state);
    tick();
  } catch {
    at("link").textContent = "not reachable";
    at("link").className = "pill bad";
  }
  asking = false;
  waiting = setTimeout(refresh, again ? 0 : document.hidden ? 10 * EVERY : EVERY);
  again = false;
}

function startTheme() {
  const root = document.documentElement;
  const stored = localStorage.getItem("muxsim-theme");
  if (stored) root.dataset.theme = stored;
  at("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("muxsim-theme", root.dataset.theme);
  });
}

function startHeader() {
  for (const one of document.querySelectorAll("[data-advance]"))
    one.addEventListener("click", () => act("POST", "/clock", { advance: Number(one.dataset.advance) }, `Time jumped ${one.textContent}`));
  for (const [id, name] of SWITCHES)
    at(id).addEventListener("click", () => act("POST", "/switches", { [name]: at(id).getAttribute("aria-pressed") !== "true" }));
  at("reset").addEventListener("click", () => at("sure").showModal());
  at("sure").addEventListener("close", () => at("sure").returnValue === "yes" && act("POST", "/reset", {}, "A fresh start"));
}

function startTabs() {
  const tabs = [...document.querySelectorAll("[data-tab]")];
  for (const tab of tabs)
    tab.addEventListener("click", () => {
      document.querySelector("main").dataset.shown = tab.dataset.tab;
      for (const other of tabs) other.toggleAttribute("aria-current", false);
      tab.setAttribute("aria-current", "true");
    });
}

at("fault-active").dataset.counts = "no";
at("switch-list").dataset.counts = "no";
at("endpoint-list").dataset.counts = "no";
startTheme();
startHeader();
startTabs();
startEvents();
startFaults();
document.addEventListener("sim:changed", refresh);
document.addEventListener("visibilitychange", refresh);
setInterval(tick, 250);
refresh();
