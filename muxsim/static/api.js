// The simulator's controls over HTTP, and a word to the person when one is refused.

let toastTimer = 0;

export function say(text) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove("shown"), 3500);
}

export async function ask(method, path, body) {
  const answer = await fetch(`/_sim/api${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const data = await answer.json();
  if (!answer.ok) throw new Error(data.error?.messages?.join(" ") ?? `refused (${answer.status})`);
  return data;
}

// Does something and shows the result at once.
export async function act(method, path, body, done) {
  try {
    const data = await ask(method, path, body);
    if (done) say(done);
    document.dispatchEvent(new Event("sim:changed"));
    return data;
  } catch (error) {
    say(error.message);
    return null;
  }
}
