// Making and keeping elements: text only ever as text, lists updated row by row so that what is open stays open.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (name === "text") element.textContent = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export const pill = (text, kind = "") => make("span", { class: `pill ${kind}`, text });

// Draws `items` into `list`: one element a key, rebuilt only when its item changed.
export function keep(list, items, key, draw) {
  const known = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const first = list.dataset.drawn === undefined;
  let place = null;
  for (const item of items) {
    const id = String(key(item));
    const mark = JSON.stringify(item);
    let element = known.get(id);
    known.delete(id);
    if (!element || element.dataset.mark !== mark) {
      const fresh = draw(item, element);
      fresh.dataset.key = id;
      fresh.dataset.mark = mark;
      if (element) {
        if (element.open) fresh.open = true;
        restoreFocus(element, fresh);
        element.replaceWith(fresh);
      } else if (!first) fresh.classList.add("fresh");
      if (element && element.contains(document.activeElement)) fresh.focus();
      element = fresh;
    }
    const next = place ? place.nextElementSibling : list.firstElementChild;
    if (next !== element) list.insertBefore(element, next);
    place = element;
  }
  for (const gone of known.values()) gone.remove();
  list.dataset.drawn = "";
  const empty = list.closest("section")?.querySelector(".empty");
  if (empty && list.dataset.counts !== "no") empty.hidden = items.length > 0;
}

function restoreFocus(old, fresh) {
  const label = old.contains(document.activeElement) ? document.activeElement.textContent : null;
  if (label === null) return;
  queueMicrotask(() => [...fresh.querySelectorAll("button, summary")].find((one) => one.textContent === label)?.focus());
}

export const time = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);
export const size = (bytes) =>
  bytes == null ? "?" : bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

export function span(seconds) {
  const left = Math.max(0, Math.round(seconds));
  if (left < 90) return `${left} s`;
  if (left < 5400) return `${Math.round(left / 60)} min`;
  return left < 172800 ? `${Math.round(left / 3600)} h` : `${Math.round(left / 86400)} d`;
}
