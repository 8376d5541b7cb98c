// Builds static/built: each file right below src is the script of a page, each right below styles its style sheet. What
// several of them import lies one folder deeper, and is split off by esbuild so that a browser loads it once. Only the upload
// page, where people come first, has all that it needs in one script: on a slow line each round of requests takes long. The
// client that sends files is half of it and is needed last, so that is a file of its own.
import { readdirSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { build } from "esbuild";

const files = (folder, ending) =>
  readdirSync(new URL(folder, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => `${folder}/${entry.name}`);

process.chdir(new URL(".", import.meta.url).pathname);
rmSync("static/built", { recursive: true, force: true });

const shared = { bundle: true, minify: true, outdir: "static/built", logLevel: "warning", legalComments: "none" };
const scripts = { ...shared, format: "esm", chunkNames: "chunk-[hash]", target: ["es2022"] };
const UPLOAD = "src/upload.ts";
await build({ ...scripts, splitting: true, entryPoints: files("src", ".ts").filter((file) => file !== UPLOAD) });

const CLIENT = "tus-js-client";
const { metafile } = await build({ ...scripts, entryPoints: [CLIENT], entryNames: "chunk-[hash]", metafile: true });
const path = `./${basename(Object.keys(metafile.outputs)[0])}`;
const client = {
  name: "client",
  setup: ({ onResolve }) => onResolve({ filter: new RegExp(`^${CLIENT}$`) }, () => ({ path, external: true })),
};
await build({ ...scripts, entryPoints: [UPLOAD], plugins: [client] });

await build({
  ...shared,
  entryPoints: files("styles", ".css"),
  target: ["chrome111", "firefox113", "safari16.2"],
});
