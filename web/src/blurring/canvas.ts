// From a file to a canvas, and back to a file of the same name.

import { t } from "../parts/messages";
import { dimensionsOf } from "../uploading/dimensions";
import { kindOf } from "../uploading/formats";
import { isAnimated } from "./animation";

const MAX_PIXELS = 64e6; // the browser holds them twice, at four bytes each
const MAX_BYTES = 100e6;
const MAX_UNKNOWN_BYTES = 8e6; // of a file whose pixels aren't known before it is decoded
const QUALITY = 0.92;
const ENCODED = ["image/jpeg", "image/webp"];

/** An image can't be edited here; the message is for people. */
export class CannotBlur extends Error {}

export const failed = (name: string): string => t("{name} could not be blurred in this browser. It was not uploaded.", { name });

/** Draw the image upright, in sRGB and in its full size. Throws CannotBlur. */
export async function draw(file: File, canvas: HTMLCanvasElement): Promise<CanvasRenderingContext2D> {
  const { name } = file;
  const tooLarge = new CannotBlur(
    t("{name} is too large to be blurred here: up to 64 megapixels and 100 MB are possible. It was not uploaded.", { name }),
  );
  const found = await dimensionsOf(file);
  if (file.size > (found ? MAX_BYTES : MAX_UNKNOWN_BYTES) || (found && found.width * found.height > MAX_PIXELS)) throw tooLarge;
  if (await isAnimated(file)) throw new CannotBlur(t("{name} is an animation, which can’t be blurred here. It was not uploaded.", { name }));
  const unreadable = new CannotBlur(t("This browser can’t open {name} to blur it. It was not uploaded.", { name }));
  const bitmap = await createImageBitmap(file).catch(() => {
    throw unreadable;
  });
  const { width, height } = bitmap;
  try {
    if (width * height > MAX_PIXELS) throw tooLarge;
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context || !holdsPixels(context, width, height)) throw unreadable;
    context.drawImage(bitmap, 0, 0);
    return context;
  } finally {
    bitmap.close();
  }
}

/** Some browsers keep a large canvas empty, without a word. */
function holdsPixels(context: CanvasRenderingContext2D, width: number, height: number): boolean {
  context.fillRect(width - 1, height - 1, 1, 1);
  const holds = context.getImageData(width - 1, height - 1, 1, 1).data[3] === 255;
  context.clearRect(width - 1, height - 1, 1, 1);
  return holds;
}

/** JPEG and WebP stay what they are, if the browser can write them; everything else becomes PNG. Throws CannotBlur. */
export async function encode(canvas: HTMLCanvasElement, original: File): Promise<File> {
  const { name } = original;
  const mediaType = (await kindOf(original))?.mediaType ?? "";
  const type = ENCODED.includes(mediaType) ? mediaType : "image/png";
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, type, QUALITY));
  if (!blob) throw new CannotBlur(failed(name));
  return new File([blob], name, { type: blob.type });
}
