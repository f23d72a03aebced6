// What this browser remembers of uploads that are not finished, in IndexedDB, by user and upload. Never a URL: that is asked for again.
// A browser that cannot remember behaves as one that has nothing to remember: every failure here is silence.

const DATABASE = "lessonadmin";
const STORE = "uploads";

function open() {
  return new Promise((done, failed) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: ["user", "upload"] });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = asked.onblocked = () => failed(asked.error);
  });
}

/** `act` gets the store and answers a request; the answer is that request's result, once everything is written. */
async function inStore(mode, act) {
  const database = await open();
  try {
    return await new Promise((done, failed) => {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => done(request?.result);
      transaction.onerror = transaction.onabort = () => failed(transaction.error);
    });
  } finally {
    database.close();
  }
}

export class Memory {
  #user;

  /** `user`: whose memory it is; another user of the same browser is shown nothing of it. */
  constructor(user) {
    this.#user = user;
  }

  /** True if it is remembered now. */
  async put(record) {
    const mine = { ...record, user: this.#user };
    try {
      await inStore("readwrite", (store) => store.put(mine));
      return true;
    } catch (error) {
      // a handle that the browser cannot keep is no reason to forget the rest
      return error.name === "DataCloneError" && record.handle ? this.put({ ...record, handle: null }) : false;
    }
  }

  async get(upload) {
    return inStore("readonly", (store) => store.get([this.#user, upload])).catch(() => undefined);
  }

  async forget(upload) {
    await inStore("readwrite", (store) => store.delete([this.#user, upload])).catch(() => {});
  }

  /** What Mux has ended by now, of every user. */
  async forgetOld(now = Date.now()) {
    await inStore("readwrite", (store) => {
      store.openCursor().onsuccess = ({ target: { result: cursor } }) => {
        if (!cursor) return;
        if (cursor.value.until < now) cursor.delete();
        cursor.continue();
      };
    }).catch(() => {});
  }
}
