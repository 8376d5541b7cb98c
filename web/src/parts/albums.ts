// Albums, as scripts ask the server for them.

import { type Problematic, told } from "./problems";

/** What was asked and could not be done, in words for people and their language. */
export class AlbumProblem extends Error {
  constructor(
    readonly code: string,
    detail: string,
    readonly lang: string,
  ) {
    super(detail);
  }
}

const KEPT_ALIVE_BYTES = 60_000; // browsers send no more once the page is left

export interface MadeAlbum {
  slug: string;
  url: string;
  expires_at: string;
  delete_token: string;
  /** The secret link that changes it: to be shown, and kept on this device. */
  manageLink: string;
}

export interface AlbumChange {
  title?: string | null;
  add?: string[];
  remove?: string[];
  order?: string[];
}

/**
 * A new album of images that are here already, in this order. A lost connection is tried again and makes no second one.
 * Throws AlbumProblem, and TypeError when the server can't be reached.
 */
export async function createAlbum(slugs: readonly string[], title?: string): Promise<MadeAlbum> {
  const request: RequestInit = {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": freshKey() },
    body: JSON.stringify({ images: slugs, ...(title ? { title } : {}) }),
  };
  const album = (await asked("/api/v1/albums", request).catch((fault: unknown) => {
    if (fault instanceof AlbumProblem) throw fault;
    return asked("/api/v1/albums", request);
  })) as MadeAlbum;
  return { ...album, manageLink: `${album.url}#${album.delete_token}` };
}

/** Change an album, even while the page is left; the slugs that it has now, in their order. Throws as `createAlbum` does. */
export async function changeAlbum(slug: string, token: string, change: AlbumChange): Promise<string[]> {
  const body = JSON.stringify(change);
  const album = (await asked(`/api/v1/albums/${slug}`, {
    method: "PATCH",
    keepalive: body.length < KEPT_ALIVE_BYTES,
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body,
  })) as { images: { slug: string }[] };
  return album.images.map((image) => image.slug);
}

async function asked(path: string, request?: RequestInit): Promise<unknown> {
  const response = await fetch(path, request);
  const body: unknown = await response.json();
  if (response.ok) return body;
  const problem = body as Problematic;
  const { words, lang } = told(problem);
  throw new AlbumProblem(problem.code ?? String(response.status), words, lang);
}

/** Random, so that nobody guesses it; made without crypto.randomUUID, which plain http has not. */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
