// Events with their deliveries: every attempt, every answer, the payload, and a button to send it again.
import { act } from "./api.js";
import { keep, make, pill, time } from "./draw.js";

function outcome(delivery) {
  const last = delivery.attempts.at(-1);
  const answer = last ? (last.response_status_code ?? "no answer") : "";
  const times = delivery.attempts.length > 1 ? ` ×${delivery.attempts.length}` : "";
  if (delivery.status === "delivered") return pill(`✓ ${answer}${times}`, "good");
  if (delivery.status === "dropped") return pill("dropped", "bad");
  if (delivery.status === "failed") return pill(`failed: ${answer}${times}`, "bad");
  if (delivery.attempts.length) return pill(`↻ ${answer}${times}, next ${time(delivery.due)}`, "busy");
  return pill(delivery.status === "held" ? "held back" : `due ${time(delivery.due)}`, "busy");
}

function attempts(delivery) {
  const box = make("div", {});
  if (delivery.note) box.append(make("p", { class: "quiet", text: `Note: ${delivery.note}` }));
  for (const [number, one] of delivery.attempts.entries()) {
    const text = `${number + 1}. ${one.created_at.slice(11, 19)}  ${one.response_status_code ?? "no answer"}  ${one.address}`;
    box.append(make("p", { class: "quiet", text }));
    if (one.response_body) box.append(make("pre", { text: one.response_body }));
  }
  return box;
}

function payload(event) {
  const body = { ...event, attempts: event.deliveries[0]?.attempts ?? [] };
  for (const name of ["seq", "lane", "deliveries"]) delete body[name];
  return JSON.stringify(body, null, 2);
}

function about(event) {
  const settings = event.data.new_asset_settings ?? event.data;
  const words = settings.meta?.title ?? settings.passthrough ?? event.object.id ?? "";
  return words.length > 28 ? `${words.slice(0, 27)}…` : words;
}

function draw(event) {
  const summary = make("summary", {}, make("span", { class: "what", text: event.type }), ...event.deliveries.map(outcome),
    make("span", { class: "about", text: about(event) }));
  if (!event.deliveries.length) summary.append(pill("no endpoint"));
  summary.append(make("time", { text: event.created_at.slice(11, 19) }));
  const again = () => act("POST", `/events/${event.id}/again`, {}, "Sent again");
  const inside = make("div", { class: "inside" },
    make("div", { class: "tools" }, make("button", { type: "button", text: "Send again", on: { click: again } })),
    ...event.deliveries.map(attempts),
    make("pre", { text: payload(event), tabindex: "0" }));
  return make("details", { class: "row" }, summary, inside);
}

export function drawEvents(state) {
  keep(document.getElementById("event-list"), state.events, (one) => one.id, draw);
}

export function startEvents() {
  for (const one of document.querySelectorAll("[data-foreign]"))
    one.addEventListener("click", () => act("POST", "/events", { type: one.dataset.foreign, foreign: true }, "Sent"));
}
