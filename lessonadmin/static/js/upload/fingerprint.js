// Is a file the one whose upload was begun? By size, date, and the hashes of its first bytes, its last bytes and the part that
// arrived last. Bytes that Mux has are never written over, so another file would end in a video mixed of both.

const ENDS = 64 * 1024;

async function hash(file, from, end) {
  const bytes = await file.slice(from, end).arrayBuffer();
  return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map((one) => one.toString(16).padStart(2, "0")).join("");
}

/** What tells a file from others, before anything of it has arrived. */
export async function fingerprint(file) {
  return {
    name: file.name,
    size: file.size,
    date: file.lastModified,
    head: await hash(file, 0, ENDS),
    tail: await hash(file, Math.max(0, file.size - ENDS), file.size),
    from: 0,
    end: 0,
    last: await hash(file, 0, 0),
  };
}

/** The same, for the part that has arrived last. */
export async function arrived(file, from, end) {
  return { from, end, last: await hash(file, from, end) };
}

/** "" for the same file, else what differs: "size", "date" or "content"; "unread" if it cannot be read. */
export async function differs(file, record) {
  if (file.size !== record.size) return "size";
  if (file.lastModified !== record.date) return "date";
  try {
    const found = { ...await fingerprint(file), ...await arrived(file, record.from, record.end) };
    return ["head", "tail", "last"].every((one) => found[one] === record[one]) ? "" : "content";
  } catch {
    return "unread";
  }
}
