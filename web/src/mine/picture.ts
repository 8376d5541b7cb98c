// The image resource, as far as scripts need it, and what of it is remembered.

import type { Mine } from "./store";

export interface Picture {
  slug: string;
  url: string;
  filename: string;
  title: string | null;
  expires_at?: string;
  delete_token: string;
  bytes?: number;
  incomplete?: boolean;
  private_data?: "none" | "removed" | "kept" | "not-removable";
  content_credentials?: "none" | "removed" | "kept";
  renditions?: Record<string, { url: string }>;
}

export function mineOf({ slug, url, filename, title, expires_at, delete_token, renditions }: Picture): Mine {
  const thumbnail = renditions?.["thumbnail"]?.url ?? null;
  const uploaded_at = new Date().toISOString();
  return { slug, url, filename, title, thumbnail, delete_token, uploaded_at, expires_at: expires_at ?? null };
}
