// The manage page of an album: with its token everything is saved by itself, and images are sorted, removed and added in
// place. Without it the page is the form that it is without a script, and its button saves.
import { AlbumForm } from "./adding/album-form";
import { wireLinks } from "./adding/links";
import type { AlbumUploads } from "./adding/uploads";
import { renameAlbum } from "./library/remembered-albums";
import { offerImages } from "./library/image-picker";
import { announce } from "./parts/announce";
import { wireCopyButtons } from "./parts/copy";
import { required } from "./parts/dom";
import { showLocalTimes } from "./parts/local-times";
import { t } from "./parts/messages";
import { loadPage } from "./parts/pages";
import { isToken, tokenIn } from "./parts/token";
import { Autosave } from "./sorting/autosave";
import { wireFields } from "./sorting/fields";
import { SortableAlbum } from "./sorting/sortable-album";
import { warnOfUnsaved } from "./sorting/unsaved";
import { type FileHandler, watchDrops, watchPicker } from "./uploading/picking";

const form = required<HTMLFormElement>("#album");
const links = required<HTMLTextAreaElement>("#add");

/** Show when the album ends, as the page of now says it. */
function showExpiry(page: Document): void {
  const [about, choices, select] = [page.querySelector("#about"), page.querySelector("#expires"), required<HTMLSelectElement>("#expires")];
  if (about) required("#about").replaceWith(about);
  if (choices) select.replaceChildren(...choices.childNodes);
  select.value = ""; // no change: inserting options changes the selection
  showLocalTimes();
}

async function reload(): Promise<void> {
  const page = await loadPage(location.pathname);
  if (page) showExpiry(page);
}

function saveByItself(): void {
  const autosave = new Autosave(form);
  void autosave.checkToken();
  const album = new SortableAlbum(required<HTMLOListElement>(".sortable"), "order", autosave);
  const background = new AlbumForm(form, (page) => {
    album.append(page.querySelectorAll<HTMLLIElement>(".sortable li"));
    showExpiry(page);
  });
  wireFields(form, autosave, () => void reload());
  wireLinks(links, background);
  wireUploads(background);
}

/** Upload files that are chosen or dropped. What does it is loaded with the first ones. */
function wireUploads(album: AlbumForm): void {
  let loading: Promise<AlbumUploads> | undefined;
  const load = (): Promise<AlbumUploads> => import("./adding/uploads").then((loaded) => new loaded.AlbumUploads(album, links));
  const take: FileHandler = async (files, from) => {
    const uploads = await (loading ??= load()).catch(() => undefined);
    if (uploads) return uploads.take(files, from);
    loading = undefined;
    announce(t("The server can’t be reached. Check your connection and try again."), { staysMs: 8000 });
  };
  watchPicker(required<HTMLInputElement>("#file"), take);
  watchDrops(required("#drop-zone"), take);
  required("#uploading").hidden = false;
}

const token = tokenIn(required<HTMLInputElement>("#token").value);
if (isToken(token)) saveByItself();
else warnOfUnsaved(form);
wireCopyButtons();
// A browser without storage, such as a private window, has nothing to offer.
renameAlbum(form.dataset["album"] ?? "", form.dataset["title"] || null).catch(() => undefined);
offerImages([links]).catch(() => undefined);
