// The messages that came with the page.
import { manage } from "../toast.js";

export default function toasts(region) {
  for (const element of region.querySelectorAll(".toast")) {
    manage(element);
    const text = element.querySelector("p");
    const words = [...text.childNodes];
    // Present from the start, the words would not be read out: taken away and put back, they are.
    text.replaceChildren();
    setTimeout(() => { text.replaceChildren(...words); }, 50);
  }
}
