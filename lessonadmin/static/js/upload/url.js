// What the server is asked before a byte leaves: where to send it. The answer carries a secret that is kept nowhere.
import { postJson } from "../ask-server.js";
import { titleOf } from "./title.js";

/** A reload in the middle must not lose what was written: a draft is stored before the first byte. */
export async function saveFirst(root, file) {
  const form = document.getElementById(`${root.dataset.kind}-form`);
  while (form.isConnected && form.dataset.ready === undefined) await new Promise((done) => { setTimeout(done, 50); });
  const title = form.elements.namedItem("title");
  if (root.dataset.kind === "course" && !title.value.trim()) title.value = titleOf(file.name);
  return new Promise((done, refused) => {
    form.dispatchEvent(new CustomEvent("save-wanted", { detail: { done, refused, fileName: file.name } }));
  });
}

/** {upload_id, upload_url, expires_at} of a new upload, which takes the place of one that is open. */
export const askForUrl = (owner, file, captionLanguage) => postJson("/api/mux/upload-url", {
  ...owner,
  filename: file.name,
  size: file.size,
  content_type: file.type,
  caption_language: captionLanguage || null, // left out it would be the course's
});

/** The same of an upload that was interrupted. */
export const askForUrlAgain = (upload) => postJson("/api/mux/resume-upload", { upload_id: upload });
