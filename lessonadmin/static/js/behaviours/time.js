// Moments in the reader's own time and language; relative ones are kept fresh.

const STEPS = [[60, "second"], [3600, "minute"], [86400, "hour"], [2592000, "day"], [31536000, "month"], [Infinity, "year"]];
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const exact = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const living = new Set();

function ago(moment) {
  const seconds = (moment - Date.now()) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return "just now";
  let smaller = 1;
  for (const [limit, unit] of STEPS) {
    if (size < limit) return relative.format(Math.round(seconds / smaller), unit);
    smaller = limit;
  }
  return whole.format(moment);
}

const isToday = (moment) => moment.toDateString() === new Date().toDateString();

function words(style, moment) {
  if (style === "relative") return ago(moment);
  if (style === "clock") return isToday(moment) ? clock.format(moment) : exact.format(moment);
  return style === "exact" ? exact.format(moment) : whole.format(moment);
}

function write(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.valueOf())) return;
  element.title = exact.format(moment);
  element.textContent = words(element.dataset.style, moment);
}

setInterval(() => {
  if (document.hidden) return;
  for (const element of living) {
    if (element.isConnected) write(element);
    else living.delete(element);
  }
}, 30000);

export default function time(element) {
  write(element);
  if (element.dataset.style === "relative") living.add(element);
}
