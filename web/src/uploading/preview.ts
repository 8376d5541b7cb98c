// A small picture of a file, made in the browser, at once. What a browser can't decode, or had better not, has none.

const SIDE_PX = 192;
const MOST_BYTES = 60e6; // a browser decodes the whole picture; larger ones would cost it a gigabyte of memory

/** The address of a preview, good for as long as the page is open; undefined where there can be none. */
export async function previewOf(file: Blob): Promise<string | undefined> {
  if (file.size > MOST_BYTES) return undefined;
  try {
    const whole = await createImageBitmap(file);
    const scale = Math.min(1, SIDE_PX / Math.max(whole.width, whole.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(whole.width * scale));
    canvas.height = Math.max(1, Math.round(whole.height * scale));
    const pen = canvas.getContext("2d");
    if (!pen) return undefined;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(whole, 0, 0, canvas.width, canvas.height);
    whole.close();
    const small = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/webp", 0.8));
    return small ? URL.createObjectURL(small) : undefined;
  } catch {
    return undefined;
  }
}
