// A picture that does not come (its video may be gone) leaves its place to what stands behind it.

export default function picture(image) {
  const leave = () => {
    image.hidden = true;
  };
  if (image.complete && image.naturalWidth === 0) leave();
  else image.addEventListener("error", leave, { once: true });
}
