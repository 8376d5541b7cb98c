// My images: the list that this browser stores, and actions on many images at once.

import { renderAlbums, createAlbumAndOpen } from "./library/albums";
import { deleteAll, extendAll, undoAll } from "./library/actions";
import { Row } from "./library/row";
import { exportLibrary, importLibrary, type LibraryImage, listAlbums, listImages, removeImages, saveAlbum, saveImages } from "./library/store";
import { announce } from "./parts/announce";
import { copy } from "./parts/copy";
import { required } from "./parts/dom";
import { wireHandOver } from "./parts/hand-over";
import { offerUndo, UNDO_MS } from "./parts/undo";
import { t, tn } from "./parts/messages";
import { listInterruptedUploads } from "./uploading/pending-uploads";

const PAGE_SIZE = 60;
const CONCURRENT_REFRESHES = 4;

const list = required("#images");
const rows = new Map<string, Row>();
const refreshed = new Set<string>();
let images: LibraryImage[] = [];

/** Mention uploads of closed pages; those that have finished since are in the list. */
async function showUnfinished(): Promise<void> {
  const { length } = await listInterruptedUploads();
  if ((await listImages()).length !== images.length) await show();
  const place = required("#unfinished");
  place.hidden = length === 0;
  required("#unfinished-text").textContent = tn("{count} upload isn’t finished.", "{count} uploads aren’t finished.", length);
}

async function show(): Promise<void> {
  images = await listImages();
  rows.clear();
  list.replaceChildren();
  showMore();
  required("#empty").hidden = images.length > 0;
  required("#actions").hidden = images.length === 0;
  required<HTMLButtonElement>("#export").disabled = images.length === 0 && (await listAlbums()).length === 0;
}

function showMore(): void {
  const fresh: Row[] = [];
  for (const each of images.slice(rows.size, rows.size + PAGE_SIZE)) {
    const row = new Row(each);
    row.checkbox.addEventListener("change", updateSelection);
    rows.set(each.slug, row);
    list.append(row.element);
    fresh.push(row);
  }
  void refresh(fresh).then(updateSelection);
  required("#more").hidden = rows.size >= images.length;
  updateSelection();
}

/** Ask the server about each row once, a few at a time: images may have changed or ended elsewhere. */
async function refresh(wanted: Row[]): Promise<void> {
  const queue = wanted.filter(({ image: { slug } }) => !refreshed.has(slug));
  const work = async (): Promise<void> => {
    for (let row = queue.shift(); row; row = queue.shift()) {
      refreshed.add(row.image.slug);
      await row.refresh();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_REFRESHES }, work));
}

const endedRows = (): Row[] => [...rows.values()].filter((row) => row.hasEnded);
const selectedRows = (): Row[] => [...rows.values()].filter((row) => row.checkbox.checked);

function updateSelection(): void {
  const selected = selectedRows().length;
  required("#selected").textContent = selected > 0 ? tn("{count} selected", "{count} selected", selected) : t("None selected");
  for (const button of document.querySelectorAll<HTMLButtonElement>("#actions [data-action]")) button.disabled = selected === 0;
  const all = required<HTMLInputElement>("#all");
  all.checked = selected > 0 && selected === rows.size;
  all.indeterminate = selected > 0 && selected < rows.size;
  required("#forget-gone").hidden = !endedRows().length;
}

// --- actions on the selected images --------------------------------------------------------------------------------------

async function deleteSelected(): Promise<void> {
  const rowsToDelete = selectedRows();
  const { done, failed } = await deleteAll(rowsToDelete.map((row) => row.image));
  for (const each of done) each.gone = true;
  await saveImages(...done);
  await show();
  const text = withFailures(tn("{count} image deleted.", "{count} images deleted.", done.length), failed.length);
  if (done.length > 0) offerUndo(text, () => undo(done));
  else announce(text, { staysMs: UNDO_MS });
}

