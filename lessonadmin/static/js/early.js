// Before the modules are there: a press on a button or a box that only a script can answer is remembered, not lost.
// app.js presses it again when its behaviour has come. Small and not a module, so that it is there before the page is.
globalThis.earlyPresses = new Set();
document.addEventListener("click", (event) => {
  const pressed = event.target.closest?.('button[type="button"][data-js], input[type="checkbox"][data-js]');
  if (pressed?.type === "checkbox" && !pressed.checked) globalThis.earlyPresses.delete(pressed);
  else if (pressed) globalThis.earlyPresses.add(pressed);
}, true);
