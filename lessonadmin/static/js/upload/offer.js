// The offer to go on with an upload that was interrupted, for the browser that remembers it: how far it got, the same file again,
// compared before a byte is sent. It also says when another tab of this browser sends it.
import { differs } from "./fingerprint.js";
import { hold, isHeld, untilFree } from "./locks.js";
import { size } from "./meter.js";

const ANEW = "Nothing was sent and nothing is lost: choose the original file, or upload this one from the beginning.";

export function wrongFile(why, file, record) {
  const chosen = `“${file.name}”`;
  const begun = `“${record.name}”`;
  if (why === "unread") return `${chosen} could not be read. Was it moved, or is its disk gone? Choose it again.`;
  if (why === "size") return `${chosen} (${size(file.size)}) is not the file whose upload was interrupted: ${begun} has ${size(record.size)}. ${ANEW}`;
  if (file.name === record.name) return `${chosen} is not the same as when its upload began: it was changed, or it is another file of that name. ${ANEW}`;
  return `${chosen} is not the file whose upload was interrupted, ${begun}, although it is as large. ${ANEW}`;
}

function progressOf({ name, size: whole, end }) {
  const arrived = end ? `${Math.floor((end / whole) * 100)} % of it is at Mux: ${size(end, whole)} of ${size(whole)}.` : "Nothing of it is at Mux yet.";
  return `The upload of “${name}” was interrupted. ${arrived}`;
}

export class Offer {
  #panel;
  #memory;
  #take;
  #upload = "";
  #record = null;
  #declined = "";
  #stop = new AbortController();

  /** `take(record, file, letGo, handle)`: the file is the same, and no other tab sends it. */
  constructor(panel, memory, take) {
    this.#panel = panel;
    this.#memory = memory;
    this.#take = take;
    const part = panel.part("resume");
    panel.part("continue").addEventListener("click", () => this.#continue());
    panel.part("same").addEventListener("change", ({ target }) => {
      const [file] = target.files;
      if (file) this.#compare(file, null);
      target.value = "";
    });
    part.addEventListener("drop", ({ dataTransfer }) => {
      const handle = handleOf(dataTransfer);
      if (dataTransfer.files[0]) this.#compare(dataTransfer.files[0], handle);
    });
    panel.part("anew").addEventListener("click", () => {
      this.#declined = this.#upload;
      this.leave();
      panel.part("pick").focus();
    });
  }

  get isMade() {
    return this.#upload !== "" && !this.#panel.part("resume").hidden;
  }

  /** `upload`: the one that waits for its file, as the server says; "" if none does. `refused`: why it stopped, in words. */
  async consider(upload, refused = "") {
    if ((upload === this.#upload && !refused) || upload === this.#declined) return;
    if (this.#upload && upload !== this.#upload) this.#memory.forget(this.#upload); // it is over
    this.leave();
    if (!upload) return;
    this.#upload = upload;
    await this.#look(this.#stop.signal, refused);
  }

  async #look(signal, refused) {
    const upload = this.#upload;
    if (await isHeld(upload)) {
      if (signal.aborted) return;
      this.#show("This video is being uploaded in another tab of this browser. Keep that tab open.", { elsewhere: true });
      await untilFree(upload, signal).catch(() => {});
    }
    if (signal.aborted) return;
    const record = await this.#memory.get(upload);
    if (signal.aborted) return;
    this.#record = record ?? null;
    if (record) this.#show(progressOf(record), { refused });
    else this.#withdraw();
  }

  /** Nothing is offered any more, and nothing is forgotten. */
  leave() {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#upload = "";
    this.#record = null;
    this.#withdraw();
  }

  #show(words, { elsewhere = false, refused = "" } = {}) {
    const { root } = this.#panel;
    root.hidden = false;
    this.#panel.region.toggleAttribute("data-resumable", true);
    this.#panel.part("how").textContent = words;
    this.#panel.part("continue").hidden = elsewhere;
    const again = this.#record?.handle ? "Press “Continue upload”, and it goes on from there." : "Choose the same file again, and it goes on from there.";
    this.#panel.part("way").textContent = elsewhere ? "" : again;
    this.#refuse(refused);
    this.#panel.show("resume");
  }

  #withdraw() {
    this.#panel.region.toggleAttribute("data-resumable", false);
    if (!this.#panel.part("resume").hidden) this.#panel.show("choose");
  }

  #refuse(words) {
    const note = this.#panel.part("other-file");
    note.querySelector("[data-words]").textContent = words;
    note.hidden = !words;
  }

  async #continue() {
    const { handle } = this.#record;
    const file = handle ? await fromHandle(handle) : null;
    if (file) await this.#compare(file, handle);
    else this.#panel.part("same").click();
  }

  async #compare(file, given) {
    const record = this.#record;
    if (!record) return;
    const button = this.#panel.part("continue");
    button.setAttribute("aria-busy", "true");
    const why = await differs(file, record);
    const handle = await given;
    button.removeAttribute("aria-busy");
    if (record !== this.#record) return;
    this.#refuse(why ? wrongFile(why, file, record) : "");
    if (why) return;
    const letGo = await hold(record.upload);
    if (!letGo) {
      await this.#look(this.#stop.signal, "");
      return;
    }
    // what another tab sent meanwhile is remembered by now
    const newest = await this.#memory.get(record.upload) ?? record;
    this.leave();
    this.#take(newest, file, letGo, handle ?? record.handle);
  }
}

/** The way to a file that is being dropped, for browsers that can keep it: to be asked for while it is dropped. */
export function handleOf({ items }) {
  return Promise.resolve(items[0]?.getAsFileSystemHandle?.()).then((handle) => (handle?.kind === "file" ? handle : null), () => null);
}

/** The file that the browser kept the way to, if its user still wants that. */
export async function fromHandle(handle) {
  try {
    return await handle.requestPermission({ mode: "read" }) === "granted" ? await handle.getFile() : null;
  } catch {
    return null; // moved or gone: it is asked for instead
  }
}
