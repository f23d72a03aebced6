// A link to a part of the page: where scripts run, the part is fetched and put in the place of the element named by
// data-into; the link itself leads to the same by a whole page.
import { attach } from "../app.js";
import { SignedOut, fragment } from "../ask-server.js";
import { toast } from "../toast.js";

export default function fetchPart(link) {
  link.addEventListener("click", async (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    if (link.getAttribute("aria-busy") === "true") return;
    link.setAttribute("aria-busy", "true");
    try {
      const found = await fragment(link.href, { name: link.dataset.fragment });
      const fresh = document.importNode(found.root, true);
      document.getElementById(link.dataset.into).replaceWith(fresh);
      attach(fresh);
      fresh.tabIndex = -1;
      fresh.focus({ preventScroll: true });
    } catch (error) {
      link.removeAttribute("aria-busy");
      toast(
        error instanceof SignedOut
          ? "You are signed out. Sign in again in another tab, then try again here."
          : "The server could not be reached. Try again.",
        "bad",
      );
    }
  });
}
