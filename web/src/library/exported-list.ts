// My images as a file, with everything that it takes to manage them elsewhere. Files come from anywhere, so what is read is
// checked entry by entry.

import { DAY_MS } from "../parts/formatting";
import { isToken } from "../parts/token";
import { protectionOf } from "./image";
import type { LibraryAlbum, LibraryImage } from "./store";

const MAX_BIN_MS = 90 * DAY_MS; // of any host
const FORMAT = "appliance-pictures-1";

/** Everything in My images. */
export interface Library {
  images: LibraryImage[];
  albums: LibraryAlbum[];
}

/** The library as the text of a file, delete tokens included. */
export function exportLibrary({ images, albums }: Library): string {
  const pictures = images.map(({ preview: _, ...image }) => image);
  return JSON.stringify({ format: FORMAT, pictures, albums }, null, 1);
}

/** The library that a file holds, without entries that are neither image nor album; undefined for any other file. */
export function importLibrary(text: string): Library | undefined {
  try {
    const { format, pictures, albums = [] } = JSON.parse(text) as Record<string, unknown>;
    if (format !== FORMAT || !Array.isArray(pictures) || !Array.isArray(albums)) return undefined;
    return {
      images: pictures.filter(isLibraryImage).map(sanitizeImage),
      albums: albums.filter(isLibraryAlbum).map(sanitizeAlbum),
    };
  } catch {
    return undefined;
  }
}

const isText = (value: unknown, shape: RegExp): value is string => typeof value === "string" && shape.test(value);
const isDate = (value: unknown): value is string => typeof value === "string" && !Number.isNaN(Date.parse(value));

function isLibraryImage(entry: unknown): entry is LibraryImage {
  if (typeof entry !== "object" || entry === null) return false;
  const { slug, filename, delete_token, uploaded_at } = entry as LibraryImage;
  const named = isText(slug, /^[0-9A-Za-z]{1,64}$/) && isText(filename, /^[^]{1,300}$/);
  return named && isToken(delete_token) && isDate(uploaded_at);
}

function isLibraryAlbum(entry: unknown): entry is LibraryAlbum {
  if (typeof entry !== "object" || entry === null) return false;
  const { slug, delete_token, made_at } = entry as LibraryAlbum;
  return isText(slug, /^[0-9A-Za-z]{1,64}$/) && isToken(delete_token) && isDate(made_at);
}

const until = (time: string, latest: number): string => (Date.parse(time) <= latest ? time : new Date(latest).toISOString());

/** The time, or now if that is still to come: nothing was uploaded then. */
const past = (time: string): string => until(time, Date.now());

/** What says that an image or album has ended. Nothing stays in a bin for longer than a host lets it. */
function sanitizeEnd({ gone, restorable_until }: LibraryImage | LibraryAlbum): Pick<LibraryAlbum, "gone" | "restorable_until"> {
  if (isDate(restorable_until)) return { gone: true, restorable_until: until(restorable_until, Date.now() + MAX_BIN_MS) };
  return gone === true ? { gone } : {};
}

function sanitizeAlbum(album: LibraryAlbum): LibraryAlbum {
  const { slug, title, delete_token, made_at } = album;
  const url = new URL(`/a/${slug}`, location.href).href;
  const entry = { slug, url, title: isText(title, /^[^]{1,300}$/) ? title : null, delete_token, made_at: past(made_at) };
  return { ...entry, ...sanitizeEnd(album) };
}

/** Only known fields, and links to this host only: a file from elsewhere must not lead anybody away. */
function sanitizeImage(image: LibraryImage): LibraryImage {
  const { slug, filename, delete_token, uploaded_at, title, expires_at, sha256, viewed_at } = image;
  return {
    slug,
    url: new URL(`/i/${slug}`, location.href).href,
    filename,
    title: isText(title, /^[^]{1,300}$/) ? title : null,
    thumbnail: new URL(`/i/${slug}/thumbnail`, location.href).href,
    delete_token,
    uploaded_at: past(uploaded_at),
    expires_at: isDate(expires_at) ? expires_at : null,
    ...(isText(sha256, /^[0-9a-f]{64}$/) ? { sha256 } : {}),
    ...(isDate(viewed_at) ? { viewed_at } : {}),
    ...protectionOf({ locked: image.locked === true, one_view: image.one_view === true }),
    ...sanitizeEnd(image),
  };
}
