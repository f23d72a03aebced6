// What Mux leaves open, as switches; what each access token may do; and where the events go.
import { act } from "./api.js";
import { keep, make } from "./draw.js";

function control(one, id) {
  const change = (value) => act("POST", "/switches", { [one.name]: value });
  if (one.choices.length === 2 && typeof one.choices[0] === "boolean")
    return make("input", { type: "checkbox", id, checked: one.value, on: { change: (event) => change(event.target.checked) } });
  if (!one.choices.length)
    return make("input", { type: "number", id, min: 0, step: "any", value: one.value, on: { change: (event) => change(Number(event.target.value)) } });
  const select = make("select", { id, on: { change: (event) => change(one.choices[event.target.selectedIndex]) } });
  for (const choice of one.choices) select.append(make("option", { text: choice, selected: choice === one.value }));
  return select;
}

function draw(one) {
  const id = `switch-${one.name}`;
  return make("div", { class: "switch" }, make("label", { for: id, text: one.name.replaceAll("_", " ") }), control(one, id), make("small", { text: one.says }));
}

function endpoint(one) {
  const remove = () => act("DELETE", `/endpoints/${one.id}`, undefined, "Endpoint removed");
  const rotate = () => act("POST", `/endpoints/${one.id}/rotate`, {}, "New secret");
  return make("div", { class: "row flat" },
    make("span", {}, one.enabled ? one.url : `${one.url} (off)`, make("br"), make("span", { class: "quiet", text: `secret ${one.secret}` })),
    make("span", {}, make("button", { type: "button", text: "Rotate", on: { click: rotate } }), " ",
      make("button", { type: "button", text: "Remove", on: { click: remove } })));
}

function token(one) {
  const boxes = one.all.map((name) => {
    const change = (event) => act("POST", `/tokens/${one.id}`, { permissions: event.target.checked ? [...one.permissions, name] : one.permissions.filter((held) => held !== name) });
    return make("label", {}, make("input", { type: "checkbox", checked: one.permissions.includes(name), on: { change } }), ` ${name} `);
  });
  return make("div", { class: "row flat" }, make("span", { text: `${one.id} (${one.priority}, ${one.env})` }), make("span", {}, ...boxes));
}

export function drawSwitches(state) {
  const items = Object.entries(state.switch_help).map(([name, help]) => ({ name, value: state.switches[name], ...help }));
  keep(document.getElementById("switch-list"), items, (one) => one.name, draw);
  keep(document.getElementById("endpoint-list"), state.endpoints, (one) => one.id, endpoint);
  keep(document.getElementById("token-list"), state.tokens.map((one) => ({ ...one, all: state.permissions })), (one) => one.id, token);
  document.getElementById("about").textContent =
    `muxsim ${state.version}. ${state.ffmpeg ? "ffmpeg packages uploads as HLS." : "No ffmpeg: assets become ready by time alone and play a built-in picture."}`;
}
