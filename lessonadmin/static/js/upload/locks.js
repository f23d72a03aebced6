// One tab alone writes an upload. A browser without Web Locks knows nothing of its other tabs: there every tab may.

const nameOf = (upload) => `lessonadmin upload ${upload}`;

/** A function that lets the upload go; null while another tab has it. */
export function hold(upload) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((done, failed) => {
    navigator.locks.request(nameOf(upload), { ifAvailable: true }, (lock) => {
      if (lock) return new Promise((letGo) => { done(letGo); });
      done(null);
      return null;
    }).catch(failed);
  });
}

export async function isHeld(upload) {
  if (!navigator.locks) return false;
  return (await navigator.locks.query()).held.some(({ name }) => name === nameOf(upload));
}

/** Until no tab has it; rejects when `signal` says so. */
export async function untilFree(upload, signal) {
  await navigator.locks.request(nameOf(upload), { signal }, () => {});
}
