// The one loader. Every element with data-js="name" gets behaviours/name.js; a page that uses none loads none.
// A button or a box that was pressed before its behaviour came (early.js has noted it) is pressed again when it has.

const attached = new WeakMap();
const pressed = globalThis.earlyPresses ?? new Set();

async function load(element, name) {
  const names = attached.get(element) ?? new Set();
  if (names.has(name) || !/^[a-z-]+$/.test(name)) return;
  attached.set(element, names.add(name));
  try {
    const { default: behave } = await import(`./behaviours/${name}.js`);
    behave(element);
    element.addEventListener("click", () => pressed.delete(element));
    if (pressed.delete(element)) element.click();
  } catch (error) {
    console.error(`behaviour ${name}`, error);
  }
}

/** Give life to everything in `root`; also to be called for fragments that are put into the page later. */
export function attach(root) {
  const found = [...root.querySelectorAll("[data-js]")];
  if (root.matches?.("[data-js]")) found.unshift(root);
  for (const element of found) {
    for (const name of element.dataset.js.split(/\s+/).filter(Boolean)) load(element, name);
  }
}

attach(document);
