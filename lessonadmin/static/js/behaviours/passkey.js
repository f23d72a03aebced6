// A form whose answer is given by a passkey: asks the server what is to be made or signed, lets the browser do it, and sends
// the form with what came of it. What went wrong is said beside the button; the server judges the answer.
import { postJson, Refusal, SignedOut } from "../ask-server.js";

const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const toText = (buffer) =>
  btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const UNKNOWN = "This browser does not know passkeys, or this page is not loaded over https.";
const CANCELLED = "Nothing happened: the passkey was cancelled, or there is none for this site on this device.";
const ELSEWHERE = "Passkeys do not work under this address. Open the site under its own name (on your own machine: localhost).";
const KNOWN = "There is a passkey of this account on this device already.";
const LOST = "The server cannot be reached. Check the connection and try again.";

export default function passkey(form) {
  const said = form.querySelector("[data-said]");
  const tell = (words) => { said.textContent = words; said.hidden = !words; };
  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    if (!globalThis.PublicKeyCredential) return tell(UNKNOWN);
    busy = true;
    tell("");
    try {
      form.elements.credential.value = JSON.stringify(await answer(form.dataset));
      form.submit();
    } catch (error) {
      busy = false;
      tell(wordsOf(error));
    }
  });
  // Back from the next page, the form is as it was.
  window.addEventListener("pageshow", () => { busy = false; });
}

async function answer({ options, passkey: kind }) {
  const asked = await postJson(options, {});
  return kind === "make" ? made(asked) : signed(asked);
}

async function made(asked) {
  const publicKey = {
    ...asked,
    challenge: toBytes(asked.challenge),
    user: { ...asked.user, id: toBytes(asked.user.id) },
    excludeCredentials: asked.excludeCredentials.map(named),
  };
  const credential = await navigator.credentials.create({ publicKey });
  const { clientDataJSON, attestationObject } = credential.response;
  return whole(credential, { clientDataJSON: toText(clientDataJSON), attestationObject: toText(attestationObject) });
}

async function signed(asked) {
  const publicKey = {
    ...asked,
    challenge: toBytes(asked.challenge),
    allowCredentials: asked.allowCredentials.map(named),
  };
  const credential = await navigator.credentials.get({ publicKey });
  const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response;
  return whole(credential, {
    clientDataJSON: toText(clientDataJSON),
    authenticatorData: toText(authenticatorData),
    signature: toText(signature),
    ...(userHandle ? { userHandle: toText(userHandle) } : {}),
  });
}

const named = (one) => ({ ...one, id: toBytes(one.id) });
const whole = (credential, response) => ({
  id: credential.id,
  rawId: toText(credential.rawId),
  type: credential.type,
  response,
});

function wordsOf(error) {
  if (error instanceof Refusal) return error.message;
  if (error instanceof SignedOut) return "You are signed out. Reload the page and sign in again.";
  if (error.name === "InvalidStateError") return KNOWN;
  if (error.name === "SecurityError") return ELSEWHERE;
  return error instanceof TypeError ? LOST : CANCELLED;
}
