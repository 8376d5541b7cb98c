// Keeping the albums in My images up to date from their own pages.

import { type LibraryAlbum, listAlbums, saveAlbum } from "./store";

/** Store an album that was just created, unless it is stored already. */
export async function rememberAlbum(album: Omit<LibraryAlbum, "made_at">): Promise<void> {
  const known = (await listAlbums()).some(({ slug }) => slug === album.slug);
  if (!known) await saveAlbum({ ...album, made_at: new Date().toISOString() });
}

/** Update the stored title of an album. */
export async function renameAlbum(slug: string, title: string | null): Promise<void> {
  const known = (await listAlbums()).find((album) => album.slug === slug);
  if (known && known.title !== title) await saveAlbum({ ...known, title });
}
