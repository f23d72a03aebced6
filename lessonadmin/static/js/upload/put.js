// One request of an upload: {status, range, text}; status 0 when there was no answer. `range` is null where the host does not let
// browsers read it.

const STALLED_MS = 180000;

export function put(address, { body = null, type = "", contentRange, progress, signal }) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    let stalled = 0;
    const alive = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => request.abort(), STALLED_MS);
    };
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.open("PUT", address);
    request.setRequestHeader("Content-Range", contentRange);
    if (type) request.setRequestHeader("Content-Type", type);
    request.upload.addEventListener("progress", ({ loaded }) => {
      alive();
      progress?.(loaded);
    });
    request.addEventListener("loadend", () => {
      clearTimeout(stalled);
      // asked for by its name, a header that is hidden would be written to the console as an error
      const range = /^range: bytes=0-(\d+)/im.exec(request.getAllResponseHeaders());
      done({ status: request.status, range: range ? Number(range[1]) + 1 : null, text: request.responseText ?? "" });
    });
    alive();
    request.send(body);
  });
}
