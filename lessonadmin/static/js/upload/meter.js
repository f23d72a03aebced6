// How much is sent, how fast, and how long it will still take. The speed is that of the last ten seconds.

const WINDOW_MS = 10000;
const MIN_SECONDS = 1;

export class Meter {
  constructor(total) {
    this.total = total;
    this.sent = 0;
    this.marks = [];
  }

  /** `fraction` from 0 to 1. */
  move(fraction, now = performance.now()) {
    this.sent = Math.round(this.total * Math.min(Math.max(fraction, 0), 1));
    this.marks.push({ now, sent: this.sent });
    while (this.marks.length > 2 && this.marks[0].now < now - WINDOW_MS) this.marks.shift();
  }

  /** A pause or a lost connection says nothing about the speed. */
  rest() {
    this.marks = [];
  }

  get percent() {
    return this.total ? (this.sent / this.total) * 100 : 0;
  }

  get secondsLeft() {
    const [first, last] = [this.marks[0], this.marks.at(-1)];
    if (!first || last.now - first.now < MIN_SECONDS * 1000 || last.sent <= first.sent) return null;
    return (this.total - last.sent) / ((last.sent - first.sent) / ((last.now - first.now) / 1000));
  }

  /** "12.4 of 310.0 MB, about 2 minutes left" */
  get words() {
    const amount = `${size(this.sent, this.total)} of ${size(this.total)}`;
    const left = this.secondsLeft;
    return left === null ? amount : `${amount}, ${span(left)} left`;
  }
}

const UNITS = [["bytes", 1], ["kB", 1e3], ["MB", 1e6], ["GB", 1e9]];

function unitFor(count) {
  return [...UNITS].reverse().find(([, one]) => count >= one) ?? UNITS[0];
}

/** A size; with `like` only the figure, in the unit that the whole has. */
export function size(count, like) {
  const [unit, one] = unitFor(like ?? count);
  const figure = one < 1e6 ? Math.round(count / one) : (count / one).toFixed(1);
  return like === undefined ? `${figure} ${unit}` : `${figure}`;
}

function span(seconds) {
  if (seconds < 8) return "a few seconds";
  if (seconds < 55) return `about ${Math.ceil(seconds / 5) * 5} seconds`;
  if (seconds < 3300) {
    const minutes = Math.ceil(seconds / 60);
    return `about ${minutes} minute${minutes === 1 ? "" : "s"}`;
  }
  return `about ${(seconds / 3600).toFixed(1)} hours`;
}
