// What this browser remembers, on this device only: the pictures that were uploaded with it, and uploads that were begun.

import { type DBSchema, type IDBPDatabase, openDB } from "idb";

/** A picture of mine. `gone` once the server said so; times are RFC 3339. */
export interface Mine {
  slug: string;
  url: string;
  filename: string;
  title: string | null;
  thumbnail: string | null;
  delete_token: string;
  uploaded_at: string;
  expires_at: string | null;
  gone?: boolean;
}

/** An album that was made with this browser. */
export interface MyAlbum {
  slug: string;
  url: string;
  title: string | null;
  delete_token: string;
  made_at: string;
}

/**
 * A file that was chosen, until its upload has ended; `url` once it was begun. `file` lies here too where it is small
 * enough, so that it need not be asked for again.
 */
export interface Begun {
  id: string;
  url?: string;
  name: string;
  size: number;
  modified: number;
  wishes: Record<string, string>;
  file?: File;
}

interface Schema extends DBSchema {
  pictures: { key: string; value: Mine; indexes: { uploaded: string } };
  albums: { key: string; value: MyAlbum };
  begun: { key: string; value: Begun };
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

/** My pictures, newest first. */
export async function pictures(): Promise<Mine[]> {
  return (await (await database()).getAllFromIndex("pictures", "uploaded")).reverse();
}

export async function keep(...mine: Mine[]): Promise<void> {
  const change = (await database()).transaction("pictures", "readwrite");
  await Promise.all([...mine.map((one) => change.store.put(one)), change.done]);
}

export async function forget(...slugs: string[]): Promise<void> {
  const change = (await database()).transaction("pictures", "readwrite");
  await Promise.all([...slugs.map((slug) => change.store.delete(slug)), change.done]);
}

/** My albums, newest first. */
export async function albums(): Promise<MyAlbum[]> {
  const found = await (await database()).getAll("albums");
  return found.sort((one, other) => other.made_at.localeCompare(one.made_at));
}

export async function keepAlbum(album: MyAlbum): Promise<void> {
  await (await database()).put("albums", album);
}

export async function forgetAlbum(slug: string): Promise<void> {
  await (await database()).delete("albums", slug);
}

export async function begun(): Promise<Begun[]> {
  return (await database()).getAll("begun");
}

/** Remember an upload; without its bytes where the browser has no room for them. */
export async function noteBegun(upload: Begun): Promise<void> {
  const held = await database();
  try {
    await held.put("begun", upload);
  } catch {
    const { file: _, ...rest } = upload;
    await held.put("begun", rest);
  }
}

export async function dropBegun(id: string): Promise<void> {
  await (await database()).delete("begun", id);
}

// --- the list as a file --------------------------------------------------------------------------------------------

const FORMAT = "appliance-pictures-1";

/** All that this browser knows of what is mine. */
export interface Remembered {
  pictures: Mine[];
  albums: MyAlbum[];
}

/** The whole list as a file's text, delete tokens included. */
export function exported(remembered: Remembered): string {
  return JSON.stringify({ format: FORMAT, ...remembered }, null, 1);
}

/** The list that a file holds, but for what in it is neither picture nor album; undefined for a file that holds none. */
export function imported(text: string): Remembered | undefined {
  try {
    const { format, pictures: found, albums: made = [] } = JSON.parse(text) as Record<string, unknown>;
    if (format !== FORMAT || !Array.isArray(found) || !Array.isArray(made)) return undefined;
    return { pictures: found.filter(isMine).map(plain), albums: made.filter(isMyAlbum).map(plainAlbum) };
  } catch {
    return undefined;
  }
}

const isText = (value: unknown, shape: RegExp): value is string => typeof value === "string" && shape.test(value);
const isDate = (value: unknown): value is string => typeof value === "string" && !Number.isNaN(Date.parse(value));

function isMine(one: unknown): one is Mine {
  if (typeof one !== "object" || one === null) return false;
  const { slug, filename, delete_token, uploaded_at } = one as Mine;
  const named = isText(slug, /^[0-9A-Za-z]{1,64}$/) && isText(filename, /^[^]{1,300}$/);
  return named && isText(delete_token, /^[\w-]{22}$/) && isDate(uploaded_at);
}

function isMyAlbum(one: unknown): one is MyAlbum {
  if (typeof one !== "object" || one === null) return false;
  const { slug, delete_token, made_at } = one as MyAlbum;
  return isText(slug, /^[0-9A-Za-z]{1,64}$/) && isText(delete_token, /^[\w-]{22}$/) && isDate(made_at);
}

function plainAlbum({ slug, title, delete_token, made_at }: MyAlbum): MyAlbum {
  const url = new URL(`/a/${slug}`, location.href).href;
  return { slug, url, title: isText(title, /^[^]{1,300}$/) ? title : null, delete_token, made_at };
}

/** Only what is known, and links of this host only: a file from elsewhere is not to lead anybody away. */
function plain({ slug, filename, delete_token, uploaded_at, title, expires_at }: Mine): Mine {
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
