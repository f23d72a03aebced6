// A link to a question: where scripts run, the question is a dialog on this page. Cancel, Escape and a click beside it
// close the dialog.

export default function ask(link) {
  const box = document.getElementById(link.dataset.dialog);
  if (!box) return;
  link.setAttribute("role", "button");
  link.setAttribute("aria-haspopup", "dialog");
  const open = (event) => {
    event.preventDefault();
    document.getElementById(link.dataset.dialog)?.showModal();
  };
  link.addEventListener("click", open);
  link.addEventListener("keydown", (event) => { if (event.key === " ") open(event); });
  if (box.dataset.ready) return;
  box.dataset.ready = "1";
  box.addEventListener("click", (event) => {
    const frame = box.getBoundingClientRect();
    const outside = event.clientX < frame.left || event.clientX > frame.right
      || event.clientY < frame.top || event.clientY > frame.bottom;
    if (event.target.closest("[data-close]") || (event.target === box && outside)) box.close();
  });
}
