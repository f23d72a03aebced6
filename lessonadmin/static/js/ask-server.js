// Calls to the server of Lessonadmin: the CSRF token, fragments, and what it means when the session has ended.

import { inertDocument } from "./inert.js";

const meta = () => document.querySelector('meta[name="csrf-token"]');

export class SignedOut extends Error {}
export class Refusal extends Error {
  /** The server's own sentence, with its type and status. */
  constructor(status, type, message, retryAfter) {
    super(message);
    this.status = status;
    this.type = type;
    this.retryAfter = retryAfter;
  }
}

export const csrf = () => meta()?.content ?? "";

/** After a new sign-in in another tab the old token is refused; every fragment brings the present one. */
export function renewCsrf(token) {
  if (!token || token === csrf()) return;
  if (meta()) meta().content = token;
  for (const field of document.querySelectorAll('input[name="csrf_token"]')) field.value = token;
}

/** After a new sign-in in another tab: the token that this page would have if it were loaded now. True if it is another. */
async function tokenIsOld() {
  const before = csrf();
  const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual", cache: "no-store" });
  if (!answer.ok) return false;
  const page = inertDocument(await answer.text());
  renewCsrf(page.querySelector('meta[name="csrf-token"]')?.content);
  return csrf() !== before;
}

/** A JSON call. Returns the answer; throws SignedOut, Refusal, or TypeError when there is no connection. */
export const postJson = async (url, body) => (await sendJson("POST", url, body)).said;

/** The same by any method: {said, version}. `version`: what is changed must still have it. `leaving`: the page may go before the answer. */
export async function sendJson(method, url, body = {}, { version = "", again = true, leaving = false } = {}) {
  const answer = await fetch(url, {
    method,
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf(), ...(version ? { "If-Match": `"${version}"` } : {}) },
    body: method === "GET" ? undefined : JSON.stringify(body),
    credentials: "same-origin",
    redirect: "manual",
    cache: "no-store",
    keepalive: leaving,
  });
  if (answer.status === 401 || answer.type === "opaqueredirect") throw new SignedOut();
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return { said, version: (answer.headers.get("ETag") ?? "").replace(/^W\/|"/g, "") };
  const { type = "error", message = "The server did not understand that." } = said.error ?? {};
  if (type === "csrf" && again && await tokenIsOld()) return sendJson(method, url, body, { version, again: false });
  throw new Refusal(answer.status, type, message, answer.headers.get("Retry-After"));
}

/** A piece of a page: {name, root, status, address, version}. `body` is a FormData for a form that is sent. `version`: of the
 *  piece that the page has; null is returned if it is the newest. */
export async function fragment(url, { name, body, version, again = true } = {}) {
  const answer = await fetch(url, {
    method: body ? "POST" : "GET",
    body,
    headers: { "X-Fragment": name, Accept: "text/html", ...(version ? { "If-None-Match": version } : {}) },
    credentials: "same-origin",
    redirect: "manual",
    cache: "no-store",
  });
  if (answer.status === 401 || answer.type === "opaqueredirect") throw new SignedOut();
  if (answer.status === 304) return null;
  const found = answer.headers.get("X-Fragment");
  if (found !== name && body && answer.status === 400 && again && await tokenIsOld()) {
    body.set("csrf_token", csrf());
    return fragment(url, { name, body, again: false });
  }
  if (found !== name) throw new Refusal(answer.status, "page", "");
  const parsed = inertDocument(await answer.text());
  return {
    name: found,
    root: parsed.body.firstElementChild,
    // told in a header: a wrong form is no failure of the connection, which browsers would write to their console
    status: Number(answer.headers.get("X-Status")) || answer.status,
    address: answer.headers.get("Location"),
    version: answer.headers.get("ETag"),
  };
}
