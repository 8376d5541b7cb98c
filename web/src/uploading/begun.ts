// Uploads that outlive the page: which were chosen and not ended, and to whom of several open pages each belongs.

import { mineOf } from "../mine/picture";
import { type Begun, begun, dropBegun, keep, noteBegun } from "../mine/store";
import { stateOf } from "./state";
import type { Transfer } from "./transfer";

const KEPT_BYTES = 64e6; // a file so small is kept by the browser, so that a reload goes on without asking for it
const KEPT_IN_ALL_BYTES = 1e9;
const kept = new Map<string, number>();

/** An upload that can go on: how far it is, and its file where the browser has it. */
export interface Interrupted extends Begun {
  offset: number;
}

/** Remember it until it has ended, as that of this page. */
export async function remember({ id, file, url, wishes }: Transfer): Promise<void> {
  claim(id);
  const upload = { id, ...(url ? { url } : {}), name: file.name, size: file.size, modified: file.lastModified, wishes };
  const room = KEPT_IN_ALL_BYTES - [...kept.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (!kept.has(id) && file.size <= Math.min(KEPT_BYTES, room)) kept.set(id, file.size);
  await noteBegun(kept.has(id) ? { ...upload, file } : upload);
}

/** It has ended: there is nothing to go on with. */
export async function done({ id }: Transfer): Promise<void> {
  kept.delete(id);
  await dropBegun(id);
}

/** What was chosen on pages that are closed now, and is not here yet; what has arrived meanwhile is remembered as mine. */
export async function interrupted(): Promise<Interrupted[]> {
  const found: Interrupted[] = [];
  for (const upload of await begun()) {
    if (!(await isFree(upload.id))) continue;
    const offset = await offsetOf(upload);
    if (offset !== undefined) found.push({ ...upload, offset });
  }
  return found;
}

/** How far it is; undefined where there is nothing to go on with. */
async function offsetOf(upload: Begun): Promise<number | undefined> {
  if (!upload.url) return 0;
  const state = await stateOf(upload.url);
  if (state === "away") return undefined;
  if (state === "gone" || state.state === "refused") {
    await dropBegun(upload.id);
    return undefined;
  }
  // All bytes are there, but the page was closed before it heard so: the verdict is waited for as on an open page.
  if (state.state === "receiving" || (state.state === "processing" && upload.file)) return state.offset;
  if (state.image && state.state === "done") {
    await keep(mineOf(state.image));
    await dropBegun(upload.id);
  }
  return undefined;
}

/** Whether this is the file that the upload was begun with. */
export const isFileOf = (upload: Interrupted, file: File): boolean =>
  upload.name === file.name && upload.size === file.size && upload.modified === file.lastModified;

// A page holds a lock on each of its uploads for as long as it is open. Without HTTPS browsers have no locks.

function claim(id: string): void {
  void navigator.locks?.request(`upload ${id}`, { ifAvailable: true }, () => new Promise(() => undefined));
}

async function isFree(id: string): Promise<boolean> {
  if (!navigator.locks) return true;
  return navigator.locks.request(`upload ${id}`, { ifAvailable: true }, (lock) => lock !== null);
}
