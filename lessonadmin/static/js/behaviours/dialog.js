// A button, or a link, that opens the question named by data-dialog. A link leads to the same question as a page of its
// own where no script runs. Escape, Cancel and a click beside the dialog close it.

export default function dialog(opener) {
  const box = document.getElementById(opener.dataset.dialog);
  if (!box) return;
  if (opener.nodeName === "A") beButton(opener);
  opener.addEventListener("click", (event) => open(event, opener));
  if (box.dataset.ready) return; // several openers may share one dialog
  box.dataset.ready = "1";
  box.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]") || (event.target === box && isBeside(box, event))) box.close();
  });
}

/** Looked up at each press: the dialog may have been replaced by a newer one meanwhile. */
function open(event, opener) {
  event.preventDefault();
  document.getElementById(opener.dataset.dialog)?.showModal();
}

/** A screen reader calls the link a button, so the space bar must press it too. */
function beButton(link) {
  link.setAttribute("role", "button");
  link.setAttribute("aria-haspopup", "dialog");
  link.addEventListener("keydown", (event) => { if (event.key === " ") open(event, link); });
}

/** A click on the backdrop counts as one on the dialog; only its place tells them apart. */
function isBeside(box, { clientX, clientY }) {
  const frame = box.getBoundingClientRect();
  return clientX < frame.left || clientX > frame.right || clientY < frame.top || clientY > frame.bottom;
}
