// Rows whose upload was interrupted: what they offer, and which of the files that are chosen again belongs to which.
import { differs } from "../upload/fingerprint.js";
import { size } from "../upload/meter.js";
import { fromHandle, wrongFile } from "../upload/offer.js";
import { ELSEWHERE, KEPT_FILE, SAME_FILE, UNKNOWN } from "./words.js";

/** What a row says that waits for its file again. */
function wordsOf(found, refused) {
  const arrived = found.end ? `${Math.floor((found.end / found.size) * 100)} % of it is at Mux: ${size(found.end, found.size)} of ${size(found.size)}.` : "Nothing of it is at Mux yet.";
  return `${refused || "The upload was interrupted."} ${arrived} ${found.handle ? KEPT_FILE : SAME_FILE}`;
}

/** Shows where a row stands whose file is not whole at Mux. */
export async function consider(row, refused = "") {
  const { traces } = row;
  if (!refused && await traces.isElsewhere(row.upload)) {
    row.to("elsewhere", ELSEWHERE);
    await traces.untilHere(row.upload);
    row.leftByOther();
    return;
  }
  traces.letGo();
  row.found = await traces.find(row.upload) ?? null;
  row.percent = row.found && row.upload ? (row.found.end / row.found.size) * 100 : 0;
  row.face.captionsFixed(Boolean(row.upload));
  if (row.found) {
    row.face.name(row.found.name, row.found.size);
    row.to("interrupted", wordsOf(row.found, refused));
  } else {
    row.to("unknown", UNKNOWN);
    row.follow();
  }
}

async function takeUp(row, file, handle) {
  if (!await row.traces.own(row.upload)) {
    await consider(row);
    return;
  }
  // what another tab sent meanwhile is remembered by now
  const newest = await row.traces.find(row.upload) ?? row.found;
  row.goOn(file, newest, handle);
}

/** By the way to the file that the browser kept. False: its user has to choose it again. */
export async function goOnAlone(row) {
  const file = row.found?.handle ? await fromHandle(row.found.handle) : null;
  if (!file) return false;
  const why = await differs(file, row.found);
  if (why) row.face.words(wrongFile(why, file, row.found));
  else await takeUp(row, file, row.found.handle);
  return true;
}

/** Gives each file to the row that it belongs to; answers those that belong to none. */
export async function match(rows, files) {
  const left = [];
  const waiting = () => rows.filter((row) => row.phase === "interrupted");
  for (const one of files) {
    let taken = null;
    for (const row of waiting()) {
      if (await differs(one.file, row.found) === "") {
        taken = row;
        break;
      }
    }
    if (taken) await takeUp(taken, one.file, one.handle);
    else left.push(one);
  }
  return left;
}

/** Why a file belongs to no row: the one that it resembles is named. */
export async function whyNone(rows, file) {
  const near = rows.find((row) => row.phase === "interrupted" && row.found?.name === file.name);
  if (near) return wrongFile(await differs(file, near.found), file, near.found);
  return `“${file.name}” belongs to none of the interrupted uploads. To add it as a new lesson, drop it above.`;
}
