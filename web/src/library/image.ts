// The image resource of the API, as far as scripts need it, and what My images stores of it.

import type { LibraryImage } from "./store";

/** A size of an image, or its original, in pixels. */
export interface Rendition {
  url: string;
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
  incomplete?: boolean;
  private_data?: "none" | "removed" | "kept" | "not-removable";
  content_credentials?: "none" | "removed" | "kept";
  original?: Rendition;
  renditions?: Record<string, Rendition>;
}

export function toLibraryImage(image: ImageResource, uploaded_at = new Date().toISOString()): LibraryImage {
  const { slug, url, filename, title, expires_at, delete_token, renditions, sha256 } = image;
  const thumbnail = renditions?.["thumbnail"]?.url ?? null;
  const digest = sha256 ? { sha256 } : {};
  return { slug, url, filename, title, thumbnail, delete_token, uploaded_at, expires_at: expires_at ?? null, ...digest };
}
