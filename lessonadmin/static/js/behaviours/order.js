// Puts rows in another order without leaving the page: by the arrow buttons, which also work without this script, and by
// dragging the handle. Each step is said aloud and stored; when it cannot be stored, the rows go back to where they were.
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

  /** The neighbour moves, not the row: so the row keeps the focus and the pointer. */
  function swap(row, other, step) {
    if (step < 0) row.after(other);
    else row.before(other);
  }

  function show() {
    const all = rows();
    for (const row of all) {
      const [up, down] = row.querySelectorAll("[data-step]");
      rest(up, row === all[0]);
      rest(down, row === all.at(-1));
    }
  }

  function say(row) {
    announce.textContent = `“${row.dataset.title}” is now number ${rows().indexOf(row) + 1} of ${rows().length}.`;
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
    const other = step < 0 ? row?.previousElementSibling : row?.nextElementSibling;
    if (!other) return;
    swap(row, other, step);
    moved(row);
  });

  function drag(event, handle) {
    if (event.button !== 0) return;
    event.preventDefault();
    const row = handle.closest("li");
    const before = rows();
    let from = event.clientY;
    handle.setPointerCapture(event.pointerId);
    row.dataset.dragged = "";

    const move = ({ clientY }) => {
      const shift = clientY - from;
      const other = shift < 0 ? row.previousElementSibling : row.nextElementSibling;
      const box = other?.getBoundingClientRect();
      if (other && Math.abs(shift) > box.height / 2) {
        swap(row, other, shift);
        from += Math.sign(shift) * box.height;
      }
      row.style.translate = `0 ${clientY - from}px`;
    };
    const end = (done) => {
      handle.removeEventListener("pointermove", move);
      handle.removeEventListener("pointerup", drop);
      handle.removeEventListener("pointercancel", give);
      document.removeEventListener("keydown", escape);
      row.style.translate = "";
      delete row.dataset.dragged;
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
