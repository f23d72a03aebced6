// What is wrong with a file before its first byte leaves, in words that tell what to do. The server checks the same again.

const UNKNOWN = new Set(["", "application/octet-stream"]);
const MB = 1024 * 1024;

const ending = (name) => (name.includes(".") ? name.split(".").pop().toLowerCase() : "");

const kindOf = (file, rules) => (UNKNOWN.has(file.type) ? rules.endings[ending(file.name)] ?? file.type : file.type);

/** Is it one of the kinds that are accepted, whatever else may be wrong with it? */
export const isVideo = (file, rules) => rules.types.includes(kindOf(file, rules));

/** A sentence, or "" for a file that may go. `rules`: types, endings (ending to type), names, maxMb. */
export function wrongWith(file, rules) {
  const choose = `Choose an ${rules.names} file.`;
  if (!(file instanceof File)) return `That was text or a link, not a file. Drop the video file itself, or choose it by the button.`;
  const kind = kindOf(file, rules);
  if (file.size === 0) return `“${file.name}” is empty: it has no bytes. If it is still being copied or exported, wait until that is done and choose it again.`;
  if (!rules.types.includes(kind)) return `“${file.name}” cannot be used. ${choose}`;
  if (file.size > rules.maxMb * MB) return `“${file.name}” is larger than ${rules.maxMb} MB. Please export it smaller (1080p is enough) and choose it again.`;
  return "";
}

export function rulesOf(data) {
  return {
    types: data.types.split(" "),
    endings: JSON.parse(data.endings),
    names: data.names,
    maxMb: Number(data.maxMb),
  };
}

/** The same for the file dialogue. */
export const offered = (rules) => [...rules.types, ...Object.keys(rules.endings).map((one) => `.${one}`)].join(",");
