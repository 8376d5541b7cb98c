// My images: the list that this browser stores, in three views: images, albums, and the bin.

import { refreshAlbums, renderAlbums } from "./library/album-list";
import { createAlbumAndOpen } from "./library/albums";
import { findAvailable } from "./library/availability";
import { watchChanges } from "./library/changes";
import { binImages, eraseImages, extendImages, forgetImages, restoreImages } from "./library/commands";
import { exportList, importList } from "./library/files";
import { Gallery } from "./library/gallery";
import { receiveImages, showCodes } from "./library/device-links";
import { hasEnded, isErased, isInBin } from "./library/image";
import { grouped, inAlbumOrder, inOrder, matching, type Order } from "./library/order";
import { Refresher } from "./library/refresher";
import { Roving } from "./library/roving";
import { Selection } from "./library/selection";
import { type LibraryAlbum, type LibraryImage, listAlbums, listImages, onLostStorage, removeImages, saveAlbum, saveImages } from "./library/store";
import { announce } from "./parts/announce";
import { copy } from "./parts/copy";
import { required } from "./parts/dom";
import { DAY_MS } from "./parts/formatting";
import { wireHandOver } from "./parts/hand-over";
import { t, tn } from "./parts/messages";
import { listInterruptedUploads } from "./uploading/pending-uploads";

type View = "images" | "albums" | "bin";

const place = required("#images");
const search = required<HTMLInputElement>("#search");
const order = required<HTMLSelectElement>("#order");
const all = required<HTMLInputElement>("#all");
const refresher = new Refresher();
const gallery = new Gallery(place, (row) => {
  row.checkbox.checked = selection.has(row.image.slug);
  refresher.watch(row);
});
const selection = new Selection(gallery, place, showSelection);
const roving = new Roving(gallery, place);
let images: LibraryImage[] = [];
let albums: LibraryAlbum[] = [];
let shown: LibraryImage[] = [];
let unfinished = 0;
let isLost = false;

const view = (): View => (location.hash === "#/bin" ? "bin" : location.hash === "#/albums" ? "albums" : "images");
const listed = (): LibraryImage[] => images.filter((image) => image.restorable_until === undefined);
const binned = (): LibraryImage[] => images.filter((image) => isInBin(image));
const albumsIn = (place: View): LibraryAlbum[] => (place === "images" ? [] : albums.filter((album) => isInBin(album) === (place === "bin")));

/** Read the list again and show what has changed. If the browser has deleted it, the page keeps what it has. */
async function load(): Promise<void> {
  if (isLost) return;
  try {
    [images, albums] = await Promise.all([listImages(), listAlbums()]);
  } catch {
    required("#unavailable").hidden = false;
    return;
  }
  required("#unavailable").hidden = true;
  show(false);
  const erased = images.filter((image) => isErased(image));
  if (erased.length > 0) await removeImages(...erased.map(({ slug }) => slug));
  else loadWhenErased();
}

let erasure: ReturnType<typeof setTimeout> | undefined;

/** Load again when the first image of the bin can't be restored any more, if that is soon. */
function loadWhenErased(): void {
  const first = Math.min(...binned().map(({ restorable_until }) => Date.parse(restorable_until ?? "")));
  const left = first - Date.now();
  clearTimeout(erasure);
  if (left < DAY_MS) erasure = setTimeout(() => void load(), Math.max(left, 0) + 50);
}

let haveAskedAboutAlbums = false;

/** Ask once, and again when the back button restores this page, for an album may have been deleted meanwhile. */
function askAboutAlbums(): void {
  if (haveAskedAboutAlbums || albums.length === 0) return;
  haveAskedAboutAlbums = true;
  refreshAlbums(albums).catch(() => undefined); // the browser can't store it, so the next visit asks again
}

function show(isNewOrder: boolean): void {
  const current = view();
  const sorted = inOrder(current === "bin" ? binned() : listed(), order.value as Order);
  shown = current === "albums" ? [] : matching(sorted, search.value);
  selection.keepTo(shown);
  gallery.show(grouped(shown, order.value as Order), isNewOrder);
  roving.refresh();
  renderAlbums(required("#albums"), albumsIn(current));
  showView(current);
  if (current !== "images") askAboutAlbums();
  showSelection();
}