async function undo(deleted: LibraryImage[]): Promise<void> {
  const { done, failed } = await undoAll(deleted);
  await saveImages(...done.map((each) => ({ ...each, gone: false })));
  for (const { slug } of done) refreshed.delete(slug);
  await show();
  announceOutcome(tn("{count} image restored.", "{count} images restored.", done.length), failed.length);
}

async function extendSelected(): Promise<void> {
  const expiresIn = required<HTMLSelectElement>("#expires").value;
  const { done, failed } = await extendAll(selectedRows().map((row) => row.image), expiresIn);
  await saveImages(...done);
  await show();
  announceOutcome(tn("Expiry changed for {count} image.", "Expiry changed for {count} images.", done.length), failed.length);
}

async function removeRows(wanted: Row[]): Promise<void> {
  const removed = wanted.map((row) => row.image);
  await removeImages(...removed.map(({ slug }) => slug));
  await show();
  const live = tn("{count} image removed from this list. Its link still works.", "{count} images removed from this list. Their links still work.", removed.length);
  const text = wanted.every((row) => row.hasEnded) ? tn("{count} image removed from this list.", "{count} images removed from this list.", removed.length) : live;
  offerUndo(text, () => putBack(removed));
}

async function putBack(removed: LibraryImage[]): Promise<void> {
  await saveImages(...removed);
  await show();
  announce(tn("{count} image added.", "{count} images added.", removed.length));
}

/** Albums can't contain images that have ended, so those are left out. */
async function createAlbumOfSelected(): Promise<void> {
  const available = selectedRows().filter((row) => !row.hasEnded);
  if (available.length > 0) await createAlbumAndOpen(available.map((row) => row.image.slug));
  else announce(t("These images are no longer available, so there is nothing to put in an album."));
}

function announceOutcome(text: string, failures: number): void {
  announce(withFailures(text, failures), { staysMs: failures > 0 ? UNDO_MS : 4000 });
}

function withFailures(text: string, failures: number): string {
  const problem = failures > 0 ? tn("{count} could not be changed.", "{count} could not be changed.", failures) : "";
  return `${text} ${problem}`.trim();
}

// --- the list as a file ------------------------------------------------------------------------------------------------

async function exportList(): Promise<void> {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([exportLibrary({ images, albums: await listAlbums() })], { type: "application/json" }));
  link.download = `images-${new Date().toISOString().slice(0, 10)}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function importList(input: HTMLInputElement): Promise<void> {
  const file = input.files?.[0];
  input.value = "";
  if (!file) return;
  const found = importLibrary(await file.text());
  if (!found) {
    announce(t("{name} isn’t an exported list.", { name: file.name }));
    return;
  }
  const known = new Set(images.map(({ slug }) => slug));
  const fresh = found.images.filter(({ slug }) => !known.has(slug));
  await saveImages(...fresh);
  await Promise.all(found.albums.map(saveAlbum));
  await show();
  await showAlbums();
  announce(tn("{count} image added.", "{count} images added.", fresh.length));
}

const showAlbums = (): Promise<void> => renderAlbums(required("#albums"), required("#albums ul"));

const actions: Record<string, () => unknown> = {
  copy: () => copy(selectedRows().map((row) => row.image.url).join("\n"), t("All links")),
  album: createAlbumOfSelected,
  extend: extendSelected,
  delete: deleteSelected,
  forget: () => removeRows(selectedRows()),
};
for (const button of document.querySelectorAll<HTMLButtonElement>("#actions [data-action]")) {
  button.addEventListener("click", () => void actions[button.dataset["action"] ?? ""]?.());
}
required<HTMLInputElement>("#all").addEventListener("change", ({ target }) => {
  for (const row of rows.values()) row.checkbox.checked = (target as HTMLInputElement).checked;
  updateSelection();
});
required("#more").addEventListener("click", showMore);
required("#forget-gone").addEventListener("click", () => void removeRows(endedRows()));
required("#export").addEventListener("click", () => void exportList());
required<HTMLInputElement>("#import").addEventListener("change", ({ target }) => void importList(target as HTMLInputElement));
wireHandOver();
void show().then(showUnfinished);
void showAlbums();
