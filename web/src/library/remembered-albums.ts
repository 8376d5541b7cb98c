// Keeping the albums in My images up to date from their own pages.

import { type LibraryAlbum, listAlbums, saveAlbum } from "./store";

/** Store an album that was created by the form; the page describes it in `data-record`. */
export async function rememberAlbum(page: HTMLElement): Promise<void> {
  const { slug, url, title, delete_token } = JSON.parse(page.dataset["record"] ?? "{}") as LibraryAlbum;
  await saveAlbum({ slug, url, title, delete_token, made_at: new Date().toISOString() });
}

/** Update the stored title of an album. */
export async function renameAlbum(slug: string, title: string | null): Promise<void> {
  const known = (await listAlbums()).find((album) => album.slug === slug);
  if (known && known.title !== title) await saveAlbum({ ...known, title });
}
