// Which of the files that were dropped or chosen are taken, in which order, and why the others are not. Pure.
import { isVideo, wrongWith } from "../upload/checks.js";

const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Is this one the same file as that one, as far as a browser shows without reading it? */
const isSame = (one, other) => one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;

/**
 * `found`: [{file, handle, path, inFolder}]. `present`: files that the page has. Answers {taken, refused}: taken in natural
 * order of their names, refused as sentences. A folder's files of other kinds are passed over in silence.
 */
export function sift(found, present, rules, maxFiles) {
  const taken = [];
  const refused = [];
  const over = [];
  const nameOf = ({ path, file }) => path ?? file.name;
  for (const one of [...found].sort((a, b) => natural.compare(nameOf(a), nameOf(b)))) {
    if (one.inFolder && !isVideo(one.file, rules)) continue;
    const wrong = wrongWith(one.file, rules);
    if (wrong) refused.push(wrong);
    else if (present.some((other) => isSame(one.file, other)) || taken.some((other) => isSame(one.file, other.file))) {
      refused.push(`“${one.file.name}” is here already: a file with the same name, size and date.`);
    } else if (taken.length === maxFiles) over.push(`“${one.file.name}”`);
    else taken.push(one);
  }
  if (over.length) refused.push(`Only ${maxFiles} files are taken at once. Not taken, to be added afterwards: ${over.join(", ")}.`);
  return { taken, refused };
}
