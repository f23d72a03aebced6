// A form that takes the moment of the player beside it: what is seen there when its button is pressed becomes the picture.

export default function pictureMoment(form) {
  // not with the submit event, which the region around it takes for itself
  form.querySelector("button").addEventListener("click", () => {
    const player = form.closest("[data-state]")?.querySelector("mux-player");
    form.elements.seconds.value = String(player?.currentTime ?? 0);
  });
}
