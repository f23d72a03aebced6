// A filter that applies itself when it is changed; its button is only needed without a script.

export default function submitOnChange(form) {
  form.addEventListener("change", () => form.requestSubmit());
  for (const button of form.querySelectorAll("[data-only-without-script]")) button.hidden = true;
}
