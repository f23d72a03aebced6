// The transcript below a player: a line takes the player to its moment, and the line that is said now is marked.

export default function transcript(region) {
  const player = region.closest(".watch")?.querySelector("mux-player");
  const lines = [...region.querySelectorAll("[data-seconds]")];
  if (!player) return;

  region.addEventListener("click", (event) => {
    const line = event.target.closest("[data-seconds]");
    if (!line) return;
    player.currentTime = Number(line.dataset.seconds);
    player.play?.()?.catch(() => {}); // a browser may want a press on the player itself
    mark(player.currentTime);
  });

  function mark(seconds) {
    const next = lines.findIndex((line) => Number(line.dataset.seconds) > seconds);
    const now = lines[(next < 0 ? lines.length : next) - 1];
    for (const line of lines) {
      if (line === now) line.setAttribute("aria-current", "true");
      else line.removeAttribute("aria-current");
    }
  }
  player.addEventListener("timeupdate", () => {
    if (region.open) mark(player.currentTime);
  });
}
