// The kind of input that fits the comparison: a list of options, a date, a text.

export default function filterRow(row) {
  const choice = row.querySelector("select");
  const show = () => {
    const wanted = choice.selectedOptions[0].dataset.control;
    for (const part of row.querySelectorAll(".filter-row__value")) {
      const fits = part.dataset.control === wanted;
      part.hidden = !fits;
      for (const input of part.querySelectorAll("input, select")) input.disabled = !fits;
    }
  };
  choice.addEventListener("change", show);
  show();
}
