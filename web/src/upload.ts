// The upload page with scripts: files are sent as soon as they are chosen, and their links are there at once.

import { makeAlbum } from "./mine/albums";
import { announce } from "./parts/announce";
import { copy, wireCopyButtons } from "./parts/copy";
import { size } from "./parts/figures";
import { one } from "./parts/one";
import { t, tn } from "./parts/words";
import { type Interrupted, interrupted, isFileOf } from "./uploading/begun";
import { problemOf } from "./uploading/limits";
import { watchForFiles, watchPicker } from "./uploading/picking";
import { Queue } from "./uploading/queue";
import type { Wishes } from "./uploading/transfer";
import { dropBegun } from "./mine/store";

const form = one<HTMLFormElement>("#upload");
const picker = one<HTMLInputElement>("#file");
const list = one("#uploads");
const asked = one("#interrupted");
const waiting: Interrupted[] = [];
const queue = new Queue(list, showSummary);

async function take(files: File[], from: "files" | "folder"): Promise<void> {
  list.hidden = false;
  const refused: string[] = [];
  let left = 0;
  const alone = files.length === 1;
  for (const file of files) {
    const before = waiting.find((upload) => isFileOf(upload, file));
    if (before) {
      goOn(before, file);
      continue;
    }
    const problem = await problemOf(file);
    if (problem && from === "folder") left += 1;
    else if (problem) {
      queue.refuse(file, problem);
      refused.push(problem);
    } else queue.add(file, wishes(alone));
  }
  if (alone) clearTexts();
  if (refused.length > 0) announce(summary(refused), { staysMs: 8000 });
  one("#left-out").textContent =
    left === 0
      ? ""
      : tn(
          "{count} file in the folder was skipped because it isn’t a supported image.",
          "{count} files in the folder were skipped because they aren’t supported images.",
          left,
        );
}

/** Of one file its own sentence; of several how many: each card says why. */
function summary(refused: string[]): string {
  const [first = "", ...others] = refused;
  if (others.length === 0) return first;
  return tn("{count} file was rejected. See the reason above.", "{count} files were rejected. See the reasons above.", refused.length);
}

/** What the form wishes for; title and description belong to one picture alone. */
function wishes(alone: boolean): Wishes {
  const found: Wishes = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value !== "string" || value === "") continue;
    if (alone || (name !== "title" && name !== "alt")) found[name] = value;
  }
  return found;
}

function clearTexts(): void {
  for (const field of form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("#title, #alt")) field.value = "";
}

function showSummary({ pictures, busy }: Queue): void {
  one("#after").hidden = pictures.length < 2;
  one<HTMLButtonElement>("#make-album").disabled = busy;
  one("#after-words").textContent = tn("{count} image uploaded.", "{count} images uploaded.", pictures.length);
}

// --- what a closed page left behind ----------------------------------------------------------------------------------

async function offerInterrupted(): Promise<void> {
  for (const upload of await interrupted()) {
    if (upload.file) {
      list.hidden = false;
      queue.add(upload.file, upload.wishes, upload);
    } else {
      waiting.push(upload);
      asked.append(question(upload));
    }
  }
  asked.hidden = waiting.length === 0;
}

function question(upload: Interrupted): HTMLElement {
  const template = one<HTMLTemplateElement>("#interrupted-card");
  const card = template.content.cloneNode(true) as DocumentFragment;
  const element = card.firstElementChild as HTMLElement;
  element.dataset["id"] = upload.id;
  const figures = { name: upload.name, here: size(upload.offset), whole: size(upload.size) };
  const words = t("{name}: {here} of {whole} uploaded. Choose the file again to resume.", figures);
  (element.querySelector("p") as HTMLElement).textContent = words;
  const again = element.querySelector<HTMLInputElement>("input[type=file]");
  if (again) watchPicker(again, (files) => void takeAgain(upload, files));
  element.querySelector("button")?.addEventListener("click", () => void giveUp(upload));
  return element;
}

async function takeAgain(upload: Interrupted, files: File[]): Promise<void> {
  const file = files[0];
  if (file && file.size === upload.size && file.name === upload.name) goOn(upload, file);
  else announce(t("That’s a different file. Choose {name} ({size}).", { name: upload.name, size: size(upload.size) }));
}

function goOn(upload: Interrupted, file: File): void {
  list.hidden = false;
  settle(upload);
  queue.add(file, upload.wishes, upload);
}

async function giveUp(upload: Interrupted): Promise<void> {
  settle(upload);
  await dropBegun(upload.id);
  if (upload.url) await fetch(upload.url, { method: "DELETE", headers: { "Tus-Resumable": "1.0.0" } }).catch(() => undefined);
  announce(t("Upload cancelled. Its link no longer works."));
}

function settle(upload: Interrupted): void {
  waiting.splice(waiting.indexOf(upload), 1);
  for (const element of asked.children) if ((element as HTMLElement).dataset["id"] === upload.id) element.remove();
  asked.hidden = waiting.length === 0;
  if (document.activeElement === document.body) (asked.querySelector<HTMLElement>("button") ?? picker).focus();
}

// --- the page comes to life -------------------------------------------------------------------------------------------

picker.multiple = true;
picker.required = false;
form.dataset["live"] = "";
if (!("webkitdirectory" in picker)) one("#folder-way").hidden = true;
watchForFiles(picker, one("#drop-zone"), (files, from) => void take(files, from));
for (const other of form.querySelectorAll<HTMLInputElement>("#folder, #camera")) watchPicker(other, (files, from) => void take(files, from));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  picker.click();
});
one("#copy-all").addEventListener("click", () => {
  void copy(queue.pictures.map(({ url }) => url).join("\n"), t("All links"));
});
one<HTMLButtonElement>("#make-album").addEventListener("click", ({ currentTarget: button }) => {
  (button as HTMLButtonElement).disabled = true;
  const again = (): boolean => ((button as HTMLButtonElement).disabled = queue.busy);
  void makeAlbum(queue.pictures.map(({ slug }) => slug)).then(again);
});
wireCopyButtons();
void offerInterrupted();
