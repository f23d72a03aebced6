// One click, one fault. The amount above the buttons says how often it strikes.
import { act, say } from "./api.js";
import { keep, make, pill } from "./draw.js";

const PRESETS = {
  "API answers": [
    ["429", "api", "rate_limited"], ["429 + Retry-After", "api", "rate_limited", { retry_after: 2 }],
    ["500", "api", "status", { status: 500 }], ["503", "api", "status", { status: 503 }], ["401", "api", "status", { status: 401 }],
    ["Hang 30 s", "api", "hang", { seconds: 30 }], ["Slow 3 s", "api", "slow", { seconds: 3 }], ["Reset", "api", "reset"],
    ["Lost answer", "api", "reset", { after: true }], ["HTML page", "api", "html", { status: 200 }], ["Half a JSON", "api", "truncated_json"],
    ["Half a body", "api", "cut_body"], ["Not UTF-8", "api", "not_utf8"], ["Unknown status", "api", "unknown_enum"],
    ["200 for 201", "api", "wrong_status", { status: 200 }], ["A byte a second", "api", "drip", { seconds: 1 }],
  ],
  "Webhooks": [
    ["Drop", "webhook", "drop"], ["Delay 30 s", "webhook", "delay", { seconds: 30 }], ["Duplicate", "webhook", "duplicate"],
    ["Reorder", "webhook", "reorder"], ["Shuffle 5", "webhook", "shuffle", { window: 5 }], ["Wrong secret", "webhook", "wrong_secret"],
    ["Old secret", "webhook", "old_secret"], ["No signature", "webhook", "no_signature"], ["Stale by 10 min", "webhook", "stale_timestamp"],
    ["10 min early", "webhook", "future_timestamp"], ["Tampered", "webhook", "tampered_body"], ["Half a body", "webhook", "truncated_body"],
    ["Not JSON", "webhook", "not_json"], ["Unknown type", "webhook", "unknown_type"], ["Odd content", "webhook", "odd_content"],
  ],
  "Uploads": [
    ["502", "upload", "status", { status: 502 }], ["500", "upload", "status", { status: 500 }], ["403", "upload", "status", { status: 403 }],
    ["Lose a chunk", "upload", "lost_chunk"], ["Reset", "upload", "reset"], ["Slow 3 s", "upload", "slow", { seconds: 3 }],
    ["Hang 30 s", "upload", "hang", { seconds: 30 }], ["No Range", "upload", "no_range"], ["308 at the end", "upload", "final_308"],
  ],
  "Playback": [
    ["403", "playback", "status", { status: 403 }], ["404", "playback", "status", { status: 404 }], ["412", "playback", "status", { status: 412 }],
    ["502", "playback", "status", { status: 502 }], ["Slow 3 s", "playback", "slow", { seconds: 3 }], ["Reset", "playback", "reset"],
  ],
};

function amount() {
  const chosen = document.querySelector("input[name=amount]:checked").value;
  if (chosen === "all") return {};
  return chosen.endsWith("%") ? { share: parseInt(chosen, 10) / 100 } : { times: Number(chosen) };
}

function often(rule) {
  if (rule.times != null) return `${rule.times} more`;
  return rule.share != null ? `${Math.round(rule.share * 100)} %` : "always";
}

function draw(rule) {
  const what = Object.keys(rule.match).length ? ` ${JSON.stringify(rule.match)}` : "";
  const remove = () => act("DELETE", `/faults/${rule.id}`);
  return make("div", { class: "row flat" },
    make("span", {}, pill(rule.target, "bad"), ` ${rule.kind}${what} `, pill(often(rule), "busy"), rule.struck ? ` struck ${rule.struck}×` : ""),
    make("button", { type: "button", text: "Remove", on: { click: remove } }));
}

export function drawFaults(state) {
  keep(document.getElementById("fault-active"), state.faults, (one) => one.id, draw);
}

export function startFaults() {
  const place = document.getElementById("fault-buttons");
  for (const [title, presets] of Object.entries(PRESETS)) {
    const group = make("div", { role: "group", "aria-label": title });
    for (const [text, target, kind, params] of presets)
      group.append(make("button", { type: "button", text, on: {
        click: () => act("POST", "/faults", { target, kind, params: params ?? {}, ...amount() }, `${title}: ${text}`),
      } }));
    place.append(make("h3", { text: title }), group);
  }
  place.append(make("h3", { text: "All of them" }), make("div", {}, make("button", {
    type: "button", class: "danger", text: "Clear all faults", on: { click: () => act("DELETE", "/faults", undefined, "No faults any more") },
  })));
  const own = document.getElementById("fault-json");
  own.value = JSON.stringify({ target: "api", kind: "status", match: { operation: "get_asset" }, times: 1, params: { status: 503, retry_after: 5 } }, null, 2);
  document.getElementById("fault-add").addEventListener("click", () => {
    try {
      act("POST", "/faults", JSON.parse(own.value), "Rule added");
    } catch {
      say("That is not JSON");
    }
  });
}
