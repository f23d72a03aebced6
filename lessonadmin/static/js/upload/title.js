// The title that a lesson or course gets from the file of its video, until a person writes another.

const MAX_LENGTH = 200;

export function titleOf(fileName) {
  const bare = fileName.replace(/\.[^.]*$/, "").replace(/[_\s\p{Cc}]+/gu, " ").trim();
  return (bare || fileName).slice(0, MAX_LENGTH).trim();
}
