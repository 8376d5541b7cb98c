// Albums that this browser remembers, as their own pages tell of them.

import { albums, keepAlbum, type MyAlbum } from "./store";

/** Remember an album that was made by form; what the page says of it stands in `data-made`. */
export async function rememberMade(page: HTMLElement): Promise<void> {
  const { slug, url, title, delete_token } = JSON.parse(page.dataset["made"] ?? "{}") as MyAlbum;
  await keepAlbum({ slug, url, title, delete_token, made_at: new Date().toISOString() });
}

/** Give a remembered album the title that it has now. */
export async function renameRemembered(slug: string, title: string | null): Promise<void> {
  const known = (await albums()).find((album) => album.slug === slug);
  if (known && known.title !== title) await keepAlbum({ ...known, title });
}
