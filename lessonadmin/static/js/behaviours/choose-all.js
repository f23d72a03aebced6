// The box in a table's head that ticks all boxes of its rows, and shows whether all, some or none are ticked.

export default function chooseAll(master) {
  const boxes = () => [...master.closest("table").querySelectorAll("tbody .choose")];
  const show = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    master.checked = chosen > 0 && chosen === boxes().length;
    master.indeterminate = chosen > 0 && chosen < boxes().length;
    master.dispatchEvent(new CustomEvent("chosen", { bubbles: true, detail: chosen }));
  };
  master.addEventListener("change", () => {
    for (const box of boxes()) box.checked = master.checked;
    show();
  });
  master.closest("table").addEventListener("change", (event) => {
    if (event.target.matches("tbody .choose")) show();
  });
  document.addEventListener("state-shown", () => {
    if (master.isConnected) show();
  });
  show();
}
