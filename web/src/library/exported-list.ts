// My images as a file, with everything that it takes to manage them elsewhere. Files come from anywhere, so what is read is
// checked entry by entry.

import { isToken } from "../parts/token";
import type { LibraryAlbum, LibraryImage } from "./store";

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

function sanitizeAlbum({ slug, title, delete_token, made_at }: LibraryAlbum): LibraryAlbum {
  const url = new URL(`/a/${slug}`, location.href).href;
  return { slug, url, title: isText(title, /^[^]{1,300}$/) ? title : null, delete_token, made_at };
}

/** Only known fields, and links to this host only: a file from elsewhere must not lead anybody away. */
function sanitizeImage({ slug, filename, delete_token, uploaded_at, title, expires_at, restorable_until }: LibraryImage): LibraryImage {
  return {
    slug,
    url: new URL(`/i/${slug}`, location.href).href,
    filename,
    title: isText(title, /^[^]{1,300}$/) ? title : null,
    thumbnail: new URL(`/i/${slug}/thumbnail`, location.href).href,
    delete_token,
    uploaded_at,
    expires_at: isDate(expires_at) ? expires_at : null,
    ...(isDate(restorable_until) ? { gone: true, restorable_until } : {}),
  };
}
