// The upload page: files are uploaded as soon as they are chosen, and their links work at once.

import { createAlbumAndOpen } from "./library/albums";
import { announce } from "./parts/announce";
import { copy, wireCopyButtons } from "./parts/copy";
import { size } from "./parts/formatting";
import { required } from "./parts/dom";
import { t, tn } from "./parts/messages";
import { type InterruptedUpload, listInterruptedUploads, isFileOf } from "./uploading/pending-uploads";
import { problemOf } from "./uploading/limits";
import { watchForFiles, watchPicker } from "./uploading/picking";
import { Queue } from "./uploading/queue";
import type { UploadOptions } from "./uploading/transfer";
import { removePendingUpload } from "./library/store";

const form = required<HTMLFormElement>("#upload");
const picker = required<HTMLInputElement>("#file");
const list = required("#uploads");
const interruptedList = required("#interrupted");
const interrupted: InterruptedUpload[] = [];
const queue = new Queue(list, showSummary);

async function accept(files: File[], from: "files" | "folder"): Promise<void> {
  list.hidden = false;
  const refused: string[] = [];
  let skipped = 0;
  const isOnlyFile = files.length === 1;
  for (const file of files) {
    const previous = interrupted.find((upload) => isFileOf(upload, file));
    if (previous) {
      resume(previous, file);
      continue;
    }
    const problem = await problemOf(file);
    if (problem && from === "folder") skipped += 1;
    else if (problem) {
      queue.refuse(file, problem);
      refused.push(problem);
    } else queue.add(file, readOptions(isOnlyFile));
  }
  if (isOnlyFile) clearTexts();
  if (refused.length > 0) announce(summary(refused), { staysMs: 8000 });
  required("#skipped").textContent =
    skipped === 0
      ? ""
      : tn(
          "{count} file in the folder was skipped because it isn’t a supported image.",
          "{count} files in the folder were skipped because they aren’t supported images.",
          skipped,
        );
}

/** The problem of one file, or how many files have one; each card shows its own. */
function summary(refused: string[]): string {
  const [first = "", ...others] = refused;
  if (others.length === 0) return first;
  return tn("{count} file was rejected. See the reason above.", "{count} files were rejected. See the reasons above.", refused.length);
}

/** The form's options. Title and description describe one image, so several files are uploaded without them. */
function readOptions(isOnlyFile: boolean): UploadOptions {
  const found: UploadOptions = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value !== "string" || value === "") continue;
    if (isOnlyFile || (name !== "title" && name !== "alt")) found[name] = value;
  }
  return found;
}

function clearTexts(): void {
  for (const field of form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("#title, #alt")) field.value = "";
}

function showSummary({ images, busy }: Queue): void {
  required("#summary").hidden = images.length < 2;
  required<HTMLButtonElement>("#make-album").disabled = busy;
  required("#summary-text").textContent = tn("{count} image uploaded.", "{count} images uploaded.", images.length);
}

// --- uploads of pages that were closed --------------------------------------------------------------------------------

async function offerInterrupted(): Promise<void> {
  for (const upload of await listInterruptedUploads()) {
    if (upload.file) {
      list.hidden = false;
      queue.add(upload.file, upload.options, upload);
    } else {
      interrupted.push(upload);
      interruptedList.append(createQuestion(upload));
    }
  }
  interruptedList.hidden = interrupted.length === 0;
}

function createQuestion(upload: InterruptedUpload): HTMLElement {
  const template = required<HTMLTemplateElement>("#interrupted-card");
  const card = template.content.cloneNode(true) as DocumentFragment;
  const element = card.firstElementChild as HTMLElement;
  element.dataset["id"] = upload.id;
  const figures = { name: upload.name, here: size(upload.offset), whole: size(upload.size) };
  const text = t("{name}: {here} of {whole} uploaded. Choose the file again to resume.", figures);
  (element.querySelector("p") as HTMLElement).textContent = text;
  const again = element.querySelector<HTMLInputElement>("input[type=file]");
  if (again) watchPicker(again, (files) => void resumeWith(upload, files));
  element.querySelector("button")?.addEventListener("click", () => void discard(upload));
  return element;
}

async function resumeWith(upload: InterruptedUpload, files: File[]): Promise<void> {
  const file = files[0];
  if (file && file.size === upload.size && file.name === upload.name) resume(upload, file);
  else announce(t("That’s a different file. Choose {name} ({size}).", { name: upload.name, size: size(upload.size) }));
}

function resume(upload: InterruptedUpload, file: File): void {
  list.hidden = false;
  removeQuestion(upload);
  queue.add(file, upload.options, upload);
}

async function discard(upload: InterruptedUpload): Promise<void> {
  removeQuestion(upload);
  await removePendingUpload(upload.id);
  if (upload.url) await fetch(upload.url, { method: "DELETE", headers: { "Tus-Resumable": "1.0.0" } }).catch(() => undefined);
  announce(t("Upload cancelled. Its link no longer works."));
}

function removeQuestion(upload: InterruptedUpload): void {
  interrupted.splice(interrupted.indexOf(upload), 1);
  for (const element of interruptedList.children) if ((element as HTMLElement).dataset["id"] === upload.id) element.remove();
  interruptedList.hidden = interrupted.length === 0;
  if (document.activeElement === document.body) (interruptedList.querySelector<HTMLElement>("button") ?? picker).focus();
}

// --- wiring -----------------------------------------------------------------------------------------------------------

picker.multiple = true;
picker.required = false;
form.dataset["live"] = "";
if (!("webkitdirectory" in picker)) required("#folder-button").hidden = true;
watchForFiles(picker, required("#drop-zone"), (files, from) => void accept(files, from));
for (const other of form.querySelectorAll<HTMLInputElement>("#folder, #camera")) watchPicker(other, (files, from) => void accept(files, from));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  picker.click();
});
required("#copy-all").addEventListener("click", () => {
  void copy(queue.images.map(({ url }) => url).join("\n"), t("All links"));
});
required<HTMLButtonElement>("#make-album").addEventListener("click", ({ currentTarget: button }) => {
  (button as HTMLButtonElement).disabled = true;
  const again = (): boolean => ((button as HTMLButtonElement).disabled = queue.busy);
  void createAlbumAndOpen(queue.images.map(({ slug }) => slug)).finally(again);
});
wireCopyButtons();
void offerInterrupted();
