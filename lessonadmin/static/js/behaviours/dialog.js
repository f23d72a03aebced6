// A button that opens the question named by data-dialog. Escape, Cancel and a click beside it close it.

export default function dialog(button) {
  const box = document.getElementById(button.dataset.dialog);
  if (!box) return;
  button.addEventListener("click", () => box.showModal());
  if (box.dataset.ready) return;
  box.dataset.ready = "1";
  box.addEventListener("click", (event) => {
    const frame = box.getBoundingClientRect();
    const outside = event.clientX < frame.left || event.clientX > frame.right
      || event.clientY < frame.top || event.clientY > frame.bottom;
    if (event.target.closest("[data-close]") || (event.target === box && outside)) box.close();
  });
}
