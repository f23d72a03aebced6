// Makes a living piece of the page look like a fresh one from the server and leaves alone whatever is the same, so that
// nothing flickers, the focus stays where it is and a player goes on playing.
//
// No library (idiomorph) in its place: it is many times as long, and what matters here would have to be written as its
// callbacks all the same: data-keep for players, attributes that scripts set, times in the reader's own clock. A field's
// value is a property, not an attribute, so what was typed stays too.

// what behaviours add, and what belongs to the moment
const OURS = new Set(["open", "aria-busy", "data-ready", "role", "aria-haspopup", "aria-controls"]);

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset.keep || node.id || "" : "");
// another moment is another element: a script has written the old one in the reader's own way
const sameKind = (one, other) =>
  one.nodeType === other.nodeType && one.nodeName === other.nodeName && keyOf(one) === keyOf(other)
  && (one.nodeName !== "TIME" || one.dateTime === other.dateTime);

function settled(living, fresh) {
  if (living.isEqualNode(fresh)) return true;
  if (living.dataset?.keep) return true;
  // scripts rewrite times in the reader's own way
  return living.nodeName === "TIME" && living.dateTime === fresh.dateTime;
}

function attributes(living, fresh) {
  for (const { name } of [...living.attributes]) {
    if (!fresh.hasAttribute(name) && !OURS.has(name)) living.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (living.getAttribute(name) !== value) living.setAttribute(name, value);
  }
}

function find(from, wanted) {
  if (!from) return null;
  if (!keyOf(wanted)) return sameKind(from, wanted) ? from : null;
  for (let node = from; node; node = node.nextSibling) if (sameKind(node, wanted)) return node;
  return null;
}

function children(living, fresh) {
  let at = living.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const found = find(at, wanted);
    if (!found) {
      living.insertBefore(document.importNode(wanted, true), at);
      continue;
    }
    while (at !== found) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
    patch(found, wanted);
    at = found.nextSibling;
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** Change `living` into what `fresh` is. An element with data-keep is never touched inside. */
export function patch(living, fresh) {
  if (settled(living, fresh)) return;
  if (living.nodeType !== Node.ELEMENT_NODE) {
    if (living.nodeValue !== fresh.nodeValue) living.nodeValue = fresh.nodeValue;
    return;
  }
  attributes(living, fresh);
  children(living, fresh);
}
