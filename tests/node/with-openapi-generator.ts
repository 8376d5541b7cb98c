// with-openapi-generator.ts: uploads and deletes an image with the TypeScript client (typescript-fetch) that
// openapi-generator makes. URL upload FILE | URL tus FILE: print the image. URL delete SLUG TOKEN: prints nothing.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { Configuration, type Image, ImagesApi, ImageToJSON, instanceOfImage, ResumableApi } from "./client/index.js";

const [basePath = "", verb, what = "", accessToken = ""] = process.argv.slice(2);
const configuration = new Configuration({ basePath, accessToken });
const images = new ImagesApi(configuration);
const uploads = new ResumableApi(configuration);
const tusResumable = "1.0.0";

async function upload(): Promise<Image> {
  const file = new File([new Uint8Array(await readFile(what))], basename(what));
  return images.createImage({ file, title: "Cat", expiresIn: "30d" });
}

async function uploadByTus(): Promise<Image> {
  const bytes = new Blob([new Uint8Array(await readFile(what))]);
  const created = await uploads.createUploadRaw({ tusResumable, uploadLength: String(bytes.size) });
  const id = created.raw.headers.get("Location")?.split("/").at(-1) ?? "";
  const half = Math.floor(bytes.size / 2);
  for (const [offset, part] of [[0, bytes.slice(0, half)], [half, bytes.slice(half)]] as const) {
    await uploads.continueUpload({ id, tusResumable, uploadOffset: String(offset), body: part });
  }
  const { image } = await uploads.getUploadState({ id });
  if (!image || !instanceOfImage(image)) throw new Error(JSON.stringify(image));
  return image;
}

if (verb === "delete") await images.deleteImage({ slug: what });
else console.log(JSON.stringify(ImageToJSON(await (verb === "tus" ? uploadByTus : upload)())));