/** Show the parts that belong to the view, and what it says where there is nothing. */
function showView(current: View): void {
  const viewed = current === "bin" ? binned() : current === "albums" ? [] : listed();
  const shownAlbums = albumsIn(current);
  for (const link of document.querySelectorAll<HTMLElement>(".views a")) {
    if (link.dataset["view"] === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  required("#image-count").textContent = String(listed().length);
  required("#album-count").textContent = String(albumsIn("albums").length);
  required("#bin-count").textContent = String(binned().length + albumsIn("bin").length);
  for (const part of document.querySelectorAll<HTMLElement>("[data-view]:not(a)")) part.hidden = part.dataset["view"] !== current;
  hide("#albums", shownAlbums.length === 0);
  hide("#find", viewed.length === 0);
  hide("#lost", !isLost);
  hide("#actions", shown.length === 0 || isLost);
  required("#empty").hidden = current !== "images" || viewed.length > 0 || unfinished > 0 || !required("#unavailable").hidden;
  required("#nothing").textContent = viewed.length > 0 && shown.length === 0 ? t("No image matches your search.") : emptyText(current, viewed.length + shownAlbums.length);
  required<HTMLButtonElement>("#export").disabled = images.length + albums.length === 0;
  required("#forget-gone").hidden = current !== "images" || !listed().some((image) => hasEnded(image));
  required("#live").dataset["shown"] = "";
}

/** Hide the part or show it; the focus of one that is hidden moves to the list. */
function hide(selector: string, isHidden: boolean): void {
  const part = required(selector);
  if (isHidden && part.contains(document.activeElement)) place.focus({ preventScroll: true });
  part.hidden = isHidden;
}

function emptyText(current: View, length: number): string {
  if (length > 0 || current === "images") return "";
  return current === "bin" ? t("The bin is empty.") : t("No albums yet. Select images to create one.");
}

function showSelection(): void {
  const { length } = selection.images;
  required("#selected").textContent = length > 0 ? tn("{count} selected", "{count} selected", length) : t("None selected");
  for (const button of document.querySelectorAll<HTMLButtonElement>("#actions [data-action]")) button.setAttribute("aria-disabled", String(length === 0));
  all.checked = length > 0 && length === shown.length;
  all.indeterminate = length > 0 && length < shown.length;
}

// --- actions -----------------------------------------------------------------------------------------------------------

const slugsOf = (some: LibraryImage[]): string[] => some.map(({ slug }) => slug);

/** Albums can't contain images that have ended, so those are left out. */
async function createAlbum(selected: LibraryImage[]): Promise<void> {
  const available = inAlbumOrder(selected.filter((image) => !hasEnded(image)), order.value as Order);
  const stillThere = async (): Promise<string[]> => slugsOf((await findAvailable(available)).filter((image) => !hasEnded(image)));
  if (available.length > 0) await createAlbumAndOpen(slugsOf(available), stillThere);
  else announce(t("These images are no longer available, so there is nothing to put in an album."));
}

const actions: Record<string, (selected: LibraryImage[]) => Promise<unknown>> = {
  copy: (selected) => copy(selected.map(({ url }) => url).join("\n"), selected.length === 1 ? t("Link") : t("All links")),
  album: createAlbum,
  extend: (selected) => extendImages(selected, required<HTMLSelectElement>("#expires").value),
  codes: showCodes,
  forget: forgetImages,
  delete: binImages,
  restore: restoreImages,
  erase: eraseImages,
};

/** Do what the button says with these images. It isn't disabled meanwhile, because that would lose the focus. */
async function run(button: HTMLElement, selected: LibraryImage[]): Promise<void> {
  const action = actions[button.dataset["action"] ?? ""];
  if (!action || selected.length === 0 || button.ariaBusy) return;
  button.ariaBusy = "true";
  await attempt(action(selected)).finally(() => (button.ariaBusy = null));
}

/** Do it, and say so if it fails, as when the browser lets nothing be stored. */
const attempt = (work: Promise<unknown>): Promise<unknown> => work.catch(() => announce(t("That didn’t work. Reload the page and try again.")));

document.addEventListener("click", ({ target }) => {
  const button = (target as Element).closest<HTMLElement>("button[data-action]");
  if (!button) return;
  const slug = button.closest<HTMLElement>("li.image")?.dataset["slug"];
  void run(button, slug === undefined ? selection.images : shown.filter((image) => image.slug === slug));
});
all.addEventListener("change", () => selection.selectAll(all.checked));
search.addEventListener("input", () => show(true));
order.addEventListener("change", () => show(true));
required("#forget-gone").addEventListener("click", () => void forgetImages(listed().filter((image) => hasEnded(image))));
required("#export").addEventListener("click", () => exportList({ images, albums }));
required<HTMLInputElement>("#import").addEventListener("change", ({ target }) => void attempt(importList(target as HTMLInputElement, { images, albums })));
place.addEventListener("error", ({ target }) => onMissingThumbnail(target as HTMLElement), { capture: true });

function onMissingThumbnail(thumbnail: HTMLElement): void {
  thumbnail.hidden = true;
  const row = gallery.row(thumbnail.closest<HTMLElement>("li.image")?.dataset["slug"] ?? "");
  if (row) refresher.watchAgain(row);
}

// --- what happens elsewhere --------------------------------------------------------------------------------------------

/** Mention uploads of closed pages; those that have finished since are in the list. */
async function showUnfinished(): Promise<void> {
  unfinished = (await listInterruptedUploads().catch(() => [])).length;
  required("#unfinished").hidden = unfinished === 0;
  required("#unfinished-text").textContent = tn("{count} upload isn’t finished.", "{count} uploads aren’t finished.", unfinished);
  showView(view());
}

/** The browser has deleted what was stored, but this page still has the list. People may want it gone, so they are asked. */
function lose(): void {
  isLost = images.length + albums.length > 0;
  showView(view());
}

async function storeAgain(): Promise<void> {
  isLost = false;
  try {
    await saveImages(...images);
    await Promise.all(albums.map(saveAlbum));
    announce(t("The list is stored in this browser again."));
  } catch {
    required("#unavailable").hidden = false;
  }
  showView(view());
}

onLostStorage(lose);
required("#store-again").addEventListener("click", () => void storeAgain());
addEventListener("hashchange", () => {
  search.value = "";
  show(true);
  void attempt(receiveImages());
});
addEventListener("pageshow", ({ persisted }) => (haveAskedAboutAlbums &&= !persisted));
wireHandOver();
watchChanges(() => void load());
void load().then(showUnfinished).then(() => attempt(receiveImages()));
