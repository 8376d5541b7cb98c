// Creating an album of selected images.

import { createAlbum } from "../parts/album-api";
import { Problem, UNREACHABLE } from "../parts/api";
import { announce } from "../parts/announce";
import { saveAlbum } from "./store";

const REFUSED_FOR_NOW = [428, 429]; // whatever the album has

/**
 * Create an album of these images, store it, and open the page where it is shared. If some have ended elsewhere, it is created of
 * the slugs that `findAvailable` returns.
 */
export async function createAlbumAndOpen(slugs: string[], findAvailable: () => Promise<string[]>): Promise<void> {
  try {
    const { slug, url, delete_token } = await createAlbumOfAvailable(slugs, findAvailable);
    const album = { slug, url, title: null, delete_token, made_at: new Date().toISOString() };
    await saveAlbum(album).catch(() => undefined); // without storage, the manage link on the next page is all there is
    location.assign(`/a/${slug}/created#${delete_token}`);
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    announce(fault.message, { staysMs: 8000, lang: fault.lang });
  }
}

async function createAlbumOfAvailable(slugs: string[], findAvailable: () => Promise<string[]>): ReturnType<typeof createAlbum> {
  try {
    return await createAlbum(slugs);
  } catch (fault) {
    if (!(fault instanceof Problem) || fault.code === UNREACHABLE || REFUSED_FOR_NOW.includes(fault.status)) throw fault;
    const available = await findAvailable();
    if (available.length === 0 || available.length === slugs.length) throw fault;
    return createAlbum(available);
  }
}
