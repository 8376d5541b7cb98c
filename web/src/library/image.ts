// The image resource of the API, as far as scripts need it, and what My images stores of it.

import type { LibraryImage } from "./store";

export interface ImageResource {
  slug: string;
  url: string;
  filename: string;
  title: string | null;
  expires_at?: string;
  delete_token: string;
  bytes?: number;
  private_data?: "none" | "removed" | "kept" | "not-removable";
  content_credentials?: "none" | "removed" | "kept";
  renditions?: Record<string, { url: string }>;
}

export function toLibraryImage(image: ImageResource): LibraryImage {
  const { slug, url, filename, title, expires_at, delete_token, renditions } = image;
  const thumbnail = renditions?.["thumbnail"]?.url ?? null;
  const uploaded_at = new Date().toISOString();
  return { slug, url, filename, title, thumbnail, delete_token, uploaded_at, expires_at: expires_at ?? null };
}
