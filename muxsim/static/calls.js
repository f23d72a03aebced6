// What was called, by which token, with which answer.
import { keep, make, pill, time } from "./draw.js";

const kind = (status) => (status == null || status >= 500 ? "bad" : status >= 400 ? "busy" : "good");

function draw(call) {
  return make("tr", {},
    make("td", { text: time(call.at) }),
    make("td", { text: call.operation }),
    make("td", {}, pill(call.status ?? "cut off", kind(call.status))),
    make("td", { text: call.token_id ?? "" }),
    make("td", { text: Math.round(call.ms) }),
    make("td", {}, call.fault ? pill(call.fault, "bad") : ""),
    make("td", { text: `${call.method} ${call.path}`, title: `${call.method} ${call.path}` }));
}

export function drawCalls(state) {
  keep(document.getElementById("call-list"), state.calls, (one) => one.seq, draw);
}
