// Whether a file was uploaded with this browser before, by the digests in My images; nobody else is asked.

import { hasEnded, type ImageResource } from "../library/image";
import { findImage, listImages } from "../library/store";

let known: Promise<Map<string, string>> | undefined;

/** The slug of an image that has the same bytes and is still there; undefined for a new file. */
export async function findDuplicate({ slug, sha256 }: ImageResource): Promise<string | undefined> {
  if (!sha256) return undefined;
  known ??= load().catch(() => new Map<string, string>());
  const slugs = await known;
  const found = slugs.get(sha256);
  if (found !== undefined && (await isAvailable(found))) return found === slug ? undefined : found;
  slugs.set(sha256, slug);
  return undefined;
}

/** Whether My images still has the image: it may have been deleted since the list was read. */
async function isAvailable(slug: string): Promise<boolean> {
  const image = await findImage(slug).catch(() => undefined);
  return image !== undefined && !hasEnded(image);
}

async function load(): Promise<Map<string, string>> {
  const available = (await listImages()).filter((image) => !hasEnded(image));
  return new Map(available.flatMap(({ sha256, slug }) => (sha256 ? [[sha256, slug] as const] : [])));
}
