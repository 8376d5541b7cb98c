// Actions on many images: each with its own delete token, a few at a time.

import { callApi } from "../parts/api";
import type { LibraryImage } from "./store";

const CONCURRENCY = 4;

export interface Outcome {
  done: LibraryImage[];
  failed: LibraryImage[];
}

/** Delete the images; this can be undone for ten seconds. */
export const deleteAll = (images: LibraryImage[]): Promise<Outcome> =>
  forEach(images, async (image) => {
    await call(image, "DELETE");
    return image;
  });

/** Restore images that were deleted a moment ago. */
export const undoAll = (images: LibraryImage[]): Promise<Outcome> =>
  forEach(images, async (image) => {
    await call(image, "PATCH", { deleted: false });
    return image;
  });

/** Set the expiry to a duration from now on, such as `30d`. */
export const extendAll = (images: LibraryImage[], expiresIn: string): Promise<Outcome> =>
  forEach(images, async (image) => {
    const { expires_at } = (await call(image, "PATCH", { expires_in: expiresIn })) as { expires_at: string };
    return { ...image, expires_at };
  });

const call = ({ slug, delete_token }: LibraryImage, method: string, body?: object): Promise<unknown> =>
  callApi(`/api/v1/images/${slug}`, { method, token: delete_token, body });

async function forEach(
  images: LibraryImage[],
  action: (image: LibraryImage) => Promise<LibraryImage>,
): Promise<Outcome> {
  const outcome: Outcome = { done: [], failed: [] };
  const queue = [...images];
  const work = async (): Promise<void> => {
    for (let image = queue.shift(); image; image = queue.shift()) {
      try {
        outcome.done.push(await action(image));
      } catch {
        outcome.failed.push(image);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return outcome;
}
