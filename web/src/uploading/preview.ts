// A preview of a file, made by the browser at once; none for files that it can't decode or that are very large.

const SIDE_PX = 192;
const MAX_BYTES = 60e6; // the browser decodes the whole image; larger ones would take a gigabyte of memory

/** A blob URL that is valid while the page is open; undefined if there is no preview. */
export async function previewOf(file: Blob): Promise<string | undefined> {
  if (file.size > MAX_BYTES) return undefined;
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, SIDE_PX / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    const context = canvas.getContext("2d");
    if (!context) return undefined;
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const small = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/webp", 0.8));
    return small ? URL.createObjectURL(small) : undefined;
  } catch {
    return undefined;
  }
}
