// A preview of a file, made by the browser at once; none for files that it can't decode or that are very large. Of a
// tall one it shows the top, as the host's thumbnail does.

import { dimensionsOf } from "./dimensions";

const SIDE_PX = 192;
const TALL = 3; // times as high as wide, as for the host
const MAX_RATIO = 40; // of what is decoded sharply
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
  const bitmap = await createImageBitmap(file, found ? resized(found) : {});
  const shownHeight = bitmap.height > TALL * bitmap.width ? bitmap.width : bitmap.height;
  const scale = Math.min(1, SIDE_PX / Math.max(bitmap.width, shownHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(shownHeight * scale));
  const { width, height } = canvas;
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, bitmap.width, shownHeight, 0, 0, width, height);
  bitmap.close();
  const small = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/webp", 0.8));
  return small ? URL.createObjectURL(small) : undefined;
}

/** The other side follows, whichever way the image is turned. One that may be tall keeps what its top needs. */
function resized({ width, height }: { width: number; height: number }): ImageBitmapOptions {
  const longer = Math.max(width, height);
  const ratio = longer / Math.min(width, height);
  const side = Math.round(SIDE_PX * (ratio > TALL ? Math.min(ratio, MAX_RATIO) : 1));
  if (longer <= side) return {};
  return { ...(width >= height ? { resizeWidth: side } : { resizeHeight: side }), resizeQuality: "medium" };
}
