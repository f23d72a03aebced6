// The bar of actions above a list: says how many rows are selected, disables what would change none of them (the rows say
// what would: data-useful), and asks before what wants to be asked.
import { toast } from "../toast.js";

export default function chosenActions(form) {
  const count = form.querySelector("[data-count]");
  const dialog = document.getElementById("action-dialog");
  const words = dialog?.querySelector("[data-words]");
  const yes = dialog?.querySelector("[data-yes]");
  const first = [...count.childNodes];
  let agreed = null;

  const everything = () => form.querySelector('[name="scope"]'); // a list that keeps itself fresh may lose it and get it back
  const rows = () => [...document.querySelectorAll(`.choose[form="${form.id}"]:checked`)];
  const chosen = () => rows().length;
  const changes = (action) => rows().some((row) => row.dataset.useful?.split(" ").includes(action) ?? true);
  const offer = (button, useful) => {
    button.disabled = !useful;
    if (useful) button.removeAttribute("title");
    else button.title = form.dataset.useless;
  };
  const show = () => {
    const number = chosen();
    const open = number === 0 || Boolean(everything()?.checked);
    for (const button of form.querySelectorAll('button[name="action"]')) offer(button, open || changes(button.value));
    form.toggleAttribute("data-chosen", number > 0 || Boolean(everything()?.checked));
    if (number) count.textContent = `${number.toLocaleString("en")} selected`;
    else count.replaceChildren(...first);
  };
  document.addEventListener("change", show);
  document.addEventListener("chosen", show);
  document.addEventListener("state-shown", show);
  window.addEventListener("pageshow", show);
  show();

  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    const all = Boolean(everything()?.checked);
    if (!all && chosen() === 0) {
      event.preventDefault();
      toast("Select at least one row first.", "warn");
      return;
    }
    if (!button?.dataset.confirm || agreed === button) {
      button?.setAttribute("aria-busy", "true");
      return;
    }
    event.preventDefault();
    const label = button.textContent.trim();
    const which = all ? everything().parentElement.textContent.trim().toLowerCase() : count.textContent;
    dialog.querySelector("h2").textContent = `${label}: ${which}`;
    words.textContent = button.dataset.confirm;
    yes.textContent = label;
    yes.onclick = () => {
      agreed = button;
      dialog.close();
      form.requestSubmit(button);
    };
    dialog.showModal();
  });
  dialog?.querySelector("[data-no]").addEventListener("click", () => dialog.close());
  dialog?.addEventListener("close", () => setTimeout(() => { agreed = null; }));
  window.addEventListener("pageshow", () => {
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  });
}
