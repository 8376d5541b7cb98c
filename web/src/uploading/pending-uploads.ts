// Uploads that survive the page: which ones aren't finished, and where they resume.

import { toLibraryImage } from "../library/image";
import {
  listPendingUploads,
  type PendingUpload,
  removePendingUpload,
  saveImages,
  savePendingUpload,
} from "../library/store";
import { claim, listClaimed } from "./claims";
import { saveEdits } from "./edits";
import { stateOf } from "./state";
import type { Transfer } from "./transfer";

const MAX_STORED_BYTES = 64e6; // the browser stores files up to this size, so that a reload resumes without asking
const MAX_STORED_TOTAL_BYTES = 1e9;
const storedBytes = new Map<string, number>();

/** An upload that can be resumed from `offset`; `file` is there if the browser has stored it. */
export interface InterruptedUpload extends PendingUpload {
  offset: number;
}

/** Store the upload until it has ended, as one of this page. A browser that stores nothing can't resume it after a reload. */
export async function remember({ id, file, url, options, edits }: Transfer): Promise<void> {
  claim(id);
  const { name, size, lastModified: modified } = file;
  const { passphrase: _known, ...others } = options; // once the upload has an address, the server has the lock
  const kept = url ? others : options;
  const upload = { id, ...(url ? { url } : {}), name, size, modified, options: kept, edits };
  const room = MAX_STORED_TOTAL_BYTES - [...storedBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (!storedBytes.has(id) && file.size <= Math.min(MAX_STORED_BYTES, room)) storedBytes.set(id, file.size);
  await savePendingUpload(storedBytes.has(id) ? { ...upload, file } : upload).catch(() => undefined);
}

/** The upload has ended, so there is nothing to resume. */
export async function forget({ id }: Transfer): Promise<void> {
  storedBytes.delete(id);
  await removePendingUpload(id).catch(() => undefined);
}

/** Uploads of pages that have been closed. Those that have finished meanwhile are added to My images instead. */
export async function listInterruptedUploads(): Promise<InterruptedUpload[]> {
  const found: InterruptedUpload[] = [];
  const pending = await listPendingUploads();
  const claimed = pending.length > 0 ? await listClaimed() : new Set<string>();
  for (const upload of pending) {
    if (claimed.has(upload.id)) continue;
    const offset = await offsetOf(upload);
    if (offset !== undefined) found.push({ ...upload, offset });
  }
  return found;
}

/** How many bytes the server has, 0 if it can't be asked; undefined if there is nothing to resume. */
async function offsetOf(upload: PendingUpload): Promise<number | undefined> {
  if (!upload.url) return 0;
  const state = await stateOf(upload.url);
  if (state === "unreachable") return upload.file ? 0 : undefined; // it waits for the connection as on an open page
  if (state === "gone" || state.state === "refused") {
    await removePendingUpload(upload.id);
    return undefined;
  }
  // The server has all bytes, but the page was closed before it knew: wait for the verdict as on an open page.
  if (state.state === "receiving" || (state.state === "processing" && upload.file)) return state.offset;
  if (state.image && state.state === "done") {
    const image = upload.edits ? await saveEdits(state.image, upload.edits).catch(() => undefined) : state.image;
    await saveImages(toLibraryImage(image ?? state.image));
    if (image) await removePendingUpload(upload.id);
  }
  return undefined;
}

/** Whether `file` is the one that the upload was started with. */
export const isFileOf = (upload: InterruptedUpload, file: File): boolean =>
  upload.name === file.name && upload.size === file.size && upload.modified === file.lastModified;
