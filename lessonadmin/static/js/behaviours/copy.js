// Copies the value beside the button and says so.
import { toast } from "../toast.js";

export default function copy(button) {
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(button.previousElementSibling);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      toast("Copying is not allowed here. The value is selected: press Ctrl+C.", "warn");
      return;
    }
    button.dataset.copied = "";
    setTimeout(() => { delete button.dataset.copied; }, 2000);
    toast("Copied.", "good");
  });
}
