// Knows whether a form differs from what is stored. It says so beside the button, asks before the page is left, and tells the
// server of a lesson (data-hold-url), which publishes nothing meanwhile: again and again while it is so, and once when it ends.
const RENEW_MS = 45_000;
const RETRY_MS = 5_000;

/** The value of a field; of a group of radios only the chosen one has one. */
function present(field) {
  if (field.type === "radio") return field.checked ? field.value : undefined;
  return field.type === "checkbox" ? String(field.checked) : field.value;
}

/** The same, as the server sent it. */
function initial(field) {
  if (field.type === "radio") return field.defaultChecked ? field.value : undefined;
  if (field.type === "checkbox") return String(field.defaultChecked);
  if (field.options) return ([...field.options].find((one) => one.defaultSelected) ?? field.options[0])?.value;
  return field.defaultValue;
}

export class Unsaved {
  #form;
  #stored;
  #told = false; // the server believes that there are changes
  #telling = Promise.resolve();
  #timer = 0;
  #said = ""; // the values when the server last heard of them
  #discarded = false;
  #published;

  /** `published`: called when the end of the changes published the lesson. */
  constructor(form, published) {
    this.#form = form;
    this.#published = published;
    this.#stored = this.values(initial); // a browser that comes back to a page may have put in what was typed before
    window.addEventListener("beforeunload", (event) => { if (this.dirty && !this.#discarded) event.preventDefault(); });
    window.addEventListener("pagehide", () => this.#leave());
    window.addEventListener("pageshow", ({ persisted }) => { if (persisted) this.look(); });
  }

  /** What a person can change, by name. */
  values(read = present) {
    const found = {};
    for (const field of this.#form.elements) {
      if (!field.name || field.type === "hidden" || field.matches(":disabled")) continue;
      const value = read(field);
      if (value !== undefined) found[field.name] = value;
    }
    return found;
  }

  get dirty() {
    const shown = this.#form.querySelector('[name="status_was"]')?.value;
    return Object.entries(this.values()).some(([name, value]) => value !== ((name === "status" && shown) || this.#stored[name]));
  }

  /** The server sent the form anew; unless it is stored now, what is stored is as before. */
  moveTo(form, isStored) {
    this.#form = form;
    if (isStored) this.#stored = this.values(initial);
    this.look();
  }

  /** These values are stored now. */
  saved(values) {
    this.#stored = values;
    if (this.dirty) this.#told = false; // typed meanwhile: the server may have taken the save for the end of it
    this.look();
  }

  /** A person has chosen to leave without them. */
  discard() {
    this.#discarded = true;
  }

  /** To be called after every change. */
  look() {
    const { dirty } = this;
    const neverSaved = "neverSaved" in this.#form.dataset;
    this.#form.querySelector("[data-unsaved]").hidden = !dirty && !neverSaved;
    const note = this.#form.querySelector("[data-held]");
    const intended = this.#form.querySelector('[name="status_was"]')?.value === "published";
    if (note) note.hidden = !dirty || !intended || this.#form.dataset.publication === "published";
    if (dirty !== this.#told) this.#tell(dirty);
  }

  /** Before a save, which ends this for the server. Resolves when nothing is on its way that could overtake it. */
  rest() {
    clearTimeout(this.#timer);
    this.#told = false;
    return this.#telling;
  }

  #tell(dirty) {
    clearTimeout(this.#timer);
    if (!this.#form.dataset.holdUrl) return;
    this.#told = dirty;
    this.#telling = this.#telling.then(() => this.#send(dirty));
  }

  async #send(dirty) {
    let heard = false;
    try {
      const answer = await fetch(this.#form.dataset.holdUrl, { method: "POST", body: this.#message(dirty), keepalive: true, redirect: "manual" });
      heard = answer.ok;
      if (heard && (await answer.json()).published) this.#published();
    } catch {
      // said again soon; if the server never hears of it, it goes by the time of the last word
    }
    clearTimeout(this.#timer);
    if (this.#told !== dirty || (!dirty && heard)) return;
    this.#timer = setTimeout(() => this.#tell(this.dirty), heard ? RENEW_MS : RETRY_MS);
  }

  #leave() {
    if (!this.#told) return;
    this.#told = false;
    clearTimeout(this.#timer);
    navigator.sendBeacon(this.#form.dataset.holdUrl, this.#message(false));
  }

  #message(dirty) {
    const said = new FormData();
    for (const name of ["csrf_token", "page_id"]) said.set(name, this.#form.querySelector(`[name="${name}"]`).value);
    said.set("dirty", dirty ? "1" : "0");
    const values = JSON.stringify(this.values());
    if (values === this.#said) said.set("attempt", "1"); // repeated by the page alone: that prolongs no session
    this.#said = values;
    return said;
  }
}
