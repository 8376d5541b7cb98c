// My images: the list that this browser keeps, and what can be done with many of them at once.

import { listAlbums, makeAlbum } from "./mine/albums";
import { deleteAll, extendAll, undoAll } from "./mine/deeds";
import { Row } from "./mine/row";
import { albums, exported, forget, imported, keep, keepAlbum, type Mine, pictures } from "./mine/store";
import { announce } from "./parts/announce";
import { copy } from "./parts/copy";
import { one } from "./parts/one";
import { offerUndo, UNDO_MS } from "./parts/undo";
import { t, tn } from "./parts/words";
import { interrupted } from "./uploading/begun";

const PORTION = 60;
const REFRESHES = 4;

const list = one("#pictures");
const rows = new Map<string, Row>();
const asked = new Set<string>();
let mine: Mine[] = [];

/** What was begun on a page that is closed now: what has arrived since is mine, and of the rest is told. */
async function tellUnfinished(): Promise<void> {
  const { length } = await interrupted();
  if ((await pictures()).length !== mine.length) await show();
  const place = one("#unfinished");
  place.hidden = length === 0;
  one("#unfinished-words").textContent = tn("{count} upload isn’t finished.", "{count} uploads aren’t finished.", length);
}

async function show(): Promise<void> {
  mine = await pictures();
  rows.clear();
  list.replaceChildren();
  more();
  one("#nothing").hidden = mine.length > 0;
  one("#deeds").hidden = mine.length === 0;
  one<HTMLButtonElement>("#export").disabled = mine.length === 0 && (await albums()).length === 0;
}

function more(): void {
  const fresh: Row[] = [];
  for (const each of mine.slice(rows.size, rows.size + PORTION)) {
    const row = new Row(each);
    row.tick.addEventListener("change", count);
    rows.set(each.slug, row);
    list.append(row.element);
    fresh.push(row);
  }
  void refreshed(fresh).then(count);
  one("#more").hidden = rows.size >= mine.length;
  count();
}

/** What was changed or ended elsewhere is seen here too: each row asks once, a few at a time. */
async function refreshed(wanted: Row[]): Promise<void> {
  const left = wanted.filter(({ mine: { slug } }) => !asked.has(slug));
  const work = async (): Promise<void> => {
    for (let row = left.shift(); row; row = left.shift()) {
      asked.add(row.mine.slug);
      await row.refresh();
    }
  };
  await Promise.all(Array.from({ length: REFRESHES }, work));
}

const over = (): Row[] => [...rows.values()].filter((row) => row.over);
const chosen = (): Row[] => [...rows.values()].filter((row) => row.tick.checked);

function count(): void {
  const many = chosen().length;
  one("#chosen").textContent = many > 0 ? tn("{count} selected", "{count} selected", many) : t("None selected");
  for (const button of document.querySelectorAll<HTMLButtonElement>("#deeds [data-deed]")) button.disabled = many === 0;
  const all = one<HTMLInputElement>("#all");
  all.checked = many > 0 && many === rows.size;
  all.indeterminate = many > 0 && many < rows.size;
  one("#forget-gone").hidden = !over().length;
}

// --- what is done with those that are chosen ---------------------------------------------------------------------------

async function remove(): Promise<void> {
  const wanted = chosen();
  const { done, failed } = await deleteAll(wanted.map((row) => row.mine));
  for (const each of done) each.gone = true;
  await keep(...done);
  await show();
  const words = withFailures(tn("{count} image deleted.", "{count} images deleted.", done.length), failed.length);
  if (done.length > 0) offerUndo(words, () => undo(done));
  else announce(words, { staysMs: UNDO_MS });
}

async function undo(deleted: Mine[]): Promise<void> {
  const { done, failed } = await undoAll(deleted);
  await keep(...done.map((each) => ({ ...each, gone: false })));
  for (const { slug } of done) asked.delete(slug);
  await show();
  say(tn("{count} image restored.", "{count} images restored.", done.length), failed.length);
}

async function extend(): Promise<void> {
  const expiresIn = one<HTMLSelectElement>("#expires").value;
  const { done, failed } = await extendAll(chosen().map((row) => row.mine), expiresIn);
  await keep(...done);
  await show();
  say(tn("Expiry changed for {count} image.", "Expiry changed for {count} images.", done.length), failed.length);
}

async function forgetRows(wanted: Row[]): Promise<void> {
  const forgotten = wanted.map((row) => row.mine);
  await forget(...forgotten.map(({ slug }) => slug));
  await show();
  const live = tn("{count} image removed from this list. Its link still works.", "{count} images removed from this list. Their links still work.", forgotten.length);
  const words = wanted.every((row) => row.over) ? tn("{count} image removed from this list.", "{count} images removed from this list.", forgotten.length) : live;
  offerUndo(words, () => remember(forgotten));
}

async function remember(forgotten: Mine[]): Promise<void> {
  await keep(...forgotten);
  await show();
  announce(tn("{count} image added.", "{count} images added.", forgotten.length));
}

/** Of those that are there: an album can't have the others. */
async function makeAlbumOfChosen(): Promise<void> {
  const there = chosen().filter((row) => !row.over);
  if (there.length > 0) await makeAlbum(there.map((row) => row.mine.slug));
  else announce(t("These images are no longer available, so there is nothing to put in an album."));
}

function say(words: string, failures: number): void {
  announce(withFailures(words, failures), { staysMs: failures > 0 ? UNDO_MS : 4000 });
}

function withFailures(words: string, failures: number): string {
  const problem = failures > 0 ? tn("{count} could not be changed.", "{count} could not be changed.", failures) : "";
  return `${words} ${problem}`.trim();
}

// --- the list as a file ------------------------------------------------------------------------------------------------

async function save(): Promise<void> {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([exported({ pictures: mine, albums: await albums() })], { type: "application/json" }));
  link.download = `pictures-${new Date().toISOString().slice(0, 10)}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function load(input: HTMLInputElement): Promise<void> {
  const file = input.files?.[0];
  input.value = "";
  if (!file) return;
  const found = imported(await file.text());
  if (!found) {
    announce(t("{name} isn’t an exported list.", { name: file.name }));
    return;
  }
  const known = new Set(mine.map(({ slug }) => slug));
  const fresh = found.pictures.filter(({ slug }) => !known.has(slug));
  await keep(...fresh);
  await Promise.all(found.albums.map(keepAlbum));
  await show();
  await showAlbums();
  announce(tn("{count} image added.", "{count} images added.", fresh.length));
}

const showAlbums = (): Promise<void> => listAlbums(one("#albums"), one("#albums ul"));

const deeds: Record<string, () => unknown> = {
  copy: () => copy(chosen().map((row) => row.mine.url).join("\n"), t("All links")),
  album: makeAlbumOfChosen,
  extend,
  delete: remove,
  forget: () => forgetRows(chosen()),
};
for (const button of document.querySelectorAll<HTMLButtonElement>("#deeds [data-deed]")) {
  button.addEventListener("click", () => void deeds[button.dataset["deed"] ?? ""]?.());
}
one<HTMLInputElement>("#all").addEventListener("change", ({ target }) => {
  for (const row of rows.values()) row.tick.checked = (target as HTMLInputElement).checked;
  count();
});
one("#more").addEventListener("click", more);
one("#forget-gone").addEventListener("click", () => void forgetRows(over()));
one("#export").addEventListener("click", () => void save());
one<HTMLInputElement>("#import").addEventListener("change", ({ target }) => void load(target as HTMLInputElement));
void show().then(tellUnfinished);
void showAlbums();
