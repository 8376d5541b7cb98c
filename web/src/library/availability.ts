// Which images of a list are still there: the server is asked about each, because links end elsewhere too.

import { forEachOf } from "../parts/concurrency";
import { lookUp } from "./actions";
import { hasEnded } from "./image";
import { type LibraryImage, saveImages } from "./store";

const CONCURRENCY = 4;

/** The images as they are now, in the same order. Those that have ended are stored so, and every page of this browser learns of it. */
export async function findAvailable(images: readonly LibraryImage[]): Promise<LibraryImage[]> {
  const found = [...images];
  await forEachOf([...images.keys()], CONCURRENCY, async (at) => {
    const image = images[at] as LibraryImage;
    found[at] = (await lookUp(image)) ?? image;
  });
  const ended = found.filter((image) => hasEnded(image));
  if (ended.length > 0) await saveImages(...ended).catch(() => undefined);
  return found;
}
