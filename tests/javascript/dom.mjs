// As much of a browser's DOM as patch.js uses, so that its tests need no browser. `html` is written as nested arrays:
// ["p", {id: "a"}, "text", ["b"]].

class FakeNode {
  constructor(nodeType, nodeName) {
    Object.assign(this, { nodeType, nodeName, childNodes: [], parent: null, nodeValue: null });
  }

  get firstChild() { return this.childNodes[0] ?? null; }

  get nextSibling() {
    const siblings = this.parent.childNodes;
    return siblings[siblings.indexOf(this) + 1] ?? null;
  }

  remove() {
    this.parent.childNodes.splice(this.parent.childNodes.indexOf(this), 1);
    this.parent = null;
  }

  insertBefore(node, place) {
    const at = place ? this.childNodes.indexOf(place) : this.childNodes.length;
    this.childNodes.splice(at, 0, node);
    node.parent = this;
  }

  isEqualNode(other) { return JSON.stringify(written(this)) === JSON.stringify(written(other)); }
}

class FakeElement extends FakeNode {
  constructor(name, attributes) {
    super(FakeNode.ELEMENT_NODE, name.toUpperCase());
    this.values = new Map(Object.entries(attributes));
  }

  get id() { return this.values.get("id") ?? ""; }
  get dateTime() { return this.values.get("datetime") ?? ""; }
  get dataset() { return { keep: this.values.get("data-keep") }; }
  get attributes() { return [...this.values].map(([name, value]) => ({ name, value })); }
  hasAttribute(name) { return this.values.has(name); }
  getAttribute(name) { return this.values.get(name) ?? null; }
  setAttribute(name, value) { this.values.set(name, value); }
  removeAttribute(name) { this.values.delete(name); }
}

FakeNode.ELEMENT_NODE = 1;
const TEXT_NODE = 3;

/** The node that the nested arrays describe. */
export function node(html) {
  if (typeof html === "string") return Object.assign(new FakeNode(TEXT_NODE, "#text"), { nodeValue: html });
  const [name, ...rest] = html;
  const hasAttributes = typeof rest[0] === "object" && !Array.isArray(rest[0]);
  const element = new FakeElement(name, hasAttributes ? rest.shift() : {});
  for (const child of rest) element.insertBefore(node(child), null);
  return element;
}

/** The nested arrays that describe the node; attributes in the order of the alphabet. */
export function written(element) {
  if (element.nodeType === TEXT_NODE) return element.nodeValue;
  const attributes = Object.fromEntries([...element.values].sort());
  const named = element.values.size ? [attributes] : [];
  return [element.nodeName.toLowerCase(), ...named, ...element.childNodes.map(written)];
}

globalThis.Node = FakeNode;
globalThis.document = { importNode: (original) => node(written(original)) };
