// A price excludes “Free”, and “Free” a price. Without this script the server says so when both are sent.
export default function price(root) {
  const [typed, free] = ["price", "free"].map((name) => root.querySelector(`[name="${name}"]`));
  const tell = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));
  typed.addEventListener("input", () => { if (typed.value.trim()) free.checked = false; });
  free.addEventListener("change", () => {
    if (!free.checked) return;
    typed.value = "";
    tell(typed);
  });
}
