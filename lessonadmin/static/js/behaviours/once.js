// A form is sent once, however often its button is pressed. Works on the form or on its button.

export default function once(element) {
  const form = element.closest("form");
  if (!form) return;
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    (event.submitter ?? form.querySelector('[type="submit"]'))?.setAttribute("aria-busy", "true");
  });
  // Back from the next page, the form is as it was.
  window.addEventListener("pageshow", () => {
    sent = false;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  });
}
