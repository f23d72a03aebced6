// "Replace": opens the place where a new video comes in and puts the focus on its button.

export default function showUploader(button) {
  const uploader = document.getElementById("uploader");
  button.setAttribute("aria-controls", "uploader");
  button.addEventListener("click", () => {
    uploader.hidden = false;
    uploader.querySelector('[data-part="pick"]').focus();
  });
}
