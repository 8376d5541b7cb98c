// Builds static/built: each file right below src is the script of a page, each right below styles its style sheet. What
// several of them import lies one folder deeper. Each page's script is built by itself, so that a page loads few files: on a
// slow line each round of requests takes long. Those that have the viewer are built together, because it is large and loaded
// on demand. The client that sends files is half of what uploading needs and is needed last, and few people need the editor,
// the field for a key, the question about files from elsewhere, a guest's list, an album, codes, folders or a solver of challenges,
// so these are files of their own, and so are previews and the search for duplicates, which come after a file was chosen. The
// service worker is no module, because not every browser takes one for it.
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

// What is imported on demand, by the end of its name there: bundled by itself, so that a page's script isn't split for it.
const ON_DEMAND = {
  "tus-js-client": "tus-js-client",
  "/blurring/editor": "src/blurring/editor.ts",
  "/key-field": "src/parts/key-field.ts",
  "/arrivals": "src/uploading/arrivals.ts",
  "/guest": "src/uploading/guest.ts",
  "/folders": "src/uploading/folders.ts",
  "/preview": "src/uploading/preview.ts",
  "/duplicates": "src/uploading/duplicates.ts",
  "/embed-codes": "src/uploading/embed-codes.ts",
  "/library/availability": "src/library/availability.ts",
  "/proof": "src/uploading/proof.ts",
  "/library/albums": "src/library/albums.ts", // after what it imports on demand itself
  "/proof-ahead": "src/uploading/proof-ahead.ts", // after what it imports on demand itself
  "/adding/uploads": "src/adding/uploads.ts", // after what it imports on demand itself
};
const { metafile } = await build({ ...shared, format: "iife", entryPoints: ["altcha/workers/pbkdf2"], entryNames: "chunk-[hash]", metafile: true });
const define = { PROOF_WORKER: JSON.stringify(`./${basename(Object.keys(metafile.outputs)[0])}`) };
const chunks = {};
const onDemand = {
  name: "on-demand",
  setup: ({ onResolve }) =>
    onResolve({ filter: /./, namespace: "file" }, ({ path, kind }) => {
      const name = kind === "dynamic-import" && Object.keys(chunks).find((each) => path.endsWith(each));
      return name ? { path: chunks[name], external: true } : undefined;
    }),
};
for (const [name, entryPoint] of Object.entries(ON_DEMAND)) {
  const { metafile } = await build({ ...scripts, define, entryPoints: [entryPoint], entryNames: "chunk-[hash]", metafile: true, plugins: [onDemand] });
  chunks[name] = `./${basename(Object.keys(metafile.outputs)[0])}`;
}

const worker = "src/service-worker.ts";
const withViewer = ["src/album.ts", "src/share.ts"];
const alone = files("src", ".ts").filter((script) => ![...withViewer, worker].includes(script));
for (const entryPoints of [withViewer, ...alone.map((script) => [script])])
  await build({ ...scripts, splitting: true, entryPoints, plugins: [onDemand] });

await build({ ...scripts, format: "iife", entryPoints: [worker] });

await build({
  ...shared,
  entryPoints: files("styles", ".css"),
  target: ["chrome111", "firefox113", "safari16.2"],
});
