// Whoever opens the thing that a notice is about has read the notice.
import { csrf } from "../ask-server.js";

export default function readOnOpen(link) {
  const tell = () => {
    const body = new FormData();
    body.set("csrf_token", csrf());
    // goes out even while the page is being left
    fetch(link.dataset.read, { method: "POST", body, headers: { "X-Fragment": "none" }, keepalive: true, credentials: "same-origin" })
      .then(() => document.dispatchEvent(new CustomEvent("notices-read")))
      .catch(() => {});
  };
  link.addEventListener("click", tell);
  link.addEventListener("auxclick", (event) => { if (event.button === 1) tell(); });
}
