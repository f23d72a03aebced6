// Before the modules are there: a press on a button that only a script can answer is remembered, not lost.
// app.js presses it again when its behaviour has come. Small and not a module, so that it is there before the page is.
globalThis.earlyPresses = new Set();
document.addEventListener("click", (event) => {
  const button = event.target.closest?.('button[type="button"][data-js]');
  if (button) globalThis.earlyPresses.add(button);
}, true);
