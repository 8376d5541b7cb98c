// A preview of a file, made by the browser at once; none for files that it can't decode or that are very large.

import { dimensionsOf } from "./dimensions";

const SIDE_PX = 192;
const MAX_PIXELS = 64e6; // the browser decodes the whole image, at four bytes a pixel
const MAX_UNKNOWN_BYTES = 8e6; // of a file whose pixels aren't known
const MAX_BYTES = 60e6;

let last: Promise<unknown> = Promise.resolve();

/** A blob URL that is valid while the page is open; undefined if there is no preview. One is made at a time. */
export function previewOf(file: Blob): Promise<string | undefined> {
  const made = last.then(() => make(file)).catch(() => undefined); // the browser can't decode it
  last = made;
  return made;
}

async function make(file: Blob): Promise<string | undefined> {
  if (file.size > MAX_BYTES) return undefined;
  const found = await dimensionsOf(file);
  if (found ? found.width * found.height > MAX_PIXELS : file.size > MAX_UNKNOWN_BYTES) return undefined;
  const isLarge = found && Math.max(found.width, found.height) > SIDE_PX;
  const bitmap = await createImageBitmap(file, isLarge ? resized(found.width >= found.height) : {});
  const scale = Math.min(1, SIDE_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const small = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/webp", 0.8));
  return small ? URL.createObjectURL(small) : undefined;
}

/** The other side follows, whichever way the image is turned. */
const resized = (isWide: boolean): ImageBitmapOptions => ({
  ...(isWide ? { resizeWidth: SIDE_PX } : { resizeHeight: SIDE_PX }),
  resizeQuality: "medium",
});
