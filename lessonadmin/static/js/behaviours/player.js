// Loads the player's script when there is something to play, and not before.

export default function player(frame) {
  import(frame.dataset.script).catch(() => {
    frame.dataset.failed = "";
  });
}
