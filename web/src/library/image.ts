// The image resource of the API, as far as scripts need it, and what My images stores of it.

import { t } from "../parts/messages";
import type { LibraryImage } from "./store";

/** A size of an image, or its original, in pixels. */
export interface Rendition {
  url: string;
  /** What other sites show, where that is another format: the GIF of a GIF. */
  embed_url?: string;
  width: number;
  height: number;
}

export interface ImageResource {
  slug: string;
  url: string;
  filename: string;
  title: string | null;
  alt?: string | null;
  expires_at?: string;
  delete_token: string;
  bytes?: number;
  sha256?: string;
  created_at?: string;
  incomplete?: boolean;
  problem?: object;
  private_data?: "none" | "removed" | "kept" | "not-removable";
  content_credentials?: "none" | "removed" | "kept";
  original?: Rendition;
  renditions?: Record<string, Rendition>;
  locked?: boolean;
  one_view?: boolean;
}

/** What the image resource says of who may see the image. */
type Protection = Pick<ImageResource, "locked" | "one_view">;

/** The entry of an uploaded image; `uploaded_at` is when its file was chosen. */
export function toLibraryImage(image: ImageResource, uploaded_at = new Date().toISOString()): LibraryImage {
  const { slug, url, filename, title, expires_at, delete_token, sha256 } = image;
  const thumbnail = thumbnailOf(image);
  const digest = sha256 ? { sha256 } : {};
  const entry = { slug, url, filename, title, thumbnail, delete_token, uploaded_at, expires_at: expires_at ?? null, ...digest };
  return { ...entry, ...protectionOf(image) };
}

/** The protection as entries of My images store it. */
export const protectionOf = ({ locked, one_view }: Protection): Pick<LibraryImage, "locked" | "one_view"> =>
  ({ ...(locked ? { locked } : {}), ...(one_view ? { one_view } : {}) });

/** What people should know before they share the link. */
export const protectionTexts = ({ locked, one_view }: Protection): string[] =>
  [...(locked ? [t("With a passphrase")] : []), ...(one_view ? [t("One view")] : [])];

/** The address of the thumbnail; null for an image that has none, or that is shown to nobody without more than its link. */
export const thumbnailOf = ({ renditions, locked, one_view }: Pick<ImageResource, "renditions"> & Protection): string | null =>
  locked || one_view ? null : (renditions?.["thumbnail"]?.url ?? null);

/** What people know the image by. */
export const nameOf = ({ title, filename }: LibraryImage): string => title ?? filename;

/** Whether the image, or album, has ended and can still be restored from the bin. */
export const isInBin = ({ restorable_until }: { restorable_until?: string }, now = Date.now()): boolean =>
  restorable_until !== undefined && Date.parse(restorable_until) > now;

/** Whether the image can't be restored from the bin any more, so that nothing is left to list. */
export const isErased = (image: LibraryImage, now = Date.now()): boolean => image.restorable_until !== undefined && !isInBin(image, now);

export const isExpired = ({ expires_at }: LibraryImage, now = Date.now()): boolean => expires_at !== null && Date.parse(expires_at) <= now;

/** Whether the link shows the image no more. */
export const hasEnded = (image: LibraryImage, now = Date.now()): boolean => image.gone === true || isExpired(image, now);
