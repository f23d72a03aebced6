// "/" and Ctrl-K put the cursor into the search of the page: that of the bar if there is one, else the page's own.

export default function shortcuts(body) {
  body.ownerDocument.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target);
    const k = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (!slash && !k) return;
    const box = body.querySelector("[data-main-search]") ?? body.querySelector('main input[type="search"]');
    if (!box || body.querySelector("dialog[open]")) return;
    event.preventDefault();
    box.focus();
    box.select();
  });
}

function isTyping(target) {
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}
