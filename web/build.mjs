// Builds static/built: each file right below src is the script of a page, each right below styles its style sheet. What
// several of them import lies one folder deeper, and is split off by esbuild so that a browser loads it once.
import { readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const files = (folder, ending) =>
  readdirSync(new URL(folder, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => `${folder}/${entry.name}`);

process.chdir(new URL(".", import.meta.url).pathname);
rmSync("static/built", { recursive: true, force: true });

const shared = { bundle: true, minify: true, outdir: "static/built", logLevel: "warning", legalComments: "none" };
await build({
  ...shared,
  entryPoints: files("src", ".ts"),
  format: "esm",
  splitting: true,
  chunkNames: "chunk-[hash]",
  target: ["es2022"],
});
await build({
  ...shared,
  entryPoints: files("styles", ".css"),
  target: ["chrome111", "firefox113", "safari16.2"],
});
