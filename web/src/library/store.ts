// What this browser stores, on this device only: the images and albums made with it, and uploads that aren't finished.
// The names in the database and in the exported file are those of their first version, because browsers and files keep them.

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { randomId } from "../parts/random";
import { publishChange } from "./changes";

/** An image in My images. Times are RFC 3339. */
export interface LibraryImage {
  slug: string;
  url: string;
  filename: string;
  title: string | null;
  thumbnail: string | null;
  delete_token: string;
  /** When the file was chosen. */
  uploaded_at: string;
  expires_at: string | null;
  /** Set once the server has said that it shows the image no more. */
  gone?: boolean;
  /** The digest of the original; images of older versions have none. */
  sha256?: string;
  /** Whether its viewers need a passphrase. */
  locked?: boolean;
  /** Whether it can be viewed once. */
  one_view?: boolean;
  /** When that was, once it is over. */
  viewed_at?: string;
  /** Until when an image in the bin can be restored; it is set exactly for those. */
  restorable_until?: string;
  /** The thumbnail of an image in the bin, because the server shows it no more. */
  preview?: Blob;
}

/** An album that was created with this browser. */
export interface LibraryAlbum {
  slug: string;
  url: string;
  title: string | null;
  delete_token: string;
  made_at: string;
  /** Set once the server has said that it shows the album no more. */
  gone?: boolean;
  /** Until when an album in the bin can be restored; it is set exactly for those. */
  restorable_until?: string;
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
  /** Whether nobody has decided yet what becomes of the file, which came from elsewhere. */
  undecided?: true;
}

type StoredUpload = Omit<PendingUpload, "options"> & { wishes: Record<string, string> };

/** What the types of the service worker lack; it stores no images. */
interface Persistable {
  persist?(): Promise<boolean>;
}

interface Schema extends DBSchema {
  pictures: { key: string; value: LibraryImage; indexes: { uploaded: string } };
  albums: { key: string; value: LibraryAlbum };
  begun: { key: string; value: StoredUpload };
}

const MAX_UNDECIDED = 200; // files, more than anybody shares at once
const MAX_UNDECIDED_BYTES = 1e9;
let opened: Promise<IDBPDatabase<Schema>> | undefined;
let isKept: Promise<unknown> | undefined;
let whenLost: () => void = () => undefined;

/** Call `lost` when the browser has deleted what was stored here, while the page is open. */
export function onLostStorage(lost: () => void): void {
  whenLost = lost;
}

async function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>("appliance", 1, {
    upgrade(fresh) {
      fresh.createObjectStore("pictures", { keyPath: "slug" }).createIndex("uploaded", "uploaded_at");
      fresh.createObjectStore("albums", { keyPath: "slug" });
      fresh.createObjectStore("begun", { keyPath: "id" });
    },
    terminated() {
      opened = undefined;
      whenLost();
    },
  });
  try {
    return await opened;
  } catch (fault) {
    opened = undefined; // the next call tries again
    throw fault;
  }
}

/** Do `work`; if the browser is closing the connection, as when its data is cleared, once more on a new one. */
async function withDatabase<Result>(work: (open: IDBPDatabase<Schema>) => Promise<Result>): Promise<Result> {
  try {
    return await work(await database());
  } catch (fault) {
    if (!(fault instanceof DOMException && fault.name === "InvalidStateError")) throw fault;
    opened = undefined;
    whenLost();
    return work(await database());
  }
}

/** The images, newest first. */
export async function listImages(): Promise<LibraryImage[]> {
  return (await withDatabase((open) => open.getAllFromIndex("pictures", "uploaded"))).reverse();
}

export async function findImage(slug: string): Promise<LibraryImage | undefined> {
  return withDatabase((open) => open.get("pictures", slug));
}

/** Ask the browser, once a page, not to delete what is stored here when space is short: nobody else has the manage links. */
function askToKeep(): void {
  const storage = navigator.storage as (StorageManager & Persistable) | undefined; // only with HTTPS
  isKept ??= storage?.persist?.().catch(() => undefined);
}

