// The files of a drop, also those in folders, and the way to each for browsers that can keep it.

const MAX_FOUND = 2000;
const MAX_DEPTH = 8;

async function ofHandle(folder, path, found, depth) {
  for await (const handle of folder.values()) {
    if (found.length >= MAX_FOUND) return;
    const inside = `${path}/${handle.name}`;
    if (handle.kind === "file") found.push({ file: await handle.getFile(), handle, path: inside, inFolder: true });
    else if (depth < MAX_DEPTH) await ofHandle(handle, inside, found, depth + 1);
  }
}

async function ofEntry(folder, path, found, depth) {
  const reader = folder.createReader();
  for (;;) {
    // a reader gives a hundred at a time
    const entries = await new Promise((done, failed) => { reader.readEntries(done, failed); });
    if (!entries.length) return;
    for (const entry of entries) {
      if (found.length >= MAX_FOUND) return;
      const inside = `${path}/${entry.name}`;
      if (entry.isFile) found.push({ file: await new Promise((done, failed) => { entry.file(done, failed); }), handle: null, path: inside, inFolder: true });
      else if (depth < MAX_DEPTH) await ofEntry(entry, inside, found, depth + 1);
    }
  }
}

/** [{file, handle, path, inFolder}]. What is asked of the drop is asked while it is dropped: afterwards it is empty. */
export async function gather(dataTransfer) {
  const items = [...dataTransfer.items].filter(({ kind }) => kind === "file").map((item) => ({
    file: item.getAsFile(),
    entry: item.webkitGetAsEntry?.() ?? null,
    handle: Promise.resolve(item.getAsFileSystemHandle?.()).catch(() => null),
  }));
  const found = [];
  for (const { file, entry, handle } of items) {
    const way = await handle;
    if (way?.kind === "directory") await ofHandle(way, way.name, found, 1);
    else if (entry?.isDirectory) await ofEntry(entry, entry.name, found, 1);
    else if (file) found.push({ file, handle: way, path: file.name, inFolder: false });
  }
  return found;
}

/** The same of a file dialogue. */
export const chosen = (files) => [...files].map((file) => ({ file, handle: null, path: file.name, inFolder: false }));
