// Copies the browser parts from npm packages to where Flask serves them: lessonadmin/static/vendor/ (not in git).
// Each is one self-contained module file; nothing is bundled or changed.
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, "lessonadmin", "static", "vendor");
const unfinished = join(root, "node_modules", ".vendor");

// served name -> file in node_modules
const parts = {
  "mux-uploader.mjs": "@mux/mux-uploader/dist/mux-uploader.mjs",
  "mux-player.mjs": "@mux/mux-player/dist/mux-player.mjs",
};

rmSync(unfinished, { recursive: true, force: true });
mkdirSync(unfinished, { recursive: true });
for (const [name, source] of Object.entries(parts)) {
  const file = join(root, "node_modules", source);
  if (!existsSync(file)) {
    console.error(`Error: ${source} is not in node_modules: run npm ci`);
    process.exit(1);
  }
  cpSync(file, join(unfinished, name));
}
rmSync(target, { recursive: true, force: true });
renameSync(unfinished, target);
console.log(`${Object.keys(parts).length} browser parts are in ${target}`);
