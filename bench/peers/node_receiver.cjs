// A receiver of webhooks as a first version often is: node's own http server in two processes and the package `pg`.
//
// It verifies the signature, inserts the event and updates the upload and its lesson, each statement by itself: without
// a transaction, a lock, an audit row or a state that refuses. For comparison only; started by bin/bench webhooks.
const cluster = require("node:cluster");
const crypto = require("node:crypto");
const http = require("node:http");
const { Pool } = require("pg");

const PROCESSES = 2;
const CONNECTIONS = 8;
const TOLERANCE_SECONDS = 300;
const secret = process.env.MUX_WEBHOOK_SECRETS;

const STORE = `INSERT INTO mux_events (mux_event_id, type, object_id, outcome, processed_at, payload)
  VALUES ($1, $2, $3, 'applied', now(), $4) ON CONFLICT (mux_event_id) DO NOTHING`;
const UPLOAD = `UPDATE mux_asset_tracking SET status = 'ready', mux_asset_id = $2, mux_playback_id = $3,
  playback_policy = 'public', duration = $4, ready_at = now(), updated_at = now()
  WHERE upload_id = $1 RETURNING lesson_id`;
const LESSON = `UPDATE lessons SET status = 'published', published_at = now(), video_processing_status = 'ready',
  mux_asset_id = $2, mux_playback_id = $3, playback_policy = 'public', video_duration = $4, updated_at = now()
  WHERE id = $1`;

function isGenuine(header, body) {
  const found = /^t=(\d+),v1=([0-9a-f]+)$/.exec(header ?? "");
  if (!found || Math.abs(Date.now() / 1000 - Number(found[1])) > TOLERANCE_SECONDS) return false;
  const wanted = crypto.createHmac("sha256", secret).update(`${found[1]}.`).update(body).digest();
  const given = Buffer.from(found[2], "hex");
  return given.length === wanted.length && crypto.timingSafeEqual(given, wanted);
}

async function apply(pool, event, text) {
  const { id, upload_id, playback_ids, duration } = event.data;
  await pool.query(STORE, [event.id, event.type, id, text]);
  if (event.type !== "video.asset.ready") return;
  const video = [id, playback_ids[0].id, duration];
  const { rows } = await pool.query(UPLOAD, [upload_id, ...video]);
  if (rows.length > 0) await pool.query(LESSON, [rows[0].lesson_id, ...video]);
}

async function answer(pool, request, body) {
  if (request.method !== "POST") return 404;
  if (!isGenuine(request.headers["mux-signature"], body)) return 401;
  try {
    const text = body.toString();
    await apply(pool, JSON.parse(text), text);
    return 204;
  } catch (error) {
    console.error(error.message);
    return 500;
  }
}

function serve() {
  const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: CONNECTIONS });
  const server = http.createServer((request, response) => {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", async () => {
      response.writeHead(await answer(pool, request, Buffer.concat(pieces))).end();
    });
  });
  server.listen(Number(process.env.PORT), "127.0.0.1");
}

if (cluster.isPrimary) {
  for (let started = 0; started < PROCESSES; started += 1) cluster.fork();
} else {
  serve();
}
