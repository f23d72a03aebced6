// Files that were not taken, a line each that says why, until it is dismissed.

export class Refusals {
  #root;
  #pattern;

  constructor(root, pattern) {
    this.#root = root;
    this.#pattern = pattern;
    root.querySelector('[data-part="dismiss-all"]').addEventListener("click", () => this.#remove([...this.#list.children]));
  }

  get #list() {
    return this.#root.querySelector("ul");
  }

  add(sentences) {
    for (const words of sentences) {
      const line = this.#pattern.content.firstElementChild.cloneNode(true);
      line.querySelector("[data-words]").textContent = words;
      line.querySelector("button").addEventListener("click", () => this.#remove([line]));
      this.#list.append(line);
    }
    this.#root.hidden = !this.#list.children.length;
  }

  #remove(lines) {
    const next = lines.at(-1)?.nextElementSibling ?? lines[0]?.previousElementSibling;
    for (const line of lines) line.remove();
    this.#root.hidden = !this.#list.children.length;
    (next?.isConnected ? next.querySelector("button") : document.querySelector('[data-part="pick"]')).focus();
  }
}
