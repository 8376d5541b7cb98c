// Creating and changing albums through the API.

import { keyHeader } from "./access-key";
import { callApi, Problem, UNREACHABLE } from "./api";
import { randomId } from "./random";

const MAX_KEEPALIVE_BYTES = 60_000; // browsers send no more once the page is left

export interface CreatedAlbum {
  slug: string;
  url: string;
  expires_at: string;
  delete_token: string;
}

/** An image, and the one that it is put behind; null puts it first. */
export interface Move {
  image: string;
  after: string | null;
}

export interface AlbumChange {
  title?: string | null;
  description?: string | null;
  /** The slug of the image that stands for the album. */
  cover?: string | null;
  /** A duration from now on, such as `30d`; null to end with the last image. */
  expires_in?: string | null;
  /** The new one; null to remove it. */
  passphrase?: string | null;
  add?: string[];
  remove?: string[];
  /** After the others; images that aren't named keep the order that somebody else may have given them. */
  move?: Move[];
}

/**
 * Create an album of uploaded images, in this order. If the connection is lost, or the server asks for a proof of work, the
 * call is repeated once; its idempotency key keeps the server from creating a second album. Throws Problem.
 */
export async function createAlbum(slugs: readonly string[], title?: string): Promise<CreatedAlbum> {
  const call = {
    method: "POST",
    headers: { "Idempotency-Key": randomId(), ...keyHeader() },
    body: { images: slugs, ...(title ? { title } : {}) },
  };
  return (await callApi("/api/v1/albums", call).catch(async (fault: unknown) => {
    if (!(fault instanceof Problem)) throw fault;
    if (fault.code === UNREACHABLE) return callApi("/api/v1/albums", call);
    const proof = fault.challenge && (await solved(fault.challenge));
    if (!proof) throw fault;
    return callApi("/api/v1/albums", { ...call, headers: { ...call.headers, "Proof-Of-Work": proof } });
  })) as CreatedAlbum;
}

/** The solution, as the header has it; undefined where this browser finds none. */
async function solved(challenge: string): Promise<string | undefined> {
  const part = await import("../uploading/proof").catch(() => undefined);
  return part?.solve(challenge);
}

/** Change an album, even while the page is left. Returns the slugs of its images in their order. Throws Problem. */
export async function changeAlbum(slug: string, token: string, change: AlbumChange): Promise<string[]> {
  const keepalive = JSON.stringify(change).length < MAX_KEEPALIVE_BYTES;
  const reply = await callApi(`/api/v1/albums/${slug}`, { method: "PATCH", token, body: change, keepalive });
  return (reply as { images: { slug: string }[] }).images.map((image) => image.slug);
}
