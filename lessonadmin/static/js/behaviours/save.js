// Saves a form without leaving the page: the server sends the form back, as it would at a load, with what is wrong or
// with the new version. A new thing gets its address into the URL bar. By "save-wanted" others ask for it
// ({done, refused}); data-state-url is where the state of its video is.
import { attach } from "../app.js";
import { Refusal, SignedOut, fragment } from "../ask-server.js";
import { toast } from "../toast.js";

export default function save(first) {
  let form = first;
  let busy = null;

  const saved = () => form.querySelector("[data-saved]");

  async function send(button) {
    button?.setAttribute("aria-busy", "true");
    saved().textContent = "";
    try {
      const found = await fragment(form.action, { name: "form", body: new FormData(form) });
      return take(found);
    } finally {
      button?.removeAttribute("aria-busy");
    }
  }

  /** True if it is stored. */
  function take({ root: fresh, status, address }) {
    const good = status < 400;
    document.title = fresh.dataset.title;
    if (good && !form.querySelector(".error-summary")) adopt(fresh);
    else replace(fresh);
    if (!good) return false;
    document.querySelector("h1").textContent = fresh.dataset.heading;
    document.querySelector(".page__lead")?.remove();
    if (address && new URL(address, location.href).pathname !== location.pathname) moveTo(address, fresh.dataset);
    saved().textContent = "Saved.";
    return true;
  }

  /** What was typed while the answer was on its way stays; only what the server keeps is taken over. */
  function adopt(fresh) {
    form.action = fresh.action;
    for (const name of ["version", "status_was"]) {
      const value = fresh.querySelector(`[name="${name}"]`)?.value;
      if (value === undefined) continue;
      let field = form.querySelector(`[name="${name}"]`);
      if (!field) {
        field = Object.assign(document.createElement("input"), { type: "hidden", name });
        form.prepend(field);
      }
      field.value = value;
    }
    const button = form.querySelector('[type="submit"]');
    const label = fresh.querySelector('[type="submit"]').textContent;
    if (button.textContent !== label) button.textContent = label;
  }

  function replace(fresh) {
    const mine = document.importNode(fresh, true);
    form.replaceWith(mine);
    form = mine;
    mine.removeAttribute("data-js"); // this behaviour moves over by itself
    attach(mine);
    wire();
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
      toast("Not saved: our server could not be reached or did not understand. What you typed stays; please try again.", "bad");
    }
  }

  async function submitted(event) {
    event.preventDefault();
    if (busy) return;
    busy = send(event.submitter ?? form.querySelector('[type="submit"]'));
    try {
      if (await busy) document.getElementById("uploader")?.closest("[data-js~=live]")?.dispatchEvent(new CustomEvent("state-wanted"));
    } catch (error) {
      explain(error);
    } finally {
      busy = null;
    }
  }

  async function wanted({ detail: { done, refused } }) {
    try {
      if (await send()) done();
      else refused(new Refusal(400, "form", ""));
    } catch (error) {
      refused(error);
    }
  }

  /** The lesson was published, or taken back, beside the form: its choice follows unless the user is changing it. */
  function follow({ detail }) {
    const part = form.querySelector("[data-when-draft]");
    const was = form.querySelector('[name="status_was"]');
    if (!detail.intent || !part) return;
    part.hidden = part.disabled = detail.publication === "published";
    const chosen = form.querySelector('[name="status"]:checked');
    const touched = was && chosen?.value !== was.value;
    if (was) was.value = detail.intent;
    const box = form.querySelector(`[name="status"][value="${detail.intent}"]`);
    if (box && !touched) box.checked = true;
  }

  function wire() {
    form.dataset.ready = "";
    form.addEventListener("submit", submitted);
    form.addEventListener("save-wanted", wanted);
    form.addEventListener("input", () => { saved().textContent = ""; });
  }

  wire();
  document.addEventListener("state-shown", follow);
}
