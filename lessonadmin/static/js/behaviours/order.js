// Puts rows in another order without leaving the page: by the arrow buttons, which also work without this script, and by
// dragging the handle. Each step is said aloud and stored; when it cannot be stored, the rows go back to where they were.
// A row with data-section stands above its rows and moves with them, past its neighbour; another row steps over it, into the next section.
// Rows may be added later ("rows-changed"); "order-changed" tells of a step.
import { SignedOut, csrf } from "../ask-server.js";
import { toast } from "../toast.js";

export default function order(form) {
  const list = form.querySelector("ol");
  const announce = form.querySelector("[data-announce]");
  const rows = () => [...list.children];
  let stored = [];
  let sending = Promise.resolve();

  /** Still there for the focus, but there is nowhere to go. */
  function rest(button, resting) {
    if (resting) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }

  const isSection = (row) => "section" in row.dataset;

  /** What moves together: a section with its rows, or one row. */
  function together(row) {
    const block = [row];
    if (!isSection(row)) return block;
    for (let next = row.nextElementSibling; next && !isSection(next); next = next.nextElementSibling) block.push(next);
    return block;
  }

  /** What a row would change places with; nothing at the end. */
  function neighbour(row, step) {
    if (!isSection(row)) {
      const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
      return other ? [other] : [];
    }
    const sections = rows().filter(isSection);
    const other = sections[sections.indexOf(row) + step];
    return other ? together(other) : [];
  }

  /** The neighbour moves, not the row: so the row keeps the focus and the pointer. */
  function swap(row, others, step) {
    if (step < 0) together(row).at(-1).after(...others);
    else row.before(...others);
  }

  function show() {
    for (const row of rows()) {
      const [up, down] = row.querySelectorAll("[data-step]");
      rest(up, !neighbour(row, -1).length);
      rest(down, !neighbour(row, 1).length);
    }
  }

  function say(row) {
    const alike = rows().filter((one) => isSection(one) === isSection(row));
    const above = rows().slice(0, rows().indexOf(row)).filter(isSection).at(-1);
    const where = above && !isSection(row) ? `, in the section “${above.dataset.title}”` : "";
    announce.textContent = `“${row.dataset.title}” is now number ${alike.indexOf(row) + 1} of ${alike.length}${where}.`;
  }

  async function send() {
    const wanted = rows();
    const body = new FormData(form);
    body.set("csrf_token", csrf());
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body,
        headers: { "X-Fragment": "order" },
        credentials: "same-origin",
        redirect: "manual",
      });
      if (answer.type === "opaqueredirect" || answer.status === 401) throw new SignedOut();
      if (!answer.ok) throw new Error(String(answer.status));
      stored = wanted;
    } catch (error) {
      list.prepend(...stored.filter((row) => row.isConnected)); // rows that were added since come last
      show();
      form.dispatchEvent(new CustomEvent("order-changed"));
      toast(
        error instanceof SignedOut
          ? "The order is not saved: you are signed out. Sign in again in another tab, then try again here."
          : "The order is not saved: the server could not be reached. Try again.",
        "bad",
      );
    }
  }

  function moved(row) {
    show();
    say(row);
    delete row.dataset.moved;
    requestAnimationFrame(() => { row.dataset.moved = ""; });
    form.dispatchEvent(new CustomEvent("order-changed"));
    sending = sending.then(send); // one after the other: the last one counts
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter;
    const step = Number(button?.dataset.step ?? 0);
    const row = button?.closest("li");
    const others = row ? neighbour(row, step) : [];
    if (!others.length) return;
    swap(row, others, step);
    moved(row);
  });

  function drag(event, handle) {
    if (event.button !== 0) return;
    event.preventDefault();
    const row = handle.closest("li");
    const before = rows();
    const block = together(row);
    let from = event.clientY;
    handle.setPointerCapture(event.pointerId);
    for (const one of block) one.dataset.dragged = "";

    const move = ({ clientY }) => {
      const shift = clientY - from;
      const others = shift ? neighbour(row, Math.sign(shift)) : [];
      const height = others.reduce((sum, one) => sum + one.getBoundingClientRect().height, 0);
      if (others.length && Math.abs(shift) > height / 2) {
        swap(row, others, shift);
        from += Math.sign(shift) * height;
      }
      for (const one of block) one.style.translate = `0 ${clientY - from}px`;
    };
    const end = (done) => {
      handle.removeEventListener("pointermove", move);
      handle.removeEventListener("pointerup", drop);
      handle.removeEventListener("pointercancel", give);
      document.removeEventListener("keydown", escape);
      for (const one of block) {
        one.style.translate = "";
        delete one.dataset.dragged;
      }
      if (!done) list.append(...before);
      else if (before.some((one, number) => one !== rows()[number])) moved(row);
    };
    const drop = () => end(true);
    const give = () => end(false);
    const escape = ({ key }) => { if (key === "Escape") end(false); };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", drop);
    handle.addEventListener("pointercancel", give);
    document.addEventListener("keydown", escape);
  }

  function look() {
    const all = rows();
    stored = [...stored.filter((row) => row.isConnected), ...all.filter((row) => !stored.includes(row))];
    for (const handle of list.querySelectorAll("[data-handle]")) handle.hidden = all.length < 2;
    show();
  }

  list.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-handle]");
    if (handle) drag(event, handle);
  });
  form.addEventListener("rows-changed", look);
  look();
}
