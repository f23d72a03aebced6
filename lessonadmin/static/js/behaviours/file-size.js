// Says that a chosen file is too large before it is sent; the server looks at it again.
export default function fileSize(input) {
  const most = Number(input.dataset.maxBytes);
  input.addEventListener("change", () => {
    const large = [...input.files].find((file) => file.size > most);
    input.setCustomValidity(large ? `The file has ${(large.size / 1e6).toFixed(1)} MB; it may have ${most / 1e6} MB.` : "");
    input.reportValidity();
  });
}
