// The messages that came with the page, and the space for all that follow.
import { keepSpace, manage } from "../toast.js";

export default function toasts(region) {
  keepSpace(region);
  for (const element of region.querySelectorAll(".toast")) {
    manage(element);
    const text = element.querySelector("p");
    const words = [...text.childNodes];
    // Present from the start, the words would not be read out: taken away and put back, they are.
    text.replaceChildren();
    setTimeout(() => { text.replaceChildren(...words); }, 50);
  }
}
