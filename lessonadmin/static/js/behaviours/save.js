// Saves a form without leaving the page: the server sends the form back, as it would at a load, with what is wrong or
// with the new version. A new thing gets its address into the URL bar. By "save-wanted" an upload asks for a place
// ({done, refused, fileName}); data-state-url is where the state of its video is.
import { attach } from "../app.js";
import { Refusal, SignedOut, fragment } from "../ask-server.js";
import { followState, sayWhatSavingDoes } from "../form/publishing.js";
import { Unsaved } from "../form/unsaved.js";
import { toast } from "../toast.js";

export default function save(first) {
  let form = first;
  let busy = null;
  const unsaved = new Unsaved(form, wantState);

  const saved = () => form.querySelector("[data-saved]");

  function wantState() {
    document.getElementById("uploader")?.closest("[data-js~=live]")?.dispatchEvent(new CustomEvent("state-wanted"));
  }

  /** `more`: what is sent besides the fields. */
  async function send(button, more = {}) {
    button?.setAttribute("aria-busy", "true");
    saved().textContent = "";
    try {
      await unsaved.rest();
      const values = unsaved.values();
      const body = new FormData(form);
      for (const [name, value] of Object.entries(more)) body.set(name, value);
      return take(await fragment(form.action, { name: "form", body }), values);
    } finally {
      unsaved.look();
      button?.removeAttribute("aria-busy");
    }
  }

  /** True if it is stored; `values` are those that were sent. */
  function take({ root: fresh, status, address }, values) {
    const good = status < 400;
    const begun = good && fresh.dataset.neverSaved !== undefined;
    document.title = fresh.dataset.title;
    if (begun || (good && !form.querySelector(".error-summary"))) adopt(fresh, values);
    else replace(fresh, good);
    if (!good) return false;
    document.querySelector("h1").textContent = fresh.dataset.heading;
    document.querySelector(".page__lead")?.remove();
    if (address && new URL(address, location.href).pathname !== location.pathname) moveTo(address, fresh.dataset);
    if (!begun) saved().textContent = "Saved.";
    return true;
  }

  /** What was typed while the answer was on its way stays; the server may have merged or tidied the rest. */
  function adopt(fresh, values) {
    form.action = fresh.action;
    for (const name of ["owner", "stateUrl", "holdUrl", "neverSaved", "publication", "playable"]) {
      if (fresh.dataset[name] === undefined) delete form.dataset[name];
      else form.dataset[name] = fresh.dataset[name];
    }
    for (const hidden of fresh.querySelectorAll('[type="hidden"]:not([name="csrf_token"], [name="page_id"])')) adoptHidden(hidden);
    if (fresh.dataset.neverSaved !== undefined) {
      unsaved.saved(values); // it is begun with them, and what of them is to last is decided by saving
      return;
    }
    for (const field of fresh.elements) {
      const mine = form.elements.namedItem(field.name);
      if (values[field.name] === undefined || !mine || mine instanceof RadioNodeList || field.name === "status") continue;
      if (unsaved.values()[field.name] !== values[field.name]) continue;
      if (field.type === "checkbox") mine.checked = field.checked;
      else if (mine.value !== field.value) mine.value = field.value;
      values[field.name] = unsaved.values()[field.name];
    }
    unsaved.saved(values);
    form.querySelector('[type="submit"]').textContent = fresh.querySelector('[type="submit"]').textContent;
    sayWhatSavingDoes(form);
  }

  function adoptHidden(fresh) {
    const mine = form.querySelector(`[type="hidden"][name="${fresh.name}"]`);
    if (mine) mine.value = fresh.value;
    else form.prepend(document.importNode(fresh));
  }

  function replace(fresh, good) {
    const mine = document.importNode(fresh, true);
    form.replaceWith(mine);
    form = mine;
    mine.removeAttribute("data-js"); // this behaviour moves over by itself
    attach(mine);
    wire();
    unsaved.moveTo(form, good);
  }

  function moveTo(address, { owner, stateUrl }) {
    history.replaceState(history.state, "", address);
    const uploader = document.getElementById("uploader");
    const region = uploader?.closest("[data-js~=live]");
    if (!uploader || !owner) return;
    uploader.dataset.owner = owner;
    region.dataset.url = stateUrl;
    region.dispatchEvent(new CustomEvent("state-wanted"));
  }

  function explain(error) {
    if (error instanceof SignedOut) {
      toast("Not saved: you are signed out. Sign in again in another tab, then save here; what you typed stays.", "bad");
    } else {
      toast("Not saved: the server could not be reached. What you typed stays; try again.", "bad");
    }
  }

  async function submitted(event) {
    event.preventDefault();
    if (busy) return;
    busy = send(event.submitter ?? form.querySelector('[type="submit"]'));
    try {
      if (await busy) wantState();
    } catch (error) {
      explain(error);
    } finally {
      busy = null;
    }
  }

  async function wanted({ detail: { done, refused, fileName } }) {
    try {
      if (await send(null, { file_name: fileName })) done();
      else refused(new Refusal(400, "form", ""));
    } catch (error) {
      refused(error);
    }
  }

  function wire() {
    form.dataset.ready = "";
    form.addEventListener("submit", submitted);
    form.addEventListener("save-wanted", wanted);
    form.querySelector("[data-discard]")?.addEventListener("click", () => unsaved.discard());
    for (const name of ["input", "change"]) form.addEventListener(name, changed);
    sayWhatSavingDoes(form);
  }

  function changed() {
    saved().textContent = "";
    sayWhatSavingDoes(form);
    unsaved.look();
  }

  wire();
  unsaved.look();
  document.addEventListener("state-shown", ({ detail }) => {
    followState(form, detail);
    unsaved.look();
  });
}
