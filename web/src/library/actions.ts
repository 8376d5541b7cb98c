// What the server is asked to do with images: each with its own delete token, a few at a time.

import { callApi, Problem } from "../parts/api";
import { forEachOf } from "../parts/concurrency";
import { type ImageResource, isExpired, protectionOf, thumbnailOf, toLibraryImage } from "./image";
import { type LibraryImage, removeImages, saveImages } from "./store";

const CONCURRENCY = 4;
const UNDO_MS = 10_000; // a host without a bin lets a deletion be undone for this long
const MAX_PREVIEW_BYTES = 200_000;

/** What became of the images; `ended` ones had been deleted or had expired before. */
export interface Outcome {
  done: LibraryImage[];
  ended: LibraryImage[];
  failed: LibraryImage[];
  /** Why, of the first that failed. */
  problem?: Problem;
}

/** Delete the images so that they can be restored for some days; they are stored as those of the bin. */
export async function moveToBin(images: LibraryImage[]): Promise<Outcome> {
  const outcome = await forEach(images, binned, saveImages);
  await saveImages(...outcome.ended.map((image) => ({ ...image, gone: true })));
  return outcome;
}

/** Restore images from the bin; those that can't be restored any more leave it. */
export async function restore(images: LibraryImage[]): Promise<Outcome> {
  const outcome = await forEach(images, async (image) => alive(image, await change(image, { deleted: false })), saveImages);
  await removeImages(...outcome.ended.map(({ slug }) => slug));
  return outcome;
}

/** Delete images of the bin for good. */
export async function deleteNow(images: LibraryImage[]): Promise<Outcome> {
  const outcome = await forEach(images, erased, ({ slug }) => removeImages(slug));
  await removeImages(...outcome.ended.map(({ slug }) => slug));
  return { ...outcome, done: [...outcome.done, ...outcome.ended], ended: [] };
}

/** Set the expiry to a duration from now on, such as `30d`. */
export async function extend(images: LibraryImage[], expiresIn: string): Promise<Outcome> {
  const extended = async (image: LibraryImage): Promise<LibraryImage> => alive(image, await change(image, { expires_in: expiresIn }));
  const outcome = await forEach(images, extended, saveImages);
  await saveImages(...outcome.ended.map((image) => ({ ...image, gone: true })));
  return outcome;
}

async function binned(image: LibraryImage): Promise<LibraryImage> {
  const preview = await previewOf(image); // the server shows it no more once the image is deleted
  const answer = await callApi(`${addressOf(image)}?bin=true`, { method: "DELETE", token: image.delete_token });
  const until = (answer as { restorable_until?: string | null } | undefined)?.restorable_until;
  const restorable_until = until ?? new Date(Date.now() + UNDO_MS).toISOString();
  return { ...image, gone: true, restorable_until, ...(preview ? { preview } : {}) };
}

async function erased(image: LibraryImage): Promise<LibraryImage> {
  await callApi(addressOf(image), { method: "DELETE", token: image.delete_token });
  return image;
}

/** What the server says of the image now; undefined if it doesn't answer. */
export async function lookUp(image: LibraryImage): Promise<LibraryImage | undefined> {
  const headers = { Authorization: `Bearer ${image.delete_token}` };
  const reply = await fetch(addressOf(image), { headers, cache: "no-store" }).catch(() => undefined);
  if (reply?.ok) return alive(image, (await reply.json()) as ImageResource);
  if (reply?.status !== 404 && reply?.status !== 410) return undefined;
  const { restorable_until, viewed_at } = (await reply.json().catch(() => ({}))) as Pick<LibraryImage, "restorable_until" | "viewed_at">;
  const isRestorable = restorable_until && !isExpired(image);
  return { ...image, gone: true, ...(viewed_at ? { viewed_at } : {}), ...(isRestorable ? { restorable_until } : {}) };
}

/** The entry of an image of which only link and token are known; undefined if the server doesn't know it by them. */
export async function lookUpNew(slug: string, delete_token: string): Promise<LibraryImage | undefined> {
  try {
    const found = await change({ slug, delete_token }, {}); // changes nothing, but checks the token
    return toLibraryImage({ ...found, delete_token }, found.created_at);
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    return undefined;
  }
}

const addressOf = ({ slug }: Owned): string => `/api/v1/images/${slug}`;

type Owned = Pick<LibraryImage, "slug" | "delete_token">;

async function change(image: Owned, body: object): Promise<ImageResource> {
  return (await callApi(addressOf(image), { method: "PATCH", token: image.delete_token, body })) as ImageResource;
}

/** The entry of an image that can be seen, with its title and expiry of now. */
function alive(image: LibraryImage, found: ImageResource): LibraryImage {
  const { title, expires_at } = found;
  const { gone: _gone, viewed_at: _viewed, restorable_until: _until, preview: _preview, locked: _locked, one_view: _once, ...entry } = image;
  return { ...entry, title, expires_at: expires_at ?? entry.expires_at, thumbnail: thumbnailOf(found), ...protectionOf(found) };
}

/** A copy of the thumbnail, most often from the browser's cache. */
async function previewOf({ thumbnail }: LibraryImage): Promise<Blob | undefined> {
  if (thumbnail === null) return undefined;
  const reply = await fetch(new URL(thumbnail, location.href).pathname, { cache: "force-cache" }).catch(() => undefined);
  const preview = reply?.ok ? await reply.blob().catch(() => undefined) : undefined;
  return preview && preview.size <= MAX_PREVIEW_BYTES ? preview : undefined;
}

/** Do `action` with each image and `keep` what comes of it at once, so that a page that is closed meanwhile loses little. */
async function forEach(
  images: LibraryImage[],
  action: (image: LibraryImage) => Promise<LibraryImage>,
  keep: (image: LibraryImage) => Promise<void>,
): Promise<Outcome> {
  const outcome: Outcome = { done: [], ended: [], failed: [] };
  await forEachOf(images, CONCURRENCY, async (image) => {
    try {
      const changed = await action(image);
      outcome.done.push(changed);
      await keep(changed).catch(() => undefined); // the server has done it, whether or not this browser can store that
    } catch (fault) {
      const hasEnded = fault instanceof Problem && ["gone", "not-found"].includes(fault.code);
      outcome[hasEnded ? "ended" : "failed"].push(image);
      if (!hasEnded && fault instanceof Problem) outcome.problem ??= fault;
    }
  });
  return outcome;
}
