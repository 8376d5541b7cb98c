// What this browser stores, on this device only: the images and albums made with it, and uploads that aren't finished.
// The names in the database and in the exported file are those of their first version, because browsers and files keep them.

import { type DBSchema, type IDBPDatabase, openDB } from "idb";

/** An image in My images. `gone` is set once the server has said so; times are RFC 3339. */
export interface LibraryImage {
  slug: string;
  url: string;
  filename: string;
  title: string | null;
  thumbnail: string | null;
  delete_token: string;
  uploaded_at: string;
  expires_at: string | null;
  gone?: boolean;
  /** The digest of the original; images of older versions have none. */
  sha256?: string;
}

/** An album that was created with this browser. */
export interface LibraryAlbum {
  slug: string;
  url: string;
  title: string | null;
  delete_token: string;
  made_at: string;
}

/**
 * A file whose upload isn't finished; `url` is known once the upload was created. A small file is stored here too, so that
 * nobody has to choose it again.
 */
export interface PendingUpload {
  id: string;
  url?: string;
  name: string;
  size: number;
  modified: number;
  options: Record<string, string>;
  /** Changes to make when the image is there. */
  edits?: Record<string, string>;
  file?: File;
}

type StoredUpload = Omit<PendingUpload, "options"> & { wishes: Record<string, string> };

interface Schema extends DBSchema {
  pictures: { key: string; value: LibraryImage; indexes: { uploaded: string } };
  albums: { key: string; value: LibraryAlbum };
  begun: { key: string; value: StoredUpload };
}

let opened: Promise<IDBPDatabase<Schema>> | undefined;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>("appliance", 1, {
    upgrade(fresh) {
      fresh.createObjectStore("pictures", { keyPath: "slug" }).createIndex("uploaded", "uploaded_at");
      fresh.createObjectStore("albums", { keyPath: "slug" });
      fresh.createObjectStore("begun", { keyPath: "id" });
    },
  });
  return opened;
}

/** The images, newest first. */
export async function listImages(): Promise<LibraryImage[]> {
  return (await (await database()).getAllFromIndex("pictures", "uploaded")).reverse();
}

export async function saveImages(...images: LibraryImage[]): Promise<void> {
  const change = (await database()).transaction("pictures", "readwrite");
  await Promise.all([...images.map((image) => change.store.put(image)), change.done]);
}

export async function removeImages(...slugs: string[]): Promise<void> {
  const change = (await database()).transaction("pictures", "readwrite");
  await Promise.all([...slugs.map((slug) => change.store.delete(slug)), change.done]);
}

/** The albums, newest first. */
export async function listAlbums(): Promise<LibraryAlbum[]> {
  const found = await (await database()).getAll("albums");
  return found.sort((a, b) => b.made_at.localeCompare(a.made_at));
}

export async function saveAlbum(album: LibraryAlbum): Promise<void> {
  await (await database()).put("albums", album);
}

export async function removeAlbum(slug: string): Promise<void> {
  await (await database()).delete("albums", slug);
}

export async function listPendingUploads(): Promise<PendingUpload[]> {
  const found = await (await database()).getAll("begun");
  return found.map(({ wishes, ...upload }) => ({ ...upload, options: wishes }));
}

/** Store an upload; without its file if the browser has no room for that. */
export async function savePendingUpload({ options, ...upload }: PendingUpload): Promise<void> {
  const stored: StoredUpload = { ...upload, wishes: options };
  const open = await database();
  try {
    await open.put("begun", stored);
  } catch {
    const { file: _, ...rest } = stored;
    await open.put("begun", rest);
  }
}

export async function removePendingUpload(id: string): Promise<void> {
  await (await database()).delete("begun", id);
}

// --- the list as a file --------------------------------------------------------------------------------------------

const FORMAT = "appliance-pictures-1";

/** Everything in My images. */
export interface Library {
  images: LibraryImage[];
  albums: LibraryAlbum[];
}

/** The library as the text of a file, delete tokens included. */
export function exportLibrary({ images, albums }: Library): string {
  return JSON.stringify({ format: FORMAT, pictures: images, albums }, null, 1);
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
  return named && isText(delete_token, /^[\w-]{22}$/) && isDate(uploaded_at);
}

function isLibraryAlbum(entry: unknown): entry is LibraryAlbum {
  if (typeof entry !== "object" || entry === null) return false;
  const { slug, delete_token, made_at } = entry as LibraryAlbum;
  return isText(slug, /^[0-9A-Za-z]{1,64}$/) && isText(delete_token, /^[\w-]{22}$/) && isDate(made_at);
}

function sanitizeAlbum({ slug, title, delete_token, made_at }: LibraryAlbum): LibraryAlbum {
  const url = new URL(`/a/${slug}`, location.href).href;
  return { slug, url, title: isText(title, /^[^]{1,300}$/) ? title : null, delete_token, made_at };
}

/** Only known fields, and links to this host only: a file from elsewhere must not lead anybody away. */
function sanitizeImage({ slug, filename, delete_token, uploaded_at, title, expires_at }: LibraryImage): LibraryImage {
  return {
    slug,
    url: new URL(`/i/${slug}`, location.href).href,
    filename,
    title: isText(title, /^[^]{1,300}$/) ? title : null,
    thumbnail: new URL(`/i/${slug}/thumbnail`, location.href).href,
    delete_token,
    uploaded_at,
    expires_at: isDate(expires_at) ? expires_at : null,
  };
}
