// Uploads that are still on their way and the assets that came of the others, in one list.
import { act, say } from "./api.js";
import { keep, make, pill, size, span } from "./draw.js";

const KINDS = { ready: "good", errored: "bad", preparing: "busy", waiting: "busy", timed_out: "bad", cancelled: "" };

const button = (text, path, body, done) =>
  make("button", { type: "button", text, on: { click: () => act("POST", path, body ?? {}, done) } });

function copyable(id) {
  const copy = () => navigator.clipboard?.writeText(id).then(() => say("Copied"), () => say(id));
  return make("button", { type: "button", class: "id", title: "Copy", text: id, on: { click: copy } });
}

function name(settings, id) {
  return settings?.meta?.title ?? settings?.passthrough ?? `${id.slice(0, 12)}…`;
}

function uploadCard(upload, now) {
  const base = `/uploads/${upload.id}`;
  const waiting = upload.status === "waiting";
  const part = upload.total ? Math.round((100 * upload.received) / upload.total) : 0;
  const line = make("div", { class: "line" }, pill("upload"), pill(upload.status.replace("_", " "), KINDS[upload.status]));
  if (waiting) line.append(make("span", { class: "quiet", text: `${size(upload.received)} in, ${span(upload.deadline - now)} left` }));
  const body = make("div", {}, make("div", { class: "title", text: name(upload.new_asset_settings, upload.id) }), line, copyable(upload.id));
  const label = `Received of ${name(upload.new_asset_settings, upload.id)}`;
  if (waiting && upload.total) body.append(make("progress", { max: 100, value: part, "aria-label": label }));
  const card = make("article", { class: "card" }, make("div", { class: "picture", text: "⇡", "aria-hidden": "true" }), body);
  if (upload.error) card.append(make("p", { class: "complaint", text: upload.error.message }));
  if (waiting)
    card.append(
      make("div", { class: "actions" },
        button("Complete without bytes", `${base}/complete`, {}, "The asset is being created"),
        button("Time out", `${base}/time-out`, {}, "Timed out: no event tells of it"),
        button("Fail", `${base}/error`),
        button("Cancel elsewhere", `${base}/cancel`)),
    );
  return card;
}

function picture(asset, old) {
  const box = make("div", { class: "picture" });
  const before = old?.querySelector(".picture img");
  if (asset.status === "ready")
    box.append(before ?? make("img", { src: `/_sim/api/assets/${asset.id}/poster`, alt: "", loading: "lazy", width: 112, height: 63 }));
  else box.textContent = asset.status === "errored" ? "✕" : "…";
  return box;
}

function assetLine(asset) {
  const line = make("div", { class: "line" }, pill(asset.held ? "preparing, held" : asset.status, KINDS[asset.status]));
  if (asset.test) line.append(pill("test"));
  for (const one of asset.playback_ids ?? []) line.append(pill(one.policy));
  const facts = [asset.duration && `${asset.duration.toFixed(1)} s`, asset.resolution_tier, asset.packaged ? null : asset.status === "ready" && "built-in picture"];
  line.append(make("span", { class: "quiet", text: facts.filter(Boolean).join(" · ") }));
  return line;
}

function assetCard(asset, old) {
  const base = `/assets/${asset.id}`;
  const title = name(asset, asset.id);
  const body = make("div", {}, make("div", { class: "title", text: title }), assetLine(asset), copyable(asset.id));
  if (asset.status === "preparing")
    body.append(make("progress", { max: 100, value: asset.progress.progress, "aria-label": `Processing of ${title}` }));
  const card = make("article", { class: "card" }, picture(asset, old), body);
  if (asset.errors) card.append(make("p", { class: "complaint", text: `${asset.errors.type}: ${asset.errors.messages.join(" ")}` }));
  const actions = make("div", { class: "actions" });
  if (asset.status !== "ready") actions.append(button("Ready now", `${base}/ready`));
  if (asset.status !== "errored") actions.append(button("Error", `${base}/error`));
  if (asset.status === "preparing") actions.append(asset.held ? button("Release", `${base}/release`) : button("Hold", `${base}/hold`));
  const type = { ready: "ready", errored: "errored", preparing: "created" }[asset.status];
  actions.append(
    button(`Send ${type} again`, "/events", { type: `video.asset.${type}`, asset_id: asset.id }, "Sent"),
    button("Delete in dashboard", `${base}/delete`, {}, "Deleted, as if by hand in Mux's dashboard"),
  );
  card.append(actions);
  return card;
}

export function drawVideos(state) {
  const uploads = state.uploads.filter((one) => !one.asset_id).map((one) => ({ ...one, kind: "upload", minute: Math.round(state.clock.now / 10) }));
  const items = [...uploads, ...state.assets].sort((a, b) => b.created_at - a.created_at);
  keep(document.getElementById("video-list"), items, (one) => one.id, (one, old) =>
    one.kind === "upload" ? uploadCard(one, state.clock.now) : assetCard(one, old));
}
