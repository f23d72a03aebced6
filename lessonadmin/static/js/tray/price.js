// A price as it is typed, in cents; the server looks at it again.

const PRICE = /^\s*(\d{1,7})(?:[.,](\d{1,2}))?\s*$/;

/** null for what is no price. */
export function centsOf(text) {
  const [, whole, part = ""] = PRICE.exec(text) ?? [];
  return whole === undefined ? null : Number(whole) * 100 + Number(part.padEnd(2, "0"));
}

export const textOf = (cents) => (cents / 100).toFixed(2);
export const NO_PRICE = "Enter the price as 9.99, or 0 if the lesson is free.";

/** Says “Free” beside a price of nothing. */
export function sayFree(root) {
  root.querySelector('[data-part="free"]').hidden = centsOf(root.querySelector('[data-field="price"]').value) !== 0;
}
