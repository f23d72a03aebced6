// Text of the server as a document whose scripts never run. The one place where text becomes HTML: the policy of the
// pages lets no other through (Trusted Types; a browser that does not know them takes the text as it is).

const policy = globalThis.trustedTypes?.createPolicy("lessonadmin", { createHTML: (text) => text });

export const inertDocument = (text) =>
  new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, "text/html");
