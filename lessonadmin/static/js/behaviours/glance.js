// The state of the video at the top of a small screen: a copy of what the region shows further down.

export default function glance(link) {
  const [badge, words] = ["badge", "words"].map((part) => link.querySelector(`[data-${part}]`));

  document.addEventListener("state-shown", ({ target, detail }) => {
    const shown = target.querySelector('[data-testid="video-status"]')?.cloneNode(true);
    if (!shown) return;
    shown.removeAttribute("data-testid");
    if (!badge.firstElementChild?.isEqualNode(shown)) badge.replaceChildren(shown);
    if (words.textContent !== detail.said) words.textContent = detail.said;
  });
}
