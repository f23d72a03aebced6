// The figure in the bell follows what happens: when the user comes back to the tab, and when a video on the page has
// made a step. It never asks by itself, or a forgotten tab would keep its owner signed in.
import { fragment } from "../ask-server.js";

export default function bell(link) {
  let asking = false;

  async function ask() {
    if (asking || document.hidden) return;
    asking = true;
    try {
      const { root } = await fragment(link.dataset.url, { name: "bell" });
      if (root.textContent !== link.textContent) link.replaceChildren(...document.importNode(root, true).childNodes);
    } catch {
      // signed out or offline: the figure is as old as the page, which does no harm
    } finally {
      asking = false;
    }
  }

  document.addEventListener("visibilitychange", ask);
  let said = null;
  document.addEventListener("state-shown", ({ detail }) => {
    if (said !== null && detail.said !== said) ask();
    said = detail.said;
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) ask(); });
}