/** Store images; without previews if the browser can't store files, as in Safari's private windows. */
export async function saveImages(...images: LibraryImage[]): Promise<void> {
  await withDatabase(async (open) => {
    try {
      await putImages(open, images);
    } catch {
      await putImages(
        open,
        images.map(({ preview: _, ...image }) => image),
      );
    }
  });
  askToKeep();
  publishChange();
}

async function putImages(open: IDBPDatabase<Schema>, images: LibraryImage[]): Promise<void> {
  const change = open.transaction("pictures", "readwrite");
  await Promise.all([...images.map((image) => change.store.put(image)), change.done]);
}

/** Replace an image's entry, unless it was changed or removed since `before` was read. */
export async function replaceImage(before: LibraryImage, after: LibraryImage): Promise<void> {
  await withDatabase(async (open) => {
    const change = open.transaction("pictures", "readwrite");
    const stored = await change.store.get(before.slug);
    if (JSON.stringify(stored) === JSON.stringify(before)) await change.store.put(after);
    await change.done;
  });
  publishChange();
}

export async function removeImages(...slugs: string[]): Promise<void> {
  await withDatabase((open) => {
    const change = open.transaction("pictures", "readwrite");
    return Promise.all([...slugs.map((slug) => change.store.delete(slug)), change.done]);
  });
  publishChange();
}

/** The albums, newest first. */
export async function listAlbums(): Promise<LibraryAlbum[]> {
  const found = await withDatabase((open) => open.getAll("albums"));
  return found.sort((a, b) => b.made_at.localeCompare(a.made_at));
}

export async function saveAlbum(album: LibraryAlbum): Promise<void> {
  await withDatabase((open) => open.put("albums", album));
  askToKeep();
  publishChange();
}

export async function removeAlbum(slug: string): Promise<void> {
  await withDatabase((open) => open.delete("albums", slug));
  publishChange();
}

export async function listPendingUploads(): Promise<PendingUpload[]> {
  const found = await withDatabase((open) => open.getAll("begun"));
  return found.map(({ wishes, ...upload }) => ({ ...upload, options: wishes }));
}

/**
 * Store files for the upload page, which asks what becomes of them, in this order: all of them or none. Throws if the browser has
 * no room, or too much waits for an answer already.
 */
export async function savePendingFiles(files: File[], options: Record<string, string> = {}): Promise<void> {
  const group = `${new Date().toISOString()}-${randomId()}`; // pages find uploads in the order of their ids
  const uploads = files.map((file, index): StoredUpload => {
    const { name, size, lastModified: modified } = file;
    return { id: `${group}-${String(index).padStart(4, "0")}`, name, size, modified, wishes: options, file, undecided: true };
  });
  await withDatabase(async (open) => {
    const change = open.transaction("begun", "readwrite", { durability: "strict" });
    const undecided = [...(await change.store.getAll()).filter(({ undecided }) => undecided), ...uploads];
    const bytes = undecided.reduce((sum, { size }) => sum + size, 0);
    if (undecided.length > MAX_UNDECIDED || bytes > MAX_UNDECIDED_BYTES) throw new DOMException("", "QuotaExceededError");
    await Promise.all([...uploads.map((upload) => change.store.put(upload)), change.done]);
  });
}

/** Store an upload; without its file if the browser has no room for that. */
export async function savePendingUpload({ options, ...upload }: PendingUpload): Promise<void> {
  const stored: StoredUpload = { ...upload, wishes: options };
  await withDatabase(async (open) => {
    try {
      await open.put("begun", stored);
    } catch {
      const { file: _, ...rest } = stored;
      await open.put("begun", rest);
    }
  });
}

export async function removePendingUpload(id: string): Promise<void> {
  await withDatabase((open) => open.delete("begun", id));
}
